"""The lowest points of a loss of which nothing is known: looked for, and so found, not given.

A grid over the domain, and as much again around it, shows where to look. From its lowest local minima Newton's method
goes on, by finite differences in 64 bits; at a corner, where that leads nowhere, to the lowest of some points around.
What is found is held against a denser grid, and around the lowest point against one that is ten times as dense.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import jax
import numpy as np
from jaxtyping import Bool, Float

from engine.landscapes import Point, evaluate_at

SIDE = 241  # points of the grid per side: between two of them a narrow hole may be missed
SEEDS = 64  # local minima of the grid, the lowest, from which the search goes on
MAX_MINIMA = 24  # of equal height that are told; of more, none
ROUNDS = 90  # of the search: each goes to a lower point, or halves how far it looks around
PER_CALL = 4096  # points that are evaluated at once: always as many, so that one program serves all
AROUND = 16  # points around another
DIFFERENCE = 1e-4  # of the domain's size: how far apart the points of a finite difference are
SAME_POINT = 1e-3  # of the domain's size: what is nearer to each other is one point
RINGS = (1e-5, 1e-3, 1e-2)  # of the domain's size, around a minimum, where nothing may be lower or without a value
RISE = 0.5  # of the height of the second ring: so high the first is at a pole, and not at a minimum
BESIDE = 3e-3  # of the domain's size, around a minimum: from there the search comes back, unless there is a valley
BETWEEN = (0.13, 0.29, 0.5, 0.62, 0.81)  # of the way between two points, at no even distances: a wave is not missed
SAGS = 0.02  # of the height beside a minimum: so high a straight line may leave a bent valley
ZOOMS = 9  # into a ring: in the end two of its points are 1e-11 of a turn apart
CLOSE_UP = 0.1  # of the domain's size: so far around the lowest point it is looked at more closely,
CLOSE_UPS = 8  # so often at most, each time around what was found there
SAME_LOSS = 1e-7  # of the median height above the lowest point: what differs by less is as low

Loss = Callable[[jax.Array], jax.Array]


class Finding(Enum):
    """What became of the search."""

    FOUND = "found"  # one lowest point, or a few of equal height
    MANY = "many"  # more of equal height than are told
    VALLEY = "valley"  # the lowest points are a line, or a plain
    LEVEL = "level"  # the same value everywhere
    OUTSIDE = "outside"  # lower outside the domain
    EDGE = "edge"  # lowest beside where it has no value
    NOWHERE = "nowhere"  # without a value everywhere
    UNSURE = "unsure"  # the search came to no minimum


@dataclass(frozen=True)
class Lowest:
    """The lowest points of a loss in its domain, and how its values are spread there."""

    finding: Finding
    minima: tuple[Point, ...] = ()  # where they are FOUND
    floor: float | None = None  # the lowest loss; None where it is at no point of the domain, or there is none
    undefined: float = 0.0  # share of the domain where it has no value
    spread: Point = (0.0, 0.0)  # the loss that one twentieth of the domain is below, and the highest


@dataclass(frozen=True)
class Area:
    """A domain, and the points of the grid over it and around it."""

    low: Float[np.ndarray, "2"]
    high: Float[np.ndarray, "2"]

    @property
    def size(self) -> Float[np.ndarray, "2"]:
        """Its width and height."""
        return self.high - self.low

    @property
    def cell(self) -> Float[np.ndarray, "2"]:
        """How far apart two points of the grid are."""
        return 2 * self.size / (SIDE - 1)

    def grid(self, shift: Point = (0.0, 0.0)) -> Float[np.ndarray, "side side 2"]:
        """The grid, twice as wide and high as the domain, shifted by a part of a cell."""
        return grid_of(self.low - self.size / 2 + shift * self.cell, self.high + self.size / 2 + shift * self.cell)

    def holds(self, points: Float[np.ndarray, "*points 2"]) -> Bool[np.ndarray | np.bool, "*points"]:
        """Whether points are in the domain, its edge included."""
        room = 1e-9 * self.size
        return ((points >= self.low - room) & (points <= self.high + room)).all(axis=-1)


def grid_of(low: Float[np.ndarray, "2"], high: Float[np.ndarray, "2"]) -> Float[np.ndarray, "side side 2"]:
    """As many points as a grid has, from one corner to the other."""
    sides = (np.linspace(*ends, SIDE) for ends in zip(low, high, strict=True))
    return np.stack(np.meshgrid(*sides), axis=-1)


def lowest_points(loss: Loss, domain: tuple[Point, Point]) -> Lowest:
    """The lowest points of a loss in its domain, and what they are."""
    low, high = np.array(domain, float).T
    area = Area(low, high)
    grid = area.grid()
    losses = values(loss, grid)
    here = losses[area.holds(grid)]
    known = here[np.isfinite(here)]
    undefined = 1 - known.size / here.size
    if not known.size:
        return Lowest(Finding.NOWHERE, undefined=1.0)
    spread = float(np.quantile(known, 0.05)), float(known.max())
    if np.ptp(known) <= 1e-12 * np.abs(known).max():
        return Lowest(Finding.LEVEL, (), float(known[0]), undefined, spread)
    points, depths, least = search(loss, area, grid, losses)
    as_low = SAME_LOSS * max(float(np.median(known)) - least, 0.0)
    low_points = points[depths <= least + as_low]
    lowest = distinct(low_points[area.holds(low_points)], area)
    minima = [point for point in lowest if is_minimum(loss, point, least, as_low, area)]
    if not minima:
        return Lowest(why_none(area, grid, losses, low_points), (), None, undefined, spread)
    finding = Finding.FOUND if len(minima) <= MAX_MINIMA else Finding.MANY
    some = np.array(minima)[: SEEDS // AROUND]
    if comes_to_others(loss, some, least, 10 * as_low, area) or is_crossed(loss, some, least, area):
        finding = Finding.VALLEY
    x_digits, y_digits = (7 - np.floor(np.log10(area.size)).astype(int)).tolist()  # below there is rounding alone
    told = tuple((round(x, x_digits) + 0.0, round(y, y_digits) + 0.0) for x, y in np.array(minima).tolist())
    return Lowest(finding, told if finding is Finding.FOUND else (), least, undefined, spread)


def values(loss: Loss, points: Float[np.ndarray, "*points 2"]) -> Float[np.ndarray, "*points"]:
    """A loss at many points, in 64 bits; infinite where it has no value, or one that 32 bits cannot hold."""
    flat = points.reshape(-1, 2)
    calls = np.resize(flat, (-(-len(flat) // PER_CALL), PER_CALL, 2))
    with jax.enable_x64(True):
        found = np.concatenate([np.asarray(evaluate_at(loss, some)) for some in calls])[: len(flat)]
    return np.where(np.abs(found) <= np.finfo(np.float32).max, found, np.inf).reshape(points.shape[:-1])


def search(
    loss: Loss, area: Area, grid: Float[np.ndarray, "side side 2"], losses: Float[np.ndarray, "side side"]
) -> tuple[Float[np.ndarray, "points 2"], Float[np.ndarray, "points"], float]:
    """Where the search comes to, the loss there, and the lowest loss that was met anywhere."""
    starts = local_minima(area, grid, losses)
    points, depths = descend(loss, starts, area)
    dense = np.concatenate([area.grid(shift).reshape(-1, 2) for shift in ((0.5, 0.0), (0.0, 0.5), (0.5, 0.5))])
    between = values(loss, dense)
    least = min(losses.min(), depths.min(initial=np.inf))
    if between.min() < least:  # between the points of the grid there is something that it did not show
        more = dense[np.argsort(between)[:SEEDS]]
        further, lower = descend(loss, more[area.holds(more)], area)
        points, depths = np.concatenate([points, further]), np.concatenate([depths, lower])
        least = min(between.min(), depths.min(initial=np.inf))
    for _ in range(CLOSE_UPS):  # a wave that is shorter than the cells of both grids shows only so
        if not len(points):
            break
        lowest = points[depths.argmin()]
        close = grid_of(lowest - CLOSE_UP * area.size, lowest + CLOSE_UP * area.size)
        further, lower = descend(loss, local_minima(area, close, values(loss, close)), area)
        is_lower = lower.min(initial=np.inf) < depths.min()
        points, depths = np.concatenate([points, further]), np.concatenate([depths, lower])
        if not is_lower:
            break
    return points, depths, float(min(least, depths.min(initial=np.inf)))


def local_minima(
    area: Area, grid: Float[np.ndarray, "side side 2"], losses: Float[np.ndarray, "side side"]
) -> Float[np.ndarray, "points 2"]:
    """The lowest points of the grid, in the domain or right beside it, that none of their neighbours is below."""
    around = np.pad(losses, 1, constant_values=np.inf)
    rows, columns = losses.shape
    neighbours = [around[i : i + rows, j : j + columns] for i in range(3) for j in range(3)]
    beside = Area(area.low - area.cell, area.high + area.cell)
    lowest = np.isfinite(losses) & (losses <= np.min(neighbours, axis=0)) & beside.holds(grid)
    # of equal ones those in the domain come first
    return grid[lowest][np.lexsort((~area.holds(grid[lowest]), losses[lowest]))[:SEEDS]]


def descend(
    loss: Loss, starts: Float[np.ndarray, "points 2"], area: Area, within: float = np.inf
) -> tuple[Float[np.ndarray, "points 2"], Float[np.ndarray, "points"]]:
    """From each start to a lower point, again and again, and the loss there.

    Steps are shares of the domain's size. ``within``: no point is farther from its start, in each of them.
    """
    if not len(starts):
        return starts, np.empty(0)
    points, depths = starts, values(loss, starts)
    reach = np.full(len(starts), 1 / SIDE)
    angles = 2 * np.pi * np.arange(AROUND) / AROUND
    for turn in range(ROUNDS):
        around = np.stack([np.cos(angles + turn), np.sin(angles + turn)], axis=-1)  # each time other directions
        newton = newton_steps(loss, points, area)
        steps = [newton[:, None] * np.array([1.0, 0.3, 0.1])[:, None], reach[:, None, None] * around]
        there = points[:, None] + np.concatenate(steps, axis=1) * area.size
        near = (np.abs(there - starts[:, None]) <= within * area.size).all(axis=-1)
        found = np.where(near, values(loss, there), np.inf)
        best = found.argmin(axis=1)
        each = np.arange(len(points))
        lower = found[each, best] < depths
        points = np.where(lower[:, None], there[each, best], points)
        depths = np.where(lower, found[each, best], depths)
        reach = np.where(lower, reach, reach / 2)
    return points, depths


def newton_steps(loss: Loss, points: Float[np.ndarray, "points 2"], area: Area) -> Float[np.ndarray, "points 2"]:
    """The step of Newton's method from each point, in shares of the domain; where the loss bends down, a way down.

    Not a number where one of the points of the finite differences has no value.
    """
    sides = np.array([-1, 0, 1]) * DIFFERENCE
    offsets = np.stack(np.meshgrid(sides, sides), axis=-1)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        near = values(loss, points[:, None, None] + offsets * area.size) / DIFFERENCE
        x = (near[:, 1, 2] - near[:, 1, 0]) / 2
        y = (near[:, 2, 1] - near[:, 0, 1]) / 2
        xx = (near[:, 1, 2] - 2 * near[:, 1, 1] + near[:, 1, 0]) / DIFFERENCE
        yy = (near[:, 2, 1] - 2 * near[:, 1, 1] + near[:, 0, 1]) / DIFFERENCE
        xy = (near[:, 2, 2] - near[:, 2, 0] - near[:, 0, 2] + near[:, 0, 0]) / (4 * DIFFERENCE)
        # the lowest curvature is lifted above 0 where it is not, up to rounding
        half, twist = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
        lowest, largest = half - twist, np.abs(half) + twist
        lift = np.where(lowest > 1e-8 * largest, 0, 1e-3 * largest - lowest)
        xx, yy = xx + lift, yy + lift
        return -np.stack([yy * x - xy * y, xx * y - xy * x], axis=-1) / (xx * yy - xy**2)[:, None]


def distinct(points: Float[np.ndarray, "points 2"], area: Area) -> Float[np.ndarray, "some 2"]:
    """Points without those that are the same as one before."""
    kept: list[np.ndarray] = []
    for point in points:
        if all((np.abs(point - other) > SAME_POINT * area.size).any() for other in kept):
            kept.append(point)
    return np.array(kept).reshape(-1, 2)


def is_minimum(loss: Loss, point: Float[np.ndarray, "2"], least: float, as_low: float, area: Area) -> bool:
    """Whether all around a point the loss has a value, none below ``least``, and comes down to that at the point."""
    angles = 2 * np.pi * np.arange(64) / 64
    around = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    rings = values(loss, point + np.array(RINGS)[:, None, None] * around * area.size)
    if not (np.isfinite(rings) & (rings >= least - as_low)).all():
        return False
    near, far, _ = np.median(rings, axis=1) - least
    return bool(near <= max(RISE * far, as_low))


def comes_to_others(loss: Loss, minima: Float[np.ndarray, "some 2"], least: float, as_low: float, area: Area) -> bool:
    """Whether from beside a minimum the search ends elsewhere, as low, and all between is as low: a line or plain."""
    angles = 2 * np.pi * np.arange(AROUND) / AROUND
    around = BESIDE * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    origins = np.repeat(minima, AROUND, axis=0)
    beside = origins + np.resize(around, origins.shape) * area.size
    ends, depths = descend(loss, beside, area, within=BESIDE)
    away = (np.abs(ends - origins) > SAME_POINT * area.size).any(axis=1) & area.holds(ends) & (depths <= least + as_low)
    between = origins[:, None] + np.array(BETWEEN)[:, None] * (ends - origins)[:, None]
    low = least + as_low + SAGS * (np.median(values(loss, beside)) - least)
    return bool((away & (values(loss, between) <= low).all(axis=1)).any())


def is_crossed(loss: Loss, minima: Float[np.ndarray, "some 2"], least: float, area: Area) -> bool:
    """Whether on a ring around a minimum some point is just as low, up to rounding: a line of them goes through it."""
    middle, width = np.zeros((len(minima), 1)), np.pi
    rounds = []
    for _ in range(ZOOMS):  # each time a part of the ring around its lowest point
        angles = middle + width * np.linspace(-1, 1, 4 * AROUND + 1)
        ring = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        rounds.append(values(loss, minima[:, None] + RINGS[-1] * ring * area.size) - least)
        middle, width = np.take_along_axis(angles, rounds[-1].argmin(axis=1)[:, None], axis=1), width / AROUND
    usual, rounding = np.median(rounds[0], axis=1), 8 * np.finfo(float).eps * abs(least)
    return bool((rounds[-1].min(axis=1) <= np.fmax(1e-15 * usual, rounding)).any())


def why_none(
    area: Area,
    grid: Float[np.ndarray, "side side 2"],
    losses: Float[np.ndarray, "side side"],
    low_points: Float[np.ndarray, "points 2"],
) -> Finding:
    """Why there is no minimum in the domain, by where the grid is lowest, and where the search came to."""
    inside = np.where(area.holds(grid), losses, np.inf)
    if losses.min() < inside.min() or (len(low_points) and not area.holds(low_points).any()):
        return Finding.OUTSIDE
    row, column = np.unravel_index(inside.argmin(), losses.shape)
    near = losses[max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3]
    return Finding.UNSURE if np.isfinite(near).all() else Finding.EDGE
