"""The big batches: where every start of a grid ends up, and what every value of a knob leads to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from engine.annotations import Points
from engine.blocks import NEVER, Progress, _End, run_across, run_all
from engine.descent import record_stride, recorded_steps
from engine.endings import decide
from engine.facts import (
    LAST_MOVES,
    Facts,
    climbs_in_noise,
    has_grown,
    has_returned,
    hovers,
    is_moving,
    is_near,
    keeps_growing,
    stays_near,
)
from engine.landscapes import Landscape
from engine.noise import NO_NOISE, GradientNoise
from engine.optimizers import Optimizer
from engine.stationary import stationary_points

MIN_ENDS = 0.01  # of all runs: fewer are no place where runs end


@dataclass(frozen=True)
class Basins:
    """Where a run from each point of a grid over a landscape's domain went. Rows are y, columns x."""

    nearest: Int[np.ndarray, "resolution resolution"]  # index of the minimum that was reached, -1 for none
    steps: Int[
        np.ndarray, "resolution resolution"
    ]  # the first step within 1e-2 of it in every coordinate, -1 for never
    stopped_at: Int[np.ndarray, "resolution resolution"]  # step at which it left the finite numbers, or -1
    ends: Float[np.ndarray, "resolution resolution 2"]  # its last finite point

    @property
    def diverged(self) -> Bool[np.ndarray, "resolution resolution"]:
        """Whether it left the finite numbers."""
        return self.stopped_at >= 0


@dataclass(frozen=True, eq=False)
class Sweep:
    """The same run for every value of one knob."""

    values: Float[np.ndarray, "values"]
    losses: Float[np.ndarray, "values runs"]  # the last finite loss
    diverged: Bool[np.ndarray, "values runs"]  # whether it left the finite numbers
    find_endings: Callable[[], np.ndarray]

    @cached_property
    def endings(self) -> Shaped[np.ndarray, "values runs"]:
        """How each run ended: an ``Ending`` each, as for the run of a race; found when asked for."""
        return self.find_endings()


def basins(
    landscape: Landscape,
    optimizer: Optimizer,
    resolution: int,
    steps: int,
    progress: Progress | None = None,
    *,
    devices: Sequence[jax.Device] | None = None,
    noise: GradientNoise = NO_NOISE,
) -> Basins:
    """A run from each point of a square grid over the domain: which minimum it reaches, and when.

    With ``noise`` each step follows a gradient with random numbers in it, the same for all starts.

    ``progress`` is called with the share that is done, after each block; what it raises ends the work. With
    ``devices`` the runs are divided among those, of one process or of several: then each process calls this alike, and
    each gets the whole map; there is no progress in between.
    Raises ``ValueError`` for a resolution or a number of steps below 1.
    """
    if resolution < 1 or steps < 1:
        raise ValueError(f"resolution is {resolution} and steps is {steps}. Let both be at least 1.")
    sides = (np.linspace(low, high, resolution, dtype=np.float32) for low, high in landscape.domain)
    starts = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2)
    if devices is None:
        none = np.zeros(len(starts))
        end = run_all(landscape.loss, optimizer, None, none, starts, steps, landscape.minima, noise, progress)
    else:
        end = run_across(devices, landscape.loss, optimizer, starts, steps, landscape.minima, noise)
    square = (resolution, resolution)
    first = end.reached_at.min(axis=1)
    return Basins(
        nearest=np.where(first < NEVER, end.reached_at.argmin(axis=1), -1).reshape(square),
        steps=np.where(first < NEVER, first, -1).reshape(square),
        stopped_at=np.where(end.stopped_at < NEVER, end.stopped_at, -1).reshape(square),
        ends=np.reshape(end.position, (*square, 2)),
    )


