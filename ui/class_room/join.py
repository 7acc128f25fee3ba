"""How a student comes into a class from the home page: by its link, or by typing its code. Needs no engine."""

from __future__ import annotations

import streamlit as st

from ui.class_room.classes import CLASSES, gone
from ui.setup.kinds import CODE_LENGTH, CODE_LETTERS

FIELD, SAID = "join-class", "join-class-said"


def follow_link() -> None:
    """Where home's address names a class, open the page that the class shows."""
    if code := st.query_params.get("class"):
        open_class(code)


def join_form() -> None:
    """The field for a code."""
    with st.form("join", border=False), st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        st.text_input(
            "Join a class",
            key=FIELD,
            placeholder="four letters",
            max_chars=12,
            help="Your teacher has the code.",
            width=180,
        )
        sent = st.form_submit_button("Join", icon=":material/groups:")
    if sent:
        open_class(st.session_state[FIELD])
    if said := st.session_state.pop(SAID, ""):
        st.markdown(f":material/error: {said}")


def open_class(typed: str) -> None:
    """Go to the page that a class shows. Where there is none, why is kept for ``join_form`` to say."""
    code = "".join(letter for letter in typed.upper() if letter.isalnum())
    if len(code) != CODE_LENGTH or not set(code) <= set(CODE_LETTERS):
        st.session_state[SAID] = f"The code of a class has {CODE_LENGTH} letters, such as BKMT. Look at it again."
    elif state := CLASSES.look(code):
        st.switch_page(state.posed.file, query_params={**state.posed.query, "class": [code]})
    else:
        st.session_state[SAID] = gone(code)
