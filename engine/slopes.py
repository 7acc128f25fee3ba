"""The slope of a function of one variable: by JAX, by finite differences, and as a student would write it.

A typed function is looked at once and then another comes, so nothing here is compiled as a whole: that would keep every
one of them in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from engine.problems import mean_squared_error, mean_squared_error_by_hand

Function = Callable[[jax.Array], jax.Array]

CHECKED = 200  # points of an interval that a derivative is checked at
RIGHT = 1e-3  # a derivative is right within this share of its size: 3.14 may stand for π
CLOSE = 1e-6  # how near a corner is looked at, as a share of the size of x
NEARBY = 15  # so many points to each side tell how much is lost in rounding: at one alone it may happen to be nothing
THETA_STEP = 1.0  # a central difference of a parabola is exact however wide, and wide is where rounding counts least


def points(low: float, high: float, count: int = 100) -> np.ndarray:
    """Points ``(count,)`` from ``low`` on, evenly up to but without ``high``, as the notebook has them."""
    # rounded, so that a corner at 0 is met at 0 and not beside it; and 0 is not to be minus 0
    return (np.round(low + (high - low) / count * np.arange(count), 10) + 0.0).astype(np.float32)


def curve(f: Function, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A function and its slope by ``jax.grad`` at the points ``x`` ``(n,)``: NaN where it has none."""
    values, slopes = jax.vmap(jax.value_and_grad(f))(jnp.asarray(x, float))
    values, slopes = np.asarray(values), np.asarray(slopes)
    # both together: the slope of ln at -1 comes out as a finite -1, though ln has no value there
    known = np.isfinite(values)
    return np.where(known, values, np.nan), np.where(known & np.isfinite(slopes), slopes, np.nan)