def common_ends(
    ends: Float[np.ndarray, "runs 2"], reach: Float[np.ndarray, "2"], most: int
) -> tuple[Float[np.ndarray, "places 2"], Int[np.ndarray, "runs"]]:
    """The places where most runs end, and which of them each run ends at, -1 for none.

    An end is at a place if it is less than ``reach`` from it in each coordinate. A place with the most ends comes
    first; there are at most so many, each with a hundredth of all ends at least. An end that is not finite is at none.
    """
    which, places = np.full(len(ends), -1), list[np.ndarray]()
    left = np.flatnonzero(np.isfinite(ends).all(axis=1))
    while len(places) < most and len(left):
        _, cell, counts = np.unique(np.round(ends[left] / reach), axis=0, return_inverse=True, return_counts=True)
        place = np.median(ends[left][cell.ravel() == counts.argmax()], axis=0)
        there = (np.abs(ends[left] - place) < reach).all(axis=1)
        if there.sum() < MIN_ENDS * len(ends):
            break
        which[left[there]] = len(places)
        places.append(place)
        left = left[~there]
    return np.array(places).reshape(-1, 2), which


def sweep(
    loss: Callable[..., jax.Array],
    optimizer: Optimizer,
    knob: str,
    values: Sequence | np.ndarray,
    starts: Any,
    steps: int,
    *,
    minima: Points = (),
    progress: Progress | None = None,
    noise: GradientNoise = NO_NOISE,
) -> Sweep:
    """The same run for every value of one knob, from one or many ``starts`` ``(runs, dim)``, all with the same noise.

    Raises ``ValueError`` for a knob that the optimizer does not have, or no values, starts or steps.
    """
    names = list(vars(optimizer))
    if knob not in names:
        raise ValueError(f"{optimizer.name} has no knob '{knob}'. Choose one of: {', '.join(names)}.")
    values, starts = np.asarray(values, np.float32), np.asarray(starts, np.float32)
    if values.ndim != 1 or starts.ndim != 2 or 0 in (*values.shape, *starts.shape) or steps < 1:
        raise ValueError(
            f"values has shape {values.shape}, starts {starts.shape}, steps is {steps}. "
            "Give values as (values,), starts as (runs, dim), and at least 1 step."
        )
    each_value, each_start = np.repeat(values, len(starts)), np.tile(starts, (len(values), 1))
    end = run_all(loss, optimizer, names.index(knob), each_value, each_start, steps, minima, noise, progress)
    assert end.loss is not None
    shape = (len(values), len(starts))
    diverged = np.reshape(end.stopped_at, shape) < NEVER
    return Sweep(
        values,
        np.reshape(end.loss, shape),
        diverged,
        lambda: endings(loss, end, minima, steps, bool(noise)).reshape(shape),
    )


def endings(
    loss: Callable[..., jax.Array], end: _End, minima: Points, steps: int, gradient_noise: bool
) -> Shaped[np.ndarray, "runs"]:
    """How each run ended, an ``Ending`` each, by the facts that were kept on the way."""
    assert end.tail is not None
    low, high, length, began, _, moves, losses, highest, early = (np.asarray(part, float) for part in end.tail)
    ends, last = np.asarray(end.position, float), np.asarray(end.loss, float)
    first = max(0, LAST_MOVES - steps // record_stride(steps))
    growing = keeps_growing(moves[:, first:], losses[:, first:], highest, last)
    known = {
        "stopped": np.asarray(end.stopped_at) < NEVER,
        "grew": has_grown(np.asarray(end.first_loss), last),
        "growing": climbs_in_noise(losses[:, first:], early) if gradient_noise else growing,
        "at_minimum": stays_near(low, high, minima) if gradient_noise else is_near(ends, minima),
        "moving": is_moving(high - low, len(recorded_steps(steps))),
        "stands": ~(high > low).any(axis=-1),
        "returned": hovers(ends - began, high - low) if gradient_noise else has_returned(ends - began, length),
    }
    facts = [
        Facts(settled=False, gradient_noise=gradient_noise, end=x, **dict(zip(known, seen, strict=True)))
        for seen, x in zip(np.array([*known.values()]).T.tolist(), ends, strict=True)
    ]
    points = iter(stationary_points(loss, ends[[one.at_rest for one in facts]]))
    return np.array([decide(one, minima, next(points) if one.at_rest else None) for one in facts], object)
