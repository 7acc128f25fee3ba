"""The questions that a visitor answers by a try of their own, which then stands beside the optimizer's.

There is no right answer: the outcome scores the try, by loss and by steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from engine import Optimizer
from engine.race import Run
from engine.scheduled import plain_rule
from ui.numbers import format_number, format_plain, format_point, with_minus
from ui.setup.kinds import decode_number, quoted
from ui.setup.questions.question import Answer, Facts, Outcome, Question
from ui.setup.questions.races import count, runners
from ui.setup.racers import RATE, has_rate, names_in, racer_names
from ui.setup.stops import stops

USUAL_BUDGET, MAX_BUDGET = 20, 60
MAX_NAMED = 4  # of the racers that a sentence names; of more, those that are lowest


@dataclass(frozen=True)
class Line(Question):
    """How low does the loss get, where the visitor drags the line?"""

    word = "line"
    title = "Draw the line yourself"
    blind = True
    draws_line = True
    digits = 5

    @classmethod
    def example(cls, setup: Any) -> str:
        return cls.word if hasattr(setup, "with_intercept") else ""

    def problem(self, setup: Any) -> str:
        return "" if hasattr(setup, "with_intercept") else "It is asked on the page Linear Fit."

    def text(self, setup: Any) -> str:
        return "How low can you bring the loss by moving the line?"

    def hint(self, setup: Any) -> str:
        handles = "the two round handles" if setup.with_intercept else "the round handle"
        return f"Drag {handles}, or choose one with Tab and press ↑ and ↓. Then SGD runs beside your line."

    def numbers(self, setup: Any) -> Sequence[str]:
        return ("θ₀", "θ₁") if setup.with_intercept else ("θ",)

    def describe(self, answer: Answer, setup: Any) -> str:
        assert not isinstance(answer, str)
        *intercept, slope = (format_number(number, 4) for number in answer)
        line = f"{intercept[0]} + {slope} x" if intercept else f"{slope} x"
        return f"You drew the line {line}.".replace("+ −", "− ")

    def outcome(self, setup: Any, facts: Facts) -> Outcome:
        words = []
        ((name, run),) = facts.runs.items()
        for own in facts.yours.values():
            words.append(f"Your line has the loss {format_number(least(own), 4)}.")
            below = np.flatnonzero(run.losses[: run.records] < least(own))
            first = int(run.taken[below[0]]) if below.size else None
            when = f"passes below it at {setup.index} {first:,}" if first else "is below it from the start"
            when = "never gets below it" if first is None else when
            words.append(f"{name} {when}, and {ends_with(run, setup.index)}.")
        if not words:
            words = [f"{name} {ends_with(run, setup.index)}."]
        if facts.least is not None:
            words.append(f"The least possible is {format_number(facts.least, 4)}.")
        return Outcome(" ".join(words), None)


@dataclass(frozen=True)
class Steps(Question):
    """How low does the visitor get, step by step, with only the local slope shown?"""

    word = "steps"
    title = "Descend yourself, step by step"
    on_map = True
    blind = True
    digits = 4
    most: int = USUAL_BUDGET

    @classmethod
    def read(cls, parts: Sequence[str]) -> Self | None:
        if not parts:
            return cls()
        most = decode_number(parts[0]) if len(parts) == 1 else None
        return cls(int(most)) if most is not None and most.is_integer() and 1 <= most <= MAX_BUDGET else None

    @classmethod
    def example(cls, setup: Any) -> str:
        return "" if cls().problem(setup) else cls.word

    def problem(self, setup: Any) -> str:
        if not runners(setup):
            return "This page races no optimizers."
        return "" if getattr(setup, "coordinates", ()) else "With one parameter there is no map to click on."

    def budget(self, setup: Any) -> int:
        return min(self.most, setup.steps)

    def text(self, setup: Any) -> str:
        most = self.budget(setup)
        return f"How low do you get in {most} step{'s' if most > 1 else ''}, by the local slope alone?"

    def hint(self, setup: Any) -> str:
        return "Click on the map for each next step, or type the point. The arrow points down the slope at your point."

    def numbers(self, setup: Any) -> Sequence[str]:
        return setup.coordinates

    def describe(self, answer: Answer, setup: Any) -> str:
        assert not isinstance(answer, str)
        taken = len(answer) // 2
        return f"You took {taken} step{'s' if taken > 1 else ''}, to {format_point(answer[-2:])}."

    def outcome(self, setup: Any, facts: Facts) -> Outcome:
        words = []
        for own in facts.yours.values():
            losses = np.where(np.isfinite(own.losses), own.losses, np.inf)
            best, taken = int(losses.argmin()), len(losses) - 1
            words.append(
                f"Your lowest loss is {format_number(float(losses[best]), 4)}, at step {best} of {taken}."
                if best
                else f"None of your {steps(taken)} is below the start's loss, {format_number(float(losses[0]), 4)}."
            )
            after = {name: loss_after(run, taken) for name, run in facts.runs.items()}
            words.append(f"After {steps(taken)}: {each(after)}.")
        words.append(f"After {count(setup)}: {each({name: last_loss(run) for name, run in facts.runs.items()})}.")
        return Outcome(" ".join(words), None)


@dataclass(frozen=True)
class Rate(Question):
    """Which learning rate brings a racer lowest?"""

    word = "rate"
    title = "Choose the learning rate"
    name: str = ""

    @classmethod
    def read(cls, parts: Sequence[str]) -> Self | None:
        return cls(*parts) if len(parts) <= 1 else None

    @classmethod
    def example(cls, setup: Any) -> str:
        return cls.word if hasattr(setup, "racers") and has_rate(setup.racers[0]) else ""

    def problem(self, setup: Any) -> str:
        if not hasattr(setup, "racers"):
            return "It is asked on 2D Regression and Ackley Race."
        place, names = self.place(setup), names_in(setup)
        if place is None:
            return f"There is no {quoted(self.name)} here. Name one of: {', '.join(names)}."
        return "" if has_rate(setup.racers[place]) else f"{names[place]} has no learning rate. Name another one."

    def place(self, setup: Any) -> int | None:
        """The racer that is meant, counted from 0: by its own name, its optimizer's, or its place; the first by ""."""
        rules = [racer.name for racer in setup.racers]
        plain = [plain_rule(racer.rule).name for racer in setup.racers]
        for known in (names_in(setup), racer_names(setup.racers), rules, plain):
            if self.name in known:
                return known.index(self.name)
        number = decode_number(self.name) if self.name else 1.0
        return int(number) - 1 if number is not None and number in range(1, len(rules) + 1) else None

    def racer(self, setup: Any) -> Optimizer:
        """The racer that is meant."""
        place = self.place(setup)
        assert place is not None
        return setup.racers[place]

    def text(self, setup: Any) -> str:
        return f"Which learning rate brings {self.racer(setup).name} to the lowest loss in {count(setup)}?"

    def numbers(self, setup: Any) -> Sequence[str]:
        return ("learning rate",)

    def stops(self, setup: Any) -> Sequence[float]:
        racer = self.racer(setup)
        knob = next(knob for knob in racer.knobs() if knob.name == RATE)
        return stops(knob.low, knob.high, *(() if setup.hides("racers") else (getattr(racer, RATE),)))

    def describe(self, answer: Answer, setup: Any) -> str:
        assert not isinstance(answer, str)
        return f"You chose the learning rate {format_plain(answer[0])}."

    def outcome(self, setup: Any, facts: Facts) -> Outcome:
        place = self.place(setup)
        assert place is not None
        rate, run = getattr(setup.racers[place], RATE), facts.runs[names_in(setup)[place]]
        usual = "own" if setup.hides("racers") else format_plain(rate)
        usual = f"The set-up's {usual} {ends_with(run, setup.index)}."
        words = [f"{name} {ends_with(run, setup.index)}." for name, run in facts.yours.items()]
        return Outcome(" ".join([*words[:1], usual, *words[1:]]), None)


