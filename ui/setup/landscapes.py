"""The landscape of a set-up: one of the engine's, or one that the visitor types; and where a race on it starts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Self

from engine import LANDSCAPES, ExpressionError, Landscape
from engine.typed import NAME, parse_landscape, typed_landscape, usual_start
from ui.setup.codec import setting
from ui.setup.curves import RunSetup
from ui.setup.kinds import Choice, Interval, Point, ReadFormula, quoted

VIEWS = ("usual", "wide")
MAX_START = 1000.0  # of each coordinate, in size
OWN_LANDSCAPE = "own"
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
class LandscapeSetup(RunSetup):
    """The set-up of a page that shows runs on a landscape."""

    landscape: str = setting(Choice((*LANDSCAPES, OWN_LANDSCAPE)), "Ackley")
    # of the visitor's own landscape, as the next two
    own: str = setting(ReadFormula(200, is_landscape), "", optional=True)
    across: tuple[float, float] = setting(Interval(MAX_START, min_length=MIN_SIDE, param="x"), DOMAIN, optional=True)
    up: tuple[float, float] = setting(Interval(MAX_START, min_length=MIN_SIDE, param="y"), DOMAIN, optional=True)
    view: str = setting(Choice(VIEWS), "usual", view_only=True)
    start: tuple[float, float] = setting(Point(MAX_START), (4.0, 4.0))

    @property
    def is_own(self) -> bool:
        """Whether the landscape is the visitor's own."""
        return self.landscape == OWN_LANDSCAPE

    @property
    def chosen_landscape(self) -> Landscape:
        """The landscape that the setting of this name names."""
        if self.is_own:
            return typed_landscape(self.own or EXAMPLE_LANDSCAPE, (self.across, self.up))
        return LANDSCAPES[self.landscape]

    @property
    def landscape_name(self) -> str:
        """What the page calls the landscape; "" where the link hides which one it is."""
        if self.hides("landscape"):
            return ""
        return NAME if self.is_own else self.landscape

    @property
    def hides_formula(self) -> bool:
        """Whether the formula of the landscape is not to be told."""
        return self.hides("landscape") or (self.is_own and self.hides("own"))

    def with_setting(self, name: str, value: Any) -> Self:
        """This set-up with one setting changed; another landscape, or another domain, brings its own start."""
        chosen = super().with_setting(name, value)
        if name == "landscape" and value != OWN_LANDSCAPE:
            return replace(chosen, start=next(iter(LANDSCAPES[value].places.values())))
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

    def notes_on_unused(self, given: Collection[str]) -> list[str]:
        """A note where a link gives a landscape of its own, and not that it is to be shown."""
        usual = type(self)()
        alone = [quoted(self.link_name(name)) for name in OWN if getattr(self, name) != getattr(usual, name)]
        words = f"{' and '.join(alone)} {'is' if len(alone) == 1 else 'are'}"
        notes = (
            [f"{words} looked at only with landscape={OWN_LANDSCAPE}."] if alone and "landscape" not in given else []
        )
        return [*notes, *super().notes_on_unused(given)]
