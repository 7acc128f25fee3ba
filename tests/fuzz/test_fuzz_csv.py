"""CSV files that nobody thought of: known numbers in any convention are read as they were written, or not at all."""

from dataclasses import dataclass

import numpy as np
from fuzzing import fuzz
from hypothesis import assume, given
from hypothesis import strategies as st

from ui.linear_fit.csv_data import Choices, Table, read_file
from ui.linear_fit.csv_pairs import pairs
from ui.linear_fit.csv_text import CsvError

MISSING = ["", "NA", "n/a", "-", "NaN"]
LABELS = ["Adam", "b c", "Größe", "x1", "R. Ohm"]
ENCODED = {"utf-8": "utf-8", "utf-8-sig": "utf-8", "utf-16": "utf-16", "cp1252": "cp1252"}


@dataclass
class File:
    """A file, and what is in it."""

    content: bytes
    separator: str
    decimal: str
    header: bool
    numbers: np.ndarray  # (rows, 2), NaN where a cell is empty

    @property
    def choices(self):
        """How it is to be read."""
        return Choices(separator=self.separator, decimal=self.decimal, header=self.header, dates=False)


@dataclass
class Dialect:
    """How numbers are written."""

    decimal: str
    group: str
    digits: int
    trimmed: bool
    minus: str
    plus: str

    def written(self, value: int) -> str:
        """A number of so many units of the last digit."""
        text = f"{abs(value) // 10**self.digits:,}".replace(",", self.group)
        part = f"{abs(value) % 10**self.digits:0{self.digits}d}" if self.digits else ""
        part = part.rstrip("0") if self.trimmed else part
        return (self.minus if value < 0 else self.plus) + text + (self.decimal + part if part else "")


dialects = st.builds(
    Dialect,
    decimal=st.sampled_from(".,"),
    group=st.sampled_from(["", "", ",", ".", " ", "'", "\u00a0", "\u202f"]),
    digits=st.integers(0, 4),
    trimmed=st.booleans(),
    minus=st.sampled_from(["-", "-", "−"]),
    plus=st.sampled_from(["", "", "+"]),
).filter(lambda d: d.group != d.decimal)
units = st.one_of(st.integers(-3_000_000, 3_000_000), st.integers(-200, 200), st.integers(1900, 2100))


