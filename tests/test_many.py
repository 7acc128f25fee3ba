"""Problems with any number of parameters, and the tab that races on them."""

import json
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from visit import address, message, shown, sound, stage, texts, tracks

from engine import LANDSCAPES, OPTIMIZERS, race
from engine.associative import FREQUENCIES, KEYS, SIDE, VALUES, associative_memory, best_memory, pair_errors
from engine.many import (
    DIMENSIONS,
    PROBLEMS,
    REACH,
    STARTS,
    parameter_plane,
    principal_plane,
    race_from_many,
    random_starts,
)
from engine.noise import NO_NOISE, GradientNoise
from ui import admission
from ui.draw.stage.stage import unpacked_figures
from ui.race import many
from ui.race.many import RUNS, describe_outcome, numbers
from ui.race.pairs import learned_at
from ui.setup.codec import decode, encode
from ui.setup.pages import RaceSetup
from ui.setup.racers import racer_names

PAGE = "Ackley Race"
VALLEYS = PROBLEMS["Styblinski-Tang"]
SGD, ADAM = OPTIMIZERS["SGD"](learning_rate=0.01), OPTIMIZERS["Adam"](learning_rate=0.3)
SETUP = RaceSetup(
    racers=(SGD, ADAM), steps=40, show="many", problem=VALLEYS.name, dimensions="5", random_starts="8", starts_seed=3
)

MEMORY = PROBLEMS["Associative memory"]
ANY_SIZE = {name: problem for name, problem in PROBLEMS.items() if not problem.dim}
SIZES = [
    pytest.param(problem, dim, id=f"{name} {dim}")
    for name, problem in PROBLEMS.items()
    for dim in ((problem.dim,) if problem.dim else DIMENSIONS)
]
each_problem = pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)


# ---- the problems


