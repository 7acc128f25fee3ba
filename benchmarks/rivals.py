"""What people use instead of this engine, each as its own users would write it.

Every function here prepares one piece of work and returns it, ready to be timed: a race (``(racers, steps + 1, 2)``
positions), a basin map (which minimum, when, and where each run ended) or a sweep (``(racers, values)`` last losses).
What a rival needs is imported only once it is asked for.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.machine import vectors
from engine import LANDSCAPES, OPTIMIZERS, basins, race, sweep

# or the threads of the loop in C would go on spinning for a while, in the time of whoever comes next
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

GROUND = LANDSCAPES["Ackley"]
GOAL = np.zeros(2, np.float32)  # Ackley's only minimum
TOLERANCE = 1e-2
# known to all rivals, with the same knobs
RATES = {
    "SGD": 0.1,
    "Momentum": 0.01,
    "Nesterov": 0.01,
    "AdaGrad": 0.5,
    "RMSProp": 0.01,
    "Adam": 0.1,
    "AdamW": 0.1,
    "NAdam": 0.1,
}
RATE = 0.1  # of the basin map

Work = Callable[[], object]


class Map(NamedTuple):
    """A basin map, one number a start."""

    reached: np.ndarray  # whether the minimum was, and at which step; -1 for never
    ends: np.ndarray  # (starts, 2)


class Missing(Exception):
    """What has to be installed for a rival to take part."""


def grid(resolution: int) -> np.ndarray:
    """The starts of a basin map, ``(starts, 2)``."""
    sides = [np.linspace(low, high, resolution, dtype=np.float32) for low, high in GROUND.domain]
    return np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2)


# ---- this engine


def our_race(start, steps: int) -> Work:
    racers = {name: OPTIMIZERS[name](learning_rate=rate) for name, rate in RATES.items()}

    def work():
        return np.stack([trace.positions[0] for trace in race(GROUND.loss, racers, [start], steps).values()])

    return work


def our_map(resolution: int, steps: int) -> Work:
    def work() -> Map:
        found = basins(GROUND, OPTIMIZERS["Adam"](learning_rate=RATE), resolution, steps)
        return Map(found.steps.ravel(), found.ends.reshape(-1, 2))

    return work


def our_sweep(start, values: np.ndarray, steps: int) -> Work:
    def work():
        found = (sweep(GROUND.loss, OPTIMIZERS[name](), "learning_rate", values, [start], steps) for name in RATES)
        return np.stack([outcome.losses[:, 0] for outcome in found])

    return work


# ---- optax


def plain_ackley(x):
    """The textbook's formula, as one types it."""
    return (
        -20 * jnp.exp(-0.2 * jnp.sqrt(0.5 * jnp.sum(x**2)))
        - jnp.exp(0.5 * jnp.sum(jnp.cos(2 * jnp.pi * x)))
        + jnp.e
        + 20
    )


def optax_rules() -> dict[str, Callable]:
    try:
        import optax
    except ImportError:
        raise Missing("optax") from None
    return {
        "SGD": optax.sgd,
        "Momentum": lambda rate: optax.sgd(rate, momentum=0.9),
        "Nesterov": lambda rate: optax.sgd(rate, momentum=0.9, nesterov=True),
        "AdaGrad": lambda rate: optax.adagrad(rate, initial_accumulator_value=0.0, eps=1e-12),
        "RMSProp": lambda rate: optax.rmsprop(rate, decay=0.99, eps=1e-8, eps_in_sqrt=False),
        "Adam": optax.adam,
        "AdamW": lambda rate: optax.adamw(rate, weight_decay=0.01),
        "NAdam": optax.nadam,
    }


def optax_loop_race(start, steps: int) -> Work:
    """A Python loop over a jitted step."""
    made = optax_rules()

    def stepper(rule):
        @jax.jit
        def step(x, state):
            move, state = rule.update(jax.grad(plain_ackley)(x), state, x)
            return x + move, state

        return rule, step

    racers = [stepper(made[name](rate)) for name, rate in RATES.items()]

    def work():
        paths = []
        for rule, step in racers:
            x = jnp.array(start, jnp.float32)
            state, path = rule.init(x), [x]
            for _ in range(steps):
                x, state = step(x, state)
                path.append(x)
            paths.append(np.stack(jax.device_get(path)))
        return np.stack(paths)

    return work


