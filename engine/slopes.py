"""The slope of a function of one variable: by JAX, by finite differences, and as a student would write it.

A typed function is evaluated a few times and then replaced by another, so nothing here is compiled as a whole: that
would keep a program for each of them in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Real

from engine.expressions import Function as Formula
from engine.problems import mean_squared_error, mean_squared_error_by_hand

Function = Callable[[jax.Array], jax.Array]

CHECK_POINTS = 200  # points of an interval that a derivative is checked at
# a derivative is right within this share of its size, once its rounded numbers are made exact
RELATIVE_TOLERANCE = 1e-9
# how far an exact number may be from its decimal, in units of its last digit: rounded, or cut off
DECIMAL_ERROR = (-0.5, 0.99)
# from a corner to the points that its slopes are taken at, as shares of the size of x
DISTANCES = 10.0 ** -np.arange(3, 8)
# so many points to each side tell how much is lost in rounding: at one alone it may happen to be nothing
ROUNDING_WINDOW = 15
THETA_STEP = 1.0  # a central difference of a parabola is exact however wide, and wide is where rounding counts least


def points(low: float, high: float, count: int = 100) -> Float[np.ndarray, "{count}"]:
    """Points from ``low`` on, evenly up to but without ``high``, as the notebook has them."""
    # rounded, so that a corner at 0 is met at 0 and not beside it; and 0 is not to be minus 0
    return (np.round(low + (high - low) / count * np.arange(count), 10) + 0.0).astype(np.float32)


def curve(
    f: Function, x: Real[np.ndarray, "points"]
) -> tuple[Float[np.ndarray, "points"], Float[np.ndarray, "points"]]:
    """A function and its slope by ``jax.grad`` at the points ``x``: NaN where it has none."""
    values, slopes = jax.vmap(jax.value_and_grad(f))(jnp.asarray(x, float))
    values, slopes = np.asarray(values), np.asarray(slopes)
    # both together: the slope of ln at -1 comes out as a finite -1, though ln has no value there
    known = np.isfinite(values)
    return np.where(known, values, np.nan), np.where(known & np.isfinite(slopes), slopes, np.nan)


def finite_differences(
    f: Function, x: float, h: Float[np.ndarray, "widths"]
) -> tuple[Float[np.ndarray, "widths"], Float[np.ndarray, "widths"]]:
    """The slope at ``x`` from two nearby values, for every ``h``: forward, then central."""
    at, offsets = jnp.float32(x), jnp.asarray(h, jnp.float32)
    right, left = f(at + offsets), f(at - offsets)
    return np.asarray((right - f(at)) / offsets), np.asarray((right - left) / (2 * offsets))


@dataclass(frozen=True)
class Differences:
    """Finite differences at one point for many widths, and how far each is from the slope by ``jax.grad``."""

    slope: float  # by jax.grad; NaN where there is none
    estimates: Mapping[str, Float[np.ndarray, "widths"]]  # by the name of the method
    errors: Mapping[str, Float[np.ndarray, "widths"]]  # NaN where the function is not defined


def differences(f: Function, x: float, h: Float[np.ndarray, "widths"]) -> Differences:
    """Forward and central differences at ``x`` for every width ``h``, with their errors."""
    slope = float(curve(f, np.array([x]))[1][0])
    found = dict(zip(("forward", "central"), finite_differences(f, x, h), strict=True))
    estimates = {name: np.where(np.isfinite(some), some, np.nan).astype(float) for name, some in found.items()}
    return Differences(slope, estimates, {name: np.abs(some - slope) for name, some in estimates.items()})


def most_accurate(errors: Float[np.ndarray, "widths"]) -> int | None:
    """The index of the least error, together with its neighbours: a lone lucky rounding does not count."""
    wide = np.pad(errors, 1, mode="edge")
    shared = np.maximum(np.maximum(wide[:-2], wide[1:-1]), wide[2:])
    return int(np.nanargmin(shared)) if np.isfinite(shared).any() else None


@dataclass(frozen=True)
class Kink:
    """A corner: the slope on its left, on its right, and what ``jax.grad`` gives there by convention."""

    left: float
    right: float
    convention: float


@dataclass(frozen=True)
class OneSidedLimits:
    """What a function and its slope come to from the left and from the right of a point.

    A slope is infinite where it grows without end, and NaN where f is not defined on that side or nothing is settled.
    """

    left: float
    right: float
    jumps: bool  # the values do not come together
    corner: bool  # they do, and the slopes do not
    left_defined: bool
    right_defined: bool


def one_sided_limits(f: Function, x: float) -> OneSidedLimits:
    """The one-sided limits of a function and its slope at ``x``, from distances that shrink by decades."""
    offsets = DISTANCES * max(1.0, abs(x))
    with jax.enable_x64(True):  # so near that 32 bits could not tell the points apart
        values, slopes = curve(f, np.concatenate([x - offsets, x + offsets, [x]]))
    (left, right), here = np.split(values[:-1], 2), values[-1]
    (left_slopes, right_slopes), slope = np.split(slopes[:-1], 2), slopes[-1]
    # what rises as steeply as the slope at x itself says does not jump, however steep
    apart = [stay_apart(one, other) for one, other in ((left, right), (left, here), (right, here))]
    steep = abs(slope) * 2 * offsets[-1] >= abs(right - left)[-1] / 2
    jumps = any(apart) and not (steep and slope != 0)
    corner = not jumps and stay_apart(left_slopes, right_slopes)
    if corner:  # unless the second derivative at x explains so quick a change
        with jax.enable_x64(True):
            second_derivative = float(jax.grad(jax.grad(f))(jnp.asarray(x, float)))
        explained = abs(second_derivative) * 2 * offsets[-1] >= abs(right_slopes - left_slopes)[-1] / 2
        corner = not (explained and np.isfinite(second_derivative) and second_derivative != 0)
    return OneSidedLimits(
        limit(left_slopes),
        limit(right_slopes),
        jumps,
        corner,
        bool(np.isfinite(left[-1])),
        bool(np.isfinite(right[-1])),
    )


def stay_apart(left: Float[np.ndarray, "decades"], right: Float[np.ndarray | np.floating, "..."]) -> bool:
    """Whether two sequences, or one and a number, each a decade closer than the one before, come to different ends."""
    apart = np.abs(right - left + np.zeros(len(DISTANCES)))
    if not np.isfinite(apart).all() or apart[-1] < 0.5 * apart[-2]:
        return False
    size = max(np.nanmax(np.abs(left)), np.nanmax(np.abs(right)), 1e-12)
    ends = [limit(apart[:-1]), limit(apart)]
    return bool(np.isfinite(ends).all() and ends[1] > 1e-6 * size and abs(ends[1] - ends[0]) < 0.05 * ends[1])


def limit(values: Float[np.ndarray, "decades"]) -> float:
    """Where values go, each a decade closer: infinite if they grow without end, NaN if unsteady.

    What is left shrinks by the same factor with each decade, if slowly for a power such as |x|^0.01. Where that factor
    itself goes to 1, as for x ln x + x^2, nothing is ever left behind.
    """
    *_, earlier, before, last = np.diff(np.concatenate([values[:1], values]))
    if not np.isfinite(values).all():
        return float("nan")
    if abs(last) <= 1e-7 * np.abs(values).max():
        return float(values[-1])
    factor = last / before if before else 0.0
    to_one = bool(earlier) and 0.9 < factor < 1 and 1 - factor < 0.5 * (1 - before / earlier)
    if factor > 10:  # then f itself would leave the finite numbers; or it is rounding
        return float("nan")
    if factor >= 1 - 1e-6 or to_one:
        return float(np.copysign(np.inf, last)) if last * values[-1] > 0 else float("nan")
    return float(values[-1] + last * factor / (1 - factor)) if factor > 0 else float("nan")


def kink(f: Function, x: float) -> Kink | None:
    """The corner of a function at ``x``, or None where there is none."""
    found = one_sided_limits(f, x)
    if not found.corner or not np.isfinite([found.left, found.right]).all():
        return None
    return Kink(found.left, found.right, float(curve(f, np.array([x]))[1][0]))


def jumps(f: Function, x: float) -> bool:
    """Whether a function leaps at ``x``: its values there and on both sides stay apart, however close."""
    return one_sided_limits(f, x).jumps


@dataclass(frozen=True)
class Check:
    """A typed derivative beside the one by ``jax.grad``, at points across an interval where both can be asked for."""

    x: Float[np.ndarray, "points"]  # the points where f and its slope are defined
    true: Float[np.ndarray, "points"]  # the slope by jax.grad
    typed: Float[np.ndarray, "points"]  # NaN where it is not defined
    right: Bool[np.ndarray, "points"]  # whether the two agree there
    rounded: bool  # whether it is right only with its decimals taken as rounded numbers
    worst: int  # where they are furthest apart; where the typed one is not defined, if there is such a place


def check(f: Function, typed: Formula, low: float, high: float) -> Check | None:
    """Compare a typed derivative with ``jax.grad``; None where f is not defined at any of the points."""
    # between the round numbers: corners and poles are mostly at those, and there the answer is a convention
    x = low + (high - low) * (np.arange(CHECK_POINTS) + 0.382) / CHECK_POINTS
    rough_values, *rough = evaluate_both(f, typed, x)
    with jax.enable_x64(True):  # what is left of a long sum of large terms is not to be rounding
        values, true, given = evaluate_both(f, typed, x)
    known = np.isfinite(true)
    if not known.any():
        return None
    # no fixed number: in SI units the slope itself may be as small as 1e-23 all over
    least = 1e-9 * np.median(np.abs(true[known])) + rounding_error(true, rough[0]) + rounding_error(given, rough[1])
    # tanh(20) is 1 in 64 bits, so 1 - tanh^2 is off by that; of what cancels in f, what is lost in 32 bits tells
    size = np.nanmax(np.abs(values)) + 1e7 * np.nan_to_num(np.abs(values - rough_values)).max()
    least += 1e-14 * min(1.0, size)

    def agrees(other: np.ndarray) -> np.ndarray:
        return np.abs(other - true) <= RELATIVE_TOLERANCE * np.fmax(np.abs(other), np.abs(true)) + least

    right, rounded = agrees(given), False
    if not right[known].all() and typed.rounded:
        exact = agrees(with_exact_decimals(typed, x, true))
        right, rounded = right | exact, bool(exact[known].all())
    apart = np.abs(given - true)
    x, true, given, right, apart = (some[known] for some in (x, true, given, right, apart))
    worst = int(np.argmax(np.where(right, -1.0, np.nan_to_num(apart, nan=np.inf))))
    return Check(x, true, given, right, rounded, worst)


def with_exact_decimals(
    typed: Formula, x: Float[np.ndarray, "points"], true: Float[np.ndarray, "points"]
) -> Float[np.ndarray, "points"]:
    """A typed formula at the points ``x``, its rounded decimals moved to what fits the slope best.

    3.14 may become π, and 0.333 a third: a decimal of three digits or more moves by what rounding it, or cutting it
    off, takes away, and no further. By least squares, in 64 bits.
    """
    numbers = typed.rounded
    units = np.array([number.unit for number in numbers])
    moved = np.zeros(len(numbers))

    def at(moves: np.ndarray) -> np.ndarray:
        moves = moves * units
        return np.asarray(typed.varied({n: n.value + move for n, move in zip(numbers, moves, strict=True)}, x))

    with jax.enable_x64(True):
        for _ in range(8):
            now = at(moved)
            jacobian = [(at(moved + step) - at(moved - step)) / 0.02 for step in 0.01 * np.eye(len(numbers))]
            equations = np.stack([*jacobian, true - now], axis=1) / np.fmax(np.abs(true), 1e-300)[:, None]
            equations = equations[np.isfinite(equations).all(axis=1)]
            if not len(equations):
                break
            moved = np.clip(moved + np.linalg.lstsq(equations[:, :-1], equations[:, -1])[0], *DECIMAL_ERROR)
        return at(moved)


def evaluate_both(
    f: Function, typed: Function, x: Float[np.ndarray, "points"]
) -> tuple[Float[np.ndarray, "points"], Float[np.ndarray, "points"], Float[np.ndarray, "points"]]:
    """f, its slope and the typed one at the points ``x``: NaN where they have no value."""
    given = np.asarray(typed(jnp.asarray(x, float)))
    return *curve(f, x), np.where(np.isfinite(given), given, np.nan)


def rounding_error(
    exact: Float[np.ndarray, "points"], rough: Float[np.ndarray, "points"]
) -> Float[np.ndarray, "points"]:
    """What rounding may come to in 64 bits at each point, from what it comes to in 32 bits around there."""
    lost = np.abs(exact - rough)
    lost = np.pad(np.where(np.isfinite(lost), lost, 0.0), ROUNDING_WINDOW)
    return 1e-7 * np.lib.stride_tricks.sliding_window_view(lost, 2 * ROUNDING_WINDOW + 1).max(axis=1)  # 2e-9, with room


def loss_slopes(
    thetas: Real[np.ndarray, "thetas"], x: Real[np.ndarray, "examples"], true: Real[np.ndarray, "examples"]
) -> tuple[Float[np.ndarray, "thetas"], ...]:
    """The mean squared error of theta x at each of ``thetas``, and its slope there in three ways.

    Gives the loss, and the slope by hand, by ``jax.grad`` and by a central difference.
    """
    at = jnp.asarray(thetas, jnp.float32)

    def loss(theta):
        return mean_squared_error(theta, x, true)

    losses, by_grad = jax.vmap(jax.value_and_grad(loss))(at)
    by_hand = jax.vmap(lambda theta: mean_squared_error_by_hand(theta, x, true))(at)
    right, left = jax.vmap(loss)(at + THETA_STEP), jax.vmap(loss)(at - THETA_STEP)
    by_difference = (right - left) / (2 * THETA_STEP)
    return tuple(map(np.asarray, (losses, by_hand, by_grad, by_difference)))
