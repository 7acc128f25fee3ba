"""The race: side by side is as alone, a failing run fails alone, nothing is compiled twice, and every step counts."""

from itertools import cycle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine import LANDSCAPES, OPTIMIZERS, race
from engine.optimizers import update_at

SGD, MOMENTUM = OPTIMIZERS["SGD"], OPTIMIZERS["Momentum"]
BOOTH, BOWL = LANDSCAPES["Booth"], LANDSCAPES["Bowl"]
START = (-2.0, 2.0)

# each landscape and each optimizer once; all pairs of them would take minutes to compile
PAIRS = [
    pytest.param(landscape, rule, id=f"{landscape.name}-{rule.name}")
    for landscape, rule in zip(LANDSCAPES.values(), cycle(OPTIMIZERS.values()), strict=False)
]


def run(loss, optimizer, starts, steps, minima=((1.0, 3.0),), **rest):
    """One racer's trace. Always with one minimum, since another number of them is compiled anew."""
    return race(loss, {"it": optimizer}, starts, steps, minima=minima, **rest)["it"]


def assert_same(one, other, runs):
    """These runs of the other go the very same way, bit for bit."""
    np.testing.assert_array_equal(one.positions, other.positions[runs])
    np.testing.assert_array_equal(one.stopped_at, other.stopped_at[runs])
    np.testing.assert_array_equal(one.converged_at, other.converged_at[runs])
    # what is only measured on the way may be rounded otherwise in a batch of another size
    np.testing.assert_allclose(one.losses, other.losses[runs], rtol=1e-6, atol=1e-4)
    np.testing.assert_allclose(one.best_losses, other.best_losses[runs], rtol=1e-6, atol=1e-4)
    np.testing.assert_allclose(one.path_lengths, other.path_lengths[runs], rtol=1e-6)


# Side by side


def starts_in(landscape, count, rng):
    low, high = np.transpose(landscape.domain)
    return rng.uniform(low, high, (count, 2))


@pytest.mark.parametrize(("landscape", "rule"), PAIRS)
def test_a_run_alone_is_the_run_in_a_crowd_bit_for_bit(landscape, rule, rng):
    starts = starts_in(landscape, 7, rng)
    crowd = run(landscape.loss, rule(), starts, 300)
    for i in range(7):
        assert_same(run(landscape.loss, rule(), starts[i : i + 1], 300), crowd, slice(i, i + 1))


def test_a_crowd_of_any_size_goes_the_same_ways(rng):
    """2, 8, 32, 128, ... runs are compiled, others filled up with copies. On this landscape some of them diverge."""
    landscape = LANDSCAPES["Monkey saddle"]
    starts = starts_in(landscape, 2100, rng)
    largest = run(landscape.loss, MOMENTUM(), starts, 300)
    assert (largest.stopped_at >= 0).any()
    for size in (1, 2, 3, 8, 9, 64, 600):
        assert_same(run(landscape.loss, MOMENTUM(), starts[:size], 300), largest, slice(0, size))


def test_a_neighbour_that_leaves_the_numbers_changes_nothing(rule):
    calm, wild = [(4.0, 1.0), (-3.0, 2.0)], [(np.nan, 0.0), (1e30, 1.0), (np.inf, -np.inf)]
    quiet = run(BOWL.loss, rule(), [*calm, *calm, calm[0]], 200)
    loud = run(BOWL.loss, rule(), [*calm, *wild], 200)
    np.testing.assert_array_equal(loud.stopped_at, [-1, -1, 0, 0, 0])
    np.testing.assert_array_equal(loud.positions[:2], quiet.positions[:2])
    np.testing.assert_array_equal(loud.losses[:2], quiet.losses[:2])


def test_optimizers_with_equally_many_knobs_are_not_mixed_up():
    racers = {"Momentum": MOMENTUM(), "Nesterov": OPTIMIZERS["Nesterov"]()}
    both = race(BOOTH.loss, racers, [START], 20, minima=BOOTH.minima)
    assert np.abs(both["Momentum"].positions - both["Nesterov"].positions).max() > 0.1
    for name, racer in racers.items():
        np.testing.assert_array_equal(run(BOOTH.loss, racer, [START], 20).positions, both[name].positions)


# As the plain loop


def test_goes_where_a_plain_loop_goes(rule, walk):
    trace = run(BOOTH.loss, rule(), [START], 50)
    np.testing.assert_array_equal(trace.positions[0, 0], START)
    np.testing.assert_allclose(trace.positions[0], walk(BOOTH.loss, rule(), START, 50), rtol=0, atol=1e-5)
    np.testing.assert_allclose(trace.losses[0], [BOOTH.loss(x) for x in trace.positions[0]], rtol=1e-5, atol=1e-5)


