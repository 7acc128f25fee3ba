"""Linear Fit, run as a visitor's browser would have it run: what it shows is what the engine computes."""

import io
import json
import math
import re
from dataclasses import replace
from urllib.parse import parse_qs

import jax
import numpy as np
import pandas as pd
import pytest
from visit import address, floats, message, opened, past_the_question, shown, sound, stage, texts, tracks

from engine import OPTIMIZERS, race
from engine.notebook import FIRST_KEY, LEFT_BEHIND, first_theta
from engine.problems import line, mean_squared_error, noisy_line, notebook_grid
from ui.draw.stage.stage import unpacked_figures
from ui.draw.tables import as_csv
from ui.linear_fit.controls import rates
from ui.linear_fit.data import curvature_of, fit_of, points_of
from ui.linear_fit.figures import MAX_DRAWN, drawn, extent
from ui.linear_fit.run import run
from ui.linear_fit.table import THETA_FROM_NEW_GENERATOR, table
from ui.setup.pages import CSV, NOISY_LINE, SETUPS, FitSetup
from ui.setup.presets import opening, presets

PAGE, STAGE = "Linear Fit", "fit-stage"
PRESETS = presets(PAGE)
NOTEBOOK_PRESET = "As in the notebook: a line through 4x³+3"
NOTEBOOK = PRESETS[NOTEBOOK_PRESET].setup
SMALL = FitSetup(data=NOISY_LINE, model="intercept", rate=0.02, steps=25, tolerance=0.0, theta0=-4.0, theta=5.0)

# printed by the notebook's linear fit: iteration, theta, loss
PRINTED = [
    (1, 156.378, 570793.625),
    (2, 210.008, 377615.000),
    (3, 228.420, 354848.000),
    (4, 234.740, 352164.781),
    (5, 236.910, 351848.594),
    (6, 237.655, 351811.281),
    (7, 237.911, 351806.875),
    (8, 237.998, 351806.406),
    (9, 238.029, 351806.312),
]


def result_of(setup):
    return run(setup, points_of(setup, None))


def rows_of(app):
    """The table of every iteration; above it there may be the first rows of a file."""
    return app.dataframe[-1].value


def verdict(app):
    return next(text.value for text in app.markdown if text.value.startswith("### "))


def metrics(app):
    return [(metric.label, metric.value) for metric in app.metric]


def figures(app):
    return {
        name: json.loads(figure) for name, figure in unpacked_figures(message(app, f"{STAGE}-figures").bytes).items()
    }


def with_file(content, setup=None, name="points.csv"):
    app = shown(setup or replace(SMALL, data=CSV, model="slope"))
    return sound(app.file_uploader[0].set_value((name, content, "text/csv")).run())


# ---- as in the notebook


def test_the_page_opens_with_the_first_preset():
    app = opened(PAGE)
    assert app.selectbox(key="fit-preset").value == next(iter(PRESETS))
    assert stage(app, STAGE)["id"] == stage(shown(opening(PAGE)), STAGE)["id"]


def test_the_notebooks_fit_is_one_choice_away_and_shows_what_was_printed():
    app = sound(opened(PAGE).selectbox(key="fit-preset").select(NOTEBOOK_PRESET).run())
    rows = rows_of(app).set_index("iteration")
    for iteration, theta, loss in PRINTED:
        assert f"{rows.loc[iteration, 'θ']:.3f}" == f"{theta:.3f}"
        assert rows.loc[iteration, "loss"] == pytest.approx(loss, rel=1e-6)
    assert list(rows.index) == list(range(11))
    assert rows["θ"].iloc[-1] == pytest.approx(LEFT_BEHIND, abs=1e-4)
    assert "converged at iteration 10" in texts(app)
    assert stage(app, STAGE)["tracks"][0]["ended_words"] == "converged at iteration 10: its loss hardly changes"
    assert [m[1] for m in metrics(app)] == ["65.67", "0.03046", "0.343", "0.343"]
    assert "limit **0.03046**: α is **0.328** times the limit" in texts(app)


