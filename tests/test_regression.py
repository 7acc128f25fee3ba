"""2D Regression, run as a visitor's browser would have it run: what it shows is what the engine computes."""

import base64
import json
from dataclasses import replace
from urllib.parse import parse_qs

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from visit import address, floats, message, opened, past_the_question, shown, sound, stage, texts, tracks

from engine import OPTIMIZERS, race
from engine.batches import batch
from engine.problems import bowl, bowl_points, mean_squared_error
from ui import admission
from ui.draw.stage.stage import unpacked_figures
from ui.regression.seeds import SEEDS, bands, seed_steps
from ui.setup.codec import encode
from ui.setup.pages import REGRESSION_TABS, SETUPS, RegressionSetup
from ui.setup.presets import presets
from ui.setup.racers import racer_names

PAGE, STAGE = "2D Regression", "regression-stage"
PRESETS = presets(PAGE)
SMALL = RegressionSetup(
    examples=20,
    noise=30.0,
    seed=3,
    start=(1.0, -2.0),
    steps=25,
    batch=4,
    racers=(OPTIMIZERS["SGD"](learning_rate=5e-5),),
)


def expected(setup, steps=None):
    fit = bowl(setup.examples, setup.noise, setup.seed)
    racers = dict(zip(racer_names(setup.racers), setup.racers, strict=True))
    return race(
        mean_squared_error,
        racers,
        [setup.start],
        steps or setup.steps,
        data=fit.data,
        batch_size=setup.batch_size,
        seeds=setup.seed,
        tolerance=setup.tolerance,
    )


def figures(app):
    return {
        name: json.loads(figure) for name, figure in unpacked_figures(message(app, f"{STAGE}-figures").bytes).items()
    }


def charts(app):
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def numbers(values):
    """A list or a typed array of a figure as numbers."""
    if not isinstance(values, dict):
        return np.array(values, float)
    flat = np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"])
    return flat.reshape([int(n) for n in str(values.get("shape", flat.size)).split(",")]).astype(float)


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_a_preset_opens_from_its_link_and_from_the_list_as_the_same_race(preset):
    app = past_the_question(opened(PAGE, parse_qs(preset.link)))
    drawn = tracks(app, STAGE)
    last = int(floats(stage(app, STAGE)["steps"])[-1])
    for name, trace in expected(preset.setup, last).items():
        np.testing.assert_array_equal(drawn[name]["theta1"], trace.positions[0, :, 0])
        np.testing.assert_array_equal(drawn[name]["theta2"], trace.positions[0, :, 1])
        np.testing.assert_array_equal(drawn[name]["loss"], trace.losses[0])
    assert not app.warning
    assert preset.look_for in texts(app)
    by_list = past_the_question(sound(opened(PAGE).selectbox(key="regression-preset").select(preset.name).run()))
    assert address(by_list, PAGE) == preset.setup
    assert stage(by_list, STAGE)["id"] == stage(app, STAGE)["id"]


def test_the_notebooks_four_runs_are_prepared():
    runs = {name: preset.setup for name, preset in PRESETS.items() if name.startswith("As in the notebook")}
    one, some, rms, adam = runs.values()
    assert all(run.tolerance == 0.01 and run.noise == 0 for run in runs.values())
    assert [(run.examples, run.batch, run.steps) for run in runs.values()] == [
        (50, 1, 50),
        (50, 16, 50),
        (100, 0, 500),
        (100, 0, 5000),
    ]
    assert one.racers == some.racers == (OPTIMIZERS["SGD"](learning_rate=1e-4),)
    assert rms.racers == (
        OPTIMIZERS["RMSProp"](
            learning_rate=0.1, weight_decay=0.1, smoothing_constant=0.99, momentum=0.9, centered=False
        ),
    )
    assert adam.racers == (OPTIMIZERS["Adam"](learning_rate=0.1, beta1=0.9, beta2=0.999),)


def test_a_race_that_has_ended_early_ends_the_time_line():
    setup = next(preset.setup for name, preset in PRESETS.items() if name.endswith("Adam"))
    (trace,) = expected(setup).values()
    app = shown(setup)
    assert 0 < trace.settled_at[0] < setup.steps
    assert floats(stage(app, STAGE)["steps"])[-1] == trace.settled_at[0]
    (track,) = stage(app, STAGE)["tracks"]
    assert (track["ended"], track["lost"]) == (trace.settled_at[0], False)
    assert f"converged at iteration {trace.settled_at[0]}" in track["ended_words"]


