"""The sidebar of the Ackley Race: where it is run, from where, how far, and by whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from engine import LANDSCAPES, ExpressionError, Landscape
from engine.notebook import REPLAYS
from engine.painted import NAME as PAINTED_NAME
from engine.painted import SIDE
from engine.typed import NAME, parse_landscape
from ui.ask.asking import show_switch
from ui.draw.curves import curve_controls
from ui.draw.field import field_switch
from ui.draw.landscapes import box
from ui.draw.line_up import called, knob_widget, line_up
from ui.numbers import with_minus
from ui.race.noise import choose_noise
from ui.race.painting import MAX_MEGABYTES, MAX_PIXELS, PictureError, read_picture
from ui.setup.controls import CUSTOM, Controls
from ui.setup.curves import LOSS
from ui.setup.landscapes import EXAMPLE_LANDSCAPE, FOUND, MAX_START, MIN_SIDE, VIEWS
from ui.setup.pages import MAX_STEPS, NO_REPLAY, REPLAY_LANDSCAPE, RaceSetup
from ui.setup.plain import plain
from ui.setup.widgets import choose_preset, reset_button

POINTS = (32, 64, 96, 128, 192, 256)
STEP_STOPS = (*range(1, 20), *range(20, 100, 5), *range(100, 500, 10), *range(500, MAX_STEPS + 1, 50))


# the fields of the visitor's own landscape: what each is called, by its setting and its part of that
OWN_FIELDS = {
    "own": {"": "f(x, y)"},
    "across": {"from": "x from", "to": "x to"},
    "up": {"from": "y from", "to": "y to"},
}

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
        choose_noise(CONTROLS, setup)
        reset_button(CONTROLS)


def surface(setup: RaceSetup) -> None:
    """The controls of the landscape and the start."""
    landscape = setup.chosen_landscape
    CONTROLS.draw(
        "landscape",
        st.selectbox,
        "Landscape",
        [*LANDSCAPES, *FOUND],
        on_change=CONTROLS.update_from_widget,
        args=("landscape",),
        format_func=lambda name: FOUND.get(name, name),
        help="The function whose minimum is looked for; its value, the loss, is drawn as the height of a surface. "
        f"Of the last two, “{NAME}” is a function that you type, and “{PAINTED_NAME}” a picture.",
    )
    shape(setup)
    if setup.is_own:
        own_landscape(setup)
    if setup.is_painted:
        painted_landscape(setup)
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


def shape(setup: RaceSetup) -> None:
    """The knobs of the landscape; none where the link hides which one it is."""
    values = vars(setup.chosen_landscape.loss)
    CONTROLS.memory.labels.pop("shape", None)  # those of the landscape before
    for knob in () if setup.hides("landscape") else setup.chosen_landscape.knobs:
        widget, choices, look = knob_widget(knob, values[knob.name])
        CONTROLS.draw(
            "shape",
            widget,
            called(knob),
            *choices,
            part=knob.name,
            on_change=CONTROLS.update_from_widget,
            args=("shape", knob.name),
            help=knob.about,
            **look,
        )


def painted_landscape(setup: RaceSetup) -> None:
    """The upload of a picture, and under it why the last one could not be read, until another one is shown."""
    CONTROLS.memory.labels["painted"] = {"": "Picture"}
    CONTROLS.draw(
        "painted",
        st.file_uploader,
        "Picture (PNG)",
        key=CONTROLS.key("picture"),
        on_change=take_picture,
        type="png",
        max_upload_size=MAX_MEGABYTES,
        help=f"Dark becomes low, and light becomes high. At most {MAX_PIXELS} pixels wide and high; it is made smooth, "
        f"with {SIDE - 2} heights per side, and stretched into a square. The link of this page carries those heights.",
    )
    shown = CONTROLS.memory.scene, setup.painted
    problem, beside = st.session_state.get(CONTROLS.key("no-picture"), ("", shown))
    if problem and beside == shown:
        st.markdown(f":material/error: {plain(problem)} Until then the picture before stays.")


def take_picture() -> None:
    """Go on with the picture that was just uploaded, if it can be read, for ``on_change``."""
    given = st.session_state[CONTROLS.key("picture")]
    problem = ""
    if given is not None:
        try:
            CONTROLS.update(painted=read_picture(given.getvalue()))
        except PictureError as error:
            problem = str(error)
    shown = CONTROLS.memory.scene, CONTROLS.current_setup().painted
    st.session_state[CONTROLS.key("no-picture")] = problem, shown


def own_landscape(setup: RaceSetup) -> None:
    """The fields of the visitor's own landscape, and under them what is wrong with what was typed, if it is no such.

    The set-up has the last one that could be read; what cannot stays in its fields until another one is chosen.
    """
    kinds, memory = RaceSetup.settings(), CONTROLS.memory
    chosen = memory.scene, setup.own, setup.across, setup.up
    anew = st.session_state.get(CONTROLS.key("typed")) != chosen
    st.session_state[CONTROLS.key("typed")] = chosen
    for name, parts in OWN_FIELDS.items():
        memory.labels[name] = dict(parts)
        for part, value in kinds[name].to_widgets(getattr(setup, name)).items():
            if anew or CONTROLS.key(typed(name, part)) not in st.session_state:
                CONTROLS.set_derived(typed(name, part), value)
    own_field(
        "own",
        st.text_input,
        max_chars=200,
        placeholder=EXAMPLE_LANDSCAPE,
        help="As on paper or as in Python: x^2 + 3y^2, x y, sin(x) + cos(2y), sqrt(x), |x - y|, exp(-x^2), max(x, y).",
    )
    if problem := problem_of_own(held_own(setup)):
        st.markdown(f":material/error: {plain(problem)} Until then the picture shows what was typed before.")
    for name in ("across", "up"):
        if CONTROLS.shows(name):
            with st.container(horizontal=True, gap="small"):
                for part in OWN_FIELDS[name]:
                    own_field(name, st.number_input, -MAX_START, MAX_START, part=part, step=1.0, format="%g")


def own_field(name: str, widget: Callable[..., Any], *options: Any, part: str = "", **more: Any) -> None:
    """A widget of the visitor's own landscape: it holds what is typed, be it a landscape or not."""
    key = CONTROLS.key(typed(name, part))
    CONTROLS.draw(name, widget, OWN_FIELDS[name][part], *options, key=key, on_change=take_own, **more)


