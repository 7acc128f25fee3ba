"""The picture of the race."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine import Trace
from engine.endings import verdict_if_lost
from ui.ask.asking import Asking
from ui.draw.figures import LIFT
from ui.draw.landscapes import box, height, landscape_figures, loss_span
from ui.draw.losses import LossPlot
from ui.draw.palette import Style
from ui.draw.results import describe_ends
from ui.draw.stage.stage import Readout, Stage, Track, View
from ui.race.controls import CONTROLS
from ui.setup.layout import stage_layout
from ui.setup.pages import RaceSetup

NUMBERS = (Readout("x", "x", 3), Readout("y", "y", 3), Readout("loss", "loss", 4))


def show_stage(
    setup: RaceSetup, asking: Asking, traces: Mapping[str, Trace], styles: Mapping[str, Style], log: bool
) -> None:
    """The surface, the map and the loss, with all racers on them; at their start while the page asks a question."""
    traces = asking.start_of(traces)
    landscape = setup.chosen_landscape
    steps = next(iter(traces.values())).steps
    floor = landscape.floor if log and landscape.floor is not None else 0.0
    lowest, highest = loss_span(setup.landscape, setup.view)
    losses = LossPlot.of(
        {name: trace.losses[0] - np.float32(floor) for name, trace in traces.items()},
        (lowest - floor, highest - floor),
        log,
    )
    # what is drawn at its own loss is not sent twice
    lifted, plotted = "height" if landscape.decades else "loss", "shown" if log else "loss"

    def track(name: str, trace: Trace) -> Track:
        run = trace.run(0)
        values = {
            "x": run.positions[:, 0],
            "y": run.positions[:, 1],
            lifted: height(landscape, run.losses),
            plotted: losses.curves[name],
            "loss": run.losses,
        }
        return Track.of(name, styles[name], run, verdict_if_lost(run), values)

    racers = ", ".join(traces)
    Stage(
        figures=landscape_figures(setup.landscape, setup.view),
        views=[
            View(
                name="surface",
                caption=setup.landscape,
                says=f"The loss surface of {setup.landscape} with the paths of {racers}.",
                path=("x", "y", lifted),
                lift=LIFT,
            ),
            View(
                name="map",
                caption=asking.on_map("click to move the start"),
                says=f"The same surface from above, as a map with iso-lines. Racers: {racers}.",
                path=("x", "y"),
                frame=box(landscape, setup.view),
                click="start",
                start=True,
                marks=asking.marks,
            ),
            losses.view(f"The loss at every step. {describe_ends(traces)}", setup.steps, quantity=plotted),
        ],
        tracks=[track(name, trace) for name, trace in traces.items()],
        steps=steps,
        numbers=NUMBERS,
        held=setup.steps if asking.held else None,
    ).show(
        **asking.layout(stage_layout(CONTROLS, setup), "map"),
        on_start=asking.on_click(CONTROLS.take_start),
        on_seen=asking.on_seen,
    )
