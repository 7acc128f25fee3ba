"""The text of a visitor's CSV file, and its cells. Pure: bytes in, text out; what is no CSV raises ``CsvError``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ui.linear_fit.csv_encoding import ENCODINGS, decode_bytes

BLANKS = " "  # as a separator: any run of blanks
SEPARATORS = {"\t": "tab", ";": "semicolon", ",": "comma", "|": "vertical bar", BLANKS: "spaces"}
MAX_CELL_LENGTH = 131_072
UNCLOSED_QUOTE = "A cell of the file never ends: a quotation mark may be missing."
ENDLESS_CELL = (
    f"A cell of the file has more than {MAX_CELL_LENGTH:,} letters. Upload a table with two columns of numbers."
)
MAX_QUOTED = 40  # characters of a cell in a message

WHAT_TO_DO = "Save the table as CSV (comma-separated text) and upload that."
FILE_SIGNATURES = {b"\x89PNG": "a PNG picture", b"\xff\xd8\xff": "a JPEG picture", b"GIF8": "a GIF picture"}
FILE_SIGNATURES |= {b"%PDF": "a PDF", b"\xd0\xcf\x11\xe0": "an old Excel file (.xls)"}
FILE_SIGNATURES |= {b"PK\x03\x04": "a zip archive, as Excel's .xlsx files are", b"\x1f\x8b": "a compressed file"}
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")  # copied along from web pages and sheets
RULED_LINE = re.compile(r"[-=_:+*~]{3,}")
# a sheet's #N/A or #REF! at the start of a line is a cell, not a comment
COMMENT = re.compile(r"\s*(?:%|//|#(?!\w+[/\w]*[!?]|N/A|NV))", re.IGNORECASE)


class CsvError(ValueError):
    """A file, or a pair of its columns, that no line can be fitted to. The message is one line and says what to do."""


@dataclass(frozen=True)
class Line:
    """The cells of one row, and the number of the file's line that it begins on, from 1."""

    number: int
    cells: list[str]

    @property
    def width(self) -> int:
        """How many cells there are up to the last that is not empty."""
        return next((i for i in range(len(self.cells), 0, -1) if self.cells[i - 1]), 0)

    @property
    def comment(self) -> bool:
        """Whether it is a comment, or a ruled line between rows, such as ---."""
        if self.cells and COMMENT.match(self.cells[0]):
            return True
        return self.width > 0 and all(RULED_LINE.fullmatch(cell) for cell in self.cells if cell)


def decode_text(content: bytes, chosen: str | None = None) -> tuple[str, str]:
    """A file's encoding, and its text with newlines only. Raises ``CsvError`` where it is no text, or none of CSV."""
    for start, kind in FILE_SIGNATURES.items():
        if content.startswith(start):
            raise CsvError(f"This is {kind}, not CSV. {WHAT_TO_DO}")
    try:
        encoding, text = decode_bytes(content, chosen)
    except UnicodeDecodeError:
        raise CsvError(
            f"The file is not in the encoding {ENCODINGS[chosen or 'utf-8']}. Choose another below."
        ) from None
    text = INVISIBLE.sub("", re.sub("\r\n?", "\n", text))
    if CONTROL.search(text):
        raise CsvError(f"This file is no text, so not CSV. {WHAT_TO_DO}")
    if is_markup(text.lstrip()):
        raise CsvError(f"This is a web page or another kind of markup, not CSV. {WHAT_TO_DO}")
    if is_json(text.lstrip()):
        raise CsvError(f"This looks like JSON, not CSV. {WHAT_TO_DO}")
    return encoding, text


def is_markup(text: str) -> bool:
    """Whether a text begins as XML or HTML does: with a declaration, or with an element that is closed further on."""
    if text.startswith(("<!", "<?")):
        return True
    element = re.match(r"<(\w+)[^<>\n]*>", text)
    usual = element is not None and element[1].lower() in ("html", "head", "body", "table", "svg")
    return usual or (element is not None and f"</{element[1]}" in text)


