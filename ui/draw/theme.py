"""Which of the two designs the visitor sees."""

from __future__ import annotations

import streamlit as st


def theme() -> str:
    """``light`` or ``dark``."""
    return "dark" if st.context.theme.type == "dark" else "light"
