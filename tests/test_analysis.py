"""What is said of a run must be what happened to it: verdicts on real races."""

import jax.numpy as jnp
import numpy as np
import pytest

from engine import LANDSCAPES, OPTIMIZERS, race
from engine.analysis import distance_to_nearest, verdicts

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
        ("Saddle", SGD(), (1.5, 0), "saddle", "stuck on a saddle at (0.00, 0.00)"),
        ("Ackley", SGD(), (0.6, 0.4), "oscillating", "oscillating around "),
        # to and fro: every second step alone would look still
        ("Ravine", SGD(learning_rate=0.02), (-8, 1.5), "oscillating", "oscillating around the minimum at (0.00, 0.00)"),
        ("Bowl", SGD(learning_rate=2.0), (4, 1), "oscillating", "oscillating around the minimum at (0.00, 0.00)"),
        ("Rosenbrock", SGD(learning_rate=2e-4), (-1.2, 1), "going", "still going"),
        ("Saddle", ADAM(), (1.5, 0.001), "going", "still going"),
        ("Ravine", SGD(learning_rate=1e-5), (-8, 0), "going", "still going"),
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


@pytest.mark.parametrize("steps", [1, 3])
def test_a_short_race_is_judged_too(steps):
    """Nobody says of a few steps that they rest; converged and diverged can be seen at once."""
    starts = [(4, 1), (0.001, 0.001), (1e30, 0)]
    _, found = judge("Bowl", SGD(), starts, steps)
    assert [verdict.kind for verdict in found] == ["going", "converged", "diverged"]
    assert [verdict.words for verdict in found] == ["still going", "converged at step 0", "diverged at step 0"]
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
    assert verdict.kind in {"going", "oscillating"}


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
