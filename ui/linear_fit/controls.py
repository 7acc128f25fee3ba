"""The controls of Linear Fit: the points, the line, the descent; and the visitor's own file."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import streamlit as st

from engine.batches import batches_per_epoch
from engine.notebook import first_theta
from ui.admission import slot
from ui.ask.asking import show_switch
from ui.draw.field import field_switch
from ui.linear_fit.csv_data import MAX_ROWS
from ui.linear_fit.csv_text import CsvError
from ui.linear_fit.data import Upload, column_index, curvature_of, fit_of, points_of, read_upload
from ui.numbers import format_plain
from ui.setup.controls import Controls
from ui.setup.pages import CSV, FIT_DATA, MAX_STEPS, MAX_THETA, NOISY_LINE, FitSetup
from ui.setup.stops import stops, told_apart
from ui.setup.widgets import choose_batch, choose_preset, reset_button

STEPS = (*range(1, 20), *range(20, 100, 5), *range(100, 500, 20), *range(500, MAX_STEPS + 1, 100))
TOLERANCE_DECADES = range(-12, 0)  # of the data's scale
SHARES_NEAR_LIMIT = (0.9, 0.98, 1.02, 1.1)  # shares of the limit that have stops of their own
DEFAULT_SHARE = 1 / 3  # of the limit: converges, and does not jump across the minimum

DATA_NAMES = {"4x": "y = 4x", "4x³+3": "y = 4x³ + 3", NOISY_LINE: "a noisy line", CSV: "your own, from a CSV file"}
MODEL_NAMES = {"slope": "θx", "intercept": "θ₀ + θ₁x"}

CONTROLS = Controls[FitSetup]("Linear Fit", "fit")


@dataclass(frozen=True)
class Scale:
    """The range of the controls that suits the data.

    Without data there are controls too: a slider that is not drawn while a file is changed may come back with another
    value than the one that is used.
    """

    examples: int = MAX_ROWS
    limit: float | None = None  # of the learning rate: beyond it the descent diverges
    loss: float = 1e3  # the size that losses have


SCALE_WITHOUT_DATA = Scale()


def uploaded() -> Upload | None:
    """The visitor's file. It is kept apart from its widget, which Streamlit drops when another page is opened."""
    return st.session_state.get(CONTROLS.key("upload"))


@slot()
def store_upload() -> None:
    """Read the file that was just uploaded, or forget the one that was removed."""
    given = st.session_state[CONTROLS.key("file")]
    if given is None:
        st.session_state.pop(CONTROLS.key("upload"), None)
        return
    st.session_state[CONTROLS.key("upload")] = read_upload(given.getvalue())
    adapt_rate()


@slot()
def store_choice(name: str, content: bytes) -> None:
    """Read the file anew after a choice of how to read it. ``content`` is the file that the choice was drawn for.

    The browser may send a choice of the file before: it is ignored.
    """
    upload, chosen = uploaded(), CONTROLS.new_value(f"read-{name}")
    if upload is not None and chosen is not None and upload.content == content:
        choices = replace(upload.choices, **{name: chosen})
        st.session_state[CONTROLS.key("upload")] = read_upload(content, choices)
        adapt_rate()


def take_click() -> None:
    """Set the start to where the loss was clicked, rounded to what the figure can resolve."""
    clicked = st.session_state[CONTROLS.key("stage")].start
    if clicked is None:
        return
    across, up = (float(f"{float(c):.4g}") for c in clicked)
    if CONTROLS.current_setup().with_intercept:
        CONTROLS.update(theta0=clip_theta(across), theta=clip_theta(up))
    else:
        CONTROLS.update(theta=clip_theta(across))


def clip_theta(theta: float) -> float:
    """The nearest parameter that can be set."""
    return min(max(theta, -MAX_THETA), MAX_THETA)


@slot()
def adapt_rate() -> None:
    """After a change of the data or the model, set a learning rate of their scale, unless the present one is."""
    setup = CONTROLS.current_setup()
    try:
        points = points_of(setup, uploaded())
    except CsvError:
        return
    if points is None:
        return
    limit = curvature_of(fit_of(setup, points)).limit
    if not 1e-3 * limit < setup.rate < 2 * limit:
        CONTROLS.update(rate=min(stops(1e-3 * limit, limit), key=lambda stop: abs(stop - DEFAULT_SHARE * limit)))


# ---- the sidebar


def sidebar(setup: FitSetup, scale: Scale = SCALE_WITHOUT_DATA, *, foretell: bool = True, blind: bool = False) -> None:
    """Draw all controls. ``foretell``: which share of its limit the rate is; ``blind``: not where the points lie."""
    with st.sidebar:
        choose_preset(CONTROLS, setup)
        show_switch(CONTROLS, setup)
        choose_data(setup, blind)
        choose_model(setup)
        choose_learning_rate(setup, scale.limit, foretell)
        choose_descent(setup, scale)
        choose_batches(setup, scale)
        if setup.with_intercept:
            field_switch(CONTROLS)
        reset_button(CONTROLS)
    CONTROLS.hold_undrawn(setup)


def choose_data(setup: FitSetup, blind: bool) -> None:
    """Draw the choice of the data, and the controls that these data have."""
    CONTROLS.draw(
        "data",
        st.selectbox,
        "Data",
        FIT_DATA,
        format_func=DATA_NAMES.__getitem__,
        on_change=adapt_rate,
        help="The points that the line is fitted to. The two formulas are the notebook's, at x = 0, 0.1, … 9.9.",
    )
    if setup.data == NOISY_LINE and not blind:
        choose_noisy_line()
    elif setup.data == CSV:
        choose_file(setup)