def optax_scan_race(start, steps: int) -> Work:
    """All racers in one jit, each a scan over the steps, vmapped over the starts."""
    made = optax_rules()

    def path(rule, x):
        def step(carry, _):
            x, state = carry
            loss, gradient = jax.value_and_grad(plain_ackley)(x)
            move, state = rule.update(gradient, state, x)
            return (x + move, state), (x, loss)

        (end, _), (positions, losses) = jax.lax.scan(step, (x, rule.init(x)), length=steps)
        return jnp.concatenate([positions, end[None]]), jnp.append(losses, plain_ackley(end))

    rules = [made[name](rate) for name, rate in RATES.items()]
    run = jax.jit(lambda starts: [jax.vmap(lambda x, rule=rule: path(rule, x))(starts) for rule in rules])
    return lambda: np.stack([positions[0] for positions, _ in jax.device_get(run(jnp.array([start], jnp.float32)))])


def optax_map(resolution: int, steps: int) -> Work:
    rule, starts = optax_rules()["Adam"](RATE), jnp.array(grid(resolution))

    def one(x):
        def step(carry, i):
            x, state, reached, end = carry
            arrives = (reached < 0) & jnp.all(jnp.abs(x - GOAL) < TOLERANCE)
            reached = jnp.where(arrives, i, reached)
            end = jnp.where(jnp.all(jnp.isfinite(x)), x, end)
            move, state = rule.update(jax.grad(plain_ackley)(x), state, x)
            return (x + move, state, reached, end), None

        (_, _, reached, end), _ = jax.lax.scan(step, (x, rule.init(x), -1, x), jnp.arange(steps + 1))
        return reached, end

    run = jax.jit(jax.vmap(one))
    return lambda: Map(*jax.device_get(run(starts)))


def optax_sweep(start, values: np.ndarray, steps: int) -> Work:
    made = optax_rules()

    def last(make, rate):
        rule, x = make(rate), jnp.array(start, jnp.float32)

        def step(carry, _):
            x, state = carry
            move, state = rule.update(jax.grad(plain_ackley)(x), state, x)
            return (x + move, state), None

        (x, _), _ = jax.lax.scan(step, (x, rule.init(x)), length=steps)
        return plain_ackley(x)

    runs = [jax.jit(jax.vmap(lambda rate, make=made[name]: last(make, rate))) for name in RATES]
    rates = jnp.array(values, jnp.float32)
    return lambda: np.stack(jax.device_get([run(rates) for run in runs]))


# ---- numpy, and the rules by hand


def ackley_slope(x):
    """Ackley's gradient by hand: ``(2, …)`` to ``(2, …)``."""
    radius = np.sqrt(0.5 * (x * x).sum(axis=0))
    turn = np.float32(2 * np.pi) * x
    dents = np.exp(0.5 * np.cos(turn).sum(axis=0))
    return 2 * np.exp(-0.2 * radius) / np.maximum(radius, np.float32(1e-15)) * x + np.float32(np.pi) * dents * np.sin(
        turn
    )


def ackley_value(x):
    radius = np.sqrt(0.5 * (x * x).sum(axis=0))
    return np.float32(20 + np.e) - 20 * np.exp(-0.2 * radius) - np.exp(0.5 * np.cos(2 * np.pi * x).sum(axis=0))


def by_hand(name: str, rate) -> Callable:
    """The rule as a function from gradient and point to move. It keeps what it remembers to itself."""
    first = second = count = 0
    grown = 1.0

    def rule(g, x):
        nonlocal first, second, count, grown
        count += 1
        if name == "SGD":
            return -rate * g
        if name in ("Momentum", "Nesterov"):
            first = 0.9 * first + g
            return -rate * (first if name == "Momentum" else g + 0.9 * first)
        if name in ("AdaGrad", "RMSProp"):
            second = second + g * g if name == "AdaGrad" else 0.99 * second + 0.01 * g * g
            return -rate * g / (second**0.5 + (1e-10 if name == "AdaGrad" else 1e-8))
        first = 0.9 * first + 0.1 * g
        second = 0.999 * second + 0.001 * g * g
        down = (second / (1 - 0.999**count)) ** 0.5 + 1e-8
        if name == "NAdam":
            now, then = (0.9 * (1 - 0.5 * 0.96 ** (0.004 * c)) for c in (count, count + 1))
            grown *= now
            return -rate * (then * first / (1 - grown * then) + (1 - now) * g / (1 - grown)) / down
        move = -rate * first / (1 - 0.9**count) / down
        return move - rate * 0.01 * x if name == "AdamW" else move

    return rule


