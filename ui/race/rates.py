"""The tab Learning rates: what every learning rate leads each racer to, from the same start."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import jax.numpy as jnp
import numpy as np
import plotly.graph_objects as go
import streamlit as st

from engine import Landscape, Optimizer
from engine.analysis import curvature
from engine.maps import Sweep, sweep
from engine.turned import TurnedOptimizer, unturned
from ui.admission import long_run, still_wanted, waiting
from ui.draw.figures import MIN_LOSS, Axis, loss_range, plane, show_figure
from ui.draw.palette import COLORS, Style
from ui.memo import Memo
from ui.numbers import format_point
from ui.race.controls import CONTROLS
from ui.setup.pages import RaceSetup
from ui.setup.racers import RATE, has_rate, names_in, with_rate, without_rate

RATES = 97  # from the lowest to the highest learning rate
SWEEPS = Memo[Sweep](256)


@dataclass(frozen=True)
class Look:
    """How a kind of ending is drawn: told apart by its shape too."""

    light: str
    dark: str
    symbol: str
    words: str

    def color(self, theme: str) -> str:
        """The colour in a theme, ``light`` or ``dark``."""
        return self.dark if theme == "dark" else self.light


STUCK = Look("#5d4a8a", "#a78fe0", "circle", "is stuck at another point")
DIVERGES = Look("#7d1d3f", "#d45c86", "x", "diverges")
LOOKS: Mapping[str, Look] = {  # those of a run without a tolerance
    "converged": Look("#1f77b4", "#58b4ec", "square", "converges"),
    "going": Look("#b9c4ce", "#45535f", "square", "is still moving"),
    "stands": Look("#5d4a8a", "#a78fe0", "hexagon", "stands still elsewhere"),
    "stuck": STUCK,
    "saddle": STUCK,
    "top": STUCK,
    "oscillating": Look("#d98b1f", "#f0a93c", "diamond", "oscillates"),
    "diverged": DIVERGES,
    "diverging": DIVERGES,
}


def show_rates(setup: RaceSetup, racer_styles: Mapping[str, Style], theme: str) -> None:
    """The outcome of every learning rate, and under it the loss at the end."""
    start = "the same start" if setup.hides("start") else format_point(setup.start)
    steps = "as many" if setup.hides("steps") else f"{setup.steps:,}"
    rings = "" if setup.hides("racers") else "Rings: the learning rates set in the sidebar. "
    click = "" if setup.fixes("racers") else "Click on a mark to see its run in the tab Race."
    own = "its own learning rate" + (" and the same noise" if setup.gradient_noise else "")
    st.markdown(f"Each mark is a run of {steps} steps from {start} with {own}. {rings}{click}")
    if missing := without_rate(setup):
        st.markdown(f":material/info: {missing}")
    if any(isinstance(racer, TurnedOptimizer) for racer in setup.racers) and not setup.hides("racers"):
        st.markdown(":material/info: Here no knob is turned in the middle of a run, as it is in the tab Race.")
    if not line_up(setup):
        return
    with waiting():
        found = {name: sweep_rates(setup, racer) for name, racer in line_up(setup)}
    told = not (setup.chosen_landscape.knobs and setup.hides("shape"))
    limit = limit_of(setup.chosen_landscape) if told else None
    show_figure(
        outcomes(setup, found, limit, theme), CONTROLS.key("outcomes"), on_select=take_rate, selection_mode="points"
    )
    show_figure(losses(setup, found, racer_styles, theme), CONTROLS.key("ends"), 300)
    if limit is not None:
        beyond = "every step ends further away from the minimum than it began"
        if setup.gradient_noise:
            beyond = "SGD goes further and further away from the minimum, whatever the noise"
        st.markdown(
            f"This surface is a quadratic function, so for plain SGD the learning rate has a limit (dashed): "
            f"2/λ = **{limit:.3g}**, where λ is the largest curvature. Above it, {beyond}."
        )


def line_up(setup: RaceSetup) -> list[tuple[str, Optimizer]]:
    """The racers that have a learning rate, by name, with the knobs that they start with."""
    first = map(unturned, setup.racers)
    return [(name, racer) for name, racer in zip(names_in(setup), first, strict=True) if has_rate(racer)]


def sweep_rates(setup: RaceSetup, racer: Optimizer) -> Sweep:
    """The run of one racer with every learning rate, made now if no visitor has asked for it before."""
    landscape, noise = setup.chosen_landscape, setup.gradient_noise
    (knob,) = (knob for knob in racer.knobs() if knob.name == RATE)
    rates = np.geomspace(knob.low, knob.high, RATES)
    return SWEEPS.get(
        (landscape, racer, setup.start, setup.steps, noise),
        long_run()(
            lambda: sweep(
                landscape.loss, racer, RATE, rates, [setup.start], setup.steps, minima=landscape.minima, noise=noise
            )
        ),
        still_wanted,
    )


@lru_cache(maxsize=64)
def limit_of(landscape: Landscape) -> float | None:
    """The limit 2/λ where the landscape bends the same everywhere, so that there is one; else None."""
    (x0, x1), (y0, y1) = landscape.domain
    somewhere = [(x0 + s * (x1 - x0), y0 + t * (y1 - y0)) for s, t in ((0.1, 0.2), (0.45, 0.8), (0.9, 0.35))]
    bends = [curvature(landscape.loss, np.array(point)) for point in somewhere]
    same = all(np.allclose(bend.values, bends[0].values, rtol=1e-4) for bend in bends)
    return bends[0].limit if same and bends[0].values[0] > 0 else None


def outcomes(setup: RaceSetup, found: Mapping[str, Sweep], limit: float | None, theme: str) -> go.Figure:
    """Racers by learning rate, each mark how the run ended."""
    rows = {name: len(found) - 1 - place for place, name in enumerate(found)}
    x = [float(rate) for outcome in found.values() for rate in outcome.values]
    y = [rows[name] for name, outcome in found.items() for _ in outcome.values]
    each_look = [LOOKS[ending.kind] for outcome in found.values() for ending in outcome.endings[:, 0]]
    places = {name: place for place, name in enumerate(names_in(setup))}
    where = [[places[name], float(rate)] for name, outcome in found.items() for rate in outcome.values]
    traces = []
    for look in dict.fromkeys(LOOKS.values()):
        mine = [i for i, its in enumerate(each_look) if its is look]
        traces.append(
            go.Scatter(
                x=[x[i] for i in mine],
                y=[y[i] for i in mine],
                customdata=[where[i] for i in mine],
                mode="markers",
                name=look.words,
                marker={"symbol": look.symbol, "size": 8, "color": look.color(theme)},
                hovertemplate="learning rate %{x:.3g}<br>" + look.words + "<extra></extra>",
                showlegend=True,
                selected={"marker": {"opacity": 1}},
                unselected={"marker": {"opacity": 1}},
            )
        )
    told = [] if setup.hides("racers") else line_up(setup)
    chosen = [(racer.learning_rate, rows[name]) for name, racer in told]  # type: ignore[attr-defined]
    traces.append(
        go.Scatter(
            x=[rate for rate, _ in chosen],
            y=[row for _, row in chosen],
            mode="markers",
            name="set in the sidebar",
            marker={"symbol": "circle-open", "size": 16, "color": COLORS[theme].goal, "line": {"width": 2.5}},
            hoverinfo="skip",
        )
    )
    low, high = min(x), max(x)
    drawn = plane(
        Axis("learning rate", low / 1.3, high * 1.3, True), Axis("", -0.7, len(found) - 0.3), traces, COLORS[theme]
    )
    drawn.update_yaxes(tickvals=list(rows.values()), ticktext=list(rows), showgrid=False)
    drawn.update_layout(
        height=110 + 34 * len(found),
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        margin={"l": 120, "r": 10, "t": 30, "b": 40},
        dragmode=False,
        clickmode="event+select",
    )
    if limit is not None and low < limit < high:
        drawn.add_vline(x=limit, line={"color": COLORS[theme].goal, "width": 1.5, "dash": "dash"})
    return drawn


def losses(setup: RaceSetup, found: Mapping[str, Sweep], racer_styles: Mapping[str, Style], theme: str) -> go.Figure:
    """The loss at the end over the learning rate; a run that diverged has none."""
    floor = setup.chosen_landscape.floor
    log = floor is not None
    curves = {}
    for name, outcome in found.items():
        ends = outcome.losses[:, 0].astype(float) - (floor or 0.0)
        ends[outcome.diverged[:, 0]] = np.nan
        curves[name] = np.maximum(ends, MIN_LOSS) if log else ends
    start = float(setup.chosen_landscape.loss(jnp.array(setup.start))) - (floor or 0.0)
    low, high = loss_range([np.append(start, curve) for curve in curves.values()], (0.0, 3 * abs(start)), log)
    rates = next(iter(found.values())).values
    title = "loss above minimum (log)" if log else "loss at the end"
    traces = [
        go.Scatter(
            x=[float(rate) for rate in rates],
            y=[float(v) if math.isfinite(v) else None for v in curve],
            mode="lines",
            line={"color": racer_styles[name].color(theme), "width": 2.4},
            hovertemplate="learning rate %{x:.3g}<br>loss %{y:.4g}<extra>" + name + "</extra>",
        )
        for name, curve in curves.items()
    ]
    x = Axis("learning rate", float(rates.min()) / 1.3, float(rates.max()) * 1.3, True)
    drawn = plane(x, Axis(title, low, high, log), traces, COLORS[theme])
    drawn.update_layout(margin={"l": 120, "r": 10, "t": 8, "b": 40}, dragmode=False)
    return drawn


def take_rate() -> None:
    """A click on a mark gives its racer that learning rate, and shows the race."""
    marks = st.session_state[CONTROLS.key("outcomes")].selection.points
    if not marks or "customdata" not in marks[0]:
        return
    place, rate = marks[0]["customdata"][:2]
    racers = list(CONTROLS.current_setup().racers)
    if int(place) < len(racers):
        racers[int(place)] = with_rate(racers[int(place)], float(f"{rate:.4g}"))
        CONTROLS.update(racers=tuple(racers), show="race")
