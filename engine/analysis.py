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
ARRIVED = 0.01  # converged: along every direction at most this share of the way to the least loss is left,
LEAST = 1e-3  # or the loss is above the least one by at most this share of it
UNDONE = 1e-3  # two moves undo each other when no more than this share of one is left of both
FLAT = 1e-12  # a curvature below this share of the largest is none: along there every point is as good


@dataclass(frozen=True)
class Verdict:
    """How a run ended: one of a few kinds, and the sentence that says so, without its subject."""

    # converged, diverged, leaping, too small (a step), far (from the minimum), stuck, saddle, oscillating, going
    kind: str
    words: str


@dataclass(frozen=True)
class Level:
    """The level point of a loss nearest to where a run ended, and how the loss bends there. In 64 bits."""

    point: np.ndarray  # (dim,) not finite where there is none
    loss: float
    loss_at_end: float
    curvatures: np.ndarray  # (dim,) lowest first
    directions: np.ndarray  # (dim, dim) one direction of length 1 per row

    @property
    def is_minimum(self) -> bool:
        largest = np.abs(self.curvatures).max()
        return bool(np.isfinite(self.point).all() and (self.curvatures >= -FLAT * largest).all() and largest > 0)

    def left(self, start: np.ndarray, now: np.ndarray) -> np.ndarray:
        """What is left at ``now`` ``(…, dim)`` of the way from ``start``, along each direction: 1 is all of it, 0 none.

        Nothing is left where the loss does not bend, and where less is left than 32 bits can tell.
        """
        away, was = (np.abs((x - self.point) @ self.directions.T) for x in (now, start))
        rounding = 4 * np.finfo(np.float32).eps * max(np.abs(now).max(), np.abs(self.point).max())
        counts = (self.curvatures > FLAT * self.curvatures.max()) & (away > rounding)
        return np.where(counts, away / np.maximum(was, max(rounding, np.finfo(float).tiny)), 0.0)


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
    *,
    index: str = "step",
    reach: float = TOLERANCE,
) -> dict[str, list[Verdict]]:
    """A verdict for each run of each trace, from how it moved at the end and from the shape of the loss there.

    A run has reached one of the ``minima`` when it is closer than ``reach`` in every coordinate; with 0 what it has
    come of its way to the least loss decides. ``index`` is what a step is called.
    """
    ends = np.concatenate([trace.positions[:, -1] for trace in traces.values()])
    levels = iter(level_points(loss, ends, data))
    return {
        name: [verdict(trace, run, minima, next(levels), index, reach) for run in range(len(trace.positions))]
        for name, trace in traces.items()
    }


def verdict(
    trace: Trace,
    run: int,
    minima: Sequence[Sequence[float]],
    level: Level,
    index: str = "step",
    reach: float = TOLERANCE,
) -> Verdict:
    """What became of one run, whose end is near a ``level`` point of the loss."""
    path = trace.positions[run].astype(float)  # squares of far positions overflow in float32
    if gone := lost(trace, run, index):
        return gone
    end = path[-1]
    there = near_goal(end, minima, reach)
    if trace.settled_at[run] >= 0:
        moving = path[: np.searchsorted(trace.steps, trace.settled_at[run]) + 1]
        return settled(moving, there, level, f"{index} {trace.settled_at[run]}")
    if there:
        since = trace.converged_at[run]  # -1 where the race was not told the minima
        return Verdict("converged", f"converged at {index} {since}" if since >= 0 else "converged")
    last_part = int(LAST_PART * len(path))
    if not reach and level.is_minimum and (level.left(path[0], path[-max(2, last_part) :]) <= ARRIVED).all():
        return Verdict("converged", "converged")
    tail = path[-max(10, last_part) :]
    if len(path) < 10 or np.ptp(tail, axis=0).max() > TOLERANCE:
        return Verdict("oscillating", f"oscillating around {centre(tail, minima)}") if turns_back(tail) else GOING
    near = np.linalg.norm(end - level.point) < NEAR
    if near and level.curvatures.min() > 0 and not near_goal(level.point, minima, reach):
        return Verdict("stuck", f"stuck in a local minimum at {place(level.point)}")
    if near and level.curvatures.min() < 0 < level.curvatures.max():
        return Verdict("saddle", f"stuck on a saddle at {place(level.point)}")
    return Verdict("going", "still going, very slowly")


GOING = Verdict("going", "still going")


