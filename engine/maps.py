"""The big batches: where every start of a grid ends up, and what every value of a knob leads to.

Nothing of the way is kept but how it ended, so tens of thousands of runs fit beside each other. They go in blocks small
enough for the processor's nearest memory, and the blocks go to its cores in parallel.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.multihost_utils import process_allgather
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from engine.landscapes import Landscape
from engine.optimizers import Optimizer
from engine.race import TOLERANCE

BLOCK = 1024  # runs that go together
TAIL = 0.2  # of the run is looked at to tell rest from motion, as in ``engine/analysis.py``
VERDICTS = ("converged", "slow", "oscillating", "diverged")

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Basins:
    """Where a run from each point of a grid over a landscape's domain went. Rows are y, columns x."""

    nearest: np.ndarray  # (resolution, resolution) index of the minimum that was reached, -1 for none
    steps: np.ndarray  # (resolution, resolution) the first step within 1e-2 of it in every coordinate, -1 for never
    stopped_at: np.ndarray  # (resolution, resolution) step at which it left the finite numbers, or -1
    ends: np.ndarray  # (resolution, resolution, 2) its last finite point


@dataclass(frozen=True)
class Sweep:
    """The same run for every value of one knob."""

    values: np.ndarray  # (values,)
    losses: np.ndarray  # (values, runs) the last finite loss
    verdicts: np.ndarray  # (values, runs) index into ``VERDICTS``


class _Tail(NamedTuple):
    """How a run moved in its last part."""

    low: jax.Array  # (dim,) how far it moved about
    high: jax.Array
    way: jax.Array  # how long its path was
    start: jax.Array  # (dim,)


class _End(NamedTuple):
    """What is known of a run at its end."""

    x: jax.Array  # (dim,) the last finite point, and the loss there
    loss: jax.Array
    stopped_at: jax.Array
    reached: jax.Array  # index of the minimum, or -1
    reached_at: jax.Array
    tail: _Tail | None


def basins(
    landscape: Landscape,
    optimizer: Optimizer,
    resolution: int,
    steps: int,
    progress: Progress | None = None,
    *,
    devices: Sequence[jax.Device] | None = None,
) -> Basins:
    """A run from each point of a square grid over the domain: which minimum it reaches, and when.

    ``progress`` is called with the share that is done, after each block; what it raises ends the work. With
    ``devices`` the runs are dealt to those, of one process or of several: then each process calls this alike, and
    each gets the whole map; there is no progress in between.
    Raises ``ValueError`` for a resolution or a number of steps below 1.
    """
    if resolution < 1 or steps < 1:
        raise ValueError(f"resolution is {resolution} and steps is {steps}. Let both be at least 1.")
    sides = (np.linspace(low, high, resolution, dtype=np.float32) for low, high in landscape.domain)
    starts = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2)
    if devices is None:
        end = run_all(landscape.loss, optimizer, None, np.zeros(len(starts)), starts, steps, landscape.minima, progress)
    else:
        end = run_across(devices, landscape.loss, optimizer, starts, steps, landscape.minima)
    square = (resolution, resolution)
    return Basins(
        nearest=np.reshape(end.reached, square),
        steps=np.reshape(end.reached_at, square),
        stopped_at=np.reshape(end.stopped_at, square),
        ends=np.reshape(end.x, (*square, 2)),
    )


def sweep(
    loss: Callable[..., jax.Array],
    optimizer: Optimizer,
    knob: str,
    values: Sequence[float] | np.ndarray,
    starts: Any,
    steps: int,
    *,
    minima: Sequence[Sequence[float]] = (),
    progress: Progress | None = None,
) -> Sweep:
    """The same run for every value of one knob, from one or many ``starts`` ``(runs, dim)``.

    Raises ``ValueError`` for a knob that the optimizer does not have, or no values, starts or steps.
    """
    names = [f.name for f in fields(optimizer)]  # type: ignore[arg-type]
    if knob not in names:
        raise ValueError(f"{optimizer.name} has no knob '{knob}'. Choose one of: {', '.join(names)}.")
    values, starts = np.asarray(values, np.float32), np.asarray(starts, np.float32)
    if values.ndim != 1 or starts.ndim != 2 or 0 in (*values.shape, *starts.shape) or steps < 1:
        raise ValueError(
            f"values has shape {values.shape}, starts {starts.shape}, steps is {steps}. "
            "Give values as (values,), starts as (runs, dim), and at least 1 step."
        )
    each_value, each_start = np.repeat(values, len(starts)), np.tile(starts, (len(values), 1))
    end = run_all(loss, optimizer, names.index(knob), each_value, each_start, steps, minima, progress)
    shape = (len(values), len(starts))
    return Sweep(values, np.reshape(end.loss, shape), judge(end, minima).reshape(shape))


def judge(end: _End, minima: Sequence[Sequence[float]]) -> np.ndarray:
    """The verdict on each run, as an index into ``VERDICTS``."""
    assert end.tail is not None
    ends, stopped = np.asarray(end.x), np.asarray(end.stopped_at)
    low, high, way, start = (np.asarray(part) for part in end.tail)
    goals = np.asarray(minima, float).reshape(-1, ends.shape[1])
    there = (np.abs(ends[:, None] - goals) < TOLERANCE).all(axis=2).any(axis=1)
    moving = (high - low).max(axis=1) > TOLERANCE
    turning = np.linalg.norm(ends - start, axis=1) < 0.25 * way
    return np.select([stopped >= 0, there, moving & turning], [3, 0, 2], 1)


