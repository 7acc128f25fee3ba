"""Rules that go by how the loss bends in every direction: Newton's method, and those that learn it from gradients."""

# mypy: disable-error-code="override"
# update and parts have a parameter more than those of most rules

from __future__ import annotations

from typing import Annotated, NamedTuple

import jax
import jax.numpy as jnp

from engine.knobs import knob
from engine.optimizers.base import NoState, Optimizer, register
from engine.optimizers.line_search import backtrack, evaluations_of_search
from engine.optimizers.shared import eigen

MAX_PAIRS = 20  # that L-BFGS holds at most
ROUNDING = 1e-6  # a curvature that is so small a share of the largest is as good as none
LEAST = 1e-37  # 1 over less than this is too large for 32 bits


class BFGSState(NamedTuple):
    """The inverse Hessian as far as it is known, and what the next step makes it better by."""

    inverse_hessian: Annotated[jax.Array, "H", "the inverse of the Hessian, as far as its steps have shown it"]
    previous: Annotated[jax.Array, "p", "the gradient before"]
    last_step: Annotated[jax.Array, "s", "the step before"]


class BFGSParts(NamedTuple):
    """What the step before has shown, the direction, and the length that the search has found."""

    change: Annotated[jax.Array, "y"]
    weight: Annotated[jax.Array, r"\rho"]
    scaled: Annotated[jax.Array, "G"]
    expected: Annotated[jax.Array, "u"]
    factor: Annotated[jax.Array, "k"]
    direction: Annotated[jax.Array, "d"]
    step: Annotated[jax.Array, "a"]


def weight_of(step, change):
    """What a pair of a step and the change of the gradient along it counts: 1 over the curvature that both speak of.

    None where the loss does not bend up along the step: no minimum is ahead there, and the pair is left out.
    """
    curvature = jnp.sum(step * change)
    return jnp.where(curvature > LEAST, 1 / jnp.where(curvature > LEAST, curvature, 1), 0)


def scale_of(step, change):
    """How large the inverse Hessian is, as far as one pair alone tells; 1 where the loss does not bend up along it."""
    curvature, square = jnp.sum(step * change), jnp.sum(change**2)
    is_told = (curvature > LEAST) & (square > LEAST)
    return jnp.where(is_told, curvature / jnp.where(is_told, square, 1), 1)


def scaled_once(matrix, scale):
    """The identity times a scale, and any other matrix as it is."""
    return jnp.where(jnp.all(matrix == jnp.eye(len(matrix))), scale, 1) * matrix


def times(matrix, vector):
    """A matrix times a vector."""
    return jnp.sum(matrix * vector, axis=1)


