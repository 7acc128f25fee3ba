"""2D Regression on the page: the race on the examples, the stage, and what is shown below it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pandas as pd
import streamlit as st

from engine import OPTIMIZERS, Trace, batches, problems, race
from engine.analysis import Curvature, curvature, gradients, measured_factors
from engine.batches import batch
from engine.descent import RECORDS
from engine.endings import Verdict, judge_all
from engine.problems import Fit, bowl_points, bowls, mean_squared_error
from ui.figures import LEAST, LIFT, loss_axes, loss_range
from ui.frame import FORMULAS
from ui.palette import Style, styles
from ui.regression.controls import CONTROLS, choose_moment, choose_racer
from ui.regression.figures import (
    THETA1,
    THETA2,
    bands_figure,
    batch_data_figure,
    batch_map_figure,
    curvature_figure,
    fit_of,
    grounds,
    losses_on_map,
    net,
)
from ui.results import download, said_ends, show_leaderboard
from ui.setups import RegressionSetup, names
from ui.stage import stage
from ui.tables import paths
from ui.turns import out_of_turn

SEEDS = 100
MOST_LOOKS = 100_000_000  # at examples, by all seeds and racers together: a few seconds
USUAL_RATE = 1e-4  # the notebook's, where the line-up has no SGD to ask
THETAS = ("θ₁", "θ₂")


@dataclass(frozen=True)
class Result:
    """A race on the examples, and what belongs to it."""

    fit: Fit
    minimum: tuple[float, float]  # the parameters with the least loss on these examples
    floor: float  # the loss there
    traces: Mapping[str, Trace]
    verdicts: Mapping[str, Sequence[Verdict]]
    looks: Mapping[str, Style]


def run(setup: RegressionSetup) -> Result:
    """Race the line-up on the examples."""
    fit = fit_of(setup.examples, setup.noise, setup.seed)
    minimum = float(fit.minimum()[0]), float(fit.minimum()[1])
    racers = dict(zip(names(setup.racers), setup.racers, strict=True))

    def as_far_as(steps: int) -> Mapping[str, Trace]:
        return race(
            mean_squared_error,
            racers,
            [setup.start],
            steps,
            data=fit.data,
            minima=[minimum],
            batch_size=setup.batch_size,
            seeds=setup.seed,
            tolerance=setup.tolerance,
        )

    traces = as_far_as(setup.steps)
    # all have ended before, and so does the time line; what a step makes of a memory is seen with the next one only
    runs = [trace.run(0) for trace in traces.values()]
    ends = [run.end + (run.stopped is not None) for run in runs if run.end is not None]
    if len(ends) == len(runs) and 0 < max(ends) < setup.steps:
        traces = as_far_as(max(ends))
    looks = dict(zip(racers, styles(setup.racers), strict=True))
    found = judge_all(traces, [minimum], [fit.level()] * len(traces), "iteration")
    return Result(fit, minimum, float(fit.losses(np.array([minimum]))[0]), traces, found, looks)


def show_lesson() -> None:
    words, formula = st.container(key=FORMULAS).columns(2, vertical_alignment="center")
    words.markdown(
        "The examples come from $f(x, y) = 3x^2 + 9y^2$, with as much noise as you choose. An optimizer that knows the "
        "examples alone looks for 3 and 9: it follows the slope of the mean squared error, over all of them or over a "
        "few at a time."
    )
    formula.markdown(
        r"${\hat f(x, y) = \theta_1 x^2 + \theta_2 y^2}$ &emsp; "
        r"${L(\theta) = \frac{1}{n} \sum_{i=1}^n \left(f_i - \hat f(x_i, y_i)\right)^2}$"
    )  # in braces: a line breaks between them only


def show_stage(setup: RegressionSetup, result: Result, theme: str) -> None:
    log = setup.loss == "log"
    steps = next(iter(result.traces.values())).steps
    floor = np.float32(result.floor) if log else np.float32(0)
    shown = {name: trace.losses[0] - floor for name, trace in result.traces.items()}
    least = LEAST * result.fit.scale()
    if log:  # a logarithmic axis has no place for 0: who is there stays at its lower edge
        shown = {name: np.maximum(losses, least) for name, losses in shown.items()}
    on_map = losses_on_map(result.fit)
    # on a logarithmic axis there is room for one that flies off, too
    highest = float(on_map.max() - floor) * (1e4 if log else 1)
    low, high = loss_range(list(shown.values()), (float(on_map.min() - floor), highest), log, least)
    tracks = [
        stage.Track.of(
            name,
            result.looks[name],
            trace.run(0),
            result.verdicts[name][0],
            {
                "theta1": trace.positions[0, :, 0],
                "theta2": trace.positions[0, :, 1],
                "loss": trace.losses[0],
                "shown": shown[name],
            },
        )
        for name, trace in result.traces.items()
    ]
    runners = ", ".join(result.traces)
    side, bases = net()
    stage.show(
        grounds(setup.examples, setup.noise, setup.seed, theme),
        [
            stage.View(
                name="bowl",
                caption="the examples, and each prediction as a net",
                says=f"The true surface with its examples, and the surface that each racer predicts: {runners}.",
                sheet=stage.Sheet(("theta1", "theta2"), side, side, bases),
                lift=LIFT,
            ),
            stage.View(
                name="map",
                caption="click to move the start",
                says=f"The loss over both parameters, as a map with iso-lines, and the paths of {runners}.",
                path=("theta1", "theta2"),
                frame=((THETA1.low, THETA1.high), (THETA2.low, THETA2.high)),
                click="start",
                start=True,
            ),
            stage.View(
                name="loss",
                caption="",
                says=f"The loss at every iteration. At the end: {said_ends(result.traces)}.",
                path=("step", "shown"),
                figure=loss_axes(int(steps[-1]), low, high, log, theme, "iteration"),
                low=True,
            ),
        ],
        tracks,
        steps,
        [stage.Number("theta1", "θ₁", 4), stage.Number("theta2", "θ₂", 4), stage.Number("loss", "loss", 3)],
        theme=theme,
        key=CONTROLS.key("stage"),
        scene=CONTROLS.memory.scene,
        index=stage.Index("iteration"),
        on_start=CONTROLS.take_start,
    )


# ---- below the picture


def show_part(setup: RegressionSetup, result: Result, theme: str) -> None:
    """The part that the visitor chose to see below the picture."""
    if setup.below == "ends":
        show_leaderboard(result.traces, result.verdicts, [result.minimum], result.looks, theme)
        download(result.traces, THETAS)
    elif setup.below == "iterations":
        show_iterations(result)
    elif setup.below == "batch":
        show_batch(setup, result, theme)
    elif setup.below == "curvature":
        show_curvature(setup, result, theme)
    else:
        show_seeds(setup, theme)


def show_iterations(result: Result) -> None:
    table = paths(result.traces, THETAS).rename(columns={"step": "iteration"})
    number = st.column_config.NumberColumn
    places = {**dict.fromkeys(THETAS, number(format="%.4f")), "loss": number(format="%.6g")}
    st.dataframe(table, hide_index=True, height=360, column_config=places)
    download(result.traces, THETAS)


def show_batch(setup: RegressionSetup, result: Result, theme: str) -> None:
    """One step taken apart: the examples it looks at, and the way down that they see."""
    choose, whose = st.columns([3, 1])
    with whose:
        name = choose_racer(list(result.traces))
    descent = result.traces[name].run(0)
    last = descent.steps[-1] if descent.end is None else descent.end
    moments = [int(step) for step in descent.steps if step < last]
    with choose:
        moment = choose_moment(moments or [0])
    at = descent.positions[int(np.searchsorted(descent.steps, moment))]
    size = setup.batch_size or setup.examples
    chosen = batch(setup.seed, moment, setup.examples, size)
    some = result.fit.some(chosen)
    slopes = tuple(np.asarray(gradients(mean_squared_error, at[None], fit.data))[0] for fit in (result.fit, some))
    st.markdown(said_batch(setup, moment, slopes))
    color = result.looks[name].color(theme)
    data, ways = st.columns(2)
    with data:
        st.markdown(f"**The batch in the data.** {len(chosen)} of {setup.examples} examples, seen from above.")
        points = bowl_points(setup.examples, setup.noise, setup.seed)
        still(batch_data_figure(*points, chosen, color, theme), "data")
    with ways:
        st.markdown("**Two losses.** Shaded: all examples. Dotted: the batch alone. Arrows: the way down.")
        still(batch_map_figure(result.fit, some, at, slopes, color, theme), "ways")


def still(figure: object, name: str) -> None:
    st.plotly_chart(
        figure,
        height=420,
        theme=None,
        key=CONTROLS.key(name),
        config={"displayModeBar": False, "scrollZoom": False},
    )


def said_batch(setup: RegressionSetup, moment: int, slopes: tuple[np.ndarray, ...]) -> str:
    """How far the batch's way down is from that of all examples, in words."""
    if setup.batch_size is None:
        return (
            "Each step looks at all examples, so both losses are one. Turn *Examples per step* down to see them part."
        )
    full, own = slopes
    sizes = float(np.hypot(*full)), float(np.hypot(*own))
    if min(sizes) == 0 or not np.isfinite(sizes).all():
        return f"Iteration {moment}: here one of the two losses is level, so there is no way down to compare."
    angle = np.degrees(np.arccos(np.clip(full @ own / (sizes[0] * sizes[1]), -1, 1)))
    return (
        f"Iteration {moment}: the batch's slope is **{sizes[1] / sizes[0]:.2f} times** as steep as that of all "
        f"examples and points **{angle:.0f}°** away from it. Such differences are why the path wanders."
    )


