"""The Gradients page, run as a visitor's browser would have it run, without the browser."""

import base64
import io
import json
import math
import re
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

from engine import parse, slopes
from ui.draw.stage.stage import unpacked_figures
from ui.draw.tables import as_csv
from ui.frame import PAGES
from ui.gradients.check import verdict
from ui.gradients.controls import PART_NAMES, decimals_needed
from ui.gradients.differences import error_range
from ui.gradients.functions import span, with_function
from ui.gradients.loss import DERIVATION
from ui.numbers import format_number
from ui.setup.codec import decode, encode
from ui.setup.pages import (
    CHECK,
    DERIVATION_LINES,
    DIFFERENCES,
    EXAMPLE_FUNCTIONS,
    LOSS,
    OWN_FUNCTION,
    SETUPS,
    SLOPE,
    THETAS,
    WIDTHS,
    GradientsSetup,
)
from ui.setup.presets import presets, read_query

ROOT = Path(__file__).parents[1]
PAGE = "pages/1_Gradients.py"
DEFAULT, PRESETS = SETUPS["Gradients"](), presets("Gradients")
STAGES = {SLOPE: "slope-stage", DIFFERENCES: "slope-widths", LOSS: "slope-thetas"}
PLACE = {"scene": 1, "order": 1}  # where a message comes among those of a session
HOSTILE = [
    "<script>alert(1)</script>",
    "**x**",
    "[a](http://b)",
    "$x$",
    ":red[x]",
    "`x`",
    "![](http://b/c.png)",
    ":smile: x",
    "www.example.com",
    "=1+1",
    "@x",
    "x -> y",
    "# x",
    "x\u202ey",
]


def sound(app: AppTest) -> AppTest:
    assert not app.exception, app.exception
    assert not re.search(r"\b(nan|inf|None)\b", words(app))
    return app


def words(app: AppTest) -> str:
    """All that is said on the page."""
    kinds = ("markdown", "text", "error", "success", "info", "subheader", "metric")
    parts = [
        f"{part.label} {part.value}" if kind == "metric" else str(part.value)
        for kind in kinds
        for part in app.get(kind)
    ]
    return "\n".join(parts)


def opened(query: dict[str, list[str]] | None = None) -> AppTest:
    app = AppTest.from_file(str(ROOT / PAGES[0].file), default_timeout=120)
    for name, values in (query or {}).items():
        app.query_params[name] = values
    return sound(app.switch_page(PAGE).run())


def shown(**settings) -> AppTest:
    setup = GradientsSetup()
    for name, value in settings.items():
        setup = setup.with_setting(name, value)
    return opened(encode(setup))


def formulas(app: AppTest) -> str:
    """The formulas of the page, as LaTeX: those in words, and those that stand alone."""
    return " ".join(block.value for block in [*app.latex, *app.markdown])


def own(text: str, **settings) -> AppTest:
    return shown(f=OWN_FUNCTION, own=text, **settings)


def address(app: AppTest) -> GradientsSetup:
    setup, notes = read_query("Gradients", {k: v if isinstance(v, list) else [v] for k, v in app.query_params.items()})
    assert not notes
    return setup


def stage(app: AppTest) -> dict:
    """What the stage was sent; an empty one where there is none."""
    found = [c.proto for c in app.get("bidi_component") if c.proto.id.endswith(tuple(f"-{s}" for s in STAGES.values()))]
    return json.loads(found[0].json) if found else {}


def figures(app: AppTest) -> dict[str, dict]:
    (found,) = (c.proto for c in app.get("bidi_component") if c.proto.id.endswith("-figures"))
    return {name: json.loads(figure) for name, figure in unpacked_figures(found.bytes).items()}


def floats(packed: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(packed), "<f4")


def values(app: AppTest, track: int = 0) -> dict[str, np.ndarray]:
    return {name: floats(packed) for name, packed in stage(app)["tracks"][track]["values"].items()}


