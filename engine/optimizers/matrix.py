"""Rules that take the parameters for a matrix, and go equally far in all of its directions."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import jax
import jax.numpy as jnp

from engine.knobs import knob
from engine.optimizers.base import Optimizer, register
from engine.optimizers.shared import Velocity, eigen

SIDE = 8  # of the only matrix here, that of the associative memory (engine/associative.py)
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # as published; they take singular values between 0.7 and 1.2
ROUNDS = 5
LEAST = 1e-4  # of the largest eigenvalue of a sum: smaller ones count as that


def as_matrix(x):
    """The parameters as a matrix: 64 row by row as 8 by 8, any other number of them as one column."""
    return x.reshape(SIDE, SIDE) if len(x) == SIDE**2 else x.reshape(len(x), 1)


def orthogonalize(matrix):
    """A matrix with all its singular values near 1: five rounds of Newton and Schulz, without computing them."""
    size = jnp.linalg.norm(matrix)
    # where the square of an entry is too large for a number, every step would be 0 for ever: the run stops
    matrix = matrix / jnp.where(jnp.isfinite(size), size + 1e-8, jnp.nan)
    first, third, fifth = NEWTON_SCHULZ
    for _ in range(ROUNDS):
        square = matrix.T @ matrix
        matrix = first * matrix + matrix @ (third * square + fifth * square @ square)
    return matrix


class MuonParts(NamedTuple):
    """The way of a step."""

    way: Annotated[jax.Array, "o"]


@register
class Muon(Optimizer):
    """Momentum for a matrix: each step is equally long in all of its directions, in those of rare examples too.

    orth(...) is the matrix of a vector, with all its singular values near 1. On a landscape of two parameters, Muon has
    no matrix to work on, only a column: its steps are those of momentum, made equally long, and say nothing of what it
    is for. See it in the tab Many dimensions, with the problem “Associative memory”.
    """

    name = "Muon"
    formula = r"v \leftarrow \mu v + g, \quad o = \operatorname{orth}{(g + \mu v)}, \quad x \leftarrow x - \alpha o"
    source = "Jordan et al. (2024), Muon: An optimizer for hidden layers in neural networks, kellerjordan.github.io"

    learning_rate: float = knob(0.02, 1e-5, 1.0, r"\alpha", log=True)
    momentum: float = knob(0.95, 0.0, 0.999, r"\mu")

    def init(self, x):
        return Velocity(jnp.zeros_like(x))

    def parts(self, gradient, before, x, after, at):
        return MuonParts(orthogonalize(as_matrix(gradient + self.momentum * after.velocity)).reshape(len(x)))

    def update(self, gradient, state, x):
        velocity = self.momentum * state.velocity + gradient
        way = orthogonalize(as_matrix(gradient + self.momentum * velocity)).reshape(len(x))
        return -self.learning_rate * way, Velocity(velocity)


class ShampooState(NamedTuple):
    """What the gradients so far were like, in the directions of their rows and of their columns."""

    left: Annotated[
        jax.Array, "P", "the rows of all gradients multiplied with each other, added up; at the start $\\epsilon I$"
    ]
    right: Annotated[jax.Array, "Q", "the same of their columns"]


class ShampooParts(NamedTuple):
    """The gradient as a matrix, and the direction of the step."""

    matrix: Annotated[jax.Array, "G"]
    direction: Annotated[jax.Array, "d"]


def inverse_root(of, eps):
    """1 over the fourth root of a sum, of its eigenvalues and eigenvectors: the fourth, as there are two sums."""
    sizes, directions = of
    # of an eigenvalue much smaller than the largest, 32 bits hold nothing but rounding, which can be below 0
    least = LEAST * jnp.max(sizes)
    least = jnp.where(eps > least, eps, least)
    return (directions * jnp.maximum(sizes, least) ** -0.25) @ directions.T


@register
class Shampoo(Optimizer):
    """AdaGrad for a matrix: it divides by the size of the gradients so far, in each direction of rows and of columns.

    matrix(g) is the gradient as a matrix, and d is taken for a vector again. The paper calls the two sums L and R. On a
    landscape of two parameters there is only a column, which has one row sum and says nothing of what it is for. See it
    in the tab Many dimensions, with the problem “Associative memory”.
    """

    name = "Shampoo"
    formula = (
        r"G = \operatorname{matrix}{(g)}, \quad P \leftarrow P + G G^\top, \quad Q \leftarrow Q + G^\top G, \quad "
        r"d = P^{-1/4} G Q^{-1/4}, \quad x \leftarrow x - \alpha d"
    )
    source = "Gupta, Koren & Singer (2018), ICML, arXiv:1802.09568"

    learning_rate: float = knob(0.2, 1e-5, 1.0, r"\alpha", log=True)
    eps: float = knob(
        1e-2,
        1e-12,
        1.0,
        r"\epsilon",
        log=True,
        about="What all directions begin with. A gradient whose square is smaller is not divided by its own size.",
    )

    def init(self, x):
        rows, columns = as_matrix(x).shape
        return ShampooState(self.eps * jnp.eye(rows), self.eps * jnp.eye(columns))

    def parts(self, gradient, before, x, after, at):
        matrix = as_matrix(gradient)
        rows, columns = (inverse_root(eigen(sums), self.eps) for sums in after)
        return ShampooParts(matrix, rows @ matrix @ columns)

    def update(self, gradient, state, x):
        matrix = as_matrix(gradient)
        state = ShampooState(state.left + matrix @ matrix.T, state.right + matrix.T @ matrix)
        rows, columns = inverse_root(eigen(state.left), self.eps), inverse_root(eigen(state.right), self.eps)
        return -self.learning_rate * (rows @ matrix @ columns).reshape(len(x)), state
