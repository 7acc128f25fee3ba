"""What a visitor tries by hand before the run, and how it is scored: a line, steps by the slope, a learning rate."""

import json
import random
import re
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from visit import address, sent, shown, sound, stage, texts, tracks

import engine.landscapes
from engine import LANDSCAPES, OPTIMIZERS
from engine.paths import MAX_POINTS, on_steps, path_trace
from engine.problems import line, mean_squared_error
from ui.draw.yours import YOU, around
from ui.linear_fit.data import fit_of, points_of
from ui.linear_fit.hand import expansion
from ui.numbers import format_number
from ui.setup.pages import FitSetup, RaceSetup, RegressionSetup
from ui.setup.questions.link import other_questions, question_of
from ui.setup.racers import racer_names

RATES = {"SGD": 0.01, "Adam": 0.3}
RACERS = tuple(OPTIMIZERS[name](learning_rate=rate) for name, rate in RATES.items())
STEPS = RaceSetup(landscape="Himmelblau", start=(-0.5, 0.5), steps=60, racers=RACERS, ask="steps~3")
BOWL = RegressionSetup(start=(-6.0, 9.0), steps=40, batch=0, ask="steps")
LINE = FitSetup(model="intercept", rate=0.0235, steps=100, tolerance=0.0, ask="line")
RATE = RaceSetup(landscape="Beale", start=(1.0, 1.5), steps=100, racers=(RACERS[0],), ask="rate~SGD")
KEYS = {RaceSetup: "race", RegressionSetup: "regression", FitSetup: "fit"}

# by hand, from the formulas: the loss, and its gradient
BY_HAND = {
    "Booth": (
        lambda x, y: (x + 2 * y - 7) ** 2 + (2 * x + y - 5) ** 2,
        lambda x, y: (2 * (x + 2 * y - 7) + 4 * (2 * x + y - 5), 4 * (x + 2 * y - 7) + 2 * (2 * x + y - 5)),
    ),
    "Himmelblau": (
        lambda x, y: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2,
        lambda x, y: (
            4 * x * (x**2 + y - 11) + 2 * (x + y**2 - 7),
            2 * (x**2 + y - 11) + 4 * y * (x + y**2 - 7),
        ),
    ),
    "Ravine": (lambda x, y: (x**2 + 100 * y**2) / 2, lambda x, y: (x, 100 * y)),
}


# ---- a path that no optimizer took