def plain_rates(setup: RegressionSetup) -> list[float]:
    """The learning rates of plain SGD in the line-up; the notebook's where there is none."""
    plain = [r.learning_rate for r in setup.racers if r.name == "SGD" and not r.weight_decay]  # type: ignore[attr-defined]
    return list(dict.fromkeys(plain)) or [USUAL_RATE]


def show_curvature(setup: RegressionSetup, result: Result, theme: str) -> None:
    bend = curvature(mean_squared_error, np.array(result.minimum), result.fit.data)
    rates = plain_rates(setup)
    (a, b), (_, d) = bend.directions.T @ np.diag(bend.values) @ bend.directions
    words, picture = st.columns([1.15, 1])
    with words:
        st.markdown(
            "The loss on these examples is a bowl itself. Its **Hessian**, from `jax.hessian`, says how much it bends:"
        )
        st.latex(
            rf"H = \begin{{pmatrix}} {a:,.0f} & {b:,.0f} \\ {b:,.0f} & {d:,.0f} \end{{pmatrix}}".replace(",", r"{,}")
        )
        st.markdown(
            f"It bends by **λ = {bend.values[1]:,.0f}** along {said_way(bend.directions[1])} and by "
            f"**{bend.values[0]:,.0f}** along {said_way(bend.directions[0])}. A step of plain gradient descent "
            f"multiplies the distance to the minimum by 1 − αλ along each. From **2/λ = {bend.limit:.3g}** on, "
            "the steepest direction no longer shrinks: it grows. (The more examples, the nearer H comes to "
            "4,000 on the diagonal and 2,222 beside it: λ = 6,222 along (1, 1), 1,778 along (1, −1), 2/λ = 0.00032.)"
        )
        table = pd.concat([contraction(setup, result, bend, rate) for rate in rates])
        number = st.column_config.NumberColumn
        st.dataframe(
            table,
            hide_index=True,
            height="content",
            placeholder="–",
            column_config={
                "learning rate": number(format="%g"),
                "curvature λ": number(format="%.0f"),
                "predicted": number("1 − αλ", format="%.4f", help="What a step should make of the distance."),
                "measured": number(format="%.4f", help="What the steps of a real run with all examples made of it."),
            },
        )
        st.markdown(said_kick(result, rates[0]))
    with picture:
        still(curvature_figure(result.fit, bend, theme), "curvature")


