"""Linear Fit on the page: the descent, the stage, the table, and why it goes where it goes."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from engine import OPTIMIZERS, Trace, analysis, batches, problems, race
from engine.analysis import Curvature, beside, forecast, gradients, measured_factors
from engine.descent import RECORDS
from engine.endings import Verdict, judge_all
from engine.notebook import FIRST_KEY
from engine.problems import Fit, mean_squared_error
from engine.race import Run
from ui.figures import LEAST, loss_axes, loss_range
from ui.frame import FORMULAS
from ui.linear_fit.controls import CONTROLS, MODEL_NAMES, Scale, from_notebook, take_click, uploaded
from ui.linear_fit.csv_data import MOST_ROWS
from ui.linear_fit.csv_text import CsvError
from ui.linear_fit.data import Points, bend_of, fit_of, points_of, told
from ui.linear_fit.figures import MOST_DRAWN, basin_figure, extent, points_figure, valley_figure
from ui.linear_fit.reading import show_reading
from ui.palette import styles
from ui.setups import CSV, FitSetup
from ui.stage import stage
from ui.tables import as_csv

TODAYS_THETA = 0.16394293308258057  # what JAX's generator of today gives for the notebook's key
TOO_FLAT_WORDS = "a hundred-thousandth"  # TOO_FLAT, for a reader


@dataclass(frozen=True, eq=False)
class Result:
    """A descent on the points, and what belongs to it."""

    points: Points
    fit: Fit
    minimum: np.ndarray  # (dim,)
    bend: Curvature
    run: Run
    slopes: np.ndarray  # (recorded, dim) the gradient on all points
    verdict: Verdict

    @property
    def steps(self) -> np.ndarray:
        """The iterations that are recorded until it ended; the last one may lie between two records."""
        steps = self.run.steps[: self.run.records]
        return steps if self.run.end is None else np.minimum(steps, self.run.end)

    @property
    def scale(self) -> Scale:
        return Scale(len(self.points.x), self.bend.limit, self.fit.scale())


def find_points(setup: FitSetup) -> Points | None:
    """The points to fit; None where the visitor's file is not there yet, or cannot be used: then the page says why."""
    try:
        points = points_of(setup, uploaded())
    except CsvError as error:
        st.error("This file cannot be fitted.", icon=":material/error:")
        st.code(str(error), language=None, wrap_lines=True)
        if (upload := uploaded()) is not None:
            show_reading(upload)
        return None
    if points is None and setup.data == CSV and (upload := uploaded()) is not None:
        show_reading(upload)
    elif points is None:
        st.info(
            "Upload a CSV file with two columns of numbers in the sidebar, under **CSV file**: one for x, and one for "
            f"what the line is to predict. It may have 2 MB and {MOST_ROWS:,} rows. With a link the file has to be "
            "uploaded again, since a link cannot carry it.",
            icon=":material/upload_file:",
        )
    return points


def run(setup: FitSetup, points: Points) -> Result:
    """Descend from the start of a set-up."""
    fit = fit_of(setup, points)
    trace = descend(setup, fit, setup.steps, setup.tolerance)
    descent = trace.run(0)
    # always as many, so that it is compiled once
    slopes = np.asarray(
        gradients(mean_squared_error, np.resize(descent.positions, (RECORDS + 1, len(setup.start))), fit.data)
    )
    [verdict] = judge_all({"SGD": trace}, (), [fit.level()], "iteration", reach=0)["SGD"]
    return Result(points, fit, fit.minimum(), bend_of(fit), descent, slopes[: len(descent.steps)], verdict)


def descend(setup: FitSetup, fit: Fit, steps: int, tolerance: float) -> Trace:
    sgd = OPTIMIZERS["SGD"](learning_rate=setup.rate)  # type: ignore[call-arg]
    size = setup.batch if 0 < setup.batch < len(fit.true) else None
    return race(
        mean_squared_error,
        {"SGD": sgd},
        [setup.start],
        steps,
        data=fit.data,
        batch_size=size,
        seeds=setup.deal,
        tolerance=tolerance,
    )["SGD"]


def in_batches(setup: FitSetup, result: Result) -> bool:
    return 0 < setup.batch < len(result.points.x)


# ---- words above the picture


