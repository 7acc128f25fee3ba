"""What can be measured along a run beside its loss: slopes, steps, effective learning rates, and curvature.

Gradients and steps are a run's moves, from ``race(..., record=True)`` or ``with_moves``: of the very step, also where
only some steps are recorded or a step is too short to be seen in the positions. On mini-batches the gradient is that of
the batch, which the step followed.

A number that 32 bits cannot hold, or that is not defined, is NaN in every result: there is nothing to draw.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import numpy as np
from jaxtyping import Array, Float

from engine.analysis import gradients
from engine.annotations import Arrays
from engine.descent import MAX_RECORDS, Moves
from engine.race import Run
from engine.xla import compiled


def gradient_norms(run: Run) -> Float[np.ndarray, "recorded"]:
    """How steep the loss is at each recorded step: the length of the gradient that the step followed."""
    return in_32_bits(np.linalg.norm(np.asarray(recorded_moves(run).gradients, float), axis=-1))


def step_lengths(run: Run) -> Float[np.ndarray, "recorded"]:
    """How far each recorded step leads. At the end of a run it is a step that is not made any more."""
    return in_32_bits(np.linalg.norm(np.asarray(recorded_moves(run).moves, float), axis=-1))


def effective_rates(run: Run) -> Float[np.ndarray, "recorded dim"]:
    """The step in each coordinate over the gradient there, both without their signs.

    That is the learning rate with which plain gradient descent would go as far. Not defined where the gradient is 0.
    """
    moves = recorded_moves(run)
    gradients, steps = np.asarray(moves.gradients, float), np.asarray(moves.moves, float)
    return in_32_bits(np.abs(steps / np.where(gradients == 0, np.nan, gradients)))


def sharpness(
    loss: Callable[..., jax.Array], positions: Float[np.ndarray, "recorded dim"], data: Arrays = ()
) -> Float[np.ndarray, "recorded"]:
    """The largest eigenvalue of the Hessian at each position: the curvature along the most curved direction.

    Negative where the loss bends down in every direction. ``positions`` are those of a run, at most 501.
    """
    # repeated up to one shape, so that one program serves every number of steps
    padded = np.resize(np.asarray(positions, np.float32), (MAX_RECORDS + 1, positions.shape[-1]))
    each = np.asarray(hessians(loss, padded, tuple(data)), float)[: len(positions)]
    finite = np.isfinite(each).all(axis=(-2, -1))
    return np.where(finite, in_32_bits(np.linalg.eigvalsh(np.where(finite[:, None, None], each, 0.0))[:, -1]), np.nan)


@compiled(1)
def hessians(loss, points: Float[Array, "points dim"], data) -> Float[Array, "points dim dim"]:
    """The Hessian of a loss at many points."""
    return jax.vmap(lambda x: jax.hessian(loss)(x, *data))(points)


def moves_between(loss: Callable[..., jax.Array], positions: Float[np.ndarray, "recorded dim"]) -> Moves:
    """The moves of a path that was not raced: the gradient at each position, and the way to the next one.

    The last position has no next one: NaN. There are no states.
    """
    ways = np.diff(positions, axis=0, append=np.full_like(positions[:1], np.nan))
    return Moves(np.asarray(gradients(loss, positions, ())), (), ways)


def recorded_moves(run: Run) -> Moves:
    """The moves of a run; ``ValueError`` where it has none."""
    if not run.moves:
        raise ValueError("The run has no moves. Race with record=True to have them.")
    return run.moves


def in_32_bits(values: Float[np.ndarray, "*any"]) -> Float[np.ndarray, "*any"]:
    """Numbers rounded to 32 bits; NaN for those that are too large."""
    with np.errstate(over="ignore"):
        rounded = values.astype(np.float32)
    return np.where(np.isfinite(rounded), rounded, np.float32(np.nan))