# ---- links and presets


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_a_preset_opens_from_its_link_and_from_the_list_as_the_same_page(preset):
    by_link = opened(parse_qs(preset.link, keep_blank_values=True))
    assert not by_link.warning
    assert address(by_link) == preset.setup
    assert preset.look_for in words(by_link)
    by_list = sound(opened().selectbox(key="slope-preset").select(preset.name).run())
    assert address(by_list) == preset.setup
    assert {**stage(by_list), **PLACE} == {**stage(by_link), **PLACE}


def test_no_two_presets_are_the_same_and_every_part_has_one():
    setups = [preset.setup for preset in PRESETS.values()]
    assert len(set(setups)) == len(setups)
    assert {setup.part for setup in setups} == set(PART_NAMES)


@pytest.mark.parametrize(
    "query",
    [
        {"show": ["**slope**"]},
        {"f": ["5x"]},
        {"own": ["x" * 201]},
        {"from": ["nan"], "to": ["1e999"]},
        {"x0": ["<b>"]},
        {"h": ["0"], "theta": ["99"], "lines": ["0"]},
        {"thetta": ["1"]},
    ],
    ids=str,
)
def test_a_broken_link_shows_the_page_and_says_what_was_put_right(query):
    app = opened(query)
    setup, notes = decode(query, DEFAULT)
    assert {**stage(app), **PLACE} == {**stage(opened(encode(setup))), **PLACE}
    (warning,) = app.warning
    assert [line for line in warning.value.splitlines() if line.startswith("- ")] == [f"- {note}" for note in notes]


def test_what_moves_in_steps_stands_on_one_whatever_the_link_says():
    app = opened({"from": ["-1"], "to": ["1"], "x0": ["0.333"], "h": ["0.0011"], "theta": ["2.04"]})
    assert not app.warning
    assert (address(app).x0, address(app).h, address(app).theta) == (0.34, 0.001, 2.0)


def test_every_setting_survives_a_visit_to_another_part():
    app = shown(part=LOSS)
    sound(app.select_slider(key="slope-theta").set_value(3.0).run())
    sound(app.button(key="slope-next").click().run())
    sound(app.segmented_control(key="slope-part").set_value(CHECK).run())
    sound(app.selectbox(key="slope-f").select("sin x").run())
    answered(app, "cos x")
    sound(app.segmented_control(key="slope-part").set_value(DIFFERENCES).run())
    sound(app.select_slider(key="slope-h").set_value(0.1).run())
    sound(app.select_slider(key="slope-x0").set_value(0.5).run())
    setup = GradientsSetup().with_setting("f", "sin x").with_setting("x0", 0.5)
    assert address(app) == replace(setup, part=DIFFERENCES, h=0.1, theta=3.0, lines=2, answer="cos x")
    for part in (LOSS, CHECK, DIFFERENCES, SLOPE):
        before = address(app)
        sound(app.segmented_control(key="slope-part").set_value(part).run())
        assert address(app) == before.with_setting("part", part)


# ---- slope


def test_the_page_opens_on_a_curve_whose_slope_changes_sign():
    app = opened()
    assert app.selectbox(key="slope-preset").value == next(iter(PRESETS))
    slopes_there = app.dataframe[0].value["f′"]
    assert slopes_there.min() < 0 < slopes_there.max()
    assert not app.query_params  # the address says as little as it did


def test_the_notebooks_table_is_one_choice_away():
    app = sound(opened().selectbox(key="slope-preset").select("As in the notebook: 4x").run())
    table = app.dataframe[0].value
    assert list(table.columns) == ["x", "f", "f′"]
    assert len(table) == 100
    # printed in the notebook
    assert table.head().astype(str).to_numpy().tolist() == [
        ["0.0", "0.0", "4.0"],
        ["0.1", "0.4", "4.0"],
        ["0.2", "0.8", "4.0"],
        ["0.3", "1.2", "4.0"],
        ["0.4", "1.6", "4.0"],
    ]


