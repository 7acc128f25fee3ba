"""What every landscape says of itself must be true: its minima, its floor, its slopes, its words."""

import re
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine import LANDSCAPES
from engine.elementary import cos_turns, quick_expm1
from engine.landscapes import landscape as enter

WITH_MINIMA = [pytest.param(known, id=name) for name, known in LANDSCAPES.items() if known.minima]
WITHOUT = [pytest.param(known, id=name) for name, known in LANDSCAPES.items() if not known.minima]


@cache
def value_and_slope(loss):
    return jax.jit(jax.vmap(jax.value_and_grad(loss)))


def grid(domain, count):
    """A grid over the domain: (count * count, 2), edges included."""
    xs, ys = (np.linspace(*side, count, dtype=np.float32) for side in domain)
    return np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)


def inside(points, domain):
    low, high = np.transpose(domain)
    return ((low <= points) & (points <= high)).all(axis=-1)


def rounding(losses):
    """What float32 may add to a loss whose terms are as large as the largest of these."""
    return 1e-6 * max(1.0, np.abs(losses).max())


# What it says


def test_is_registered_under_its_name(landscape):
    assert LANDSCAPES[landscape.name] is landscape


def test_carries_a_formula_a_source_and_one_sentence(landscape):
    assert landscape.formula.startswith("f(x, y) = ")
    assert landscape.formula.count("{") == landscape.formula.count("}")
    assert re.search(r"\(\d{4}\)", landscape.source), "the source gives the year in brackets"
    assert landscape.about.endswith(".")
    assert "\n" not in landscape.about


def test_its_minima_and_places_lie_in_its_domain(landscape):
    assert landscape.places
    assert inside(np.array([*landscape.minima, *landscape.places.values()]), landscape.domain).all()


def test_has_a_floor_just_when_it_has_minima(landscape):
    assert (landscape.floor is None) == (landscape.minima == ())


