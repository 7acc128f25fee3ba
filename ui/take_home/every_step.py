"""Every recorded step of a descent as a table: position, loss, gradient, state and move."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

from engine import Trace
from engine.evaluations import evaluated_until
from engine.optimizers import symbols
from engine.scheduled import Scheduled, values_along
from engine.steps import steps_along
from engine.turned import knobs_along, unturned
from ui.draw.line_up import letter
from ui.take_home.descent import Descent

EVALUATIONS = ("evaluations of f", "evaluations of g", "evaluations of H")  # until the step begins


def every_step(descent: Descent) -> pd.DataFrame:
    """A row for each recorded step of each racer until it ended. What a racer does not have is empty in its rows."""
    return pd.concat([rows(descent, name, trace) for name, trace in descent.traces.items()], ignore_index=True)


def rows(descent: Descent, name: str, trace: Trace) -> pd.DataFrame:
    """The rows of one racer."""
    run = trace.run(0)
    end = run.records
    steps = run.taken
    columns = {
        "racer": [name] * end,
        descent.index: steps,
        **dict(zip(descent.coordinates, run.positions[:end].T, strict=True)),
        "loss": run.losses[:end],
    }
    if name in descent.racers:  # the notebook's own run beside a race comes without
        taken = steps_along(
            descent.loss,
            descent.racers[name],
            run.positions[:end],
            steps,
            data=descent.fit.data if descent.fit else (),
            batch_size=descent.batch_size,
            seed=descent.seed,
            noise=descent.noise,
        )
        last = np.arange(end) == end - 1  # after the last step there is no move, and nothing more is remembered
        columns |= by_coordinate(
            "noisy gradient" if descent.noise else "gradient", taken.gradients, descent.coordinates
        )
        columns |= dict(zip(EVALUATIONS, evaluated_until(taken).T, strict=True))
        columns |= knobs_along(descent.racers[name], steps)
        racer = descent.racers[name]
        if isinstance(rule := unturned(racer).rule, Scheduled):
            columns["learning rate"] = values_along(racer, steps)[rule.symbol_now]
        for part, symbol in symbols(taken.states).items():
            words = part.replace("_", " ") + ("" if part == symbol else f" {letter(symbol)}")
            columns |= by_coordinate(words, blank(getattr(taken.states, part), last), descent.coordinates)
        columns |= by_coordinate("move", blank(taken.moves, last), descent.coordinates)
    return pd.DataFrame(columns)


def blank(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Values without those of some rows."""
    return np.where(rows.reshape(-1, *(1,) * (values.ndim - 1)), np.nan, values)


def by_coordinate(name: str, values: np.ndarray, coordinates: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The columns of a quantity: one, or one for each coordinate; of a matrix, for each two; of rows, numbered."""
    labels = (coordinates if size == len(coordinates) else range(1, size + 1) for size in values.shape[1:])
    columns = values.reshape(len(values), -1).T
    return {" ".join([name, *map(str, places)]): one for places, one in zip(product(*labels), columns, strict=True)}
