"""A visitor's CSV file as columns of numbers, and how it was read. Pure: bytes in, arrays out.

What does not fit raises ``CsvError``; what the file leaves open is asked, never guessed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from ui.linear_fit.csv_numbers import (
    are_dates,
    evidence,
    is_date,
    is_missing,
    is_number,
    like_number,
    number,
    open_cell,
    why_not,
)
from ui.linear_fit.csv_text import BLANKS, COMMENT, SEPARATORS, CsvError, Line, cut, decoded, quoted, told_separator

MOST_BYTES, MOST_ROWS, MOST_COLUMNS = 2 * 1024 * 1024, 10_000, 50
LARGEST, SMALLEST = 1e9, 1e-9  # beyond, squares leave what 32 bits can hold
LOST = 1e-3  # the share of a column's spread that rounding to 32 bits may cost
NAME_LENGTH = 30
SAMPLE = 200  # lines of a file that is refused for its length
ENOUGH = 0.5  # of a column's filled cells must be numbers
TOTALS = {"total", "totals", "sum", "average", "mean", "summe", "gesamt", "mittelwert", "somme", "moyenne"}


@dataclass(frozen=True)
class Choices:
    """What a visitor says of a file. None leaves it to the file."""

    separator: str | None = None
    decimal: str | None = None
    header: bool | None = None


@dataclass(frozen=True, eq=False)
class Table:
    """The columns of a file that hold numbers. Cells that are none are NaN."""

    names: tuple[str, ...]  # one each, plain text of at most 30 characters, no two alike
    columns: np.ndarray  # (columns, rows)
    cells: tuple[tuple[str, ...], ...] = ()  # of each row, as they stand in the file
    lines: tuple[int, ...] = ()  # of the file, that each row begins on
    faults: dict[int, str] = field(default_factory=dict)  # rows that are none, and why
    decimal: str = "."

    @property
    def rows(self) -> int:
        return self.columns.shape[1]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Two columns, row by row, where both have a number."""

    x: np.ndarray  # (examples,)
    y: np.ndarray  # (examples,)
    dropped: int  # rows where one of them has none
    why: str = ""  # the first of them


@dataclass(frozen=True, eq=False)
class Reading:
    """How a file was read. Without a table it is asked for what stands in ``asked``."""

    separator: str
    decimal: str
    header: bool
    table: Table | None
    first: tuple[tuple[str, ...], ...]  # the first rows, as they stand in the file
    asked: dict[str, str] = field(default_factory=dict)  # by the name of a choice: the question
    skipped: int = 0  # comments, and lines above the table


@dataclass(frozen=True, eq=False)
class Layout:
    """The rows of a file as one separator cuts them."""

    separator: str
    above: list[Line]  # before the first row of numbers: titles, the header, units
    body: list[Line]
    comments: list[Line]
    width: int
    numeric: list[int]  # the columns of numbers
    data: list[Line]  # from the first row that has a number anywhere

    @property
    def doubts(self) -> int:
        """Rows of another width, and cells that another separator may run through."""
        misfits = sum(line.width > self.width for line in self.data)
        return misfits + sum(unclear(cell, self.separator) for line in self.data for cell in line.cells)


def read(content: bytes, choices: Choices | None = None) -> Table:
    """A file's columns of numbers. Raises ``CsvError`` for one that is no CSV, too large, or leaves a choice open."""
    reading = look_at(content, choices or Choices())
    if reading.table is None:
        raise CsvError(" ".join(reading.asked.values()))
    return reading.table


def look_at(content: bytes, choices: Choices) -> Reading:
    """Read a file, looking at the whole of it. Raises ``CsvError`` as ``read`` does, but for choices left open."""
    if len(content) > MOST_BYTES:
        raise CsvError(f"The file has {len(content) / 1024**2:.1f} MB; 2 MB is the most. Upload a part of it.")
    told, text = told_separator(decoded(content))
    if not text.strip(' \t\n,;|"'):
        raise CsvError("The file is empty. Upload one with two columns of numbers.")
    # a file with far too many rows is not cut whole: it would fill the memory, only to be refused
    rows = [line for line in text.split("\n") if line.strip(' \t,;|"') and not COMMENT.match(line)]
    beyond = max(0, len(rows) - SAMPLE) if len(rows) > MOST_ROWS + SAMPLE else 0
    layout, asked = choose_layout("\n".join(rows[:SAMPLE]) if beyond else text, choices.separator or told)
    decimal, question = choose_decimal(layout, choices.decimal)
    if question:
        asked["decimal"] = question
    names, body, question = choose_header(layout, choices.header)
    if question:
        asked["header"] = question
    if layout.separator == "," and choices.separator is None and told is None and (doubt := narrow_head(layout)):
        asked["separator"] = doubt
    if len(body) + beyond > MOST_ROWS:
        raise CsvError(f"The file has {len(body) + beyond:,} rows; {MOST_ROWS:,} is the most. Upload a part of it.")
    if layout.width > MOST_COLUMNS:
        raise CsvError(f"The file has {layout.width:,} columns; {MOST_COLUMNS} is the most. Keep the two that matter.")
    table = None if asked else tabulate(layout, names, body, decimal)
    skipped = len(layout.above) + len(layout.body) - len(body) - len(names) + len(layout.comments)
    first = tuple(tuple(line.cells[: layout.width]) for line in body[:5])
    return Reading(layout.separator, decimal, bool(names), table, first, asked, max(0, skipped))


