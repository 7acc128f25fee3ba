"""What is said of a run must be what happened to it, and what is foretold must happen: verdicts and curvature."""

import jax.numpy as jnp
import numpy as np
import pytest

from engine import LANDSCAPES, OPTIMIZERS, race
from engine.analysis import (
    Curvature,
    curvature,
    distance_to_nearest,
    forecast,
    gradients,
    measured_factors,
)
from engine.endings import Ending, Verdict, judge_all, verdict_if_lost, verdicts
from engine.problems import bowl, line, mean_squared_error, notebook_grid
from engine.stationary import stationary_points

SGD, ADAM, MOMENTUM = (OPTIMIZERS[name] for name in ("SGD", "Adam", "Momentum"))


def judge(name, optimizer, starts, steps, minima=None):
    landscape = LANDSCAPES[name]
    minima = landscape.minima if minima is None else minima
    traces = race(landscape.loss, {"it": optimizer}, starts, steps, minima=minima)
    return traces["it"], verdicts(landscape.loss, traces, minima)["it"]


@pytest.mark.parametrize("steps", [500, 2000])
@pytest.mark.parametrize(
    ("name", "optimizer", "start", "kind", "words"),
    [
        ("Bowl", SGD(), (4, 1), "converged", "converged at step 57"),
        ("Bowl", SGD(learning_rate=3.0), (1, 0), "diverged", "diverged at step 64"),
        ("Styblinski-Tang", ADAM(), (4, 4), "stuck", "stuck in a local minimum at (2.75, 2.75)"),
        ("Styblinski-Tang", ADAM(), (-4, 1), "stuck", "stuck in a local minimum at (-2.90, 2.75)"),
        ("Saddle", SGD(), (1.5, 0), "saddle", "stuck at the saddle point (0.00, 0.00)"),
        ("Ackley", SGD(), (0.6, 0.4), "oscillating", "oscillating around "),
        # to and fro: every second step alone would look still
        ("Ravine", SGD(learning_rate=0.02), (-8, 1.5), "oscillating", "oscillating around the minimum at (0.00, 0.00)"),
        ("Bowl", SGD(learning_rate=2.0), (4, 1), "oscillating", "oscillating around the minimum at (0.00, 0.00)"),
        ("Rosenbrock", SGD(learning_rate=2e-4), (-1.2, 1), "going", "still going"),
        ("Saddle", ADAM(), (1.5, 0.001), "going", "still going"),
        ("Ravine", SGD(learning_rate=1e-5), (-8, 0), "going", "still going"),
        (
            "Styblinski-Tang",
            SGD(learning_rate=1e-5),
            (0.1567, 0.1567),
            "top",
            "stuck at the local maximum (0.16, 0.16)",
        ),
        (
            "Bowl",
            SGD(learning_rate=1e-9),
            (4, 1),
            "stands",
            "stands still at (4.00, 1.00)",
        ),
    ],
)
def test_a_run_is_judged_by_what_it_did(name, optimizer, start, kind, words, steps):
    _, [verdict] = judge(name, optimizer, [start], steps)
    assert verdict.kind == kind
    assert verdict.words.startswith(words)


def test_a_run_that_is_at_rest_but_nowhere_special_is_still_going_very_slowly():
    for minima in (None, ()):
        _, [verdict] = judge("Ravine", SGD(learning_rate=1e-5), [(-8, 0)], 100, minima)
        assert verdict.words == "still going, very slowly"


def test_a_run_that_is_at_rest_beside_a_known_minimum_is_on_its_way_to_it_and_not_stuck():
    _, [verdict] = judge("Ravine", SGD(learning_rate=1e-5), [(-0.1, 0)], 100)
    assert verdict.words == "still going, very slowly"


@pytest.mark.parametrize("steps", [1, 3])
def test_a_short_race_is_judged_too(steps):
    """Nobody says of a few steps that they rest; converged and diverged can be seen at once."""
    starts = [(4, 1), (0.001, 0.001), (1e30, 0)]
    _, found = judge("Bowl", SGD(), starts, steps)
    assert [verdict.kind for verdict in found] == ["going", "converged", "diverged"]
    assert [verdict.words for verdict in found] == [
        "still going",
        "converged at step 0",
        "stopped at step 0: a number became too large or undefined",
    ]
    _, [at_rest] = judge("Bowl", SGD(), [(0.001, 0.001)], steps, minima=())
    assert at_rest.words == "still going"


