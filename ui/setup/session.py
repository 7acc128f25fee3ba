"""What a visitor's page remembers between runs, beside the widgets themselves."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from engine import Optimizer
from ui.setup.codec import Setup

S = TypeVar("S", bound=Setup)


@dataclass
class Slot:
    """One place of a line-up. Its knobs are widgets only while they are shown; in between it holds their values."""

    seed: Optimizer  # as it was filled: its values stay among the stops of the sliders
    racer: Optimizer  # as it is now


@dataclass
class Session(Generic[S]):
    """What a visitor's page remembers between runs, beside the widgets themselves."""

    setup: S  # as of the last run
    slots: dict[int, Slot] = field(default_factory=dict)  # the line-up, where the page has one
    filled: int = 0  # slot numbers are never used again, so no widget finds another's value
    scene: int = 0  # how many set-ups have been taken as a whole
    arrived: bool = False
    query: dict[str, list[str]] = field(default_factory=dict)  # as of the last run
    notes: list[str] = field(default_factory=list)
    drawn: set[str] = field(default_factory=set)  # the settings that have a widget in this run, by ``at``
    # widgets that were set from here, by key: all that the browser may still show, and at last what it will
    unseen: dict[str, list[Any]] = field(default_factory=dict)
    # counts how often widgets were set from here, and from where no other session counts; the browser says it back
    sent: int = field(default_factory=lambda: 1 + secrets.randbelow(2**40))
    greeted: bool = False  # whether the browser has been asked what it was told before this session