def test_the_notebooks_preset_starts_where_the_notebook_did_and_the_page_says_why():
    assert NOTEBOOK.theta == first_theta()
    assert (NOTEBOOK.rate, NOTEBOOK.steps, NOTEBOOK.tolerance, NOTEBOOK.data) == (0.01, 20, 1e-6, "4x³+3")
    assert float(jax.random.uniform(jax.random.PRNGKey(FIRST_KEY))) == THETA_FROM_NEW_GENERATOR
    said = texts(shown(NOTEBOOK))
    assert "θ = 0.15920353" in said
    assert "0.1639" in said
    assert "0.1639" not in texts(shown(replace(NOTEBOOK, theta=1.0)))


def test_the_formulas_are_the_notebooks():
    x = notebook_grid()
    for name, y in (("4x", 4 * x), ("4x³+3", 4 * x**3 + 3)):
        points = points_of(replace(NOTEBOOK, data=name), None)
        np.testing.assert_array_equal(points.x, x)
        np.testing.assert_allclose(points.y, y, rtol=3e-7)


# ---- presets and links


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_a_preset_opens_from_its_link_and_from_the_list_as_the_same_descent(preset):
    setup = preset.setup
    app = past_the_question(opened(PAGE, parse_qs(preset.link)))
    assert not app.warning
    assert preset.look_for in texts(app)
    points = points_of(setup, None)
    trace = race(
        mean_squared_error,
        {"SGD": OPTIMIZERS["SGD"](learning_rate=setup.rate)},
        [setup.start],
        setup.steps,
        data=line(points.x, points.y, intercept=setup.with_intercept).data,
        batch_size=setup.batch or None,
        seeds=setup.deal,
        tolerance=setup.tolerance,
    )["SGD"]
    (values,) = tracks(app, STAGE).values()
    end = len(values["loss"])
    np.testing.assert_array_equal(values["slope"], trace.positions[0, :end, -1])
    np.testing.assert_array_equal(values["loss"], trace.losses[0, :end])
    by_list = past_the_question(sound(opened(PAGE).selectbox(key="fit-preset").select(preset.name).run()))
    assert address(by_list, PAGE) == setup
    assert stage(by_list, STAGE)["id"] == stage(app, STAGE)["id"]


BROKEN = [
    {"data": ["5x"]},
    {"data": ["<b>4x</b>"]},
    {"model": [""]},
    {"learning_rate": ["nan"]},
    {"learning_rate": ["0"]},
    {"learning_rate": ["-1"]},
    {"iterations": ["2001"]},
    {"iterations": ["1.5"]},
    {"tolerance": ["-1"]},
    {"theta": ["1e999"]},
    {"theta0": ["**1**"]},
    {"batch": ["-1"]},
    {"batch_seed": ["x" * 5000]},
    {"x": ["0"], "y": ["51"]},
    {"noise": ["inf"], "seed": ["1e9"]},
    {"loss": ["Log"], "☃": ["1"]},
]


@pytest.mark.parametrize("query", BROKEN, ids=lambda query: "-".join(f"{k}={v[0][:20]}" for k, v in query.items()))
def test_a_broken_link_shows_a_fit_and_says_what_was_put_right(query):
    app = opened(PAGE, query)
    assert stage(app, STAGE)["id"] == stage(shown(SETUPS[PAGE]()), STAGE)["id"]
    assert len(app.warning) == 1


EXTREMES = [
    replace(SMALL, rate=1e24),
    replace(SMALL, rate=1e-24),
    replace(SMALL, theta0=1e9, theta=-1e9),
    replace(SMALL, theta0=1e9, theta=-1e9, rate=1.0, steps=2000, loss="log"),
    replace(SMALL, steps=1),
    replace(SMALL, steps=2000, tolerance=1e6),
    replace(SMALL, noise=0.0, slope=0.0, intercept=0.0, theta0=0.0, theta=0.0, loss="log"),
    replace(SMALL, noise=0.0, slope=0.0, intercept=0.0, model="slope", theta=0.0),
    replace(SMALL, batch=1, rate=1.0, steps=2000),
    replace(SMALL, batch=10_000),
    replace(NOTEBOOK, rate=0.07, steps=2000, tolerance=0.0, loss="log"),
]