def numpy_race(start, steps: int) -> Work:
    """One gradient for all racers at once, then each one's rule."""

    def work():
        rules = [by_hand(name, rate) for name, rate in RATES.items()]
        x = np.repeat(np.array(start, np.float32)[:, None], len(rules), axis=1)
        path = np.empty((steps + 1, *x.shape), np.float32)
        path[0] = x
        for i in range(steps):
            slope = ackley_slope(x)
            for place, rule in enumerate(rules):
                x[:, place] += rule(slope[:, place], x[:, place])
            path[i + 1] = x
        return path.transpose(2, 0, 1)

    return work


def numpy_map(resolution: int, steps: int) -> Work:
    starts = np.ascontiguousarray(grid(resolution).T)

    def work() -> Map:
        rule, x = by_hand("Adam", np.float32(RATE)), starts.copy()
        reached, end = np.full(x.shape[1], -1), x.copy()
        for i in range(steps + 1):
            end = np.where(np.isfinite(x).all(axis=0), x, end)
            reached[(reached < 0) & (np.abs(x) < TOLERANCE).all(axis=0)] = i
            x += rule(ackley_slope(x), x)
        return Map(reached, end.T)

    return work


def numpy_sweep(start, values: np.ndarray, steps: int) -> Work:
    rates = values.astype(np.float32)

    def work():
        ends = []
        for name in RATES:
            rule = by_hand(name, rates)
            x = np.repeat(np.array(start, np.float32)[:, None], len(rates), axis=1)
            for _ in range(steps):
                x = x + rule(ackley_slope(x), x)
            ends.append(ackley_value(x))
        return np.stack(ends)

    return work


def notebook_race(start, steps: int) -> Work:
    """The notebook's way: a partial derivative each, not jitted, and rules by hand on single numbers."""

    def f(x, y):
        return (
            -20 * jnp.exp(-0.2 * jnp.sqrt(0.5 * (x**2 + y**2)))
            - jnp.exp(0.5 * (jnp.cos(2 * jnp.pi * x) + jnp.cos(2 * jnp.pi * y)))
            + jnp.e
            + 20
        )

    slopes = jax.grad(f, argnums=0), jax.grad(f, argnums=1)

    def work():
        paths = []
        for name, rate in RATES.items():
            rules = by_hand(name, rate), by_hand(name, rate)
            x = [jnp.float32(part) for part in start]
            path = [tuple(map(float, x))]
            for _ in range(steps):
                along = [slope(*x) for slope in slopes]
                x = [part + rule(g, part) for part, rule, g in zip(x, rules, along, strict=True)]
                path.append(tuple(map(float, x)))
            paths.append(path)
        return np.array(paths, np.float32)

    return work


# ---- PyTorch


def torch_rules():
    try:
        import torch
    except ImportError:
        raise Missing("torch") from None
    optim = torch.optim
    return torch, {
        "SGD": lambda x, rate: optim.SGD(x, rate),
        "Momentum": lambda x, rate: optim.SGD(x, rate, momentum=0.9),
        "Nesterov": lambda x, rate: optim.SGD(x, rate, momentum=0.9, nesterov=True),
        "AdaGrad": lambda x, rate: optim.Adagrad(x, rate),
        "RMSProp": lambda x, rate: optim.RMSprop(x, rate),
        "Adam": lambda x, rate: optim.Adam(x, rate),
        "AdamW": lambda x, rate: optim.AdamW(x, rate),
        "NAdam": lambda x, rate: optim.NAdam(x, rate),
    }


def torch_ackley(torch, x):
    """``(…, 2)`` to ``(…)``."""
    return (
        -20 * torch.exp(-0.2 * torch.sqrt(0.5 * (x**2).sum(-1)))
        - torch.exp(0.5 * torch.cos(2 * torch.pi * x).sum(-1))
        + torch.e
        + 20
    )


def torch_race(start, steps: int) -> Work:
    torch, made = torch_rules()

    def work():
        paths = []
        for name, rate in RATES.items():
            x = torch.tensor(start, dtype=torch.float32, requires_grad=True)
            optimizer, path = made[name]([x], rate), [x.detach().clone()]
            for _ in range(steps):
                optimizer.zero_grad()
                torch_ackley(torch, x).backward()
                optimizer.step()
                path.append(x.detach().clone())
            paths.append(torch.stack(path).numpy())
        return np.stack(paths)

    return work


