"""Arrays to Plotly figures: what stands still on a page. No computing beyond heights and levels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from plotly.basedatatypes import BaseTraceType

from ui.draw.palette import VARIABLES, Colors

POINTS = 161  # per side: the dents of Ackley's wide domain need them
MAX_LEVELS = 11
MAX_CROSSINGS = 24  # iso-lines met on the way across a surface; more would be a blot where it is drawn small
MIN_LOSS = 1e-12  # a loss above the minimum that is smaller counts as none; on data, that share of their mean square
LIFT = 0.012  # paths float this share of the height above the surface, so that they are not drawn inside it
Box = tuple[tuple[float, float], tuple[float, float]]


def levels(heights: np.ndarray) -> dict:
    """Plotly's iso-lines of heights ``(y, x)``: at even distances, and fewer where a surface is rough."""
    low, high = span_of(heights)
    span = high - low or 1.0
    differences = (np.diff(heights.astype(float), axis=axis) for axis in (0, 1))  # 32 bits may not hold their sum
    up_and_down = max(float(np.nansum(np.abs(each), axis).mean()) for axis, each in enumerate(differences))
    crossings = max(up_and_down / span, 1.0)  # of each level, on a straight way across
    size = span / np.clip(round(MAX_CROSSINGS / crossings), 3, MAX_LEVELS)
    return {"start": low + size, "end": high - size / 2, "size": size}


def color_range(heights: np.ndarray) -> tuple[float, float]:
    """The heights at both ends of the scale: some more than are met, to leave colours to light and shade."""
    low, high = span_of(heights)
    room = 0.07 * (high - low) or 1.0
    return low - room, high + room


def span_of(values: np.ndarray) -> tuple[float, float]:
    """The lowest and the highest of those values that are numbers; 0 and 1 where none is."""
    known = values[~np.isnan(values)]
    return (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)


@dataclass(frozen=True)
class Axis:
    """One axis of a plain figure: its title, and the range that is drawn."""

    title: str
    low: float
    high: float
    log: bool = False

    def layout(self) -> dict:
        """Plotly's layout of the axis."""
        common = {"title": {"text": self.title, "standoff": 4}, "exponentformat": "power"}
        if not self.log:
            return {**common, "range": [self.low, self.high]}
        ends = [math.log10(self.low), math.log10(self.high)]
        return {**common, "type": "log", "range": ends, "dtick": max(1, round((ends[1] - ends[0]) / 7))}


def plane(
    x: Axis,
    y: Axis,
    traces: Sequence[BaseTraceType] = (),
    colors: Colors = VARIABLES,
    *,
    revision: str = "",
    square: bool = False,
    left: int = 52,
) -> go.Figure:
    """A figure on two axes, empty or with what stands still on it.

    With the same ``revision`` the browser keeps the visitor's zoom. ``square``: one unit is as long on both axes, or a
    gradient would not stand square on the iso-lines. ``left`` is the least margin for the numbers of the y axis.
    """
    plain = {"gridcolor": colors.faint, "linecolor": colors.faint, "zeroline": False, "color": colors.ink}
    fit = {"constrain": "domain"} if square else {}
    return go.Figure(
        list(traces),
        {
            **common_layout(colors),
            "margin": {"l": left, "r": 10, "t": 8, "b": 34},
            "uirevision": revision,
            "dragmode": "pan",
            "xaxis": {**x.layout(), "nticks": 6, **fit, **plain},
            "yaxis": {**y.layout(), "automargin": "left", **fit, **({"scaleanchor": "x"} if square else {}), **plain},
        },
    )


def common_layout(colors: Colors) -> dict:
    """What every figure's layout has in common."""
    return {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": colors.ink, "size": 12},
        "showlegend": False,
        "hoverlabel": {"font": {"family": "monospace"}},
        "template": "none",
    }


