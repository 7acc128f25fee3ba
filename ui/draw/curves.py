"""What is drawn over the steps in the place of the loss where it is asked for: slopes, steps, rates, curvature."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import jax
import numpy as np
import plotly.graph_objects as go
import streamlit as st

from engine import Optimizer
from engine.annotations import Arrays
from engine.noise import NO_NOISE, GradientNoise
from engine.quantities import effective_rates, gradient_norms, sharpness, step_lengths
from engine.race import Run
from engine.steps import with_moves
from ui.draw.figures import Axis, plane, round_range
from ui.draw.palette import Style
from ui.draw.stage.stage import Readout, View
from ui.setup.controls import Controls
from ui.setup.curves import AXES, CURVES, GRADIENT, LOSS, RATE, RATE2, SHARPNESS, STEP, RunSetup
from ui.setup.pages import LOSS_AXES

USUAL = 0.01, 0.99  # the share of all values below the frame, and up to its top: a few leave it
MAX_DECADES = 9  # of a logarithmic frame
MAX_ABOVE = {False: 10.0, True: 1e3}  # a limit so many times as high as all curves is not in the frame; by log
Loss = Callable[..., jax.Array]


@dataclass(frozen=True)
class Quantity:
    """One quantity that has a value at each step. In its texts {} stands for a coordinate."""

    name: str  # in the list
    axis: str
    column: str
    about: str  # a sentence or two
    of: Callable[[Loss, Run, Arrays], np.ndarray]  # (recorded,)


def rate_of(coordinate: int) -> Callable[[Loss, Run, Arrays], np.ndarray]:
    """The effective learning rate of one coordinate."""
    return lambda loss, run, data: effective_rates(run)[:, min(coordinate, run.positions.shape[1] - 1)]


RATE_ABOUT = (
    "**Effective learning rate of {}**: |Δ/g|, the step in {} over the gradient there. With plain SGD it is α in every "
    "step and every coordinate; adaptive methods give each coordinate its own. It has no value where the gradient is 0."
)
QUANTITIES: Mapping[str, Quantity] = {
    GRADIENT: Quantity(
        "gradient norm",
        "gradient norm",
        "‖g‖",
        "**Gradient norm** ‖g‖: how steep the loss is where each optimizer is. It is 0 at a minimum, but also at a "
        "saddle point.",
        lambda loss, run, data: gradient_norms(run),
    ),
    STEP: Quantity(
        "step length",
        "step length",
        "‖Δ‖",
        "**Step length** ‖Δ‖: how far the step goes that each optimizer takes next.",
        lambda loss, run, data: step_lengths(run),
    ),
    RATE: Quantity("effective rate, {}", "effective learning rate, {}", "|Δ/g| {}", RATE_ABOUT, rate_of(0)),
    RATE2: Quantity("effective rate, {}", "effective learning rate, {}", "|Δ/g| {}", RATE_ABOUT, rate_of(1)),
    SHARPNESS: Quantity(
        "sharpness",
        "sharpness",
        "λ max",
        "**Sharpness**: the largest eigenvalue of the Hessian, which is the curvature along the most curved direction. "
        "Where it stays over 2/α, plain gradient descent with the learning rate α overshoots further in every step.",
        lambda loss, run, data: sharpness(loss, run.positions, data),
    ),
}


def coordinate_of(curve: str, coordinates: Sequence[str]) -> str:
    """The coordinate that a quantity is of: the last one where there are not as many."""
    return coordinates[min(int(curve == RATE2), len(coordinates) - 1)]


@dataclass(frozen=True)
class CurvePlot:
    """A quantity of every racer over the steps, and the axes that it is drawn on."""

    quantity: Quantity
    coordinate: str
    curves: Mapping[str, np.ndarray]  # (recorded,) by racer; NaN where there is nothing to draw
    limits: Mapping[str, float]  # 2/α by racer, where the sharpness is drawn
    low: float
    high: float
    log: bool

    @classmethod
    def of(
        cls,
        setup: RunSetup,
        loss: Loss,
        runs: Mapping[str, Run],
        racers: Mapping[str, Optimizer],
        coordinates: Sequence[str],
        *,
        log: bool,
        data: Arrays = (),
        batch_size: int | None = None,
        seed: int = 0,
        frame: Sequence[tuple[float, float]] = (),
        noise: GradientNoise = NO_NOISE,
    ) -> Self:
        """The quantity that is chosen. What is measured outside the ``frame`` of the map may leave this one too.

        The moves are found along the runs that are shown: another program, that records them, may round differently.
        """
        quantity = QUANTITIES[setup.curve]
        if setup.needs_moves:
            moved = partial(with_moves, loss, data=data, batch_size=batch_size, seed=seed, noise=noise)
            of_racers = {name: moved(racer, runs[name]) for name, racer in racers.items()}
            runs = {**runs, **of_racers}
        curves = {name: quantity.of(loss, run, data) for name, run in runs.items()}
        limits = {}
        if setup.curve == SHARPNESS and not setup.hides_knobs:
            found = {name: racer.curvature_limit() for name, racer in racers.items()}
            limits = {name: limit for name, limit in found.items() if limit is not None}
        seen = [np.where(inside(runs[name], frame), curve, np.nan) for name, curve in curves.items()]
        low, high = curve_range(seen, log, list(limits.values()))
        return cls(quantity, coordinate_of(setup.curve, coordinates), curves, limits, low, high, log)

    def values(self, name: str) -> dict[str, np.ndarray]:
        """What a racer's track is sent with: the curve, and where it is drawn if that is another place."""
        curve = self.curves[name]
        if not self.log:
            return {"curve": curve}
        # a logarithmic axis has no place for 0: below the frame, where the marker is seen to be off it
        return {"curve": curve, "drawn": np.where(np.isnan(curve), curve, np.maximum(curve, self.low / 1e3))}

    @property
    def readout(self) -> Readout:
        """The column of the table under the views."""
        return Readout("curve", self.quantity.column.format(self.coordinate), 3)

    def view(
        self, last_step: int, racer_styles: Mapping[str, Style], index: str = "step", across: str = "step"
    ) -> View:
        """The view in the place of the loss, over a quantity ``across`` it."""
        title = self.quantity.axis.format(self.coordinate)
        y = Axis(f"{title} (log)" if self.log else title, self.low, self.high, self.log)
        figure = plane(Axis(index, 0, last_step), y, revision=f"{title} {self.log} {last_step}", left=66)
        for name, limit in self.limits.items():
            if self.low <= limit <= self.high:
                add_limit(figure, name, limit, racer_styles[name].variable, last_step, self.log)
        return View(
            name=LOSS,
            caption="",
            says=f"The {title} at every {index}, as a curve for each of {', '.join(self.curves)}.",
            path=(across, "drawn" if self.log else "curve"),
            figure=figure.to_json(),
            low=True,
        )


