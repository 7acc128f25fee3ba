"""What the tables say: who is first, and numbers that read back as they were."""

import io
import math
from functools import cache

import numpy as np
import pandas as pd
import pytest

from engine import LANDSCAPES, OPTIMIZERS, Trace, race
from engine.endings import verdicts
from ui.draw.tables import SPARK_POINTS, as_csv, guarded, leaderboard, paths, spark


@cache
def run(name: str, steps: int = 40) -> dict[str, Trace]:
    """Each third optimizer on one landscape, at steps that carry some of them off it."""
    landscape = LANDSCAPES[name]
    racers = {rule.name: rule(learning_rate=rule.knobs()[0].high) for rule in [*OPTIMIZERS.values()][::3]}
    return race(landscape.loss, racers, [next(iter(landscape.places.values()))], steps, minima=landscape.minima)


def board(name: str, traces: dict[str, Trace]) -> pd.DataFrame:
    landscape = LANDSCAPES[name]
    return leaderboard(traces, verdicts(landscape.loss, traces, landscape.minima), landscape.minima)


def drawn(losses: list[float], stopped: int = -1) -> Trace:
    """A run along the diagonal with these losses."""
    count = len(losses)
    return Trace(
        steps=np.arange(count),
        positions=np.linspace([4, 4], [3, 3], count, dtype=np.float32)[None],
        losses=np.array([losses], np.float32),
        stopped_at=np.array([stopped]),
        settled_at=np.array([-1]),
        converged_at=np.array([-1]),
        best_losses=np.array([min(losses)], np.float32),
        path_lengths=np.array([math.sqrt(2)], np.float32),
    )


# one of each kind: with minima and without, spanning decades and not
KINDS = {(bool(landscape.minima), landscape.decades): name for name, landscape in reversed(LANDSCAPES.items())}
each_kind = pytest.mark.parametrize("name", KINDS.values())


@each_kind
def test_the_leaderboard_says_what_the_traces_hold(name):
    traces = run(name)
    table = board(name, traces)
    assert sorted(table["racer"]) == sorted(traces)
    assert list(table["rank"]) == list(range(1, len(traces) + 1))
    for row in table.to_dict("records"):
        trace = traces[row["racer"]]
        assert row["final loss"] == trace.losses[0, -1]
        assert row["best loss"] == trace.best_losses[0]
        assert row["path length"] == trace.path_lengths[0]
        assert (row["verdict"] == f"diverged at step {trace.stopped_at[0]}") == (trace.stopped_at[0] >= 0)
        assert (None if pd.isna(row["converged at"]) else row["converged at"]) == (
            trace.converged_at[0] if trace.converged_at[0] >= 0 else None
        )


@each_kind
def test_the_lowest_final_loss_is_first_and_who_diverged_is_last(name):
    traces = run(name)
    order = [traces[racer] for racer in board(name, traces)["racer"]]
    diverged = [trace.stopped_at[0] >= 0 for trace in order]
    assert diverged == sorted(diverged)
    ends = [trace.losses[0, -1] for trace in order if trace.stopped_at[0] < 0]
    assert ends == sorted(ends)
    stops = [trace.stopped_at[0] for trace in order if trace.stopped_at[0] >= 0]
    assert stops == sorted(stops, reverse=True)


def test_a_run_that_diverged_at_a_low_loss_does_not_win():
    traces = {
        "early": drawn([9, -1e30], 3),
        "steady": drawn([9, 8]),
        "late": drawn([9, -1e20], 7),
        "best": drawn([9, 1]),
    }
    assert list(board(next(iter(LANDSCAPES)), traces)["racer"]) == ["best", "steady", "late", "early"]


def test_some_landscape_makes_somebody_diverge():
    assert any((trace.stopped_at >= 0).any() for name in KINDS.values() for trace in run(name).values())


@each_kind
def test_the_distance_is_to_the_nearest_minimum_or_blank_where_there_is_none(name):
    traces = run(name)
    for row in board(name, traces).to_dict("records"):
        end = traces[row["racer"]].positions[0, -1].astype(float)
        nearest = min((math.dist(end, goal) for goal in LANDSCAPES[name].minima), default=None)
        if nearest is None:
            assert pd.isna(row["distance"])
        else:
            assert row["distance"] == pytest.approx(nearest, rel=1e-5, abs=1e-5)


def test_the_small_picture_of_a_loss_fills_its_row_and_keeps_its_ends():
    points = spark(np.linspace(7, 3, 501, dtype=np.float32))
    assert len(points) == SPARK_POINTS
    assert (points[0], points[-1]) == (1.0, 0.0)
    assert spark(np.array([2.0, 2.0])) == [0.0, 0.0]
    assert np.isfinite(spark(np.array([1.0, 3e38, -3e38], np.float32))).all()


@each_kind
def test_a_download_reads_back_as_the_very_same_numbers(name):
    traces = run(name)
    read = pd.read_csv(io.BytesIO(as_csv(paths(traces, "xy"))), dtype=dict.fromkeys(("x", "y", "loss"), np.float32))
    assert list(read["racer"].unique()) == list(traces)
    for racer, trace in traces.items():
        rows = read[read["racer"] == racer]
        np.testing.assert_array_equal(rows["step"], trace.steps)
        np.testing.assert_array_equal(rows[["x", "y"]], trace.positions[0])
        np.testing.assert_array_equal(rows["loss"], trace.losses[0])


def test_a_download_of_a_thinned_run_says_which_steps_it_has():
    traces = run(next(iter(LANDSCAPES)), 2000)
    read = pd.read_csv(io.BytesIO(as_csv(paths(traces, "xy"))))
    for racer, trace in traces.items():
        assert list(read.loc[read["racer"] == racer, "step"]) == list(trace.steps)
    assert read["step"].max() == 2000


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@A1", "=cmd|' /C calc'!A0"])
def test_a_spreadsheet_takes_no_name_for_a_formula(text):
    assert guarded(text) == f"'{text}"
    csv = as_csv(paths({text: drawn([2, 1])}, "xy")).decode()
    assert f"\n{text}".replace("'", "") in csv.replace('"', "").replace("'", "")


def test_an_ordinary_name_is_left_as_it_is():
    assert [guarded(name) for name in OPTIMIZERS] == list(OPTIMIZERS)
