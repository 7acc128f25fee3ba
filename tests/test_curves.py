"""The curves in the place of the loss, and the gradient field: what is sent is what the engine measures."""

import base64
import json
from dataclasses import replace

import jax
import numpy as np
import plotly.graph_objects as go
import pytest
from visit import address, message, shown, sound, stage, texts, tracks

from engine import LANDSCAPES, OPTIMIZERS, race
from engine.notebook import REPLAYS
from engine.problems import mean_squared_error
from engine.quantities import effective_rates, gradient_norms, sharpness, step_lengths
from ui.draw.curves import curve_range
from ui.draw.field import ARROWS, CLICK, FIELD, LONGEST, SHORTEST, gradient_field
from ui.draw.figures import Axis
from ui.draw.landscapes import box, landscape_figures
from ui.draw.stage.stage import unpacked_figures
from ui.regression.figures import fit_of
from ui.setup.codec import Setup, decode, encode
from ui.setup.curves import CURVES, LOSS, RATE2, RunSetup
from ui.setup.pages import LOSS_AXES, SETUPS, FitSetup, RaceSetup, RegressionSetup
from ui.setup.racers import racer_names

INSIDE = [curve for curve in CURVES if curve != LOSS]
SGD, ADAM = OPTIMIZERS["SGD"], OPTIMIZERS["Adam"]
RACE = RaceSetup(landscape="Rosenbrock", start=(-1.2, 1.0), steps=30, racers=(SGD(learning_rate=1e-3), ADAM()))
REGRESSION = RegressionSetup(examples=20, steps=25, batch=4, racers=(SGD(learning_rate=5e-5), ADAM()))
FIT = FitSetup(data="noisy line", model="intercept", rate=0.01, steps=12)
STAGES = {RACE: "race-stage", REGRESSION: "regression-stage", FIT: "fit-stage"}
each_page = pytest.mark.parametrize("setup", STAGES, ids=lambda setup: type(setup).__name__)
RUNS = {kind: page for page, kind in SETUPS.items() if issubclass(kind, RunSetup)}


def measured(curve, loss, run, data=()):
    """A quantity of a run, by its name in a link."""
    rates = lambda i: effective_rates(run)[:, i]  # noqa: E731
    return {
        "gradient": lambda: gradient_norms(run),
        "step": lambda: step_lengths(run),
        "rate": lambda: rates(0),
        "rate2": lambda: rates(1),
        "sharpness": lambda: sharpness(loss, run.positions, data),
    }[curve]()


def curve_view(app, key):
    (view,) = (view for view in stage(app, key)["views"] if view["name"] == LOSS)
    return view


# ---- in the link


@pytest.mark.parametrize("page", RUNS.values(), ids=RUNS.values())
def test_every_curve_and_the_field_survive_their_link_and_are_not_in_a_usual_one(page):
    usual: Setup = SETUPS[page]()
    assert not {"curve", "field"} & encode(usual).keys()
    for curve in CURVES:
        for field in (False, True):
            setup = replace(usual, curve=curve, field=field)
            assert decode(encode(setup), usual) == (setup, [])


def test_an_unknown_curve_falls_back_to_the_loss_and_the_note_names_all():
    setup, [note] = decode({"curve": ["loudness"]}, RACE)
    assert setup == RACE
    assert all(curve in note for curve in CURVES)


# ---- what is sent


@pytest.mark.parametrize("curve", INSIDE)
def test_in_the_place_of_the_loss_stands_what_the_engine_measures(curve):
    racers = dict(zip(racer_names(RACE.racers), RACE.racers, strict=True))
    loss = RACE.chosen_landscape.loss
    traces = race(loss, racers, [RACE.start], RACE.steps, record=True)
    for axis in LOSS_AXES:
        app = shown(replace(RACE, curve=curve, loss=axis))
        drawn, view = tracks(app), curve_view(app, "race-stage")
        for name, trace in traces.items():
            # another program finds the moves, and rounds differently
            np.testing.assert_allclose(drawn[name]["curve"], measured(curve, loss, trace.run(0)), rtol=1e-4)
        assert view["path"] == ["step", "drawn" if axis == "log" else "curve"]
        frame = json.loads(view["figure"])["layout"]["yaxis"]
        assert ("(log)" in frame["title"]["text"]) == (axis == "log") == (frame.get("type") == "log")
        assert "curve" in [number["key"] for number in stage(app)["numbers"]]
        assert address(app, "Ackley Race").curve == curve


