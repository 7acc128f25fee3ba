"""Where the browser finds the pages of the app. Needs no engine."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

# the pages beside home, as an address names them
PAGES = {file.stem.partition("_")[2] for file in (Path(__file__).parents[2] / "pages").glob("*.py")}


def home_address() -> str:
    """The address of the home page, without a slash at its end."""
    origin = st.context.headers.get("Origin", "")
    if st.context.is_embedded and origin.startswith("http"):
        # within a page of the same host, Streamlit takes the address of that one for the app's
        return f"{origin}/{st.get_option('server.baseUrlPath').strip('/')}".rstrip("/")
    address = (st.context.url or "http://localhost:8501").partition("?")[0].rstrip("/")
    above, _, last = address.rpartition("/")
    return above if last in PAGES else address


def page_address(page: str) -> str:
    """The address of a page, by its title."""
    return f"{home_address()}/{page.replace(' ', '_')}"
