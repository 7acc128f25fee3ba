"""The questions about a race: how one ends, who is lowest, and where one is at some step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from engine.endings import rank
from engine.scheduled import plain_rule
from ui.numbers import format_number, format_point, with_minus
from ui.setup.kinds import decode_number, quoted
from ui.setup.questions.question import Answer, Facts, Outcome, Question
from ui.setup.racers import racer_names

SAME_LOSS = 1e-5  # of a loss: what differs by less may be rounded otherwise on another processor
MAPS = ("map", "valley")  # what a link calls the view that shows places, to hide it
PLACE_REACH = 0.1  # of the map's width and height: so near a place is right
ENDINGS = {  # the answer by the kind of a verdict; by any other it oscillates, or is still on its way
    "converged": "converges",
    "diverged": "diverges",
    "diverging": "diverges",
    "stuck": "rests",
    "saddle": "rests",
    "top": "rests",
    "stands": "rests",
}


def runner(setup: Any, name: str) -> str | None:
    """The racer that a link means: by its own name, its optimizer's, or its place in the line-up; the first by ""."""
    names = runners(setup)
    if name in names:
        return name
    place = decode_number(name) if name else 1.0
    if place is not None:
        return names[int(place) - 1] if place.is_integer() and 1 <= place <= len(names) else None
    racers = getattr(setup, "racers", ())
    # by the knobs that tell it apart, too: a link may name it so, and hide them
    known = (racer_names(racers), [racer.name for racer in racers], [plain_rule(racer.rule).name for racer in racers])
    return next((names[some.index(name)] for some in known if name in some), None)


def runners(setup: Any) -> list[str]:
    """The name of every run that a set-up shows."""
    return list(getattr(setup, "runners", ()))


def no_runner(setup: Any, name: str) -> str:
    """That there is no racer of this name, in a sentence; "" where there is one."""
    if not runners(setup):
        return "This page races no optimizers."
    there = ", ".join(runners(setup))
    return "" if runner(setup, name) else f"There is no {quoted(name)} here. Name one of: {there}."


def count(setup: Any) -> str:
    """How many steps a run takes."""
    return f"{setup.steps:,} {setup.index}{'s' if setup.steps > 1 else ''}"


@dataclass(frozen=True)
class Ends(Question):
    """Will a racer converge, oscillate or diverge?"""

    word = "ends"
    title = "How one of them ends"
    name: str = ""

    @classmethod
    def read(cls, parts: Sequence[str]) -> Self | None:
        return cls(*parts) if len(parts) <= 1 else None

    @classmethod
    def usual(cls, setup: Any) -> str:
        return cls.word if len(runners(setup)) == 1 else ""

    @classmethod
    def example(cls, setup: Any) -> str:
        return cls.word if runners(setup) else ""

    def problem(self, setup: Any) -> str:
        return no_runner(setup, self.name)

    def text(self, setup: Any) -> str:
        return f"Will {runner(setup, self.name)} converge within {count(setup)}?"

    def choices(self, setup: Any) -> Mapping[str, str]:
        elsewhere = {"rests": "No: it comes to rest elsewhere"} if hasattr(setup, "landscape") else {}
        return {
            "converges": "Yes: at a global minimum" if elsewhere else "Yes",
            **elsewhere,
            "oscillates": "No: it oscillates, or is still on its way",
            "diverges": "No: it diverges",
        }

    def describe(self, answer: Answer, setup: Any) -> str:
        ends = {
            "converges": "converges",
            "rests": "comes to rest elsewhere",
            "oscillates": "oscillates or is still on its way",
            "diverges": "diverges",
        }[str(answer)]
        return f"You said that {runner(setup, self.name)} {ends}."

    def outcome(self, setup: Any, facts: Facts) -> Outcome:
        name = runner(setup, self.name)
        assert name is not None
        verdict = facts.verdicts[name]
        ending = ENDINGS.get(verdict.kind, "oscillates")
        right = ending if ending in self.choices(setup) else "oscillates"
        is_or_not = "is " if verdict.kind in ("stuck", "saddle", "top", "oscillating", "going") else ""
        return Outcome(f"{name} {is_or_not}{verdict.words}.", frozenset({right}))