@pytest.mark.parametrize("name", EXAMPLE_FUNCTIONS)
def test_each_function_is_drawn_on_an_interval_of_its_own_with_its_slope(name):
    app = own("3x")
    sound(app.selectbox(key="slope-f").select(name).run())
    low, high, x0 = EXAMPLE_FUNCTIONS[name]
    assert (address(app).f, address(app).low, address(app).high, address(app).x0) == (name, low, high, x0)
    f = parse(name, ("x",))
    assert f.latex in formulas(app)
    x = floats(stage(app)["steps"])
    np.testing.assert_array_equal(x, slopes.points(low, high))
    f_values, f_slopes = slopes.curve(f, x)
    track = values(app)
    np.testing.assert_array_equal(track["f"], f_values)
    np.testing.assert_array_equal(track["slope"], f_slopes)
    # the tangent touches f at x₀
    np.testing.assert_allclose(track["intercept"] + track["slope"] * x, f_values, atol=2e-6 * np.abs(f_values).max())
    assert stage(app)["at"] == address(app).places().index(x0)
    for figure in figures(app).values():
        go.Figure(figure)  # Plotly accepts it


def test_x0_is_moved_by_the_slider():
    app = shown(f="x²")
    sound(app.select_slider(key="slope-x0").set_value(-3.0).run())
    assert address(app).x0 == -3.0
    assert floats(stage(app)["steps"])[stage(app)["at"]] == -3.0
    assert "the slope is −6" in words(app)


def test_another_interval_moves_x0_onto_its_points():
    app = shown(f="x²", x0=4.9)
    sound(app.number_input(key="slope-high").set_value(2.0).run())
    setup = address(app)
    assert (setup.low, setup.high) == (-5.0, 2.0)
    assert setup.x0 == setup.places()[-1] == app.select_slider(key="slope-x0").value


@pytest.mark.parametrize(("low", "high"), [(3.0, 3.0), (5.0, -5.0), (1.0, 1.001)])
def test_an_interval_without_room_is_said_in_one_line_and_mended(low, high):
    app = shown(f="x²", low=low, high=high)
    assert not stage(app)
    assert len(app.text) == 1
    sound(app.number_input(key="slope-high").set_value(low + 2).run())
    assert stage(app)
    assert not app.text


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"f": "|x|"}, ("−1 just left", "1 just right", "By convention", "says 1.0")),
        ({"f": "max(x,0)"}, ("0 just left", "1 just right", "By convention", "says 0.5")),
        ({"f": "|x|", "x0": 1.0}, ("the slope is 1:",)),
        ({"f": "x²", "x0": 0.0}, ("the slope is 0", "level")),
    ],
)
def test_what_is_said_about_x0(settings, says):
    app = shown(**settings)
    assert all(said in words(app) for said in says)


@pytest.mark.parametrize(
    "text", ["ln x", "1/x", "sqrt(x)", "tan x", "exp(exp x)", "x^99", "0", "floor x", "1/x^2", "asin x", "cbrt x"]
)
@pytest.mark.parametrize("part", [SLOPE, DIFFERENCES, CHECK])
def test_where_there_is_no_number_there_is_a_gap_and_no_word_for_it(text, part):
    for x0 in (-5.0, 0.0):
        app = own(text, low=-5.0, high=5.0, x0=x0, part=part, answer="1/x")
        if part == SLOPE:
            assert not np.isinf(np.concatenate(list(values(app).values()))).any()
            table = app.dataframe[0].value
            assert not np.isinf(table.to_numpy()).any()
        if stage(app):
            for figure in figures(app).values():
                for axis in ("xaxis", "yaxis"):
                    low, high = figure["layout"][axis]["range"]
                    assert math.isfinite(low)
                    assert low < high < math.inf
            assert "Infinity" not in json.dumps(figures(app))