@pytest.mark.parametrize("problem", ANY_SIZE.values(), ids=ANY_SIZE)
def test_of_two_parameters_it_is_the_landscape_of_its_name(problem):
    points = random_starts(problem, 2, 50, 0)
    ours, theirs = (
        np.array([loss(point) for point in points]) for loss in (problem.loss, LANDSCAPES[problem.name].loss)
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    np.testing.assert_allclose(LANDSCAPES[problem.name].minima, [problem.minimum_in(2)], atol=1e-6)
    assert LANDSCAPES[problem.name].floor == pytest.approx(problem.floor_in(2), abs=1e-5)


@pytest.mark.parametrize(("problem", "dim"), SIZES)
def test_the_minimum_lies_in_the_domain_on_the_floor_and_nothing_lies_lower(problem, dim):
    minimum, floor = jnp.float32(problem.minimum_in(dim)), problem.floor_in(dim)
    low, high = problem.domain
    assert low < minimum.min() <= minimum.max() < high
    assert problem.loss(minimum) == pytest.approx(floor, rel=1e-6, abs=1e-4)
    assert np.abs(jax.grad(problem.loss)(minimum)).max() < 1e-3
    near = minimum + 0.3 * np.random.default_rng(1).normal(size=(20, dim)).astype(np.float32)
    far = random_starts(problem, dim, 20, 1)
    assert jax.vmap(problem.loss)(jnp.concatenate([near, far])).min() > floor


@each_problem
def test_of_more_starts_with_a_seed_the_first_are_the_same_and_all_lie_in_the_domain(problem):
    few, more = (random_starts(problem, 5, count, 7) for count in STARTS[:2])
    np.testing.assert_array_equal(more[: len(few)], few)
    low, high = problem.domain
    assert low <= more.min() < more.max() <= high
    least, most = problem.starts or problem.domain
    assert least <= more.min() < more.max() <= most
    assert (random_starts(problem, 5, 8, 8) != few).all()


def test_keys_and_values_have_length_1_stand_square_on_each_other_and_lie_along_no_axis():
    for vectors in (KEYS, VALUES):
        np.testing.assert_allclose(vectors @ vectors.T, np.eye(SIDE), atol=1e-6)
        assert np.abs(vectors).max() < 0.6
    assert sum(FREQUENCIES) == pytest.approx(1)
    assert FREQUENCIES[0] == pytest.approx(SIDE**2 * FREQUENCIES[-1])
    assert f"{FREQUENCIES[0]:.0%}".replace("%", " %") in MEMORY.about
    assert f"{FREQUENCIES[-1]:.0%}".replace("%", " %") in MEMORY.about


def test_the_loss_of_the_memory_is_the_error_of_each_pair_by_its_frequency(rng):
    weights = rng.normal(size=(SIDE, SIDE))
    errors = [np.sum((weights @ key - value) ** 2) for key, value in zip(KEYS, VALUES, strict=True)]
    np.testing.assert_allclose(pair_errors(weights.ravel()), errors, rtol=1e-5)
    loss = associative_memory(jnp.float32(weights.ravel()))
    assert loss == pytest.approx(np.dot(FREQUENCIES, errors) / 2, rel=1e-5)
    np.testing.assert_allclose(pair_errors(best_memory()), 0, atol=1e-10)


# ---- the race from many starts


@pytest.mark.parametrize("noise", [NO_NOISE, GradientNoise(20.0, 1)], ids=["without noise", "with noise"])
def test_what_is_kept_is_what_the_race_did_and_no_more(noise):
    runs = race_from_many(VALLEYS, ADAM, 5, 8, 3, 40, noise)
    trace = race(VALLEYS.loss, {"it": ADAM}, random_starts(VALLEYS, 5, 8, 3), 40, noise=noise)["it"]
    np.testing.assert_array_equal(runs.first.positions, trace.positions[0])
    assert runs.first.positions.base is None, "a part of an array would keep all of it"
    assert runs.first.losses.base is None
    above = np.sort(trace.losses - VALLEYS.floor_in(5), axis=0)
    np.testing.assert_allclose(runs.losses, above[[0, 3, 7]], rtol=1e-5)  # of 8: the first, the fourth and the last
    near = np.abs(trace.positions[:, -1] - VALLEYS.minimum) < REACH
    assert runs.success == near.all(axis=1).mean()
    assert runs.right == near.mean()


def test_more_starts_than_are_raced_at_once_are_raced_in_parts_and_the_work_ends_where_it_is_told_to():
    looked = []
    runs = race_from_many(VALLEYS, SGD, 2, 128, 0, 20, look=lambda: looked.append(1))
    assert len(looked) == 4
    assert runs.at_minimum.shape == (128, 2)
    few = race_from_many(VALLEYS, SGD, 2, 32, 0, 20)
    np.testing.assert_array_equal(runs.at_minimum[:32], few.at_minimum)

    def enough():
        raise InterruptedError

    with pytest.raises(InterruptedError):
        race_from_many(VALLEYS, SGD, 2, 128, 0, 20, look=enough)


def test_a_run_that_diverges_has_not_succeeded_and_its_loss_is_infinite_from_there_on():
    runs = race_from_many(PROBLEMS["Rosenbrock"], OPTIMIZERS["SGD"](learning_rate=1.0), 5, 8, 0, 40)
    assert runs.diverged.all()
    assert runs.success == runs.right == 0
    assert np.isfinite(runs.losses[:, 0]).all()
    assert np.isinf(runs.losses[:, -1]).all()


def test_each_parameter_is_right_as_often_in_many_dimensions_but_all_of_them_hardly_ever():
    """Gradient descent ends in the valley that a parameter starts above: the deeper one about half the time."""
    two, ten = (race_from_many(VALLEYS, SGD, dim, 128, 0, 100) for dim in (2, 10))
    assert 0.4 < two.right < 0.7
    assert 0.4 < ten.right < 0.7
    assert two.success > 0.15
    assert ten.success < 0.05


def test_of_a_memory_the_median_error_of_each_pair_is_kept_and_plain_descent_learns_the_rare_ones_last():
    runs = race_from_many(MEMORY, OPTIMIZERS["SGD"](learning_rate=1.0), MEMORY.dim, 8, 0, 100)
    trace = race(MEMORY.loss, {"it": OPTIMIZERS["SGD"](learning_rate=1.0)}, random_starts(MEMORY, 64, 8, 0), 100)["it"]
    np.testing.assert_allclose(runs.pairs, np.median(pair_errors(trace.positions), axis=0).T, rtol=1e-6)
    learned = [learned_at(runs, pair) for pair in range(SIDE)]
    assert learned[:-1] == sorted(learned[:-1])
    assert learned[0] < 5
    assert learned[-1] is None


# ---- the plane that paths are drawn on


def test_paths_on_a_plane_are_drawn_as_they_are_whichever_way_it_lies(rng):
    flat = rng.normal(size=(200, 2)) * (3.0, 1.0)
    across, _ = np.linalg.qr(rng.normal(size=(20, 2)))
    plane = principal_plane(flat @ across.T + 5)
    drawn = plane.project(flat @ across.T + 5)
    assert plane.share == pytest.approx(1)
    lengths = [np.linalg.norm(points[:-1] - points[1:], axis=1) for points in (flat, drawn)]
    np.testing.assert_allclose(*lengths)
    assert drawn[:, 0].var() > drawn[:, 1].var()


def test_the_plane_carries_the_share_of_the_variance_that_it_says(rng):
    points = rng.normal(size=(500, 10)) * np.arange(1, 11)
    for plane in (principal_plane(points), parameter_plane(points, (0, 1)), parameter_plane(points, (7, 3))):
        drawn = plane.project(points)
        assert plane.share == pytest.approx(drawn.var(axis=0).sum() / points.var(axis=0).sum())
    assert principal_plane(points).share > parameter_plane(points, (9, 8)).share
    np.testing.assert_array_equal(parameter_plane(points, (7, 3)).project(points), points[:, [7, 3]])


def test_of_paths_that_go_nowhere_there_is_a_plane_too():
    still = np.ones((1, 5))
    for plane in (principal_plane(still), parameter_plane(still, (0, 1))):
        assert plane.share == 1
        assert np.isfinite(plane.project(still)).all()


# ---- the tab


def test_the_table_says_what_the_runs_of_each_racer_came_to():
    table = shown(SETUP).dataframe[0].value.set_index("racer")
    for name, racer in zip(racer_names(SETUP.racers), SETUP.racers, strict=True):
        runs = race_from_many(VALLEYS, racer, 5, 8, 3, 40)
        assert table["success"][name] == pytest.approx(100 * runs.success)
        assert table["right"][name] == pytest.approx(100 * runs.right)
        assert table["median loss"][name] == pytest.approx(runs.losses[1, -1])


def test_of_a_memory_the_errors_of_all_pairs_are_drawn_and_no_slider_turns_its_size():
    app = shown(replace(SETUP, problem=MEMORY.name))
    assert "race-dimensions" not in {slider.key for slider in app.select_slider}
    maps = json.loads(app.get("plotly_chart")[0].proto.spec)
    assert [note["text"] for note in maps["layout"]["annotations"]] == racer_names(SETUP.racers)
    table = app.dataframe[0].value.set_index("racer")
    for name, racer, drawn in zip(racer_names(SETUP.racers), SETUP.racers, maps["data"], strict=True):
        runs = race_from_many(MEMORY, racer, MEMORY.dim, 8, 3, 40)
        np.testing.assert_allclose(np.array(drawn["customdata"]), runs.pairs)
        assert drawn["zmin"] == -3
        for column, pair in {"first pair": 0, "rarest pair": -1}.items():
            step = learned_at(runs, pair)
            assert pd.isna(table[column][name]) if step is None else table[column][name] == step


def test_a_pair_that_is_wrong_again_is_learned_only_once_it_stays_right():
    runs = race_from_many(MEMORY, SGD, MEMORY.dim, 8, 0, 4)
    errors = np.array([[1, 0.05, 0.5, 0.09, 0.01], [1, 0.01, 0.01, 0.01, 0.2], [1, 0.3, 0.2, 0.11, 0.099]])
    assert [learned_at(replace(runs, pairs=errors), pair) for pair in range(3)] == [3, None, 4]


PLANES = [{"plane": "principal"}, {"plane": "first"}, {"plane": "first", "horizontal": 4, "vertical": 3}]


@pytest.mark.parametrize("plane", PLANES, ids=str)
def test_the_picture_has_the_paths_from_the_first_start_and_the_median_losses(plane):
    setup = replace(SETUP, **plane)
    app = shown(setup)
    _, losses = stage(app)["views"]
    figures = unpacked_figures(message(app, "race-stage-figures").bytes)
    (mark,) = json.loads(figures["map"])["data"]
    goal = mark["x"][0], mark["y"][0]
    for name, racer in zip(racer_names(SETUP.racers), SETUP.racers, strict=True):
        runs, track = race_from_many(VALLEYS, racer, 5, 8, 3, 40), tracks(app)[name]
        np.testing.assert_allclose(track["loss"], runs.losses[1], rtol=1e-5)
        if setup.plane == "first":
            drawn = runs.first.positions[:, [setup.horizontal - 1, setup.vertical - 1]]
            np.testing.assert_array_equal(np.stack([track["a"], track["b"]], axis=1), drawn)
            assert goal == pytest.approx((VALLEYS.minimum,) * 2)
        else:  # nothing is longer than it is
            drawn = np.hypot(track["a"][-1] - goal[0], track["b"][-1] - goal[1])
            assert drawn <= np.linalg.norm(runs.first.positions[-1] - VALLEYS.minimum) + 1e-4
    assert json.loads(losses["figure"])["layout"]["yaxis"]["type"] == "log"


@pytest.mark.parametrize(("chosen", "drawn"), [((4, 4), "x₄ and x₅"), ((90, 2), "x₅ and x₂"), ((90, 90), "x₅ and x₁")])
def test_where_there_are_no_such_two_parameters_it_says_which_are_drawn(chosen, drawn):
    app = shown(replace(SETUP, plane="first", horizontal=chosen[0], vertical=chosen[1]))
    assert f"the picture shows {drawn}." in texts(app)
    assert stage(app)["views"][0]["caption"].startswith(f"the first start, {drawn}: ")
    for name, number in {"horizontal": 1, "vertical": 2}.items():
        sound(app.number_input(key=f"race-{name}").set_value(number).run())
    assert "the picture shows" not in texts(app)
    assert (address(app, PAGE).horizontal, address(app, PAGE).vertical) == (1, 2)


def test_all_that_is_set_on_the_tab_is_in_its_link_and_a_link_from_before_says_nothing_of_it():
    app = shown(SETUP)
    sound(app.selectbox(key="race-problem").select("Rastrigin").run())
    sound(app.select_slider(key="race-dimensions").set_value("20").run())
    sound(app.select_slider(key="race-random_starts").set_value("32").run())
    sound(app.number_input(key="race-starts_seed").set_value(9).run())
    sound(app.button_group(key="race-plane").set_value("first").run())
    sound(app.number_input(key="race-horizontal").set_value(7).run())
    turned = replace(
        SETUP, problem="Rastrigin", dimensions="20", random_starts="32", starts_seed=9, plane="first", horizontal=7
    )
    assert address(app, PAGE) == turned
    assert decode(encode(turned), RaceSetup()) == (turned, [])
    assert (
        not {"problem", "dimensions", "random_starts", "starts_seed", "plane", "horizontal", "vertical"}
        & encode(RaceSetup()).keys()
    )


def test_a_number_of_parameters_that_is_not_offered_gets_a_note():
    setup, (note,) = decode({"dimensions": ["64"]}, RaceSetup())
    assert setup == RaceSetup()
    assert "2, 5, 10, 20, 50, 100" in note


def test_the_words_say_who_succeeds_or_that_none_does():
    runs = race_from_many(VALLEYS, SGD, 2, 32, 0, 40)
    assert runs.success
    some = describe_outcome({"a": runs, "b": replace(runs, at_minimum=np.ones_like(runs.at_minimum))})
    assert "**b** succeeds most often, from 100% of the starts." in some
    both = describe_outcome({"a": runs, "b": runs})
    assert "**a** and **b** succeed most often" in both
    none = describe_outcome({"a": replace(runs, at_minimum=np.zeros_like(runs.at_minimum))})
    assert "No run succeeds." in none


def test_where_all_diverge_the_table_says_so_and_the_picture_stands():
    lost = replace(SETUP, problem="Rosenbrock", racers=(OPTIMIZERS["SGD"](learning_rate=1.0),))
    app = shown(lost)
    words = {word.strip("(),.*%") for word in texts(app).split()}
    assert not {word.lower() for word in words} & {"nan", "inf", "none"}
    table = numbers({"SGD": race_from_many(PROBLEMS["Rosenbrock"], lost.racers[0], 5, 8, 3, 40)})
    assert table["middle"].tolist() == ["diverged to diverged"]


def test_what_is_hidden_is_not_said():
    app = shown(replace(SETUP, hide=("problem", "dimensions", "random_starts", "steps")))
    for told in (VALLEYS.name, "40 steps", "8 random starts"):
        assert told not in texts(app)


def test_each_racer_is_run_in_its_turn_without_a_slot_and_once(monkeypatch):
    RUNS.clear()
    seen, run = [], race_from_many
    monkeypatch.setattr(
        many,
        "race_from_many",
        lambda *key: (seen.append((admission.has_slot(), admission._long_runs.free)), run(*key))[1],
    )
    shown(SETUP)
    shown(SETUP)
    assert seen == [(False, admission.LONG_RUNS - 1)] * 2
