"""Words that somebody typed, to be shown as they are: nothing in them is formatted, linked, or fetched."""

from __future__ import annotations

import re

JOINER = "\u2060"  # is not seen, and no line breaks at it
# Streamlit looks for addresses, icons and emoji in what is left once Markdown has been read, backslashes too
BREAKS = re.compile(r"(?<=:)|(?=:)|(?=@)|(?<=www)(?=\.)", re.IGNORECASE)
MARKS = re.compile(r"([!-/:-@\[-`{-~])")  # the ASCII punctuation, each of which Markdown lets stand after a backslash


def on_one_line(text: str) -> str:
    """A text without what is not seen, such as line breaks and marks that turn the direction of writing."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def plain(text: str) -> str:
    """A text as Markdown that shows it letter for letter."""
    return MARKS.sub(r"\\\1", BREAKS.sub(JOINER, on_one_line(text)))


def unescaped(markdown: str) -> str:
    """The text that ``plain`` was given; one with no backslash in it as it is."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown).replace(JOINER, "")
