"""Traces to pandas: the leaderboard, and the paths as a download."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from engine import Trace
from engine.analysis import Verdict, distance_to_nearest

SPARK_POINTS = 60
FIRST_RUN = 0  # a page races from one start


def leaderboard(
    traces: Mapping[str, Trace], verdicts: Mapping[str, Sequence[Verdict]], minima: Sequence[Sequence[float]]
) -> pd.DataFrame:
    """One row per racer, the lowest final loss first; those that diverged come last, the latest to do so first."""
    rows = [row(name, trace, verdicts[name][FIRST_RUN], minima) for name, trace in sorted(traces.items(), key=order)]
    table = pd.DataFrame(rows)
    table.insert(0, "rank", range(1, len(table) + 1))
    return table.astype({"converged at": "Int64", "distance": "Float64"})


def order(entry: tuple[str, Trace]) -> tuple[bool, int, float]:
    stopped = int(entry[1].stopped_at[FIRST_RUN])
    return stopped >= 0, -stopped, float(entry[1].losses[FIRST_RUN, -1])


def row(name: str, trace: Trace, verdict: Verdict, minima: Sequence[Sequence[float]]) -> dict[str, object]:
    losses, converged = trace.losses[FIRST_RUN], int(trace.converged_at[FIRST_RUN])
    distance = float(distance_to_nearest(trace.positions[FIRST_RUN, -1], minima))
    return {
        "racer": name,
        "verdict": verdict.words,
        "loss over the race": spark(losses),
        "final loss": float(losses[-1]),
        "best loss": float(trace.best_losses[FIRST_RUN]),
        "distance": distance if np.isfinite(distance) else None,
        "converged at": converged if converged >= 0 else None,
        "path length": float(trace.path_lengths[FIRST_RUN]),
    }


def spark(losses: np.ndarray) -> list[float]:
    """The loss in a few dozen points, for a small picture. From the race's own range, so that each fills its row."""
    some = np.asarray(losses, float)[np.linspace(0, len(losses) - 1, min(SPARK_POINTS, len(losses))).astype(int)]
    low, high = some.min(), some.max()
    return [float(v) for v in (some - low) / (high - low if high > low else 1.0)]


def paths(traces: Mapping[str, Trace], coordinates: Sequence[str]) -> pd.DataFrame:
    """Every recorded step of every racer: racer, step, its coordinates under their names, loss."""
    frames = [
        pd.DataFrame(
            {
                "racer": guarded(name),
                "step": trace.steps,
                **dict(zip(coordinates, trace.positions[FIRST_RUN].T, strict=True)),
                "loss": trace.losses[FIRST_RUN],
            }
        )
        for name, trace in traces.items()
    ]
    return pd.concat(frames)


def paths_csv(traces: Mapping[str, Trace], coordinates: Sequence[str]) -> bytes:
    """``paths`` as CSV. The numbers read back exactly the same."""
    return paths(traces, coordinates).to_csv(index=False).encode()


def guarded(text: str) -> str:
    """A text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
