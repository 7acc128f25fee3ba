"""The stories of ``ui/stories/``: short lessons of a few steps, each a set-up with what to look at and what to try.

A file that breaks the rules is named with its reason, and only that story is missing. Reading needs no engine, so the
home page can list them at once; whether each link can be read is checked once the engine is there.
"""

from __future__ import annotations

import logging
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "ui/stories"
# the file of each page, by its title, as Streamlit reads it from the file's name
PAGE_FILES = {file.stem.partition("_")[2].replace("_", " "): f"pages/{file.name}" for file in ROOT.glob("pages/*.py")}
FILE_NAME = re.compile(r"(\d\d)-([a-z0-9]+(?:-[a-z0-9]+)*)\.toml")
STEPS, QUESTIONS, CHOICES, MINUTES = (2, 5), (3, 3), (2, 4), (1, 30)  # the fewest and the most of each
MAX_TEXT = {"title": 36, "misconception": 80, "look": 180, "try": 130}  # characters: more would push the picture down
LOG = logging.getLogger(__name__)


class StoryError(ValueError):
    """What is wrong with a story's file, in one sentence that says what is expected."""


@dataclass(frozen=True)
class Step:
    """One step of a story: a set-up, what to look at in it, and what to try next."""

    page: str
    link: str  # the query part of an address
    look: str
    try_next: str

    @property
    def query(self) -> dict[str, list[str]]:
        """The link, as the values of each parameter."""
        return parse_qs(self.link, keep_blank_values=True)


@dataclass(frozen=True)
class Question:
    """A question to recall a story by, with one right choice, and why it is right."""

    question: str
    choices: tuple[str, ...]
    right: str
    why: str


@dataclass(frozen=True)
class Story:
    """A short lesson: one contrast, in a few steps, that confronts one misconception."""

    name: str  # in links
    title: str
    misconception: str
    minutes: int
    steps: tuple[Step, ...]
    questions: tuple[Question, ...]

    def query(self, step: int) -> dict[str, list[str]]:
        """The address of a step, counted from 1; that after the last is the last one's, with the questions."""
        shown = self.steps[min(step, len(self.steps)) - 1]
        return {**shown.query, "story": [self.name], "step": [str(step)]}

    def page(self, step: int) -> str:
        """The title of the page that a step is on."""
        return self.steps[min(step, len(self.steps)) - 1].page

    def file(self, step: int) -> str:
        """The file of the page that a step is on."""
        return PAGE_FILES[self.page(step)]


@dataclass
class Library:
    """The stories by name, in their order; and what is wrong with each file that is none."""

    stories: dict[str, Story] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)  # the reason by the name of the file
    files: dict[str, str] = field(default_factory=dict)  # of each story, by its name

    def leave_out(self, file: str, why: str) -> None:
        """Name a broken file with its reason, here and in the server's log."""
        self.faults[file] = why
        LOG.warning("The story ui/stories/%s is left out: %s", file, why)

    def check_links(self) -> None:
        """Leave out the stories with a link that a page would not take as it is. Needs the engine."""
        faults = {name: next(link_faults(story), None) for name, story in self.stories.items()}
        # a new dictionary: pages may be going through the old one
        self.stories = {name: story for name, story in self.stories.items() if faults[name] is None}
        for name, why in faults.items():
            if why is not None:
                self.leave_out(self.files[name], why)


@cache
def library() -> Library:
    """The stories of this app, read once."""
    return read(FOLDER)


def read(folder: Path) -> Library:
    """Read every story of a folder. A broken file is left out, and named with its reason."""
    found = Library()
    for file in sorted(folder.glob("*.toml")):
        try:
            story = read_file(file)
            if story.name in found.stories:
                raise StoryError(f"The name {story.name!r} is that of {found.files[story.name]} too. Give it another.")
        except StoryError as error:
            found.leave_out(file.name, str(error))
        else:
            found.stories[story.name], found.files[story.name] = story, file.name
    return found