def test_a_function_that_is_defined_nowhere_on_the_interval_is_said_to_be():
    app = own("ln(x)", low=-5.0, high=-1.0)
    assert not stage(app)
    assert "not defined at any of the 100 points from −5 to −1" in app.text[0].value
    sound(app.number_input(key="slope-high").set_value(5.0).run())
    assert stage(app)


# ---- typed functions


def test_a_typed_function_begins_with_the_one_that_was_there():
    app = shown(f="sin x", low=-2.0)
    before = stage(app)
    sound(app.selectbox(key="slope-f").select(OWN_FUNCTION).run())
    assert app.text_input(key="slope-own").value == "sin x"
    assert (stage(app)["tracks"], address(app).low) == (before["tracks"], -2.0)
    sound(app.text_input(key="slope-own").set_value("x^2 - 3x").run())
    np.testing.assert_allclose(values(app)["slope"], 2 * floats(stage(app)["steps"]) - 3, atol=1e-5)
    assert "x^{2}" in formulas(app)
    # and is still there after a look at another
    sound(app.selectbox(key="slope-f").select("4x").run())
    sound(app.selectbox(key="slope-f").select(OWN_FUNCTION).run())
    assert app.text_input(key="slope-own").value == "x^2 - 3x"


@pytest.mark.parametrize("text", ["", "   ", "sn(x)", "x +", "2 * (x", "y", "9^9^9^9 foo", "x" * 200, *HOSTILE])
@pytest.mark.parametrize("part", [SLOPE, CHECK])
def test_what_cannot_be_read_is_said_in_plain_text_and_the_page_goes_on(text, part):
    settings = {"own": text} if part == SLOPE else {"own": "x^2", "answer": text}
    app = shown(f=OWN_FUNCTION, part=part, **settings)
    if part == CHECK and not text.strip():
        assert "Type what you think" in words(app)
        return
    (message,) = app.text  # plain: neither Markdown nor HTML
    assert "\n" not in message.value
    assert not stage(app)
    # what was typed stands nowhere else but in its own field
    elsewhere = [
        str(part.value) for kind in ("markdown", "error", "warning", "latex", "html") for part in app.get(kind)
    ]
    assert not any(text.strip() and text.strip() in said for said in elsewhere if len(text.strip()) > 1)
    field = "slope-own" if part == SLOPE else "slope-answer"
    sound(app.text_input(key=field).set_value("2x").run())
    assert not app.text


def test_a_typed_text_reaches_a_spreadsheet_as_text():
    for text in ("-x", "+x", "=x", "@x"):
        table = pd.read_csv(io.BytesIO(as_csv(with_function(text, pd.DataFrame({"x": [1.0]})))))
        assert table["function"][0] == f"'{text}"


def test_the_numbers_of_the_download_read_back_exactly():
    x = slopes.points(-3, 3)
    f, slope = slopes.curve(parse("ln x", ("x",)), x)
    table = pd.read_csv(io.BytesIO(as_csv(with_function("ln x", pd.DataFrame({"x": x, "f": f, "df": slope})))))
    for name, column in (("x", x), ("f", f), ("df", slope)):
        np.testing.assert_array_equal(table[name].astype(np.float32), column)


# ---- finite differences


def test_the_differences_and_their_errors_are_those_of_the_engine():
    app = shown(part=DIFFERENCES, f="sin x", x0=1.0, h=0.01)
    found = slopes.differences(parse("sin x", ("x",)), 1.0, np.array(WIDTHS))
    for i, name in enumerate(("forward", "central")):
        track = values(app, i)
        np.testing.assert_allclose(track["slope"], found.estimates[name], rtol=1e-6)
        np.testing.assert_allclose(track["error"], found.errors[name], rtol=1e-6)
        # its line runs through the point it moves
        np.testing.assert_allclose(track["intercept"] + track["slope"] * track["x"], track["f"], atol=1e-5)
        assert f"h = {format_number(WIDTHS[slopes.most_accurate(found.errors[name])])}" in words(app)
    assert stage(app)["at"] == WIDTHS.index(0.01)
    assert stage(app)["index"] == {"label": "h", "digits": 8}
    assert all(f"{width:.8f}" != "0.00000000" for width in WIDTHS)
    sound(app.select_slider(key="slope-h").set_value(1e-3).run())
    assert stage(app)["at"] == WIDTHS.index(1e-3)