def test_the_map_is_the_loss_on_the_examples_with_its_minimum_and_the_circle_around_it():
    fit = bowl(SMALL.examples, SMALL.noise, SMALL.seed)
    contour, around, goal = figures(shown(SMALL))["map"]["data"]
    x, y, losses = numbers(contour["x"]), numbers(contour["y"]), numbers(contour["customdata"])
    for row, column in ((0, 0), (40, 100), (160, 7)):
        there = mean_squared_error(jnp.array([x[column], y[row]]), *fit.data)
        assert losses[row, column] == pytest.approx(float(there), rel=1e-4)
    minimum = fit.minimum()
    np.testing.assert_allclose([*numbers(goal["x"]), *numbers(goal["y"])], minimum)
    distance = np.hypot(numbers(around["x"]) - minimum[0], numbers(around["y"]) - minimum[1])
    np.testing.assert_allclose(distance, 0.01)


def test_the_net_is_the_prediction_of_the_moment():
    sent = stage(shown(SMALL), STAGE)
    (view,) = (view for view in sent["views"] if view["sheet"])
    sheet, values = view["sheet"], {k: floats(v) for k, v in sent["tracks"][0]["values"].items()}
    x, y = floats(sheet["x"]), floats(sheet["y"])
    bases = floats(sheet["bases"]).reshape(len(sheet["weights"]), len(y), len(x))
    heights = sum(values[name][7] * basis for name, basis in zip(sheet["weights"], bases, strict=True))
    predicted = values["theta1"][7] * x[None] ** 2 + values["theta2"][7] * y[:, None] ** 2
    np.testing.assert_allclose(heights, predicted, rtol=1e-5)


def test_the_examples_stand_in_the_bowl():
    _, points = figures(shown(SMALL))["bowl"]["data"]
    for part, axis in zip(bowl_points(SMALL.examples, SMALL.noise, SMALL.seed), "xyz", strict=True):
        np.testing.assert_allclose(numbers(points[axis]), part, rtol=1e-6)


def test_the_batch_is_marked_and_both_arrows_point_down_their_own_loss():
    app = shown(replace(SMALL, below="batch", moment=9))
    chosen = batch(SMALL.seed, 9, SMALL.examples, SMALL.batch)
    data, ways = charts(app)
    x, y, _ = bowl_points(SMALL.examples, SMALL.noise, SMALL.seed)
    np.testing.assert_allclose(numbers(data["data"][1]["x"]), x[chosen], rtol=1e-6)
    np.testing.assert_allclose(numbers(data["data"][1]["y"]), y[chosen], rtol=1e-6)
    at = next(iter(expected(SMALL).values())).positions[0, 9]
    fit = bowl(SMALL.examples, SMALL.noise, SMALL.seed)
    named = {trace["text"][1]: trace for trace in ways["data"] if trace.get("mode") == "lines+text"}
    longest = []
    for name, part in (("all examples", fit), ("the batch", fit.subset(chosen))):
        down = -np.asarray(jax.grad(mean_squared_error)(at, *part.data), float)
        arrow = np.array([numbers(named[name][axis])[1] - numbers(named[name][axis])[0] for axis in "xy"])
        np.testing.assert_allclose(arrow / np.hypot(*arrow), down / np.hypot(*down), atol=1e-4)
        longest.append((np.hypot(*arrow), np.hypot(*down)))
    (full, full_slope), (own, own_slope) = longest
    assert own / full == pytest.approx(own_slope / full_slope, rel=1e-4)
    assert f"**{own_slope / full_slope:.2f} times**" in texts(app)


def test_with_all_examples_the_page_says_that_both_losses_are_one():
    assert "both losses are the same" in texts(shown(replace(SMALL, batch=0, below="batch")))


def test_an_iteration_that_was_not_run_is_the_last_one_instead():
    app = shown(replace(SMALL, below="batch", moment=4000))
    assert app.select_slider(key="regression-moment").value == SMALL.steps - 1


def test_curvature_foretells_what_plain_gradient_descent_does():
    setup = replace(SMALL, below="curvature", racers=(OPTIMIZERS["SGD"](learning_rate=1e-4), OPTIMIZERS["Adam"]()))
    app = shown(setup)
    fit = bowl(setup.examples, setup.noise, setup.seed)
    values = np.linalg.eigvalsh(2 * fit.features.T.astype(float) @ fit.features / setup.examples)
    table = app.dataframe[0].value
    np.testing.assert_allclose(table["curvature λ"], values, rtol=1e-5)
    np.testing.assert_allclose(table["predicted"], 1 - 1e-4 * values, rtol=1e-4)
    np.testing.assert_allclose(table["measured"].astype(float), table["predicted"], atol=2e-3)
    assert f"2/λ = {2 / values[-1]:.3g}" in texts(app)
    assert f"{fit.curvatures().max():,.0f}" in texts(app)
    (chart,) = charts(app)
    arrows = [trace for trace in chart["data"] if trace.get("mode") == "lines+text"]
    ways = {
        tuple(np.round(np.abs(np.array([numbers(a[axis])[1] - numbers(a[axis])[0] for axis in "xy"])), 2))
        for a in arrows
    }
    assert len(arrows) == 4
    assert len(ways) == 2


