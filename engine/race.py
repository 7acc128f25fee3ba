"""The race: several optimizers side by side on one loss, from the same starts.

Each optimizer is one small compiled loop, batched over the starts. Its knobs, the starts, the data and the number of
steps are arguments of that loop, so turning any of them compiles nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from engine.batches import dealt, per_epoch, shuffle
from engine.compiled import compiled
from engine.optimizers import Optimizer

RECORDS = 500  # at most so many steps are recorded, and the start
LARGEST_SEED = 2**31 - 1
TOLERANCE = 1e-2  # the notebook's: converged is closer than this to a minimum in every coordinate
SEVERAL = 10  # steps that a rule with a memory must hardly change the loss: in one it may only be turning round


@dataclass(frozen=True)
class Trace:
    """What one optimizer did from each start. ``runs`` counts the starts, ``recorded`` the steps that were kept.

    A run that leaves the finite numbers stands still at its last finite point from then on; one whose loss no longer
    changes by the tolerance stands still where that was seen. ``engine/endings.py`` says whether it has converged.
    """

    steps: np.ndarray  # (recorded,) which step each record is: 0, 1, 2, ... up to 500 of them, then evenly thinned
    positions: np.ndarray  # (runs, recorded, dim) index 0 is the start
    losses: np.ndarray  # (runs, recorded)
    stopped_at: np.ndarray  # (runs,) step at which value, gradient, memory or position stopped being finite, or -1
    settled_at: np.ndarray  # (runs,) step at which the loss had hardly changed for long enough, and it ended; or -1
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
    level: jax.Array  # the loss that it has been within the tolerance of, and for how many steps
    level_for: jax.Array
    stopped_at: jax.Array
    settled_at: jax.Array
    converged_at: jax.Array


def race(
    loss: Callable[..., jax.Array],
    racers: Mapping[str, Optimizer],
    starts: Any,
    steps: int,
    *,
    data: Sequence[Any] = (),
    own_data: bool = False,
    minima: Sequence[Sequence[float]] = (),
    batch_size: int | None = None,
    seeds: int | Sequence[int] | np.ndarray = 0,
    tolerance: float = 0.0,
) -> dict[str, Trace]:
    """Let every optimizer run ``steps`` steps down the same loss from the same starts.

    ``loss`` takes a point ``(dim,)``, then ``data``, and gives a number; pass the same function object each time, since
    a new one is compiled anew. ``starts`` is ``(runs, dim)``. ``minima`` is where "converged" is measured from.

    With a ``batch_size`` each step follows the gradient of so many examples only (``engine/batches.py`` says which),
    and the loss must be a mean over the examples, the first axis of ``data``; the losses of the trace are those of all
    examples. ``seeds`` is one for all runs, or one each. With ``own_data`` each run has data of its own, along one more
    axis in front.

    A run ends once its loss, that on all examples, has stayed within ``tolerance`` for a whole epoch: a step on a few
    examples that happen to fit changes nothing and proves nothing. Without batches an epoch is one step, as in the
    notebook; of a rule that remembers, ten steps at least.

    Raises ``ValueError`` for starts, minima, data or seeds of another shape, fewer than one step or one example.
    """
    starts = np.asarray(starts, np.float32)
    if starts.ndim != 2 or 0 in starts.shape:
        raise ValueError(f"starts has shape {starts.shape}. Give one row per run: (runs, dim).")
    if steps < 1:
        raise ValueError(f"steps is {steps}. Let the race take at least 1 step.")
    if batch_size is not None and (batch_size < 1 or not data):
        raise ValueError(f"batch_size is {batch_size}. Give data, and batches of at least 1 example.")
    runs, dim = starts.shape
    data = tuple(np.asarray(part, np.float32) for part in data)
    shapes = [part.shape for part in data]
    if own_data and any(shape[:1] != (runs,) for shape in shapes):
        raise ValueError(f"data has shapes {shapes}. With own_data, each begins with {runs} runs.")
    counts = {shape[own_data:][:1] for shape in shapes}
    if batch_size is not None and (len(counts) > 1 or counts & {(), (0,)}):
        raise ValueError(f"data has shapes {shapes}. For batches, give as many examples in each, and at least 1.")
    goals = np.asarray(minima, np.float32) if len(minima) else np.empty((0, dim), np.float32)
    if goals.ndim != 2 or goals.shape[1] != dim:
        raise ValueError(f"minima has shape {goals.shape}. Give one row per minimum, with {dim} numbers.")
    if np.size(seeds) not in (1, runs):
        raise ValueError(f"There are {np.size(seeds)} seeds for {runs} runs. Give one for all, or one each.")
    numbers = np.asarray(seeds)
    if numbers.dtype.kind not in "iu" or abs(numbers.astype(float)).max() > LARGEST_SEED:
        raise ValueError(f"seeds is {seeds}. Give whole numbers of at most {LARGEST_SEED:,}.")
    # an odd stride: a run that jumps to and fro would seem to stand still in every second step
    stride = -(-steps // RECORDS) | 1
    at = np.minimum(np.arange(-(-steps // stride) + 1) * stride, steps)
    size = bucket(runs)
    each = fill(starts, size), fill(np.broadcast_to(numbers.astype(np.int32), runs), size)
    if own_data:
        data = tuple(fill(part, size) for part in data)
    plan = np.array([steps, stride, batch_size or 1], np.int32)
    kind = Kind(own_data=own_data, in_batches=batch_size is not None)
    # all are sent off before any is waited for
    ends = {}
    for name, optimizer in racers.items():
        knobs = np.array([*vars(optimizer).values()], np.float32)
        ends[name] = descend(loss, type(optimizer), kind, knobs, *each, plan, np.float32(tolerance), data, goals)
    return {name: trace(end, at, runs) for name, end in ends.items()}


class Kind(NamedTuple):
    """What is compiled in beside the loss and the optimizer."""

    own_data: bool
    in_batches: bool


def fill(rows: np.ndarray, size: int) -> np.ndarray:
    """Repeat rows until there are ``size`` of them."""
    return np.resize(rows, (size, *rows.shape[1:]))


def bucket(runs: int) -> int:
    """The number of runs rounded up to 2, 8, 32, 128, ...: one compiled loop serves each size.

    A run alone gets company: XLA rounds a batch of one in other places, and its path would not be its path in a crowd.
    Still rounded otherwise in another size: the record of some losses, and sums over data, in their last digit.
    """
    size = 8
    while size < runs:
        size *= 4
    return 2 if runs <= 2 else size


def all_finite(tree):
    """Whether every number of a pytree is finite. Times 0, those that are stay 0, and one question is enough."""
    return jnp.isfinite(sum(jnp.sum(0.0 * leaf) for leaf in jax.tree.leaves(tree)))


def trace(end: tuple[jax.Array, ...], at: np.ndarray, runs: int) -> Trace:
    positions, losses, marks, measures = (np.asarray(part)[:runs] for part in end)
    return Trace(
        steps=at,
        positions=positions[:, : len(at)],
        losses=losses[:, : len(at)],
        stopped_at=marks[:, 0],
        settled_at=marks[:, 1],
        converged_at=marks[:, 2],
        best_losses=measures[:, 0],
        path_lengths=measures[:, 1],
    )


def light(loss, rule, kind, knobs, starts, seeds, plan, tolerance, data, goals) -> bool:
    """Whether a race fits into one kernel: down a formula, from fewer starts than XLA divides among its threads."""
    return not data and len(starts) < 10_000


@compiled(3, one_kernel=light)
def descend(loss, rule, kind, knobs, starts, seeds, plan, tolerance, data, goals):
    """Every run of one optimizer: histories ``(runs, RECORDS + 1, dim)``, ``(runs, RECORDS + 1)``, marks, measures.

    The knobs come as one array, since an argument each would cost more than the race itself. The rule is the
    optimizer's class; a tree structure would not do in its place, since ``==`` holds between those of two classes.
    """
    one = partial(descend_once, loss, rule(*knobs), kind.in_batches, plan, tolerance, goals)
    return jax.vmap(one, in_axes=(0, 0, 0 if kind.own_data else None))(starts, seeds, data)


def descend_once(loss, optimizer, in_batches, plan, tolerance, goals, start, seed, data):
    """One run from one start: its history ``(RECORDS + 1, dim)``, ``(RECORDS + 1,)``, three marks and two measures."""
    steps, stride, batch_size = plan

    def batch_loss(x, chosen):
        each = jax.vmap(lambda *example: loss(x, *(part[None] for part in example)))(*data)
        return jnp.sum(jnp.where(chosen, each, 0)) / jnp.sum(chosen)

    def slope(i, x, places):
        if not in_batches:
            return *jax.value_and_grad(loss)(x, *data), places
        number = per_epoch(places.size, batch_size)
        # one shuffle an epoch: a sort at each step would cost more than the step
        places = jax.lax.cond(i % number == 0, lambda: shuffle(seed, i // number, places.size), lambda: places)
        return loss(x, *data), jax.grad(batch_loss)(x, dealt(places, i, batch_size)), places

    def look_and_move(i, carry):
        run, places, positions, losses = carry
        value, gradient, places = slope(i, run.ahead, places)
        finite = jnp.isfinite(value) & jnp.all(jnp.isfinite(run.ahead)) & jnp.all(jnp.isfinite(gradient))
        going = (run.stopped_at < 0) & (run.settled_at < 0)
        at_goal = jnp.any(jnp.all(jnp.abs(run.ahead - goals) < TOLERANCE, axis=1))
        move, memory = optimizer.update(gradient, run.memory, run.ahead)
        # where the square of a gradient overflows, the next moves would be g / inf = 0 for ever; the last step has none
        remembers = all_finite(memory) | (i == steps)
        still = jnp.abs(value - run.level) < tolerance  # before the first step the level is NaN
        level_for = jnp.where(still, run.level_for + 1, 0)
        moved = _Run(
            ahead=run.ahead + move,
            memory=memory,
            x=run.ahead,
            loss=value,
            best=jnp.minimum(run.best, value),
            length=run.length + jnp.linalg.norm(run.ahead - run.x),
            level=jnp.where(still, run.level, value),
            level_for=level_for,
            stopped_at=jnp.where(remembers, run.stopped_at, i),
            # quiet steps at the end of one epoch and the beginning of the next are no quiet epoch
            settled_at=jnp.where(remembers & (level_for >= long_enough) & (i % epoch == 0), i, run.settled_at),
            converged_at=jnp.where((run.converged_at < 0) & at_goal, i, run.converged_at),
        )
        halted = run._replace(stopped_at=jnp.where(going, i, run.stopped_at))
        run = jax.tree.map(lambda a, b: jnp.where(going & finite, a, b), moved, halted)
        # a record is overwritten until its last step, so the newest one always holds the end
        record = (i + stride - 1) // stride
        return run, places, positions.at[record].set(run.x), losses.at[record].set(run.loss)

    memory = jax.tree.map(jnp.asarray, optimizer.init(start))
    epoch = per_epoch(len(data[0]), batch_size) if in_batches else 1
    long_enough = jnp.maximum(SEVERAL if jax.tree.leaves(memory) else 1, epoch)
    run = _Run(
        ahead=start,
        memory=memory,
        x=start,
        loss=jnp.array(jnp.nan),
        best=jnp.array(jnp.inf),
        length=jnp.array(0.0),
        level=jnp.array(jnp.nan),
        level_for=jnp.array(0),
        stopped_at=jnp.array(-1),
        settled_at=jnp.array(-1),
        converged_at=jnp.array(-1),
    )
    places = jnp.arange(len(data[0])) if in_batches else None
    history = jnp.zeros((RECORDS + 1, start.size)), jnp.zeros(RECORDS + 1)
    run, _, positions, losses = jax.lax.fori_loop(0, steps + 1, look_and_move, (run, places, *history))
    marks = jnp.stack([run.stopped_at, run.settled_at, run.converged_at])
    return positions, losses, marks, jnp.stack([run.best, run.length])
