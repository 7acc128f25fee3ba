"""Very many runs side by side, of which only the end is kept.

They go in blocks small enough for the processor's cache, and several blocks at a time go to each of its cores.
In a block an array has the coordinates first and the runs last: what is done to all runs then lies side by side, as
vector units want it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.multihost_utils import process_allgather
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from engine.descent import all_finite, near_minima, record_stride, recorded_steps
from engine.facts import LAST_MOVES, tail_start
from engine.noise import at_step, with_noise
from engine.optimizers import update_at
from engine.xla import compiled
from engine.xla.compile import put_together, take_apart

BLOCK = 256  # runs that go together
BLOCKS_PER_TASK = 16  # blocks that a thread computes at a time
# Greater than any step. With the greatest integer XLA would drop the minimum and store each number only where it is to
# change; and AMD's processors with AVX2 take ten times as long for such a masked store.
NEVER = 2**30
Progress = Callable[[float], None]


class _Tail(NamedTuple):
    """How runs moved in their last part, from record to record as a race keeps them."""

    low: jax.Array  # (dim, runs) how far they moved about
    high: jax.Array
    length: jax.Array  # (runs,) of their path
    start: jax.Array  # (dim, runs)
    last: jax.Array  # (dim, runs) the newest record
    moves: jax.Array  # (LAST_MOVES, runs) the lengths of the newest moves of ``stride`` steps
    losses: jax.Array  # (LAST_MOVES + 1, runs) between which they led
    highest: jax.Array  # (runs,) the largest loss of all records but the last one
    early: jax.Array  # (runs,) the largest loss of those in the first half


class _End(NamedTuple):
    """What is known of runs so far, and at their end, where the runs come first."""

    position: jax.Array  # (dim, runs) the last finite one
    stopped_at: jax.Array  # (runs,) step, or NEVER
    reached_at: jax.Array  # (minima, runs) the first step near each minimum, or NEVER
    tail: _Tail | None  # of a sweep, as are
    first_loss: jax.Array | None = None  # (runs,)
    loss: jax.Array | None = None  # (runs,) the last finite one


def run_all(loss, optimizer, swept, values, starts, steps, minima, noise, progress) -> _End:
    """Every run: from ``starts`` ``(runs, dim)``, with ``values`` ``(runs,)`` for the knob ``swept``."""
    same = common_arguments(optimizer, minima, starts, noise, steps)
    blocks = in_blocks(BLOCKS_PER_TASK, values, starts, steps)

    def task(first: int) -> _End:
        some = (part[first : first + BLOCKS_PER_TASK] for part in blocks)
        return jax.device_get(run_compiled_blocks(loss, optimizer.rule, swept, *same, *some))

    parts = list(map_in_order(task, range(0, len(blocks[0]), BLOCKS_PER_TASK), progress))
    return jax.tree.map(lambda *pieces: unblock(np.concatenate(pieces), len(starts)), *parts)


def common_arguments(optimizer, minima, starts, noise, steps) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """What all runs have in common: knobs, minima (without any, NaN, which no run comes near), and noise."""
    dim = starts.shape[1]
    minima = np.array(minima or [[np.nan] * dim], np.float32)
    return np.array([*vars(optimizer).values()], np.float32), minima, noise.rows(steps, dim)


def in_blocks(per_task, values, starts, steps) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Steps, values and starts in blocks. The last task is padded with blocks that take no step, so that all are of one
    size and compiled once."""
    first = BLOCK * np.arange(-(-len(starts) // (BLOCK * per_task)) * per_task)
    recorded = recorded_steps(steps)
    plan = steps, record_stride(steps), recorded[tail_start(len(recorded))]
    plans = np.where(first[:, None] < len(starts), plan, 0).astype(np.int32)
    blocks = len(first), BLOCK
    return plans, np.resize(values.astype(np.float32), blocks), np.resize(starts, (*blocks, starts.shape[1]))


def unblock(blocks: np.ndarray, runs: int) -> np.ndarray:
    """From ``(blocks, BLOCK, ...)`` to ``(runs, ...)``."""
    return blocks.reshape(-1, *blocks.shape[2:])[:runs]


def map_in_order(function: Callable[[int], _End], arguments: range, progress: Progress | None) -> Iterator[_End]:
    """The results of ``function``, computed on every core, in the order of the ``arguments``."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        futures = [pool.submit(function, argument) for argument in arguments]
        try:
            for done, part in enumerate(futures, start=1):
                yield part.result()
                if progress:
                    progress(done / len(futures))
        finally:
            for part in futures:  # where the caller raises or stops, what has not begun is cancelled
                part.cancel()


def run_across(devices, loss, optimizer, starts, steps, minima, noise) -> _End:
    """Every run, divided among the devices in whole blocks, so that each is rounded as it would be on one device."""
    mesh = Mesh(np.array(devices), ("devices",))
    blocks = in_blocks(len(devices), np.zeros(len(starts)), starts, steps)
    each = NamedSharding(mesh, P("devices"))
    sharded = (jax.make_array_from_callback(part.shape, each, part.__getitem__) for part in blocks)
    kind, numbers = take_apart(loss)
    same = common_arguments(optimizer, minima, starts, noise, steps)
    end = run_shards(kind, optimizer.rule, mesh, numbers, *same, *sharded)
    return jax.tree.map(lambda part: unblock(gather(part), len(starts)), end)


def gather(part: jax.Array) -> np.ndarray:
    """All of an array, wherever its pieces are."""
    return np.asarray(part if part.is_fully_addressable else process_allgather(part, tiled=True))


@partial(jax.jit, static_argnames=("kind", "rule", "mesh"))
def run_shards(kind, rule, mesh, numbers, knobs, minima, noise, plans, values, starts):
    """Each device goes through its own blocks. ``kind`` and ``numbers`` are the loss, taken apart."""

    def shard(numbers, *arrays):
        return run_blocks(put_together(kind, numbers), rule, None, *arrays)

    specs = P(), P(), P(), P(), P("devices"), P("devices"), P("devices")
    return jax.shard_map(shard, mesh=mesh, in_specs=specs, out_specs=P("devices"), check_vma=False)(
        numbers, knobs, minima, noise, plans, values, starts
    )


def run_blocks(loss, rule, swept, knobs, minima, noise, plans, values, starts):
    """One block after the other: ``plans`` ``(blocks, 3)``, ``values`` ``(blocks, BLOCK)``, ``starts`` ``(blocks,
    BLOCK, dim)``."""
    return jax.lax.map(
        lambda block: run_block(loss, rule, swept, knobs, minima, noise, *block), (plans, values, starts)
    )


run_compiled_blocks = compiled(3)(run_blocks)


def run_block(loss, rule, swept, knobs, minima, noise, plan, values, starts):
    """A block of runs, of which only the end is kept. The steps and the rules for stopping are those of ``race``."""
    steps, x = plan[0], starts.T
    init, update = vectorize_rule(loss, rule, swept, knobs, values, x, noise)

    def slope(i, x):
        value, back = jax.vjp(jax.vmap(loss, in_axes=-1), x)
        (gradient,) = back(jnp.ones_like(value))
        return value, with_noise(gradient, None if noise is None else noise[i][:, None])

    def evaluate(i, end, state, last, x, value, gradient):
        stopped_at = jnp.minimum(end.stopped_at, jnp.where(all_finite(state, run_axes=1), NEVER, i - 1))
        stopped_at = jnp.minimum(stopped_at, jnp.where(all_finite((value, x, gradient), run_axes=1), NEVER, i))
        running = stopped_at == NEVER
        stops = ~running & (end.stopped_at == NEVER)
        near = near_minima(x, minima) & running
        return _End(
            # a sum with 0, for choosing between old and new would be such a masked store
            position=end.position + jnp.where(stops, last, 0.0),
            stopped_at=stopped_at,
            reached_at=jnp.minimum(end.reached_at, jnp.where(near, i, NEVER)),
            tail=end.tail and extend_tail(end.tail, plan, i, running, x, value),
        )

    def move_and_evaluate(i, carry):
        # a stopped run goes on, but what becomes of it is no longer used
        end, last, value, gradient, state = carry
        move, state = update(gradient, state, last, i - 1, value)
        x = last + move
        value, gradient = slope(i, x)
        return evaluate(i, end, state, last, x, value, gradient), x, value, gradient, state

    never = jnp.full(BLOCK, NEVER)
    end = _End(jnp.zeros_like(x), never, jnp.stack([never] * len(minima)), None if swept is None else empty_tail(x))
    value, gradient = slope(0, x)
    first = evaluate(0, end, (), x, x, value, gradient)
    end, x, *_ = jax.lax.fori_loop(1, steps + 1, move_and_evaluate, (first, x, value, gradient, init(x)))
    end = end._replace(position=jnp.where(end.stopped_at == NEVER, x, end.position))
    if swept is not None:
        began = first.stopped_at == NEVER
        last_value = jax.vmap(loss, in_axes=-1)(end.position)
        end = end._replace(first_loss=jnp.where(began, value, jnp.nan), loss=jnp.where(began, last_value, jnp.nan))
    return jax.tree.map(jnp.transpose, end)


def vectorize_rule(loss, rule, swept, knobs, values, x, noise=None):
    """An optimizer's ``init`` and ``update`` for many runs, each with its own value of the knob that is swept.

    A number that it remembers, such as that of its steps, is kept once for all runs where it does not depend on them:
    what follows from it, such as a power, is then computed once.
    """

    def init(value, x):
        return jax.tree.map(jnp.asarray, with_value(value).init(x))

    def update(value, gradient, state, x, step, at_x):
        return update_at(with_value(value), gradient, state, x, step, at_x, loss, at_step(noise, step))

    def with_value(value):
        return rule(*(value if index == swept else knob for index, knob in enumerate(knobs)))

    one = jax.eval_shape(init, values[0], x[:, 0])
    for numbers in (None, -1):
        axes = jax.tree.map(lambda part, axis=numbers: -1 if part.ndim else axis, one)
        all_init = jax.vmap(init, (0, -1), axes)
        all_update = jax.vmap(update, (0, -1, axes, -1, None, 0), (-1, axes))
        try:
            jax.eval_shape(all_update, values, x, all_init(values, x), x, 0, values)
            break
        except ValueError:  # it differs from run to run
            continue
    return partial(all_init, values), partial(all_update, values)


def empty_tail(x):
    """The last part of runs at their start ``x``."""
    none, lowest = jnp.zeros((LAST_MOVES, BLOCK)), jnp.full(BLOCK, -jnp.inf)
    return _Tail(
        x, x, none[0], x, x, moves=none, losses=jnp.zeros((LAST_MOVES + 1, BLOCK)), highest=lowest, early=lowest
    )


def extend_tail(tail, plan, i, running, x, value):
    """The last part of runs with one more point, if that is recorded and in it."""
    steps, stride, first = plan
    on_stride = i % stride == 0
    highest = jnp.maximum(tail.highest, jnp.where(on_stride & (i < steps), value, -jnp.inf))
    early = jnp.maximum(tail.early, jnp.where(on_stride & (2 * i <= steps), value, -jnp.inf))
    recorded = (i >= first) & (on_stride | (i == steps))
    new = i == first, on_stride, jnp.where(running, x, tail.last), jnp.where(running, value, tail.losses[-1])
    return jax.lax.cond(recorded, with_record, lambda tail, *_: tail, tail, *new)._replace(highest=highest, early=early)


def with_record(tail, is_first, on_stride, x, value):
    """The last part of runs with one more record, or of that alone where it is the first one.

    What was the move to the first one is not known; ``MIN_TAIL`` records are enough to push it out.
    """
    move = x - tail.last
    largest = jnp.max(jnp.abs(move), axis=0)  # or the square of a long move would overflow
    length = largest * jnp.linalg.norm(move / jnp.where(largest > 0, largest, 1.0), axis=0)
    return _Tail(
        low=jnp.where(is_first, x, jnp.minimum(tail.low, x)),
        high=jnp.where(is_first, x, jnp.maximum(tail.high, x)),
        length=jnp.where(is_first, 0.0, tail.length + length),
        start=jnp.where(is_first, x, tail.start),
        last=x,
        moves=jnp.where(on_stride, shift_in(tail.moves, length), tail.moves),
        losses=jnp.where(on_stride, shift_in(tail.losses, value), tail.losses),
        highest=tail.highest,
        early=tail.early,
    )


def shift_in(newest, value):
    """The newest values, the oldest first, with one more in the place of the oldest."""
    return jnp.concatenate([newest[1:], value[None]])
