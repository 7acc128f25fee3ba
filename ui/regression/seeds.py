"""The same race from many seeds."""

from __future__ import annotations

from collections.abc import Callable
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
AT_ONCE = 25  # of them; between two such parts the visitor, or a server that stops, may end the work
Bands = tuple[np.ndarray, dict[str, np.ndarray], dict[str, int]]
BANDS = Memo[Bands](16)
MAX_EVALUATIONS = 100_000_000  # at examples, by all seeds and racers together: a few seconds


def seed_steps(setup: RegressionSetup) -> int:
    """How many iterations are run from all the seeds: those of the race, as far as the server has time for them."""
    return min(setup.steps, max(1, MAX_EVALUATIONS // (SEEDS * setup.examples * len(setup.racers))))


def bands(setup: RegressionSetup, look: Callable[[], object] = lambda: None) -> Bands:
    """The same race from many seeds: steps, per racer the losses below which 10, 50, 90 % are, and how many left.

    ``look`` is called now and then; what it raises ends the work.
    """
    racers = dict(zip(names_in(setup), setup.racers, strict=True))
    fits = bowls(setup.examples, setup.noise, [setup.seed + i for i in range(SEEDS)])
    parts = []
    for first in range(0, SEEDS, AT_ONCE):
        look()
        some = fits[first : first + AT_ONCE]
        parts.append(
            race(
                mean_squared_error,
                racers,
                np.tile(setup.start, (len(some), 1)),
                seed_steps(setup),
                data=(np.stack([fit.features for fit in some]), np.stack([fit.true for fit in some])),
                own_data=True,
                batch_size=setup.batch_size,
                seeds=[setup.seed + first + i for i in range(len(some))],
                tolerance=setup.tolerance,
            )
        )
    floors = np.array([float(fit.losses(fit.minimum()[None])[0]) for fit in fits])[:, None]
    losses = {name: np.concatenate([part[name].losses for part in parts]) for name in racers}
    above = {name: some - (floors if setup.loss == "log" else 0) for name, some in losses.items()}
    return (
        next(iter(parts[0].values())).steps,
        {name: np.percentile(some, [10, 50, 90], axis=0) for name, some in above.items()},
        {name: sum(int(part[name].diverged.sum()) for part in parts) for name in racers},
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
        key = replace(setup, below="seeds", moment=0, whose=1)
        steps, found, lost = BANDS.get(key, long_run()(lambda: bands(setup, still_wanted)), still_wanted)
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