@pytest.mark.parametrize("curve", INSIDE)
def test_on_mini_batches_it_is_the_gradient_of_the_batch_and_the_page_says_so(curve):
    fit = fit_of(REGRESSION.examples, REGRESSION.noise, REGRESSION.seed)
    racers = dict(zip(racer_names(REGRESSION.racers), REGRESSION.racers, strict=True))
    traces = race(
        mean_squared_error,
        racers,
        [REGRESSION.start],
        REGRESSION.steps,
        data=fit.data,
        batch_size=REGRESSION.batch,
        seeds=REGRESSION.seed,
        record=True,
    )
    app = shown(replace(REGRESSION, curve=curve))
    for name, trace in traces.items():
        expected = measured(curve, mean_squared_error, trace.run(0), fit.data)
        np.testing.assert_allclose(tracks(app, "regression-stage")[name]["curve"], expected, rtol=1e-3)
    assert ("all examples" if curve == "sharpness" else "mini-batch which the step follows") in texts(app)


@pytest.mark.parametrize("model", ["slope", "intercept"])
@pytest.mark.parametrize("curve", INSIDE)
def test_a_fit_of_one_or_two_parameters_has_every_curve(curve, model):
    app = shown(replace(FIT, curve=curve, model=model, loss="log"))
    (track,) = tracks(app, "fit-stage").values()
    assert np.isfinite(track["curve"]).all()
    assert len(track["curve"]) == len(track["loss"])
    options = app.selectbox(key="fit-curve").options
    assert len(options) == len(CURVES) - (model == "slope" and curve != RATE2)
    if curve in ("rate", "rate2"):
        np.testing.assert_allclose(track["curve"], FIT.rate, rtol=1e-5)


@each_page
def test_the_loss_is_sent_as_if_there_were_no_other_curve_and_comes_back_to_the_byte(setup):
    app = shown(setup)
    usual = stage(app, STAGES[setup])
    assert not any({"curve", "drawn"} & track["values"].keys() for track in usual["tracks"])
    assert "curve" not in [number["key"] for number in usual["numbers"]]
    box = app.selectbox(key=STAGES[setup].replace("-stage", "-curve"))
    sound(box.select("sharpness").run())
    assert curve_view(app, STAGES[setup])["figure"] != json.dumps(usual)
    sound(app.selectbox(key=box.key).select(LOSS).run())
    assert stage(app, STAGES[setup])["id"] == usual["id"]


@pytest.mark.parametrize("landscape", ["Rosenbrock", "Himmelblau", "Monkey saddle"])
def test_the_positions_are_those_of_the_race_to_the_last_digit_whatever_curve_is_chosen(landscape):
    setup = replace(RACE, steps=200).with_setting("landscape", landscape)
    plain = tracks(shown(setup))
    for curve in INSIDE:
        for name, track in tracks(shown(replace(setup, curve=curve))).items():
            for coordinate in "xy":
                np.testing.assert_array_equal(track[coordinate], plain[name][coordinate])


def test_a_replay_has_curves_beside_those_of_the_race():
    (name, replay) = next(iter(REPLAYS.items()))
    app = shown(RaceSetup(replay=name, steps=40, racers=(SGD(),), curve="gradient"))
    path = replay.run().positions[0]
    found = tracks(app)[replay.name]["curve"][: len(path)]
    slopes = np.asarray(jax.vmap(jax.grad(LANDSCAPES["Ackley"].loss))(path))
    np.testing.assert_allclose(found, np.linalg.norm(slopes, axis=1), rtol=1e-4)


def test_the_sharpness_stands_against_2_over_alpha_of_each_plain_gradient_descent():
    rates = (1e-3, 2e-3)
    setup = replace(RACE, racers=(*(SGD(learning_rate=rate) for rate in rates), ADAM()), curve="sharpness", loss="log")
    app = shown(setup)
    lines = json.loads(curve_view(app, "race-stage")["figure"])["data"]
    assert [line["y"] for line in lines] == [[2 / rate] * 2 for rate in rates]
    assert all(f"{2 / rate:.4g} for SGD {rate:g}" in texts(app) for rate in rates)


@pytest.mark.parametrize("curve", INSIDE)
def test_turning_a_knob_the_start_or_the_steps_compiles_nothing_whatever_curve_is_shown(curve, compiled):
    app = shown(replace(RACE, curve=curve))
    compiled.clear()
    for rate in (1e-4, 5e-4):
        sound(app.select_slider(key="race-1-learning_rate").set_value(rate).run())
    for steps in (1, 450, 1000):
        sound(app.select_slider(key="race-steps").set_value(steps).run())
    sound(app.number_input(key="race-start-x").set_value(0.25).run())
    assert not compiled