def add_limit(figure: go.Figure, name: str, limit: float, color: str, last_step: int, log: bool) -> None:
    """A dashed line at a racer's 2/α, in its colour and with its name."""
    figure.add_trace(
        go.Scatter(
            x=[0, last_step],
            y=[limit, limit],
            mode="lines",
            line={"color": color, "width": 1.5, "dash": "dash"},
            hovertemplate=f"{name}: 2/α = {limit:.4g}<extra></extra>",
        )
    )
    figure.add_annotation(
        {
            "text": f"2/α {name}" if name != "SGD" else "2/α",
            "x": last_step,
            "y": math.log10(limit) if log else limit,
            "xanchor": "right",
            "yanchor": "bottom",
            "showarrow": False,
            "font": {"color": color, "size": 12},
        }
    )


def chosen_curve(setup: RunSetup, *args: Any, **options: Any) -> CurvePlot | None:
    """The quantity that stands in the place of the loss, as ``CurvePlot.of``; None where it is the loss itself."""
    return None if setup.curve == LOSS else CurvePlot.of(setup, *args, **options)


def inside(run: Run, frame: Sequence[tuple[float, float]]) -> np.ndarray:
    """Whether each recorded position is in a frame; the start always is."""
    there = np.ones(len(run.positions), bool)
    for along, (low, high) in zip(run.positions.T, frame, strict=False):
        there &= (along >= low) & (along <= high)
    there[0] = True
    return there


