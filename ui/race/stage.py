"""The picture of the race."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine import Optimizer, Trace
from engine.endings import verdict_if_lost
from engine.race import Run
from ui.ask.asking import Asking
from ui.draw.apart import Apart
from ui.draw.curves import chosen_curve, explain_curve
from ui.draw.field import map_caption
from ui.draw.figures import LIFT
from ui.draw.landscapes import box, height, landscape_figures, loss_span
from ui.draw.losses import LossPlot
from ui.draw.palette import Style
from ui.draw.results import describe_ends
from ui.draw.stage.stage import Readout, Stage, Track, View
from ui.draw.turn_menu import at_pause
from ui.draw.yours import NOTHING, Yours, show_blind_map
from ui.race.controls import CONTROLS
from ui.setup.layout import stage_layout
from ui.setup.pages import RaceSetup
from ui.setup.racers import names_in

NUMBERS = (Readout("x", "x", 3), Readout("y", "y", 3), Readout("loss", "loss", 4))


def show_stage(
    setup: RaceSetup,
    asking: Asking,
    traces: Mapping[str, Trace],
    styles: Mapping[str, Style],
    log: bool,
    yours: Yours = NOTHING,
    waits: bool = False,
) -> None:
    """The surface, the map and the loss, with all racers on them; at their start while the page asks a question.

    ``waits``: the race is on its way, and the traces are of its start.
    """
    held, noise = asking.held or waits, setup.gradient_noise
    landscape, layout = setup.chosen_landscape, stage_layout(CONTROLS, setup)
    if asking.blind:
        return show_blind_map(asking, landscape.loss, setup.start, box(landscape, setup.view), layout)
    traces = asking.start_of(traces)
    steps = next(iter(traces.values())).steps
    floor = landscape.floor if log and landscape.floor is not None else 0.0
    lowest, highest = loss_span(landscape, setup.view)
    frame = box(landscape, setup.view)
    runs = {name: trace.run(0) for name, trace in traces.items()}
    losses = LossPlot.of(
        {name: run.losses - np.float32(floor) for name, run in runs.items()}, (lowest - floor, highest - floor), log
    )
    racing = {**dict(zip(names_in(setup), setup.racers, strict=True)), **yours.racers}
    curve = None if held else chosen_curve(setup, landscape.loss, runs, racing, "xy", log=log, frame=frame, noise=noise)
    # what is drawn at its own loss is not sent twice
    lifted, plotted = "height" if landscape.decades else "loss", "shown" if log else "loss"

    def track(name: str, run: Run) -> Track:
        values = {"x": run.positions[:, 0], "y": run.positions[:, 1], lifted: height(landscape, run.losses)}
        values |= curve.values(name) if curve else {plotted: losses.curves[name]}
        return Track.of(name, styles[name], run, verdict_if_lost(run), {**values, "loss": run.losses})

    racers = ", ".join(traces)
    where = f" of {setup.landscape_name}" if setup.landscape_name else ""
    Stage(
        figures=landscape_figures(landscape, setup.view, setup.field),
        views=[
            View(
                name="surface",
                caption=setup.landscape_name,
                says=f"The loss surface{where} with the paths of {racers}.",
                path=("x", "y", lifted),
                lift=LIFT,
            ),
            View(
                name="map",
                caption=asking.on_map(map_caption(setup)),
                says=f"The same surface from above, as a map with iso-lines. Racers: {racers}.",
                path=("x", "y"),
                frame=frame,
                click="start",
                start=True,
                marks=asking.marks,
            ),
            curve.view(int(steps[-1]), styles)
            if curve
            else losses.view(f"The loss at every step. {describe_ends(traces)}", setup.steps, quantity=plotted),
        ],
        tracks=[track(name, run) for name, run in runs.items()],
        steps=steps,
        numbers=[*NUMBERS, *([curve.readout] if curve else [])],
        apart=None if held else setup.apart and take_apart(setup, traces, racing),
        held=setup.steps if held else None,
        waits=waits,
    ).show(
        **asking.layout(layout, "map"),
        on_start=asking.on_click(CONTROLS.take_start),
        on_at=None if held else at_pause(CONTROLS, steps),
        on_seen=asking.on_seen,
    )
    if curve:
        explain_curve(setup, "xy", curve.limits, noise=bool(noise))


def take_apart(setup: RaceSetup, traces: Mapping[str, Trace], racers: Mapping[str, Optimizer]) -> dict:
    """The steps of the racers, without a path that none of them took: of the notebook's replay, or the visitor's."""
    runs = {name: traces[name].run(0) for name in racers}
    loss, noise = setup.chosen_landscape.loss, setup.gradient_noise
    return Apart(loss, racers, runs, {"x": "x", "y": "y"}, noise=noise).message()
