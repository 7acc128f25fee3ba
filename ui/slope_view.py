"""The Gradients page: the part of it that was chosen, and the code behind it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from ui import check_view, difference_view, loss_view, tangent_view
from ui.check_view import show_check
from ui.difference_view import show_differences
from ui.function_view import function
from ui.loss_view import show_loss
from ui.setups import CHECK, DIFFERENCES, LOSS, SLOPE, GradientsSetup
from ui.slope_controls import CONTROLS
from ui.tangent_view import show_slope

CODE: Mapping[str, tuple[str, Sequence[Callable]]] = {
    SLOPE: tangent_view.CODE,
    DIFFERENCES: difference_view.CODE,
    CHECK: check_view.CODE,
    LOSS: loss_view.CODE,
}


def show_part(setup: GradientsSetup, theme: str) -> None:
    """The part that was chosen: its formula, its picture and its table."""
    if setup.part == LOSS:
        show_loss(setup, theme)
    elif (f := function(setup)) is not None:
        {SLOPE: show_slope, DIFFERENCES: show_differences, CHECK: show_check}[setup.part](setup, f, theme)


def show_look_for(setup: GradientsSetup) -> None:
    preset = CONTROLS.preset(setup)
    st.markdown(f":material/visibility: {preset.look_for if preset else 'Your own set-up.'}", width="stretch")


def show_cards(setup: GradientsSetup) -> None:
    words, code = CODE[setup.part]
    card = st.expander("The code that runs", key=CONTROLS.key("card", setup.part), on_change="rerun")
    if card.open:
        with card:
            st.markdown(words)
            for part in code:
                st.markdown(f"From `{part.__module__.replace('.', '/')}.py`:")
                st.code(inspect.getsource(part), language="python", wrap_lines=True)
