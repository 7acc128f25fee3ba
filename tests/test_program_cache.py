"""Programs kept on disk: the next process compiles nothing, and never gets one that means something else."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import jax
import numpy as np
import pytest
from jax.experimental import serialize_executable
from jax.experimental.compilation_cache import compilation_cache

import engine.xla.program_cache
from engine import LANDSCAPES, OPTIMIZERS, reshaped
from engine.descent import Variant, descend
from engine.landscapes import evaluate_at
from engine.xla.program_cache import FOLDER, load_or_build

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
    load_or_build(evaluate_at, [ACKLEY.loss], (POINTS,), build)

    def lacking(*_):
        raise jax.errors.JaxRuntimeError("NOT_FOUND: Function fusion not found")

    with monkeypatch.context() as patch:
        patch.setattr(serialize_executable, "deserialize_and_load", lambda *_: lacking)
        with pytest.warns(UserWarning, match="made anew"):
            assert load_or_build(evaluate_at, [ACKLEY.loss], (POINTS,), build)(POINTS).shape == (3,)
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
    return sorted((folder / FOLDER).glob("*"))


def test_a_program_is_built_once(folder, build):
    for _ in range(3):
        np.testing.assert_array_equal(load_or_build(evaluate_at, [ACKLEY.loss], (POINTS,), build)(POINTS), [2, 2, 2])
    assert build.count == len(ours(folder)) == 1


def test_what_differs_is_built_anew(folder, build, monkeypatch):
    load_or_build(evaluate_at, [ACKLEY.loss], (POINTS,), build)
    load_or_build(evaluate_at, [LANDSCAPES["Bowl"].loss], (POINTS,), build)
    load_or_build(evaluate_at, [ACKLEY.loss], (FIVE,), partial(build, FIVE))
    for kind in (Variant(False, False), Variant(False, True)):
        load_or_build(descend, [ACKLEY.loss, SGD, kind], (POINTS,), build)
    with jax.numpy_rank_promotion("raise"):  # one of JAX's settings
        load_or_build(evaluate_at, [ACKLEY.loss], (POINTS,), build)
    monkeypatch.setattr(engine.xla.program_cache, "SOURCES", "the engine after a change")
    load_or_build(evaluate_at, [ACKLEY.loss], (POINTS,), build)
    assert build.count == len(ours(folder)) == 7


def test_one_program_serves_all_values_of_a_landscapes_knobs(folder):
    points = np.ones((77, 2), np.float32)
    plateau = LANDSCAPES["Plateau"]
    for width in (1.0, 3.0):
        losses = evaluate_at(reshaped(plateau, width=width).loss, points)
        np.testing.assert_allclose(losses, 2 / (width**2 + 2), rtol=1e-6)
    assert len(ours(folder)) == 1


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
        load_or_build(evaluate_at, [loss], (POINTS,), build)
    assert build.count == 2
    assert not ours(folder)


def test_a_damaged_file_is_made_anew(folder, build):
    load_or_build(evaluate_at, [ACKLEY.loss], (POINTS,), build)
    (file,) = ours(folder)
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.warns(UserWarning, match="made anew"):
        load_or_build(evaluate_at, [ACKLEY.loss], (POINTS,), build)
    load_or_build(evaluate_at, [ACKLEY.loss], (POINTS,), build)
    assert build.count == 2


def test_where_nothing_can_be_written_the_program_is_built_all_the_same(folder, build):
    program = build()
    (folder / "file").touch()
    jax.config.update("jax_compilation_cache_dir", str(folder / "file"))
    with pytest.warns(UserWarning, match="builds it again"):
        assert load_or_build(evaluate_at, [ACKLEY.loss], (POINTS,), lambda: program) is program


def test_a_program_that_others_could_have_written_is_made_anew(folder, build):
    """It is unpickled, so whoever wrote it could have anything done."""
    load_or_build(evaluate_at, [ACKLEY.loss], (POINTS,), build)
    (file,) = ours(folder)
    for what, mode, safe in ((file, 0o666, 0o600), (file, 0o620, 0o600), (file.parent, 0o777, 0o700)):
        before = build.count
        what.chmod(mode)
        with pytest.warns(UserWarning, match="others can write"):
            load_or_build(evaluate_at, [ACKLEY.loss], (POINTS,), build)
        assert build.count == before + 1
        what.chmod(safe)
        load_or_build(evaluate_at, [ACKLEY.loss], (POINTS,), build)
        assert build.count == before + 1


def test_a_program_of_another_user_is_made_anew(folder, build, monkeypatch):
    load_or_build(evaluate_at, [ACKLEY.loss], (POINTS,), build)
    me = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: me + 1)
    with pytest.warns(UserWarning, match="belongs to another user"):
        load_or_build(evaluate_at, [ACKLEY.loss], (POINTS,), build)
    assert build.count == 2


def test_what_is_kept_is_for_this_user_alone_whatever_others_may_do_beside_it(folder, build):
    before = os.umask(0)
    try:
        load_or_build(evaluate_at, [ACKLEY.loss], (POINTS,), build)
    finally:
        os.umask(before)
    (file,) = ours(folder)
    assert [path.stat().st_mode & 0o077 for path in (file, file.parent)] == [0, 0]
