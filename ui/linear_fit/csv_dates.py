"""How dates are written, and when a column of numbers may be one of dates. Dates are recognized, never read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from itertools import pairwise

DATES = (
    r"[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}([T ].*)?",
    r"[0-9]{1,2}[-/.] ?[0-9]{1,2}[-/.] ?[0-9]{2,4}([T ].*)?",
    r"[0-9]{4}-[0-9]{2}",
    r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?([.,][0-9]+)?( ?[ap]m)?",
    r"[0-9]{1,2}\.[0-9]{1,2}\.|[0-9]{1,2}/[0-9]{1,2}",
    r"[0-9]{1,2}[-. ]{1,2}(jan|feb|mar|mär|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[^\W\d_]*",
    r"[0-9]{1,2}[-. /]{1,2}[^\W\d_]{3,9}\.?[-. /,]{1,2}[0-9]{2,4}",
    r"[^\W\d_]{3,9}\.?[- ][0-9]{1,2},? [0-9]{4}",
)
DATE = re.compile("|".join(DATES), re.IGNORECASE)
# Each of these could be a number, but a column with nothing else is one of dates: 01.02 to 31.12, 01.2024 to 12.2024
DATE_COLUMN = re.compile(r"(0[1-9]|[12][0-9]|3[01])\.(0[1-9]|1[0-2])\.?|(0[1-9]|1[0-2])[./](19|20)[0-9]{2}")
# Numbers that may be dates: 13.02 is a day and a month, 3.2024 and 2024.03 are a month and a year
MONTH, YEAR = r"0[1-9]|1[0-2]", r"(?:19|20)[0-9]{2}"
CALENDAR_NUMBER = re.compile(
    rf"(?P<day>[1-9]|[12][0-9]|3[01])\.(?P<month>{MONTH})"
    rf"|(?P<month_first>[1-9]|1[0-2])\.(?P<year_last>{YEAR})|(?P<year_first>{YEAR})\.(?P<month_last>{MONTH})"
)
DATE_WORDS = {"date", "dates", "day", "days", "month", "datum", "tag", "tage", "monat", "jour", "mois", "fecha", "día"}
DATE_WORDS |= {"dia", "mes", "giorno", "mese", "dato", "dag", "maand", "dzień", "den", "дата", "день", "месяц"}


def is_date(cell: str) -> bool:
    """Whether a cell is written as a date or a time, and so is no number."""
    return bool(DATE.fullmatch(cell))


def are_dates(cells: list[str]) -> bool:
    """Whether a column is one of dates: half of its cells are, or all may be."""
    return sum(map(is_date, cells)) >= 0.5 * len(cells) > 0 or are_days(cells)


def are_days(cells: list[str]) -> bool:
    """Whether all cells may be days of a month, or months of a year, and some begin with 0, as no number does."""
    return bool(cells) and all(map(DATE_COLUMN.fullmatch, cells)) and any(cell.startswith("0") for cell in cells)


def calendar_pairs(cells: Sequence[str]) -> list[tuple[int, int]]:
    """A column of numbers as pairs (month, day) or (year, month), where every one may be such; else no pairs."""
    found = [CALENDAR_NUMBER.fullmatch(cell) for cell in cells]
    if len(found) < 2 or not all(found) or len({match.lastgroup for match in found if match}) > 1:
        return []
    pairs = []
    for match in filter(None, found):
        first, second = (int(part) for part in match.groups() if part)
        pairs.append((first, second) if match["year_first"] else (second, first))
        if match["day"] and not is_day(*pairs[-1]):
            return []
    return pairs


def is_day(month: int, day: int) -> bool:
    """Whether some year has this day."""
    try:
        date(2024, month, day)  # a leap year: any day that there is
    except ValueError:
        return False
    return True


def run_like_dates(pairs: list[tuple[int, int]]) -> bool:
    """Whether pairs follow each other as dates do: all in one month, or rising, with smaller days in each next month.

    The same of years and months.
    """
    if len({outer for outer, _ in pairs}) == 1:
        return len({inner for _, inner in pairs}) == len(pairs) > 1
    if len(pairs) > 2 and pairs[0] > pairs[-1]:
        pairs = pairs[::-1]
    month_ends = [(a, b) for a, b in pairwise(pairs) if a[0] != b[0]]
    return len(pairs) > 2 and all(a < b for a, b in pairwise(pairs)) and all(a[1] > b[1] for a, b in month_ends)


def is_date_name(name: str) -> bool:
    """Whether a column's name says that it holds dates."""
    return not DATE_WORDS.isdisjoint(re.findall(r"[^\W\d_]+", name.lower()))
