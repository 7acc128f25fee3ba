"""How a page is laid out: which view is the large one, and the mode for lectures."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui.setup.codec import Setup
from ui.setup.controls import Controls
from ui.setup.presets import presets

# all letters are sized by the root's
LECTURE = """<style>
:root:root { font-size: max(18px, 1.25vw); }
[data-testid="stSidebar"], [data-testid="stHeader"], .st-key-head [data-testid="stMarkdown"] { display: none; }
.st-key-head.st-key-head.st-key-head { padding: 0; justify-content: space-between; }
.stApp .block-container { padding: 0.5rem 1rem 2rem; }
</style>"""


def stage_layout(
    controls: Controls[Any], setup: Any, name: str = "stage", sets: Collection[str] = ("start",)
) -> dict[str, Any]:
    """What a page's stage is shown with: its key, how it is laid out, and what the link hides or locks of it.

    ``sets``: the settings that a click on it sets.
    """
    key = controls.key(name)
    hidden = [name for name in setup.hide if name in ("table", "apart")]
    if getattr(setup, "hides_knobs", False):  # they stand in the formulas of a step
        hidden.append("apart")
    hidden += [part.view for part_name, part in setup.parts.items() if part.view and part_name in setup.hide]

    def take_large() -> None:
        """Keep which view the visitor has made the large one."""
        large = getattr(st.session_state[key], "large", None)
        if setup.settings()["large"].decode(str(large)) is not None:
            controls.update(large=large)

    def take_apart() -> None:
        """Keep whether the visitor has one step taken apart."""
        controls.update(apart=st.session_state[key].apart == "on")

    return {
        "key": key,
        "scene": controls.memory.scene,
        "large": setup.large,
        "lecture": setup.lecture,
        "on_large": take_large,
        "on_apart": take_apart,
        "without": hidden,
        "clicks": not any(setup.fixes(one) for one in sets),
        "can_part": not setup.fixes("apart"),
    }


def lecture_buttons(controls: Controls[Any], setup: Setup, place: DeltaGenerator) -> None:
    """The way into lecture mode; in it, the way to the next preset and the way out."""
    if not setup.lecture:
        controls.draw(
            "lecture",
            place.button,
            "Lecture mode",
            key=controls.key("lecture-on"),
            on_click=controls.update,
            kwargs={"lecture": True},
            icon=":material/present_to_all:",
            help="For a projector: larger letters and thicker paths, and no sidebar.",
        )
        return
    st.html(LECTURE)
    if controls.shows("preset"):
        place.button(
            "Next preset",
            key=controls.key("lecture-next"),
            on_click=choose_next_preset,
            args=(controls,),
            shortcut="N",
            help="In this mode, Space plays and the arrow keys step, wherever the focus is.",
        )
    controls.draw(
        "lecture",
        place.button,
        "Leave",
        key=controls.key("lecture-off"),
        on_click=controls.update,
        kwargs={"lecture": False},
        shortcut="Esc",
    )


def choose_next_preset(controls: Controls[Any]) -> None:
    """Set the page to the preset after the one that it shows, and after the last one to the first; in no story."""
    prepared = list(presets(controls.page).values())
    shown = controls.preset(controls.current_setup())
    following = prepared.index(shown) + 1 if shown else 0
    controls.update(story="", step=1)
    controls.apply(prepared[following % len(prepared)].setup)
