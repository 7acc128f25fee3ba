"""What every landscape says of itself must be true: its minima, its floor, its slopes, its words."""

import re
from functools import partial
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine import LANDSCAPES, OPTIMIZERS, race, reshaped, xla
from engine.elementary import cos_turns, quick_expm1
from engine.knobs import Knob, knob
from engine.landscapes import evaluate_at
from engine.landscapes import landscape as enter
from engine.optimizers import Newton
from engine.quantities import hessians
from engine.shapes import KNOBS, Shape, shape


def at_the_ends_of_its_knobs(known):
    """A landscape with each of its knobs at its lowest and at its highest value, by what is set."""
    names = [one.name for one in known.knobs]
    for ends in product(*((one.low, one.high) for one in known.knobs)):
        knobs = dict(zip(names, ends, strict=True))
        yield f"{known.name} {knobs}", reshaped(known, **knobs)


TURNED = dict(pair for known in LANDSCAPES.values() if known.knobs for pair in at_the_ends_of_its_knobs(known))
ALL = {**LANDSCAPES, **TURNED}
WITH_MINIMA = [pytest.param(known, id=name) for name, known in ALL.items() if known.minima]
WITHOUT = [pytest.param(known, id=name) for name, known in ALL.items() if not known.minima]


@pytest.fixture(params=ALL.values(), ids=ALL)
def landscape(request):
    """Each landscape in turn, and those with knobs at the ends of these, too."""
    return request.param


@xla.compiled(1)
def values_and_slopes(loss, points):
    return jax.vmap(jax.value_and_grad(loss))(points)


def value_and_slope(loss):
    return partial(values_and_slopes, loss)


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


@pytest.mark.parametrize("name", LANDSCAPES)
def test_is_registered_under_its_name(name):
    assert LANDSCAPES[name].name == name


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
    "Quadratic": lambda x, y, angle, condition_number: (
        (
            (x * np.cos(np.pi * angle / 180) + y * np.sin(np.pi * angle / 180)) ** 2
            + condition_number * (y * np.cos(np.pi * angle / 180) - x * np.sin(np.pi * angle / 180)) ** 2
        )
        / 2
    ),
    "Rippled valley": lambda x, y, amplitude, wavelength: (
        (x**2 + 10 * y**2) / 2
        + amplitude * (2 - np.cos(2 * np.pi * x / wavelength) - np.cos(2 * np.pi * y / wavelength))
    ),
    "Plateau": lambda x, y, width: (x**2 + y**2) / (width**2 + x**2 + y**2),
    "Sharp and flat": lambda x, y, sharpness: (
        sharpness
        * ((x + 2) ** 2 + y**2)
        / 2
        * ((x - 2) ** 2 + y**2)
        / (sharpness * ((x + 2) ** 2 + y**2) + ((x - 2) ** 2 + y**2))
    ),
    "Cliff": lambda x, y, steepness: (
        y**2 / 2 + np.where(x < -1 / steepness, -x - 1 / (2 * steepness), steepness * x**2 / 2)
    ),
}


def test_computes_what_its_formula_says(landscape, rng):
    points = rng.uniform(*np.transpose(landscape.domain), (300, 2)).astype(np.float32)
    losses, _ = value_and_slope(landscape.loss)(points)
    knobs = {one.name: getattr(landscape.loss, one.name) for one in landscape.knobs}
    expected = IN_NUMPY[landscape.name](*points.astype(float).T, **knobs)
    np.testing.assert_allclose(losses, expected, rtol=1e-4, atol=rounding(expected))


# What is true of it


