"""Gradient descent, momentum, and the first rules that divide by the size of the gradients."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import jax
import jax.numpy as jnp

from engine.knobs import knob
from engine.optimizers.base import NoState, Optimizer, register
from engine.optimizers.shared import SquareSum, Velocity, coupled_decay, decoupled_decay, root_with_eps


@register
class SGD(Optimizer):
    """Gradient descent: every step goes against the gradient; the steeper the slope, the longer the step."""

    name = "SGD"
    formula = r"x \leftarrow x - \alpha g"
    source = "Robbins & Monro (1951), Ann. Math. Statist. 22(3), 400-407"

    learning_rate: float = knob(0.1, 1e-5, 1.0, r"\alpha", log=True)
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")

    def init(self, x):
        return NoState()

    def update(self, gradient, state, x):
        gradient = gradient + self.weight_decay * x
        return -self.learning_rate * gradient, state

    def curvature_limit(self):
        return 2 / self.learning_rate - self.weight_decay


@register
class Momentum(Optimizer):
    """Like a heavy ball that keeps rolling: each step keeps a part of the step before."""

    name = "Momentum"
    formula = r"v \leftarrow \mu v + g, \quad x \leftarrow x - \alpha v"
    source = "Polyak (1964), USSR Comput. Math. Math. Phys. 4(5), 1-17"

    learning_rate: float = knob(0.01, 1e-5, 1.0, r"\alpha", log=True)
    momentum: float = knob(0.9, 0.0, 0.999, r"\mu")
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")
    decoupled_weight_decay: bool = knob(False, symbol=r"\alpha \lambda x")

    def init(self, x):
        return Velocity(jnp.zeros_like(x))

    def update(self, gradient, state, x):
        gradient = gradient + coupled_decay(self) * x
        velocity = self.momentum * state.velocity + gradient
        return -self.learning_rate * (velocity + decoupled_decay(self) * x), Velocity(velocity)


@register
class Nesterov(Optimizer):
    """Momentum that looks ahead: it adds the newest gradient once more to each step."""

    name = "Nesterov"
    formula = r"v \leftarrow \mu v + g, \quad x \leftarrow x - \alpha (g + \mu v)"
    source = "Nesterov (1983), Soviet Math. Dokl. 27(2), 372-376; Sutskever et al. (2013), ICML"

    learning_rate: float = knob(0.01, 1e-5, 1.0, r"\alpha", log=True)
    momentum: float = knob(0.9, 0.0, 0.999, r"\mu")
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")
    decoupled_weight_decay: bool = knob(False, symbol=r"\alpha \lambda x")

    def init(self, x):
        return Velocity(jnp.zeros_like(x))

    def update(self, gradient, state, x):
        gradient = gradient + coupled_decay(self) * x
        velocity = self.momentum * state.velocity + gradient
        direction = gradient + self.momentum * velocity
        return -self.learning_rate * (direction + decoupled_decay(self) * x), Velocity(velocity)


@register
class AdaGrad(Optimizer):
    """In each coordinate, divides by the size of all gradients so far, so its steps become smaller and smaller."""

    name = "AdaGrad"
    formula = r"s \leftarrow s + g^2, \quad x \leftarrow x - \alpha \, g / (\sqrt{s} + \epsilon)"
    source = "Duchi, Hazan & Singer (2011), JMLR 12, 2121-2159"

    learning_rate: float = knob(0.5, 1e-5, 1.0, r"\alpha", log=True)
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")
    eps: float = knob(1e-10, 1e-12, 1.0, r"\epsilon", log=True)
    eps_in_root: bool = knob(False, symbol=r"\sqrt{s + \epsilon}")
    decoupled_weight_decay: bool = knob(False, symbol=r"\alpha \lambda x")

    def init(self, x):
        return SquareSum(jnp.zeros_like(x))

    def update(self, gradient, state, x):
        gradient = gradient + coupled_decay(self) * x
        square_sum = state.square_sum + gradient**2
        move = -self.learning_rate * gradient / root_with_eps(self, square_sum)
        return move - self.learning_rate * decoupled_decay(self) * x, SquareSum(square_sum)


class RMSPropState(NamedTuple):
    """Decaying means of the squared gradients and of the gradients, and the velocity."""

    square: Annotated[jax.Array, "s", "the mean of the squared gradients so far, the newest counting most"]
    mean: Annotated[jax.Array, r"\bar g", "the mean of the gradients so far; it is used only if centered"]
    velocity: Annotated[jax.Array, "v", "the divided gradients added up, each counting less the older it is"]


@register
class RMSProp(Optimizer):
    """Divides each coordinate of the gradient by its recent size, so steep and flat ones move at a similar speed."""

    name = "RMSProp"
    formula = (
        r"s \leftarrow \gamma s + (1 - \gamma) g^2, \quad "
        r"v \leftarrow \mu v + g / (\sqrt{s} + \epsilon), \quad x \leftarrow x - \alpha v"
    )
    source = "Tieleman & Hinton (2012), Coursera Lecture 6.5; centred as in Graves (2013), arXiv:1308.0850"

    learning_rate: float = knob(0.01, 1e-5, 1.0, r"\alpha", log=True)
    smoothing_constant: float = knob(0.99, 0.0, 0.9999, r"\gamma")
    momentum: float = knob(0.0, 0.0, 0.999, r"\mu")
    centered: bool = knob(False, symbol=r"s - \bar g^2")
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")
    eps: float = knob(1e-8, 1e-12, 1.0, r"\epsilon", log=True)
    eps_in_root: bool = knob(False, symbol=r"\sqrt{s + \epsilon}")
    decoupled_weight_decay: bool = knob(False, symbol=r"\alpha \lambda x")

    def init(self, x):
        return RMSPropState(jnp.zeros_like(x), jnp.zeros_like(x), jnp.zeros_like(x))

    def update(self, gradient, state, x):
        gamma = self.smoothing_constant
        gradient = gradient + coupled_decay(self) * x
        square = gamma * state.square + (1 - gamma) * gradient**2
        mean = gamma * state.mean + (1 - gamma) * gradient
        # rounding can push the spread a hair below zero, where the root has no value
        spread = jnp.where(self.centered, jnp.clip(square - mean**2, 0), square)
        velocity = self.momentum * state.velocity + gradient / root_with_eps(self, spread)
        return -self.learning_rate * (velocity + decoupled_decay(self) * x), RMSPropState(square, mean, velocity)
