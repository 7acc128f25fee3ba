"""Adam, and what was made of it in the years after."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import jax
import jax.numpy as jnp

from engine.knobs import knob
from engine.optimizers.base import Optimizer, register
from engine.optimizers.shared import Corrected, Moments, bias_divisor, coupled_decay, decoupled_decay, root_with_eps


@register
class Adam(Optimizer):
    """Momentum with its own step size in each coordinate: the mean gradient divided by its recent size."""

    name = "Adam"
    formula = (
        r"m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad s \leftarrow \beta_2 s + (1 - \beta_2) g^2, \quad "
        r"\hat m = m / (1 - \beta_1^t), \quad \hat s = s / (1 - \beta_2^t), \quad "
        r"x \leftarrow x - \alpha \hat m / (\sqrt{\hat s} + \epsilon)"
    )
    source = "Kingma & Ba (2015), ICLR, arXiv:1412.6980"

    learning_rate: float = knob(0.1, 1e-5, 1.0, r"\alpha", log=True)
    beta1: float = knob(0.9, 0.0, 0.999, r"\beta_1")
    beta2: float = knob(0.999, 0.0, 0.9999, r"\beta_2")
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")
    eps: float = knob(1e-8, 1e-12, 1.0, r"\epsilon", log=True)
    bias_correction: bool = knob(True, symbol=r"1 - \beta^t")
    eps_in_root: bool = knob(False, symbol=r"\sqrt{s + \epsilon}")
    decoupled_weight_decay: bool = knob(False, symbol=r"\alpha \lambda x")

    def init(self, x):
        return Moments(jnp.zeros_like(x), jnp.zeros_like(x), 0)

    def derived(self, state):
        return Corrected(
            state.mean / bias_divisor(self, self.beta1**state.t), state.square / bias_divisor(self, self.beta2**state.t)
        )

    def update(self, gradient, state, x):
        t = state.t + 1
        gradient = gradient + coupled_decay(self) * x
        mean = self.beta1 * state.mean + (1 - self.beta1) * gradient
        square = self.beta2 * state.square + (1 - self.beta2) * gradient**2
        size = root_with_eps(self, square / bias_divisor(self, self.beta2**t))
        move = -self.learning_rate * mean / bias_divisor(self, self.beta1**t) / size
        return move - self.learning_rate * decoupled_decay(self) * x, Moments(mean, square, t)


@register
class AdamW(Optimizer):
    """Adam that pulls the parameters towards zero directly, not by way of the gradient."""

    name = "AdamW"
    formula = (
        r"m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad s \leftarrow \beta_2 s + (1 - \beta_2) g^2, \quad "
        r"\hat m = m / (1 - \beta_1^t), \quad \hat s = s / (1 - \beta_2^t), \quad "
        r"x \leftarrow x - \alpha \lambda x - \alpha \hat m / (\sqrt{\hat s} + \epsilon)"
    )
    source = "Loshchilov & Hutter (2019), ICLR, arXiv:1711.05101"

    learning_rate: float = knob(0.1, 1e-5, 1.0, r"\alpha", log=True)
    beta1: float = knob(0.9, 0.0, 0.999, r"\beta_1")
    beta2: float = knob(0.999, 0.0, 0.9999, r"\beta_2")
    weight_decay: float = knob(0.01, 0.0, 1.0, r"\lambda")
    eps: float = knob(1e-8, 1e-12, 1.0, r"\epsilon", log=True)
    bias_correction: bool = knob(True, symbol=r"1 - \beta^t")
    eps_in_root: bool = knob(False, symbol=r"\sqrt{s + \epsilon}")
    decoupled_weight_decay: bool = knob(True, symbol=r"\alpha \lambda x")

    def init(self, x):
        return Moments(jnp.zeros_like(x), jnp.zeros_like(x), 0)

    def derived(self, state):
        return Corrected(
            state.mean / bias_divisor(self, self.beta1**state.t), state.square / bias_divisor(self, self.beta2**state.t)
        )

    def update(self, gradient, state, x):
        t = state.t + 1
        gradient = gradient + coupled_decay(self) * x
        mean = self.beta1 * state.mean + (1 - self.beta1) * gradient
        square = self.beta2 * state.square + (1 - self.beta2) * gradient**2
        size = root_with_eps(self, square / bias_divisor(self, self.beta2**t))
        pull = decoupled_decay(self) * x
        direction = mean / bias_divisor(self, self.beta1**t) / size
        return -self.learning_rate * (pull + direction), Moments(mean, square, t)


class AMSGradState(NamedTuple):
    """The moments of Adam, and the largest mean of squared gradients so far."""

    mean: Annotated[jax.Array, "m", "the mean of the gradients so far, the newest counting most"]
    square: Annotated[jax.Array, "s", "the mean of their squares so far, the newest counting most"]
    largest: Annotated[jax.Array, r"s_{\max}", "the largest s so far, in each coordinate"]
    t: Annotated[jax.Array | int, "t", "how many steps it has made"]


@register
class AMSGrad(Optimizer):
    """Adam that divides by the largest size of the gradient so far, so its step sizes never grow again."""

    name = "AMSGrad"
    formula = (
        r"m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad s \leftarrow \beta_2 s + (1 - \beta_2) g^2, \quad "
        r"s_{\max} \leftarrow \max(s_{\max}, s), \quad "
        r"\hat m = m / (1 - \beta_1^t), \quad \hat s = s_{\max} / (1 - \beta_2^t), \quad "
        r"x \leftarrow x - \alpha \hat m / (\sqrt{\hat s} + \epsilon)"
    )
    source = "Reddi, Kale & Kumar (2018), ICLR, arXiv:1904.09237"

    learning_rate: float = knob(0.1, 1e-5, 1.0, r"\alpha", log=True)
    beta1: float = knob(0.9, 0.0, 0.999, r"\beta_1")
    beta2: float = knob(0.999, 0.0, 0.9999, r"\beta_2")
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")
    eps: float = knob(1e-8, 1e-12, 1.0, r"\epsilon", log=True)
    bias_correction: bool = knob(True, symbol=r"1 - \beta^t")
    eps_in_root: bool = knob(False, symbol=r"\sqrt{s + \epsilon}")
    decoupled_weight_decay: bool = knob(False, symbol=r"\alpha \lambda x")

    def init(self, x):
        return AMSGradState(jnp.zeros_like(x), jnp.zeros_like(x), jnp.zeros_like(x), 0)

    def derived(self, state):
        return Corrected(
            state.mean / bias_divisor(self, self.beta1**state.t),
            state.largest / bias_divisor(self, self.beta2**state.t),
        )

    def update(self, gradient, state, x):
        t = state.t + 1
        gradient = gradient + coupled_decay(self) * x
        mean = self.beta1 * state.mean + (1 - self.beta1) * gradient
        square = self.beta2 * state.square + (1 - self.beta2) * gradient**2
        largest = jnp.maximum(state.largest, square)
        size = root_with_eps(self, largest / bias_divisor(self, self.beta2**t))
        move = -self.learning_rate * mean / bias_divisor(self, self.beta1**t) / size
        return move - self.learning_rate * decoupled_decay(self) * x, AMSGradState(mean, square, largest, t)


class NAdamState(NamedTuple):
    """The moments of Adam, and the product of the momentum coefficients so far."""

    mean: Annotated[jax.Array, "m", "the mean of the gradients so far, the newest counting most"]
    square: Annotated[jax.Array, "s", "the mean of their squares so far, the newest counting most"]
    product: Annotated[jax.Array | float, r"\Pi", "the momentum of all steps so far, multiplied"]
    t: Annotated[jax.Array | int, "t", "how many steps it has made"]


class NAdamDerived(NamedTuple):
    """The momentum coefficients of this step and of the next, and the corrected moments."""

    mu: Annotated[jax.Array, r"\mu_t"]
    next_mu: Annotated[jax.Array, r"\mu_{t+1}"]
    mean_hat: Annotated[jax.Array, r"\hat m"]
    square_hat: Annotated[jax.Array, r"\hat s"]


@register
class NAdam(Optimizer):
    """Adam that looks ahead: the newest gradient counts once more, as in Nesterov's momentum."""

    name = "NAdam"
    formula = (
        r"\mu_t = \beta_1 (1 - 0.96^{t \psi} / 2), \quad \mu_{t+1} = \beta_1 (1 - 0.96^{(t + 1) \psi} / 2), \quad "
        r"\Pi \leftarrow \Pi \mu_t, \quad "
        r"m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad s \leftarrow \beta_2 s + (1 - \beta_2) g^2, \quad "
        r"\hat m = m / (1 - \Pi \mu_{t+1}), \quad \hat s = s / (1 - \beta_2^t), \quad "
        r"x \leftarrow x - \alpha \, \frac{\mu_{t+1} \hat m + (1 - \mu_t) g / (1 - \Pi)}{\sqrt{\hat s} + \epsilon}"
    )
    source = "Dozat (2016), ICLR Workshop"

    learning_rate: float = knob(0.1, 1e-5, 1.0, r"\alpha", log=True)
    beta1: float = knob(0.9, 0.0, 0.999, r"\beta_1")
    beta2: float = knob(0.999, 0.0, 0.9999, r"\beta_2")
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")
    eps: float = knob(1e-8, 1e-12, 1.0, r"\epsilon", log=True)
    momentum_decay: float = knob(0.004, 1e-4, 1.0, r"\psi", log=True)
    bias_correction: bool = knob(True, symbol=r"1 - \beta^t")
    eps_in_root: bool = knob(False, symbol=r"\sqrt{s + \epsilon}")
    decoupled_weight_decay: bool = knob(False, symbol=r"\alpha \lambda x")

    def init(self, x):
        return NAdamState(jnp.zeros_like(x), jnp.zeros_like(x), 1.0, 0)

    def derived(self, state):
        mu, next_mu = (self.beta1 * (1 - 0.5 * 0.96 ** (t * self.momentum_decay)) for t in (state.t, state.t + 1))
        mean_hat = state.mean / bias_divisor(self, state.product * next_mu)
        return NAdamDerived(mu, next_mu, mean_hat, state.square / bias_divisor(self, self.beta2**state.t))

    def update(self, gradient, state, x):
        t = state.t + 1
        gradient = gradient + coupled_decay(self) * x
        mu = self.beta1 * (1 - 0.5 * 0.96 ** (t * self.momentum_decay))
        next_mu = self.beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * self.momentum_decay))
        product = state.product * mu
        mean = self.beta1 * state.mean + (1 - self.beta1) * gradient
        square = self.beta2 * state.square + (1 - self.beta2) * gradient**2
        size = root_with_eps(self, square / bias_divisor(self, self.beta2**t))
        ahead = next_mu * mean / bias_divisor(self, product * next_mu)
        direction = ahead + (1 - mu) * gradient / bias_divisor(self, product)
        move = -self.learning_rate * direction / size
        return move - self.learning_rate * decoupled_decay(self) * x, NAdamState(mean, square, product, t)
