"""Fits to data: the loss and its slope, the least of it, and examples that are what was asked for."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine.analysis import curvature
from engine.problems import (
    MAX_INPUT,
    TRUE_BOWL,
    Fit,
    bowl,
    bowl_points,
    bowls,
    line,
    mean_squared_error,
    mean_squared_error_by_hand,
    mean_squared_error_naive,
    noisy_line,
    notebook_grid,
)

FITS = {
    "a line through 0": line(*noisy_line(3.0, 2.0, 1), intercept=False),
    "a line": line(*noisy_line(3.0, 2.0, 1, intercept=5.0), intercept=True),
    "a bowl": bowl(50, 0.0, 0),
    "a noisy bowl": bowl(100, 100.0, 2),
    "two examples": bowl(2, 10.0, 4),
}


@pytest.fixture(params=list(FITS.values()), ids=list(FITS))
def fit(request):
    return request.param


# The loss


def test_the_grid_is_the_notebooks():
    np.testing.assert_allclose(notebook_grid(), np.arange(100) / 10, rtol=1e-6)


def test_the_slope_of_the_notebooks_line_is_minus_131_340_by_jax_and_by_hand():
    """At theta 2 on 4x, as the notebook printed it."""
    x = notebook_grid()
    by_jax = jax.grad(mean_squared_error)(2.0, x, 4 * x)
    assert f"{by_jax:.3f}" == "-131.340"
    assert f"{mean_squared_error_by_hand(2.0, x, 4 * x):.3f}" == "-131.340"


@pytest.mark.parametrize("theta", [-7.0, 0.0, 2.0, 4.0, 238.0388])
def test_the_slope_by_hand_is_the_slope_by_jax(theta):
    x, true = noisy_line(4.0, 3.0, 0)
    by_jax = jax.grad(mean_squared_error)(theta, x, true)
    np.testing.assert_allclose(mean_squared_error_by_hand(theta, x, true), by_jax, rtol=1e-5, atol=1e-3)


def test_the_loss_as_first_written_is_the_loss_in_theta(fit, rng):
    for theta in rng.normal(size=(5, fit.features.shape[1])).astype(np.float32):
        naive = mean_squared_error_naive(fit.true, fit.features @ theta)
        np.testing.assert_allclose(mean_squared_error(theta, *fit.data), naive, rtol=1e-5)
    x, true = noisy_line(4.0, 3.0, 0)
    np.testing.assert_allclose(mean_squared_error(2.5, x, true), mean_squared_error_naive(true, 2.5 * x), rtol=1e-5)
    assert mean_squared_error_naive(np.array([1.0, 2.0]), np.array([1.0, 5.0])) == 4.5


def test_the_loss_at_many_points_is_the_loss_at_each(fit, rng):
    points = fit.minimum() + rng.normal(size=(7, fit.features.shape[1]))
    features, true = (part.astype(float) for part in fit.data)
    expected = [np.mean((true - features @ theta) ** 2) for theta in points]
    np.testing.assert_allclose(fit.losses(points), expected, rtol=1e-7)
    np.testing.assert_allclose(fit.losses(points), [mean_squared_error(p, *fit.data) for p in points], rtol=1e-4)
    assert (fit.losses(np.array([fit.minimum()])) >= 0).all(), "not below zero by rounding, for a logarithm's sake"


# The least of it


def test_at_the_minimum_the_loss_is_level_and_lowest(fit, rng):
    features, true, minimum = fit.features.astype(float), fit.true.astype(float), fit.minimum()
    slope = -2 * np.mean((true - features @ minimum)[:, None] * features, axis=0)
    scale = 2 * np.mean(np.abs(true[:, None] * features), axis=0)
    assert (np.abs(slope) < 1e-10 * scale).all()
    # in the float32 that students' code runs in, too
    assert (np.abs(jax.grad(mean_squared_error)(jnp.float32(minimum), *fit.data)) < 1e-5 * scale).all()
    around = minimum + rng.normal(0, 0.1, (50, len(minimum)))
    assert (fit.losses(around) > fit.losses(minimum[None])).all()


def test_without_noise_the_minimum_is_the_truth():
    np.testing.assert_allclose(bowl(50, 0.0, 0).minimum(), TRUE_BOWL, rtol=1e-6)
    assert TRUE_BOWL == (3, 9)
    np.testing.assert_allclose(line(*noisy_line(-2.5, 0.0, 3), intercept=False).minimum(), [-2.5], rtol=1e-6)
    x, true = noisy_line(-2.5, 0.0, 3, intercept=40.0)
    np.testing.assert_allclose(line(x, true, intercept=True).minimum(), [40, -2.5], rtol=1e-6)


def test_with_noise_the_minimum_is_off_by_as_much_as_the_noise_lets_it():
    """Over 200 draws: the mean is the truth, and the spread what least squares has in theory."""
    fits = bowls(50, 100.0, range(200))
    found = np.array([fit.minimum() for fit in fits])
    features = [fit.features.astype(float) for fit in fits]
    spread = np.sqrt(np.mean([100.0**2 * np.diag(np.linalg.inv(f.T @ f)) for f in features], axis=0))
    np.testing.assert_allclose(found.mean(axis=0), TRUE_BOWL, rtol=0, atol=4 * spread.max() / np.sqrt(200))
    np.testing.assert_allclose(found.std(axis=0), spread, rtol=0.2)


# The features


def test_each_parameter_has_its_feature():
    x, y, true = bowl_points(20, 5.0, 6)
    fit = bowl(20, 5.0, 6)
    np.testing.assert_allclose(fit.features, np.stack([x**2, y**2], axis=1), rtol=1e-6)
    np.testing.assert_array_equal(fit.true, true)
    x, true = noisy_line(1.0, 1.0, 0, 7)
    np.testing.assert_array_equal(line(x, true, intercept=True).features, np.stack([np.ones(7), x], axis=1))
    np.testing.assert_array_equal(line(x, true, intercept=False).features, x[:, None])


def test_examples_are_float32_as_the_race_takes_them(fit):
    assert [part.dtype for part in fit.data] == [np.float32, np.float32]
    assert fit.true.shape == fit.features.shape[:1]
    assert np.isfinite(fit.features).all()
    assert line(np.arange(3), np.arange(3), intercept=True).features.dtype == np.float32


def test_some_of_the_examples_are_those_at_their_places():
    fit = bowl(20, 5.0, 6)
    some = fit.subset(np.array([3, 17]))
    np.testing.assert_array_equal(some.features, fit.features[[3, 17]])
    np.testing.assert_array_equal(some.true, fit.true[[3, 17]])


# The examples


DRAWS = {
    "line": lambda seed, noise=2.0, examples=30: noisy_line(3.0, noise, seed, examples),
    "bowl": lambda seed, noise=2.0, examples=30: bowl_points(examples, noise, seed),
}


@pytest.fixture(params=list(DRAWS.values()), ids=list(DRAWS))
def draw(request):
    return request.param


def test_a_seed_always_draws_the_same_examples_and_another_one_others(draw):
    for one, other in zip(draw(5), draw(5), strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(draw(5), draw(6), strict=True):
        assert (one != other).all()


def test_turning_the_noise_moves_no_example_and_scales_what_is_added(draw):
    """A student who turns it up sees the same points, further off."""
    *places, still = draw(5, noise=0.0)
    *same, little = draw(5, noise=1.0)
    *again, much = draw(5, noise=50.0)
    np.testing.assert_array_equal(places, same)
    np.testing.assert_array_equal(places, again)
    np.testing.assert_allclose(much - still, 50 * (little - still), rtol=0, atol=0.02)
    assert np.abs(little - still).max() > 0.5


@pytest.mark.parametrize("noise", [0.5, 20.0, 200.0])
def test_the_noise_is_normal_and_of_the_size_that_was_asked_for(draw, noise):
    """Of 10,000 draws: five standard errors for the mean, the spread and the share within one deviation."""
    off = (draw(0, noise, 10_000)[-1].astype(float) - draw(0, 0.0, 10_000)[-1]) / noise
    assert abs(off.mean()) < 5 / 100
    assert abs(off.std() - 1) < 5 / np.sqrt(2 * 10_000)
    assert abs((np.abs(off) < 1).mean() - 0.6827) < 5 * np.sqrt(0.6827 * 0.3173 / 10_000)


def test_points_of_a_line_are_spread_evenly_from_0_to_10_in_order_and_lie_on_it():
    x, true = noisy_line(-4.0, 0.0, 1, 10_000, intercept=7.0)
    assert (np.diff(x) >= 0).all()
    assert 0 <= x.min() < 0.01
    assert 9.99 < x.max() <= 10
    np.testing.assert_allclose(np.histogram(x, 10, (0, 10))[0], 1000, atol=5 * 30)
    np.testing.assert_allclose(true, 7 - 4 * x, rtol=1e-5, atol=1e-4)


def test_points_of_the_bowl_are_spread_evenly_over_its_square_and_lie_on_it():
    x, y, true = bowl_points(10_000, 0.0, 1)
    assert MAX_INPUT == 10
    for along in (x, y):
        assert -10 <= along.min() < -9.99
        assert 9.99 < along.max() <= 10
        np.testing.assert_allclose(np.histogram(along, 10, (-10, 10))[0], 1000, atol=5 * 30)
    assert abs(np.corrcoef(x, y)[0, 1]) < 5 / 100
    np.testing.assert_allclose(true, 3 * x**2 + 9 * y**2, rtol=1e-5)


def test_many_seeds_at_once_are_each_seed_alone():
    many = bowls(30, 20.0, [4, 0, 9])
    assert len(many) == 3
    for fit, seed in zip(many, (4, 0, 9), strict=True):
        alone = bowl(30, 20.0, seed)
        np.testing.assert_array_equal(fit.features, alone.features)
        np.testing.assert_allclose(fit.true, alone.true, rtol=1e-6, atol=1e-4)


# How it bends


def test_many_examples_of_the_bowl_bend_as_their_mean_fourth_powers_say():
    """Twice the mean of x⁴ is 4000, of x²y² 2222: 6,222 along (1, 1) and 1,778 along (1, −1)."""
    fit = bowl(20_000, 0.0, 0)
    hessian = jax.hessian(mean_squared_error)(jnp.zeros(2), *fit.data)
    np.testing.assert_allclose(hessian, [[4000, 2222], [2222, 4000]], rtol=0.03)
    bend = curvature(mean_squared_error, np.zeros(2), fit.data)
    np.testing.assert_allclose(bend.values, (1778, 6222), rtol=0.04)
    np.testing.assert_allclose(bend.directions, np.array([(1, -1), (1, 1)]) / np.sqrt(2), atol=0.02)
    assert bend.limit == pytest.approx(3.2e-4, rel=0.03)


def test_an_example_alone_bends_by_the_largest_curvature_of_its_own_loss():
    fit = bowl(6, 10.0, 3)
    for i, own in enumerate(fit.curvatures()):
        alone = fit.subset(np.array([i]))
        values = curvature(mean_squared_error, np.zeros(2), alone.data).values
        np.testing.assert_allclose(values, (0, own), rtol=1e-5, atol=1e-4 * own)
    whole = curvature(mean_squared_error, np.zeros(2), fit.data).values[-1]
    assert whole < fit.curvatures().max(), "all together are an average of them"


def test_no_example_bends_more_than_a_far_corner_which_has_40_000():
    corner = Fit(np.array([[MAX_INPUT**2, MAX_INPUT**2]], np.float32), np.array([1200.0], np.float32))
    np.testing.assert_allclose(corner.curvatures(), [40_000])
    many = bowl(20_000, 0.0, 0).curvatures()
    assert 39_000 < many.max() <= 40_000
