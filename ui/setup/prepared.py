"""What ``presets.toml`` says, as it stands there: for those that need no set-up, and so no engine."""

from __future__ import annotations

import tomllib
from pathlib import Path

FILE = Path(__file__).with_name("presets.toml")


def entries(section: str) -> list[dict[str, str]]:
    """The entries of a section of the file, in its order: the presets of a page, or ``Start here``."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))[section]
