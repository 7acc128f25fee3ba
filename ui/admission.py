"""How many pages are drawn at once: with a class, a few at a time are all ready sooner than all of them together.

Python runs one thread at a time in any case (the GIL), and threads that compete for it slow each other down, the more
the more of them there are. Here a page that waits for a slot sleeps. Work that takes seconds and releases the GIL, such
as compiling, is done without a slot, so that other pages go on.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SLOTS = 3  # measured with a hundred visitors: two are no quicker, and four are slower

_lock = threading.Lock()
_free = SLOTS
_waiting: deque[threading.Event] = deque()  # the next one stands first
_this_thread = threading.local()  # whether it has a slot
_working_without = 0  # how many threads do long work without the slot they had
_closed = False  # whether no more slots are given


@contextmanager
def slot() -> Iterator[None]:
    """Wait for a slot, first come first served, and release it at the end, whatever ends the page."""
    acquire(_waiting.append)
    try:
        yield
    finally:
        release()


@contextmanager
def without_slot() -> Iterator[None]:
    """Do long work without the slot: others get it meanwhile, and this thread is the first to get one afterwards.

    Changes nothing for a thread that has no slot. If the work raises, the thread goes on without one.
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
    """Whether this thread has a slot."""
    return getattr(_this_thread, "slot", False)


def acquire(enqueue: Callable[[threading.Event], None]) -> None:
    """Take a free slot, or wait for one; ``enqueue`` puts this thread's event at an end of the queue."""
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
    """Hand this thread's slot, if it has one, to the next that waits: nobody can take it in between."""
    global _free
    if not has_slot():
        return
    _this_thread.slot = False
    with _lock:
        if _waiting and not _closed:
            _waiting.popleft().set()
        else:
            _free += 1