def is_json(text: str) -> bool:
    """Whether a text begins as JSON does. It may be cut off, or have a document on each line."""
    if re.match(r'\{\s*["}]', text):
        return True
    if not text.startswith("["):
        return False
    for part in (text, text.partition("\n")[0]):
        try:
            json.loads(part)
        except (ValueError, RecursionError):
            continue
        return True
    return bool(re.match(r'\[\s*[{\["]', text))


def declared_separator(text: str) -> tuple[str | None, str]:
    """The separator that a first line such as Excel's ``sep=;`` names, and the text with that line emptied."""
    declared = re.match(r"\"?sep=([,;\t|])\"?(?=\n)", text, re.IGNORECASE)
    return (declared[1], text[declared.end() :]) if declared else (None, text)


def split_rows(text: str, separator: str) -> list[Line]:
    """The rows of a text, comments among them, without empty ones. A quotation mark inside a cell is a mere character.

    Raises ``CsvError`` where a cell in quotation marks holds whole rows: a mark is missing, and they would be lost.
    """
    rows, number = [], 1
    for cells, enclosed, spanned in tokenize_rows(text, separator):
        if any(cells):
            swallowed = [part for cell in enclosed for part in cell.split("\n")[1:]]
            if any(part.count(separator) >= max(1, len(cells) - 1) for part in swallowed):
                raise CsvError(
                    f"On line {number} a cell in quotation marks runs on into other rows: a quotation mark may be "
                    "missing. Put it in, or take that one out."
                )
            rows.append(Line(number, cells))
        number += spanned
    return rows


def split_plain_row(row: str, separator: str) -> list[str]:
    """The cells of a row without quotation marks."""
    parts = re.split("[ \t]+", row.strip(" \t")) if separator == BLANKS else row.split(separator)
    if max(map(len, parts)) > MAX_CELL_LENGTH:
        raise CsvError(ENDLESS_CELL)
    return [part.strip() for part in parts]


def tokenize_rows(text: str, separator: str) -> Iterator[tuple[list[str], list[str], int]]:
    """For each row its cells, those of them with a line end inside quotation marks, and how many lines it spans."""
    between = "[ \t]+" if separator == BLANKS else re.escape(separator)
    plain = r"[^ \t\n]*" if separator == BLANKS else rf"[^{re.escape(separator)}\n]*"
    cell = re.compile(rf'[ ]*"((?:[^"]|"")*+)"[ ]*(?={between}|\n|\Z)|({plain})')
    gap = re.compile(between)
    at, spanned = 0, 1
    cells: list[str] = []
    enclosed: list[str] = []
    while at <= len(text):
        if not cells and '"' not in (row := text[at : ends if (ends := text.find("\n", at)) >= 0 else len(text)]):
            yield split_plain_row(row, separator), [], 1
            at += len(row) + 1
            continue
        if separator == BLANKS and not cells and (lead := gap.match(text, at)):
            at = lead.end()
        found = cell.match(text, at)
        assert found is not None  # the plain cell may be empty
        if found[1] is None:
            cells.append(found[2].strip())
        else:
            cells.append(" ".join(found[1].replace('""', '"').split("\n")).strip())
            if "\n" in found[1]:
                enclosed.append(found[1])
                spanned += found[1].count("\n")
        if len(cells[-1]) > MAX_CELL_LENGTH:
            raise CsvError(UNCLOSED_QUOTE)
        at = found.end()
        if parted := gap.match(text, at):
            at = parted.end()
            continue
        yield cells, enclosed, spanned
        cells, enclosed, spanned, at = [], [], 1, at + 1


def quoted(cell: str) -> str:
    """A visitor's own text for a message: on one line, of at most 40 characters, in quotation marks."""
    plain = "".join(c if c.isprintable() else " " for c in cell)
    return f"“{plain[: MAX_QUOTED - 1]}…”" if len(plain) > MAX_QUOTED else f"“{plain}”"
