"""Which of two messages to a stage is the later one."""

from __future__ import annotations

import time

import streamlit as st


def order_of(key: str, *told: object) -> int:
    """A number for what a stage is told: the same for the same, and larger than before for anything else.

    While a browser still loads the scripts, it may hand on two messages in any order. The number is a time in
    milliseconds, so that it grows from one server to the next.
    """
    before, number = st.session_state.get(f"{key}-order", (None, 0))
    if told != before:
        number = max(number + 1, time.time_ns() // 10**6)
        st.session_state[f"{key}-order"] = told, number
    return number
