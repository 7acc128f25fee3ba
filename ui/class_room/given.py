"""What the run is made of that a class is asked about: a student's page has no controls that would show it."""

from __future__ import annotations

from html import escape

from ui.ask.asking import Asking
from ui.take_home.captions import labels, settings

LETTERS, LINE = 110, 1.3  # of a line of it in a window of usual width; its height in rem


def given(asking: Asking) -> tuple[str, float]:
    """The set-up in a line of HTML, and how high that is in rem; none where the question hides what runs."""
    if asking.blind:
        return "", 0
    told = [escape(part) for part in (*settings(asking.setup), *labels(asking.setup).values()) if part]
    lines = 1 + len(" · ".join(told)) // LETTERS
    return f'<p class="class-given">{" · ".join(f"<span>{part}</span>" for part in told)}</p>', LINE * lines
