"""Rows of words and formulas."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

BEFORE_STAGE = "before-stage"  # the key of the row above a stage
FORMULAS = "formulas"  # the key of a row of columns that stand below each other where a formula would be cut


def formula_row(columns: int = 2) -> list[DeltaGenerator]:
    """Columns side by side for words and formulas; one below the other where a formula would be cut."""
    return st.container(key=FORMULAS).columns(columns, vertical_alignment="center")