def test_every_run_of_every_racer_gets_its_own_verdict():
    landscape = LANDSCAPES["Styblinski-Tang"]
    starts = [(4, 4), (-4, -4), (-4, 1), (np.nan, 0)]
    racers = {"Adam": ADAM(), "wild": SGD(learning_rate=1.0)}
    traces = race(landscape.loss, racers, starts, 500, minima=landscape.minima)
    found = verdicts(landscape.loss, traces, landscape.minima)
    assert [verdict.kind for verdict in found["Adam"]] == ["stuck", "converged", "stuck", "diverged"]
    assert [verdict.kind for verdict in found["wild"]] == ["diverged"] * 4
    assert "(-2.90, 2.75)" in found["Adam"][2].words


def test_a_run_that_passes_the_minimum_and_leaves_has_not_converged():
    """A ball without friction, back on the slope that it came from after one swing."""
    trace, [verdict] = judge("Booth", MOMENTUM(learning_rate=1e-4, momentum=0.999), [(1.3, 3.3)], 148)
    assert trace.converged_at[0] > 0
    assert verdict.kind == "going"


def test_without_minima_nothing_converges():
    _, [verdict] = judge("Bowl", SGD(), [(4, 1)], 500, minima=())
    assert verdict.words == "stuck in a local minimum at (0.00, 0.00)"


def test_a_race_that_was_not_told_the_minima_converges_at_no_named_step():
    landscape = LANDSCAPES["Bowl"]
    traces = race(landscape.loss, {"it": SGD()}, [(4, 1)], 500)
    [verdict] = verdicts(landscape.loss, traces, landscape.minima)["it"]
    assert verdict.words == "converged"


def test_a_run_far_out_is_judged_without_overflow():
    """One step before it diverges, where the square of its last move is more than float32 holds."""
    trace, [verdict] = judge("Bowl", SGD(learning_rate=3.0), [(1.9, 0)], 63)
    assert trace.stopped_at[0] == -1
    assert verdict.kind == "diverging"


def test_distance_to_nearest_is_the_straight_line_to_the_nearer_minimum():
    points = np.array([[[0, 0], [3, 4]], [[10, 10], [10, 9]]], np.float32)
    found = distance_to_nearest(points, ((0, 0), (10, 10)))
    np.testing.assert_allclose(found, [[0, 5], [0, 1]])
    assert np.isnan(distance_to_nearest(points, ())).all()
    assert distance_to_nearest(points, ()).shape == (2, 2)


def test_a_loss_of_one_coordinate_is_judged_as_well():
    def double_well(x):
        return (x[0] ** 2 - 1) ** 2 + 0.3 * x[0]

    traces = race(double_well, {"it": SGD(learning_rate=0.05)}, [(2.0,)], 300, minima=[(-1.0353,)])
    [verdict] = verdicts(double_well, traces, [(-1.0353,)])["it"]
    assert verdict.words == "stuck in a local minimum at (0.96)"
    assert jnp.isfinite(traces["it"].losses).all()


# Runs on data

FIT = bowl(100, 0.0, 0)


def judge_fit(optimizer, steps, minima=((3.0, 9.0),), fit=FIT, **rest):
    racers = {"it": optimizer}
    traces = race(mean_squared_error, racers, [(0.0, 0.0)], steps, minima=minima, data=fit.data, **rest)
    return traces["it"], verdicts(mean_squared_error, traces, minima, fit.data)["it"][0]


@pytest.mark.parametrize(
    ("rate", "steps", "kind", "words"),
    [
        (1e-4, 200, "converged", "converged at step "),
        (1e-3, 200, "diverged", "diverged at step "),
        (1e-7, 200, "going", "still going"),
    ],
)
def test_a_run_on_data_is_judged_by_what_it_did(rate, steps, kind, words):
    _, verdict = judge_fit(SGD(learning_rate=rate), steps)
    assert verdict.kind == kind
    assert verdict.words.startswith(words)


