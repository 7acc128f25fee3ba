"""What can be said of a loss and of the way down it: distances, curvature, and what a learning rate will do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Array, Float

from engine.annotations import Arrays, Points
from engine.xla import compiled

SAME_SIZE = 1e-5  # a step that lands as far away on the other side, but for this share, gets no nearer


def distance_to_nearest(points: Float[np.ndarray, "*points dim"], minima: Points) -> Float[np.ndarray, "*points"]:
    """Straight-line distance from each point to the nearest minimum; NaN where there is no minimum."""
    if len(minima) == 0:
        return np.full(points.shape[:-1], np.nan)
    gaps = points[..., None, :] - np.asarray(minima, points.dtype)
    return np.linalg.norm(gaps, axis=-1).min(axis=-1)


@dataclass(frozen=True)
class Curvature:
    """The curvature of a loss at a point: the eigenvalues of its Hessian, and their directions."""

    values: Float[np.ndarray, "directions"]  # lowest first: the second derivative along each direction
    directions: Float[np.ndarray, "directions dim"]  # all of them, or some; each of length 1

    @property
    def limit(self) -> float:
        """The learning rate from which plain gradient descent no longer converges: 2 over the largest curvature.

        Infinite where the curvature is positive in no direction.
        """
        return 2 / float(self.values[-1]) if self.values[-1] > 0 else np.inf

    def factors(self, learning_rate: float) -> Float[np.ndarray, "directions"]:
        """What one step of gradient descent makes of the distance to the minimum, along each direction.

        Negative: it lands on the other side. Beyond 1 in size: it moves away.
        """
        return 1 - learning_rate * self.values


def curvature(loss: Callable[..., jax.Array], x: Float[np.ndarray, "dim"], data: Arrays = ()) -> Curvature:
    """The curvature of a loss at ``x``, from ``jax.hessian``; NaN along every axis where that is not finite."""
    hessian = np.asarray(hessian_at(loss, np.asarray(x, np.float32), tuple(data)), float)
    if not np.isfinite(hessian).all():
        return Curvature(np.full(len(hessian), np.nan), np.eye(len(hessian)))
    values, vectors = np.linalg.eigh(hessian)
    # a direction and its opposite are the same: the first one of those that differ from 0 points up
    signs = np.sign(vectors[np.argmax(np.abs(vectors) > 1e-6, axis=0), range(len(values))])
    return Curvature(values, (vectors * signs).T)


@compiled(1)
def hessian_at(loss, x: Float[Array, "dim"], data) -> Float[Array, "dim dim"]:
    """The Hessian of a loss at ``x``."""
    return jax.hessian(loss)(x, *data)


def measured_factors(
    path: Float[np.ndarray, "recorded dim"], directions: Float[np.ndarray, "directions dim"]
) -> Float[np.ndarray, "directions"]:
    """What a run made of each move in the next one, along each direction: the median, or NaN.

    On a quadratic, steps shrink as the distance to the minimum does. Moves that rounding has a part in are left out.
    """
    moves = np.diff(path.astype(float), axis=0) @ directions.T
    rounding = np.abs(path).astype(float) @ np.abs(directions.T) * np.finfo(np.float32).eps
    # of the two points of each move: a run that diverges in one direction rounds in all of them, but only then
    rounding = np.maximum(rounding[1:], rounding[:-1])
    ratios = np.full(len(directions), np.nan)
    for i, component in enumerate(moves.T):
        reliable = np.abs(component) > 1e3 * rounding[:, i]
        both = reliable[1:] & reliable[:-1]
        if both.any():
            ratios[i] = np.median(component[1:][both] / component[:-1][both])
    return ratios


@dataclass(frozen=True)
class Forecast:
    """What plain gradient descent does on a quadratic loss, as its curvature foretells it."""

    kind: str  # converges, oscillates, diverges, stays
    words: str


def forecast(curvature: Curvature, learning_rate: float) -> Forecast:
    """What a learning rate will do: the direction in which the distance shrinks least, or grows most, decides."""
    factors = curvature.factors(learning_rate)
    worst = float(factors[np.argmax(np.abs(factors))])
    size, limit = abs(worst), curvature.limit
    if np.isclose(worst, -1, rtol=SAME_SIZE, atol=0):
        return Forecast("stays", "neither converges nor diverges: it is just at the limit")
    if np.isclose(worst, 1, rtol=1e-6, atol=0):
        return Forecast("stays", "hardly moves: each step takes less than a millionth off the distance")
    if worst > 1:
        return Forecast(
            "diverges",
            f"diverges: the loss bends down, and each step multiplies the distance by {format_apart(size, 1)}",
        )
    if size > 1:
        return Forecast(
            "diverges",
            f"diverges: it is over the limit of {format_apart(limit, learning_rate)}, "
            f"so each step multiplies the distance by {format_apart(size, 1)}",
        )
    if factors.min() < 0:
        return Forecast("oscillates", f"oscillates and converges: it overshoots, and {describe_share(size)}")
    return Forecast("converges", f"converges: {describe_share(size)}")


def format_apart(value: float, other: float) -> str:
    """A number in four digits, or in as many more as tell it from another one in six."""
    texts = [f"{value:.{digits}g}" for digits in range(4, 12)]
    return next((text for text in texts if float(text) != float(f"{other:g}")), texts[0])


def describe_share(size: float) -> str:
    """What a step leaves of the distance; where that is nearly all of it, what it takes off."""
    if size > 0.9999:
        return f"each step takes {1 - size:.2g} of the distance off"
    return f"each step leaves {size:.4g} of the distance"


@compiled(1)
def gradients(
    loss: Callable[..., jax.Array], points: Float[Array, "points dim"], data: Arrays
) -> Float[Array, "points dim"]:
    """The gradient of a loss at many points."""
    return jax.vmap(lambda x: jax.grad(loss)(x, *data))(points)
