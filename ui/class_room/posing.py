"""What a class can be asked about a set-up, and whether a page shows just that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ui.class_room.classes import Posed
from ui.setup.codec import encode
from ui.setup.pages import CSV, FitSetup, RaceSetup
from ui.setup.presets import read_query
from ui.setup.questions.link import question_of, usual_question
from ui.setup.stories import PAGE_FILES, library


def asked(setup: Any) -> Any:
    """A set-up laid out as usual, with its own question or else the one that suits it best.

    What is hidden or locked is so for the class, too.
    """
    plain = setup.with_layout_of(replace(type(setup)(), hide=setup.hide, lock=setup.lock, title=setup.title))
    if isinstance(plain, RaceSetup):
        plain = replace(plain, show="race")  # the other tabs are hidden while a question is asked
    return plain if plain.ask else replace(plain, ask=usual_question(plain))


def problem(setup: Any) -> str:
    """Why a class cannot be asked about a set-up, in a sentence or two; "" where it can."""
    setup = asked(setup)
    if isinstance(setup, FitSetup) and setup.data == CSV:
        return "Students do not have your file. Choose other data."
    if not setup.ask:
        return "There is no question about this. Choose something that runs, or the slope at a point."
    from ui.teach.outcome import question_problem  # loads the engine, which home does without

    return question_problem(setup)


def pose(page: str, setup: Any) -> Posed:
    """The question that a class is asked about a set-up without a ``problem``."""
    setup = asked(setup)
    question = question_of(setup)
    assert question is not None
    choices, numbers = question.choices(setup), question.numbers(setup)
    points = max(1, question.budget(setup))
    return Posed(page, PAGE_FILES[page], setup, encode(setup), tuple(choices), len(numbers), points)


def is_same(posed: Posed, page: str, setup: Any) -> bool:
    """Whether a page asks the very question that a class is asked, of the same run."""
    return posed.page == page and posed.setup.ask == setup.ask and about(posed.setup) == about(setup)


def about(setup: Any) -> tuple[object, ...]:
    """What a set-up's question says, and what its outcome depends on; None where it asks none."""
    question = question_of(setup)
    return (question.text(setup), question.basis(setup)) if question else (None,)


def next_in_story(setup: Any) -> tuple[int, Posed] | None:
    """The next step of a set-up's story that asks a question, and the question; None where there is none."""
    story = library().stories.get(setup.story)
    for number, step in enumerate(story.steps if story else (), start=1):
        if number > setup.step and "ask" in step.query:
            found = read_query(step.page, step.query)[0]
            if not problem(found):
                return number, pose(step.page, found)
    return None