def test_a_run_on_data_is_judged_on_the_very_data_it_ran_on():
    """Told no minima, it finds the level point of just those examples."""
    other = bowl(100, 400.0, 3)
    for fit in (FIT, other):
        _, verdict = judge_fit(SGD(learning_rate=1e-4), 500, minima=(), fit=fit)
        x, y = fit.minimum()
        assert verdict.words == f"stuck in a local minimum at ({x:.2f}, {y:.2f})"
    assert np.abs(FIT.minimum() - other.minimum()).max() > 0.02


def test_a_run_in_batches_on_noisy_examples_oscillates_around_the_minimum():
    noisy = bowl(100, 400.0, 3)
    minimum = tuple(noisy.minimum())
    trace, verdict = judge_fit(SGD(learning_rate=5e-5), 500, minima=(minimum,), fit=noisy, batch_size=4)
    assert np.ptp(trace.positions[0, -100:], axis=0).max() > 0.1
    assert verdict.kind == "oscillating"


def test_a_run_that_its_tolerance_ended_far_from_the_minimum_has_not_converged():
    """Each step is so small that the loss hardly changes, from the first one on."""
    trace, verdict = judge_fit(SGD(learning_rate=1e-8), 300, tolerance=1e4)
    assert trace.settled_at[0] == 1
    assert verdict.ending is Ending.STEP_TOO_SMALL
    assert verdict.words == "ended by its tolerance at step 1, as far away as it began: the step is too small"
    _, reached = judge_fit(SGD(learning_rate=1e-4), 300, tolerance=1e-9)
    assert reached.kind == "converged", "the minimum itself comes first"


# Ended by the tolerance: converged is a claim about the loss


def fit_line(x, y, rate, tolerance, *, intercept=False, start=None, steps=2000, reach=0):
    """Plain descent of a line to points, and the verdict on it."""
    fit = line(np.asarray(x, np.float32), np.asarray(y, np.float32), intercept=intercept)
    start = np.zeros(1 + intercept) if start is None else np.atleast_1d(start)
    racers = {"it": SGD(learning_rate=rate)}
    traces = race(mean_squared_error, racers, [start], steps, data=fit.data, tolerance=tolerance)
    [verdict] = judge_all(traces, (), [fit.stationary_point()], reach=reach)["it"]
    return fit, traces["it"], verdict


GRID, YEARS = notebook_grid(), np.arange(2015, 2025)


@pytest.mark.parametrize(
    ("x", "y", "rate", "tolerance", "more", "kind"),
    [
        pytest.param(GRID, 4 * GRID**3 + 3, 0.01, 1e-6, {}, "converged", id="the notebook's"),
        pytest.param(GRID, 4 * GRID, 1e-9, 1e-6, {"start": 0.5}, "too small", id="a tiny rate"),
        pytest.param(GRID, 4 * GRID, 1e-6, 1.0, {"start": 0.5}, "too small", id="a small rate, a large tolerance"),
        pytest.param(GRID, 4 * GRID, 0.030455307686391563, 1e-6, {"start": 0.5}, "leaping", id="at the limit"),
        pytest.param(
            np.arange(400), 4 * np.arange(400) + 3, 1e-5, 1e-3, {"intercept": True}, "far", id="a flat valley"
        ),
        pytest.param(GRID, 4 * GRID, 1e-4, 3.0, {"start": 0.5}, "far", id="a tolerance that is too large"),
        pytest.param(YEARS, 2 * (YEARS - 2015) + 3, 1e-7, 1e-3, {"intercept": True}, "far", id="years"),
        pytest.param(
            np.arange(11),
            101325 + 0.03 * np.arange(11),
            2e-5,
            0.01,
            {"intercept": True, "start": (101325, 0)},
            "too small",
            id="a large intercept is right from the start",
        ),
        pytest.param(np.arange(-5, 6), 1000 + 0.5 * np.arange(-5, 6), 2e-4, 1e-6, {}, "too small", id="a bad model"),
        pytest.param(
            GRID, 4 * GRID, 0.032, 0.01, {"start": 4.0001}, "diverging", id="over the limit, from the minimum"
        ),
        pytest.param(np.array([-1, 1]), np.array([-4, 4]), 1.0, 1e-6, {}, "leaping", id="at the limit, in one step"),
        pytest.param(GRID, 4 * GRID, 0.0304, 10.0, {}, "far", id="just below the limit, a large tolerance"),
        pytest.param(GRID, 4 * GRID, 0.0306, 20.0, {}, "diverging", id="just above the limit, a large tolerance"),
        pytest.param(GRID, 4 * GRID, 4e-5, 10.0, {"start": 1000.0}, "far", id="most of a long way"),
        pytest.param(GRID, 4 * GRID, 0.01, 1e3, {}, "far", id="one good step, and a tolerance beyond all losses"),
        pytest.param(GRID, 0 * GRID, 0.01, 1e-6, {"start": 1.0}, "converged", id="to zero"),
        pytest.param(GRID, 4 * GRID, 0.01, 1e-6, {"start": 4.0}, "converged", id="from the minimum"),
        # the same as the first four, in units a billion times as small and as large
        pytest.param(1e-4 * GRID, 4e-4 * GRID, 1e6, 1e-16, {}, "converged", id="small units"),
        pytest.param(1e-4 * GRID, 4e-4 * GRID, 0.1, 1e-14, {}, "too small", id="small units, a tiny rate"),
        pytest.param(1e4 * GRID, 4e4 * GRID, 1e-10, 100, {}, "converged", id="large units"),
        pytest.param(1e4 * GRID, 4e4 * GRID, 1e-17, 1e4, {}, "too small", id="large units, a tiny rate"),
    ],
)
def test_who_was_ended_by_the_tolerance_is_told_where_he_stands(x, y, rate, tolerance, more, kind):
    _, trace, verdict = fit_line(x, y, rate, tolerance, **more)
    assert trace.settled_at[0] > 0
    assert verdict.kind == kind
    assert f"step {trace.settled_at[0]}" in verdict.words
    assert verdict.words.startswith("converged") == (kind == "converged")


