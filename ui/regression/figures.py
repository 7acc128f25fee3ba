"""The figures of 2D Regression: the bowl of examples, the loss over both parameters, a batch, and the bands."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import plotly.graph_objects as go

from engine.analysis import Curvature
from engine.descent import TOLERANCE
from engine.problems import MAX_INPUT, TRUE_BOWL, Fit, bowl, bowl_points, mean_squared_error
from ui.draw.field import gradient_field
from ui.draw.figures import POINTS, Axis, iso_map, plane
from ui.draw.palette import COLORS, VARIABLES, Colors, Style
from ui.draw.surface import height_axis, relief, round_ticks

THETA1, THETA2 = Axis("θ₁", -7.0, 13.0), Axis("θ₂", -1.0, 19.0)  # the minimum is in the middle
SIDE_X, SIDE_Y = Axis("x", -MAX_INPUT, MAX_INPUT), Axis("y", -MAX_INPUT, MAX_INPUT)
HIGHEST = 1400.0  # of the axis of the bowl, which reaches 1200
SQUARES = 13  # lines per side of a prediction's net

fit_of = lru_cache(maxsize=64)(bowl)


def net() -> tuple[np.ndarray, np.ndarray]:
    """The lines of a prediction's net: where they run ``(13,)``, and x² and y² on their crossings ``(2, 13, 13)``."""
    side = np.linspace(-MAX_INPUT, MAX_INPUT, SQUARES)
    return side, np.stack([np.broadcast_to(side**2, (SQUARES, SQUARES)), np.repeat(side[:, None] ** 2, SQUARES, 1)])


def decades(losses: np.ndarray, floor: float) -> np.ndarray:
    """Where a loss is drawn on the map: by its decades above the lowest, the upper three of those on the map."""
    above = np.maximum(losses - floor, 0)
    return np.log10(1 + above / (1e-3 * above.max()))


def losses_on_map(fit: Fit) -> np.ndarray:
    """The loss on the examples over both parameters: ``(θ₂, θ₁)``."""
    sides = (np.linspace(axis.low, axis.high, POINTS) for axis in (THETA1, THETA2))
    points = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2)
    return fit.losses(points).reshape(POINTS, POINTS)


@lru_cache(maxsize=96)
def still_figures(examples: int, noise: float, seed: int, field: bool = False) -> Mapping[str, str]:
    """What stands still: the bowl with its examples, and the map of the loss, as Plotly JSON by view name.

    With ``field`` there are arrows of the gradient on the map.
    """
    fit = fit_of(examples, noise, seed)
    arrows = [gradient_field(mean_squared_error, THETA1, THETA2, fit.data)] if field else []
    return {
        "bowl": bowl_figure(*bowl_points(examples, noise, seed)).to_json(),
        "map": map_figure(fit, [*arrows, circle(fit)]).to_json(),
    }


def bowl_figure(x: np.ndarray, y: np.ndarray, true: np.ndarray) -> go.Figure:
    """The true surface with the examples ``(n,)`` on it."""
    side = np.linspace(-MAX_INPUT, MAX_INPUT, 41) ** 2
    heights = TRUE_BOWL[0] * side[None] + TRUE_BOWL[1] * side[:, None]
    examples = go.Scatter3d(
        x=x, y=y, z=true, mode="markers", marker={"size": 2.6, "color": VARIABLES.goal}, hoverinfo="skip"
    )
    low, high = min(-100.0, float(true.min())), max(HIGHEST, float(true.max()))
    z = height_axis("f =", low, high, round_ticks(low, high))
    return relief(SIDE_X, SIDE_Y, z, heights, [], [examples])


def map_figure(fit: Fit, extra: Sequence[go.Scatter] = (), colors: Colors = VARIABLES) -> go.Figure:
    """The loss over both parameters, from above."""
    losses, minimum = losses_on_map(fit), fit.minimum()
    heights = decades(losses, float(fit.losses(minimum[None])[0]))
    goal = (float(minimum[0]), float(minimum[1]))
    heights, losses = heights.astype(np.float32), losses.astype(np.float32)  # half the weight
    return iso_map(THETA1, THETA2, heights, losses, [goal], extra, colors, revision="theta")


def circle(fit: Fit) -> go.Scatter:
    """Who is inside has converged. It is drawn true to size, so one has to zoom in to see it."""
    around = np.linspace(0, 2 * math.pi, 60)
    minimum = fit.minimum()
    return go.Scatter(
        x=minimum[0] + TOLERANCE * np.cos(around),
        y=minimum[1] + TOLERANCE * np.sin(around),
        mode="lines",
        line={"color": VARIABLES.goal, "width": 1.2},
        hoverinfo="skip",
    )


def arrow(start: np.ndarray, way: np.ndarray, color: str, name: str, side: str) -> go.Scatter:
    """An arrow on a map, with its name beyond the tip, to the left or to the right of it."""
    tip = start + way
    length = float(np.hypot(*way)) or 1.0
    ahead, aside = way / length, np.array([-way[1], way[0]]) / length
    head = [tip - 0.55 * ahead + 0.28 * sign * aside for sign in (1, -1)]
    x, y = zip(start, tip, head[0], tip, head[1], strict=True)
    return go.Scatter(
        x=x,
        y=y,
        mode="lines+text",
        text=["", name, "", "", ""],
        textposition=f"{'top' if way[1] >= 0 else 'bottom'} {side}",
        textfont={"color": color, "size": 13},
        line={"color": color, "width": 3},
        hoverinfo="skip",
    )


