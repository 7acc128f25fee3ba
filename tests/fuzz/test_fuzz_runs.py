"""Runs that nobody thought of: every optimizer on every landscape, from anywhere, with any knobs."""

import numpy as np
import pytest
from drawn_setups import turned
from fuzzing import fuzz, is_deep
from hypothesis import given
from hypothesis import strategies as st

from engine import LANDSCAPES, OPTIMIZERS, race
from engine.race import bucket
from ui.setup.landscapes import MAX_START

PAIRS = [(rule, name) for rule in OPTIMIZERS for name in LANDSCAPES]
# in the suite each optimizer once, and each landscape
SOME = [
    (list(OPTIMIZERS)[i % len(OPTIMIZERS)], list(LANDSCAPES)[i % len(LANDSCAPES)])
    for i in range(max(len(OPTIMIZERS), len(LANDSCAPES)))
]
STARTS = 125  # of each draw; a bucket of 128
WHERE = np.array([MAX_START, 30.0, 5.0, 1.0, 1e-3])  # how far from 0 they are at most


def starts(seed, count):
    """Starts near and far, some on the lines through 0 and some at it."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(-1, 1, (count, 2)) * rng.choice(WHERE, (count, 1))
    return np.where(rng.random((count, 2)) < 0.03, 0, places).astype(np.float32)


@pytest.mark.parametrize(("rule", "landscape"), PAIRS if is_deep() else SOME)
@fuzz(deep=8, suite=1)
@given(data=st.data())
def test_a_run_is_finite_or_stops_and_its_neighbours_make_no_difference(rule, landscape, data):
    """1,000 starts of every optimizer on every landscape: 125 with each of 8 settings of its knobs."""
    optimizer = OPTIMIZERS[rule](**data.draw(turned[OPTIMIZERS[rule]]))
    steps = data.draw(st.sampled_from([1, 7, 40, 501]))
    here, others = starts(data.draw(st.integers(0, 2**31)), STARTS), starts(data.draw(st.integers(0, 2**31)), STARTS)
    loss, minima = LANDSCAPES[landscape].loss, LANDSCAPES[landscape].minima
    trace = race(loss, {"": optimizer}, here, steps, minima=minima)[""]
    for numbers in (trace.positions, trace.losses, trace.best_losses):
        assert np.isfinite(numbers[trace.stopped_at != 0]).all()
    assert np.isfinite(trace.positions).all()
    assert ((trace.stopped_at >= -1) & (trace.stopped_at <= steps)).all()
    for run, stop in enumerate(trace.stopped_at):
        if stop >= 0:  # from there on it stands still
            after = trace.steps >= stop
            assert (trace.positions[run, after] == trace.positions[run, -1]).all()
            assert (trace.losses[run, after] == trace.losses[run, -1]).all()
    # every other run with another neighbour
    mixed = np.where(np.arange(STARTS)[:, None] % 2, others, here)
    assert bucket(STARTS) == bucket(len(mixed))
    again = race(loss, {"": optimizer}, mixed, steps, minima=minima)[""]
    for part in ("positions", "losses", "stopped_at", "settled_at", "converged_at", "best_losses", "path_lengths"):
        np.testing.assert_array_equal(getattr(trace, part)[::2], getattr(again, part)[::2])
