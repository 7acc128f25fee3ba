"""The stops of a logarithmic slider."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from ui.numbers import format_plain

MANTISSAS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)


def stops(low: float, high: float, *also: float) -> list[float]:
    """The stops of a logarithmic slider: six in each decade, the ends, and ``also``."""
    return told_apart([*decades(low, high), *also])


def told_apart(values: Iterable[float]) -> list[float]:
    """Values in their order, of those that read the same only the last: Streamlit tells stops apart by their text."""
    return sorted({format_plain(value): value for value in values}.values())


def decades(low: float, high: float) -> Iterator[float]:
    """Six numbers in each decade from ``low`` to ``high``, and ``high`` itself."""
    exponent = math.floor(math.log10(low) + 1e-9)
    while 10.0**exponent < high * (1 - 1e-9):
        tens = (float(f"{m}e{exponent}") for m in MANTISSAS)
        yield from (stop for stop in tens if low * (1 - 1e-9) <= stop <= high)
        exponent += 1
    yield high
