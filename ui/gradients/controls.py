"""The controls of the Gradients page: its parts, the function and its interval, x₀, h and θ."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ui.ask.asking import show_switch
from ui.numbers import format_fixed, format_number
from ui.setup.controls import Controls
from ui.setup.pages import (
    CHECK,
    DERIVATION_LINES,
    DIFFERENCES,
    EXAMPLE_FUNCTIONS,
    LOSS,
    MAX_X,
    OWN_FUNCTION,
    SLOPE,
    THETAS,
    WIDTHS,
    GradientsSetup,
)
from ui.setup.widgets import choose_preset, reset_button

CONTROLS = Controls[GradientsSetup]("Gradients", "slope")

PART_NAMES = {
    SLOPE: "Slope",
    DIFFERENCES: "Finite differences",
    CHECK: "Check my derivative",
    LOSS: "Mean squared error",
}


def stage_value(key: str, what: str) -> Any:
    """What the browser has sent for one of the page's stages; None if nothing."""
    return getattr(st.session_state[CONTROLS.key(key)], what)


def take_x0() -> None:
    """Set x₀ to the point at which the stage came to rest."""
    at = stage_value("stage", "at")
    places = CONTROLS.current_setup().places()
    if at is not None and 0 <= int(at) < len(places):
        CONTROLS.update(x0=places[int(at)])


def take_x0_click() -> None:
    """Set x₀ to where a curve was clicked."""
    if (clicked := stage_value("stage", "start")) is not None:
        CONTROLS.update(x0=float(clicked[0]))


def take_h() -> None:
    """Set h to the value at which the stage came to rest."""
    at = stage_value("widths", "at")
    if at is not None and 0 <= int(at) < len(WIDTHS):
        CONTROLS.update(h=WIDTHS[int(at)])


def take_h_click() -> None:
    """Set h to where the errors were clicked."""
    if (clicked := stage_value("widths", "start")) is not None:
        CONTROLS.update(h=float(clicked[0]))


def take_theta() -> None:
    """Set θ to the value at which the stage came to rest."""
    at = stage_value("thetas", "at")
    if at is not None and 0 <= int(at) < len(THETAS):
        CONTROLS.update(theta=THETAS[int(at)])


def take_theta_click() -> None:
    """Set θ to where the parabola was clicked."""
    if (clicked := stage_value("thetas", "start")) is not None:
        CONTROLS.update(theta=float(clicked[0]))


def next_line() -> None:
    """Show one more line of the derivation."""
    CONTROLS.update(lines=min(CONTROLS.current_setup().lines + 1, DERIVATION_LINES))


def first_line() -> None:
    """Show the first line of the derivation only."""
    CONTROLS.update(lines=1)


# ---- the sidebar


def sidebar(setup: GradientsSetup) -> None:
    """Draw the controls that the chosen part has."""
    with st.sidebar:
        choose_preset(CONTROLS, setup)
        show_switch(CONTROLS, setup)
        if setup.part == LOSS:
            theta_slider()
        else:
            choose_function(setup)
        if setup.part in (SLOPE, DIFFERENCES) and setup.wide_enough:
            x0_slider(setup)
        if setup.part == DIFFERENCES:
            h_slider()
        reset_button(CONTROLS)
    CONTROLS.hold_undrawn(setup)


def choose_function(setup: GradientsSetup) -> None:
    """Draw the choice of f, the field for one's own, and the interval."""
    CONTROLS.draw(
        "f",
        st.selectbox,
        "Function f(x)",
        [*EXAMPLE_FUNCTIONS, OWN_FUNCTION],
        on_change=CONTROLS.update_from_widget,
        args=("f",),
        format_func=lambda name: "your own" if name == OWN_FUNCTION else name,
        help="The function whose slope is shown. Each has its own interval, which is set too.",
    )
    if setup.f == OWN_FUNCTION:
        CONTROLS.draw(
            "own",
            st.text_input,
            "Your own f(x)",
            max_chars=200,
            placeholder="x^2 - 3x",
            help="As on paper or as in Python: 2x, x^3, sin(x)/x, sqrt(x), |x|, exp(-x^2), max(x, 0), 2pi x.",
        )
    names = {"low": "from x", "high": "to x"}
    for column, name in CONTROLS.columns([*names]):
        CONTROLS.draw(
            name,
            column.number_input,
            names[name],
            -MAX_X,
            MAX_X,
            step=1.0,
            format="%g",
            on_change=CONTROLS.update_from_widget,
            args=(name,),
            help="The first of the 100 points of x." if name == "low" else "The end of the interval, not included.",
        )


def x0_slider(setup: GradientsSetup) -> None:
    """Draw the slider of x₀: the 100 points of the interval."""
    places = setup.places()
    digits = decimals_needed(places)
    CONTROLS.draw(
        "x0",
        st.select_slider,
        "Point x₀",
        places,
        format_func=lambda x: format_fixed(x, digits),
        help="The point at which the slope is computed."
        + (" The picture moves it too: play it, or click on the curve." if setup.part == SLOPE else ""),
    )


def h_slider() -> None:
    """Draw the slider of h, from narrow to wide."""
    CONTROLS.draw(
        "h",
        st.select_slider,
        "Width h",
        WIDTHS[::-1],
        format_func=format_number,
        help="The h of both formulas: the smaller, the closer together are the two points. Play changes it too.",
    )


def theta_slider() -> None:
    """Draw the slider of θ."""
    CONTROLS.draw(
        "theta",
        st.select_slider,
        "Parameter θ",
        THETAS,
        format_func=lambda theta: format_fixed(theta, 1),
        help="The slope of the line that is fitted. The picture moves it too: play it, or click on the parabola.",
    )


def decimals_needed(values: list[float], most: int = 5) -> int:
    """How many decimals show these values exactly (but for 32-bit rounding): from 1 to ``most``."""
    fits = (d for d in range(1, most) if all(abs(round(v, d) - v) <= 2e-7 * max(1.0, abs(v)) for v in values))
    return next(fits, most)