def show_lesson(setup: FitSetup) -> None:
    words, formula = st.container(key=FORMULAS).columns(2, vertical_alignment="center")
    words.markdown(
        "The loss says how far the line is off, on average over all points. Gradient descent moves the line against "
        "the slope of that loss, again and again; the learning rate α says how far."
    )
    if setup.with_intercept:
        model, theta = (
            r"\hat y = \theta_0 + \theta_1 x",
            r"\theta_j \leftarrow \theta_j - \alpha \, \partial L / \partial \theta_j",
        )
    else:
        model, theta = r"\hat y = \theta x", r"\theta \leftarrow \theta - \alpha \frac{dL}{d\theta}"
    loss = r"L(\theta) = \frac{1}{n} \sum_{i=1}^n (y_i - \hat y_i)^2"
    formula.markdown(
        f"${{{model}}}$ &emsp; ${{{loss}}}$ &emsp; ${{{theta}}}$"
    )  # in braces: a line breaks between them only


def show_counts(setup: FitSetup, points: Points) -> None:
    """How many of the points there are, where that needs saying."""
    said = []
    if setup.data == CSV:
        rows = len(points.x) + points.dropped
        said.append(f"{len(points.x):,} of {rows:,} rows of the file are used.")
        if points.dropped:
            said.append(f"{points.dropped:,} left out.")
    if len(points.x) > MOST_DRAWN:
        said.append(f"A sample of {MOST_DRAWN:,} points is drawn; the fit uses all {len(points.x):,}.")
    if said:
        st.markdown(f":material/table_rows: {' '.join(said)}")
    if setup.data == CSV and (upload := uploaded()) is not None:
        show_reading(upload, points.why)


# ---- the stage


def thetas(setup: FitSetup) -> tuple[str, ...]:
    return ("θ₀", "θ₁") if setup.with_intercept else ("θ",)


def slope_names(setup: FitSetup) -> tuple[str, ...]:
    return ("gradient θ₀", "gradient θ₁") if setup.with_intercept else ("gradient",)


def show_stage(setup: FitSetup, result: Result, theme: str) -> None:
    log = setup.loss == "log"
    fit, end, steps = result.fit, result.run.records, result.steps  # the time line ends where the descent does
    path, losses, slopes = (part[:end] for part in (result.run.positions, result.run.losses, result.slopes))
    floor = float(fit.losses(result.minimum[None])[0])
    # in 64 bits: what is left above the minimum is less than the last digit of the loss itself
    least = LEAST * fit.scale()
    shown = np.maximum(fit.losses(path) - floor, least) if log else losses.astype(float)
    ranges = extent(fit, result.bend, path.astype(float))
    if setup.with_intercept:
        valley, highest = basin_figure(fit, ranges, theme)
        frame = (ranges[0], ranges[1])
    else:
        valley, spread = valley_figure(fit, ranges[0], theme)
        highest, frame = spread[1], (ranges[0], spread)
    low, high = loss_range([shown], (0.0, float(shown.max())) if log else (floor, highest), log, least)
    intercepts = path[:, 0] if setup.with_intercept else np.zeros(len(path))
    best = (float(result.minimum[0]) if setup.with_intercept else 0.0, float(result.minimum[-1]))
    values = {"intercept": intercepts, "slope": path[:, -1], "loss": losses, "shown": shown}
    values |= dict(zip(thetas(setup), path.T, strict=True))
    values["gradient"] = np.linalg.norm(slopes.astype(float), axis=1) if setup.with_intercept else slopes[:, 0]
    name = f"SGD, {setup.batch} points a step" if in_batches(setup, result) else "SGD"
    style = styles([OPTIMIZERS["SGD"]()])[0]
    track = stage.Track.of(name, style, result.run, result.verdict, values)
    stage.show(
        {"data": points_figure(result.points, best, theme).to_json(), "valley": valley.to_json()},
        [
            stage.View(
                name="data",
                caption="the points and the line; dotted: the best line",
                says=f"The points and the line {MODEL_NAMES[setup.model]}. {said_end(setup, result)}",
                line=("intercept", "slope"),
            ),
            stage.View(
                name="loss",
                caption="",
                says=f"The loss at every iteration, from {losses[0]:.4g} to {losses[-1]:.4g}.",
                path=("step", "shown"),
                figure=loss_axes(int(steps[-1]), low, high, log, theme, "iteration"),
                low=True,
            ),
            stage.View(
                name="valley",
                caption="click to move the start",
                says=f"The loss for every {' and '.join(thetas(setup))}, and the path down it.",
                path=thetas(setup) if setup.with_intercept else ("θ", "loss"),
                frame=frame,
                click="start",
                start=True,
            ),
        ],
        [track],
        steps,
        [
            *(stage.Number(theta, theta, 3) for theta in thetas(setup)),
            stage.Number("gradient", "|gradient|" if setup.with_intercept else "gradient", 3),
            stage.Number("loss", "loss", 3),
        ],
        theme=theme,
        key=CONTROLS.key("stage"),
        scene=CONTROLS.memory.scene,
        index=stage.Index("iteration"),
        on_start=take_click,
    )


