"""The sidebar of a race: widgets for everything in a ``Setup``, kept in step with the page's address."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import streamlit as st

from engine import LANDSCAPES, OPTIMIZERS, Landscape, Optimizer
from engine.notebook import REPLAYS
from engine.optimizers import Knob
from ui.figures import box
from ui.palette import styles, swatch
from ui.presets import opening, presets
from ui.setup import (
    FARTHEST,
    LOSS_AXES,
    MOST_RACERS,
    MOST_STEPS,
    NO_REPLAY,
    REPLAY_GROUND,
    VIEWS,
    Setup,
    decode,
    encode,
    names,
)

KEY = "race"
OWN = "Your own"
MANTISSAS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
STEP_STOPS = (*range(1, 20), *range(20, 100, 5), *range(100, 500, 10), *range(500, MOST_STEPS + 1, 50))


@dataclass
class Slot:
    """One place of the line-up. Its knobs are widgets only while they are shown; in between it holds their values."""

    seed: Optimizer  # as it was filled: its values stay among the stops of the sliders
    racer: Optimizer  # as it is now


@dataclass
class Session:
    """What this visitor's page remembers between runs, beside the widgets themselves."""

    slots: dict[int, Slot] = field(default_factory=dict)
    filled: int = 0  # slot numbers are never used again, so no widget finds another's value
    setup: Setup | None = None  # as of the last run
    query: dict[str, list[str]] = field(default_factory=dict)  # as of the last run
    notes: list[str] = field(default_factory=list)


def session() -> Session:
    return st.session_state.setdefault(f"{KEY}-session", Session())


def key(*parts: object) -> str:
    return "-".join(map(str, (KEY, *parts)))


# ---- between the widgets, the session and the address


def fill(setup: Setup) -> None:
    """Set every widget to a set-up. Only before the widgets are drawn: at the start of a run, or in a callback."""
    state = st.session_state
    for name in ("landscape", "view", "steps", "loss", "replay"):
        state[key(name)] = getattr(setup, name)
    move_start(setup.start)
    session().slots = {}
    for racer in setup.racers:
        add(racer)


def add(racer: Optimizer) -> None:
    memory = session()
    memory.filled += 1
    memory.slots[memory.filled] = Slot(racer, racer)


def move_start(start: tuple[float, float]) -> None:
    st.session_state[key("x")], st.session_state[key("y")] = start


def read() -> Setup:
    """The set-up that the widgets show."""
    state = st.session_state
    for number, slot in session().slots.items():
        turned = {
            knob.name: state.get(key(number, knob.name), getattr(slot.racer, knob.name)) for knob in slot.racer.knobs()
        }
        slot.racer = type(slot.racer)(**turned)
    racers = tuple(slot.racer for slot in session().slots.values())
    return Setup(
        racers=racers,
        start=(state[key("x")], state[key("y")]),
        **{name: state[key(name)] for name in ("landscape", "view", "steps", "loss", "replay")},
    )


def arrive() -> None:
    """Fill the widgets where the visitor comes by a link, comes back to the page, or goes back in the history.

    A turned widget always wins over the address, which may still be on its way from the run before.
    """
    memory = session()
    query = {name: st.query_params.get_all(name) for name in st.query_params}
    if key("landscape") in st.session_state:
        if read() != memory.setup:
            memory.notes = []
            return
        if query == memory.query:
            return
    if query or memory.setup is None or key("landscape") in st.session_state:
        setup, memory.notes = decode(query, opening())
    else:
        setup = memory.setup
    fill(setup)
    memory.query = query


def leave(setup: Setup) -> None:
    """Bring the address up to date, and remember both for the next run."""
    memory = session()
    query = {name: st.query_params.get_all(name) for name in st.query_params}
    if decode(query, opening())[0] != setup:
        query = encode(setup)
        st.query_params.from_dict(query)
    memory.setup, memory.query = setup, query


# ---- callbacks


def take_preset() -> None:
    chosen = st.session_state[key("preset")]
    if chosen in presets():
        fill(presets()[chosen].setup)


def take_place() -> None:
    places = LANDSCAPES[st.session_state[key("landscape")]].places
    chosen = st.session_state[key("place")]
    if chosen in places:
        move_start(places[chosen])


def take_landscape() -> None:
    move_start(next(iter(LANDSCAPES[st.session_state[key("landscape")]].places.values())))
    st.session_state[key("replay")] = NO_REPLAY


def take_click() -> None:
    """A click on the map sets the start, rounded to what the map can resolve."""
    clicked = st.session_state[key("stage")].start
    if clicked is not None:
        move_start((round(float(clicked[0]), 2), round(float(clicked[1]), 2)))


def take_racer() -> None:
    chosen = st.session_state[key("add")]
    if chosen in OPTIMIZERS and len(session().slots) < MOST_RACERS:
        add(OPTIMIZERS[chosen]())
    st.session_state[key("add")] = None


def drop(slot: int) -> None:
    if len(session().slots) > 1:
        session().slots.pop(slot, None)


# ---- the widgets


def current() -> tuple[Setup, list[str]]:
    """The set-up that the controls show, and the notes on a link that could not be taken as it was.

    Known before the controls are drawn, so that a page can show the race first and is quicker under the finger.
    """
    arrive()
    setup = read()
    leave(setup)
    return setup, session().notes


def sidebar(setup: Setup, theme: str) -> None:
    """Draw the controls."""
    with st.sidebar:
        ready_made(setup)
        surface(setup)
        line_up(setup, theme)


def preset_of(setup: Setup) -> str:
    return next((name for name, preset in presets().items() if preset.setup == setup), OWN)


