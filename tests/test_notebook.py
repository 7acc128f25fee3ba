"""The replays bring back the numbers of the notebook, and the race shows what its runs are without their quirks."""

import json
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest

from engine import LANDSCAPES, OPTIMIZERS, race
from engine.notebook import FIRST_KEY, LEFT_BEHIND, REPLAYS, first_theta
from engine.problems import mean_squared_error, notebook_grid

# the notebook's published output, and what its code gave when it was run again; the file says which is which
NOTEBOOK = json.loads((Path(__file__).parent / "recorded" / "notebook.json").read_text())
THREE_PLACES = 5.1e-4
ACKLEY = LANDSCAPES["Ackley"]
START = (4.0, 4.0)


@pytest.fixture(scope="module")
def sgd():
    return REPLAYS["SGD"].run()


@pytest.fixture(scope="module")
def adam():
    return REPLAYS["Adam"].run()


def assert_passes(trace, by_step, tolerance):
    """The trace is where the table has it, at each of the table's steps."""
    steps = [int(step) for step in by_step]
    np.testing.assert_allclose(trace.positions[0, steps], list(by_step.values()), rtol=0, atol=tolerance)


def test_sgd_in_turn_prints_what_the_notebook_printed(sgd):
    """After the first step, which it calls iteration 0, and after the eleventh."""
    np.testing.assert_array_equal(sgd.positions[0, 0], START)
    assert_passes(sgd, NOTEBOOK["sgd published by step"], THREE_PLACES)


def test_sgd_in_turn_walks_the_whole_recomputed_path(sgd):
    np.testing.assert_allclose(sgd.positions[0, 1:], NOTEBOOK["sgd recomputed, x then y"], rtol=0, atol=1e-5)
    assert sgd.converged_at[0] == -1


def test_sgd_together_walks_another_path_and_parts_from_the_notebook_in_its_first_step(sgd):
    together = race(REPLAYS["SGD"].loss, {"SGD": REPLAYS["SGD"].optimizer}, [START], 20)["SGD"].positions[0, 1:]
    expected = np.array(NOTEBOOK["sgd recomputed, both together"])
    np.testing.assert_array_equal(together[:, 0], together[:, 1])
    # among the dents of Ackley a last bit grows tenfold every four steps: a processor without fused multiplication
    # and addition ends 0.005 from one that has it
    np.testing.assert_allclose(together[:8], expected[:8], rtol=0, atol=1e-5)
    np.testing.assert_allclose(together, expected, rtol=0, atol=2e-2)
    assert together[0, 0] == sgd.positions[0, 1, 0]
    assert abs(together[0, 1] - sgd.positions[0, 1, 1]) > 1e-3


def test_adam_with_the_leaked_pull_slides_down_the_diagonal_and_converges_where_the_notebook_does(adam):
    assert_passes(adam, NOTEBOOK["adam published by step"], THREE_PLACES)
    assert_passes(adam, NOTEBOOK["adam recomputed by step"], 1e-5)
    assert adam.converged_at[0] == adam.steps[-1] == NOTEBOOK["adam recomputed, converged at step"] == 399
    assert (np.abs(adam.positions[0, -1]) < 1e-2).all()


def test_adam_with_an_honest_weight_decay_stays_in_its_dent():
    """The decay pulls on the parameter itself, by 0.7 of it, and no longer on what the linear fit left behind."""
    assert REPLAYS["Adam"].pull == pytest.approx(0.7 * LEFT_BEHIND)
    honest = replace(REPLAYS["Adam"].optimizer, weight_decay=0.7)
    in_turn = replace(REPLAYS["Adam"], optimizer=honest, pull=0.0).run()
    expected = NOTEBOOK["adam recomputed with honest decay, after 999 steps"]
    assert in_turn.converged_at[0] == -1
    np.testing.assert_allclose(in_turn.positions[0, -1], expected, rtol=0, atol=1e-4)
    together = race(ACKLEY.loss, {"Adam": honest}, [START], 999, minima=ACKLEY.minima)["Adam"]
    assert together.converged_at[0] == -1
    np.testing.assert_allclose(together.positions[0, -1], expected, rtol=0, atol=1e-3)


def test_a_replay_measures_itself_as_a_race_does(sgd, adam):
    for trace in (sgd, adam):
        np.testing.assert_array_equal(trace.steps, np.arange(len(trace.steps)))
        np.testing.assert_allclose(trace.losses[0], [ACKLEY.loss(x) for x in trace.positions[0]], atol=1e-5)
        assert trace.best_losses[0] == trace.losses.min()
        lengths = np.linalg.norm(np.diff(trace.positions[0], axis=0), axis=1)
        assert trace.path_lengths[0] == pytest.approx(lengths.sum(), rel=1e-5)
        assert trace.stopped_at[0] == -1


def test_the_optimizers_of_the_replays_are_the_registered_ones():
    for name, replay in REPLAYS.items():
        assert type(replay.optimizer) is OPTIMIZERS[name]


# The linear fit


def test_the_first_theta_is_the_notebooks_and_not_what_jax_would_draw_today():
    assert first_theta() == pytest.approx(0.15920353, abs=5e-9)
    with jax.threefry_partitionable(True):
        today = float(jax.random.uniform(jax.random.PRNGKey(FIRST_KEY)))
    assert today == pytest.approx(0.1639, abs=5e-5)


def test_drawing_the_first_theta_leaves_the_generator_as_it_was():
    before = jax.random.uniform(jax.random.key(0))
    setting = jax.config.jax_threefry_partitionable
    first_theta()
    assert jax.config.jax_threefry_partitionable == setting
    assert jax.random.uniform(jax.random.key(0)) == before


def test_the_linear_fit_leaves_behind_the_theta_that_pulls_on_adam():
    """4x³+3 by theta x at 0.01. The notebook prints each new theta and its loss."""
    x = notebook_grid()
    racers = {"SGD": OPTIMIZERS["SGD"](learning_rate=0.01)}
    trace = race(mean_squared_error, racers, [[first_theta()]], 10, data=(x[:, None], 4 * x**3 + 3))["SGD"]
    thetas = [156.378, 210.008, 228.42, 234.74, 236.91, 237.655, 237.911, 237.998, 238.029]
    losses = [570793.625, 377615.0, 354848.0, 352164.781, 351848.594, 351811.281, 351806.875, 351806.406, 351806.312]
    np.testing.assert_allclose(trace.positions[0, 1:10, 0], thetas, rtol=0, atol=THREE_PLACES)
    np.testing.assert_allclose(trace.losses[0, 1:10], losses, rtol=1e-6)
    assert trace.positions[0, 10, 0] == pytest.approx(LEFT_BEHIND, abs=1e-4)
