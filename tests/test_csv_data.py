"""A visitor's CSV file: what it says is read, and what it cannot be is said in one line."""

import tracemalloc

import numpy as np
import pytest

from ui.linear_fit.csv_data import MOST_BYTES, MOST_COLUMNS, MOST_ROWS, NAME_LENGTH, CsvError, pairs, read

X, Y = [1.0, 2.0, 3.5], [-2.0, 0.25, 4e3]
PLAIN = "1,-2\n2,0.25\n3.5,4e3\n"

SAME = {
    "without a header": PLAIN,
    "with a header": f"x,y\n{PLAIN}",
    "with semicolons": PLAIN.replace(",", ";"),
    "with tabs": PLAIN.replace(",", "\t"),
    "with decimal commas": "x;y\n1;-2\n2;0,25\n3,5;4e3\n",
    "with decimal commas and tabs": "1\t-2\n2\t0,25\n3,5\t4e3\n",
    "with spaces": "x , y\n 1 , -2 \n2, 0.25\n3.5 ,4e3",
    "with quotation marks": '"x","y, in m"\n"1","-2"\n"2","0.25"\n"3.5","4e3"\n',
    "with Windows line ends": f"x,y\n{PLAIN}".replace("\n", "\r\n"),
    "with empty lines": "\n\nx,y\n1,-2\n\n2,0.25\n,\n3.5,4e3\n\n",
    "with a typographic minus": PLAIN.replace("-", "−"),
    "with Excel's first line": "sep=;\r\nx;y\r\n1;-2\r\n2;0,25\r\n3,5;4e3",
    "with a column of words between": "x,who,y\n1,Ann,-2\n2,Bo,0.25\n3.5,Cy,4e3\n",
    "with lines of unequal length": "x,y\n1,-2,\n2,0.25\n3.5,4e3,,\n",
}


@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_same_numbers_are_read_however_they_are_written(text, encoding):
    found = pairs(read(text.encode(encoding)), 0, 1)
    assert (list(found.x), list(found.y), found.dropped) == (X, Y, 0)


def test_a_file_in_latin_1_keeps_its_letters():
    table = read("Größe;Preis £\n1;2\n3;4\n".encode("latin-1"))
    assert table.names == ("Größe", "Preis £")


BROKEN = {
    "an empty cell": "",
    "a word": "n/a",
    "infinity": "inf",
    "minus infinity": "-Infinity",
    "nan": "nan",
    "a truth value": "True",
    "hexadecimal": "0x10",
    "an underscore": "1_000",
    "two points": "1.5.2",
    "a formula": "=1+1",
    "too large a number": "1e999",
}


@pytest.mark.parametrize("cell", BROKEN.values(), ids=BROKEN)
def test_a_row_without_two_numbers_is_dropped_and_counted(cell):
    for row in (f"{cell},7", f"7,{cell}"):
        found = pairs(read(f"x,y\n1,-2\n{row}\n2,0.25\n3.5,4e3\n".encode()), 0, 1)
        assert (list(found.x), list(found.y), found.dropped) == (X, Y, 1)


def test_a_first_row_with_a_missing_cell_is_no_header():
    table = read(b"1,NA\n2,3\n4,5\n")
    assert table.names == ("column 1", "column 2")
    assert table.rows == 3


ROWS = "".join(f"{i},{i}\n" for i in range(MOST_ROWS))
REFUSED = {
    "nothing": (b"", "is empty"),
    "blanks": (b" \n\r\n ,\n", "is empty"),
    "only a header": (b"x,y\n", "No row of the file has numbers"),
    "only words": (b"a,b\nc,d\n", "No row of the file has numbers"),
    "one column": (b"x\n1\n2\n", "one column"),
    "prose": (b"Dear all\nplease find below\n", "one column"),
    "one column of numbers": (b"x,y\n1,a\n2,b\n", "Only one column of the file has numbers"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00", "a PNG picture"),
    "an Excel file": (b"PK\x03\x04\x14\x00", "Excel"),
    "a PDF": (b"%PDF-1.7\n1,2\n", "a PDF"),
    "bytes": (bytes(range(256)), "no text"),
    "a web page": (b"<!doctype html><p>1,2\n3,4", "a web page"),
    "JSON": (b'{"x": [1, 2]}', "JSON"),
    "too many rows": (f"x,y\n{ROWS}1,2\n".encode(), f"{MOST_ROWS + 1:,} rows"),
    "too many bytes": (b"1,2\n" * (MOST_BYTES // 4 + 1), "2.0 MB"),
    "too many columns": (b",".join([b"1"] * 2000), "2,000 columns"),
    "an endless cell": (b'x,y\n1,"' + b"2" * 200_000, "never ends"),
}


@pytest.mark.parametrize(("content", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_table_of_numbers_is_refused_in_one_line(content, said):
    with pytest.raises(CsvError, match=said) as refused:
        read(content)
    assert "\n" not in str(refused.value)
    assert str(refused.value).endswith(".")


def test_one_wide_row_above_many_short_ones_does_not_fill_the_memory():
    def peak(first):
        tracemalloc.start()
        with pytest.raises(CsvError, match="rows"):
            read(f"{first}\n".encode() + b"1,2\n" * 3 * MOST_ROWS)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(",".join(["1"] * MOST_COLUMNS)) < 1.2 * peak("1,2")


def test_as_many_rows_as_are_allowed_are_read():
    assert read(f"x,y\n{ROWS}".encode()).rows == MOST_ROWS


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("5,1\n5,2\n5,3\n", "Every x is 5"),
        ("5,1\n", "Every x is 5"),
        # the same number in 32 bits
        ("1000.00000001,1\n1000,2\n", "Every x is 1000"),
        ("1,\n,2\n", "No row has a number in both"),
        ("1e10,1\n2,2\n", "larger than 1,000,000,000"),
        ("1,1\n2,-1e30\n", "larger than 1,000,000,000"),
        ("1e-12,1\n2e-12,2\n", "smaller than"),
    ],
)
def test_columns_that_have_no_line_are_refused(text, said):
    with pytest.raises(CsvError, match=said):
        pairs(read(text.encode()), 0, 1)


def test_names_are_short_plain_and_never_alike():
    head = ["x", "x", "", "x (2)", "a\tb\x7f", "n" * 500, "n" * 400, "  "]
    table = read((",".join(f'"{name}"' for name in head) + "\n" + ",".join("12345678") + "\n").encode())
    assert len(set(table.names)) == len(head)
    assert table.names[0] == "x"
    assert table.names[2] == "column 3"
    assert all(name.isprintable() and len(name) <= NAME_LENGTH + 5 for name in table.names)


def test_any_bytes_are_read_or_refused():
    rng = np.random.default_rng(577)
    pieces = [
        b"1",
        b"2.5",
        b",",
        b";",
        b"\t",
        b"\n",
        b'"',
        b"x",
        b"\xe9",
        b"\xef\xbb\xbf",
        b"-",
        b"e",
        b"\r",
        b"sep=;\n",
    ]
    for _ in range(300):
        content = b"".join(pieces[i] for i in rng.integers(0, len(pieces), rng.integers(0, 60)))
        try:
            table = read(content)
        except CsvError:
            continue
        assert len(table.names) == len(table.columns) >= 2
        assert not np.isinf(table.columns).any()
