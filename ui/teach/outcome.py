"""For the set-up of any page: whether its question has an outcome, and what that is computed from."""

from __future__ import annotations

import ui.gradients.tangent as gradients
import ui.linear_fit.run as linear_fit
import ui.race.run as race
import ui.regression.run as regression
from ui.linear_fit.controls import uploaded
from ui.linear_fit.csv_text import CsvError
from ui.linear_fit.data import points_of
from ui.setup.codec import Setup
from ui.setup.pages import FitSetup, GradientsSetup, RaceSetup, RegressionSetup
from ui.setup.questions.link import problem_of
from ui.setup.questions.question import Facts


def question_problem(setup: Setup) -> str:
    """Why a set-up cannot answer the question that it asks, in a sentence; "" where it can: by its run as well."""
    return problem_of(setup) or (gradients.slope_problem(setup) if isinstance(setup, GradientsSetup) else "")


def facts_of(setup: Setup) -> Facts:
    """The facts of a set-up's run, computed as its page does; none where there is nothing to run on yet."""
    if isinstance(setup, RaceSetup):
        return race.facts(setup, race.run(setup)[0])
    if isinstance(setup, RegressionSetup):
        return regression.facts(setup, regression.run(setup))
    if isinstance(setup, FitSetup):
        try:
            points = points_of(setup, uploaded())
        except CsvError:
            points = None
        return Facts() if points is None else linear_fit.facts(setup, linear_fit.run(setup, points))
    assert isinstance(setup, GradientsSetup)
    return gradients.facts(setup)
