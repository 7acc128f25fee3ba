"""Which separator and decimal sign a CSV file has, and where its rows begin, found by looking at all of it. Pure."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from ui.linear_fit.csv_dates import are_days
from ui.linear_fit.csv_numbers import ambiguous_cell, decisive_cells, is_missing, is_number, number
from ui.linear_fit.csv_text import BLANKS, SEPARATORS, CsvError, Line, quoted, split_rows

MAX_COLUMNS = 50
MIN_NUMBER_SHARE = 0.5  # of the cells in a column of numbers that are not empty
MIN_COLUMN_SHARE = 0.1  # of the fullest column's numbers: one with fewer is no column of the table
MAX_TABLE_STARTS = 20  # rows that are tried as the first of the table, below settings that have numbers too
DECIMAL_COMMA = re.compile(r"[-+−–]?[0-9]+,[0-9]+(?:[eE][+-]?[0-9]+)?")
OTHER_SEPARATORS = {
    separator: re.compile("[ \t;,|]".replace(separator.strip(" ") or "\0", "")) for separator in SEPARATORS
}
YEARS = range(1800, 2200)
WHICH_COMMA = (
    "Do commas separate the columns, or are they decimal commas? If they separate, choose comma as separator; if "
    "they are decimal, save the file with semicolons between two columns."
)


@dataclass(frozen=True, eq=False)
class Layout:
    """The rows of a file, split by one separator."""

    separator: str
    above: list[Line]  # before the first row of numbers: titles, the header, units
    body: list[Line]  # from the first row with numbers, and nothing else, in the columns of numbers
    comments: list[Line]
    width: int
    numeric: list[int]  # the columns of numbers
    data: list[Line]  # from the first row that has a number anywhere

    @property
    def doubts(self) -> int:
        """How much speaks against the separator: rows of another width, and cells that another one may split."""
        misfits = sum(line.width > self.width for line in self.data)
        return misfits + sum(is_unclear(cell, self.separator) for line in self.data for cell in line.cells)


def choose_layout(text: str, chosen: str | None) -> tuple[Layout, dict[str, str]]:
    """The layout with the fewest doubts, and a question where several have as few. A ``chosen`` separator decides."""
    if chosen:
        return layout_with(text, chosen), {}
    found, refused = {}, None
    for separator in SEPARATORS:
        if not any(sign in text for sign in (" \t" if separator == BLANKS else separator)):
            continue
        try:
            layout = layout_with(text, separator)
        except CsvError as error:
            refused = refused or error
            continue
        if separator != BLANKS or all(line.width == layout.width for line in layout.data):
            found[separator] = layout
    fitting = {separator: layout for separator, layout in found.items() if len(layout.numeric) > 1}
    if refused and not fitting:
        raise refused
    if not fitting:
        ways = list(found.values()) or [layout_with(text, ",")]
        return max(ways, key=lambda layout: (len(layout.numeric), layout.separator != BLANKS)), {}
    doubts = {separator: layout.doubts for separator, layout in fitting.items()}
    least = min(doubts.values())
    best = [separator for separator in fitting if doubts[separator] == least]
    if "\t" in best and BLANKS in best:  # a tab is a blank too
        best.remove(BLANKS)
    questions = {}
    if len(best) > 1:
        between = " or ".join(SEPARATORS[separator] for separator in best)
        questions["separator"] = f"The columns can be separated by {between}. Which is the separator?"
    elif best == [BLANKS] and may_be_thousands(fitting[BLANKS]):
        doubt = "Spaces separate the columns, or group the thousands of one number."
        questions["separator"] = f"{doubt} Which is the separator?"
    return fitting[best[0]], questions


def layout_with(text: str, separator: str) -> Layout:
    """The layout of a text, split by a separator. Raises ``CsvError`` where it has comments only."""
    lines = [line for line in split_rows(text, separator) if line.width]
    comments = [line for line in lines if line.comment]
    rows = [line for line in lines if not line.comment]
    if not rows and comments:
        raise CsvError("Every line of the file is a comment. Upload a table with two columns of numbers.")
    numbered = [len(row.cells) > 1 and any(map(is_number, row.cells)) for row in rows]
    start = numbered.index(True) if True in numbered else len(rows)
    layout = layout_from(separator, rows, comments, start)
    if len(layout.numeric) < 2 and start < len(rows):  # settings above the table may have numbers too
        starts = [
            i for i in range(start + 1, len(rows)) if numbered[i] and not numbered[i - 1] and rows[i - 1].width > 1
        ]
        for start_below in starts[:MAX_TABLE_STARTS]:
            if sum(numbered[start:start_below]) <= sum(numbered[start_below:]):
                later = layout_from(separator, rows, comments, start_below)
                if len(later.numeric) > 1:
                    return later
    return layout


def layout_from(separator: str, rows: list[Line], comments: list[Line], start: int) -> Layout:
    """The layout of rows, of which those from ``start`` on have numbers."""
    data = rows[start:] or rows
    usual = Counter(len(row.cells) for row in data).most_common()
    usual_width = min((width for width, count in usual if count == usual[0][1]), default=0)
    filled_widths = Counter(row.width for row in data).most_common(1)
    widest = max(usual_width, filled_widths[0][0] if filled_widths else 0)
    if 0 < start < len(rows) and any(row.width == rows[start - 1].width for row in data):
        widest = max(widest, rows[start - 1].width)  # a row as wide as the header is no misfit
    width = max((row.width for row in data if row.width <= widest), default=0)
    full = [row.cells for row in data if row.width <= width]
    counts = {i: count_numbers([r[i] for r in full if i < len(r)]) for i in range(min(width, MAX_COLUMNS))}
    numeric = [i for i, count in counts.items() if count and count >= MIN_COLUMN_SHARE * max(counts.values())]
    first = next((i for i, row in enumerate(rows) if i >= start and is_data_row(row, numeric)), start)
    return Layout(separator, rows[:first], rows[first:], comments, width, numeric, data)


def count_numbers(cells: list[str]) -> int:
    """How many numbers a column has; 0 where it is none of numbers."""
    filled = [cell for cell in cells if not is_missing(cell)]
    numbers = sum(map(is_number, filled))
    return numbers if numbers >= MIN_NUMBER_SHARE * len(filled) and not are_days(filled) else 0


def is_data_row(line: Line, numeric: list[int]) -> bool:
    """Whether a line has numbers, and nothing else, in the columns of numbers."""
    cells = [line.cells[i] for i in numeric if i < len(line.cells)]
    return any(map(is_number, cells)) and all(is_number(cell) or is_missing(cell) for cell in cells)


def is_unclear(cell: str, separator: str) -> bool:
    """Whether a cell is no number and may be split: by another separator, or by a blank between two numbers."""
    others = OTHER_SEPARATORS[separator].findall(cell)
    if not others or is_number(cell) or is_missing(cell):
        return False
    if set(others) != {" "}:
        return True
    parts = cell.split()
    return any(a[-1].isdigit() and (b[0].isdigit() or b[0] in "+-.") for a, b in pairwise(parts))


def may_be_thousands(layout: Layout) -> bool:
    """Whether two columns may be one, with a blank between the thousands of its numbers."""
    return any(
        all(
            number(" ".join(line.cells[i : i + 2]), ".") is not None
            or number(" ".join(line.cells[i : i + 2]), ",") is not None
            for line in layout.body
        )
        for i in range(layout.width - 1)
    )


def check_decimal_comma(layout: Layout) -> tuple[str, str]:
    """A question where the commas between cells may be decimal ones, a note where they hardly are; else empty texts."""
    if not layout.body or not all(map(decimal_commas, layout.body)):
        return "", ""
    last = layout.above[-1] if layout.above else None
    if last and last.width > 1 and any(line.width == layout.width for line in layout.above[-2:-1]):
        return "", ""  # units, below as many names as columns
    row = quoted(",".join(layout.body[0].cells))
    if last is not None and 0 < len(last.cells) < layout.width:
        if any(decimal_commas(line) < line.width - len(last.cells) for line in layout.body):
            return "", ""
        one = "1 cell" if len(last.cells) == 1 else f"{len(last.cells)} cells"
        return f"Line {last.number} has {one}, and those below, such as {row}, have {layout.width}. {WHICH_COMMA}", ""
    # one column alone cannot be fitted, so two are the likelier where the first rises, as an x does
    whole = [line.cells[0] for line in layout.body]
    if last is not None or layout.width != 2 or len(set(whole)) == 1:
        return "", ""
    padded = any(re.fullmatch("0[0-9]+", line.cells[1]) for line in layout.body)
    if padded or len(set(whole)) < len(whole) or whole != sorted(whole, key=float):
        return f"A line such as {row} is two numbers, or one with a decimal comma. {WHICH_COMMA}", ""
    return "", f"Lines such as {row} are read as two numbers, not as one with a decimal comma."


def decimal_commas(line: Line) -> int:
    """How many of the commas between the cells of a row may be decimal ones."""
    count = at = 0
    while at < line.width - 1:
        joined = DECIMAL_COMMA.fullmatch(f"{line.cells[at]},{line.cells[at + 1]}") is not None
        count, at = count + joined, at + 1 + joined
    return count


def choose_decimal(layout: Layout, chosen: str | None) -> tuple[str, str]:
    """The decimal sign that all of a file's numbers can be read with, and a question where there may be two."""
    if chosen:
        return chosen, ""
    full = [line.cells for line in layout.body if line.width > 1]  # a single cell may be several to another separator
    cells = [row[i] for row in full for i in layout.numeric if i < len(row)]
    decisive = decisive_cells(cells)
    if len(decisive) == 2:
        point, comma = quoted(decisive["."]), quoted(decisive[","])
        return ".", f"{point} has a decimal point and {comma} a decimal comma. Which is meant?"
    if decisive:
        return next(iter(decisive)), ""
    doubtful = ambiguous_cell(cells)
    if doubtful and layout.separator != ",":  # who parts cells by commas writes a decimal point, if not shown otherwise
        with_point, with_comma = (f"{number(doubtful, sign):,.6g}".replace(",", "") for sign in ".,")
        return ".", (
            f"{quoted(doubtful)} is {with_point} with a decimal point and {with_comma} with a decimal comma, and no "
            "other number tells which. Which is the decimal sign?"
        )
    return ".", ""