@dataclass(frozen=True)
class Lowest(Question):
    """Who has the lowest loss at the end?"""

    word = "lowest"
    title = "Who ends lowest"

    @classmethod
    def usual(cls, setup: Any) -> str:
        return cls.word if len(runners(setup)) > 1 else ""

    def problem(self, setup: Any) -> str:
        if not runners(setup):
            return "This page races no optimizers."
        return "" if len(runners(setup)) > 1 else "Only one optimizer runs here; it takes two for one to be lower."

    def text(self, setup: Any) -> str:
        return f"Who has the lowest loss after {count(setup)}?"

    def choices(self, setup: Any) -> Mapping[str, str]:
        return {name: name for name in runners(setup)}

    def describe(self, answer: Answer, setup: Any) -> str:
        return f"You said that {answer} ends lowest."

    def outcome(self, setup: Any, facts: Facts) -> Outcome:
        ranks = sorted((rank(run), name) for name, run in facts.runs.items())
        (lost, _, least), best = ranks[0]
        if lost:
            return Outcome(f"All of them diverge, {best} as the last one.", frozenset({best}))
        equal = [name for (gone, _, loss), name in ranks if not gone and loss - least <= SAME_LOSS * abs(least)]
        if len(equal) > 1:
            return Outcome(f"{' and '.join(equal)} end lowest, with the loss {format_number(least)}.", frozenset(equal))
        (lost, _, next_loss), second = ranks[1]
        digits = next(d for d in range(3, 12) if lost or format_number(least, d) != format_number(next_loss, d))
        other = "but it diverged" if lost else f"with {format_number(next_loss, digits)}"
        words = f"{best} ends lowest, with the loss {format_number(least, digits)}; {second} is next, {other}."
        return Outcome(words, frozenset({best}))


@dataclass(frozen=True)
class Where(Question):
    """Where on the map is a racer at some step?"""

    word = "where"
    title = "Where a step lands"
    on_map = True
    name: str
    step: int

    @classmethod
    def read(cls, parts: Sequence[str]) -> Self | None:
        step = decode_number(parts[-1]) if len(parts) in (1, 2) else None
        if step is None or not step.is_integer() or step < 1:
            return None
        return cls(parts[0] if len(parts) == 2 else "", int(step))

    @classmethod
    def example(cls, setup: Any) -> str:
        return f"{cls.word}~{max(1, setup.steps // 4)}" if getattr(setup, "coordinates", ()) else ""

    def problem(self, setup: Any) -> str:
        if problem := no_runner(setup, self.name):
            return problem
        if not getattr(setup, "coordinates", ()):
            return "With one parameter there is no map to click on."
        if any(setup.hides(name) for name in MAPS):
            return "The map is hidden here."
        return "" if self.step <= setup.steps else f"The run ends at {setup.index} {setup.steps:,}."

    def text(self, setup: Any) -> str:
        return f"Where on the map is {runner(setup, self.name)} at {setup.index} {self.step:,}?"

    def hint(self, setup: Any) -> str:
        return f"Click on the map, or type the place. Within {PLACE_REACH:.0%} of the map's width and height is right."

    def numbers(self, setup: Any) -> Sequence[str]:
        return setup.coordinates

    def describe(self, answer: Answer, setup: Any) -> str:
        assert not isinstance(answer, str)
        return f"You said {format_point(answer)}."

    def outcome(self, setup: Any, facts: Facts) -> Outcome:
        name = runner(setup, self.name)
        assert name is not None
        run = facts.runs[name]
        record = int(np.abs(run.steps - self.step).argmin())
        place = run.positions[record].astype(float)
        low, high = np.array(facts.frame, float).T
        on_map = np.clip(place, low, high)
        gone = run.stopped is not None and run.stopped <= self.step
        off = "" if (on_map == place).all() else ", outside the map: what is at its edge nearest to that is right"
        diverged = f"; it diverged at {setup.index} {run.stopped:,}" if gone else ""
        at = with_minus("(" + ", ".join(f"{c:.4g}" for c in place) + ")")
        words = f"At {setup.index} {self.step:,}, {name} is at {at}{off}{diverged}."
        return Outcome(words, tuple(on_map.tolist()), tuple((PLACE_REACH * (high - low)).tolist()))
