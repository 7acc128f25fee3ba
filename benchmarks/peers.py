"""This engine beside what people use instead, in one run: ``python -m benchmarks.peers [section ...]``.

Prints Markdown tables; on an otherwise idle machine all sections take under ten minutes. ``requirements-bench.txt``
installs the rivals; one that is missing is skipped by name. Everyone takes a turn in every round, so that what disturbs
the machine disturbs all. A ratio is that of two turns in one round; what is given is its median, its lowest and its
highest.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import rivals
from benchmarks.machine import machine
from engine import LANDSCAPES, OPTIMIZERS, basins, race
from engine.xla import set_flags

ROOT = Path(__file__).parents[1]
START = (4.0, 4.0)
TURN = 0.05  # seconds that a turn lasts at least: what is quicker is done several times
OURS = "this engine"


@dataclass(frozen=True)
class Rival:
    """Who takes part: ``prepare(part)`` gives the work, of which ``part`` is done and the rest extrapolated."""

    name: str
    prepare: Callable[[int], rivals.Work]
    work: int  # what the whole work is counted in: steps, or points along a side
    part: int | None = None
    power: int = 1  # by which the time grows with the part
    target: float | None = None  # so many times our time, at least (or at most, for the limit of the processor)

    @property
    def scale(self) -> float:
        return 1.0 if self.part is None else (self.work / self.part) ** self.power

    @property
    def note(self) -> str:
        return "" if self.part is None else f" (extrapolated from {self.part} of {self.work} {UNITS[self.power]})"


UNITS = {1: "steps", 2: "starts a side"}


def beside(title: str, entries: Sequence[Rival], rounds: int) -> dict[str, float]:
    """Time everyone in turn, the engine first among the entries, and print the table. The median ratios."""
    taking_part, missing = [], []
    for entry in entries:
        try:
            work = entry.prepare(entry.part or entry.work)
        except rivals.Missing as lacking:
            missing.append(f"{entry.name} ({lacking} is not installed)")
            continue
        work()  # compiles
        taking_part.append((entry, work, times_in_a_turn(work)))
    taken: dict[str, list[float]] = {entry.name: [] for entry, *_ in taking_part}
    for turn in range(rounds):
        for i in range(len(taking_part)):
            entry, work, times = taking_part[(i + turn) % len(taking_part)]
            taken[entry.name].append(entry.scale * timed(work, times))
    print(f"\n### {title}\n\n| | time | times ours | in {rounds} rounds |\n|---|---:|---:|---:|")
    ratios = {}
    for entry, *_ in taking_part:
        each = [theirs / ours for theirs, ours in zip(taken[entry.name], taken[OURS], strict=True)]
        ratios[entry.name] = statistics.median(each)
        spread = "" if entry.name == OURS else f"{short(min(each))}–{short(max(each))}"
        middle = said_time(statistics.median(taken[entry.name]))
        print(f"| {entry.name}{entry.note} | {middle} | {short(ratios[entry.name])}× | {spread} |")
    for name in missing:
        print(f"\nSkipped: {name}.")
    ratios["seconds"] = statistics.median(taken[OURS])
    sys.stdout.flush()
    return ratios


def times_in_a_turn(work: rivals.Work) -> int:
    return max(1, round(TURN / timed(work, 1)))


def timed(work: rivals.Work, times: int) -> float:
    before = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - before) / times


def short(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 20 else f"{ratio:.1f}" if ratio >= 2 else f"{ratio:.2f}"


def said_time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1e3 * seconds:.3g} ms"


# ---- the sections


def race_section(steps: int = 500, rounds: int = 5) -> list[Target]:
    entries = [
        Rival(OURS, lambda n: rivals.our_race(START, n), steps),
        Rival("optax, scan in one jit", lambda n: rivals.optax_scan_race(START, n), steps),
        Rival("numpy, by hand", lambda n: rivals.numpy_race(START, n), steps),
        Rival("optax, a loop over a jitted step", lambda n: rivals.optax_loop_race(START, n), steps),
        Rival("torch.optim in a loop", lambda n: rivals.torch_race(START, n), steps),
        Rival("the notebook's way", lambda n: rivals.notebook_race(START, n), steps, part=min(steps, 10)),
    ]
    found = beside(f"A race: {len(rivals.RATES)} optimizers, 1 start, {steps} steps, every step kept", entries, rounds)
    return [
        Target("race, with its transfer to numpy", found["seconds"], 2.5e-3, at_most=True, seconds=True),
        Target("race: optax loop over ours", found.get("optax, a loop over a jitted step"), 80),
        Target("race: torch loop over ours", found.get("torch.optim in a loop"), 1000),
    ]


def basins_section(resolution: int = 256, steps: int = 500, rounds: int = 5) -> list[Target]:
    entries = [
        Rival(OURS, lambda n: rivals.our_map(n, steps), resolution),
        Rival("a fused loop in C", lambda n: rivals.c_map(n, steps), resolution),
        Rival("numba", lambda n: rivals.numba_map(n, steps), resolution),
        Rival("optax, scan and vmap", lambda n: rivals.optax_map(n, steps), resolution),
        Rival("numpy, by hand", lambda n: rivals.numpy_map(n, steps), resolution),
        Rival("torch, all starts in one tensor", lambda n: rivals.torch_map(n, steps), resolution),
    ]
    found = beside(f"A basin map: {resolution}×{resolution} starts, {steps} steps, Adam on Ackley", entries, rounds)
    limit = found.get("a fused loop in C")
    return [
        Target("basin map: ours over the loop in C", None if limit is None else 1 / limit, 1.5, at_most=True),
        Target("basin map: optax over ours", found.get("optax, scan and vmap"), 4),
        Target("basin map: numpy over ours", found.get("numpy, by hand"), 6),
        Target("basin map: torch over ours", found.get("torch, all starts in one tensor"), 10),
    ]


def sweep_section(values: int = 1024, steps: int = 500, rounds: int = 5) -> list[Target]:
    rates = np.geomspace(1e-4, 1.0, values)
    entries = [
        Rival(OURS, lambda n: rivals.our_sweep(START, rates, n), steps),
        Rival("optax, scan and vmap", lambda n: rivals.optax_sweep(START, rates, n), steps),
        Rival("numpy, by hand", lambda n: rivals.numpy_sweep(START, rates, n), steps),
    ]
    beside(f"A sweep: {len(rivals.RATES)} optimizers × {values} learning rates × {steps} steps", entries, rounds)
    print("\nOurs says which runs diverged, too. Not torch.optim: it has one learning rate for a whole tensor.")
    return []


def growth_section(sides: Sequence[int] = (1, 10, 32, 100, 320, 1000), longest: int = 100_000) -> list[Target]:
    """How time and memory grow with the number of runs, and with the number of steps."""
    ackley, adam = LANDSCAPES["Ackley"], OPTIMIZERS["Adam"]()
    basins(ackley, adam, 1, 1)
    print("\n### Growth\n\n| runs of 100 steps | time | a run | memory added |\n|---:|---:|---:|---:|")
    for side in sides:
        before, each = peak_memory(), timed(lambda side=side: basins(ackley, adam, side, 100), 1)  # type: ignore[misc]
        print(f"| {side**2:,} | {said_time(each)} | {1e6 * each / side**2:,.2f} µs | {grown(before)} |")
    racers = {name: rule() for name, rule in OPTIMIZERS.items()}
    race(ackley.loss, racers, [START], 1)
    print(f"\n| steps of {len(racers)} racers | time | a step | memory added |\n|---:|---:|---:|---:|")
    steps = 100
    while steps <= longest:
        before, each = peak_memory(), timed(lambda steps=steps: race(ackley.loss, racers, [START], steps), 3)  # type: ignore[misc]
        print(f"| {steps:,} | {said_time(each)} | {1e6 * each / steps:.2f} µs | {grown(before)} |")
        steps *= 10
    return []


def peak_memory() -> float | None:
    """The most memory that this process has held, in MB; None where the system does not say."""
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def grown(before: float | None) -> str:
    now = peak_memory()
    return "not known here" if before is None or now is None else f"{now - before:.1f} MB"


FIRST_RACE = """
import time
before = time.perf_counter()
from engine import LANDSCAPES, OPTIMIZERS, race
from engine.xla import set_flags
set_flags()
imported = time.perf_counter()
rates = {rates}
racers = {{name: OPTIMIZERS[name](learning_rate=rate) for name, rate in rates.items()}}
race(LANDSCAPES["Ackley"].loss, racers, [(4.0, 4.0)], {steps})
raced = time.perf_counter()
print(imported - before, raced - imported)
"""


def cold_section(steps: int = 500, rounds: int = 3) -> list[Target]:
    """New processes: the import, and the first race, without and with what an earlier one compiled."""
    taken: dict[str, list[list[float]]] = {"an empty cache": [], "a warm cache": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as cache:
            for state in taken:
                settings = {
                    "JAX_COMPILATION_CACHE_DIR": cache,
                    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
                    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
                    "PYTHONWARNINGS": "ignore",
                }
                code = FIRST_RACE.format(rates=rivals.RATES, steps=steps)
                command = [sys.executable, "-c", code]
                ran = subprocess.run(
                    command, cwd=ROOT, env={**os.environ, **settings}, capture_output=True, text=True, check=True
                )
                taken[state].append([float(part) for part in ran.stdout.split()])
    print(f"\n### Cold start: a new process, {len(rivals.RATES)} optimizers, {rounds} rounds\n")
    print("| | import of the engine | first race |\n|---|---:|---:|")
    for state, times in taken.items():
        imported, raced = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"| with {state} | {said_time(imported)} | {said_time(raced)} |")
    return [Target("first race after the import, warm cache", raced, 0.3, at_most=True, seconds=True)]


# ---- what was aimed at


@dataclass(frozen=True)
class Target:
    """One number that the engine should reach. ``found`` is None where a rival was missing."""

    name: str
    found: float | None
    aim: float
    at_most: bool = False
    seconds: bool = False

    def row(self) -> str:
        say = said_time if self.seconds else lambda ratio: f"{short(ratio)}×"
        aim = f"{'at most' if self.at_most else 'at least'} {say(self.aim)}"
        if self.found is None:
            return f"| {self.name} | {aim} | not measured | |"
        met = self.found <= self.aim if self.at_most else self.found >= self.aim
        return f"| {self.name} | {aim} | {say(self.found)} | {'yes' if met else 'no'} |"


SECTIONS: dict[str, Callable[[], list[Target]]] = {
    "race": race_section,
    "basins": basins_section,
    "sweep": sweep_section,
    "growth": growth_section,
    "cold": cold_section,
}


def main(asked: Sequence[str]) -> int:
    unknown = [name for name in asked if name not in SECTIONS]
    if unknown:
        print(f"There is no section '{unknown[0]}'. Choose from {', '.join(SECTIONS)}.", file=sys.stderr)
        return 2
    set_flags()
    print(machine("jax", "numpy", "optax", "torch", "numba"))
    targets = [target for name in asked or SECTIONS for target in SECTIONS[name]()]
    if targets:
        print("\n### What was aimed at\n\n| | aim | found | reached |\n|---|---:|---:|---|")
        print("\n".join(target.row() for target in targets))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
