"""A visitor's CSV file: its letters, and numbers that could be dates or halves of a number."""

import itertools

import numpy as np
import pytest

from ui.linear_fit.csv_data import Choices, read_file, read_table
from ui.linear_fit.csv_encoding import ENCODINGS
from ui.linear_fit.csv_pairs import pairs
from ui.linear_fit.csv_text import CsvError

# ---- letters

HEADS = {
    "cp1252": ["Größe;Préçis £", "Año;Población", "µA;°C", "où;à", "créée;é", "þýðing;ár", "ÄÖÜ;x", "Höhe – m;Å"],
    "cp1251": ["время;скорость", "Дата;Цена", "ДАТА;ЦЕНА", "x;Температура, °C", "№;Длина, м", "Время (с);Ток (А)"],
    "koi8-r": ["время;скорость", "год;население", "рост;вес"],
    "cp866": ["время;скорость", "год;население", "рост;вес"],
    "cp1253": ["χρόνος;ταχύτητα", "Έτος;Τιμή", "ύψος;βάρος", "ΧΡΟΝΟΣ;ΤΑΣΗ"],
    "cp932": ["時間;速度", "じかん;そくど", "サンプル;値", "電圧[V];電流[A]"],
    "gbk": ["时间;速度", "身高;体重", "电压(V);电流(A)", "年份;人口"],
    "big5": ["時間;速度", "身高;體重", "電壓(V);電流(A)", "年份;人口"],
    "utf-8": ["время;скорость", "時間;速度", "Größe;x"],
    "utf-16-le": ["Größe;x", "U;I"],
    "utf-16-be": ["Größe;x", "U;I"],
}
SIGNS = {"plain": "1;2\n3;4\n", "signs": "1;-2\n2,5;+4\n3;1e3\n"}


@pytest.mark.parametrize(("encoding", "head"), [(e, head) for e, heads in HEADS.items() for head in heads])
def test_names_are_read_in_the_letters_of_their_script(encoding, head):
    reading = read_file(f"{head}\n1;2\n2;4\n".encode(encoding), Choices())
    assert reading.encoding == encoding
    assert reading.table.names == tuple(head.split(";"))


@pytest.mark.parametrize("rows", SIGNS.values(), ids=SIGNS)
def test_numbers_do_not_hang_on_the_letters_beside_them(rows):
    wanted = read_table(f"a;b\n{rows}".encode()).columns
    for encoding, heads in HEADS.items():
        content = f"{heads[0]}\n{rows}".encode(encoding)
        for chosen in (None, *(e for e in ENCODINGS if not e.startswith("utf") and not encoding.startswith("utf"))):
            try:
                found = read_table(content, Choices(encoding=chosen)).columns
            except CsvError as error:
                assert "not in the encoding" in str(error)  # noqa: PT017  (either is right)
                continue
            np.testing.assert_array_equal(found, wanted)


def test_a_wrong_guess_is_corrected_and_an_encoding_that_cannot_be_is_refused_in_words():
    content = "Prędkość;Czas\n1;2\n2;4\n".encode("cp1250")
    assert read_table(content, Choices(encoding="cp1250")).names == ("Prędkość", "Czas")
    with pytest.raises(CsvError, match=r"not in the encoding UTF-8\. Choose another"):
        read_table(content, Choices(encoding="utf-8"))


# ---- dates


def table_of(name, cells):
    return "".join(f"{a};{b}\n" for a, b in zip([name, *cells], ["y", 7, 5, 8, 6, 9], strict=False)).encode()


DATED = {
    "days of a month": ("x", ["13.02", "14.02", "28.02"]),
    "days of a month in no order": ("x", ["14.02", "28.02", "13.02"]),
    "on into the next month": ("x", ["29.10", "30.10", "11.11"]),
    "back into the month before": ("x", ["11.11", "30.10", "29.10"]),
    "called a date": ("Datum", ["12.01", "24.12", "3.05"]),
    "called a day, of two": ("Day no.", ["12.01", "24.12"]),
    "months of a year": ("x", ["10.2023", "11.2023", "12.2023"]),
    "months over a year's end": ("x", ["2023.11", "2023.12", "2024.01"]),
}
NUMBERS = {
    "prices": ("x", ["12.01", "24.12", "3.05"]),
    "a sweep": ("x", ["3.01", "3.02", "3.03"]),
    "near whole numbers": ("x", ["1.01", "2.01", "3.02", "4.02"]),
}
CLEAR = {
    "cents": ("x", ["12.01", "24.99", "3.05"]),
    "no such day": ("x", ["13.02", "30.02", "31.02"]),
    "no such month": ("x", ["13.02", "14.02", "28.00"]),
    "four decimals": ("Datum", ["13.0200", "14.0200"]),
    "large": ("Datum", ["45.02", "46.02"]),
}


