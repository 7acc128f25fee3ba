"""The question about a slope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ui.numbers import format_number
from ui.setup.questions.question import Answer, Facts, Outcome, Question

SLOPE_REACH, LEAST_SLOPE_REACH = 0.1, 0.01  # of the slope itself, and of the steepest one on the interval


@dataclass(frozen=True)
class Slope(Question):
    """What is the slope f′ at x₀?"""

    word = "slope"
    title = "The slope at x₀"
    at_once = True

    @classmethod
    def usual(cls, setup: Any) -> str:
        return cls.word if getattr(setup, "shows_slope", False) else ""

    def problem(self, setup: Any) -> str:
        if not hasattr(setup, "shows_slope"):
            return "It is asked on the page Gradients."
        return "" if setup.shows_slope else "It is asked in the part Slope."

    def text(self, setup: Any) -> str:
        return f"What is the slope f′(x₀) at x₀ = {format_number(setup.x0, 4)}?"

    def hint(self, setup: Any) -> str:
        return (
            f"Estimate it from the curve, or work it out. Within {SLOPE_REACH:.0%} is right, and near 0 what is within "
            f"{LEAST_SLOPE_REACH:.0%} of the steepest slope in view."
        )

    def numbers(self, setup: Any) -> Sequence[str]:
        return ("f′(x₀)",)

    def describe(self, answer: Answer, setup: Any) -> str:
        assert not isinstance(answer, str)
        return f"You said {format_number(answer[0], 4)}."

    def outcome(self, setup: Any, facts: Facts) -> Outcome:
        slopes = dict(facts.points)
        slope = slopes.get(setup.x0, np.nan)
        at = f"At x₀ = {format_number(setup.x0, 4)}"
        if not np.isfinite(slope):
            return Outcome(f"{at}, f has no one slope.", frozenset())
        steepest = float(np.abs([some for some in slopes.values() if np.isfinite(some)]).max())
        reach = max(SLOPE_REACH * abs(slope), LEAST_SLOPE_REACH * steepest, 1e-12)
        return Outcome(f"{at} the slope is {format_number(slope, 4)}.", (float(slope),), (reach,))