def said_way(direction: np.ndarray) -> str:
    return f"({direction[0]:.2f}, {direction[1]:.2f})".replace("-", "−")


def contraction(setup: RegressionSetup, result: Result, bend: Curvature, rate: float) -> pd.DataFrame:
    """What a step makes of the distance to the minimum along each direction: as foretold, and in a real run."""
    plain = {"SGD": OPTIMIZERS["SGD"](learning_rate=rate)}  # type: ignore[call-arg]
    path = race(mean_squared_error, plain, [setup.start], min(setup.steps, RECORDS), data=result.fit.data)["SGD"].run(0)
    measured = measured_factors(path.positions[: path.stopped], bend.directions)
    return pd.DataFrame(
        {
            "learning rate": rate,
            "direction": [said_way(direction) for direction in bend.directions],
            "curvature λ": bend.values,
            "predicted": bend.factors(rate),
            "measured": pd.array(measured, "Float64"),
        }
    )


def said_kick(result: Result, rate: float) -> str:
    """Why one example at a time can kick where all of them together do not."""
    steepest = float(result.fit.curvatures().max())
    ending = (
        f"at {rate:g} a step on it alone overshoots: it lands {rate * steepest - 1:.1f} times as far on the other side."
        if rate * steepest > 2
        else f"at {rate:g} even a step on it alone stays below that."
    )
    return (
        "All examples together are an average. One alone can bend far more: of these, the one furthest out reaches "
        f"**λ = {steepest:,.0f}** (a corner, x = y = 10, has 40,000). Its own limit is {2 / steepest:.6f}: {ending}"
    )


