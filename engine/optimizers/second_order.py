"""Rules that go by the curvature of the loss."""

from __future__ import annotations

import jax.numpy as jnp

from engine.optimizers.base import NoState, Optimizer, prepare
from engine.optimizers.knobs import knob


@prepare  # not in the registry yet: it comes to the pages with the other methods of second order
class Newton(Optimizer):
    """Straight to where the loss would be level if it bent everywhere as it does here, be that a minimum or not.

    ``damping`` is added to every curvature. A direction that bends down by less than that is gone down as well; one
    that bends down by more is gone up. Where the sum is 0 there is no such point, and the run stops.
    """

    name = "Newton"
    formula = r"x \leftarrow x - \alpha (H + \delta I)^{-1} g"
    source = (
        "Levenberg (1944), Quart. Appl. Math. 2(2), 164-168; Nocedal & Wright (2006), Numerical Optimization, 3.3-3.4"
    )

    learning_rate: float = knob(1.0, 1e-5, 1.0, r"\alpha", log=True)
    damping: float = knob(0.0, 0.0, 100.0, r"\delta")

    def init(self, x):
        return NoState()

    def update(self, gradient, state, x, at):  # type: ignore[override]  # one parameter more than most
        curvature = at.hessian(x) + self.damping * jnp.eye(x.size)
        return -self.learning_rate * jnp.linalg.solve(curvature, gradient), state
