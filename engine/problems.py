"""Fits to data: the examples, the models, and the notebook's loss.

Every model here is a sum of features, each times a parameter: ``prediction = features @ theta``. So one loss serves
them all, and its minimum is known without descending.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Real

from engine.stationary import StationaryPoint

TRUE_BOWL = (3.0, 9.0)  # the notebook's f(x, y) = 3x² + 9y²
MAX_INPUT = 10.0  # its x and y are drawn from -10 to 10


def mean_squared_error_naive(true, pred):
    """The mean squared difference, as one would first write it: there is no theta in it to differentiate by."""
    return jnp.mean((true - pred) ** 2)


def mean_squared_error(theta, x, true):
    """The mean squared difference between the truth and ``x`` times theta, as a function of theta.

    ``theta`` is ``(dim,)`` and ``x`` ``(examples, dim)``, or both without ``dim``; ``true`` is ``(examples,)``.
    """
    pred = jnp.dot(x, theta)
    return jnp.mean((true - pred) ** 2)


def mean_squared_error_by_hand(theta, x, true):
    """The slope of that loss in theta, from the chain rule on paper. For one parameter."""
    return -2 * jnp.mean((true - theta * x) * x)


@dataclass(frozen=True, eq=False)
class Fit:
    """Examples and a model: what is to be descended is ``mean_squared_error`` on ``data``."""

    features: Float[np.ndarray, "examples dim"]  # what each parameter is multiplied with
    true: Float[np.ndarray, "examples"]

    @property
    def data(self) -> tuple[Float[np.ndarray, "examples dim"], Float[np.ndarray, "examples"]]:
        """What ``mean_squared_error`` takes after theta: the features and the true values."""
        return self.features, self.true

    def minimum(self) -> Float[np.ndarray, "dim"]:
        """The parameters with the least loss on these examples, by least squares in 64 bits."""
        return np.linalg.lstsq(self.features.astype(float), self.true.astype(float), rcond=None)[0]

    def losses(self, points: Float[np.ndarray, "points dim"]) -> Float[np.ndarray, "points"]:
        """The loss at many parameters, in 64 bits. A quadratic: the examples are summed up once."""
        features, true, points = self.features.astype(float), self.true.astype(float), np.asarray(points, float)
        square, slope = features.T @ features, features.T @ true
        sums = np.einsum("ni,ij,nj->n", points, square, points) - 2 * points @ slope + true @ true
        return np.maximum(sums / len(true), 0)

    def subset(self, chosen: Int[np.ndarray, "chosen"]) -> Fit:
        """The same fit to some of the examples, by their indices."""
        return Fit(self.features[chosen], self.true[chosen])

    def stationary_point(self) -> StationaryPoint:
        """Where the loss on these examples is least, and its curvature there.

        From the singular values of the features: squared, as in the Hessian, the flat directions would be lost.
        """
        _, values, directions = np.linalg.svd(self.features.astype(float), full_matrices=True)
        sizes = np.zeros(len(directions))
        sizes[: len(values)] = values
        return StationaryPoint(self.minimum(), 2 * sizes[::-1] ** 2 / len(self.true), directions[::-1], self.scale())

    def scale(self) -> float:
        """The size of losses on these examples: their mean square, which is the loss of predicting 0; never 0."""
        return float(np.mean(self.true.astype(float) ** 2)) or 1.0

    def curvatures(self) -> Float[np.ndarray, "examples"]:
        """The curvature of each example's own loss along its steepest direction."""
        return 2 * np.sum(self.features.astype(float) ** 2, axis=1)


def notebook_grid() -> Float[np.ndarray, "100"]:
    """The notebook's x: 0.0, 0.1, … 9.9."""
    return np.arange(100, dtype=np.float32) * np.float32(0.1)  # jnp.arange(0, 10, 0.1), to the last bit


def line(x: Real[np.ndarray, "examples"], true: Real[np.ndarray, "examples"], *, intercept: bool) -> Fit:
    """The fit of theta x, or of theta0 + theta1 x, to points."""
    columns = [np.ones_like(x), x] if intercept else [x]
    return Fit(np.stack(columns, axis=1).astype(np.float32), np.asarray(true, np.float32))


def noisy_line(
    slope: float, noise: float, seed: int, examples: int = 100, intercept: float = 0.0
) -> tuple[Float[np.ndarray, "{examples}"], Float[np.ndarray, "{examples}"]]:
    """Points along a line, x from 0 to 10, with normal noise of a standard deviation."""
    x, off = (np.asarray(part) for part in draw_line(examples, seed))
    return x, np.float32(intercept) + np.float32(slope) * x + np.float32(noise) * off


@partial(jax.jit, static_argnames="examples")
def draw_line(examples, seed) -> tuple[Float[Array, "{examples}"], Float[Array, "{examples}"]]:
    """Numbers from 0 to 10 in order, and as many with a standard deviation of 1."""
    where, off = jax.random.split(jax.random.key(seed))
    return jnp.sort(jax.random.uniform(where, (examples,), maxval=10.0)), jax.random.normal(off, (examples,))


@partial(jax.jit, static_argnames="examples")
@partial(jax.vmap, in_axes=(None, None, 0))
def draw_bowl(examples, noise, seed):
    """One draw per seed: x, y and f(x, y) with noise, each ``(seeds, examples)``."""
    where, off = jax.random.split(jax.random.key(seed))
    x, y = jax.random.uniform(where, (2, examples), minval=-MAX_INPUT, maxval=MAX_INPUT)
    return x, y, TRUE_BOWL[0] * x**2 + TRUE_BOWL[1] * y**2 + noise * jax.random.normal(off, (examples,))


def bowl_points(
    examples: int, noise: float, seed: int
) -> tuple[Float[np.ndarray, "{examples}"], Float[np.ndarray, "{examples}"], Float[np.ndarray, "{examples}"]]:
    """Examples of the notebook's bowl: x, y, and f(x, y) with normal noise of a standard deviation."""
    x, y, true = (np.asarray(part)[0] for part in draw_bowl(examples, noise, np.array([seed])))
    return x, y, true


def bowl(examples: int, noise: float, seed: int) -> Fit:
    """The fit of theta1 x² + theta2 y² to those examples."""
    return bowls(examples, noise, [seed])[0]


def bowls(examples: int, noise: float, seeds: Sequence) -> list[Fit]:
    """That fit for each of many seeds."""
    x, y, true = (np.asarray(part) for part in draw_bowl(examples, noise, np.asarray(seeds)))
    return [Fit(features, truth) for features, truth in zip(np.stack([x**2, y**2], axis=-1), true, strict=True)]
