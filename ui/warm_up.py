"""Compile the presets of a new server, in a background thread, once it has served its first page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine import Trace, race
from engine.endings import verdicts
from ui.draw.landscapes import landscape_figures
from ui.linear_fit.data import points_of
from ui.linear_fit.run import run as run_fit
from ui.process import exit_if_server_stops
from ui.regression.figures import still_figures
from ui.regression.run import run as run_regression
from ui.setup.pages import FitSetup, RaceSetup, RegressionSetup
from ui.setup.presets import opening, presets
from ui.setup.racers import racer_names


def compile_usual_races() -> None:
    """Run every preset once and draw its still figures, what the pages open with before all others.

    Raises ``SystemExit`` when the server stops.
    """
    pages: dict[str, Callable[[Any], None]]
    pages = {"Ackley Race": compile_race, "2D Regression": compile_regression, "Linear Fit": compile_fit}
    openings = [(page, opening(page)) for page in pages]
    others = [(page, preset.setup) for page in pages for preset in [*presets(page).values()][1:]]
    for page, setup in openings + others:
        exit_if_server_stops()  # as each compile does, too
        pages[page](setup)


def compile_race(setup: RaceSetup) -> None:
    """Run each racer for a step, for its program, and draw the landscape."""
    landscape, start, noise = setup.chosen_landscape, [setup.start], setup.gradient_noise
    traces: dict[str, Trace] = {}
    for name, racer in zip(racer_names(setup.racers), setup.racers, strict=True):
        traces |= race(landscape.loss, {name: racer}, start, 1, minima=landscape.minima, noise=noise)
    verdicts(landscape.loss, traces, landscape.minima)
    landscape_figures(landscape, setup.view)


def compile_regression(setup: RegressionSetup) -> None:
    """Run the race on the examples, and draw the surface of their loss."""
    run_regression(setup)
    still_figures(setup.examples, setup.noise, setup.seed)


def compile_fit(setup: FitSetup) -> None:
    """Run the descent, where the points need no file."""
    points = points_of(setup, None)
    if points is not None:
        run_fit(setup, points)