def said_end(setup: FitSetup, result: Result) -> str:
    """How the descent ended, in a sentence or two."""
    verdict, losses = result.verdict, result.run.losses
    if result.run.stopped == 0:
        return "It cannot begin: the loss at the start is more than 32 bits can hold. Start closer to the minimum."
    if result.run.stopped is not None:
        return f"It {verdict.words}: its numbers grew without bound."
    if result.run.settled is not None:
        was = "was " if verdict.words.startswith("ended") else ""
        far = f" {said_distance(setup, result)}" if verdict.kind in ("far", "too small", "diverging") else ""
        return f"It {was}{verdict.words}.{far}"
    ran = f"It ran all {setup.steps:,} iterations" if setup.steps > 1 else "It ran one iteration"
    if verdict.kind == "converged":
        return f"{ran}, and has converged."
    # a few points at a time kick the loss up and down
    grew = losses[-1] > (100 if in_batches(setup, result) else 2) * losses[0]
    return f"{ran}, and its loss grew: it diverges." if grew else f"{ran}."


def said_distance(setup: FitSetup, result: Result) -> str:
    """Which parameter is furthest from its best value, and what helps."""
    end, best = result.run.positions[-1].astype(float), result.minimum
    features = result.fit.features.astype(float)
    usual = np.sqrt(result.fit.scale() / np.mean(features**2, axis=0))  # the size of a parameter that makes up y alone
    best = np.where(np.abs(best) > 1e-9 * usual, best, 0.0)
    worst = int(np.argmax(np.abs(end - best) / np.maximum(np.abs(best), 0.1 * usual)))
    words = f"{thetas(setup)[worst]} is {end[worst]:.3g}, and the least loss is at {beside(best[worst], end[worst])}."
    x = result.points.x
    if setup.with_intercept and abs(np.mean(x)) > np.std(x):
        words += " It helps to subtract the mean from x first."
    return words.replace("-", "−")


# ---- the table


def table(setup: FitSetup, result: Result) -> pd.DataFrame:
    """Every recorded iteration until the end: iteration, each θ, its gradient, the loss. Numbers as they were run."""
    end = result.run.records
    return pd.DataFrame(
        {
            "iteration": result.steps,
            **dict(zip(thetas(setup), result.run.positions[:end].T, strict=True)),
            **dict(zip(slope_names(setup), result.slopes[:end].T, strict=True)),
            "loss": result.run.losses[:end],
        }
    )


