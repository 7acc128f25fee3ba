"""Whether a file of numbers has a header, and which lines it is."""

from __future__ import annotations

import re

from ui.linear_fit.csv_layout import YEARS, Layout
from ui.linear_fit.csv_numbers import is_missing, is_number, resembles_number
from ui.linear_fit.csv_text import BLANKS, SEPARATORS, Line


def choose_header(layout: Layout, chosen: bool | None) -> tuple[list[Line], list[Line], str]:
    """The lines of the header, the rows of data, and a question where a line may be either."""
    above, numeric = layout.above, layout.numeric
    wide = [line for line in above if line.width > 1]
    names = [i for i, line in enumerate(above) if line.width > 1 and is_header(line, numeric)]
    if chosen is False:
        return [], [*wide, *layout.body], ""
    if names:
        last = names[-1]
        units = last - 1 in names and above[last].width <= layout.width == above[last - 1].width
        header = [split_header(line, layout) for line in above[last - units : last + 1]]
        return header, [*above[last + 1 :], *layout.body], ""
    if not wide and (comment := header_in_comment(layout)):
        return [comment], layout.body, ""
    rows = [*wide, *layout.body]
    if chosen:
        return rows[:1], rows[1:], ""
    mixed = [line for line in wide if is_mixed(line, numeric)]
    if mixed:
        return [], rows, f"Line {mixed[0].number} has words and numbers. Does it name the columns?"
    if has_number_labels(rows, numeric):
        run = ", ".join(filter(None, (rows[0].cells[i] for i in numeric[:4])))
        return [], rows, f"Line {rows[0].number} has the numbers {run}. Do they name the columns, or are they data?"
    return [], rows, ""


def is_header(line: Line, numeric: list[int]) -> bool:
    """Whether a line has words, and no number, in the columns of numbers. A unit such as 5 V counts as neither."""
    cells = [line.cells[i] for i in numeric if i < len(line.cells)]
    words = [c for c in cells or line.cells if not is_missing(c) and not resembles_number(c)]
    return bool(words) and not any(is_number(c) or (resembles_number(c) and not has_letter(c)) for c in cells)


def has_letter(cell: str) -> bool:
    """Whether a cell has a letter of any script."""
    return any(c.isalpha() for c in cell)


def is_mixed(line: Line, numeric: list[int]) -> bool:
    """Whether a line has both numbers and words in the columns of numbers."""
    cells = [line.cells[i] for i in numeric if i < len(line.cells)]
    return any(map(is_number, cells)) and any(not resembles_number(c) and not is_missing(c) for c in cells)


def has_number_labels(rows: list[Line], numeric: list[int]) -> bool:
    """Whether the first row, and no other, has numbers that may name the columns: years, or 0, 1, 2."""
    runs = [evenly_spaced([line.cells[i] if i < len(line.cells) else "" for i in numeric]) for line in rows]
    if len(runs) < 2 or not runs[0]:
        return False
    first, counted = rows[0].cells, runs[0].start in (0, 1) and runs[0].step == 1
    if all(year in YEARS for year in runs[0]):
        return not any(run and run.start in YEARS for run in runs[1:])
    if counted and not first[0] and all(line.cells[0] for line in rows[1:]):
        return True
    if len(runs[0]) < 3 or any(runs[1:]):
        return False
    if any(cell for i, cell in enumerate(first) if i not in numeric):  # a word beside the numbers
        return True
    broken = all(any("." in "".join(line.cells[i : i + 1]) for line in rows[1:]) for i in numeric)
    return broken and counted


def evenly_spaced(cells: list[str]) -> range | None:
    """The numbers of a row as a range, where they are whole and rise evenly; else None. The first cell may be empty."""
    filled = cells if cells and cells[0] else cells[1:]
    if len(filled) < 2 or not all(re.fullmatch("[0-9]{1,9}", cell) for cell in filled):
        return None
    values = [int(cell) for cell in filled]
    steps = range(values[0], values[-1] + 1, max(1, values[1] - values[0]))
    return steps if len(steps) == len(values) and list(steps) == values else None


def header_in_comment(layout: Layout) -> Line | None:
    """The last comment above the data as a header, where it has a name for every column."""
    before = [line for line in layout.comments if layout.body and line.number < layout.body[0].number]
    worded = [line for line in before if any(map(has_letter, line.cells))]
    if not worded:
        return None
    number, cells = worded[-1].number, [worded[-1].cells[0].lstrip("#%/ "), *worded[-1].cells[1:]]
    cells = cells if cells[0] else cells[1:]
    cut_again = [" ".join(cells).split(sign) for sign in SEPARATORS if sign != BLANKS]
    ways = (
        [*cut_again, with_units(cells)] if layout.separator == BLANKS else [cells, *cut_again, " ".join(cells).split()]
    )
    return next((Line(number, [*map(str.strip, way)]) for way in ways if len(way) == layout.width), None)


def split_header(line: Line, layout: Layout) -> Line:
    """A header line by columns. It has no names where blanks separate the words of one, so that there are too many."""
    if layout.separator != BLANKS or line.width <= layout.width:
        return line
    cells = with_units(line.cells)
    return Line(line.number, cells if len(cells) == layout.width else [])


def with_units(words: list[str]) -> list[str]:
    """Words as names of columns: a unit in brackets belongs to the word before it."""
    joined: list[str] = []
    for word in words:
        if joined and word[:1] in ("(", "["):
            joined[-1] += f" {word}"
        else:
            joined.append(word)
    return joined
