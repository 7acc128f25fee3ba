"""What a rule may ask for beside the gradient, and what a race records of each move."""

import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine import LANDSCAPES, OPTIMIZERS, Optimizer, basins, race
from engine.batches import batch
from engine.knobs import knob
from engine.optimizers import Newton, prepare, update_at
from engine.problems import bowl, mean_squared_error

HIMMELBLAU, ROSENBROCK, STARTS = LANDSCAPES["Himmelblau"], LANDSCAPES["Rosenbrock"], [(-1.0, 2.0), (0.5, 0.5)]


# What a rule may ask for


class Seen(NamedTuple):
    step: jax.Array
    loss: jax.Array
    value: jax.Array
    gradient: jax.Array
    curvature: jax.Array


@prepare
class Asking(Optimizer):
    """Remembers all that it is told, and goes by it."""

    name = "Asking"
    formula = ""
    source = ""

    learning_rate: float = knob(1e-3, 1e-5, 1.0, r"\alpha", log=True)

    def init(self, x):
        return Seen(jnp.array(-1), jnp.array(0.0), jnp.array(0.0), jnp.zeros_like(x), jnp.zeros((x.size, x.size)))

    def update(self, gradient, state, x, at):
        move = -self.learning_rate * at.gradient(x) / (1.0 + at.step)
        return move, Seen(jnp.asarray(at.step), at.loss, at.value(2 * x), at.gradient(2 * x), at.hessian(x))


def over(function, x):
    """A function of points at ``(runs, recorded, dim)``."""
    return jax.vmap(jax.vmap(function))(x)


