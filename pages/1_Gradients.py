"""What a slope is, how a computer finds it, and how to check one's own: on any function of x, and on a loss."""

from ui.frame import frame, theme

with frame("Gradients"):  # to be read while the imports below load
    import streamlit as st

    from ui.controls import show_notes
    from ui.gradients.controls import CONTROLS, choose_part, sidebar
    from ui.gradients.view import show_cards, show_part

    setup, notes = CONTROLS.current()
    show_notes(notes)
    choose_part()
    CONTROLS.look_for(setup)
    show_part(setup, theme())
    sidebar(setup)

    st.subheader("How it works", anchor=False)
    show_cards(setup)