@pytest.mark.parametrize("setup", EXTREMES, ids=range(len(EXTREMES)))
def test_at_the_ends_of_every_range_words_and_figures_stay_finite(setup):
    app = shown(setup)
    said = texts(app) + json.dumps([metric.value for metric in app.metric])
    said += json.dumps(stage(app, STAGE)["views"]) + json.dumps(figures(app))
    assert not re.search(r"\b(nan|inf|infinity|none)\b", re.sub(r'"hoverinfo": ?"none"', "", said.lower()))
    for figure in [
        *figures(app).values(),
        *(json.loads(v["figure"]) for v in stage(app, STAGE)["views"] if v["figure"]),
    ]:
        for axis in ("xaxis", "yaxis"):
            low, high = figure["layout"][axis]["range"]
            assert math.isfinite(low)
            assert low < high < math.inf
    for values in tracks(app, STAGE)[
        "SGD" if not 0 < setup.batch < 100 else f"SGD, {setup.batch} points a step"
    ].values():
        assert np.isfinite(values).all()
    assert np.isfinite(rows_of(app).to_numpy(float)).all()


# ---- one verdict

FITTED = FitSetup(data="4x", steps=50, theta=0.5, tolerance=1e-6)


@pytest.mark.parametrize(
    ("setup", "says", "foretold"),
    [
        pytest.param(replace(FITTED, rate=1e-9), "the step is too small", "hardly moves", id="a tiny rate"),
        pytest.param(
            replace(FITTED, rate=0.030455307686391563),
            "jumps between two points",
            "neither converges nor diverges",
            id="leaps",
        ),
        pytest.param(
            replace(FITTED, data="4x³+3", rate=0.001, batch=1, deal=3),
            "ran all 50 iterations.",
            "converges",
            id="batches",
        ),
        pytest.param(replace(FITTED, rate=0.01), "converged at iteration", "converges", id="converges"),
        pytest.param(replace(FITTED, rate=0.07, steps=500), "diverged at iteration", "diverges", id="diverges"),
        pytest.param(replace(FITTED, rate=0.01, tolerance=0.0), "and has converged", "converges", id="runs on"),
    ],
)
def test_the_end_is_said_alike_everywhere_and_agrees_with_what_was_foretold(setup, says, foretold):
    app = shown(setup)
    (end,) = [text.value for text in app.markdown if text.value.startswith("**It ")]
    assert says in end
    assert foretold in verdict(app)
    (track,) = stage(app, STAGE)["tracks"]
    assert track["ended_words"] in end
    assert (track["ended"] is not None) == ("ran all" not in end)
    assert ("converged" in texts(app).replace("one has converged", "")) == ("converged" in end)


def test_a_few_points_at_a_time_rattle_about_the_minimum_and_do_not_diverge():
    best = float(
        fit_of(replace(FITTED, data=NOISY_LINE), points_of(replace(FITTED, data=NOISY_LINE), None)).minimum()[0]
    )
    for deal in range(3):
        setup = replace(FITTED, data=NOISY_LINE, theta=best, batch=1, rate=0.009, steps=2000, tolerance=0.0, deal=deal)
        assert "It ran all 2,000 iterations.**" in texts(shown(setup))


def test_the_last_row_is_the_iteration_at_which_it_ended_also_between_two_records():
    setup = replace(FITTED, rate=1e-4, steps=2000, tolerance=1e-5)
    app = shown(setup)
    said = int(re.search(r"converged at iteration (\d+)", texts(app))[1])
    assert said % 3 != 0, "it must lie between two records to be a test"
    assert rows_of(app)["iteration"].iloc[-1] == floats(stage(app, STAGE)["steps"])[-1] == said


def test_a_start_beyond_the_numbers_is_said_to_be_that():
    content = "x,y\n" + 3 * "".join(f"{k}e6,{k}e6\n" for k in range(1, 1001))
    app = with_file(content.encode(), replace(FITTED, data=CSV, theta=1e9, tolerance=0.0, steps=5))
    assert "It cannot begin: the loss at the start is more than 32 bits can hold." in texts(app)


def test_a_file_whose_example_at_0_says_nothing_goes_on():
    setup = replace(FITTED, data=CSV, rate=0.01, batch=1, theta=0.0)
    app = with_file(b"x,y\n0,1\n1,2\n2,6\n3,7\n4,10\n", setup)
    assert "It ran all 50 iterations" in texts(app)
    assert rows_of(app)["θ"].iloc[-1] == pytest.approx(2.5, abs=0.3)


