"""Which racer is drawn in which style."""

from __future__ import annotations

from collections.abc import Sequence

from engine import OPTIMIZERS, Optimizer
from engine.scheduled import plain_rule
from ui.draw.palette import FURTHER, STYLES, Style

# what a second racer of the same optimizer takes, told apart at a glance and seldom in the line-up beside it
SPARE = (7, 4, 2, 3, 8, 6, 10, 11, 9, 1, 0, 5)


def styles(racers: Sequence[Optimizer]) -> list[Style]:
    """A style for each racer, no two in one colour: the first of its kind has its optimizer's own.

    Further ones take a spare one, and so do an optimizer that shares its colour with an older one beside it, and the
    visitor's own rule.
    """
    every = STYLES + FURTHER
    number = {name: i for i, name in enumerate(OPTIMIZERS)}
    names = [plain_rule(racer.rule).name for racer in racers]
    known = [place for place, name in enumerate(names) if name in number]
    taken: set[str] = set()
    chosen: dict[int, Style] = {}
    for place in sorted(known, key=lambda place: number[names[place]]):
        own = every[number[names[place]] % len(every)]
        if own.light not in taken:
            chosen[place] = own
            taken.add(own.light)
    spare = (STYLES[i] for i in SPARE if STYLES[i].light not in taken)
    for place in range(len(racers)):
        if place not in chosen:
            chosen[place] = next(spare, STYLES[place % len(STYLES)])
    return [chosen[place] for place in range(len(racers))]
