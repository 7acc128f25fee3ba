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
# Converged: along every direction at most this share of the way is left, or of the loss that there was to lose in all,
WAY_LEFT, LOSS_LEFT = 0.01, 1e-12
# and the loss above the least one is small beside the data; or every coordinate is as close as that to its best value.
BESIDE_DATA, CLOSE = 0.01, 1e-3
SAME_SIZE = 1e-5  # a step that lands as far away on the other side, but for this share, gets no nearer
ROUNDING = 4 * float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class Verdict:
    """How a run ended: one of a few kinds, and the sentence that says so, without its subject."""

    # converged, diverged, diverging, leaping, too small (a step), far (from the minimum), stuck, saddle, top,
    # oscillating, going
    kind: str
    words: str


@dataclass(frozen=True)
class Level:
    """The level point of a loss nearest to where a run ended, and how the loss bends there. In 64 bits."""

    point: np.ndarray  # (dim,) not finite where there is none
    curvatures: np.ndarray  # (dim,) lowest first
    directions: np.ndarray  # (dim, dim) one direction of length 1 per row
    scale: float = np.inf  # the size of losses on the data; infinite where there are none

    @property
    def is_minimum(self) -> bool:
        largest = np.abs(self.curvatures).max()
        return bool(np.isfinite(self.point).all() and (self.curvatures >= -1e-12 * largest).all() and largest > 0)

    def away(self, x: np.ndarray) -> np.ndarray:
        """How far points ``(…, dim)`` are from the level one, along each direction; 0 where 32 bits cannot tell."""
        away = (x - self.point) @ self.directions.T
        rounding = ROUNDING * (np.abs(x) + np.abs(self.point)) @ np.abs(self.directions).T
        return np.where(np.abs(away) > rounding, away, 0.0)

    def gains(self, x: np.ndarray) -> np.ndarray:
        """By how much the loss at points ``(…, dim)`` is above the least one, along each direction."""
        return np.maximum(self.curvatures, 0) * self.away(x) ** 2 / 2

    def reached(self, start: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Whether a run from ``start`` that came to points ``(…, dim)`` has hardly anything left to go, at each."""
        left, gains = np.abs(self.away(x)), self.gains(x)
        little = (left <= WAY_LEFT * np.abs(self.away(start))) | (gains <= LOSS_LEFT * self.gains(start).sum())
        close = np.abs(x - self.point) <= CLOSE * np.abs(self.point)
        return (little.all(-1) & (gains.sum(-1) <= BESIDE_DATA * self.scale)) | close.all(-1)


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
    return judge_all(traces, minima, level_points(loss, ends, data), index, reach)


def judge_all(
    traces: Mapping[str, Trace],
    minima: Sequence[Sequence[float]],
    levels: Sequence[Level],
    index: str = "step",
    reach: float = TOLERANCE,
) -> dict[str, list[Verdict]]:
    """``verdicts`` where the level point of each run is known, in their order."""
    each = iter(levels)
    return {
        name: [verdict(trace, run, minima, next(each), index, reach) for run in range(len(trace.positions))]
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
    if not reach and level.is_minimum and level.reached(path[0], path[-max(2, last_part) :]).all():
        return Verdict("converged", "converged")
    tail = path[-max(10, last_part) :]
    if len(path) < 10 or np.ptp(tail, axis=0).max() > TOLERANCE:
        return Verdict("oscillating", f"oscillating around {centre(tail, minima)}") if turns_back(tail) else GOING
    near = np.linalg.norm(end - level.point) < NEAR
    if near and level.curvatures.min() > 0 and not near_goal(level.point, minima, reach):
        return Verdict("stuck", f"stuck in a local minimum at {place(level.point)}")
    if near and level.curvatures.min() < 0 < level.curvatures.max():
        return Verdict("saddle", f"stuck on a saddle at {place(level.point)}")
    if near and level.curvatures.max() < 0:
        return Verdict("top", f"stuck on top of a hill at {place(level.point)}")
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
    """What became of a run ``(recorded, dim)`` that its tolerance ended.

    That its loss hardly changed proves nothing. Converged is only who is ``there``, or has hardly anything left to go.
    """
    arrived = Verdict("converged", f"converged at {when}: its loss hardly changes")
    if there or not level.is_minimum:
        return arrived if there else Verdict("far", f"ended by its tolerance at {when}, at no minimum")
    overstep = -overstepping(path, level)
    if overstep > 1 + SAME_SIZE:
        return Verdict("diverging", f"ended by its tolerance at {when}, but each step takes it further away")
    if overstep > 1 - SAME_SIZE:
        return Verdict("leaping", f"leaps between two points with the same loss, at {when} still, and gets no nearer")
    if level.reached(path[0], path[-1]):
        return arrived
    first, last = np.abs(level.away(path[[0, -1]]))
    if overstep <= 0 and (last >= (1 - WAY_LEFT) * first).all():
        return Verdict("too small", f"stopped changing at {when}, as far away as it began: the step is too small")
    oversteps = ", which it oversteps each time" if overstep > 0.5 else ""
    return Verdict("far", f"ended by its tolerance at {when}, still far from the minimum{oversteps}")


def overstepping(path: np.ndarray, level: Level) -> float:
    """What the last step of a run made of its distance to the minimum, along the direction that it oversteps most.

    0 where it oversteps in none, or not each time: -1 lands as far away on the other side.
    """
    away = level.away(path[-3:])
    before, after = away[:-1], away[1:]
    known = (before != 0).all(axis=0) & (after != 0).all(axis=0)
    ratios = (after / np.where(known, before, 1.0))[:, known]
    steady = np.ptp(ratios, axis=0) < WAY_LEFT * np.abs(ratios[-1])
    return float(min(ratios[-1, steady], default=0.0))


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
    return bottom, curvatures, directions.T


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
    if np.isclose(worst, -1, rtol=SAME_SIZE, atol=0):
        return Forecast("stays", f"neither arrives nor leaves: {learning_rate:g} is just at the limit")
    if np.isclose(worst, 1, rtol=1e-6, atol=0):
        return Forecast("stays", "hardly moves: each step takes less than a millionth off the distance")
    if worst > 1:
        return Forecast(
            "diverges", f"diverges: the loss bends down, and each step multiplies the distance by {beside(size, 1)}"
        )
    if size > 1:
        return Forecast(
            "diverges",
            f"diverges: {learning_rate:g} is over the limit of {beside(limit, learning_rate)}, "
            f"so each step multiplies the distance by {beside(size, 1)}",
        )
    if factors.min() < 0:
        return Forecast("oscillates", f"oscillates and converges: it oversteps, and {said_share(size)}")
    return Forecast("converges", f"converges: {said_share(size)}")


def beside(value: float, other: float) -> str:
    """A number in four digits, or in as many more as tell it from another one in six."""
    texts = [f"{value:.{digits}g}" for digits in range(4, 12)]
    return next((text for text in texts if float(text) != float(f"{other:g}")), texts[0])


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
