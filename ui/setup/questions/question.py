"""What a question is: its words, what an answer to it is made of, and what is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

from engine.endings import Verdict
from engine.race import Run

Answer = str | tuple[float, ...]  # one of the choices, or the numbers


@dataclass(frozen=True)
class Facts:
    """What an outcome is computed from: the run at hand. A page fills in what it has."""

    runs: Mapping[str, Run] = field(default_factory=dict)
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    frame: Sequence[tuple[float, float]] = ()  # what the map shows: from and to, along each axis
    points: Sequence[tuple[float, float]] = ()  # (x, f′(x)) at every point of an interval
    yours: Mapping[str, Run] = field(default_factory=dict)  # what an answer comes to; the visitor's own is the first
    least: float | None = None  # the least loss that there is, where that is known


@dataclass(frozen=True)
class Outcome:
    """What came of a run, and which answers are right."""

    words: str  # one sentence
    right: frozenset[str] | tuple[float, ...] | None  # the choices, or the numbers; None: nothing says which
    reach: tuple[float, ...] = ()  # how far off each number may be


def is_right(answer: Answer, outcome: Outcome) -> bool:
    """Whether an answer is right: one of the right choices, or numbers that are near enough to the right ones."""
    if outcome.right is None or isinstance(outcome.right, frozenset) or isinstance(answer, str):
        return isinstance(outcome.right, frozenset) and answer in outcome.right
    off = (np.asarray(answer) - np.asarray(outcome.right)) / np.asarray(outcome.reach)
    return bool(np.linalg.norm(off) <= 1)


@dataclass(frozen=True)
class Question:
    """A question about a set-up. Each kind is one class, named in ``link.py``; a link asks it by its ``word``."""

    word: ClassVar[str]
    title: ClassVar[str]  # in a list of questions
    longest: ClassVar[int] = 80  # letters of it in a link
    on_map: ClassVar[bool] = False  # a click on the map answers it
    blind: ClassVar[bool] = False  # the landscape is hidden until it is answered
    draws_line: ClassVar[bool] = False  # it is answered by a line that is dragged
    at_once: ClassVar[bool] = False  # there is nothing in the run to be seen before the outcome
    digits: ClassVar[int] = 3  # of a number that is not typed, but clicked or dragged

    @classmethod
    def read(cls, parts: Sequence[str]) -> Self | None:
        """The question that the parts of a link behind its word stand for; None where they stand for none."""
        return None if parts else cls()

    @classmethod
    def usual(cls, setup: Any) -> str:
        """The link's text of this question where it suits a set-up well; "" where it does not."""
        return ""

    @classmethod
    def example(cls, setup: Any) -> str:
        """The link's text of this question as a set-up can be asked it; "" where it cannot."""
        return cls.usual(setup)

    def problem(self, setup: Any) -> str:
        """Why a set-up cannot answer it, in a sentence; "" where it can."""
        return ""

    def basis(self, setup: Any) -> Any:
        """What the outcome depends on: once it is another, what was answered counts no more.

        A slope is asked for at the x₀ of then: where else a visitor looks afterwards makes no difference.
        """
        return setup.without_view()

    def text(self, setup: Any) -> str:
        """The question itself."""
        raise NotImplementedError

    def hint(self, setup: Any) -> str:
        """How to answer, and how near is near enough; "" where the choices say it."""
        return ""

    def choices(self, setup: Any) -> Mapping[str, str]:
        """The answers to choose from, with what the page calls them; none where numbers are asked for."""
        return {}

    def numbers(self, setup: Any) -> Sequence[str]:
        """The names of the numbers that an answer has: one, or two where a place on the map is asked for."""
        return ()

    def stops(self, setup: Any) -> Sequence[float]:
        """The values that the one number of an answer can have, in their order; none where it is typed."""
        return ()

    def budget(self, setup: Any) -> int:
        """How many points an answer may have, given one after the other; 0 where it is the numbers themselves."""
        return 0

    def describe(self, answer: Answer, setup: Any) -> str:
        """An answer as a sentence that begins with "You"."""
        raise NotImplementedError

    def outcome(self, setup: Any, facts: Facts) -> Outcome:
        """What came of the run, and which answers are right."""
        raise NotImplementedError
