"""What a visitor's page remembers between runs, beside the widgets themselves."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any, Generic

from engine import Optimizer
from ui.setup.codec import SetupT
from ui.setup.questions.question import Answer


@dataclass
class Entry:
    """One racer of a line-up. A knob without a widget in this run has its value here."""

    added: Optimizer  # as it came into the line-up: its values stay among the stops of the sliders
    racer: Optimizer  # as it is now


@dataclass(frozen=True)
class Commitment:
    """What the visitor has answered to a question before the run was shown. It is never in a link."""

    basis: Any  # what the outcome depends on: where that is another, the question is asked anew
    setup: Any  # the set-up that the question was asked about
    answer: Answer | None  # None: skipped
    seen: bool = False  # whether the run was seen to its end, or the outcome asked for


@dataclass
class Session(Generic[SetupT]):
    """What a visitor's page remembers between runs, beside the widgets themselves."""

    setup: SetupT  # of the last run
    entries: dict[int, Entry] = field(default_factory=dict)  # the line-up by entry number, where the page has one
    last_entry: int = 0  # entry numbers are in widget keys and never used again: no widget finds another's value
    scene: int = 0  # how often a whole set-up was chosen
    paused_at: int = 0  # the step at which the stage was when it last told
    opened: bool = False  # whether the page has been drawn in this session
    query: dict[str, list[str]] = field(default_factory=dict)  # of the last run
    notes: list[str] = field(default_factory=list)  # on the link that the page was opened with
    drawn: set[str] = field(default_factory=set)  # the settings that have a widget in this run
    # what the page calls the controls of each setting that it has drawn, or hidden: by the setting, and the control
    labels: dict[str, dict[str, str]] = field(default_factory=dict)
    commitment: Commitment | None = None  # to an answer, where the page asks a question
    draft: Commitment | None = None  # an answer that is being given point by point
    asks_first: bool = False  # whether the visitor has switched questions on, for any set-up
    # Widgets that the code has set and that the browser may still show as they were, by key: every value that the
    # browser may send without the visitor having chosen it, the newest last
    unconfirmed: dict[str, list[Any]] = field(default_factory=dict)
    # The addresses that were changed since the browser last showed all that it was told: it may still send them with an
    # event, as where the stage tells its step just after a racer was removed
    queries_before: list[dict[str, list[str]]] = field(default_factory=list)
    # How often the code has set a widget or the address. It starts at a random number: a browser that another session
    # has drawn this page for sends back a number that is not of this session.
    set_count: int = field(default_factory=lambda: 1 + secrets.randbelow(2**40))
    count_drawn: bool = False  # whether the widget that holds ``set_count`` was drawn before

    def begin(self, setup: SetupT) -> None:
        """A whole ``setup`` is chosen: the stage begins at its start; answers about another count no more."""
        self.scene += 1
        self.paused_at = 0
        if setup != self.setup:
            self.commitment = None
