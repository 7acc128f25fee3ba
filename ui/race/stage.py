"""The picture of the race."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine import Trace
from engine.endings import verdict_if_lost
from ui.draw.figures import LEAST, LIFT, loss_axes, loss_range
from ui.draw.landscapes import box, ground, height, loss_span
from ui.draw.palette import Style
from ui.draw.results import said_ends
from ui.draw.stage import stage
from ui.race.controls import CONTROLS
from ui.setup.pages import RaceSetup


def show_stage(
    setup: RaceSetup, traces: Mapping[str, Trace], looks: Mapping[str, Style], theme: str, log: bool
) -> None:
    landscape = setup.chosen_landscape
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
