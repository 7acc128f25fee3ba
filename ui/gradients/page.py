"""The page Gradients: the part that was chosen, and the code behind it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui.ask.asking import Asking
from ui.ask.panel import place_above, show_hidden, show_question
from ui.gradients import check, differences, loss, tangent
from ui.gradients.controls import CONTROLS, PART_NAMES, sidebar
from ui.gradients.functions import chosen_function
from ui.gradients.tangent import facts, slope_problem
from ui.head import open_page, show_actions
from ui.setup.pages import CHECK, DIFFERENCES, LOSS, SLOPE, GradientsSetup

CODE: Mapping[str, tuple[str, Sequence[Callable]]] = {
    SLOPE: tangent.CODE,
    DIFFERENCES: differences.CODE,
    CHECK: check.CODE,
    LOSS: loss.CODE,
}


def show(actions: DeltaGenerator) -> None:
    """Draw the page. ``actions`` is the place for buttons beside its title."""
    setup, asking = open_page(CONTROLS, slope_problem)
    tabs = st.container()  # of one place, so that the stage below stays the same
    with place_above(asking):
        if not asking.held:
            CONTROLS.show_look_for(setup)
        show_question(asking, partial(facts, setup))
    show_part(setup, asking)  # before the controls above it: it is what a visitor waits for
    show_actions(CONTROLS, setup, asking, actions)
    with tabs:
        if not asking.bare:
            CONTROLS.choose_tab("part", "What to look at", PART_NAMES)
    if asking.bare:
        return CONTROLS.hold_undrawn(setup)
    sidebar(setup)

    if CONTROLS.shows("code"):
        st.subheader("How it works", anchor=False)
        show_cards(setup)


def show_part(setup: GradientsSetup, asking: Asking) -> None:
    """The part that was chosen: its formula, its picture and its table."""
    if asking.held and setup.part != SLOPE:
        show_hidden("What this part shows")
    elif setup.part == LOSS:
        loss.show_loss(setup)
    elif (f := chosen_function(setup)) is None:
        return
    elif setup.part == SLOPE:
        tangent.show_slope(setup, asking, f)
    else:
        {DIFFERENCES: differences.show_differences, CHECK: check.show_check}[setup.part](setup, f)


def show_cards(setup: GradientsSetup) -> None:
    """The engine's code behind the chosen part, in a card that opens."""
    words, code = CODE[setup.part]
    card = st.expander("The code that runs", key=CONTROLS.key("card", setup.part), on_change="rerun")
    if card.open:
        with card:
            st.markdown(words)
            for part in code:
                st.markdown(f"From `{part.__module__.replace('.', '/')}.py`:")
                st.code(inspect.getsource(part), language="python", wrap_lines=True)
