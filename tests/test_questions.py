"""Questions before the run: what is right is what another computation finds, and nothing tells it before the answer."""

import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from visit import address, opened, sent, shown, sound, stage, texts

import ui.gradients.tangent
import ui.linear_fit.page
import ui.race.page
import ui.regression.page
from engine import LANDSCAPES, OPTIMIZERS, sweep
from engine.race import Trace
from ui.gradients import tangent
from ui.linear_fit.data import points_of
from ui.linear_fit.run import facts as fit_facts
from ui.linear_fit.run import run as run_fit
from ui.race.rates import limit_of
from ui.race.run import facts as race_facts
from ui.race.run import run as run_race
from ui.regression.run import facts as regression_facts
from ui.regression.run import run as run_regression
from ui.setup.codec import decode, encode
from ui.setup.pages import RACE_TABS, SETUPS, FitSetup, GradientsSetup, RaceSetup, RegressionSetup
from ui.setup.presets import presets
from ui.setup.questions.link import QUESTIONS, problem_of, question_of, usual_question
from ui.setup.questions.question import Facts, Outcome, is_right

SGD = OPTIMIZERS["SGD"]
DIVERGING = ("diverged", "diverging")
EVERY_PRESET = [
    pytest.param(preset.setup, id=f"{page}: {name}") for page in SETUPS for name, preset in presets(page).items()
]
# a question of each kind, on each page that can be asked it
ASKED = {
    "ends, race": RaceSetup(ask="ends~Adam"),
    "lowest, race": RaceSetup(ask="lowest"),
    "where, race": RaceSetup(ask="where~Adam~40"),
    "ends, regression": RegressionSetup(ask="ends~2"),
    "lowest, regression": RegressionSetup(ask="lowest"),
    "where, regression": RegressionSetup(ask="where~Adam~40"),
    "ends, fit": FitSetup(ask="ends"),
    "where, fit": FitSetup(model="intercept", ask="where~5"),
    "slope": GradientsSetup(f="sin x", low=-5, high=5, x0=1.0, ask="slope"),
    "line, fit": FitSetup(model="intercept", ask="line"),
    "steps, race": RaceSetup(landscape="Himmelblau", start=(-0.5, 0.5), steps=60, ask="steps~12"),
    "steps, regression": RegressionSetup(ask="steps"),
    "steps, fit": FitSetup(model="intercept", ask="steps"),
    "rate, race": RaceSetup(steps=50, ask="rate~Adam"),
    "rate, regression": RegressionSetup(steps=50, ask="rate~SGD"),
}
every_question = pytest.mark.parametrize("setup", ASKED.values(), ids=ASKED)


def facts_of(setup) -> Facts:
    """What the page of a set-up computes outcomes from."""
    if isinstance(setup, RaceSetup):
        return race_facts(setup, run_race(setup)[0])
    if isinstance(setup, RegressionSetup):
        return regression_facts(setup, run_regression(setup))
    if isinstance(setup, FitSetup):
        return fit_facts(setup, run_fit(setup, points_of(setup, None)))
    return tangent.facts(setup)


def outcome_of(setup) -> Outcome:
    assert not problem_of(setup)
    return question_of(setup).outcome(setup, facts_of(setup))


# ---- the outcome is that of the run


@every_question
def test_a_question_says_what_it_asks_and_how_to_answer(setup):
    question = question_of(setup)
    assert question.text(setup).endswith("?")
    assert bool(question.choices(setup)) != bool(question.numbers(setup))
    outcome = outcome_of(setup)
    assert outcome.words.endswith(".")
    if outcome.right is None:  # tests/test_tries.py has what is scored
        assert not question.choices(setup)
        return
    if question.choices(setup):
        assert outcome.right
        assert set(outcome.right) <= set(question.choices(setup))
        assert {is_right(choice, outcome) for choice in question.choices(setup)} == {True, False}
    else:
        assert len(outcome.right) == len(outcome.reach) == len(question.numbers(setup))
        assert is_right(outcome.right, outcome)
        assert not is_right(tuple(np.add(outcome.right, 1.01 * np.array(outcome.reach)).tolist()), outcome)
    for answer in question.choices(setup) or [outcome.right]:
        assert question.describe(answer, setup).startswith("You said ")