@pytest.mark.parametrize(("rate", "tolerance", "ending"), [(0.0304, 10.0, "OVERSTEPPING"), (1e-4, 3.0, "FAR")])
def test_who_is_still_far_is_told_whether_each_step_overshoots(rate, tolerance, ending):
    _, _, verdict = fit_line(GRID, 4 * GRID, rate, tolerance)
    assert verdict.ending is Ending[ending]


def test_the_level_point_of_a_fit_is_the_one_that_newtons_method_finds(rng):
    x = rng.normal(2, 1, 20).astype(np.float32)
    fit = line(x, 3 * x - 1 + rng.normal(size=20), intercept=True)
    own, [found] = fit.stationary_point(), stationary_points(mean_squared_error, np.array([(5.0, -7.0)]), fit.data)
    np.testing.assert_allclose(own.point, found.point, rtol=1e-9)
    np.testing.assert_allclose(own.curvatures, found.curvatures, rtol=1e-9)
    np.testing.assert_allclose(np.abs(np.sum(own.directions * found.directions, axis=1)), 1, rtol=1e-9)
    assert (own.curvatures[1:] >= own.curvatures[:-1]).all()


def test_none_of_200_random_fits_is_said_to_have_converged_unless_little_is_left(rng):
    """Of the way along each direction, or of the loss: computed apart, in 64 bits, from the data alone."""
    kinds = []
    for _ in range(200):
        x = rng.normal(rng.choice([0, 3, 30]), rng.choice([0.1, 1, 10]), 12)
        y = rng.normal(size=2) @ (np.ones(12), x) + rng.choice([0, 0.5]) * rng.normal(size=12)
        limit = 2 / np.linalg.eigvalsh(2 * np.stack([np.ones(12), x]) @ np.stack([np.ones(12), x]).T / 12)[-1]
        rate = limit * 10 ** rng.uniform(-6, 0.3)
        fit, trace, verdict = fit_line(x, y, rate, 10 ** rng.uniform(-9, 0), intercept=True, start=rng.normal(size=2))
        kinds.append(verdict.kind)
        if verdict.kind != "converged":
            continue
        features, true = (part.astype(float) for part in fit.data)
        best = np.linalg.lstsq(features, true, rcond=None)[0]
        start, end = trace.positions[0, [0, -1]].astype(float)
        _, directions = np.linalg.eigh(features.T @ features)
        left, was = (np.abs(directions.T @ (theta - best)) for theta in (end, start))
        assert (left <= 0.0101 * was + 1e-5).all() or (np.abs(end - best) <= 1.01e-3 * np.abs(best)).all()
    assert {"converged", "too small", "far", "diverged"} <= set(kinds)
    assert min(kinds.count(kind) for kind in ("converged", "far")) > 5


