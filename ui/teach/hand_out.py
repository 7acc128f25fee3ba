"""Hand a set-up out: what students see of it, and the link, the HTML and the handout that give it to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html import escape
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from ui.setup.address import page_address
from ui.setup.codec import MAX_TITLE, Setup, decode, encode
from ui.setup.controls import Controls
from ui.setup.plain import on_one_line
from ui.setup.questions.link import question_of, read
from ui.setup.questions.own import MAX_CHOICES, MAX_QUESTION, MIN_CHOICES, Own
from ui.teach.handout import show_handout
from ui.teach.outcome import question_problem

# the controls that have no label of their own on the page
UNLABELLED = {
    "lecture": "Lecture mode",
    "ask": "Ask me first",
    "apart": "One step taken apart",
    "racers": "Optimizers",
    "lines": "Lines of the derivation",
}
HIDDEN = ("teach",)  # unless the teacher says otherwise: whoever opens it can see the solution
NO_QUESTION, OWN_QUESTION = "", "own"
# Pixels of an <iframe> of 800 pixels, which is what course pages have beside their navigation: what stands above the
# stage there, and the stage with its views as wide as high; it is less high where there is less room. Below 780 pixels
# the views stand one below the other, and the page scrolls.
HEIGHTS = {"Gradients": 760, "Linear Fit": 720, "2D Regression": 700, "Ackley Race": 740}
QUESTION_HEIGHT, TITLE_HEIGHT = 160, 40  # of what a question and a title add to that


def show_hand_out(controls: Controls[Any], setup: Setup) -> None:
    """What a teacher chooses, and at once what comes of it; the page itself stays as it is."""
    st.markdown("**Hand it out**")
    names = nameable(controls, setup)
    hide, lock = choose_limits(controls, names, setup)
    title = st.text_input(
        "Title",
        typed(controls.key("hand", "title"), setup.title),
        key=controls.key("hand", "title"),
        max_chars=MAX_TITLE,
        placeholder="Which learning rate is too large?",
        help="It stands at the top of the page, and of the handout.",
        persist_state="session",
    )
    handed, notes = handed_out(setup, hide, lock, title, choose_question(controls, setup))
    for note in notes:
        st.markdown(f":material/error: {note}")
    address = link(controls.page, handed)
    st.markdown("The link for students:")
    st.code(address, language=None)
    st.link_button("Open it", address, icon=":material/open_in_new:", help="What students see, in a new tab.")
    st.markdown("The same as a part of a course page, in HTML:")
    st.code(iframe(controls.page, handed), language=None, wrap_lines=True)
    show_handout(controls, handed, address)


def typed(key: str, usual: str) -> str:
    """What a field opens with: what was typed into it, else ``usual``.

    Streamlit keeps it for the server alone: a menu that is opened while its closing is still being answered would show
    the field as it was at first.
    """
    return str(st.session_state.get(key, usual))


def nameable(controls: Controls[Any], setup: Setup) -> dict[str, str]:
    """What can be hidden here, by what a link calls it: the words for it, those that the page has."""
    labels = {name: ", ".join(parts.values()) for name, parts in controls.memory.labels.items()}
    words = {**labels, **{name: words for name, words in UNLABELLED.items() if name in setup.settings()}}
    by_name = {called: words[name] for called, name in setup.controls().items() if name in words}
    return {**by_name, **{name: part.words for name, part in setup.parts.items()}}


def choose_limits(controls: Controls[Any], names: dict[str, str], setup: Setup) -> tuple[Sequence[str], Sequence[str]]:
    """The lists of what is hidden and what is locked."""

    def choose(word: str, label: str, usual: Sequence[str], some: Sequence[str], about: str) -> Sequence[str]:
        return st.multiselect(
            label,
            some,
            default=list(usual),
            format_func=lambda name: names.get(name, name),
            key=controls.key("hand", word),
            help=about,
            select_all=False,
            persist_state="session",
        )

    hide = choose(
        "hide",
        "Hidden",
        setup.hide or HIDDEN,
        [*names, *(name for name in setup.hide if name not in names)],
        "Students do not see it. What a hidden control is set to now holds for them. Whoever edits the link can show "
        "it again.",
    )
    settings = [name for name in setup.controls() if name in names or name in setup.lock]
    lock = choose("lock", "Locked", setup.lock, settings, "Students see what it is set to, and cannot change it.")
    return hide, lock


def choose_question(controls: Controls[Any], setup: Setup) -> str:
    """The question, as a link has it; "" for none."""
    offered = [NO_QUESTION, *questions(setup), OWN_QUESTION]
    usual = setup.ask if setup.ask in offered else OWN_QUESTION if isinstance(read(setup.ask), Own) else NO_QUESTION
    names = {NO_QUESTION: "none", OWN_QUESTION: "in your own words"}

    def words(ask: str) -> str:
        question = question_of(replace(setup, ask=ask)) if ask not in names else None
        return question.text(setup) if question else names.get(ask, ask)

    key = controls.key("hand", "ask")
    if st.session_state.get(key) not in offered:  # it was chosen for another set-up
        st.session_state.pop(key, None)
    ask = st.selectbox(
        "Question",
        offered,
        index=offered.index(usual),
        format_func=words,
        key=key,
        help="The run is not shown before a student has answered it.",
        persist_state="session",
    )
    return choose_own(controls, setup) if ask == OWN_QUESTION else ask


def choose_own(controls: Controls[Any], setup: Setup) -> str:
    """A question in the teacher's own words, as a link has it; "" while it is not whole."""
    known = read(setup.ask)
    own = known if isinstance(known, Own) else Own("", ())
    words = st.text_input(
        "Your question",
        typed(controls.key("hand", "words"), own.words),
        key=controls.key("hand", "words"),
        max_chars=MAX_QUESTION,
        placeholder="Which one turns first?",
        persist_state="session",
    )
    lines = st.text_area(
        "The answers to choose from, one on each line",
        typed(controls.key("hand", "choices"), "\n".join(own.offered)),
        key=controls.key("hand", "choices"),
        height=100,
        placeholder="Adam\nSGD",
        persist_state="session",
    )
    choices = [line for line in map(on_one_line, lines.splitlines()) if line]
    ask = Own.link_text(words, choices)
    if read(ask):
        return ask
    st.markdown(
        f":material/edit: Type a question, and {MIN_CHOICES} to {MAX_CHOICES} different answers of at most 60 letters. "
        "Until then no question is asked."
    )
    return NO_QUESTION


