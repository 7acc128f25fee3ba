"""A visitor's CSV file: what it says is read, and what it cannot be is said in one line."""

import re
import tracemalloc

import numpy as np
import pandas as pd
import pytest

from ui.draw.tables import as_csv
from ui.linear_fit.csv_data import MAX_BYTES, MAX_NAME_LENGTH, MAX_ROWS, Choices, read_file, read_table
from ui.linear_fit.csv_layout import MAX_COLUMNS
from ui.linear_fit.csv_pairs import pairs
from ui.linear_fit.csv_text import CsvError

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
    found = pairs(read_table(text.encode(encoding)), 0, 1)
    assert (list(found.x), list(found.y), found.dropped) == (X, Y, 0)


def test_a_file_in_latin_1_keeps_its_letters():
    table = read_table("Größe;Preis £\n1;2\n3;4\n".encode("latin-1"))
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
        found = pairs(read_table(f"x,y\n1,-2\n{row}\n2,0.25\n3.5,4e3\n".encode()), 0, 1)
        assert (list(found.x), list(found.y), found.dropped) == (X, Y, 1)


def test_a_first_row_with_a_missing_cell_is_no_header():
    table = read_table(b"1,NA\n2,3\n4,5\n")
    assert table.names == ("column 1", "column 2")
    assert table.rows == 3


