"""The figures of Linear Fit: the points, and the loss over the parameters."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from engine.analysis import Curvature
from engine.problems import Fit, mean_squared_error
from ui.draw.field import gradient_field
from ui.draw.figures import POINTS, Axis, iso_map, plane
from ui.draw.palette import VARIABLES
from ui.linear_fit.data import Points

MAX_DRAWN = 2000  # points; more are a blot, and slow
SIDE = 101  # points per side of the map: a quadratic is smooth
CAPTION = 28  # pixels above a figure, for the words in its corner
ROOM = 1.25  # how far the start lies from the edge of the loss, as a share of its distance to the minimum
MAX_PATH_FACTOR = 3.0  # a path that leaves the start's distance so many times over is not followed further

Range = tuple[float, float]


def drawn(points: Points) -> np.ndarray:
    """Which of the points are drawn: all, or a sample that is always the same."""
    if len(points.x) <= MAX_DRAWN:
        return np.arange(len(points.x))
    return np.sort(np.random.default_rng(0).choice(len(points.x), MAX_DRAWN, replace=False))


def padded(values: np.ndarray) -> Range:
    """The range of some values, with a margin."""
    low, high = float(np.min(values)), float(np.max(values))
    room = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return low - room, high + room


def points_figure(points: Points, best: tuple[float, float] | None = None) -> go.Figure:
    """The points, and where it may be seen the line with the least loss: its height at x = 0, and its slope."""
    colors, some = VARIABLES, drawn(points)
    x_axis, y_axis = Axis(title(points.names[0]), *padded(points.x)), Axis(title(points.names[1]), *padded(points.y))
    crowd = len(some) > 300
    dots = go.Scatter(
        x=points.x[some],
        y=points.y[some],
        mode="markers",
        marker={"size": 4 if crowd else 6, "color": colors.ink, "opacity": 0.35 if crowd else 0.6},
        hovertemplate="x %{x:.4g}<br>y %{y:.4g}<extra></extra>",
    )
    traces = [dots]
    if best:
        ends = np.array([x_axis.low, x_axis.high])
        goal = {"color": colors.goal, "width": 1.4, "dash": "dot"}
        traces.append(go.Scatter(x=ends, y=best[0] + best[1] * ends, mode="lines", line=goal, hoverinfo="skip"))
    figure = plane(x_axis, y_axis, traces, revision=f"{x_axis} {y_axis}", left=66)
    return figure.update_layout(margin_t=CAPTION)


def title(name: str) -> str:
    """A visitor's own name for an axis. Plotly reads some HTML, and formulas between dollar signs."""
    return html.escape(name.replace("$", " "), quote=False)


def extent(fit: Fit, bend: Curvature, path: np.ndarray) -> list[Range]:
    """What of each parameter is shown, with the minimum in the middle ``(dim)``. ``path`` is ``(recorded, dim)``.

    A step that is not over the limit never leads further from the minimum than the start is, along any direction of
    the curvature; so much is always shown, and of a path that leaves it a part.
    """
    minimum = fit.minimum()
    away = np.abs(bend.directions @ (path[0] - minimum))
    half = ROOM * np.abs(bend.directions).T @ away
    half = np.maximum(half, 0.5 * np.abs(minimum))
    size = float(np.sqrt(np.mean(fit.true.astype(float) ** 2))) or 1.0
    usual = size / np.sqrt(np.mean(fit.features.astype(float) ** 2, axis=0))
    half = np.maximum(half, np.where(minimum == 0, 0.5, 0.05) * usual)
    reach = float(np.max(np.abs(path - minimum) / half)) if len(path) else 1.0
    half = half * min(max(1.0, 1.05 * reach), MAX_PATH_FACTOR)
    return [(float(m - h), float(m + h)) for m, h in zip(minimum, half, strict=True)]


def valley_figure(fit: Fit, theta: Range) -> tuple[go.Figure, Range]:
    """The loss over one parameter, with its minimum; and the range of losses that is drawn."""
    colors, minimum = VARIABLES, float(fit.minimum()[0])
    where = np.linspace(*theta, POINTS)
    losses = fit.losses(where[:, None])
    floor = float(fit.losses(np.array([[minimum]]))[0])
    room = float(losses.max()) - floor
    low, high = floor - 0.1 * room, floor + 1.04 * room
    curve = go.Scatter(
        x=where,
        y=losses,
        mode="lines",
        line={"color": colors.ink, "width": 1.4},
        hovertemplate="θ %{x:.4g}<br>loss %{y:.4g}<extra></extra>",
    )
    mark = go.Scatter(
        x=[minimum],
        y=[floor],
        mode="markers+text",
        text=["minimum"],
        textposition="bottom center",
        textfont={"color": colors.goal, "size": 13},
        marker={"symbol": "x-thin", "size": 11, "line": {"width": 2.5, "color": colors.goal}},
        hovertemplate="minimum<br>θ %{x:.4f}<br>loss %{y:.4g}<extra></extra>",
    )
    figure = plane(Axis("θ", *theta), Axis("loss", low, high), [curve, mark], revision=f"{theta}", left=66)
    return figure.update_layout(margin_t=CAPTION), (low, high)


def basin_figure(fit: Fit, ranges: Sequence[Range], field: bool = False) -> tuple[go.Figure, float]:
    """The loss over both parameters, as a map with its minimum; and the highest loss on it.

    With ``field`` there are arrows of the gradient on it.
    """
    x, y = Axis("θ₀, the intercept", *ranges[0]), Axis("θ₁, the slope", *ranges[1])
    sides = (np.linspace(axis.low, axis.high, SIDE) for axis in (x, y))
    where = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2)
    losses = fit.losses(where).reshape(SIDE, SIDE)
    minimum = fit.minimum()
    floor = float(fit.losses(minimum[None])[0])
    heights = np.sqrt(np.maximum(losses - floor, 0))  # of a quadratic: iso-lines at even distances
    goal = (float(minimum[0]), float(minimum[1]))
    heights, under_mouse = heights.astype(np.float32), np.minimum(losses, 3e38).astype(np.float32)
    arrows = [gradient_field(mean_squared_error, x, y, fit.data)] if field else []
    figure = iso_map(x, y, heights, under_mouse, [goal], arrows, revision=f"{ranges}", square=False)
    return figure.update_layout(margin={"t": CAPTION, "l": 60, "b": 40}), float(losses.max())
