"""Which racer is drawn in which style."""

from __future__ import annotations

from collections.abc import Sequence

from engine import OPTIMIZERS, Optimizer
from ui.draw.palette import STYLES, Style

# what a second racer of the same optimizer takes, told apart at a glance and seldom in the line-up beside it
SPARE = (7, 4, 2, 3, 8, 6, 10, 11, 9, 1, 0, 5)


def styles(racers: Sequence[Optimizer]) -> list[Style]:
    """A style for each racer: the first of its kind has its optimizer's own, further ones take a spare one."""
    own = {name: i % len(STYLES) for i, name in enumerate(OPTIMIZERS)}
    taken: set[int] = set()
    chosen: dict[int, int] = {}
    for place, racer in enumerate(racers):
        if own[racer.name] not in taken:
            chosen[place] = own[racer.name]
            taken.add(own[racer.name])
    spare = (i for i in SPARE if i not in taken)
    for place in range(len(racers)):
        if place not in chosen:
            chosen[place] = next(spare, place % len(STYLES))
    return [STYLES[chosen[place]] for place in range(len(racers))]
