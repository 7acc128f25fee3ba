"""What the teacher's page has above its stage: how to join, how many have answered, and then what."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from ui.ask.asking import Asking
from ui.ask.panel import HEIGHT, describe_outcome
from ui.class_room.classes import CLASSES, Counts, Posed, State
from ui.class_room.given import given
from ui.class_room.link import link, qr
from ui.class_room.member import Member, attempt, keep, leave, show_problem
from ui.class_room.posing import asked, laid_out_as, next_in_story, pose, problem
from ui.class_room.results import STYLE, Results
from ui.setup.codec import encode
from ui.setup.questions.question import Facts
from ui.setup.stories import library

POLL = 1.5  # seconds after which the teacher's page counts anew
HERE = Path(__file__).parent
COUNT = st.components.v2.component(
    "class_count",
    html='<div class="class-count">\n<p></p><p role="status"></p></div>',
    css=(HERE / "count.css").read_text(encoding="utf-8"),
    js=(HERE / "count.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)
SHARES = ((4, "All"), (3, "Three quarters"), (2, "Half"), (1, "A quarter"))  # in quarters


def show_board(asking: Asking, own: Member, state: State, facts: Callable[[], Facts] | None) -> None:
    """Draw it. ``facts`` gives those of the run where the page shows what the class is asked, and else is None."""
    controls = asking.controls
    joining = facts is not None and not state.revealed
    with st.container(border=True, gap="small", key=controls.key("class")):
        st.html(STYLE)
        with st.container(horizontal=True, gap="medium", vertical_alignment="center", key="class-row"):
            if joining:
                st.html(qr(link(own.code)), width="content")
            with st.container(gap="small", width="stretch"):
                if facts is None:
                    st.html(HEIGHT % (8.5 if asking.question is None else 18))
                elif state.revealed:
                    show_results(asking, own, facts)
                else:
                    assert asking.question is not None
                    st.html(how_to_join(own.code))
                    about, height = given(asking)
                    st.html(HEIGHT % (13 + height))
                    st.markdown(f":material/help: **{asking.question.text(asking.setup)}**")
                    if about:
                        st.html(about)
                show_problem(own)
                with st.container(horizontal=True, gap="small", vertical_alignment="center", key="class-buttons"):
                    if not joining:  # the room is the picture's
                        st.markdown(f"**{own.code}**", width="content")
                    if facts is None:
                        st.markdown(":material/groups: This is not what the class is asked now.", width="content")
                    count(own, state)
                    show_buttons(asking, own, state, here=facts is not None)
        keep(own)


def how_to_join(code: str) -> str:
    """The code and the link of a class, in HTML."""
    address = escape(link(code))
    spelt = escape(" ".join(code))
    return (
        f'<p class="class-code"><b aria-label="Code {spelt}">{code}</b>'
        f' <a href="{address}" target="_blank">{address}</a></p>'
    )


def show_results(asking: Asking, own: Member, facts: Callable[[], Facts]) -> None:
    """What the class has answered, beside the outcome."""
    question, setup = asking.question, asking.setup
    assert question is not None
    outcome = asking.outcome = question.outcome(setup, facts())
    results = Results(CLASSES.answers(own.code))
    st.html(HEIGHT % (6.5 + results.height(question, setup)))
    bars, words = st.columns([3, 2], vertical_alignment="center")
    with bars:
        results.show(question, setup, outcome)
    with words:
        st.markdown(f":material/help: **{question.text(setup)}**")
        st.markdown(describe_outcome(outcome, None))


@st.fragment(run_every=POLL)
def count(own: Member, state: State) -> None:
    """How many have joined and answered, counted anew all the time; the page is drawn anew where the class changed."""
    now = CLASSES.look(own.code)
    if now is None or now.version != state.version:
        st.rerun()
    counts = CLASSES.counts(own.code, own.key)
    COUNT(
        key=f"class-count-{own.code}",
        data={"joined": counts.joined, "answered": counts.answered, "says": announced(counts)},
        height="content",
        width="content",
    )


def announced(counts: Counts) -> str:
    """What a screen reader is told: the quarters of a class, and not each answer."""
    quarters = 4 * counts.answered // counts.joined if counts.joined else 0
    return next((f"{words} of the class answered." for least, words in SHARES if quarters >= least), "")


def show_buttons(asking: Asking, own: Member, state: State, *, here: bool) -> None:
    """What the teacher can do now."""
    controls, setup = asking.controls, asking.setup
    code, key = own.code, own.key

    def button(label: str, act: Callable[[], object], **how: Any) -> None:
        st.button(label, key=controls.key("class", label.lower()), on_click=attempt, args=(own, act), **how)

    if here and not state.revealed:
        button("Reveal", lambda: CLASSES.reveal(code, key), type="primary")
        if state.paused:
            button("Go on", lambda: CLASSES.pause(code, key, False))
        else:
            button("Pause", lambda: CLASSES.pause(code, key), help="Take no answers for a while.")
    following = next_in_story(setup, state.posed)
    if following and (state.revealed or not here):
        ask_in_story(asking, own, *following)
    if not here:
        why = problem(setup)
        button(
            "Ask this one",
            lambda: pose_this(asking, own),
            type="primary",
            disabled=bool(why),
            help=why or "Ask the class about what this page shows now.",
        )
        if st.button("Back to the question", key=controls.key("class", "back")):
            show(state.posed, setup)
    elif state.revealed:
        button("Ask again", lambda: CLASSES.ask(code, key, state.posed), help="The same question, answered anew.")
        if not following:
            st.markdown(":small[For the next question, choose another set-up.]", width="content")
    if st.button("Show large", key=controls.key("class", "large"), icon=":material/qr_code_2:"):
        show_large(code)
    with st.popover("End", width="content"):
        st.markdown("All pages of this class go on by themselves. What was answered is forgotten.")
        st.button("End the class", key=controls.key("class", "end"), on_click=end, args=(asking, own))


def ask_in_story(asking: Asking, own: Member, number: int, posed: Posed) -> None:
    """The button that asks the question of a story's next step, and goes there."""
    if st.button("Next question", key=asking.controls.key("class", "next"), type="primary"):
        attempt(own, lambda: CLASSES.ask(own.code, own.key, posed))
        story = library().stories[asking.setup.story]
        query = {**story.query(number), **({"lecture": ["1"]} if asking.setup.lecture else {})}
        st.switch_page(story.file(number), query_params={**query, "class": [own.code]})


def pose_this(asking: Asking, own: Member) -> None:
    """Ask the class about what the page shows."""
    posed = pose(asking.controls.page, asking.setup)
    CLASSES.ask(own.code, own.key, posed)
    asking.controls.set_setting("ask", asked(asking.setup).ask)  # also where it is hidden or locked


def show(posed: Posed, setup: Any) -> None:
    """Have the teacher's page, which shows another ``setup``, show what the class is asked."""
    st.switch_page(posed.file, query_params=encode(laid_out_as(posed, setup)))


def end(asking: Asking, own: Member) -> None:
    """End the class: for ``on_click``."""
    attempt(own, lambda: CLASSES.end(own.code, own.key))
    leave()
    asking.controls.update(class_code="")


@st.dialog("Join the class", width="large")
def show_large(code: str) -> None:
    """The code, the link and the QR code as large as the window."""
    st.html(f'{STYLE}<div class="class-poster">{how_to_join(code)}{qr(link(code))}</div>')
