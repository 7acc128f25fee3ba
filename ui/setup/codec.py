"""A page's whole set-up, and the link that carries it.

A set-up is a frozen dataclass whose fields are made by ``setting``; each says how a link spells it and what fits. A
link is the query part of the page's address: readable, a name for each setting, and a note for each value that does not
fit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from typing import Any, Self, TypeVar

from ui.setup.kinds import Kind, quoted

MOST_NOTES = 12
ALIKE = 0.8  # two names that share so much, by difflib, are taken for one and a slip of it
Query = Mapping[str, Sequence[str]]


def setting(kind: Kind, default: Any, *, looks: bool = False) -> Any:
    """A field of a set-up. ``looks``: it says only where one looks, and changes nothing of what happens."""
    return field(default=default, metadata={"kind": kind, "looks": looks})


@dataclass(frozen=True)
class Setup:
    """Everything that decides what a page shows. Each page has one, made of ``setting`` fields."""

    @classmethod
    def settings(cls) -> dict[str, Kind]:
        return {f.name: f.metadata["kind"] for f in fields(cls)}

    def essence(self) -> Self:
        """This set-up without what says only where one looks."""
        return replace(self, **{f.name: f.default for f in fields(self) if f.metadata["looks"]})

    def with_(self, name: str, value: Any) -> Self:
        """This set-up with one thing chosen, and what follows from that choice."""
        return replace(self, **{name: value})

    def unused(self, named: Collection[str]) -> list[str]:
        """A note for each setting that a link names though what it leaves out keeps it from being seen."""
        return []


Chosen = TypeVar("Chosen", bound=Setup)


def link_of(name: str, kind: Kind) -> str:
    return kind.link or name


def encode(setup: Setup) -> dict[str, list[str]]:
    """A set-up as a query: name to values."""
    said = {}
    for name, kind in setup.settings().items():
        value = getattr(setup, name)
        said[link_of(name, kind)] = [kind.say(one) for one in value] if kind.many else [kind.say(value)]
    return said


def decode(query: Query, default: Chosen) -> tuple[Chosen, list[str]]:
    """A query as a set-up, and a note for each value that could not be taken and what stands in for it."""
    known = {link_of(name, kind): kind for name, kind in default.settings().items()}
    notes = [
        f"{name} is given {len(values)} times; the first, {quoted(values[0])}, is used."
        for name, values in query.items()
        if len(values) > 1 and name in known and not known[name].many
    ]
    ours = known.keys() <= query.keys()  # written by ``encode``, which says every setting
    setup = default
    for name, kind in default.settings().items():
        link, usual = link_of(name, kind), getattr(setup, name)
        if link not in query:
            continue
        if kind.many:
            value = kind.hear_all(query[link], notes)
        else:
            text = query[link][0] if ours else kind.by_hand(link, query[link][0], notes)
            value = kind.hear(text)
            if value is None:
                notes.append(f"{link} {quoted(text)} is not {kind.fits}; {quoted(kind.say(usual))} is used.")
        if value is not None and value != usual:
            setup = setup.with_(name, value)
    notes += setup.unused([name for name, kind in default.settings().items() if link_of(name, kind) in query])
    unknown = [name for name in query if name not in known and like_a_setting(name)]
    if unknown:
        more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
        notes.append(
            f"The link says {', '.join(map(quoted, unknown[:5]))}{more}, which this page does not know. "
            f"It knows {', '.join(known)}."
        )
    if len(notes) > MOST_NOTES:
        notes[MOST_NOTES:] = [f"And {len(notes) - MOST_NOTES} more."]
    return setup, notes


def like_a_setting(name: str) -> bool:
    """Whether a name is that of a setting of some page, or a slip of one.

    All other names were added by others: mail, advertisements, search and social networks add what they like to an
    address on its way from hand to hand.
    """
    ours = {link_of(own, kind).casefold() for page in Setup.__subclasses__() for own, kind in page.settings().items()}
    return bool(get_close_matches(name.casefold(), ours, 1, ALIKE))