@register
class BFGS(Optimizer):
    """Learns from the gradients how the loss bends, and steps as Newton's method would: not one Hessian is computed.

    Along its last step s the gradient has changed by y, so the inverse Hessian should make s of y. H becomes the
    matrix nearest to the old one that does; at the start it is the identity, and the first step goes by the gradient.
    scaled(H) is H, but before its first change times ⟨s, y⟩ / ⟨y, y⟩, which makes it about as large as it will be.
    Where the loss does not bend up along the step, ⟨s, y⟩ ≤ 0, H stays as it is. backtrack(d) is the first of the
    steps α, τα, τ²α, … along d that lowers the loss by at least the share c of what the slope promises. In the
    formula, [...] is 1 where what it says is so, and 0 elsewhere. On mini-batches y also holds what differs between two
    batches, so much of what it learns is noise.
    """

    name = "BFGS"
    formula = (
        r"y = g - p, \quad \rho = [\left\langle s, y \right\rangle > 0] / \left\langle s, y \right\rangle, \quad "
        r"G = \operatorname{scaled}{(H)}, \quad u = G y, \quad k = 1 + \rho \left\langle y, u \right\rangle, \quad "
        r"H \leftarrow G + \rho (k s s^\top - s u^\top - u s^\top), \quad d = -H g, \quad p \leftarrow g, \quad "
        r"a = \operatorname{backtrack}{(d)}, \quad s \leftarrow a d, \quad x \leftarrow x + s"
    )
    source = (
        "Broyden, Fletcher, Goldfarb and Shanno (1970), each in a paper of his own; "
        "Nocedal & Wright (2006), Numerical Optimization, 6.1"
    )

    learning_rate: float = knob(1.0, 1e-5, 1.0, r"\alpha", log=True, about="The step that is tried first.")
    shrink: float = knob(0.5, 0.1, 0.8, r"\tau")
    share: float = knob(1e-4, 1e-6, 0.4, "c", log=True)

    def init(self, x):
        return BFGSState(jnp.eye(len(x)), jnp.zeros_like(x), jnp.zeros_like(x))

    def parts(self, gradient, before, x, after, at):
        last, change = before.last_step, gradient - before.previous
        scaled = scaled_once(before.inverse_hessian, scale_of(last, change))
        weight, expected = weight_of(last, change), times(scaled, change)
        factor = 1 + weight * jnp.sum(change * expected)
        direction = -times(after.inverse_hessian, gradient)
        step = backtrack(self, at, x, gradient, direction)
        return BFGSParts(change, weight, scaled, expected, factor, direction, step)

    def evaluations(self, step, before, parts):
        return evaluations_of_search(self, step, parts.step), 1, 0

    def update(self, gradient, state, x, at):
        last, change = state.last_step, gradient - state.previous
        scaled = scaled_once(state.inverse_hessian, scale_of(last, change))
        weight, expected = weight_of(last, change), times(scaled, change)
        factor = 1 + weight * jnp.sum(change * expected)
        both = jnp.outer(last, expected) + jnp.outer(expected, last)
        inverse = scaled + weight * (factor * jnp.outer(last, last) - both)
        # rounding alone can make it lead uphill; then it begins anew
        leads_uphill = jnp.sum(gradient * times(inverse, gradient)) < 0
        inverse = jnp.where(leads_uphill, jnp.eye(len(x)), inverse)
        direction = -times(inverse, gradient)
        step = backtrack(self, at, x, gradient, direction)
        return step * direction, BFGSState(inverse, gradient, step * direction)


class LBFGSState(NamedTuple):
    """The pairs of steps and changes of the gradient, the newest first, and what the next pair is made of."""

    steps: Annotated[jax.Array, "S", "its newest steps, those that had a use; 0 where there is none"]
    changes: Annotated[jax.Array, "Y", "how much the gradient has changed along each of them"]
    previous: Annotated[jax.Array, "p", "the gradient before"]
    last_step: Annotated[jax.Array, "s", "the step before"]


class LBFGSParts(NamedTuple):
    """How the gradient has changed, the direction, and the length that the search has found."""

    change: Annotated[jax.Array, "y"]
    direction: Annotated[jax.Array, "d"]
    step: Annotated[jax.Array, "a"]


def with_newest(rows, row, is_kept, memory):
    """Rows, the newest first, with one more where that is kept; all that is older than the memory is 0."""
    rows = jnp.where(is_kept, jnp.concatenate([row[None], rows[:-1]]), rows)
    return jnp.where(jnp.arange(MAX_PAIRS)[:, None] < memory, rows, 0)


def two_loop(gradient, steps, changes, scale):
    """The gradient times the inverse Hessian that the pairs speak of, the newest of them first; 0 is no pair."""
    curvature = jnp.sum(steps * changes, axis=1)
    weights = jnp.where(curvature > LEAST, 1 / jnp.where(curvature > LEAST, curvature, 1), 0)

    def take(left, pair):
        step, change, weight = pair
        share = weight * jnp.sum(step * left)
        return left - share * change, share

    def give_back(found, pair):
        step, change, weight, share = pair
        return found + (share - weight * jnp.sum(change * found)) * step, None

    left, shares = jax.lax.scan(take, gradient, (steps, changes, weights))
    return jax.lax.scan(give_back, scale * left, (steps, changes, weights, shares), reverse=True)[0]