ROWS = "".join(f"{i},{i}\n" for i in range(MAX_ROWS))
REFUSED = {
    "nothing": (b"", "is empty"),
    "blanks": (b" \n\r\n ,\n", "is empty"),
    "only a header": (b"x,y\n", "No row of the file has numbers"),
    "only words": (b"a,b\nc,d\n", "No row of the file has numbers"),
    "one column": (b"x\n1\n2\n", "one column"),
    "prose": (b"Dear all\nplease find below\n", "one column"),
    "one column of numbers": (b"x,y\n1,a\n2,b\n", "Only one column of the file has numbers"),
    "more settings than rows": (b"Serial;205\nInterval [s];0,1\nt;T\n0;2,5\n", "and one for y.$"),  # 0 is not to blame
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00", "a PNG picture"),
    "an old Excel file": (b"\xd0\xcf\x11\xe0" + bytes(9), "old Excel file"),
    "only comments": (b"# a\n# 1,2\n", "Every line of the file is a comment"),
    "an Excel file": (b"PK\x03\x04\x14\x00", "Excel"),
    "a PDF": (b"%PDF-1.7\n1,2\n", "a PDF"),
    "bytes": (bytes(range(256)), "no text"),
    "a web page": (b"<!doctype html><p>1,2\n3,4", "a web page"),
    "JSON": (b'{"x": [1, 2]}', "JSON"),
    "too many rows": (f"x,y\n{ROWS}1,2\n".encode(), f"{MAX_ROWS + 1:,} rows"),
    "too many bytes": (b"1,2\n" * (MAX_BYTES // 4 + 1), "2.0 MB"),
    "too many columns": (b",".join([b"1"] * 2000), "2,000 columns"),
    "a cell of a whole file": (b"x,y\n1,2\n3," + b"4" * 200_000, "more than 131,072 letters"),
    "an endless cell": (b'x,y\n1,"' + b"2" * 200_000, "never ends"),
}


@pytest.mark.parametrize(("content", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_table_of_numbers_is_refused_in_one_line(content, said):
    with pytest.raises(CsvError, match=said) as refused:
        read_table(content)
    assert "\n" not in str(refused.value)
    assert str(refused.value).endswith(".")


def test_one_wide_row_above_many_short_ones_does_not_fill_the_memory():
    def peak(first):
        tracemalloc.start()
        with pytest.raises(CsvError, match="rows"):
            read_table(f"{first}\n".encode() + b"1,2\n" * 3 * MAX_ROWS)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(",".join(["1"] * MAX_COLUMNS)) < 1.2 * peak("1,2")


def test_as_many_rows_as_are_allowed_are_read():
    assert read_table(f"x,y\n{ROWS}".encode()).rows == MAX_ROWS


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
        pairs(read_table(text.encode()), 0, 1)


def test_names_are_short_plain_and_never_alike():
    head = ["x", "x", "", "x (2)", "a\tb\x7f", "n" * 500, "n" * 400, "  "]
    table = read_table((",".join(f'"{name}"' for name in head) + "\n" + ",".join("12345678") + "\n").encode())
    assert len(set(table.names)) == len(head)
    assert table.names[0] == "x"
    assert table.names[2] == "column 3"
    assert all(name.isprintable() and len(name) <= MAX_NAME_LENGTH + 5 for name in table.names)


# ---- how a file is read is found by looking at the whole of it


FOUND = {
    "one number tells the decimal sign of all": ("x;y\n1;999,5\n2;1.000\n3;1.000,5\n", [999.5, 1000, 1000.5]),
    "a comma that parts every line, beside semicolons in notes": ("x,y,n\n1,2,a;b\n2,4,c;d\n3,6.5,e;f\n", [2, 4, 6.5]),
    "a vertical bar": ("a|b\n10,20|4,5\n11,20|5,5\n12,20|7,5\n", [4.5, 5.5, 7.5]),
    "runs of blanks": ("x  y\n1.5   2\n 2   3.25\n", [2, 3.25]),
    "blanks between decimal commas": ("1,5 2,5\n3,5 4,5\n", [2.5, 4.5]),
    "lines above the table": ("Logger 5\n" * 9 + "t;u\n0,5;1,2\n1,0;2,3\n", [1.2, 2.3]),
    "brackets that are no JSON": ("[s],[m]\n1,2\n2,4\n", [2, 4]),
    "angles that are no markup": ("<DATE>,<OPEN>\n1,10\n2,11\n", [10, 11]),
    "lakhs": ('a,b\n1,"1,00,000"\n2,"99,999"\n', [1e5, 99_999]),
    "lakhs and tabs": ("a\tb\n1\t12,34,567.5\n2\t99,999\n", [1234567.5, 99_999]),
    "Fortran's exponents": ("x y\n1 1.5D+03\n2 2.5D-01\n", [1500, 0.25]),
    "numbers in steps that are no header": ("1,2,3\n2,3.5,4\n3,4,5.5\n", [2, 3.5, 4]),
    "years in every row": ("2019,2020\n2020,2021\n2021,2022\n", [2020, 2021, 2022]),
    "settings above the table": ("Serial;20541\nInterval [s];10\nt [s];T\n0;20,5\n10;20,75\n", [20.5, 20.75]),
    "rows as wide as the header, fewer than others": ("x,y,z\n1,2\n2,3,4\n3,5\n", [2, 3, 5]),
    "a title above points that are no decimal commas": ("@data\n5.1,3.5\n4.9,3.0\n", [3.5, 3.0]),
    "a rule under the header": ("|x|y|\n|---|:--|\n|1|2|\n|2|3.5|\n", [2, 3.5]),
    "signs that are not seen": ("x,y\n\u200e1,2\n2,\u202a3\u202c\n", [2, 3]),
    "hyphens for minus": ("x,y\n1,\u20102\n2,\u20113\n", [-2, -3]),
    "blanks before quotation marks": ('"x", "y"\n"1", "-2"\n"2", "0.25"\n', [-2, 0.25]),
    "quoted thousands in a comma file": ('x,y\n1,"1,234"\n2,"2,345"\n3,"900"\n', [1234, 2345, 900]),
    "quoted decimal commas in a comma file": ('"1,5","2,5"\n"3,5","4,5"\n', [2.5, 4.5]),
    "thousands in no-break blanks": ("x;y\n1;950\n2;1\u00a0020\n3;1\u202f100,5\n", [950, 1020, 1100.5]),
    "apostrophes": ("x;y\n1;950\n2;1'020\n3;1’100.5\n", [950, 1020, 1100.5]),
    "an en dash for minus": ("x,y\n1,–2\n2,3\n", [-2, 3]),
    "comments": ("# a\n# year, mean\nx,y,z\n1,2,3\n2,4,5\n", [2, 4]),
    "units below the names": ("t;u\n[s];[V]\n1;2\n2;3\n", [2, 3]),
    "old line ends": ("x,y\r1,2\r2,3\r", [2, 3]),
    "a stray quotation mark": ('x,y,n\n1,2,a\n2,4,"b\n3,6,c\n4,8,"d"\n', [2, 4, 6, 8]),
    "a line end inside quotation marks": ('"t\n(s)","y"\n1,2\n2,3\n', [2, 3]),
    "signs and exponents": ("x;y\n1;1,5e3\n2;+,5\n3;1E+05\n", [1500, 0.5, 1e5]),
}


@pytest.mark.parametrize(("text", "wanted"), FOUND.values(), ids=FOUND)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_is_read_as_the_whole_of_it_shows(text, wanted, encoding):
    found = pairs(read_table(text.encode(encoding)), 0, 1)
    assert (list(found.y), found.dropped) == (wanted, 0)


def test_two_byte_order_marks_hide_no_row_and_windows_dashes_are_minus_signs():
    assert read_table(b"\xef\xbb\xbf" * 2 + b"1,2\n2,3\n").rows == 2
    assert list(pairs(read_table("x,y\n1,–2\n2,3\n".encode("cp1252")), 0, 1).y) == [-2, 3]


def test_a_row_with_numbers_where_the_column_has_them_is_no_header():
    table = read_table(b"5.1,3.5,Iris-setosa\n4.9,3.0,Iris-setosa\n")
    assert (table.names, table.rows) == (("column 1", "column 2"), 2)


ASKED = {
    "thousands or thousandths": ("a\tb\n1\t950\n2\t1,020\n", "decimal"),
    "the same with semicolons": ("1,234;2,345\n", "decimal"),
    "both decimal signs": ("x;y\n1;1.5\n2;1,5\n", "decimal"),
    "years above numbers": ("x,2020,2021\n1,5,6\n2,7,8\n", "header"),
    "blanks that may group": ("1 020\n1 100\n", "separator"),
    "decimal commas that part cells": ("x,y\n1,5,2,5\n2,5,3,5\n", "separator"),
    "years beside a word": ("Country,2019,2020\nA,5,6\nB,7,8\n", "header"),
    "years above numbers only": ("2019,2020\n5.1,6.2\n7.5,8.5\n", "header"),
    "counted columns beside a counted index": (",0,1\n0,1.5,2.5\n1,3.5,4.5\n", "header"),
    "counted columns": ("0,1,2\n1.5,2.5,3.5\n3.5,4.5,5.5\n", "header"),
    "weeks beside a word": ("Patient,1,2,3\nA,5,9,12\nB,7,8,10\n", "header"),
}


@pytest.mark.parametrize(("text", "name"), ASKED.values(), ids=ASKED)
def test_what_a_file_leaves_open_is_asked_and_the_first_rows_are_shown(text, name):
    reading = read_file(text.encode(), Choices())
    assert reading.table is None
    assert list(reading.questions) == [name]
    assert reading.first_rows


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("# x y\n0.0 1.0\n1.0 3.0\n", ("x", "y")),
        ("#\tx\ty\n0\t1\n1\t3\n", ("x", "y")),
        ("% made on Monday\n% time speed\n% ----\n0 1\n1 3\n", ("time", "speed")),
        ("# x, y\n0 1\n1 3\n", ("x", "y")),
        ("# of no use here\n0 1\n1 3\n", ("column 1", "column 2")),
        ("Time (s)  Height [m]\n0.0  1.5\n0.1  1.4\n", ("Time (s)", "Height [m]")),
        ("Time in s  Height in m\n0.0  1.5\n0.1  1.4\n", ("column 1", "column 2")),
        ("speed dist\n1 4 2\n2 4 10\n", ("column 1", "speed", "dist")),
        ("t,5 V,12 V\n0,5.1,12.1\n1,5.2,12.2\n", ("t", "5 V", "12 V")),
    ],
)
def test_names_are_found_in_comments_and_between_blanks_and_are_never_another_column_s(text, names):
    assert read_table(text.encode()).names == names


def test_settings_beside_a_table_are_no_column_of_it():
    rows = "".join(f",,{i},{i * i}\n" for i in range(40))
    assert read_table(f"Points,500,0,1\nSource,2,1,2\n{rows}".encode()).names == ("column 3", "column 4")


def test_a_row_that_another_separator_cuts_does_not_tell_the_decimal_sign():
    found = pairs(read_table(b"x;y\n1;2.125\n2,3\n0.5;4.25\n"), 0, 1)
    assert (list(found.x), list(found.y), found.dropped) == ([1, 0.5], [2.125, 4.25], 1)


@pytest.mark.parametrize("end", ["Grand Total,6,9", "Mean:,2,3\nMedian,2,3", ",6,9", "Total,6,9\nSource: the ministry"])
def test_totals_below_the_rows_are_left_out_and_named(end):
    table = read_table(f"Item,x,y\nA,1,2\nB,2,3\nC,3,4\n{end}\n".encode())
    found = pairs(table, 0, 1)
    assert (list(found.x), list(found.y)) == ([1, 2, 3], [2, 3, 4])
    assert re.match(r"Line 5 (is a total|has no label, and is the sum)", found.first_fault)


def test_a_last_row_that_is_the_sum_by_chance_stays():
    assert list(pairs(read_table(b"x,y\n1,2\n2,4\n3,6\n"), 0, 1).y) == [2, 4, 6]


def test_a_second_table_is_not_read_on_as_the_first():
    with pytest.raises(CsvError, match="second table begins on line 5"):
        read_table(b"x,y\n1,2\n2,3\n\na,b\n10,20\n11,22\n")


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("10.5 kg", "“kg”"),
        ("USD 10", "“USD”"),
        ("$1,234.00", "sign \\$"),
        ("1-Feb", "is a date"),
        ("01/02", "is a date"),
    ],
)
def test_a_column_that_is_not_read_is_named_though_no_other_is(cell, said):
    for text in (f'x,y\n1,"{cell}"\n2,"{cell}"\n', f'x,y\nJan,"{cell}"\nFeb,"{cell}"\n'):
        with pytest.raises(CsvError, match=said):
            read_table(text.encode())