def test_an_error_of_zero_has_its_place_on_the_logarithmic_axis_and_is_said_to_be_exact():
    app = shown(part=DIFFERENCES, f="4x", x0=2.0)
    track = values(app)
    assert track["error"][0] == 0
    assert track["shown"].min() > 0
    assert "exact" in words(app)
    assert error_range({"forward": np.zeros(3), "central": np.zeros(3)}) == (1e-9, 1.0)


def test_at_a_corner_the_differences_are_said_not_to_agree():
    assert "Forward gives the slope on the right" in words(shown(part=DIFFERENCES, f="|x|"))


def test_without_a_slope_there_is_nothing_to_compare_the_differences_with():
    app = own("ln x", low=-5.0, high=5.0, x0=-2.0, part=DIFFERENCES)
    assert not stage(app)
    assert "not defined" in app.text[0].value


# ---- check my derivative


def answered(app: AppTest, answer: str) -> AppTest:
    return sound(app.text_input(key="slope-answer").set_value(answer).run())


@pytest.mark.parametrize("answer", ["3x^2 + 0.001", "3x^2 + 1e-6", "3.00001x^2", "3x"])
def test_the_two_values_that_are_furthest_apart_do_not_read_alike(answer):
    found = slopes.check(parse("x^3", ("x",)), parse(answer, ("x",)), 1.0, 10.0)
    right, words = verdict(found)
    assert not right
    yours, true = re.search(r"yours gives (\S+), jax.grad (\S+)\. ", words).groups()
    assert yours != true


def test_an_answer_is_judged_and_both_curves_are_drawn():
    app = shown(part=CHECK, f="x²")
    assert not app.get("plotly_chart")
    assert "Type what you think" in words(app)
    for answer in ("x+x", "2*x"):
        assert not answered(app, "3").success  # or the verdict on the answer before could pass for this one's
        answered(app, answer)
        assert "Right." in app.success[0].value
        assert not app.error
    answered(app, "3x")
    assert not app.success
    worst = app.error[0].value
    assert "x = −4.981" in worst
    assert "yours gives −14.94" in worst
    assert "jax.grad −9.962" in worst
    figure = json.loads(app.get("plotly_chart")[0].proto.spec)
    assert len(figure["data"]) == 3
    assert address(app).answer == "3x"


def test_an_answer_that_is_not_defined_everywhere_is_told_where():
    app = answered(own("x^3", low=-5.0, high=5.0, part=CHECK), "3x^2 + 0 ln x")
    assert "At x = −4.981 yours is not defined" in app.error[0].value


def test_a_function_without_a_slope_in_places_is_compared_at_the_others():
    app = answered(own("ln x", low=-5.0, high=5.0, part=CHECK), "1/x")
    assert "all 100 points where f has a slope" in app.success[0].value


# ---- mean squared error


def test_at_two_the_slope_of_the_loss_is_said_three_times_as_in_the_notebook():
    app = shown(part=LOSS, theta=2.0)
    assert [metric.value for metric in app.metric] == ["−131.340"] * 3
    track = values(app)
    at = stage(app)["at"]
    assert (floats(stage(app)["steps"])[at], track["theta"][at]) == (2.0, 2.0)
    assert track["loss"].argmin() == THETAS.index(4.0)
    np.testing.assert_allclose(track["intercept"] + track["slope"] * track["theta"], track["loss"], atol=1e-3)


