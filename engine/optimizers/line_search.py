"""Rules that find the length of each step from the loss itself: by trying, or from how far it is above its lowest."""

# mypy: disable-error-code="override"
# update and parts have a parameter more than those of most rules

from __future__ import annotations

from typing import Annotated, NamedTuple

import jax
import jax.numpy as jnp

from engine.knobs import knob
from engine.optimizers.base import NoState, Optimizer, register

MAX_TRIALS = 60  # of a search; the shortest step is then a millionth of the first, or less


def backtrack(rule, at, x, gradient, direction):
    """The first of the steps α, τα, τ²α, ... that lowers the loss by a share c of what its slope promises.

    0 where none of ``MAX_TRIALS`` does: then it stands still. NaN where the slope is too large for a number: no trial
    could be judged, and the run stops.
    """
    slope = jnp.sum(gradient * direction)

    def lowers(step):
        return at.value(x + step * direction) <= at.loss + rule.share * step * slope

    def goes_on(trial):
        number, step = trial
        return (number < MAX_TRIALS) & ~lowers(step)

    number, step = jax.lax.while_loop(
        goes_on, lambda trial: (trial[0] + 1, rule.shrink * trial[1]), (0, rule.learning_rate * jnp.ones_like(slope))
    )
    return jnp.where(jnp.isfinite(slope), jnp.where(number < MAX_TRIALS, step, 0), jnp.nan)


def evaluations_of_search(rule, number, step):
    """How often the loss is evaluated until a step is found: a trial each, and in the first step where it begins."""
    trials = 1 + jnp.round(jnp.log(jnp.where(step > 0, step, 1) / rule.learning_rate) / jnp.log(rule.shrink))
    return jnp.where(step > 0, trials, MAX_TRIALS) + (number == 0)


class StepLength(NamedTuple):
    """The length that the search has found."""

    step: Annotated[jax.Array, "a"]


@register
class Backtracking(Optimizer):
    """Gradient descent that tries its steps: one that does not lower the loss by enough is made shorter.

    backtrack(d) is the first of the steps α, τα, τ²α, … along d that lowers the loss by at least the share c of what
    the slope promises: the condition of Armijo. Where none of 60 does, it stands still.
    """

    name = "Backtracking"
    formula = r"a = \operatorname{backtrack}{(-g)}, \quad x \leftarrow x - a g"
    source = "Armijo (1966), Pacific J. Math. 16(1), 1-3"

    learning_rate: float = knob(1.0, 1e-5, 1.0, r"\alpha", log=True, about="The step that is tried first.")
    shrink: float = knob(0.5, 0.1, 0.8, r"\tau")
    share: float = knob(1e-4, 1e-6, 0.4, "c", log=True)

    def init(self, x):
        return NoState()

    def parts(self, gradient, before, x, after, at):
        return StepLength(backtrack(self, at, x, gradient, -gradient))

    def evaluations(self, step, before, parts):
        return evaluations_of_search(self, step, parts.step), 1, 0

    def update(self, gradient, state, x, at):
        return -backtrack(self, at, x, gradient, -gradient) * gradient, state


class LossHere(NamedTuple):
    """The loss at x."""

    loss_here: Annotated[jax.Array, "f"]


@register
class Polyak(Optimizer):
    """Gradient descent whose steps shrink by themselves: as long as the slope would need down to the lowest loss.

    It has to be told how low that is. Where it is told a higher one than there is, it goes to where the loss is that;
    where it is told a lower one, its steps stay too long. loss(x) is the loss at x.
    """

    name = "Polyak"
    formula = (
        r"f = \operatorname{loss}{(x)}, \quad "
        r"x \leftarrow x - \alpha (f - f_{\min}) g / \left\| g \right\|^2"
    )
    source = "Polyak (1969), USSR Comput. Math. Math. Phys. 9(3), 14-29"
    cost = (1, 1, 0)

    learning_rate: float = knob(1.0, 1e-5, 1.0, r"\alpha", log=True)
    lowest_loss: float = knob(0.0, -1000.0, 1000.0, r"f_{\min}")

    def init(self, x):
        return NoState()

    def parts(self, gradient, before, x, after, at):
        return LossHere(at.loss)

    def update(self, gradient, state, x, at):
        square = jnp.sum(gradient**2)
        length = (at.loss - self.lowest_loss) / jnp.where(square > 0, square, 1)
        # where the square is too large for a number, every step would be 0 for ever: the run stops
        return -self.learning_rate * jnp.where(jnp.isfinite(square), length, jnp.nan) * gradient, state


class ConjugateState(NamedTuple):
    """The direction of the last step, and the gradient before with its squared length."""

    direction: Annotated[jax.Array, "d", "the direction of the step before"]
    previous: Annotated[jax.Array, "p", "the gradient before"]
    squared_length: Annotated[jax.Array, "q", "the square of its length, at the start 1"]


class ConjugateParts(NamedTuple):
    """How much of the last direction is kept, and the length that the search has found."""

    kept: Annotated[jax.Array, r"\beta"]
    step: Annotated[jax.Array, "a"]


@register
class ConjugateGradient(Optimizer):
    """Keeps as much of its last direction as the change of the gradient asks for, so that it does not zigzag.

    By the formula of Polak and Ribiere, which begins anew where that is negative, and where it would lead uphill.
    backtrack(d) is the first of the steps α, τα, τ²α, … along d that lowers the loss by at least the share c of what
    the slope promises. In the formula, [...] is 1 where what it says is so, and 0 elsewhere.
    """

    name = "Conjugate gradient"
    formula = (
        r"\beta = \max(0, \left\langle g, g - p \right\rangle / q), \quad "
        r"d \leftarrow \beta d [\beta \left\langle g, d \right\rangle < \left\langle g, g \right\rangle] - g, \quad "
        r"p \leftarrow g, \quad q \leftarrow \left\langle g, g \right\rangle, \quad "
        r"a = \operatorname{backtrack}{(d)}, \quad x \leftarrow x + a d"
    )
    source = "Polak & Ribiere (1969), Rev. Fr. Inform. Rech. Oper. 3(R1), 35-43; Nocedal & Wright (2006), 5.2"

    learning_rate: float = knob(1.0, 1e-5, 1.0, r"\alpha", log=True, about="The step that is tried first.")
    shrink: float = knob(0.5, 0.1, 0.8, r"\tau")
    share: float = knob(1e-4, 1e-6, 0.4, "c", log=True)

    def init(self, x):
        return ConjugateState(jnp.zeros_like(x), jnp.zeros_like(x), jnp.ones_like(jnp.sum(x)))

    def parts(self, gradient, before, x, after, at):
        kept = kept_direction(gradient, before)
        return ConjugateParts(kept, backtrack(self, at, x, gradient, after.direction))

    def evaluations(self, step, before, parts):
        return evaluations_of_search(self, step, parts.step), 1, 0

    def update(self, gradient, state, x, at):
        squared_length = jnp.sum(gradient**2)
        kept = kept_direction(gradient, state)
        is_downhill = kept * jnp.sum(gradient * state.direction) < squared_length
        direction = jnp.where(is_downhill, kept, 0) * state.direction - gradient
        step = backtrack(self, at, x, gradient, direction)
        return step * direction, ConjugateState(direction, gradient, squared_length)


def kept_direction(gradient, state):
    """How much of the last direction is kept: none where the gradient has not changed, or turned against that."""
    wanted = jnp.sum(gradient * (gradient - state.previous))
    return jnp.clip(wanted / jnp.where(state.squared_length > 0, state.squared_length, 1), 0)
