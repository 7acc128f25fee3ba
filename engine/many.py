"""Problems with any number of parameters, each raced from many random starts; of a run only what is drawn is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from engine.associative import FREQUENCIES, associative_memory, best_memory, pair_errors
from engine.landscapes import ackley, rastrigin, styblinski_tang
from engine.noise import NO_NOISE, GradientNoise
from engine.optimizers import Optimizer
from engine.race import Run, race

DIMENSIONS = (2, 5, 10, 20, 50, 100)  # few, since each is compiled anew
STARTS = (8, 32, 128)
FEW = 20  # parameters; with more, a rule may take milliseconds over a step
AT_ONCE = {True: 32, False: 8}  # starts, with few parameters and with many; a race is compiled for these numbers alone
REACH = 0.1  # closer than this in every parameter is at the minimum; other minima are farther away
QUANTILES = (0.1, 0.5, 0.9)  # of the losses of all starts


@dataclass(frozen=True, eq=False)
class Problem:
    """A loss of any number of parameters, and what is known about it."""

    name: str
    about: str  # what a learner sees, in two or three sentences
    loss: Callable[[jax.Array], jax.Array]  # (dim,) -> ()
    domain: tuple[float, float]  # of each parameter
    minimum: float | Float[np.ndarray, "dim"]  # of each parameter, at the lowest point
    floor: float  # the lowest loss, for each parameter
    formula: str  # LaTeX
    source: str
    dim: int | None = None  # the one number of parameters that it has; None: as many as one likes
    starts: tuple[float, float] | None = None  # of each parameter, what starts are drawn from; None: the domain
    # of a memory: the error of each of its pairs, (..., dim) -> (..., pairs), and how often each is asked for
    pair_errors: Callable[[np.ndarray], np.ndarray] | None = None
    frequencies: Sequence[float] = ()

    def minimum_in(self, dim: int) -> Float[np.ndarray, "{dim}"]:
        """The lowest point."""
        return np.broadcast_to(np.asarray(self.minimum, float), dim)

    def floor_in(self, dim: int) -> float:
        """The lowest loss."""
        return self.floor * dim


def rosenbrock(x):
    """Rosenbrock's valley, of each parameter and the next."""
    return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


PROBLEMS = {
    problem.name: problem
    for problem in (
        Problem(
            name="Styblinski-Tang",
            about="Each parameter has two valleys of its own, and only one of them is the deeper one. A run that picks "
            "one valley for each parameter, as the start has it, has to be right d times.",
            loss=styblinski_tang,
            domain=(-5.0, 5.0),
            minimum=-2.903534,
            floor=-39.1661657,
            formula=r"f(x) = \tfrac12 \sum_{i=1}^{d} (x_i^4 - 16 x_i^2 + 5 x_i)",
            source="Styblinski & Tang (1990), Neural Networks 3(4), 467-483",
        ),
        Problem(
            name="Rastrigin",
            about="Each parameter has about ten local minima of its own, so there are about 10ᵈ in all, and only one "
            "of them is the lowest.",
            loss=rastrigin,
            domain=(-5.12, 5.12),
            minimum=0.0,
            floor=0.0,
            formula=r"f(x) = \sum_{i=1}^{d} (10 + x_i^2 - 10 \cos 2 \pi x_i)",
            source="Rastrigin (1974), Systems of Extremal Control; in d parameters: Mühlenbein, Schomisch & Born "
            "(1991), Parallel Computing 17, 619-632",
        ),
        Problem(
            name="Ackley",
            about="Its dents belong to no parameter alone: they are made by the mean of all cosines. Far from the "
            "minimum those of many parameters even out, so that the dents become shallow beside the slope.",
            loss=ackley,
            domain=(-5.0, 5.0),
            minimum=0.0,
            floor=0.0,
            formula=r"f(x) = -20 \, e^{-0.2 \sqrt{\frac1d \sum_i x_i^2}} - e^{\frac1d \sum_i \cos 2 \pi x_i} + e + 20",
            source="Ackley (1987), A Connectionist Machine for Genetic Hillclimbing; in d parameters: Bäck (1996), "
            "Evolutionary Algorithms in Theory and Practice",
        ),
        Problem(
            name="Rosenbrock",
            about="A curved valley from each parameter to the next: each can only settle once the one before it has. "
            "From d = 4 on there is a second minimum, near (−1, 1, …, 1).",
            loss=rosenbrock,
            domain=(-2.0, 2.0),
            minimum=1.0,
            floor=0.0,
            formula=r"f(x) = \sum_{i=1}^{d-1} 100 \, (x_{i+1} - x_i^2)^2 + (1 - x_i)^2",
            source="Rosenbrock (1960), The Computer Journal 3(3), 175-184; in d parameters: Shang & Qiu (2006), "
            "Evolutionary Computation 14(1), 119-126",
        ),
        Problem(
            name="Associative memory",
            about="Not a point is looked for but a matrix, of 8 by 8 numbers, that turns each of 8 keys into its "
            "value. It begins with next to nothing. The first pair is asked for in 65 % of the examples, the eighth in "
            "1 %, and each counts as often as it is asked for: so a gradient says little of the rare ones.",
            loss=associative_memory,
            domain=(-2.0, 2.0),
            minimum=best_memory(),
            floor=0.0,
            formula=r"f(W) = \tfrac12 \sum_{i=1}^{8} p_i \left\| W k_i - v_i \right\|^2, \quad p_i \propto i^{-2}",
            source="After Wang et al. (2026), Muon Outperforms Adam in Tail-End Associative Memory Learning, ICLR, "
            "arXiv:2509.26030; here with squared errors",
            dim=64,
            starts=(-0.1, 0.1),
            pair_errors=pair_errors,
            frequencies=FREQUENCIES.tolist(),
        ),
    )
}


