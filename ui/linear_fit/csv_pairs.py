"""Two columns of a table as x and y."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ui.linear_fit.csv_data import MAX_VALUE, MIN_VALUE, Table
from ui.linear_fit.csv_numbers import explain_not_number
from ui.linear_fit.csv_text import CsvError, quoted

MAX_ROUNDING_SHARE = 1e-3  # of a column's range: rounding to 32 bits may change a number by so much


@dataclass(frozen=True, eq=False)
class Pairs:
    """Two columns, without the rows in which one of them has no number."""

    x: np.ndarray  # (examples,)
    y: np.ndarray  # (examples,)
    dropped: int  # how many rows are left out
    first_fault: str = ""  # why the first of them is


def pairs(table: Table, x: int, y: int) -> Pairs:
    """The examples in two columns, by index. Raises ``CsvError`` where no line can be fitted to them."""
    both = np.isfinite(table.columns[x]) & np.isfinite(table.columns[y])
    xs, ys = table.columns[x][both], table.columns[y][both]
    if not both.any():
        raise CsvError("No row has a number in both of these columns. Choose another x or y.")
    if max(np.abs(xs).max(), np.abs(ys).max()) > MAX_VALUE:
        raise CsvError("A number is larger than 1,000,000,000. Write the column in a larger unit, such as millions.")
    # the engine computes in 32 bits
    if np.ptp(xs.astype(np.float32)) == 0:
        raise CsvError(f"Every x is {xs[0]:g}, so no slope can be told from them. Choose another column for x.")
    if np.abs(xs).max() < MIN_VALUE:
        raise CsvError("Every x is smaller than 0.000000001. Write the column in a smaller unit.")
    for axis, values in {"x": xs, "y": ys}.items():
        if loses_precision(values):
            raise CsvError(
                f"The {axis} run from {values.min():.12g} to {values.max():.12g}: numbers of 32 bits cannot tell them "
                f"apart well enough. Subtract {values.min():.12g} from the column; of dates, count the days."
            )
    return Pairs(xs, ys, int((~both).sum()), first_fault(table, both, x, y))


def loses_precision(values: np.ndarray) -> bool:
    """Whether rounding to 32 bits changes the values by too much, or makes many of them equal."""
    short = values.astype(np.float32)
    if np.abs(short - values).max() > MAX_ROUNDING_SHARE * np.ptp(values) > 0:
        return True
    different = len(np.unique(values))
    return len(np.unique(short)) < 0.99 * different


def first_fault(table: Table, both: np.ndarray, x: int, y: int) -> str:
    """Why the first of the rows that are left out is, in a sentence; empty where there is none."""
    row = int(np.argmin(both))
    if both[row] or not table.cells:
        return ""
    if row in table.faults:
        return table.faults[row]
    column = x if not np.isfinite(table.columns[x][row]) else y
    cell, place = table.cells[row][column], f"Line {table.lines[row]}, column {quoted(table.names[column])}:"
    return f"{place} {quoted(cell) if cell else 'the cell'} {explain_not_number(cell, table.decimal)}."
