"""A question in a link, and the one that a set-up asks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ui.setup.kinds import SEPARATOR, Kind
from ui.setup.questions.own import Own
from ui.setup.questions.question import Question
from ui.setup.questions.races import Ends, Lowest, Where
from ui.setup.questions.slope import Slope
from ui.setup.questions.tries import Line, Rate, Steps

KINDS = (Ends, Lowest, Where, Slope, Line, Steps, Rate, Own)
QUESTIONS: dict[str, type[Question]] = {kind.word: kind for kind in KINDS}


@dataclass(frozen=True)
class Ask(Kind):
    """A question, or none: ""."""

    @property
    def accepts(self) -> str:
        known = (
            "ends~Adam, lowest, where~Adam~40, slope, line, steps~20, rate~Adam, own~Your question?~One answer~Another"
        )
        return f"a question. Ask one of: {known}"

    def encode(self, value: str) -> str:
        return value

    def decode(self, text: str) -> str | None:
        return text if not text or read(text) else None


def read(text: str) -> Question | None:
    """The question that a link's text stands for; None for none."""
    word, *parts = text.split(SEPARATOR)
    kind = QUESTIONS.get(word)
    return kind.read(parts) if kind and len(text) <= kind.longest else None


def question_of(setup: Any) -> Question | None:
    """The question that a set-up asks; None where it asks none, or one that it cannot answer."""
    question = read(setup.ask)
    return question if question and not question.problem(setup) else None


def problem_of(setup: Any) -> str:
    """Why a set-up cannot answer the question that it asks, in a sentence; "" where it can, or asks none."""
    question = read(setup.ask)
    return question.problem(setup) if question else ""


def usual_question(setup: Any) -> str:
    """The question that suits a set-up best, as a link has it; "" where there is none."""
    return next((text for kind in QUESTIONS.values() if (text := kind.usual(setup))), "")


def other_questions(setup: Any) -> dict[str, str]:
    """The questions that a set-up can be asked instead of its own: what each is called, by its text in a link."""
    asked = setup.ask.split(SEPARATOR)[0]
    examples = {kind.example(setup): kind.title for word, kind in QUESTIONS.items() if word != asked}
    return {text: title for text, title in examples.items() if text}


def with_question(setup: Any, asks_first: bool) -> Any:
    """A set-up with the question that suits it best, where it asks none and ``asks_first`` says that it should."""
    return replace(setup, ask=usual_question(setup)) if asks_first and not setup.ask else setup
