"""Traces to pandas: the leaderboard and the paths; and every table and CSV file of a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import streamlit as st

from engine import Trace
from engine.analysis import distance_to_nearest
from engine.endings import Verdict, rank
from ui.admission import slot

SPARK_POINTS = 60
FIRST_RUN = 0  # a page races from one start


def leaderboard(
    traces: Mapping[str, Trace],
    verdicts: Mapping[str, Sequence[Verdict]],
    minima: Sequence[Sequence[float]],
    evaluations: Mapping[str, int] | None = None,
) -> pd.DataFrame:
    """One row per racer, the lowest final loss first; those that diverged come last, the latest to do so first."""
    ranked = sorted(traces.items(), key=order)
    runs = [trace.run(FIRST_RUN) for _, trace in ranked]
    ends = np.stack([run.positions[-1] for run in runs]).astype(float)
    # columns at once and with their kinds: this is drawn anew whenever a slider moves
    return pd.DataFrame(
        {
            "rank": range(1, len(ranked) + 1),
            "racer": [name for name, _ in ranked],
            "verdict": [verdicts[name][FIRST_RUN].words for name, _ in ranked],
            "loss over the race": [spark(run.losses) for run in runs],
            "final loss": [float(run.losses[-1]) for run in runs],
            # infinite where the loss has no value at the start: then there is none
            "best loss": [run.best_loss if np.isfinite(run.best_loss) else np.nan for run in runs],
            "distance": pd.array(distance_to_nearest(ends, minima), "Float64"),
            "converged at": pd.array([run.converged for run in runs], "Int64"),
            "path length": [run.path_length for run in runs],
            **({"evaluations": [evaluations[name] for name, _ in ranked]} if evaluations else {}),
        }
    )


def order(entry: tuple[str, Trace]) -> tuple[bool, int, float]:
    """A racer's place on the leaderboard, as a sort key."""
    return rank(entry[1].run(FIRST_RUN))


def spark(losses: np.ndarray) -> list[float]:
    """The loss in a few dozen points, for a small picture. From the race's own range, so that each fills its row."""
    some = losses[np.linspace(0, len(losses) - 1, min(SPARK_POINTS, len(losses))).astype(int)].astype(float)
    low, high = some.min(), some.max()
    return ((some - low) / (high - low if high > low else 1.0)).tolist()


def paths(traces: Mapping[str, Trace], coordinates: Sequence[str]) -> pd.DataFrame:
    """Every recorded step of every racer: racer, step, its coordinates under their names, loss."""
    frames = [
        pd.DataFrame(
            {
                "racer": name,
                "step": trace.steps,
                **dict(zip(coordinates, trace.positions[FIRST_RUN].T, strict=True)),
                "loss": trace.losses[FIRST_RUN],
            }
        )
        for name, trace in traces.items()
    ]
    return pd.concat(frames)


def as_csv(rows: pd.DataFrame) -> bytes:
    """A table as CSV. The numbers read back exactly the same.

    It begins with the mark by which Excel knows UTF-8, and no text in it is taken for a formula.
    """
    safe = rows.rename(columns=lambda name: guarded(str(name)))
    for place, kind in enumerate(safe.dtypes):
        if not pd.api.types.is_numeric_dtype(kind):
            safe.isetitem(place, safe.iloc[:, place].map(lambda cell: guarded(cell) if isinstance(cell, str) else cell))
    return safe.to_csv(index=False).encode("utf-8-sig")


def guarded(text: str) -> str:
    """A text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def show_table(
    table: pd.DataFrame, columns: Mapping[str, Any], height: int | Literal["content"] = "content", **more: Any
) -> None:
    """A table. ``columns``: by name a number format such as ``%.3f``, or what ``st.column_config`` makes."""
    config = {
        name: st.column_config.NumberColumn(format=column) if isinstance(column, str) else column
        for name, column in columns.items()
    }
    st.dataframe(table, hide_index=True, height=height, placeholder="–", column_config=config, **more)


def download_csv(label: str, file_name: str, table: Callable[[], pd.DataFrame]) -> None:
    """A button that downloads a table, which is made only when it is pressed."""
    st.download_button(
        label, slot()(lambda: as_csv(table())), file_name, "text/csv", icon=":material/download:", on_click="ignore"
    )