def test_a_loss_that_xla_cannot_make_one_kernel_of_is_raced_as_well(walk):
    def loss(x):
        return jnp.sum(jnp.sort(x**2) * jnp.array([1.0, 0.5]))

    path = run(loss, MOMENTUM(), [START], 50).positions[0]
    np.testing.assert_allclose(path, walk(loss, MOMENTUM(), START, 50), rtol=0, atol=1e-5)


@pytest.mark.parametrize("steps", [1, 2, 499, 500, 501, 777, 1000, 1999, 2000])
def test_keeps_every_step_up_to_500_and_then_thins_evenly(steps):
    trace = run(BOOTH.loss, MOMENTUM(), [START], steps)
    strides = np.diff(trace.steps)
    assert trace.steps[0] == 0
    assert trace.steps[-1] == steps
    assert len(trace.steps) <= 501
    assert (strides[:-1] == strides[0]).all()
    assert 0 < strides[-1] <= strides[0]
    assert (strides[0] == 1) == (steps <= 500)
    assert strides[0] % 2 == 1, "an even stride makes a run that jumps to and fro look still"
    assert trace.positions.shape == (1, len(trace.steps), 2)
    assert trace.losses.shape == (1, len(trace.steps))
    for record in (0, 1, len(trace.steps) // 2, -2, -1):
        shorter = run(BOOTH.loss, MOMENTUM(), [START], max(1, trace.steps[record]))
        end = shorter.positions[0, -1 if trace.steps[record] else 0]
        np.testing.assert_array_equal(trace.positions[0, record], end)


def test_a_thinned_race_goes_where_a_plain_loop_goes_and_measures_every_step(walk):
    """A heavy ball on long swings, so that its lowest loss, its turns and its arrival lie between two records."""
    racer = MOMENTUM(learning_rate=0.02, momentum=0.995)
    trace = run(BOOTH.loss, racer, [START], 1999)
    path = walk(BOOTH.loss, racer, START, 1999)
    losses = np.array(jnp.sum((path @ jnp.array([[1, 2], [2, 1]]) - jnp.array([7, 5])) ** 2, axis=1))
    np.testing.assert_allclose(trace.positions[0], path[trace.steps], rtol=0, atol=1e-4)
    assert losses.min() < 0.9 * trace.losses.min(), "the best must lie between two records to be a test"
    np.testing.assert_allclose(trace.best_losses[0], losses.min(), rtol=0, atol=1e-5)
    np.testing.assert_allclose(trace.path_lengths[0], np.linalg.norm(np.diff(path, axis=0), axis=1).sum(), rtol=1e-4)


def test_converged_is_the_first_step_within_a_hundredth_in_each_coordinate():
    """The notebook's measure, even where the run goes on past the minimum, and between two records."""
    every = run(BOOTH.loss, MOMENTUM(), [START, (1.005, 2.995), (9.0, 9.0)], 500)
    there = (np.abs(every.positions - np.array(BOOTH.minima[0])) < 1e-2).all(axis=2)
    assert there.any(axis=1).all()
    np.testing.assert_array_equal(every.converged_at, there.argmax(axis=1))
    thinned = run(BOOTH.loss, MOMENTUM(), [START, (1.005, 2.995), (9.0, 9.0)], 2000)
    np.testing.assert_array_equal(thinned.converged_at, every.converged_at)
    two = run(BOOTH.loss, MOMENTUM(), [START], 500, minima=[*BOOTH.minima, START])
    assert two.converged_at[0] == 0, "the nearest of several minima counts"
    assert run(BOOTH.loss, MOMENTUM(), [START], 500, minima=()).converged_at[0] == -1, "no minimum, no arrival"


def line(x, slope, height):
    return jnp.mean((slope * x[0] - height) ** 2)


def test_data_is_handed_to_the_loss_and_new_data_compiles_nothing(compiles):
    xs = np.linspace(0, 1, 5, dtype=np.float32)
    first = run(line, SGD(learning_rate=0.5), [(0.0,)], 200, minima=(), data=(xs, 3 * xs))
    compiles()
    second = run(line, SGD(learning_rate=0.5), [(0.0,)], 200, minima=(), data=(xs, -2 * xs))
    assert compiles() == 0
    np.testing.assert_allclose([first.positions[0, -1, 0], second.positions[0, -1, 0]], [3, -2], rtol=1e-4)


# Leaving the numbers


def logarithm(x):
    """Below zero its value is NaN, and its slope a finite 1/x."""
    return jnp.log(x[0])


def root(x):
    """At zero its value is a finite 0, and its slope infinite."""
    return jnp.sqrt(x[0])


def step_up(x):
    """At infinity both its value and its slope are finite again."""
    return 1e38 * jnp.arctan(x[0])


@pytest.mark.parametrize(
    ("loss", "rate", "start", "stopped_at"),
    [
        pytest.param(logarithm, 1.0, 0.5, 1, id="only the value is not finite"),
        pytest.param(root, 0.25, 0.25, 1, id="only the gradient is not finite"),
        pytest.param(step_up, 10.0, 0.0, 1, id="only the position is not finite"),
        pytest.param(logarithm, 0.1, 0.5, 2, id="on the second step"),
        pytest.param(logarithm, 1.0, -1.0, 0, id="at the start"),
    ],
)
def test_a_run_stops_at_the_first_step_that_is_not_finite_and_keeps_the_last_that_was(loss, rate, start, stopped_at):
    trace = run(loss, SGD(learning_rate=rate), [(start,)], 30, minima=())
    assert trace.stopped_at[0] == stopped_at
    assert np.isfinite(trace.positions).all()
    stays_from = max(0, stopped_at - 1)
    np.testing.assert_array_equal(trace.positions[0, stays_from:], trace.positions[0, stays_from, 0])
    np.testing.assert_array_equal(trace.losses[0, stays_from:], trace.losses[0, stays_from])


def test_a_start_that_is_no_number_stops_at_once(rule):
    trace = run(BOWL.loss, rule(), [(np.nan, 1.0), (np.inf, 0.0), (4.0, 1.0)], 10)
    np.testing.assert_array_equal(trace.stopped_at, [0, 0, -1])
    np.testing.assert_array_equal(trace.path_lengths[:2], 0)


def test_a_run_that_climbs_out_of_a_bowl_says_at_which_step_also_when_thinned():
    """Each step at rate 3 doubles the distance, from 1: at step 64 its square is 2^128, more than float32 holds."""
    for steps in (100, 2000):
        trace = run(BOWL.loss, SGD(learning_rate=3.0), [(1.0, 0.0)], steps)
        assert trace.stopped_at[0] == 64
        assert np.isfinite(trace.positions).all()
        assert trace.positions[0, -1, 0] == -(2.0**63)
        assert trace.best_losses[0] == 0.5


# A memory that overflows

BEALE = LANDSCAPES["Beale"]
FAR = (1000.0, 1000.0)  # Beale's gradient there is 1e21, and its square is more than float32 holds


def steep(x):
    """The square of the first coordinate's slope overflows, and far out that of the second, which is 1 elsewhere."""
    return 1e20 * (x[0] + jnp.maximum(x[1] - 5, 0)) + x[1]


@pytest.mark.parametrize("start", [(1.0, 10.0), (1.0, 1.0)], ids=["all of it", "half"])
def test_who_is_not_said_to_have_left_the_numbers_moves_and_remembers_finite_numbers(rule, start):
    """Where the memory of a square is infinite, each further move is g / inf = 0: it would stand still for ever."""
    trace = run(steep, rule(), [start], 50)
    x, memory = jnp.array(start), rule().init(jnp.array(start))
    _, memory = update_at(rule(), jax.grad(steep)(x), memory, x, jnp.array(0), steep(x), steep)
    fits = all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(memory))
    assert (trace.stopped_at[0] == 0) == (not fits)
    if not fits:
        np.testing.assert_array_equal(trace.positions[0], np.broadcast_to(start, (51, 2)))
        np.testing.assert_array_equal(trace.losses[0], trace.losses[0, 0])
        assert np.isfinite(trace.losses).all()
    elif trace.stopped_at[0] < 0 and jax.tree.leaves(memory):
        assert (trace.positions[0, -1] != trace.positions[0, -2]).all()


