"""The points of Linear Fit, the visitor's file that they may come from, and the curvature of the loss on them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine import parse
from engine.analysis import Curvature, curvature
from engine.problems import Fit, line, mean_squared_error, noisy_line, notebook_grid
from ui.linear_fit.csv_data import Choices, Reading, Table, read_file
from ui.linear_fit.csv_pairs import pairs
from ui.linear_fit.csv_text import CsvError
from ui.setup.pages import CSV, NOISY_LINE, FitSetup

MIN_CURVATURE_SHARE = 1e-5  # of the largest curvature: a smaller one is lost in the rounding of 32 bits


@dataclass(frozen=True, eq=False)
class Upload:
    """A visitor's file, and how it was read, or why it could not be."""

    content: bytes
    choices: Choices
    reading: Reading | None = None
    error: str = ""

    @property
    def table(self) -> Table | None:
        """The columns of the file, where it could be read."""
        return self.reading.table if self.reading else None


def read_upload(content: bytes, choices: Choices | None = None) -> Upload:
    """A file, read as the visitor wants. Never raises: what is wrong with it is in ``error``."""
    choices = choices or Choices()
    try:
        return Upload(content, choices, read_file(content, choices))
    except CsvError as error:
        return Upload(content, choices, error=str(error))


@dataclass(frozen=True, eq=False)
class Points:
    """The points that a line is fitted to."""

    x: np.ndarray  # (examples,)
    y: np.ndarray  # (examples,)
    names: tuple[str, str] = ("x", "y")
    dropped: int = 0  # how many rows of a file are left out
    first_fault: str = ""  # why the first of them is


def points_of(setup: FitSetup, upload: Upload | None) -> Points | None:
    """The points of a set-up; None where they come from a file that is not there, or not read yet.

    Raises ``CsvError`` where no line can be fitted to the file or to the columns chosen from it.
    """
    if setup.data == NOISY_LINE:
        return Points(*noisy_line(setup.slope, setup.noise, setup.seed, intercept=setup.intercept))
    if setup.data != CSV:
        return formula_points(setup.data)
    if upload is None:
        return None
    if upload.error:
        raise CsvError(upload.error)
    if upload.table is None:  # questions about the file are open
        return None
    names = upload.table.names
    x, y = (column_index(wanted, names, usual) for usual, wanted in enumerate((setup.x, setup.y)))
    found = pairs(upload.table, x, y)
    return Points(found.x, found.y, (names[x], names[y]), found.dropped, found.first_fault)


@lru_cache(maxsize=8)
def formula_points(formula: str) -> Points:
    """The points on the graph of a formula, at the notebook's x."""
    x = notebook_grid()
    return Points(x, np.asarray(parse(formula, ("x",))(x)))


def column_index(wanted: int, names: tuple[str, ...], usual: int) -> int:
    """The index of a column from its number in a link, which counts from 1; ``usual`` where the file has fewer."""
    return wanted - 1 if wanted <= len(names) else usual


def fit_of(setup: FitSetup, points: Points) -> Fit:
    """The least-squares problem of the chosen model on the points."""
    return line(np.asarray(points.x, np.float32), points.y, intercept=setup.with_intercept)


def curvature_of(fit: Fit) -> Curvature:
    """The curvature of the loss: the same at every θ, since the loss is quadratic."""
    return curvature(mean_squared_error, fit.minimum(), fit.data)


def is_determined(curvature: Curvature) -> np.ndarray:
    """Which curvatures ``(dim,)`` are large enough beside the largest not to be lost in rounding."""
    return curvature.values > MIN_CURVATURE_SHARE * curvature.values[-1]
