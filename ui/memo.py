"""Results that take seconds, kept for whoever asks next."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass
class _Entry(Generic[T]):
    lock: threading.Lock = field(default_factory=threading.Lock)
    result: list[T] = field(default_factory=list)  # none, or one


class Memo(Generic[T]):
    """The results of the ``size`` keys asked for last. Each is made once, however many ask at the same time."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.clear()

    def get(self, key: Hashable, make: Callable[[], T], while_waiting: Callable[[], object] = lambda: None) -> T:
        """The result for a key, made now if it is not there. What ``make`` raises is raised, and nothing kept.

        Where another thread is making it, this one waits, and calls ``while_waiting`` a few times a second; what that
        raises ends the waiting.
        """
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            while len(self._entries) > self.size:
                self._entries.popitem(last=False)
        while not entry.lock.acquire(timeout=0.2):
            while_waiting()
        try:
            if not entry.result:
                entry.result.append(make())
        finally:
            entry.lock.release()
        return entry.result[0]

    def clear(self) -> None:
        """Forget everything."""
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry[T]] = OrderedDict()
