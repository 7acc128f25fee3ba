"""How to show a page of the app elsewhere, and the styles of the home page. Needs no engine."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

STYLE = Path(__file__).with_name("home.css")
EMBEDDED = "Ackley_Race"  # the page that the code to copy shows


def embed_code(address: str | None) -> str:
    """The HTML that shows a page of the app in a page elsewhere; ``embed`` leaves out the menu.

    ``address``: of the home page, which Streamlit gives without a slash at its end, below a path as well.
    """
    parts = urlsplit(address or "http://localhost:8501")
    page = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/{EMBEDDED}?embed=true"
    lines = (f'src="{page}"', 'width="100%" height="800"', 'style="border: 0"', 'title="The optimizer playground"')
    return "\n  ".join(("<iframe", *lines)) + "\n></iframe>"


def style() -> None:
    """Add the home page's own styles."""
    st.html(f"<style>\n{STYLE.read_text(encoding='utf-8')}</style>")
