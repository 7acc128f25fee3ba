"""What is drawn of a question: above the stage until it is answered, and then the answer beside the outcome."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import streamlit as st

from ui.ask.asking import Asking, show_others
from ui.numbers import format_plain
from ui.setup.questions.question import Answer, Facts, Outcome, Question, is_right

# what stands above the stage takes so much of the window (stage.css)
HEIGHT = "<style>:root { --ask-height: %srem; }</style>"
# where an answer is given on the map, which a phone shows below, what commits it stays within a finger's reach
IN_REACH = """<style>@media (max-width: 640px) {
.st-key-%s { position: fixed; inset: auto 0 0; z-index: 99; padding: 0.5rem 1rem; width: auto; background: Canvas; }
}</style>"""


def place_above(asking: Asking) -> AbstractContextManager[object]:
    """One place for the question and what stands beside it, however much that is: so the stage below stays the same."""
    return st.container(gap="small") if asking.question or asking.together else nullcontext()


def show_question(asking: Asking, facts: Callable[[], Facts]) -> None:
    """Draw where the page stands with its question, alone or in a class; ``facts`` gives those of the run."""
    if asking.together:
        asking.together.draw(asking, facts)
    else:
        show_own_question(asking, facts)


def show_own_question(asking: Asking, facts: Callable[[], Facts]) -> None:
    """Draw where the page stands with the visitor's own question; nothing where it asks none."""
    if asking.question is None:
        if asking.problem:
            st.markdown(f":material/help: The question of this set-up is not asked. {asking.problem}")
        return
    with st.container(border=True, gap="small", key=asking.controls.key("question")):
        if asking.held:
            show_form(asking)
        else:
            show_answer(asking, facts)


def show_form(asking: Asking, height: float = 0, about: str = "", *, closed: bool = False) -> None:
    """The question, and the widgets of an answer to it.

    ``about``: what it is about, in HTML, where the page has no controls that show it. ``height``: in rem, of that and
    of what stands above it. ``closed``: it takes no answer now, and what is typed in it stays.
    """
    question, setup = asking.question, asking.setup
    assert question is not None
    choices, hint = question.choices(setup), question.hint(setup)
    st.html(HEIGHT % (height + (11 if hint else 10)))
    words, others = st.columns([6, 1])
    words.markdown(f":material/help: **{question.text(setup)}** {hint}")
    with others:
        show_others(asking)
    if about:
        st.html(about)
    # a line is seen to move with each number that is typed; whatever else is typed is taken with the button
    with st.container(gap="small") if question.draws_line else st.form(asking.key("form"), border=False):
        if choices:
            key = asking.key("choice")
            if st.session_state.get(key) not in choices:
                st.session_state.pop(key, None)
            st.radio(
                question.text(setup),
                list(choices),
                index=None,
                key=key,
                format_func=choices.__getitem__,
                horizontal=True,
                label_visibility="collapsed",
            )
        with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
            show_numbers(asking)
            show_buttons(asking, closed)
        if st.session_state.get(asking.key("missing")):
            st.markdown(f":material/error: First {missing(question, setup)}.")


def show_buttons(asking: Asking, closed: bool) -> None:
    """What takes the answer, as far as it goes, or goes on without one."""
    question, key = asking.question, asking.key("buttons")
    assert question is not None
    button = partial(st.button if question.draws_line else st.form_submit_button, disabled=closed)
    with st.container(horizontal=True, gap="small", width="content", key=key):
        if question.on_map or question.draws_line:
            st.html(IN_REACH % key)
        if asking.budget:
            button("Take this step", on_click=asking.take_typed, key=asking.key("step"))
        button("Commit", type="primary", on_click=asking.commit, key=asking.key("commit"))
        if asking.taken:
            button("Start over", on_click=asking.begin, key=asking.key("begin"))
        button("Skip the question", on_click=asking.settle, args=(None,), key=asking.key("skip"))


def show_numbers(asking: Asking) -> None:
    """The fields of the numbers that the answer is made of, or the slider of its one number."""
    question = asking.question
    assert question is not None
    stops = question.stops(asking.setup)
    for i, name in enumerate(question.numbers(asking.setup)):
        key = asking.key("number", str(i))
        if stops:
            usual = stops[len(stops) // 2]
            st.select_slider(name, stops, value=usual, key=key, format_func=format_plain, width=420)
            continue
        if asking.budget:  # the next step is typed from where one is
            st.session_state.setdefault(key, asking.here[i])
        st.number_input(name, value=None, step=0.1, format="%g", key=key, width=150)


def missing(question: Question, setup: Any) -> str:
    """What is to be done before the answer is whole."""
    if question.choices(setup):
        return "choose an answer"
    if question.budget(setup):
        return "take a step"
    return "move the line" if question.draws_line else "type a number in each field"


def show_answer(asking: Asking, facts: Callable[[], Facts]) -> None:
    """What the visitor has answered, and beside it the outcome once it is to be seen."""
    question, commitment = asking.question, asking.commitment
    assert question is not None
    assert commitment is not None
    about, answer = commitment.setup, commitment.answer
    st.html(HEIGHT % 5)
    if commitment.seen and answer is not None:
        return show_both(asking, question.describe(answer, about), answer, question.outcome(about, facts()))
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        if answer is None:
            st.markdown(f":material/help: {question.text(about)} You skipped this question.", width="stretch")
        else:
            said = question.describe(answer, about)
            st.markdown(f":material/lock: **{said}** Play the run to its end to see the outcome.", width="stretch")
            st.button("Show the outcome", key=asking.key("show"), on_click=asking.see)
        st.button("Ask again", key=asking.key("again"), on_click=asking.again)


def show_both(asking: Asking, said: str, answer: Answer, outcome: Outcome) -> None:
    """An answer and the outcome side by side."""
    asking.outcome = outcome
    left, middle, button = st.columns([3, 6, 1.2], vertical_alignment="center")
    left.markdown(f":material/lock: **Your answer.** {said}")
    middle.markdown(describe_outcome(outcome, answer))
    button.button("Ask again", key=asking.key("again"), on_click=asking.again)


def describe_outcome(outcome: Outcome, answer: Answer | None) -> str:
    """An outcome in words, and whether an answer is right, where there is one."""
    verdict = ""
    if answer is not None and outcome.right is not None:
        right = is_right(answer, outcome)
        verdict = ":green[:material/check_circle:] Right." if right else ":orange[:material/cancel:] Not so."
    return f":material/flag: **The outcome.** {outcome.words} {verdict}"


def show_hidden(what: str = "What tells how it ends") -> None:
    """Say that ``what`` stands here otherwise is hidden until the question is answered."""
    st.markdown(f":material/visibility_off: {what} is hidden until the question above is answered.")
