"""Every iteration in a table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from engine.notebook import FIRST_KEY
from ui.draw import tables
from ui.linear_fit.controls import starts_like_notebook
from ui.linear_fit.run import Result, gradient_names, in_batches, thetas
from ui.linear_fit.stage import describe_end
from ui.setup.pages import FitSetup

THETA_FROM_NEW_GENERATOR = 0.16394293308258057  # of JAX, since it became the default, for the notebook's key


def table(setup: FitSetup, result: Result) -> pd.DataFrame:
    """Every recorded iteration up to the end: its number, each θ, its gradient, the loss; in 32 bits, as computed."""
    end = result.run.records
    return pd.DataFrame(
        {
            "iteration": result.steps,
            **dict(zip(thetas(setup), result.run.positions[:end].T, strict=True)),
            **dict(zip(gradient_names(setup), result.slopes[:end].T, strict=True)),
            "loss": result.run.losses[:end],
        }
    )


def show_table(setup: FitSetup, result: Result) -> None:
    """How the descent ended, the table of its iterations, and a download of it."""
    rows = table(setup, result)
    st.markdown(f"**{describe_end(setup, result)}**")
    notes = []
    if in_batches(setup, result):
        notes.append("The gradient and the loss are those on all points; a step follows the gradient of its batch.")
    if len(result.run.steps) > 1 and result.run.steps[1] > 1:
        notes.append(f"One iteration in {result.run.steps[1]} is recorded.")
    if starts_like_notebook(setup):
        notes.append(
            f"The start is the notebook's: θ = {setup.theta:.8f}, which JAX drew from `PRNGKey({FIRST_KEY})` with its "
            f"generator of then; today's gives {THETA_FROM_NEW_GENERATOR:.4f}."
        )
    if notes:
        st.markdown(" ".join(notes))
    formats = {name: number_format(rows[name]) for name in rows.columns[1:]}
    tables.show_table(
        rows.astype(dict.fromkeys(rows.columns[1:], float)),
        {"iteration": st.column_config.NumberColumn(format="%d", width=80), **formats},
        min(38 + 35 * len(rows), 423),
    )
    tables.download_csv("Table as CSV", "linear-fit.csv", lambda: rows)


def number_format(values: pd.Series) -> str:
    """The format of a column: three decimals, or powers of ten where all are too small or one too large for that."""
    largest = float(np.nanmax(np.abs(values.to_numpy(float)), initial=0.0))
    return "%.3f" if 0.1 <= largest < 1e9 or largest == 0 else "%.5e"
