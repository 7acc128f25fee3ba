"""Arrays to Plotly figures: what stands still on a page. No streamlit here, no computing beyond heights and levels."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial

import jax
import numpy as np
import plotly.graph_objects as go

from engine import LANDSCAPES, Landscape
from ui.palette import GROUNDS

POINTS = 161  # per side: the dents of Ackley's wide domain need them
LEVELS = 14
LEAST = 1e-12  # a loss above the minimum that is smaller counts as none
LIFT = 0.012  # paths float this share of the height above the surface, so that they are not drawn inside it

Box = tuple[tuple[float, float], tuple[float, float]]


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
    return xs, ys, np.asarray(over(landscape.loss, where)).reshape(points, points)


@partial(jax.jit, static_argnames="loss")
def over(loss: Callable[[jax.Array], jax.Array], where: jax.Array) -> jax.Array:
    return jax.vmap(loss)(where)


def levels(low: float, high: float) -> dict:
    return {"start": low, "end": high, "size": (high - low) / LEVELS}


def height_axis(landscape: Landscape, low: float, high: float) -> dict:
    """The axis of the surface. Where heights are decades, the ticks still say the loss."""
    if not landscape.decades:
        return {"range": [low - 0.02 * (high - low), high]}
    losses = [0.0, *(10.0**k for k in range(math.ceil(high) + 1))]
    return {
        "range": [low - 0.02 * (high - low), high],
        "tickvals": [float(height(landscape, np.array(v + (landscape.floor or 0.0)))) for v in losses],
        "ticktext": [f"{v:,.0f}" if v < 1e4 else f"{v:.0e}" for v in losses],
    }


@lru_cache(maxsize=96)
def ground(name: str, view: str, theme: str) -> Mapping[str, str]:
    """The surface and the map of a landscape, as Plotly JSON by view name."""
    landscape, colors = LANDSCAPES[name], GROUNDS[theme]
    (x0, x1), (y0, y1) = box(landscape, view)
    scale = [[i / (len(colors.scale) - 1), color] for i, color in enumerate(colors.scale)]
    goals_x, goals_y = ([p[i] for p in landscape.minima] for i in (0, 1))
    goals_z = (
        [float(height(landscape, np.array(landscape.floor)))] * len(goals_x) if landscape.floor is not None else []
    )
    labels = ["minimum" if len(goals_x) == 1 else ""] * len(goals_x)
    base = {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": colors.ink, "size": 12},
        "showlegend": False,
        "hoverlabel": {"font": {"family": "monospace"}},
        "template": "none",
    }
    plain = {"gridcolor": colors.faint, "linecolor": colors.faint, "zeroline": False, "color": colors.ink}

    xs, ys, losses = grid(landscape, view)
    heights = height(landscape, losses)
    low, high = float(heights.min()), float(heights.max())
    backdrop = {"showbackground": False, **plain}
    surface = go.Figure(
        [
            go.Surface(
                x=xs,
                y=ys,
                z=heights,
                colorscale=scale,
                showscale=False,
                hoverinfo="skip",
                lighting={"ambient": 0.85, "diffuse": 0.3, "specular": 0.03, "roughness": 0.9},
                contours={
                    "z": {"show": True, "color": colors.line, "width": 1, "highlight": False, **levels(low, high)},
                    "x": {"highlight": False},
                    "y": {"highlight": False},
                },
            ),
            go.Scatter3d(
                x=goals_x,
                y=goals_y,
                z=goals_z,
                mode="markers+text",
                text=labels,
                textposition="bottom right",
                textfont={"color": colors.goal, "size": 13},
                marker={"symbol": "diamond", "size": 4, "color": colors.goal},
                hoverinfo="skip",
            ),
        ],
        {
            **base,
            "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
            "uirevision": "camera",
            "scene": {
                "xaxis": {"title": "x", "range": [x0, x1], "nticks": 6, **backdrop},
                "yaxis": {"title": "y", "range": [y0, y1], "nticks": 6, **backdrop},
                "zaxis": {"title": "loss", **height_axis(landscape, low, high), **backdrop},
                "aspectmode": "manual",
                "aspectratio": {"x": 1.2, "y": 1.2, "z": 0.62},
                # from above and in front: one looks into the bowl, and the far wall shows what runs down it
                "camera": {"eye": {"x": -0.7, "y": -1.42, "z": 1.6}, "center": {"x": 0, "y": 0, "z": -0.19}},
            },
        },
    )

    flat = go.Figure(
        [
            go.Contour(
                x=xs,
                y=ys,
                z=heights,
                customdata=losses,
                colorscale=scale,
                showscale=False,
                contours=levels(low, high),
                line={"width": 0.8, "color": colors.line},
                hovertemplate="x %{x:.2f}<br>y %{y:.2f}<br>loss %{customdata:.4g}<extra></extra>",
            ),
            go.Scatter(
                x=goals_x,
                y=goals_y,
                mode="markers+text",
                text=labels,
                textposition="bottom right",
                textfont={"color": colors.goal, "size": 13},
                marker={"symbol": "x-thin", "size": 11, "line": {"width": 2.5, "color": colors.goal}},
                hovertemplate="minimum<br>x %{x:.4f}<br>y %{y:.4f}<extra></extra>",
            ),
        ],
        {
            **base,
            "margin": {"l": 34, "r": 8, "t": 8, "b": 34},
            "uirevision": f"{name} {view}",
            "dragmode": "pan",
            "xaxis": {"title": {"text": "x", "standoff": 4}, "range": [x0, x1], "constrain": "domain", **plain},
            # one unit is as long on both axes, or the gradient would not stand square on the iso-lines
            "yaxis": {
                "title": {"text": "y", "standoff": 4},
                "constrain": "domain",
                "range": [y0, y1],
                "scaleanchor": "x",
                **plain,
            },
        },
    )
    return {"surface": surface.to_json(), "map": flat.to_json()}


@lru_cache(maxsize=256)
def loss_axes(last_step: int, low: float, high: float, log: bool, theme: str) -> str:
    """The empty frame that the loss curves are drawn in, as Plotly JSON. ``low`` and ``high`` are losses."""
    colors = GROUNDS[theme]
    plain = {"gridcolor": colors.faint, "linecolor": colors.faint, "zeroline": False, "color": colors.ink}
    title = "loss above the minimum, logarithmic" if log else "loss"
    y = {"type": "log", "range": [math.log10(low), math.log10(high)], "dtick": 1} if log else {"range": [low, high]}
    return go.Figure(
        layout={
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"color": colors.ink, "size": 12},
            "template": "none",
            "margin": {"l": 48, "r": 10, "t": 8, "b": 34},
            "uirevision": f"log {last_step}" if log else f"linear {last_step}",
            "dragmode": "pan",
            "xaxis": {"title": {"text": "step", "standoff": 4}, "range": [0, last_step], "nticks": 6, **plain},
            "yaxis": {"title": {"text": title, "standoff": 4}, "exponentformat": "power", **y, **plain},
        }
    ).to_json()


@lru_cache(maxsize=64)
def loss_span(name: str, view: str) -> tuple[float, float]:
    """The lowest and highest loss on the map of a landscape."""
    losses = grid(LANDSCAPES[name], view)[2]
    return float(losses.min()), float(losses.max())


def loss_range(curves: Sequence[np.ndarray], span: tuple[float, float], log: bool) -> tuple[float, float]:
    """The lowest and highest loss to frame: what the curves reach, as far as it is found on the map, and every start.

    ``span`` is the loss on the map. A run that leaves it may leave the frame too, or it would flatten all the others.
    """
    losses = np.concatenate(curves).astype(float)
    losses = losses[np.isfinite(losses) & (losses > LEAST if log else True)]
    if not losses.size:
        return (1e-3, 1.0) if log else (0.0, 1.0)
    starts = [float(curve[0]) for curve in curves if np.isfinite(curve[0])]
    low = max(float(losses.min()), min([span[0], *starts]))
    high = max(min(float(losses.max()), max([span[1], *starts])), low)
    if log:
        return 10.0 ** math.floor(math.log10(losses.min())), 10.0 ** math.ceil(math.log10(high) + 0.05)
    room = max(high - low, 1e-3 * max(abs(high), 1.0))
    unit = 10.0 ** math.floor(math.log10(room)) / 5
    return low - 0.03 * room, math.ceil((low + 1.03 * room) / unit) * unit
