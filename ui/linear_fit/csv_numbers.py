"""How numbers are written: with a decimal point or comma, and thousands in groups of three.

Python's ``float`` does not decide what is a number: it takes ``1_000`` and ``infinity`` too.
"""

from __future__ import annotations

import math
import re
import unicodedata
from functools import lru_cache

from ui.linear_fit.csv_dates import is_date

DECIMALS = {".": "point", ",": "comma"}
MISSING = {"", "na", "n/a", "nan", "null", "none", "-", "–", "?", "inf", "-inf", "+inf", "infinity", "-infinity"}
MISSING |= {"#n/a", "#nv", "nil", "missing", ".", "--", "—"}
MINUS = re.compile(r"^[−–‒‐‑﹣－](?=\s*[0-9.,])")
PLAIN = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?")  # most cells: an early answer to a frequent question
NUMBER_CHARACTERS = re.compile(r"[0-9.,'’\s+eEdD−–‒‐‑﹣－-]+")
LAKHS = re.compile(r"[+-]?[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}(?:\.[0-9]+)?")  # as in India: 12,34,567
UNIT = re.compile(r"[+-]?[0-9][0-9.,'  ]*?\s?([^\W\d_]{1,4})|([A-Z]{3})\s?[+-]?[0-9][0-9.,'  ]*")


def number_pattern(decimal: str, other: str) -> re.Pattern[str]:
    """What a number looks like with a decimal sign, where ``other`` may group the thousands."""
    point, comma = re.escape(decimal), re.escape(other)
    trailing = "*" if decimal == "." else "+"  # "5." is written, "5," is not
    return re.compile(
        rf"[+-]?(?:(?P<grouped>[1-9][0-9]{{0,2}}(?P<sign>[{comma} '’\u00a0\u2009\u202f])[0-9]{{3}}"
        rf"(?:(?P=sign)[0-9]{{3}})*(?:{point}[0-9]+)?)"
        rf"|(?:[0-9]+(?:{point}[0-9]{trailing})?|{point}[0-9]+)(?:[eE][+-]?[0-9]+|[dD][+-][0-9]+)?)"  # D is Fortran's
    )


NUMBER_PATTERNS = {".": number_pattern(".", ","), ",": number_pattern(",", ".")}


@lru_cache(maxsize=100_000)
def number(cell: str, decimal: str) -> float | None:
    """A cell as a number, with ``decimal`` as the decimal sign; None where it is none that 64 bits can hold."""
    clean = MINUS.sub("-", cell.strip())
    found = NUMBER_PATTERNS[decimal].fullmatch(clean)
    if found:
        clean = clean.replace(found["sign"], "") if found["grouped"] else clean
    elif decimal == "." and LAKHS.fullmatch(clean):
        clean = clean.replace(",", "")
    else:
        return None
    value = float(clean.replace(",", ".").upper().replace("D", "E"))
    return value if math.isfinite(value) else None


def is_number(cell: str) -> bool:
    """Whether a cell is a number with one decimal sign or the other."""
    if len(cell) < 16 and PLAIN.fullmatch(cell):
        return True
    return bool(NUMBER_CHARACTERS.fullmatch(cell)) and (number(cell, ".") is not None or number(cell, ",") is not None)


def is_missing(cell: str) -> bool:
    """Whether a cell is empty, or has one of the usual words for a missing value."""
    return cell.lower() in MISSING


def resembles_number(cell: str) -> bool:
    """Whether a cell is meant as a number, readable or not: it has digits, and no word beside them."""
    return bool(re.search("[0-9]", cell)) and not re.search(r"[^\W\d_]{2,}|^[^\W\d_]", cell)


def has_unit(cell: str) -> bool:
    """Whether a cell is a number with its unit or currency in letters, such as 5 kg."""
    return bool(UNIT.fullmatch(cell))


def decisive_cells(cells: list[str]) -> dict[str, str]:
    """For each decimal sign the first cell that is a number with this one only, if there is any."""
    decisive: dict[str, str] = {}
    for cell in cells:
        if cell.isdigit() or any(number(cell, sign) is not None for sign in decisive):
            continue
        point, comma = number(cell, "."), number(cell, ",")
        if (point is None) != (comma is None):
            decisive["." if comma is None else ","] = cell
            if len(decisive) == 2:
                break
    return decisive


def ambiguous_cell(cells: list[str]) -> str | None:
    """The first cell that is one number with a decimal point and another with a decimal comma, such as 1,234."""
    return next((c for c in cells if not c.isdigit() and is_number(c) and number(c, ".") != number(c, ",")), None)


DATES_NOT_READ = "is a date or a time, and those are not read: write it as a number, such as days since the first"


def explain_not_number(cell: str, decimal: str) -> str:
    """Why a cell is no number, in words that go on from the cell itself."""
    if not cell:
        return "is empty"
    if is_missing(cell):
        return "stands for a missing value"
    if is_date(cell):
        return DATES_NOT_READ
    if is_number(cell):
        return f"has a decimal {DECIMALS[',' if decimal == '.' else '.']}, unlike what is read here"
    if any(found.fullmatch(cell) for found in NUMBER_PATTERNS.values()):
        return "is larger than a number can be"
    if unit := UNIT.fullmatch(cell):
        return f"has “{unit[1] or unit[2]}” in it; only plain numbers are read, so take it out"
    if resembles_number(cell):
        signs = [c for c in cell if unicodedata.category(c) == "Sc" or c in "%‰()<>~≈±_"]
        if signs:
            return f"has the sign {signs[0]} in it; only plain numbers are read, so take it out"
        if re.fullmatch(r"[+-]?[0-9]+(?:[.,' ][0-9]+)+", cell):
            return "is not grouped in threes, or has two decimal signs"
    return "is not a number"
