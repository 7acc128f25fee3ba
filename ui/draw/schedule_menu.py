"""The schedule of a racer's learning rate in the line-up: which one, its knobs, and its curve over the run."""

from __future__ import annotations

import base64
from html import escape
from typing import Any

import numpy as np
import streamlit as st

from engine import SCHEDULES, Optimizer
from engine.scheduled import can_follow, plain_rule, schedule_of, with_schedule
from engine.schedules import factors
from engine.turned import TurnedOptimizer
from ui.draw.palette import COLORS
from ui.numbers import format_number
from ui.setup.controls import Controls
from ui.setup.racers import CONSTANT, problem_of_schedule
from ui.setup.session import Entry

MORE = "more"  # what the key of a racer's further settings ends with
MENU = "rate-schedule"  # what the key of the menu ends with: no knob is called so, since a name has no hyphen
WIDTH, HEIGHT, EDGE = 240, 48, 2  # of the curve, in pixels
POINTS = 120  # of the curve
IS_TURNED = "Its knobs are turned in the middle of the run. Take that back to choose another schedule."
HELP = "How the learning rate changes from step to step. Each step is made with its learning rate times a factor."


def schedule_menu(controls: Controls[Any], number: int, entry: Entry) -> None:
    """The choice of a schedule."""
    rule, schedule = plain_rule(entry.racer.rule), schedule_of(entry.racer)
    turned = isinstance(entry.racer, TurnedOptimizer)
    follows = can_follow(rule) and not turned
    why_not = IS_TURNED if turned else f"{rule.name}: {problem_of_schedule(rule, next(iter(SCHEDULES)))}"
    controls.set_derived(f"{number}-{MENU}", schedule.name if schedule else CONSTANT)
    controls.draw(
        "racers",
        st.selectbox,
        "Learning rate over the steps",
        [CONSTANT, *SCHEDULES],
        key=controls.key(number, MENU),
        on_change=take_schedule,
        args=(controls, number),
        disabled=not follows,
        help=HELP if follows else why_not,
    )


def take_schedule(controls: Controls[Any], number: int) -> None:
    """Give a racer the schedule that was chosen, as it is by default, for ``on_change``."""
    chosen, entries = controls.new_value(f"{number}-{MENU}"), controls.current_entries()
    if chosen is None or number not in entries:
        return
    racer = with_schedule(entries[number].racer, "" if chosen == CONSTANT else chosen)
    entries[number] = Entry(racer, racer)
    st.session_state[controls.key(number, MORE)] = True  # under another label Streamlit would take it for another one
    for knob in racer.knobs():
        controls.set_widget(controls.key(number, knob.name), getattr(racer, knob.name))


def show_schedule(racer: Optimizer, steps: int, theme: str) -> None:
    """The curve of the factor over the steps of a run."""
    schedule = schedule_of(racer)
    if schedule is None:
        return
    at = np.unique(np.linspace(0, steps - 1, POINTS).astype(int))
    values = factors(schedule, at)
    first, last = (format_number(float(values[end])) for end in (0, -1))
    says = f"The learning rate over {steps} steps: its factor goes from {first} to {last}, between 0 and 1."
    st.html(f'<img alt="{escape(says)}" src="{curve(at / max(steps - 1, 1), values, theme)}" width="{WIDTH}">')


def curve(across: np.ndarray, up: np.ndarray, theme: str) -> str:
    """A curve from 0 to 1 in both directions as a small picture (an SVG data address)."""
    colors = COLORS[theme]
    inner, high = WIDTH - 2 * EDGE, HEIGHT - 2 * EDGE
    points = " ".join(f"{EDGE + inner * x:.1f},{EDGE + high * (1 - y):.1f}" for x, y in zip(across, up, strict=True))
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}">'
        f'<path d="M0 {EDGE}H{WIDTH}M0 {HEIGHT - EDGE}H{WIDTH}" stroke="{colors.faint}"/>'
        f'<polyline points="{points}" fill="none" stroke="{colors.ink}" stroke-width="2"/></svg>'
    )
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
