"""The curvature of the loss, and how fast the descent converges: predicted from it, and measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from engine.analysis import Curvature, forecast, measured_factors
from engine.descent import MAX_RECORDS
from ui.linear_fit.data import is_determined
from ui.linear_fit.run import Result, descend, in_batches
from ui.numbers import format_point
from ui.setup.pages import FitSetup

MIN_SHARE_IN_WORDS = "a hundred-thousandth"  # MIN_CURVATURE_SHARE, for a reader


def show_curvature(setup: FitSetup, result: Result) -> None:
    """What the learning rate leads to, and for each direction the curvature, the limit and the contraction per step."""
    curvature, certain = result.curvature, is_determined(result.curvature)
    steep = Curvature(curvature.values[certain], curvature.directions[certain])
    on_all = "On all points: " if in_batches(setup, result) else ""  # a forecast for mini-batches would not hold
    st.markdown(f"### {on_all}{describe_forecast(setup, steep)}")
    st.markdown(
        f"The loss is a {'bowl' if setup.with_intercept else 'parabola'}: its slope is λ times the distance to the "
        "minimum. λ is the curvature, computed by `jax.hessian`. So each step multiplies that distance by the same "
        "number, 1 − αλ. If it is below 0, the step overshoots: it ends on the other side of the minimum. If it is "
        "below −1, that is for α above 2/λ, the step ends further away than it began."
    )
    measured = measured_ratios(setup, result)
    factors = curvature.factors(setup.rate)
    for i in reversed(range(len(curvature.values))):
        if setup.with_intercept:
            x, y = curvature.directions[i]
            st.markdown(f"**{'Steepest' if i else 'Flattest'} direction**, along (θ₀, θ₁) = {format_point((x, y), 3)}")
        if certain[i]:
            show_numbers(float(curvature.values[i]), float(factors[i]), float(measured[i]))
        else:
            st.markdown(
                f"The curvature is below {MIN_SHARE_IN_WORDS} of the other, less than 32-bit numbers can tell: along "
                "here the descent hardly moves. It helps to subtract the mean from x first."
            )
    if in_batches(setup, result):
        steepest = float(result.fit.curvatures().max())
        seen = "some" if setup.hides("batch") else setup.batch
        st.markdown(
            "Prediction and measurement are for steps on all points. A step here sees "
            f"{seen} of them and goes by their own curvature: that of one point alone reaches {steepest:.4g}, "
            f"which is a limit of {2 / steepest:.4g}."
        )


def describe_forecast(setup: FitSetup, steep: Curvature) -> str:
    """What the learning rate leads to along the ``steep`` directions, whose curvature is determined, in a sentence."""
    found = forecast(steep, setup.rate)
    hardly = " across the valley, and along it hardly moves"  # a curvature that small cannot be told from 0
    rate = "The learning rate" if setup.hides("rate") else f"α = {setup.rate:g}"
    return f"{rate} {found.words}{hardly if len(steep.values) < len(setup.start) else ''}."


def show_numbers(curvature: float, factor: float, measured: float) -> None:
    """The numbers of one direction: curvature, limit, and the contraction per step predicted and measured."""
    numbers = {
        "curvature λ": (f"{curvature:.4g}", "How fast the slope of the loss grows with the distance to the minimum."),
        "limit 2/λ": (f"{2 / curvature:.4g}", "The learning rate from which on the distance no longer shrinks."),
        "predicted |1 − αλ|": (
            f"{abs(factor):.3f}",
            "The factor by which a step should multiply the distance to the minimum.",
        ),
        "measured ratio": (
            f"{abs(measured):.3f}" if np.isfinite(measured) else "–",
            "The length of a step divided by that of the step before: the median over the whole run. It needs two "
            "steps that are larger than rounding errors.",
        ),
    }
    with st.container(horizontal=True, gap="small"):
        for label, (value, about) in numbers.items():
            st.metric(label, value, help=about, border=True, width=186)


def measured_ratios(setup: FitSetup, result: Result) -> np.ndarray:
    """The ratio of one step's length to that of the step before, along each direction ``(dim,)``, on all points."""
    path = result.run.positions
    if setup.steps > MAX_RECORDS or in_batches(setup, result):
        # run anew: the records of a longer run are thinned, and two steps in a row are needed
        path = descend(replace(setup, batch=0), result.fit, min(setup.steps, MAX_RECORDS), 0.0).positions[0]
    return measured_factors(path, result.curvature.directions)
