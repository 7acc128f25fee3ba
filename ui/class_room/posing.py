"""What a class can be asked about a set-up, and whether a page shows just that."""

from __future__ import annotations

from collections.abc import Iterator
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


def in_story(name: str) -> Iterator[tuple[int, Posed]]:
    """The steps of a story that ask a question, counted from 1, and the question; none where there is no such story."""
    story = library().stories.get(name)
    for number, step in enumerate(story.steps if story else (), start=1):
        if "ask" in step.query:
            found = read_query(step.page, step.query)[0]
            if not problem(found):
                yield number, pose(step.page, found)


def next_in_story(setup: Any, posed: Posed) -> tuple[int, Posed] | None:
    """From the step on that a set-up shows, the first question of its story but the ``posed`` one; None: no more."""
    steps = in_story(setup.story)
    return next((one for one in steps if one[0] >= setup.step and not is_same(posed, one[1].page, one[1].setup)), None)


def laid_out_as(posed: Posed, setup: Any) -> Any:
    """What is ``posed``, as a page that shows another set-up is laid out; in its story, at the step that asks this."""
    kept = {"lecture", "story", "step", "class_code"}
    if type(setup) is type(posed.setup):
        kept = {*setup.layout()} - {"hide", "lock", "title"}  # which belong to the question
    laid = replace(posed.setup, **{name: getattr(setup, name) for name in kept})
    step = next((number for number, one in in_story(setup.story) if is_same(posed, one.page, one.setup)), setup.step)
    return replace(laid, step=step)
