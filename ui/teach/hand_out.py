"""Hand a set-up out: its link, and how it is put into a course page."""

from __future__ import annotations

from html import escape
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from ui.setup.codec import Setup, encode
from ui.setup.controls import Controls

HEIGHT = 900  # pixels


def show_hand_out(controls: Controls[Any], setup: Setup) -> None:
    """What gives a set-up to students."""
    st.markdown("**Hand it out**")
    st.markdown("The link to what this page shows:")
    st.code(link(setup), language=None, wrap_lines=True)
    st.markdown("As a part of a course page, in HTML:")
    st.code(iframe(controls.page, setup), language="html", wrap_lines=True)


def link(setup: Setup, **more: str) -> str:
    """The address of a set-up."""
    return f"{(st.context.url or '').partition('?')[0]}?{urlencode({**encode(setup), **more}, doseq=True)}"


def iframe(title: str, setup: Setup) -> str:
    """HTML that shows a set-up within another page."""
    address = escape(link(setup, embed="true"))
    return f'<iframe src="{address}" title="{escape(title)}" width="100%" height="{HEIGHT}"></iframe>'
