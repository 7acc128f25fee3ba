"""Programs kept on disk: the next process compiles nothing, and never gets one that means something else."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import jax
import numpy as np
import pytest
from jax.experimental.compilation_cache import compilation_cache

import engine.kept
from engine import LANDSCAPES, OPTIMIZERS
from engine.descent import Variant, descend
from engine.kept import kept
from engine.landscapes import over

ROOT = Path(__file__).parents[1]
ACKLEY, SGD = LANDSCAPES["Ackley"], OPTIMIZERS["SGD"]
POINTS, FIVE = np.ones((3, 2), np.float32), np.ones((5, 2), np.float32)

VISIT = """
import jax
built = []
jax.monitoring.register_event_duration_secs_listener(lambda event, *_, **__: built.append(event))
from engine import LANDSCAPES, OPTIMIZERS, race
from engine.endings import verdicts
ackley = LANDSCAPES["Ackley"]
racers = {name: OPTIMIZERS[name]() for name in ("SGD", "Adam")}
traces = race(ackley.loss, racers, [(4.0, 4.0)], 300, minima=ackley.minima)
print(built.count("/jax/core/compile/backend_compile_duration"))
print([trace.losses.tobytes().hex() for trace in traces.values()])
print(verdicts(ackley.loss, traces, ackley.minima))  # calls LAPACK
"""


def own(x):
    """A loss that is not the engine's."""
    return x @ x


def visit(cache):
    settings = {
        "JAX_COMPILATION_CACHE_DIR": str(cache),
        "JAX_ENABLE_COMPILATION_CACHE": "true",
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    ran = subprocess.run(
        [sys.executable, "-c", VISIT],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=True,
    )
    compiles, *rest = ran.stdout.splitlines()
    return int(compiles), rest


def test_the_next_process_races_the_same_without_compiling(tmp_path):
    compiles, found = visit(tmp_path)
    again, same = visit(tmp_path)
    assert (compiles, again) == (2, 0)
    assert same == found


def test_a_program_out_of_the_cache_of_jax_is_not_kept_broken(tmp_path):
    _, found = visit(tmp_path)
    files = ours(tmp_path)
    assert len(files) == 2
    for file in files:  # as after a change of the engine that leaves these programs as they were
        file.unlink()
    assert [visit(tmp_path)[1] for _ in range(2)] == [found] * 2


def test_a_program_that_loads_and_does_not_run_is_made_anew(folder, build, monkeypatch):
    kept(over, [ACKLEY.loss], (POINTS,), build)

    def lacking(*_):
        raise jax.errors.JaxRuntimeError("NOT_FOUND: Function fusion not found")

    with monkeypatch.context() as patch:
        patch.setattr(engine.kept, "deserialize_and_load", lambda *_: lacking)
        with pytest.warns(UserWarning, match="made anew"):
            assert kept(over, [ACKLEY.loss], (POINTS,), build)(POINTS).shape == (3,)
    assert build.count == 2


@pytest.fixture
def folder(tmp_path):
    """Where programs are kept for the length of a test."""
    before = jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", str(tmp_path))
    yield tmp_path
    jax.config.update("jax_compilation_cache_dir", before)
    compilation_cache.reset_cache()


@pytest.fixture
def build():
    """Builds a program, and counts how often it has."""

    def build(points=POINTS):
        build.count += 1
        return jax.jit(lambda where: where.sum(axis=1)).lower(points).compile()

    build.count = 0
    return build


def ours(folder):
    return sorted(folder.glob("engine-*"))


def test_a_program_is_built_once(folder, build):
    for _ in range(3):
        np.testing.assert_array_equal(kept(over, [ACKLEY.loss], (POINTS,), build)(POINTS), [2, 2, 2])
    assert build.count == len(ours(folder)) == 1


def test_what_differs_is_built_anew(folder, build, monkeypatch):
    kept(over, [ACKLEY.loss], (POINTS,), build)
    kept(over, [LANDSCAPES["Bowl"].loss], (POINTS,), build)
    kept(over, [ACKLEY.loss], (FIVE,), partial(build, FIVE))
    for kind in (Variant(False, False), Variant(False, True)):
        kept(descend, [ACKLEY.loss, SGD, kind], (POINTS,), build)
    with jax.numpy_rank_promotion("raise"):  # one of JAX's settings
        kept(over, [ACKLEY.loss], (POINTS,), build)
    monkeypatch.setattr(engine.kept, "SOURCES", "the engine after a change")
    kept(over, [ACKLEY.loss], (POINTS,), build)
    assert build.count == len(ours(folder)) == 7


def within():
    def loss(x):
        return x @ x

    loss.__module__ = ACKLEY.loss.__module__
    return loss


@pytest.mark.parametrize(
    "loss", [own, within(), partial(ACKLEY.loss), np.linalg.norm], ids=["own", "within another", "partial", "numpy"]
)
def test_what_the_engine_cannot_name_is_built_each_time(folder, build, loss):
    for _ in range(2):
        kept(over, [loss], (POINTS,), build)
    assert build.count == 2
    assert not ours(folder)


def test_a_damaged_file_is_made_anew(folder, build):
    kept(over, [ACKLEY.loss], (POINTS,), build)
    (file,) = ours(folder)
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.warns(UserWarning, match="made anew"):
        kept(over, [ACKLEY.loss], (POINTS,), build)
    kept(over, [ACKLEY.loss], (POINTS,), build)
    assert build.count == 2


def test_where_nothing_can_be_written_the_program_is_built_all_the_same(folder, build):
    program = build()
    (folder / "file").touch()
    jax.config.update("jax_compilation_cache_dir", str(folder / "file"))
    with pytest.warns(UserWarning, match="builds it again"):
        assert kept(over, [ACKLEY.loss], (POINTS,), lambda: program) is program