@pytest.mark.parametrize("landscape", WITH_MINIMA)
def test_each_minimum_is_level_and_on_the_floor(landscape):
    minima = np.array(landscape.minima, np.float32)
    losses, slopes = value_and_slope(landscape.loss)(minima)
    np.testing.assert_allclose(losses, landscape.floor, rtol=1e-6, atol=1e-6)
    # the minima are written to six places, so a slope may be left over, by the curvature times 1e-6
    assert np.abs(slopes).max() < 1e-6 * max(1.0, np.abs(hessians(landscape.loss, minima, ())).max())


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
        beside = points.astype(np.float64)[:, None, :] + step * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
        right, left, up, down = evaluate_at(landscape.loss, jnp.asarray(beside.reshape(-1, 2))).reshape(-1, 4).T
        differences = np.stack([right - left, up - down], axis=-1) / (2 * step)
    np.testing.assert_allclose(slopes, differences, rtol=1e-4, atol=1e-5 * np.abs(differences).max())


@xla.compiled(1)
def descended(loss, starts):
    """Newton's steps, held back where they would climb: where each of them ends, and the loss there."""
    slope, shape = jax.grad(loss), jax.hessian(loss)

    def step(_, carry):
        x, caution = carry
        ahead = x - jnp.linalg.solve(shape(x) + caution * jnp.eye(2), slope(x))
        better = loss(ahead) < loss(x)
        return jnp.where(better, ahead, x), jnp.where(better, caution / 3, caution * 5)

    ends, _ = jax.vmap(lambda x: jax.lax.fori_loop(0, 200, step, (x, jnp.array(1e3))))(starts)
    return ends, jax.vmap(loss)(ends)


@pytest.mark.parametrize("landscape", WITH_MINIMA)
def test_every_descent_that_reaches_the_floor_ends_in_a_listed_minimum(landscape):
    """From a grid over the domain, in double precision."""
    with jax.enable_x64(True):
        found = descended(landscape.loss, jnp.asarray(grid(landscape.domain, 31), float))
    ends, losses = map(np.asarray, found)
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


# What a shape teaches: each of these is said of it, or of its knob


QUADRATIC, SHARP_AND_FLAT, CLIFF = (LANDSCAPES[name] for name in ("Quadratic", "Sharp and flat", "Cliff"))


def raced(landscape, racers, steps=200, place=0):
    """The run of each racer from a place of a landscape."""
    start = [*landscape.places.values()][place]
    traces = race(landscape.loss, racers, [start], steps, minima=landscape.minima)
    return {name: trace.run(0) for name, trace in traces.items()}


def steps_down(run, share=0.01):
    """How many steps it takes until so little is left of the loss at the start."""
    there = run.losses < share * run.losses[0]
    return int(run.steps[there.argmax()]) if there.any() else len(run.steps)


def test_a_rule_that_scales_each_coordinate_needs_ten_times_as_many_steps_where_the_valley_is_turned():
    racers = {name: OPTIMIZERS[name](learning_rate=rate) for name, rate in (("Adam", 0.5), ("RMSProp", 0.1))}
    aligned, turned = (raced(reshaped(QUADRATIC, angle=angle), racers) for angle in (0.0, 45.0))
    for name in racers:
        assert steps_down(turned[name]) > 10 * steps_down(aligned[name])


@pytest.mark.parametrize("angle", [0.0, 20.0, 45.0, 90.0])
def test_at_any_angle_sgd_goes_the_same_way_turned_and_newton_needs_one_step(angle):
    racers = {name: OPTIMIZERS[name](learning_rate=0.01) for name in ("SGD", "Momentum", "Nesterov")}
    aligned = raced(reshaped(QUADRATIC, angle=0.0), racers)
    turned = raced(reshaped(QUADRATIC, angle=angle), {**racers, "Newton": Newton()})
    for name in racers:
        np.testing.assert_allclose(turned[name].losses, aligned[name].losses, rtol=1e-2, atol=1e-4)
    assert turned["Newton"].losses[1] < 1e-9


