"""What is taken home is the run that the page shows: each program is executed and compared with it."""

import contextlib
import io
import os
import subprocess
import sys
from dataclasses import replace

import nbformat
import numpy as np
import pandas as pd
import pytest

from engine import LANDSCAPES, OPTIMIZERS, SCHEDULES, reshaped
from engine.rule_text import parse_rule
from engine.scheduled import PREFIX, Scheduled, with_schedule
from engine.turned import LATER, turned_at
from ui.linear_fit.data import points_of
from ui.linear_fit.run import run as run_fit
from ui.race.run import run as run_race
from ui.regression.run import run as run_regression
from ui.setup.pages import CHECK, DIFFERENCES, SLOPE, FitSetup, GradientsSetup, RaceSetup, RegressionSetup
from ui.take_home import gradients, optax_rules, torch_rules
from ui.take_home.descent import descent_of
from ui.take_home.every_step import every_step
from ui.take_home.files import CSV, ENDINGS, NOTEBOOK, OPTAX, PYTORCH, describe, files

CLOSE = 1e-4  # of the largest coordinate so far
RULES = tuple(OPTIMIZERS.values())
ALL_RULES = tuple(rule() for rule in RULES)
TURNED = {  # every knob with a range away from its default
    "weight_decay": 0.02,
    "momentum": 0.7,
    "smoothing_constant": 0.9,
    "beta1": 0.8,
    "beta2": 0.95,
    "eps": 1e-3,
    "momentum_decay": 0.05,
    "beta3": 0.9,
    "slow_weight": 2.0,
    "rho": 0.8,
    "beta": 0.8,
    "eta_plus": 1.3,
    "eta_minus": 0.4,
    "min_step_size": 1e-4,
    "max_step_size": 0.5,
    "radius": 0.3,
    "shrink": 0.4,
    "share": 0.3,
    "memory": 3.0,
    "damping": 2.0,
    "lowest_loss": -0.5,
    "refresh_interval": 3.0,
    "curvature_scale": 0.5,
    "initial_distance": 0.02,
}


def turned(rule, rate, switched=lambda knob: True):
    """A racer with none of its knobs at its default, but for the switches that are not ``switched``."""
    _, *knobs = rule.knobs()
    switches = {knob.name: knob.default != switched(knob) for knob in knobs if knob.is_switch}
    return rule(
        learning_rate=rate, **{knob.name: TURNED[knob.name] for knob in knobs if not knob.is_switch}, **switches
    )


def switches_of(rule):
    return {knob.name for knob in rule.knobs() if knob.is_switch}


SWITCHES = set.union(*map(switches_of, OPTIMIZERS.values()))


def on_booth(switched, rules=RULES):
    """Rules with other knobs, the switches as said, where each of them tells."""
    racers = tuple(turned(rule, 0.005, switched) for rule in rules)
    return RaceSetup(landscape="Booth", start=(-2.0, 2.0), steps=60, racers=racers)


TWO = (OPTIMIZERS["SGD"](learning_rate=1e-4), OPTIMIZERS["Adam"](learning_rate=0.3))


def on_shape(name):
    """Adam on a landscape with knobs, each of these away from its default."""
    shape = tuple((one.name, (one.default + one.low) / 2 or one.high / 3) for one in LANDSCAPES[name].knobs)
    place = next(iter(reshaped(LANDSCAPES[name], **dict(shape)).places.values()))
    return RaceSetup(landscape=name, shape=shape, start=place, steps=60, racers=TWO[1:])


def with_one_switched(name):
    """Those rules that have this switch beside others: of the rest the first two set-ups have it on and off."""
    rules = [rule for rule in RULES if {name} < switches_of(rule)]
    return on_booth(lambda knob: knob.name == name, rules)


