"""Mini-batches: which examples a step takes its gradient from.

Each epoch shuffles the examples anew and takes them in that order, batch by batch; the last batch of an epoch may be
smaller. Which examples those are depends on the seed and the step alone, so a run can be repeated, and any of its
batches can be computed afterwards.
"""

from __future__ import annotations

from functools import partial

import jax
import numpy as np
from jaxtyping import Array, Bool, Int


def batches_per_epoch(examples, batch_size):
    """How many batches it takes to see every example once."""
    return -(-examples // batch_size)


def shuffle(seed, epoch, examples) -> Int[Array, "{examples}"]:
    """Where each example stands in the order of an epoch: a permutation of 0, 1, 2, …"""
    return jax.random.permutation(jax.random.fold_in(jax.random.key(seed), epoch), examples)


def in_batch(permutation: Int[Array, "examples"], step, batch_size) -> Bool[Array, "examples"]:
    """Whether each example is in the batch of a step, from the epoch's permutation."""
    return permutation // batch_size == step % batches_per_epoch(permutation.size, batch_size)


@partial(jax.jit, static_argnames="examples")
def batch_mask(seed, step, examples, batch_size):
    """Whether each example is in the batch of a step, from the seed and the step alone."""
    return in_batch(shuffle(seed, step // batches_per_epoch(examples, batch_size), examples), step, batch_size)


def batch(seed: int, step: int, examples: int, batch_size: int) -> Int[np.ndarray, "chosen"]:
    """The indices, at most ``batch_size``, of the examples in the gradient of the move from ``step`` to the next."""
    return np.flatnonzero(np.asarray(batch_mask(seed, step, examples, batch_size)))
