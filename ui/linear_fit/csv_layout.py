"""Which separator, decimal sign and header a CSV file has, found by looking at the whole of it. Pure."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from ui.linear_fit.csv_dates import are_days
from ui.linear_fit.csv_numbers import evidence, is_missing, is_number, number, open_cell
from ui.linear_fit.csv_text import BLANKS, SEPARATORS, CsvError, Line, cut, quoted

MOST_COLUMNS = 50
ENOUGH = 0.5  # of a column's filled cells must be numbers
SPARSE = 0.1  # a column with a smaller share of the fullest one's numbers is a preamble beside the table
SETTINGS = 20  # places above which a file may have settings
DECIMAL_COMMA = re.compile(r"[-+−–]?[0-9]+,[0-9]+(?:[eE][+-]?[0-9]+)?")
OTHERS = {separator: re.compile("[ \t;,|]".replace(separator.strip(" ") or "\0", "")) for separator in SEPARATORS}
YEARS = range(1800, 2200)
WHICH_COMMA = (
    "Do commas part the columns, or are they decimal commas? If they part them, choose comma as the separator; if "
    "they are decimal, save the file with semicolons between two columns."
)


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


def choose_layout(text: str, chosen: str | None) -> tuple[Layout, dict[str, str]]:
    """The separator that parts every line alike into numbers; and a question where two do."""
    if chosen:
        return lay_out(text, chosen), {}
    found, refused = {}, None
    for separator in SEPARATORS:
        if not any(sign in text for sign in (" \t" if separator == BLANKS else separator)):
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
        ways = list(found.values()) or [lay_out(text, ",")]
        return max(ways, key=lambda layout: (len(layout.numeric), layout.separator != BLANKS)), {}
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
    if not rows and comments:
        raise CsvError("Every line of the file is a comment. Upload a table with two columns of numbers.")
    numbered = [len(row.cells) > 1 and any(map(is_number, row.cells)) for row in rows]
    start = numbered.index(True) if True in numbered else len(rows)
    layout = arrange(separator, rows, comments, start)
    if len(layout.numeric) < 2 and start < len(rows):  # settings above the table may have numbers too
        heads = [
            i for i in range(start + 1, len(rows)) if numbered[i] and not numbered[i - 1] and rows[i - 1].width > 1
        ]
        for below in heads[:SETTINGS]:
            if sum(numbered[start:below]) <= sum(numbered[below:]):
                later = arrange(separator, rows, comments, below)
                if len(later.numeric) > 1:
                    return later
    return layout


def arrange(separator: str, rows: list[Line], comments: list[Line], start: int) -> Layout:
    """The layout of rows whose numbers begin at one of them."""
    data = rows[start:] or rows
    usual = Counter(len(row.cells) for row in data).most_common()
    raw = min((width for width, count in usual if count == usual[0][1]), default=0)
    held = Counter(row.width for row in data).most_common(1)
    most = max(raw, held[0][0] if held else 0)
    if 0 < start < len(rows) and any(row.width == rows[start - 1].width for row in data):
        most = max(most, rows[start - 1].width)  # a row as wide as the header is no misfit
    width = max((row.width for row in data if row.width <= most), default=0)
    full = [row.cells for row in data if row.width <= width]
    counts = {i: count_numbers([r[i] for r in full if i < len(r)]) for i in range(min(width, MOST_COLUMNS))}
    numeric = [i for i, count in counts.items() if count and count >= SPARSE * max(counts.values())]
    good = next((i for i, row in enumerate(rows) if i >= start and is_good(row, numeric)), start)
    return Layout(separator, rows[:good], rows[good:], comments, width, numeric, data)


def count_numbers(cells: list[str]) -> int:
    """How many numbers there are in a column; 0 where it is not one of numbers."""
    filled = [cell for cell in cells if not is_missing(cell)]
    numbers = sum(map(is_number, filled))
    return numbers if numbers >= ENOUGH * len(filled) and not are_days(filled) else 0


def is_good(line: Line, numeric: list[int]) -> bool:
    cells = [line.cells[i] for i in numeric if i < len(line.cells)]
    return any(map(is_number, cells)) and all(is_number(cell) or is_missing(cell) for cell in cells)


def unclear(cell: str, separator: str) -> bool:
    """Whether a cell that is no number has another separator in it, or a blank between two figures."""
    others = OTHERS[separator].findall(cell)
    if not others or is_number(cell) or is_missing(cell):
        return False
    if set(others) != {" "}:
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


def doubt_comma(layout: Layout) -> tuple[str, str]:
    """A question where the commas that part the cells may be decimal ones; a note where they hardly are."""
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
    # one column alone cannot be fitted, so two are the better guess where the first is an x, which rises
    whole = [line.cells[0] for line in layout.body]
    if last is not None or layout.width != 2 or len(set(whole)) == 1:
        return "", ""
    padded = any(re.fullmatch("0[0-9]+", line.cells[1]) for line in layout.body)
    if padded or len(set(whole)) < len(whole) or whole != sorted(whole, key=float):
        return f"A line such as {row} is two numbers, or one with a decimal comma. {WHICH_COMMA}", ""
    return "", f"Lines such as {row} are read as two numbers, not as one with a decimal comma."


def decimal_commas(line: Line) -> int:
    """How many of the commas between the cells of a row can be decimal ones."""
    count = at = 0
    while at < line.width - 1:
        joined = DECIMAL_COMMA.fullmatch(f"{line.cells[at]},{line.cells[at + 1]}") is not None
        count, at = count + joined, at + 1 + joined
    return count


def choose_decimal(layout: Layout, chosen: str | None) -> tuple[str, str]:
    """The one decimal sign with which the file's numbers can be read; and a question where the file leaves it open."""
    if chosen:
        return chosen, ""
    full = [line.cells for line in layout.body if line.width > 1]  # one cell alone may be cut by another separator
    cells = [row[i] for row in full for i in layout.numeric if i < len(row)]
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
