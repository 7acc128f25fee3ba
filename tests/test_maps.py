"""The big batches: each run of a map is the run that a race would have made."""

import subprocess
import sys
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine import LANDSCAPES, OPTIMIZERS, Optimizer, basins, race, sweep
from engine.analysis import curvature
from engine.blocks import BLOCK, BLOCKS_PER_TASK, vectorize_rule

BOWL, HIMMELBLAU, ROSENBROCK = (LANDSCAPES[name] for name in ("Bowl", "Himmelblau", "Rosenbrock"))
RATE = 0.01  # gentle: where runs are chaotic, a difference in the last digit would grow


def gentle(rule, rate=RATE):
    """A racer of a rule that does not rattle about a minimum: SAM would, by as much as its gradient is taken uphill."""
    return rule(learning_rate=rate, **{knob.name: 1e-5 for knob in rule.knobs() if knob.name == "radius"})


def grid(landscape, resolution):
    xs, ys = (np.linspace(low, high, resolution, dtype=np.float32) for low, high in landscape.domain)
    return np.array([(x, y) for y in ys for x in xs])


def raced(landscape, racer, resolution, steps):
    """Where the race from each point of a grid ends, its last step, and the first near a minimum.

    A row of the grid at a time: as many starts as the other races here have, so that one program does.
    """
    rows = grid(landscape, resolution).reshape(resolution, resolution, 2)
    traces = [race(landscape.loss, {"it": racer}, row, steps, minima=landscape.minima)["it"] for row in rows]
    return (
        np.stack([trace.positions[:, -1] for trace in traces]),
        np.stack([trace.stopped_at for trace in traces]),
        np.stack([trace.converged_at for trace in traces]),
    )


def test_every_run_of_a_basin_map_is_the_race_from_its_start(rule):
    racer, resolution = gentle(rule), 7
    found = basins(HIMMELBLAU, racer, resolution, 120)
    ends, stopped_at, converged_at = raced(HIMMELBLAU, racer, resolution, 120)
    np.testing.assert_array_equal(found.stopped_at, stopped_at)
    # rounded differently, for they are different programs: one run of RMSProp rattles about its goal, and ends within
    # that rattle, and some of BFGS learn so; another may arrive the step before or after
    np.testing.assert_allclose(found.ends, ends, rtol=1e-6, atol=RATE)
    same_end = np.isclose(found.ends, ends, rtol=1e-6, atol=2e-4).all(axis=2)
    same_step = np.abs(found.steps - converged_at) <= 1
    assert (same_end & same_step).sum() >= resolution**2 - (5 if rule.takes_at else 1)


def test_rows_are_y_and_columns_x_and_each_start_finds_its_own_minimum():
    found = basins(HIMMELBLAU, OPTIMIZERS["SGD"](learning_rate=RATE), 41, 300)
    for place, (x, y) in enumerate(HIMMELBLAU.minima):
        (x0, x1), (y0, y1) = HIMMELBLAU.domain
        column, row = round(40 * (x - x0) / (x1 - x0)), round(40 * (y - y0) / (y1 - y0))
        assert found.nearest[row, column] == place
        np.testing.assert_allclose(found.ends[row, column], (x, y), atol=0.01)
    reached = found.nearest >= 0
    assert reached.mean() > 0.9
    np.testing.assert_array_equal(reached, found.steps >= 0)


class LengthAdaGrad(Optimizer):
    """Its memory is a number, and each run's own: the squared lengths of the gradients so far."""

    learning_rate: float = 0.5

    def init(self, x):
        return jnp.float32(0), 0

    def update(self, gradient, state, x):
        squares, t = state
        squares = squares + jnp.sum(gradient**2)
        return -self.learning_rate * gradient / jnp.sqrt(squares), (squares, t + 1)


def test_a_rule_that_looks_at_all_coordinates_together_does_so_for_each_run_alone():
    racer = dataclass(frozen=True)(LengthAdaGrad)()
    found, slope = basins(HIMMELBLAU, racer, 5, 50), jax.jit(jax.grad(HIMMELBLAU.loss))
    for start, end in zip(grid(HIMMELBLAU, 5), found.ends.reshape(-1, 2), strict=True):
        x, squares = start.astype(float), 0.0
        for _ in range(50):
            gradient = np.asarray(slope(x.astype(np.float32)), float)
            squares += gradient @ gradient
            x = x - 0.5 * gradient / np.sqrt(squares)
        np.testing.assert_allclose(end, x, atol=1e-3)


def test_a_start_that_diverges_reaches_nothing_and_keeps_its_last_finite_point():
    found = basins(ROSENBROCK, OPTIMIZERS["SGD"](learning_rate=0.5), 9, 60)
    lost = found.stopped_at >= 0
    assert lost.any()
    assert (found.nearest[lost] == -1).all()
    assert np.isfinite(found.ends).all()


def test_a_start_whose_gradient_is_too_large_to_square_stops_where_the_race_says(rule):
    """Himmelblau far out: an infinite memory would hold every start of the map where it is."""
    far = replace(HIMMELBLAU, domain=((1e6, 1e7), (1e6, 1e7)))
    found = basins(far, rule(), 4, 20)
    ends, stopped_at, _ = raced(far, rule(), 4, 20)
    np.testing.assert_array_equal(found.stopped_at, stopped_at)
    lost = stopped_at >= 0
    np.testing.assert_array_equal(found.ends[lost], ends[lost])


def test_a_landscape_without_a_minimum_is_mapped_too():
    (flat,) = [landscape for landscape in LANDSCAPES.values() if not landscape.minima][:1]
    found = basins(flat, OPTIMIZERS["SGD"](), 5, 10)
    assert (found.nearest == -1).all()


