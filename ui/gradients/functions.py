"""What the parts of the Gradients page share: a typed function over its interval, its still curves, and tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from engine import ExpressionError, parse, slopes
from engine.expressions import Function
from ui.draw.tables import as_csv
from ui.draw.text import formula_row
from ui.gradients.controls import CONTROLS, decimals, said
from ui.setup.pages import GradientsSetup

LONG = 60  # characters of LaTeX


@dataclass(frozen=True)
class Curves:
    """A function over its interval. NaN where it is not defined."""

    x: np.ndarray  # (100,)
    f: np.ndarray  # (100,)
    slope: np.ndarray  # (100,)


@lru_cache(maxsize=64)
def read(text: str) -> Function:
    return parse(text, ("x",))


@lru_cache(maxsize=64)
def curves(f: Function, low: float, high: float) -> Curves:
    x = slopes.points(low, high)
    return Curves(x, *slopes.curve(f, x))


kink = lru_cache(maxsize=256)(slopes.kink)
sides = lru_cache(maxsize=256)(slopes.one_sided_limits)


def function(setup: GradientsSetup) -> Function | None:
    """The function that is looked at. Where there is none to draw, says why and how to go on, and gives None."""
    if not setup.wide_enough:
        complain(
            "There is no interval to draw.",
            f"It goes from x = {setup.low:g} to x = {setup.high:g}.".replace("-", "−"),
            "In the sidebar, make *from* smaller than *to*, by 0.01 at least.",
        )
        return None
    try:
        f = read(setup.text)
    except ExpressionError as error:
        complain("f(x) cannot be read.", str(error), "Change the formula in the sidebar, or choose another f(x).")
        return None
    if f.is_derivative:
        complain(
            "f(x) cannot be read.",
            "What stands on the left is a derivative. Here goes the function itself, such as f(x) = x^2.",
            "Change the formula in the sidebar, or choose another f(x).",
        )
        return None
    if not np.isfinite(curves(f, setup.low, setup.high).f).any():
        complain(
            "There is nothing to draw.",
            f"f is not defined at any of the 100 points from {setup.low:g} to {setup.high:g}.".replace("-", "−"),
            "In the sidebar, choose another interval.",
        )
        return None
    return f


def complain(what: str, why: str, how: str) -> None:
    """One thing that is wrong. ``why`` may hold what a visitor typed, so it is shown as plain text."""
    with st.container(border=True, gap="small", key=CONTROLS.key("complaint")):
        st.markdown(f":material/error: **{what}**")
        st.text(why)
        st.markdown(how)


def span(values: np.ndarray) -> tuple[float, float]:
    """The range of an axis for these values. Near a pole some are so large that all others would be one flat line."""
    finite = values[np.isfinite(values)].astype(float)
    if not finite.size:
        return -1.0, 1.0
    few, most = np.quantile(finite, [0.06, 0.94])
    room = 4 * (most - few) or math.inf
    low, high = max(float(finite.min()), few - room), min(float(finite.max()), most + room)
    if high - low <= 1e-6 * max(abs(low), abs(high), 1e-30):
        away = max(1.0, abs(low) / 2)
        return low - away, high + away
    return low - 0.08 * (high - low), high + 0.08 * (high - low)


def curve(x: np.ndarray, y: np.ndarray, color: str, name: str, *, opacity: float = 1, **line: object) -> go.Scatter:
    """A still curve, broken where it has no value."""
    return go.Scatter(
        x=np.asarray(x, float),
        y=[float(value) if np.isfinite(value) else None for value in y],
        mode="lines",
        opacity=opacity,
        line={"color": color, "width": 2, **line},
        hovertemplate=f"x %{{x:.4g}}<br>{name} %{{y:.4g}}<extra></extra>",
    )


def roomy(figure: go.Figure) -> go.Figure:
    """A figure with room above for its caption, and below for exponents."""
    return figure.update_layout(margin={"t": 28, "b": 44})


def formulas(first: str, *others: str) -> None:
    """Formulas side by side; the first by itself where it is long."""
    lines = [first, *others]
    if len(first) > LONG:
        st.latex(lines.pop(0))
    columns = formula_row(len(lines))
    for column, line in zip(columns, lines, strict=True):
        column.latex(line)


def said_as_float(value: float) -> str:
    return said(value) if not float(value).is_integer() else f"{value:.1f}".replace("-", "−")


def drawable(values: np.ndarray) -> np.ndarray:
    """Numbers as the stage takes them: in 32 bits, and NaN where they are none."""
    with np.errstate(over="ignore"):
        values = np.asarray(values, np.float32)
    return np.where(np.isfinite(values), values, np.nan)


def places(values: np.ndarray) -> int:
    """How many places after the point these numbers are shown with."""
    return decimals([float(value) for value in values[np.isfinite(values)]], 4)


def show_table(table: pd.DataFrame, formats: Sequence[int | str]) -> None:
    shown = [f"%.{some}f" if isinstance(some, int) else some for some in formats]
    st.dataframe(
        table,
        hide_index=True,
        height=247,
        placeholder="–",
        column_config={
            name: st.column_config.NumberColumn(format=form) for name, form in zip(table, shown, strict=True)
        },
    )


def download(text: str, table: pd.DataFrame, name: str) -> None:
    st.download_button(
        "All rows as CSV",
        partial(csv, text, table),
        name,
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


def csv(text: str, table: pd.DataFrame) -> bytes:
    """A table as CSV, the function it is about in its first column. The numbers read back exactly the same."""
    named = table.copy()
    named.insert(0, "function", text.strip())
    return as_csv(named)
