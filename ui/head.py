"""The head that the pages with a stage share: where each begins, from its set-up to its story."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from streamlit.delta_generator import DeltaGenerator

from ui.ask.asking import Asking
from ui.class_room.room import in_class
from ui.setup.codec import Setup
from ui.setup.controls import Controls
from ui.setup.layout import lecture_buttons
from ui.setup.widgets import show_notes
from ui.stories.bar import show_story
from ui.take_home.menu import show_menu
from ui.teach.heading import show_title
from ui.teach.menu import show_teach

SetupT = TypeVar("SetupT", bound=Setup)


def open_page(
    controls: Controls[SetupT], problem_of: Callable[[SetupT], str] = lambda setup: ""
) -> tuple[SetupT, Asking]:
    """Draw a page's head, and say what it is set to and where it stands with its question.

    ``problem_of`` says why the page cannot answer the question that a set-up asks, where the set-up alone does not say.
    """
    setup, notes = controls.sync()
    asking = in_class(Asking.of(controls, setup, problem_of(setup)))
    show_notes(notes)
    show_title(setup)
    show_story(setup, held=asking.held)
    return setup, asking


def show_actions(
    controls: Controls[Any], setup: Setup, asking: Asking, place: DeltaGenerator, *, has_run: bool = True
) -> None:
    """Draw the buttons beside the title, in their ``place``. Without a run there is nothing to take home.

    They are for after the picture, which is what a visitor waits for.
    """
    if not asking.bare:
        lecture_buttons(controls, setup, place)
        with place:
            show_teach(controls, setup)
    if has_run and not asking.held:
        with place:
            show_menu(setup, controls.key("stage"))
