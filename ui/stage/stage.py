"""The animated view of a race: still Plotly figures, and racers that move over them by one step index.

``show`` is the whole of it. What moves is drawn in the browser (``stage.js``), so playing, stepping and scrubbing
cost no round trip.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import streamlit as st

from ui.palette import Style, swatch
from ui.stage.browser import GROUND, STAGE, plotly_address


@dataclass(frozen=True)
class View:
    """One still figure, and which quantities of a track say where it is on it: two on a plane, three in a scene."""

    name: str
    caption: str
    says: str  # for those who cannot see it: what the figure shows and what happened
    path: tuple[str, ...]
    figure: str | None = None  # Plotly JSON; None: it comes with the ground
    frame: tuple[tuple[float, float], ...] | None = None  # a racer outside it is said to be off the map
    click: str | None = None  # a click sends its coordinates under this name
    start: bool = False  # mark where the race began
    low: bool = False  # may be lower than the others where views are stacked
    lift: float = 0.0  # in a scene: how far above its place a path is drawn, as a share of the height


@dataclass(frozen=True)
class Track:
    """One racer: how it is drawn, and one array per quantity, ``(recorded,)`` each."""

    name: str
    style: Style
    values: Mapping[str, np.ndarray]
    stopped: int | None = None  # the step at which it left the finite numbers


@dataclass(frozen=True)
class Number:
    """A column of the table under the views."""

    key: str
    label: str
    digits: int


def packed(values: np.ndarray) -> str:
    return base64.b64encode(np.asarray(values, "<f4").tobytes()).decode()


def show(
    ground: Mapping[str, str],
    views: Sequence[View],
    tracks: Sequence[Track],
    steps: np.ndarray,
    numbers: Sequence[Number],
    *,
    theme: str,
    key: str,
    on_start: Callable[[], None],
) -> None:
    """Draw a race. ``ground`` maps view names to still figures (Plotly JSON), ``steps`` says which step each record is.

    A click on a view that takes one is kept in the session under ``key`` (its ``start``), and ``on_start`` is called.
    """
    ground_id = hashlib.sha256("".join(ground.values()).encode()).hexdigest()[:16]
    race = {
        "ground": ground_id,
        "plotly": plotly_address(),
        "theme": theme,
        "views": [asdict(view) for view in views],
        "steps": packed(steps),
        "numbers": [asdict(number) for number in numbers],
        "tracks": [
            {
                "name": track.name,
                "color": track.style.color(theme),
                "swatch": swatch(track.style, theme),
                "dash": track.style.dash,
                "marker": track.style.marker,
                "values": {name: packed(values) for name, values in track.values.items()},
                "stopped": track.stopped,
                "stopped_words": f"stopped at step {track.stopped}: its numbers grew without bound",
            }
            for track in tracks
        ],
    }
    race["id"] = hashlib.sha256(json.dumps(race).encode()).hexdigest()[:16]
    with st.container(gap=None):
        # by itself, so that it is sent once and not with every race
        GROUND(key=f"{key}-ground", data={"ground": ground_id, "figures": dict(ground)}, height="content")
        STAGE(key=key, data=race, on_start_change=on_start, on_theme_change=lambda: None, height="content")
