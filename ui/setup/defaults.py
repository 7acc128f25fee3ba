"""What a widget begins with in a browser that was not told of its key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

DEFAULTS = {
    "number_input": "value",
    "segmented_control": "default",
    "select_slider": "value",
    "selectbox": "index",
    "slider": "value",
    "text_area": "value",
    "text_input": "value",
    "toggle": "value",
}  # what a widget's function calls the value that it begins with; a button has none


def start_from(widget: Callable[..., Any], key: str, *options: Any) -> dict[str, Any]:
    """The value that a widget's key holds as what the widget begins with, by the name that its function has for it.

    Streamlit tells the browser once what a key was set to. Where the next run begins before that is sent, it never is:
    a widget that is new in the browser would begin with its function's own default, and the browser would send that
    back as if the visitor had chosen it.
    """
    held, name = st.session_state.get(key), DEFAULTS.get(widget.__name__)
    if held is None or name is None:
        return {}
    if name == "index":
        return {name: list(options[0]).index(held)}
    in_range = bool(options) and isinstance(options[0], float)  # then Streamlit refuses an int, such as a named place's
    return {name: float(held) if in_range else held}
