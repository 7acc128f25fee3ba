"""The fair race: the same optimizers with one learning rate for all, with their own defaults, and each one tuned.

Who wins such a race depends on who was tuned, and how well. So each optimizer gets the same budget, is tuned on some
starts and judged on others, and all of it is repeated with other random starts: what changes from draw to draw is
chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from engine.blocks import Progress
from engine.landscapes import Landscape, evaluate_at
from engine.maps import sweep
from engine.minima import values
from engine.noise import NO_NOISE, GradientNoise
from engine.optimizers import Rule

TERMS = ("same", "own", "tuned")  # one learning rate for all; each one's defaults; each one's best learning rate
KNOB = "learning_rate"
DRAWS = 5  # how often all of it is drawn anew
STARTS = 64  # that a draw is judged on
RATES, TUNING_STARTS = 64, 16  # what each optimizer may try, and from where
MAX_DRAWS = 100  # of a start that is to have a value
TIE = 1e-3  # ends that differ by less than this share of the way down from the start share the win


@dataclass(frozen=True)
class FairRace:
    """How each optimizer did under each of the ``TERMS``, in each draw."""

    optimizers: tuple[str, ...]
    rates: Float[np.ndarray, "terms draws optimizers"]  # the learning rate
    losses: Float[np.ndarray, "terms draws optimizers starts"]  # the last loss; infinite where the run diverged
    wins: Float[np.ndarray, "terms draws optimizers"]  # share of the starts at which none ended lower
    ranges: Float[np.ndarray, "optimizers 2"]  # of the learning rates that each may be tuned to


def fair_race(
    landscape: Landscape,
    optimizers: Sequence[Rule],
    steps: int,
    rate: float,
    progress: Progress | None = None,
    noise: GradientNoise = NO_NOISE,
) -> FairRace:
    """Race the optimizers from starts all over the domain, under each of the ``TERMS``; ``rate`` is that of the first.

    All knobs but the learning rate keep their defaults. All runs meet the same ``noise``. ``progress`` is called with
    the share that is done; what it raises ends the work. Raises ``ValueError`` for no optimizers, or fewer than one
    step.
    """
    if not optimizers or steps < 1:
        raise ValueError(f"There are {len(optimizers)} optimizers and {steps} steps. Give at least 1 of each.")
    tuning, judging = (
        np.stack([random_starts(landscape, [draw, purpose], count) for draw in range(DRAWS)])
        for purpose, count in enumerate((TUNING_STARTS, STARTS))
    )
    shape = len(TERMS), DRAWS, len(optimizers)
    rates, losses = np.empty(shape), np.empty((*shape, STARTS))
    for column, rule in enumerate(optimizers):
        own = rule().learning_rate
        for draw, best in enumerate(best_learning_rates(landscape, rule, tuning, steps, noise)):
            rates[:, draw, column] = rate, own, best
            losses[:, draw, column] = final_losses(landscape, rule, rates[:, draw, column], judging[draw], steps, noise)
        if progress:
            progress((column + 1) / len(optimizers))
    start_losses = np.asarray(evaluate_at(landscape.loss, judging.reshape(-1, 2))).reshape(DRAWS, STARTS)
    names, ranges = tuple(rule.name for rule in optimizers), np.array([rate_range(rule) for rule in optimizers])
    return FairRace(names, rates, losses, win_shares(losses, start_losses), ranges)


def random_starts(landscape: Landscape, seed: Sequence, count: int) -> Float[np.ndarray, "{count} 2"]:
    """Starts, anywhere in the domain, but where a typed landscape has no value."""
    low, high = np.array(landscape.domain).T
    generator = np.random.default_rng(seed)
    starts = generator.uniform(low, high, (count, 2))
    for _ in range(MAX_DRAWS if landscape.found else 0):
        without = np.isinf(values(landscape.loss, starts))
        starts[without] = generator.uniform(low, high, (without.sum(), 2))
        if not without.any():
            break
    return starts


def best_learning_rates(
    landscape: Landscape, rule: Rule, starts: Float[np.ndarray, "draws starts 2"], steps: int, noise: GradientNoise
) -> Float[np.ndarray, "draws"]:
    """For each draw of ``starts`` the learning rate, of its whole range, with the lowest median loss."""
    rates = np.geomspace(*rate_range(rule), RATES)
    outcome = final_losses(landscape, rule, rates, starts.reshape(-1, 2), steps, noise)
    outcome = outcome.reshape(RATES, *starts.shape[:2])
    return rates[np.median(outcome, axis=2).argmin(axis=0)]


def rate_range(rule: Rule) -> tuple[float, float]:
    """The lowest and the highest learning rate that a rule may have."""
    (knob,) = (knob for knob in rule.knobs() if knob.name == KNOB)
    return knob.low, knob.high


def final_losses(
    landscape: Landscape,
    rule: Rule,
    rates: Float[np.ndarray, "rates"],
    starts: Float[np.ndarray, "starts 2"],
    steps: int,
    noise: GradientNoise,
) -> Float[np.ndarray, "rates starts"]:
    """The last loss for each rate from each start; infinite where the run diverged."""
    outcome = sweep(landscape.loss, rule(), KNOB, rates, starts, steps, minima=landscape.minima, noise=noise)
    return np.where(outcome.diverged, np.inf, outcome.losses.astype(float))


def win_shares(
    losses: Float[np.ndarray, "*terms draws optimizers starts"], start_losses: Float[np.ndarray, "draws starts"]
) -> Float[np.ndarray, "*terms draws optimizers"]:
    """The share of the starts that each optimizer wins, by its last ``losses``.

    A win goes to the lowest end, and is shared by those as low but for ``TIE`` of the way down from the loss at the
    start, ``start_losses``. Where all diverge, none wins.
    """
    lowest = losses.min(axis=-2, keepdims=True)
    drop = np.abs(start_losses[:, None, :] - np.where(np.isfinite(lowest), lowest, 0.0))
    winners = np.isfinite(losses) & (losses <= lowest + TIE * drop)
    return (winners / np.maximum(winners.sum(axis=-2, keepdims=True), 1)).mean(axis=-1)
