"""The buttons beside a page's title: the mode for lectures, and the menus "Teach" and "Take it home"."""

from __future__ import annotations

from typing import Any

from streamlit.delta_generator import DeltaGenerator

from ui.ask.asking import Asking
from ui.setup.codec import Setup
from ui.setup.controls import Controls
from ui.setup.layout import lecture_buttons
from ui.take_home.menu import show_menu
from ui.teach.menu import show_teach


def show_actions(
    controls: Controls[Any], setup: Setup, asking: Asking, place: DeltaGenerator, *, has_run: bool = True
) -> None:
    """Draw them in their ``place``; without a run there is nothing to take home."""
    if not asking.bare:
        lecture_buttons(controls, setup, place)
        with place:
            show_teach(controls, setup)
    if has_run and not asking.held:
        with place:
            show_menu(setup, controls.key("stage"))
