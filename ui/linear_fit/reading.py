"""How a visitor's file was read, with a control for each guess; what the file leaves open is asked."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ui.linear_fit.controls import CONTROLS, store_choice
from ui.linear_fit.csv_data import Reading
from ui.linear_fit.csv_encoding import ENCODINGS
from ui.linear_fit.csv_numbers import DECIMALS
from ui.linear_fit.csv_text import SEPARATORS
from ui.linear_fit.data import Upload

HEADER = {True: "names the columns", False: "is data"}
PREVIEW_ROWS = 5
DATES = {False: "are numbers", True: "are dates, not read"}
OPTIONS: dict[str, dict] = {"decimal": DECIMALS, "separator": SEPARATORS, "header": HEADER}
OPTIONS |= {"encoding": ENCODINGS, "dates": DATES}
LABELS = {"separator": "Separator", "decimal": "Decimal sign", "header": "The first row", "encoding": "Encoding"}
LABELS |= {"dates": "Numbers like 13.02"}


def show_reading(upload: Upload, left_out: str = "") -> None:
    """How a file was read, and its first rows. Open where there is a question, a note or a row left out.

    ``left_out`` says why the first row that is left out is.
    """
    reading = upload.reading
    if reading and reading.questions:
        things = "One thing" if len(reading.questions) == 1 else f"{len(reading.questions)} things"
        verb = "has" if len(reading.questions) == 1 else "have"
        st.warning(f"{things} about this file {verb} to be chosen below first: the file itself does not tell.")
        for question in reading.questions.values():
            st.code(question, language=None, wrap_lines=True)
    wanted = bool(reading is None or reading.questions or reading.notes or left_out)
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
    """Whether some numbers of a file may be dates, so that there is a choice to offer."""
    return upload.choices.dates is not None or bool(upload.reading and upload.reading.dates is not None)


def choose(name: str, upload: Upload) -> None:
    """One choice of how the file is read. It is empty while the file leaves it open."""
    key, reading = CONTROLS.key("read", name), upload.reading
    chosen = getattr(upload.choices, name)
    if chosen is None and reading and name not in reading.questions:
        chosen = getattr(reading, name)
    CONTROLS.set_derived(f"read-{name}", chosen)
    options = list(OPTIONS[name])
    st.selectbox(
        LABELS[name],
        options,
        index=None if chosen is None else options.index(chosen),  # none is better than the others without an answer
        required=chosen is None,
        key=key,
        format_func=OPTIONS[name].__getitem__,
        on_change=store_choice,
        args=(name, upload.content),
        placeholder="choose",
    )


def show_rows(reading: Reading) -> None:
    """The first rows: as numbers, or as they stand in the file while questions are open."""
    table = reading.table
    if table is None:
        rows = pd.DataFrame(reading.first_rows, dtype=str)
        rows.columns = list(reading.names[: rows.shape[1]])
    else:
        rows = pd.DataFrame(table.columns[:, :PREVIEW_ROWS].T, columns=list(table.names))
    st.dataframe(rows, hide_index=True, placeholder="–")
    if reading.skipped:
        lines = "line is" if reading.skipped == 1 else "lines are"
        st.markdown(f"{reading.skipped:,} {lines} no row of the table: comments, or words above it.")