# each once more, as its source has it, in numpy and 64 bits
IN_NUMPY = {
    "Ackley": lambda x, y: (
        -20 * np.exp(-0.2 * np.sqrt((x**2 + y**2) / 2))
        - np.exp((np.cos(2 * np.pi * x) + np.cos(2 * np.pi * y)) / 2)
        + np.e
        + 20
    ),
    "Rosenbrock": lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2,
    "Rastrigin": lambda x, y: 20 + x**2 - 10 * np.cos(2 * np.pi * x) + y**2 - 10 * np.cos(2 * np.pi * y),
    "Himmelblau": lambda x, y: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2,
    "Beale": lambda x, y: (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2,
    "Booth": lambda x, y: (x + 2 * y - 7) ** 2 + (2 * x + y - 5) ** 2,
    "Styblinski-Tang": lambda x, y: (x**4 - 16 * x**2 + 5 * x + y**4 - 16 * y**2 + 5 * y) / 2,
    "Three-hump camel": lambda x, y: 2 * x**2 - 1.05 * x**4 + x**6 / 6 + x * y + y**2,
    "Saddle": lambda x, y: x**2 - y**2,
    "Bowl": lambda x, y: (x**2 + y**2) / 2,
    "Ravine": lambda x, y: (x**2 + 100 * y**2) / 2,
    "Monkey saddle": lambda x, y: x**3 - 3 * x * y**2,
    "Turned ravine": lambda x, y: (x + y) ** 2 / 4 + 25 * (y - x) ** 2,
}


def test_computes_what_its_formula_says(landscape, rng):
    points = rng.uniform(*np.transpose(landscape.domain), (300, 2)).astype(np.float32)
    losses, _ = value_and_slope(landscape.loss)(points)
    expected = IN_NUMPY[landscape.name](*points.astype(float).T)
    np.testing.assert_allclose(losses, expected, rtol=1e-4, atol=rounding(expected))


# What is true of it


@pytest.mark.parametrize("landscape", WITH_MINIMA)
def test_each_minimum_is_level_and_on_the_floor(landscape):
    minima = np.array(landscape.minima, np.float32)
    losses, slopes = value_and_slope(landscape.loss)(minima)
    np.testing.assert_allclose(losses, landscape.floor, rtol=1e-6, atol=1e-6)
    # the minima are written to six places, so a slope may be left over, by the curvature times 1e-6
    assert np.abs(slopes).max() < 1e-6 * max(1.0, np.abs(jax.jit(jax.vmap(jax.hessian(landscape.loss)))(minima)).max())


@pytest.mark.parametrize("landscape", WITH_MINIMA)
def test_nothing_in_the_domain_is_lower_than_the_floor(landscape):
    losses, _ = value_and_slope(landscape.loss)(grid(landscape.domain, 501))
    assert losses.min() >= landscape.floor - rounding(landscape.floor)


def test_value_and_slope_are_finite_everywhere_and_right_beside_the_minima(landscape):
    nearby = [
        (x + away * dx, y + away * dy)
        for x, y in (*landscape.minima, (0.0, 0.0))
        for away in (0, 1e-45, 1e-38, 1e-30, 1e-20, 1e-15, 1e-10, 1e-5)
        for dx, dy in ((1, 0), (0, -1), (-1, 1), (1, 1e-3))
    ]
    points = np.concatenate([grid(landscape.domain, 501), np.array(nearby, np.float32)])
    losses, slopes = value_and_slope(landscape.loss)(points)
    assert np.isfinite(losses).all()
    assert np.isfinite(slopes).all()


def test_its_slope_is_that_of_its_value_in_double_precision(landscape, rng):
    low, high = np.transpose(landscape.domain)
    points = rng.uniform(low, high, (200, 2)).astype(np.float32)
    _, slopes = value_and_slope(landscape.loss)(points)
    step = 1e-6
    with jax.enable_x64(True):
        value = jax.jit(jax.vmap(landscape.loss))
        beside = points.astype(np.float64)[:, None, :] + step * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
        right, left, up, down = value(jnp.asarray(beside.reshape(-1, 2))).reshape(-1, 4).T
        differences = np.stack([right - left, up - down], axis=-1) / (2 * step)
    np.testing.assert_allclose(slopes, differences, rtol=1e-4, atol=1e-5 * np.abs(differences).max())


@pytest.mark.parametrize("landscape", WITH_MINIMA)
def test_every_descent_that_reaches_the_floor_ends_in_a_listed_minimum(landscape):
    """Newton's steps, held back where they would climb, from a grid over the domain in double precision."""
    with jax.enable_x64(True):
        slope, shape = jax.grad(landscape.loss), jax.hessian(landscape.loss)

        def step(_, carry):
            x, caution = carry
            ahead = x - jnp.linalg.solve(shape(x) + caution * jnp.eye(2), slope(x))
            better = landscape.loss(ahead) < landscape.loss(x)
            return jnp.where(better, ahead, x), jnp.where(better, caution / 3, caution * 5)

        @jax.jit
        @jax.vmap
        def descend(x):
            end, _ = jax.lax.fori_loop(0, 200, step, (x, jnp.array(1e3)))
            return end, landscape.loss(end)

        ends, losses = (np.asarray(part) for part in descend(jnp.asarray(grid(landscape.domain, 31), float)))
    down = ends[(losses < landscape.floor + 1e-5) & inside(ends, landscape.domain)]
    gaps = np.linalg.norm(down[:, None] - np.array(landscape.minima), axis=-1)
    assert gaps.min(axis=1).max() < 0.05, "a minimum is not listed"
    assert gaps.min(axis=0).max() < 0.05, "a listed minimum was never reached"


@pytest.mark.parametrize("landscape", WITHOUT)
def test_without_a_minimum_the_origin_is_level_but_goes_down_somewhere(landscape):
    np.testing.assert_array_equal(jax.grad(landscape.loss)(jnp.zeros(2)), 0)
    curvatures = np.linalg.eigvalsh(jax.hessian(landscape.loss)(jnp.zeros(2)))
    assert curvatures[0] <= 0
    around = 0.1 * np.stack([np.cos(angles := np.linspace(0, 6, 50)), np.sin(angles)], axis=1)
    losses, _ = value_and_slope(landscape.loss)(around.astype(np.float32))
    assert losses.min() < landscape.loss(jnp.zeros(2)) < losses.max()


@pytest.mark.parametrize(
    ("name", "curvatures"),
    # each in its own words: the Bowl is round, the Ravine a hundred times as curved across, Booth nine times
    [("Bowl", (1, 1)), ("Ravine", (1, 100)), ("Booth", (2, 18)), ("Saddle", (-2, 2)), ("Monkey saddle", (0, 0))],
)
def test_is_curved_as_its_words_say(name, curvatures):
    shape = jax.hessian(LANDSCAPES[name].loss)(jnp.zeros(2))
    np.testing.assert_allclose(np.linalg.eigvalsh(shape), curvatures, atol=1e-5)


def test_the_tip_of_ackley_is_a_kink_as_steep_on_every_side():
    """Its slope is 2.83 all around, and taken as level in the tip itself, where there is none."""
    around = 1e-4 * np.stack([np.cos(angles := np.linspace(0, 6, 20)), np.sin(angles)], axis=1)
    _, slopes = value_and_slope(LANDSCAPES["Ackley"].loss)(around.astype(np.float32))
    np.testing.assert_allclose(np.linalg.norm(slopes, axis=1), 2 * np.sqrt(2), rtol=1e-2)


# What registering refuses


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"about": None}, "no docstring"),
        ({"places": {}}, "no places"),
        ({"floor": None}, "both minima and a floor"),
        ({"minima": ()}, "both minima and a floor"),
        ({"name": "Ackley"}, "there already"),
    ],
)
def test_an_incomplete_landscape_is_refused_with_the_reason(changes, sentence):
    known = {
        "name": "Slope",
        "domain": ((-1, 1), (-1, 1)),
        "minima": ((-1, -1),),
        "floor": -2.0,
        "formula": "f(x, y) = x + y",
        "source": "Nobody (2000)",
        "places": {"Top": (1, 1)},
        "about": "Straight down.",
    } | changes

    def slope(x):
        return x[0] + x[1]

    slope.__doc__ = known.pop("about")
    before = dict(LANDSCAPES)
    with pytest.raises(ValueError, match=f"Landscape '{known['name']}' .*{sentence}"):
        enter(**known)(slope)
    assert before == LANDSCAPES