@pytest.mark.parametrize("setup", EVERY_PRESET)
def test_the_usual_question_of_a_prepared_set_up_has_an_answer(setup):
    if not (usual := usual_question(setup)):
        assert isinstance(setup, GradientsSetup)
        assert not setup.shows_slope
        return
    asked = replace(setup, ask=usual)
    outcome = outcome_of(asked)
    choices = question_of(asked).choices(asked)
    assert outcome.right <= choices.keys() if choices else outcome.right is not None


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9, 0.97, 1.02, 1.2, 3.0])
@pytest.mark.parametrize("steps", [4, 12, 150])
def test_how_a_descent_ends_is_as_the_curvature_foretells(share, steps):
    """Each step multiplies the distance to the minimum by 1 − αλ, computed here from the points in 64 bits."""
    setup = FitSetup(data="4x", steps=steps, tolerance=0.0, theta=0.0, ask="ends")
    points = points_of(setup, None)
    curvature = 2 * float(np.mean(points.x.astype(float) ** 2))
    left = abs(1 - 2 * share) ** steps
    setup = replace(setup, rate=2 * share / curvature)
    ending = "diverges" if left > 1 else "converges" if left < 1e-3 else "oscillates" if left > 0.2 else None
    if ending:
        assert outcome_of(setup).right == {ending}


def test_where_a_racer_is_and_how_it_ends_is_as_on_paper():
    """On the ravine, (x² + 100 y²) / 2, a step of SGD multiplies x by 1 − α and y by 1 − 100α."""
    rng = random.Random(5)
    for _ in range(25):
        rate, start = rng.choice([0.002, 0.01, 0.015, 0.019, 0.0205, 0.03]), (rng.uniform(-9, 9), rng.uniform(-9, 9))
        steps = rng.randint(30, 500)
        step = rng.randint(1, steps)
        setup = RaceSetup(landscape="Ravine", start=start, steps=steps, racers=(SGD(learning_rate=rate),))
        place = lambda k: np.array(start) * np.array([1 - rate, 1 - 100 * rate]) ** k  # noqa: B023, E731
        facts = facts_of(setup)
        where = question_of(replace(setup, ask=f"where~SGD~{step}")).outcome(setup, facts)
        low, high = np.array(facts.frame).T
        if np.abs(place(step)).max() < 1e15:
            np.testing.assert_allclose(where.right, np.clip(place(step), low, high), rtol=1e-3, atol=1e-3)
            assert ("outside the map" in where.words) == bool((np.abs(place(step)) > high).any())
        ends = question_of(replace(setup, ask="ends")).outcome(setup, facts).right
        loss = lambda x: (x[0] ** 2 + 100 * x[1] ** 2) / 2  # noqa: E731
        if np.abs(place(steps)).max() < 0.009:
            assert ends == {"converges"}
        elif np.abs(place(steps)).max() > 1e19 or loss(place(steps)) > 1.001 * loss(np.array(start)):
            assert ends == {"diverges"}
        elif np.abs(place(steps)).max() > 0.02 and loss(place(steps)) < loss(np.array(start)):
            assert not ends & {"converges", "diverges"}


