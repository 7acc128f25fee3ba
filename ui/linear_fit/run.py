"""A descent on the points of a set-up, with the gradients, the curvature and the verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from engine import OPTIMIZERS, Trace, race
from engine.analysis import Curvature, gradients
from engine.descent import MAX_RECORDS
from engine.endings import Verdict, judge_all
from engine.problems import Fit, mean_squared_error
from engine.race import Run
from ui.draw.yours import NOTHING, Yours
from ui.linear_fit.controls import Scale
from ui.linear_fit.data import Points, curvature_of, fit_of
from ui.linear_fit.figures import Range, extent
from ui.setup.pages import FitSetup
from ui.setup.questions.question import Facts


@dataclass(frozen=True, eq=False)
class Result:
    """A descent on the points, with what the page says about it."""

    points: Points
    fit: Fit
    minimum: np.ndarray  # (dim,) the parameters with the least loss
    curvature: Curvature
    trace: Trace
    slopes: np.ndarray  # (recorded, dim) the gradient on all points
    verdict: Verdict

    @property
    def run(self) -> Run:
        """The descent."""
        return self.trace.run(0)

    def at_start(self) -> Self:
        """The start alone, as if no step had been taken yet."""
        return replace(self, trace=self.trace.at_start(), slopes=self.slopes[:1])

    @property
    def steps(self) -> np.ndarray:
        """The recorded iterations ``(recorded,)``; the last is where it ended, which may be between two records."""
        return self.run.taken

    @property
    def scale(self) -> Scale:
        """The range of the controls that suits these points."""
        return Scale(len(self.points.x), self.curvature.limit, self.fit.scale())


def run(setup: FitSetup, points: Points) -> Result:
    """Descend from the start of a set-up."""
    fit = fit_of(setup, points)
    trace = descend(setup, fit, setup.steps, setup.tolerance)
    descent = trace.run(0)
    # padded to one shape, so that XLA compiles it once for all numbers of steps
    slopes = np.asarray(
        gradients(mean_squared_error, np.resize(descent.positions, (MAX_RECORDS + 1, len(setup.start))), fit.data)
    )
    noisy = batch_size(setup, len(points.x)) is not None
    [verdict] = judge_all({"SGD": trace}, (), [fit.stationary_point()], "iteration", reach=0, noisy=noisy)["SGD"]
    return Result(points, fit, fit.minimum(), curvature_of(fit), trace, slopes[: len(descent.steps)], verdict)


def descend(setup: FitSetup, fit: Fit, steps: int, tolerance: float) -> Trace:
    """The trace of SGD on the points, with the start, the learning rate and the batches of a set-up."""
    sgd = OPTIMIZERS["SGD"](learning_rate=setup.rate)  # type: ignore[call-arg]
    return race(
        mean_squared_error,
        {"SGD": sgd},
        [setup.start],
        steps,
        data=fit.data,
        batch_size=batch_size(setup, len(fit.true)),
        seeds=setup.deal,
        tolerance=tolerance,
    )["SGD"]


def batch_size(setup: FitSetup, points: int) -> int | None:
    """From how many of the points a step is computed; None where from all of them."""
    return setup.batch if 0 < setup.batch < points else None


def in_batches(setup: FitSetup, result: Result) -> bool:
    """Whether a step is computed from some of the points only."""
    return batch_size(setup, len(result.points.x)) is not None


def thetas(setup: FitSetup) -> tuple[str, ...]:
    """The names of the parameters, as the page writes them."""
    return ("θ₀", "θ₁") if setup.with_intercept else ("θ",)


def gradient_names(setup: FitSetup) -> tuple[str, ...]:
    """The names of the gradient's coordinates, as the table writes them."""
    return ("gradient θ₀", "gradient θ₁") if setup.with_intercept else ("gradient",)


def facts(setup: FitSetup, result: Result, yours: Yours = NOTHING) -> Facts:
    """What the outcome of a question about the descent is computed from. The map is that of the start alone."""
    return Facts(
        runs={"SGD": result.run},
        verdicts={"SGD": result.verdict},
        frame=start_frame(result),
        yours=yours.runs({}),
        least=float(result.fit.losses(result.minimum[None])[0]),
    )


def start_frame(result: Result) -> list[Range]:
    """What the map would show of the start alone."""
    return extent(result.fit, result.curvature, result.run.positions[:1].astype(float))
