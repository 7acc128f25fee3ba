"""An associative memory: a matrix that gives the value of each key; some pairs are asked for far more often."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from engine.optimizers.matrix import SIDE

PLACES = np.arange(SIDE)
# how often each pair is asked for, by Zipf's law with the exponent 2: the k-th one 1 / k² as often as the first
FREQUENCIES = (1.0 / (PLACES + 1) ** 2 / np.sum(1.0 / (PLACES + 1) ** 2)).astype(np.float32)  # (pairs,)
# one in each row, all of length 1 and square on each other, and along no axis: the waves of a cosine transform, and the
# signs of Hadamard's matrix
KEYS = np.cos(np.pi * np.outer(PLACES, 2 * PLACES + 1) / (2 * SIDE)) * np.sqrt(2 / SIDE)
KEYS[0] /= np.sqrt(2)
KEYS = KEYS.astype(np.float32)  # (pairs, SIDE)
VALUES = np.array([[(-1) ** (i & j).bit_count() for j in range(SIDE)] for i in range(SIDE)], np.float32) / SIDE**0.5


def pair_errors(x):
    """By how far a memory misses the value of each pair, squared: ``(..., pairs)``.

    ``x`` ``(..., entries)`` are the entries of its matrix, row by row.
    """
    recalled = x.reshape(*x.shape[:-1], SIDE, SIDE) @ KEYS.T  # in each column what it gives for one of the keys
    return ((recalled - VALUES.T) ** 2).sum(axis=-2)


def associative_memory(x):
    """How far a memory misses the values of its pairs, each as much as it is asked for."""
    return jnp.sum(FREQUENCIES * pair_errors(x)) / 2


def best_memory() -> Float[np.ndarray, "entries"]:
    """The memory that misses none."""
    return (VALUES.T @ KEYS).ravel()
