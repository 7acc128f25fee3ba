"""What values a setting has, how a link spells them, and what else fits."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, ClassVar

SEPARATOR = "~"  # stays itself in an address
MOST_BLANKS = 6  # of a formula, each of which may have been a plus
# A blank between two things that a sign could stand between, and not beside a sign
OPEN_BLANK = re.compile(r"(?<=[\w.)|!√π]) +(?=[\w.(|√π])")


@dataclass(frozen=True)
class Kind:
    """What values a setting has. ``say`` spells one for a link, ``hear`` gives it back, or None if it does not fit."""

    link: str | None = field(default=None, kw_only=True)  # the name in links; None: that of the setting
    many: ClassVar[bool] = False  # may stand in a link more than once

    @property
    def fits(self) -> str:
        """What fits, as the end of "is not …"."""
        raise NotImplementedError

    def say(self, value: Any) -> str:
        raise NotImplementedError

    def hear(self, text: str) -> Any | None:
        raise NotImplementedError

    def by_hand(self, name: str, text: str, notes: list[str]) -> str:
        """What is meant by a value of a link that somebody has written by hand."""
        return text

    def hear_all(self, texts: Sequence[str], notes: list[str]) -> Any | None:
        """For what may stand in a link more than once: all of it together, None where nothing fits."""
        raise NotImplementedError

    def parts(self, value: Any) -> dict[str, Any]:
        """The widgets that show a value: the end of each one's key, and what it holds."""
        return {"": value}

    def join(self, parts: Mapping[str, Any]) -> Any:
        return parts[""]


@dataclass(frozen=True)
class Choice(Kind):
    """One of a few words."""

    options: Sequence[str]

    @property
    def fits(self) -> str:
        return f"one of {', '.join(self.options)}"

    def say(self, value: str) -> str:
        return value

    def hear(self, text: str) -> str | None:
        return text if text in self.options else None


@dataclass(frozen=True)
class Number(Kind):
    """A number from ``low`` to ``high``."""

    low: float
    high: float

    @property
    def fits(self) -> str:
        return f"a number from {self.low:g} to {self.high:g}"

    def say(self, value: float) -> str:
        return number(value)

    def hear(self, text: str) -> float | None:
        value = finite(text)
        return value if value is not None and self.low <= value <= self.high else None


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number from ``low`` to ``high``."""

    low: int
    high: int

    @property
    def fits(self) -> str:
        return f"a whole number from {self.low} to {self.high}"

    def say(self, value: int) -> str:
        return str(value)

    def hear(self, text: str) -> int | None:
        value = finite(text)
        return int(value) if value is not None and value.is_integer() and self.low <= value <= self.high else None


@dataclass(frozen=True)
class Switch(Kind):
    """On or off."""

    fits = "0 or 1"

    def say(self, value: bool) -> str:
        return str(int(value))

    def hear(self, text: str) -> bool | None:
        return {"0": False, "1": True}.get(text)


@dataclass(frozen=True)
class Text(Kind):
    """A text of at most ``most`` characters, on one line."""

    most: int

    @property
    def fits(self) -> str:
        return f"a text of at most {self.most} characters"

    def say(self, value: str) -> str:
        return value

    def hear(self, text: str) -> str | None:
        return text if len(text) <= self.most else None


@dataclass(frozen=True)
class Formula(Text):
    """A text that is read as a formula. A + of an address arrives as a blank, so a blank may have been meant as one."""

    readable: Callable[[str], bool]

    def by_hand(self, name: str, text: str, notes: list[str]) -> str:
        text = text.strip()
        first, *rest = OPEN_BLANK.split(text)
        if not rest:
            return text
        signs = list(product((" + ", " "), repeat=len(rest))) if len(rest) <= MOST_BLANKS else [(" + ",) * len(rest)]
        signs.sort(key=lambda chosen: chosen.count(" "))
        readings = ("".join([first, *map(str.__add__, chosen, rest)]) for chosen in signs)
        fits = [reading for reading in readings if self.readable(reading)]
        if self.readable(text):
            if fits[:1] != [text]:
                notes.append(f"{name} {quoted(text)} is read with its blanks; in a link, + is written %2B.")
            return text
        if not fits:
            return text
        if len(fits) > 1 or len(rest) > MOST_BLANKS:
            notes.append(f"{name} is read as {quoted(fits[0])}; in a link, + is written %2B.")
        return fits[0]


@dataclass(frozen=True)
class Point(Kind):
    """Two numbers, each at most ``farthest`` from 0."""

    farthest: float
    names: tuple[str, str] = ("x", "y")

    @property
    def fits(self) -> str:
        return f"two numbers like {quoted(f'4{SEPARATOR}4')}, each from {-self.farthest:g} to {self.farthest:g}"

    def say(self, value: tuple[float, float]) -> str:
        return SEPARATOR.join(map(number, value))

    def hear(self, text: str) -> tuple[float, float] | None:
        point = [finite(part) for part in text.split(SEPARATOR)]
        if len(point) != 2 or any(c is None or abs(c) > self.farthest for c in point):
            return None
        return point[0] or 0.0, point[1] or 0.0

    def parts(self, value: tuple[float, float]) -> dict[str, float]:
        return dict(zip(self.names, value, strict=True))

    def join(self, parts: Mapping[str, float]) -> tuple[float, float]:
        return parts[self.names[0]], parts[self.names[1]]


def number(value: float) -> str:
    """A number as short as it can be said, and read back as the same number."""
    return repr(int(value)) if float(value).is_integer() and abs(value) < 1e6 else repr(float(value))


def finite(text: str) -> float | None:
    """The number a text says, or None for any other text, infinity and nan among them."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def quoted(text: str) -> str:
    """A visitor's own text, short, on one line and as plain text: markdown reads nothing in it."""
    clean = "".join(c if c.isprintable() and c != "`" else " " for c in text)
    return f"`{clean[:40] + ('…' if len(clean) > 40 else '')}`" if clean.strip() else "(empty)"