def test_a_valley_that_is_too_flat_says_what_is_still_far_and_that_centring_helps():
    rows = "x,y\n" + "".join(f"{x},{4 * x + 3}\n" for x in range(400))
    setup = replace(FITTED, data=CSV, model="intercept", rate=1e-5, steps=2000, tolerance=1e-3, theta=0.0)
    said = texts(with_file(rows.encode(), setup))
    assert "still far from the minimum. θ₀ is 0.0151, and the least loss is at 3." in said
    assert "subtract the mean from x" in said
    assert "It converged" not in said


def test_losses_in_si_units_fill_the_frame_and_have_tolerances_of_their_size():
    content = b"U,I\n1,0.0011\n2,0.0020\n3,0.0031\n4,0.0039\n"
    for loss in ("linear", "log"):
        app = with_file(content, replace(FITTED, data=CSV, rate=0.01, tolerance=0.0, theta=0.0, loss=loss))
        (frame,) = [json.loads(v["figure"]) for v in stage(app, STAGE)["views"] if v["figure"]]
        (values,) = tracks(app, STAGE).values()
        low, high = frame["layout"]["yaxis"]["range"]
        curve = np.log10(values["shown"]) if loss == "log" else values["shown"]
        assert np.ptp(curve) > 0.5 * (high - low)
        assert low <= curve.min() <= curve.max() <= high
        tolerances = [float(option) for option in app.select_slider(key="fit-tolerance").options[1:]]
        assert tolerances[0] < 1e-15
        assert tolerances[-1] <= 1e-6


# ---- why it goes where it goes


@pytest.mark.parametrize(
    ("rate", "word", "factor"),
    [
        (0.01, "converges", 0.343),
        (0.02, "oscillates and converges", 0.313),
        (0.0298, "oscillates and converges", 0.957),
        (0.0312, "diverges", 1.049),
        (0.05, "diverges", 2.284),
    ],
)
def test_the_verdict_is_what_happens_and_the_measured_ratio_what_was_foretold(rate, word, factor):
    setup = replace(NOTEBOOK, data="4x", rate=rate, steps=100, tolerance=0.0)
    app = shown(setup)
    assert verdict(app).startswith(f"### α = {rate:g} {word}")
    numbers = dict(metrics(app))
    assert float(numbers["predicted |1 − αλ|"]) == pytest.approx(factor, abs=1e-3)
    assert float(numbers["measured ratio"]) == pytest.approx(factor, abs=2e-3)
    losses = result_of(setup).run.losses
    assert (losses[-1] > losses[0]) == (word == "diverges")
    assert ("diverge" in "".join(t.value for t in app.markdown if t.value.startswith("**It"))) == (word == "diverges")


def test_with_an_intercept_each_direction_shrinks_as_foretold():
    app = shown(SMALL)
    numbers = metrics(app)
    assert len(numbers) == 8
    for part in (numbers[:4], numbers[4:]):
        assert float(part[2][1]) == pytest.approx(float(part[3][1]), abs=2e-3)
    assert float(numbers[0][1]) > 100 * float(numbers[4][1])
    assert "Steepest direction" in texts(app)


def test_a_run_that_is_thinned_and_one_in_batches_are_measured_on_all_points_step_by_step():
    for setup in (replace(SMALL, steps=2000), replace(SMALL, batch=4)):
        numbers = metrics(shown(setup))
        assert numbers[2][1] == numbers[3][1]
    assert "are for steps on all points" in texts(shown(replace(SMALL, batch=4)))


def test_a_descent_that_is_lost_says_when_and_is_drawn_until_then():
    app = shown(replace(NOTEBOOK, rate=0.07, steps=200, tolerance=0.0))
    (track,) = stage(app, STAGE)["tracks"]
    assert track["lost"]
    said = re.search(r"diverged at iteration (\d+)\. Its numbers grew without bound", texts(app))
    assert int(said[1]) == track["ended"] == floats(stage(app, STAGE)["steps"])[-1] < 100


