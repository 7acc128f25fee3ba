"""The gradient field of a loss, as arrows on its map."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import plotly.graph_objects as go
import streamlit as st

from engine.analysis import gradients
from engine.annotations import Arrays
from ui.draw.figures import Axis
from ui.draw.palette import VARIABLES, Colors
from ui.setup.controls import Controls
from ui.setup.curves import RunSetup

ARROWS = 15  # per side
SHORTEST, LONGEST = 0.35, 0.85  # of an arrow, in distances between two of them
CLICK, FIELD = "click to move the start", "arrows: downhill, longer = steeper"  # what is said above a map
DECADES = 3  # of slopes, between the two; all that are flatter have the shortest
LEVEL = 1e-9  # of the steepest slope: what is flatter is level but for rounding
HEAD = 0.22  # of its head


def gradient_field(
    loss: Callable[..., jax.Array], x: Axis, y: Axis, data: Arrays = (), colors: Colors = VARIABLES
) -> go.Scatter:
    """Arrows over a map that point against the gradient: where plain gradient descent goes next.

    Their lengths follow the logarithm of the slope: a landscape that is a hundred times as steep in one place as in
    another has arrows to be seen in both. Where it is level there is none. They are one
    line: Plotly draws its own ``Quiver`` below the colours of a map.
    """
    apart = np.array([(axis.high - axis.low) / ARROWS for axis in (x, y)])
    xs, ys = (
        np.linspace(axis.low, axis.high, ARROWS, endpoint=False) + gap / 2
        for axis, gap in zip((x, y), apart, strict=True)
    )
    where = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    # in distances between two arrows, as the map is drawn
    down = -np.asarray(gradients(loss, where.astype(np.float32), tuple(data)), float) / apart
    slopes = np.linalg.norm(down, axis=1)
    finite = np.isfinite(slopes)
    there = finite & (slopes > LEVEL * slopes[finite].max(initial=0))
    where, down, slopes = where[there], down[there], slopes[there]
    across = down / slopes[:, None] * lengths(slopes)[:, None]
    path = (where[:, None, :] + arrow_path(across) * apart).reshape(-1, 2).astype(np.float32)
    return go.Scatter(
        x=path[:, 0],
        y=path[:, 1],
        mode="lines",
        line={"color": colors.ink, "width": 1.1},
        opacity=0.8,
        hoverinfo="skip",
    )


def arrow_path(across: np.ndarray) -> np.ndarray:
    """Arrows ``(n, 2)`` as points of a line about their middles ``(n, 7, 2)``: shaft, head, and NaN for a break."""
    ways = across * HEAD / np.linalg.norm(across, axis=1, keepdims=True)
    aside = 0.5 * ways @ np.array([[0.0, 1.0], [-1.0, 0.0]])
    tail, tip = -across / 2, across / 2
    points = [tail, tip, tip - ways + aside, tip, tip - ways - aside, tip, np.full_like(tip, np.nan)]
    return np.stack(points, axis=1)


def map_caption(setup: RunSetup) -> str:
    """What is said above a map."""
    return FIELD if setup.field else CLICK


def field_switch(controls: Controls[Any]) -> None:
    """Draw the switch of the gradient field."""
    controls.draw(
        "field",
        st.toggle,
        "Gradient field on the map",
        help="Arrows that point downhill, against the gradient. Each is longer where the loss is steeper, by its "
        "order of magnitude.",
    )


def lengths(slopes: np.ndarray) -> np.ndarray:
    """How long the arrow of each slope is, in distances between two arrows."""
    if not slopes.size:
        return slopes
    decades = np.log10(slopes)
    high = decades.max()
    low = max(decades.min(), high - DECADES)
    share = np.clip((decades - low) / (high - low), 0, 1) if high > low else np.ones_like(decades)
    return SHORTEST + (LONGEST - SHORTEST) * share
