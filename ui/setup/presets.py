"""The prepared set-ups of ``presets.toml``, read once."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from ui.setup.codec import Setup, decode
from ui.setup.pages import SETUPS


@dataclass(frozen=True)
class Preset:
    """A set-up under a name, and what to look for in it."""

    name: str
    look_for: str  # one or two sentences
    link: str  # the query part of an address: what differs from the page's default
    setup: Any  # an instance of the page's own class


@cache
def presets(page: str) -> dict[str, Preset]:
    """Every preset of a page by name, in the order of the file. Raises ``ValueError`` for a link that gets a note."""
    found: dict[str, Preset] = {}
    for entry in tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))[page]:
        query = parse_qs(entry["link"], keep_blank_values=True, strict_parsing=True)
        setup, notes = decode(query, SETUPS[page]())
        if notes:
            raise ValueError(f"presets.toml, {entry['name']!r}: {' '.join(notes)}")
        found[entry["name"]] = Preset(**entry, setup=setup)
    return found


def preset_of(page: str, setup: Setup) -> Preset | None:
    """The preset that is equal to a set-up, or else equal but for ``view_only`` settings; None if there is none."""
    prepared, setup = presets(page).values(), setup.with_layout_of(type(setup)())
    exact = next((preset for preset in prepared if preset.setup == setup), None)
    return exact or next((preset for preset in prepared if preset.setup.without_view() == setup.without_view()), None)