def seed_steps(setup: RegressionSetup) -> int:
    """How many iterations are run from all the seeds: those of the race, as far as the server has time for them."""
    return min(setup.steps, max(1, MOST_LOOKS // (SEEDS * setup.examples * len(setup.racers))))


@lru_cache(maxsize=16)
def bands(setup: RegressionSetup) -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, int]]:
    """The same race from many seeds: steps, per racer the losses below which 10, 50, 90 % are, and how many left."""
    fits = bowls(setup.examples, setup.noise, [setup.seed + i for i in range(SEEDS)])
    traces = race(
        mean_squared_error,
        dict(zip(names(setup.racers), setup.racers, strict=True)),
        np.tile(setup.start, (SEEDS, 1)),
        seed_steps(setup),
        data=(np.stack([fit.features for fit in fits]), np.stack([fit.true for fit in fits])),
        own_data=True,
        batch_size=setup.batch_size,
        seeds=[setup.seed + i for i in range(SEEDS)],
        tolerance=setup.tolerance,
    )
    floors = np.array([float(fit.losses(fit.minimum()[None])[0]) for fit in fits])[:, None]
    above = {name: trace.losses - (floors if setup.loss == "log" else 0) for name, trace in traces.items()}
    steps = next(iter(traces.values())).steps
    return (
        steps,
        {name: np.percentile(losses, [10, 50, 90], axis=0) for name, losses in above.items()},
        {name: int(trace.diverged.sum()) for name, trace in traces.items()},
    )


def show_seeds(setup: RegressionSetup, theme: str) -> None:
    st.markdown(
        f"The race above, from {SEEDS} seeds: other examples, other noise, other batches each time. "
        "The line is the median loss; at every iteration, 80 of the 100 runs lie inside the band."
    )
    if (most := seed_steps(setup)) < setup.steps:
        st.markdown(
            f":material/timer: So many examples, racers and seeds take long: they run {most:,} of the "
            f"{setup.steps:,} iterations."
        )
    with st.spinner(f"Running {SEEDS} seeds."), out_of_turn():
        # what is looked at below the picture changes no run
        steps, found, lost = bands(replace(setup, below="seeds", moment=0, whose=1))
    looks = dict(zip(names(setup.racers), styles(setup.racers), strict=True))
    still(bands_figure(steps, found, looks, setup.loss == "log", theme), "seeds")
    table = pd.DataFrame(
        {
            "racer": list(found),
            "median": [band[1, -1] for band in found.values()],
            "10 % are below": [band[0, -1] for band in found.values()],
            "90 % are below": [band[2, -1] for band in found.values()],
            "diverged": [lost[name] for name in found],
        }
    )
    number = st.column_config.NumberColumn(format="%.4g")
    columns = dict.fromkeys(("median", "10 % are below", "90 % are below"), number)
    st.dataframe(table, hide_index=True, height="content", column_config=columns)


def show_how_it_works() -> None:
    """The engine's own code: the loss, the examples, and how batches are dealt."""
    card = st.expander("The loss, the examples and the batches", key=CONTROLS.key("card", "fit"), on_change="rerun")
    if not card.open:
        return
    with card:
        st.markdown("The loss, from `engine/problems.py`. `x` holds x² and y² of each example, theta both parameters:")
        st.code(inspect.getsource(mean_squared_error), language="python")
        st.markdown("The examples, from the same file:")
        st.code(inspect.getsource(problems.draw_bowl), language="python")
        st.markdown("The batches, from `engine/batches.py`:")
        for part in (batches.per_epoch, batches.shuffle, batches.dealt):
            st.code(inspect.getsource(part), language="python")