def finite_differences(f: Function, x: float, h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The slope at ``x`` from two nearby values, for every ``h`` ``(n,)``: forward, then central."""
    at, away = jnp.float32(x), jnp.asarray(h, jnp.float32)
    ahead, behind = f(at + away), f(at - away)
    return np.asarray((ahead - f(at)) / away), np.asarray((ahead - behind) / (2 * away))


@dataclass(frozen=True)
class Differences:
    """Finite differences at one point for many widths, and how far each is from the slope by ``jax.grad``."""

    slope: float  # by jax.grad; NaN where there is none
    estimates: Mapping[str, np.ndarray]  # (n,) by the name of the method
    errors: Mapping[str, np.ndarray]  # (n,) NaN where the function is not defined


def differences(f: Function, x: float, h: np.ndarray) -> Differences:
    """Forward and central differences at ``x`` for every width ``h`` ``(n,)``, with their errors."""
    slope = float(curve(f, np.array([x]))[1][0])
    found = dict(zip(("forward", "central"), finite_differences(f, x, h), strict=True))
    estimates = {name: np.where(np.isfinite(some), some, np.nan).astype(float) for name, some in found.items()}
    return Differences(slope, estimates, {name: np.abs(some - slope) for name, some in estimates.items()})


def best(errors: np.ndarray) -> int | None:
    """Where errors ``(n,)`` are least, together with their neighbours: a lone lucky rounding does not count."""
    wide = np.pad(errors, 1, mode="edge")
    shared = np.maximum(np.maximum(wide[:-2], wide[1:-1]), wide[2:])
    return int(np.nanargmin(shared)) if np.isfinite(shared).any() else None


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
    size = max(1.0, abs(x))
    with jax.enable_x64(True):  # so near that 32 bits could not tell the points apart
        away = np.array([-0.01, -CLOSE, -CLOSE / 8, CLOSE / 8, CLOSE, 0.01]) * size
        _, slopes = curve(f, x + away)
    here = float(curve(f, np.array([x]))[1][0])
    _, far_left, left, right, far_right, _ = slopes
    jump, further = abs(right - left), abs(far_right - far_left)
    if not np.isfinite([jump, further, here]).all() or jump < 0.5 * further or jump <= 1e-6 * np.nanmax(abs(slopes)):
        return None
    return Kink(float(left), float(right), here)


def jumps(f: Function, x: float) -> bool:
    """Whether a function leaps at ``x``: its values left and right stay apart, however close they are taken."""
    with jax.enable_x64(True):
        away = np.array([-CLOSE, -CLOSE / 8, CLOSE / 8, CLOSE]) * max(1.0, abs(x))
        far_left, left, right, far_right = curve(f, x + away)[0]
    apart, further = abs(right - left), abs(far_right - far_left)
    return bool(apart > 0.6 * further and apart > 1e-9 * max(abs(left), abs(right), 1e-3))  # what is less is rounding


@dataclass(frozen=True)
class Check:
    """A typed derivative beside the one by ``jax.grad``, at points across an interval where both can be asked for."""

    x: np.ndarray  # (n,) the points where f and its slope are defined
    true: np.ndarray  # (n,) the slope by jax.grad
    typed: np.ndarray  # (n,) NaN where it is not defined
    right: np.ndarray  # (n,) whether the two agree there
    worst: int  # where they are furthest apart; where the typed one is not defined, if there is such a place


def check(f: Function, typed: Function, low: float, high: float) -> Check | None:
    """Compare a typed derivative with ``jax.grad``; None where f is not defined at any of the points."""
    # between the round numbers: corners and poles are mostly at those, and there the answer is a convention
    x = low + (high - low) * (np.arange(CHECKED) + 0.382) / CHECKED
    rough = both(f, typed, x)
    with jax.enable_x64(True):  # what is left of a long sum of large terms is not to be rounding
        true, given = both(f, typed, x)
    known = np.isfinite(true)
    if not known.any():
        return None
    apart = np.abs(given - true)
    size = np.fmax(np.abs(given), np.abs(true))
    # hardly a fixed number: the slope itself may be as small as 1e-10 all over
    least = 1e-9 * np.median(np.abs(true[known])) + rounding(true, rough[0]) + rounding(given, rough[1]) + 1e-15
    right = apart <= RIGHT * size + least
    x, true, given, right, apart = (some[known] for some in (x, true, given, right, apart))
    return Check(x, true, given, right, int(np.argmax(np.where(right, -1.0, np.nan_to_num(apart, nan=np.inf)))))


def both(f: Function, typed: Function, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The slope of f and the typed one at the points ``x`` ``(n,)``: NaN where they have no value."""
    given = np.asarray(typed(jnp.asarray(x, float)))
    return curve(f, x)[1], np.where(np.isfinite(given), given, np.nan)


def rounding(exact: np.ndarray, rough: np.ndarray) -> np.ndarray:
    """What rounding may come to in 64 bits at each point ``(n,)``, from what it comes to in 32 bits around there."""
    lost = np.abs(exact - rough)
    lost = np.pad(np.where(np.isfinite(lost), lost, 0.0), NEARBY)
    return 1e-7 * np.lib.stride_tricks.sliding_window_view(lost, 2 * NEARBY + 1).max(axis=1)  # 2e-9, with room


def loss_slopes(thetas: np.ndarray, x: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, ...]:
    """The mean squared error of theta x at each of ``thetas`` ``(n,)``, and its slope there in three ways.

    Gives the loss, and the slope by hand, by ``jax.grad`` and by a central difference.
    """
    at = jnp.asarray(thetas, jnp.float32)

    def loss(theta):
        return mean_squared_error(theta, x, true)

    losses, by_grad = jax.vmap(jax.value_and_grad(loss))(at)
    by_hand = jax.vmap(lambda theta: mean_squared_error_by_hand(theta, x, true))(at)
    ahead, behind = jax.vmap(loss)(at + THETA_STEP), jax.vmap(loss)(at - THETA_STEP)
    by_difference = (ahead - behind) / (2 * THETA_STEP)
    return tuple(map(np.asarray, (losses, by_hand, by_grad, by_difference)))
