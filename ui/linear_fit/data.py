"""The points of Linear Fit, and how the loss on them bends."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine import parse
from engine.analysis import Curvature, curvature
from engine.problems import Fit, line, mean_squared_error, noisy_line, notebook_grid
from ui.linear_fit.csv_data import Choices, Reading, Table, look_at
from ui.linear_fit.csv_pairs import pairs
from ui.linear_fit.csv_text import CsvError
from ui.setup.pages import CSV, NOISY_LINE, FitSetup

TOO_FLAT = 1e-5  # a curvature below this share of the largest is lost in the rounding of 32 bits


@dataclass(frozen=True, eq=False)
class Upload:
    """The file that a visitor gave, and how it was read, or why it could not be."""

    content: bytes
    choices: Choices
    reading: Reading | None = None
    error: str = ""

    @property
    def table(self) -> Table | None:
        return self.reading.table if self.reading else None


def taken(content: bytes, choices: Choices | None = None) -> Upload:
    """Read a file, as the visitor has it read."""
    choices = choices or Choices()
    try:
        return Upload(content, choices, look_at(content, choices))
    except CsvError as error:
        return Upload(content, choices, error=str(error))


@dataclass(frozen=True, eq=False)
class Points:
    """What a line is fitted to."""

    x: np.ndarray  # (examples,)
    y: np.ndarray  # (examples,)
    names: tuple[str, str] = ("x", "y")
    dropped: int = 0  # rows of a file that have no two numbers
    why: str = ""  # the first of them


def points_of(setup: FitSetup, upload: Upload | None) -> Points | None:
    """The points of a set-up; None where they are to come from a file and there is none.

    Raises ``CsvError`` where the file, or the columns chosen from it, have no line.
    """
    if setup.data == NOISY_LINE:
        return Points(*noisy_line(setup.slope, setup.noise, setup.seed, intercept=setup.intercept))
    if setup.data != CSV:
        return formula_points(setup.data)
    if upload is None:
        return None
    if upload.error:
        raise CsvError(upload.error)
    if upload.table is None:  # something is asked
        return None
    names = upload.table.names
    x, y = (column(wanted, names, usual) for usual, wanted in enumerate((setup.x, setup.y)))
    found = pairs(upload.table, x, y)
    return Points(found.x, found.y, (names[x], names[y]), found.dropped, found.why)


@lru_cache(maxsize=8)
def formula_points(formula: str) -> Points:
    x = notebook_grid()
    return Points(x, np.asarray(parse(formula, ("x",))(x)))


def column(wanted: int, names: tuple[str, ...], usual: int) -> int:
    """The place of a column in a file, from the number that a link gives it."""
    return wanted - 1 if wanted <= len(names) else usual


def fit_of(setup: FitSetup, points: Points) -> Fit:
    return line(np.asarray(points.x, np.float32), points.y, intercept=setup.with_intercept)


def bend_of(fit: Fit) -> Curvature:
    """How the loss bends: the same everywhere, since it is a quadratic."""
    return curvature(mean_squared_error, fit.minimum(), fit.data)


def told(bend: Curvature) -> np.ndarray:
    """Which curvatures ``(dim,)`` are large enough beside the largest to be told from rounding."""
    return bend.values > TOO_FLAT * bend.values[-1]