# ---- the frame


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1.0, 1e20])
def test_the_frame_holds_the_first_values_and_nearly_all_others(scale, log, rng):
    curves = [scale * rng.lognormal(size=200) for _ in range(3)]
    low, high = curve_range(curves, log)
    inside = [(curve >= low) & (curve <= high) for curve in curves]
    assert all(there[0] for there in inside)
    assert np.mean(inside) > 0.97


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(
    "curve", [[0.0, 0.0], [np.nan, np.nan], [1e38, 1e-38, np.nan], [-3.0, -1.0], [100.0, 100.0], [1e-45, 1.0]]
)
def test_whatever_the_values_there_is_a_frame(curve, log):
    low, high = curve_range([np.array(curve, np.float32)], log, [5.0])
    assert np.isfinite([low, high]).all()
    assert low < high
    assert low > 0 or not log
    go.Figure(layout={"yaxis": Axis("", low, high, log).layout()})


# ---- the gradient field


def numbers(values):
    return np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"]).astype(float)


def arrows(trace):
    """The tails and tips of the arrows of a field."""
    path = np.stack([numbers(trace["x"]), numbers(trace["y"])], axis=-1).reshape(-1, 7, 2)
    assert np.isnan(path[:, -1]).all()
    return path[:, 0], path[:, 1]


@pytest.mark.parametrize("view", ["usual", "wide"])
@pytest.mark.parametrize("name", LANDSCAPES)
def test_each_arrow_points_against_the_gradient_and_stays_within_its_own_room(name, view):
    trace = json.loads(landscape_figures(LANDSCAPES[name], view, True)["map"])["data"][1]
    go.Scatter(trace)
    tails, tips = arrows(trace)
    assert 0.9 * ARROWS**2 <= len(tails) <= ARROWS**2
    (x0, x1), _ = box(LANDSCAPES[name], view)
    ways = tips - tails
    lengths = np.linalg.norm(ways, axis=1) / ((x1 - x0) / ARROWS)
    assert (lengths > 0.99 * SHORTEST).all()
    assert (lengths < 1.01 * LONGEST).all()
    slopes = np.asarray(jax.vmap(jax.grad(LANDSCAPES[name].loss))(((tails + tips) / 2).astype(np.float32)), float)
    steep = np.linalg.norm(slopes, axis=1)
    there = steep > 0  # the middle of an arrow, computed anew, may be just at a kink
    ways, lengths, slopes, steep = ways[there], lengths[there], slopes[there], steep[there]
    along = -(ways * slopes).sum(axis=1) / np.linalg.norm(ways, axis=1) / steep
    assert np.median(along) > 0.999
    assert (along[steep > 1e-2 * steep.max()] > 0.98).all()
    order = np.argsort(steep)
    assert (np.diff(lengths[order]) > -0.02).all()  # the steeper, the longer


def tilted(x):
    return 3.0 * x[0] + 20.0 * x[1]


def test_on_a_map_whose_axes_have_other_units_an_arrow_points_where_a_step_would_go():
    drawn = gradient_field(tilted, Axis("x", 0, 10), Axis("y", 0, 1))
    path = np.stack([drawn.x, drawn.y], axis=-1).reshape(-1, 7, 2).astype(float)
    ways = path[:, 1] - path[:, 0]
    np.testing.assert_allclose(ways[:, 1] / ways[:, 0], 20 / 3, rtol=1e-2)
    assert (ways < 0).all()


def test_a_level_loss_has_no_arrows():
    drawn = gradient_field(lambda x: 0.0 * x[0], Axis("x", 0, 1), Axis("y", 0, 1))
    assert not len(drawn.x)


@each_page
def test_the_field_is_drawn_on_request_alone_and_its_caption_says_which_way_it_points(setup):
    key = STAGES[setup]
    captions, traces = {}, {}
    for field in (False, True):
        app = shown(replace(setup, field=field))
        figures = unpacked_figures(message(app, f"{key}-figures").bytes)
        captions[field] = {view["caption"] for view in stage(app, key)["views"]}
        traces[field] = sum(len(json.loads(figure)["data"]) for figure in figures.values())
    assert captions[False] - captions[True] == {CLICK}
    assert captions[True] - captions[False] == {FIELD}
    assert traces[True] == traces[False] + 1