def ready_made(setup: Setup) -> None:
    st.session_state[key("preset")] = preset_of(setup)
    st.selectbox(
        "Preset",
        [*presets(), OWN] if preset_of(setup) == OWN else list(presets()),
        key=key("preset"),
        on_change=take_preset,
        help="A prepared race. Everything can be changed afterwards.",
    )


def surface(setup: Setup) -> None:
    landscape = setup.ground
    st.selectbox(
        "Landscape",
        list(LANDSCAPES),
        key=key("landscape"),
        on_change=take_landscape,
        help="The surface that is descended.",
    )
    st.segmented_control(
        "Domain",
        VIEWS,
        key=key("view"),
        required=True,
        format_func=lambda view: extent(landscape, view),
        width="stretch",
        help="How much of the surface is drawn. The race itself is the same.",
    )
    here = next((name for name, point in landscape.places.items() if point == setup.start), OWN)
    st.session_state[key("place")] = here
    st.selectbox(
        "Start",
        [*landscape.places, OWN] if here == OWN else list(landscape.places),
        key=key("place"),
        on_change=take_place,
        help="Where all racers set off. A click on the map moves it too.",
    )
    for column, name in zip(st.columns(2), "xy", strict=True):
        column.number_input(f"start {name}", -FARTHEST, FARTHEST, step=0.1, format="%.3f", key=key(name))
    st.select_slider(
        "Steps", sorted({*STEP_STOPS, setup.steps}), key=key("steps"), help="How many moves each racer makes."
    )
    st.selectbox(
        "Replay beside them",
        [NO_REPLAY, *REPLAYS],
        key=key("replay"),
        format_func=lambda name: "nothing" if name == NO_REPLAY else f"the notebook's {name} run",
        disabled=setup.landscape != REPLAY_GROUND,
        help=f"The notebook this playground grew from has two runs on {REPLAY_GROUND}, stepped in an order of its own.",
    )


def extent(landscape: Landscape, view: str) -> str:
    (low, high), (y_low, y_high) = box(landscape, view)
    text = f"{low:g} … {high:g}"
    return (text if (low, high) == (y_low, y_high) else f"x {text}").replace("-", "−")


def line_up(setup: Setup, theme: str) -> None:
    """One row per racer: its learning rate, and behind the button its other knobs."""
    st.subheader(f"Line-up ({len(setup.racers)})", anchor=False)
    alone = len(setup.racers) == 1
    looks = zip(session().slots.items(), names(setup.racers), styles(setup.racers), strict=True)
    for (number, slot), name, style in looks:
        first, *others = slot.racer.knobs()
        row, side = st.columns([7, 1], vertical_alignment="center", gap="small")
        with row:
            label = f"![]({swatch(style, theme)}) **{name}** · {first.words} ${first.symbol}$"
            turn(number, slot, first, label)
        # filled only once it is opened: a page with fewer parts is quicker under the finger
        more = side.popover(
            "",
            icon=":material/tune:",
            type="tertiary",
            help=f"More knobs of {name}",
            key=key(number, "more"),
            on_change="rerun",
        )
        if not more.open:
            continue
        with more:
            st.markdown(f"**{name}**")
            for knob in others:
                turn(number, slot, knob, f"{knob.words} ${knob.symbol}$")
            st.button(
                "Remove from the line-up",
                key=key(number, "drop"),
                on_click=drop,
                args=(number,),
                icon=":material/close:",
                disabled=alone,
                help="A race needs at least one racer." if alone else None,
            )
    full = len(setup.racers) >= MOST_RACERS
    st.selectbox(
        "Add a racer",
        list(OPTIMIZERS),
        index=None,
        key=key("add"),
        on_change=take_racer,
        placeholder=f"{MOST_RACERS} is the most" if full else "Choose an optimizer",
        disabled=full,
        help="The same optimizer may run more than once, with other knobs.",
    )
    st.button(
        "Reset to the first preset", on_click=fill, args=(opening(),), icon=":material/restart_alt:", width="stretch"
    )


def turn(number: int, slot: Slot, knob: Knob, label: str) -> None:
    """One knob as a widget: a switch, a slider through decades, or a plain slider."""
    place, about = key(number, knob.name), knob.about
    st.session_state.setdefault(place, getattr(slot.racer, knob.name))
    if knob.is_switch:
        st.toggle(label, key=place, help=about)
    elif knob.log:
        stops = sorted({*decades(knob), getattr(slot.seed, knob.name)})
        st.select_slider(label, stops, key=place, help=about, format_func=short)
    else:
        digits = 4 if 0.999 < knob.high < 1 else 3
        st.slider(label, knob.low, knob.high, step=10.0**-digits, format=f"%.{digits}f", key=place, help=about)


def decades(knob: Knob) -> Iterator[float]:
    """The stops of a logarithmic slider: a few to each decade."""
    exponent = round(math.log10(knob.low))
    while 10.0**exponent < knob.high * (1 - 1e-9):
        yield from (float(f"{m}e{exponent}") for m in MANTISSAS if float(f"{m}e{exponent}") <= knob.high)
        exponent += 1
    yield knob.high


def short(value: float) -> str:
    return f"{value:g}"


def loss_axis(setup: Setup) -> bool:
    """The choice of the loss axis. Returns whether it is logarithmic: it cannot be where the loss has no floor."""
    bottomless = setup.ground.floor is None
    st.segmented_control(
        "Loss axis",
        LOSS_AXES,
        key=key("loss"),
        required=True,
        disabled=bottomless,
        label_visibility="collapsed",
        format_func=lambda axis: f"{axis} loss",
        width="stretch",
        help="This loss has no lowest value to measure from." if bottomless else None,
    )
    return setup.loss == "log" and not bottomless
