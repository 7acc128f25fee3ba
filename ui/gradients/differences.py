"""The part about finite differences: as h shrinks, the error first shrinks with it, and then grows."""

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
from ui.draw.palette import STYLES, VARIABLES
from ui.draw.stage.stage import Index, Readout, Stage, Track, View, digest
from ui.gradients.controls import CONTROLS, take_h, take_h_click
from ui.gradients.functions import (
    curve,
    download,
    drawable,
    formula_of,
    kink,
    show_formulas,
    show_problem,
    show_table,
    span,
    with_margins,
)
from ui.numbers import format_float, format_number
from ui.setup.layout import stage_layout
from ui.setup.pages import WIDTHS, GradientsSetup

METHODS = {"forward": STYLES[1], "central": STYLES[2]}
FORMULAS = {
    "forward": r"\frac{f(x_0+h)-f(x_0)}{h}",
    "central": r"\frac{f(x_0+h)-f(x_0-h)}{2h}",
}
HALF_WIDTH = 1.1  # of the interval around x₀ that is drawn: the widest h, and a little more

CODE = (
    "Two values of the function, a little apart, give the slope of the line between them. It is computed in 32-bit "
    "numbers, as JAX does by default, and compared with `jax.grad`.",
    (slopes.finite_differences, slopes.most_accurate),
)


