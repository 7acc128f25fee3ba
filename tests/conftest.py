"""What the tests share. Cases come from the registries: a new optimizer or landscape is tested once it is there."""

import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ui.frame
from engine import LANDSCAPES, OPTIMIZERS


@pytest.fixture(params=list(OPTIMIZERS.values()), ids=list(OPTIMIZERS))
def rule(request):
    """Each optimizer's class in turn."""
    return request.param


@pytest.fixture(params=list(LANDSCAPES.values()), ids=list(LANDSCAPES))
def landscape(request):
    """Each landscape in turn."""
    return request.param


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def compiles():
    """Call it for the number of programs that this test has had compiled since it was last called."""
    seen, here = [], threading.get_ident()

    def listen(event, duration, **_):
        # the pages' tests leave a thread behind that compiles the usual races
        if event == "/jax/core/compile/backend_compile_duration" and threading.get_ident() == here:
            seen.append(duration)

    def since():
        count = len(seen)
        seen.clear()
        return count

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield since
    jax.monitoring.unregister_event_duration_listener(listen)


@pytest.fixture(scope="session")
def walk():
    """The plain loop that a race must agree with: one start, one step after the other, every position kept."""

    def path(loss, optimizer, start, steps):
        x = jnp.asarray(start, jnp.float32)
        slope, memory, positions = jax.jit(jax.grad(loss)), optimizer.init(x), [x]
        for _ in range(steps):
            move, memory = optimizer.update(slope(x), memory, x)
            x = x + move
            positions.append(x)
        return np.stack(positions)

    return path


@pytest.fixture(scope="session", autouse=True)
def no_warm_up():
    """Without the thread that compiles races in the background: it would be counted, and outlive the tests."""
    ui.frame._warm.acquire(blocking=False)


@pytest.fixture
def compiled():
    """What XLA was made to compile, in any thread: a page does not run in the test's own."""
    seen = []

    def listen(event, *_, **__):
        if event == "/jax/core/compile/backend_compile_duration":
            seen.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield seen
    jax.monitoring.unregister_event_duration_listener(listen)