@pytest.mark.parametrize("theta", THETAS[::10])
def test_the_three_slopes_agree_at_any_theta(theta):
    app = opened(encode(GradientsSetup(part=LOSS, theta=theta)))
    shown_values = [float(metric.value.replace("−", "-")) for metric in app.metric]
    assert max(shown_values) - min(shown_values) <= 0.0011
    assert shown_values[0] == pytest.approx(-2 * (4 - theta) * 32.835, abs=1e-3)


def test_theta_is_moved_by_the_slider_and_at_the_minimum_the_slope_is_zero():
    app = shown(part=LOSS)
    sound(app.select_slider(key="slope-theta").set_value(4.0).run())
    assert [metric.value for metric in app.metric] == ["0.000"] * 3
    assert "this is the minimum" in words(app)
    assert address(app).theta == 4.0


def test_the_derivation_comes_one_line_at_a_time_and_starts_over():
    app = shown(part=LOSS)
    for count in range(1, DERIVATION_LINES + 1):
        assert address(app).lines == count
        assert [why in words(app) for _, why in DERIVATION] == [k < count for k in range(DERIVATION_LINES)]
        if count < DERIVATION_LINES:
            sound(app.button(key="slope-next").click().run())
    assert app.button(key="slope-next").disabled
    assert "−131.340" in words(app)
    sound(app.button(key="slope-over").click().run())
    assert address(app).lines == 1


def test_both_forms_of_the_loss_show_their_source():
    code = " ".join(block.value for block in shown(part=LOSS).code)
    assert "def mean_squared_error_naive(true, pred):" in code
    assert "def mean_squared_error(theta, x, true):" in code


# ---- the rest


@pytest.mark.parametrize("part", PART_NAMES)
def test_the_code_behind_a_part_is_there_once_it_is_opened(part):
    app = shown(part=part)
    before = len(app.code)
    app.session_state[f"slope-card-{part}"] = True
    sound(app.run())
    assert len(app.code) > before
    assert any("def " in block.value for block in app.code[before:])


@pytest.mark.parametrize("part", STAGES)
def test_only_the_chosen_part_is_built(part):
    app = shown(part=part)
    found = [c.proto.id for c in app.get("bidi_component")]
    assert [any(name.endswith(f"-{s}") for name in found) for s in STAGES.values()] == [p == part for p in STAGES]


def test_a_rerun_with_nothing_new_is_quick():
    for part in PART_NAMES:
        app = shown(part=part, f="sin x", answer="cos x")
        app.run()
        start = time.process_time()
        sound(app.run())
        assert time.process_time() - start < 1.5  # 0.1 s as a rule; what others do on the machine is not counted


def test_the_range_of_an_axis_leaves_a_pole_out_and_never_is_empty():
    assert span(np.array([np.nan])) == (-1.0, 1.0)
    assert span(np.full(5, 4.0)) == (2.0, 6.0)
    low, high = span(1 / np.linspace(-1, 1, 1000))
    assert -200 < low < -1
    assert 1 < high < 200
    low, high = span(np.linspace(0, 10, 100))
    assert low < 0 < 10 < high


def test_numbers_are_said_short_and_without_a_computers_exponent():
    texts = [format_number(v) for v in (0.0003, 1.5e-7, -2.0, 131.34, 2e9)]
    assert texts == ["0.0003", "1.5·10⁻⁷", "−2", "131", "2·10⁹"]
    assert [decimals_needed(v) for v in ([0.0, 1.0], [0.1, 0.4], [0.25], [1 / 3])] == [1, 1, 2, 5]


def test_at_a_leap_there_is_said_to_be_no_slope():
    assert "jumps, so it has no slope there. `jax.grad` says 0.0" in words(own("floor x", low=-5.0, high=5.0, x0=2.0))
    assert "the tangent is level" in words(own("floor x", low=-5.0, high=5.0, x0=2.5))


def test_a_long_formula_has_a_row_of_its_own():
    short, long = own("x^2"), own(" + ".join(["sin(x)"] * 12))
    assert [len(app.latex) for app in (short, long)] == [0, 1]
