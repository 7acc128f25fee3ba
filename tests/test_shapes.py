"""The tests check the engine's annotations at each call: an array of another shape or kind is an error."""

from dataclasses import fields, replace

import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import TypeCheckError

from engine import LANDSCAPES, OPTIMIZERS, analysis, basins, facts, problems, race, slopes, stationary, sweep
from engine.fair import FairRace
from engine.landscapes import evaluate_at
from engine.optimizers import At

BOWL, SGD = LANDSCAPES["Bowl"], OPTIMIZERS["SGD"]()
POINTS = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], np.float32)


# one of each record that holds arrays
RECORDS = [
    lambda: race(BOWL.loss, {"it": SGD}, POINTS, 5)["it"],
    lambda: race(BOWL.loss, {"it": SGD}, POINTS, 5)["it"].run(0),
    lambda: basins(BOWL, SGD, resolution=3, steps=2),
    lambda: sweep(BOWL.loss, SGD, "learning_rate", [0.1, 0.2], POINTS, 2),
    lambda: FairRace(
        ("SGD",),
        rates=np.ones((3, 5, 1)),
        losses=np.ones((3, 5, 1, 64)),
        wins=np.ones((3, 5, 1)),
        ranges=np.ones((1, 2)),
    ),
    lambda: analysis.curvature(BOWL.loss, POINTS[0]),
    lambda: problems.line(POINTS[:, 0], POINTS[:, 1], intercept=True),
    lambda: problems.line(POINTS[:, 0], POINTS[:, 1], intercept=True).stationary_point(),
    lambda: facts.Facts(False, False, False, False, False, moving=True, stands=False, returned=False, end=POINTS[0]),
    lambda: slopes.Check(*np.ones((3, 4)), right=np.ones(4, bool), rounded=False, worst=0),
    lambda: At(step=jnp.array(0), loss=jnp.array(0.0), value=BOWL.loss),
]
NAMES = ["Trace", "Run", "Basins", "Sweep", "FairRace", "Curvature", "Fit", "StationaryPoint", "Facts", "Check", "At"]


@pytest.mark.parametrize("make", RECORDS, ids=NAMES)
def test_a_record_takes_no_array_of_another_shape_or_kind(make):
    record = make()
    arrays = {f.name: getattr(record, f.name) for f in fields(record)}
    arrays = {name: array for name, array in arrays.items() if isinstance(array, np.ndarray | jnp.ndarray)}
    assert arrays
    replace(record, **arrays)
    for name, array in arrays.items():
        for other in (array[None], array.astype(complex)):
            with pytest.raises(TypeCheckError, match=name):
                replace(record, **{name: other})


def test_the_arrays_of_a_record_belong_together():
    """Each may have a shape that would do by itself."""
    trace = race(BOWL.loss, {"it": SGD}, POINTS, 5)["it"]
    for name in ("steps", "losses", "stopped_at", "best_losses"):
        with pytest.raises(TypeCheckError, match="parameters"):
            replace(trace, **{name: getattr(trace, name)[:-1]})


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda: analysis.curvature(BOWL.loss, POINTS), id="curvature"),
        pytest.param(lambda: analysis.distance_to_nearest(POINTS.astype(int), ((0, 0),)), id="distance_to_nearest"),
        pytest.param(lambda: analysis.gradients(BOWL.loss, POINTS[0], ()), id="gradients"),
        pytest.param(lambda: analysis.measured_factors(POINTS, np.eye(3)), id="measured_factors"),
        pytest.param(lambda: evaluate_at(BOWL.loss, np.ones((2, 3), np.float32)), id="evaluate_at"),
        pytest.param(lambda: stationary.stationary_points(BOWL.loss, POINTS[0]), id="stationary_points"),
        pytest.param(lambda: problems.line(POINTS[:, 0], POINTS[:2, 1], intercept=True), id="line"),
        pytest.param(lambda: slopes.curve(jnp.sin, POINTS), id="curve"),
        pytest.param(lambda: slopes.loss_slopes(POINTS[0], POINTS[0], POINTS[:, 0]), id="loss_slopes"),
    ],
)
def test_a_function_takes_no_array_of_another_shape_or_kind(call):
    with pytest.raises(TypeCheckError, match="parameter"):
        call()


def test_what_a_function_gives_back_is_checked_too(monkeypatch):
    monkeypatch.setattr(problems.np, "arange", lambda *_, **__: POINTS)
    with pytest.raises(TypeCheckError, match="return value"):
        problems.notebook_grid()