# ---- the separator


def choose_layout(text: str, chosen: str | None) -> tuple[Layout, dict[str, str]]:
    """The separator that parts every line alike into numbers; and a question where two do."""
    if chosen:
        return lay_out(text, chosen), {}
    found, refused = {}, None
    for separator in SEPARATORS:
        if separator not in text and separator != BLANKS:
            continue
        try:
            layout = lay_out(text, separator)
        except CsvError as error:
            refused = refused or error
            continue
        if separator != BLANKS or all(line.width == layout.width for line in layout.data):
            found[separator] = layout
    able = {separator: layout for separator, layout in found.items() if len(layout.numeric) > 1}
    if refused and not able:
        raise refused
    if not able:
        explicit = [layout for layout in found.values() if layout.separator != BLANKS]
        return max(explicit, key=lambda layout: len(layout.numeric), default=lay_out(text, ",")), {}
    doubts = {separator: layout.doubts for separator, layout in able.items()}
    least = min(doubts.values())
    best = [separator for separator in able if doubts[separator] == least]
    if "\t" in best and BLANKS in best:  # a tab is a blank too
        best.remove(BLANKS)
    asked = {}
    if len(best) > 1:
        between = " or ".join(SEPARATORS[separator] for separator in best)
        asked["separator"] = f"The columns can be parted by {between}. Which is the separator?"
    elif best == [BLANKS] and groups_of_three(able[BLANKS]):
        asked["separator"] = "Blanks part the columns, or group the thousands of one number. Which is the separator?"
    return able[best[0]], asked


def lay_out(text: str, separator: str) -> Layout:
    lines = [line for line in cut(text, separator) if line.width]
    comments = [line for line in lines if line.comment]
    rows = [line for line in lines if not line.comment]
    start = next((i for i, row in enumerate(rows) if len(row.cells) > 1 and any(map(is_number, row.cells))), len(rows))
    data = rows[start:] or rows
    usual = Counter(len(row.cells) for row in data).most_common()
    raw = min((width for width, count in usual if count == usual[0][1]), default=0)
    held = Counter(row.width for row in data).most_common(1)
    most = max(raw, held[0][0] if held else 0)
    width = max((row.width for row in data if row.width <= most), default=0)
    full = [row.cells for row in data if row.width <= width]
    numeric = [i for i in range(min(width, MOST_COLUMNS)) if holds_numbers([r[i] for r in full if i < len(r)])]
    good = next((i for i, row in enumerate(rows) if i >= start and is_good(row, numeric)), start)
    return Layout(separator, rows[:good], rows[good:], comments, width, numeric, data)


def holds_numbers(cells: list[str]) -> bool:
    filled = [cell for cell in cells if not is_missing(cell)]
    numbers = sum(map(is_number, filled))
    return numbers > 0 and numbers >= ENOUGH * len(filled) and not are_dates(filled)


def is_good(line: Line, numeric: list[int]) -> bool:
    cells = [line.cells[i] for i in numeric if i < len(line.cells)]
    return any(map(is_number, cells)) and all(is_number(cell) or is_missing(cell) for cell in cells)


def unclear(cell: str, separator: str) -> bool:
    """Whether a cell that is no number has another separator in it, or a blank between two figures."""
    if is_number(cell) or is_missing(cell):
        return False
    if any(other in cell for other in SEPARATORS if other not in (separator, BLANKS)):
        return True
    parts = cell.split()
    return any(a[-1].isdigit() and (b[0].isdigit() or b[0] in "+-.") for a, b in pairwise(parts))


def groups_of_three(layout: Layout) -> bool:
    """Whether two columns that blanks part could be one, whose thousands they group."""
    return any(
        all(
            number(" ".join(line.cells[i : i + 2]), ".") is not None
            or number(" ".join(line.cells[i : i + 2]), ",") is not None
            for line in layout.body
        )
        for i in range(layout.width - 1)
    )


def narrow_head(layout: Layout) -> str:
    """Where the line above the numbers has fewer cells than they: a comma between may be a decimal one."""
    last = layout.above[-1] if layout.above else None
    if last is None or len(last.cells) >= layout.width:
        return ""
    return (
        f"Line {last.number}, above the numbers, has {len(last.cells)} cells and those below {layout.width}. Do "
        "commas part the columns, or are they decimal commas? If they are, save the file with semicolons."
    )


# ---- the decimal sign


