"""What a student's page has above its stage in a class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from ui.ask.asking import Asking
from ui.ask.panel import HEIGHT, describe_outcome, show_form
from ui.class_room.classes import CLASSES, State
from ui.class_room.given import given
from ui.class_room.member import Member, attempt, keep, leave, show_problem
from ui.class_room.results import STYLE, Results
from ui.setup.questions.question import Answer, Facts

POLL = 5.0  # seconds after which a student's page looks whether its class has gone on (benchmarks.class_room)


@st.fragment(run_every=POLL)
def follow(code: str, version: int) -> None:
    """Have the page drawn anew once its class has changed. Draws nothing: every student's page runs it all the time."""
    state = CLASSES.look(code)
    if state is None or state.version != version:
        st.rerun()


@dataclass
class Student:
    """A student's page in one run of its script."""

    own: Member
    state: State
    answered: bool
    answer: Answer | None  # None: skipped, or not answered
    here: bool  # whether the page shows what the class is asked

    @property
    def waits(self) -> bool:
        """Whether the browser is still to say if this is the teacher, before the page goes to the question."""
        return not (self.here or self.state.revealed or self.own.asked)

    def settle(self, answer: Answer | None) -> None:
        """Have an answer counted, or that there is none; why it cannot be is said in the next run."""
        attempt(self.own, lambda: CLASSES.answer(self.own.code, self.own.seat, self.state.number, answer))

    def draw(self, asking: Asking, facts: Callable[[], Facts]) -> None:
        """The question, then that the answer counts, and then the answer beside the outcome."""
        controls = asking.controls
        with st.container(border=True, gap="small", key=controls.key("question")):
            st.html(STYLE)
            if self.here and not self.state.revealed and not self.answered:
                about, height = given(asking)
                show_form(asking, 2 + height, about, closed=self.state.paused)
            with st.container(horizontal=True, vertical_alignment="center", key="class-bar"):
                with st.container(gap="small", width="stretch"):
                    show_problem(self.own)
                    self.say(asking, facts)
                # not at once: it comes to stand where a finger has just pressed "Commit"
                with st.popover("Leave the class", type="tertiary", width="content", key=controls.key("class-away")):
                    st.markdown("What you answered stays counted. With the code you can come back.")
                    st.button("Leave", key=controls.key("class-leave"), on_click=self.leave, args=(asking,))
            keep(self.own, waits=self.waits)
            follow(self.own.code, self.state.version)

    def say(self, asking: Asking, facts: Callable[[], Facts]) -> None:
        """Where the class stands, in words."""
        code, question, about = f"**Class {self.own.code}.**", asking.question, asking.setup
        if self.state.revealed:
            return self.show_outcome(asking, facts)
        if self.waits:
            st.markdown(f":material/groups: {code} The question opens.")
            return
        assert question is not None
        if self.answered:
            st.html(HEIGHT % 6)
            said = "You skipped this question." if self.answer is None else question.describe(self.answer, about)
            st.markdown(
                f":material/lock: {code} **{said}** It is counted. The outcome comes when your teacher reveals it."
            )
        elif self.state.paused:
            st.markdown(f":material/pause: {code} The class is paused. Answer once it goes on.")
        else:
            st.markdown(f":material/groups: {code} One answer each, without your name. The page goes on by itself.")

    def show_outcome(self, asking: Asking, facts: Callable[[], Facts]) -> None:
        """The answer beside the outcome, and what the class has answered."""
        follows = "The next question comes by itself; until then the page is yours."
        question = asking.question
        if not self.here or question is None:
            st.html(HEIGHT % 5)
            st.markdown(f":material/groups: **Class {self.own.code}.** {follows}")
            return
        outcome = asking.outcome = question.outcome(asking.setup, facts())
        results = Results(CLASSES.answers(self.own.code))
        st.html(HEIGHT % (8 + results.height(question, asking.setup)))
        said = "You did not answer." if self.answer is None else question.describe(self.answer, asking.setup)
        left, right = st.columns([2, 3], vertical_alignment="top")
        with left:
            st.markdown(f":material/lock: **Your answer.** {said}")
            st.markdown(describe_outcome(outcome, self.answer))
            st.markdown(f":small[{follows}]")
        with right:
            results.show(question, asking.setup, outcome, self.answer)

    def leave(self, asking: Asking) -> None:
        """Be in the class no more: for ``on_click``."""
        leave()
        asking.controls.update(class_code="")
