"""The files that the server makes of a run, and the run in words. (A stand-in until the real ones are here.)"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ui.setup.codec import Setup, encode


@dataclass(frozen=True)
class File:
    """One download: what the button says, and how the bytes are made."""

    label: str
    help: str
    name: str
    mime: str
    make: Callable[[], bytes] | None  # None: it cannot be had, and ``help`` says why


def files(setup: Setup) -> list[File]:
    """The files that can be had of a set-up."""

    def rows() -> bytes:
        return "\n".join(f"{name},{' '.join(values)}" for name, values in encode(setup).items()).encode()

    return [File("Set-up as CSV", "What was set.", "setup.csv", "text/csv", rows)]


def describe(setup: Setup) -> str:
    """The picture and the run in plain text."""
    return "\n".join(f"{name}: {' '.join(values)}" for name, values in encode(setup).items())