def test_a_map_says_how_far_it_is_and_ends_where_it_is_told_to():
    shares = []
    resolution = int(np.ceil(np.sqrt(3 * BLOCKS_PER_TASK * BLOCK)))
    basins(BOWL, OPTIMIZERS["SGD"](), resolution, 2, shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert len(shares) == -(-(resolution**2) // (BLOCKS_PER_TASK * BLOCK))

    def enough(share):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        basins(BOWL, OPTIMIZERS["SGD"](), resolution, 2, enough)


def test_turning_a_knob_of_a_map_or_its_size_compiles_nothing(compiles):
    own = replace(BOWL, loss=lambda x: BOWL.loss(x))
    basins(own, OPTIMIZERS["Adam"](), 10, 20)
    assert compiles() == 1
    basins(own, OPTIMIZERS["Adam"](learning_rate=0.02, beta1=0.5), 50, 31)
    assert compiles() == 0


def test_every_value_of_a_sweep_is_the_race_with_that_knob(rule):
    values, starts = np.geomspace(1e-3, 1e-2, 5), np.array([[-1.0, 2.0], [0.5, 0.5], [2.0, -1.0]])
    found = sweep(HIMMELBLAU.loss, gentle(rule), "learning_rate", values, starts, 80, minima=HIMMELBLAU.minima)
    assert found.losses.shape == found.endings.shape == (5, 3)
    for row, value in enumerate(values):
        racers = {"it": gentle(rule, float(value))}
        trace = race(HIMMELBLAU.loss, racers, starts, 80, minima=HIMMELBLAU.minima)["it"]
        np.testing.assert_allclose(found.losses[row], trace.losses[:, -1], rtol=2e-3, atol=1e-4)


def test_on_a_bowl_gradient_descent_converges_below_the_limit_and_diverges_above():
    limit = curvature(BOWL.loss, np.zeros(2)).limit
    values = limit * np.array([0.001, 0.3, 0.9, 1.0, 1.2])
    found = sweep(BOWL.loss, OPTIMIZERS["SGD"](), "learning_rate", values, [[3.0, -2.0]], 400, minima=BOWL.minima)
    assert [ending.kind for ending in found.endings[:, 0]] == [
        "going",
        "converged",
        "converged",
        "oscillating",
        "diverged",
    ]


def test_any_knob_can_be_swept(rule):
    """The steps of runs that each have their own value of a knob are those of races with it."""
    start, steps = np.float32([1.0, -2.0]), 3
    loss, slope = jax.vmap(BOWL.loss, -1), jax.vmap(jax.grad(BOWL.loss), -1, -1)
    for place, knob in enumerate(rule.knobs()):
        ends = [False, True] if knob.is_switch else [knob.low, knob.high]
        races = {str(end): replace(rule(), **{knob.name: end}) for end in ends}
        x = np.stack([start] * len(ends), axis=-1)
        knobs = np.float32([*vars(rule()).values()])
        init, update = vectorize_rule(BOWL.loss, rule, place, knobs, np.float32(ends), x)
        state = init(x)
        for step in range(steps):
            move, state = update(slope(x), state, x, jnp.array(step), loss(x))
            x = x + move
        traces = race(BOWL.loss, races, start[None], steps)
        expected = np.stack([trace.positions[0, -1] for trace in traces.values()], axis=-1)
        np.testing.assert_allclose(x, expected, rtol=1e-4, atol=1e-6, err_msg=knob.name)


def test_the_knob_that_is_named_is_the_one_that_is_swept():
    racer, values = OPTIMIZERS["Momentum"](learning_rate=RATE), [0.1, 0.5, 0.9]
    found = sweep(HIMMELBLAU.loss, racer, "momentum", values, [[1.0, 1.0]], 10)
    for value, loss in zip(values, found.losses[:, 0], strict=True):
        trace = race(HIMMELBLAU.loss, {"it": replace(racer, momentum=value)}, [[1.0, 1.0]], 10)["it"]
        np.testing.assert_allclose(loss, trace.losses[0, -1], rtol=1e-4)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"knob": "warmth"}, "no knob 'warmth'. Choose one of: learning_rate"),
        ({"values": []}, "values has shape"),
        ({"starts": [1.0, 2.0]}, r"starts \(2,\)"),
        ({"steps": 0}, "at least 1 step"),
    ],
)
def test_what_cannot_be_swept_is_said(given, complaint):
    usual = {"knob": "learning_rate", "values": [0.1], "starts": [[1.0, 1.0]], "steps": 3}
    with pytest.raises(ValueError, match=complaint):
        sweep(BOWL.loss, OPTIMIZERS["SGD"](), **{**usual, **given})


def test_a_map_without_points_or_steps_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        basins(BOWL, OPTIMIZERS["SGD"](), 0, 5)


def test_a_large_map_keeps_nothing_of_the_way():
    """65,536 runs of 500 steps; their histories alone would be 260 MB. In a process of its own, whose peak is known."""
    grown = """
import resource
from engine import LANDSCAPES, OPTIMIZERS, basins
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
basins(LANDSCAPES["Ackley"], OPTIMIZERS["Adam"](), 8, 3)
before = peak()
basins(LANDSCAPES["Ackley"], OPTIMIZERS["Adam"](), 256, 500)
print(peak() - before)
"""
    ran = subprocess.run([sys.executable, "-c", grown], capture_output=True, text=True, check=True)
    assert float(ran.stdout) < 150