def questions(setup: Setup) -> list[str]:
    """The questions that a set-up can answer, as a link has them."""
    runs = len(getattr(setup, "runners", ()))
    step = max(1, getattr(setup, "steps", 1) // 4)
    asked = [setup.ask] if setup.ask and not isinstance(read(setup.ask), Own) else []
    asked += [
        "lowest",
        *(f"ends~{i + 1}" for i in range(runs)),
        *(f"where~{i + 1}~{step}" for i in range(runs)),
        "slope",
    ]
    return [ask for ask in dict.fromkeys(asked) if not question_problem(replace(setup, ask=ask))]


def handed_out(setup: Setup, hide: Sequence[str], lock: Sequence[str], title: str, ask: str) -> tuple[Setup, list[str]]:
    """The set-up as students get it, and a note on what of it cannot be. It is in no story and no lecture."""
    handed = replace(setup, hide=tuple(hide), lock=tuple(lock), title=on_one_line(title), ask=ask)
    handed = replace(handed, lecture=False, story="", step=1)
    return decode(encode(handed), type(setup)())


def link(page: str, setup: Setup, **more: str) -> str:
    """The address of a set-up of a page."""
    return f"{page_address(page)}?{urlencode({**encode(setup), **more}, doseq=True)}"


def iframe(page: str, setup: Setup) -> str:
    """HTML that shows a set-up within another page, as high as it needs there."""
    height = HEIGHTS[page] + QUESTION_HEIGHT * bool(setup.ask) + TITLE_HEIGHT * bool(setup.title)
    look = f'title="{escape(setup.title or page)}" width="100%" height="{height}" style="border: 0"'
    return f'<iframe src="{escape(link(page, setup, embed="true"))}" {look}></iframe>'
