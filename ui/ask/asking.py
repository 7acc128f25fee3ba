"""Where a page stands with its question: to be answered, answered, or answered and seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from engine.race import Trace
from ui.setup.controls import Controls
from ui.setup.questions.link import other_questions, problem_of, question_of, usual_question
from ui.setup.questions.question import Answer, Facts, Outcome, Question
from ui.setup.session import Commitment

Mark = tuple[float, float, str]  # on the map: x, y, and what is there


@dataclass
class Together:
    """What is different in a class: when the run is shown is not the visitor's to say."""

    held: bool  # whether the run is held back
    draw: Callable[[Asking, Callable[[], Facts]], None]  # draws what stands above the stage
    settle: Callable[[Answer | None], None] | None = None  # takes an answer; None: it is the visitor's own question
    bare: bool = False  # nothing is drawn but the question and the stage
    places: Sequence[tuple[float, ...]] = ()  # on the map, what others have answered


@dataclass
class Asking:
    """A page's question in one run of its script; without a ``question`` nothing of it is drawn, and nothing hidden."""

    controls: Controls[Any]
    setup: Any
    question: Question | None
    commitment: Commitment | None  # to an answer to this very question
    problem: str = ""  # why it is not asked
    outcome: Outcome | None = None  # once it is to be seen
    together: Together | None = None  # in a class

    @classmethod
    def of(cls, controls: Controls[Any], setup: Any, problem: str = "") -> Asking:
        """Where a page stands. What was answered to another question, or about another run, counts no more.

        ``problem``: why the page cannot answer it, where the set-up alone does not say.
        """
        question, commitment = question_of(setup), controls.memory.commitment
        problem = problem_of(setup) or (problem if question else "")
        if question and commitment is None and problem:
            question = None
        if question is None or commitment is None:
            return cls(controls, setup, question, None, problem)
        same = (setup.ask, question.basis(setup)) == commitment.basis
        return cls(controls, setup, question, commitment if same else None)

    @property
    def held(self) -> bool:
        """Whether the run is held back, with all that tells how it ends, until the question is answered."""
        alone = self.commitment is None
        return self.question is not None and (self.together.held if self.together else alone)

    @property
    def bare(self) -> bool:
        """Whether nothing is drawn but the question and the stage."""
        return self.held and self.together is not None and self.together.bare

    @property
    def blind(self) -> bool:
        """Whether the landscape is hidden too, with all that tells where its minimum is."""
        return self.held and self.question is not None and self.question.blind

    @property
    def answered(self) -> tuple[Question, tuple[float, ...]] | None:
        """The question and the numbers that answer it, once the run is shown; None where it is answered by a choice."""
        answer = self.commitment.answer if self.commitment and not self.held else None
        return (self.question, answer) if self.question and isinstance(answer, tuple) else None

    @property
    def about(self) -> Any:
        """The set-up that the question is about."""
        return self.commitment.setup if self.commitment else self.setup

    def start_of(self, traces: Mapping[str, Trace]) -> Mapping[str, Trace]:
        """The runs as they may be shown: their starts alone while they are held back."""
        return {name: trace.at_start() for name, trace in traces.items()} if self.held else traces

    @property
    def here(self) -> tuple[float, ...]:
        """The last of those points; the start, before there is one."""
        return self.taken[-self.count :] or self.setup.start

    # ---- what the visitor does

    def key(self, *parts: str) -> str:
        """The key of a widget of the question."""
        return self.controls.key("ask", *parts)

    def given(self) -> Answer | None:
        """What the widgets hold; None while a part of the answer is missing."""
        assert self.question is not None
        if self.question.choices(self.setup):
            chosen = st.session_state.get(self.key("choice"))
            return chosen if chosen in self.question.choices(self.setup) else None
        if self.budget:
            return self.taken or None
        numbers = [st.session_state.get(self.key("number", str(i))) for i in range(self.count)]
        return None if None in numbers else tuple(float(str(number)) for number in numbers)

    @property
    def count(self) -> int:
        """How many numbers an answer has."""
        return len(self.question.numbers(self.setup)) if self.question else 0

    @property
    def budget(self) -> int:
        """How many points an answer may have that is given one by one; 0 for any other."""
        return self.question.budget(self.setup) if self.question else 0

    @property
    def basis(self) -> Any:
        """What an answer is about."""
        assert self.question is not None
        return self.setup.ask, self.question.basis(self.setup)

    @property
    def taken(self) -> tuple[float, ...]:
        """The numbers that were answered or, point by point, given so far."""
        draft = self.commitment or self.controls.memory.draft
        same = draft is not None and (draft is self.commitment or draft.basis == self.basis)
        return draft.answer if draft and same and isinstance(draft.answer, tuple) else ()

    def commit(self) -> None:
        """Take what the widgets hold as the answer, where it is a whole one: for ``on_click``."""
        given = self.given()
        st.session_state[self.key("missing")] = given is None
        if given is not None:
            self.settle(given)

    def settle(self, answer: Answer | None) -> None:
        """Let the run be shown, after an ``answer`` or without one; it begins at its start."""
        assert self.question is not None
        if self.together and self.together.settle:
            return self.together.settle(answer)
        seen = self.question.at_once
        self.controls.memory.commitment = Commitment(self.basis, self.setup, answer, seen)
        self.begin()

    def see(self) -> None:
        """Show the outcome from now on: for ``on_click``, and for the stage at the end of the run."""
        if self.controls.memory.commitment:
            self.controls.memory.commitment = replace(self.controls.memory.commitment, seen=True)

    def again(self) -> None:
        """Ask anew: for ``on_click``."""
        self.controls.memory.commitment = None
        self.begin()

    def begin(self) -> None:
        """Put the stage at its start, and empty the widgets of the answer."""
        self.controls.memory.draft = None
        self.controls.memory.scene += 1
        for name in ("choice", "missing", *(f"number-{i}" for i in range(self.count))):
            st.session_state.pop(self.key(name), None)
            self.controls.memory.unconfirmed.pop(self.key(name), None)

    def take_place(self) -> None:
        """Take the place at which the stage was clicked, or the numbers that were dragged there, as the answer's."""
        assert self.question is not None
        clicked = st.session_state[self.controls.key("stage")].start
        numbers = tuple(float(f"{float(value):.{self.question.digits}g}") for value in clicked or ())
        if self.budget:
            return self.take_point(numbers)
        for i, number in enumerate(numbers):
            self.controls.set_widget(self.key("number", str(i)), number)

    def take_point(self, point: tuple[float, ...]) -> None:
        """Add a point to those that were given, while there may be more; one stays where one is by no step."""
        if point and point != self.here and len(self.taken) < self.budget * self.count:
            self.controls.memory.draft = Commitment(self.basis, self.setup, (*self.taken, *point))
            for i, number in enumerate(point):
                self.controls.set_widget(self.key("number", str(i)), number)

    def take_typed(self) -> None:
        """Add the point that stands in the fields: for ``on_click``."""
        numbers = [st.session_state.get(self.key("number", str(i))) for i in range(self.count)]
        if None not in numbers:
            self.take_point(tuple(float(str(number)) for number in numbers))

    # ---- what the stage is given

    @property
    def asks_for_place(self) -> bool:
        """Whether a click on the map answers."""
        return self.held and self.commitment is None and self.question is not None and self.question.on_map

    def layout(self, usual: dict[str, Any], map_view: str) -> dict[str, Any]:
        """How the stage is laid out: the map large where it is asked about, unless the visitor prefers another view."""
        usual = {**usual, "clicks": usual["clicks"] or self.asks_for_place}
        unchosen = self.setup.large == type(self.setup)().large
        return {**usual, "large": map_view} if self.question and self.question.on_map and unchosen else usual

    def on_map(self, usual: str) -> str:
        """What the map's caption says; ``usual``: while it does not answer."""
        if self.held and self.together and self.together.settle and not self.asks_for_place:
            return ""
        return "click where you expect it" if self.asks_for_place else usual

    def on_click(self, usual: Callable[[], None]) -> Callable[[], None]:
        """What a click on the map does; ``usual``: while it does not answer."""
        if self.asks_for_place or (self.blind and self.commitment is None):
            return self.take_place
        if self.held and self.together and self.together.settle:
            return lambda: None  # what a class is asked about stays as it is
        return usual

    @property
    def on_seen(self) -> Callable[[], None] | None:
        """What the end of the run does, while the outcome waits for it."""
        waits = self.commitment and not self.commitment.seen and self.commitment.answer and not self.held
        return self.see if waits else None

    @property
    def marks(self) -> Sequence[Mark]:
        """The place that was answered, and once it is to be seen the one that is right, with those of a class."""
        if self.question is None or self.blind:
            return ()
        answer = self.commitment.answer if self.commitment else self.given()
        places = {"your answer": answer, "outcome": self.outcome.right if self.outcome else None}
        # before it is whole, and after it was skipped, there is none
        own = self.question.on_map and not self.budget  # else what was tried is a run of its own
        marks = [(place, word) for word, place in places.items() if own and isinstance(place, tuple)]
        others = [(place, "") for place in (self.together.places if self.together else ())]
        return [(place[0], place[1], word) for place, word in [*others, *marks]]