def test_some_rules_overflow_there_and_others_do_not():
    """Else the law above would prove nothing."""
    traces = race(BEALE.loss, {name: kind() for name, kind in OPTIMIZERS.items()}, [FAR], 50)
    stopped = {name: trace.stopped_at[0] for name, trace in traces.items()}
    assert {stopped[name] for name in ("AdaGrad", "RMSProp", "Adam", "AdamW", "AMSGrad", "NAdam")} == {0}
    assert stopped["Lion"] == -1


def test_a_memory_that_overflows_later_stops_the_run_at_that_step_where_it_stands():
    """The slope doubles with each step, all of one length, and its square passes 2^128."""

    def steeper(x):
        return 2.0 ** -x[0]

    racer = OPTIMIZERS["RMSProp"](learning_rate=1.0, smoothing_constant=0.0)
    trace = run(steeper, racer, [(0.0,)], 200, minima=())
    assert trace.stopped_at[0] == -1, "down its slope only shrinks"
    uphill = run(lambda x: -steeper(x), racer, [(0.0,)], 200, minima=())
    at = int(uphill.stopped_at[0])
    slopes = np.log(2) * 2.0 ** -uphill.positions[0, :, 0].astype(float)
    assert slopes[at] ** 2 > np.finfo(np.float32).max > slopes[at - 1] ** 2
    np.testing.assert_array_equal(uphill.positions[0, at:], uphill.positions[0, at, 0])
    np.testing.assert_allclose(np.diff(uphill.positions[0, : at + 1, 0]), -1, rtol=1e-5)


