"""The menu "Teach": what a teacher can do with the set-up that a page shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from ui.admission import slot
from ui.class_room.hold import has_just_opened
from ui.setup.codec import Setup
from ui.setup.controls import Controls


def show_teach(controls: Controls[Any], setup: Setup) -> None:
    """The menu, unless the link hides it."""
    if controls.shows("teach"):
        show_button(controls, setup)


@st.fragment
@slot()
def show_button(controls: Controls[Any], setup: Setup) -> None:
    """The menu's button. What is in it is drawn once it is opened, and opening it runs nothing else of the page."""
    menu = st.popover("Teach", icon=":material/school:", key=controls.key("teach"), on_change="rerun", width="content")
    if menu.open:
        from ui.class_room.hold import show_hold_a_class
        from ui.teach.hand_out import show_hand_out  # few visitors are teachers

        with menu:
            show_hold_a_class(controls, setup)
            show_hand_out(controls, replace(setup, class_code=""))
    elif has_just_opened():  # which has closed the menu
        st.rerun()
