"""Finite differences on the page: two points close in on each other, and the error first shrinks, then grows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from engine import slopes
from engine.expressions import Function
from ui.draw.figures import Axis, plane
from ui.draw.palette import GROUNDS, STYLES
from ui.draw.stage import stage
from ui.gradients.controls import CONTROLS, said, take_h, take_h_click
from ui.gradients.functions import (
    complain,
    curve,
    download,
    drawable,
    formulas,
    kink,
    roomy,
    said_as_float,
    show_table,
    span,
)
from ui.setup.pages import WIDTHS, GradientsSetup

METHODS = {"forward": STYLES[1], "central": STYLES[2]}
FORMULAS = {
    "forward": r"\frac{f(x_0+h)-f(x_0)}{h}",
    "central": r"\frac{f(x_0+h)-f(x_0-h)}{2h}",
}
REACH = 1.1  # how far around x₀ the differences are drawn: the widest h, and a little more

CODE = (
    "Two values of the function, a little apart, give the slope of the line between them. It is computed in 32-bit "
    "numbers, as JAX does by default, and compared with `jax.grad`.",
    (slopes.finite_differences, slopes.most_accurate),
)


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
        who="difference",
        scene=CONTROLS.memory.scene,
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
def differences(f: Function, x0: float) -> slopes.Differences:
    return slopes.differences(f, x0, np.array(WIDTHS))


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
    if kink(f, x0) is None:  # at a corner no h is better than another
        errors.update_layout(annotations=[*best_notes(found.errors, low, high, theme), *sides(found.errors, theme)])
    return {"secants": roomy(secants).to_json(), "errors": roomy(errors).to_json()}


def best_notes(errors: Mapping[str, np.ndarray], low: float, high: float, theme: str) -> list[dict]:
    """A note at the least error of each method: forward's from above, within the V, and central's from below."""
    bests = {name: at for name in METHODS if (at := slopes.most_accurate(errors[name])) is not None}
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
    if any(slopes.most_accurate(some) != 0 for some in errors.values()):
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
    if (corner := kink(f, x0)) is not None:
        return [
            f"$x_0$ is a corner: its slope is {said(corner.left)} on the left and {said(corner.right)} on the right. "
            "Forward sees the right side alone, central the mean of both, and by convention `jax.grad` says "
            f"{said_as_float(corner.convention)}. No small h makes them agree."
        ]
    lines, h = [], WIDTHS
    ten, hundred = h.index(0.1), h.index(0.01)
    for name in METHODS:
        errors = found.errors[name]
        at = slopes.most_accurate(errors)
        if at is None:
            lines.append(f"**{name.capitalize()}**: $f$ is not defined at both points it needs, for any h.")
            continue
        least = "0: it is exact there" if errors[at] == 0 else said(errors[at], 2)
        words = f"**{name.capitalize()}** is best at **h = {said(h[at])}**, where its error is {least}."
        ratio = errors[ten] / errors[hundred] if errors[hundred] > 0 else math.nan
        if at > hundred and math.isfinite(ratio) and ratio > 3:
            words += f" A ten times smaller h, from 0.1 to 0.01, makes its error {said(ratio)} times smaller."
        elif at == 0:
            words += " A wide h does no harm here: this curve has no bend that this formula would miss."
        lines.append(words)
    lines.append(
        "**Truncation** (right): the wider h, the more the curve bends between the two points. "
        "**Rounding** (left): 32-bit numbers keep about seven digits. The closer the two points, the more of these "
        "digits are alike and cancel, and dividing by a small h magnifies what is left."
    )
    return lines
