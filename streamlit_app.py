"""Home: what the playground is, and the way to its pages."""

import streamlit as st

from ui.frame import PAGES, close_frame, frame

frame("Home")
st.title("The optimizer playground", anchor=False)
close_frame()
