"""How a run ended: one list of endings with a sentence each, and one function that decides between them.

The leaderboard has the whole path of a run, a sweep only a few numbers that were kept on the way. Both put what they
know into ``Facts``, by the same thresholds (``engine/facts.py``), and ``decide`` does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import jax
import numpy as np
from jaxtyping import Float, Real

from engine.analysis import SAME_SIZE
from engine.annotations import Arrays, Points
from engine.descent import TOLERANCE
from engine.facts import (
    LAST_MOVES,
    Facts,
    climbs_in_noise,
    has_grown,
    has_reached,
    has_returned,
    hovers,
    is_moving,
    is_near,
    keeps_growing,
    keeps_growing_in_noise,
    move_lengths,
    stays_near,
    tail_start,
)
from engine.race import Run, Trace
from engine.stationary import WAY_LEFT, StationaryPoint, overstepping, stationary_points

NEAR = 0.25  # so close to a local minimum a run is in it, and the centre of an oscillation at a minimum


class Ending(Enum):
    """How a run ended: of which kind that is, and the sentence that says so, without its subject.

    In a sentence ``{at}`` is for a step, as in "at step 57", and ``{place}`` for a point.
    """

    def __init__(self, kind: str, sentence: str) -> None:
        self.kind = kind
        self.sentence = sentence

    # without a tolerance
    CONVERGED = "converged", "converged{at}"
    LOCAL_MINIMUM = "stuck", "stuck in a local minimum at {place}"
    SADDLE = "saddle", "stuck at the saddle point {place}"
    HILLTOP = "top", "stuck at the local maximum {place}"
    OSCILLATING = "oscillating", "oscillating around {place}"
    HOVERING = "oscillating", "hovering in the noise around {place}"
    GOING = "going", "still going"
    SLOW = "going", "still going, very slowly"
    STANDS = "stands", "stands still at {place}"
    GROWING = "diverging", "diverges: its loss grows faster and faster"
    BY_HAND = "going", "stepped by hand, ended{at}"
    # outside the finite numbers
    DIVERGED = "diverged", "diverged{at}"
    OVERFLOWED = "diverged", "stopped{at}: a number became too large or undefined"
    # by its tolerance
    SETTLED = "converged", "converged{at}: its loss hardly changes"
    AT_NO_MINIMUM = "far", "ended by its tolerance{at}, at no minimum"
    FAR = "far", "ended by its tolerance{at}, still far from the minimum"
    OVERSTEPPING = "far", "ended by its tolerance{at}, still far from the minimum, which it overshoots in each step"
    MOVING_AWAY = "diverging", "ended by its tolerance{at}, but each step takes it further away"
    LEAPING = "leaping", "jumps between two points with the same loss and gets no nearer, ended{at}"
    STEP_TOO_SMALL = "too small", "ended by its tolerance{at}, as far away as it began: the step is too small"


@dataclass(frozen=True)
class Verdict:
    """The ending of one run, and what its sentence needs."""

    ending: Ending
    at: int | None = None  # the step; None where there is none to name
    index: str = "step"  # what a step is called
    place: str = ""

    @property
    def kind(self) -> str:
        """The kind of its ending, such as "converged" or "stuck"."""
        return self.ending.kind

    @property
    def words(self) -> str:
        """The sentence, without its subject."""
        at = "" if self.at is None else f" at {self.index} {self.at}"
        return self.ending.sentence.format(at=at, place=self.place)


def decide(
    facts: Facts,
    minima: Points,
    stationary: StationaryPoint | None,
    path: Float[np.ndarray, "recorded dim"] | None = None,
    reach: float = TOLERANCE,
) -> Ending:
    """How a run ended.

    Its ``stationary`` point is asked for where it is at rest; its ``path`` until its end too, where its
    tolerance ended it or with a ``reach`` of 0.
    """
    if facts.stopped:
        return lost(facts.grew)
    if facts.settled:
        assert path is not None
        assert stationary is not None
        return decide_settled(path, facts.at_minimum, stationary)
    if facts.growing:  # also while it is still within reach of the minimum from which it goes
        return Ending.GROWING
    if facts.at_minimum:
        return Ending.CONVERGED
    if not reach and stationary and path is not None and has_reached(path, stationary):
        return Ending.CONVERGED
    if facts.moving and facts.returned:
        return Ending.HOVERING if facts.gradient_noise else Ending.OSCILLATING
    if facts.moving:
        return Ending.GOING
    assert stationary is not None
    away = np.linalg.norm(facts.end - stationary.point)
    if away < NEAR and stationary.signs.min() > 0 and not is_near(stationary.point, minima, reach):
        return Ending.LOCAL_MINIMUM
    # which it may only be passing, with a learning rate that is small or has fallen
    if away < TOLERANCE and stationary.signs.min() < 0 < stationary.signs.max():
        return Ending.SADDLE
    if away < TOLERANCE and stationary.signs.max() < 0:
        return Ending.HILLTOP
    return Ending.STANDS if facts.stands else Ending.SLOW


def lost(grew: bool) -> Ending:
    """How a run ended that left the finite numbers.

    Where its loss had not grown, the square of a gradient was too large, or it came to where there is no loss.
    """
    return Ending.DIVERGED if grew else Ending.OVERFLOWED


def decide_settled(path: Float[np.ndarray, "recorded dim"], at_minimum: bool, stationary: StationaryPoint) -> Ending:
    """How a run ended that its tolerance ended.

    That its loss hardly changed proves nothing. Converged is only a run that is at a minimum, or has hardly anything
    left to go.
    """
    if at_minimum or not stationary.is_minimum:
        return Ending.SETTLED if at_minimum else Ending.AT_NO_MINIMUM
    overstep = -overstepping(path, stationary)
    if overstep > 1 + SAME_SIZE:
        return Ending.MOVING_AWAY
    if overstep > 1 - SAME_SIZE:
        return Ending.LEAPING
    if stationary.reached(path[0], path[-1]):
        return Ending.SETTLED
    first, last = np.abs(stationary.offsets(path[[0, -1]]))
    if overstep <= 0 and (last >= (1 - WAY_LEFT) * first).all():
        return Ending.STEP_TOO_SMALL
    return Ending.OVERSTEPPING if overstep > 0.5 else Ending.FAR


def rank(run: Run) -> tuple[bool, int, float]:
    """A run's place among others, as a sort key: the lowest final loss first, and last those that were lost first."""
    return run.stopped is not None, -(run.stopped or 0), float(run.losses[-1])