def lost(trace: Trace, run: int = 0, index: str = "step") -> Verdict | None:
    """The verdict on a run that left the finite numbers; None for any other."""
    if trace.stopped_at[run] < 0:
        return None
    # where the loss has not grown, the square of a gradient was too large, or it came to where there is no loss
    first, last = np.abs(trace.losses[run, [0, -1]])
    what = "left the finite numbers" if np.isfinite(first) and last <= first else "diverged"
    return Verdict("diverged", f"{what} at {index} {trace.stopped_at[run]}")


def settled(path: np.ndarray, there: bool, level: Level, when: str) -> Verdict:
    """What became of a run ``(recorded, dim)`` that ended because its loss hardly changed any more.

    That alone proves nothing. Converged is only who is ``there``, or has come almost all of the way along every
    direction.
    """
    if there or (level.is_minimum and has_arrived(path, level)):
        return Verdict("converged", f"converged at {when}: its loss hardly changes")
    if leaps(path):
        return Verdict("leaping", f"leaps between two points with the same loss, from {when} on, and gets no nearer")
    if level.is_minimum and not moved(path, level):
        return Verdict("too small", f"stopped changing at {when}, as far away as it began: the step is too small")
    return Verdict("far", f"stopped changing at {when}, still far from the minimum")


def has_arrived(path: np.ndarray, level: Level) -> bool:
    """Whether hardly anything is left of the way, along every direction, or of the loss."""
    near = level.left(path[0], path[-1]).max() <= ARRIVED
    return bool(near or level.loss_at_end - level.loss <= LEAST * abs(level.loss))


def moved(path: np.ndarray, level: Level) -> bool:
    """Whether a run has come nearer along any direction."""
    away = np.abs((path[[0, -1]] - level.point) @ level.directions.T)
    return bool((away[1] < (1 - ARRIVED) * away[0]).any())


def leaps(path: np.ndarray) -> bool:
    """Whether the last two moves of a path ``(recorded, dim)`` undo each other."""
    if len(path) < 3:
        return False
    before, last = np.diff(path[-3:], axis=0)
    return bool(np.linalg.norm(before + last) < UNDONE * np.linalg.norm(last))


def near_goal(point: np.ndarray, minima: Sequence[Sequence[float]], reach: float = TOLERANCE) -> bool:
    """Whether a point ``(dim,)`` is closer than ``reach`` to one of the minima, in every coordinate."""
    return any(np.abs(point - np.asarray(goal)).max() < reach for goal in minima)


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


def level_points(loss: Callable[..., jax.Array], ends: np.ndarray, data: Sequence[np.ndarray] = ()) -> list[Level]:
    """The level point nearest to each of the ``ends`` ``(runs, dim)``."""
    padded = np.resize(ends, (bucket(len(ends)), ends.shape[1]))
    with jax.enable_x64(True):  # a long valley is a thousand times flatter along than across: 32 bits lose it
        found = newton(loss, padded.astype(float), tuple(np.asarray(part, float) for part in data))
    return [Level(*(np.asarray(part)[i] for part in found)) for i in range(len(ends))]


@compiled(1)
@partial(jax.vmap, in_axes=(None, 0, None))
def newton(loss, end, data):
    """The level point that Newton's method finds from ``end``, and the fields of its ``Level``."""
    slope, shape = jax.grad(loss), jax.hessian(loss)
    bottom = jax.lax.fori_loop(0, 10, lambda _, x: x - jnp.linalg.solve(shape(x, *data), slope(x, *data)), end)
    curvatures, directions = jnp.linalg.eigh(shape(bottom, *data))
    return bottom, loss(bottom, *data), loss(end, *data), curvatures, directions.T


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
        return Forecast("oscillates", f"oscillates and converges: it oversteps, and {said_share(size)}")
    return Forecast("converges", f"converges: {said_share(size)}")


def said_share(size: float) -> str:
    """What a step leaves of the distance; where that is nearly all of it, what it takes off."""
    if size > 0.9999:
        return f"each step takes {1 - size:.2g} of the distance off"
    return f"each step leaves {size:.4g} of the distance"


@partial(jax.jit, static_argnames="loss")
@partial(jax.vmap, in_axes=(None, 0, None))
def gradients(loss, x, data):
    """The gradient of a loss at points ``(n, dim)``."""
    return jax.grad(loss)(x, *data)
