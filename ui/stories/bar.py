"""The bar above a page's picture while the page is a step of a story; after the last step, its questions."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import streamlit as st

from ui.setup.codec import Setup, encode
from ui.setup.presets import read_query
from ui.setup.stories import FOLDER, Story, library

HERE = Path(__file__).parent
# the part of the window that the bar takes from the picture, less the line of the preset that it stands for
STYLE = f"<style>\n:root {{ --story: 5.6rem; }}\n{(HERE / 'bar.css').read_text(encoding='utf-8')}</style>"
QUESTIONS = st.components.v2.component(
    "story_questions",
    html='<div class="story-questions">\n</div>',
    css=(HERE / "questions.css").read_text(encoding="utf-8"),
    js="\n".join((FOLDER / name).read_text(encoding="utf-8") for name in ("progress.js", "questions.js")),
    isolate_styles=False,
)


def show_story(setup: Setup, *, held: bool) -> None:
    """Draw the bar of the step that a set-up belongs to; nothing where it belongs to none.

    While the run is ``held`` back by a question, the bar does not say what there is to see.
    """
    story = library().stories.get(setup.story)
    if story is None:
        return
    last = len(story.steps)
    number = min(setup.step, last + 1)
    st.html(STYLE)
    with st.container(key="story", gap=None):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="story-head"):
            place = f"step {number} of {last}" if number <= last else "questions"
            st.markdown(f"**{story.title}** :small[{place}]", width="content")
            st.markdown(f":small[Often thought: “{story.misconception}”]", width="stretch")
            if number > 1:
                link_to(story, number - 1, "Back", ":material/arrow_back:", setup)
            if number <= last:
                link_to(story, number + 1, "Next", ":material/arrow_forward:", setup)
        if number <= last and not held:
            step = story.steps[number - 1]
            st.markdown(f":material/visibility: {step.look}")
            st.markdown(f":material/science: **Try:** {step.try_next}")
        QUESTIONS(
            key="story-questions",
            data={
                "story": story.name,
                "step": number,
                "questions": [asdict(question) for question in story.questions] if number > last else [],
            },
            height="content",
        )


def link_to(story: Story, number: int, label: str, icon: str, setup: Setup) -> None:
    """A link to a step: laid out for lectures where this page is, with what this page hides or locks as it is here."""
    query = story.query(number)
    if setup.hide or setup.lock:
        step, _ = read_query(story.page(number), query)
        if isinstance(step, type(setup)):
            query = encode(replace(step, hide=setup.hide, lock=setup.lock).with_fixed_of(setup))
    query |= {"lecture": ["1"]} if setup.lecture else {}
    st.page_link(story.file(number), label=f"**{label}**", icon=icon, query_params=query)
