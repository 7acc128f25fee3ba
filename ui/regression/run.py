"""A race on the examples of a set-up, and what belongs to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine import Trace, race
from engine.endings import Verdict, judge_all
from engine.problems import Fit, mean_squared_error
from ui.draw.palette import Style
from ui.draw.styles import styles
from ui.regression.figures import THETA1, THETA2, fit_of
from ui.setup.pages import RegressionSetup
from ui.setup.questions.question import Facts
from ui.setup.racers import racer_names

THETAS = ("θ₁", "θ₂")


@dataclass(frozen=True)
class Result:
    """A race on the examples, and what belongs to it."""

    fit: Fit
    minimum: tuple[float, float]  # the parameters with the least loss on these examples
    floor: float  # the loss there
    traces: Mapping[str, Trace]
    verdicts: Mapping[str, Sequence[Verdict]]
    racer_styles: Mapping[str, Style]


def run(setup: RegressionSetup) -> Result:
    """Race the line-up on the examples."""
    fit = fit_of(setup.examples, setup.noise, setup.seed)
    minimum = float(fit.minimum()[0]), float(fit.minimum()[1])
    racers = dict(zip(racer_names(setup.racers), setup.racers, strict=True))

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
    racer_styles = dict(zip(racers, styles(setup.racers), strict=True))
    noisy = setup.batch_size is not None
    found = judge_all(traces, [minimum], [fit.stationary_point()] * len(traces), "iteration", noisy=noisy)
    return Result(fit, minimum, float(fit.losses(np.array([minimum]))[0]), traces, found, racer_styles)


def facts(setup: RegressionSetup, result: Result) -> Facts:
    """What the outcome of a question about the race is computed from."""
    return Facts(
        runs={name: trace.run(0) for name, trace in result.traces.items()},
        verdicts={name: of_runs[0] for name, of_runs in result.verdicts.items()},
        frame=((THETA1.low, THETA1.high), (THETA2.low, THETA2.high)),
    )