def random_race(seed):
    rng = np.random.default_rng(seed)
    landscape = LANDSCAPES[str(rng.choice(list(LANDSCAPES)))]
    start = tuple(float(round(rng.uniform(low, high), 3)) for low, high in landscape.domain)
    names = rng.choice(list(OPTIMIZERS), 2, replace=False)
    racers = tuple(turned(OPTIMIZERS[name], float(f"{10 ** rng.uniform(-4, -1):.2g}")) for name in names)
    return RaceSetup(landscape=landscape.name, start=start, steps=60, racers=racers)


TYPED = (
    "a = 0.02 [1e-5, 1]\nm = 0.9 m + 0.1 g  # '''' and \"\"\"\nv = 0.999 v + 0.001 g^2\nx = x - a m / (sqrt(v) + 1e-8)",
    "lambda = 0.01 [0, 1]\nself = 0.3 [0, 1]\nn0 = 1\ny0 = x + lambda\nn = 0.9 n + 0.1 norm(g)^2/t\n"
    "c = min(dot(g, p), 0) / (n + 2/3)\np = g + self p tanh(pi c)\ny = y - 0.01 (g + lambda y)\n"
    "d = sign(g) |g|^(1/3) + e^(-t) log(2)\nx = (1 - lambda) y - 0.001 (d + c p)\nz = x^2 + max(c, sqrt(t))",
    "x = x - 0.001 g",
    "c = 0.5\nx = x - 0.01 c + 0.003",
    "m0 = 3\nm = 0.9 m + 1\nx = x - 0.001 (m + g)",
)


def typed(text):
    """A rule that was typed, its knobs turned."""
    rule = parse_rule(text)
    return rule(**{knob.name: knob.default * 0.9 for knob in rule.knobs()})


def at_step(racer, step, **later):
    """A racer whose knobs are turned at a step to what is given."""
    begun = turned_at(racer, step)
    return begun.rule(**{**vars(begun), **{f"{LATER}{name}": value for name, value in later.items()}})


