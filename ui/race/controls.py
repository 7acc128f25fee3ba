"""The sidebar of the Ackley Race: where it is run, from where, how far, and by whom."""

from __future__ import annotations

import streamlit as st

from engine import LANDSCAPES, Landscape
from engine.notebook import REPLAYS
from ui.draw.landscapes import box
from ui.draw.line_up import line_up
from ui.setup.controls import OWN, Controls
from ui.setup.pages import FARTHEST, MOST_STEPS, NO_REPLAY, REPLAY_GROUND, SHOWN, VIEWS, RaceSetup

NAMES = {"race": "Race", "rates": "Learning rates", "basins": "Basins", "fair": "Fair race"}
POINTS = (32, 64, 96, 128, 192, 256)
STEP_STOPS = (*range(1, 20), *range(20, 100, 5), *range(100, 500, 10), *range(500, MOST_STEPS + 1, 50))


CONTROLS = Controls("Ackley Race", "race", RaceSetup)


def take_place() -> None:
    places = CONTROLS.read().ground.places
    if (chosen := CONTROLS.chosen("place")) in places:
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
        key=CONTROLS.at("landscape"),
        on_change=CONTROLS.take_widget,
        args=("landscape",),
        help="The surface that is descended.",
    )
    st.segmented_control(
        "Domain",
        VIEWS,
        key=CONTROLS.at("view"),
        required=True,
        format_func=lambda view: extent(landscape, view),
        width="stretch",
        help="How much of the surface is drawn. The race itself is the same.",
    )
    here = next((name for name, point in landscape.places.items() if point == setup.start), OWN)
    CONTROLS.show_choice("place", here)
    st.selectbox(
        "Start",
        [*landscape.places, OWN] if here == OWN else list(landscape.places),
        key=CONTROLS.key("place"),
        on_change=take_place,
        help="Where all racers set off. A click on the map moves it too.",
    )
    for column, name in zip(st.columns(2), "xy", strict=True):
        column.number_input(
            f"start {name}", -FARTHEST, FARTHEST, step=0.1, format="%.3f", key=CONTROLS.at("start", name)
        )
    st.select_slider(
        "Steps",
        sorted({*STEP_STOPS, setup.steps}),
        key=CONTROLS.at("steps"),
        help="How many moves each racer makes.",
    )
    st.selectbox(
        "Replay beside them",
        [NO_REPLAY, *REPLAYS],
        key=CONTROLS.at("replay"),
        format_func=lambda name: "nothing" if name == NO_REPLAY else f"the notebook's {name} run",
        disabled=setup.landscape != REPLAY_GROUND,
        help=f"The notebook this playground grew from has two runs on {REPLAY_GROUND}, stepped in an order of its own.",
    )


def extent(landscape: Landscape, view: str) -> str:
    (low, high), (y_low, y_high) = box(landscape, view)
    text = f"{low:g} … {high:g}"
    return (text if (low, high) == (y_low, y_high) else f"x {text}").replace("-", "−")


def choose_view() -> None:
    st.segmented_control(
        "What is shown",
        SHOWN,
        key=CONTROLS.at("show"),
        required=True,
        label_visibility="collapsed",
        format_func=NAMES.__getitem__,
    )


def choose_points(setup: RaceSetup) -> None:
    st.select_slider(
        "Starts per side",
        sorted({*POINTS, setup.points}),
        key=CONTROLS.at("points"),
        help="How fine the maps are. Each point of a map is a run of its own: 96 per side are 9,216 runs per racer.",
    )


def loss_axis(setup: RaceSetup) -> bool:
    """The choice of the loss axis. Returns whether it is logarithmic: it cannot be where the loss has no floor."""
    bottomless = setup.ground.floor is None
    CONTROLS.loss_axis("This loss has no lowest value to measure from." if bottomless else None)
    return setup.loss == "log" and not bottomless
