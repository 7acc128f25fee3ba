"""The picture of Linear Fit, and how its descent ended in words."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import OPTIMIZERS
from engine.analysis import format_apart
from engine.problems import mean_squared_error
from ui.ask.asking import Asking
from ui.draw.apart import Apart
from ui.draw.curves import chosen_curve, explain_curve
from ui.draw.field import CLICK, map_caption
from ui.draw.figures import MIN_LOSS
from ui.draw.losses import LossPlot
from ui.draw.palette import OWN
from ui.draw.stage.stage import Index, Readout, Stage, Track, View
from ui.draw.styles import styles
from ui.draw.yours import NOTHING, Yours, show_blind_map
from ui.linear_fit.controls import CONTROLS, MODEL_NAMES, take_click
from ui.linear_fit.figures import basin_figure, extent, points_figure, valley_figure
from ui.linear_fit.hand import show_hand
from ui.linear_fit.run import Result, in_batches, start_frame, thetas
from ui.numbers import with_minus
from ui.setup.layout import stage_layout
from ui.setup.pages import FitSetup


def show_stage(setup: FitSetup, asking: Asking, result: Result, yours: Yours = NOTHING) -> None:
    """The points and the line, the loss over the iterations, and the loss over the parameters."""
    layout = stage_layout(CONTROLS, setup, sets=("theta0", "theta"))
    if asking.blind:
        return show_blind(setup, asking, result, layout)
    log = setup.loss == "log"
    fit, end, steps = result.fit, result.run.records, result.steps  # the time line ends where the descent does
    path, losses, slopes = (part[:end] for part in (result.run.positions, result.run.losses, result.slopes))
    floor = float(fit.losses(result.minimum[None])[0])
    # in 64 bits: what is left above the minimum is less than the last digit of the loss itself
    least = MIN_LOSS * fit.scale()
    own = {name: path.run(0) for name, path in yours.on(steps).items()}
    seen = np.concatenate([path, *(run.positions for run in own.values())])
    ranges = extent(fit, result.curvature, seen.astype(float))
    if setup.with_intercept:
        valley, highest = basin_figure(fit, ranges, setup.field)
        frame = (ranges[0], ranges[1])
    else:
        valley, spread = valley_figure(fit, ranges[0])
        highest, frame = spread[1], (ranges[0], spread)
    some = "mini-batches" if setup.hides("batch") else f"{setup.batch} points a step"
    name = f"SGD, {some}" if in_batches(setup, result) else "SGD"
    drawn = fit.losses(path) - floor if log else losses.astype(float)
    others = {other: fit.losses(run.positions) - floor if log else run.losses for other, run in own.items()}
    plot = LossPlot.of({name: drawn, **others}, (0.0, float(drawn.max())) if log else (floor, highest), log, least)
    best = (float(result.minimum[0]) if setup.with_intercept else 0.0, float(result.minimum[-1]))
    sgd = OPTIMIZERS["SGD"](learning_rate=setup.rate)  # type: ignore[call-arg]
    style = styles([sgd])[0]
    run = {name: result.run, **own}, {name: sgd}
    batch_size = setup.batch if in_batches(setup, result) else None
    options = {"log": log, "data": fit.data, "batch_size": batch_size, "seed": setup.deal}
    curve = None if asking.held else chosen_curve(setup, mean_squared_error, *run, thetas(setup), **options)

    def values(name: str, path: np.ndarray, losses: np.ndarray, slopes: np.ndarray) -> dict[str, np.ndarray]:
        found = {"slope": path[:, -1], "intercept": path[:, 0] if setup.with_intercept else np.zeros(len(path))}
        found |= (
            {key: some[:end] for key, some in curve.values(name).items()} if curve else {"shown": plot.curves[name]}
        )
        found["gradient"] = np.linalg.norm(slopes.astype(float), axis=1) if setup.with_intercept else slopes[:, 0]
        return {**found, "loss": losses, **dict(zip(thetas(setup), path.T, strict=True))}

    tracks = [Track.of(name, style, result.run, result.verdict, values(name, path, losses, slopes))]
    for other, its in own.items():
        assert its.moves
        tracks.append(Track(other, OWN, values(other, its.positions, its.losses, its.moves.gradients)))
    Stage(
        figures={"data": points_figure(result.points, best).to_json(), "valley": valley.to_json()},
        views=[
            View(
                name="data",
                caption="the points and the line; dotted: the best line",
                says=f"The points and the line {MODEL_NAMES[setup.model]}."
                + ("" if asking.held else f" {describe_end(setup, result)}"),
                line=("intercept", "slope"),
            ),
            curve.view(int(steps[-1]), {name: style}, "iteration")
            if curve
            else plot.view(
                "The loss at every iteration"
                + ("." if asking.held else f", from {losses[0]:.4g} to {losses[-1]:.4g}."),
                setup.steps if asking.held else int(steps[-1]),
                "iteration",
            ),
            View(
                name="valley",
                caption=asking.on_map(map_caption(setup) if setup.with_intercept else CLICK),
                says=f"The loss for every {' and '.join(thetas(setup))}, and the path down it.",
                path=thetas(setup) if setup.with_intercept else ("θ", "loss"),
                frame=frame,
                click="start",
                start=True,
                marks=asking.marks,
            ),
        ],
        tracks=tracks,
        steps=steps,
        numbers=[
            *(Readout(theta, theta, 3) for theta in thetas(setup)),
            Readout("gradient", "|gradient|" if setup.with_intercept else "gradient", 3),
            Readout("loss", "loss", 3),
            *([curve.readout] if curve else []),
        ],
        index=Index("iteration"),
        apart=None if asking.held else setup.apart and take_apart(setup, result, name),
        held=setup.steps if asking.held else None,
    ).show(
        **asking.layout(layout, "valley"),
        on_start=asking.on_click(take_click),
        on_seen=asking.on_seen,
    )
    if curve:
        explain_curve(setup, thetas(setup), curve.limits, batches=in_batches(setup, result))


def show_blind(setup: FitSetup, asking: Asking, result: Result, layout: dict[str, Any]) -> None:
    """What a visitor tries by hand, without the loss over the parameters and the best line."""
    assert asking.question is not None
    if asking.question.draws_line:
        return show_hand(setup, asking, result.points, result.fit, layout)
    loss, data, (across, up) = mean_squared_error, result.fit.data, start_frame(result)
    show_blind_map(asking, loss, setup.start, (across, up), layout, data=data, square=False)


def take_apart(setup: FitSetup, result: Result, name: str) -> dict:
    """The steps of the descent, each by the gradient of its mini-batch; ``name`` is what the stage calls it."""
    return Apart(
        mean_squared_error,
        {name: OPTIMIZERS["SGD"](learning_rate=setup.rate)},  # type: ignore[call-arg]
        {name: result.run},
        {theta: theta for theta in thetas(setup)},
        result.fit.data,
        setup.batch if in_batches(setup, result) else None,
        setup.deal,
    ).message()


def describe_end(setup: FitSetup, result: Result) -> str:
    """How the descent ended, in a sentence or two."""
    verdict = result.verdict
    if result.run.stopped == 0:
        return "It cannot begin: the loss at the start is more than 32 bits can hold. Start closer to the minimum."
    if result.run.stopped is not None:
        return f"It {verdict.words}. Its numbers grew without bound."
    if result.run.settled is not None:
        was = "was " if verdict.words.startswith("ended") else ""
        far = f" {describe_distance(setup, result)}" if verdict.kind in ("far", "too small", "diverging") else ""
        return f"It {was}{verdict.words}.{far}"
    ran = f"It ran all {setup.steps:,} iterations" if setup.steps > 1 else "It ran one iteration"
    if verdict.kind == "converged":
        return f"{ran}, and has converged."
    return f"{ran}, and {verdict.words}." if verdict.kind == "diverging" else f"{ran}."


def describe_distance(setup: FitSetup, result: Result) -> str:
    """Which parameter is furthest from its best value, and what helps."""
    end, best = result.run.positions[-1].astype(float), result.minimum
    features = result.fit.features.astype(float)
    usual = np.sqrt(result.fit.scale() / np.mean(features**2, axis=0))  # the size of a parameter that makes up y alone
    best = np.where(np.abs(best) > 1e-9 * usual, best, 0.0)
    worst = int(np.argmax(np.abs(end - best) / np.maximum(np.abs(best), 0.1 * usual)))
    words = (
        f"{thetas(setup)[worst]} is {end[worst]:.3g}, and the least loss is at {format_apart(best[worst], end[worst])}."
    )
    x = result.points.x
    if setup.with_intercept and abs(np.mean(x)) > np.std(x):
        words += " It helps to subtract the mean from x first."
    return with_minus(words)