def run_all(loss, optimizer, swept, values, starts, steps, minima, progress) -> _End:
    """Every run, in blocks: from ``starts`` ``(runs, dim)``, with ``values`` ``(runs,)`` for the knob ``swept``."""
    goals = np.asarray(minima, np.float32).reshape(-1, starts.shape[1])
    plan = np.array([steps, int((1 - TAIL) * steps)], np.int32)
    knobs, values = np.array([*vars(optimizer).values()], np.float32), np.asarray(values, np.float32)

    def block(first: int) -> _End:
        # the last block is filled up, so that all are of one size and compiled once
        some = np.arange(first, first + BLOCK) % len(starts)
        end = run_block(loss, type(optimizer), swept, knobs, plan, goals, values[some], starts[some])
        return jax.tree.map(np.asarray, end)

    parts: list[_End] = list(in_order(block, range(0, len(starts), BLOCK), progress))
    return jax.tree.map(lambda *pieces: np.concatenate(pieces)[: len(starts)], *parts)


def in_order(act: Callable[[int], _End], places: range, progress: Progress | None) -> Iterator[_End]:
    """The results of ``act``, computed on every core, in the order of ``places``."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        work = [pool.submit(act, place) for place in places]
        try:
            for done, part in enumerate(work, start=1):
                yield part.result()
                if progress:
                    progress(done / len(work))
        finally:
            for part in work:  # whoever leaves early leaves no work behind
                part.cancel()


def run_across(devices, loss, optimizer, starts, steps, minima) -> _End:
    """Every run, dealt to the devices in whole blocks, so that each is rounded as it would be on one device."""
    mesh = Mesh(np.array(devices), ("devices",))
    goals = np.asarray(minima, np.float32).reshape(-1, starts.shape[1])
    plan = np.array([steps, int((1 - TAIL) * steps)], np.int32)
    knobs = np.array([*vars(optimizer).values()], np.float32)
    each = -(-len(starts) // (BLOCK * len(devices)))
    blocks = starts[np.arange(each * len(devices) * BLOCK) % len(starts)].reshape(-1, BLOCK, starts.shape[1])
    dealt = jax.make_array_from_callback(blocks.shape, NamedSharding(mesh, P("devices")), lambda part: blocks[part])
    end = run_shards(loss, type(optimizer), mesh, knobs, plan, goals, dealt)
    return jax.tree.map(lambda part: gather(part).reshape(-1, *part.shape[2:])[: len(starts)], end)


def gather(part: jax.Array) -> np.ndarray:
    """All of an array, wherever its pieces are."""
    return np.asarray(part if part.is_fully_addressable else process_allgather(part, tiled=True))


@partial(jax.jit, static_argnames=("loss", "rule", "mesh"))
def run_shards(loss, rule, mesh, knobs, plan, goals, blocks):
    """Each device goes through its own blocks ``(blocks, BLOCK, dim)``, one after the other."""

    def shard(knobs, plan, goals, blocks):
        nothing_swept = jnp.zeros(BLOCK)
        return jax.lax.map(lambda some: run_block(loss, rule, None, knobs, plan, goals, nothing_swept, some), blocks)

    specs = P(), P(), P(), P("devices")
    return jax.shard_map(shard, mesh=mesh, in_specs=specs, out_specs=P("devices"), check_vma=False)(
        knobs, plan, goals, blocks
    )


@partial(jax.jit, static_argnames=("loss", "rule", "swept"))
@partial(jax.vmap, in_axes=(None, None, None, None, None, None, 0, 0))
def run_block(loss, rule, swept, knobs, plan, goals, value, start):
    """One run, of which only the end is kept. The steps and the rules for stopping are those of ``race``."""
    # the other knobs stay single numbers: what is the same for all runs is computed once for all of them
    optimizer = rule(*(value if place == swept else knob for place, knob in enumerate(knobs)))
    steps, tail = plan
    slope = jax.value_and_grad(loss)

    def look_and_move(i, carry):
        ahead, memory, end = carry
        value, gradient = slope(ahead)
        going = (end.stopped_at < 0) & jnp.isfinite(value + jnp.sum(ahead) + jnp.sum(gradient))
        move, memory = optimizer.update(gradient, memory, ahead)
        reached, reached_at = end.reached, end.reached_at
        for place, goal in enumerate(goals):
            arrives = going & (reached_at < 0) & jnp.all(jnp.abs(ahead - goal) < TOLERANCE)
            reached, reached_at = jnp.where(arrives, place, reached), jnp.where(arrives, i, reached_at)
        looked = _End(
            x=jnp.where(going, ahead, end.x),
            loss=jnp.where(going, value, end.loss),
            stopped_at=jnp.where(going | (end.stopped_at >= 0), end.stopped_at, i),
            reached=reached,
            reached_at=reached_at,
            tail=end.tail and follow(end.tail, i > tail, end.x, ahead, going),
        )
        # whoever has stopped goes on as NaN, which is cheaper than holding the memory still
        return jnp.where(going, ahead + move, jnp.nan), memory, looked

    end = _End(
        x=start,
        loss=jnp.array(jnp.nan),
        stopped_at=jnp.array(-1),
        reached=jnp.array(-1),
        reached_at=jnp.array(-1),
        tail=None if swept is None else _Tail(start, start, jnp.array(0.0), start),
    )
    memory = jax.tree.map(jnp.asarray, optimizer.init(start))
    return jax.lax.fori_loop(0, steps + 1, look_and_move, (start, memory, end))[2]


def follow(tail, in_tail, last, ahead, going):
    """The last part of a run with one more point; before it begins, that point alone."""
    here = jnp.where(going, ahead, last)
    return _Tail(
        low=jnp.where(in_tail, jnp.minimum(tail.low, here), here),
        high=jnp.where(in_tail, jnp.maximum(tail.high, here), here),
        way=jnp.where(in_tail, tail.way + jnp.linalg.norm(here - last), 0.0),
        start=jnp.where(in_tail, tail.start, here),
    )