@pytest.mark.parametrize(("name", "cells"), DATED.values(), ids=DATED)
def test_numbers_that_run_as_dates_do_are_asked_about_and_the_choice_decides(name, cells):
    content = table_of(name, cells)
    reading = read_file(content, Choices())
    assert reading.table is None
    assert list(reading.questions) == ["dates"]
    assert reading.names == (name, "y")
    assert name in reading.questions["dates"]
    assert list(read_table(content, Choices(dates=False)).columns[0]) == [float(cell) for cell in cells]
    with pytest.raises(CsvError, match=f"“{cells[0]}” is a date"):
        read_table(content, Choices(dates=True))


@pytest.mark.parametrize(("name", "cells"), NUMBERS.values(), ids=NUMBERS)
def test_numbers_that_a_calendar_has_too_are_read_and_that_is_said(name, cells):
    reading = read_file(table_of(name, cells), Choices())
    assert list(reading.table.columns[0]) == [float(cell) for cell in cells]
    assert len(reading.notes) == 1
    assert "read as numbers, not as dates" in reading.notes[0]


@pytest.mark.parametrize(("name", "cells"), CLEAR.values(), ids=CLEAR)
def test_numbers_that_no_calendar_has_are_read_without_a_word(name, cells):
    reading = read_file(table_of(name, cells), Choices())
    assert reading.table is not None
    assert (reading.notes, reading.dates) == ((), None)


def test_a_column_of_dates_leaves_the_others_to_be_fitted():
    table = read_table(b"Tag;x;y\n13.02;1;2\n14.02;2;4\n28.02;3;7\n", Choices(dates=True))
    assert table.names == ("x", "y")


# ---- commas


@pytest.mark.parametrize(
    "rows", [["0,5", "1,0", "1,5", "2,0"], ["12,5", "13,1", "11,9", "12,7"], ["1,05", "2,50", "3,75"]]
)
def test_lines_of_one_comma_are_asked_about_where_what_stands_before_it_is_no_x(rows):
    content = "\n".join(rows).encode()
    reading = read_file(content, Choices())
    assert list(reading.questions) == ["separator"]
    assert rows[0] in reading.questions["separator"]
    assert read_table(content, Choices(separator=",")).rows == len(rows)
    with pytest.raises(CsvError, match="one column"):
        read_table(content, Choices(separator=";"))


def test_lines_of_one_comma_with_a_rising_x_are_two_columns_and_that_is_said():
    reading = read_file(b"1,5\n2,5\n3,7\n", Choices())
    assert reading.table.rows == 3
    assert "read as two numbers" in reading.notes[0]
    for clear in (b"x,y\n1,5\n2,5\n3,7\n", b"1,-5\n2,5\n3,7\n", b"1,2,5\n2,3,5\n", b"1,5.5\n2,5\n"):
        assert read_file(clear, Choices()).notes == ()


@pytest.mark.parametrize("title", ["Temperatur", "My data 2020", "Messung vom Montag"])
def test_a_lone_title_above_lines_with_a_comma_is_asked_about_with_a_line_as_example(title):
    reading = read_file(f"{title}\n2019,5\n2020,6\n".encode(), Choices())
    assert list(reading.questions) == ["separator"]
    assert "2019,5" in reading.questions["separator"]


# ---- instruments


def test_units_below_the_names_are_part_of_them_also_where_one_has_none():
    for names, units in itertools.product((["t", "U", "I"],), (["s", "V", "A"], ["s", "V", ""], ["s", "V"])):
        for sign in ",;\t":
            rows = "".join(sign.join(row) + "\n" for row in (names, units, "123", "245"))
            assert read_table(rows.encode()).names == (*("t s", "U V"), " ".join(filter(None, ("I", *units[2:]))))


PREAMBLES = {
    "settings in two columns": "Record Length,Analog:14000\nSample Interval,Analog:1e-9\nSource,CH1\nSecond,Value\n",
    "settings with numbers": "Record Length,14000\nSample Interval,1e-9\nVertical Units,V\nSecond,Volt\n",
    "names and units": "X,CH1\nSecond,Volt\n",
    "a channel's number": "x-axis,1\nsecond,Volt\n",
    "units beside settings": "X,CH1,Start,Increment,\nSequence,Volt,-6.0e-03,1.0e-05\n",
}


@pytest.mark.parametrize("above", PREAMBLES.values(), ids=PREAMBLES)
def test_what_an_oscilloscope_writes_above_its_rows_is_none_of_them(above):
    rows = "".join(f"{i * 1e-4:.4f},{i * i / 100 + 0.04:.3f}\n" for i in range(40))
    found = pairs(read_table((above + rows).encode()), 0, 1)
    assert len(found.x) == 40
    assert found.x[-1] == 0.0039
    assert not found.dropped or "Line 2" in found.first_fault
