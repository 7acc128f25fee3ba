"""The files of a run that are made on the server: all numbers as CSV, and the run as a program in three ways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from engine.rules import TypedOptimizer
from engine.scheduled import unscheduled
from ui.draw.tables import as_csv
from ui.linear_fit.controls import uploaded
from ui.linear_fit.csv_text import CsvError
from ui.linear_fit.data import Points, points_of
from ui.setup.codec import Setup
from ui.setup.pages import FitSetup, GradientsSetup, RaceSetup, RegressionSetup
from ui.take_home import gradients
from ui.take_home.descent import Descent, descent_of
from ui.take_home.every_step import every_step
from ui.take_home.in_notebook import notebook
from ui.take_home.in_optax import optax_program
from ui.take_home.in_torch import pytorch
from ui.take_home.typed_rule import USES_LOSS
from ui.take_home.words import describe_descent, parting

CSV, NOTEBOOK, PYTORCH, OPTAX = "Every step as CSV", "Jupyter notebook", "PyTorch", "optax"
ENDINGS = {CSV: ".csv", NOTEBOOK: ".ipynb", PYTORCH: "-pytorch.py", OPTAX: "-optax.py"}
MIMES = {CSV: "text/csv", NOTEBOOK: "application/x-ipynb+json", PYTORCH: "text/x-python", OPTAX: "text/x-python"}
HELP = {
    CSV: "A table of every recorded step: position, loss, gradient, what each rule remembers, and its move.",
    NOTEBOOK: "The same run as a Jupyter notebook that needs JAX alone: the rules' own source, the loss, and the run.",
    PYTORCH: "The same run as a PyTorch program.",
    OPTAX: "The same run as a program with optax, the library of optimizers for JAX.",
}
NO_POINTS = "There are no points to fit yet. Upload a CSV file in the sidebar, or choose other data."


@dataclass(frozen=True)
class File:
    """A file to take home. ``make`` is called only when it is asked for; None where ``help`` says why there is none."""

    label: str
    help: str
    name: str
    mime: str
    make: Callable[[], bytes] | None


def files(setup: Setup) -> list[File]:
    """The files of a page's set-up, in the order of the menu."""
    if isinstance(setup, GradientsSetup):
        return [file("gradients", label, *gradients.made(setup, label)) for label in ENDINGS]
    if isinstance(setup, FitSetup):
        points = points_of_page(setup)
        if points is None:
            return [file("linear-fit", label, NO_POINTS, None) for label in ENDINGS]
        return [file("linear-fit", label, HELP[label], partial(MAKE[label], setup, points)) for label in ENDINGS]
    assert isinstance(setup, RaceSetup | RegressionSetup)
    slug = "ackley-race" if isinstance(setup, RaceSetup) else "2d-regression"
    return [file(slug, label, *of_racers(setup, label)) for label in ENDINGS]


def file(slug: str, label: str, words: str, make: Callable[[], bytes] | None) -> File:
    """One file of a page."""
    return File(label, words, slug + ENDINGS[label], MIMES[label], make)


def of_racers(setup: RaceSetup | RegressionSetup, label: str) -> tuple[str, Callable[[], bytes] | None]:
    """The help of a file about a line-up, and what makes it."""
    if label != CSV and any(
        isinstance(unscheduled(racer), TypedOptimizer) and racer.takes_at for racer in setup.racers
    ):
        return USES_LOSS, None
    return HELP[label], partial(MAKE[label], setup, None)


def points_of_page(setup: FitSetup) -> Points | None:
    """The points that the page fits; None where there are none."""
    try:
        return points_of(setup, uploaded())
    except CsvError:
        return None


def descent(setup: Setup, points: Points | None) -> Descent:
    """The descent of a set-up that has one."""
    found = descent_of(setup, points)
    assert found is not None
    return found


def csv_file(setup: Setup, points: Points | None) -> bytes:
    """Every step as CSV."""
    return as_csv(every_step(descent(setup, points)))


def notebook_file(setup: Setup, points: Points | None) -> bytes:
    """The notebook."""
    return notebook(descent(setup, points))


def pytorch_file(setup: Setup, points: Points | None) -> bytes:
    """The PyTorch program."""
    of = descent(setup, points)
    return pytorch(of, parting(of))


def optax_file(setup: Setup, points: Points | None) -> bytes:
    """The optax program."""
    of = descent(setup, points)
    return optax_program(of, parting(of))


MAKE = {CSV: csv_file, NOTEBOOK: notebook_file, PYTORCH: pytorch_file, OPTAX: optax_file}


def describe(setup: Setup) -> str:
    """The picture and the run in words, as plain text."""
    if isinstance(setup, GradientsSetup):
        return gradients.describe(setup)
    points = points_of_page(setup) if isinstance(setup, FitSetup) else None
    of = descent_of(setup, points)
    return NO_POINTS if of is None else describe_descent(of)