def steps(number: int) -> str:
    """So many steps, in words."""
    return f"{number:,} step{'' if number == 1 else 's'}"


def least(run: Run) -> float:
    """The lowest loss of a path."""
    return float(np.min(run.losses))


def last_loss(run: Run) -> float:
    """The loss at the end of a run; infinite where it diverged."""
    return np.inf if run.stopped is not None else float(run.losses[-1])


def loss_after(run: Run, step: int) -> float:
    """The loss after so many steps, or the last ones recorded before; infinite where the run was lost by then."""
    if run.stopped is not None and run.stopped <= step:
        return np.inf
    return float(run.losses[max(0, int(np.searchsorted(run.steps, step, side="right")) - 1)])


def ends_with(run: Run, index: str) -> str:
    """How a run ended in one clause: with which loss, or where it diverged."""
    if run.stopped is not None:
        return f"diverges at {index} {run.stopped:,}"
    return f"ends with the loss {format_number(float(run.losses[-1]), 4)}"


def each(losses: Mapping[str, float]) -> str:
    """Racers with their losses, the lowest first; of many, only the first ones."""
    ranked: Iterable[tuple[str, float]] = sorted(losses.items(), key=lambda item: item[1])
    said = [f"{name} {format_number(loss) if np.isfinite(loss) else 'diverged'}" for name, loss in ranked]
    more = len(said) - MAX_NAMED
    return with_minus(", ".join(said[:MAX_NAMED])) + (f", and {more} above" if more > 0 else "")