def iso_map(
    x: Axis,
    y: Axis,
    heights: np.ndarray,
    losses: np.ndarray,
    goals: Sequence[tuple[float, float]],
    extra: Sequence[BaseTraceType] = (),
    colors: Colors = VARIABLES,
    *,
    revision: str = "",
    square: bool = True,
    word: str = "minimum",
) -> go.Figure:
    """A loss from above: iso-lines of ``heights`` ``(y, x)``, its minima, the ``losses`` under the mouse.

    There is a gap where a height is NaN. ``word``: what a minimum is called.
    """
    rows, columns = heights.shape
    same = heights is losses  # then they need not be sent twice
    loss = "z" if same else "customdata"
    contour = go.Contour(
        x=np.linspace(x.low, x.high, columns, dtype=np.float32),
        y=np.linspace(y.low, y.high, rows, dtype=np.float32),
        z=heights,
        customdata=None if same else losses,
        colorscale=color_scale(colors),
        showscale=False,
        contours={**levels(heights), "coloring": "heatmap"},
        **dict(zip(("zmin", "zmax"), color_range(heights), strict=True)),
        line={"width": 0.6, "color": colors.line},
        hovertemplate=f"{x.title} %{{x:.2f}}<br>{y.title} %{{y:.2f}}<br>loss %{{{loss}:.4g}}<extra></extra>",
    )
    marks = go.Scatter(
        x=[goal[0] for goal in goals],
        y=[goal[1] for goal in goals],
        mode="markers",
        marker={"symbol": "x-thin", "size": 11, "line": {"width": 2.5, "color": colors.goal}},
        hovertemplate=f"{word}<br>{x.title} %{{x:.4f}}<br>{y.title} %{{y:.4f}}<extra></extra>",
    )
    figure = plane(x, y, [contour, *extra, marks], colors, revision=revision, square=square, left=40)
    if len(goals) == 1:
        figure.add_annotation(minimum_label(*goals[0], x, y, colors.goal, word))
    figure.update_xaxes(showline=True, mirror=True)  # the lightest ground is as light as the page
    figure.update_yaxes(showline=True, mirror=True)
    return figure


def minimum_label(across: float, up: float, x: Axis, y: Axis, color: str, word: str) -> dict:
    """The word at a minimum: so far from it that who arrives does not cover it, on the sides where there is room."""
    right = across < x.low + 0.7 * (x.high - x.low)
    below = up > y.low + 0.2 * (y.high - y.low)
    place = {"x": across, "y": up, "xanchor": "left" if right else "right"}
    return {**minimum_arrow(color, 18 if right else -18, 22 if below else -22, word), **place}


def minimum_arrow(color: str, right: float, down: float, word: str) -> dict:
    """The word at a minimum so many pixels beside it, with a line to it."""
    return {
        "text": word,
        "font": {"color": color, "size": 13},
        "ax": right,
        "ay": down,
        "arrowcolor": color,
        "arrowwidth": 1,
        "arrowhead": 0,
        "standoff": 6,
    }


def color_scale(colors: Colors) -> list[list]:
    """The colours of a surface or a map, from the lowest loss to the highest."""
    return [[i / (len(colors.scale) - 1), color] for i, color in enumerate(colors.scale)]


@lru_cache(maxsize=256)
def loss_axes(last_step: int, low: float, high: float, log: bool, index: str = "step") -> str:
    """The empty frame that the loss curves are drawn in, as Plotly JSON. ``low`` and ``high`` are losses."""
    title = "loss above minimum (log)" if log else "loss"
    steps, losses = Axis(index, 0, last_step), Axis(title, low, high, log)
    revision = f"log {last_step}" if log else f"linear {last_step}"
    return plane(steps, losses, revision=revision, left=66).to_json()


def loss_range(
    curves: Sequence[np.ndarray], span: tuple[float, float], log: bool, least: float = MIN_LOSS
) -> tuple[float, float]:
    """The lowest and highest loss to frame: what the curves reach, as far as it is found on the map, and every start.

    ``span`` is the loss on the map. A run that leaves it may leave the frame too, or it would flatten all the others.
    On a logarithmic axis a loss up to ``least`` counts as none.
    """
    losses = np.concatenate(curves).astype(float)
    losses = losses[np.isfinite(losses) & (losses > least if log else True)]
    if not losses.size:
        return (least, 1e3 * least) if log else (0.0, 1.0)
    starts = [float(curve[0]) for curve in curves if np.isfinite(curve[0])]
    low = max(float(losses.min()), min([span[0], *starts]))
    high = max(min(float(losses.max()), max([span[1], *starts])), low)
    return round_range(float(losses.min()) if log else low, high, log)


def round_range(low: float, high: float, log: bool) -> tuple[float, float]:
    """The ends of an axis with some room around ``low`` and ``high``: round numbers, so that it seldom moves."""
    if log:
        return 10.0 ** math.floor(math.log10(low)), 10.0 ** math.ceil(math.log10(high) + 0.05)
    # of a curve that is level, or only rounded to and fro, a thousandth of its height; of one at 0 there is no scale
    room = max(high - low, 1e-3 * abs(high)) or 1.0
    unit = 10.0 ** math.floor(math.log10(room)) / 5
    return low - 0.03 * room, math.ceil((low + 1.03 * room) / unit) * unit


def show_figure(figure: go.Figure, key: str, height: int | None = None, **selection: Any) -> None:
    """A figure below the stage, in the page's own colours and without Plotly's buttons. ``height`` is in pixels."""
    if height is not None:
        selection["height"] = height
    st.plotly_chart(figure, theme=None, key=key, config={"displayModeBar": False, "scrollZoom": False}, **selection)
