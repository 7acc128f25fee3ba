"""The slope of a function of one variable: by JAX, by finite differences, and as a student would write it.

A typed function is looked at once and then another comes, so nothing here is compiled as a whole: that would keep every
one of them in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

Function = Callable[[jax.Array], jax.Array]

CHECKED = 200  # points of an interval that a derivative is checked at
RIGHT = 1e-3  # a derivative is right within this share of its size: float32 and another order of terms come between


def points(low: float, high: float, count: int = 100) -> np.ndarray:
    """Points ``(count,)`` from ``low`` on, evenly up to but without ``high``, as the notebook has them."""
    # rounded, so that a kink at 0 is met at 0 and not beside it
    return np.round(low + (high - low) / count * np.arange(count), 10).astype(np.float32)


def curve(f: Function, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A function and its slope by ``jax.grad`` at the points ``x`` ``(n,)``: not finite where undefined."""
    values, slopes = jax.vmap(jax.value_and_grad(f))(jnp.asarray(x, jnp.float32))
    return np.asarray(values), np.asarray(slopes)


def finite_differences(f: Function, x: float, h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The slope at ``x`` from two nearby values, for every ``h`` ``(n,)``: forward, then central."""
    at, away = jnp.float32(x), jnp.asarray(h, jnp.float32)
    ahead, behind = f(at + away), f(at - away)
    return np.asarray((ahead - f(at)) / away), np.asarray((ahead - behind) / (2 * away))


@dataclass(frozen=True)
class Kink:
    """A corner: the slope on its left, on its right, and what ``jax.grad`` gives there by convention."""

    left: float
    right: float
    convention: float


def kink(f: Function, x: float) -> Kink | None:
    """The corner of a function at ``x``, or None where there is none.

    A smooth slope differs less and less between two points that close in on ``x``; at a corner the difference stays.
    """
    reach = 1e-3 * max(1.0, abs(x))
    _, (far_left, left, here, right, far_right) = curve(
        f, np.array([x - reach, x - reach / 8, x, x + reach / 8, x + reach])
    )
    jump, further = abs(right - left), abs(far_right - far_left)
    if (
        not (np.isfinite(jump) and np.isfinite(further))
        or jump < 0.5 * further
        or jump < 1e-3 * (abs(left) + abs(right))
    ):
        return None
    return Kink(float(left), float(right), float(here)) if jump > 0 else None


@dataclass(frozen=True)
class Check:
    """A typed derivative beside the one by ``jax.grad``, at points across an interval where both can be asked for."""

    x: np.ndarray  # (n,) the points where f and its slope are defined
    true: np.ndarray  # (n,) the slope by jax.grad
    typed: np.ndarray  # (n,)
    right: np.ndarray  # (n,) whether the two agree there
    worst: int  # where they are furthest apart; where the typed one is not defined, if there is such a place


def check(f: Function, typed: Function, low: float, high: float) -> Check | None:
    """Compare a typed derivative with ``jax.grad``; None where f is not defined at any of the points."""
    # between the round numbers: corners and poles are mostly at those, and there the answer is a convention
    x = (low + (high - low) * (np.arange(CHECKED) + 0.382) / CHECKED).astype(np.float32)
    values, true = curve(f, x)
    known = np.isfinite(values) & np.isfinite(true)
    if not known.any():
        return None
    x, true = x[known], true[known].astype(float)
    given = np.broadcast_to(np.asarray(jax.vmap(typed)(jnp.asarray(x))), x.shape).astype(float)
    apart = np.abs(given - true)
    apart[np.isnan(apart)] = np.inf
    # what is small beside the rest of the curve is lost to rounding in float32
    right = apart <= RIGHT * np.maximum(np.abs(given), np.abs(true)) + 1e-6 * np.abs(true).max() + 1e-7
    right &= np.isfinite(given)
    return Check(x, true, given, right, int(np.argmax(np.where(right, -1.0, apart))))