def choose_noisy_line() -> None:
    """Draw the controls of the noisy line: slope, intercept, noise and seed."""
    about = {"slope": "Of the line that the points lie around.", "intercept": "The height of that line at x = 0."}
    for place, name in CONTROLS.columns([*about]):
        CONTROLS.draw(name, place.number_input, f"true {name}", -100.0, 100.0, step=0.5, format="%g", help=about[name])
    CONTROLS.draw(
        "noise",
        st.slider,
        "Noise σ",
        0.0,
        50.0,
        step=0.5,
        help="The standard deviation of the random number that is added to each y.",
    )
    CONTROLS.draw(
        "seed",
        st.number_input,
        "Seed of the points",
        0,
        9999,
        step=1,
        help="Draws the points and their noise. The same seed draws the same.",
    )


def choose_file(setup: FitSetup) -> None:
    """Draw the upload of a CSV file, and the choice of its columns."""
    st.file_uploader(
        "CSV file",
        type=["csv", "tsv", "txt"],
        key=CONTROLS.key("file"),
        on_change=store_upload,
        max_upload_size=2,
        help=f"A table with two columns of numbers: 2 MB and {MAX_ROWS:,} rows at most. It stays with this visit and "
        "is not part of the page's link: whoever opens the link has to upload the file too.",
    )
    upload = uploaded()
    if upload is None or upload.table is None:
        return
    names = upload.table.names
    for place, (axis, what) in enumerate(
        {"x": "The input: the position along the horizontal axis.", "y": "The value that the line predicts."}.items()
    ):
        if not CONTROLS.shows(axis):
            continue
        CONTROLS.widget_key(axis)
        CONTROLS.set_derived(axis, column_index(getattr(setup, axis), names, place) + 1)
        CONTROLS.draw(
            axis,
            st.selectbox,
            f"{axis} column",
            range(1, len(names) + 1),
            format_func=lambda i: names[i - 1],
            on_change=adapt_rate,
            help=what,
        )


def choose_model(setup: FitSetup) -> None:
    """Draw the choice of the model: with an intercept or without."""
    CONTROLS.draw(
        "model",
        st.segmented_control,
        "Model",
        list(MODEL_NAMES),
        required=True,
        format_func=MODEL_NAMES.__getitem__,
        on_change=adapt_rate,
        width="stretch",
        help="A line through 0, with its slope θ as the only parameter; or one with an intercept θ₀ as well.",
    )


def choose_learning_rate(setup: FitSetup, limit: float | None, foretell: bool) -> None:
    """Draw the slider of the learning rate, and which share of the limit it is."""
    CONTROLS.draw(
        "rate",
        st.select_slider,
        "Learning rate α",
        rates(limit or 1.0, setup.rate),
        format_func=format_plain,
        help="A step is α times the gradient. Above the limit the descent diverges. The slider is logarithmic.",
    )
    if limit is None or not foretell or not CONTROLS.shows("rate"):
        return
    share = setup.rate / limit
    st.markdown(
        f":small[limit **{limit:.4g}**: α is **{share:.3g}** times the limit{', too large' if share > 1 else ''}]"
    )


def rates(limit: float, chosen: float) -> list[float]:
    """The stops of the learning rate: from three decades below the limit to three times it, with some close to it."""
    near = (float(f"{share * limit:.3g}") for share in SHARES_NEAR_LIMIT)
    return stops(10.0 ** math.floor(math.log10(limit) - 3), float(f"{3 * limit:.1g}"), *near, chosen)


def tolerances(scale: float, chosen: float) -> list[float]:
    """The stops of the tolerance: 0, and powers of ten below the size of the losses."""
    size = math.floor(math.log10(scale))
    return told_apart([0.0, *(float(f"1e{size + k}") for k in TOLERANCE_DECADES), chosen])


def choose_descent(setup: FitSetup, scale: Scale) -> None:
    """Draw the controls of the descent: its iterations, tolerance and start."""
    CONTROLS.draw(
        "steps",
        st.select_slider,
        "Iterations",
        sorted({*STEPS, setup.steps}),
        help="How many steps are made, at most.",
    )
    CONTROLS.draw(
        "tolerance",
        st.select_slider,
        "Stop when the loss changes by less than",
        tolerances(scale.loss, setup.tolerance),
        format_func=lambda tolerance: format_plain(tolerance) if tolerance else "0 (never stop early)",
        help="The tolerance: the descent ends once an iteration changes the loss by less than this. With mini-batches, "
        "an epoch has to: so many iterations that each point is used once. 0 runs all iterations.",
    )
    names = {"theta0": "start θ₀", "theta": "start θ₁"} if setup.with_intercept else {"theta": "start θ"}
    for place, name in CONTROLS.columns([*names]):
        CONTROLS.draw(
            name,
            place.number_input,
            names[name],
            -MAX_THETA,
            MAX_THETA,
            step=1.0,
            format="%.8g",
            help="The value at the start. A click on the plot of the loss sets it too.",
        )


def choose_batches(setup: FitSetup, scale: Scale) -> None:
    """Draw the controls of the mini-batches: their size, and their seed where there is more than one."""
    choose_batch(CONTROLS, setup.batch, scale.examples, "Points per step")
    if 0 < setup.batch < scale.examples:
        CONTROLS.draw(
            "deal",
            st.number_input,
            "Seed of the batches",
            0,
            9999,
            step=1,
            help=f"Shuffles the points, once for every {batches_per_epoch(scale.examples, setup.batch)} steps.",
        )


def starts_like_notebook(setup: FitSetup) -> bool:
    """Whether the descent starts where the notebook's first run did."""
    return setup.start == (first_theta(),)
