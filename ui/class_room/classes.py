"""The classes that are held on this copy of the app: what is asked, how many have answered, and what.

A class is served by one copy of the app: all of it is in the memory of this process, behind one lock, and gone when the
class ends. Where several copies run, all who are in a class have to be sent to that on which it was opened.
Of a student there is a random token and the answer to the question of the moment, and nothing else. Needs no engine:
the home page looks here.
"""

from __future__ import annotations

import math
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ui.setup.kinds import CODE_LENGTH, CODE_LETTERS

MAX_CLASSES, MAX_SEATS = 50, 300
LASTS = 4 * 3600.0  # seconds until a class ends by itself
UNWATCHED = 600.0  # seconds without its teacher after which a class makes room, where there is none
MAX_NUMBER = 1e12  # of an answer, in size
MAX_TOKEN = 64  # letters
RECENT = 2000  # so many codes are not given again
Answer = str | tuple[float, ...] | None  # one of the choices, the numbers, or skipped


class ClassError(ValueError):
    """Why something cannot be done in a class, in a sentence or two that say what to do."""


@dataclass(frozen=True)
class Posed:
    """A question that a class is asked: the page and the set-up that ask it, and what an answer is made of."""

    page: str  # its title
    file: str  # its script
    setup: Any
    query: Mapping[str, Sequence[str]]  # the address of the set-up
    choices: tuple[str, ...]
    numbers: int = 0  # that an answer has, where there are no choices
    points: int = 1  # so many times as many, at most

    def accepts(self, answer: Answer) -> bool:
        """Whether something is an answer: one of the choices, finite numbers of some size, or None for skipped."""
        if answer is None or self.choices:
            return answer is None or (isinstance(answer, str) and answer in self.choices)
        numbers = isinstance(answer, tuple) and all(type(one) is float for one in answer)
        sizes = [self.numbers * count for count in range(1, self.points + 1)]
        return numbers and len(answer) in sizes and all(map(in_reach, answer))  # type: ignore[arg-type]


def in_reach(number: float) -> bool:
    """Whether a number is finite, and not larger than any answer needs to be."""
    return math.isfinite(number) and abs(number) <= MAX_NUMBER


@dataclass(frozen=True)
class State:
    """Where a class stands. With each change the ``version`` is another."""

    code: str
    posed: Posed
    number: int = 1  # of the question
    version: int = 1
    paused: bool = False
    revealed: bool = False


@dataclass(frozen=True)
class Counts:
    """How many have joined a class, and how many of them have answered its question."""

    joined: int  # a tab that is closed keeps its seat: a phone that sleeps looks just the same, and comes back
    answered: int


@dataclass
class _Class:
    state: State
    key: str  # whoever has it is the teacher
    opened: float
    watched: float  # when the teacher's page last looked
    seats: set[str] = field(default_factory=set)
    answers: dict[str, Answer] = field(default_factory=dict)  # to the question of the moment, by seat


