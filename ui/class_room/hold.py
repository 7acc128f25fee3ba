"""The menu's entry "Hold a class"."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ui.class_room.classes import CLASSES, MAX_SEATS, ClassError
from ui.class_room.member import member, teach
from ui.class_room.posing import asked, pose, problem
from ui.setup.codec import Setup
from ui.setup.controls import Controls

OPENED = "class-opened"


def show_hold_a_class(controls: Controls[Any], setup: Setup) -> None:
    """What opens a class about the set-up that a page shows."""
    st.markdown("**Hold a class**")
    own = member()
    if own and CLASSES.look(own.code):
        where = "You hold" if own.teaches else "You are in"
        st.markdown(f"{where} class {own.code}. {'End' if own.teaches else 'Leave'} it before you open another.")
        return
    st.markdown(
        f"Students join by a code, without an account or a name, up to {MAX_SEATS} of them. You see how many have "
        "answered, and reveal the outcome to all."
    )
    if why := problem(setup):
        st.markdown(f":material/info: {why}")
    key = controls.key("class-open")
    st.button("Hold a class", key=key, disabled=bool(why), on_click=open_class, args=(controls, setup), width="stretch")
    if why := st.session_state.pop(f"{key}-problem", ""):
        st.markdown(f":material/error: {why}")


def has_just_opened() -> bool:
    """Whether a class was opened by the click that this run answers: then the whole page is drawn anew."""
    return st.session_state.pop(OPENED, False)


def open_class(controls: Controls[Any], setup: Setup) -> None:
    """Open a class about a set-up, and have the page be its teacher's: for ``on_click``."""
    try:
        code, key = CLASSES.open(pose(controls.page, setup))
    except ClassError as why:
        st.session_state[controls.key("class-open-problem")] = str(why)
        return
    teach(code, key)
    controls.update(class_code=code)
    controls.set_setting("ask", asked(setup).ask)  # also where it is hidden or locked
    st.session_state[OPENED] = True
    st.session_state[controls.key("teach")] = False  # closes the menu
