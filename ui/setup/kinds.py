"""The kinds of setting: which values each accepts, how a link spells them, and which widgets hold them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, ClassVar

SEPARATOR = "~"  # between the parts of a value; a browser does not escape it in an address
CODE_LENGTH, CODE_LETTERS = 4, "BCDFGHJKMNPRSTVWXZ"  # of a class: no word comes of them, and none looks like another
MAX_BLANKS = 6  # up to so many, each combination of blanks and plus signs is tried
# A blank between two operands, where a plus sign could stand
POSSIBLE_PLUS = re.compile(r"(?<=[\w.)|!√π]) +(?=[\w.(|√π])")


@dataclass(frozen=True)
class Kind:
    """Which values a setting accepts, and how they are written in a link and held by widgets."""

    param: str | None = field(default=None, kw_only=True)  # the query parameter; None: it has the setting's name
    many: ClassVar[bool] = False  # whether the query parameter may be given more than once

    @property
    def accepts(self) -> str:
        """What is accepted, in words that go on from "is not …"."""
        raise NotImplementedError

    def encode(self, value: Any) -> str:
        """A value as the text of a link."""
        raise NotImplementedError

    def decode(self, text: str) -> Any | None:
        """The value that a link's text stands for, or None where it is not accepted."""
        raise NotImplementedError

    def describe(self, value: Any) -> str:
        """A value in a few words: as a link has it."""
        return self.encode(value)

    def clean_handwritten(self, name: str, text: str, notes: list[str]) -> str:
        """What is meant by a text of a link that was not made by ``encode``. A doubt is added to ``notes``."""
        return text

    def decode_all(self, texts: Sequence[str], notes: list[str]) -> Any | None:
        """The value that all texts of a parameter stand for, where there may be ``many``; None if none is accepted."""
        raise NotImplementedError

    def to_widgets(self, value: Any) -> dict[str, Any]:
        """What each widget of the setting holds for a value, by the end of the widget's key."""
        return {"": value}

    def from_widgets(self, held: Mapping[str, Any]) -> Any:
        """The value that the widgets of the setting hold."""
        return held[""]


@dataclass(frozen=True)
class Choice(Kind):
    """One of a few words."""

    options: Sequence[str]

    @property
    def accepts(self) -> str:
        return f"one of {', '.join(self.options)}"

    def encode(self, value: str) -> str:
        return value

    def decode(self, text: str) -> str | None:
        return text if text in self.options else None


@dataclass(frozen=True)
class ClassCode(Kind):
    """The code of a class, or nothing."""

    @property
    def accepts(self) -> str:
        return f"the {CODE_LENGTH} letters of a class"

    def encode(self, value: str) -> str:
        return value

    def decode(self, text: str) -> str | None:
        code = text.strip().upper()
        return code if not code or (len(code) == CODE_LENGTH and set(code) <= set(CODE_LETTERS)) else None


@dataclass(frozen=True)
class StoryName(Choice):
    """The name of a story, or nothing."""

    @property
    def accepts(self) -> str:
        """Without the list of all names: it would be long."""
        return "the name of a story that is here"


@dataclass(frozen=True)
class Switch(Kind):
    """On or off: 1 or 0."""

    @property
    def accepts(self) -> str:
        return "1 or 0"

    def encode(self, value: bool) -> str:
        return str(int(value))

    def decode(self, text: str) -> bool | None:
        return {"1": True, "0": False}.get(text)


