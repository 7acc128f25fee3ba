"""Rules that take the gradient elsewhere than where they are."""

# mypy: disable-error-code="override"
# update and parts have a parameter more than those of most rules

from __future__ import annotations

from typing import Annotated, NamedTuple

import jax
import jax.numpy as jnp

from engine.knobs import knob
from engine.optimizers.base import NoState, Optimizer, register


class SAMParts(NamedTuple):
    """Where the gradient is taken, and the gradient there."""

    uphill: Annotated[jax.Array, "y"]
    gradient_uphill: Annotated[jax.Array, "g_y"]


def point_uphill(x, gradient, radius):
    """The point at a distance up the gradient; where it is level, the same point."""
    length = jnp.linalg.norm(gradient)
    return x + jnp.where(length > 0, radius * gradient / jnp.where(length > 0, length, 1), 0)


@register
class SAM(Optimizer):
    """Goes by the gradient a little uphill, where the loss is worse, so that it ends where all around is low too.

    The first part of a step looks up the gradient, the second goes down from where it was. Each step takes two
    gradients. grad(y) is the gradient at y.
    """

    name = "SAM"
    formula = (
        r"y = x + \rho g / \left\| g \right\|, \quad g_y = \operatorname{grad}{(y)}, \quad x \leftarrow x - \alpha g_y"
    )
    source = "Foret et al. (2021), ICLR, arXiv:2010.01412"
    cost = (0, 2, 0)

    learning_rate: float = knob(0.1, 1e-5, 1.0, r"\alpha", log=True)
    radius: float = knob(0.05, 0.0, 2.0, r"\rho")

    def init(self, x):
        return NoState()

    def parts(self, gradient, before, x, after, at):
        uphill = point_uphill(x, gradient, self.radius)
        return SAMParts(uphill, at.gradient(uphill))

    def update(self, gradient, state, x, at):
        return -self.learning_rate * at.gradient(point_uphill(x, gradient, self.radius)), state


class ScheduleFreeState(NamedTuple):
    """The point that is moved by the gradients, and the number of steps."""

    base: Annotated[jax.Array, "z", "where the steps themselves have led; x is the mean of all these points"]
    t: Annotated[jax.Array | int, "t", "how many steps it has made"]


class ScheduleFreeParts(NamedTuple):
    """Where the gradient is taken, and the gradient there."""

    between: Annotated[jax.Array, "y"]
    gradient_between: Annotated[jax.Array, "g_y"]


@register
class ScheduleFreeSGD(Optimizer):
    """Walks with large steps and stands at the mean of all places where it was, so that the rate need not shrink.

    The gradient is taken at y, between the two: grad(y). The point that is shown, and its loss, are those of the mean,
    which is what one uses in the end.
    """

    name = "Schedule-free SGD"
    formula = (
        r"y = (1 - \beta) z + \beta x, \quad g_y = \operatorname{grad}{(y)}, \quad z \leftarrow z - \alpha g_y, \quad "
        r"x \leftarrow x + (z - x) / t"
    )
    source = "Defazio et al. (2024), NeurIPS, arXiv:2405.15682"

    learning_rate: float = knob(0.3, 1e-5, 1.0, r"\alpha", log=True)
    beta: float = knob(0.9, 0.0, 0.999, r"\beta", about="How near to the mean the gradient is taken.")

    def init(self, x):
        return ScheduleFreeState(x, 0)

    def parts(self, gradient, before, x, after, at):
        between = (1 - self.beta) * before.base + self.beta * x
        return ScheduleFreeParts(between, at.gradient(between))

    def update(self, gradient, state, x, at):
        t = state.t + 1
        between = (1 - self.beta) * state.base + self.beta * x
        base = state.base - self.learning_rate * at.gradient(between)
        return (base - x) / t, ScheduleFreeState(base, t)


class ScheduleFreeAdamWState(NamedTuple):
    """The point that is moved by the gradients, the mean of their squares, and the number of steps."""

    base: Annotated[jax.Array, "z", "where the steps themselves have led; x is the mean of all these points"]
    square: Annotated[jax.Array, "s", "the mean of the squared gradients so far, the newest counting most"]
    t: Annotated[jax.Array | int, "t", "how many steps it has made"]


class ScheduleFreeAdamWParts(NamedTuple):
    """Where the gradient is taken, the gradient there, and the mean of squares corrected for its start at 0."""

    between: Annotated[jax.Array, "y"]
    gradient_between: Annotated[jax.Array, "g_y"]
    square_hat: Annotated[jax.Array, r"\hat s"]


@register
class ScheduleFreeAdamW(Optimizer):
    """AdamW that stands at the mean of all places where it was, in the place of a mean of the gradients.

    The gradient is taken at y, between the two: grad(y). The point that is shown, and its loss, are those of the mean,
    which is what one uses in the end.
    """

    name = "Schedule-free AdamW"
    formula = (
        r"y = (1 - \beta_1) z + \beta_1 x, \quad g_y = \operatorname{grad}{(y)}, \quad "
        r"s \leftarrow \beta_2 s + (1 - \beta_2) g_y^2, \quad \hat s = s / (1 - \beta_2^t), \quad "
        r"z \leftarrow z - \alpha \lambda y - \alpha g_y / (\sqrt{\hat s} + \epsilon), \quad "
        r"x \leftarrow x + (z - x) / t"
    )
    source = "Defazio et al. (2024), NeurIPS, arXiv:2405.15682"

    learning_rate: float = knob(0.1, 1e-5, 1.0, r"\alpha", log=True)
    beta1: float = knob(0.9, 0.0, 0.999, r"\beta_1", about="How near to the mean the gradient is taken.")
    beta2: float = knob(0.999, 0.0, 0.9999, r"\beta_2")
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")
    eps: float = knob(1e-8, 1e-12, 1.0, r"\epsilon", log=True)

    def init(self, x):
        return ScheduleFreeAdamWState(x, jnp.zeros_like(x), 0)

    def parts(self, gradient, before, x, after, at):
        between = (1 - self.beta1) * before.base + self.beta1 * x
        return ScheduleFreeAdamWParts(between, at.gradient(between), after.square / (1 - self.beta2**after.t))

    def update(self, gradient, state, x, at):
        t = state.t + 1
        between = (1 - self.beta1) * state.base + self.beta1 * x
        gradient_between = at.gradient(between)
        square = self.beta2 * state.square + (1 - self.beta2) * gradient_between**2
        size = jnp.sqrt(square / (1 - self.beta2**t)) + self.eps
        base = state.base - self.learning_rate * (self.weight_decay * between + gradient_between / size)
        return (base - x) / t, ScheduleFreeAdamWState(base, square, t)
