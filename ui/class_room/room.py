"""A page in a class: what its question becomes there, and that a student's page follows the teacher's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from ui.ask.asking import Asking, Together
from ui.ask.panel import show_own_question
from ui.class_room.board import show_board
from ui.class_room.classes import CLASSES, State, gone
from ui.class_room.member import Member, join, leave, member
from ui.class_room.posing import is_same
from ui.class_room.results import Results
from ui.class_room.student import Student
from ui.setup.questions.question import Facts
from ui.setup.session import Commitment


def in_class(asking: Asking) -> Asking:
    """A page's question as it is in the class that this session or the link is in; as it was where there is none.

    A student's page that shows something else than what the class is asked is sent there. It is told so by
    ``st.switch_page``, which ends this run.
    """
    code, own = asking.setup.class_code, member()
    if own is None and not code:
        return asking
    if own is None or (code and code != own.code):
        leave()
        own = join(code)
    elif not code:  # by the navigation, or a link of a story
        st.query_params["class"] = own.code
        st.rerun()
    state = CLASSES.look(own.code)
    if state is None:
        leave()
        return replace(asking, together=Together(asking.held, lambda now, facts: show_gone(now, facts, code)))
    if own.shown != (state.number, state.revealed):  # a pause leaves half an answer as it is
        own.shown = (state.number, state.revealed)
        asking.begin()
    here = is_same(state.posed, asking.controls.page, asking.setup)
    if own.teaches:
        return taught(asking, own, state, here)
    if not here and not state.revealed and own.asked:
        st.switch_page(state.posed.file, query_params={**state.posed.query, "class": [own.code]})
    return attended(asking, own, state, here)


def taught(asking: Asking, own: Member, state: State, here: bool) -> Asking:
    """The page of the teacher: the run is held back until it is revealed."""

    def draw(now: Asking, facts: Callable[[], Facts]) -> None:
        show_board(now, own, state, facts if here else None)
        if not here:
            show_own_question(now, facts)

    scene = asking.controls.memory.scene
    if not here:
        # what was revealed plays on as the teacher turns its knobs; another set-up with its question is held again
        if state.revealed and state.posed.page == asking.controls.page and own.scene == scene:
            asking = replace(asking, question=None, problem="")
        return replace(asking, together=Together(asking.held, draw))
    own.scene = scene
    results = Results(CLASSES.answers(own.code))
    return replace(
        asking,
        commitment=committed(None, state),
        together=Together(not state.revealed, draw, settle=lambda answer: None, places=results.places),
    )


def attended(asking: Asking, own: Member, state: State, here: bool) -> Asking:
    """The page of a student: it takes an answer, and shows the outcome once it is revealed."""
    answered, answer = CLASSES.answer_of(own.code, own.seat)
    student = Student(own, state, answered, answer, here)
    if student.waits:
        return replace(asking, together=Together(asking.held, student.draw))
    if not here:  # plays on by oneself
        return replace(asking, question=None, problem="", together=Together(False, student.draw))
    results = Results(CLASSES.answers(own.code))
    return replace(
        asking,
        commitment=committed(answer, state) if answered or state.revealed else None,
        together=Together(not state.revealed, student.draw, student.settle, bare=True, places=results.places),
    )


def committed(answer: object, state: State) -> Commitment:
    """What was answered in the class, as a page has it: to the question as it was asked, for everyone alike."""
    return Commitment(None, state.posed.setup, answer, seen=state.revealed)  # type: ignore[arg-type]


def show_gone(asking: Asking, facts: Callable[[], Facts], code: str) -> None:
    """Say that there is no such class, and draw the page as it is without one."""
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=asking.controls.key("class")):
        st.markdown(f":material/groups: {gone(code)}", width="stretch")
        st.button("Go on by yourself", key=asking.controls.key("class-off"), on_click=step_out, args=(asking,))
    show_own_question(asking, facts)


def step_out(asking: Asking) -> None:
    """Take the class out of the page's link: for ``on_click``."""
    leave()
    asking.controls.update(class_code="")
