"""A loss as a surface in 3-D: lit, with iso-lines on it, its minima marked, and few numbers on its axes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.basedatatypes import BaseTraceType

from ui.draw.figures import Axis, color_range, color_scale, common_layout, levels, minimum_arrow, span_of
from ui.draw.palette import VARIABLES, Colors

# from above and in front: one looks into the bowl, and the far wall shows what runs down it. So far away that the
# numbers on the axes are on the picture too, also on a small square one
CAMERA = {"eye": {"x": -1.04, "y": -1.47, "z": 1.8}, "center": {"x": -0.087, "y": 0.055, "z": -0.12}}
ASPECT = (1.1, 1.1, 0.5)  # how long the axes of a surface are drawn: x, y and height
HEIGHT_TICKS_FROM = 0.2  # of the height: below, the numbers would meet those of the axis beside it
HEIGHT_TICKS_APART = 0.28  # of the height: so near to each other they can still be read on a small picture
LIGHT = (-1.02, 0.28, 0.9)  # where the light on a surface comes from: from the left, seen from the camera
SHADING = 0.85  # of the scale: how much lighter or darker a slope is drawn that faces the light or turns away


def relief(
    x: Axis,
    y: Axis,
    z: Mapping[str, object],
    heights: np.ndarray,
    goals: Sequence[tuple[float, float, float]],
    extra: Sequence[BaseTraceType] = (),
    colors: Colors = VARIABLES,
    word: str = "minimum",
) -> go.Figure:
    """A surface in 3-D, of ``heights`` ``(y, x)``, with iso-lines and its minima. ``z`` is the layout of its axis.

    There is a gap where a height is NaN. ``word``: what a minimum is called.
    """
    rows, columns = heights.shape
    plain = {"gridcolor": colors.faint, "linecolor": colors.faint, "zeroline": False, "color": colors.ink}
    backdrop = {"showbackground": False, "title": "", "tickangle": 0, **plain}
    surface = go.Surface(
        x=np.linspace(x.low, x.high, columns, dtype=np.float32),
        y=np.linspace(y.low, y.high, rows, dtype=np.float32),
        z=heights,
        surfacecolor=shaded(heights),
        cmin=0,
        cmax=255,
        colorscale=color_scale(colors),
        showscale=False,
        hoverinfo="skip",
        # the light is in the colours: Plotly's own turns with the camera
        lighting={"ambient": 1, "diffuse": 0, "specular": 0},
        contours={
            "z": {"show": True, "color": colors.line, "width": 1, "highlight": False, **levels(heights)},
            "x": surface_edge(x, colors.line),
            "y": surface_edge(y, colors.line),
        },
    )
    return go.Figure(
        [surface, *extra],
        {
            **common_layout(colors),
            "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
            "uirevision": "camera",
            "scene": {
                "xaxis": {**scene_axis(x), **backdrop},
                "yaxis": {**scene_axis(y), **backdrop},
                "zaxis": {**z, **backdrop},
                "aspectmode": "manual",
                "aspectratio": dict(zip("xyz", ASPECT, strict=True)),
                "camera": CAMERA,
                "annotations": [
                    mark for goal in goals for mark in minimum_marks(goal, len(goals) == 1, colors.goal, word)
                ],
            },
        },
    )


def shaded(heights: np.ndarray) -> np.ndarray:
    """What colour a lit surface has at each point ``(y, x)``: where on the scale, from 0 to 255.

    A slope is as light or as dark as higher or lower ground would be, so that only colours of the scale are met, all
    of which are told from the racers'. One byte a point is sent.
    """
    heights = heights.astype(float)  # the difference of two heights may be more than 32 bits hold
    low, high = color_range(heights)
    share = (heights - low) / (high - low)
    steps = [ASPECT[1] / (heights.shape[0] - 1), ASPECT[0] / (heights.shape[1] - 1)]
    met_low, met_high = span_of(heights)
    up_y, up_x = np.gradient(ASPECT[2] * heights / (met_high - met_low or 1.0), *steps)
    x, y, z = np.array(LIGHT) / np.linalg.norm(LIGHT)
    brighter = (z - x * up_x - y * up_y) / np.sqrt(1 + up_x**2 + up_y**2) - z  # than level ground, which faces up
    left = np.where(brighter < 0, share, 1 - share)  # so much of the scale
    # beside a gap there is no slope
    shade = np.where(np.isnan(brighter), share, share + SHADING * brighter * np.sqrt(left))
    return np.clip(255 * np.nan_to_num(shade), 0, 255).astype(np.uint8)


def surface_edge(axis: Axis, color: str) -> dict:
    """Lines along both ends of a surface, in Plotly's words: where it is as light as the page, it would have none."""
    size, inset = axis.high - axis.low, 4e-3 * (axis.high - axis.low)  # at the very ends, Plotly may find no line
    ends = {"start": axis.low + inset, "end": axis.high, "size": size - 2 * inset}
    return {"show": True, "color": color, "width": 1, "highlight": False, **ends}


def scene_axis(axis: Axis) -> dict:
    """An axis of a surface: few numbers, the last with the axis's name, none near the ends, where two axes meet."""
    room = 0.1 * (axis.high - axis.low)
    ticks = round_ticks(axis.low + room, axis.high - room)
    *texts, last = ticks.values()
    return {"range": [axis.low, axis.high], "tickvals": list(ticks), "ticktext": [*texts, f"{axis.title} = {last}"]}


def height_axis(title: str, low: float, high: float, ticks: Mapping[float, str]) -> dict:
    """The axis of a surface's heights, from words by height at even distances. Few are kept, as it is drawn short."""
    span = high - low
    heights = [at for at in ticks if low + HEIGHT_TICKS_FROM * span <= at <= high]
    between = heights[1] - heights[0] if len(heights) > 1 else span
    kept = heights[:: -math.ceil(HEIGHT_TICKS_APART * span / between)][::-1]
    *texts, last = (ticks[at] for at in kept)
    return {"range": [low - 0.02 * span, high], "tickvals": kept, "ticktext": [*texts, f"{title} {last}"]}


def round_ticks(low: float, high: float) -> dict[float, str]:
    """Round numbers between two, with their words: three, or the next more that are at an even distance."""
    unit, ticks = 10.0 ** math.ceil(math.log10(high - low)), np.array([])
    for size in (unit * part * 10.0**-k for k in range(2) for part in (1, 0.5, 0.4, 0.2)):
        ticks = size * np.arange(math.ceil(low / size), math.floor(high / size) + 1)
        if len(ticks) >= 3:
            break
    return {float(tick): f"{tick:g}".replace("-", "−") for tick in ticks}


def minimum_marks(goal: tuple[float, float, float], alone: bool, color: str, word: str) -> list[dict]:
    """The mark at a minimum of a surface, and the word beside it where there is only one.

    Drawn above the surface, as the paths are: in it they would be hidden at the bottom of a narrow valley.
    """
    place = dict(zip("xyz", goal, strict=True))
    cross = {**place, "text": "<b>×</b>", "showarrow": False, "font": {"color": color, "size": 24}}
    named = {**minimum_arrow(color, 30, 30, word), **place, "xanchor": "left"}
    return [cross, named] if alone else [cross]