# ---- the runs of a race


def verdicts(
    loss: Callable[..., jax.Array],
    traces: Mapping[str, Trace],
    minima: Points,
    data: Arrays = (),
    *,
    index: str = "step",
    reach: float = TOLERANCE,
    noisy: bool = False,
    gradient_noise: bool = False,
) -> dict[str, list[Verdict]]:
    """A verdict for each run of each trace, from how it moved at the end and from the shape of the loss there.

    A run has reached one of the ``minima`` when it is closer than ``reach`` in every coordinate; with 0 what it has
    come of its way to the least loss decides. ``index`` is what a step is called. ``noisy``: each step saw a few
    examples only. With ``gradient_noise`` a run has reached a minimum where it stays, not where it is once, by chance.
    """
    ends = np.concatenate([trace.positions[:, -1] for trace in traces.values()])
    points = stationary_points(loss, ends, data)
    return judge_all(traces, minima, points, index, reach, noisy, gradient_noise)


def judge_all(
    traces: Mapping[str, Trace],
    minima: Points,
    points: Sequence[StationaryPoint],
    index: str = "step",
    reach: float = TOLERANCE,
    noisy: bool = False,
    gradient_noise: bool = False,
) -> dict[str, list[Verdict]]:
    """``verdicts`` where the stationary point of each run is known, in their order."""
    each, how = iter(points), (index, reach, noisy, gradient_noise)
    return {
        name: [verdict(trace.run(i), minima, next(each), *how) for i in range(len(trace.positions))]
        for name, trace in traces.items()
    }


