"""A landscape that someone has typed: its formula is given, and all else is found by looking at it.

``engine/painted.py`` has the one that someone has painted, of which all is found in the same way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import jax

from engine.expressions import ExpressionError, Function, parse
from engine.landscapes import DECADES_FROM, Landscape, Point
from engine.minima import MAX_MINIMA, Finding, Loss, Lowest, lowest_points

NAME = "Your own"
START = (0.9, 0.8)  # the usual start, in shares of the domain: off both diagonals
SPANS_DECADES = 40.0  # where the highest part of a loss is so many times as high as its low ones
MAX_NAMED = 6  # minima
MAX_KEPT = 32  # landscapes; their compiled programs are bounded by themselves


@dataclass(frozen=True)
class TypedLoss:
    """A typed f(x, y) as the loss at a point (x, y). Two whose formulas read the same share what is compiled."""

    f: Function

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.f(x[0], x[1])


def parse_landscape(text: str) -> Function:
    """Read a formula of x and y. Raises ``ExpressionError`` where it is none, in one line that says what to do."""
    f = parse(text, ("x", "y"))
    if f.is_derivative:
        raise ExpressionError("The left side is a derivative. Type the function itself, such as f(x, y) = x^2 + y^2.")
    return f


@lru_cache(MAX_KEPT)
def typed_landscape(text: str, domain: tuple[Point, Point]) -> Landscape:
    """The landscape of a formula of x and y over a domain: its minima are looked for.

    Raises ``ExpressionError`` where the text is no formula.
    """
    f = parse_landscape(text)
    return landscape_found(NAME, TypedLoss(f), domain, f"f(x, y) = {f.latex}")


def landscape_found(name: str, loss: Loss, domain: tuple[Point, Point], formula: str) -> Landscape:
    """A landscape of which nothing is known but its loss: what else there is of it is looked for."""
    lowest = lowest_points(loss, domain)
    decades_from = spans_decades(lowest)
    return Landscape(
        name=name,
        about=" ".join(sentence for sentence in (describe_minima(lowest), describe_gap(lowest)) if sentence),
        loss=loss,
        domain=domain,
        minima=lowest.minima,
        floor=lowest.floor,
        formula=formula,
        source="",
        places={"Near a corner": usual_start(domain)},
        decades=decades_from is not None,
        decades_from=decades_from or DECADES_FROM,
        found=True,
    )


def usual_start(domain: tuple[Point, Point]) -> Point:
    """Where a race starts in a domain of which nothing is known, in few digits."""
    x, y = (
        float(f"{low + share * (high - low):.{digits_of(high - low)}f}")
        for share, (low, high) in zip(START, domain, strict=True)
    )
    return x, y


def digits_of(size: float) -> int:
    """How many decimals tell places apart that are a hundredth of ``size`` from each other."""
    return max(0, 2 - math.floor(math.log10(size)))


def spans_decades(lowest: Lowest) -> float | None:
    """From which loss above the floor on a loss is drawn by its decades; None where it does not span any.

    Without a floor it is that above 0, or below.
    """
    low, high = sorted(abs(loss - (lowest.floor or 0.0)) for loss in lowest.spread)
    one_sign = lowest.floor is not None or math.prod(lowest.spread) > 0
    if not one_sign or low == 0 or high < SPANS_DECADES * low:
        return None
    return DECADES_FROM * min(1.0, 10.0 ** math.floor(math.log10(low)))


def describe_minima(lowest: Lowest) -> str:
    """What was found of the minima, in a sentence."""
    value = "" if lowest.floor is None else f"{round(lowest.floor, 9) + 0.0:.4g}"
    found = len(lowest.minima)
    each = ", ".join(f"({x:.4g}, {y:.4g})" for x, y in lowest.minima) if found <= MAX_NAMED else "the crosses"
    minima = "One minimum was" if found == 1 else f"{found} minima of the same height were"
    return {
        Finding.FOUND: f"{minima} found, by Newton's method from the points of a grid: f is {value} at {each}.",
        Finding.MANY: f"More than {MAX_MINIMA} minima of the same height were found, so none is marked. "
        "There are fewer in a smaller domain.",
        Finding.VALLEY: f"The lowest points, where f is {value}, are a whole line or plain, or as flat as one. So no "
        "single minimum is marked, and no run is said to converge.",
        Finding.LEVEL: f"f is {value} everywhere: there is no way down.",
        Finding.OUTSIDE: "No minimum is marked: f is still lower outside this domain.",
        Finding.EDGE: "No minimum is marked: f is lowest right beside where it has no value.",
        Finding.NOWHERE: "f has no value anywhere in this domain. Choose another domain, or another formula.",
        Finding.UNSURE: "No minimum is marked: the search did not come to an end, as where f falls without one.",
    }[lowest.finding]


def describe_gap(lowest: Lowest) -> str:
    """Where there is no value, in a sentence; "" where there is one everywhere."""
    if not lowest.undefined or lowest.finding is Finding.NOWHERE:
        return ""
    share = f"{lowest.undefined:.0%}".replace("%", " %") if lowest.undefined >= 0.01 else "less than 1 %"
    return f"On {share} of this domain f has no value: there is a gap in the picture, and a run that comes there stops."
