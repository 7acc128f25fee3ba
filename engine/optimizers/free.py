"""Rules that find their own learning rate."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import jax
import jax.numpy as jnp

from engine.knobs import knob
from engine.optimizers.base import Optimizer, register


class ProdigyState(NamedTuple):
    """The means of Adam, weighed by the distance, and what the distance is estimated from."""

    mean: Annotated[jax.Array, "m", "the mean of the gradients so far, each times the distance of its step"]
    square: Annotated[jax.Array, "s", "the mean of their squares so far, times the distance as well"]
    progress: Annotated[jax.Array, "r", "how far the gradients say that it has come, the newest counting most"]
    gradient_sum: Annotated[jax.Array, "k", "the gradients added up as those of the way, the newest counting most"]
    distance: Annotated[jax.Array, "d", "how far away the minimum is at least, as far as it knows; at the start $d_0$"]
    way_back: Annotated[jax.Array, "w", "the way from where it is to where it began"]


class ProdigyParts(NamedTuple):
    """The step of Adam with a learning rate of 1."""

    direction: Annotated[jax.Array, "u"]


@register
class Prodigy(Optimizer):
    """Adam that finds its own learning rate: from the gradients on its way it learns how far away the minimum is.

    It begins with a distance of $d_0$, much too short, which grows while the gradients go on pointing the same way.
    """

    name = "Prodigy"
    formula = (
        r"m \leftarrow \beta_1 m + (1 - \beta_1) d g, \quad s \leftarrow \beta_2 s + (1 - \beta_2) (d g)^2, \quad "
        r"r \leftarrow \sqrt{\beta_2} r + \alpha d^2 \left\langle g, w \right\rangle, \quad "
        r"k \leftarrow \sqrt{\beta_2} k + \alpha d^2 g, \quad "
        r"u = m / (\sqrt{s} + d \epsilon), \quad x \leftarrow x - \alpha d u, \quad w \leftarrow w + \alpha d u, \quad "
        r"d \leftarrow \max(d, r / \left\| k \right\|_1)"
    )
    source = "Mishchenko & Defazio (2024), ICML, arXiv:2306.06101"

    learning_rate: float = knob(
        1.0, 1e-5, 1.0, r"\alpha", log=True, about="What the distance that it finds is multiplied by."
    )
    beta1: float = knob(0.9, 0.0, 0.999, r"\beta_1")
    beta2: float = knob(0.999, 0.0, 0.9999, r"\beta_2")
    initial_distance: float = knob(1e-6, 1e-8, 1.0, "d_0", log=True)
    eps: float = knob(1e-8, 1e-12, 1.0, r"\epsilon", log=True)

    def init(self, x):
        zero = jnp.zeros_like(x)
        return ProdigyState(zero, zero, jnp.sum(zero), zero, self.initial_distance + jnp.sum(zero), zero)

    def parts(self, gradient, before, x, after, at):
        return ProdigyParts(after.mean / (jnp.sqrt(after.square) + before.distance * self.eps))

    def update(self, gradient, state, x):
        distance = state.distance
        mean = self.beta1 * state.mean + (1 - self.beta1) * distance * gradient
        square = self.beta2 * state.square + (1 - self.beta2) * (distance * gradient) ** 2
        kept, weight = self.beta2**0.5, self.learning_rate * distance**2
        progress = kept * state.progress + weight * jnp.sum(gradient * state.way_back)
        gradient_sum = kept * state.gradient_sum + weight * gradient
        size = jnp.sum(jnp.abs(gradient_sum))
        found = jnp.where(size > 0, progress / jnp.where(size > 0, size, 1), 0)
        move = -self.learning_rate * distance * (mean / (jnp.sqrt(square) + distance * self.eps))
        # not x from the start: the first steps are so short that little of them is left in the rounded x
        way_back = state.way_back - move
        return move, ProdigyState(mean, square, progress, gradient_sum, jnp.maximum(distance, found), way_back)
