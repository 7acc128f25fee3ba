"""A race on the examples of a set-up, and what belongs to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from engine import Optimizer, Trace, race
from engine.endings import Verdict, judge_all
from engine.problems import Fit, mean_squared_error
from ui.admission import long_run, waiting
from ui.draw.palette import Style
from ui.draw.styles import styles
from ui.draw.yours import NOTHING, Yours
from ui.regression.figures import THETA1, THETA2, fit_of
from ui.setup.pages import RegressionSetup
from ui.setup.questions.question import Facts
from ui.setup.racers import names_in

THETAS = ("θ₁", "θ₂")
MANY_EVALUATIONS = 1_000_000  # at examples, by all racers together: 70 ms, as long as the rest of the page takes


@dataclass(frozen=True)
class Result:
    """A race on the examples, and what belongs to it."""

    fit: Fit
    minimum: tuple[float, float]  # the parameters with the least loss on these examples
    floor: float  # the loss there
    traces: Mapping[str, Trace]
    verdicts: Mapping[str, Sequence[Verdict]]
    racer_styles: Mapping[str, Style]


@contextmanager
def in_turn(setup: RegressionSetup) -> Iterator[None]:
    """Around a race: one of many examples, racers and iterations takes seconds, and so is made as a long run."""
    if setup.examples * len(setup.racers) * setup.steps <= MANY_EVALUATIONS:
        yield
        return
    with waiting(), long_run():
        yield


def run(setup: RegressionSetup, yours: Yours = NOTHING) -> Result:
    """Race the line-up on the examples, and put what is ``yours`` beside it."""
    fit = fit_of(setup.examples, setup.noise, setup.seed)
    minimum = float(fit.minimum()[0]), float(fit.minimum()[1])
    racers = {**dict(zip(names_in(setup), setup.racers, strict=True)), **yours.racers}
    traces = race_all(setup, racers)
    # all have ended before, and so does the time line; what a step makes of a memory is seen with the next one only
    runs = [trace.run(0) for trace in traces.values()]
    ends = [run.end + (run.stopped is not None) for run in runs if run.end is not None]
    if len(ends) == len(runs) and 0 < max(ends) < setup.steps:
        traces = race_all(setup, racers, max(ends))
    traces = yours.beside(traces)
    racer_styles = {**dict(zip(setup.runners, styles(setup.racers), strict=True)), **yours.styles(setup.racers)}
    stationary, noisy = [fit.stationary_point()] * len(traces), setup.batch_size is not None
    found = yours.judged(judge_all(traces, [minimum], stationary, "iteration", noisy=noisy), "iteration")
    return Result(fit, minimum, float(fit.losses(np.array([minimum]))[0]), traces, found, racer_styles)


def race_all(setup: RegressionSetup, racers: Mapping[str, Optimizer], steps: int | None = None) -> dict[str, Trace]:
    """Race some optimizers as a set-up says, or only so many ``steps``."""
    fit = fit_of(setup.examples, setup.noise, setup.seed)
    return race(
        mean_squared_error,
        racers,
        [setup.start],
        steps or setup.steps,
        data=fit.data,
        minima=[fit.minimum()],
        batch_size=setup.batch_size,
        seeds=setup.seed,
        tolerance=setup.tolerance,
    )


def facts(setup: RegressionSetup, result: Result, yours: Yours = NOTHING) -> Facts:
    """What the outcome of a question about the race is computed from."""
    return Facts(
        runs={name: result.traces[name].run(0) for name in setup.runners},
        yours=yours.runs(result.traces),
        verdicts={name: of_runs[0] for name, of_runs in result.verdicts.items()},
        frame=((THETA1.low, THETA1.high), (THETA2.low, THETA2.high)),
    )
