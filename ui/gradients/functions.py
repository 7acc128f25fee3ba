"""What the parts of the Gradients page share: the function over its interval, its curves, tables and messages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from engine import ExpressionError, parse, slopes
from engine.expressions import Function
from ui.draw import tables
from ui.gradients.controls import CONTROLS, decimals_needed
from ui.numbers import with_minus
from ui.setup.pages import GradientsSetup

MAX_LENGTH_IN_ROW = 60  # of a formula beside others, in characters of LaTeX


@dataclass(frozen=True)
class Curves:
    """A function over its interval. NaN where it is not defined."""

    x: np.ndarray  # (100,)
    f: np.ndarray  # (100,)
    slope: np.ndarray  # (100,)


@lru_cache(maxsize=64)
def parse_cached(text: str) -> Function:
    """A text as a function of x, the same object at each rerun, so that it is compiled once."""
    return parse(text, ("x",))


@lru_cache(maxsize=64)
def curves(f: Function, low: float, high: float) -> Curves:
    """A function and its slope at the 100 points of an interval."""
    x = slopes.points(low, high)
    return Curves(x, *slopes.curve(f, x))


kink = lru_cache(maxsize=256)(slopes.kink)
sides = lru_cache(maxsize=256)(slopes.one_sided_limits)


def function_of(setup: GradientsSetup) -> Function | tuple[str, str, str]:
    """The function of a set-up. Where it cannot be drawn: what is wrong, why, and what to do."""
    change = "Change the formula in the sidebar, or choose another f(x)."
    if not setup.wide_enough:
        return (
            "There is no interval to draw.",
            with_minus(f"It goes from x = {setup.low:g} to x = {setup.high:g}."),
            "In the sidebar, make *from* smaller than *to*, by 0.01 at least.",
        )
    try:
        f = parse_cached(setup.text)
    except ExpressionError as error:
        return "f(x) cannot be read.", str(error), change
    if f.is_derivative:
        typed = "The left side is a derivative. Type the function itself, such as f(x) = x^2."
        return "f(x) cannot be read.", typed, change
    if not np.isfinite(curves(f, setup.low, setup.high).f).any():
        return (
            "There is nothing to draw.",
            with_minus(f"f is not defined at any of the 100 points from {setup.low:g} to {setup.high:g}."),
            "In the sidebar, choose another interval.",
        )
    return f


def chosen_function(setup: GradientsSetup) -> Function | None:
    """The function of a set-up. Where it cannot be drawn, show why and what to do, and return None."""
    found = function_of(setup)
    if isinstance(found, tuple):
        show_problem(*found)
        return None
    return found


def show_problem(what: str, why: str, how: str) -> None:
    """A message: what is wrong, why, and what to do. ``why`` may hold what a visitor typed, so it is plain text."""
    with st.container(border=True, gap="small", key=CONTROLS.key("complaint")):
        st.markdown(f":material/error: **{what}**")
        st.text(why)
        st.markdown(how)


def span(values: np.ndarray) -> tuple[float, float]:
    """The range of an axis for these values. Outliers, as near a pole, are cut off: else all others would look flat."""
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
    """A curve, with a gap where it has no value."""
    return go.Scatter(
        x=np.asarray(x, float),
        y=[float(value) if np.isfinite(value) else None for value in y],
        mode="lines",
        opacity=opacity,
        line={"color": color, "width": 2, **line},
        hovertemplate=f"x %{{x:.4g}}<br>{name} %{{y:.4g}}<extra></extra>",
    )


def with_margins(figure: go.Figure) -> go.Figure:
    """A figure with room above for its caption, and below for exponents."""
    return figure.update_layout(margin={"t": 28, "b": 44})


def formula_of(setup: GradientsSetup, f: Function) -> str:
    """What f is, in LaTeX; a question mark where the link hides that."""
    return rf"f(x) = {'?' if setup.hides_f else f.latex}"


def show_formulas(first: str, *others: str) -> None:
    """Show formulas side by side; the first above the others where it is long."""
    lines = [first, *others]
    with st.container(gap="xsmall"):
        if len(first) > MAX_LENGTH_IN_ROW:
            st.latex(lines.pop(0))
        st.markdown(" &emsp; &emsp; ".join(f"${{{line}}}$" for line in lines))  # in braces: no line breaks within one


def drawable(values: np.ndarray) -> np.ndarray:
    """Numbers for the stage: in 32 bits, and NaN where they are not finite in those."""
    with np.errstate(over="ignore"):
        values = np.asarray(values, np.float32)
    return np.where(np.isfinite(values), values, np.nan)


def column_decimals(values: np.ndarray) -> int:
    """How many decimals a column of these numbers is shown with: from 1 to 4."""
    return decimals_needed([float(value) for value in values[np.isfinite(values)]], 4)


def show_table(table: pd.DataFrame, formats: Sequence[int | str]) -> None:
    """A table about 14 rows high. ``formats`` has a number of decimals, or a printf format, for each column."""
    shown = [f"%.{some}f" if isinstance(some, int) else some for some in formats]
    tables.show_table(table, dict(zip(table, shown, strict=True)), 247)


def download(setup: GradientsSetup, table: pd.DataFrame, name: str) -> None:
    """A button that downloads a table as a CSV file called ``name``, with the function unless the link hides it."""
    text = "" if setup.hides_f else setup.text
    tables.download_csv("All rows as CSV", name, lambda: with_function(text, table))


def with_function(text: str, table: pd.DataFrame) -> pd.DataFrame:
    """A table with the function it is about in its first column."""
    named = table.copy()
    named.insert(0, "function", text.strip())
    return named