def test_the_slider_of_the_learning_rate_straddles_the_limit_whatever_its_scale():
    for limit in (3e-18, 2.5e-7, 0.03046, 1.0, 7e11):
        found = rates(limit, 0.0123)
        assert found == sorted(set(found))
        assert 0.0123 in found
        assert sum(stop < limit for stop in found if stop != 0.0123) > 12
        assert sum(stop > limit for stop in found if stop != 0.0123) >= 3
        assert any(0.9 < stop / limit < 1 for stop in found)
        assert any(1 < stop / limit < 1.1 for stop in found)


def test_data_too_flat_for_32_bits_get_no_invented_number():
    years = "x,y\n" + "".join(f"{1990 + i},{3 + 0.1 * i}\n" for i in range(30))
    app = with_file(years.encode(), replace(SMALL, data=CSV))
    assert len(app.metric) == 4
    assert "subtract the mean" in texts(app)
    assert "hardly moves" in verdict(app)


# ---- the stage and the table


def test_start_minimum_and_path_are_on_the_loss_that_is_drawn():
    for setup in (SMALL, replace(SMALL, theta0=40.0), replace(SMALL, model="slope"), NOTEBOOK):
        result = result_of(setup)
        for axis, (low, high) in enumerate(extent(result.fit, result.curvature, result.run.positions.astype(float))):
            for inside in (result.minimum[axis], *result.run.positions[:, axis]):
                assert low < inside < high


def test_the_loss_that_is_drawn_is_the_same_for_every_learning_rate_that_arrives():
    ranges = [
        figures(shown(replace(SMALL, rate=rate)))["valley"]["layout"]["xaxis"]["range"] for rate in (0.001, 0.01, 0.025)
    ]
    assert ranges[0] == ranges[1] == ranges[2]


def test_a_long_table_says_that_it_is_thinned_and_downloads_exactly():
    setup = replace(SMALL, steps=2000)
    app = shown(setup)
    assert "One iteration in 5 is recorded" in texts(app)
    result = result_of(setup)
    rows = pd.read_csv(io.BytesIO(as_csv(table(setup, result))))
    assert list(rows.columns) == ["iteration", "θ₀", "θ₁", "gradient θ₀", "gradient θ₁", "loss"]
    np.testing.assert_array_equal(rows["θ₁"].astype(np.float32), result.run.positions[:, 1])
    np.testing.assert_array_equal(rows["loss"].astype(np.float32), result.run.losses)


def test_the_gradient_beside_a_step_is_the_one_that_it_took():
    rows = rows_of(shown(SMALL))
    for theta in ("θ₀", "θ₁"):
        moves = np.diff(rows[theta])
        np.testing.assert_allclose(moves, -SMALL.rate * rows[f"gradient {theta}"][:-1], rtol=1e-3, atol=1e-5)


def test_mini_batches_depend_on_their_seed_and_the_points_do_not():
    setup = replace(SMALL, batch=4)
    one, same, other = (rows_of(shown(replace(setup, deal=deal))) for deal in (0, 0, 1))
    pd.testing.assert_frame_equal(one, same)
    assert not np.array_equal(one["θ₁"], other["θ₁"])
    assert one["loss"][0] == other["loss"][0]


def test_every_widget_moves_its_part_of_the_address():
    app = shown(replace(SMALL, batch=4))
    app.number_input(key="fit-theta0").set_value(7.0)
    app.number_input(key="fit-deal").set_value(3)
    app.number_input(key="fit-slope").set_value(-1.5)
    app.slider(key="fit-noise").set_value(12.0)
    app.select_slider(key="fit-steps").set_value(300)
    app.select_slider(key="fit-tolerance").set_value(1e-3)
    sound(app.run())
    wanted = replace(SMALL, batch=4, theta0=7.0, deal=3, slope=-1.5, noise=12.0, steps=300, tolerance=1e-3)
    assert address(app, PAGE) == wanted
    assert stage(app, STAGE)["id"] == stage(shown(wanted), STAGE)["id"]


