"""The prepared set-ups of ``presets.toml``, read once, and what an address says: the first where it says nothing."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from ui.setup.codec import Query, Setup, decode, params, resembles_a_setting
from ui.setup.pages import SETUPS

FILE = Path(__file__).with_name("presets.toml")


@dataclass(frozen=True)
class Preset:
    """A set-up under a name, and what to look for in it."""

    name: str
    look_for: str  # one or two sentences
    link: str  # the query part of an address: what differs from the page's default; never empty
    setup: Any  # an instance of the page's own class

    @cached_property
    def without_view(self) -> Any:
        """Its set-up with what decides the view alone as usual."""
        return self.setup.without_view()


def entries(page: str) -> list[dict[str, str]]:
    """What the file says of each preset of a page, in its order."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))[page]


@cache
def presets(page: str) -> dict[str, Preset]:
    """Every preset of a page by name, in the order of the file; the first is what the page opens with.

    Raises ``ValueError`` for a link that is empty or gets a note.
    """
    found: dict[str, Preset] = {}
    for entry in entries(page):
        query = parse_qs(entry["link"], keep_blank_values=True, strict_parsing=True)
        if not query:
            raise ValueError(f"presets.toml, {entry['name']!r}: An empty link opens the first preset. Name a setting.")
        setup, notes = decode(query, SETUPS[page]())
        if notes:
            raise ValueError(f"presets.toml, {entry['name']!r}: {' '.join(notes)}")
        found[entry["name"]] = Preset(**entry, setup=setup)
    return found


def opening(page: str) -> Any:
    """The set-up that a page opens with: that of its first preset."""
    return next(iter(presets(page).values())).setup


def read_query(page: str, query: Query) -> tuple[Any, list[str]]:
    """The set-up that an address says, and a note for each value that was not accepted.

    Without any setting, or with some of the layout alone, it is the opening. With one, all others are at the page's
    default, which is not the opening: so a link means what it meant when another set-up came first.
    """
    layout = params(SETUPS[page], SETUPS[page].layout())
    given = [name for name in query if name not in layout and resembles_a_setting(name)]
    return decode(query, SETUPS[page]() if given else opening(page))


def preset_of(page: str, setup: Setup) -> Preset | None:
    """The preset that is equal to a set-up, or else equal but for ``view_only`` settings; None if there is none."""
    prepared, setup = presets(page).values(), setup.with_layout_of(type(setup)())
    exact = next((preset for preset in prepared if preset.setup == setup), None)
    if exact:
        return exact
    computed = setup.without_view()
    return next((preset for preset in prepared if preset.without_view == computed), None)
