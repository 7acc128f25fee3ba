"""Home: what the playground is, and the way to its pages."""

import streamlit as st

from ui.frame import PAGES, close_frame, frame, theme

frame("Home")
st.title("The optimizer playground", anchor=False)
st.markdown(
    "An optimizer is a rule that turns the slope under its feet into its next step. "
    "Here you let several of them run side by side, from the same start, and watch how each one moves. "
    "Turn a knob and the race is run again at once; step through it, and see why one arrives and another gets stuck. "
    "Every set-up is in the page's address: copy it, and whoever opens it sees the same race."
)
left, right = st.columns(2)
for place, page in enumerate(PAGES[1:]):
    with (right if place % 2 else left).container(border=True):
        st.image(page.picture(theme()))
        st.page_link(page.file, label=f"**{page.title}**", icon=page.icon)
        st.markdown(page.sentence)
close_frame()
