"""What is measured along a run beside its loss: held to numpy in 64 bits, and to closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine import LANDSCAPES, OPTIMIZERS, race
from engine.batches import batch
from engine.descent import MAX_RECORDS, Moves
from engine.problems import bowl, mean_squared_error
from engine.quantities import effective_rates, gradient_norms, moves_between, sharpness, step_lengths

HIMMELBLAU, RAVINE = LANDSCAPES["Himmelblau"], LANDSCAPES["Ravine"]
LIMITED = [rule for rule in OPTIMIZERS.values() if rule().curvature_limit() is not None]
MATRIX = np.array([[3.0, 1.0], [1.0, 2.0]])


def quadratic(x):
    return x @ jnp.asarray(MATRIX, jnp.float32) @ x / 2


def run_of(loss, racer, start, steps, **options):
    return race(loss, {"it": racer}, [start], steps, record=True, **options)["it"].run(0)


def with_moves(gradients, moves):
    """A run that followed these gradients with these moves."""
    run = run_of(HIMMELBLAU.loss, OPTIMIZERS["SGD"](), (0.0, 0.0), 1)
    return type(run)(**{**vars(run), "moves": Moves(np.array(gradients, np.float32), (), np.array(moves, np.float32))})


@pytest.fixture(params=OPTIMIZERS.values(), ids=OPTIMIZERS)
def rule(request):
    return request.param


@pytest.mark.parametrize("steps", [40, 700])
def test_the_gradient_is_that_of_the_formula_in_64_bits_for_every_rule(rule, steps):
    run = run_of(HIMMELBLAU.loss, rule(learning_rate=0.01), (0.5, 0.5), steps)
    x, y = run.positions.astype(float).T
    a, b = x**2 + y - 11, x + y**2 - 7
    np.testing.assert_allclose(
        gradient_norms(run), np.hypot(4 * a * x + 2 * b, 2 * a + 4 * b * y), rtol=1e-4, atol=1e-4
    )


def test_a_step_is_as_long_as_the_way_to_the_next_position_for_every_rule(rule):
    run = run_of(HIMMELBLAU.loss, rule(learning_rate=0.01), (0.5, 0.5), 30)
    ways = np.linalg.norm(np.diff(run.positions.astype(float), axis=0), axis=1)
    np.testing.assert_allclose(step_lengths(run)[:-1], ways, rtol=1e-3, atol=1e-6)
    assert np.isfinite(step_lengths(run)[-1])  # where it would go next


@pytest.mark.parametrize("steps", [60, 700])
@pytest.mark.parametrize("rate", [1e-4, 0.01])
def test_the_effective_rate_of_plain_gradient_descent_is_its_learning_rate(rate, steps):
    run = run_of(HIMMELBLAU.loss, OPTIMIZERS["SGD"](learning_rate=rate), (0.5, 0.7), steps)
    rates = effective_rates(run)
    defined = run.moves.gradients != 0
    assert defined.any(axis=0).all()
    np.testing.assert_allclose(rates[defined], rate, rtol=1e-6)
    assert np.isnan(rates[~defined]).all()


def test_the_first_effective_rate_of_adam_is_alpha_over_the_slope():
    run = run_of(RAVINE.loss, OPTIMIZERS["Adam"](learning_rate=0.1), (-8.0, 4.0), 5)
    np.testing.assert_allclose(effective_rates(run)[0], [0.1 / 8, 0.1 / 400], rtol=1e-5)


def test_on_mini_batches_the_gradient_is_that_of_the_batch():
    fit, size, seed = bowl(23, 1.0, seed=4), 5, 7
    racer = OPTIMIZERS["SGD"](learning_rate=1e-5)
    run = run_of(mean_squared_error, racer, (1.0, 2.0), 12, data=fit.data, batch_size=size, seeds=seed)
    for i, x in enumerate(run.positions.astype(float)):
        some = fit.subset(batch(seed, i, 23, size))
        features = some.features.astype(float)
        own = 2 * features.T @ (features @ x - some.true) / size if len(some.true) == size else None
        if own is not None:
            np.testing.assert_allclose(gradient_norms(run)[i], np.linalg.norm(own), rtol=1e-4)


# ---- sharpness


@pytest.mark.parametrize("count", [1, 7, MAX_RECORDS + 1])
def test_the_sharpness_of_a_quadratic_is_its_largest_eigenvalue_everywhere(count, rng):
    found = sharpness(quadratic, rng.normal(size=(count, 2)))
    np.testing.assert_allclose(found, np.full(count, np.linalg.eigvalsh(MATRIX)[-1]), rtol=1e-6)


def test_the_sharpness_of_a_fit_is_that_of_its_examples():
    fit = bowl(50, 3.0, seed=1)
    features = fit.features.astype(float)
    expected = np.linalg.eigvalsh(2 * features.T @ features / 50)[-1]
    np.testing.assert_allclose(sharpness(mean_squared_error, np.zeros((3, 2)), fit.data), [expected] * 3, rtol=1e-5)


@pytest.mark.parametrize("name", LANDSCAPES)
def test_the_sharpness_is_that_of_the_hessian_in_64_bits(name, rng):
    drawn = LANDSCAPES[name]
    (x0, x1), (y0, y1) = drawn.domain
    points = rng.uniform((x0, y0), (x1, y1), (40, 2)).astype(np.float32)
    found = sharpness(drawn.loss, points)
    with jax.enable_x64(True):
        exact = np.asarray(jax.jit(jax.vmap(jax.hessian(drawn.loss)))(points.astype(float)))
    scale = np.abs(exact).max(axis=(1, 2))
    assert (np.abs(found - np.linalg.eigvalsh(exact)[:, -1]) <= 2e-3 * scale + 1e-3).all()


def test_where_the_loss_bends_down_every_way_the_sharpness_is_negative():
    np.testing.assert_allclose(sharpness(lambda x: -jnp.sum(x**2), np.ones((2, 2))), [-2, -2])


# ---- what 32 bits cannot hold


def test_what_is_not_finite_or_not_defined_is_a_gap():
    run = with_moves([[0, 1], [1e30, 1e30], [np.inf, 1], [3e38, 3e38]], [[1, 1], [1, 1], [1, 1], [np.nan, 0]])
    np.testing.assert_allclose(gradient_norms(run), [1, np.sqrt(2) * 1e30, np.nan, np.nan], rtol=1e-6)
    np.testing.assert_allclose(step_lengths(run), [np.sqrt(2)] * 3 + [np.nan], rtol=1e-6)
    np.testing.assert_allclose(effective_rates(run)[:, 0], [np.nan, 1e-30, 0, np.nan], rtol=1e-6)
    np.testing.assert_array_equal(
        np.isfinite(sharpness(lambda x: jnp.sum(x**4), np.array([[1.0], [1e30]]))), [True, False]
    )


def test_a_run_that_kept_no_moves_is_refused_with_what_to_do():
    run = race(HIMMELBLAU.loss, {"it": OPTIMIZERS["SGD"]()}, [(0.0, 0.0)], 3)["it"].run(0)
    for quantity in (gradient_norms, step_lengths, effective_rates):
        with pytest.raises(ValueError, match="record=True"):
            quantity(run)


def test_the_moves_of_a_path_are_the_ways_between_its_positions_and_the_slopes_there():
    path = np.array([[1.0, -2.0], [0.5, 0.0], [0.0, 0.0]], np.float32)
    moves = moves_between(quadratic, path)
    np.testing.assert_allclose(moves.gradients, path @ MATRIX, rtol=1e-6)
    np.testing.assert_allclose(moves.moves, [[-0.5, 2.0], [-0.5, 0.0], [np.nan, np.nan]])


# ---- the limit


@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize("curvature", [0.5, 7.0])
@pytest.mark.parametrize("rule", LIMITED, ids=lambda rule: rule.name)
def test_below_its_curvature_limit_a_rule_comes_nearer_and_above_it_goes_away(rule, curvature, decay):
    def rate_of(share):  # with which the limit is that share of the curvature
        return 2 / (share * curvature + decay)

    def loss(x):
        return curvature * jnp.sum(x**2) / 2

    for share, nearer in ((1.02, True), (0.98, False)):
        racer = rule(learning_rate=rate_of(share), weight_decay=decay)
        np.testing.assert_allclose(racer.curvature_limit(), share * curvature, rtol=1e-6)
        run = race(loss, {"it": racer}, [(1.0, 2.0)], 100)["it"].run(0)
        assert (np.linalg.norm(run.positions[-1]) < np.linalg.norm(run.positions[0])) == nearer


# ---- what is compiled


def test_one_program_serves_every_number_of_positions(compiled):
    sharpness(quadratic, np.ones((3, 2)))
    compiled.clear()
    for count in (1, 2, 50, MAX_RECORDS + 1):
        sharpness(quadratic, np.ones((count, 2)))
    assert not compiled