def test_above_its_limit_a_descent_diverges_for_the_question_the_leaderboard_and_the_sweep_alike(rng):
    """Once its loss is above that at the start; below the limit it never does."""
    seen = Counter()
    for name in ("Bowl", "Ravine", "Turned ravine", "Booth"):
        landscape, limit = LANDSCAPES[name], limit_of(LANDSCAPES[name])
        start, steps = tuple(rng.uniform(*np.transpose(landscape.domain)).tolist()), int(rng.integers(3, 150))
        rates = (limit * np.append(np.geomspace(1.02, 3, 8), np.linspace(0.05, 0.99, 8))).astype(np.float32)
        found = sweep(landscape.loss, SGD(), "learning_rate", rates, [start], steps, minima=landscape.minima)
        for rate, ending in zip(rates, found.endings[:, 0], strict=True):
            setup = RaceSetup(landscape=name, start=start, steps=steps, racers=(SGD(learning_rate=float(rate)),))
            facts = facts_of(replace(setup, ask="ends"))
            ((_, run), (_, verdict)) = *facts.runs.items(), *facts.verdicts.items()
            grew = run.stopped is not None or run.losses[-1] > run.losses[0]
            diverges = question_of(replace(setup, ask="ends")).outcome(setup, facts).right == {"diverges"}
            assert diverges == (verdict.kind in DIVERGING) == (ending.kind in DIVERGING) == grew, (name, rate, steps)
            assert not grew or rate > limit
            seen[verdict.kind] += 1
    assert min(seen[kind] for kind in DIVERGING) > 5


def test_who_ends_lowest_is_who_does_in_a_plain_loop(walk):
    rng = random.Random(7)
    rules = [OPTIMIZERS[name] for name in ("SGD", "Momentum", "RMSProp", "Adam")]
    for name in rng.sample(list(LANDSCAPES), 4):
        landscape = LANDSCAPES[name]
        racers = tuple(rule(learning_rate=rng.choice([1e-4, 1e-3, 1e-2])) for rule in rules)
        setup = RaceSetup(landscape=name, start=next(iter(landscape.places.values())), steps=30, racers=racers)
        ends = [walk(landscape.loss, racer, setup.start, setup.steps)[-1] for racer in racers]
        losses = np.array([float(landscape.loss(end)) for end in ends])
        right = outcome_of(replace(setup, ask="lowest")).right
        assert setup.runners[int(np.nanargmin(losses))] in right
        near = np.nanmin(losses) + 1e-3 * abs(np.nanmin(losses))
        assert all(losses[setup.runners.index(winner)] <= near for winner in right)


DERIVATIVES = {"4x": lambda x: 4, "4x³+3": lambda x: 12 * x**2, "x²": lambda x: 2 * x, "sin x": np.cos}


@pytest.mark.parametrize("f", DERIVATIVES)
def test_the_slope_is_the_derivative(f):
    setup = GradientsSetup().with_setting("f", f)
    for x0 in setup.places()[::7]:
        here = replace(setup, x0=x0, ask="slope")
        outcome = outcome_of(here)
        true = float(DERIVATIVES[f](x0))
        assert is_right((true,), outcome)
        assert not is_right((1.5 * true + np.sign(true or 1) * 0.05 * max(abs(true), outcome.reach[0] * 30),), outcome)


@pytest.mark.parametrize("name", ["Adam", "Adam 0.5", "2"])
def test_a_racer_is_asked_about_by_its_name_its_optimizer_or_its_place(name):
    racers = (SGD(), OPTIMIZERS["Adam"](learning_rate=0.5), OPTIMIZERS["Adam"](learning_rate=0.1))
    setup = RaceSetup(steps=50, racers=racers, ask=f"ends~{name}")
    assert question_of(setup).text(setup) == "Will Adam 0.5 converge within 50 steps?"


# ---- in a link


@every_question
def test_a_question_survives_its_link_and_is_in_it_only_where_one_is_asked(setup):
    query = encode(setup)
    assert query["ask"] == [setup.ask]
    assert decode(query, type(setup)()) == (setup, [])
    assert "ask" not in encode(replace(setup, ask=""))


