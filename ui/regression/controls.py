"""The controls of 2D Regression: the examples, from where, how far, in what batches, and by whom."""

from __future__ import annotations

import streamlit as st

from ui.ask.asking import show_switch
from ui.draw.field import field_switch
from ui.draw.line_up import line_up
from ui.setup.controls import Controls
from ui.setup.landscapes import MAX_START
from ui.setup.pages import MAX_EXAMPLES, MAX_ITERATIONS, RegressionSetup
from ui.setup.widgets import choose_batch, choose_preset, reset_button

EXAMPLES = (10, 20, 50, 100, 200, 500, MAX_EXAMPLES)
STEPS = (*range(1, 20), *range(20, 100, 5), *range(100, 500, 20), *range(500, MAX_ITERATIONS + 1, 100))

CONTROLS = Controls[RegressionSetup]("2D Regression", "regression")


def sidebar(setup: RegressionSetup, theme: str) -> None:
    """Draw the controls."""
    with st.sidebar:
        choose_preset(CONTROLS, setup)
        show_switch(CONTROLS, setup)
        data(setup)
        descent(setup)
        line_up(CONTROLS, theme)
        reset_button(CONTROLS)


def data(setup: RegressionSetup) -> None:
    """The controls of the examples."""
    CONTROLS.draw(
        "examples",
        st.select_slider,
        "Examples",
        sorted({*EXAMPLES, setup.examples}),
        help="How many data points the parameters are fitted to.",
    )
    CONTROLS.draw(
        "noise",
        st.slider,
        "Noise σ",
        0.0,
        200.0,
        step=5.0,
        help="The standard deviation of the random number that is added to the value of each example.",
    )
    CONTROLS.draw(
        "seed",
        st.number_input,
        "Seed",
        0,
        9999,
        step=1,
        help="Sets the random numbers: the examples, their noise and the batches. The same seed gives the same ones.",
    )


def descent(setup: RegressionSetup) -> None:
    """The controls of the race."""
    starts = {"theta1": "θ₁", "theta2": "θ₂"} if CONTROLS.shows("start") else {}
    for column, (part, symbol) in zip(st.columns(2) if starts else (), starts.items(), strict=True):
        CONTROLS.draw(
            "start", column.number_input, f"start {symbol}", -MAX_START, MAX_START, step=0.5, format="%.3f", part=part
        )
    CONTROLS.draw(
        "steps",
        st.select_slider,
        "Iterations",
        sorted({*STEPS, setup.steps}),
        help="How many steps each optimizer takes.",
    )
    choose_batch(CONTROLS, setup.batch, setup.examples, "Examples per step")
    CONTROLS.draw(
        "tolerance",
        st.number_input,
        "Stop when the loss changes by less than",
        0.0,
        1e6,
        step=0.01,
        format="%g",
        help="The tolerance: a run ends once its loss has changed by less than this in an epoch, in which each example "
        "is used once. With momentum or the like, in ten iterations too. The notebook has 0.01; 0 runs all of them.",
    )
    field_switch(CONTROLS)


def choose_moment(moments: list[int]) -> int:
    """An iteration to look at, out of those that were recorded."""
    shown = CONTROLS.shows("moment")
    key, chosen = CONTROLS.key("moment"), CONTROLS.memory.setup.moment
    if shown:
        chosen = st.session_state[CONTROLS.widget_key("moment")]
    nearest = min(moments, key=lambda moment: abs(moment - chosen))
    if shown:
        CONTROLS.set_derived("moment", nearest)
    if len(moments) == 1 or not shown:
        return nearest
    CONTROLS.draw(
        "moment", st.select_slider, "Iteration", moments, help="The step from this iteration to the next is shown."
    )
    return st.session_state[key]


def choose_racer(racers: list[str]) -> str:
    """Whose step is shown, and its name."""
    shown = CONTROLS.shows("whose")
    chosen = CONTROLS.memory.setup.whose
    if shown:
        chosen = st.session_state[CONTROLS.widget_key("whose")]
    chosen = min(chosen, len(racers))
    if shown:
        CONTROLS.set_derived("whose", chosen)
    if len(racers) == 1 or not shown:
        return racers[chosen - 1]
    places = list(range(1, len(racers) + 1))
    CONTROLS.draw("whose", st.selectbox, "Optimizer", places, format_func=lambda place: racers[place - 1])
    return racers[st.session_state[CONTROLS.key("whose")] - 1]