def test_how_it_works_shows_the_engines_own_source_once_it_is_opened():
    app = opened(PAGE)
    assert not app.code
    for name in ("The loss and the line", "The step", "The mini-batches"):
        app.session_state[f"fit-card-{name}"] = True
    code = "\n".join(part.value for part in sound(app.run()).code)
    for said in (
        "def mean_squared_error(theta, x, true):",
        "class SGD(Optimizer):",
        'def in_batch(permutation: Int[Array, "examples"], step, batch_size)',
    ):
        assert said in code


# ---- a file of one's own


def test_without_a_file_the_page_invites_one_and_its_controls_stay():
    app = shown(replace(SMALL, data=CSV))
    assert "Upload a CSV file" in app.info[0].value
    assert app.select_slider(key="fit-rate").value == SMALL.rate
    assert address(app, PAGE) == replace(SMALL, data=CSV)
    assert not app.get("bidi_component") or "tracks" not in app.get("bidi_component")[-1].proto.json


def test_a_file_is_fitted_and_what_was_left_out_is_counted():
    x, y = noisy_line(2.0, 1.0, 1)
    good = "".join(f"{a},{b}\n" for a, b in zip(x, y, strict=True))
    app = with_file(f"time,speed\n{good}7,\noops,3\n".encode())
    assert "100 of 102 rows of the file are used. 2 left out" in texts(app)
    (values,) = tracks(app, STAGE).values()
    fit = line(x, y, intercept=False)
    trace = race(mean_squared_error, {"SGD": OPTIMIZERS["SGD"](learning_rate=0.02)}, [[5.0]], 25, data=fit.data)["SGD"]
    np.testing.assert_allclose(values["slope"], trace.positions[0, :, 0], rtol=1e-5)
    assert figures(app)["data"]["layout"]["xaxis"]["title"]["text"] == "time"
    # and it is still there when the visitor looked at other data in between
    sound(app.selectbox(key="fit-data").select("4x").run())
    sound(app.selectbox(key="fit-data").select(CSV).run())
    np.testing.assert_array_equal(next(iter(tracks(app, STAGE).values()))["slope"], values["slope"])


def test_other_columns_are_a_choice_away_and_the_learning_rate_suits_their_scale():
    rows = "".join(f"{i},{1000 * i + i % 3},{-i}\n" for i in range(1, 40))
    app = with_file(f"a,b,c\n{rows}".encode())
    assert app.selectbox(key="fit-x").options == ["a", "b", "c"]
    sound(app.selectbox(key="fit-x").select(2).run())
    sound(app.selectbox(key="fit-y").select(3).run())
    setup = address(app, PAGE)
    assert (setup.x, setup.y) == (2, 3)
    limit = float(dict(metrics(app))["limit 2/λ"])
    assert 0.1 < setup.rate / limit < 1
    assert "converges" in verdict(app)


REFUSED = {
    "a picture": (b"\x89PNG\r\n\x1a\n\0", "a PNG picture"),
    "nothing": (b"", "is empty"),
    "one column": (b"x\n1\n2\n", "one column"),
    "the same x": (b"x,y\n5,1\n5,2\n", "Every x is 5"),
    "too many rows": (b"x,y\n" + b"1,2\n" * 12_345, "12,345 rows"),
}


@pytest.mark.parametrize(("content", "said"), REFUSED.values(), ids=REFUSED)
def test_a_file_without_a_line_in_it_is_refused_and_the_next_one_taken(content, said):
    app = with_file(content)
    assert said in app.code[0].value
    assert app.select_slider(key="fit-steps").value == SMALL.steps
    app.file_uploader[0].set_value(("good.csv", b"x,y\n1,2\n2,4\n3,7\n", "text/csv"))
    assert "3 of 3 rows" in texts(sound(app.run()))


def test_what_a_file_leaves_open_is_asked_on_the_page_and_nothing_is_fitted_until_it_is_chosen():
    app = with_file(b"a\tb\n1\t950\n2\t1,020\n3\t1,100\n")
    assert "has to be chosen below" in texts(app)
    assert "Which is the decimal sign?" in texts(app)
    assert not app.metric
    assert app.selectbox(key="fit-read-decimal").value is None
    sound(app.selectbox(key="fit-read-decimal").select(".").run())
    assert "3 of 3 rows" in texts(app)
    assert max(app.dataframe[0].value["b"]) == 1100
    sound(app.selectbox(key="fit-read-decimal").select(",").run())
    assert app.dataframe[0].value["b"][1] == 1.02
    # what was said of one file is not said of the next
    sound(app.file_uploader[0].set_value(("next.csv", b"a;b\n1;2.5\n2;3.5\n4;oops\n", "text/csv")).run())
    assert app.selectbox(key="fit-read-decimal").value == "."
    assert "is not a number" in texts(app)


