"""A landscape as still figures: its surface, its map, and the range of its losses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from engine import LANDSCAPES, Landscape
from engine.landscapes import evaluate_at
from ui.draw.figures import POINTS, Axis, Box, iso_map, relief
from ui.numbers import superscript


def box(landscape: Landscape, view: str) -> Box:
    """The square that is drawn: the usual domain, or one twice as wide about the same centre."""
    if view != "wide":
        return landscape.domain
    (x0, x1), (y0, y1) = landscape.domain
    return (x0 - (x1 - x0) / 2, x1 + (x1 - x0) / 2), (y0 - (y1 - y0) / 2, y1 + (y1 - y0) / 2)


def height(landscape: Landscape, losses: np.ndarray) -> np.ndarray:
    """Where a loss is drawn on the surface: itself, or its decades above the floor where it spans decades."""
    if not landscape.decades:
        return losses
    return np.log10(1 + np.maximum(losses - (landscape.floor or 0.0), 0))


def grid(landscape: Landscape, view: str, points: int = POINTS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The loss over the square: x ``(points,)``, y ``(points,)``, losses ``(y, x)``."""
    xs, ys = (np.linspace(low, high, points, dtype=np.float32) for low, high in box(landscape, view))
    where = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    return xs, ys, np.asarray(evaluate_at(landscape.loss, where)).reshape(points, points)


def height_axis(landscape: Landscape, low: float, high: float) -> dict:
    """The axis of the surface. Where heights are decades, the ticks still say the loss."""
    if not landscape.decades:
        return {"range": [low - 0.02 * (high - low), high]}
    losses = [0.0, *(10.0**k for k in range(math.ceil(high) + 1))]
    return {
        "range": [low - 0.02 * (high - low), high],
        "tickvals": [float(height(landscape, np.array(v + (landscape.floor or 0.0)))) for v in losses],
        "ticktext": [f"{v:,.0f}" if v < 1e4 else f"10{superscript(round(math.log10(v)))}" for v in losses],
    }


@lru_cache(maxsize=96)
def landscape_figures(name: str, view: str) -> Mapping[str, str]:
    """The surface and the map of a landscape, as Plotly JSON by view name."""
    landscape = LANDSCAPES[name]
    x, y = (Axis(name, *ends) for name, ends in zip("xy", box(landscape, view), strict=True))
    losses = grid(landscape, view)[2]
    heights = height(landscape, losses)
    z = {"title": "loss", **height_axis(landscape, float(heights.min()), float(heights.max()))}
    bottom = float(height(landscape, np.array(landscape.floor or 0.0)))
    goals = [(*goal, bottom) for goal in landscape.minima]
    flat = iso_map(x, y, heights, losses, landscape.minima, revision=f"{name} {view}")
    return {"surface": relief(x, y, z, heights, goals).to_json(), "map": flat.to_json()}


@lru_cache(maxsize=64)
def loss_span(name: str, view: str) -> tuple[float, float]:
    """The lowest and highest loss on the map of a landscape."""
    losses = grid(LANDSCAPES[name], view)[2]
    return float(losses.min()), float(losses.max())
