"""What a slope is, how a computer finds it, and how to check one's own: on any function of x, and on a loss."""

from ui.frame import close_frame, frame, theme

frame("Gradients")  # before the imports below: something to read while they load

import streamlit as st  # noqa: E402

from ui.controls import show_notes  # noqa: E402
from ui.gradients.controls import CONTROLS, choose_part, sidebar  # noqa: E402
from ui.gradients.view import show_cards, show_part  # noqa: E402

setup, notes = CONTROLS.current()
show_notes(notes)
choose_part()
CONTROLS.look_for(setup)
show_part(setup, theme())
sidebar(setup)

st.subheader("How it works", anchor=False)
show_cards(setup)
close_frame()
