"""A visitor's CSV file as columns of numbers, and how it was read. Pure: bytes in, arrays out.

What does not fit raises ``CsvError``; what the file leaves open is asked, never guessed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ui.linear_fit.csv_dates import are_dates, calendar_pairs, is_date, is_date_name, run_like_dates
from ui.linear_fit.csv_header import choose_header
from ui.linear_fit.csv_layout import MAX_COLUMNS, Layout, check_decimal_comma, choose_decimal, choose_layout
from ui.linear_fit.csv_numbers import (
    DATES_NOT_READ,
    explain_not_number,
    has_unit,
    is_missing,
    is_number,
    number,
    resembles_number,
)
from ui.linear_fit.csv_text import COMMENT, CsvError, Line, declared_separator, decode_text, quoted

MAX_BYTES, MAX_ROWS = 2 * 1024 * 1024, 10_000
MAX_VALUE, MIN_VALUE = 1e9, 1e-9  # in size; sums of squares of others overflow or underflow in 32 bits
MAX_NAME_LENGTH = 30
SAMPLE_LINES = 200  # of a file that is refused for its length, only so many are looked at
TOTAL_WORDS = {"total", "totals", "subtotal", "sum", "average", "avg", "mean", "median", "summe", "gesamt"}
TOTAL_WORDS |= {"insgesamt", "gesamtsumme", "mittelwert", "durchschnitt", "somme", "moyenne", "totale", "totaal"}
TOTAL_WORDS |= {"suma", "promedio"}


@dataclass(frozen=True)
class Choices:
    """How a visitor wants a file to be read. None leaves it to the file."""

    separator: str | None = None
    decimal: str | None = None
    header: bool | None = None
    encoding: str | None = None
    dates: bool | None = None  # whether numbers such as 13.02 are dates


@dataclass(frozen=True, eq=False)
class Table:
    """The columns of a file that hold numbers. A cell that is no number is NaN."""

    names: tuple[str, ...]  # one each, plain text of at most 30 characters, no two alike
    columns: np.ndarray  # (columns, rows)
    cells: tuple[tuple[str, ...], ...] = ()  # of each row, as they stand in the file
    lines: tuple[int, ...] = ()  # of the file, that each row begins on
    faults: dict[int, str] = field(default_factory=dict)  # rows that are left out as a whole: why
    decimal: str = "."

    @property
    def rows(self) -> int:
        """How many rows there are, those without numbers among them."""
        return self.columns.shape[1]


@dataclass(frozen=True)
class Column:
    """A column of numbers that may be dates, such as 13.02."""

    name: str
    cells: str  # the first few
    like_dates: bool  # whether its name, or how its numbers run, speaks for dates


@dataclass(frozen=True, eq=False)
class Reading:
    """How a file was read. There is no table while ``questions`` are open."""

    separator: str
    decimal: str
    header: bool
    table: Table | None
    first_rows: tuple[tuple[str, ...], ...]  # the first rows, as they stand in the file
    names: tuple[str, ...]  # of all columns
    questions: dict[str, str] = field(default_factory=dict)  # by the name of the choice that answers them
    skipped: int = 0  # comments, and lines above the table
    encoding: str = "utf-8"
    dates: bool | None = None  # None where no number can be one
    notes: tuple[str, ...] = ()  # guesses that a visitor should know of, a sentence each


def read_table(content: bytes, choices: Choices | None = None) -> Table:
    """A file's columns of numbers. Raises ``CsvError`` for one that is no CSV, too large, or leaves a choice open."""
    reading = read_file(content, choices or Choices())
    if reading.table is None:
        raise CsvError(" ".join(reading.questions.values()))
    return reading.table


