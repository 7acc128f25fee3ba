"""Turns: with a class at once, a few pages at a time are all ready sooner than all of them drawn together.

Python draws one page at a time in any case; who waits for that asks for it again and again, and that costs the more
the more of them there are. Here who waits sleeps. Work that takes seconds is done out of turn: while one compiles,
the others go on.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

AT_ONCE = 3  # two were no quicker with a hundred visitors, and four were slower

_lock = threading.Lock()
_free = AT_ONCE
_waiting: deque[threading.Event] = deque()  # who is next stands first
_mine = threading.local()  # whether this thread has a turn
_away = 0  # how many are at work out of turn
_ending = False  # whether no more turns are given


@contextmanager
def turn() -> Iterator[None]:
    """Wait for a turn, in the order of coming, and give it back at the end, also where the script is stopped."""
    take(_waiting.append)
    try:
        yield
    finally:
        give_back()


@contextmanager
def out_of_turn() -> Iterator[None]:
    """In the middle of a turn: work that takes long. Others get the turn meanwhile; who had it before is the next.

    Does nothing in a thread that has no turn. Whatever the work raises ends the turn: a page that goes on is drawn
    without one.
    """
    global _away
    if not has_turn():
        yield
        return
    with _lock:
        _away += 1
    give_back()
    try:
        yield
    finally:
        with _lock:
            _away -= 1
    take(_waiting.appendleft)


def no_more_turns() -> None:
    """Wait until nobody has a turn or is at work out of turn. Who is waiting for one, or comes later, waits for ever.

    Streamlit's threads end with the process, in the middle of whatever they do; one that is in XLA would crash it.
    """
    global _ending
    with _lock:
        _ending = True
    while _free < AT_ONCE or _away:
        time.sleep(0.01)


def has_turn() -> bool:
    return getattr(_mine, "turn", False)


def take(stand: Callable[[threading.Event], None]) -> None:
    """Take a free turn, or stand in the queue for one."""
    global _free
    called = threading.Event()
    with _lock:
        if _free and not _ending:
            _free -= 1
            called.set()
        else:
            stand(called)
    called.wait()
    _mine.turn = True


def give_back() -> None:
    """Hand the turn, if this thread has one, to whoever is next. It is not free in between, so nobody jumps in."""
    global _free
    if not has_turn():
        return
    _mine.turn = False
    with _lock:
        if _waiting and not _ending:
            _waiting.popleft().set()
        else:
            _free += 1
