"""The prepared races of ``presets.toml``, read once."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs

from ui.setup import Setup, decode


@dataclass(frozen=True)
class Preset:
    """A set-up under a name, and what to look for in it."""

    name: str
    look_for: str
    link: str  # the query part of an address
    setup: Setup


@cache
def presets() -> dict[str, Preset]:
    """Every preset by name, in the order of the file. Raises ``ValueError`` for a link that does not say a set-up."""
    found: dict[str, Preset] = {}
    entries = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))["preset"]
    for entry in entries:
        # a preset says everything, so nothing is left to a default
        setup, notes = decode(parse_qs(entry["link"], strict_parsing=True), Setup(racers=()))
        if notes or not setup.racers:
            raise ValueError(f"presets.toml, {entry['name']!r}: {' '.join(notes) or 'it names no racer.'}")
        found[entry["name"]] = Preset(**entry, setup=setup)
    return found


def opening() -> Setup:
    """The set-up that the page opens with."""
    return next(iter(presets().values())).setup