@pytest.mark.parametrize("name", BY_HAND)
def test_a_path_has_the_loss_and_the_gradient_that_follow_from_the_formula(name, rng):
    points = rng.uniform(-5, 5, (17, 2))
    path = path_trace(LANDSCAPES[name].loss, points).run(0)
    loss, gradient = BY_HAND[name]
    x = path.positions.astype(float)
    np.testing.assert_allclose(x, points, rtol=1e-6)
    np.testing.assert_allclose(path.losses, loss(*x.T), rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(path.moves.gradients, np.stack(gradient(*x.T), axis=1), rtol=1e-4, atol=1e-2)
    np.testing.assert_allclose(path.moves.moves[:-1], np.diff(x, axis=0), atol=1e-5)
    assert path.best_loss == path.losses.min()
    assert path.path_length == pytest.approx(np.linalg.norm(np.diff(x, axis=0), axis=1).sum(), rel=1e-5)
    assert path.positions.dtype == np.float32, "as in a race"
    assert (path.stopped, path.settled, path.converged) == (None, None, None), "nothing but its points ends it"


def test_a_path_over_data_has_the_mean_squared_error_and_its_gradient(rng):
    fit = line(rng.uniform(-3, 9, 40), rng.normal(5, 20, 40), intercept=True)
    points = rng.normal(0, 10, (9, 2)).astype(np.float32)
    path = path_trace(mean_squared_error, points, fit.data).run(0)
    features, true = (part.astype(float) for part in fit.data)
    off = points.astype(float) @ features.T - true
    np.testing.assert_allclose(path.losses, (off**2).mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(path.moves.gradients, 2 * off @ features / len(true), rtol=1e-4, atol=1e-3)


def test_a_path_of_any_length_is_the_same_program(compiles):
    loss = LANDSCAPES["Bowl"].loss
    path_trace(loss, np.zeros((1, 2)))
    compiles()
    for count in (1, 2, 30, MAX_POINTS):
        path_trace(loss, np.ones((count, 2)))
    assert compiles() == 0


@pytest.mark.parametrize("count", [0, MAX_POINTS + 1])
def test_a_path_of_no_points_or_of_too_many_is_refused(count):
    with pytest.raises(ValueError, match=f"has {count} points. Give at least 1, and at most {MAX_POINTS}."):
        path_trace(LANDSCAPES["Bowl"].loss, np.ones((count, 2)))


def test_beside_a_race_a_path_goes_as_it_was_given_and_then_stands_still(rng):
    path = path_trace(LANDSCAPES["Bowl"].loss, rng.normal(size=(6, 2)))
    for steps in (np.arange(4), np.arange(40), np.arange(0, 100, 3)):
        there = on_steps(path, steps)
        at = np.minimum(steps, 5)
        assert (there.positions == path.positions[:, at]).all()
        assert (there.losses == path.losses[:, at]).all()
        assert (there.steps == steps).all()


# ---- nothing tells before


def press(app, label: str):
    (button,) = [button for button in app.button if button.label == label]
    return sound(button.click().run())


def take(app, setup, *points):
    """Type points and take the steps to them."""
    for point in points:
        for i, value in enumerate(point):
            app.number_input(key=f"{KEYS[type(setup)]}-ask-number-{i}").set_value(value)
        press(app, "Take this step")
    return app


def test_before_the_answer_the_map_is_that_of_any_landscape_with_this_slope(monkeypatch):
    """In place of the landscape its tangent plane at the start: what the browser is sent is the very same."""
    before = sent(shown(STEPS))
    true, start = LANDSCAPES["Himmelblau"], np.array(STEPS.start)
    run = path_trace(true.loss, start[None]).run(0)
    value, slope = float(run.losses[0]), jnp.array(run.moves.gradients[0])

    def plane(x):
        return value + jnp.dot(slope, x - jnp.array(start))

    other = replace(true, loss=plane, formula="z", about="A plane.", source="Nobody", minima=((9.0, 9.0),), floor=-1e9)
    monkeypatch.setitem(engine.landscapes.LANDSCAPES, "Himmelblau", other)
    assert sent(shown(STEPS)) == before


@pytest.mark.parametrize("setup", [STEPS, BOWL, LINE, replace(LINE, ask="steps")], ids=["race", "bowl", "line", "fit"])
def test_a_hidden_landscape_is_not_even_sent(setup):
    app = shown(setup)
    key = f"{KEYS[type(setup)]}-stage"
    whole = sent(app)
    for word in ("contour", "heatmap", '\\"surface\\"', "minimum</", "the best line", "3x^2"):
        assert word not in whole
    assert list(tracks(app, key)) == [YOU]
    assert not app.dataframe
    assert not [block for block in app.get("popover") if block.proto.popover.label == "Take it home"]
    assert not [field for field in app.number_input if field.label.startswith("true ")]


def test_where_the_minimum_is_cannot_be_told_from_where_the_map_ends():
    rng = random.Random(3)
    for _ in range(50):
        frame = tuple(tuple(sorted((rng.uniform(-9, 0), rng.uniform(1, 9)))) for _ in range(2))
        start = (rng.uniform(-12, 12), rng.uniform(-12, 12))
        for square in (False, True):
            box = around(start, frame, square)
            np.testing.assert_allclose(np.mean(box, axis=1), start, atol=1e-9)
            for (low, high), (from_, to) in zip(box, frame, strict=True):
                assert low <= from_ + 1e-9
                assert high >= to - 1e-9
            if square:
                assert np.ptp(np.ptp(box, axis=1)) < 1e-9


# ---- steps


def test_each_step_shows_its_loss_and_its_slope_and_the_budget_ends_them():
    app = shown(STEPS)
    points = [(-1.0, 2.0), (-2.0, 3.0), (-2.75, 3.0), (0.0, 0.0)]
    take(app, STEPS, *points)
    (you,) = tracks(app).values()
    loss, gradient = BY_HAND["Himmelblau"]
    x = np.array([STEPS.start, *points[:3]])  # three steps are all
    np.testing.assert_allclose(np.stack([you["x"], you["y"]], axis=1), x, rtol=1e-6)
    np.testing.assert_allclose(you["loss"], loss(*x.T), rtol=1e-4)
    slopes = np.stack(gradient(*x.T), axis=1)
    np.testing.assert_allclose(you["slope"], np.linalg.norm(slopes, axis=1), rtol=1e-4)
    arrows = np.stack([you["across"], you["up"]], axis=1)
    cosines = (arrows * -slopes).sum(axis=1) / np.linalg.norm(arrows, axis=1) / np.linalg.norm(slopes, axis=1)
    np.testing.assert_allclose(cosines, 1, rtol=1e-5)
    assert stage(app)["at"] == 3
    press(app, "Start over")
    assert len(next(iter(tracks(app).values()))["x"]) == 1
    assert address(app, "Ackley Race") == STEPS  # and so nothing of the try is in it


@pytest.mark.parametrize(
    ("setup", "points"),
    [(STEPS, [(-1.0, 2.0), (-2.75, 3.0), (-2.0, 3.0)]), (BOWL, [(0.0, 12.0)]), (BOWL, [(-9.0, -3.0), (-9.5, -3.0)])],
    ids=["race", "bowl", "uphill"],
)
def test_a_try_runs_beside_the_optimizers_and_is_scored_by_loss_and_steps(setup, points):
    key = f"{KEYS[type(setup)]}-stage"
    app = shown(setup)
    press(app, "Commit")
    assert "First take a step" in texts(app)
    take(app, setup, *points)
    own = next(iter(tracks(app, key).values()))["loss"].astype(float)
    press(app, "Commit")
    assert "held" not in stage(app, key)
    runs = {name: track["loss"] for name, track in tracks(app, key).items()}
    assert list(runs) == [*racer_names(setup.racers), YOU]
    np.testing.assert_allclose(runs[YOU][: len(own)], own, rtol=1e-6)
    assert (runs[YOU][len(own) :] == runs[YOU][len(own) - 1]).all()
    assert f"You took {len(points)} step" in texts(app)
    press(app, "Show the outcome")
    said = texts(app)
    if own.argmin():
        assert f"Your lowest loss is {format_number(own.min(), 4)}, at step {own.argmin()} of {len(points)}." in said
    else:
        assert "is below the start's loss" in said
    for name in racer_names(setup.racers):
        for step in (len(points), setup.steps):
            assert f"{name} {format_number(float(runs[name][step]))}" in said
    (table,) = [frame.value for frame in app.dataframe if "verdict" in frame.value]
    (row,) = table[table["racer"] == YOU].to_dict("records")
    assert row["verdict"].endswith(f"ended at {setup.index} {len(points)}")
    assert row["best loss"] == pytest.approx(own.min(), rel=1e-6)


@pytest.mark.parametrize("curve", ["gradient", "step", "sharpness"])
def test_every_curve_and_the_step_taken_apart_take_a_try_in(curve):
    app = shown(replace(STEPS, curve=curve, apart=True))
    press(take(app, STEPS, (-2.0, 3.0)), "Commit")
    you = tracks(app)[YOU]["curve"]
    gradient = BY_HAND["Himmelblau"][1]
    if curve == "gradient":
        assert you[0] == pytest.approx(np.hypot(*gradient(*STEPS.start)), rel=1e-4)
    if curve == "step":
        assert you[0] == pytest.approx(np.hypot(-1.5, 2.5), rel=1e-4)
    assert set(stage(app)["apart"]["racers"]) == {"SGD", "Adam"}


# ---- the line


@pytest.mark.parametrize("model", ["intercept", "slope"])
@pytest.mark.parametrize("data", ["4x", "4x³+3", "noisy line"])
def test_the_loss_that_is_drawn_along_is_the_mean_squared_error_everywhere(data, model, rng):
    setup = FitSetup(data=data, model=model)
    fit = fit_of(setup, points_of(setup, None))
    dim = len(setup.start)
    for _ in range(10):
        about, theta = rng.normal(0, 50, (2, dim))
        value, gradient, hessian = expansion(fit, about)
        off = theta - about
        found = value + gradient @ off + off @ hessian @ off / 2
        true = np.mean((fit.features.astype(float) @ theta - fit.true.astype(float)) ** 2)
        assert found == pytest.approx(true, rel=1e-9)


def test_a_drawn_line_is_scored_against_the_descent():
    app = shown(LINE)
    press(app, "Commit")
    assert "First move the line" in texts(app)
    theta = (-300.0, 250.0)
    for i, value in enumerate(theta):
        sound(app.number_input(key=f"fit-ask-number-{i}").set_value(value).run())
    you = tracks(app, "fit-stage")[YOU]
    fit = fit_of(LINE, points_of(LINE, None))
    features, true = (part.astype(float) for part in fit.data)
    loss = lambda x: float(np.mean((features @ x - true) ** 2))  # noqa: E731
    assert (you["intercept"][0], you["slope"][0]) == pytest.approx(theta)
    assert you["loss"][0] == pytest.approx(loss(np.array(theta)), rel=1e-6)
    press(app, "Commit")
    found = tracks(app, "fit-stage")
    assert set(found[YOU]["loss"]) == {np.float32(found[YOU]["loss"][0])}
    assert len(found[YOU]["loss"]) == len(found["SGD"]["loss"])
    press(app, "Show the outcome")
    x, losses = np.zeros(2), []
    x[:] = LINE.start
    for _ in range(LINE.steps + 1):
        losses.append(loss(x))
        x = x - LINE.rate * 2 * features.T @ (features @ x - true) / len(true)
    first = next(k for k, one in enumerate(losses) if one < loss(np.array(theta)))
    best = np.linalg.lstsq(features, true, rcond=None)[0]
    said = texts(app)
    assert f"Your line has the loss {format_number(loss(np.array(theta)), 4)}." in said
    assert f"SGD passes below it at iteration {first}, and ends with the loss {format_number(losses[-1], 4)}." in said
    assert f"The least possible is {format_number(loss(best), 4)}." in said


def test_with_one_parameter_there_is_one_handle_and_one_field():
    app = shown(replace(LINE, model="slope"))
    (view,) = stage(app, "fit-stage")["views"]
    assert len(view["handles"]["at"]) == len(view["handles"]["theta"]) == 1
    sound(app.number_input(key="fit-ask-number-0").set_value(300.0).run())
    press(app, "Commit")
    assert set(tracks(app, "fit-stage")[YOU]["θ"]) == {300.0}


# ---- the learning rate


@pytest.mark.parametrize("setup", [RATE, replace(BOWL, ask="rate~Adam")], ids=["race", "bowl"])
def test_a_chosen_rate_runs_beside_that_of_the_set_up_and_the_best_one(setup):
    key = f"{KEYS[type(setup)]}-stage"
    app = shown(setup)
    (slider,) = [slider for slider in app.select_slider if slider.label == "learning rate"]
    rates = [float(option) for option in slider.options]
    slider.set_value(rates[3])
    press(app, "Commit")
    found = tracks(app, key)
    own, best = [name for name in found if name not in racer_names(setup.racers)]
    assert own.endswith(f"{rates[3]:g}")
    assert float(best.split()[-1]) in rates
    # the run of each is that of a set-up with this learning rate
    place = question_of(setup).place(setup)
    for name in (own, best):
        racers = list(setup.racers)
        racers[place] = replace(racers[place], learning_rate=float(name.split()[-1]))
        alone = tracks(shown(replace(setup, ask="", racers=tuple(racers))), key)
        np.testing.assert_array_equal(found[name]["loss"], list(alone.values())[place]["loss"])
    assert found[best]["loss"][-1] <= min(
        track["loss"][-1] for name, track in found.items() if question_of(setup).racer(setup).name in name
    )
    press(app, "Show the outcome")
    assert f"{best} ends with the loss {format_number(float(found[best]['loss'][-1]), 4)}." in texts(app)


def test_a_rate_that_diverges_is_said_to():
    app = shown(RATE)
    (slider,) = [slider for slider in app.select_slider if slider.label == "learning rate"]
    slider.set_value(1.0)
    press(app, "Commit")
    press(app, "Show the outcome")
    assert re.search(r"Yours: SGD 1 diverges at step \d", texts(app))


# ---- which question


def test_while_one_question_is_held_the_others_are_a_click_away():
    app = shown(STEPS)
    offered = other_questions(STEPS)
    assert set(offered) == {"ends", "lowest", "where~15", "rate"}
    for setup in (STEPS, BOWL, LINE, RATE):
        for text in other_questions(setup):
            asked = replace(setup, ask=text)
            assert question_of(asked), text
    more = [block for block in app.get("popover") if block.proto.popover.label == "Other questions"]
    assert len(more) == 1
    press(app, "Skip the question")
    assert not [block for block in app.get("popover") if block.proto.popover.label == "Other questions"]


def test_a_page_that_asks_nothing_is_sent_nothing_of_it():
    for setup in (replace(STEPS, ask=""), replace(LINE, ask="")):
        app = shown(setup)
        message = json.dumps(stage(app, f"{KEYS[type(setup)]}-stage"))
        assert "handles" not in message
        assert YOU not in message