def ask(controls: Controls[Any], question: str) -> None:
    """Ask a question, as a link has it, or none: for ``on_click``."""
    controls.memory.commitment = controls.memory.draft = None
    controls.memory.scene += 1
    controls.update(ask=question)


def show_others(asking: Asking) -> None:
    """The other questions that the set-up can be asked, behind a button."""
    others = other_questions(asking.setup)
    if not others or asking.together or asking.setup.fixes("ask"):
        return
    # filled once it is opened
    more = st.popover("Other questions", type="tertiary", key=asking.key("others"), on_change="rerun", width="content")
    if more.open:
        with more:
            for text, title in others.items():
                st.button(title, key=asking.key("other", text), on_click=ask, args=(asking.controls, text))


def show_switch(controls: Controls[Any], setup: Any) -> None:
    """The switch that has the page ask before it shows a run."""

    def switch() -> None:
        """Ask the question that suits the set-up best, or none."""
        on = controls.new_value("asking")
        if on is None:
            return
        controls.memory.asks_first = on
        ask(controls, usual_question(setup) if on else "")

    if not controls.shows("ask"):
        return
    controls.set_derived("asking", bool(setup.ask))
    controls.draw(
        "ask",
        st.toggle,
        "Ask me first",
        key=controls.key("asking"),
        on_change=switch,
        disabled=not (setup.ask or usual_question(setup)),
        help="A question about the run, to be answered before it is shown. Then both stand side by side.",
    )