def read_file(content: bytes, choices: Choices) -> Reading:
    """How a file is read. Raises ``CsvError`` for one that is no CSV or too large; what is left open is a question."""
    if len(content) > MAX_BYTES:
        raise CsvError(f"The file has {len(content) / 1024**2:.1f} MB; 2 MB is the most. Upload a part of it.")
    encoding, text = decode_text(content, choices.encoding)
    declared, text = declared_separator(text)
    if not text.strip(' \t\n,;|"'):
        raise CsvError("The file is empty. Upload one with two columns of numbers.")
    # of a file with far too many rows a sample is split: all of them would fill the memory, only to be refused
    rows = [line for line in text.split("\n") if line.strip(' \t,;|"') and not COMMENT.match(line)]
    beyond = max(0, len(rows) - SAMPLE_LINES) if len(rows) > MAX_ROWS + SAMPLE_LINES else 0
    layout, questions = choose_layout("\n".join(rows[:SAMPLE_LINES]) if beyond else text, choices.separator or declared)
    decimal, question = choose_decimal(layout, choices.decimal)
    if question:
        questions["decimal"] = question
    names, body, question = choose_header(layout, choices.header)
    if question:
        questions["header"] = question
    notes: list[str] = []
    if layout.separator == "," and choices.separator is None and declared is None:
        doubt, note = check_decimal_comma(layout)
        questions |= {"separator": doubt} if doubt else {}
        notes += filter(None, [note])
    dates = None
    if decimal == "." and (columns := calendar_columns(layout, names, body)):
        question, note = choose_dates(columns, choices.dates)
        dates = bool(choices.dates)
        if question:
            questions["dates"] = question
        notes += filter(None, [note])
        if dates:
            layout = replace(layout, numeric=[i for i in layout.numeric if i not in columns])
    if len(body) + beyond > MAX_ROWS:
        raise CsvError(f"The file has {len(body) + beyond:,} rows; {MAX_ROWS:,} is the most. Upload a part of it.")
    if layout.width > MAX_COLUMNS:
        raise CsvError(f"The file has {layout.width:,} columns; {MAX_COLUMNS} is the most. Keep the two that matter.")
    table = None if questions else tabulate(layout, names, body, decimal)
    skipped = len(layout.above) + len(layout.body) - len(body) - len(names) + len(layout.comments)
    first_rows = tuple(tuple(line.cells[: layout.width]) for line in body[:5])
    return Reading(
        separator=layout.separator,
        decimal=decimal,
        header=bool(names),
        table=table,
        first_rows=first_rows,
        names=tuple(column_names(layout, names)),
        questions=questions,
        skipped=max(0, skipped),
        encoding=encoding,
        dates=dates,
        notes=tuple(notes),
    )


def calendar_columns(layout: Layout, header: list[Line], body: list[Line]) -> dict[int, Column]:
    """The columns of numbers that may all be dates without a year, or a day: where some run as dates do, only those."""
    found = {}
    for i in layout.numeric:
        cells = [line.cells[i] for line in body if i < len(line.cells) and not is_missing(line.cells[i])]
        name = " ".join("".join(line.cells[i : i + 1]) for line in header).strip() or f"column {i + 1}"
        if pairs := calendar_pairs(cells):
            found[i] = Column(name, ", ".join(cells[:3]), is_date_name(name) or run_like_dates(pairs))
    return {i: column for i, column in found.items() if column.like_dates} or found


def choose_dates(columns: dict[int, Column], chosen: bool | None) -> tuple[str, str]:
    """A question where columns look like dates, or else a note on how they are read; the other text is empty."""
    column = next(iter(columns.values()))
    shown = f"The column {quoted(column.name)} has {column.cells}"
    if chosen:
        return "", f"{shown}: taken as dates, which are not read."
    if chosen is None and column.like_dates:
        return f"{shown}. Are these numbers, or dates such as day and month?", ""
    return "", f"{shown}: read as numbers, not as dates."


def tabulate(layout: Layout, header: list[Line], body: list[Line], decimal: str) -> Table:
    """The table in the rows of a file. Raises ``CsvError`` where it has no two columns of numbers."""
    width = layout.width
    if width < 2:
        raise CsvError(
            "The file has one column; a fit needs two. Separate them by comma, semicolon or tab; "
            "choose the separator below."
        )
    check_one_table(header, body, layout.numeric)
    rows, faults = [], total_rows(body)
    for i, line in enumerate(body):
        if line.width > width:
            faults[i] = f"Line {line.number} has {line.width} cells, and the others {width}."
        rows.append(tuple((line.cells + [""] * width)[:width]))
    numbers = np.full((width, len(rows)), np.nan)
    for i, row in enumerate(rows):
        if i not in faults:
            numbers[:, i] = [value if (value := number(cell, decimal)) is not None else np.nan for cell in row]
    found = [i for i in layout.numeric if np.isfinite(numbers[i]).any()]
    if len(found) < 2:
        raise CsvError(explain_too_few(found, body or layout.above, decimal, faults))
    if body and is_sum(numbers[found], body, layout.numeric):
        faults[len(body) - 1] = f"Line {body[-1].number} has no label, and is the sum of those above."
        numbers[:, -1] = np.nan
    names = column_names(layout, header)
    cells = tuple(tuple(row[i] for i in found) for row in rows)
    return Table(tuple(names[i] for i in found), numbers[found], cells, tuple(r.number for r in body), faults, decimal)


