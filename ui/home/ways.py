"""The ways in that the home page offers: a course of presets, and how to show a page elsewhere. Needs no engine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

from ui.setup.prepared import entries

STYLE = Path(__file__).with_name("home.css")
EMBEDDED = "Ackley_Race"  # the page that the code to copy shows


@dataclass(frozen=True)
class Step:
    """One step of the way through all pages: a preset, and why one looks at it now."""

    page: str
    preset: str
    says: str
    link: str  # the query part of an address


@cache
def start_here() -> tuple[Step, ...]:
    """The way through all pages, in the order in which one would teach it."""
    return tuple(Step(**step, link=link_of(step["page"], step["preset"])) for step in entries("Start here"))


def link_of(page: str, preset: str) -> str:
    """The link of a preset, by its name. Raises ``ValueError`` where the page has none of that name."""
    for entry in entries(page):
        if entry["name"] == preset:
            return entry["link"]
    raise ValueError(f"presets.toml, 'Start here': {page} has no preset {preset!r}.")


def embed_code(address: str | None) -> str:
    """The HTML that shows a page of the app at this address in a page elsewhere; ``embed`` leaves out the menu."""
    parts = urlsplit(address or "http://localhost:8501")
    folder = parts.path.rsplit("/", 1)[0]
    page = f"{parts.scheme}://{parts.netloc}{folder}/{EMBEDDED}?embed=true"
    lines = (f'src="{page}"', 'width="100%" height="800"', 'style="border: 0"', 'title="The optimizer playground"')
    return "\n  ".join(("<iframe", *lines)) + "\n></iframe>"


def style() -> None:
    """Add the home page's own styles."""
    st.html(f"<style>\n{STYLE.read_text(encoding='utf-8')}</style>")
