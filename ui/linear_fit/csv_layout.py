"""Which separator, decimal sign and header a CSV file has, found by looking at the whole of it. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from ui.linear_fit.csv_numbers import are_dates, evidence, is_missing, is_number, like_number, number, open_cell
from ui.linear_fit.csv_text import BLANKS, SEPARATORS, CsvError, Line, cut, quoted

MOST_COLUMNS = 50
ENOUGH = 0.5  # of a column's filled cells must be numbers


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
