"""What is taken home from the Gradients page."""

from __future__ import annotations

from collections.abc import Callable

from ui.setup.pages import GradientsSetup


def made(setup: GradientsSetup, label: str) -> tuple[str, Callable[[], bytes] | None]:
    """The help of a file, and what makes it."""
    return "Not there yet.", None


def describe(setup: GradientsSetup) -> str:
    """The picture in words, as plain text."""
    return ""
