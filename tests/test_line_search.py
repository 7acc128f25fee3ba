"""Rules that search along a line: each step lowers the loss, a search ends, and they go where SciPy goes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize

from engine import LANDSCAPES, OPTIMIZERS, race
from engine.optimizers.line_search import MAX_TRIALS
from engine.optimizers.newton import MAX_PAIRS, scale_of, two_loop

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


PROBLEMS = {
    "Rosenbrock": (-1.2, 1.0),
    "Beale": (1.0, 1.5),
    "Himmelblau": (2.0, 1.0),
    "Booth": (-8.0, -8.0),
    "Turned ravine": (-8.485, -2.828),
}


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize(("name", "of_scipy"), [("BFGS", "BFGS"), ("L-BFGS", "L-BFGS-B")])
def test_bfgs_comes_to_scipy_s_minimum_in_about_as_many_steps(name, of_scipy, problem):
    start, landscape = PROBLEMS[problem], LANDSCAPES[problem]
    with jax.enable_x64(True):
        theirs = optimize.minimize(
            jax.value_and_grad(landscape.loss), jnp.array(start), jac=True, method=of_scipy, tol=1e-6
        )
    ours = run(landscape.loss, OPTIMIZERS[name](), start, 100, landscape.minima)
    np.testing.assert_allclose(ours.positions[-1], theirs.x, atol=2e-3)
    assert theirs.nit / 4 < ours.converged < 2 * theirs.nit


@pytest.mark.parametrize("problem", PROBLEMS)
def test_conjugate_gradient_comes_to_scipy_s_minimum(problem):
    start, landscape = PROBLEMS[problem], LANDSCAPES[problem]
    with jax.enable_x64(True):
        theirs = optimize.minimize(
            jax.value_and_grad(landscape.loss), jnp.array(start), jac=True, method="CG", tol=1e-6
        )
    ours = run(landscape.loss, OPTIMIZERS["Conjugate gradient"](), start, 500, landscape.minima)
    assert ours.converged is not None
    np.testing.assert_allclose(ours.positions[-1], theirs.x, atol=2e-3)


@pytest.mark.parametrize("problem", PROBLEMS)
def test_newton_goes_where_numpy_goes_and_damped_to_scipy_s_minimum(problem):
    """Undamped, its first steps on Beale lead out of the valley."""
    start, landscape = PROBLEMS[problem], LANDSCAPES[problem]
    ours = run(landscape.loss, OPTIMIZERS["Newton"](), start, 8, landscape.minima)
    x, path = np.array(start), [start]
    with jax.enable_x64(True):
        slope, hessian = jax.jit(jax.grad(landscape.loss)), jax.jit(jax.hessian(landscape.loss))
        theirs = optimize.minimize(landscape.loss, x, jac=slope, hess=hessian, method="trust-exact", tol=1e-6)
        for _ in range(8):
            curvatures, directions = np.linalg.eigh(hessian(x))
            x = x - directions @ (directions.T @ np.asarray(slope(x)) / np.abs(curvatures))
            path.append(x)
    np.testing.assert_allclose(ours.positions, path, rtol=5e-3, atol=5e-3)
    damped = run(landscape.loss, OPTIMIZERS["Newton"](damping=2.0), start, 500, landscape.minima)
    np.testing.assert_allclose(damped.positions[-1], theirs.x, atol=1e-3)


def test_with_room_for_every_pair_l_bfgs_goes_where_a_matrix_of_the_same_pairs_goes(rng):
    """The matrix of BFGS, begun as large as the newest pair says, and given all pairs one after the other."""
    hessian = np.array([[3.0, 1.0, 0.0], [1.0, 2.0, -1.0], [0.0, -1.0, 5.0]])
    steps = rng.normal(size=(MAX_PAIRS, 3))
    changes, gradient = steps @ hessian, rng.normal(size=3)
    inverse = np.eye(3) * (steps[0] @ changes[0]) / (changes[0] @ changes[0])
    for s, y in zip(steps[::-1], changes[::-1], strict=True):
        turn = np.eye(3) - np.outer(s, y) / (s @ y)
        inverse = turn @ inverse @ turn.T + np.outer(s, s) / (s @ y)
    scale = scale_of(jnp.float32(steps[0]), jnp.float32(changes[0]))
    found = two_loop(jnp.float32(gradient), jnp.float32(steps), jnp.float32(changes), scale)
    np.testing.assert_allclose(found, inverse @ gradient, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found, np.linalg.solve(hessian, gradient), rtol=0.1, atol=0.1)


@pytest.mark.parametrize("memory", [1.0, 2.0, 20.0])
def test_l_bfgs_remembers_as_many_steps_as_it_is_told_and_none_along_which_the_loss_bends_down(memory):
    racer = OPTIMIZERS["L-BFGS"](memory=memory)
    states = race(ROSENBROCK.loss, {"it": racer}, [(-1.2, 1.0)], 30, record=True)["it"].run(0).moves.states
    kept = (states.steps != 0).any(axis=-1)
    assert kept.sum(axis=1).max() == min(memory, 20)
    curvatures = (states.steps * states.changes).sum(axis=-1)
    assert (curvatures[kept] > 0).all()
    np.testing.assert_array_equal(states.steps[2, 0], states.last_step[1])


def test_on_a_quadratic_bfgs_learns_the_inverse_hessian():
    hessian = np.array([[10.0, 8.0], [8.0, 10.0]])
    booth = LANDSCAPES["Booth"]
    states = race(booth.loss, {"it": OPTIMIZERS["BFGS"]()}, [(-8.0, -8.0)], 12, record=True)["it"].run(0).moves.states
    away = np.abs(states.inverse_hessian @ hessian - np.eye(2)).max(axis=(1, 2))
    assert away[0] > 1
    assert away.min() < 0.02


@pytest.mark.parametrize("name", ["BFGS", "L-BFGS"])
def test_at_its_minimum_it_stays_among_the_numbers_though_the_squares_of_its_steps_do_not(name):
    start, racer = (3.0, 1.0), OPTIMIZERS[name](learning_rate=0.5)
    far = race(LANDSCAPES["Ravine"].loss, {"it": racer}, [start], 400, minima=[(0.0, 0.0)])["it"].run(0)
    assert far.stopped is None
    assert np.linalg.norm(far.positions[-1]) < 1e-18


def test_where_the_loss_bends_down_along_its_step_bfgs_leaves_its_matrix_as_it_is():
    def hill(x):
        return -jnp.sum(x**2)

    states = race(hill, {"it": OPTIMIZERS["BFGS"]()}, [(0.3, 0.2)], 6, record=True)["it"].run(0).moves.states
    np.testing.assert_array_equal(states.inverse_hessian, np.broadcast_to(np.eye(2), (7, 2, 2)))
