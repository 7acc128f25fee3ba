"""The part about the slope: the tangent of f at x₀, and f′ as the slope of that tangent."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

import pandas as pd
import streamlit as st

from engine import slopes
from engine.expressions import Function
from ui.ask.asking import Asking
from ui.ask.panel import show_hidden
from ui.draw.figures import Axis, plane
from ui.draw.palette import STYLES, VARIABLES
from ui.draw.stage.stage import Index, Readout, Stage, Track, View, digest
from ui.gradients.controls import CONTROLS, take_x0, take_x0_click
from ui.gradients.functions import (
    column_decimals,
    curve,
    curves,
    download,
    drawable,
    formula_of,
    function_of,
    show_formulas,
    show_table,
    sides,
    span,
    with_margins,
)
from ui.numbers import format_float, format_number
from ui.setup.layout import stage_layout
from ui.setup.pages import GradientsSetup
from ui.setup.questions.question import Facts
from ui.setup.questions.slope import Slope

TANGENT = STYLES[0]

CODE = (
    "`jax.value_and_grad` turns the function into one that gives its value and its slope: it applies the "
    "rule for the derivative of each operation in the formula, so nothing is approximated. "
    "`jax.vmap` computes it at all points at once.",
    (slopes.points, slopes.curve, slopes.one_sided_limits, slopes.stay_apart, slopes.limit),
)


def show_slope(setup: GradientsSetup, asking: Asking, f: Function) -> None:
    """The stage with f, its tangent and f′, a sentence about x₀, and the table."""
    show_formulas(formula_of(setup, f), r"f'(x_0) = \lim_{h \to 0} \frac{f(x_0+h)-f(x_0)}{h}")
    if asking.held:
        return show_without_slope(setup, asking, f)
    found = curves(f, setup.low, setup.high)
    x, values, slope = (some.astype(float) for some in (found.x, found.f, found.slope))
    track = Track("tangent", TANGENT, {"f": values, "slope": slope, "intercept": drawable(values - slope * x), "x": x})
    digits = [column_decimals(some) for some in (found.x, found.f, found.slope)]
    Stage(
        figures=slope_figures(f, setup.low, setup.high),
        views=[
            View(
                name="curve",
                caption="f and its tangent at x₀ · click to move x₀",
                says="The curve of f, with the straight line that touches it at x₀.",
                path=("x", "f"),
                line=("intercept", "slope"),
                click="start",
            ),
            View(
                name="slope",
                caption="f′, the slope of that tangent",
                says="The slope of f at every point up to x₀.",
                path=("step", "slope"),
                click="start",
            ),
        ],
        tracks=[track],
        steps=found.x,
        numbers=[Readout("f", "f", digits[1]), Readout("slope", "f′", digits[2])],
        index=Index("x₀", digits[0]),
        at=setup.places().index(setup.x0),
    ).show(**stage_layout(CONTROLS, setup, sets=["x0"]), on_start=take_x0_click, on_at=take_x0)
    if not CONTROLS.shows("results"):
        return
    place = setup.places().index(setup.x0)
    st.markdown(describe_x0(f, setup.x0, float(values[place]), float(slope[place])))
    st.subheader("x, f and f′ at all 100 points", anchor=False)
    show_table(pd.DataFrame({"x": found.x, "f": found.f, "f′": found.slope}), digits)
    download(setup, pd.DataFrame({"x": found.x, "f": found.f, "df": found.slope}), "slope.csv")


def show_without_slope(setup: GradientsSetup, asking: Asking, f: Function) -> None:
    """The stage with f and the point at x₀ alone, while its slope is asked for."""
    found, place = curves(f, setup.low, setup.high), setup.places().index(setup.x0)
    x, values = (some[place : place + 1].astype(float) for some in (found.x, found.f))
    Stage(
        figures={"curve": slope_figures(f, setup.low, setup.high)["curve"]},
        views=[
            View(
                name="curve",
                caption=asking.on_map("f and the point at x₀ · click to move x₀"),
                says="The curve of f, and the point on it at x₀.",
                path=("x", "f"),
                click="start",
            )
        ],
        tracks=[Track("tangent", TANGENT, {"f": values, "x": x})],
        steps=x,
        numbers=[Readout("f", "f", column_decimals(found.f))],
        index=Index("x₀", column_decimals(found.x)),
        held=len(found.x),
    ).show(**stage_layout(CONTROLS, setup, sets=["x0"]), on_start=asking.on_click(take_x0_click))
    show_hidden("The slope f′, with its tangent and its table,")


def slope_problem(setup: GradientsSetup) -> str:
    """Why the slope at x₀ cannot be asked for, in a sentence; "" where it can, or where it is not asked for."""
    if setup.ask != Slope.word:
        return ""
    f = function_of(setup)
    if isinstance(f, tuple):
        return f[0]
    slope = dict(facts(setup).points).get(setup.x0, math.nan)
    near = sides(f, setup.x0)
    level = not (near.jumps or near.corner) and math.isfinite(near.left + near.right)
    return "" if math.isfinite(slope) and level else f"At x₀ = {format_number(setup.x0, 4)}, f has no one slope."


def facts(setup: GradientsSetup) -> Facts:
    """What the outcome of a question about the slope is computed from."""
    f = function_of(setup)
    if isinstance(f, tuple):
        return Facts()
    slope = curves(f, setup.low, setup.high).slope.astype(float)
    return Facts(points=list(zip(setup.places(), slope.tolist(), strict=True)))


@lru_cache(maxsize=64)
def slope_figures(f: Function, low: float, high: float) -> Mapping[str, str]:
    """The still figures of the stage as Plotly JSON: f, and f′."""
    found, colors = curves(f, low, high), VARIABLES
    x, revision = Axis("x", low, high), digest(f"{low} {high} {f.latex}")
    upper = plane(x, Axis("f(x)", *span(found.f)), [curve(found.x, found.f, colors.ink, "f")], revision=revision)
    faint = curve(found.x, found.slope, colors.ink, "f′", opacity=0.5, dash="dot", width=1.6)
    lower = plane(x, Axis("f′(x)", *span(found.slope)), [faint], revision=revision)
    return {"curve": with_margins(upper).to_json(), "slope": with_margins(lower).to_json()}


def describe_x0(f: Function, x0: float, value: float, slope: float) -> str:
    """What the slope at one point is, or why there is none. Shown as Markdown: nothing that was typed is in it."""
    at = f"$x_0$ = {format_number(x0, 6)}"
    if not math.isfinite(value):
        return f":material/block: At {at}, $f$ is not defined, so there is no slope either."
    near = sides(f, x0)
    by_jax = f"`jax.grad` says {format_float(slope)}" if math.isfinite(slope) else "`jax.grad` finds no number there"
    if near.jumps:
        takes = (
            ": it takes the formula as it is on the side that $x_0$ itself belongs to" if math.isfinite(slope) else ""
        )
        return f":material/vertical_align_center: At {at}, $f$ jumps, so it has no slope there. {by_jax}{takes}."
    if math.isinf(near.left) or math.isinf(near.right):
        return f":material/height: At {at}, {describe_vertical(near)} {by_jax}."
    if near.corner:
        return (
            f":material/turn_sharp_right: {at} is a corner: the slope is {format_number(near.left)} just left of it "
            f"and {format_number(near.right)} just right of it, so there is no one slope at the corner itself. "
            f"By convention, {by_jax}."
        )
    if near.left_defined != near.right_defined:
        side, one = ("left", near.left) if near.left_defined else ("right", near.right)
        limit = f": from there the slope is {format_number(one, 4)}" if math.isfinite(one) else ""
        return f":material/start: At {at}, $f$ is defined on the {side} side alone{limit}. {by_jax}."
    if not math.isfinite(slope) and math.isfinite(near.left + near.right):
        return f":material/block: At {at} the slope is {format_number(near.right, 4)} from both sides, but {by_jax}."
    if not math.isfinite(slope):
        return f":material/block: At {at}, $f$ has a value, but `jax.grad` finds no slope that is a number."
    if slope == 0:
        return f":material/trending_flat: At {at} the slope is 0: the tangent is level."
    way = "up" if slope > 0 else "down"
    return (
        f":material/{'trending_up' if slope > 0 else 'trending_down'}: At {at} the slope is {format_number(slope, 4)}: "
        f"a small step to the right takes $f$ {way} by about {format_number(abs(slope), 4)} times that step."
    )


def describe_vertical(near: slopes.OneSidedLimits) -> str:
    """What the slope is where it grows without end on one side or on both."""
    if math.isinf(near.left) and math.isinf(near.right):
        if near.left == near.right:
            return "the tangent is vertical: the slope grows without end from both sides, so it is no number."
        return "$f$ has a cusp: the slope grows without end from both sides, with opposite signs, so it is no number."
    side, other = ("left", "right") if math.isinf(near.left) else ("right", "left")
    alone = not (near.left_defined and near.right_defined)
    ends = f" $f$ is not defined on the {other}." if alone else ""
    return f"the slope grows without end just {side} of it, so it is no number.{ends}"
