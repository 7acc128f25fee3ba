"""Home: what the playground is, and the way to its pages."""

import streamlit as st

from ui.draw.theme import theme
from ui.frame import PAGES, frame

with frame("Home"):
    st.title("The optimizer playground", anchor=False)
    st.markdown(
        "An optimizer is a rule that turns the slope under its feet into its next step. "
        "See first what a slope is, let one optimizer descend to the best line through points, "
        "then let several run side by side from the same start and watch how each one moves. "
        "Turn a knob and it is run again at once; step through it, and see why one arrives and another gets stuck. "
        "Every set-up is in the page's address: copy it, and whoever opens it sees the same."
    )
    for column, page in zip(st.container(key="cards").columns(len(PAGES) - 1), PAGES[1:], strict=True):
        with column.container(border=True, height="stretch"):
            st.image(page.picture(theme()), alt=f"The page {page.title}, as it opens")
            st.page_link(page.file, label=f"**{page.title}**", icon=page.icon)
            st.markdown(page.sentence)
