"""The controls of the noise in the gradients."""

from __future__ import annotations

import streamlit as st

from ui.numbers import format_plain
from ui.setup.controls import Controls
from ui.setup.pages import MAX_NOISE, RaceSetup
from ui.setup.stops import stops

MIN_STOP = 0.01  # of the slider, beside 0


def choose_noise(controls: Controls[RaceSetup], setup: RaceSetup) -> None:
    """The slider of how large the noise is, and the seed of its numbers."""
    controls.draw(
        "noise",
        st.select_slider,
        "Gradient noise σ",
        stops(MIN_STOP, MAX_NOISE, 0.0, setup.noise),
        format_func=format_plain,
        help="The standard deviation of the random number that is added to each coordinate of the gradient, anew in "
        "each step and the same for all optimizers. The losses that are shown, and those that an optimizer asks for, "
        "are the true ones.",
    )
    controls.draw(
        "seed",
        st.number_input,
        "Seed",
        0,
        9999,
        step=1,
        disabled=not setup.noise,
        help="Sets the random numbers in the gradients. The same seed gives the same ones.",
    )
