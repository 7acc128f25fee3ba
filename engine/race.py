"""The race: several optimizers side by side on one loss, from the same starts.

Each optimizer is one small compiled loop, batched over the starts. Its knobs, the starts, the data and the number of
steps are arguments of that loop, so turning any of them compiles nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from engine.optimizers import Optimizer

RECORDS = 500  # at most so many steps are recorded, and the start
TOLERANCE = 1e-2  # the notebook's: converged is closer than this to a minimum in every coordinate


@dataclass(frozen=True)
class Trace:
    """What one optimizer did from each start. ``runs`` counts the starts, ``recorded`` the steps that were kept.

    A run that leaves the finite numbers stands still at its last finite point from then on.
    """

    steps: np.ndarray  # (recorded,) which step each record is: 0, 1, 2, ... up to 500 of them, then evenly thinned
    positions: np.ndarray  # (runs, recorded, dim) index 0 is the start
    losses: np.ndarray  # (runs, recorded)
    stopped_at: np.ndarray  # (runs,) step at which value, gradient or position stopped being finite, or -1
    converged_at: np.ndarray  # (runs,) first step within 1e-2 of a minimum in every coordinate, or -1
    best_losses: np.ndarray  # (runs,) the lowest loss on the way, over every step
    path_lengths: np.ndarray  # (runs,) over every step


class _Run(NamedTuple):
    ahead: jax.Array  # (dim,) the point about to be looked at
    memory: Any  # what the optimizer remembers
    x: jax.Array  # (dim,) the last finite point, and the loss there
    loss: jax.Array
    best: jax.Array
    length: jax.Array
    stopped_at: jax.Array
    converged_at: jax.Array


def race(
    loss: Callable[..., jax.Array],
    racers: Mapping[str, Optimizer],
    starts: Any,
    steps: int,
    *,
    data: Sequence[Any] = (),
    minima: Sequence[Sequence[float]] = (),
) -> dict[str, Trace]:
    """Let every optimizer run ``steps`` steps down the same loss from the same starts.

    ``loss`` takes a point ``(dim,)``, then ``data``, and gives a number; pass the same function object each time, since
    a new one is compiled anew. ``starts`` is ``(runs, dim)``. ``minima`` is where "converged" is measured from.
    Raises ``ValueError`` for starts or minima of another shape, or fewer than one step.
    """
    starts = np.asarray(starts, np.float32)
    if starts.ndim != 2 or 0 in starts.shape:
        raise ValueError(f"starts has shape {starts.shape}. Give one row per run: (runs, dim).")
    if steps < 1:
        raise ValueError(f"steps is {steps}. Let the race take at least 1 step.")
    # an odd stride: a run that jumps to and fro would seem to stand still in every second step
    stride = -(-steps // RECORDS) | 1
    at = np.minimum(np.arange(-(-steps // stride) + 1) * stride, steps)
    goals = np.asarray(minima, np.float32) if len(minima) else np.empty((0, starts.shape[1]), np.float32)
    if goals.ndim != 2 or goals.shape[1] != starts.shape[1]:
        raise ValueError(f"minima has shape {goals.shape}. Give one row per minimum, with {starts.shape[1]} numbers.")
    padded = np.resize(starts, (bucket(len(starts)), starts.shape[1]))
    length = np.array([steps, stride], np.int32)
    # all are sent off before any is waited for
    ends = {}
    for name, optimizer in racers.items():
        knobs = np.array(astuple(optimizer), np.float32)  # type: ignore[call-overload]
        ends[name] = descend(loss, type(optimizer), knobs, padded, length, tuple(data), goals)
    return {name: trace(end, at, len(starts)) for name, end in ends.items()}


def bucket(runs: int) -> int:
    """The number of runs rounded up to 2, 8, 64, 512, ...: one compiled loop serves each size.

    A run alone gets company: XLA rounds a batch of one in other places, and its path would not be its path in a crowd.
    """
    size = 8
    while size < runs:
        size *= 8
    return 2 if runs <= 2 else size


def trace(end: tuple[jax.Array, ...], at: np.ndarray, runs: int) -> Trace:
    positions, losses, marks, measures = (np.asarray(part)[:runs] for part in end)
    return Trace(
        steps=at,
        positions=positions[:, : len(at)],
        losses=losses[:, : len(at)],
        stopped_at=marks[:, 0],
        converged_at=marks[:, 1],
        best_losses=measures[:, 0],
        path_lengths=measures[:, 1],
    )


@partial(jax.jit, static_argnames=("loss", "rule"))
@partial(jax.vmap, in_axes=(None, None, None, 0, None, None, None))
def descend(loss, rule, knobs, start, length, data, goals):
    """One run from one start: its history ``(RECORDS + 1, dim)``, ``(RECORDS + 1,)``, then two marks and two measures.

    The knobs come as one array, since an argument each would cost more than the race itself. The rule is the
    optimizer's class; a tree structure would not do in its place, since ``==`` holds between those of two classes.
    """
    optimizer = rule(*knobs)
    steps, stride = length
    slope = jax.value_and_grad(loss)

    def look_and_move(i, carry):
        run, positions, losses = carry
        value, gradient = slope(run.ahead, *data)
        finite = jnp.isfinite(value) & jnp.all(jnp.isfinite(run.ahead)) & jnp.all(jnp.isfinite(gradient))
        going = run.stopped_at < 0
        at_goal = jnp.any(jnp.all(jnp.abs(run.ahead - goals) < TOLERANCE, axis=1))
        move, memory = optimizer.update(gradient, run.memory, run.ahead)
        moved = _Run(
            ahead=run.ahead + move,
            memory=memory,
            x=run.ahead,
            loss=value,
            best=jnp.minimum(run.best, value),
            length=run.length + jnp.linalg.norm(run.ahead - run.x),
            stopped_at=run.stopped_at,
            converged_at=jnp.where((run.converged_at < 0) & at_goal, i, run.converged_at),
        )
        halted = run._replace(stopped_at=jnp.where(going, i, run.stopped_at))
        run = jax.tree.map(lambda a, b: jnp.where(going & finite, a, b), moved, halted)
        # a record is overwritten until its last step, so the newest one always holds the end
        record = (i + stride - 1) // stride
        return run, positions.at[record].set(run.x), losses.at[record].set(run.loss)

    run = _Run(
        ahead=start,
        memory=jax.tree.map(jnp.asarray, optimizer.init(start)),
        x=start,
        loss=jnp.array(jnp.nan),
        best=jnp.array(jnp.inf),
        length=jnp.array(0.0),
        stopped_at=jnp.array(-1),
        converged_at=jnp.array(-1),
    )
    history = jnp.zeros((RECORDS + 1, start.size)), jnp.zeros(RECORDS + 1)
    run, positions, losses = jax.lax.fori_loop(0, steps + 1, look_and_move, (run, *history))
    return positions, losses, jnp.stack([run.stopped_at, run.converged_at]), jnp.stack([run.best, run.length])
