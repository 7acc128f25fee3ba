"""What a class has answered: bars of choices or of numbers, with the right one marked; places are points on the map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from ui.class_room.classes import Answer
from ui.draw.theme import theme
from ui.numbers import format_number
from ui.setup.plain import unescaped
from ui.setup.questions.question import Outcome, Question

STYLE = f"<style>\n{(Path(__file__).parent / 'class.css').read_text(encoding='utf-8')}</style>"
REACHES = (1, 3, 9)  # how far from the right number the bars of numbers end, in what is near enough
MAX_ROWS = 6  # more bars stand in two columns
BAR_HEIGHT, COLUMN_HEIGHT = 1.7, 9.2  # rem: of one bar beside others, and of all where they stand


@dataclass(frozen=True)
class Bar:
    """How many have given one answer."""

    label: str
    count: int
    right: bool
    begins: str = ""  # where its numbers begin


@dataclass(frozen=True)
class Results:
    """The answers of a class to one question, once they are revealed."""

    answers: Sequence[Answer]

    @property
    def places(self) -> list[tuple[float, ...]]:
        """The places on the map that were answered; of several points, the last one."""
        return [one[-2:] for one in self.answers if isinstance(one, tuple) and len(one) > 1]

    def bars(self, question: Question, setup: Any, outcome: Outcome) -> list[Bar]:
        """How many have given each answer; of places, how many were near enough."""
        choices = question.choices(setup)
        if choices:
            right = outcome.right if isinstance(outcome.right, frozenset) else frozenset()
            return [Bar(unescaped(text), self.answers.count(one), one in right) for one, text in choices.items()]
        given = [one for one in self.answers if isinstance(one, tuple)]
        if stops := question.stops(setup):
            counts = {stop: sum(one[0] == stop for one in given) for stop in stops}
            return [Bar(f"{stop:g}", count, False) for stop, count in counts.items() if count]
        if not isinstance(outcome.right, tuple) or not outcome.right:
            return [Bar("answers", len(given), False)]
        numbers = np.array(given, float)
        if len(outcome.right) > 1:
            near = near_enough(numbers, outcome)
            return [Bar("near enough", int(near.sum()), True), Bar("elsewhere", int((~near).sum()), False)]
        return number_bars(numbers[:, 0] if len(numbers) else numbers.ravel(), outcome.right[0], outcome.reach[0])

    def height(self, question: Question, setup: Any) -> float:
        """How high the bars are, in rem."""
        if len(question.numbers(setup)) == 1:
            return COLUMN_HEIGHT
        count = len(question.choices(setup)) or 2
        return BAR_HEIGHT * (count if count <= MAX_ROWS else (count + 1) // 2)

    def show(self, question: Question, setup: Any, outcome: Outcome, own: Answer = None) -> None:
        """Draw the bars, each with its number, so that they can be read by everyone; one says that it has one's own."""
        bars = self.bars(question, setup, outcome)
        mine = {bar.label for bar in Results([own]).bars(question, setup, outcome) if bar.count}
        most = max([1, *(bar.count for bar in bars)])
        stand = any(bar.begins for bar in bars)
        rows = "".join((column if stand else row)(bar, most, bar.label in mine) for bar in bars)
        numbers = question.numbers(setup)
        axis = escape(numbers[0]) if len(numbers) == 1 else ""
        skipped = sum(one is None for one in self.answers)
        note = f"<p>{skipped} skipped it.</p>" if skipped else ""
        kind = "columns" if stand else "two" if len(bars) > MAX_ROWS else "one"
        color = st.get_option(f"theme.{theme()}.primaryColor")
        st.html(
            f'<div class="class-bars" style="--right: {color}" data-kind="{kind}">'
            f'<ul aria-label="Answers{axis and f": {axis}"}">{rows}</ul>'
            f"{axis and f'<small class=axis aria-hidden=true>{axis}</small>'}{note}</div>"
        )


def near_enough(numbers: np.ndarray, outcome: Outcome) -> np.ndarray:
    """Which of some places, ``(n, 2)``, are near enough to the right one."""
    if not len(numbers):
        return np.zeros(0, bool)
    return np.linalg.norm((numbers - np.asarray(outcome.right)) / np.asarray(outcome.reach), axis=1) <= 1


def number_bars(numbers: np.ndarray, right: float, reach: float) -> list[Bar]:
    """Numbers in bins: in the middle is what is near enough, beside it what is a little off, and so on.

    So it shows who is nearly right, and who has the wrong sign or size; how far off the farthest are moves nothing.
    """
    out = reach * np.array(REACHES)
    edges = np.concatenate([right - out[::-1], right + out])
    place = np.searchsorted(edges, numbers)
    place[np.abs(numbers - right) <= reach] = len(out)  # whatever is rounded
    counts = np.bincount(place, minlength=len(edges) + 1)
    texts = [format_number(float(edge), 3) for edge in edges]
    labels = [f"below {texts[0]}", *(f"{low} to {high}" for low, high in pairwise(texts)), f"above {texts[-1]}"]
    return [
        Bar(label, int(count), k == len(out), begins)
        for k, (label, count, begins) in enumerate(zip(labels, counts, ["", *texts], strict=True))
    ]


def row(bar: Bar, most: int, own: bool = False) -> str:
    """One bar beside its words, in HTML."""
    mark = ' <b class="right">✓ right</b>' if bar.right else ""
    mark += ' <b class="own">your answer</b>' if own else ""
    return (
        f"<li{' data-right' if bar.right else ''}><span>{escape(bar.label)}{mark}</span>"
        f'<i aria-hidden="true"><i style="width: {100 * bar.count / most:.1f}%"></i></i><b>{bar.count}</b></li>'
    )


def column(bar: Bar, most: int, own: bool = False) -> str:
    """One bar that stands on an axis of numbers, in HTML; to be read aloud it has its words."""
    mark = "✓ " * bar.right + "you" * own
    words = escape(bar.label) + ", your answer" * own
    return (
        f'<li{" data-right" if bar.right else ""}><span class="aloud">{words}: </span>'
        f'<b>{bar.count}</b><i aria-hidden="true"><i style="height: {100 * bar.count / most:.1f}%"></i></i>'
        f'<small aria-hidden="true">{escape(bar.begins)}</small><b class="right">{mark}</b></li>'
    )
