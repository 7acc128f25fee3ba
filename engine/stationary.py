"""The stationary point of a loss nearest to the end of a run, and how far the run is from it along each direction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from engine.annotations import Arrays
from engine.xla import compiled

# Little is left: along every direction at most this share of the way, or of the loss that there was to lose in all,
WAY_LEFT, LOSS_LEFT = 0.01, 1e-12
# and the loss above the least one is small beside the data; or every coordinate is as close as that to its best value.
SMALL_BESIDE_DATA, CLOSE = 0.01, 1e-3
ROUNDING = 4 * float(np.finfo(np.float32).eps)
SHORTENED = 0.1  # of the first step of Newton's method: if the last is longer, it has come to no point
# ends whose stationary points are found at once: always as many, so one program serves a race and a sweep
ENDS_PER_CALL = 8


@dataclass(frozen=True)
class StationaryPoint:
    """The stationary point of a loss nearest to where a run ended, and the curvature there. In 64 bits."""

    point: Float[np.ndarray, "dim"]  # not finite where there is none
    curvatures: Float[np.ndarray, "dim"]  # lowest first
    directions: Float[np.ndarray, "dim dim"]  # one direction of length 1 per row
    scale: float = np.inf  # the size of losses on the data; infinite where there are none

    @property
    def signs(self) -> Float[np.ndarray, "dim"]:
        """The sign of each curvature, lowest first; 0 where rounding alone gives it one, as along a valley."""
        largest = np.abs(self.curvatures).max()
        return np.where(np.abs(self.curvatures) > 1e-12 * largest, np.sign(self.curvatures), 0.0)

    @property
    def is_minimum(self) -> bool:
        """Whether the curvature is negative in no direction, up to rounding, and positive in one."""
        return bool(np.isfinite(self.point).all() and self.signs.min() >= 0 and self.signs.max() > 0)

    def offsets(self, x: Float[np.ndarray, "*points dim"]) -> Float[np.ndarray, "*points dim"]:
        """How far points are from the stationary one, along each direction; 0 where 32 bits cannot tell."""
        offsets = (x - self.point) @ self.directions.T
        rounding = ROUNDING * (np.abs(x) + np.abs(self.point)) @ np.abs(self.directions).T
        return np.where(np.abs(offsets) > rounding, offsets, 0.0)

    def excess_losses(self, x: Float[np.ndarray, "*points dim"]) -> Float[np.ndarray, "*points dim"]:
        """By how much the loss at points is above the least one, along each direction."""
        return np.maximum(self.curvatures, 0) * self.offsets(x) ** 2 / 2

    def reached(
        self, start: Float[np.ndarray, "dim"], x: Float[np.ndarray, "*points dim"]
    ) -> Bool[np.ndarray | np.bool, "*points"]:
        """Whether a run from ``start`` that came to points ``x`` has hardly anything left to go, at each."""
        distance, excess_losses = np.abs(self.offsets(x)), self.excess_losses(x)
        small = (distance <= WAY_LEFT * np.abs(self.offsets(start))) | (
            excess_losses <= LOSS_LEFT * self.excess_losses(start).sum()
        )
        close = np.abs(x - self.point) <= CLOSE * np.abs(self.point)
        return (small.all(-1) & (excess_losses.sum(-1) <= SMALL_BESIDE_DATA * self.scale)) | close.all(-1)


def overstepping(path: Float[np.ndarray, "recorded dim"], stationary: StationaryPoint) -> float:
    """What the last step of a run made of its distance to the minimum, along the direction that it oversteps most.

    0 where it oversteps in none, or not each time: -1 lands as far away on the other side.
    """
    offsets = stationary.offsets(path[-3:])
    earlier, later = offsets[:-1], offsets[1:]
    nonzero = (earlier != 0).all(axis=0) & (later != 0).all(axis=0)
    ratios = (later / np.where(nonzero, earlier, 1.0))[:, nonzero]
    steady = np.ptp(ratios, axis=0) < WAY_LEFT * np.abs(ratios[-1])
    return float(min(ratios[-1, steady], default=0.0))


def stationary_points(
    loss: Callable[..., jax.Array], ends: Float[np.ndarray, "runs dim"], data: Arrays = ()
) -> list[StationaryPoint]:
    """The stationary point nearest to each of the ``ends``."""
    data = tuple(np.asarray(part, float) for part in data)
    found: list[StationaryPoint] = []
    with jax.enable_x64(True):  # a long valley is a thousand times flatter along than across: 32 bits lose it
        for first in range(0, len(ends), ENDS_PER_CALL):
            some = ends[first : first + ENDS_PER_CALL].astype(float)
            parts = newton_point(loss, np.resize(some, (ENDS_PER_CALL, some.shape[1])), data)
            points, curvatures, directions = (np.asarray(part) for part in parts)
            found += [StationaryPoint(points[i], curvatures[i], directions[i]) for i in range(len(some))]
    return found


@compiled(1)
@partial(jax.vmap, in_axes=(None, 0, None))
def newton_point(loss, end, data):
    """The stationary point that Newton's method finds from ``end``, as the first fields of a ``StationaryPoint``."""
    gradient, hessian = jax.grad(loss), jax.hessian(loss)

    def step(x):
        return jnp.linalg.solve(hessian(x, *data), gradient(x, *data))

    point = jax.lax.fori_loop(0, 10, lambda _, x: x - step(x), end)
    curvatures, directions = jnp.linalg.eigh(hessian(point, *data))
    # on a plain that is level up to rounding the steps stay as long as the first: there is none near
    first, last = (jnp.abs(step(x)).max() for x in (end, point))
    arrived = last <= jnp.maximum(SHORTENED * first, ROUNDING * (1 + jnp.abs(point).max()))
    return jnp.where(arrived, point, jnp.nan), curvatures, directions.T
