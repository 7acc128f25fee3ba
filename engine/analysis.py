"""What became of a run: the verdict, and how far it ended from the goal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from engine.compiled import compiled
from engine.race import TOLERANCE, Trace, bucket

LAST_PART = 0.2  # of the race is looked at to tell rest from motion
NEAR = 0.25  # a run this close to the bottom of a dent, or circling this close around a minimum, is said to be in it


@dataclass(frozen=True)
class Verdict:
    """How a run ended: one of a few kinds, and the sentence that says so."""

    kind: str  # converged, diverged, settled, stuck, saddle, oscillating, going
    words: str


def distance_to_nearest(points: np.ndarray, minima: Sequence[Sequence[float]]) -> np.ndarray:
    """Straight-line distance from each point ``(..., dim)`` to the nearest minimum; NaN where there is no minimum."""
    if len(minima) == 0:
        return np.full(points.shape[:-1], np.nan)
    gaps = points[..., None, :] - np.asarray(minima, points.dtype)
    return np.linalg.norm(gaps, axis=-1).min(axis=-1)


def verdicts(
    loss: Callable[..., jax.Array],
    traces: Mapping[str, Trace],
    minima: Sequence[Sequence[float]],
    data: Sequence[np.ndarray] = (),
) -> dict[str, list[Verdict]]:
    """A verdict for each run of each trace, from how it moved at the end and from the shape of the loss there."""
    ends = np.concatenate([trace.positions[:, -1] for trace in traces.values()])
    padded = np.resize(ends, (bucket(len(ends)), ends.shape[1]))
    rests = iter(zip(*(np.asarray(part) for part in settle(loss, padded, tuple(data))), strict=True))
    return {
        name: [verdict(trace, run, minima, *next(rests)) for run in range(len(trace.positions))]
        for name, trace in traces.items()
    }


def verdict(
    trace: Trace, run: int, minima: Sequence[Sequence[float]], bottom: np.ndarray, curvatures: np.ndarray
) -> Verdict:
    """What became of one run. ``bottom`` is the level point nearest its end, ``curvatures`` those of the loss there."""
    if trace.stopped_at[run] >= 0:
        return Verdict("diverged", f"diverged at step {trace.stopped_at[run]}")
    path = trace.positions[run].astype(float)  # squares of far positions overflow in float32
    end = path[-1]
    if near_goal(end, minima):
        since = trace.converged_at[run]  # -1 where the race was not told the minima
        return Verdict("converged", f"converged at step {since}" if since >= 0 else "converged")
    if trace.settled_at[run] >= 0:
        return Verdict("settled", f"converged at step {trace.settled_at[run]}: its loss hardly changes")
    tail = path[-max(10, int(LAST_PART * len(path))) :]
    if len(path) < 10 or np.ptp(tail, axis=0).max() > TOLERANCE:
        return Verdict("oscillating", f"oscillating around {centre(tail, minima)}") if turns_back(tail) else GOING
    near = np.linalg.norm(end - bottom) < NEAR
    if near and curvatures.min() > 0 and not near_goal(bottom, minima):
        return Verdict("stuck", f"stuck in a local minimum at {place(bottom)}")
    if near and curvatures.min() < 0 < curvatures.max():
        return Verdict("saddle", f"stuck on a saddle at {place(bottom)}")
    return Verdict("going", "still going, very slowly")


GOING = Verdict("going", "still going")


def near_goal(point: np.ndarray, minima: Sequence[Sequence[float]]) -> bool:
    """Whether a point ``(dim,)`` counts as having reached one of the minima."""
    return any(np.abs(point - np.asarray(goal)).max() < TOLERANCE for goal in minima)


def turns_back(path: np.ndarray) -> bool:
    """Whether a path ``(recorded, dim)`` ends near where it began, for all the way it went."""
    way = np.linalg.norm(np.diff(path, axis=0), axis=1).sum()
    return bool(np.linalg.norm(path[-1] - path[0]) < 0.25 * way)


def centre(path: np.ndarray, minima: Sequence[Sequence[float]]) -> str:
    middle = path.mean(axis=0)
    goal = min(minima, key=lambda goal: np.linalg.norm(middle - np.asarray(goal)), default=None)
    if goal is not None and np.linalg.norm(middle - np.asarray(goal)) < NEAR:
        return f"the minimum at {place(np.asarray(goal))}"
    return place(middle)


def place(point: np.ndarray) -> str:
    # adding 0 turns -0.00 into 0.00
    return "(" + ", ".join(f"{round(float(c), 2) + 0:.2f}" for c in point) + ")"


@compiled(1)
@partial(jax.vmap, in_axes=(None, 0, None))
def settle(loss, end, data):
    """The level point that Newton's method finds from ``end``, and the curvatures of the loss there, lowest first."""
    slope, shape = jax.grad(loss), jax.hessian(loss)
    bottom = jax.lax.fori_loop(0, 10, lambda _, x: x - jnp.linalg.solve(shape(x, *data), slope(x, *data)), end)
    return bottom, jnp.linalg.eigvalsh(shape(bottom, *data))