def test_a_choice_decides_what_was_asked():
    text = b"a\tb\n1\t950\n2\t1,020\n"
    for decimal, wanted in ((".", 1020), (",", 1.02)):
        assert list(pairs(read_table(text, Choices(decimal=decimal)), 0, 1).y) == [950, wanted]


LEFT_OUT = {
    "less than": ("<0.5", "sign <"),
    "about": ("~0.5", "sign ~"),
    "percent": ("10%", "sign %"),
    "money": ("$10", "sign \\$"),
    "accounting brackets": ('"(987.65)"', "sign \\("),
    "groups of other sizes": ('"1,0,00"', "not grouped in threes"),
    "a date": ("01.02.2024", "is a date"),
    "a word": ("oops", "is not a number"),
    "an underscore": ("1_000", "sign _"),
    "an empty cell": ("", "is empty"),
    "one cell too many": ("1,5", "has 3 cells, and the others 2"),
}


@pytest.mark.parametrize(("cell", "said"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_the_first_row_that_is_left_out_is_named_with_the_reason(cell, said):
    found = pairs(read_table(f"x,y\n1,1\n2,{cell}\n3,2.5\n4,3\n".encode()), 0, 1)
    assert (list(found.y), found.dropped) == ([1, 2.5, 3], 1)
    assert found.first_fault.startswith("Line 3")
    assert re.search(said, found.first_fault)


@pytest.mark.parametrize(
    "cells",
    [
        ("2024-01-01", "2024-01-02"),
        ("01.02.2024", "02.02.2024"),
        ("1/2/2024", "2/2/2024"),
        ("01.02", "02.02"),
        ("01.02.", "02.02."),
        ("01.2024", "02.2024"),
        ("00:01,5", "00:02,5"),
    ],
)
def test_a_column_of_dates_is_refused_as_one(cells):
    for value in ("1", "1,5"):
        with pytest.raises(CsvError, match="is a date"):
            read_table(f"d;y\n{cells[0]};{value}\n{cells[1]};2\n".encode())


def test_quotation_marks_that_would_swallow_rows_are_named():
    with pytest.raises(CsvError, match=r"On line 2 .* quotation mark"):
        read_table(b'x,y\n1,"2\n3,4\n5,6"\n7,8\n')


def test_numbers_that_32_bits_cannot_tell_apart_are_refused_and_the_way_out_is_said():
    days = [20200101 + i for i in range(4)]
    for text in (
        *("".join(f"{d},{i}\n" for i, d in enumerate(days)), "".join(f"{i},{d}\n" for i, d in enumerate(days))),
    ):
        with pytest.raises(CsvError, match="Subtract 20200101"):
            pairs(read_table(text.encode()), 0, 1)
    assert len(pairs(read_table(b"1990,1\n1991,2\n1992,4\n"), 0, 1).x) == 3


def test_what_the_app_writes_it_reads_back_exactly():
    x = np.random.default_rng(577).normal(size=50)
    table = read_table(as_csv(pd.DataFrame({"θ₀": x, "=f": x * 1e-7, "who": ["=1+1"] * 50})))
    assert table.names == ("θ₀", "'=f")
    np.testing.assert_array_equal(table.columns, [x, x * 1e-7])