def verdict(
    run: Run,
    minima: Points,
    stationary: StationaryPoint,
    index: str = "step",
    reach: float = TOLERANCE,
    noisy: bool = False,
    gradient_noise: bool = False,
) -> Verdict:
    """How one run ended, whose end is near a ``stationary`` point of the loss."""
    path = run.positions.astype(float)  # squares of far positions overflow in float32
    tail = path[tail_start(len(path)) :]
    low, high, gap = tail.min(axis=0), tail.max(axis=0), tail[-1] - tail[0]
    length = np.linalg.norm(np.diff(tail, axis=0), axis=1).sum()
    facts = Facts(
        stopped=run.stopped is not None,
        grew=bool(has_grown(*run.losses[[0, -1]])),
        settled=run.settled is not None,
        growing=is_growing(run, path, noisy, gradient_noise),
        at_minimum=bool(stays_near(low, high, minima, reach) if gradient_noise else is_near(path[-1], minima, reach)),
        moving=bool(is_moving(high - low, len(path))),
        stands=not (high > low).any(),
        returned=bool(hovers(gap, high - low) if gradient_noise else has_returned(gap, length)),
        end=path[-1],
        gradient_noise=gradient_noise,
    )
    ending = decide(facts, minima, stationary, path[: run.records], reach)
    # where noise has it come near a minimum, it need not have stayed there
    came_near = ending is Ending.CONVERGED and facts.at_minimum and not gradient_noise
    at = run.converged if came_near else run.end
    if "{place}" not in ending.sentence:
        return Verdict(ending, at, index)
    if ending in (Ending.OSCILLATING, Ending.HOVERING):
        return Verdict(ending, at, index, describe_centre(tail, minima))
    return Verdict(ending, at, index, describe_point(path[-1] if ending is Ending.STANDS else stationary.point))


def is_growing(run: Run, path: Float[np.ndarray, "recorded dim"], noisy: bool, gradient_noise: bool) -> bool:
    """Whether the loss of a run grew faster and faster until the end."""
    losses = run.losses.astype(float)
    if gradient_noise:
        on_stride = losses[: len(move_lengths(path, run.steps)) + 1]
        early = on_stride[2 * run.steps[: len(on_stride)] <= run.steps[-1]]
        return bool(climbs_in_noise(on_stride[-LAST_MOVES - 1 :], early.max()))
    if noisy:
        return keeps_growing_in_noise(move_lengths(path, run.steps), losses)
    highest = losses[:-1].max(initial=-np.inf)
    if losses[-1] <= highest:
        return False
    moves = move_lengths(path, run.steps)
    between = losses[: len(moves) + 1]
    return bool(keeps_growing(moves[-LAST_MOVES:], between[-LAST_MOVES - 1 :], highest, losses[-1]))


def verdict_if_lost(run: Run, index: str = "step") -> Verdict | None:
    """The verdict on a run that left the finite numbers, for which nothing else is asked; None for any other."""
    if run.stopped is None:
        return None
    grew = bool(has_grown(*run.losses[[0, -1]]))
    return Verdict(lost(grew), run.stopped, index)


def describe_centre(path: Float[np.ndarray, "recorded dim"], minima: Points) -> str:
    """What a path goes around: a minimum, or a point."""
    middle = path.mean(axis=0)
    nearest = min(minima, key=lambda minimum: np.linalg.norm(middle - np.asarray(minimum)), default=None)
    if nearest is not None and np.linalg.norm(middle - np.asarray(nearest)) < NEAR:
        return f"the minimum at {describe_point(np.asarray(nearest))}"
    return describe_point(middle)


def describe_point(point: Real[np.ndarray, "dim"]) -> str:
    """A point in two decimals, as in "(0.00, -1.50)"."""
    # adding 0 turns -0.00 into 0.00
    return "(" + ", ".join(f"{round(float(c), 2) + 0:.2f}" for c in point) + ")"