@pytest.mark.parametrize(
    ("page", "ask"),
    [
        ("Ackley Race", "slope"),
        ("Ackley Race", "ends~Nobody"),
        ("Ackley Race", "where~Adam~900"),
        ("Ackley Race", "whence"),
        ("2D Regression", "ends~9"),
        ("2D Regression", "where~Adam"),
        ("Linear Fit", "lowest"),
        ("Linear Fit", "where~5"),
        ("Gradients", "lowest"),
        ("Gradients", "ends~Adam"),
        ("Gradients", "steps"),
        ("2D Regression", "line"),
        ("2D Regression", "rate~Nobody"),
        ("Ackley Race", "steps~0"),
        ("Ackley Race", "steps~61"),
        ("Linear Fit", "steps"),
        ("Linear Fit", "rate"),
    ],
)
def test_a_link_that_asks_what_the_page_cannot_answer_gets_one_note_and_no_question(page, ask):
    default = SETUPS[page]()
    setup, notes = decode({"ask": [ask]}, default)
    assert setup == default
    assert len(notes) == 1
    assert f"`{ask}`" in notes[0]


def test_a_preset_that_asks_can_be_asked_and_no_page_opens_with_a_question():
    for page in SETUPS:
        first, *others = (preset.setup for preset in presets(page).values())
        assert not first.ask
        assert not [problem_of(setup) for setup in others if problem_of(setup)]
    assert any(preset.setup.ask for page in SETUPS for preset in presets(page).values())


# ---- on the page


def falsified(trace: Trace) -> Trace:
    """Another run from the same start."""
    later = np.arange(len(trace.steps)) > 0
    return replace(
        trace,
        positions=trace.positions + 0.37 * later[:, None].astype(np.float32),
        losses=trace.losses + 12345 * later.astype(np.float32),
        stopped_at=np.full_like(trace.stopped_at, 7),
    )


@pytest.fixture
def another_run(monkeypatch):
    """Let all pages compute another run and another slope than the true ones."""

    def all_of(traces):
        return {name: falsified(trace) for name, trace in traces.items()}

    def of_race(setup, *yours):
        traces, styles = run_race(setup)
        return all_of(traces), styles

    def of_regression(setup, *yours):
        result = run_regression(setup)
        return replace(result, traces=all_of(result.traces))

    def of_fit(setup, points):
        result = run_fit(setup, points)
        later = np.arange(len(result.slopes)) > 0
        return replace(result, trace=falsified(result.trace), slopes=result.slopes + 5 * later[:, None])

    true = ui.gradients.tangent.curves

    def steeper(f, low, high):
        found = true(f, low, high)
        return replace(found, slope=found.slope + 3)

    def falsify():
        monkeypatch.setattr(ui.race.page, "run", of_race)
        monkeypatch.setattr(ui.regression.page, "run", of_regression)
        monkeypatch.setattr(ui.linear_fit.page, "run", of_fit)
        monkeypatch.setattr(ui.gradients.tangent, "curves", steeper)

    return falsify


ONE_OF_EACH = [
    "lowest, race",
    "where, regression",
    "ends, fit",
    "slope",
]
TRIES = ["line, fit", "steps, race", "steps, regression", "steps, fit", "rate, race"]


@pytest.mark.parametrize("asked", [*ONE_OF_EACH, *TRIES])
def test_before_the_answer_the_page_is_the_same_whatever_the_run(asked, another_run):
    """Of two runs from one start the browser is sent the very same, so nothing in it can tell how the run ends."""
    before = sent(shown(ASKED[asked]))
    another_run()
    assert sent(shown(ASKED[asked])) == before


@pytest.mark.parametrize("tab", [name for name in RACE_TABS if name != "race"])
def test_a_part_that_tells_how_a_race_ends_waits_for_the_answer(tab):
    app = shown(replace(ASKED["lowest, race"], show=tab, steps=20))
    assert "hidden until the question above is answered" in texts(app)
    assert not app.get("plotly_chart")
    assert not app.dataframe


def answer(app, setup, given=None) -> None:
    """Fill in an answer."""
    prefix = {RaceSetup: "race", RegressionSetup: "regression", FitSetup: "fit", GradientsSetup: "slope"}[type(setup)]
    question = question_of(setup)
    if choices := list(question.choices(setup)):
        app.radio(key=f"{prefix}-ask-choice").set_value(given or choices[0])
    for i in range(len(question.numbers(setup))):
        app.number_input(key=f"{prefix}-ask-number-{i}").set_value(1.0)