def test_a_neighbour_whose_memory_overflows_changes_nothing(rule):
    beside = run(BEALE.loss, rule(), [START, FAR, (1.0, 1.5)], 100)
    calm = run(BEALE.loss, rule(), [START, (0.5, 0.5), (1.0, 1.5)], 100)
    for i in (0, 2):
        np.testing.assert_array_equal(beside.positions[i], calm.positions[i])
        assert beside.stopped_at[i] == calm.stopped_at[i]


# Taken one by one


def test_one_run_of_a_trace_says_the_same_as_the_trace_and_never_by_a_number_that_is_no_step():
    starts, ends = [(-2.0, 2.0), (1.0, 3.0), (1e30, 0.0), (2.0, -1.0)], []
    for racer, tolerance in ((SGD(learning_rate=0.01), 0.0), (SGD(learning_rate=0.01), 1e-3), (SGD(), 0.0)):
        trace = run(BOOTH.loss, racer, starts, 700, tolerance=tolerance)
        np.testing.assert_array_equal(trace.diverged, [trace.run(i).stopped is not None for i in range(4)])
        for i in range(4):
            one = trace.run(i)
            for step, at in ((one.stopped, "stopped_at"), (one.settled, "settled_at"), (one.converged, "converged_at")):
                assert (-1 if step is None else step) == getattr(trace, at)[i]
                assert step is None or step >= 0
            np.testing.assert_array_equal(one.positions, trace.positions[i])
            np.testing.assert_array_equal(one.losses, trace.losses[i])
            assert (one.best_loss, one.path_length) == (trace.best_losses[i], trace.path_lengths[i])
            assert one.end == (one.stopped if one.settled is None else one.settled)
            assert (one.positions[one.records - 1 :] == one.positions[-1]).all(), "it stands still from its end on"
            ends.append((one.stopped is None, one.settled is None, one.converged is None))
    assert {True, False} == {stopped for stopped, *_ in ends} == {settled for _, settled, _ in ends}


# Nothing is compiled twice


def test_the_counter_sees_a_new_loss_and_a_new_racer_and_nothing_else(compiles):
    def fresh(x):
        return jnp.sum(x**2)

    racers = {"SGD": SGD()}
    race(fresh, racers, [START], 10)
    assert compiles() == 1
    race(fresh, racers, [START], 10)
    assert compiles() == 0
    race(fresh, {**racers, "slow SGD": SGD(learning_rate=1e-3), "Momentum": MOMENTUM()}, [START], 10)
    assert compiles() == 1, "only the newcomer"


def test_turning_a_knob_or_moving_the_start_or_the_end_compiles_nothing(rule, compiles):
    run(BOOTH.loss, rule(), [START], 10)
    compiles()
    for knob in rule.knobs():
        for value in (knob.low, knob.high):
            run(BOOTH.loss, rule(**{knob.name: value}), [START], 10)
    run(BOOTH.loss, rule(), [(0.1, 7)], 10)
    run(BOOTH.loss, rule(), [START, (1, 1)], 10)
    run(BOOTH.loss, rule(), [START], 10, minima=[(5, 5)])
    for steps in (1, 500, 777, 2000):
        run(BOOTH.loss, rule(), [START], steps)
    assert compiles() == 0


# What it refuses


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"starts": (4.0, 4.0)}, r"starts has shape \(2,\). Give one row per run"),
        ({"starts": np.zeros((0, 2))}, r"starts has shape \(0, 2\)"),
        ({"starts": np.zeros((1, 0))}, r"starts has shape \(1, 0\)"),
        ({"steps": 0}, "steps is 0. .* at least 1 step"),
        ({"steps": -5}, "steps is -5"),
        ({"minima": (0.0, 0.0)}, r"minima has shape \(2,\). Give one row per minimum"),
        ({"minima": [(0, 0, 0), (1, 1, 1)]}, r"minima has shape \(2, 3\)"),
    ],
)
def test_refuses_what_cannot_be_run_and_says_what_fits(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        race(**{"loss": BOOTH.loss, "racers": {"SGD": SGD()}, "starts": [START], "steps": 10} | changes)
