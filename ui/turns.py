"""Turns: with a class at once, a few pages at a time are all ready sooner than all of them drawn together.

Python draws one page at a time in any case; who waits for that asks for it again and again, and that costs the more
the more of them there are.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

AT_ONCE = 3  # two were no quicker with a hundred visitors, four were slower; a compile leaves two for the others

turn = threading.Semaphore(AT_ONCE)


@contextmanager
def out_of_turn() -> Iterator[None]:
    """In the middle of a turn: work that takes seconds. Others get the turn meanwhile, then it is waited for again."""
    turn.release()
    try:
        yield
    finally:
        turn.acquire()
