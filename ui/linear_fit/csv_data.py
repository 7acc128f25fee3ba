"""A visitor's CSV file as columns of numbers. Pure: bytes in, arrays out; what does not fit raises ``CsvError``."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

MOST_BYTES, MOST_ROWS, MOST_COLUMNS = 2 * 1024 * 1024, 10_000, 50
LARGEST, SMALLEST = 1e9, 1e-9  # beyond, squares leave what 32 bits can hold
NAME_LENGTH = 30

SEPARATORS = {"\t": "tab", ";": "semicolon", ",": "comma"}
MISSING = {"", "na", "n/a", "nan", "null", "none", "-", "–", "?", "inf", "-inf", "+inf", "infinity", "-infinity"}
WHAT_TO_DO = "Save the table as CSV (comma-separated text) and upload that."
KINDS = {b"\x89PNG": "a PNG picture", b"\xff\xd8\xff": "a JPEG picture", b"GIF8": "a GIF picture", b"%PDF": "a PDF"}
KINDS |= {b"PK\x03\x04": "a zip archive, as Excel's .xlsx files are", b"\x1f\x8b": "a compressed file"}
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")


class CsvError(ValueError):
    """A file, or a pair of its columns, that no line can be fitted to. The message is one line and says what to do."""


@dataclass(frozen=True, eq=False)
class Table:
    """The columns of a file that hold numbers. Cells that are none are NaN."""

    names: tuple[str, ...]  # one each, plain text of at most 30 characters, no two alike
    columns: np.ndarray  # (columns, rows)

    @property
    def rows(self) -> int:
        return self.columns.shape[1]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Two columns, row by row, where both have a number."""

    x: np.ndarray  # (examples,)
    y: np.ndarray  # (examples,)
    dropped: int  # rows where one of them has none


def read(content: bytes) -> Table:
    """A file's columns of numbers. Raises ``CsvError`` for a file that is no CSV, too large, or has fewer than two."""
    if len(content) > MOST_BYTES:
        raise CsvError(f"The file has {len(content) / 1024**2:.1f} MB; 2 MB is the most. Upload a part of it.")
    text = decoded(content)
    separator, lines = cut(text)
    rows = [row for row in lines if any(cell.strip() for cell in row)]
    if not rows:
        raise CsvError("The file is empty. Upload one with two columns of numbers.")
    width = max(map(len, rows))
    if width == 1:
        raise CsvError("The file has one column; a fit needs two. Separate them by comma, semicolon or tab.")
    if width > MOST_COLUMNS:
        raise CsvError(f"The file has {width:,} columns; {MOST_COLUMNS} is the most. Keep the two that matter.")
    commas = separator != ","  # where the comma does not part the cells, it may be a decimal comma
    headed = any(not is_number(cell, commas) and cell.strip().lower() not in MISSING for cell in rows[0])
    head, body = (rows[0], rows[1:]) if headed else ([], rows)
    if len(body) > MOST_ROWS:
        raise CsvError(f"The file has {len(body):,} rows; {MOST_ROWS:,} is the most. Upload a part of it.")
    # not before the rows are counted: one wide row among a million short ones would fill the memory
    cells = pd.DataFrame([row + [""] * (width - len(row)) for row in body], columns=range(width), dtype=str)
    columns = np.array([numbers(cells[i], commas) for i in range(width)])
    found = [i for i in range(width) if np.isfinite(columns[i]).any()] if len(body) else []
    if not found:
        raise CsvError("No row of the file has numbers. Upload a table with two columns of numbers.")
    if len(found) == 1:
        raise CsvError("Only one column of the file has numbers; a fit needs two, one for x and one for y.")
    names = plain_names([*head, *[""] * (width - len(head))])
    return Table(tuple(names[i] for i in found), columns[found])


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
    return Pairs(xs, ys, int((~both).sum()))


def decoded(content: bytes) -> str:
    """The text of a file. Raises ``CsvError`` where it is none, or another kind of text."""
    for start, kind in KINDS.items():
        if content.startswith(start):
            raise CsvError(f"This is {kind}, not CSV. {WHAT_TO_DO}")
    try:
        wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    if CONTROL.search(text):
        raise CsvError(f"This file is no text, so not CSV. {WHAT_TO_DO}")
    first = text.lstrip()[:1]
    if first == "<":
        raise CsvError(f"This is a web page or another kind of markup, not CSV. {WHAT_TO_DO}")
    if first in ("{", "["):
        raise CsvError(f"This looks like JSON, not CSV. {WHAT_TO_DO}")
    return text


def cut(text: str) -> tuple[str, list[list[str]]]:
    """The separator that parts most lines, a tab or semicolon before a comma; and the cells."""
    told = re.match(r"sep=([,;\t])\r?\n", text, re.IGNORECASE)  # Excel writes and reads this
    if told:
        return told[1], split(text[told.end() :], told[1])
    first = [line for line in text.splitlines() if line.strip()][:20]
    parts = {separator: sum(separator in line for line in first) for separator in SEPARATORS}
    separator = next((s for s, lines in parts.items() if lines > 0.6 * len(first)), ",")
    return separator, split(text, separator)


def split(text: str, separator: str) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise CsvError("A cell of the file never ends: a quotation mark may be missing.") from error


def numbers(cells: pd.Series, commas: bool) -> np.ndarray:
    """A column's numbers ``(rows,)``: NaN where a cell is none, infinity among them."""
    clean = cells.str.strip().str.replace("−", "-", regex=False)
    if commas:
        clean = clean.str.replace(r"^([+-]?\d*),(\d+(?:[eE][+-]?\d+)?)$", r"\1.\2", regex=True)
    found = pd.to_numeric(clean, errors="coerce").to_numpy(float)
    return np.where(np.isfinite(found), found, np.nan)


def is_number(cell: str, commas: bool) -> bool:
    return bool(np.isfinite(numbers(pd.Series([cell], dtype=str), commas))[0])


def plain_names(head: Sequence[str]) -> list[str]:
    """A short name for every column, on one line, no two alike."""
    printable = (" ".join("".join(c if c.isprintable() else " " for c in name).split()) for name in head)
    names = [name[:NAME_LENGTH] or f"column {i}" for i, name in enumerate(printable, 1)]
    seen: Counter[str] = Counter()
    taken: set[str] = set(names)
    for i, name in enumerate(names):
        seen[name] += 1
        if seen[name] > 1:
            again = seen[name]
            while f"{name} ({again})" in taken:
                again += 1
            names[i] = f"{name} ({again})"
            taken.add(names[i])
    return names