ON_ACKLEY = RaceSetup(racers=(OPTIMIZERS["RMSProp"](learning_rate=0.1), OPTIMIZERS["NAdam"](learning_rate=0.5)))
# rules that both libraries have, or one, or none: one for each schedule
FOLLOWING = (
    *(turned(OPTIMIZERS[name], 0.02) for name in ("SGD", "Adam", "AMSGrad", "SGD", "Signum", "SGD", "SGD")),
    parse_rule("m = 0.5 m - a g\nx = x + m")(learning_rate=0.01),
)
SETUPS = {
    "every schedule": RaceSetup(
        landscape="Booth",
        start=(-2.0, 2.0),
        steps=60,
        racers=tuple(
            Scheduled(racer.rule, schedule)(**vars(racer), **{f"{PREFIX}warm_up": 5.0})
            for racer, schedule in zip(FOLLOWING, SCHEDULES.values(), strict=True)
        ),
    ),
    "a schedule of a rule that asks for the loss": RaceSetup(
        landscape="Booth",
        start=(-2.0, 2.0),
        steps=40,
        racers=tuple(with_schedule(OPTIMIZERS["SAM"](learning_rate=0.01), one) for one in ("cosine", "")),
    ),
    "noise in the gradients": RaceSetup(
        landscape="Booth",
        start=(-2.0, 2.0),
        steps=40,
        noise=3.0,
        seed=5,
        racers=tuple(OPTIMIZERS[name](learning_rate=0.01) for name in ("SGD", "Adam", "SAM", "Backtracking", "Lion")),
    ),
    "noise in the gradients, and schedules": RaceSetup(
        landscape="Rippled valley",
        steps=40,
        noise=0.5,
        racers=tuple(
            with_schedule(OPTIMIZERS[name](learning_rate=0.01), "cosine") for name in ("SGD", "SAM", "Momentum")
        ),
    ),
    "knobs turned in the middle of the run": RaceSetup(
        landscape="Booth",
        start=(-2.0, 2.0),
        steps=40,
        racers=(
            at_step(OPTIMIZERS["Momentum"](learning_rate=0.001, momentum=0.0), 12, momentum=0.9),
            at_step(OPTIMIZERS["Adam"](learning_rate=0.3), 1, learning_rate=0.05, beta2=0.9),
            at_step(OPTIMIZERS["SAM"](learning_rate=0.01), 0, learning_rate=0.002),
            at_step(typed(TYPED[0]), 20, learning_rate=0.001),
            OPTIMIZERS["Lion"](learning_rate=0.02),
        ),
    ),
    "schedules and knobs turned": RegressionSetup(
        examples=50,
        batch=16,
        steps=40,
        tolerance=5.0,
        racers=(
            at_step(with_schedule(OPTIMIZERS["SGD"](learning_rate=1e-4), "cosine"), 15, **{f"{PREFIX}steps": 30.0}),
            at_step(with_schedule(typed(TYPED[0]), "step"), 15, learning_rate=0.1),
            at_step(with_schedule(OPTIMIZERS["SAM"](learning_rate=1e-4), "linear"), 9, learning_rate=5e-5),
            at_step(OPTIMIZERS["RProp"](), 3, max_step_size=0.05),
            with_schedule(OPTIMIZERS["AdaGrad"](learning_rate=0.2), "cosine"),
            TWO[1],
        ),
    ),
    "a schedule in batches": RegressionSetup(
        examples=50, batch=16, steps=60, racers=(with_schedule(TWO[0], "cosine"), typed("x = x - 0.001 g"))
    ),
    "all rules with other knobs": on_booth(lambda knob: True),
    "all rules with other numbers": on_booth(lambda knob: False),
    **{f"rules with {name} alone": with_one_switched(name) for name in sorted(SWITCHES)},
    "a run that leaves the finite numbers": RaceSetup(
        landscape="Monkey saddle", start=(1.5, 0.001), steps=80, racers=(OPTIMIZERS["SGD"](), OPTIMIZERS["Adam"]())
    ),
    **{f"random race {seed}": random_race(seed) for seed in range(2)},
    **{f"on {name}": on_shape(name) for name, known in LANDSCAPES.items() if known.knobs},
    "typed landscape": RaceSetup(
        landscape="own",
        own="x^2/3 + |y|^3 + 2 sin(x) cos(pi y) + (x^2 + 1)^(1/3) + max(x, y)/7 - e^(-x^2) tanh(y) + 2/3",
        start=(2.5, -1.5),
        steps=60,
        racers=(OPTIMIZERS["SGD"](learning_rate=0.05), OPTIMIZERS["Adam"](learning_rate=0.1)),
    ),
    "typed landscape of one variable, where it has no value": RaceSetup(
        landscape="own", own="sqrt(x)", start=(0.3, 1.0), steps=60, racers=(OPTIMIZERS["SGD"](learning_rate=0.1),)
    ),
    "a search where a trial has no value": RaceSetup(
        landscape="own", own="sqrt(x)", start=(0.3, 1.0), steps=20, racers=(OPTIMIZERS["Backtracking"](),)
    ),
    "painted landscape": RaceSetup(landscape="painted", start=(4.0, 3.0), steps=60, racers=TWO),
    "typed rules": RaceSetup(
        landscape="Booth", start=(-2.0, 2.0), steps=60, racers=(*map(typed, TYPED), OPTIMIZERS["Adam"]())
    ),
    "a typed rule in batches": RegressionSetup(
        examples=50, batch=16, steps=60, tolerance=5.0, racers=(typed(TYPED[0]), TWO[1])
    ),
    "regression that settles in batches": RegressionSetup(tolerance=400.0, examples=50, batch=16, steps=90, racers=TWO),
    "regression that settles": RegressionSetup(batch=0, tolerance=5.0, examples=50, steps=60, racers=TWO[1:]),
    "line through 0": FitSetup(),
    "line in batches": FitSetup(data="noisy line", model="intercept", batch=8, deal=3, tolerance=0.0, steps=40),
    "line that diverges": FitSetup(rate=0.5, steps=20),
}
RACES = [pytest.param(setup, id=name) for name, setup in SETUPS.items()]
FORMULAS = (
    "4x³+3",
    "|x|",
    "x^(1/3) + tanh(x)/3",
    "max(x, 0) + 2/3",
    "softplus(x) - sigmoid(2x) + e^(-x)",
    "3",
    "sec x",
)
COMPUTATIONS = [
    GradientsSetup(part=part, f="own", own=text, low=-2.0, high=3.0, x0=0.5, answer="x^2").snapped()
    for part, texts in ((SLOPE, FORMULAS), (DIFFERENCES, FORMULAS[:2]), (CHECK, FORMULAS[2:3]))
    for text in texts
] + [GradientsSetup(part="loss")]
COLUMNS = {
    SLOPE: {"values": "f", "slope": "df"},
    DIFFERENCES: {"forward": "forward", "central": "central"},
    CHECK: {"slope": "f′ by jax.grad", "yours": "yours"},
    "loss": {"loss": "loss", "by_hand": "by hand", "by_grad": "jax.grad"},
}


