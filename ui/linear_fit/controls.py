"""The controls of Linear Fit: the points, the line, the descent; and the visitor's own file."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import streamlit as st

from engine.batches import batches_per_epoch
from engine.notebook import first_theta
from ui.linear_fit.csv_data import MOST_ROWS
from ui.linear_fit.csv_text import CsvError
from ui.linear_fit.data import Upload, bend_of, column, fit_of, points_of, taken
from ui.setup.controls import Controls
from ui.setup.pages import CSV, FARTHEST_THETA, FIT_DATA, MOST_STEPS, NOISY_LINE, FitSetup
from ui.setup.stops import short, stops

STEPS = (*range(1, 20), *range(20, 100, 5), *range(100, 500, 20), *range(500, MOST_STEPS + 1, 100))
TOLERANCE_DECADES = range(-12, 0)  # of the data's scale
NEAR_LIMIT = (0.9, 0.98, 1.02, 1.1)  # shares of the limit that have stops of their own
USUAL_SHARE = 1 / 3  # of the limit: arrives, and does not overstep

DATA_NAMES = {"4x": "y = 4x", "4x³+3": "y = 4x³ + 3", NOISY_LINE: "a noisy line", CSV: "your own, from a CSV file"}
MODEL_NAMES = {"slope": "θx", "intercept": "θ₀ + θ₁x"}

CONTROLS = Controls("Linear Fit", "fit", FitSetup)


@dataclass(frozen=True)
class Scale:
    """What the data of the moment say about the controls.

    Without data the controls are there all the same: a slider that leaves the page while a file is changed may come
    back showing another value than the one that is used.
    """

    examples: int = MOST_ROWS
    limit: float | None = None  # of the learning rate
    loss: float = 1e3  # the size of losses


NO_DATA = Scale()


def uploaded() -> Upload | None:
    """The visitor's file. It stays while another page is looked at, though its widget does not."""
    return st.session_state.get(CONTROLS.key("upload"))


def take_file() -> None:
    given = st.session_state[CONTROLS.key("file")]
    if given is None:
        st.session_state.pop(CONTROLS.key("upload"), None)
        return
    st.session_state[CONTROLS.key("upload")] = taken(given.getvalue())
    suit_rate()


def take_choice(name: str, content: bytes) -> None:
    """Read the file again, as the visitor says; not where the browser sends what it showed of the file before."""
    upload, chosen = uploaded(), CONTROLS.chosen(f"read-{name}")
    if upload is not None and chosen is not None and upload.content == content:
        st.session_state[CONTROLS.key("upload")] = taken(upload.content, replace(upload.choices, **{name: chosen}))
        suit_rate()


def take_click() -> None:
    """A click on the loss moves the start, rounded to what the figure can resolve."""
    clicked = st.session_state[CONTROLS.key("stage")].start
    if clicked is None:
        return
    across, up = (float(f"{float(c):.4g}") for c in clicked)
    if CONTROLS.read().with_intercept:
        CONTROLS.take(theta0=within(across), theta=within(up))
    else:
        CONTROLS.take(theta=within(across))


def within(theta: float) -> float:
    return min(max(theta, -FARTHEST_THETA), FARTHEST_THETA)


def suit_rate() -> None:
    """For other data or another model: a learning rate of their scale, unless the one that is set does."""
    setup = CONTROLS.read()
    try:
        points = points_of(setup, uploaded())
    except CsvError:
        return
    if points is None:
        return
    limit = bend_of(fit_of(setup, points)).limit
    if not 1e-3 * limit < setup.rate < 2 * limit:
        CONTROLS.take(rate=min(stops(1e-3 * limit, limit), key=lambda stop: abs(stop - USUAL_SHARE * limit)))


# ---- the sidebar


def sidebar(setup: FitSetup, scale: Scale = NO_DATA) -> None:
    """Draw the controls."""
    with st.sidebar:
        CONTROLS.choose_preset(setup)
        data(setup)
        model(setup)
        learning_rate(setup, scale.limit)
        descent(setup, scale)
        batches(setup, scale)
        CONTROLS.reset()
    CONTROLS.keep(setup)


def data(setup: FitSetup) -> None:
    st.selectbox(
        "Data",
        FIT_DATA,
        key=CONTROLS.at("data"),
        format_func=DATA_NAMES.__getitem__,
        on_change=suit_rate,
        help="The points that the line is fitted to. The two formulas are the notebook's, at x = 0, 0.1, … 9.9.",
    )
    if setup.data == NOISY_LINE:
        noisy_line()
    elif setup.data == CSV:
        file(setup)