def press(app, label: str):
    (button,) = [button for button in app.button if button.label == label]
    return sound(button.click().run())


@pytest.mark.parametrize("asked", ONE_OF_EACH)
def test_an_answer_and_the_outcome_come_to_stand_side_by_side(asked):
    setup = ASKED[asked]
    key = {RegressionSetup: "regression-stage", FitSetup: "fit-stage", GradientsSetup: "slope-stage"}.get(
        type(setup), "race-stage"
    )
    app, question, outcome = shown(setup), question_of(setup), outcome_of(setup)
    assert "held" in stage(app, key)
    assert outcome.words not in texts(app)
    press(app, "Commit")
    assert "held" in stage(app, key)
    assert "First " in texts(app)
    answer(app, setup)
    press(app, "Commit")
    assert "held" not in stage(app, key)
    assert [block for block in app.get("popover") if block.proto.popover.label == "Take it home"]
    given = next(iter(question.choices(setup)), None) or (1.0,) * len(question.numbers(setup))
    assert question.describe(given, setup) in texts(app)
    if asked != "slope":
        assert outcome.words not in texts(app)
        press(app, "Show the outcome")
    assert outcome.words in texts(app)
    assert ("Right." if is_right(given, outcome) else "Not so.") in texts(app)
    page = next(page for page, kind in SETUPS.items() if isinstance(setup, kind))
    assert address(app, page) == setup  # and so nothing of the answer is in it
    press(app, "Ask again")
    assert "held" in stage(app, key)
    press(app, "Skip the question")
    assert "held" not in stage(app, key)
    assert outcome.words not in texts(app)


def test_what_was_answered_about_one_run_counts_no_more_for_another():
    setup = ASKED["ends, fit"]
    app = shown(setup)
    answer(app, setup)
    press(app, "Commit")
    sound(app.segmented_control(key="fit-loss").set_value("log").run())  # the same run, seen otherwise
    assert "held" not in stage(app, "fit-stage")
    sound(app.select_slider(key="fit-steps").set_value(25).run())
    assert stage(app, "fit-stage")["held"] == 25
    answer(app, setup)
    press(app, "Commit")
    press(app, "Show the outcome")
    assert outcome_of(replace(setup, loss="log", steps=25)).words in texts(app)


@pytest.mark.parametrize("page", SETUPS)
def test_the_switch_asks_what_suits_and_stays_on_for_the_next_preset(page):
    app = opened(page)
    (switch,) = [toggle for toggle in app.toggle if toggle.label == "Ask me first"]
    assert not switch.value
    sound(switch.set_value(True).run())
    assert address(app, page).ask == usual_question(address(app, page)) != ""
    assert [button for button in app.button if button.label == "Commit"]
    second = list(presets(page).values())[1]
    (choice,) = [box for box in app.selectbox if box.label == "Preset"]
    sound(choice.set_value(second.name).run())
    assert address(app, page).ask == (second.setup.ask or usual_question(second.setup))
    (switch,) = [toggle for toggle in app.toggle if toggle.label == "Ask me first"]
    sound(switch.set_value(False).run())
    assert address(app, page) == replace(second.setup, ask="")
    assert not [button for button in app.button if button.label == "Commit"]


def test_where_there_is_no_one_slope_none_is_asked_for():
    app = shown(GradientsSetup(f="|x|", low=-5, high=5, x0=0.0, ask="slope"))
    assert "f has no one slope" in texts(app)
    assert "held" not in stage(app, "slope-stage")


def test_every_kind_of_question_is_tried_here():
    elsewhere = {"own"}  # tests/test_teach.py
    assert {setup.ask.split("~")[0] for setup in ASKED.values()} == QUESTIONS.keys() - elsewhere
