"""What ``benchmarks/peers.py`` compares: everyone does the same work, and who is missing is named."""

import re
import sys

import numpy as np
import pytest

from benchmarks import peers, rivals

START, STEPS, RESOLUTION = (2.2, -1.3), 25, 9
RATES = np.geomspace(1e-3, 1e-2, 6)
GENTLE = 0.1  # of the usual learning rates, which make for chaos, where a difference in the last digit grows
# PyTorch and this engine let NAdam's momentum grow, optax has it at its full size from the start
GROWS = list(rivals.RATES).index("NAdam")


def prepared(make, *args):
    try:
        return make(*args)()
    except rivals.Missing as lacking:
        pytest.skip(f"{lacking} is not installed")


@pytest.mark.parametrize(
    "make",
    [
        rivals.optax_loop_race,
        rivals.optax_scan_race,
        rivals.numpy_race,
        rivals.notebook_race,
        rivals.torch_race,
    ],
)
def test_everyone_runs_the_same_race(make, monkeypatch):
    monkeypatch.setattr(rivals, "RATES", {name: GENTLE * rate for name, rate in rivals.RATES.items()})
    ours, theirs = rivals.our_race(START, STEPS)(), prepared(make, START, STEPS)
    assert ours.shape == theirs.shape == (len(rivals.RATES), STEPS + 1, 2)
    same = [place for place in range(len(ours)) if place != GROWS or not make.__name__.startswith("optax")]
    np.testing.assert_allclose(theirs[same], ours[same], atol=2e-4)


@pytest.mark.parametrize("make", [rivals.optax_map, rivals.numpy_map, rivals.torch_map, rivals.numba_map, rivals.c_map])
def test_everyone_draws_the_same_map(make):
    ours, theirs = rivals.our_map(RESOLUTION, 80)(), prepared(make, RESOLUTION, 80)
    assert (ours.reached >= 0).any()
    assert (ours.reached < 0).any()
    assert np.isclose(theirs.ends, ours.ends, atol=1e-3).all(axis=1).mean() > 0.95
    assert np.isclose(theirs.reached, ours.reached, atol=1).mean() > 0.95


@pytest.mark.parametrize("make", [rivals.optax_sweep, rivals.numpy_sweep])
def test_everyone_sweeps_to_the_same_losses(make):
    ours, theirs = rivals.our_sweep(START, RATES, STEPS)(), prepared(make, START, RATES, STEPS)
    assert ours.shape == theirs.shape == (len(rivals.RATES), len(RATES))
    same = [place for place in range(len(ours)) if place != GROWS or not make.__name__.startswith("optax")]
    np.testing.assert_allclose(theirs[same], ours[same], rtol=1e-3)


def rows(printed):
    return [line for line in printed.splitlines() if line.startswith("|") and not line.startswith(("|--", "| |"))]


def test_every_section_prints_its_rivals_and_says_who_is_missing(monkeypatch, capsys):
    monkeypatch.setattr(peers, "TURN", 0.0)
    for library in ("torch", "numba"):
        monkeypatch.setitem(sys.modules, library, None)
    targets = peers.race_section(steps=20, rounds=2)
    printed = capsys.readouterr().out
    assert [row.split("|")[1].strip() for row in rows(printed)] == [
        "this engine",
        "optax, scan in one jit",
        "numpy, by hand",
        "optax, a loop over a jitted step",
        "the notebook's way (extrapolated from 10 of 20 steps)",
    ]
    assert "Skipped: torch.optim in a loop (torch is not installed)." in printed
    assert targets[-1].row().split("|")[3].strip() == "not measured"
    peers.basins_section(resolution=8, steps=5, rounds=2)
    peers.sweep_section(values=4, steps=5, rounds=2)
    peers.growth_section(sides=(1, 3), longest=100)
    printed = capsys.readouterr().out
    assert "Skipped: numba (numba is not installed)." in printed
    assert "Skipped: torch, all starts in one tensor (torch is not installed)." in printed
    assert re.search(r"\| 9 \| \S+ m?s \| ", printed)
    assert re.search(r"\| 100 \| \S+ m?s \| ", printed)


def test_what_is_done_in_part_counts_for_the_whole():
    assert peers.Rival("half the steps", rivals.our_map, 500, part=250).scale == 2
    assert peers.Rival("half a side", rivals.our_map, 256, part=128, power=2).scale == 4


def test_a_target_is_met_from_its_own_side():
    assert peers.Target("ratio", 5.0, 4).row().endswith("| yes |")
    assert peers.Target("ratio", 3.0, 4).row().endswith("| no |")
    assert peers.Target("time", 0.002, 0.0025, at_most=True, seconds=True).row().endswith("| 2 ms | yes |")


def test_a_section_that_is_not_there_is_said(capsys):
    assert peers.main(["speed"]) == 2
    assert "There is no section 'speed'. Choose from race, basins" in capsys.readouterr().err