def typed(name: str, part: str) -> str:
    """What the key of such a widget ends with."""
    return "-".join(filter(None, ("typed", name, part)))


def take_own() -> None:
    """Go on with what was typed, if it is a landscape, for ``on_change``."""
    CONTROLS.drop_echoes()
    held = held_own(CONTROLS.current_setup())
    if not problem_of_own(held):
        CONTROLS.update(**held)


def held_own(setup: RaceSetup) -> dict[str, Any]:
    """What the fields of the visitor's own landscape hold, by setting; of one that is hidden, its setting."""
    kinds, held = RaceSetup.settings(), {}
    for name in OWN_FIELDS:
        last = kinds[name].to_widgets(getattr(setup, name))
        state = {part: st.session_state.get(CONTROLS.key(typed(name, part)), value) for part, value in last.items()}
        held[name] = kinds[name].from_widgets(state)
    return held


def problem_of_own(held: Mapping[str, Any]) -> str:
    """Why what was typed is no landscape, in a sentence or two; "" where it is one."""
    for name, letter in (("across", "x"), ("up", "y")):
        low, high = held[name]
        if high - low < MIN_SIDE:
            goes = with_minus(f"{letter} goes from {low:g} to {high:g}.")
            return f"{goes} Let the second number be larger than the first, by {MIN_SIDE:g} at least."
    try:
        parse_landscape(held["own"])
    except ExpressionError as error:
        return str(error)
    return ""


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
    curve_controls(CONTROLS, setup, "xy", why, over=not setup.hides_knobs)


def log_loss(setup: RaceSetup) -> bool:
    """Whether the curve's axis is logarithmic: a loss without a floor has none."""
    return setup.loss == "log" and not is_bottomless(setup)


def is_bottomless(setup: RaceSetup) -> bool:
    """Whether the loss is shown, and has no lowest value."""
    return setup.curve == LOSS and setup.chosen_landscape.floor is None
