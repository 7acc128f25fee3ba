"""What several rules remember, and what several have a switch for."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import jax
import jax.numpy as jnp


class Velocity(NamedTuple):
    """The state of a rule with momentum."""

    velocity: Annotated[jax.Array, "v", "the gradients so far added up, each counting less the older it is"]


class SquareSum(NamedTuple):
    """The sum of all squared gradients."""

    square_sum: Annotated[jax.Array, "s", "the squares of all gradients so far, added up"]


class Mean(NamedTuple):
    """A decaying mean of the gradients."""

    mean: Annotated[jax.Array, "m", "the mean of the gradients so far, the newest counting most"]


class Corrected(NamedTuple):
    """The moments, corrected for their start at 0."""

    mean_hat: Annotated[jax.Array, r"\hat m"]
    square_hat: Annotated[jax.Array, r"\hat s"]


class Moments(NamedTuple):
    """Decaying means of the gradients and of their squares, and the number of steps."""

    mean: Annotated[jax.Array, "m", "the mean of the gradients so far, the newest counting most"]
    square: Annotated[jax.Array, "s", "the mean of their squares so far, the newest counting most"]
    t: Annotated[jax.Array | int, "t", "how many steps it has made"]


# What several rules have a switch for. The usual setting gives the usual rule to the last digit: 0 is added to the rest


def coupled_decay(rule):
    """How much weight decay goes into the gradient: all of it, or none where it is decoupled."""
    return jnp.where(rule.decoupled_weight_decay, 0, rule.weight_decay)


def decoupled_decay(rule):
    """How much weight decay pulls on the parameters directly: all of it where it is decoupled, or none."""
    return jnp.where(rule.decoupled_weight_decay, rule.weight_decay, 0)


def root_with_eps(rule, square):
    """What a rule divides by: the root of a square with eps after it, or under it."""
    under, after = jnp.where(rule.eps_in_root, rule.eps, 0), jnp.where(rule.eps_in_root, 0, rule.eps)
    return jnp.sqrt(square + under) + after


def bias_divisor(rule, left):
    """What a mean that began at 0 is divided by: 1 less the weight that is left of its start, or 1 if uncorrected."""
    return jnp.where(rule.bias_correction, 1 - left, 1)


def eigen(matrix):
    """The eigenvalues of a symmetric matrix, and its eigenvectors as columns.

    Of one or two rows in plain numbers: a routine of LAPACK does not fit into the one kernel of a race.
    """
    if len(matrix) == 1:
        return matrix[0], jnp.ones_like(matrix)
    if len(matrix) > 2:
        return jnp.linalg.eigh(matrix)
    (a, b), (_, c) = matrix
    half = (a - c) / 2
    radius = jnp.hypot(half, b)
    along = jnp.where(half < 0, jnp.stack([b, radius - half]), jnp.stack([radius + half, b]))
    length = jnp.hypot(*along)  # of which no square can be too large
    u, v = along / jnp.where(length > 0, length, 1)
    u = jnp.where(length > 0, u, 1)  # where all directions are alike
    return jnp.stack([(a + c) / 2 + radius, (a + c) / 2 - radius]), jnp.stack([jnp.stack([u, -v]), jnp.stack([v, u])])
