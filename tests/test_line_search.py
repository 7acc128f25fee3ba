"""Rules that search along a line: each step lowers the loss, a search ends, and they go where SciPy goes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize

from engine import LANDSCAPES, OPTIMIZERS, race
from engine.optimizers.line_search import MAX_TRIALS

SEARCHING = [rule for rule in OPTIMIZERS.values() if {"shrink", "share"} <= {knob.name for knob in rule.knobs()}]
ROSENBROCK = LANDSCAPES["Rosenbrock"]


@pytest.fixture(params=SEARCHING, ids=lambda rule: rule.name)
def searching(request):
    return request.param


def run(loss, racer, start, steps, minima=((1.0, 1.0),)):
    return race(loss, {"it": racer}, [start], steps, minima=minima)["it"].run(0)


@pytest.mark.parametrize("name", ["Ackley", "Rosenbrock", "Beale", "Himmelblau"])
def test_no_step_leads_up(searching, name):
    losses = run(LANDSCAPES[name].loss, searching(share=1e-4), (2.5, -1.5), 60).losses
    assert (np.diff(losses) <= 0).all()
    assert losses[-1] < 0.9 * losses[0]


def test_a_search_without_end_stands_still_and_behind_a_cliff_it_tries_shorter_steps(searching):
    def up_everywhere_but_where_it_is(x):  # its slope promises what no step brings
        return jnp.where(jnp.all(x == 2), jnp.sum(x), 10.0)

    assert 0.8**MAX_TRIALS < 1e-5
    still = run(up_everywhere_but_where_it_is, searching(), (2.0, 2.0), 5)
    np.testing.assert_array_equal(still.positions, 2)
    assert still.stopped is None

    def cliff(x):
        return jnp.where(x[0] < 0.5, jnp.inf, 1.0) * jnp.sum(x**2)

    edge = run(cliff, searching(), (2.0, 1.0), 40)
    assert edge.stopped is None
    assert np.isfinite(edge.losses).all()
    assert edge.losses[-1] < edge.losses[0]


def test_conjugate_gradient_needs_about_as_many_steps_as_scipy_s_and_far_fewer_than_descent():
    start = (-1.2, 1.0)

    with jax.enable_x64(True):
        theirs = optimize.minimize(
            jax.value_and_grad(ROSENBROCK.loss), jnp.array(start), jac=True, method="CG", tol=1e-2
        )
    np.testing.assert_allclose(theirs.x, (1, 1), atol=0.05)
    ours = run(ROSENBROCK.loss, OPTIMIZERS["Conjugate gradient"](), start, 500)
    assert theirs.nit / 4 < ours.converged < 4 * theirs.nit
    descent = run(ROSENBROCK.loss, OPTIMIZERS["Backtracking"](), start, 500)
    assert descent.converged is None or descent.converged > 2 * ours.converged