def test_a_run_with_a_memory_that_turns_round_goes_on():
    """At the top of a swing the loss hardly changes from one step to the next; the heavy ball rolls on all the same."""
    racer = MOMENTUM(learning_rate=2e-5, momentum=0.98)
    losses = judge_fit(racer, 400)[0].losses[0].astype(float)
    turns = 0
    for tolerance in np.geomspace(1e-1, 1e3, 40):
        quiet = int(np.argmax(np.abs(np.diff(losses)) < tolerance)) + 1
        if losses[quiet] < 30 * tolerance:
            continue  # not far up: it may have come to rest
        turns += 1
        settled_at = judge_fit(racer, 400, tolerance=tolerance)[0].settled_at[0]
        assert settled_at == -1 or settled_at > quiet + 20
    assert turns > 3


def test_a_run_that_left_the_numbers_without_going_uphill_did_not_diverge():
    """The square of Beale's gradient overflows at the start, which is no fault of the step."""
    beale = LANDSCAPES["Beale"]
    traces = race(beale.loss, {"Adam": ADAM(), "SGD": SGD()}, [(1000.0, 1000.0)], 20, minima=beale.minima)
    assert verdict_if_lost(traces["Adam"].run(0)) == Verdict(Ending.OVERFLOWED, 0)
    assert Verdict(Ending.OVERFLOWED, 0).words == "stopped at step 0: a number became too large or undefined"
    found = verdicts(beale.loss, traces, beale.minima)
    assert found["Adam"] == [verdict_if_lost(traces["Adam"].run(0))]
    _, [uphill] = judge("Bowl", SGD(learning_rate=3.0), [(1, 0)], 100)
    assert uphill.words == "diverged at step 64"


# Curvature


def quadratic(x, matrix):
    """Half of x A x: its second derivative is A."""
    return 0.5 * x @ matrix @ x


def bent(values, rng):
    """A symmetric matrix with these eigenvalues, and its eigenvectors as rows."""
    directions = np.linalg.qr(rng.normal(size=(len(values), len(values))))[0].T
    return (directions.T * values) @ directions, directions


