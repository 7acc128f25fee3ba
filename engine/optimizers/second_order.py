"""Rules that go by the curvature of the loss along each coordinate."""

# mypy: disable-error-code="override"
# update and parts have a parameter more than those of most rules

from __future__ import annotations

from typing import Annotated, NamedTuple

import jax
import jax.numpy as jnp

from engine.knobs import knob
from engine.optimizers.base import Optimizer, register


class SophiaState(NamedTuple):
    """Decaying means of the gradients and of the curvatures, and the number of steps."""

    mean: Annotated[jax.Array, "m", "the mean of the gradients so far, the newest counting most"]
    curvature: Annotated[jax.Array, "h", "the mean of the curvatures in each coordinate, as they were looked at"]
    t: Annotated[jax.Array | int, "t", "how many steps it has made"]


class SophiaParts(NamedTuple):
    """The curvature along each coordinate, where it is looked at."""

    curvature_here: Annotated[jax.Array, "c"]


@register
class Sophia(Optimizer):
    """Divides the mean gradient by the curvature of each coordinate, and holds every step to a longest one.

    The curvatures are looked at in each $k$-th step only: in large models they are dear. There they are estimated with
    random numbers; here, of two parameters, they are the diagonal of the Hessian itself, so that every run is the same.
    In the formula, [...] is 1 where what it says is so, and 0 elsewhere.
    """

    name = "Sophia"
    formula = (
        r"m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad c = \operatorname{diag} \operatorname{Hess}{(x)}, \quad "
        r"h \leftarrow h + (1 - \beta_2) (c - h) [(t - 1) \operatorname{mod} k < 1], \quad "
        r"x \leftarrow x - \alpha \max(-1, \min(1, m / \max(\gamma h, \epsilon)))"
    )
    source = "Liu et al. (2024), ICLR, arXiv:2305.14342"

    learning_rate: float = knob(0.1, 1e-5, 1.0, r"\alpha", log=True, about="The longest step in each coordinate.")
    beta1: float = knob(0.965, 0.0, 0.999, r"\beta_1")
    beta2: float = knob(0.99, 0.0, 0.9999, r"\beta_2", about="How much of the mean of curvatures is kept in each look.")
    curvature_scale: float = knob(1.0, 0.001, 10.0, r"\gamma", log=True)
    refresh_interval: float = knob(10.0, 1.0, 100.0, "k", whole=True)
    eps: float = knob(1e-8, 1e-12, 1.0, r"\epsilon", log=True, about="The least that a mean gradient is divided by.")

    def init(self, x):
        return SophiaState(jnp.zeros_like(x), jnp.zeros_like(x), 0)

    def parts(self, gradient, before, x, after, at):
        return SophiaParts(jnp.diag(at.hessian(x)))

    def evaluations(self, step, before, parts):
        return 0, 1, jnp.where(before.t % self.refresh_interval < 1, 1, 0)

    def update(self, gradient, state, x, at):
        t = state.t + 1
        mean = self.beta1 * state.mean + (1 - self.beta1) * gradient
        looks = (t - 1) % self.refresh_interval < 1
        change = (1 - self.beta2) * (jnp.diag(at.hessian(x)) - state.curvature)
        curvature = state.curvature + jnp.where(looks, change, 0)
        step = jnp.clip(mean / jnp.maximum(self.curvature_scale * curvature, self.eps), -1, 1)
        return -self.learning_rate * step, SophiaState(mean, curvature, t)
