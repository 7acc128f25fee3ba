"""What the tests share. Cases come from the registries: a new optimizer or landscape is tested once it is there."""

import functools
import gc
import os
import shutil
import tempfile

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import typecheck
from fuzzing import register_profiles
from streamlit import config
from streamlit.components.v2 import manifest_scanner

typecheck.install()  # before anything imports the engine

import ui.frame  # noqa: E402
from engine import LANDSCAPES, OPTIMIZERS  # noqa: E402
from engine.optimizers import update_at  # noqa: E402
from engine.xla import set_flags  # noqa: E402

PROGRAMS = "JAX_COMPILATION_CACHE_DIR"


set_flags()  # before any module of tests makes an array


def pytest_configure(config):
    """One folder for the engine's compiled programs: for each worker, and the servers and processes that tests start.

    JAX's own cache is off. It writes a file bit by bit, and another process that reads a part of one warns.
    """
    register_profiles(config)
    if "PYTEST_XDIST_WORKER" not in os.environ:
        os.environ[PROGRAMS] = tempfile.mkdtemp(prefix="programs-")
        os.environ["JAX_ENABLE_COMPILATION_CACHE"] = "false"
        config.add_cleanup(lambda: shutil.rmtree(os.environ[PROGRAMS]))
    jax.config.update("jax_compilation_cache_dir", os.environ[PROGRAMS])
    jax.config.update("jax_enable_compilation_cache", False)


@pytest.fixture(params=list(OPTIMIZERS.values()), ids=list(OPTIMIZERS))
def rule(request):
    """Each optimizer's class in turn."""
    return request.param


@pytest.fixture(params=list(LANDSCAPES.values()), ids=list(LANDSCAPES))
def landscape(request):
    """Each landscape in turn."""
    return request.param


@pytest.fixture
def torch():
    """PyTorch, where it is installed."""
    try:
        import torch
    except ImportError:
        if os.environ.get("CI") == "true":
            pytest.fail("torch is not installed, and with CI=true the tests of the PyTorch programs may not be skipped")
        pytest.skip("torch is not installed")
    yield torch
    torch.set_default_dtype(torch.float32)


@pytest.fixture(autouse=True)
def tiny_numbers_stay():
    """No test leaves its thread taking tiny numbers for 0, as loading some libraries does: others would read 0."""
    yield
    assert float("1e-310") > 0


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def compiles(compiled):
    """Call it for the number of programs that this test has had compiled since it was last called."""

    def since():
        count = len(compiled)
        compiled.clear()
        return count

    return since


@pytest.fixture(scope="session")
def walk():
    """The plain loop that a race must agree with: one start, one step after the other, every position kept."""

    @functools.cache
    def compiled_step(loss):
        def step(optimizer, memory, x, number):
            value, gradient = jax.value_and_grad(loss)(x)
            return update_at(optimizer, gradient, memory, x, number, value, loss)

        return jax.jit(step)

    def path(loss, optimizer, start, steps):
        optimizer = jax.tree.map(jnp.float32, optimizer)  # with its knobs as the race has them
        x = jnp.asarray(start, jnp.float32)
        memory, positions = jax.tree.map(jnp.asarray, optimizer.init(x)), [x]
        for number in range(steps):
            move, memory = compiled_step(loss)(optimizer, memory, x, number)
            x = x + move
            positions.append(x)
        return np.stack(positions)

    return path


@pytest.fixture(scope="session", autouse=True)
def no_warm_up():
    """Without the thread that compiles races in the background: it would be counted, and outlive the tests."""
    ui.frame._warm_up_started.acquire(blocking=False)


@pytest.fixture(scope="session", autouse=True)
def errors_in_full():
    """What a page raises, with its words, which visitors are not shown."""
    shown = config.get_option("client.showErrorDetails")
    config.set_option("client.showErrorDetails", "full")
    yield
    config.set_option("client.showErrorDetails", shown)


@pytest.fixture(scope="session", autouse=True)
def one_scan_for_components():
    """AppTest would read of every installed package anew, each time a page is opened, whether it brings a component."""
    with pytest.MonkeyPatch.context() as patch:
        scan = functools.cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", scan)
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_collections():
    """What was imported is spared in each collection of garbage, as it is on a server (ui/process.py)."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def compiled():
    """What XLA was made to compile, in any thread: neither a page nor the blocks of a map run in the test's own.

    Nothing comes from disk meanwhile.
    """
    seen = []

    def listen(event, *_, **__):
        if event == "/jax/core/compile/backend_compile_duration":
            seen.append(event)

    jax.config.update("jax_compilation_cache_dir", None)
    jax.monitoring.register_event_duration_secs_listener(listen)
    yield seen
    jax.monitoring.unregister_event_duration_listener(listen)
    jax.config.update("jax_compilation_cache_dir", os.environ[PROGRAMS])