@pytest.mark.parametrize("values", [(3.0,), (1.0, 4.0), (-2.0, 5.0), (0.0, 7.0), (-9.0, -1.0), (0.5, 2.0, 90.0)])
def test_curvature_of_a_quadratic_is_that_of_its_matrix(values, rng):
    matrix, directions = bent(np.array(values), rng)
    for x in np.zeros(len(values)), rng.normal(size=len(values)):
        found = curvature(quadratic, x, (matrix.astype(np.float32),))
        np.testing.assert_allclose(found.values, values, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(np.abs(np.sum(found.directions * directions, axis=1)), 1, rtol=1e-5)
        np.testing.assert_allclose(found.directions @ found.directions.T, np.eye(len(values)), atol=1e-6)


def test_curvature_is_that_of_the_point_and_without_data_too():
    def quartic(x):
        return x[0] ** 4 / 12 + x[1] ** 2

    found = curvature(quartic, np.array([3.0, 8.0]))
    np.testing.assert_allclose(found.values, (2, 9), rtol=1e-6)
    np.testing.assert_allclose(found.directions, [(0, 1), (1, 0)], atol=1e-6)


@pytest.mark.parametrize("matrix", [((4, 2), (2, 4)), ((4, -2), (-2, 4)), ((1, 0), (0, 5)), ((5, 0), (0, 1))])
def test_a_direction_points_up_along_the_first_axis_that_it_has_a_part_in(matrix):
    for direction in curvature(quadratic, np.zeros(2), (np.array(matrix, np.float32),)).directions:
        assert direction[np.abs(direction) > 1e-6][0] > 0


def test_the_limit_is_two_over_the_largest_curvature_and_there_a_step_lands_as_far_on_the_other_side():
    bend = Curvature(np.array([1.0, 8.0]), np.eye(2))
    assert bend.limit == 0.25
    np.testing.assert_allclose(bend.factors(bend.limit), (0.75, -1))
    np.testing.assert_allclose(bend.factors(0.125), (0.875, 0))
    np.testing.assert_allclose(bend.factors(0.5), (0.5, -3))


@pytest.mark.parametrize("values", [(0.0,), (-3.0, 0.0), (-3.0, -1.0)])
def test_there_is_no_limit_where_the_loss_bends_up_nowhere(values):
    assert Curvature(np.array(values), np.eye(len(values))).limit == np.inf


# What is foretold, and what is measured

LINES = line(notebook_grid(), 4 * notebook_grid(), intercept=False)  # its curvature is 65.67 and its limit 0.03046
BENT = bowl(100, 30.0, 2)


def descend(fit, rate, steps=60):
    """From as far off along one direction as along the other."""
    bend = curvature(mean_squared_error, fit.minimum(), fit.data)
    start = fit.minimum() + 5 * bend.directions.sum(axis=0)
    return race(mean_squared_error, {"it": SGD(learning_rate=rate)}, [start], steps, data=fit.data)["it"]


# as a part of the limit: with no overstepping, with some, just below the limit, just above, and far beyond
@pytest.mark.parametrize("part", [0.1, 0.4, 0.6, 0.97, 1.03, 1.3, 2.5])
@pytest.mark.parametrize("fit", [LINES, BENT], ids=["one parameter", "two parameters"])
def test_each_step_of_a_real_descent_makes_of_the_distance_what_the_curvature_foretells(fit, part):
    bend = curvature(mean_squared_error, fit.minimum(), fit.data)
    trace = descend(fit, part * bend.limit)
    foretold, measured = bend.factors(part * bend.limit), measured_factors(trace.positions[0], bend.directions)
    np.testing.assert_allclose(measured, foretold, rtol=1e-2, atol=2e-3)
    assert foretold.shape == (fit.features.shape[1],)


@pytest.mark.parametrize("part", [0.1, 0.4, 0.6, 0.97, 1.03, 1.3, 2.5])
@pytest.mark.parametrize("fit", [LINES, BENT], ids=["one parameter", "two parameters"])
def test_what_the_forecast_says_happens(fit, part):
    bend = curvature(mean_squared_error, fit.minimum(), fit.data)
    found, trace = forecast(bend, part * bend.limit), descend(fit, part * bend.limit)
    away = (trace.positions[0] - fit.minimum()) @ bend.directions.T
    distances = np.linalg.norm(away, axis=1)
    steep = away[:6, -1]  # later it may be too close to be told from rounding
    assert (found.kind == "diverges") == (distances[20] > distances[0])
    oversteps = bool((steep[1:] * steep[:-1] < 0).all())
    assert (found.kind == "converges") == (not oversteps)
    assert found.words.startswith(
        {"converges": "converges:", "oscillates": "oscillates and converges:", "diverges": "diverges:"}[found.kind]
    )


def test_a_direction_that_settles_is_measured_beside_one_that_flies_off():
    """The far end of the run rounds too coarsely to see it; its beginning does not."""
    bend = curvature(mean_squared_error, BENT.minimum(), BENT.data)
    trace = descend(BENT, 1.3 * bend.limit, 100)
    calm, wild = measured_factors(trace.positions[0], bend.directions)
    assert abs(wild) > 1.5
    assert abs(trace.positions[0, -1]).max() > 1e15
    np.testing.assert_allclose(calm, bend.factors(1.3 * bend.limit)[0], rtol=1e-2, atol=2e-3)


@pytest.mark.parametrize("factor", [0.9, 0.5, -0.5, -0.99, -1.0, 1.0, -3.0])
def test_measured_factors_are_the_ratios_of_moves_along_each_direction(factor):
    """Along (3, 4) by the factor, across it by 0.8, around a point that is not the origin."""
    directions = np.array([(0.6, 0.8), (0.8, -0.6)])
    times = np.arange(12)[:, None]
    along = times * 2.0 if factor == 1 else factor**times * 2.0
    path = np.array([10.0, -5.0]) + along * directions[0] + 0.8**times * directions[1]
    np.testing.assert_allclose(measured_factors(path.astype(np.float32), directions), (factor, 0.8), rtol=1e-3)


def test_there_is_nothing_to_measure_in_a_run_that_does_not_move_or_only_as_far_as_it_rounds():
    for path in (
        np.zeros((1, 2)),
        np.ones((2, 2)),
        np.array([(0.0, 0.0), (1.0, 1.0)]),
        np.zeros((50, 2)),
        np.full((50, 2), 3.0),
        1e3 + 1e-2 * 0.5 ** np.arange(50)[:, None] * np.ones(2),
    ):
        assert np.isnan(measured_factors(path.astype(np.float32), np.eye(2))).all()
    path = np.stack([0.5 ** np.arange(20), np.full(20, 2.0)], axis=1).astype(np.float32)
    np.testing.assert_allclose(measured_factors(path, np.eye(2)), (0.5, np.nan), rtol=1e-6)


def test_where_a_run_stood_still_at_its_end_is_not_measured():
    """One that its tolerance ended, or that left the numbers."""
    bend = curvature(mean_squared_error, LINES.minimum(), LINES.data)
    for rate in (0.01, 0.06):
        trace = descend(LINES, rate, 400)
        np.testing.assert_array_equal(trace.positions[0, -1], trace.positions[0, -50])
        measured = measured_factors(trace.positions[0], bend.directions)
        np.testing.assert_allclose(measured, bend.factors(rate), rtol=1e-3)


def flat(*values):
    return Curvature(np.array(values), np.eye(len(values)))


@pytest.mark.parametrize(
    ("bend", "rate", "kind", "words"),
    [
        (flat(4.0), 0.1, "converges", "converges: each step leaves 0.6 of the distance"),
        (flat(4.0), 0.25, "converges", "converges: each step leaves 0 of the distance"),
        (flat(4.0), 0.4, "oscillates", "oscillates and converges: it overshoots, and each step leaves 0.6 of the"),
        (flat(4.0), 0.5, "stays", "neither converges nor diverges: it is just at the limit"),
        (flat(4.0), 0.5 * (1 + 1e-8), "stays", "neither converges nor diverges: it is just at the limit"),
        (flat(4.0), 0.4999, "oscillates", "oscillates and converges"),
        (flat(4.0), 0.5001, "diverges", "diverges: it is over the limit of 0.5"),
        (flat(4.0), 1e-6, "converges", "converges: each step takes 4e-06 of the distance off"),
        (
            flat(4.0),
            1.0,
            "diverges",
            "diverges: it is over the limit of 0.5, so each step multiplies the distance by 3",
        ),
        # the slowest direction decides, not the steepest
        (flat(0.1, 4.0), 0.1, "converges", "converges: each step leaves 0.99 of the distance"),
        (flat(0.1, 4.0), 0.4, "oscillates", "oscillates and converges: it overshoots, and each step leaves 0.96 of"),
        (flat(0.1, 4.0), 0.51, "diverges", "diverges: it is over the limit of 0.5, so each step multiplies the"),
        # far below the limit is not at the limit
        (flat(4.0), 1e-9, "stays", "hardly moves: "),
        (flat(0.0, 4.0), 0.1, "stays", "hardly moves: "),
        (flat(0.0), 0.1, "stays", "hardly moves: "),
        (
            flat(-1.0, 4.0),
            0.1,
            "diverges",
            "diverges: the loss bends down, and each step multiplies the distance by 1.1",
        ),
        (flat(0.0, 4.0), 0.6, "diverges", "diverges: it is over the limit of 0.5"),
    ],
)
def test_a_forecast_names_what_will_happen_and_its_numbers(bend, rate, kind, words):
    found = forecast(bend, rate)
    assert found.kind == kind
    assert found.words.startswith(words)


def test_the_notebooks_learning_rate_leaves_0_343_of_the_distance_and_the_limit_is_0_03046():
    bend = curvature(mean_squared_error, np.array([2.0]), LINES.data)
    assert bend.limit == pytest.approx(0.03046, abs=5e-6)
    [factor] = bend.factors(0.01)
    assert factor == pytest.approx(0.343, abs=5e-4)
    assert forecast(bend, 0.01).words == "converges: each step leaves 0.3433 of the distance"


def test_gradients_are_those_at_each_point_on_the_data():
    points = np.array([(0.0, 0.0), (3.0, 9.0), (-1.0, 4.0)], np.float32)
    found = np.asarray(gradients(mean_squared_error, points, BENT.data))
    features, true = (part.astype(float) for part in BENT.data)
    expected = [-2 * np.mean((true - features @ theta)[:, None] * features, axis=0) for theta in points]
    assert found.shape == (3, 2)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=0.05)
    np.testing.assert_allclose(gradients(quadratic, points, (np.eye(2),)), points)
