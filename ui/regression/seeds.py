"""The same race from many seeds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from engine import race
from engine.problems import bowls, mean_squared_error
from ui.admission import long_run, still_wanted, waiting
from ui.draw.figures import show_figure
from ui.draw.styles import styles
from ui.draw.tables import show_table
from ui.memo import Memo
from ui.regression.controls import CONTROLS
from ui.regression.figures import bands_figure
from ui.setup.pages import RegressionSetup
from ui.setup.racers import names_in

SEEDS = 100
Bands = tuple[np.ndarray, dict[str, np.ndarray], dict[str, int]]
BANDS = Memo[Bands](16)
MAX_EVALUATIONS = 100_000_000  # at examples, by all seeds and racers together: a few seconds


def seed_steps(setup: RegressionSetup) -> int:
    """How many iterations are run from all the seeds: those of the race, as far as the server has time for them."""
    return min(setup.steps, max(1, MAX_EVALUATIONS // (SEEDS * setup.examples * len(setup.racers))))


def bands(setup: RegressionSetup) -> Bands:
    """The same race from many seeds: steps, per racer the losses below which 10, 50, 90 % are, and how many left."""
    fits = bowls(setup.examples, setup.noise, [setup.seed + i for i in range(SEEDS)])
    traces = race(
        mean_squared_error,
        dict(zip(names_in(setup), setup.racers, strict=True)),
        np.tile(setup.start, (SEEDS, 1)),
        seed_steps(setup),
        data=(np.stack([fit.features for fit in fits]), np.stack([fit.true for fit in fits])),
        own_data=True,
        batch_size=setup.batch_size,
        seeds=[setup.seed + i for i in range(SEEDS)],
        tolerance=setup.tolerance,
    )
    floors = np.array([float(fit.losses(fit.minimum()[None])[0]) for fit in fits])[:, None]
    above = {name: trace.losses - (floors if setup.loss == "log" else 0) for name, trace in traces.items()}
    steps = next(iter(traces.values())).steps
    return (
        steps,
        {name: np.percentile(losses, [10, 50, 90], axis=0) for name, losses in above.items()},
        {name: int(trace.diverged.sum()) for name, trace in traces.items()},
    )


def show_seeds(setup: RegressionSetup, theme: str) -> None:
    """The median loss over many seeds, with a band and a table."""
    st.markdown(
        f"The race above, from {SEEDS} seeds: other examples, other noise, other batches each time. "
        "The line is the median loss; at every iteration, 80 of the 100 runs lie inside the band."
    )
    if (most := seed_steps(setup)) < setup.steps:
        st.markdown(
            f":material/timer: This race takes long with 100 seeds, so only the first {most:,} of the "
            f"{setup.steps:,} iterations are run."
        )
    with st.spinner(f"Running {SEEDS} seeds."), waiting():
        # what is looked at below the picture changes no run
        setup = replace(setup, below="seeds", moment=0, whose=1)
        steps, found, lost = BANDS.get(setup, long_run()(lambda: bands(setup)), still_wanted)
    racer_styles = dict(zip(names_in(setup), styles(setup.racers), strict=True))
    show_figure(bands_figure(steps, found, racer_styles, setup.loss == "log", theme), CONTROLS.key("seeds"), 420)
    table = pd.DataFrame(
        {
            "racer": list(found),
            "median": [band[1, -1] for band in found.values()],
            "10 % are below": [band[0, -1] for band in found.values()],
            "90 % are below": [band[2, -1] for band in found.values()],
            "diverged": [lost[name] for name in found],
        }
    )
    show_table(
        table,
        {
            "racer": st.column_config.TextColumn("optimizer"),
            **dict.fromkeys(("median", "10 % are below", "90 % are below"), "%.4g"),
        },
    )