@dataclass(frozen=True)
class Curvature:
    """How a loss bends at a point, along the directions in which it bends least to most."""

    values: np.ndarray  # (dim,) lowest first: the second derivative along each direction
    directions: np.ndarray  # (dim, dim) one direction of length 1 per row

    @property
    def limit(self) -> float:
        """The learning rate from which plain gradient descent no longer converges: 2 over the largest curvature.

        Infinite where the loss bends up in no direction.
        """
        return 2 / float(self.values[-1]) if self.values[-1] > 0 else np.inf

    def factors(self, learning_rate: float) -> np.ndarray:
        """What one step of gradient descent makes of the distance to the minimum, along each direction ``(dim,)``.

        Negative: it lands on the other side. Beyond 1 in size: it moves away.
        """
        return 1 - learning_rate * self.values


def curvature(loss: Callable[..., jax.Array], x: np.ndarray, data: Sequence[np.ndarray] = ()) -> Curvature:
    """The curvature of a loss at ``x`` ``(dim,)``, from ``jax.hessian``."""
    values, vectors = np.linalg.eigh(np.asarray(shape_of(loss, np.asarray(x, np.float32), tuple(data)), float))
    # a direction and its opposite are the same: the first one of those that differ from 0 points up
    signs = np.sign(vectors[np.argmax(np.abs(vectors) > 1e-6, axis=0), range(len(values))])
    return Curvature(values, (vectors * signs).T)


@partial(jax.jit, static_argnames="loss")
def shape_of(loss, x, data):
    return jax.hessian(loss)(x, *data)


def measured_factors(path: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """What a run ``(recorded, dim)`` made of each move in the next one, along each direction: the median, or NaN.

    On a quadratic, steps shrink as the distance to the minimum does. Moves that rounding has a part in are left out.
    """
    moves = np.diff(path.astype(float), axis=0) @ directions.T
    rounding = np.abs(path).astype(float) @ np.abs(directions.T) * np.finfo(np.float32).eps
    # of the two points of each move: a run that flies off in one direction rounds in all of them, but only then
    rounding = np.maximum(rounding[1:], rounding[:-1])
    ratios = np.full(len(directions), np.nan)
    for i, along in enumerate(moves.T):
        sure = np.abs(along) > 1e3 * rounding[:, i]
        both = sure[1:] & sure[:-1]
        if both.any():
            ratios[i] = np.median(along[1:][both] / along[:-1][both])
    return ratios


@dataclass(frozen=True)
class Forecast:
    """What plain gradient descent does on a quadratic loss, as its curvature foretells it."""

    kind: str  # converges, oscillates, diverges, stays
    words: str


def forecast(curvature: Curvature, learning_rate: float) -> Forecast:
    """What a learning rate will do: the direction in which the distance shrinks least, or grows most, decides."""
    factors = curvature.factors(learning_rate)
    worst = float(factors[np.argmax(np.abs(factors))])
    size, limit = abs(worst), curvature.limit
    if np.isclose(worst, -1, rtol=1e-6, atol=0):
        return Forecast("stays", f"neither arrives nor leaves: {learning_rate:g} is just at the limit")
    if np.isclose(worst, 1, rtol=1e-6, atol=0):
        return Forecast("stays", "hardly moves: each step takes less than a millionth off the distance")
    if worst > 1:
        return Forecast(
            "diverges", f"diverges: the loss bends down, and each step multiplies the distance by {size:.4g}"
        )
    if size > 1:
        return Forecast(
            "diverges",
            f"diverges: {learning_rate:g} is over the limit of {limit:.4g}, "
            f"so each step multiplies the distance by {size:.4g}",
        )
    if factors.min() < 0:
        return Forecast(
            "oscillates", f"oscillates and converges: it oversteps, and each step leaves {size:.4g} of the distance"
        )
    return Forecast("converges", f"converges: each step leaves {size:.4g} of the distance")


@partial(jax.jit, static_argnames="loss")
@partial(jax.vmap, in_axes=(None, 0, None))
def gradients(loss, x, data):
    """The gradient of a loss at points ``(n, dim)``."""
    return jax.grad(loss)(x, *data)
