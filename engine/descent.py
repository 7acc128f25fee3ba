"""The descent of one optimizer from many starts, as one compiled loop; and what the race shares with the maps.

The race evaluates a point and then moves on from it; ``engine/maps.py`` moves and then evaluates. Each is the faster
way for its layout (the other way round takes 1.2 to 1.4 times as long), so there are two loops. When a run stops, where
it has arrived and which steps are recorded is decided here for both, and a test holds them to the same runs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from engine.batches import batches_per_epoch, in_batch, shuffle
from engine.noise import at_step, with_noise
from engine.optimizers import Rule, update_at
from engine.xla import compiled

MAX_RECORDS = 500  # at most so many steps are recorded, and the start
TOLERANCE = 1e-2  # the notebook's: converged is closer than this to a minimum in every coordinate
MIN_QUIET_STEPS = 10  # in which a rule with a memory hardly changes the loss; in a single one it may be turning back


# ---- shared with the maps


def record_stride(steps: int) -> int:
    """One step in so many is recorded, and the last one. Odd, so that of a run between two points both are seen."""
    return -(-steps // MAX_RECORDS) | 1


def recorded_steps(steps: int) -> Int[np.ndarray, "recorded"]:
    """The steps that are recorded, the start and the last one among them."""
    stride = record_stride(steps)
    return np.minimum(np.arange(-(-steps // stride) + 1) * stride, steps)


def all_finite(tree, run_axes=0):
    """Whether every number of a pytree is finite: times 0 those that are become 0, so one check of the sum is enough.

    With one of ``run_axes``, the last axis of each array, there is an answer for each run; a number without it is that
    of all runs.
    """
    zeros = (jnp.sum(0.0 * leaf, axis=tuple(range(leaf.ndim - run_axes))) for leaf in jax.tree.leaves(tree))
    return jnp.isfinite(sum(zeros))


def near_minima(x, minima):
    """Whether ``x``, ``(dim,)`` or ``(dim, runs)``, is near each of the ``minima`` ``(minima, dim)``."""
    away = x - minima.reshape(*minima.shape, *(1,) * (x.ndim - 1))
    return jnp.all(jnp.abs(away) < TOLERANCE, axis=1)


# ---- the loop of the race


class Events(NamedTuple):
    """The step at which each of these came about, or -1: as in a ``Trace``."""

    stopped_at: Any
    settled_at: Any
    converged_at: Any


class Measures(NamedTuple):
    """What is measured over every step."""

    best_loss: Any
    path_length: Any


class Moves(NamedTuple):
    """What a run followed and did at each record, along one more axis in front of the gradient, the state, the move."""

    gradients: Any  # (MAX_RECORDS + 1, dim)
    states: Any  # of the optimizer, a named tuple of (MAX_RECORDS + 1, ...)
    moves: Any  # (MAX_RECORDS + 1, dim)


class Descent(NamedTuple):
    """What came of a run, or of many along one more axis in front.

    Each further array would take a short race a hundredth longer, so the numbers come packed in two.
    """

    positions: jax.Array  # (MAX_RECORDS + 1, dim)
    losses: jax.Array  # (MAX_RECORDS + 1,)
    events: jax.Array  # (3,) ``Events``
    measures: jax.Array  # (2,) ``Measures``
    moves: Moves | None


class Variant(NamedTuple):
    """What is compiled in beside the loss and the optimizer."""

    own_data: bool
    in_batches: bool
    with_moves: bool = False


class _Run(NamedTuple):
    """A run on its way."""

    proposed: jax.Array  # (dim,) where the last move leads
    accepted: jax.Array  # (dim,) the last finite point, and the loss there
    loss: jax.Array
    state: Any  # of the optimizer
    measures: Measures
    reference_loss: jax.Array  # the loss that it has been within the tolerance of, and for how many steps
    quiet_steps: jax.Array
    events: Events
    moves: Moves | None  # the newest, if they are recorded


def fits_one_kernel(loss, rule, variant, knobs, starts, seeds, plan, tolerance, data, minima, noise) -> bool:
    """Whether a race fits into one kernel: down a formula, from fewer starts than XLA divides among its threads.

    Of more than two parameters XLA may leave products of matrices to routines that cannot be in it.
    """
    return not data and len(starts) < 10_000 and starts.shape[1] <= 2


@compiled(3, one_kernel=fits_one_kernel)
def descend(
    loss: Callable[..., jax.Array],
    rule: Rule,
    variant: Variant,
    knobs: Float[Array, "knobs"],
    starts: Float[Array, "runs dim"],
    seeds: Int[Array, "runs"],
    plan: Int[Array, "3"],
    tolerance: Float[Array, ""],
    data: tuple[jax.Array, ...],
    minima: Float[Array, "minima dim"],
    noise: Float[Array, "rows dim"] | None,
) -> Descent:
    """Every run of one optimizer.

    The knobs come as one array, since an argument each would cost more than the race itself. The rule is the
    optimizer's class; a tree structure would not do in its place, since ``==`` holds between those of two classes.
    """
    one = partial(descend_once, loss, rule(*knobs), variant, plan, tolerance, minima, noise)
    return jax.vmap(one, in_axes=(0, 0, 0 if variant.own_data else None))(starts, seeds, data)


def descend_once(loss, optimizer, variant, plan, tolerance, minima, noise, start, seed, data) -> Descent:
    """One run from one start."""
    steps, stride, batch_size = plan
    in_batches = variant.in_batches

    def full_loss(x):
        return loss(x, *data)

    def batch_loss(mask, x):
        each = jax.vmap(lambda *example: loss(x, *(part[None] for part in example)))(*data)
        return jnp.sum(jnp.where(mask, each, 0)) / jnp.sum(mask)

    def evaluate(i, x, permutation):
        """The loss on all examples, the gradient on the batch, who is in it, and what else a rule may ask for."""
        own_noise = at_step(noise, i)
        if not in_batches:
            value, gradient = jax.value_and_grad(full_loss)(x)
            return value, with_noise(gradient, own_noise), permutation, (value, full_loss, own_noise)
        number = batches_per_epoch(permutation.size, batch_size)
        # one shuffle an epoch: a sort at each step would cost more than the step
        permutation = jax.lax.cond(
            i % number == 0, lambda: shuffle(seed, i // number, permutation.size), lambda: permutation
        )
        value, own_loss = full_loss(x), partial(batch_loss, in_batch(permutation, i, batch_size))
        own_value, gradient = jax.value_and_grad(own_loss)(x)
        return value, with_noise(gradient, own_noise), permutation, (own_value, own_loss, own_noise)

    def step(i, carry):
        run, permutation, histories = carry
        x = run.proposed
        value, gradient, permutation, evaluated = evaluate(i, x, permutation)
        finite = jnp.isfinite(value) & jnp.all(jnp.isfinite(x)) & jnp.all(jnp.isfinite(gradient))
        stopped_at, settled_at, converged_at = run.events
        running = (stopped_at < 0) & (settled_at < 0)
        arrived = jnp.any(near_minima(x, minima))
        move, state = update_at(optimizer, gradient, run.state, x, i, *evaluated)
        # where the square of a gradient overflows, the next moves would be g / inf = 0 for ever; the last step has none
        state_is_finite = all_finite(state) | (i == steps)
        quiet = jnp.abs(value - run.reference_loss) < tolerance  # before the first step there is none: NaN
        quiet_steps = jnp.where(quiet, run.quiet_steps + 1, 0)
        stepped = _Run(
            proposed=x + move,
            accepted=x,
            loss=value,
            state=state,
            measures=Measures(
                best_loss=jnp.minimum(run.measures.best_loss, value),
                path_length=run.measures.path_length + jnp.linalg.norm(x - run.accepted),
            ),
            reference_loss=jnp.where(quiet, run.reference_loss, value),
            quiet_steps=quiet_steps,
            events=Events(
                stopped_at=jnp.where(state_is_finite, stopped_at, i),
                # quiet steps across the boundary of two epochs may leave out examples of each
                settled_at=jnp.where(
                    state_is_finite & (quiet_steps >= min_quiet_steps) & (i % epoch == 0), i, settled_at
                ),
                converged_at=jnp.where((converged_at < 0) & arrived, i, converged_at),
            ),
            moves=Moves(gradient, state, move) if variant.with_moves else None,
        )
        halted = run._replace(events=run.events._replace(stopped_at=jnp.where(running, i, stopped_at)))
        run = jax.tree.map(lambda a, b: jnp.where(running & finite, a, b), stepped, halted)
        # a record is overwritten until its last step, so the newest one always holds the end
        record = (i + stride - 1) // stride
        newest = run.accepted, run.loss, run.moves
        return run, permutation, jax.tree.map(lambda history, new: history.at[record].set(new), histories, newest)

    state = jax.tree.map(jnp.asarray, optimizer.init(start))
    epoch = batches_per_epoch(len(data[0]), batch_size) if in_batches else 1
    min_quiet_steps = jnp.maximum(MIN_QUIET_STEPS if jax.tree.leaves(state) else 1, epoch)
    if (
        not optimizer.keeps_rate
    ):  # a loss that hardly changes while the steps are short says nothing: they may grow again
        min_quiet_steps = steps + 2  # which is never
    run = _Run(
        proposed=start,
        accepted=start,
        loss=jnp.array(jnp.nan),
        state=state,
        measures=Measures(best_loss=jnp.array(jnp.inf), path_length=jnp.array(0.0)),
        reference_loss=jnp.array(jnp.nan),
        quiet_steps=jnp.array(0),
        events=Events(jnp.array(-1), jnp.array(-1), jnp.array(-1)),
        moves=Moves(jnp.full_like(start, jnp.nan), state, jnp.full_like(start, jnp.nan))
        if variant.with_moves
        else None,
    )
    permutation = jnp.arange(len(data[0])) if in_batches else None
    records = run.accepted, run.loss, run.moves
    histories = jax.tree.map(lambda one: jnp.zeros((MAX_RECORDS + 1, *one.shape), one.dtype), records)
    run, _, histories = jax.lax.fori_loop(0, steps + 1, step, (run, permutation, histories))
    positions, losses, moves = histories
    return Descent(positions, losses, jnp.stack(run.events), jnp.stack(run.measures), moves)