@st.composite
def files(draw):
    """Numbers, and a file that holds them in one convention."""
    dialect, separator = draw(dialects), draw(st.sampled_from("\t;,| "))
    assume(not (separator == dialect.group == " "))
    rows = draw(st.lists(st.tuples(units, units), min_size=2, max_size=8))  # of one row nothing is drawn
    always, gaps = draw(st.booleans()), draw(st.integers(0, 5)) == 0 and separator != " "
    texts = [[dialect.written(value) for value in row] for row in rows]
    if separator == dialect.decimal == ",":
        # a comma file has a decimal point unless one of its numbers shows otherwise
        assume(any("," in cell and len(cell.rpartition(",")[2]) != 3 for row in texts for cell in row))
    numbers = np.array(rows, float) / 10**dialect.digits
    if gaps:
        for place in draw(st.lists(st.integers(0, len(rows) - 1), unique=True, max_size=len(rows) // 2)):
            side = draw(st.integers(0, 1))
            texts[place][side], numbers[place, side] = draw(st.sampled_from(MISSING)), np.nan
    names = ["time", "speed"]
    if separator != " " and draw(st.booleans()):  # a column of words
        at, words = draw(st.integers(0, 2)), draw(st.lists(st.sampled_from(LABELS), min_size=8, max_size=8))
        names.insert(at, "who")
        texts = [[*row[:at], word, *row[at:]] for row, word in zip(texts, words, strict=False)]
    cells = [[f'"{c}"' if always or separator in c else c for c in row] for row in texts]
    head = draw(st.sampled_from([[], [names], [["# " + names[0], *names[1:]]]]))
    above = draw(st.sampled_from([[], ["Logger 5"], ["made by;me, on: Monday", ""], [f"Serial{separator}205"]]))
    assume(head or not above or above == ["Logger 5"])
    if draw(st.booleans()) and separator != " ":  # a row that ends early, or has a remark behind it
        word = "x" if "who" in names else "7"
        odd = draw(st.sampled_from([[word], ["n/a"] * len(names), [*["x", "n/a", "y"][: len(names)], "remark"]]))
        cells.insert(draw(st.integers(0, len(rows))), odd)
    blank = draw(st.sampled_from(["", " "])) if separator in ",;|" else ""
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    lines = [*above, *(separator.join(row) for row in head), *((separator + blank).join(row) for row in cells)]
    text = end.join(lines) + draw(st.sampled_from(["", end, end * 2]))
    encoding = draw(st.sampled_from(list(ENCODED)))
    content = text.encode(encoding, errors="replace" if encoding == "cp1252" else "strict")
    assume(b"?" not in content)
    return File(content, separator, dialect.decimal, bool(head), numbers)


def whole_rows(table: Table):
    """The rows of a table that have a number in each column."""
    return table.columns[:, np.isfinite(table.columns).all(axis=0)]


def assert_is_one_clear_line(text):
    assert text.isprintable()
    assert text.endswith((".", "?"))
    assert len(text) < 400


@fuzz(deep=5000, suite=300)
@given(files())
def test_numbers_in_any_convention_are_read_as_they_were_written_or_not_at_all(file):
    try:
        reading = read_file(file.content, Choices())
    except CsvError as error:
        assert_is_one_clear_line(str(error))
        return
    if reading.questions:
        assert reading.table is None
        for question in reading.questions.values():
            assert_is_one_clear_line(question)
        return
    wanted = file.numbers[np.isfinite(file.numbers).all(axis=1)]
    np.testing.assert_allclose(whole_rows(reading.table)[:2].T, wanted, rtol=1e-12)


@fuzz(deep=2000, suite=100)
@given(files())
def test_a_file_that_is_read_as_its_visitor_says_has_the_numbers_that_were_written(file):
    try:
        reading = read_file(file.content, file.choices)
    except CsvError as error:
        assert_is_one_clear_line(str(error))
        return
    assert not reading.questions
    wanted = file.numbers[np.isfinite(file.numbers).all(axis=1)]
    np.testing.assert_allclose(whole_rows(reading.table)[:2].T, wanted, rtol=1e-12)


pieces = st.sampled_from(
    [b",", b";", b"\t", b"\n", b'"', b"\xe9", b"\xef\xbb\xbf", b"-", b"e", b"\r", b"sep=;\n", b"\0"]
)
slips = st.lists(
    st.tuples(st.integers(0, 200), st.integers(0, 3), st.one_of(pieces, st.binary(max_size=3))), max_size=6
)
any_choices = st.builds(
    Choices,
    separator=st.sampled_from([None, *"\t;,| "]),
    decimal=st.sampled_from([None, *".,"]),
    header=st.sampled_from([None, True, False]),
    encoding=st.sampled_from([None, "utf-8", "utf-16-le", "cp1252", "cp932"]),
    dates=st.sampled_from([None, True, False]),
)


@fuzz(deep=5000, suite=200)
@given(st.one_of(files().map(lambda file: file.content), st.binary(max_size=80)), slips, any_choices)
def test_any_bytes_read_in_any_way_are_points_or_one_clear_line(content, slips, choices):
    for at, many, piece in slips:
        content = content[:at] + piece + content[at + many :]
    try:
        reading = read_file(content, choices)
        for text in (*reading.questions.values(), *reading.notes):
            assert_is_one_clear_line(text)
        if reading.questions:
            return
        table = reading.table
        assert len(table.names) == len({*table.names}) == len(table.columns) >= 2
        assert not np.isinf(table.columns).any()
        found = pairs(table, 0, 1)
    except CsvError as error:
        assert_is_one_clear_line(str(error))
        return
    assert len(found.x) + found.dropped == table.rows
    assert np.isfinite([found.x, found.y]).all()
    assert not found.dropped or found.first_fault
    if found.first_fault:
        assert_is_one_clear_line(found.first_fault)
