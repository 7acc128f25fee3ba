"""A race of a set-up, and the notebook's replay beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import jax
import numpy as np

from engine import Trace, race
from engine.endings import verdicts
from engine.notebook import REPLAYS
from engine.quantities import moves_between
from ui.draw.landscapes import box
from ui.draw.palette import REPLAY, Style
from ui.draw.styles import styles
from ui.setup.pages import RaceSetup
from ui.setup.questions.question import Facts
from ui.setup.racers import racer_names


def run(setup: RaceSetup) -> tuple[dict[str, Trace], dict[str, Style]]:
    """Race the line-up, and put the notebook's replay beside it where one is asked for."""
    racers = dict(zip(racer_names(setup.racers), setup.racers, strict=True))
    racer_styles = dict(zip(racers, styles(setup.racers), strict=True))
    landscape = setup.chosen_landscape
    traces = race(landscape.loss, racers, [setup.start], setup.steps, minima=landscape.minima)
    if setup.replaying:
        replay = REPLAYS[setup.replay]
        trace = replay.run()
        if setup.needs_moves:  # of a path without a rule
            moves = moves_between(landscape.loss, trace.positions[0])
            trace = replace(trace, moves=jax.tree.map(lambda part: part[None], moves))
        traces = {**traces, replay.name: on_same_steps(trace, traces)}
        racer_styles[replay.name] = REPLAY
    return traces, racer_styles


def facts(setup: RaceSetup, traces: Mapping[str, Trace]) -> Facts:
    """What the outcome of a question about the race is computed from."""
    landscape = setup.chosen_landscape
    found = verdicts(landscape.loss, traces, landscape.minima)
    return Facts(
        runs={name: trace.run(0) for name, trace in traces.items()},
        verdicts={name: of_runs[0] for name, of_runs in found.items()},
        frame=box(landscape, setup.view),
    )


def on_same_steps(replay: Trace, traces: Mapping[str, Trace]) -> Trace:
    """A replay at the steps that the race beside it recorded; it stands still after its own end."""
    steps = next(iter(traces.values())).steps
    at = np.minimum(steps, replay.steps[-1])
    kept = jax.tree.map(lambda part: part[:, at], (replay.positions, replay.losses, replay.moves))
    return replace(replay, steps=steps, **dict(zip(("positions", "losses", "moves"), kept, strict=True)))
