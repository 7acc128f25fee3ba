"""The title that a teacher has given to a page."""

from __future__ import annotations

from html import escape

import streamlit as st

from ui.setup.codec import Setup
from ui.setup.plain import on_one_line

# the part of the window that it takes from the picture
STYLE = """<style>
:root { --teacher-title: 2.2rem; }
.teacher-title { margin: 0; padding: 0; font-size: 1.25rem; line-height: 1.6rem; overflow-wrap: anywhere; }
</style>"""


def show_title(setup: Setup) -> None:
    """Draw it, letter for letter; nothing where there is none."""
    if words := on_one_line(setup.title):
        st.html(f'{STYLE}<h2 class="teacher-title">{escape(words)}</h2>')
