"""Mini-batches: which examples a step looks at.

Each epoch shuffles the examples anew and deals them out, batch by batch; the last batch of an epoch may be smaller.
Which examples those are depends on the seed and the step alone, so a run can be repeated, and any of its batches can be
looked up afterwards.
"""

from __future__ import annotations

from functools import partial

import jax
import numpy as np
from jaxtyping import Array, Bool, Int


def per_epoch(examples, batch_size):
    """How many batches it takes to see every example once."""
    return -(-examples // batch_size)


def shuffle(seed, epoch, examples) -> Int[Array, "{examples}"]:
    """The place of each example in the order of an epoch."""
    return jax.random.permutation(jax.random.fold_in(jax.random.key(seed), epoch), examples)


def dealt(places: Int[Array, "examples"], step, batch_size) -> Bool[Array, "examples"]:
    """Whether each example is in the batch of a step, from its place in the epoch's order."""
    return places // batch_size == step % per_epoch(places.size, batch_size)


@partial(jax.jit, static_argnames="examples")
def look_up(seed, step, examples, batch_size):
    return dealt(shuffle(seed, step // per_epoch(examples, batch_size), examples), step, batch_size)


def batch(seed: int, step: int, examples: int, batch_size: int) -> Int[np.ndarray, "chosen"]:
    """The indices, at most ``batch_size``, of the examples that the move from ``step`` to the next one looks at."""
    return np.flatnonzero(np.asarray(look_up(seed, step, examples, batch_size)))
