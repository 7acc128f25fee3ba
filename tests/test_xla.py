"""What makes the engine quick beyond its mathematics: it is asked for, it forgets, and it can be switched off."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine import LANDSCAPES, OPTIMIZERS, basins, race, sweep
from engine.xla import compiled, flags
from engine.xla.compile import OPTIONS_OF_ONE_KERNEL, lower_to_one_kernel
from engine.xla.flags import FLAGS, SWITCH, set_flags
from engine.xla.program_cache import load_or_build

ROOT = Path(__file__).parents[1]
STARTS = [(-1.0, 2.0), (0.5, 0.5)]


def printed(code, **environment):
    environment = {name: value for name, value in {**os.environ, **environment}.items() if value is not None}
    command = [sys.executable, "-W", "always", "-c", code]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)


# Flags


def test_importing_the_engine_leaves_the_environment_alone_and_starts_nothing():
    code = """
import os, jax
before = dict(os.environ)
import engine.maps, engine.xla
print(before == dict(os.environ), engine.xla.flags.backend_has_started())
"""
    assert printed(code, XLA_FLAGS=None).stdout.split() == ["True", "False"]


def test_flags_are_set_once_beside_those_that_are_there():
    code = """
import os, engine.xla
engine.xla.set_flags()
engine.xla.set_flags()
print(os.environ["XLA_FLAGS"])
"""
    ran = printed(code, XLA_FLAGS="--xla_cpu_enable_fast_math=false")
    assert ran.stdout.split() == ["--xla_cpu_enable_fast_math=false", *FLAGS]
    assert not ran.stderr


def test_flags_that_come_too_late_are_said_to(monkeypatch):
    jax.devices()
    monkeypatch.setenv("XLA_FLAGS", "")
    with pytest.warns(RuntimeWarning, match="comes too late"):
        set_flags()
    assert os.environ["XLA_FLAGS"] == ""
    monkeypatch.setenv(SWITCH, "off")
    set_flags()


def test_where_jax_does_not_say_whether_it_has_started_it_is_taken_not_to_have(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax._src.xla_bridge", None)
    assert not flags.backend_has_started()


@pytest.mark.parametrize("option", OPTIONS_OF_ONE_KERNEL.items(), ids=lambda option: option[0])
def test_this_xla_knows_each_option_of_a_compile(option):
    jax.jit(jnp.sum).lower(np.ones(3)).compile(dict([option]))


def test_nothing_is_marked_as_one_kernel_while_it_is_traced():
    """A look-up among the programs of ``jax.numpy`` would otherwise run Python, and another thread's could crash it."""
    meanwhile = []
    one, two = np.float32(1), {"two": np.ones(3, np.float32)}

    def function(x, y):
        meanwhile.append(jax.jit(jnp.sin).lower(one).as_text())
        return {"sum": jnp.sin(x) + y["two"], "sign": jnp.where(y["two"] > 0, 1, -1)}

    lowered = lower_to_one_kernel(function, one, two)
    assert lowered.as_text().count("xla_cpu_small_call") > 3
    assert meanwhile
    assert not any("xla_cpu_small_call" in text for text in meanwhile)
    assert jax.tree.all(jax.tree.map(np.allclose, lowered.compile()(one, two), function(one, two)))


# Programs in memory


@pytest.mark.parametrize(("name", "dim"), [("Newton", 2), ("Shampoo", 2), ("Shampoo", 4), ("Sophia", 100)])
def test_one_kernel_is_not_tried_in_vain(name, dim, capfd):
    """Of a routine that cannot be in it, XLA says more than a visitor's log should hold."""
    race(lambda x: jnp.sum(x**2), {name: OPTIMIZERS[name]()}, np.ones((1, dim)), 3)
    assert "error" not in capfd.readouterr().err


def test_the_program_that_was_not_used_for_longest_is_dropped():
    traced = []

    @compiled(1, max_programs=2)
    def function(name, x):
        traced.append(name)
        return x + 1

    one = np.ones(1, np.float32)
    for name in "ababcab":
        function(name, one)
    assert "".join(traced) == "abcab"


def test_the_programs_of_many_calls_are_built_once_each():
    traced = []

    @compiled(1)
    def function(name, x):
        traced.append(name)
        return x + len(name)

    one = np.ones(1, np.float32)
    found = function.each([(name, one) for name in ("a", "bb", "a", "ccc")])
    assert [float(value[0]) for value in found] == [2, 3, 2, 4]
    assert sorted(traced) == ["a", "bb", "ccc"]


# Switched off


@pytest.fixture
def off(monkeypatch):
    """The switch, for what is compiled in this test: with losses of its own, nothing compiled before is of use."""
    monkeypatch.setenv(SWITCH, "off")


@pytest.fixture
def lacking(monkeypatch):
    """A JAX without the parts that are used and that a later one need not have."""
    for name in ("extend.mlir", "experimental.serialize_executable"):
        monkeypatch.setitem(sys.modules, f"jax.{name}", None)


@pytest.mark.parametrize("lack", ["off", "lacking"])
@pytest.mark.parametrize("name", ["SGD", "Adam", "Lion"])
def test_without_it_race_map_and_sweep_say_the_same(name, lack, request):
    himmelblau, racer = LANDSCAPES["Himmelblau"], OPTIMIZERS[name](learning_rate=0.01)

    def everything(loss):
        trace = race(loss, {"it": racer}, STARTS, 60, minima=himmelblau.minima)["it"]
        found = sweep(loss, racer, "learning_rate", [0.001, 0.01], STARTS, 60, minima=himmelblau.minima)
        return trace, found

    trace, found = everything(himmelblau.loss)
    request.getfixturevalue(lack)
    plain, plainly = everything(lambda x: himmelblau.loss(x))
    np.testing.assert_allclose(plain.positions, trace.positions, atol=0.011)
    np.testing.assert_allclose(plain.losses[:, -1], trace.losses[:, -1], atol=0.05)
    assert (plainly.endings == found.endings).all()
    assert (plainly.diverged == found.diverged).all()


def test_switched_off_nothing_is_kept_on_disk_and_without_serialization_neither(tmp_path, request):
    before = jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", str(tmp_path))
    try:
        for lack in ("lacking", "off"):
            request.getfixturevalue(lack)
            points, loss = np.ones((3, 2), np.float32), LANDSCAPES["Bowl"].loss
            build = partial(jax.jit(jax.vmap(loss)).lower(points).compile)
            assert load_or_build(basins, [loss], (points,), build)(points).shape == (3,)
        assert not list(tmp_path.rglob("*"))
    finally:
        jax.config.update("jax_compilation_cache_dir", before)