def read_file(file: Path) -> Story:
    """Read one story. Raises ``StoryError`` where something is missing or not as expected."""
    named = FILE_NAME.fullmatch(file.name)
    if not named:
        raise StoryError("The file's name is not like 03-too-large.toml: two digits, then small letters and hyphens.")
    try:
        given = tomllib.loads(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise StoryError("It is not saved as UTF-8. Save it with that encoding.") from None
    except tomllib.TOMLDecodeError as error:
        raise StoryError(f"It is not TOML: {error}.") from None
    except OSError as error:
        raise StoryError(f"It cannot be read ({error.strerror}).") from None
    take_all(given, "The file", ("title", "misconception", "minutes", "step", "question"))
    minutes = given["minutes"]
    if type(minutes) is not int or not MINUTES[0] <= minutes <= MINUTES[1]:
        raise StoryError(f"minutes is {minutes!r}. Expected a whole number from {MINUTES[0]} to {MINUTES[1]}.")
    return Story(
        name=named[2],
        title=text(given, "title", ""),
        misconception=text(given, "misconception", ""),
        minutes=minutes,
        steps=tuple(read_step(one, f"step {i}: ") for i, one in tables(given, "step", STEPS)),
        questions=tuple(read_question(one, f"question {i}: ") for i, one in tables(given, "question", QUESTIONS)),
    )


def read_step(given: dict[str, Any], where: str) -> Step:
    """One ``[[step]]`` of a file."""
    take_all(given, where, ("page", "link", "look", "try"))
    page, link = text(given, "page", where), text(given, "link", where)
    if page not in PAGE_FILES:
        raise StoryError(f"{where}page is {page!r}. Expected one of: {', '.join(sorted(PAGE_FILES))}.")
    try:
        query = parse_qs(link, keep_blank_values=True, strict_parsing=True)
    except ValueError:
        query = {}
    if not query or "?" in link:
        raise StoryError(f"{where}link is {link!r}. Expected the part behind the ? of an address, as in f=x²&x0=2.")
    if own := {"story", "step"} & query.keys():
        raise StoryError(f"{where}link gives {' and '.join(sorted(own))}. Leave that out: the app adds it.")
    return Step(page, link, text(given, "look", where), text(given, "try", where))


def read_question(given: dict[str, Any], where: str) -> Question:
    """One ``[[question]]`` of a file."""
    take_all(given, where, ("question", "choices", "right", "why"))
    choices, right = given["choices"], text(given, "right", where)
    if not isinstance(choices, list) or not all(isinstance(choice, str) and choice.strip() for choice in choices):
        raise StoryError(f'{where}choices is {choices!r}. Expected texts in brackets, as in ["up", "down"].')
    if not CHOICES[0] <= len(choices) <= CHOICES[1] or len(set(choices)) < len(choices):
        raise StoryError(f"{where}choices has {len(choices)}. Expected {CHOICES[0]} to {CHOICES[1]}, no two the same.")
    if right not in choices:
        raise StoryError(f"{where}right is {right!r}. Expected one of the choices, word for word.")
    return Question(text(given, "question", where), tuple(choices), right, text(given, "why", where))


def take_all(given: dict[str, Any], where: str, keys: tuple[str, ...]) -> None:
    """See that a table has these keys and no others."""
    where = where.removesuffix(": ")
    if missing := [key for key in keys if key not in given]:
        raise StoryError(f"{where} has no {missing[0]}. Expected: {', '.join(keys)}.")
    if unknown := [key for key in given if key not in keys]:
        raise StoryError(f"{where} has {unknown[0]!r}, which is not known. Expected: {', '.join(keys)}.")


def text(given: dict[str, Any], key: str, where: str) -> str:
    """A line of text of a table."""
    value = given[key]
    if not isinstance(value, str) or not value.strip() or "\n" in value.strip():
        raise StoryError(f"{where}{key} is {value!r}. Expected one line of text in quotes.")
    if len(value) > MAX_TEXT.get(key, len(value)):
        raise StoryError(f"{where}{key} has {len(value)} characters. Expected at most {MAX_TEXT[key]}.")
    return value.strip()


def tables(given: dict[str, Any], key: str, count: tuple[int, int]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The tables of a kind, numbered from 1, once there are as many as there should be."""
    found, (fewest, most) = given[key], count
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise StoryError(f"{key} is not a list of tables. Begin each with [[{key}]].")
    if not fewest <= len(found) <= most:
        expected = f"{fewest} to {most}" if fewest < most else f"{fewest}"
        raise StoryError(f"It has {len(found)} [[{key}]]. Expected {expected}.")
    yield from enumerate(found, start=1)


def link_faults(story: Story) -> Iterator[str]:
    """What the pages would not take as it is in the links of a story. Needs the engine."""
    from ui.setup.presets import read_query

    for number, step in enumerate(story.steps, start=1):
        _, notes = read_query(step.page, step.query)
        if notes:
            yield f"step {number}: link: {' '.join(notes)}"
