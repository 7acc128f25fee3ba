"""A descent of a page in the form in which each file is written from it: the race, the regression, or the fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from engine import OPTIMIZERS, GradientNoise, Optimizer, Trace, race
from engine.batches import batches_per_epoch
from engine.descent import MIN_QUIET_STEPS
from engine.endings import Verdict
from engine.noise import NO_NOISE
from engine.problems import Fit, mean_squared_error
from engine.scheduled import schedule_of
from engine.turned import TurnedOptimizer
from ui.draw.line_up import describe_knobs
from ui.linear_fit.data import Points
from ui.linear_fit.run import descend, in_batches, thetas
from ui.linear_fit.run import run as run_fit
from ui.linear_fit.stage import describe_end
from ui.race.run import judged
from ui.race.run import run as run_race
from ui.regression.run import run as run_regression
from ui.setup.codec import Setup
from ui.setup.pages import FitSetup, RaceSetup, RegressionSetup
from ui.setup.racers import names_in

NUDGE = 1e-6  # of each coordinate: so far from the start another run begins
PARTED = 5e-5  # of the size of the positions: so far apart the two runs have parted


@dataclass(frozen=True, eq=False)
class Descent:
    """Racers from one start down one loss, and what came of it."""

    page: str
    where: str  # the landscape's name, or what is fitted
    racers: Mapping[str, Optimizer]
    start: tuple[float, ...]
    coordinates: tuple[str, ...]
    steps: int
    index: str  # what a step is called
    loss: Callable[..., jax.Array]
    traces: Mapping[str, Trace]  # of each racer, and of a replay beside them
    ends: Mapping[str, str]  # how each ended, in words
    minima: Sequence[Sequence[float]] = ()
    about: str = ""  # a sentence or two on the landscape
    fit: Fit | None = None  # the examples, where the loss is that of a fit
    batch_size: int | None = None
    seed: int = 0  # of the batches
    drawn: tuple[int, float, int] | None = None  # the examples as they are drawn: how many, their noise, their seed
    tolerance: float = 0.0
    noise: GradientNoise = NO_NOISE

    @property
    def slug(self) -> str:
        """The page's name as it stands in the name of a file."""
        return self.page.lower().replace(" ", "-")

    @property
    def epoch(self) -> int:
        """The steps that it takes to see every example once."""
        return batches_per_epoch(len(self.fit.true), self.batch_size) if self.fit and self.batch_size else 1

    @property
    def quiet_steps(self) -> dict[str, int]:
        """For how many steps the loss of each racer has to stay within the tolerance."""
        start = jnp.asarray(self.start)
        never = self.steps + 2
        return {
            name: max(MIN_QUIET_STEPS if jax.tree.leaves(racer.init(start)) else 1, self.epoch)
            if racer.keeps_rate
            else never
            for name, racer in self.racers.items()
        }

    @property
    def is_scheduled(self) -> bool:
        """Whether the learning rate of any racer follows a schedule."""
        return any(map(schedule_of, self.racers.values()))

    @property
    def is_turned(self) -> bool:
        """Whether the knobs of any racer are turned in the middle of the run."""
        return any(isinstance(racer, TurnedOptimizer) for racer in self.racers.values())

    @property
    def changes_knobs(self) -> bool:
        """Whether the knobs of any racer are not the same in each step."""
        return self.is_scheduled or self.is_turned

    @property
    def race(self) -> Callable[..., dict[str, Trace]]:
        """The same race from other starts."""
        return partial(
            race,
            self.loss,
            self.racers,
            steps=self.steps,
            data=self.fit.data if self.fit else (),
            minima=self.minima,
            batch_size=self.batch_size,
            seeds=self.seed,
            tolerance=self.tolerance,
            noise=self.noise,
        )

    def parted(self) -> dict[str, int]:
        """The racers to which a last digit matters, each with the step from which on it does.

        A second run starts a millionth beside the first. Where the two part, so will any two programs that round
        differently.
        """
        start = np.asarray(self.start, np.float32)
        found = {}
        for name, trace in self.race(starts=np.stack([start, start * np.float32(1 + NUDGE)])).items():
            here, beside = trace.positions.astype(float)
            size = np.maximum(np.maximum.accumulate(np.abs(here).max(axis=1)), 1.0)
            apart = np.abs(here - beside).max(axis=1) > PARTED * size
            ended = trace.settled_at if self.tolerance else trace.stopped_at
            if apart.any():
                found[name] = int(trace.steps[np.argmax(apart)])
            elif ended[0] != ended[1]:
                found[name] = int(max(min(ended), 0))
        return found


def descent_of(setup: Setup, points: Points | None = None) -> Descent | None:
    """The descent of a set-up; None where there are no points, or the page has none."""
    if isinstance(setup, RaceSetup):
        return of_race(setup)
    if isinstance(setup, RegressionSetup):
        return of_regression(setup)
    if isinstance(setup, FitSetup) and points is not None:
        return of_fit(setup, points)
    return None


def of_race(setup: RaceSetup) -> Descent:
    """The race on a landscape."""
    traces, _ = run_race(setup)
    landscape = setup.chosen_landscape
    knobs = describe_knobs(landscape)
    return Descent(
        page="Ackley Race",
        where=f"{setup.told_landscape} ({', '.join(knobs)})" if knobs else setup.told_landscape,
        racers=dict(zip(names_in(setup), setup.racers, strict=True)),
        start=tuple(map(float, setup.start)),  # a place of a landscape may be in whole numbers
        coordinates=("x", "y"),
        steps=setup.steps,
        index="step",
        loss=landscape.loss,
        traces=traces,
        ends=in_words(judged(setup, traces)),
        minima=landscape.minima,
        noise=setup.gradient_noise,
        about=landscape.about,
    )


def of_regression(setup: RegressionSetup) -> Descent:
    """The race on the examples of a bowl."""
    result = run_regression(setup)
    return Descent(
        page="2D Regression",
        where="examples of a bowl",
        racers=dict(zip(names_in(setup), setup.racers, strict=True)),
        start=setup.start,
        coordinates=("θ₁", "θ₂"),
        steps=int(next(iter(result.traces.values())).steps[-1]),
        index="iteration",
        loss=mean_squared_error,
        traces=result.traces,
        ends=in_words(result.verdicts),
        minima=[result.minimum],
        fit=result.fit,
        batch_size=setup.batch_size,
        seed=setup.seed,
        drawn=(setup.examples, setup.noise, setup.seed),
        tolerance=setup.tolerance,
    )


def of_fit(setup: FitSetup, points: Points) -> Descent:
    """The descent of a line to points."""
    result = run_fit(setup, points)
    trace = descend(setup, result.fit, setup.steps, setup.tolerance)
    return Descent(
        page="Linear Fit",
        where="points",
        racers={"SGD": OPTIMIZERS["SGD"](learning_rate=setup.rate)},  # type: ignore[call-arg]
        start=setup.start,
        coordinates=thetas(setup),
        steps=setup.steps,
        index="iteration",
        loss=mean_squared_error,
        traces={"SGD": trace},
        ends={"SGD": describe_end(setup, result)},
        minima=[tuple(map(float, result.minimum))],
        fit=result.fit,
        batch_size=setup.batch if in_batches(setup, result) else None,
        seed=setup.deal,
        tolerance=setup.tolerance,
    )


def in_words(found: Mapping[str, Sequence[Verdict]]) -> dict[str, str]:
    """How each racer ended, as a sentence without its subject."""
    return {name: one.words for name, [one] in found.items()}