def test_a_hundred_seeds_of_a_long_race_on_many_examples_run_in_turn_as_far_as_there_is_time_and_say_so(monkeypatch):
    in_turn, acquire = [], admission._long_runs.acquire
    monkeypatch.setattr(admission._long_runs, "acquire", lambda **how: (in_turn.append(1), acquire(**how)))
    racers = (OPTIMIZERS["SGD"](learning_rate=1e-4), OPTIMIZERS["SGD"](learning_rate=1e-5))
    app = shown(replace(SMALL, racers=racers, examples=1000, steps=5000, batch=1, below="seeds"))
    assert "only the first 500 of the 5,000 iterations are run" in texts(app)
    assert len(in_turn) == 2  # the race itself, and the seeds
    presets_of_seeds = [preset.setup for preset in PRESETS.values() if preset.setup.below == "seeds"]
    assert all(seed_steps(setup) == setup.steps for setup in [SMALL, *presets_of_seeds])


def test_each_of_the_hundred_seeds_is_the_race_that_its_seed_gives():
    setup = replace(SMALL, loss="linear", below="seeds")
    steps, found, lost = bands(replace(setup, moment=0, whose=1))
    apart = [next(iter(expected(replace(setup, seed=setup.seed + i)).values())).losses[0] for i in range(SEEDS)]
    np.testing.assert_array_equal(steps, np.arange(setup.steps + 1))
    np.testing.assert_allclose(found["SGD"], np.percentile(apart, [10, 50, 90], axis=0), rtol=1e-4)
    assert lost == {"SGD": 0}
    app = shown(setup)
    table = app.dataframe[0].value
    assert table["median"][0] == pytest.approx(float(found["SGD"][1, -1]))


@pytest.mark.parametrize("below", REGRESSION_TABS)
def test_every_part_stands_also_where_a_racer_diverges_at_once(below):
    wild = replace(SMALL, racers=(OPTIMIZERS["SGD"](learning_rate=1.0), OPTIMIZERS["Adam"]()), below=below, steps=200)
    app = shown(wild)
    assert any(track["lost"] for track in stage(app, STAGE)["tracks"])
    said = texts(app)
    assert not [word for word in said.split() if word.strip("(),.*").lower() in {"nan", "inf", "none"}]


def test_every_iteration_is_in_the_table():
    table = shown(replace(SMALL, below="iterations")).dataframe[0].value
    (trace,) = expected(SMALL).values()
    assert list(table.columns) == ["racer", "iteration", "θ₁", "θ₂", "loss"]
    np.testing.assert_array_equal(table["iteration"], trace.steps)
    np.testing.assert_array_equal(table["θ₂"], trace.positions[0, :, 1])


@pytest.mark.parametrize(
    ("part", "bad"),
    [
        ("examples", "1"),
        ("noise", "nan"),
        ("seed", "-1"),
        ("iterations", "1e9"),
        ("batch", "all"),
        ("tolerance", "-1"),
        ("below", "nothing"),
        ("start", "1~2~3"),
        ("whose", "0"),
    ],
)
def test_a_broken_part_of_a_link_is_named_and_the_page_stands(part, bad):
    app = opened(PAGE, {**encode(SMALL), part: [bad]})
    (warning,) = app.warning
    assert f"{part} `{bad}`" in warning.value


def test_whoever_turns_a_knob_has_nothing_compiled(compiled):
    app = shown(SMALL)
    compiled.clear()
    sound(app.number_input(key="regression-seed").set_value(11).run())
    sound(app.select_slider(key="regression-batch").set_value(8).run())
    sound(app.slider(key="regression-noise").set_value(55.0).run())
    sound(app.number_input(key="regression-start-theta1").set_value(-3.0).run())
    sound(app.select_slider(key="regression-steps").set_value(40).run())
    sound(app.select_slider(key="regression-1-learning_rate").set_value(2e-5).run())
    assert address(app, PAGE) == replace(
        SMALL,
        seed=11,
        batch=8,
        noise=55.0,
        start=(-3.0, -2.0),
        steps=40,
        racers=(OPTIMIZERS["SGD"](learning_rate=2e-5),),
    )
    assert not compiled


def test_the_page_opens_with_something_to_see():
    setup = SETUPS[PAGE]()
    assert len(setup.racers) > 1
    for trace in expected(setup).values():
        assert trace.losses[0, -1] < 0.1 * trace.losses[0, 0]


def test_a_memory_that_overflows_at_once_is_said_where_all_have_ended():
    racer = OPTIMIZERS["RMSProp"](learning_rate=0.3, smoothing_constant=0.0, centered=True, eps=1e-12)
    app = shown(replace(SMALL, racers=(racer,), start=(1000.0, 1000.0), steps=500))
    (track,) = stage(app, STAGE)["tracks"]
    assert track["lost"]
    assert app.dataframe[0].value["verdict"].iloc[0] == track["ended_words"]