def column_names(layout: Layout, header: list[Line]) -> list[str]:
    """The name of each column, from the lines of the header."""
    width = layout.width
    # R writes no name for its first column, which numbers the rows
    unnamed_index = len(header) == 1 and len(header[0].cells) == width - 1 and layout.separator in "\t "
    parts = [[*[""] * unnamed_index, *line.cells, *[""] * width][:width] for line in header]
    return unique_names([" ".join(filter(None, column)) for column in zip(*parts, strict=True)] or [""] * width)


def total_rows(body: list[Line]) -> dict[int, str]:
    """The last rows whose label says that they are totals or means of those above, and why each is left out."""
    faults = {}
    for i in reversed(range(len(body))):
        label = next(filter(None, body[i].cells))
        words = re.findall(r"[^\W\d_]+", label.lower())
        if len(words) <= 3 and TOTAL_WORDS.intersection(words):
            faults[i] = f"Line {body[i].number} is a total, not a row."
        elif any(map(is_number, body[i].cells)):
            break
    return faults


def check_one_table(header: list[Line], body: list[Line], numeric: list[int]) -> None:
    """Raise ``CsvError`` where a second header follows an empty line, and so a second table."""
    for above, line, below in zip(body, body[1:], body[2:], strict=False):
        if line.number == above.number + 1 or any(line.cells == named.cells for named in header):
            continue
        cells = ["".join(line.cells[i : i + 1]) for i in numeric]
        words = all(cell and not is_missing(cell) and not resembles_number(cell) for cell in cells)
        if words and any(map(is_number, below.cells)):
            raise CsvError(f"A second table begins on line {line.number}. Upload a file with one of them.")


def is_sum(numbers: np.ndarray, body: list[Line], numeric: list[int]) -> bool:
    """Whether the last row is a sum: it has the sums of the others, and no word where each of them has one."""
    *others, last = body
    worded = [i for i in range(last.width) if i not in numeric and all("".join(r.cells[i : i + 1]) for r in others)]
    if len(others) < 2 or not any(not last.cells[i] for i in worded):
        return False
    return bool(np.allclose(np.nansum(numbers[:, :-1], axis=1), numbers[:, -1], rtol=1e-6, atol=0))


def explain_too_few(found: list[int], body: list[Line], decimal: str, faults: dict[int, str]) -> str:
    """Why a file has no two columns of numbers, with the first row or cell that may have been meant to have some."""
    message = "Only one column of the file has numbers; a fit needs two, one for x and one for y."
    if not found:
        message = "No row of the file has numbers. Upload a table with two columns of numbers."
    width = max((line.width for line in body), default=0)
    columns = [[line.cells[i] for line in body if i < len(line.cells) and line.cells[i]] for i in range(width)]
    dates = [i for i, cells in enumerate(columns) if i not in found and (are_dates(cells) or calendar_pairs(cells))]
    for row, line in enumerate(body):
        if row in faults:
            return f"{message} {faults[row]}"
        for i, cell in enumerate(line.cells[:width]):
            meant = number(cell, decimal) is None and (resembles_number(cell) or is_date(cell) or has_unit(cell))
            if i not in found and cell and (i in dates or meant):
                why = DATES_NOT_READ if i in dates else explain_not_number(cell, decimal)
                return f"{message} On line {line.number}, {quoted(cell)} {why}."
    return message


def unique_names(found: Sequence[str]) -> list[str]:
    """A printable name of at most 30 characters for every column; what is alike is numbered."""
    printable = (" ".join("".join(c if c.isprintable() else " " for c in name).split()) for name in found)
    names = [name[:MAX_NAME_LENGTH] or f"column {i}" for i, name in enumerate(printable, 1)]
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
