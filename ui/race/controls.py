"""The sidebar of the Ackley Race: where it is run, from where, how far, and by whom."""

from __future__ import annotations

import streamlit as st

from engine import LANDSCAPES, Landscape
from engine.notebook import REPLAYS
from ui.controls import OWN, Controls
from ui.figures import box
from ui.line_up import line_up
from ui.setups import FARTHEST, MOST_STEPS, NO_REPLAY, REPLAY_GROUND, VIEWS, RaceSetup

STEP_STOPS = (*range(1, 20), *range(20, 100, 5), *range(100, 500, 10), *range(500, MOST_STEPS + 1, 50))


CONTROLS = Controls("Ackley Race", "race", RaceSetup)


def take_place() -> None:
    places = LANDSCAPES[st.session_state[CONTROLS.key("landscape")]].places
    chosen = st.session_state[CONTROLS.key("place")]
    if chosen in places:
        CONTROLS.take(start=places[chosen])


def sidebar(setup: RaceSetup, theme: str) -> None:
    """Draw the controls."""
    with st.sidebar:
        CONTROLS.choose_preset(setup)
        surface(setup)
        line_up(CONTROLS, theme)
        CONTROLS.reset()


def surface(setup: RaceSetup) -> None:
    landscape = setup.ground
    st.selectbox(
        "Landscape",
        list(LANDSCAPES),
        key=CONTROLS.key("landscape"),
        on_change=CONTROLS.take_widget,
        args=("landscape",),
        help="The surface that is descended.",
    )
    st.segmented_control(
        "Domain",
        VIEWS,
        key=CONTROLS.key("view"),
        required=True,
        format_func=lambda view: extent(landscape, view),
        width="stretch",
        help="How much of the surface is drawn. The race itself is the same.",
    )
    here = next((name for name, point in landscape.places.items() if point == setup.start), OWN)
    st.session_state[CONTROLS.key("place")] = here
    st.selectbox(
        "Start",
        [*landscape.places, OWN] if here == OWN else list(landscape.places),
        key=CONTROLS.key("place"),
        on_change=take_place,
        help="Where all racers set off. A click on the map moves it too.",
    )
    for column, name in zip(st.columns(2), "xy", strict=True):
        column.number_input(
            f"start {name}", -FARTHEST, FARTHEST, step=0.1, format="%.3f", key=CONTROLS.key("start", name)
        )
    st.select_slider(
        "Steps",
        sorted({*STEP_STOPS, setup.steps}),
        key=CONTROLS.key("steps"),
        help="How many moves each racer makes.",
    )
    st.selectbox(
        "Replay beside them",
        [NO_REPLAY, *REPLAYS],
        key=CONTROLS.key("replay"),
        format_func=lambda name: "nothing" if name == NO_REPLAY else f"the notebook's {name} run",
        disabled=setup.landscape != REPLAY_GROUND,
        help=f"The notebook this playground grew from has two runs on {REPLAY_GROUND}, stepped in an order of its own.",
    )


def extent(landscape: Landscape, view: str) -> str:
    (low, high), (y_low, y_high) = box(landscape, view)
    text = f"{low:g} … {high:g}"
    return (text if (low, high) == (y_low, y_high) else f"x {text}").replace("-", "−")


def loss_axis(setup: RaceSetup) -> bool:
    """The choice of the loss axis. Returns whether it is logarithmic: it cannot be where the loss has no floor."""
    bottomless = setup.ground.floor is None
    CONTROLS.loss_axis("This loss has no lowest value to measure from." if bottomless else None)
    return setup.loss == "log" and not bottomless
