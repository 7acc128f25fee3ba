"""The part that checks a visitor's own derivative."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from engine import ExpressionError, slopes
from engine.expressions import Function
from ui.draw.figures import Axis, plane, show_figure
from ui.draw.palette import COLORS, STYLES, swatch
from ui.draw.tables import guarded
from ui.draw.theme import theme
from ui.gradients.controls import CONTROLS
from ui.gradients.functions import (
    curve,
    curves,
    download,
    formula_of,
    parse_cached,
    show_formulas,
    show_problem,
    show_table,
    span,
)
from ui.numbers import format_number, with_minus
from ui.setup.pages import GradientsSetup

TRUE_STYLE, TYPED_STYLE = STYLES[0], STYLES[1]

CODE = (
    "Your formula is computed at points across the interval, and so is the slope of f by `jax.grad`. What counts "
    "is whether the values agree, to nine digits; so any form of the right answer is right, and a constant too many is "
    "wrong. A decimal of three digits or more, such as 3.14 for π, may stand for any number that it is rounded or cut "
    "off from. Here the numbers have 64 bits, so that rounding is not taken for a mistake.",
    (slopes.check, slopes.with_exact_decimals),
)


def show_check(setup: GradientsSetup, f: Function) -> None:
    """The field for an answer, whether it is right, and both derivatives in a figure and a table."""
    show_formulas(formula_of(setup, f), r"f'(x) = \; ?")
    CONTROLS.draw(
        "answer",
        st.text_input,
        "What is its slope f′(x)?",
        max_chars=200,
        placeholder="Type a formula, such as 2x + 1, and press Enter",
        help="Work it out on paper first. Any form of the right answer is right. A decimal of three digits "
        "or more may be rounded, such as 3.14 for π; everything else is compared exactly.",
    )
    if not setup.answer.strip():
        st.markdown(
            ":material/edit: Type what you think $f'$ is. It is compared with `jax.grad` at "
            f"{slopes.CHECK_POINTS} points of the interval, and both curves are drawn."
        )
        return
    try:
        typed = parse_cached(setup.answer)
    except ExpressionError as error:
        return show_problem("Your f′(x) cannot be read.", str(error), "Change it in the field above.")
    if not setup.hides("answer"):
        st.latex(rf"\text{{your }} f'(x) = {typed.latex}")
    found = check_cached(f, typed, setup.low, setup.high)
    if found is None:
        return show_problem(
            "There is nothing to compare with.",
            with_minus(f"f has no slope at any point from {setup.low:g} to {setup.high:g}."),
            "In the sidebar, choose another interval.",
        )
    right, words = verdict(found)
    (st.success if right else st.error)(words, icon=":material/check_circle:" if right else ":material/cancel:")
    true, given = (curves(some, setup.low, setup.high) for some in (f, typed))
    st.markdown(
        f"![]({swatch(TRUE_STYLE, theme())}) $f'$ by `jax.grad` &emsp; ![]({swatch(TYPED_STYLE, theme())}) your $f'$"
        + ("" if right else " &emsp; ○ furthest apart")
    )
    show_figure(check_figure(setup, true.slope, given.f, found, right, theme()), CONTROLS.key("compared"), 380)
    if not CONTROLS.shows("results"):
        return
    st.subheader("Both at the points that were compared", anchor=False)
    table = pd.DataFrame({"x": found.x, "f′ by jax.grad": found.true, "yours": found.typed})
    show_table(table, ["%.4f", "%.6g", "%.6g"])
    if not setup.hides("answer"):
        table.insert(0, "answer", guarded(setup.answer.strip()))
    download(setup, table, "check.csv")


@lru_cache(maxsize=64)
def check_cached(f: Function, typed: Function, low: float, high: float) -> slopes.Check | None:
    """``slopes.check``, not computed again at each rerun. None where f has no slope in the interval."""
    return slopes.check(f, typed, low, high)


def verdict(found: slopes.Check) -> tuple[bool, str]:
    """Whether a typed derivative is right, and a sentence that says where it is not.

    It is shown as Markdown, so nothing that a visitor typed is in it.
    """
    count, points = int(found.right.sum()), len(found.x)
    if found.right.all():
        left_out = slopes.CHECK_POINTS - points
        beside = f" At the other {left_out}, f itself has no slope." if left_out else ""
        taken = ", with your decimals taken as rounded numbers" if found.rounded else ""
        return True, f"**Right.** It agrees with jax.grad at all {points} points where f has a slope{taken}.{beside}"
    x, (true, given) = (
        format_number(float(found.x[found.worst]), 4),
        format_apart(found.true[found.worst], found.typed[found.worst]),
    )
    agrees = f"It agrees at {count} of {points} points." if count else "It agrees at none of the points."
    if not math.isfinite(found.typed[found.worst]):
        return False, f"**Not yet.** At x = {x} yours is not defined, but the slope of f there is {true}. {agrees}"
    return False, f"**Not yet.** Furthest apart at x = {x}: yours gives {given}, jax.grad {true}. {agrees}"


def format_apart(one: float, other: float) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to tell them apart: they may differ by a small constant."""
    pairs = [(format_number(one, digits), format_number(other, digits)) for digits in range(4, 18)]
    return next((pair for pair in pairs if pair[0] != pair[1]), pairs[0])


def check_figure(
    setup: GradientsSetup, true: np.ndarray, given: np.ndarray, found: slopes.Check, right: bool, theme: str
) -> go.Figure:
    """Both derivatives over the interval, and where an answer is wrong the point at which it is most."""
    x, colors = slopes.points(setup.low, setup.high), COLORS[theme]
    traces = [
        curve(x, true, TRUE_STYLE.color(theme), "jax.grad", width=4),
        curve(x, given, TYPED_STYLE.color(theme), "yours", dash="dash", width=2.4),
    ]
    if not right:
        at = found.worst
        ends = [value for value in (found.true[at], found.typed[at]) if np.isfinite(value)]
        traces.append(
            go.Scatter(
                x=[float(found.x[at])] * len(ends),
                y=[float(value) for value in ends],
                mode="lines+markers",
                line={"color": colors.goal, "width": 1.5, "dash": "dot"},
                cliponaxis=False,
                marker={"symbol": "circle-open", "size": 12, "line": {"width": 2}},
                hovertemplate="furthest apart<br>x %{x:.4g}<br>%{y:.4g}<extra></extra>",
            )
        )
    low, high = span(true)
    other_low, other_high = span(given)
    room = 2 * (high - low)  # a far larger answer is cut off at the edge: else the true slope would look flat
    y = Axis("f′(x)", max(min(low, other_low), low - room), min(max(high, other_high), high + room))
    return plane(Axis("x", setup.low, setup.high), y, traces, colors, revision=f"{setup.low} {setup.high}")
