"""What several pages have: the list of presets, the size of a mini-batch, the way back, the notes on a link."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ui.setup.codec import Setup
from ui.setup.controls import CUSTOM, Controls
from ui.setup.defaults import start_from
from ui.setup.presets import presets

BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


def choose_preset(controls: Controls[Any], setup: Setup) -> None:
    """Draw the list of presets."""
    if not controls.shows("preset"):
        return
    preset = controls.preset(setup)
    controls.set_derived("preset", preset.name if preset else CUSTOM)
    offered, key = [*presets(controls.page), *([] if preset else [CUSTOM])], controls.key("preset")
    st.selectbox(
        "Preset",
        offered,
        key=key,
        **start_from(st.selectbox, key, offered),
        on_change=controls.apply_preset,
        help="A prepared example, which sets all controls of this page. You can change each of them afterwards.",
    )


def choose_batch(controls: Controls[Any], chosen: int, examples: int, label: str) -> None:
    """Draw the slider of the batch size: how many examples a step is computed from, or all of them (0)."""
    controls.draw(
        "batch",
        st.select_slider,
        label,
        [*sorted({size for size in BATCH_SIZES if size < examples} | ({chosen} - {0})), 0],
        format_func=lambda size: str(size) if size else "all",
        help="The batch size: each step computes its gradient from so many of them only, a mini-batch.",
    )


def reset_button(controls: Controls[Any]) -> None:
    """Draw the button that brings the set-up back that the page opens with."""
    if not controls.shows("preset"):
        return
    st.button(
        "Reset to the first preset",
        on_click=controls.apply,
        args=(controls.opening,),
        icon=":material/restart_alt:",
        width="stretch",
    )


def show_notes(notes: list[str]) -> None:
    """Say what of a link could not be taken as it was."""
    if notes:
        st.warning("Some parts of the link could not be used.\n\n" + "\n".join(f"- {note}" for note in notes))
