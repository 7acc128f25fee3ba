"""What a new server does once it has served its first page: compile the usual races before they are asked for."""

from __future__ import annotations

import threading

from engine import Trace, race
from engine.endings import verdicts
from ui.draw.landscapes import landscape_figures
from ui.linear_fit.data import points_of
from ui.linear_fit.run import run as run_fit
from ui.regression.figures import still_figures
from ui.regression.run import run as run_regression
from ui.setup.pages import FitSetup, RaceSetup, RegressionSetup, racer_names
from ui.setup.presets import presets


def compile_usual_races() -> None:
    """Run every preset once and draw what it stands on. Ends early when the server does."""
    for prepare, page in ((race_page, "Ackley Race"), (regression_page, "2D Regression"), (fit_page, "Linear Fit")):
        for preset in presets(page).values():
            prepare(preset.setup)


def stop_with_the_server() -> None:
    """A server that is being stopped waits for this thread, but no longer than for the compile it is in."""
    if not threading.main_thread().is_alive():
        raise SystemExit


def race_page(setup: RaceSetup) -> None:
    landscape = setup.chosen_landscape
    traces: dict[str, Trace] = {}
    for name, racer in zip(racer_names(setup.racers), setup.racers, strict=True):
        stop_with_the_server()
        traces |= race(
            setup.chosen_landscape.loss, {name: racer}, [setup.start], 1, minima=setup.chosen_landscape.minima
        )
    verdicts(landscape.loss, traces, landscape.minima)
    landscape_figures(setup.landscape, setup.view)


def regression_page(setup: RegressionSetup) -> None:
    stop_with_the_server()
    run_regression(setup)
    still_figures(setup.examples, setup.noise, setup.seed)


def fit_page(setup: FitSetup) -> None:
    stop_with_the_server()
    points = points_of(setup, None)
    if points is not None:
        run_fit(setup, points)
