"""The race: several optimizers side by side on one loss, from the same starts.

Each optimizer is one small compiled loop, batched over the starts. Its knobs, the starts, the data and the number of
steps are arguments of that loop, so turning any of them compiles nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from engine.annotations import Arrays, Points, Seeds
from engine.descent import Descent, Events, Measures, Moves, Variant, descend, record_stride, recorded_steps
from engine.noise import NO_NOISE, GradientNoise
from engine.optimizers import Optimizer

MAX_SEED = 2**31 - 1


@dataclass(frozen=True)
class Trace:
    """What one optimizer did from each start. ``runs`` counts the starts, ``recorded`` the steps that were kept.

    A run that leaves the finite numbers stands still at its last finite point from then on; one whose loss no longer
    changes by the tolerance stands still where that was seen. ``engine/endings.py`` says whether it has converged.
    """

    steps: Int[np.ndarray, "recorded"]  # which step each record is: 0, 1, 2, ... up to 500 of them, then evenly thinned
    positions: Float[np.ndarray, "runs recorded dim"]  # index 0 is the start
    losses: Float[np.ndarray, "runs recorded"]
    stopped_at: Int[np.ndarray, "runs"]  # step at which value, gradient, memory or position stopped being finite, or -1
    settled_at: Int[
        np.ndarray, "runs"
    ]  # step at which the loss had hardly changed for long enough, and it ended; or -1
    converged_at: Int[np.ndarray, "runs"]  # first step within 1e-2 of a minimum in every coordinate, or -1
    best_losses: Float[np.ndarray, "runs"]  # the lowest loss on the way, over every step
    path_lengths: Float[np.ndarray, "runs"]  # over every step
    moves: Moves | tuple[()] = ()  # with ``record``: gradients, states and moves, (runs, recorded, ...) each

    @property
    def diverged(self) -> Bool[np.ndarray, "runs"]:
        """Which runs left the finite numbers."""
        return self.stopped_at >= 0

    def run(self, i: int) -> Run:
        """What the optimizer did from start ``i``."""
        return Run(
            steps=self.steps,
            positions=self.positions[i],
            losses=self.losses[i],
            stopped=step_or_none(self.stopped_at[i]),
            settled=step_or_none(self.settled_at[i]),
            converged=step_or_none(self.converged_at[i]),
            best_loss=float(self.best_losses[i]),
            path_length=float(self.path_lengths[i]),
            moves=jax.tree.map(lambda part: part[i], self.moves),
        )

    def at_start(self) -> Trace:
        """The start alone, as if no step had been taken yet."""
        nowhere = np.full_like(self.stopped_at, -1)
        return Trace(
            steps=self.steps[:1],
            positions=self.positions[:, :1],
            losses=self.losses[:, :1],
            stopped_at=nowhere,
            settled_at=nowhere,
            converged_at=nowhere,
            best_losses=self.losses[:, 0],
            path_lengths=np.zeros_like(self.path_lengths),
            moves=jax.tree.map(lambda part: part[:, :1], self.moves),
        )


@dataclass(frozen=True)
class Run:
    """What one optimizer did from one start."""

    steps: Int[np.ndarray, "recorded"]  # which step each record is
    positions: Float[np.ndarray, "recorded dim"]  # index 0 is the start
    losses: Float[np.ndarray, "recorded"]
    stopped: int | None  # the step at which value, gradient, memory or position stopped being finite
    settled: int | None  # the step at which the loss had hardly changed for long enough
    converged: int | None  # the first step within 1e-2 of a minimum in every coordinate
    best_loss: float  # over every step
    path_length: float  # over every step
    moves: Moves | tuple[()] = ()  # gradients, states and moves, (recorded, ...) each

    @property
    def end(self) -> int | None:
        """The step at which it stopped or settled; None for a run that took every step."""
        return self.settled if self.stopped is None else self.stopped

    @property
    def records(self) -> int:
        """How many records there are until it ended; the last may be of a later step, where it stood still already."""
        return len(self.steps) if self.end is None else int(np.searchsorted(self.steps, self.end)) + 1

    @property
    def taken(self) -> Int[np.ndarray, "taken"]:
        """The step of each record until it ended; the last is that where it ended, which may be between two records."""
        steps = self.steps[: self.records]
        return steps if self.end is None else np.minimum(steps, self.end)


def step_or_none(step: Any) -> int | None:
    """A step as it stands in an array, where -1 means never."""
    return int(step) if step >= 0 else None


def race(
    loss: Callable[..., jax.Array],
    racers: Mapping[str, Optimizer],
    starts: Any,
    steps: int,
    *,
    data: Arrays = (),
    own_data: bool = False,
    minima: Points = (),
    batch_size: int | None = None,
    seeds: Seeds = 0,
    tolerance: float = 0.0,
    record: bool = False,
    noise: GradientNoise = NO_NOISE,
) -> dict[str, Trace]:
    """Let every optimizer run ``steps`` steps down the same loss from the same starts.

    ``loss`` takes a point ``(dim,)``, then ``data``, and gives a number; pass the same function object each time, since
    a new one is compiled anew. ``starts`` is ``(runs, dim)``. ``minima`` ``(minima, dim)`` is
    where "converged" is measured from.

    With a ``batch_size`` each step follows the gradient of so many examples only (``engine/batches.py`` says which),
    and the loss must be a mean over the examples, the first axis of ``data``; the losses of the trace are those of all
    examples. ``seeds`` is one for all runs, or one each. With ``own_data`` each run has data of its own, along one more
    axis in front.

    A run ends once its loss, that on all examples, has stayed within ``tolerance`` for a whole epoch: a step on a few
    examples that happen to fit changes nothing and proves nothing. Without batches an epoch is one step, as in the
    notebook; of a rule that remembers, ten steps at least.

    With ``noise`` each step follows a gradient with random numbers in it; the losses of the trace are the true ones.

    With ``record`` the traces have ``moves``: at each recorded step the gradient that was followed, the move that was
    made, and the optimizer's state as it was then, a named tuple like its own. At the end they are those of a move that
    was not made any more.

    Raises ``ValueError`` for starts, minima, data or seeds of another shape, fewer than one step or one example.
    """
    starts = np.asarray(starts, np.float32)
    if starts.ndim != 2 or 0 in starts.shape:
        raise ValueError(f"starts has shape {starts.shape}. Give one row per run: (runs, dim).")
    if steps < 1:
        raise ValueError(f"steps is {steps}. Let the race take at least 1 step.")
    if batch_size is not None and (batch_size < 1 or not data):
        raise ValueError(f"batch_size is {batch_size}. Give data, and batches of at least 1 example.")
    runs, dim = starts.shape
    data = tuple(np.asarray(part, np.float32) for part in data)
    shapes = [part.shape for part in data]
    if own_data and any(shape[:1] != (runs,) for shape in shapes):
        raise ValueError(f"data has shapes {shapes}. With own_data, each begins with {runs} runs.")
    counts = {shape[own_data:][:1] for shape in shapes}
    if batch_size is not None and (len(counts) > 1 or counts & {(), (0,)}):
        raise ValueError(f"data has shapes {shapes}. For batches, give as many examples in each, and at least 1.")
    targets = np.asarray(minima if len(minima) else [[np.nan] * dim], np.float32)  # no run comes near NaN
    if targets.ndim != 2 or targets.shape[1] != dim:
        raise ValueError(f"minima has shape {targets.shape}. Give one row per minimum, with {dim} numbers.")
    if np.size(seeds) not in (1, runs):
        raise ValueError(f"There are {np.size(seeds)} seeds for {runs} runs. Give one for all, or one each.")
    numbers = np.asarray(seeds)
    if numbers.dtype.kind not in "iu" or abs(numbers.astype(float)).max() > MAX_SEED:
        raise ValueError(f"seeds is {seeds}. Give whole numbers of at most {MAX_SEED:,}.")
    size = bucket(runs)
    each = repeat_to(starts, size), repeat_to(np.broadcast_to(numbers.astype(np.int32), runs), size)
    if own_data:
        data = tuple(repeat_to(part, size) for part in data)
    plan = np.array([steps, record_stride(steps), batch_size or 1], np.int32)
    variant = Variant(own_data=own_data, in_batches=batch_size is not None, with_moves=record)
    rest = plan, np.float32(tolerance), data, targets, noise.rows(steps, dim)
    knobs = [np.array([*vars(optimizer).values()], np.float32) for optimizer in racers.values()]
    kinds = [optimizer.rule for optimizer in racers.values()]
    # JAX dispatches asynchronously: all are started before any result is read
    started = descend.each([(loss, kind, variant, own, *each, *rest) for kind, own in zip(kinds, knobs, strict=True)])
    descents = dict(zip(racers, started, strict=True))
    recorded = recorded_steps(steps)
    return {name: trace(descent, recorded, runs) for name, descent in descents.items()}


def repeat_to(rows: Shaped[np.ndarray, "rows *rest"], size: int) -> Shaped[np.ndarray, "{size} *rest"]:
    """Repeat rows until there are ``size`` of them."""
    return np.resize(rows, (size, *rows.shape[1:]))


def bucket(runs: int) -> int:
    """The number of runs rounded up to 2, 8, 32, 128, ...: one compiled loop serves each size.

    A single run is padded to two: XLA rounds a batch of one differently, and its path would depend on it.
    What still differs from size to size is the last digit of some recorded losses, and of sums over data.
    """
    size = 8
    while size < runs:
        size *= 4
    return 2 if runs <= 2 else size


def trace(descent: Descent, recorded: Int[np.ndarray, "recorded"], runs: int) -> Trace:
    """The first ``runs`` runs of a descent, without the records that were not needed."""
    positions, losses, events, measures = (np.asarray(part)[:runs] for part in descent[:4])
    happened, measured = Events(*events.T), Measures(*measures.T)
    return Trace(
        steps=recorded,
        positions=positions[:, : len(recorded)],
        losses=losses[:, : len(recorded)],
        moves=jax.tree.map(lambda part: np.asarray(part)[:runs, : len(recorded)], descent.moves or ()),
        stopped_at=happened.stopped_at,
        settled_at=happened.settled_at,
        converged_at=happened.converged_at,
        best_losses=measured.best_loss,
        path_lengths=measured.path_length,
    )
