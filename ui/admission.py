"""How many pages are drawn at once: with a class, a few at a time are all ready sooner than all of them together.

Python draws one page at a time in any case; a page that waits for that asks for it again and again, and that costs the
more the more of them there are. Here a page that waits sleeps. Work that takes seconds is done without a slot: while
one page compiles, the others go on.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SLOTS = 3  # two were no quicker with a hundred visitors, and four were slower

_lock = threading.Lock()
_free = SLOTS
_waiting: deque[threading.Event] = deque()  # the next one stands first
_this_thread = threading.local()  # whether it has a slot
_working_without = 0  # how many threads do long work without the slot they had
_closed = False  # whether no more slots are given


@contextmanager
def slot() -> Iterator[None]:
    """Wait for a slot, in the order of coming, and release it at the end, also where the script is stopped."""
    acquire(_waiting.append)
    try:
        yield
    finally:
        release()


@contextmanager
def without_slot() -> Iterator[None]:
    """Long work in the middle of a page: others get the slot meanwhile, and this thread is the next to get one again.

    Does nothing in a thread that has no slot. Whatever the work raises leaves the thread without one: a page that goes
    on is drawn all the same.
    """
    global _working_without
    if not has_slot():
        yield
        return
    with _lock:
        _working_without += 1
    release()
    try:
        yield
    finally:
        with _lock:
            _working_without -= 1
    acquire(_waiting.appendleft)


def close() -> None:
    """Wait until no thread has a slot or works without one. Those that wait for a slot, or come later, wait for ever.

    Streamlit's threads end with the process, in the middle of whatever they do; one that is in XLA would crash it.
    """
    global _closed
    with _lock:
        _closed = True
    while _free < SLOTS or _working_without:
        time.sleep(0.01)


def has_slot() -> bool:
    return getattr(_this_thread, "slot", False)


def acquire(enqueue: Callable[[threading.Event], None]) -> None:
    """Take a free slot, or wait in the queue for one."""
    global _free
    called = threading.Event()
    with _lock:
        if _free and not _closed:
            _free -= 1
            called.set()
        else:
            enqueue(called)
    called.wait()
    _this_thread.slot = True


def release() -> None:
    """Hand this thread's slot, if it has one, to the next. It is not free in between, so nobody jumps the queue."""
    global _free
    if not has_slot():
        return
    _this_thread.slot = False
    with _lock:
        if _waiting and not _closed:
            _waiting.popleft().set()
        else:
            _free += 1
