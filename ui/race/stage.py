"""The picture of the race."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from engine import Optimizer, Trace
from engine.endings import verdict_if_lost
from engine.race import Run
from ui.ask.asking import Asking
from ui.draw.apart import Apart
from ui.draw.curves import chosen_curve, explain_curve
from ui.draw.evaluations import QUANTITY, Evaluations
from ui.draw.field import map_caption
from ui.draw.figures import LIFT
from ui.draw.landscapes import box, height, landscape_figures, loss_span
from ui.draw.losses import LossPlot
from ui.draw.palette import Style
from ui.draw.results import describe_ends
from ui.draw.stage.stage import Readout, Stage, Track, View
from ui.draw.trials import ABOUT as ABOUT_TRIALS
from ui.draw.trials import QUANTITIES as TRIALS
from ui.draw.trials import trial_values
from ui.draw.turn_menu import at_pause
from ui.draw.yours import NOTHING, Yours, show_blind_map
from ui.race.controls import CONTROLS
from ui.setup.curves import EVALUATIONS
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
    counted: Evaluations | None = None,
    waits: bool = False,
) -> None:
    """The surface, the map and the loss, with all racers on them; at their start while the page asks a question.

    ``counted``: what the curves are drawn over in the place of the steps.
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
    axis = {"index": QUANTITY, "across": QUANTITY} if counted else {}
    last = max(1, *counted.ends.values()) if counted else setup.steps  # where none can begin, nothing is evaluated
    # what is drawn at its own loss is not sent twice
    lifted, plotted = "height" if landscape.decades else "loss", "shown" if log else "loss"

    def track(name: str, run: Run) -> Track:
        values = {"x": run.positions[:, 0], "y": run.positions[:, 1], lifted: height(landscape, run.losses)}
        values |= curve.values(name) if curve else {plotted: losses.curves[name]}
        values |= counted.values(name) if counted else {}
        if not (held or setup.hides_knobs):
            values |= trial_values(landscape.loss, racing.get(name), run, noise)
        return Track.of(name, styles[name], run, verdict_if_lost(run), {**values, "loss": run.losses})

    tracks = [track(name, run) for name, run in runs.items()]
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
                trials=TRIALS,
                frame=frame,
                click="start",
                start=True,
                marks=asking.marks,
            ),
            curve.view(last, styles, **axis)
            if curve
            else losses.view(f"The loss at every step. {describe_ends(traces)}", last, quantity=plotted, **axis),
        ],
        tracks=tracks,
        steps=steps,
        numbers=[*NUMBERS, *(shown.readout for shown in (curve, counted) if shown)],
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
    if counted:
        counted.explain()
    if any(TRIALS[0] in one.values for one in tracks) and "map" not in layout["without"]:
        st.caption(ABOUT_TRIALS)


def evaluated(setup: RaceSetup, traces: Mapping[str, Trace], yours: Yours) -> Evaluations | None:
    """What the runs have evaluated, where curves are drawn over that."""
    if setup.show != "race" or setup.over != EVALUATIONS:
        return None
    racing = {**dict(zip(names_in(setup), setup.racers, strict=True)), **yours.racers}
    runs = {name: trace.run(0) for name, trace in traces.items()}
    return Evaluations.of(setup.chosen_landscape.loss, runs, racing, setup.gradient_noise)


def take_apart(setup: RaceSetup, traces: Mapping[str, Trace], racers: Mapping[str, Optimizer]) -> dict:
    """The steps of the racers, without a path that none of them took: of the notebook's replay, or the visitor's."""
    runs = {name: traces[name].run(0) for name in racers}
    loss, noise = setup.chosen_landscape.loss, setup.gradient_noise
    return Apart(loss, racers, runs, {"x": "x", "y": "y"}, noise=noise).message()
