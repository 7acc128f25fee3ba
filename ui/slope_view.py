"""A function and its slope on the page: the tangent, finite differences, and a visitor's own derivative checked."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from engine import ExpressionError, parse, slopes
from engine.expressions import Function
from ui.figures import Axis, plane
from ui.loss_view import CODE as LOSS_CODE
from ui.loss_view import roomy, show_loss
from ui.palette import GROUNDS, STYLES, swatch
from ui.setups import CHECK, DIFFERENCES, LOSS, SLOPE, WIDTHS, GradientsSetup
from ui.slope_controls import (
    CONTROLS,
    decimals,
    said,
    take_h,
    take_h_click,
    take_x0,
    take_x0_click,
)
from ui.stage import stage
from ui.tables import guarded

TANGENT, TYPED = STYLES[0], STYLES[1]
METHODS = {"forward": STYLES[1], "central": STYLES[2]}
FORMULAS = {
    "forward": r"\frac{f(x_0+h)-f(x_0)}{h}",
    "central": r"\frac{f(x_0+h)-f(x_0-h)}{2h}",
}
REACH = 1.1  # how far around x₀ the differences are drawn: the widest h, and a little more

# ---- what is looked at


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


@lru_cache(maxsize=64)
def differences(f: Function, x0: float) -> slopes.Differences:
    return slopes.differences(f, x0, np.array(WIDTHS))


@lru_cache(maxsize=64)
def checked(f: Function, typed: Function, low: float, high: float) -> slopes.Check | None:
    return slopes.check(f, typed, low, high)


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


# ---- figures


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


@lru_cache(maxsize=64)
def slope_ground(f: Function, low: float, high: float, theme: str) -> Mapping[str, str]:
    found, colors = curves(f, low, high), GROUNDS[theme]
    x, revision = Axis("x", low, high), f"{low} {high} {f.latex}"
    upper = plane(x, Axis("f(x)", *span(found.f)), theme, [curve(found.x, found.f, colors.ink, "f")], revision=revision)
    faint = curve(found.x, found.slope, colors.ink, "f′", opacity=0.5, dash="dot", width=1.6)
    lower = plane(x, Axis("f′(x)", *span(found.slope)), theme, [faint], revision=revision)
    return {"curve": roomy(upper).to_json(), "slope": roomy(lower).to_json()}


# ---- the parts


def show_part(setup: GradientsSetup, theme: str) -> None:
    """The part that was chosen: its formula, its picture and its table."""
    if setup.part == LOSS:
        show_loss(setup, theme)
    elif (f := function(setup)) is not None:
        {SLOPE: show_slope, DIFFERENCES: show_differences, CHECK: show_check}[setup.part](setup, f, theme)


def show_look_for(setup: GradientsSetup) -> None:
    preset = CONTROLS.preset(setup)
    st.markdown(f":material/visibility: {preset.look_for if preset else 'Your own set-up.'}", width="stretch")


def formulas(*lines: str) -> None:
    for column, line in zip(st.columns(len(lines), vertical_alignment="center"), lines, strict=True):
        column.latex(line)


def show_slope(setup: GradientsSetup, f: Function, theme: str) -> None:
    formulas(f"f(x) = {f.latex}", r"f'(x_0) = \lim_{h \to 0} \frac{f(x_0+h)-f(x_0)}{h}")
    found = curves(f, setup.low, setup.high)
    x, values, slope = (some.astype(float) for some in (found.x, found.f, found.slope))
    track = stage.Track(
        "tangent", TANGENT, {"f": values, "slope": slope, "intercept": drawable(values - slope * x), "x": x}
    )
    digits = [places(some) for some in (found.x, found.f, found.slope)]
    stage.show(
        slope_ground(f, setup.low, setup.high, theme),
        [
            stage.View(
                name="curve",
                caption="f and its tangent at x₀ · click to move x₀",
                says="The curve of f, with the straight line that touches it at x₀.",
                path=("x", "f"),
                line=("intercept", "slope"),
                click="start",
            ),
            stage.View(
                name="slope",
                caption="f′, the slope of that tangent",
                says="The slope of f at every point up to x₀.",
                path=("step", "slope"),
                click="start",
            ),
        ],
        [track],
        found.x,
        [stage.Number("f", "f", digits[1]), stage.Number("slope", "f′", digits[2])],
        theme=theme,
        key=CONTROLS.key("stage"),
        index=stage.Index("x₀", digits[0]),
        at=setup.places().index(setup.x0),
        on_start=take_x0_click,
        on_at=take_x0,
    )
    place = setup.places().index(setup.x0)
    st.markdown(about_x0(f, setup.x0, float(values[place]), float(slope[place])))
    st.subheader("x, f and f′ at all 100 points", anchor=False)
    show_table(pd.DataFrame({"x": found.x, "f": found.f, "f′": found.slope}), digits)
    download(setup.text, pd.DataFrame({"x": found.x, "f": found.f, "df": found.slope}), "slope.csv")


def about_x0(f: Function, x0: float, value: float, slope: float) -> str:
    """What there is to say about the slope at one point. Holds nothing that was typed."""
    at = f"$x_0$ = {said(x0, 6)}"
    if not math.isfinite(value):
        return f":material/block: At {at}, $f$ is not defined, so there is no slope either."
    if not math.isfinite(slope):
        return f":material/block: At {at}, $f$ has a value, but `jax.grad` finds no slope that is a number."
    corner = kink(f, x0)
    if corner:
        return (
            f":material/turn_sharp_right: {at} is a corner: the slope is {said(corner.left)} just left of it and "
            f"{said(corner.right)} just right of it, so there is no one slope at the corner itself. "
            f"By convention, `jax.grad` says {said_as_float(corner.convention)}."
        )
    if slope == 0:
        return f":material/trending_flat: At {at} the slope is 0: the tangent is level."
    way = "up" if slope > 0 else "down"
    return (
        f":material/{'trending_up' if slope > 0 else 'trending_down'}: At {at} the slope is {said(slope, 4)}: "
        f"a small step to the right takes $f$ {way} by about {said(abs(slope), 4)} times that step."
    )


def said_as_float(value: float) -> str:
    return said(value) if not float(value).is_integer() else f"{value:.1f}".replace("-", "−")


def show_differences(setup: GradientsSetup, f: Function, theme: str) -> None:
    formulas(f"f(x) = {f.latex}", *(rf"\text{{{name}: }} {formula}" for name, formula in FORMULAS.items()))
    found = differences(f, setup.x0)
    if not math.isfinite(found.slope):
        return complain(
            "There is no slope to compare with.",
            f"At x₀ = {said(setup.x0, 6)}, f or its slope is not defined.",
            "In the sidebar, move $x_0$.",
        )
    h, x0 = np.array(WIDTHS), setup.x0
    low, _ = error_range(found.errors)
    here = float(slopes.curve(f, np.array([x0]))[0][0])
    tracks = []
    for name, style in METHODS.items():
        # a secant goes through (x₀ + h, f(x₀ + h)); the central one sets out from the other side
        side = 1 if name == "forward" else -1
        ends = slopes.curve(f, x0 + side * h)[0].astype(float)
        through = (x0, here) if side > 0 else (x0 + side * h, ends)
        estimate, error = found.estimates[name], found.errors[name]
        tracks.append(
            stage.Track(
                name,
                style,
                {
                    "x": x0 + side * h,
                    "f": ends,
                    "slope": drawable(estimate),
                    "intercept": drawable(through[1] - estimate * through[0]),
                    "error": error,
                    "shown": np.maximum(error, low),  # a logarithmic axis has no place for 0
                },
            )
        )
    stage.show(
        differences_ground(f, x0, theme),
        [
            stage.View(
                name="secants",
                caption="the lines through two points, h apart",
                says="The curve of f around x₀ with its tangent, and the line of each finite difference.",
                path=("x", "f"),
                line=("intercept", "slope"),
            ),
            stage.View(
                name="errors",
                caption="",
                says="The error of each finite difference against h, both on logarithmic axes.",
                path=("step", "shown"),
                click="start",
            ),
        ],
        tracks,
        h,
        [stage.Number("slope", "slope", 6), stage.Number("error", "error", 8)],
        theme=theme,
        key=CONTROLS.key("widths"),
        index=stage.Index("h", 8),
        at=WIDTHS.index(setup.h),
        on_start=take_h_click,
        on_at=take_h,
    )
    st.markdown("\n".join(f"- {line}" for line in about_errors(f, x0, found)))
    st.subheader("The two slopes and their errors for every h", anchor=False)
    columns = {"h": h}
    for name in METHODS:
        columns |= {name: found.estimates[name], f"error of {name}": found.errors[name]}
    table = pd.DataFrame(columns)
    show_table(table, ["%.8f", "%.6f", "%.2e", "%.6f", "%.2e"])
    download(setup.text, table, "finite_differences.csv")


@lru_cache(maxsize=64)
def differences_ground(f: Function, x0: float, theme: str) -> Mapping[str, str]:
    colors, found, h = GROUNDS[theme], differences(f, x0), np.array(WIDTHS)
    x = np.linspace(x0 - REACH, x0 + REACH, 221)
    y = slopes.curve(f, x)[0]
    here = float(slopes.curve(f, np.array([x0]))[0][0])
    tangent = curve(x, here + found.slope * (x - x0), colors.ink, "tangent", opacity=0.6, dash="dot", width=1.6)
    point = go.Scatter(
        x=[x0], y=[here], mode="markers", marker={"size": 8, "color": colors.goal}, hovertemplate="x₀<extra></extra>"
    )
    low, high = error_range(found.errors)
    revision = f"{x0} {f.latex}"
    secants = plane(
        Axis("x", x0 - REACH, x0 + REACH),
        Axis("f(x)", *span(y)),
        theme,
        [tangent, curve(x, y, colors.ink, "f"), point],
        revision=revision,
    )
    errors = plane(
        Axis("h, logarithmic", WIDTHS[-1] / 1.5, 1.5, log=True),
        Axis("error, logarithmic", low, high, log=True),
        theme,
        [
            curve(h, np.maximum(found.errors[name], low), style.color(theme), name, width=1.2, dash="dot")
            for name, style in METHODS.items()
        ],
        revision=revision,
        left=62,
    )
    errors.update_layout(annotations=[*best_notes(found.errors, low, high, theme), *sides(found.errors, theme)])
    return {"secants": roomy(secants).to_json(), "errors": roomy(errors).to_json()}


def best_notes(errors: Mapping[str, np.ndarray], low: float, high: float, theme: str) -> list[dict]:
    """A note at the least error of each method: forward's from above, within the V, and central's from below."""
    bests = {name: at for name in METHODS if (at := slopes.best(errors[name])) is not None}
    alike = len(set(bests.values())) == 1 < len(bests)
    notes = []
    for name, at in bests.items():
        if alike and name != "forward":
            continue
        color = GROUNDS[theme].ink if alike else METHODS[name].color(theme)
        above = {"ayref": "y", "ay": math.log10(high) - 0.4, "yanchor": "bottom"}
        notes.append(
            {
                "x": math.log10(WIDTHS[at]),  # where an axis is logarithmic, a note is placed by its exponents
                "y": math.log10(max(errors[name][at], low)),
                "text": f"best {'for both,' if alike else name} h = {said(WIDTHS[at])}",
                "font": {"color": color, "size": 12},
                "axref": "x",
                "ax": math.log10(WIDTHS[at]),
                **(above if name == "forward" or errors[name][at] <= low else {"ay": 30}),
                "xanchor": "left" if at > len(WIDTHS) - 12 else "right" if at < 10 else "center",
                "arrowcolor": color,
                "arrowwidth": 1.2,
                "arrowhead": 2,
                "standoff": 5,
            }
        )
    return notes


def sides(errors: Mapping[str, np.ndarray], theme: str) -> list[dict]:
    """Over the plot, what makes the error large: on the left rounding, on the right truncation, if there is any."""
    note = {"xref": "paper", "yref": "paper", "showarrow": False, "font": {"color": GROUNDS[theme].ink}}
    notes = [{**note, "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "text": "← rounding"}]
    if any(slopes.best(some) != 0 for some in errors.values()):
        notes.append({**note, "x": 1, "y": 1, "xanchor": "right", "yanchor": "bottom", "text": "truncation →"})
    return notes


def error_range(errors: Mapping[str, np.ndarray]) -> tuple[float, float]:
    """The errors that are drawn: all but 0, which has no place on a logarithmic axis and is put at its lower edge."""
    some = np.concatenate(list(errors.values()))
    some = some[np.isfinite(some) & (some > 0)]
    if not some.size:
        return 1e-9, 1.0
    low, high = math.floor(math.log10(some.min())) - 1, math.ceil(math.log10(some.max()) + 0.01)
    return 10.0**low, 10.0 ** max(high, low + 2)


def about_errors(f: Function, x0: float, found: slopes.Differences) -> list[str]:
    """What the errors show, one sentence or two for each method, with its numbers."""
    lines, h = [], WIDTHS
    if (corner := kink(f, x0)) is not None:
        lines.append(
            f"$x_0$ is a corner: its slope is {said(corner.left)} on the left and {said(corner.right)} on the right. "
            "Forward sees the right side alone, central the mean of both, and by convention `jax.grad` says "
            f"{said_as_float(corner.convention)}. No small h makes them agree."
        )
    ten, hundred = h.index(0.1), h.index(0.01)
    for name in METHODS:
        errors = found.errors[name]
        at = slopes.best(errors)
        if at is None:
            lines.append(f"**{name.capitalize()}**: $f$ is not defined at both points it needs, for any h.")
            continue
        least = "0: it is exact there" if errors[at] == 0 else said(errors[at], 2)
        words = f"**{name.capitalize()}** is best at **h = {said(h[at])}**, where its error is {least}."
        ratio = errors[ten] / errors[hundred] if errors[hundred] > 0 else math.nan
        if corner is None and at > hundred and math.isfinite(ratio) and ratio > 3:
            words += f" A ten times smaller h, from 0.1 to 0.01, makes its error {said(ratio)} times smaller."
        elif corner is None and at == 0:
            words += " A wide h does no harm here: this curve has no bend that this formula would miss."
        lines.append(words)
    lines.append(
        "**Truncation** (right): the wider h, the more the curve bends between the two points. "
        "**Rounding** (left): 32-bit numbers keep about seven digits. The closer the two points, the more of these "
        "digits are alike and cancel, and dividing by a small h magnifies what is left."
    )
    return lines


def show_check(setup: GradientsSetup, f: Function, theme: str) -> None:
    formulas(f"f(x) = {f.latex}", r"f'(x) = \; ?")
    st.text_input(
        "What is its slope $f'(x)$?",
        key=CONTROLS.at("answer"),
        max_chars=200,
        placeholder="Type a formula, such as 2x + 1, and press Enter",
        help="Work it out on paper first. Any form of the right answer is right.",
    )
    if not setup.answer.strip():
        st.markdown(
            ":material/edit: Type what you think $f'$ is. It is compared with `jax.grad` at "
            f"{slopes.CHECKED} points of the interval, and both curves are drawn."
        )
        return
    try:
        typed = read(setup.answer)
    except ExpressionError as error:
        return complain("Your f′(x) cannot be read.", str(error), "Change it in the field above.")
    st.latex(rf"\text{{your }} f'(x) = {typed.latex}")
    found = checked(f, typed, setup.low, setup.high)
    if found is None:
        return complain(
            "There is nothing to compare with.",
            f"f has no slope at any point from {setup.low:g} to {setup.high:g}.".replace("-", "−"),
            "In the sidebar, choose another interval.",
        )
    right, words = verdict(found)
    (st.success if right else st.error)(words, icon=":material/check_circle:" if right else ":material/cancel:")
    true, given = (curves(some, setup.low, setup.high) for some in (f, typed))
    st.markdown(
        f"![]({swatch(TANGENT, theme)}) $f'$ by `jax.grad` &emsp; ![]({swatch(TYPED, theme)}) your $f'$"
        + ("" if right else " &emsp; ○ furthest apart")
    )
    st.plotly_chart(
        check_figure(setup, true.slope, given.f, found, right, theme),
        config={"displayModeBar": False, "scrollZoom": False},
        key=CONTROLS.key("compared"),
        height=380,
        theme=None,
    )
    st.subheader("Both at the points that were compared", anchor=False)
    table = pd.DataFrame({"x": found.x, "f′ by jax.grad": found.true, "yours": found.typed})
    show_table(table, ["%.4f", "%.6g", "%.6g"])
    table.insert(0, "answer", guarded(setup.answer.strip()))
    download(setup.text, table, "check.csv")


def verdict(found: slopes.Check) -> tuple[bool, str]:
    """Whether a typed derivative is right, and where it is not. Holds nothing that was typed."""
    count, points = int(found.right.sum()), len(found.x)
    if found.right.all():
        left_out = slopes.CHECKED - points
        beside = f" At the other {left_out}, f itself has no slope." if left_out else ""
        return True, f"**Right.** It agrees with jax.grad at all {points} points where f has a slope.{beside}"
    x, true, given = (said(float(some[found.worst]), 4) for some in (found.x, found.true, found.typed))
    agrees = f"It agrees at {count} of {points} points." if count else "It agrees at none of the points."
    if not math.isfinite(found.typed[found.worst]):
        return False, f"**Not yet.** At x = {x} yours is not defined, but the slope of f there is {true}. {agrees}"
    return False, f"**Not yet.** Furthest apart at x = {x}: yours gives {given}, jax.grad {true}. {agrees}"


def check_figure(
    setup: GradientsSetup, true: np.ndarray, given: np.ndarray, found: slopes.Check, right: bool, theme: str
) -> go.Figure:
    x, colors = slopes.points(setup.low, setup.high), GROUNDS[theme]
    traces = [
        curve(x, true, TANGENT.color(theme), "jax.grad", width=4),
        curve(x, given, TYPED.color(theme), "yours", dash="dash", width=2.4),
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
    room = 2 * (high - low)  # a wild answer may leave the picture, but not flatten the slope
    y = Axis("f′(x)", max(min(low, other_low), low - room), min(max(high, other_high), high + room))
    return plane(Axis("x", setup.low, setup.high), y, theme, traces, revision=f"{setup.low} {setup.high}")


# ---- tables


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
    named.insert(0, "function", guarded(text.strip()))
    return named.to_csv(index=False).encode()


# ---- how it works

CODE: Mapping[str, tuple[str, Sequence[Callable]]] = {
    SLOPE: (
        "`jax.value_and_grad` turns the function into one that gives its value and its slope: it goes through the "
        "function's own steps with the rule for each one's derivative, so nothing is approximated. "
        "`jax.vmap` asks it at all points at once.",
        (slopes.points, slopes.curve, slopes.kink),
    ),
    DIFFERENCES: (
        "Two values of the function, a little apart, give the slope of the line between them. It is computed in 32-bit "
        "numbers, as JAX does by default, and compared with `jax.grad`.",
        (slopes.finite_differences, slopes.best),
    ),
    CHECK: (
        "Your formula is computed at points across the interval, and so is the slope of f by `jax.grad`. What counts "
        "is whether the values agree, to a thousandth; so any form of the right answer is right. Here the numbers "
        "have 64 bits, so that rounding is not taken for a mistake.",
        (slopes.check,),
    ),
    LOSS: LOSS_CODE,
}


def show_cards(setup: GradientsSetup) -> None:
    words, code = CODE[setup.part]
    card = st.expander("The code that runs", key=CONTROLS.key("card", setup.part), on_change="rerun")
    if card.open:
        with card:
            st.markdown(words)
            for part in code:
                st.markdown(f"From `{part.__module__.replace('.', '/')}.py`:")
                st.code(inspect.getsource(part), language="python", wrap_lines=True)