class Classes:
    """The classes of a process. ``clock`` gives seconds.

    What cannot be done raises ``ClassError``; to look at a class that is gone finds nothing.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._classes: dict[str, _Class] = {}
        self._recent: deque[str] = deque(maxlen=RECENT)

    # ---- for everyone

    def look(self, code: str) -> State | None:
        """Where a class stands; None where there is none of this code (any more)."""
        with self._lock:
            found = self._find(code)
            return found.state if found else None

    def counts(self, code: str, key: str = "") -> Counts:
        """How many have joined, and how many have answered. With the teacher's ``key``, the class counts as watched."""
        with self._lock:
            if (one := self._find(code)) is None:
                return Counts(0, 0)
            if same(one.key, key):
                one.watched = self._clock()
            return Counts(len(one.seats), len(one.answers))

    def answers(self, code: str) -> list[Answer]:
        """What was answered, in no order that tells of anyone. Nobody gets it before it is revealed."""
        with self._lock:
            one = self._find(code)
            return sorted(one.answers.values(), key=repr) if one and one.state.revealed else []

    # ---- for students

    def enter(self, code: str, seat: str) -> None:
        """Take a seat in a class."""
        with self._lock:
            self._seat(self._there(code), seat)

    def leave(self, code: str, seat: str) -> None:
        """Give a seat back; one that has answered stays."""
        with self._lock:
            one = self._find(code)
            if one and seat not in one.answers:
                one.seats.discard(seat)

    def answer(self, code: str, seat: str, number: int, answer: Answer) -> None:
        """Count an answer to the question of a ``number``: the only one of this seat to it."""
        with self._lock:
            one = self._there(code)
            if number != one.state.number or one.state.revealed:
                raise ClassError("This question is closed already. The next one comes by itself.")
            if one.state.paused:
                raise ClassError("The class is paused, so nothing is counted now. Answer once it goes on.")
            if not one.state.posed.accepts(answer):
                raise ClassError("This is no answer to the question. Choose or type another one.")
            if seat in one.answers:
                raise ClassError("You have answered this question already. The first answer counts.")
            self._seat(one, seat)
            one.answers[seat] = answer

    def answer_of(self, code: str, seat: str) -> tuple[bool, Answer]:
        """Whether a seat has answered the question of the moment, and what; None where it was skipped."""
        with self._lock:
            one = self._find(code)
            return (True, one.answers[seat]) if one and seat in one.answers else (False, None)

    # ---- for teachers

    def open(self, posed: Posed) -> tuple[str, str]:
        """Begin a class with its first question. Returns its code, and the key that makes one its teacher."""
        with self._lock:
            now = self._clock()
            for code in [code for code, one in self._classes.items() if now - one.opened >= LASTS]:
                self._drop(code)
            if len(self._classes) >= MAX_CLASSES:
                longest = min(self._classes, key=lambda code: self._classes[code].watched)
                if now - self._classes[longest].watched < UNWATCHED:
                    raise ClassError(f"{MAX_CLASSES} classes are held here already. Try again in a few minutes.")
                self._drop(longest)
            code, key = self._new_code(), secrets.token_urlsafe(24)
            self._classes[code] = _Class(State(code, posed), key, opened=now, watched=now)
            return code, key

    def is_teacher(self, code: str, key: str) -> bool:
        """Whether a key is that of a class."""
        with self._lock:
            one = self._find(code)
            return one is not None and same(one.key, key)

    def ask(self, code: str, key: str, posed: Posed) -> None:
        """Go on to another question; what was answered to the one before is forgotten."""
        with self._lock:
            one = self._mine(code, key)
            one.answers = {}
            self._change(one, posed=posed, number=one.state.number + 1, paused=False, revealed=False)

    def reveal(self, code: str, key: str) -> None:
        """Close the question, and let everyone see the outcome."""
        with self._lock:
            self._change(self._mine(code, key), revealed=True, paused=False)

    def pause(self, code: str, key: str, paused: bool = True) -> None:
        """Take no answers for a while, or go on."""
        with self._lock:
            self._change(self._mine(code, key), paused=paused)

    def end(self, code: str, key: str) -> None:
        """End a class, and forget all that was in it."""
        with self._lock:
            self._mine(code, key)
            self._drop(code)

    # ---- with the lock held

    def _find(self, code: str) -> _Class | None:
        one = self._classes.get(code)
        if one and self._clock() - one.opened >= LASTS:
            self._drop(code)
            return None
        return one

    def _there(self, code: str) -> _Class:
        if one := self._find(code):
            return one
        raise ClassError(gone(code))

    def _mine(self, code: str, key: str) -> _Class:
        one = self._there(code)
        if not same(one.key, key):
            raise ClassError("Only whoever opened this class can do that. Open one of your own.")
        return one

    def _seat(self, one: _Class, seat: str) -> None:
        if seat in one.seats:
            return
        if not 0 < len(seat) <= MAX_TOKEN:
            raise ClassError("Your browser has sent something else than a seat. Join the class again.")
        if len(one.seats) >= MAX_SEATS:
            raise ClassError(f"This class is full: {MAX_SEATS} have joined it. Look on with someone who is in it.")
        one.seats.add(seat)

    def _change(self, one: _Class, **changes: Any) -> None:
        one.state = replace(one.state, version=one.state.version + 1, **changes)

    def _drop(self, code: str) -> None:
        del self._classes[code]
        self._recent.append(code)

    def _new_code(self) -> str:
        while True:
            code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
            if code not in self._classes and code not in self._recent:
                return code


def same(key: str, given: str) -> bool:
    """Whether two keys are the same, in a time that does not tell how far they are."""
    return secrets.compare_digest(key.encode(), given.encode(errors="replace"))


def gone(code: str) -> str:
    """That there is no class of a code."""
    return f"No class {code} is held here: it has ended, or its code is another. Ask your teacher, or go on alone."


CLASSES = Classes()  # of this process: modules outlive the runs of a page's script
