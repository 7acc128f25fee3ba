"""Gradient noise: random numbers that are added to the gradient of each step, as where it is only an estimate.

They depend on the seed and the step alone: all racers and all starts meet the same ones, so no run is luckier than
another, and a run alone is the run in company. Only gradients are noisy, all that a step takes by the same numbers;
the loss and the Hessian, which some rules ask for too, are the true ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Array, Float

MIN_ROWS = 2048  # of what is handed to a compiled loop: one program serves every number of steps below it


@dataclass(frozen=True)
class GradientNoise:
    """How large the noise is, and which random numbers it is made of.

    Raises ``ValueError`` for a standard deviation that is negative or not finite.
    """

    sigma: float = 0.0  # the standard deviation in each coordinate; with 0 there is none
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.sigma < np.inf:
            raise ValueError(f"sigma is {self.sigma}. Give a finite standard deviation of at least 0.")

    def __bool__(self) -> bool:
        """Whether there is any."""
        return self.sigma > 0

    def draw(self, steps: int, dim: int) -> Float[np.ndarray, "{steps}+1 {dim}"]:
        """What is added to the gradient of each step, and of the one that is not made any more after the last."""
        normal = np.random.default_rng(self.seed).standard_normal((steps + 1, dim), np.float32)
        return np.float32(self.sigma) * normal

    def rows(self, steps: int, dim: int) -> Float[np.ndarray, "rows {dim}"] | None:
        """What a compiled loop is handed: the noise, and zeros up to one of a few lengths; None where there is none."""
        if not self:
            return None
        size = MIN_ROWS
        while size <= steps:
            size *= 2
        return np.pad(self.draw(steps, dim), ((0, size - steps - 1), (0, 0)))


NO_NOISE = GradientNoise()


def at_step(rows: Float[Array, "rows dim"] | None, step) -> Float[Array, "dim"] | None:
    """The noise of a step; None where there is none."""
    return None if rows is None else rows[step]


def with_noise(gradient, noise):
    """A gradient with the noise of its step added: what is computed without noise is computed as if none could be."""
    return gradient if noise is None else gradient + noise