def choose_decimal(layout: Layout, chosen: str | None) -> tuple[str, str]:
    """The one decimal sign with which the file's numbers can be read; and a question where the file leaves it open."""
    if chosen:
        return chosen, ""
    cells = [line.cells[i] for line in layout.body for i in layout.numeric if i < len(line.cells)]
    told = evidence(cells)
    if len(told) == 2:
        return ".", f"{quoted(told['.'])} has a decimal point and {quoted(told[','])} a decimal comma. Which is meant?"
    if told:
        return next(iter(told)), ""
    doubtful = open_cell(cells)
    if doubtful and layout.separator != ",":  # who parts cells by commas writes a decimal point, if not shown otherwise
        point, comma = (f"{number(doubtful, sign):,.6g}".replace(",", "") for sign in ".,")
        return ".", (
            f"{quoted(doubtful)} is {point} with a decimal point and {comma} with a decimal comma, and no other number "
            "tells which. Which is the decimal sign?"
        )
    return ".", ""


# ---- the header


def choose_header(layout: Layout, chosen: bool | None) -> tuple[list[Line], list[Line], str]:
    """The lines that name the columns, the rows below, and a question where a line may be either."""
    above, numeric = layout.above, layout.numeric
    wide = [line for line in above if line.width > 1]
    names = [i for i, line in enumerate(above) if line.width > 1 and is_head(line, numeric)]
    if chosen is False:
        return [], [*wide, *layout.body], ""
    if names:
        last = names[-1]
        units = last - 1 in names and above[last - 1].width == above[last].width == layout.width
        return above[last - units : last + 1], [*above[last + 1 :], *layout.body], ""
    if chosen:
        first = wide[:1] or [line for line in layout.comments if line.width == layout.width][-1:] or layout.body[:1]
        return first, [line for line in [*wide, *layout.body] if line is not first[0]], ""
    if not wide and layout.body:
        last_comment = [line for line in layout.comments if line.number < layout.body[0].number][-1:]
        if last_comment and last_comment[0].width == layout.width:
            return [bare(last_comment[0])], layout.body, ""
    mixed = [line for line in wide if is_mixed(line, numeric)]
    question = f"Line {mixed[0].number} has words and numbers. Does it name the columns?" if mixed else ""
    return [], [*wide, *layout.body], question


def is_head(line: Line, numeric: list[int]) -> bool:
    """Whether its cells are words where the columns have numbers."""
    cells = [line.cells[i] for i in numeric if i < len(line.cells)]
    return not any(is_number(c) or like_number(c) for c in cells) and any(
        not is_missing(c) for c in cells or line.cells
    )


def is_mixed(line: Line, numeric: list[int]) -> bool:
    cells = [line.cells[i] for i in numeric if i < len(line.cells)]
    return any(map(is_number, cells)) and any(not like_number(c) and not is_missing(c) for c in cells)


def bare(comment: Line) -> Line:
    """A header that is written as a comment, without its sign."""
    return Line(comment.number, [comment.cells[0].lstrip("#%/ ") or comment.cells[0], *comment.cells[1:]])


# ---- the table


def tabulate(layout: Layout, head: list[Line], body: list[Line], decimal: str) -> Table:
    width = layout.width
    if width < 2:
        raise CsvError(
            "The file has one column; a fit needs two. Separate them by comma, semicolon or tab; "
            "what parts the columns can be chosen below."
        )
    rows, faults = [], {}
    for i, line in enumerate(body):
        if line.width > width:
            faults[i] = f"Line {line.number} has {line.width} cells, and the others {width}."
        elif i == len(body) - 1 and line.cells and next(filter(None, line.cells)).strip(": ").lower() in TOTALS:
            faults[i] = f"Line {line.number} is a total, not a row."
        rows.append(tuple((line.cells + [""] * width)[:width]))
    numbers = np.full((width, len(rows)), np.nan)
    for i, row in enumerate(rows):
        if i not in faults:
            numbers[:, i] = [value if (value := number(cell, decimal)) is not None else np.nan for cell in row]
    found = [i for i in layout.numeric if np.isfinite(numbers[i]).any()]
    if len(found) < 2:
        raise CsvError(too_few(found, rows, body, decimal))
    shifted = [""] if len(head) == 1 and head[0].width == width - 1 and layout.separator in "\t " else []  # R's way
    parts = [[*shifted, *line.cells, *[""] * width][:width] for line in head]
    names = plain_names([" ".join(filter(None, column)) for column in zip(*parts, strict=True)] or [""] * width)
    cells = tuple(tuple(row[i] for i in found) for row in rows)
    return Table(tuple(names[i] for i in found), numbers[found], cells, tuple(r.number for r in body), faults, decimal)


def too_few(found: list[int], rows: list[tuple[str, ...]], body: list[Line], decimal: str) -> str:
    """Why a file has no two columns of numbers: the first cell that might have been one."""
    said = "Only one column of the file has numbers; a fit needs two, one for x and one for y."
    if not found:
        said = "No row of the file has numbers. Upload a table with two columns of numbers."
    for row, line in zip(rows, body, strict=True):
        for i, cell in enumerate(row):
            if i not in found and cell and (like_number(cell) or is_date(cell)):
                return f"{said} On line {line.number}, {quoted(cell)} {why_not(cell, decimal)}."
    return said


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
