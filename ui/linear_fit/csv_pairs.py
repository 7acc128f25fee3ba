"""Two columns of a table as x and y."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ui.linear_fit.csv_data import LARGEST, SMALLEST, Table
from ui.linear_fit.csv_numbers import (
    why_not,
)
from ui.linear_fit.csv_text import CsvError, quoted

LOST = 1e-3  # the share of a column's spread that rounding to 32 bits may cost


@dataclass(frozen=True, eq=False)
class Pairs:
    """Two columns, row by row, where both have a number."""

    x: np.ndarray  # (examples,)
    y: np.ndarray  # (examples,)
    dropped: int  # rows where one of them has none
    why: str = ""  # the first of them


def pairs(table: Table, x: int, y: int) -> Pairs:
    """The examples in two columns, by their places. Raises ``CsvError`` where no line can be fitted to them."""
    both = np.isfinite(table.columns[x]) & np.isfinite(table.columns[y])
    xs, ys = table.columns[x][both], table.columns[y][both]
    if not both.any():
        raise CsvError("No row has a number in both of these columns. Choose another x or y.")
    if max(np.abs(xs).max(), np.abs(ys).max()) > LARGEST:
        raise CsvError("A number is larger than 1,000,000,000. Write the column in a larger unit, such as millions.")
    # as the engine will see them, in 32 bits
    if np.ptp(xs.astype(np.float32)) == 0:
        raise CsvError(f"Every x is {xs[0]:g}, so no slope can be told from them. Choose another column for x.")
    if np.abs(xs).max() < SMALLEST:
        raise CsvError("Every x is smaller than 0.000000001. Write the column in a smaller unit.")
    for axis, values in {"x": xs, "y": ys}.items():
        if blurred(values):
            raise CsvError(
                f"The {axis} run from {values.min():.12g} to {values.max():.12g}: numbers of 32 bits cannot tell them "
                f"apart well enough. Subtract {values.min():.12g} from the column; of dates, count the days."
            )
    return Pairs(xs, ys, int((~both).sum()), first_fault(table, both, x, y))


def blurred(values: np.ndarray) -> bool:
    """Whether rounding to 32 bits costs a share of the spread, or makes many of the values one."""
    short = values.astype(np.float32)
    if np.abs(short - values).max() > LOST * np.ptp(values) > 0:
        return True
    different = len(np.unique(values))
    return len(np.unique(short)) < 0.99 * different


def first_fault(table: Table, both: np.ndarray, x: int, y: int) -> str:
    """Why the first row that is left out is, in a sentence."""
    row = int(np.argmin(both))
    if both[row] or not table.cells:
        return ""
    if row in table.faults:
        return table.faults[row]
    column = x if not np.isfinite(table.columns[x][row]) else y
    cell, place = table.cells[row][column], f"Line {table.lines[row]}, column {quoted(table.names[column])}:"
    return f"{place} {quoted(cell) if cell else 'the cell'} {why_not(cell, table.decimal)}."
