"""The list of stories on the home page: in order, with minutes, and how far the visitor is in each."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from ui.setup.stories import FOLDER, library

HERE = Path(__file__).parent
LIST = st.components.v2.component(
    "story_list",
    html='<nav class="story-list" aria-label="Stories">\n</nav>',
    css=(HERE / "story_list.css").read_text(encoding="utf-8"),
    js="\n".join(file.read_text(encoding="utf-8") for file in (FOLDER / "progress.js", HERE / "story_list.js")),
    isolate_styles=False,
)


def story_list() -> None:
    """Draw the list, and open the story that was chosen. A broken file is named with its reason below it."""
    found = library()
    stories = [
        {
            "name": story.name,
            "title": story.title,
            "minutes": story.minutes,
            "says": f"“{story.misconception}”",
            "links": [address(name, step) for step in range(1, len(story.steps) + 2)],
        }
        for name, story in found.stories.items()
    ]
    faults = [f"{file} is left out: {why}" for file, why in found.faults.items()]
    result = LIST(
        key="story-list", data={"stories": stories, "faults": faults}, on_open_change=lambda: None, height="content"
    )
    chosen = result.open or {}
    if story := found.stories.get(str(chosen.get("story"))):
        step = min(max(int(chosen["step"]), 1), len(story.steps) + 1)
        st.switch_page(story.file(step), query_params=story.query(step))


def address(name: str, step: int) -> str:
    """Where a step of a story is, seen from the home page."""
    story = library().stories[name]
    page = Path(story.file(step)).stem.partition("_")[2]
    return f"{page}?{urlencode(story.query(step), doseq=True)}"
