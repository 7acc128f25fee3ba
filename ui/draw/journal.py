"""The journal: the runs of this session, what was changed for each, how it ended, and a link that brings it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from engine import Optimizer
from engine.scheduled import plain_rule, unscheduled
from ui.draw.tables import download_csv, show_table
from ui.setup.address import page_address
from ui.setup.codec import Setup, encode, param_name
from ui.setup.controls import Controls
from ui.setup.landscapes import TurnedKnobs
from ui.setup.presets import preset_of
from ui.setup.racers import racer_names

KEY = "journal"
MAX_RUNS = 300  # the oldest make room for new ones
Changes = dict[str, str]  # what was changed, and from what to what; by which knob it was


@dataclass(frozen=True)
class Kept:
    """One run of the session."""

    page: str
    before: Setup | None  # the set-up that was changed; None for the first of its page
    setup: Setup
    ended: str
    address: str

    @property
    def changed(self) -> str:
        """What was changed for it, in words."""
        preset = preset_of(self.page, self.setup)
        if preset:
            return f"preset: {preset.name}"
        return "; ".join(changes(self.before, self.setup).values()) if self.before else "opened by a link"


def changes(before: Setup, after: Setup) -> Changes:
    """What differs between two set-ups of a page: settings and knobs, without what only decides what is in view."""
    found: Changes = {}
    before, after = before.without_view(), after.without_view()
    changed = [name for name in before.settings() if getattr(before, name) != getattr(after, name)]
    # where all others follow from one of them, such as the start from the landscape, that one is what was changed
    alone = [name for name in changed if before.with_setting(name, getattr(after, name)) == after]
    for name in alone[:1] or changed:
        kind, old, new = before.settings()[name], getattr(before, name), getattr(after, name)
        if kind.many:
            found |= racer_changes(old, new)
        elif isinstance(kind, TurnedKnobs):
            was, now = kind.to_widgets(old), kind.to_widgets(new)
            found |= {
                f"{name} {knob}": f"{kind.knobs[knob].words}: {was[knob]:g} → {now[knob]:g}"
                for knob in kind.knobs
                if was[knob] != now[knob]
            }
        else:
            words = param_name(name, kind).replace("_", " ")
            found[name] = f"{words}: {kind.describe(old)} → {kind.describe(new)}"
    return found


def racer_changes(before: Sequence[Optimizer], after: Sequence[Optimizer]) -> Changes:
    """Which optimizers came or went; where they are the same, which of their knobs, schedules and texts changed."""
    rules, new_rules = ([racer.rule for racer in some] for some in (before, after))
    same = [*map(plain_rule, rules)] == [*map(plain_rule, new_rules)]
    if not same and [racer.name for racer in before] != [racer.name for racer in after]:
        was, now = racer_names(before), racer_names(after)
        came = [f"{name} added" for name in now if name not in was]
        went = [f"{name} removed" for name in was if name not in now]
        return {"racers": "; ".join([*came, *went]) or "optimizers in another order"}
    found: Changes = {}
    for number, (old, racer) in enumerate(zip(before, after, strict=True)):
        if plain_rule(old.rule) != plain_rule(racer.rule):  # each text is a change by itself
            found[f"{number} {racer!r}"] = f"{racer.name}: {changed_line(old, racer)}"
        elif old.rule != racer.rule:  # other schedules
            found[f"{number} {racer.name}"] = f"{old.name} → {racer.name}"
            found |= knob_changes(number, unscheduled(old), unscheduled(racer))
        else:
            found |= knob_changes(number, old, racer)
    return found


def knob_changes(number: int, before: Optimizer, after: Optimizer) -> Changes:
    """Which knobs of a rule were turned."""
    return {
        f"{number} {knob.name}": f"{after.name}, {knob.words}: {value(before, knob.name)} → {value(after, knob.name)}"
        for knob in after.knobs()
        if getattr(before, knob.name) != getattr(after, knob.name)
    }


def changed_line(before: Optimizer, after: Optimizer) -> str:
    """The first line of a typed rule that is another than before, as it is now."""
    old, new = (getattr(plain_rule(racer.rule), "text", "").split("\n") for racer in (before, after))
    return next((line for one, line in zip_longest(old, new, fillvalue="") if one != line), "") or "taken out"


def value(racer: Optimizer, knob: str) -> str:
    """A knob's value as text."""
    return f"{float(getattr(racer, knob)):g}"


def keep_run(page: str, setup: Setup, ended: str) -> None:
    """Put a run into the journal, unless it is the page's last one. A slider that is dragged on is one change."""
    runs: list[Kept] = st.session_state.setdefault(KEY, [])
    last = next((run for run in reversed(runs) if run.page == page), None)
    if last and last.setup.without_view() == setup.without_view():
        return
    before = last.setup if last else None
    if last and last is runs[-1] and same_knob(last, setup):
        before = runs.pop().before
    address = f"{page_address(page)}?{urlencode(encode(replace(setup, class_code='')), doseq=True)}"
    runs.append(Kept(page, before, setup, ended, address))
    del runs[:-MAX_RUNS]


def same_knob(last: Kept, setup: Setup) -> bool:
    """Whether a set-up differs from the one before the last run by the very knob that was turned for the last run."""
    if last.before is None:
        return False
    turned = changes(last.before, last.setup).keys()
    return len(turned) == 1 and turned == changes(last.before, setup).keys() == changes(last.setup, setup).keys()


def table(runs: Sequence[Kept]) -> pd.DataFrame:
    """The journal as a table, the newest run first."""
    rows = [(number, run.page, run.changed, run.ended, run.address) for number, run in enumerate(runs, 1)]
    return pd.DataFrame(rows[::-1], columns=["run", "page", "what was changed", "how it ended", "link"])


def show_journal(controls: Controls[Any]) -> None:
    """The journal, folded, unless the link hides it or something that it would tell."""
    if controls.shows("journal") and not controls.memory.setup.hides_run:
        show_folded(controls.key())


@st.fragment
def show_folded(key: str) -> None:
    """The journal. What is in it is drawn once it is opened, and opening it runs nothing else of the page."""
    # in a fragment of its own, a click would else run the page
    card: Any = st.expander("Journal: the runs of this session", key=f"{key}-journal", on_change="rerun")
    if not card.open:
        return
    with card:
        runs: list[Kept] = st.session_state.get(KEY, [])
        st.markdown(
            "Each run of this session, the newest first. A link brings its run back, in a new tab. Nothing is kept "
            "when you close the page, so download what you need."
        )
        show_table(
            table(runs),
            {
                "run": st.column_config.NumberColumn(width=44),
                "page": st.column_config.TextColumn(width=100),
                "what was changed": st.column_config.TextColumn(width=330),
                "how it ended": st.column_config.TextColumn(width=330),
                "link": st.column_config.LinkColumn(width=60, display_text="open"),
            },
            height=min(38 + 35 * len(runs), 400),
        )
        download_csv("The journal as CSV", "journal.csv", lambda: table(runs))
