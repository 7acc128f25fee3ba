"""The landscape of a set-up: one of the engine's, or one that the visitor types; and where a race on it starts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, Self

from engine import LANDSCAPES, ExpressionError, Landscape, reshaped
from engine.knobs import Knob
from engine.painted import DOMAIN as PAINTED_DOMAIN
from engine.painted import NAME as PAINTED_NAME
from engine.painted import SIDE, decode_heights, example, painted_landscape
from engine.shapes import KNOBS
from engine.typed import NAME, parse_landscape, typed_landscape, usual_start
from ui.setup.codec import setting
from ui.setup.curves import RunSetup
from ui.setup.kinds import SEPARATOR, Choice, Interval, Kind, Point, ReadFormula, decode_number, encode_number, quoted

VIEWS = ("usual", "wide")
MAX_START = 1000.0  # of each coordinate, in size
OWN_LANDSCAPE, PAINTED_LANDSCAPE = "own", "painted"
FOUND = {OWN_LANDSCAPE: NAME, PAINTED_LANDSCAPE: PAINTED_NAME}  # what the page calls those that are not the engine's
EXAMPLE_LANDSCAPE = "x^2 + y^2 + 10 sin(x) sin(y)"  # what the field for one's own opens with
DOMAIN = (-5.0, 5.0)  # of x, and of y, until it is chosen
MIN_SIDE = 0.1  # of a domain: in a shorter one the points that are drawn would be equal in 32 bits
OWN = ("own", "across", "up")  # the settings that one's own landscape is made from


def is_landscape(text: str) -> bool:
    """Whether a text can be parsed as a function of x and y."""
    try:
        parse_landscape(text)
    except ExpressionError:
        return False
    return True


@dataclass(frozen=True)
class TurnedKnobs(Kind):
    """The knobs of a landscape that are not at their default, each with its value; of those that any landscape has."""

    knobs: Mapping[str, Knob]

    @property
    def accepts(self) -> str:
        ranges = (f"{name} from {knob.low:g} to {knob.high:g}" for name, knob in self.knobs.items())
        example = next(iter(self.knobs.values()))
        return f"a list like {quoted(self.encode(((example.name, example.high),)))}, of {', '.join(ranges)}"

    def encode(self, value: tuple[tuple[str, float], ...]) -> str:
        return SEPARATOR.join(part for name, number in value for part in (name, encode_number(number)))

    def decode(self, text: str) -> tuple[tuple[str, float], ...] | None:
        parts = text.split(SEPARATOR) if text else []
        held, given = self.to_widgets(()), set[str]()
        for name, number in zip_longest(parts[::2], map(decode_number, parts[1::2])):
            knob = self.knobs.get(name)
            if knob is None or name in given or number is None or not knob.low <= number <= knob.high:
                return None
            held[name] = number
            given.add(name)
        return self.from_widgets(held)

    def to_widgets(self, value: tuple[tuple[str, float], ...]) -> dict[str, float]:
        return {name: knob.default for name, knob in self.knobs.items()} | dict(value)

    def from_widgets(self, held: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
        return tuple((name, held[name]) for name, knob in self.knobs.items() if held[name] != knob.default)


def first_place(landscape: Landscape) -> tuple[float, float]:
    """Where a race on a landscape usually starts."""
    return next(iter(landscape.places.values()))


@dataclass(frozen=True)
class Painting(Kind):
    """The heights of a painting, or nothing for the example."""

    @property
    def accepts(self) -> str:
        return f"a painting of {2 * SIDE * SIDE:,} letters, as this app writes it"

    def encode(self, value: str) -> str:
        return value

    def decode(self, text: str) -> str | None:
        try:
            decode_heights(text or example())
        except ValueError:
            return None
        return text

    def describe(self, value: str) -> str:
        """Not the letters, which nobody can read."""
        return "a picture" if value else "the example"


@dataclass(frozen=True)
class LandscapeSetup(RunSetup):
    """The set-up of a page that shows runs on a landscape."""

    landscape: str = setting(Choice((*LANDSCAPES, *FOUND)), "Ackley")
    shape: tuple[tuple[str, float], ...] = setting(TurnedKnobs(KNOBS), (), optional=True)
    # of the visitor's own landscape, as the next two
    own: str = setting(ReadFormula(200, is_landscape), "", optional=True)
    across: tuple[float, float] = setting(Interval(MAX_START, min_length=MIN_SIDE, param="x"), DOMAIN, optional=True)
    up: tuple[float, float] = setting(Interval(MAX_START, min_length=MIN_SIDE, param="y"), DOMAIN, optional=True)
    painted: str = setting(Painting(), "", optional=True)
    view: str = setting(Choice(VIEWS), "usual", view_only=True)
    start: tuple[float, float] = setting(Point(MAX_START), (4.0, 4.0))

    @property
    def is_own(self) -> bool:
        """Whether the landscape is the visitor's own."""
        return self.landscape == OWN_LANDSCAPE

    @property
    def is_painted(self) -> bool:
        """Whether the landscape is a painted one."""
        return self.landscape == PAINTED_LANDSCAPE

    @property
    def chosen_landscape(self) -> Landscape:
        """The landscape that the setting of this name names."""
        if self.is_painted:
            return painted_landscape(self.painted or example())
        if self.is_own:
            return typed_landscape(self.own or EXAMPLE_LANDSCAPE, (self.across, self.up))
        return reshaped(
            LANDSCAPES[self.landscape], **{name: value for name, value in self.shape if name in self.own_knobs}
        )

    @property
    def landscape_name(self) -> str:
        """What the page calls the landscape; "" where the link hides which one it is."""
        if self.hides("landscape"):
            return ""
        return FOUND.get(self.landscape, self.landscape)

    @property
    def told_landscape(self) -> str:
        """The landscape in words that tell it from all others, as far as words can."""
        if self.is_own:
            return f"f(x, y) = {self.own.strip()}"
        return "a painted landscape" if self.is_painted else self.landscape

    @property
    def hides_formula(self) -> bool:
        """Whether the formula of the landscape is not to be told."""
        return self.hides("landscape") or (self.is_own and self.hides("own"))

    def with_setting(self, name: str, value: Any) -> Self:
        """This set-up with one setting changed; another landscape, or another domain, brings its own start.

        A start that has a name goes with its place where a knob of the landscape moves that.
        """
        chosen = super().with_setting(name, value)
        if name == "landscape":
            chosen = replace(chosen, shape=())
        if name == "landscape" and value in LANDSCAPES:
            return replace(chosen, start=first_place(LANDSCAPES[value]))
        if name == "landscape" and value == PAINTED_LANDSCAPE:
            return replace(chosen, start=usual_start(PAINTED_DOMAIN))
        if name == "shape":
            places = self.chosen_landscape.places
            here = next((place for place, point in places.items() if point == self.start), "")
            return replace(chosen, start=chosen.chosen_landscape.places.get(here, self.start))
        if not chosen.is_own:
            return chosen
        if name in ("landscape", "own"):  # the field opens with an example, to be edited
            chosen = replace(chosen, own=chosen.own or EXAMPLE_LANDSCAPE)
        if name == "landscape" or (name in ("across", "up") and not self.keeps_start(chosen)):
            chosen = replace(chosen, start=usual_start((chosen.across, chosen.up)))
        return chosen

    def keeps_start(self, chosen: Self) -> bool:
        """Whether the start stays where another domain is ``chosen``: in it, and not the usual one of the old."""
        inside = [low <= x <= high for x, (low, high) in zip(self.start, (chosen.across, chosen.up), strict=True)]
        return all(inside) and self.start != usual_start((self.across, self.up))

    def with_fixed_of(self, other: Self) -> Self:
        """With a landscape that is fixed stays what it is made from; of another one there are other knobs."""
        kept, changed = super().with_fixed_of(other), self.landscape != other.landscape
        if other.hides("landscape"):  # whose knobs are hidden with it
            kept = replace(kept, shape=other.shape)
        if other.fixes("landscape") and changed:
            kept = replace(kept, **{name: getattr(other, name) for name in ("shape", "painted", *OWN)})
        if other.fixes("landscape") and changed and not other.fixes("start"):
            kept = replace(kept, start=first_place(kept.chosen_landscape))
        return replace(kept, shape=tuple(one for one in kept.shape if one[0] in kept.own_knobs))

    @property
    def own_knobs(self) -> list[str]:
        """The names of the knobs that its landscape has; a typed or a painted one has none."""
        return [knob.name for knob in LANDSCAPES[self.landscape].knobs] if self.landscape in LANDSCAPES else []

    def without_unfit(self, notes: list[str]) -> Self:
        """Without the knobs that its landscape does not have, too."""
        has, who = self.own_knobs, self.landscape_name or "The landscape"
        those = "" if self.hides("landscape") else f" It has {', '.join(has) or 'none'}."
        for name in (name for name, _ in self.shape if name not in has):
            notes.append(f"{who} has no setting {quoted(name)}; it is left out.{those}")
        own = tuple((name, value) for name, value in self.shape if name in has)
        return replace(super().without_unfit(notes), shape=own)

    def notes_on_unused(self, given: Collection[str]) -> list[str]:
        """A note where a link gives a landscape of its own, and not that it is to be shown."""
        usual, notes = type(self)(), list[str]()
        for landscape, made_from in {OWN_LANDSCAPE: OWN, PAINTED_LANDSCAPE: ("painted",)}.items():
            alone = [quoted(self.link_name(name)) for name in made_from if getattr(self, name) != getattr(usual, name)]
            if alone and "landscape" not in given:
                words = f"{' and '.join(alone)} {'is' if len(alone) == 1 else 'are'}"
                notes.append(f"{words} looked at only with landscape={landscape}.")
        return [*notes, *super().notes_on_unused(given)]