def test_a_ripple_holds_short_steps_and_longer_ones_follow_the_valley():
    racers = {str(rate): OPTIMIZERS["Adam"](learning_rate=rate) for rate in (0.01, 0.5)}
    held, follows = raced(reshaped(LANDSCAPES["Rippled valley"], amplitude=0.5), racers).values()
    assert held.losses[-1] > 10 * follows.losses[-1]
    smooth = reshaped(LANDSCAPES["Rippled valley"], amplitude=0.0)
    assert raced(smooth, {"SGD": OPTIMIZERS["SGD"](learning_rate=0.1)})["SGD"].converged is not None


def test_on_the_plateau_sgd_hardly_moves_and_steps_that_do_not_shrink_with_the_slope_arrive():
    racers = {name: OPTIMIZERS[name](learning_rate=0.1) for name in ("SGD", "Adam", "Lion", "RProp")}
    sgd, *others = raced(LANDSCAPES["Plateau"], racers).values()
    assert np.abs(sgd.positions - sgd.positions[0]).max() < 0.2
    assert all(run.converged is not None for run in others)


def test_a_larger_learning_rate_of_sgd_leaves_the_sharp_minimum_for_the_flat_one():
    curvatures = [np.linalg.eigvalsh(jax.hessian(SHARP_AND_FLAT.loss)(jnp.float32(x))) for x in SHARP_AND_FLAT.minima]
    np.testing.assert_allclose(curvatures, [[100, 100], [1, 1]], rtol=1e-4)
    racers = {str(rate): OPTIMIZERS["SGD"](learning_rate=rate) for rate in (0.01, 0.5)}
    ends = [run.positions[-1] for run in raced(SHARP_AND_FLAT, racers).values()]
    np.testing.assert_allclose(ends, SHARP_AND_FLAT.minima, atol=0.01)


def test_the_wall_throws_sgd_back_again_and_again_but_not_adam():
    racers = {name: OPTIMIZERS[name](learning_rate=0.1) for name in ("SGD", "Adam")}
    sgd, adam = raced(CLIFF, racers).values()
    thrown = np.diff(sgd.positions[:, 0]) < -1
    assert thrown.sum() >= 3
    assert np.diff(adam.positions[:, 0]).min() > -0.5


# Its knobs


def test_without_a_knob_turned_it_is_the_landscape_of_the_registry_and_so_it_is_with_the_same_ones():
    for known in LANDSCAPES.values():
        assert reshaped(known, **{one.name: one.default for one in known.knobs}) is known
    one, other = (reshaped(CLIFF, steepness=7.0) for _ in range(2))
    assert one is other
    assert one is not CLIFF


def test_a_knob_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(ValueError, match=r"Quadratic has no knob 'warmth'. Choose one of: angle, condition_number."):
        reshaped(QUADRATIC, warmth=3.0)
    with pytest.raises(ValueError, match=r"Bowl has no knob 'angle'. It has none."):
        reshaped(LANDSCAPES["Bowl"], angle=3.0)


@pytest.mark.parametrize("one", KNOBS.values(), ids=KNOBS)
def test_a_knob_has_a_range_a_symbol_and_words(one):
    assert one.low <= one.default <= one.high
    assert one.low > 0 or not one.log
    assert one.symbol
    assert one.about.endswith(".")


@pytest.mark.parametrize(
    ("the_knob", "sentence"),
    [
        (knob(1.0, 0.0, 2.0, "h"), "'height' is not explained"),
        (knob(1.0, 0.0, 2.0, "h", about="How high."), "another has the knob 'height'"),
    ],
)
def test_a_shape_with_an_incomplete_knob_is_refused_with_the_reason(the_knob, sentence, monkeypatch):
    monkeypatch.setitem(KNOBS, "height", Knob("height", 3.0, 0.0, 9.0, "h", False, "How tall."))
    before = dict(LANDSCAPES)

    class Hill(Shape):
        """Down on all sides."""

        name = "Hill"
        height: float = the_knob

    with pytest.raises(ValueError, match=f"Landscape 'Hill': .*{sentence}"):
        shape(Hill)
    assert before == LANDSCAPES


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
