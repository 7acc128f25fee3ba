"""Each recorded step of a run, taken apart: what the rule was given, what it made of that, and where it led."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from engine.annotations import Arrays
from engine.batches import batches_per_epoch, in_batch, shuffle
from engine.descent import MAX_RECORDS, Moves
from engine.noise import NO_NOISE, GradientNoise, at_step, with_noise
from engine.optimizers import At, Optimizer, update_at
from engine.race import Run
from engine.xla import compiled


class Steps(NamedTuple):
    """What belongs to the step that begins at each record, along the first axis of every array."""

    gradients: Any  # (records, dim) the one that the rule was given: on mini-batches, of that step's; with its noise
    before: Any  # the state before the step, a named tuple of (records, ...)
    states: Any  # the state after it, as that
    derived: Any  # what the rule derives from it, a named tuple of (records, ...)
    moves: Any  # (records, dim)
    points: Any  # (records, dim) where the move leads
    losses: Any  # (records,) the loss there, on all examples
    evaluations: Any  # (records, 3) how often the step evaluates the loss, its gradient and its Hessian
    evaluated: Any  # (records, 3) and how often all steps until the next record do


def steps_along(
    loss: Callable[..., jax.Array],
    racer: Optimizer,
    positions: Float[np.ndarray, "records dim"],
    steps: Int[np.ndarray, "records"],
    *,
    data: Arrays = (),
    batch_size: int | None = None,
    seed: int = 0,
    noise: GradientNoise = NO_NOISE,
) -> Steps:
    """The step that begins at each of these records of a run; ``loss`` and what is given by name as in ``race``.

    The state follows from the positions: from each of them the rule goes on to the next, and begins again there. So it
    belongs to the run that was shown, where a second run may round differently and end elsewhere.
    """
    more = MAX_RECORDS + 1 - len(steps)  # one shape for all, so that it is compiled once
    found = follow(
        loss,
        racer.rule,
        batch_size is not None,
        np.array([*vars(racer).values()], np.float32),
        np.pad(positions, ((0, more), (0, 0)), mode="edge"),
        np.pad(steps, (0, more), mode="edge").astype(np.int32),
        data,
        np.array([seed, batch_size or 1], np.int32),
        noise.rows(int(steps[-1]), positions.shape[1]),
    )
    return jax.tree.map(lambda part: np.array(part)[: len(steps)], found)


def with_moves(
    loss: Callable[..., jax.Array],
    racer: Optimizer,
    run: Run,
    *,
    data: Arrays = (),
    batch_size: int | None = None,
    seed: int = 0,
    noise: GradientNoise = NO_NOISE,
) -> Run:
    """A run with its moves, as from ``race(..., record=True)``, but along the very positions that it has.

    From its end on they are those of the step that was not made any more.
    """
    positions, steps = run.positions[: run.records], run.taken
    found = steps_along(loss, racer, positions, steps, data=data, batch_size=batch_size, seed=seed, noise=noise)
    there = np.minimum(np.arange(len(run.steps)), len(steps) - 1)
    moves = Moves(found.gradients, found.states, found.moves)
    return replace(run, moves=jax.tree.map(lambda part: part[there], moves))


@compiled(3)
def follow(loss, rule, in_batches, knobs, positions, steps, data, batches, noise):
    """``steps_along`` as one loop over the records."""
    optimizer, (seed, batch_size) = rule(*knobs), batches

    def loss_at(i):
        """The loss that step i goes down: that on all examples, or on its batch."""
        if not in_batches:
            return lambda x: loss(x, *data)
        examples = len(data[0])
        permutation = shuffle(seed, i // batches_per_epoch(examples, batch_size), examples)
        chosen = in_batch(permutation, i, batch_size)

        def of_batch(x):
            each = jax.vmap(lambda *example: loss(x, *(part[None] for part in example)))(*data)
            return jnp.sum(jnp.where(chosen, each, 0)) / jnp.sum(chosen)

        return of_batch

    def step(i, x, state):
        own_noise = at_step(noise, i)
        value, gradient = jax.value_and_grad(loss_at(i))(x)
        gradient = with_noise(gradient, own_noise)
        move, state = update_at(optimizer, gradient, state, x, i, value, loss_at(i), own_noise)
        return gradient, state, move, At(i, value, loss_at(i), own_noise)

    def parts_of(i, x, before, gradient, after, at):
        """What the step is made of, and what it evaluates."""
        now = optimizer.at_step(i)
        parts = now.parts(gradient, before, x, after, at)
        return parts, jnp.array(now.evaluations(i, before, parts), int)

    def on_the_way(i, carry):
        x, before, count = carry
        gradient, after, move, at = step(i, x, before)
        return x + move, after, count + parts_of(i, x, before, gradient, after, at)[1]

    def record(carry, here):
        (before, count), (x, i, until) = carry, here
        gradient, after, move, at = step(i, x, before)
        parts, more = parts_of(i, x, before, gradient, after, at)
        point = x + move
        _, state, count = jax.lax.fori_loop(i + 1, until, on_the_way, (point, after, count + more))
        return (state, count), Steps(gradient, before, after, parts, move, point, loss(point, *data), more, count)

    state = jax.tree.map(jnp.asarray, optimizer.init(positions[0]))
    state = jax.tree.map(lambda part: part.astype(jnp.result_type(part, jnp.float32)), state)
    begin = state, jnp.zeros(3, int)
    return jax.lax.scan(record, begin, (positions, steps, jnp.append(steps[1:], steps[-1])))[1]
