"""The picture of 2D Regression."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine import Optimizer, Trace
from engine.problems import mean_squared_error
from ui.ask.asking import Asking
from ui.draw.apart import Apart
from ui.draw.curves import chosen_curve, explain_curve
from ui.draw.field import map_caption
from ui.draw.figures import LIFT, MIN_LOSS
from ui.draw.losses import LossPlot
from ui.draw.results import describe_ends
from ui.draw.stage.stage import Index, Readout, Sheet, Stage, Track, View
from ui.draw.turn_menu import at_pause
from ui.draw.yours import NOTHING, Yours, show_blind_map
from ui.regression.controls import CONTROLS
from ui.regression.figures import THETA1, THETA2, losses_on_map, net, still_figures
from ui.regression.run import THETAS, Result
from ui.setup.layout import stage_layout
from ui.setup.pages import RegressionSetup


def show_stage(setup: RegressionSetup, asking: Asking, result: Result, yours: Yours = NOTHING) -> None:
    """The bowl, the map and the loss, with all racers on them."""
    frame, layout = ((THETA1.low, THETA1.high), (THETA2.low, THETA2.high)), stage_layout(CONTROLS, setup)
    if asking.blind:
        data = result.fit.data
        return show_blind_map(asking, mean_squared_error, setup.start, frame, layout, data=data)
    log = setup.loss == "log"
    steps = next(iter(result.traces.values())).steps
    floor = np.float32(result.floor) if log else np.float32(0)
    on_map = losses_on_map(result.fit)
    # on a logarithmic axis there is room for one that flies off, too
    highest = float(on_map.max() - floor) * (1e4 if log else 1)
    losses = LossPlot.of(
        {name: trace.losses[0] - floor for name, trace in result.traces.items()},
        (float(on_map.min() - floor), highest),
        log,
        MIN_LOSS * result.fit.scale(),
    )

    runs = {name: trace.run(0) for name, trace in result.traces.items()}
    racing = {**dict(zip(setup.runners, setup.racers, strict=True)), **yours.racers}
    batches = {"batch_size": setup.batch_size, "seed": setup.seed}
    options = {"log": log, "data": result.fit.data, "frame": frame, **batches}
    curve = None if asking.held else chosen_curve(setup, mean_squared_error, runs, racing, THETAS, **options)

    def track(name: str, trace: Trace) -> Track:
        values = {"theta1": trace.positions[0, :, 0], "theta2": trace.positions[0, :, 1], "loss": trace.losses[0]}
        values |= curve.values(name) if curve else {"shown": losses.curves[name]}
        return Track.of(name, result.racer_styles[name], runs[name], result.verdicts[name][0], values)

    racers = ", ".join(result.traces)
    side, bases = net()
    Stage(
        figures=still_figures(setup.examples, setup.noise, setup.seed, setup.field),
        views=[
            View(
                name="bowl",
                caption="dots: the examples; wireframes: the predictions",
                says=f"The true surface with its examples, and the surface that each racer predicts: {racers}.",
                sheet=Sheet(("theta1", "theta2"), side, side, bases),
                lift=LIFT,
            ),
            View(
                name="map",
                caption=asking.on_map(map_caption(setup)),
                says=f"The loss over both parameters, as a map with iso-lines, and the paths of {racers}.",
                path=("theta1", "theta2"),
                frame=frame,
                click="start",
                start=True,
                marks=asking.marks,
            ),
            curve.view(int(steps[-1]), result.racer_styles, "iteration")
            if curve
            else losses.view(
                f"The loss at every iteration. {describe_ends(result.traces)}",
                int(steps[-1]) or setup.steps,
                "iteration",
            ),
        ],
        tracks=[track(name, trace) for name, trace in result.traces.items()],
        steps=steps,
        numbers=[
            Readout("theta1", "θ₁", 4),
            Readout("theta2", "θ₂", 4),
            Readout("loss", "loss", 3),
            *([curve.readout] if curve else []),
        ],
        index=Index("iteration"),
        apart=None if asking.held else setup.apart and take_apart(setup, result, racing),
        held=setup.steps if asking.held else None,
    ).show(
        **asking.layout(layout, "map"),
        on_start=asking.on_click(CONTROLS.take_start),
        on_at=None if asking.held else at_pause(CONTROLS, steps),
        on_seen=asking.on_seen,
    )
    if curve:
        explain_curve(setup, THETAS, curve.limits, batches=setup.batch_size is not None)


def take_apart(setup: RegressionSetup, result: Result, racers: Mapping[str, Optimizer]) -> dict:
    """The steps of the racers, each by the gradient of its mini-batch."""
    return Apart(
        mean_squared_error,
        racers,
        {name: result.traces[name].run(0) for name in racers},
        dict(zip(("theta1", "theta2"), THETAS, strict=True)),
        result.fit.data,
        setup.batch_size,
        setup.seed,
    ).message()
