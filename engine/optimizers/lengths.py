"""Rules that find the length of a step in other ways: by signs, by the largest gradients, by the steps themselves."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import jax
import jax.numpy as jnp

from engine.knobs import knob
from engine.optimizers.base import Optimizer, register
from engine.optimizers.shared import Mean, bias_divisor, coupled_decay, decoupled_decay


@register
class Lion(Optimizer):
    """Uses only the sign of the mean gradient: every coordinate moves by the same amount, steep or flat."""

    name = "Lion"
    formula = (
        r"x \leftarrow x - \alpha \lambda x - \alpha \operatorname{sign}(\beta_1 m + (1 - \beta_1) g), \quad "
        r"m \leftarrow \beta_2 m + (1 - \beta_2) g"
    )
    source = "Chen et al. (2023), NeurIPS, arXiv:2302.06675"

    learning_rate: float = knob(0.02, 1e-5, 1.0, r"\alpha", log=True)
    beta1: float = knob(0.9, 0.0, 0.999, r"\beta_1")
    beta2: float = knob(0.99, 0.0, 0.9999, r"\beta_2")
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")
    decoupled_weight_decay: bool = knob(True, symbol=r"\alpha \lambda x")

    def init(self, x):
        return Mean(jnp.zeros_like(x))

    def update(self, gradient, state, x):
        gradient = gradient + coupled_decay(self) * x
        direction = jnp.sign(self.beta1 * state.mean + (1 - self.beta1) * gradient)
        mean = self.beta2 * state.mean + (1 - self.beta2) * gradient
        return -self.learning_rate * (decoupled_decay(self) * x + direction), Mean(mean)


class AdamaxState(NamedTuple):
    """A decaying mean of the gradients, the largest gradient of late, and the number of steps."""

    mean: Annotated[jax.Array, "m", "the mean of the gradients so far, the newest counting most"]
    largest: Annotated[jax.Array, "u", "the largest size of a gradient so far, each counting less the older it is"]
    t: Annotated[jax.Array | int, "t", "how many steps it has made"]


class CorrectedMean(NamedTuple):
    """The mean, corrected for its start at 0."""

    mean_hat: Annotated[jax.Array, r"\hat m"]


@register
class Adamax(Optimizer):
    """Adam that divides by the largest gradient of late, not by the root of a mean of squares."""

    name = "Adamax"
    formula = (
        r"m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad u \leftarrow \max(\beta_2 u, |g| + \epsilon), \quad "
        r"\hat m = m / (1 - \beta_1^t), \quad x \leftarrow x - \alpha \hat m / u"
    )
    source = "Kingma & Ba (2015), ICLR, arXiv:1412.6980, section 7.1"

    learning_rate: float = knob(0.1, 1e-5, 1.0, r"\alpha", log=True)
    beta1: float = knob(0.9, 0.0, 0.999, r"\beta_1")
    beta2: float = knob(0.999, 0.0, 0.9999, r"\beta_2", about="How much of the largest gradient is kept in each step.")
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")
    eps: float = knob(1e-8, 1e-12, 1.0, r"\epsilon", log=True)
    bias_correction: bool = knob(True, symbol=r"1 - \beta^t")
    decoupled_weight_decay: bool = knob(False, symbol=r"\alpha \lambda x")

    def init(self, x):
        return AdamaxState(jnp.zeros_like(x), jnp.zeros_like(x), 0)

    def derived(self, state):
        return CorrectedMean(state.mean / bias_divisor(self, self.beta1**state.t))

    def update(self, gradient, state, x):
        t = state.t + 1
        gradient = gradient + coupled_decay(self) * x
        mean = self.beta1 * state.mean + (1 - self.beta1) * gradient
        largest = jnp.maximum(self.beta2 * state.largest, jnp.abs(gradient) + self.eps)
        direction = mean / bias_divisor(self, self.beta1**t) / largest
        return -self.learning_rate * (direction + decoupled_decay(self) * x), AdamaxState(mean, largest, t)


class AdaDeltaState(NamedTuple):
    """Decaying means of the squared gradients, and of the squared steps."""

    square: Annotated[jax.Array, "s", "the mean of the squared gradients so far, the newest counting most"]
    step_square: Annotated[jax.Array, "u", "the mean of the squared steps so far, as they are with an $\\alpha$ of 1"]


@register
class AdaDelta(Optimizer):
    """Divides by the recent size of the gradients and multiplies by that of its own steps, so it needs no rate."""

    name = "AdaDelta"
    formula = (
        r"s \leftarrow \rho s + (1 - \rho) g^2, \quad "
        r"x \leftarrow x - \alpha \, \frac{\sqrt{u + \epsilon}}{\sqrt{s + \epsilon}} \, g, \quad "
        r"u \leftarrow \rho u + (1 - \rho) \frac{u + \epsilon}{s + \epsilon} \, g^2"
    )
    source = "Zeiler (2012), arXiv:1212.5701"

    learning_rate: float = knob(1.0, 1e-5, 1.0, r"\alpha", log=True)
    rho: float = knob(0.9, 0.0, 0.9999, r"\rho")
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")
    eps: float = knob(
        1e-4,
        1e-12,
        1.0,
        r"\epsilon",
        log=True,
        about="What the steps grow from: the larger, the longer the first ones.",
    )
    decoupled_weight_decay: bool = knob(False, symbol=r"\alpha \lambda x")

    def init(self, x):
        return AdaDeltaState(jnp.zeros_like(x), jnp.zeros_like(x))

    def update(self, gradient, state, x):
        gradient = gradient + coupled_decay(self) * x
        square = self.rho * state.square + (1 - self.rho) * gradient**2
        direction = jnp.sqrt(state.step_square + self.eps) / jnp.sqrt(square + self.eps) * gradient
        step_square = self.rho * state.step_square + (1 - self.rho) * direction**2
        return -self.learning_rate * (direction + decoupled_decay(self) * x), AdaDeltaState(square, step_square)


class RPropState(NamedTuple):
    """The length of the step in each coordinate, and the gradient before."""

    step_size: Annotated[jax.Array, r"\delta", "how long a step is in each coordinate, at the start $\\alpha$"]
    previous: Annotated[jax.Array, "p", "the gradient before; 0 in a coordinate where it had just changed its sign"]


@register
class RProp(Optimizer):
    """Goes by the sign of the gradient alone: a step grows while the sign stays, and shrinks when it changes.

    Where it has changed, one step is left out. In the formula, [...] is 1 where what it says is so, and 0 elsewhere.
    """

    name = "RProp"
    formula = (
        r"\delta \leftarrow \min(\delta_{\max}, \max(\delta_{\min}, "
        r"\delta \, \eta_+^{[g p > 0]} \, \eta_-^{[g p < 0]})), \quad "
        r"p \leftarrow g \, [g p \ge 0], \quad x \leftarrow x - \delta \operatorname{sign}(p)"
    )
    source = "Riedmiller & Braun (1993), ICNN; without a step back as in Igel & Huesken (2000), NC"

    learning_rate: float = knob(0.01, 1e-5, 1.0, r"\alpha", log=True, about="How long the first step is.")
    eta_plus: float = knob(1.2, 1.01, 2.0, r"\eta_+")
    eta_minus: float = knob(0.5, 0.1, 0.99, r"\eta_-")
    min_step_size: float = knob(1e-6, 1e-9, 0.1, r"\delta_{\min}", log=True)
    max_step_size: float = knob(50.0, 1e-3, 50.0, r"\delta_{\max}", log=True)

    def init(self, x):
        return RPropState(self.learning_rate * jnp.ones_like(x), jnp.zeros_like(x))

    def update(self, gradient, state, x):
        agrees = gradient * state.previous
        factor = jnp.where(agrees > 0, self.eta_plus, jnp.where(agrees < 0, self.eta_minus, 1))
        step_size = jnp.clip(state.step_size * factor, self.min_step_size, self.max_step_size)
        previous = jnp.where(agrees < 0, 0, gradient)
        return -step_size * jnp.sign(previous), RPropState(step_size, previous)


@register
class Signum(Optimizer):
    """Each step is equally long in every coordinate: of the mean gradient only the sign counts, not the size."""

    name = "Signum"
    formula = (
        r"m \leftarrow \beta m + (1 - \beta) g, \quad "
        r"x \leftarrow x - \alpha \lambda x - \alpha \operatorname{sign}(m)"
    )
    source = "Bernstein et al. (2018), ICML, arXiv:1802.04434"

    learning_rate: float = knob(0.02, 1e-5, 1.0, r"\alpha", log=True)
    beta: float = knob(0.9, 0.0, 0.999, r"\beta")
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")
    decoupled_weight_decay: bool = knob(True, symbol=r"\alpha \lambda x")

    def init(self, x):
        return Mean(jnp.zeros_like(x))

    def update(self, gradient, state, x):
        gradient = gradient + coupled_decay(self) * x
        mean = self.beta * state.mean + (1 - self.beta) * gradient
        return -self.learning_rate * (decoupled_decay(self) * x + jnp.sign(mean)), Mean(mean)