@dataclass(frozen=True)
class ManyRuns:
    """What one racer did from many random starts: how each run ended, the losses of all, and the first run."""

    at_minimum: Bool[np.ndarray, "runs dim"]  # of each parameter, whether it ended there
    diverged: Bool[np.ndarray, "runs"]
    steps: Int[np.ndarray, "recorded"]
    losses: Float[np.ndarray, "quantiles recorded"]  # above the lowest one, at the ``QUANTILES``; infinite if diverged
    first: Run
    pairs: Float[np.ndarray, "pairs recorded"] | None = None  # of a memory, the median error of each pair

    @property
    def success(self) -> float:
        """The share of the starts whose run ended at the minimum, in every parameter."""
        return float(self.at_minimum.all(axis=1).mean())

    @property
    def right(self) -> float:
        """The share of the parameters of all runs that ended at the minimum."""
        return float(self.at_minimum.mean())


def random_starts(problem: Problem, dim: int, count: int, seed: int) -> Float[np.ndarray, "{count} {dim}"]:
    """Random starts. Of more starts with the same seed the first ones are the same."""
    return np.random.default_rng(seed).uniform(*(problem.starts or problem.domain), (count, dim)).astype(np.float32)


def race_from_many(
    problem: Problem,
    racer: Optimizer,
    dim: int,
    count: int,
    seed: int,
    steps: int,
    noise: GradientNoise = NO_NOISE,
    look: Callable[[], object] = lambda: None,
) -> ManyRuns:
    """Race one optimizer from many random starts, all with the same ``noise`` in their gradients.

    A few at a time, since of their paths, which would take 26 MB, a hundredth is kept. ``look`` is called in between;
    what it raises ends the work.
    """
    starts = random_starts(problem, dim, count, seed)
    ends, losses, stopped_at, errors, first = [], [], [], [], None
    for some in np.split(starts, range(AT_ONCE[dim <= FEW], count, AT_ONCE[dim <= FEW])):
        look()
        trace = race(problem.loss, {"it": racer}, some, steps, noise=noise)["it"]
        ends.append(trace.positions[:, -1].copy())  # or all the path would be kept with it
        losses.append(trace.losses.astype(float) - problem.floor_in(dim))
        stopped_at.append(trace.stopped_at)
        if problem.pair_errors:
            errors.append(problem.pair_errors(trace.positions))
        first = first or trace.run(0)
    assert first
    stopped = np.concatenate(stopped_at)
    diverged, steps_taken = stopped >= 0, first.steps
    lost = diverged[:, None] & (steps_taken >= stopped[:, None])
    near = np.abs(np.concatenate(ends) - problem.minimum_in(dim)) < REACH
    return ManyRuns(
        at_minimum=near & ~diverged[:, None],
        diverged=diverged,
        steps=steps_taken,
        losses=np.quantile(np.where(lost, np.inf, np.concatenate(losses)), QUANTILES, axis=0, method="inverted_cdf"),
        first=replace(first, positions=first.positions.copy(), losses=first.losses.copy()),
        pairs=np.median(np.concatenate(errors), axis=0).T if errors else None,
    )


@dataclass(frozen=True)
class Plane:
    """A plane through a space of many parameters, on which paths are drawn."""

    middle: Float[np.ndarray, "dim"]
    axes: Float[np.ndarray, "2 dim"]  # square on each other, of length 1
    share: float  # of the variance of the points that it was laid through

    def project(self, points: Float[np.ndarray, "points dim"]) -> Float[np.ndarray, "points 2"]:
        """Where points are on it, seen straight from above."""
        return (points - self.middle) @ self.axes.T


def principal_plane(points: Float[np.ndarray, "points dim"]) -> Plane:
    """The plane on which points vary most: that of their first two principal components."""
    middle = points.mean(axis=0)
    variances, directions = np.linalg.eigh(np.cov(points.T, bias=True))
    axes = directions[:, :-3:-1].T
    # each axis points the way of its largest part, so that a picture is not mirrored by the last digit
    largest = np.abs(axes).argmax(axis=1)
    axes = axes * np.sign(axes[[0, 1], largest])[:, None]
    return Plane(middle, axes, share_of(variances[-2:], variances))


def parameter_plane(points: Float[np.ndarray, "points dim"], pair: tuple[int, int]) -> Plane:
    """The plane of two parameters, by their places from 0."""
    dim, variances = points.shape[1], points.var(axis=0)
    return Plane(np.zeros(dim), np.eye(dim)[[*pair]], share_of(variances[[*pair]], variances))


def share_of(some: Sequence | np.ndarray, variances: np.ndarray) -> float:
    """The share of the variance that some directions carry; all of it where nothing varies."""
    return float(np.sum(some) / np.sum(variances)) if np.sum(variances) > 0 else 1.0
