"""Admission: how many pages are drawn at once, and how many long runs are made; the others wait in line.

Python runs one thread at a time in any case (the GIL), and threads that compete for it slow each other down, the more
the more of them there are. Here a page that waits for a slot sleeps. Work that takes seconds and releases the GIL is
done without a slot, so that other pages go on: compiling, and long runs of the engine, such as a map. Of long runs too
only a few are made at once, in the order of asking.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

SLOTS = 3  # measured with a hundred visitors: two are no quicker, and four are slower
LONG_RUNS = 2  # a map uses every core; a second run beside it takes what that leaves, and the end of each leaves much
LOOK = 0.2  # seconds after which one that waits for a long run looks whether it is still wanted

_lock = threading.Lock()
_this_thread = threading.local()  # whether it has a slot
_working = 0  # how many threads do long work without a slot
_closed = False  # whether no more slots are given


class Line:
    """So many places, given in the order of asking."""

    def __init__(self, places: int) -> None:
        self.free = places
        self.waiting: deque[threading.Event] = deque()  # the next one stands first

    def acquire(self, *, first: bool = False, while_waiting: Callable[[], object] | None = None) -> None:
        """Take a free place, or wait for one; ``first``: before all who wait.

        ``while_waiting`` is called a few times a second; what it raises ends the waiting.
        """
        called = threading.Event()
        with _lock:
            if self.free and not _closed:
                self.free -= 1
                return
            (self.waiting.appendleft if first else self.waiting.append)(called)
        try:
            while not called.wait(LOOK if while_waiting else None):
                assert while_waiting
                while_waiting()
        except BaseException:
            with _lock:
                was_called = called.is_set()
                if not was_called:
                    self.waiting.remove(called)
            if was_called:  # since it last looked
                self.release()
            raise

    def release(self) -> None:
        """Hand a place to the next that waits: nobody can take it in between."""
        with _lock:
            if self.waiting and not _closed:
                self.waiting.popleft().set()
            else:
                self.free += 1


_pages, _long_runs = Line(SLOTS), Line(LONG_RUNS)


@contextmanager
def slot() -> Iterator[None]:
    """Wait for a slot, first come first served, and release it at the end, whatever ends the page.

    Changes nothing for a thread that has one. Around what runs the engine outside of a page's run: callbacks, which
    come before it, fragments, which come without it, and downloads.
    """
    if has_slot():
        yield
        return
    acquire()
    try:
        yield
    finally:
        release()


@contextmanager
def without_slot() -> Iterator[None]:
    """Do long work without the slot: others get it meanwhile, and this thread is the first to get one afterwards.

    Changes nothing for a thread that has no slot. If the work raises, the thread goes on without one.
    """
    if not has_slot():
        yield
        return
    with working():
        release()
        yield
    acquire(first=True)


@contextmanager
def working() -> Iterator[None]:
    """Work without a slot that a server which stops is to wait for: it loads or runs what is not written in Python."""
    global _working
    with _lock:
        _working += 1
    try:
        yield
    finally:
        with _lock:
            _working -= 1


@contextmanager
def waiting() -> Iterator[None]:
    """Wait for another thread without the slot; as ``without_slot``, but a server that stops does not wait for it."""
    had = has_slot()
    release()
    yield
    if had:
        acquire(first=True)


def still_wanted() -> None:
    """Raise what ends a script, where the visitor has gone or has changed something since."""
    "any" in st.session_state  # noqa: B015 - Streamlit looks whether to end a script whenever that is asked for something


@contextmanager
def long_run(while_waiting: Callable[[], object] = still_wanted) -> Iterator[None]:
    """Make a long run of the engine in its turn, within ``waiting``.

    ``while_waiting`` is called a few times a second until then; what it raises ends the waiting.
    """
    _long_runs.acquire(while_waiting=while_waiting)
    try:
        yield
    finally:
        _long_runs.release()


def close() -> None:
    """Wait until no thread has a slot, makes a long run, or works without one. Those that wait, or come later, wait for
    ever.

    Streamlit's threads end with the process, in the middle of whatever they do; one that is in XLA would crash it.
    """
    global _closed
    with _lock:
        _closed = True
    while _pages.free < SLOTS or _long_runs.free < LONG_RUNS or _working:
        time.sleep(0.01)


def has_slot() -> bool:
    """Whether this thread has a slot."""
    return getattr(_this_thread, "slot", False)


def acquire(*, first: bool = False) -> None:
    """Take a free slot, or wait for one; ``first``: before all who wait."""
    _pages.acquire(first=first)
    _this_thread.slot = True


def release() -> None:
    """Hand this thread's slot, if it has one, to the next that waits."""
    if has_slot():
        _this_thread.slot = False
        _pages.release()