@register
class LBFGS(Optimizer):
    """BFGS without a matrix: it keeps the newest steps and changes of the gradient, and makes each step of them anew.

    So it needs room for a few vectors, not for a number for each two parameters. twoloop(g) is g times the inverse
    Hessian that the newest m pairs s, y speak of: first the pairs from the newest to the oldest take their share from
    g, then, from the oldest to the newest, they give it back as a step. Between the two, what is left is multiplied by
    ⟨s, y⟩ / ⟨y, y⟩ of the last step. A pair with ⟨s, y⟩ ≤ 0 is left out, and what is left then stays as it is.
    backtrack(d) is the first of the steps α, τα, τ²α, … along d that lowers the loss by at least the share c of what
    the slope promises. On mini-batches the pairs also hold what differs between two batches, so much of what it learns
    is noise.
    """

    name = "L-BFGS"
    formula = (
        r"y = g - p, \quad d = -\operatorname{twoloop}{(g)}, \quad p \leftarrow g, \quad "
        r"a = \operatorname{backtrack}{(d)}, \quad s \leftarrow a d, \quad x \leftarrow x + s"
    )
    source = "Nocedal (1980), Math. Comput. 35(151), 773-782; Liu & Nocedal (1989), Math. Program. 45, 503-528"

    learning_rate: float = knob(1.0, 1e-5, 1.0, r"\alpha", log=True, about="The step that is tried first.")
    memory: float = knob(10.0, 1.0, float(MAX_PAIRS), "m", whole=True)
    shrink: float = knob(0.5, 0.1, 0.8, r"\tau")
    share: float = knob(1e-4, 1e-6, 0.4, "c", log=True)

    def init(self, x):
        none = jnp.zeros((MAX_PAIRS, len(x)))
        return LBFGSState(none, none, jnp.zeros_like(x), jnp.zeros_like(x))

    def parts(self, gradient, before, x, after, at):
        change = gradient - before.previous
        direction = -two_loop(gradient, after.steps, after.changes, scale_of(before.last_step, change))
        direction = jnp.where(jnp.sum(gradient * direction) > 0, -gradient, direction)
        return LBFGSParts(change, direction, backtrack(self, at, x, gradient, direction))

    def evaluations(self, step, before, parts):
        return evaluations_of_search(self, step, parts.step), 1, 0

    def update(self, gradient, state, x, at):
        change = gradient - state.previous
        is_kept = jnp.sum(state.last_step * change) > LEAST
        steps = with_newest(state.steps, state.last_step, is_kept, self.memory)
        changes = with_newest(state.changes, change, is_kept, self.memory)
        direction = -two_loop(gradient, steps, changes, scale_of(state.last_step, change))
        # rounding alone can make it lead uphill
        direction = jnp.where(jnp.sum(gradient * direction) > 0, -gradient, direction)
        step = backtrack(self, at, x, gradient, direction)
        return step * direction, LBFGSState(steps, changes, gradient, step * direction)


class NewtonParts(NamedTuple):
    """The Hessian."""

    hessian: Annotated[jax.Array, "B"]


@register
class Newton(Optimizer):
    """Straight to where the loss would be level if it bent everywhere as it does here, and never up to a saddle.

    B is the Hessian, and |B| the same with every curvature without its sign: where the loss bends up, the step leads to
    the bottom of that bend; where it bends down, as far the other way. The damping δ is added to all curvatures, which
    makes the step shorter. Along a direction in which the loss does not bend at all it is that of gradient descent.
    """

    name = "Newton"
    formula = r"B = \operatorname{Hess}{(x)}, \quad x \leftarrow x - \alpha (|B| + \delta I)^{-1} g"
    source = (
        "Levenberg (1944), Quart. Appl. Math. 2(2), 164-168; Nocedal & Wright (2006), Numerical Optimization, 3.4; "
        "Dauphin et al. (2014), NeurIPS, arXiv:1406.2572"
    )
    cost = (0, 1, 1)

    learning_rate: float = knob(1.0, 1e-5, 1.0, r"\alpha", log=True)
    damping: float = knob(0.0, 0.0, 100.0, r"\delta")

    def init(self, x):
        return NoState()

    def parts(self, gradient, before, x, after, at):
        return NewtonParts(at.hessian(x))

    def update(self, gradient, state, x, at):
        curvatures, directions = eigen(at.hessian(x))
        size = jnp.abs(curvatures) + self.damping
        seen = ROUNDING * jnp.max(size)  # of a smaller curvature, rounding alone is left
        size = jnp.where(size > seen, size, jnp.where(seen > 1, seen, 1))
        along = jnp.sum(directions * gradient[:, None], axis=0) / size
        return -self.learning_rate * times(directions, along), state
