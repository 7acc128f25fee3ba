"""A landscape as still figures: its surface, its map, and the range of its losses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from engine import LANDSCAPES, Landscape
from engine.landscapes import evaluate_at
from ui.draw.field import gradient_field
from ui.draw.figures import POINTS, Axis, Box, iso_map, span_of
from ui.draw.stage.stage import digest
from ui.draw.surface import height_axis, relief, round_ticks
from ui.numbers import superscript

MAX_ASPECT = 3.0  # of a domain
LEVEL = 1e-6  # of a loss: a surface that is not higher is drawn in the middle of its axis
MAX_PASSING = 8  # landscapes, typed or with knobs turned, whose figures are kept, of half a megabyte each


def box(landscape: Landscape, view: str) -> Box:
    """The square that is drawn: the usual domain, or one twice as wide about the same centre."""
    if view != "wide":
        return landscape.domain
    (x0, x1), (y0, y1) = landscape.domain
    return (x0 - (x1 - x0) / 2, x1 + (x1 - x0) / 2), (y0 - (y1 - y0) / 2, y1 + (y1 - y0) / 2)


def is_square(landscape: Landscape) -> bool:
    """Whether one unit is drawn as long on both axes: unless the map would be a strip."""
    (x0, x1), (y0, y1) = landscape.domain
    return 1 / MAX_ASPECT <= (x1 - x0) / (y1 - y0) <= MAX_ASPECT


def height(landscape: Landscape, losses: np.ndarray) -> np.ndarray:
    """Where a loss is drawn on the surface: itself, or its decades above the floor where it spans decades.

    Without a floor they are those above 0, and as much below.
    """
    if not landscape.decades:
        return losses
    exact = np.asarray(losses, float)  # 32 bits may hold a loss, and not how many times as high it is
    if landscape.floor is None:
        heights = np.sign(exact) * np.log10(1 + np.abs(exact) / landscape.decades_from)
    else:
        heights = np.log10(1 + np.maximum(exact - landscape.floor, 0) / landscape.decades_from)
    return heights.astype(losses.dtype)


def grid(landscape: Landscape, view: str, points: int = POINTS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The loss over the square: x ``(points,)``, y ``(points,)``, losses ``(y, x)``; NaN where it has no value."""
    xs, ys = (np.linspace(low, high, points, dtype=np.float32) for low, high in box(landscape, view))
    where = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    losses = np.asarray(evaluate_at(landscape.loss, where)).reshape(points, points)
    return xs, ys, np.where(np.isfinite(losses), losses, np.float32(np.nan))


def loss_at(landscape: Landscape, point: Sequence[float]) -> float:
    """The loss at one point, by the very program that the landscape is drawn with."""
    same = np.tile(np.asarray(point, np.float32), (POINTS**2, 1))
    return float(evaluate_at(landscape.loss, same)[0])


def height_ticks(landscape: Landscape, low: float, high: float) -> dict[float, str]:
    """The losses that stand on the axis of the surface, by height."""
    if not landscape.decades:
        return round_ticks(low, high)
    first = math.ceil(math.log10(landscape.decades_from))
    last = math.ceil(max(abs(low), abs(high)) + math.log10(landscape.decades_from))
    ups = [(10.0**k, f"{10**k}" if 0 <= k < 3 else f"10{superscript(k)}") for k in range(first, last + 1)]
    downs = [(-loss, f"−{text}") for loss, text in reversed(ups)] if low < 0 else []
    losses, texts = zip(*(downs + ups), strict=True)
    heights = height(landscape, np.array(losses) + (landscape.floor or 0.0))
    return dict(zip(heights.tolist(), texts, strict=True))


def revision_of(landscape: Landscape) -> str:
    """What tells the figures of a landscape from those of the others in the browser, which may not be told its name.

    All paintings share one, and so do the values of a landscape's knobs: where one is turned, camera and zoom stay.
    """
    if landscape.found:
        return digest(f"{landscape.formula} {landscape.domain}")
    return str(list(LANDSCAPES).index(landscape.name))


def landscape_figures(landscape: Landscape, view: str, field: bool = False) -> Mapping[str, str]:
    """The surface and the map of a landscape, as Plotly JSON by view name; with ``field``, arrows on the map."""
    known = LANDSCAPES.get(landscape.name) is landscape
    return (known_figures if known else passing_figures)(landscape, view, field)


def draw_figures(landscape: Landscape, view: str, field: bool) -> Mapping[str, str]:
    """``landscape_figures``, drawn anew."""
    x, y = (Axis(name, *ends) for name, ends in zip("xy", box(landscape, view), strict=True))
    losses = grid(landscape, view)[2]
    heights = height(landscape, losses)
    low, high = span_of(heights)
    if high - low <= LEVEL * max(abs(low), abs(high)):
        low, high = low - max(1.0, abs(low)) / 2, high + max(1.0, abs(high)) / 2
    bottom = float(height(landscape, np.array(landscape.floor or 0.0)))
    if landscape.minima:
        low = min(low, bottom)  # the grid may just miss the lowest point, and a racer find it
    z = height_axis("loss", low, high, height_ticks(landscape, low, high))
    goals = [(*goal, bottom) for goal in landscape.minima]
    word = "minimum found" if landscape.found else "minimum"
    arrows = [gradient_field(landscape.loss, x, y)] if field else []
    revision = f"{revision_of(landscape)} {view}"
    square = is_square(landscape)
    flat = iso_map(x, y, heights, losses, landscape.minima, arrows, revision=revision, square=square, word=word)
    return {"surface": relief(x, y, z, heights, goals, word=word).to_json(), "map": flat.to_json()}


known_figures = lru_cache(maxsize=96)(draw_figures)
passing_figures = lru_cache(maxsize=MAX_PASSING)(draw_figures)


@lru_cache(maxsize=64)
def loss_span(landscape: Landscape, view: str) -> tuple[float, float]:
    """The lowest and highest loss on the map of a landscape; 0 and 1 where it has no value anywhere."""
    return span_of(grid(landscape, view)[2])