def page_runs(setup):
    """What the page shows: each racer's run."""
    if isinstance(setup, RaceSetup):
        return {name: trace.run(0) for name, trace in run_race(setup)[0].items()}
    if isinstance(setup, RegressionSetup):
        return {name: trace.run(0) for name, trace in run_regression(setup).traces.items()}
    return {"SGD": run_fit(setup, points_of(setup, None)).run}


def made(setup, label):
    """The content of one of a set-up's files."""
    file = next(file for file in files(setup) if file.label == label)
    return file.make()


def execute(content, label):
    """Everything that a program has defined once it has run."""
    if label == NOTEBOOK:
        cells = [cell.source for cell in nbformat.reads(content.decode(), 4).cells if cell.cell_type == "code"]
    else:
        cells = [content.decode()]
    found = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()):
        for cell in cells:
            exec(compile(cell, label, "exec"), found)
    return found


def assert_close(setup, runs):
    """A program goes where the page's run went, as far as the last digit does not matter."""
    parted = descent_of(setup, points_of(setup, None) if isinstance(setup, FitSetup) else None).parted()
    for name, run in page_runs(setup).items():
        positions = np.array(runs[name][0], float)
        end = parted.get(name, run.steps[-1] + 1)
        if name not in parted:
            assert len(positions) == (run.steps[-1] + 1 if run.end is None else run.end + (run.stopped is None)), name
        records = np.flatnonzero((run.steps < len(positions)) & (run.steps < end))
        ours, theirs = run.positions[records].astype(float), positions[run.steps[records]]
        size = np.maximum(np.maximum.accumulate(np.abs(ours).max(axis=1, initial=0)), 1.0)
        assert (np.abs(theirs - ours).max(axis=1, initial=0) <= CLOSE * size).all(), name


@pytest.mark.parametrize("setup", RACES)
def test_the_notebook_makes_the_same_run_to_the_last_digit(setup):
    found = execute(made(setup, NOTEBOOK), NOTEBOOK)["runs"]
    for name, run in page_runs(setup).items():
        positions, losses = found[name]
        np.testing.assert_array_equal(positions[run.steps], run.positions, name)
        np.testing.assert_array_equal(losses[run.steps], run.losses, name)


