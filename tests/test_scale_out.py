"""A basin map over several devices and processes is the map of one, bit for bit."""

import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from engine import LANDSCAPES, OPTIMIZERS, basins
from engine.blocks import BLOCK

ROOT = Path(__file__).parents[1]
HIMMELBLAU, ADAM = LANDSCAPES["Himmelblau"], OPTIMIZERS["Adam"]


@pytest.mark.parametrize("how", [["--devices", "3"], ["--processes", "2", "--devices", "2"]], ids=" ".join)
def test_several_devices_and_processes_make_the_same_map(how):
    """The command compares every array with those of one device, and fails where a bit differs."""
    small = ["--landscape", "Himmelblau", "--resolution", "70", "--steps", "60"]
    command = [sys.executable, "-m", "benchmarks.scale_out", *small, *how]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert ran.returncode == 0, ran.stderr
    asked = dict(zip(how[::2], map(int, how[1::2]), strict=True))
    processes = asked.get("--processes", 1)
    assert f"on {processes * asked.get('--devices', 1)} devices of {processes} processes" in ran.stdout
    assert "the same map, bit for bit" in ran.stdout


def test_a_map_on_devices_may_have_any_size_and_turning_a_knob_compiles_nothing(compiles):
    resolution = 37
    assert resolution**2 % BLOCK
    for steps, rate in ((40, 0.1), (90, 0.02)):
        racer = ADAM(learning_rate=rate)
        compiles()
        dealt = basins(HIMMELBLAU, racer, resolution, steps, devices=jax.devices())
        made = compiles()
        alone = basins(HIMMELBLAU, racer, resolution, steps)
        for name, part in vars(alone).items():
            np.testing.assert_array_equal(getattr(dealt, name), part)
        assert (alone.nearest >= 0).any()
    assert made == 0  # in the second round
