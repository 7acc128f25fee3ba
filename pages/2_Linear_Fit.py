"""One line is fitted to points by gradient descent, and one sees how far a step may go."""

from ui.frame import frame, theme

with frame("Linear Fit"):  # to be read while the imports below load
    import streamlit as st

    from ui.controls import show_notes
    from ui.linear_fit.controls import CONTROLS, sidebar
    from ui.linear_fit.view import (
        find_points,
        run,
        show_counts,
        show_how_it_works,
        show_lesson,
        show_stage,
        show_table,
        show_why,
    )

    setup, notes = CONTROLS.current()
    show_notes(notes)
    show_lesson(setup)

    points = find_points(setup)
    if points is None:
        CONTROLS.loss_axis("There is no loss before there are points.")
        sidebar(setup)
    else:
        with st.spinner("Getting the descent ready. The first one on a new server takes a few seconds."):
            result = run(setup, points)
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            CONTROLS.look_for(setup)
            CONTROLS.loss_axis()
        show_counts(setup, points)
        show_stage(setup, result, theme())
        sidebar(setup, result.scale)

        st.subheader("Every iteration", anchor=False)
        show_table(setup, result)

        st.subheader("Why it goes where it goes", anchor=False)
        show_why(setup, result)

    st.subheader("How it works", anchor=False)
    show_how_it_works(setup)