def show_table(setup: FitSetup, result: Result) -> None:
    rows = table(setup, result)
    st.markdown(f"**{said_end(setup, result)}**")
    notes = []
    if in_batches(setup, result):
        notes.append("The gradient and the loss are those on all points; a step follows the gradient of its batch.")
    if len(result.run.steps) > 1 and result.run.steps[1] > 1:
        notes.append(f"One iteration in {result.run.steps[1]} is recorded.")
    if from_notebook(setup):
        notes.append(
            f"The start is the notebook's: θ = {setup.theta:.8f}, which JAX drew from `PRNGKey({FIRST_KEY})` with its "
            f"generator of then; today's gives {TODAYS_THETA:.4f}."
        )
    if notes:
        st.markdown(" ".join(notes))
    number = st.column_config.NumberColumn
    config = {name: number(format=plain_or_power(rows[name])) for name in rows.columns[1:]}
    st.dataframe(
        rows.astype(dict.fromkeys(rows.columns[1:], float)),
        hide_index=True,
        height=min(38 + 35 * len(rows), 423),
        placeholder="–",
        column_config={"iteration": number(format="%d", width=80), **config},
    )
    st.download_button(
        "Table as CSV",
        partial(as_csv, rows),
        "linear-fit.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


def plain_or_power(values: pd.Series) -> str:
    """Three decimals, or powers of ten where those would not show the numbers."""
    largest = float(np.nanmax(np.abs(values.to_numpy(float)), initial=0.0))
    return "%.3f" if 0.1 <= largest < 1e9 or largest == 0 else "%.5e"


# ---- why


def show_why(setup: FitSetup, result: Result) -> None:
    """Curvature, limit, contraction predicted and measured, and the verdict."""
    bend, certain = result.bend, told(result.bend)
    steep = Curvature(bend.values[certain], bend.directions[certain])
    on_all = "On all points, " if in_batches(setup, result) else ""  # of a few at a time it promises nothing
    st.markdown(f"### {on_all}{said_forecast(setup, steep)}")
    st.markdown(
        f"The loss is a {'bowl' if setup.with_intercept else 'parabola'}: its slope grows evenly with the distance to "
        "the minimum. How fast is the curvature "
        "λ, from `jax.hessian`. So each step multiplies that distance by the same number, 1 − αλ. "
        "If it is below 0, the step oversteps; if it is beyond 1 in size, that is for α over 2/λ, the step ends "
        "further away than it began."
    )
    measured = measure(setup, result)
    factors = bend.factors(setup.rate)
    for i in reversed(range(len(bend.values))):
        if setup.with_intercept:
            x, y = bend.directions[i]
            st.markdown(
                f"**{'Steepest' if i else 'Flattest'} direction**, along (θ₀, θ₁) = ({x:.3f}, {y:.3f})".replace(
                    "-", "−"
                )
            )
        if certain[i]:
            show_numbers(float(bend.values[i]), float(factors[i]), float(measured[i]))
        else:
            st.markdown(
                f"The curvature is below {TOO_FLAT_WORDS} of the other, less than 32-bit numbers can tell: along here "
                "the descent hardly moves. It helps to subtract the mean from x first."
            )
    if in_batches(setup, result):
        steepest = float(result.fit.curvatures().max())
        st.markdown(
            "Prediction and measurement are for steps on all points. A step here sees "
            f"{setup.batch} of them and goes by their own curvature: that of one point alone reaches {steepest:.4g}, "
            f"which is a limit of {2 / steepest:.4g}."
        )


def said_forecast(setup: FitSetup, bend: Curvature) -> str:
    found = forecast(bend, setup.rate)
    hardly = " across the valley, and along it hardly moves"  # there is no telling that from standing still
    return f"α = {setup.rate:g} {found.words}{hardly if len(bend.values) < len(setup.start) else ''}."


def show_numbers(curvature: float, factor: float, measured: float) -> None:
    numbers = {
        "curvature λ": (f"{curvature:.4g}", "How fast the slope of the loss grows with the distance to the minimum."),
        "limit 2/λ": (f"{2 / curvature:.4g}", "The learning rate from which on the distance no longer shrinks."),
        "predicted |1 − αλ|": (f"{abs(factor):.3f}", "What a step should make of the distance to the minimum."),
        "measured ratio": (
            f"{abs(measured):.3f}" if np.isfinite(measured) else "–",
            "The size of one step over that of the step before, in the middle over the whole run. It needs two steps "
            "that are larger than rounding.",
        ),
    }
    with st.container(horizontal=True, gap="small"):
        for label, (value, about) in numbers.items():
            st.metric(label, value, help=about, border=True, width=186)


def measure(setup: FitSetup, result: Result) -> np.ndarray:
    """What one step on all points made of the one before, along each direction ``(dim,)``."""
    path = result.run.positions
    if setup.steps > RECORDS or in_batches(setup, result):
        # steps one after the other: a longer run is thinned
        path = descend(replace(setup, batch=0), result.fit, min(setup.steps, RECORDS), 0.0).positions[0]
    return measured_factors(path, result.bend.directions)


# ---- how it works


def show_how_it_works(setup: FitSetup) -> None:
    """The engine's own code."""
    cards = {
        "The loss and the line": ("engine/problems.py", (mean_squared_error, problems.line)),
        "The step": ("engine/optimizers.py", (OPTIMIZERS["SGD"],)),
        "The curvature and what it foretells": (
            "engine/analysis.py",
            (analysis.shape_of, analysis.curvature, analysis.Curvature, analysis.forecast, measured_factors),
        ),
        "The mini-batches": ("engine/batches.py", (batches.per_epoch, batches.shuffle, batches.dealt)),
    }
    for name, (file, parts) in cards.items():
        card = st.expander(name, key=CONTROLS.key("card", name), on_change="rerun")
        if card.open:
            with card:
                st.markdown(f"The code that runs, from `{file}`:")
                for part in parts:
                    st.code(inspect.getsource(part), language="python")
