"""What can be turned on the pages without compiling anything: the knobs of optimizers, and of landscapes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Knob:
    """What can be turned on an optimizer or a landscape: its range, its symbol, and a learner's words for it."""

    name: str
    default: float | bool
    low: float
    high: float
    symbol: str  # LaTeX
    log: bool  # spans decades: a slider moves through its exponents
    about: str
    whole: bool = False  # a slider moves through the whole numbers
    changed: str = ""  # of a switch: what the rule is like where it is not as usual, in words that follow its name

    @property
    def words(self) -> str:
        """The name as a reader says it."""
        return re.sub(r"beta(?=\d)", "beta ", self.name.replace("_", " "))

    @property
    def is_switch(self) -> bool:
        """Whether it is turned on or off, and has no range."""
        return isinstance(self.default, bool)


def knob(
    default: float | bool,
    low: float = 0.0,
    high: float = 1.0,
    symbol: str = "",
    *,
    log: bool = False,
    whole: bool = False,
    about: str = "",
) -> Any:
    """A field of an optimizer or a landscape that can be turned: default, lowest, highest, symbol (LaTeX).

    ``about``: what it does; an optimizer's has to say so only where that is not what ``ABOUT`` says. In ``update``, or
    in the loss, it is a traced number, a switch too: choose with ``jnp.where``, not with ``if``.
    """
    words = {"low": low, "high": high, "symbol": symbol, "log": log, "whole": whole, "about": about}
    return field(default=default, metadata=words)
