"""The picture of 2D Regression."""

from __future__ import annotations

import numpy as np

from ui.draw.figures import LEAST, LIFT, loss_axes, loss_range
from ui.draw.results import said_ends
from ui.draw.stage import stage
from ui.regression.controls import CONTROLS
from ui.regression.figures import (
    THETA1,
    THETA2,
    grounds,
    losses_on_map,
    net,
)
from ui.regression.run import Result
from ui.setup.pages import RegressionSetup


def show_stage(setup: RegressionSetup, result: Result, theme: str) -> None:
    log = setup.loss == "log"
    steps = next(iter(result.traces.values())).steps
    floor = np.float32(result.floor) if log else np.float32(0)
    shown = {name: trace.losses[0] - floor for name, trace in result.traces.items()}
    least = LEAST * result.fit.scale()
    if log:  # a logarithmic axis has no place for 0: who is there stays at its lower edge
        shown = {name: np.maximum(losses, least) for name, losses in shown.items()}
    on_map = losses_on_map(result.fit)
    # on a logarithmic axis there is room for one that flies off, too
    highest = float(on_map.max() - floor) * (1e4 if log else 1)
    low, high = loss_range(list(shown.values()), (float(on_map.min() - floor), highest), log, least)
    tracks = [
        stage.Track.of(
            name,
            result.looks[name],
            trace.run(0),
            result.verdicts[name][0],
            {
                "theta1": trace.positions[0, :, 0],
                "theta2": trace.positions[0, :, 1],
                "loss": trace.losses[0],
                "shown": shown[name],
            },
        )
        for name, trace in result.traces.items()
    ]
    runners = ", ".join(result.traces)
    side, bases = net()
    stage.show(
        grounds(setup.examples, setup.noise, setup.seed, theme),
        [
            stage.View(
                name="bowl",
                caption="the examples, and each prediction as a net",
                says=f"The true surface with its examples, and the surface that each racer predicts: {runners}.",
                sheet=stage.Sheet(("theta1", "theta2"), side, side, bases),
                lift=LIFT,
            ),
            stage.View(
                name="map",
                caption="click to move the start",
                says=f"The loss over both parameters, as a map with iso-lines, and the paths of {runners}.",
                path=("theta1", "theta2"),
                frame=((THETA1.low, THETA1.high), (THETA2.low, THETA2.high)),
                click="start",
                start=True,
            ),
            stage.View(
                name="loss",
                caption="",
                says=f"The loss at every iteration. At the end: {said_ends(result.traces)}.",
                path=("step", "shown"),
                figure=loss_axes(int(steps[-1]), low, high, log, theme, "iteration"),
                low=True,
            ),
        ],
        tracks,
        steps,
        [stage.Number("theta1", "θ₁", 4), stage.Number("theta2", "θ₂", 4), stage.Number("loss", "loss", 3)],
        theme=theme,
        key=CONTROLS.key("stage"),
        scene=CONTROLS.memory.scene,
        index=stage.Index("iteration"),
        on_start=CONTROLS.take_start,
    )