def test_the_notebook_needs_nothing_of_the_app(tmp_path):
    """In a process of its own, without the app's flags and with its folder out of reach."""
    setup = ON_ACKLEY
    cells = [
        cell.source for cell in nbformat.reads(made(setup, NOTEBOOK).decode(), 4).cells if cell.cell_type == "code"
    ]
    program = "\n".join([*cells, "np.savez('runs', **{name: positions for name, (positions, _) in runs.items()})"])
    (tmp_path / "program.py").write_text(program)
    without = {"XLA_FLAGS", "PYTHONPATH"}
    environment = {name: value for name, value in os.environ.items() if name not in without}
    subprocess.run([sys.executable, "program.py"], cwd=tmp_path, env=environment, check=True, capture_output=True)
    found = np.load(tmp_path / "runs.npz")
    for name, run in page_runs(setup).items():
        np.testing.assert_array_equal(found[name][run.steps], run.positions, name)


@pytest.mark.parametrize("setup", RACES)
def test_optax_makes_the_same_run(setup):
    assert_close(setup, execute(made(setup, OPTAX), OPTAX)["runs"])


@pytest.mark.parametrize("setup", RACES)
def test_pytorch_makes_the_same_run(setup, torch):
    assert_close(setup, execute(made(setup, PYTORCH), PYTORCH)["runs"])


@pytest.mark.parametrize("setup", RACES)
def test_the_csv_has_every_recorded_step_and_each_move_leads_to_the_next(setup):
    table = pd.read_csv(io.BytesIO(made(setup, CSV)), dtype_backend="numpy_nullable")
    descent = descent_of(setup, points_of(setup, None) if isinstance(setup, FitSetup) else None)
    for name, run in page_runs(setup).items():
        rows = table[table["racer"] == name]
        places = rows[list(descent.coordinates)].to_numpy(float)
        np.testing.assert_array_equal(places.astype(np.float32), run.positions[: run.records])
        np.testing.assert_array_equal(rows["loss"].to_numpy(np.float32, na_value=np.nan), run.losses[: run.records])
        moves = rows[[f"move {coordinate}" for coordinate in descent.coordinates]].to_numpy(float, na_value=np.nan)
        size = np.abs(places).max() + np.abs(np.diff(places, axis=0)).max(initial=0)
        led = len(places) - 1 - (run.stopped is not None)  # the move that left the finite numbers leads to no row
        np.testing.assert_allclose((places + moves)[:led], places[1 : led + 1], rtol=0, atol=1e-5 * size)
        assert np.isnan(moves[-1]).all()


def test_the_csv_names_what_each_rule_remembers_by_its_field_and_symbol():
    columns = every_step(descent_of(SETUPS["all rules with other knobs"])).columns
    assert {"velocity v x", "square sum s y", "mean ḡ x", "mean m x", "largest s max y", "t", "product Π"} <= {*columns}


def test_the_csv_names_the_learning_rate_of_each_step_where_it_follows_a_schedule():
    table = every_step(descent_of(SETUPS["a schedule in batches"]))
    scheduled = table["racer"] == "SGD, cosine"
    expected = 1e-4 * (1 + np.cos(np.pi * table["iteration"] / 200)) / 2
    np.testing.assert_allclose(table["learning rate"][scheduled], expected[scheduled], rtol=1e-5)
    assert table["learning rate"][~scheduled].isna().all()


def test_the_csv_says_that_a_gradient_is_noisy():
    columns = every_step(descent_of(SETUPS["noise in the gradients"])).columns
    assert {"noisy gradient x", "noisy gradient y"} <= {*columns}
    assert not {"gradient x", "gradient y"} & {*columns}


def test_of_a_long_run_the_csv_remembers_what_happened_between_its_records():
    racers = (OPTIMIZERS["Momentum"](learning_rate=1e-4), OPTIMIZERS["Adam"](learning_rate=1e-3))
    short = RaceSetup(landscape="Bowl", start=(4.0, 1.0), steps=490, racers=racers)
    one, other = (
        every_step(descent_of(setup)).set_index(["racer", "step"]) for setup in (short, replace(short, steps=900))
    )
    both = one.index.intersection(other.index).drop([(name, 490) for name in ("Momentum", "Adam")], errors="ignore")
    assert len(both) > 300
    np.testing.assert_allclose(other.loc[both].to_numpy(float), one.loc[both].to_numpy(float), rtol=1e-4)