def noisy_line() -> None:
    left, right = st.columns(2)
    for place, name, about in (
        (left, "slope", "Of the line that the points lie around."),
        (right, "intercept", "The height of that line at x = 0."),
    ):
        place.number_input(f"true {name}", -100.0, 100.0, step=0.5, format="%g", key=CONTROLS.at(name), help=about)
    st.slider(
        "Noise σ",
        0.0,
        50.0,
        step=0.5,
        key=CONTROLS.at("noise"),
        help="How far the points lie off the line: the standard deviation of what is added to each.",
    )
    st.number_input(
        "Seed of the points",
        0,
        9999,
        step=1,
        key=CONTROLS.at("seed"),
        help="Draws the points and their noise. The same seed draws the same.",
    )


def file(setup: FitSetup) -> None:
    st.file_uploader(
        "CSV file",
        type=["csv", "tsv", "txt"],
        key=CONTROLS.key("file"),
        on_change=take_file,
        max_upload_size=2,
        help=f"A table with two columns of numbers: 2 MB and {MOST_ROWS:,} rows at most. It stays with this visit and "
        "is not part of the page's link: whoever opens the link has to upload the file too.",
    )
    upload = uploaded()
    if upload is None or upload.table is None:
        return
    names = upload.table.names
    for place, (axis, what) in enumerate({"x": "What the line runs along.", "y": "What it is to predict."}.items()):
        key = CONTROLS.at(axis)
        CONTROLS.show_choice(axis, column(getattr(setup, axis), names, place) + 1)
        st.selectbox(
            f"{axis} column",
            range(1, len(names) + 1),
            key=key,
            format_func=lambda i: names[i - 1],
            on_change=suit_rate,
            help=what,
        )


def model(setup: FitSetup) -> None:
    st.segmented_control(
        "Model",
        list(MODEL_NAMES),
        key=CONTROLS.at("model"),
        required=True,
        format_func=MODEL_NAMES.__getitem__,
        on_change=suit_rate,
        width="stretch",
        help="A line through 0, with its slope θ as the only parameter; or one with an intercept θ₀ as well.",
    )


def learning_rate(setup: FitSetup, limit: float | None) -> None:
    st.select_slider(
        "Learning rate α",
        rates(limit or 1.0, setup.rate),
        key=CONTROLS.at("rate"),
        format_func=short,
        help="How far a step goes: α times the gradient. The slider is logarithmic and reaches over the limit.",
    )
    if limit is None:
        return
    share = setup.rate / limit
    st.markdown(f":small[limit **{limit:.4g}**: this is **{share:.3g}** of it{', too far' if share > 1 else ''}]")


def rates(limit: float, chosen: float) -> list[float]:
    """The stops of the slider: three decades and more below the limit, a few close to it, and some way over it."""
    near = (float(f"{share * limit:.3g}") for share in NEAR_LIMIT)
    return stops(10.0 ** math.floor(math.log10(limit) - 3), float(f"{3 * limit:.1g}"), *near, chosen)


def tolerances(scale: float, chosen: float) -> list[float]:
    """The stops of the tolerance: 0, and decades below the size of the losses."""
    size = math.floor(math.log10(scale))
    return sorted({0.0, *(float(f"1e{size + k}") for k in TOLERANCE_DECADES), chosen})


def descent(setup: FitSetup, scale: Scale) -> None:
    st.select_slider(
        "Iterations",
        sorted({*STEPS, setup.steps}),
        key=CONTROLS.at("steps"),
        help="How many steps are made, at most.",
    )
    st.select_slider(
        "Stop when the loss changes by less than",
        tolerances(scale.loss, setup.tolerance),
        key=CONTROLS.at("tolerance"),
        format_func=lambda tolerance: short(tolerance) if tolerance else "0 (run on)",
        help="The tolerance: it ends once the loss on all points has changed by less than this in an iteration or, "
        "with a few points per step, while each point was seen once. 0 lets it run to the end.",
    )
    names = {"theta0": "start θ₀", "theta": "start θ₁"} if setup.with_intercept else {"theta": "start θ"}
    for place, (name, label) in zip(st.columns(len(names)), names.items(), strict=True):
        place.number_input(
            label,
            -FARTHEST_THETA,
            FARTHEST_THETA,
            step=1.0,
            format="%.8g",
            key=CONTROLS.at(name),
            help="Where it sets off. A click on the loss moves it too.",
        )


def batches(setup: FitSetup, scale: Scale) -> None:
    CONTROLS.batch(setup.batch, scale.examples, "Points per step")
    if 0 < setup.batch < scale.examples:
        st.number_input(
            "Seed of the batches",
            0,
            9999,
            step=1,
            key=CONTROLS.at("deal"),
            help=f"Shuffles the points, once for every {batches_per_epoch(scale.examples, setup.batch)} steps.",
        )


def from_notebook(setup: FitSetup) -> bool:
    """Whether the descent sets off where the notebook's did."""
    return setup.start == (first_theta(),)
