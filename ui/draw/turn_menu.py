"""The knobs of a racer that are turned in the middle of the run: from the step on at which the stage stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from engine.scheduled import plain_rule
from engine.turned import TurnedOptimizer, turnable, turned_at, unturned
from ui.draw.schedule_menu import MORE
from ui.setup.controls import Controls
from ui.setup.session import Entry

TURN, BACK = "turn", "turn-back"  # what the keys of the buttons end with
HELP = "The run up to there stays. From there on it goes by the later values, which you then turn."
AT_REST = "Pause the run where its knobs are to be turned, after its first step and before its last."


def is_open(controls: Controls[Any]) -> bool:
    """Whether the further settings of a racer are open, in which the button stands that asks for the step."""
    return any(st.session_state.get(controls.key(number, MORE)) for number in controls.memory.entries)


def at_pause(controls: Controls[Any], steps: np.ndarray) -> Callable[[], None] | None:
    """What keeps the step at which the stage is paused, for ``on_at``; None while no button asks for it."""

    def take_moment() -> None:
        record = st.session_state[controls.key("stage")].at
        if record is not None and 0 <= record < len(steps):
            controls.memory.paused_at = int(steps[int(record)])

    return take_moment if is_open(controls) else None


def turn_menu(controls: Controls[Any], number: int, entry: Entry) -> None:
    """The button that turns the knobs from here on, and the one that takes it back."""
    if not turnable(plain_rule(entry.racer.rule)):
        return
    if isinstance(entry.racer, TurnedOptimizer):
        controls.draw(
            "racers",
            st.button,
            "Take the turn back",
            key=controls.key(number, BACK),
            on_click=turn,
            args=(controls, number, 0),
        )
        return
    step = controls.memory.paused_at
    here = 0 < step < controls.memory.setup.steps
    controls.draw(
        "racers",
        st.button,
        f"Turn its knobs from step {step} on" if here else "Turn its knobs from here on",
        key=controls.key(number, TURN),
        on_click=turn,
        args=(controls, number, step),
        disabled=not here,
        help=HELP if here else AT_REST,
    )


def turn(controls: Controls[Any], number: int, step: int) -> None:
    """Turn the knobs of a racer from a step on, or with step 0 not at all: for ``on_click``."""
    entries = controls.current_entries()
    if number not in entries:
        return
    before = entries[number].racer
    racer = turned_at(before, step) if step else unturned(before)
    entries[number] = Entry(racer, racer)
    st.session_state[controls.key(number, MORE)] = True  # under another label Streamlit would take it for another one
    for knob in racer.knobs():
        controls.set_widget(controls.key(number, knob.name), getattr(racer, knob.name))
