"""The sidebar of the Ackley Race: where it is run, from where, how far, and by whom."""

from __future__ import annotations

import streamlit as st

from engine import LANDSCAPES, Landscape
from engine.notebook import REPLAYS
from ui.ask.asking import show_switch
from ui.draw.curves import curve_controls
from ui.draw.field import field_switch
from ui.draw.landscapes import box
from ui.draw.line_up import line_up
from ui.numbers import with_minus
from ui.setup.controls import CUSTOM, Controls
from ui.setup.curves import LOSS
from ui.setup.pages import MAX_START, MAX_STEPS, NO_REPLAY, REPLAY_LANDSCAPE, VIEWS, RaceSetup
from ui.setup.widgets import choose_preset, reset_button

POINTS = (32, 64, 96, 128, 192, 256)
STEP_STOPS = (*range(1, 20), *range(20, 100, 5), *range(100, 500, 10), *range(500, MAX_STEPS + 1, 50))


CONTROLS = Controls[RaceSetup]("Ackley Race", "race")


def take_place() -> None:
    """Start from a named place, for ``on_change``."""
    places = CONTROLS.current_setup().chosen_landscape.places
    if (chosen := CONTROLS.new_value("place")) in places:
        CONTROLS.update(start=places[chosen])


def sidebar(setup: RaceSetup, theme: str) -> None:
    """Draw the controls."""
    with st.sidebar:
        choose_preset(CONTROLS, setup)
        show_switch(CONTROLS, setup)
        surface(setup)
        line_up(CONTROLS, theme)
        reset_button(CONTROLS)


def surface(setup: RaceSetup) -> None:
    """The controls of the landscape and the start."""
    landscape = setup.chosen_landscape
    CONTROLS.draw(
        "landscape",
        st.selectbox,
        "Landscape",
        list(LANDSCAPES),
        on_change=CONTROLS.update_from_widget,
        args=("landscape",),
        help="The function whose minimum is looked for; its value, the loss, is drawn as the height of a surface.",
    )
    CONTROLS.draw(
        "view",
        st.segmented_control,
        "Domain",
        VIEWS,
        required=True,
        format_func=lambda view: extent(landscape, view),
        width="stretch",
        help="How much of the surface is drawn. The race itself is the same.",
    )
    field_switch(CONTROLS)
    here = next((name for name, point in landscape.places.items() if point == setup.start), CUSTOM)
    CONTROLS.set_derived("place", here)
    CONTROLS.draw(
        "start",
        st.selectbox,
        "Start",
        [*landscape.places, CUSTOM] if here == CUSTOM else list(landscape.places),
        key=CONTROLS.key("place"),
        on_change=take_place,
        help="The point at which all optimizers start. A click on the map sets it too.",
    )
    if CONTROLS.shows("start"):
        with st.container(horizontal=True, gap="small"):
            for name in "xy":
                CONTROLS.draw(
                    "start", st.number_input, f"start {name}", -MAX_START, MAX_START, step=0.1, format="%.3f", part=name
                )
    CONTROLS.draw(
        "steps",
        st.select_slider,
        "Steps",
        sorted({*STEP_STOPS, setup.steps}),
        help="How many steps each optimizer takes.",
    )
    CONTROLS.draw(
        "replay",
        st.selectbox,
        "Also show a run of the notebook",
        [NO_REPLAY, *REPLAYS],
        format_func=lambda name: "nothing" if name == NO_REPLAY else f"the notebook's {name} run",
        disabled=setup.landscape != REPLAY_LANDSCAPE,
        help=f"The Jupyter notebook that this app is based on has two runs on {REPLAY_LANDSCAPE}. "
        "They change x first, and then y.",
    )


def extent(landscape: Landscape, view: str) -> str:
    """The range of a square in words."""
    (low, high), (y_low, y_high) = box(landscape, view)
    text = f"{low:g} … {high:g}"
    return with_minus(text if (low, high) == (y_low, y_high) else f"x {text}")


def choose_points(setup: RaceSetup) -> None:
    """The slider of how many starts a map has."""
    CONTROLS.draw(
        "points",
        st.select_slider,
        "Starts per side",
        sorted({*POINTS, setup.points}),
        help="How fine the maps are. Each point of a map is a run of its own: 96 per side are 9,216 runs.",
    )


def choose_curve(setup: RaceSetup) -> None:
    """The choice of the curve and of its axis."""
    why = "This loss has no lowest value to measure from." if is_bottomless(setup) else None
    curve_controls(CONTROLS, setup, "xy", why)


def log_loss(setup: RaceSetup) -> bool:
    """Whether the curve's axis is logarithmic: a loss without a floor has none."""
    return setup.loss == "log" and not is_bottomless(setup)


def is_bottomless(setup: RaceSetup) -> bool:
    """Whether the loss is shown, and has no lowest value."""
    return setup.curve == LOSS and setup.chosen_landscape.floor is None
