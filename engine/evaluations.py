"""What a run has cost: how often the loss, its gradient and its Hessian were evaluated for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Int

from engine.annotations import Arrays
from engine.noise import NO_NOISE, GradientNoise
from engine.optimizers import Optimizer
from engine.race import Run
from engine.scheduled import unscheduled
from engine.steps import Steps, steps_along
from engine.turned import knob_along


def evaluations_along(
    loss: Callable[..., jax.Array],
    racer: Optimizer,
    run: Run,
    *,
    data: Arrays = (),
    batch_size: int | None = None,
    seed: int = 0,
    noise: GradientNoise = NO_NOISE,
) -> Int[np.ndarray, "recorded 3"]:
    """How often loss, gradient and Hessian were evaluated for all steps up to each record; as in ``steps_along``.

    What is evaluated only to be shown does not count. From its end on a run costs nothing.
    """
    plain = unscheduled(racer)
    if type(plain).evaluations is Optimizer.evaluations:
        made = run.steps if run.end is None else np.minimum(run.steps, run.end)
        return made[:, None] * np.array(plain.cost)
    positions, taken = run.positions[: run.records], run.taken
    found = steps_along(loss, racer, positions, taken, data=data, batch_size=batch_size, seed=seed, noise=noise)
    return evaluated_until(found)[np.minimum(np.arange(len(run.steps)), len(taken) - 1)]


def evaluated_until(steps: Steps) -> Int[np.ndarray, "records 3"]:
    """How often loss, gradient and Hessian were evaluated until each of some steps begins, of which the first is 0."""
    return np.concatenate([np.zeros((1, 3), int), steps.evaluated[:-1]])


class Trials(NamedTuple):
    """What a search has tried in each recorded step: along the ``moves`` that it made, longer ones that it refused.

    Each trial is ``shrink`` times as long as the one before it. Where a run has ended, no step begins: 0.
    """

    moves: Float[np.ndarray, "recorded dim"]
    rejected: Int[np.ndarray, "recorded"]
    shrink: Float[np.ndarray, "recorded"]


def trials_along(
    loss: Callable[..., jax.Array], racer: Optimizer, run: Run, noise: GradientNoise = NO_NOISE
) -> Trials | None:
    """The trials of a run; None of a rule that does not search for its steps."""
    if "shrink" not in vars(unscheduled(racer)):
        return None
    taken = run.taken
    found = steps_along(loss, racer, run.positions[: run.records], taken, noise=noise)
    rejected = found.evaluations[:, 0] - 1 - (taken == 0)  # at the start the loss there is evaluated, too
    without_step = np.arange(len(run.steps)) >= len(taken) - 1
    there = np.minimum(np.arange(len(run.steps)), len(taken) - 1)
    moves = np.where(without_step[:, None], 0, found.moves[there])
    return Trials(moves, np.where(without_step, 0, rejected[there]), knob_along(racer, "shrink", run.steps))