def show_differences(setup: GradientsSetup, f: Function) -> None:
    """The secants and their errors for every h, in a stage, in words and in a table."""
    show_formulas(formula_of(setup, f), *(rf"\text{{{name}: }} {formula}" for name, formula in FORMULAS.items()))
    found = differences(f, setup.x0)
    if not math.isfinite(found.slope):
        return show_problem(
            "There is no slope to compare with.",
            f"At x₀ = {format_number(setup.x0, 6)}, f or its slope is not defined.",
            "In the sidebar, move $x_0$.",
        )
    h, x0 = np.array(WIDTHS), setup.x0
    low, _ = error_range(found.errors)
    here = float(slopes.curve(f, np.array([x0]))[0][0])
    tracks = []
    for name, style in METHODS.items():
        # The forward secant goes through x₀ and x₀ + h; the central one through x₀ − h and x₀ + h. The point that
        # is drawn on the curve is x₀ + h for forward, x₀ − h for central.
        side = 1 if name == "forward" else -1
        ends = slopes.curve(f, x0 + side * h)[0].astype(float)
        through = (x0, here) if side > 0 else (x0 + side * h, ends)
        estimate, error = found.estimates[name], found.errors[name]
        tracks.append(
            Track(
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
    Stage(
        figures=differences_figures(f, x0),
        views=[
            View(
                name="secants",
                caption="secants: lines through two points of f",
                says="The curve of f around x₀ with its tangent, and the line of each finite difference.",
                path=("x", "f"),
                line=("intercept", "slope"),
            ),
            View(
                name="errors",
                caption="",
                says="The error of each finite difference against h, both on logarithmic axes.",
                path=("step", "shown"),
                click="start",
            ),
        ],
        tracks=tracks,
        steps=h,
        numbers=[Readout("slope", "slope", 6), Readout("error", "error", 8)],
        who="difference",
        index=Index("h", 8),
        at=WIDTHS.index(setup.h),
    ).show(**stage_layout(CONTROLS, setup, "widths", ["h"]), on_start=take_h_click, on_at=take_h)
    if not CONTROLS.shows("results"):
        return
    st.markdown("\n".join(f"- {line}" for line in describe_errors(f, x0, found)))
    st.subheader("The two slopes and their errors for every h", anchor=False)
    columns = {"h": h}
    for name in METHODS:
        columns |= {name: found.estimates[name], f"error of {name}": found.errors[name]}
    table = pd.DataFrame(columns)
    show_table(table, ["%.8f", "%.6f", "%.2e", "%.6f", "%.2e"])
    download(setup, table, "finite_differences.csv")


@lru_cache(maxsize=64)
def differences(f: Function, x0: float) -> slopes.Differences:
    """``slopes.differences`` for every h, not computed again at each rerun."""
    return slopes.differences(f, x0, np.array(WIDTHS))


@lru_cache(maxsize=64)
def differences_figures(f: Function, x0: float) -> Mapping[str, str]:
    """The still figures of the stage as Plotly JSON: the curve with its tangent, and the errors of every h."""
    colors, found, h = VARIABLES, differences(f, x0), np.array(WIDTHS)
    x = np.linspace(x0 - HALF_WIDTH, x0 + HALF_WIDTH, 221)
    y = slopes.curve(f, x)[0]
    here = float(slopes.curve(f, np.array([x0]))[0][0])
    tangent = curve(x, here + found.slope * (x - x0), colors.ink, "tangent", opacity=0.6, dash="dot", width=1.6)
    point = go.Scatter(
        x=[x0], y=[here], mode="markers", marker={"size": 8, "color": colors.goal}, hovertemplate="x₀<extra></extra>"
    )
    low, high = error_range(found.errors)
    revision = digest(f"{x0} {f.latex}")
    secants = plane(
        Axis("x", x0 - HALF_WIDTH, x0 + HALF_WIDTH),
        Axis("f(x)", *span(y)),
        [tangent, curve(x, y, colors.ink, "f"), point],
        revision=revision,
    )
    errors = plane(
        Axis("h, logarithmic", WIDTHS[-1] / 1.5, 1.5, log=True),
        Axis("error, logarithmic", low, high, log=True),
        [
            curve(h, np.maximum(found.errors[name], low), style.variable, name, width=1.2, dash="dot")
            for name, style in METHODS.items()
        ],
        revision=revision,
        left=62,
    )
    if kink(f, x0) is None:  # at a corner no h is better than another
        errors.update_layout(annotations=[*least_error_notes(found.errors, low, high), *cause_notes(found.errors)])
    return {"secants": with_margins(secants).to_json(), "errors": with_margins(errors).to_json()}


def least_error_notes(errors: Mapping[str, np.ndarray], low: float, high: float) -> list[dict]:
    """A note at the least error of each method, with an arrow: from above for forward, from below for central."""
    bests = {name: at for name in METHODS if (at := slopes.most_accurate(errors[name])) is not None}
    alike = len(set(bests.values())) == 1 < len(bests)
    notes = []
    for name, at in bests.items():
        if alike and name != "forward":
            continue
        color = VARIABLES.ink if alike else METHODS[name].variable
        above = {"ayref": "y", "ay": math.log10(high) - 0.4, "yanchor": "bottom"}
        notes.append(
            {
                "x": math.log10(WIDTHS[at]),  # where an axis is logarithmic, a note is placed by its exponents
                "y": math.log10(max(errors[name][at], low)),
                "text": f"best {'for both,' if alike else name} h = {format_number(WIDTHS[at])}",
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


def cause_notes(errors: Mapping[str, np.ndarray]) -> list[dict]:
    """Over the plot, what makes the error large: on the left rounding, on the right truncation, if there is any."""
    note = {"xref": "paper", "yref": "paper", "showarrow": False, "font": {"color": VARIABLES.ink}}
    notes = [{**note, "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "text": "← rounding"}]
    if any(slopes.most_accurate(some) != 0 for some in errors.values()):
        notes.append({**note, "x": 1, "y": 1, "xanchor": "right", "yanchor": "bottom", "text": "truncation →"})
    return notes


def error_range(errors: Mapping[str, np.ndarray]) -> tuple[float, float]:
    """The range of the logarithmic axis of errors, in whole decades. An error of 0 is drawn at its lower edge."""
    some = np.concatenate(list(errors.values()))
    some = some[np.isfinite(some) & (some > 0)]
    if not some.size:
        return 1e-9, 1.0
    low, high = math.floor(math.log10(some.min())) - 1, math.ceil(math.log10(some.max()) + 0.01)
    return 10.0**low, 10.0 ** max(high, low + 2)


def describe_errors(f: Function, x0: float, found: slopes.Differences) -> list[str]:
    """What the errors show, in a sentence or two for each method."""
    if (corner := kink(f, x0)) is not None:
        return [
            f"$x_0$ is a corner: its slope is {format_number(corner.left)} on the left and "
            f"{format_number(corner.right)} on the right. "
            "Forward gives the slope on the right, central the mean of both, and by convention `jax.grad` gives "
            f"{format_float(corner.convention)}. No small h makes them agree."
        ]
    lines, h = [], WIDTHS
    ten, hundred = h.index(0.1), h.index(0.01)
    for name in METHODS:
        errors = found.errors[name]
        at = slopes.most_accurate(errors)
        if at is None:
            lines.append(f"**{name.capitalize()}**: $f$ is not defined at both points it needs, for any h.")
            continue
        least = "0: it is exact there" if errors[at] == 0 else format_number(errors[at], 2)
        words = f"**{name.capitalize()}** is best at **h = {format_number(h[at])}**, where its error is {least}."
        ratio = errors[ten] / errors[hundred] if errors[hundred] > 0 else math.nan
        if at > hundred and math.isfinite(ratio) and ratio > 3:
            words += f" A ten times smaller h, from 0.1 to 0.01, makes its error {format_number(ratio)} times smaller."
        elif at == 0:
            words += " A wide h does no harm here: this curve has no bend that this formula would miss."
        lines.append(words)
    lines.append(
        "**Truncation** (right): the wider h, the more the curve bends between the two points. "
        "**Rounding** (left): 32-bit numbers keep about seven digits. The closer the two points, the more of these "
        "digits are alike and cancel, and dividing by a small h magnifies what is left."
    )
    return lines
