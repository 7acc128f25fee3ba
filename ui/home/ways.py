"""How to show a page of the app elsewhere, and the styles of the home page. Needs no engine."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from ui.setup.address import page_address

STYLE = Path(__file__).with_name("home.css")
EMBEDDED = "Ackley Race"  # the page that the code to copy shows


def embed_code() -> str:
    """The HTML that shows a page of the app in a page elsewhere; ``embed`` leaves out the menu."""
    lines = (
        f'src="{page_address(EMBEDDED)}?embed=true"',
        'width="100%" height="800"',
        'style="border: 0"',
        'title="The optimizer playground"',
    )
    return "\n  ".join(("<iframe", *lines)) + "\n></iframe>"


def style() -> None:
    """Add the home page's own styles."""
    st.html(f"<style>\n{STYLE.read_text(encoding='utf-8')}</style>")