def test_numbers_that_may_be_dates_and_the_letters_of_names_have_a_choice_on_the_page():
    app = with_file("Tag;größe\n13.02;1\n14.02;2\n28.02;4\n".encode("cp1252"))
    assert "Are these numbers, or dates" in texts(app)
    assert app.selectbox(key="fit-read-dates").value is None
    sound(app.selectbox(key="fit-read-dates").select(False).run())
    assert "3 of 3 rows" in texts(app)
    assert "read as numbers, not as dates" in texts(app)
    assert app.selectbox(key="fit-read-encoding").value == "cp1252"
    sound(app.selectbox(key="fit-read-encoding").select("utf-8").run())
    assert "not in the encoding UTF-8" in texts(app)
    sound(app.selectbox(key="fit-read-encoding").select("cp1250").run())
    assert list(app.dataframe[0].value) == ["Tag", "größe"]
    sound(app.selectbox(key="fit-read-dates").select(True).run())
    assert "is a date or a time, and those are not read" in texts(app)


def test_everything_that_a_file_leaves_open_is_asked_and_counted():
    app = with_file(b"Country;2019;2020\nA;1.250;2.300\nB;7.125;8.400\n")
    assert "2 things about this file have to be chosen" in texts(app)
    sound(app.selectbox(key="fit-read-decimal").select(".").run())
    assert "One thing about this file has to be chosen" in texts(app)
    sound(app.selectbox(key="fit-read-header").select(True).run())
    assert "2 of 2 rows" in texts(app)
    assert list(app.dataframe[0].value) == ["2019", "2020"]


def test_another_file_keeps_a_learning_rate_that_suits_it_and_slider_and_words_agree():
    small, large = (b"x,y\n" + b"".join(b"%d,%d\n" % (k * i, i) for i in range(1, 9)) for k in (1, 100))
    app = with_file(small)
    sound(app.select_slider(key="fit-rate").set_value(0.05).run())
    for file, kept in ((small.replace(b"8,8", b"8,9"), True), (large, False)):
        sound(app.file_uploader[0].set_value(("next.csv", file, "text/csv")).run())
        rate = app.select_slider(key="fit-rate").value
        assert (rate == 0.05) == kept
        assert address(app, PAGE).rate == rate
        limit = float(dict(metrics(app))["limit 2/λ"])
        assert float(re.search(r"α is \*\*([0-9.e+-]+)\*\*", texts(app))[1]) == pytest.approx(rate / limit, rel=5e-3)
        assert verdict(app).startswith(f"### α = {rate:g} ")


HOSTILE = "**b** <img src=x> [l](http://x) $a$ `c` :red[x]"


def test_nothing_of_a_file_is_read_as_markdown_or_html():
    app = with_file(f'"{HOSTILE}","{HOSTILE[::-1]}"\n1,2\n2,3\n'.encode(), name=f"{HOSTILE}.csv")
    said = texts(app)
    for part in ("**b**", "<img", "http://x", ":red"):
        assert part not in said
    titles = json.dumps([figure["layout"]["xaxis"]["title"]["text"] for figure in figures(app).values()])
    assert "<" not in titles
    assert "$" not in titles


def test_of_many_points_a_sample_is_drawn_and_the_page_says_so():
    app = with_file(b"x,y\n" + b"".join(b"%d,%d\n" % (i % 97, i % 89) for i in range(5000)))
    assert "A sample of 2,000 points is drawn; the fit uses all 5,000." in texts(app)
    points = points_of(replace(SMALL, data=CSV), app.session_state["fit-upload"])
    assert len(set(drawn(points))) == MAX_DRAWN
    curvature = curvature_of(fit_of(replace(SMALL, model="slope"), points))
    assert float(dict(metrics(app))["curvature λ"]) == pytest.approx(float(curvature.values[0]), rel=1e-3)
