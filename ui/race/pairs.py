"""The picture of an associative memory in the tab Many dimensions: the error of each of its pairs over the steps."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from engine.many import ManyRuns, Problem
from ui.draw.figures import color_scale, common_layout, show_figure
from ui.draw.palette import COLORS
from ui.race.controls import CONTROLS

DECADES = 3  # of an error, that have colours of their own
LEARNED = 0.1  # a pair is learned once its error is less than this share of what it was
STEPS_DRAWN = 120
TITLE_HEIGHT, ROW_HEIGHT = 34, 13  # pixels


def show_pairs(problem: Problem, found: Mapping[str, ManyRuns], theme: str) -> None:
    """A map for each racer: a row for each pair, a column for each step, the colour how wrong it still is."""
    often, seldom = problem.frequencies[0], problem.frequencies[-1]
    st.subheader("The error of each pair", anchor=False)
    st.markdown(
        f"A row for each pair, from the one that is asked for most often, 1 ({often:.0%}), to the rarest, "
        f"{len(problem.frequencies)} ({seldom:.0%}), and the steps from left to right. Light: as wrong as at the "
        "start. The darker, the better it is known; darkest: a thousandth of that error, or less."
    )
    show_figure(pair_figure(found, theme), CONTROLS.key("pairs"))


def pair_figure(found: Mapping[str, ManyRuns], theme: str) -> go.Figure:
    """The maps of all racers, two side by side."""
    columns = min(2, len(found))
    rows = math.ceil(len(found) / columns)
    colors = COLORS[theme]
    pairs = len(next(iter(found.values())).pairs)  # type: ignore[arg-type]
    height = rows * (TITLE_HEIGHT + ROW_HEIGHT * pairs) + 60
    drawn = make_subplots(
        rows,
        columns,
        subplot_titles=list(found),
        shared_xaxes=True,
        shared_yaxes=True,
        horizontal_spacing=0.04,
        vertical_spacing=TITLE_HEIGHT / height,
    )
    drawn.update_annotations(font={"size": 13, "color": colors.ink})
    for place, runs in enumerate(found.values()):
        some = np.unique(np.linspace(0, len(runs.steps) - 1, STEPS_DRAWN).astype(int))
        drawn.add_heatmap(
            x=runs.steps[some].tolist(),
            y=list(range(1, pairs + 1)),
            z=decades(runs)[:, some].tolist(),
            customdata=runs.pairs[:, some].tolist(),  # type: ignore[index]
            zmin=-DECADES,
            zmax=0,
            colorscale=color_scale(colors),
            showscale=False,
            hovertemplate="pair %{y}, step %{x}<br>error %{customdata:.3g}<extra></extra>",
            row=place // columns + 1,
            col=place % columns + 1,
        )
    drawn.update_layout(
        **common_layout(colors), height=height, margin={"l": 34, "r": 8, "t": 30, "b": 36}, dragmode=False
    )
    drawn.update_xaxes(fixedrange=True, color=colors.ink, showgrid=False)
    drawn.update_yaxes(fixedrange=True, color=colors.ink, showgrid=False, autorange="reversed", tickvals=[1, pairs])
    drawn.update_xaxes(title="step", row=rows)
    if len(found) % columns:  # the last row is not full
        drawn.update_xaxes(showticklabels=True, row=rows - 1, col=columns)
    return drawn


def decades(runs: ManyRuns) -> np.ndarray:
    """The error of each pair beside what it was at the start, in powers of ten ``(pairs, recorded)``."""
    assert runs.pairs is not None
    with np.errstate(divide="ignore"):
        return np.maximum(np.log10(runs.pairs / runs.pairs[:, :1]), -2 * DECADES)


def learned_at(runs: ManyRuns, pair: int) -> int | None:
    """The recorded step from which on a pair is known: its error stays small until the end; None if it does not."""
    assert runs.pairs is not None
    known = runs.pairs[pair] < LEARNED * runs.pairs[pair, 0]
    if not known[-1]:
        return None
    wrong = np.flatnonzero(~known)
    return int(runs.steps[wrong[-1] + 1])