def torch_map(resolution: int, steps: int) -> Work:
    """All starts in one tensor; the update in torch's fused kernel."""
    torch, _ = torch_rules()
    starts = torch.tensor(grid(resolution))

    def work() -> Map:
        x = starts.clone().requires_grad_()
        optimizer = torch.optim.Adam([x], RATE, fused=True)
        reached, end = torch.full((len(x),), -1), starts.clone()
        for i in range(steps + 1):
            with torch.no_grad():
                end = torch.where(torch.isfinite(x).all(1, keepdim=True), x, end)
                reached[(reached < 0) & (x.abs() < TOLERANCE).all(1)] = i
            optimizer.zero_grad()
            torch_ackley(torch, x).sum().backward()
            optimizer.step()
        return Map(reached.numpy(), end.detach().numpy())

    return work


# ---- compiled loops


def numba_map(resolution: int, steps: int) -> Work:
    """One start after the other through all steps, on every core."""
    try:
        import numba
    except ImportError:
        raise Missing("numba") from None
    from math import cos, exp, isfinite, pi, sin, sqrt

    single = np.float32

    @numba.njit(parallel=True, fastmath={"nsz", "arcp", "contract", "afn", "reassoc"})
    def run(starts, steps, reached, ends):
        for k in numba.prange(len(starts)):
            x, y = starts[k]
            ends[k] = starts[k]
            reached[k] = -1
            mx = my = vx = vy = single(0)
            power1 = power2 = single(1)
            for i in range(steps + 1):
                if reached[k] < 0 and abs(x) < single(1e-2) and abs(y) < single(1e-2):
                    reached[k] = i
                if not (isfinite(x) and isfinite(y)):
                    break
                ends[k, 0], ends[k, 1] = x, y
                radius = single(sqrt(single(0.5) * (x * x + y * y)))
                steep = single(2) * single(exp(single(-0.2) * radius)) / max(radius, single(1e-15))
                around = single(2 * pi)
                wave = single(pi) * single(exp(single(0.5) * single(cos(around * x) + cos(around * y))))
                gx, gy = steep * x + wave * single(sin(around * x)), steep * y + wave * single(sin(around * y))
                power1, power2 = power1 * single(0.9), power2 * single(0.999)
                mx, my = single(0.9) * mx + single(0.1) * gx, single(0.9) * my + single(0.1) * gy
                vx, vy = single(0.999) * vx + single(0.001) * gx * gx, single(0.999) * vy + single(0.001) * gy * gy
                rate, correct = single(RATE) / (single(1) - power1), single(1) / (single(1) - power2)
                x -= rate * mx / (single(sqrt(vx * correct)) + single(1e-8))
                y -= rate * my / (single(sqrt(vy * correct)) + single(1e-8))

    starts = grid(resolution)

    def work() -> Map:
        reached, ends = np.empty(len(starts), np.int64), np.empty_like(starts)
        run(starts, steps, reached, ends)
        return Map(reached, ends)

    return work


def c_map(resolution: int, steps: int) -> Work:
    """``basin_map.c``, compiled for this very processor, with the vectors that XLA uses."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise Missing("a C compiler")
    source = Path(__file__).with_name("basin_map.c")
    with tempfile.TemporaryDirectory() as folder:
        part, library = Path(folder) / "basin_map.o", Path(folder) / "basin_map.so"
        narrow = [] if vectors() == "AVX-512" else ["-mno-avx512f"]
        flags = ["-O3", "-march=native", "-ffast-math", "-fopenmp", "-fPIC", *narrow]
        subprocess.run([compiler, *flags, "-c", "-o", part, source], check=True)
        # without -ffast-math: a library linked with it has the whole process take tiny numbers for 0 once it is loaded
        subprocess.run([compiler, "-fopenmp", "-shared", "-o", library, part, "-lm"], check=True)
        call = ctypes.CDLL(str(library)).basin_map
    starts, goals = grid(resolution), GOAL[None]
    whole, real = (lambda value: ctypes.c_int(value)), (lambda value: ctypes.c_float(value))

    def at(array: np.ndarray):
        return array.ctypes.data_as(ctypes.c_void_p)

    def work() -> Map:
        ends, (nearest, reached, stopped) = np.empty_like(starts), np.empty((3, len(starts)), np.int32)
        knobs = real(RATE), real(0.9), real(0.999), real(1e-8), real(TOLERANCE)
        where = at(goals), whole(len(goals)), at(ends), at(nearest), at(reached), at(stopped)
        call(at(starts), whole(len(starts)), whole(steps), *knobs, *where)
        return Map(reached, ends)

    return work
