"""A race on the page: the stage, the leaderboard, the downloads and the cards, from a set-up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import streamlit as st

from engine import Trace, race
from engine.endings import verdict_if_lost
from engine.notebook import REPLAYS
from ui.figures import LEAST, LIFT, box, ground, height, loss_axes, loss_range, loss_span
from ui.frame import FORMULAS
from ui.palette import REPLAY, Style, styles
from ui.race.controls import CONTROLS
from ui.results import said_ends
from ui.setups import NO_REPLAY, REPLAY_GROUND, RaceSetup, names
from ui.stage import stage


def run(setup: RaceSetup) -> tuple[dict[str, Trace], dict[str, Style]]:
    """Race the line-up, and put the notebook's replay beside it where one is asked for."""
    racers = dict(zip(names(setup.racers), setup.racers, strict=True))
    looks = dict(zip(racers, styles(setup.racers), strict=True))
    traces = race(setup.ground.loss, racers, [setup.start], setup.steps, minima=setup.ground.minima)
    if replaying(setup):
        replay = REPLAYS[setup.replay]
        traces = {**traces, replay.name: on_same_steps(replay.run(), traces)}
        looks[replay.name] = REPLAY
    return traces, looks


def replaying(setup: RaceSetup) -> bool:
    return setup.replay != NO_REPLAY and setup.landscape == REPLAY_GROUND


def on_same_steps(replay: Trace, traces: Mapping[str, Trace]) -> Trace:
    """A replay at the steps that the race beside it recorded; it stands still after its own end."""
    steps = next(iter(traces.values())).steps
    at = np.minimum(steps, replay.steps[-1])
    return replace(replay, steps=steps, positions=replay.positions[:, at], losses=replay.losses[:, at])


def show_landscape(setup: RaceSetup) -> None:
    landscape = setup.ground
    words, formula = st.container(key=FORMULAS).columns(2, vertical_alignment="center")
    words.markdown(f"**{setup.landscape}.** {landscape.about} :small[:gray[{landscape.source}.]]")
    formula.markdown(f"${landscape.formula}$")


def show_stage(
    setup: RaceSetup, traces: Mapping[str, Trace], looks: Mapping[str, Style], theme: str, log: bool
) -> None:
    landscape = setup.ground
    steps = next(iter(traces.values())).steps
    floor = landscape.floor if log and landscape.floor is not None else 0.0
    shown = {name: trace.losses[0] - np.float32(floor) for name, trace in traces.items()}
    if log:  # a logarithmic axis has no place for 0: who is there stays at its lower edge
        shown = {name: np.maximum(losses, LEAST) for name, losses in shown.items()}
    lowest, highest = loss_span(setup.landscape, setup.view)
    low, high = loss_range(list(shown.values()), (lowest - floor, highest - floor), log)
    # what is drawn at its own loss is not sent twice
    lifted, plotted = "height" if landscape.decades else "loss", "shown" if log else "loss"
    tracks = [
        stage.Track.of(
            name,
            looks[name],
            run,
            verdict_if_lost(run),
            {
                "x": run.positions[:, 0],
                "y": run.positions[:, 1],
                lifted: height(landscape, run.losses),
                plotted: shown[name],
                "loss": run.losses,
            },
        )
        for name, run in ((name, trace.run(0)) for name, trace in traces.items())
    ]
    runners = ", ".join(traces)
    stage.show(
        ground(setup.landscape, setup.view, theme),
        [
            stage.View(
                name="surface",
                caption=setup.landscape,
                says=f"The loss surface of {setup.landscape} with the paths of {runners}.",
                path=("x", "y", lifted),
                lift=LIFT,
            ),
            stage.View(
                name="map",
                caption="click to move the start",
                says=f"The same surface from above, as a map with iso-lines. Racers: {runners}.",
                path=("x", "y"),
                frame=box(landscape, setup.view),
                click="start",
                start=True,
            ),
            stage.View(
                name="loss",
                caption="",
                says=f"The loss at every step. At the end: {said_ends(traces)}.",
                path=("step", plotted),
                figure=loss_axes(int(steps[-1]), low, high, log, theme),
                low=True,
            ),
        ],
        tracks,
        steps,
        [stage.Number("x", "x", 3), stage.Number("y", "y", 3), stage.Number("loss", "loss", 4)],
        theme=theme,
        key=CONTROLS.key("stage"),
        scene=CONTROLS.memory.scene,
        on_start=CONTROLS.take_start,
    )