def numbers(value):
    return np.asarray(value.detach() if hasattr(value, "detach") else value)


@pytest.mark.parametrize("setup", COMPUTATIONS, ids=lambda setup: f"{setup.part} {setup.text}")
def test_the_notebook_of_gradients_gives_the_numbers_of_the_table_to_the_last_digit(setup):
    found, table = execute(made(setup, NOTEBOOK), NOTEBOOK), gradients.table(setup)
    for name, column in COLUMNS[setup.part].items():
        value = np.where(np.isfinite(found[name]), found[name], np.nan)
        np.testing.assert_array_equal(value, table[column].to_numpy().astype(value.dtype), column)


@pytest.mark.parametrize("setup", COMPUTATIONS, ids=lambda setup: f"{setup.part} {setup.text}")
def test_pytorch_gives_the_numbers_of_the_table_of_gradients(setup, torch):
    found, table = execute(made(setup, PYTORCH), PYTORCH), gradients.table(setup)
    alike = np.ones(len(table), bool)
    if setup.part == DIFFERENCES:  # at a small h the error is rounding
        alike = table["h"].to_numpy() > 0.05
    if setup.part == SLOPE:  # at a corner the slope is a convention
        alike = table["x"].to_numpy() != 0
    for name, column in COLUMNS[setup.part].items():
        ours, theirs = table[column].to_numpy(float)[alike], numbers(found[name])[alike]
        np.testing.assert_allclose(theirs, ours, rtol=1e-4, atol=1e-4, err_msg=column)


def test_each_page_has_the_same_four_files_with_names_of_its_own():
    pages = (GradientsSetup(), FitSetup(), RegressionSetup(), RaceSetup())
    offered = [files(setup) for setup in pages]
    assert all([file.label for file in page] == list(ENDINGS) for page in offered)
    names = [file.name for page in offered for file in page]
    assert len(set(names)) == len(names)
    assert all(file.help.endswith(".") for page in offered for file in page)


def test_where_there_is_nothing_to_make_a_sentence_says_why():
    for setup in (FitSetup(data="CSV"), GradientsSetup(f="own", own="x^"), GradientsSetup(part=CHECK)):
        assert all(file.make is None and file.help for file in files(setup))
        assert describe(setup)
    [optax] = [file for file in files(GradientsSetup()) if file.label == OPTAX]
    assert optax.make is None
    assert "no optimizer" in optax.help


def test_a_rule_without_a_counterpart_is_taken_home_as_the_app_has_it(monkeypatch):
    setup = RaceSetup(racers=ALL_RULES)
    assert all(file.make for file in files(setup))
    for module, label in ((torch_rules, PYTORCH), (optax_rules, OPTAX)):
        monkeypatch.delitem(module.COUNTERPARTS, "Adam")
        [file] = [file for file in files(setup) if file.label == label]
        program = file.make().decode()
        compile(program, label, "exec")
        assert "no Adam" in program
        assert "class Adam" in program


@pytest.mark.parametrize("setup", RACES)
def test_the_description_says_who_where_and_how_it_ended(setup):
    words = describe(setup)
    for name, run in page_runs(setup).items():
        assert name in words
        assert any(ending in words for ending in ("iverged", "left the finite", "topped at")) == any(
            run.stopped is not None for run in page_runs(setup).values()
        )
    assert "from" in words
    assert "*" not in words


@pytest.mark.parametrize("setup", COMPUTATIONS, ids=lambda setup: f"{setup.part} {setup.text}")
def test_the_description_of_gradients_is_plain_text(setup):
    words = describe(setup)
    assert words.startswith("Gradients. The picture shows")
    assert not {"$", "`", "\\"} & {*words.partition("\n\n")[2]}