def test_a_rule_that_asks_is_told_the_step_and_the_loss_here_and_anywhere():
    trace = race(HIMMELBLAU.loss, {"it": Asking()}, STARTS, 20, record=True)["it"]
    seen, where = trace.moves.states, jnp.asarray(trace.positions)
    np.testing.assert_array_equal(seen.step, np.tile(trace.steps, (2, 1)))
    np.testing.assert_allclose(seen.loss, trace.losses, rtol=1e-6)
    np.testing.assert_allclose(seen.value, over(HIMMELBLAU.loss, 2 * where), rtol=1e-5)
    np.testing.assert_allclose(seen.gradient, over(jax.grad(HIMMELBLAU.loss), 2 * where), rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(seen.curvature, over(jax.hessian(HIMMELBLAU.loss), where), rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(trace.moves.moves, -1e-3 * trace.moves.gradients / (1 + seen.step[..., None]), rtol=1e-5)


def test_on_mini_batches_it_is_told_of_the_batch():
    fit, size, seed = bowl(23, 1.0, seed=4), 5, 7
    trace = race(
        mean_squared_error, {"it": Asking()}, [(1.0, 2.0)], 12, data=fit.data, batch_size=size, seeds=seed, record=True
    )["it"]
    run = trace.run(0)
    for i, x in enumerate(run.positions):
        some = fit.subset(batch(seed, i, 23, size))
        np.testing.assert_allclose(run.moves.states.loss[i], some.losses(x[None])[0], rtol=1e-4)
        np.testing.assert_allclose(run.moves.states.value[i], some.losses(2 * x[None])[0], rtol=1e-4)
        own = 2 * some.features.T @ some.features / len(some.true)
        np.testing.assert_allclose(run.moves.states.curvature[i], own, rtol=1e-4)


def test_a_map_tells_a_rule_the_same_as_a_race():
    racer, side = Asking(learning_rate=5e-3), 5
    found = basins(HIMMELBLAU, racer, side, 30)
    xs, ys = (np.linspace(low, high, side) for low, high in HIMMELBLAU.domain)
    trace = race(HIMMELBLAU.loss, {"it": racer}, [(x, y) for y in ys for x in xs], 30)["it"]
    np.testing.assert_allclose(found.ends.reshape(-1, 2), trace.positions[:, -1], rtol=1e-4, atol=1e-4)


def test_who_does_not_ask_is_told_nothing():
    assert not OPTIMIZERS["Adam"].takes_at
    assert Asking.takes_at


# Newton's method, which needs the Hessian


def quadratic(x, matrix, bottom):
    return (x - bottom) @ matrix @ (x - bottom) / 2


@pytest.mark.parametrize(("rate", "damping"), [(1.0, 0.0), (0.3, 0.0), (1.0, 2.0), (0.5, 30.0)])
def test_on_a_quadratic_newton_makes_of_the_distance_what_linear_algebra_says(rate, damping, rng):
    """Undamped, a whole step lands on the minimum."""
    turned = np.linalg.qr(rng.normal(size=(2, 2)))[0]
    matrix, bottom = turned @ np.diag([0.5, 20.0]) @ turned.T, np.array([3.0, -1.0])
    starts = rng.uniform(-5, 5, (4, 2))
    trace = race(quadratic, {"it": Newton(rate, damping)}, starts, 3, data=(matrix, bottom))["it"]
    step = np.eye(2) - rate * np.linalg.solve(matrix + damping * np.eye(2), matrix)
    away = (starts - bottom).T
    for i in range(4):
        np.testing.assert_allclose(trace.positions[:, i].T - bottom[:, None], away, atol=2e-5)
        away = step @ away
    if (rate, damping) == (1.0, 0.0):
        np.testing.assert_allclose(trace.positions[:, 1], np.tile(bottom, (4, 1)), atol=2e-5)


@pytest.mark.parametrize(("rate", "damping", "steps"), [(1.0, 0.0, 8), (0.5, 0.0, 40), (1.0, 5.0, 60)])
def test_down_rosenbrock_newton_goes_where_numpy_goes(rate, damping, steps):
    start = np.array([-1.2, 1.0])
    trace = race(ROSENBROCK.loss, {"it": Newton(rate, damping)}, [start], steps, minima=ROSENBROCK.minima)["it"]
    (x, y), path = start, [start]
    for _ in range(steps):
        gradient = np.array([-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)])
        hessian = np.array([[2 - 400 * (y - 3 * x**2), -400 * x], [-400 * x, 200.0]])
        x, y = np.array([x, y]) - rate * np.linalg.solve(hessian + damping * np.eye(2), gradient)
        path.append(np.array([x, y]))
    np.testing.assert_allclose(trace.positions[0], path, rtol=2e-3, atol=2e-3)
    assert trace.run(0).converged is not None or damping


@pytest.mark.parametrize("damping", [0.0, 0.1])
def test_along_a_direction_without_curvature_newton_goes_on_as_gradient_descent(damping):
    def trough(x):
        return x[0] ** 2

    def slanted(x):
        return x[0] ** 2 + x[1]

    run = race(trough, {"it": Newton(1.0, damping)}, [(2.0, 1.0)], 50)["it"].run(0)
    np.testing.assert_allclose(run.positions[-1], [0.0, 1.0], atol=1e-5)
    run = race(slanted, {"it": Newton(0.5, damping)}, [(2.0, 1.0)], 3)["it"].run(0)
    np.testing.assert_allclose(np.diff(run.positions[:, 1]), -0.5 / (damping or 1.0), rtol=1e-5)


def test_newton_leaves_a_saddle_and_a_top_as_fast_as_it_would_come_to_a_minimum():
    def saddle(x):
        return x[0] ** 2 - x[1] ** 2 + x[0] * x[1] / 2

    bent = np.array([[2.0, 0.5], [0.5, -2.0]])
    values, vectors = np.linalg.eigh(bent)
    run = race(saddle, {"it": Newton(0.5, 0.3)}, [(2.0, 0.1)], 6)["it"].run(0)
    step = np.eye(2) - 0.5 * vectors @ np.diag(values / (np.abs(values) + 0.3)) @ vectors.T
    for before, after in itertools.pairwise(run.positions):
        np.testing.assert_allclose(after, step @ before, rtol=1e-4, atol=1e-5)
    assert run.losses[-1] < run.losses[0]
    top = race(lambda x: -jnp.sum(x**2), {"it": Newton()}, [(0.1, 0.2)], 3)["it"].run(0)
    np.testing.assert_allclose(top.positions[:, 0], 0.1 * 2.0 ** np.arange(4), rtol=1e-5)


def test_with_more_than_two_parameters_newton_is_the_same(rng):
    turned = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    matrix, bottom = turned @ np.diag([0.5, 2.0, 7.0, 20.0]) @ turned.T, rng.normal(size=4)
    trace = race(quadratic, {"it": Newton()}, rng.uniform(-5, 5, (3, 4)), 1, data=(matrix, bottom))["it"]
    np.testing.assert_allclose(trace.positions[:, 1], np.tile(bottom, (3, 1)), atol=1e-4)


# What a race records


@pytest.mark.parametrize("steps", [40, 700])
def test_each_recorded_move_is_what_the_rule_makes_of_the_gradient_and_the_state_before(rule, steps):
    racer = rule(learning_rate=0.01)
    trace = race(HIMMELBLAU.loss, {"it": racer}, STARTS, steps, record=True)["it"]
    plain = race(HIMMELBLAU.loss, {"it": racer}, STARTS, steps)["it"]
    np.testing.assert_allclose(trace.positions, plain.positions, atol=0.02)
    assert plain.moves == ()
    slopes = over(jax.grad(HIMMELBLAU.loss), trace.positions)
    np.testing.assert_allclose(trace.moves.gradients, slopes, rtol=1e-4, atol=1e-3)
    assert type(trace.moves.states) is type(racer.init(jnp.zeros(2)))
    if steps > 500:  # between two records there are other steps
        return
    known, loss = jax.tree.map(jnp.float32, racer), HIMMELBLAU.loss  # with its knobs as the race has them
    update = jax.jit(lambda gradient, state, x: update_at(known, gradient, state, x, jnp.array(0), loss(x), loss))
    for i in range(len(STARTS)):
        run = trace.run(i)
        state = jax.tree.map(jnp.asarray, racer.init(run.positions[0]))
        for k, x in enumerate(run.positions):
            move, state = update(run.moves.gradients[k], state, x)
            np.testing.assert_allclose(run.moves.moves[k], move, rtol=1e-4, atol=1e-6)
            jax.tree.map(
                lambda ours, its, k=k: np.testing.assert_allclose(ours[k], its, rtol=1e-4, atol=1e-6),
                run.moves.states,
                state,
            )
            if k + 1 < len(run.positions):
                np.testing.assert_allclose(run.positions[k + 1], x + run.moves.moves[k], rtol=1e-6, atol=1e-6)


def test_a_run_that_left_the_numbers_has_the_move_that_led_out_at_its_end():
    trace = race(ROSENBROCK.loss, {"it": OPTIMIZERS["SGD"](learning_rate=1.0)}, [(2.0, -1.0)], 30, record=True)["it"]
    run = trace.run(0)
    assert run.stopped is not None
    last = run.stopped - 1
    for part in jax.tree.leaves(run.moves):
        np.testing.assert_array_equal(part[last:], np.broadcast_to(part[last], part[last:].shape))
    with np.errstate(over="ignore"):
        beyond = run.positions[last].astype(float) + run.moves.moves[last]
    assert not np.isfinite(float(ROSENBROCK.loss(jnp.asarray(beyond, jnp.float32))))


def test_newton_goes_no_further_along_a_curvature_than_what_it_cannot_see_allows():
    """A curvature of 10 beside one of 1e8 is lost in rounding."""
    loss = lambda x: 1e8 * x[0] ** 2 + 10 * x[1] ** 2  # noqa: E731
    path = race(loss, {"it": OPTIMIZERS["Newton"]()}, [(1.0, 4.0)], 20)["it"].positions[0]
    assert (np.diff(path[:, 1]) <= 0).all()
    assert path[-1, 1] >= 0