def test_the_cosine_of_full_turns_is_exact_to_the_last_digit_and_so_is_its_slope():
    turns = np.random.default_rng(0).uniform(-50, 50, 100_000).astype(np.float32)
    turns = np.append(turns, np.arange(-20, 20, dtype=np.float32) / 8)
    value, slope = jax.vmap(jax.value_and_grad(cos_turns))(turns)
    np.testing.assert_allclose(value, np.cos(2 * np.pi * turns.astype(float)), rtol=0, atol=2e-7)
    np.testing.assert_allclose(slope, -2 * np.pi * np.sin(2 * np.pi * turns.astype(float)), rtol=0, atol=3e-6)


def test_the_exponential_less_1_is_exact_to_the_last_digits_and_so_is_its_slope():
    sizes = np.geomspace(1e-20, 80, 50_000)
    x = np.concatenate([-sizes, [0], sizes]).astype(np.float32)
    value, slope = jax.vmap(jax.value_and_grad(quick_expm1))(x)
    np.testing.assert_allclose(value, np.expm1(x.astype(float)), rtol=5e-7)
    np.testing.assert_allclose(slope, np.exp(x.astype(float)), rtol=5e-7)
    assert jax.vmap(quick_expm1)(np.array([-np.inf, -1e30, np.inf])).tolist() == [-1, -1, np.inf]
    assert np.isnan(quick_expm1(np.nan))


def test_the_curvature_at_the_bottom_of_a_dent_is_that_of_its_cosine():
    """Rastrigin bends by 2 + 40 pi^2 at its minimum: the cosine can be differentiated twice."""
    hessian = jax.hessian(LANDSCAPES["Rastrigin"].loss)(jnp.zeros(2))
    np.testing.assert_allclose(hessian, np.eye(2) * (2 + 40 * np.pi**2), rtol=1e-5, atol=1e-4)
