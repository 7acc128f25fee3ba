"""A race of a set-up, and the notebook's replay beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import jax
import numpy as np

from engine import OPTIMIZERS, Optimizer, Trace, race
from engine.endings import Verdict, verdicts
from engine.landscapes import code_of
from engine.notebook import REPLAYS
from engine.optimizers import Rule
from engine.paths import on_steps
from engine.quantities import moves_between
from engine.scheduled import plain_rule
from ui.draw.landscapes import box, loss_at
from ui.draw.palette import REPLAY, Style
from ui.draw.styles import styles
from ui.draw.yours import NOTHING, Yours
from ui.setup.pages import RaceSetup
from ui.setup.questions.question import Facts
from ui.setup.racers import names_in

# the optimizers whose programs are compiled, each with or without noise, by what is compiled in of the landscape: not
# its knobs or its painting
raced: WeakKeyDictionary[Any, set[tuple[Rule, bool]]] = WeakKeyDictionary()
RULES = frozenset(OPTIMIZERS.values())


def run(setup: RaceSetup, yours: Yours = NOTHING) -> tuple[dict[str, Trace], dict[str, Style]]:
    """Race the line-up, and put beside it the notebook's replay where one is asked for, and what is ``yours``."""
    racers = dict(zip(names_in(setup), setup.racers, strict=True))
    racer_styles = dict(zip(racers, styles(setup.racers), strict=True))
    landscape = setup.chosen_landscape
    traces = race_all(setup, {**racers, **yours.racers})
    if setup.replaying:
        replay = REPLAYS[setup.replay]
        trace = replay.run()
        if setup.needs_moves:  # of a path without a rule
            moves = moves_between(landscape.loss, trace.positions[0])
            trace = replace(trace, moves=jax.tree.map(lambda part: part[None], moves))
        traces = {**traces, replay.name: on_steps(trace, next(iter(traces.values())).steps)}
        racer_styles[replay.name] = REPLAY
    return yours.beside(traces), {**racer_styles, **yours.styles(setup.racers)}


def race_all(setup: RaceSetup, racers: Mapping[str, Optimizer]) -> dict[str, Trace]:
    """Race some optimizers as a set-up says."""
    landscape, noise = setup.chosen_landscape, setup.gradient_noise
    traces = race(landscape.loss, racers, [setup.start], setup.steps, minima=landscape.minima, noise=noise)
    # a typed rule would be held as long as its landscape, which may be for ever
    lasting = {(racer.rule, bool(noise)) for racer in racers.values() if plain_rule(racer.rule) in RULES}
    raced.setdefault(code_of(landscape.loss), set()).update(lasting)
    return traces


def is_compiled(setup: RaceSetup) -> bool:
    """Whether every racer of the line-up has run on this landscape since the server started."""
    needed = {(racer.rule, bool(setup.gradient_noise)) for racer in setup.racers}
    return needed <= raced.get(code_of(setup.chosen_landscape.loss), set())


def at_start(setup: RaceSetup) -> dict[str, Trace]:
    """The line-up before its first step."""
    never, zero = np.array([-1]), np.zeros(1, np.float32)
    positions = np.array([[setup.start]], np.float32)
    losses = np.array([[loss_at(setup.chosen_landscape, setup.start)]], np.float32)
    start = Trace(np.array([0]), positions, losses, never, never, never, losses[:, 0], zero)
    return dict.fromkeys(names_in(setup), start)


def judged(setup: RaceSetup, traces: Mapping[str, Trace]) -> dict[str, list[Verdict]]:
    """How each run of a race ended; the notebook's own has no noise."""
    landscape, noisy = setup.chosen_landscape, bool(setup.gradient_noise)
    replay = {REPLAYS[setup.replay].name} & traces.keys() if setup.replaying and noisy else set()
    found: dict[str, list[Verdict]] = {}
    for some, its_noise in ((traces.keys() - replay, noisy), (replay, False)):
        those = {name: trace for name, trace in traces.items() if name in some}
        if those:
            found |= verdicts(landscape.loss, those, landscape.minima, gradient_noise=its_noise)
    return {name: found[name] for name in traces}


def facts(setup: RaceSetup, traces: Mapping[str, Trace], yours: Yours = NOTHING) -> Facts:
    """What the outcome of a question about the race is computed from."""
    found = judged(setup, traces)
    return Facts(
        runs={name: traces[name].run(0) for name in setup.runners},
        yours=yours.runs(traces),
        verdicts={name: of_runs[0] for name, of_runs in found.items()},
        frame=box(setup.chosen_landscape, setup.view),
    )
