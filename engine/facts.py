"""What is seen of a run, by which ``engine/endings.py`` decides how it ended: the thresholds, of one run or of many.

A race knows the whole path of a run, a sweep only a few numbers that were kept on the way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from engine.annotations import Points
from engine.descent import TOLERANCE, record_stride
from engine.stationary import StationaryPoint

TAIL_SHARE, MIN_TAIL = 0.2, 10  # of the records, and at least so many: whether a run moves is decided by those
RETURNED = 0.25  # a path that ends this close to where it began, as a share of its length, oscillates
# whether a run diverges is decided by so many moves, or as many as there are; of fewer than three nobody can tell
LAST_MOVES, MIN_MOVES = 8, 3
LENGTHENED = 1e-3  # by this share of itself; moves of one length differ by rounding
HOVERS = 0.75  # a path in noise that ends this close to where it began, as a share of how far it moves about, stays
# on mini-batches: the second half of a run beside its first, by its usual move and by its loss
MOVES_IN_NOISE, LOSS_IN_NOISE = 3, 10

# of many runs, or of one
Floats = np.ndarray | np.floating
Bools = np.ndarray | np.bool


@dataclass(frozen=True)
class Facts:
    """What the ending of one run is decided by."""

    stopped: bool  # it left the finite numbers
    grew: bool  # its loss had grown by then
    settled: bool  # its tolerance ended it
    growing: bool  # its loss grew faster and faster until the end
    at_minimum: bool  # it ended within reach of a minimum
    moving: bool  # in its last part, or it took too few steps to tell
    stands: bool  # in its last part it did not move at all
    returned: bool  # in its last part it came back to where it had been
    end: Float[np.ndarray, "dim"]
    gradient_noise: bool = False  # then at a minimum, and returned, are said of all of its last part

    @property
    def at_rest(self) -> bool:
        """Whether the stationary point near its end decides."""
        return not (self.stopped or self.settled or self.growing or self.at_minimum or self.moving)


def tail_start(records: int) -> int:
    """The record with which the last part of a run begins."""
    return max(0, records - max(MIN_TAIL, int(TAIL_SHARE * records)))


def is_moving(extent: Float[np.ndarray, "*runs dim"], records: int) -> Bool[Bools, "*runs"]:
    """Whether runs move, by how far their last part reaches."""
    return (extent.max(axis=-1) > TOLERANCE) | (records < MIN_TAIL)


def has_returned(gap: Float[np.ndarray, "*runs dim"], length: Float[Floats, "*runs"]) -> Bool[Bools, "*runs"]:
    """Whether runs end where their last part began, by the ``gap`` between both and its ``length``."""
    return np.linalg.norm(gap, axis=-1) < RETURNED * length


def hovers(gap: Float[np.ndarray, "*runs dim"], extent: Float[np.ndarray, "*runs dim"]) -> Bool[Bools, "*runs"]:
    """Whether runs in noise stay about where they are: the ``gap`` is less than how far they move about.

    By the length of their path even one that goes on its way would seem to: most of that is noise.
    """
    return np.linalg.norm(gap, axis=-1) < HOVERS * np.linalg.norm(extent, axis=-1)


def has_grown(first: Float[Floats, "*runs"], last: Float[Floats, "*runs"]) -> Bool[Bools, "*runs"]:
    """Whether a loss has grown in size from its first to its last finite value; not where there was no first one."""
    return np.isfinite(first) & ~(np.abs(last) <= np.abs(first))


def keeps_growing(
    moves: Float[np.ndarray, "*runs moves"],
    losses: Float[np.ndarray, "*runs moves+1"],
    highest: Float[Floats, "*runs"],
    last: Float[Floats, "*runs"],
) -> Bool[Bools, "*runs"]:
    """Whether runs diverge: the last loss is above the highest before, and loss and moves grew by more each time.

    ``moves``: the lengths of the last moves, of equally many steps each, with the ``losses`` between which they led.
    Above its limit, plain descent of a quadratic loss does so as soon as its loss is above that at the start. A run
    that climbs out of a dent slows down, one that jumps about has a longest move, and a rule with steps of one length
    keeps that.
    """
    if moves.shape[-1] < MIN_MOVES:
        return np.zeros(moves.shape[:-1], bool)
    longer = moves[..., -1] > (1 + LENGTHENED) * moves[..., -2]
    return (last > highest) & longer & changes_by_more(moves) & changes_by_more(losses)


def changes_by_more(values: Float[np.ndarray, "*runs values"]) -> Bool[Bools, "*runs"]:
    """Whether each change is above the one before it: what falls falls less and less, what rises more and more."""
    return (np.diff(values, n=2, axis=-1) > 0).all(axis=-1)


def keeps_growing_in_noise(moves: Float[np.ndarray, "moves"], losses: Float[np.ndarray, "recorded"]) -> bool:
    """Whether a run diverges of which each step sees a few examples only, so that its loss moves up and down.

    In its second half the usual move is then much longer than in the first, and the usual loss far above all of those.
    """
    if len(moves) < MIN_MOVES:
        return False
    moves_before, moves_after = np.split(moves, [len(moves) // 2])
    before, after = np.split(losses, [len(losses) // 2])
    longer = np.median(moves_after) > MOVES_IN_NOISE * np.median(moves_before)
    return bool(longer and np.median(after) > LOSS_IN_NOISE * before.max())


def climbs_in_noise(losses: Float[np.ndarray, "*runs losses"], early: Float[Floats, "*runs"]) -> Bool[Bools, "*runs"]:
    """Whether runs with noise in their gradients diverge: all of the last ``losses`` are far above the ``early`` ones.

    ``early`` is the highest loss in the first half of a run. From step to step, noise hides that a loss grows.
    """
    return losses.min(axis=-1) > early + (LOSS_IN_NOISE - 1) * np.abs(early)


def move_lengths(path: Float[np.ndarray, "recorded dim"], steps: Int[np.ndarray, "recorded"]) -> np.ndarray:
    """How far a run went from record to record; without the last one where it took fewer steps than the others."""
    whole = int(steps[-1]) // record_stride(int(steps[-1]))
    return np.linalg.norm(np.diff(path[: whole + 1], axis=0), axis=1)


def has_reached(path: Float[np.ndarray, "recorded dim"], stationary: StationaryPoint) -> bool:
    """Whether a run had hardly anything left to go all through its last part."""
    last_part = path[-max(2, int(TAIL_SHARE * len(path))) :]
    return bool(stationary.is_minimum and stationary.reached(path[0], last_part).all())


def is_near(
    points: Float[np.ndarray, "*points dim"], minima: Points, reach: float = TOLERANCE
) -> Bool[Bools, "*points"]:
    """Whether points are closer than ``reach`` to one of the minima, in every coordinate."""
    targets = np.asarray(minima, float).reshape(-1, points.shape[-1])
    return (np.abs(points[..., None, :] - targets) < reach).all(axis=-1).any(axis=-1)


def stays_near(
    low: Float[np.ndarray, "*runs dim"],
    high: Float[np.ndarray, "*runs dim"],
    minima: Points,
    reach: float = TOLERANCE,
) -> Bool[Bools, "*runs"]:
    """Whether all between ``low`` and ``high``, where runs moved about, is closer than ``reach`` to one minimum."""
    targets = np.asarray(minima, float).reshape(-1, low.shape[-1])
    furthest = np.maximum(np.abs(low[..., None, :] - targets), np.abs(high[..., None, :] - targets))
    return (furthest < reach).all(axis=-1).any(axis=-1)
