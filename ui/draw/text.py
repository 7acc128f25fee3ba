"""Rows of words and formulas."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

BEFORE_STAGE = "before-stage"  # the key of the row above a stage
FORMULAS = "formulas"  # the key of a row whose parts stand below each other where a formula would be cut


def formula_row() -> DeltaGenerator:
    """A row for words and a formula side by side; one below the other where the formula would be cut."""
    return st.container(key=FORMULAS, horizontal=True, vertical_alignment="center", gap="small")
