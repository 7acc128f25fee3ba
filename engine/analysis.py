"""What became of a run: the verdict, and how far it ended from the goal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from engine.race import TOLERANCE, Trace, bucket

LAST_PART = 0.2  # of the race is looked at to tell rest from motion
NEAR = 0.25  # a run this close to the bottom of a dent, or circling this close around a minimum, is said to be in it


@dataclass(frozen=True)
class Verdict:
    """How a run ended: one of a few kinds, and the sentence that says so."""

    kind: str  # converged, diverged, stuck, saddle, oscillating, going
    words: str


def distance_to_nearest(points: np.ndarray, minima: Sequence[Sequence[float]]) -> np.ndarray:
    """Straight-line distance from each point ``(..., dim)`` to the nearest minimum; NaN where there is no minimum."""
    if len(minima) == 0:
        return np.full(points.shape[:-1], np.nan)
    gaps = points[..., None, :] - np.asarray(minima, points.dtype)
    return np.linalg.norm(gaps, axis=-1).min(axis=-1)


def verdicts(
    loss: Callable[..., jax.Array], traces: Mapping[str, Trace], minima: Sequence[Sequence[float]]
) -> dict[str, list[Verdict]]:
    """A verdict for each run of each trace, from how it moved at the end and from the shape of the loss there."""
    ends = np.concatenate([trace.positions[:, -1] for trace in traces.values()])
    padded = np.resize(ends, (bucket(len(ends)), ends.shape[1]))
    rests = iter(zip(*(np.asarray(part) for part in settle(loss, padded)), strict=True))
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


@partial(jax.jit, static_argnames="loss")
@partial(jax.vmap, in_axes=(None, 0))
def settle(loss, end):
    """The level point that Newton's method finds from ``end``, and the curvatures of the loss there, lowest first."""
    slope, shape = jax.grad(loss), jax.hessian(loss)
    bottom = jax.lax.fori_loop(0, 10, lambda _, x: x - jnp.linalg.solve(shape(x), slope(x)), end)
    return bottom, jnp.linalg.eigvalsh(shape(bottom))