def batch_data_figure(
    x: np.ndarray, y: np.ndarray, true: np.ndarray, chosen: np.ndarray, color: str, theme: str
) -> go.Figure:
    """All examples from above, and those of the batch marked."""
    colors = COLORS[theme]
    where = "x %{x:.2f}<br>y %{y:.2f}<br>f %{customdata:.1f}<extra></extra>"
    rest = go.Scatter(
        x=x,
        y=y,
        customdata=true,
        mode="markers",
        marker={"size": 6, "color": colors.line},
        hovertemplate=where,
    )
    some = go.Scatter(
        x=x[chosen],
        y=y[chosen],
        customdata=true[chosen],
        mode="markers",
        marker={"size": 13, "color": color, "line": {"color": colors.goal, "width": 1.5}},
        hovertemplate=where,
    )
    return plane(SIDE_X, SIDE_Y, [rest, some], colors, revision="data", square=True)


def batch_map_figure(
    fit: Fit, batch: Fit, at: np.ndarray, slopes: tuple[np.ndarray, np.ndarray], color: str, theme: str
) -> go.Figure:
    """The loss on all examples, over it the batch's own as lines, and both ways down from where the racer stands.

    ``slopes`` are the gradients of all examples and of the batch. Both arrows are on one scale: the longer is 5 units.
    """
    colors = COLORS[theme]
    own = losses_on_map(batch)
    heights = decades(own, float(own.min()))
    lines = go.Contour(
        x=np.linspace(THETA1.low, THETA1.high, POINTS),
        y=np.linspace(THETA2.low, THETA2.high, POINTS),
        z=heights,
        showscale=False,
        contours={"coloring": "none", "start": 0.5, "end": float(heights.max()), "size": 0.5},
        line={"color": color, "width": 1.6, "dash": "dot"},
        hoverinfo="skip",
    )
    longest = max(float(np.hypot(*slope)) for slope in slopes) or 1.0
    full, some = (-5 * slope / longest for slope in slopes)
    sides = ("left", "right") if full[0] <= some[0] else ("right", "left")  # so that the names do not meet
    arrows = [arrow(at, full, colors.goal, "all examples", sides[0]), arrow(at, some, color, "the batch", sides[1])]
    stands = go.Scatter(x=[at[0]], y=[at[1]], mode="markers", marker={"size": 11, "color": color}, hoverinfo="skip")
    return map_figure(fit, [lines, *arrows, stands], colors)


def curvature_figure(fit: Fit, curvature: Curvature, theme: str) -> go.Figure:
    """The map with the directions in which the loss bends most and least, each as long as the valley is wide there."""
    minimum, colors = fit.minimum(), COLORS[theme]
    widths = 4 * np.sqrt(curvature.values[0] / np.maximum(curvature.values, 1e-9))
    arrows = [
        arrow(
            minimum,
            sign * width * direction,
            colors.goal,
            f"λ = {value:,.0f}" if sign > 0 else "",
            "right" if direction[0] > 0 else "left",
        )
        for value, width, direction in zip(curvature.values, widths, curvature.directions, strict=True)
        for sign in (-1, 1)
    ]
    figure = map_figure(fit, arrows, colors)
    figure.update_annotations(ax=-18, ay=0, xanchor="right")  # the minimum's name: both arrows leave room there
    return figure


def bands_figure(
    steps: np.ndarray, bands: Mapping[str, np.ndarray], racer_styles: Mapping[str, Style], log: bool, theme: str
) -> go.Figure:
    """The median loss of many runs ``(3, recorded)``: 10 %, half, and 90 % of them are below."""
    every = np.concatenate([band.ravel() for band in bands.values()])
    every = every[np.isfinite(every)]
    high = float(np.percentile(every, 99.5)) if every.size else 1.0
    if log:
        low = max(float(every[every > 0].min()) if (every > 0).any() else 1e-3, 1e-6 * high)
        losses = Axis(
            "loss above minimum (log)", 10 ** math.floor(math.log10(low)), 10 ** math.ceil(math.log10(high)), True
        )
    else:
        losses = Axis("loss", 0.0, 1.05 * high)
    traces = []
    for name, (low_line, middle, high_line) in bands.items():
        color = racer_styles[name].color(theme)
        floor = losses.low if log else -math.inf  # a logarithmic axis has no place for 0
        edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
        traces += [
            go.Scatter(x=steps, y=np.maximum(low_line, floor), **edge),
            go.Scatter(x=steps, y=np.maximum(high_line, floor), fill="tonexty", fillcolor=faded(color), **edge),
            go.Scatter(
                x=steps,
                y=np.maximum(middle, floor),
                mode="lines",
                line={"color": color, "width": 2.6},
                name=name,
                hovertemplate="iteration %{x}<br>median %{y:.4g}<extra>" + name + "</extra>",
            ),
        ]
    return plane(Axis("iteration", 0, float(steps[-1])), losses, traces, COLORS[theme], revision="bands")


def faded(color: str) -> str:
    """A colour that lets what is under it through."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.18)"
