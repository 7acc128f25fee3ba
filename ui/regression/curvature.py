"""How much the loss bends, and what a step makes of the distance to its minimum."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from engine import OPTIMIZERS, race
from engine.analysis import Curvature, curvature, measured_factors
from engine.descent import MAX_RECORDS
from engine.problems import mean_squared_error
from ui.draw.figures import show_figure
from ui.draw.tables import show_table
from ui.numbers import format_point
from ui.regression.controls import CONTROLS
from ui.regression.figures import (
    curvature_figure,
)
from ui.regression.run import Result
from ui.setup.pages import RegressionSetup

DEFAULT_RATE = 1e-4  # the notebook's, where the line-up has no SGD to ask


def plain_rates(setup: RegressionSetup) -> list[float]:
    """The learning rates of plain SGD in the line-up; the notebook's where there is none, or they are hidden."""
    if setup.hides("racers"):
        return [DEFAULT_RATE]
    plain = [r.learning_rate for r in setup.racers if r.name == "SGD" and not r.weight_decay]  # type: ignore[attr-defined]
    return list(dict.fromkeys(plain)) or [DEFAULT_RATE]


def show_curvature(setup: RegressionSetup, result: Result, theme: str) -> None:
    """The Hessian of the loss, what it predicts for each learning rate, and what a run measured."""
    bend = curvature(mean_squared_error, np.array(result.minimum), result.fit.data)
    rates = plain_rates(setup)
    (a, b), (_, d) = bend.directions.T @ np.diag(bend.values) @ bend.directions
    words, picture = st.columns([1.15, 1])
    with words:
        st.markdown(
            "The loss on these examples is a bowl itself. Its **Hessian**, from `jax.hessian`, says how much it bends:"
        )
        st.latex(
            rf"H = \begin{{pmatrix}} {a:,.0f} & {b:,.0f} \\ {b:,.0f} & {d:,.0f} \end{{pmatrix}}".replace(",", r"{,}")
        )
        st.markdown(
            f"It bends by **λ = {bend.values[1]:,.0f}** along {format_point(bend.directions[1], 2)} and by "
            f"**{bend.values[0]:,.0f}** along {format_point(bend.directions[0], 2)}. A step of plain gradient descent "
            f"multiplies the distance to the minimum by 1 − αλ along each. From **2/λ = {bend.limit:.3g}** on, "
            "the distance along the steepest direction no longer shrinks. (The more examples, the nearer H comes to "
            "4,000 on the diagonal and 2,222 beside it: λ = 6,222 along (1, 1), 1,778 along (1, −1), 2/λ = 0.00032.)"
        )
        table = pd.concat([contraction(setup, result, bend, rate) for rate in rates])
        number = st.column_config.NumberColumn
        show_table(
            table,
            {
                "learning rate": "%g",
                "curvature λ": "%.0f",
                "predicted": number(
                    "1 − αλ", format="%.4f", help="The factor by which a step should multiply the distance."
                ),
                "measured": number(format="%.4f", help="The same factor in a real run, with all examples."),
            },
        )
        st.markdown(describe_single_example(result, rates[0]))
    with picture:
        show_figure(curvature_figure(result.fit, bend, theme), CONTROLS.key("curvature"), 420)


def contraction(setup: RegressionSetup, result: Result, bend: Curvature, rate: float) -> pd.DataFrame:
    """What a step makes of the distance to the minimum along each direction: as foretold, and in a real run."""
    plain = {"SGD": OPTIMIZERS["SGD"](learning_rate=rate)}  # type: ignore[call-arg]
    path = race(mean_squared_error, plain, [setup.start], min(setup.steps, MAX_RECORDS), data=result.fit.data)[
        "SGD"
    ].run(0)
    measured = measured_factors(path.positions[: path.stopped], bend.directions)
    return pd.DataFrame(
        {
            "learning rate": rate,
            "direction": [format_point(direction, 2) for direction in bend.directions],
            "curvature λ": bend.values,
            "predicted": bend.factors(rate),
            "measured": pd.array(measured, "Float64"),
        }
    )


def describe_single_example(result: Result, rate: float) -> str:
    """Why one example at a time can kick where all of them together do not."""
    steepest = float(result.fit.curvatures().max())
    ending = (
        f"at {rate:g} a step on it alone overshoots: it lands {rate * steepest - 1:.1f} times as far on the other side."
        if rate * steepest > 2
        else f"at {rate:g} even a step on it alone stays below that."
    )
    return (
        "The loss above is a mean over all examples. That of a single one can be far more curved, here up to "
        f"**λ = {steepest:,.0f}** (a corner, x = y = 10, has 40,000). Its own limit is {2 / steepest:.6f}: {ending}"
    )
