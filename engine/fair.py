"""The fair race: the same optimizers with one learning rate for all, with their own defaults, and each one tuned.

Who wins such a race depends on who was tuned, and how well. So each optimizer gets the same budget, is tuned on some
starts and judged on others, and all of it is drawn several times over: what changes from draw to draw is luck.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from engine.blocks import Progress
from engine.landscapes import Landscape, over
from engine.maps import sweep
from engine.optimizers import Optimizer

TERMS = ("same", "own", "tuned")  # one learning rate for all; each one's defaults; each one's best learning rate
KNOB = "learning_rate"
DRAWS = 5  # how often all of it is drawn anew
STARTS = 64  # that a draw is judged on
RATES, TUNING_STARTS = 64, 16  # what each optimizer may try, and from where
TIE = 1e-3  # ends that differ by less than this share of the way down from the start share the win


@dataclass(frozen=True)
class FairRace:
    """How each optimizer did under each of the ``TERMS``, in each draw."""

    optimizers: tuple[str, ...]
    rates: Float[np.ndarray, "terms draws optimizers"]  # the learning rate
    losses: Float[np.ndarray, "terms draws optimizers starts"]  # the last loss; infinite where the run diverged
    wins: Float[np.ndarray, "terms draws optimizers"]  # share of the starts at which none ended lower


def fair_race(
    landscape: Landscape,
    optimizers: Sequence[type[Optimizer]],
    steps: int,
    rate: float,
    progress: Progress | None = None,
) -> FairRace:
    """Race the optimizers from starts all over the domain, under each of the ``TERMS``; ``rate`` is that of the first.

    All knobs but the learning rate keep their defaults. ``progress`` is called with the share that is done; what it
    raises ends the work. Raises ``ValueError`` for no optimizers, or fewer than one step.
    """
    if not optimizers or steps < 1:
        raise ValueError(f"There are {len(optimizers)} optimizers and {steps} steps. Give at least 1 of each.")
    tuning, judging = (
        np.stack([drawn(landscape, [draw, purpose], count) for draw in range(DRAWS)])
        for purpose, count in enumerate((TUNING_STARTS, STARTS))
    )
    shape = len(TERMS), DRAWS, len(optimizers)
    rates, losses = np.empty(shape), np.empty((*shape, STARTS))
    for place, rule in enumerate(optimizers):
        own = rule().learning_rate  # type: ignore[attr-defined]
        for draw, best in enumerate(tuned(landscape, rule, tuning, steps)):
            rates[:, draw, place] = rate, own, best
            losses[:, draw, place] = ends(landscape, rule, rates[:, draw, place], judging[draw], steps)
        if progress:
            progress((place + 1) / len(optimizers))
    before = np.asarray(over(landscape.loss, judging.reshape(-1, 2))).reshape(DRAWS, STARTS)
    return FairRace(tuple(rule.name for rule in optimizers), rates, losses, shares(losses, before))


def drawn(landscape: Landscape, seed: Sequence[int], count: int) -> Float[np.ndarray, "{count} 2"]:
    """Starts, anywhere in the domain."""
    low, high = np.array(landscape.domain).T
    return np.random.default_rng(seed).uniform(low, high, (count, 2))


def tuned(
    landscape: Landscape, rule: type[Optimizer], starts: Float[np.ndarray, "draws starts 2"], steps: int
) -> Float[np.ndarray, "draws"]:
    """For each draw of ``starts`` the learning rate, of its whole range, with the lowest median loss."""
    (knob,) = (knob for knob in rule.knobs() if knob.name == KNOB)
    tried = np.geomspace(knob.low, knob.high, RATES)
    found = ends(landscape, rule, tried, starts.reshape(-1, 2), steps).reshape(RATES, *starts.shape[:2])
    return tried[np.median(found, axis=2).argmin(axis=0)]


def ends(
    landscape: Landscape,
    rule: type[Optimizer],
    rates: Float[np.ndarray, "rates"],
    starts: Float[np.ndarray, "starts 2"],
    steps: int,
) -> Float[np.ndarray, "rates starts"]:
    """The last loss for each rate from each start; infinite where the run diverged."""
    found = sweep(landscape.loss, rule(), KNOB, rates, starts, steps, minima=landscape.minima)
    return np.where(found.diverged, np.inf, found.losses.astype(float))


def shares(
    losses: Float[np.ndarray, "*terms draws optimizers starts"], before: Float[np.ndarray, "draws starts"]
) -> Float[np.ndarray, "*terms draws optimizers"]:
    """The share of the starts that each optimizer wins, by its last ``losses``.

    A win goes to the lowest end, and is shared by those as low but for ``TIE`` of the way down from the loss at the
    start, ``before``. Where all diverge, none wins.
    """
    lowest = losses.min(axis=-2, keepdims=True)
    level = np.abs(before[:, None, :] - np.where(np.isfinite(lowest), lowest, 0.0))
    won = np.isfinite(losses) & (losses <= lowest + TIE * level)
    return (won / np.maximum(won.sum(axis=-2, keepdims=True), 1)).mean(axis=-1)
