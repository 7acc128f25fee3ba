"""How a visitor's file was read, with a control for each guess; what the file leaves open is asked."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ui.linear_fit.controls import CONTROLS, take_choice
from ui.linear_fit.csv_data import Reading
from ui.linear_fit.csv_encoding import ENCODINGS
from ui.linear_fit.csv_numbers import DECIMALS
from ui.linear_fit.csv_text import SEPARATORS
from ui.linear_fit.data import Upload

HEADER = {True: "names the columns", False: "is data"}
RAW = 5  # lines or rows that are shown
DATES = {False: "are numbers", True: "are dates, not read"}
SIGNS: dict[str, dict] = {"decimal": DECIMALS, "separator": SEPARATORS, "header": HEADER}
SIGNS |= {"encoding": ENCODINGS, "dates": DATES}
LABELS = {"separator": "Separator", "decimal": "Decimal sign", "header": "The first row", "encoding": "Encoding"}
LABELS |= {"dates": "Numbers like 13.02"}


def show_reading(upload: Upload, left_out: str = "") -> None:
    """What was guessed, and the first rows; open where there is a question, a doubt or a row left out."""
    reading = upload.reading
    if reading and reading.asked:
        things = "One thing" if len(reading.asked) == 1 else f"{len(reading.asked)} things"
        verb = "has" if len(reading.asked) == 1 else "have"
        st.warning(f"{things} about this file {verb} to be chosen below first: the file itself does not tell.")
        for question in reading.asked.values():
            st.code(question, language=None, wrap_lines=True)
    wanted = bool(reading is None or reading.asked or reading.notes or left_out)
    names = [name for name in LABELS if name != "dates" or can_be_dates(upload)]
    with st.expander("How the file was read", expanded=wanted, icon=":material/table_view:"):
        if left_out:
            st.markdown("The first row that is left out:")
            st.code(left_out, language=None, wrap_lines=True)
        for note in reading.notes if reading else ():
            st.code(note, language=None, wrap_lines=True)
        for place, name in zip(st.columns(len(names)), names, strict=True):
            with place:
                choose(name, upload)
        if reading:
            show_rows(reading)


def can_be_dates(upload: Upload) -> bool:
    return upload.choices.dates is not None or bool(upload.reading and upload.reading.dates is not None)


def choose(name: str, upload: Upload) -> None:
    """One choice: as it was read, or not yet made where the file leaves it open."""
    key, reading = CONTROLS.key("read", name), upload.reading
    chosen = getattr(upload.choices, name)
    if chosen is None and reading and name not in reading.asked:
        chosen = getattr(reading, name)
    CONTROLS.set_derived(f"read-{name}", chosen)
    st.selectbox(
        LABELS[name],
        list(SIGNS[name]),
        index=None if chosen is None else 0,  # empty until it is made: the first sign is no guess
        required=chosen is None,
        key=key,
        format_func=SIGNS[name].__getitem__,
        on_change=take_choice,
        args=(name, upload.content),
        placeholder="choose",
    )


def show_rows(reading: Reading) -> None:
    """The first rows: as numbers, or as they stand in the file while something is asked."""
    table = reading.table
    if table is None:
        rows = pd.DataFrame(reading.first, dtype=str)
        rows.columns = list(reading.names[: rows.shape[1]])
    else:
        rows = pd.DataFrame(table.columns[:, :RAW].T, columns=list(table.names))
    st.dataframe(rows, hide_index=True, placeholder="–")
    if reading.skipped:
        lines = "line is" if reading.skipped == 1 else "lines are"
        st.markdown(f"{reading.skipped:,} {lines} no row of the table: comments, or words above it.")
