"""Younger relatives of Adam."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import jax
import jax.numpy as jnp

from engine.knobs import knob
from engine.optimizers.base import Optimizer, register
from engine.optimizers.shared import bias_divisor, coupled_decay, decoupled_decay


class AdanState(NamedTuple):
    """Decaying means of the gradients, their changes and squares, the gradient before, and the number of steps."""

    mean: Annotated[jax.Array, "m", "the mean of the gradients so far, the newest counting most"]
    change: Annotated[jax.Array, "v", "the mean of how much the gradient changed from step to step"]
    square: Annotated[jax.Array, "n", "the mean of the squares of the gradients a step ahead"]
    previous: Annotated[jax.Array, "p", "the gradient before"]
    t: Annotated[jax.Array | int, "t", "how many steps it has made"]


class AdanDerived(NamedTuple):
    """The three means, corrected for their start at 0."""

    mean_hat: Annotated[jax.Array, r"\hat m"]
    change_hat: Annotated[jax.Array, r"\hat v"]
    square_hat: Annotated[jax.Array, r"\hat n"]


@register
class Adan(Optimizer):
    """Adam that looks ahead: it adds how much the gradient is changing from one step to the next.

    In the formula, [...] is 1 where what it says is so, and 0 elsewhere: the first gradient has changed from nothing.
    """

    name = "Adan"
    formula = (
        r"m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad "
        r"v \leftarrow \beta_2 v + (1 - \beta_2) (g - p) [t > 1], \quad "
        r"n \leftarrow \beta_3 n + (1 - \beta_3) (g + \beta_2 (g - p) [t > 1])^2, \quad p \leftarrow g, \quad "
        r"\hat m = m / (1 - \beta_1^t), \quad \hat v = v / (1 - \beta_2^t), \quad \hat n = n / (1 - \beta_3^t), \quad "
        r"x \leftarrow x - \alpha \lambda x - \alpha (\hat m + \beta_2 \hat v) / (\sqrt{\hat n} + \epsilon)"
    )
    source = "Xie et al. (2024), IEEE TPAMI 46(12), arXiv:2208.06677"

    learning_rate: float = knob(0.1, 1e-5, 1.0, r"\alpha", log=True)
    beta1: float = knob(0.98, 0.0, 0.999, r"\beta_1")
    beta2: float = knob(0.92, 0.0, 0.999, r"\beta_2", about="How much of the mean of changes is kept in each step.")
    beta3: float = knob(0.99, 0.0, 0.9999, r"\beta_3")
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")
    eps: float = knob(1e-8, 1e-12, 1.0, r"\epsilon", log=True)
    bias_correction: bool = knob(True, symbol=r"1 - \beta^t")
    decoupled_weight_decay: bool = knob(True, symbol=r"\alpha \lambda x")

    def init(self, x):
        return AdanState(jnp.zeros_like(x), jnp.zeros_like(x), jnp.zeros_like(x), jnp.zeros_like(x), 0)

    def derived(self, state):
        return AdanDerived(
            state.mean / bias_divisor(self, self.beta1**state.t),
            state.change / bias_divisor(self, self.beta2**state.t),
            state.square / bias_divisor(self, self.beta3**state.t),
        )

    def update(self, gradient, state, x):
        t = state.t + 1
        gradient = gradient + coupled_decay(self) * x
        difference = (t > 1) * (gradient - state.previous)
        mean = self.beta1 * state.mean + (1 - self.beta1) * gradient
        change = self.beta2 * state.change + (1 - self.beta2) * difference
        square = self.beta3 * state.square + (1 - self.beta3) * (gradient + self.beta2 * difference) ** 2
        mean_hat, change_hat = mean / bias_divisor(self, self.beta1**t), change / bias_divisor(self, self.beta2**t)
        size = jnp.sqrt(square / bias_divisor(self, self.beta3**t)) + self.eps
        move = -self.learning_rate * (decoupled_decay(self) * x + (mean_hat + self.beta2 * change_hat) / size)
        return move, AdanState(mean, change, square, gradient, t)


class ADOPTState(NamedTuple):
    """Decaying means of the divided gradients and of the squares, and the number of steps."""

    mean: Annotated[jax.Array, "m", "the mean of the divided gradients so far, the newest counting most"]
    square: Annotated[jax.Array, "s", "the mean of the squared gradients so far, the newest counting most"]
    t: Annotated[jax.Array | int, "t", "how many steps it has made"]


class ADOPTDerived(NamedTuple):
    """How large a divided gradient may be."""

    bound: Annotated[jax.Array, "c"]


@register
class ADOPT(Optimizer):
    """Adam that divides by what it knew before this step, so a sudden large gradient does not shrink itself.

    The first gradient is only looked at. In the formula, [...] is 1 where what it says is so, and 0 elsewhere.
    """

    name = "ADOPT"
    formula = (
        r"c = (t - 1)^{1 / 4}, \quad "
        r"m \leftarrow \beta_1 m + (1 - \beta_1) \max(-c, \min(c, g / \max(\sqrt{s}, \epsilon))), \quad "
        r"s \leftarrow \beta_2 [t > 1] s + (1 - \beta_2 [t > 1]) g^2, \quad x \leftarrow x - \alpha m"
    )
    source = "Taniguchi et al. (2024), NeurIPS, arXiv:2411.02853"

    learning_rate: float = knob(0.1, 1e-5, 1.0, r"\alpha", log=True)
    beta1: float = knob(
        0.9, 0.0, 0.999, r"\beta_1", about="How much of the mean of divided gradients is kept in each step."
    )
    beta2: float = knob(0.9999, 0.0, 0.9999, r"\beta_2")
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")
    eps: float = knob(1e-6, 1e-12, 10.0, r"\epsilon", log=True, about="The least that a gradient is divided by.")
    decoupled_weight_decay: bool = knob(False, symbol=r"\alpha \lambda x")

    def init(self, x):
        return ADOPTState(jnp.zeros_like(x), jnp.zeros_like(x), 0)

    def derived(self, state):
        return ADOPTDerived((state.t - 1) ** 0.25)

    def update(self, gradient, state, x):
        t = state.t + 1
        gradient = gradient + coupled_decay(self) * x
        bound = (t - 1) ** 0.25
        divided = gradient / jnp.clip(jnp.sqrt(state.square), self.eps)
        mean = self.beta1 * state.mean + (1 - self.beta1) * jnp.clip(divided, -bound, bound)
        kept = self.beta2 * (t > 1)
        square = kept * state.square + (1 - kept) * gradient**2
        return -self.learning_rate * (mean + decoupled_decay(self) * x), ADOPTState(mean, square, t)


class AdEMAMixState(NamedTuple):
    """A fast and a slow mean of the gradients, the mean of their squares, and the number of steps."""

    mean: Annotated[jax.Array, "m_1", "the mean of the gradients so far, the newest counting most"]
    slow_mean: Annotated[jax.Array, "m_2", "a mean that keeps what the gradients were thousands of steps ago"]
    square: Annotated[jax.Array, "s", "the mean of their squares so far, the newest counting most"]
    t: Annotated[jax.Array | int, "t", "how many steps it has made"]


class AdEMAMixDerived(NamedTuple):
    """The fast mean and the mean of squares, corrected for their start at 0."""

    mean_hat: Annotated[jax.Array, r"\hat m_1"]
    square_hat: Annotated[jax.Array, r"\hat s"]


@register
class AdEMAMix(Optimizer):
    """Adam with a second mean of the gradients, so slow that very old ones still count."""

    name = "AdEMAMix"
    formula = (
        r"m_1 \leftarrow \beta_1 m_1 + (1 - \beta_1) g, \quad m_2 \leftarrow \beta_3 m_2 + (1 - \beta_3) g, \quad "
        r"s \leftarrow \beta_2 s + (1 - \beta_2) g^2, \quad "
        r"\hat m_1 = m_1 / (1 - \beta_1^t), \quad \hat s = s / (1 - \beta_2^t), \quad "
        r"x \leftarrow x - \alpha \lambda x - \alpha (\hat m_1 + \kappa m_2) / (\sqrt{\hat s} + \epsilon)"
    )
    source = "Pagliardini, Ablin & Grangier (2025), ICLR, arXiv:2409.03137"

    learning_rate: float = knob(0.1, 1e-5, 1.0, r"\alpha", log=True)
    beta1: float = knob(0.9, 0.0, 0.999, r"\beta_1")
    beta2: float = knob(0.999, 0.0, 0.9999, r"\beta_2")
    beta3: float = knob(0.9999, 0.0, 0.9999, r"\beta_3", about="How much of the slow mean is kept in each step.")
    slow_weight: float = knob(5.0, 0.0, 20.0, r"\kappa")
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")
    eps: float = knob(1e-8, 1e-12, 1.0, r"\epsilon", log=True)
    bias_correction: bool = knob(True, symbol=r"1 - \beta^t")
    decoupled_weight_decay: bool = knob(True, symbol=r"\alpha \lambda x")

    def init(self, x):
        return AdEMAMixState(jnp.zeros_like(x), jnp.zeros_like(x), jnp.zeros_like(x), 0)

    def derived(self, state):
        return AdEMAMixDerived(
            state.mean / bias_divisor(self, self.beta1**state.t), state.square / bias_divisor(self, self.beta2**state.t)
        )

    def update(self, gradient, state, x):
        t = state.t + 1
        gradient = gradient + coupled_decay(self) * x
        mean = self.beta1 * state.mean + (1 - self.beta1) * gradient
        slow_mean = self.beta3 * state.slow_mean + (1 - self.beta3) * gradient
        square = self.beta2 * state.square + (1 - self.beta2) * gradient**2
        size = jnp.sqrt(square / bias_divisor(self, self.beta2**t)) + self.eps
        direction = (mean / bias_divisor(self, self.beta1**t) + self.slow_weight * slow_mean) / size
        move = -self.learning_rate * (decoupled_decay(self) * x + direction)
        return move, AdEMAMixState(mean, slow_mean, square, t)