def curve_range(curves: Sequence[np.ndarray], log: bool, limits: Sequence[float] = ()) -> tuple[float, float]:
    """The lowest and highest value to frame: what nearly all of the curves reach, their first ones, and near limits."""
    values = np.concatenate(curves).astype(float)
    values = values[np.isfinite(values) & ((values > 0) | (not log))]
    if not values.size:
        return (1e-3, 1.0) if log else (0.0, 1.0)
    firsts = [float(curve[0]) for curve in curves if curve[0] in values]
    low, high = (float(some) for some in np.quantile(values, USUAL))
    low, high = min([low, *firsts]), max([high, *firsts])
    near = [limit for limit in limits if 0 < limit <= MAX_ABOVE[log] * max(high, 0)]
    high = max([high, *near])
    # on a logarithmic axis a little below, so that what is level does not lie on the edge
    return round_range(max(low / 1.2, high * 10.0**-MAX_DECADES) if log else min(low, 0.0), high, log)


# ---- above and below the stage


def curve_controls(
    controls: Controls[Any], setup: RunSetup, coordinates: Sequence[str], no_axis: str | None = None, over: bool = False
) -> None:
    """Draw the list of what stands over the steps, and the choice of its axis. ``no_axis`` says why there is none.

    ``over``: whether there is another axis than the steps.
    """
    names = {LOSS: "loss", **{curve: quantity.name for curve, quantity in QUANTITIES.items()}}
    with st.container(horizontal=True, width="content", vertical_alignment="center"):
        controls.draw(
            "curve",
            st.selectbox,
            "Curve",
            curves_of(setup, coordinates),
            format_func=lambda curve: names[curve].format(coordinate_of(curve, coordinates)),
            label_visibility="collapsed",
            width=180,
        )
        if over:
            controls.draw(
                "over",
                st.selectbox,
                "Over",
                AXES,
                format_func=lambda axis: f"over {axis}",
                label_visibility="collapsed",
                width=160,
            )
        choose_axis(controls, no_axis)


def curves_of(setup: RunSetup, coordinates: Sequence[str]) -> list[str]:
    """What can stand over the steps: the rates of as many coordinates as there are, and none where they are hidden."""
    hidden = {RATE, RATE2} if setup.hides_knobs else {RATE2} if len(coordinates) < 2 else set()
    return [curve for curve in CURVES if curve not in hidden or curve == setup.curve]


def choose_axis(controls: Controls[Any], no_axis: str | None = None) -> None:
    """Draw the choice of the axis: "loss" is the setting of whatever stands over the steps."""
    controls.draw(
        "loss",
        st.segmented_control,
        "Axis of the curve",
        LOSS_AXES,
        required=True,
        disabled=no_axis is not None,
        label_visibility="collapsed",
        help=no_axis,
    )


def explain_curve(
    setup: RunSetup,
    coordinates: Sequence[str],
    limits: Mapping[str, float],
    batches: bool = False,
    noise: bool = False,
) -> None:
    """Say below the stage what the chosen quantity is."""
    if setup.curve == LOSS:
        return
    words = [QUANTITIES[setup.curve].about.replace("{}", coordinate_of(setup.curve, coordinates))]
    if limits:
        each = ", ".join(f"{limit:.4g} for {name}" for name, limit in limits.items())
        words.append(f"Dashed: 2/α, less any weight decay: {each}.")
    if batches:
        of_batch = "The gradient is that of the mini-batch which the step follows."
        words.append("It is the curvature on all examples." if setup.curve == SHARPNESS else of_batch)
    if noise and setup.curve in (GRADIENT, RATE, RATE2):
        words.append("The gradient is the noisy one, which the step follows.")
    st.caption(" ".join(words))
