"""Several optimizers fit two parameters to examples of a bowl, with all of them or a few at a time."""

from ui.frame import frame, theme

with frame("2D Regression"):  # to be read while the imports below load
    import streamlit as st

    from ui.controls import show_notes
    from ui.regression.controls import CONTROLS, choose_part, sidebar
    from ui.regression.view import run, show_how_it_works, show_lesson, show_part, show_stage
    from ui.results import show_cards
    from ui.turns import out_of_turn

    setup, notes = CONTROLS.current()
    show_notes(notes)
    show_lesson()

    # with many examples, racers and iterations it takes seconds every time
    with st.spinner("Getting the race ready. The first one on a new server takes a few seconds."), out_of_turn():
        result = run(setup)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        CONTROLS.look_for(setup)
        CONTROLS.loss_axis()
    show_stage(setup, result, theme())
    sidebar(setup, theme())

    choose_part()
    show_part(setup, result, theme())
    CONTROLS.keep(setup)

    st.subheader("How it works", anchor=False)
    show_how_it_works()
    show_cards(CONTROLS, setup.racers)
