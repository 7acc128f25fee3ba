"""A question in a teacher's own words, with choices of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from ui.setup.kinds import SEPARATOR
from ui.setup.plain import on_one_line, plain
from ui.setup.questions.question import Answer, Facts, Outcome, Question

MAX_QUESTION, MAX_CHOICE = 160, 60  # letters
MIN_CHOICES, MAX_CHOICES = 2, 6


@dataclass(frozen=True)
class Own(Question):
    """What a teacher asks. Which answer is right no link says: the run is shown beside the answer.

    What it returns as text is Markdown that shows the teacher's words letter for letter.
    """

    word = "own"
    longest: ClassVar[int] = len(word) + MAX_QUESTION + MAX_CHOICES * (MAX_CHOICE + 1) + 1
    title = "A question in your own words"
    at_once = True

    words: str
    offered: tuple[str, ...]

    @classmethod
    def read(cls, parts: Sequence[str]) -> Self | None:
        words, *offered = map(on_one_line, parts) if parts else [""]
        fits = MIN_CHOICES <= len(offered) <= MAX_CHOICES and len({*offered}) == len(offered)
        bounded = 0 < len(words) <= MAX_QUESTION and all(0 < len(choice) <= MAX_CHOICE for choice in offered)
        return cls(words, tuple(offered)) if fits and bounded else None

    @classmethod
    def link_text(cls, words: str, offered: Sequence[str]) -> str:
        """What a link says to ask it: a text that ``read`` understands, where the question can be asked."""
        return SEPARATOR.join(on_one_line(text.replace(SEPARATOR, "∼")) for text in (cls.word, words, *offered))

    def text(self, setup: Any) -> str:
        return plain(self.words)

    def choices(self, setup: Any) -> Mapping[str, str]:
        return {str(place): plain(choice) for place, choice in enumerate(self.offered, 1)}

    def describe(self, answer: Answer, setup: Any) -> str:
        return f"You said “{self.choices(setup)[str(answer)]}”."

    def outcome(self, setup: Any, facts: Facts) -> Outcome:
        return Outcome("Compare it with the run.", None)
