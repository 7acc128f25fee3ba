"""How students come into a class: its link, and the link as a QR code."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

import segno
import streamlit as st


def link(code: str) -> str:
    """The address that students join a class by: that of the home page, wherever the app is served."""
    parts = urlsplit(st.context.url or "http://localhost:8501/page")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rpartition('/')[0]}/?class={code}"


@lru_cache(maxsize=64)
def qr(address: str) -> str:
    """An address as a QR code, black on white in any theme: an SVG as large as the place that it is put in."""
    made = segno.make(address, error="m", micro=False)
    return made.svg_inline(border=3, omitsize=True, light="#fff", svgclass="class-qr", lineclass=None)
