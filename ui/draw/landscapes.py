"""A landscape as still figures: its surface, its map, and the range of its losses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from engine import LANDSCAPES, Landscape
from engine.landscapes import evaluate_at
from ui.draw.field import gradient_field
from ui.draw.figures import POINTS, Axis, Box, iso_map
from ui.draw.surface import height_axis, relief, round_ticks
from ui.numbers import superscript

# above the floor; less is drawn nearly as it is. So near to it a narrow valley still shows how its floor slopes
DECADES_FROM = 0.3


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
    return np.log10(1 + np.maximum(losses - (landscape.floor or 0.0), 0) / DECADES_FROM)


def grid(landscape: Landscape, view: str, points: int = POINTS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The loss over the square: x ``(points,)``, y ``(points,)``, losses ``(y, x)``."""
    xs, ys = (np.linspace(low, high, points, dtype=np.float32) for low, high in box(landscape, view))
    where = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    return xs, ys, np.asarray(evaluate_at(landscape.loss, where)).reshape(points, points)


def loss_at(landscape: Landscape, point: Sequence[float]) -> float:
    """The loss at one point, by the very program that the landscape is drawn with."""
    same = np.tile(np.asarray(point, np.float32), (POINTS**2, 1))
    return float(evaluate_at(landscape.loss, same)[0])


def height_ticks(landscape: Landscape, low: float, high: float) -> dict[float, str]:
    """The losses that stand on the axis of the surface, by height."""
    if not landscape.decades:
        return round_ticks(low, high)
    losses = [10**k for k in range(math.ceil(high) + 1)]
    heights = height(landscape, np.array(losses) + (landscape.floor or 0.0))
    texts = [f"{loss}" if loss < 1000 else f"10{superscript(k)}" for k, loss in enumerate(losses)]
    return dict(zip(heights.tolist(), texts, strict=True))


def revision_of(name: str) -> str:
    """What tells the figures of a landscape from those of the others in the browser, which may not be told its name."""
    return str(list(LANDSCAPES).index(name))


@lru_cache(maxsize=96)
def landscape_figures(name: str, view: str, field: bool = False) -> Mapping[str, str]:
    """The surface and the map of a landscape, as Plotly JSON by view name; with ``field``, arrows on the map."""
    landscape = LANDSCAPES[name]
    x, y = (Axis(name, *ends) for name, ends in zip("xy", box(landscape, view), strict=True))
    losses = grid(landscape, view)[2]
    heights = height(landscape, losses)
    bottom = float(height(landscape, np.array(landscape.floor or 0.0)))
    low, high = float(heights.min()), float(heights.max())
    if landscape.minima:
        low = min(low, bottom)  # the grid may just miss the lowest point, and a racer find it
    z = height_axis("loss", low, high, height_ticks(landscape, low, high))
    goals = [(*goal, bottom) for goal in landscape.minima]
    arrows = [gradient_field(landscape.loss, x, y)] if field else []
    flat = iso_map(x, y, heights, losses, landscape.minima, arrows, revision=f"{revision_of(name)} {view}")
    return {"surface": relief(x, y, z, heights, goals).to_json(), "map": flat.to_json()}


@lru_cache(maxsize=64)
def loss_span(name: str, view: str) -> tuple[float, float]:
    """The lowest and highest loss on the map of a landscape."""
    losses = grid(LANDSCAPES[name], view)[2]
    return float(losses.min()), float(losses.max())
