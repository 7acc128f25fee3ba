"""The part about the mean squared error of a line through 0: the parabola over θ, and its slope in three ways."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from engine import problems, slopes
from ui.draw.figures import Axis, plane
from ui.draw.palette import STYLES, VARIABLES
from ui.draw.stage.stage import Index, Readout, Stage, Track, View
from ui.draw.tables import download_csv
from ui.gradients.controls import (
    CONTROLS,
    first_line,
    next_line,
    take_theta,
    take_theta_click,
)
from ui.gradients.functions import show_formulas, show_table, with_margins
from ui.numbers import format_fixed
from ui.setup.layout import stage_layout
from ui.setup.pages import DERIVATION_LINES, THETAS, GradientsSetup

LINE = STYLES[0]
TRUE_SLOPE = 4.0  # the notebook's data: y = 4x

NAIVE = r"\text{MSE} = \frac{1}{n} \sum_{i=1}^{n} \left(y_i - \hat{y}_i\right)^2"
WITH_THETA = r"\text{MSE}(\theta) = \frac{1}{n} \sum_{i=1}^{n} \left(y_i - \theta x_i\right)^2"
DERIVATION = (
    (
        r"\phantom{D_\theta} " + NAIVE,
        r"The loss: the mean of all squared differences between the true $y_i$ and the predicted $\hat{y}_i$.",
    ),
    (
        r"\phantom{D_\theta \text{MSE}} = \frac{1}{n} \sum_{i=1}^{n} \left(y_i - \theta x_i\right)^2",
        r"Our model predicts $\hat{y}_i = \theta x_i$.",
    ),
    (
        r"D_\theta \text{MSE} = \frac{1}{n} \sum_{i=1}^{n} D_\theta \left(y_i - \theta x_i\right)^2",
        r"Its slope in $\theta$. The slope of a sum is the sum of the slopes.",
    ),
    (
        r"\phantom{D_\theta \text{MSE}} = \frac{1}{n} \sum_{i=1}^{n} 2 \left(y_i - \theta x_i\right) (-x_i)",
        r"The chain rule: the slope of the square, times the slope of what is in it, which is $-x_i$.",
    ),
    (
        r"\phantom{D_\theta \text{MSE}} = -\frac{2}{n} \sum_{i=1}^{n} \left(y_i - \theta x_i\right) x_i",
        r"$-2$ is the same in every term, so it moves to the front. This is what the code by hand computes.",
    ),
)
assert len(DERIVATION) == DERIVATION_LINES

CODE = (
    "The slope is computed three times: by the formula worked out by hand, by `jax.grad`, and from the loss at "
    f"$\\theta - {slopes.THETA_STEP:g}$ and $\\theta + {slopes.THETA_STEP:g}$.",
    (slopes.loss_slopes, problems.mean_squared_error, problems.mean_squared_error_by_hand),
)


@cache
def losses() -> pd.DataFrame:
    """The loss and its slope, in three ways, at every θ of the slider."""
    x = problems.notebook_grid()
    found = slopes.loss_slopes(np.array(THETAS), x, TRUE_SLOPE * x)
    columns = ("loss", "by hand", "jax.grad", "finite difference")
    return pd.DataFrame({"θ": THETAS, **dict(zip(columns, found, strict=True))})


@cache
def loss_figures() -> Mapping[str, str]:
    """The still figures of the stage as Plotly JSON: the loss over θ, and the data."""
    colors, table, x = VARIABLES, losses(), problems.notebook_grid()
    top = float(table["loss"].max())
    parabola = go.Scatter(
        x=table["θ"],
        y=table["loss"],
        mode="lines",
        line={"color": colors.ink, "width": 2},
        hovertemplate="θ %{x:.1f}<br>loss %{y:.4g}<extra></extra>",
    )
    lowest = go.Scatter(
        x=[TRUE_SLOPE],
        y=[0],
        mode="markers+text",
        text=["minimum, θ = 4"],
        textposition="bottom center",
        textfont={"color": colors.goal, "size": 13},
        marker={"symbol": "x-thin", "size": 11, "line": {"width": 2.5, "color": colors.goal}},
        hovertemplate="minimum<extra></extra>",
    )
    data = go.Scatter(
        x=x,
        y=TRUE_SLOPE * x,
        mode="markers",
        marker={"size": 4, "color": colors.ink},
        hovertemplate="x %{x:.1f}<br>y %{y:.1f}<extra></extra>",
    )
    figures = {
        "loss": plane(Axis("θ", THETAS[0], THETAS[-1]), Axis("loss", -0.14 * top, 1.02 * top), [parabola, lowest]),
        "fit": plane(Axis("x", 0, 10), Axis("y", -25, 105), [data]),
    }
    return {name: with_margins(figure).to_json() for name, figure in figures.items()}


def show_loss(setup: GradientsSetup) -> None:
    """The stage with the parabola and the line, and below it the slope, its derivation, the code and the table."""
    show_formulas(r"y_i = 4 x_i, \quad x_i = 0.0, 0.1, \dots, 9.9", WITH_THETA)
    table = losses()
    theta, slope = np.array(THETAS), table["jax.grad"].to_numpy()
    track = Track(
        "line θx",
        LINE,
        {
            "loss": table["loss"].to_numpy(),
            "slope": slope,
            "intercept": table["loss"].to_numpy() - slope * theta,
            "theta": theta,
            "zero": np.zeros(len(theta)),
        },
    )
    Stage(
        figures=loss_figures(),
        views=[
            View(
                name="loss",
                caption="the loss over θ, with its tangent · click to move θ",
                says="The loss over θ: a parabola with its minimum at θ = 4, and its tangent at the chosen θ.",
                path=("step", "loss"),
                line=("intercept", "slope"),
                click="start",
            ),
            View(
                name="fit",
                caption="the data y = 4x, and the line θx",
                says="The data along y = 4x, and the line θx of the chosen θ.",
                line=("zero", "theta"),
            ),
        ],
        tracks=[track],
        steps=theta,
        numbers=[Readout("loss", "loss", 3), Readout("slope", "slope", 3)],
        index=Index("θ", 1),
        at=THETAS.index(setup.theta),
    ).show(**stage_layout(CONTROLS, setup, "thetas", ["theta"]), on_start=take_theta_click, on_at=take_theta)
    if not CONTROLS.shows("results"):
        return
    show_three_ways(setup)
    show_derivation(setup)
    show_two_forms()
    show_losses()


def show_three_ways(setup: GradientsSetup) -> None:
    """The slope at the chosen θ: by hand, by jax.grad, and by a central difference."""
    row = losses().iloc[THETAS.index(setup.theta)]
    st.subheader(f"The slope at θ = {format_fixed(setup.theta, 1)}, in three ways", anchor=False)
    names = {
        "by hand": "by hand",
        "jax.grad": "by jax.grad",
        "finite difference": f"by a central difference, h = {slopes.THETA_STEP:g}",
    }
    for column, (name, label) in zip(st.columns(3), names.items(), strict=True):
        column.metric(label, format_fixed(row[name], 3), border=True)
    st.markdown(
        "A central difference of a parabola is exact for any h, but for rounding; a wide h keeps the rounding small. "
        + describe_direction(setup.theta)
    )


def describe_direction(theta: float) -> str:
    """Which way θ has to go for a smaller loss."""
    if theta == TRUE_SLOPE:
        return "At θ = 4 the slope is 0: this is the minimum, and the line runs through all points."
    way, sign = ("larger", "negative") if theta < TRUE_SLOPE else ("smaller", "positive")
    return f"Here the slope is {sign}, so a {way} θ makes the loss smaller."


def show_derivation(setup: GradientsSetup) -> None:
    """The derivation of the slope, as many lines of it as were asked for."""
    st.subheader("Its slope, worked out by hand", anchor=False)
    for line, words in DERIVATION[: setup.lines]:
        formula, why = st.columns([3, 2], vertical_alignment="center")
        formula.markdown(f"$\\displaystyle {line}$")
        why.markdown(words)
    done = setup.lines == len(DERIVATION)
    with st.container(horizontal=True):
        CONTROLS.draw(
            "lines",
            st.button,
            "Next line",
            key=CONTROLS.key("next"),
            on_click=next_line,
            disabled=done,
            icon=":material/arrow_downward:",
        )
        CONTROLS.draw(
            "lines",
            st.button,
            "Start over",
            key=CONTROLS.key("over"),
            on_click=first_line,
            disabled=setup.lines == 1,
            icon=":material/restart_alt:",
            type="tertiary",
        )
    if done:
        mean = float(np.mean(problems.notebook_grid().astype(float) ** 2))
        st.markdown(
            f"With $y_i = 4 x_i$ this is $-2\\,(4 - \\theta)$ times the mean of all $x_i^2$, which is {mean:.3f}. "
            f"At $\\theta$ = {format_fixed(setup.theta, 1)} that makes "
            f"{format_fixed(-2 * (TRUE_SLOPE - setup.theta) * mean, 3)}."
        )


def show_two_forms() -> None:
    """The loss as a function of predictions, and as one of θ, which can be differentiated by θ."""
    st.subheader("Two ways to write the loss", anchor=False)
    forms: tuple[tuple[str, str, Callable], ...] = (
        (
            NAIVE,
            r"As one would first write it. There is no $\theta$ in it, so there is nothing to differentiate by.",
            problems.mean_squared_error_naive,
        ),
        (
            WITH_THETA,
            r"As a function of $\theta$. Now `jax.grad` can say how the loss changes with $\theta$.",
            problems.mean_squared_error,
        ),
    )
    for column, (formula, words, code) in zip(st.columns(2), forms, strict=True):
        column.markdown(words)
        column.latex(formula)
        column.code(inspect.getsource(code), language="python", wrap_lines=True)


def show_losses() -> None:
    """The table of the loss and its slope, and a download of it."""
    st.subheader("The loss and its slope at every θ", anchor=False)
    show_table(losses(), [1, 3, 3, 3, 3])
    download_csv("All rows as CSV", "loss.csv", losses)