@dataclass(frozen=True)
class Number(Kind):
    """A number from ``low`` to ``high``."""

    low: float
    high: float

    @property
    def accepts(self) -> str:
        return f"a number from {self.low:g} to {self.high:g}"

    def encode(self, value: float) -> str:
        return encode_number(value)

    def decode(self, text: str) -> float | None:
        value = decode_number(text)
        return value if value is not None and self.low <= value <= self.high else None


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number from ``low`` to ``high``."""

    low: int
    high: int

    @property
    def accepts(self) -> str:
        return f"a whole number from {self.low} to {self.high}"

    def encode(self, value: int) -> str:
        return str(value)

    def decode(self, text: str) -> int | None:
        value = decode_number(text)
        return int(value) if value is not None and value.is_integer() and self.low <= value <= self.high else None


@dataclass(frozen=True)
class Text(Kind):
    """A line of text with at most ``max_length`` characters."""

    max_length: int

    @property
    def accepts(self) -> str:
        return f"a text of at most {self.max_length} characters"

    def encode(self, value: str) -> str:
        return value

    def decode(self, text: str) -> str | None:
        return text if len(text) <= self.max_length else None


@dataclass(frozen=True)
class Names(Kind):
    """A few names, each once. Which of them there are depends on the page, and is looked at once they are read."""

    most: int = 60
    max_length: int = 40  # of each

    @property
    def accepts(self) -> str:
        return f"a list of names like {quoted(f'steps{SEPARATOR}table')}, with at most {self.most} of them"

    def encode(self, value: tuple[str, ...]) -> str:
        return SEPARATOR.join(value)

    def decode(self, text: str) -> tuple[str, ...] | None:
        names = tuple(dict.fromkeys(name for name in text.split(SEPARATOR) if name))
        return names if len(names) <= self.most and all(len(name) <= self.max_length for name in names) else None


@dataclass(frozen=True)
class Formula(Text):
    """A formula. In an address + stands for a blank, so a blank may have been meant as a plus sign."""

    readable: Callable[[str], bool]  # whether a text can be parsed

    def clean_handwritten(self, name: str, text: str, notes: list[str]) -> str:
        """The formula with plus signs for those blanks that can only have been meant as such.

        A text that can be read as it is stays as it is, with a note where plus signs are as likely.
        """
        text = text.strip()
        first, *rest = POSSIBLE_PLUS.split(text)
        if not rest:
            return text
        signs = list(product((" + ", " "), repeat=len(rest))) if len(rest) <= MAX_BLANKS else [(" + ",) * len(rest)]
        signs.sort(key=lambda some: some.count(" "))  # the reading with the most plus signs first
        candidates = ("".join([first, *map(str.__add__, some, rest)]) for some in signs)
        readings = [candidate for candidate in candidates if self.readable(candidate)]
        if self.readable(text):
            if readings[:1] != [text]:
                notes.append(f"{name} {quoted(text)} is read with its blanks; in a link, + is written %2B.")
            return text
        if not readings:
            return text
        if len(readings) > 1 or len(rest) > MAX_BLANKS:
            notes.append(f"{name} is read as {quoted(readings[0])}; in a link, + is written %2B.")
        return readings[0]


@dataclass(frozen=True)
class ReadFormula(Formula):
    """A formula that can be parsed, or none: for a page that goes on with the one before where another cannot."""

    @property
    def accepts(self) -> str:
        """That it can be read, too."""
        return f"a formula that can be read, of at most {self.max_length} characters"

    def decode(self, text: str) -> str | None:
        """None where it cannot be read, too."""
        fits = super().decode(text) is not None and (not text or self.readable(text))
        return text if fits else None


@dataclass(frozen=True)
class Point(Kind):
    """Two numbers, each at most ``max_abs`` from 0."""

    max_abs: float
    names: tuple[str, str] = ("x", "y")  # the ends of its widgets' keys

    @property
    def accepts(self) -> str:
        return f"two numbers like {quoted(f'4{SEPARATOR}4')}, each from {-self.max_abs:g} to {self.max_abs:g}"

    def encode(self, value: tuple[float, float]) -> str:
        return SEPARATOR.join(map(encode_number, value))

    def decode(self, text: str) -> tuple[float, float] | None:
        point = [decode_number(part) for part in text.split(SEPARATOR)]
        if len(point) != 2 or any(c is None or abs(c) > self.max_abs for c in point):
            return None
        return point[0] or 0.0, point[1] or 0.0

    def to_widgets(self, value: tuple[float, float]) -> dict[str, float]:
        return dict(zip(self.names, value, strict=True))

    def from_widgets(self, held: Mapping[str, float]) -> tuple[float, float]:
        return held[self.names[0]], held[self.names[1]]


@dataclass(frozen=True)
class Interval(Point):
    """From where to where: two numbers, the second larger by ``min_length`` at least."""

    names: tuple[str, str] = ("from", "to")
    min_length: float = field(kw_only=True)

    @property
    def accepts(self) -> str:
        """How far apart they are, too."""
        return f"{super().accepts}, the second larger by {self.min_length:g} at least"

    def decode(self, text: str) -> tuple[float, float] | None:
        """None where they are not far enough apart, too."""
        ends = super().decode(text)
        return ends if ends and ends[1] - ends[0] >= self.min_length else None


def encode_number(value: float) -> str:
    """A text that is read back as the same number; a whole number has no decimal point."""
    return repr(int(value)) if float(value).is_integer() and abs(value) < 1e6 else repr(float(value))


def decode_number(text: str) -> float | None:
    """The finite number that a text stands for, or None: infinity and nan are not finite."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def quoted(text: str) -> str:
    """A visitor's own text for a message: short, on one line, and a code span, so that Markdown formats none of it."""
    clean = "".join(c if c.isprintable() and c != "`" else " " for c in text)
    return f"`{clean[:40] + ('…' if len(clean) > 40 else '')}`" if clean.strip() else "(empty)"
