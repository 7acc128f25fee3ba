"""What stands still is drawn right: surfaces, maps, minima, and the frame of the loss curves."""

import base64
import json
import math
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

from engine import LANDSCAPES
from ui.draw.figures import loss_axes, loss_range
from ui.draw.landscapes import box, grid, height, landscape_figures, loss_span
from ui.draw.palette import COLORS, VARIABLES
from ui.draw.stage import browser
from ui.setup.landscapes import VIEWS

THEMES = list(COLORS)
LOSS = {
    True: "customdata",
    False: "z",
}  # by whether a map is drawn in decades: what stands at its own loss is sent once
every_landscape = pytest.mark.parametrize("name", LANDSCAPES)
every_view = pytest.mark.parametrize("view", VIEWS)
every_theme = pytest.mark.parametrize("theme", THEMES)


def figures(name: str, view: str) -> dict[str, dict]:
    return {part: json.loads(text) for part, text in landscape_figures(LANDSCAPES[name], view).items()}


def numbers(packed: dict) -> np.ndarray:
    """An array as Plotly's JSON carries it."""
    flat = np.frombuffer(base64.b64decode(packed["bdata"]), packed["dtype"])
    return flat.reshape([int(n) for n in packed["shape"].split(",")]) if "shape" in packed else flat


@every_landscape
@every_view
@every_theme
def test_plotly_knows_every_word_of_a_landscapes_figures_in_the_colours_of_each_theme(name, view, theme):
    colors = COLORS[theme].by_variable()
    for part, text in landscape_figures(LANDSCAPES[name], view).items():
        figure = json.loads(re.sub(r"var\((.*?)\)", lambda variable: colors[variable[1]], text))
        assert len(go.Figure(figure).data) == (2 if part == "map" else 1)
        assert figure["layout"]["font"]["color"] == COLORS[theme].ink


@every_landscape
@every_view
def test_rows_are_y_columns_are_x_and_both_drawings_stand_at_the_losss_height(name, view):
    landscape = LANDSCAPES[name]
    for figure in figures(name, view).values():
        drawn = figure["data"][0]
        xs, ys, heights = numbers(drawn["x"]), numbers(drawn["y"]), numbers(drawn["z"])
        assert heights.shape == (len(ys), len(xs))
        assert np.isfinite(heights).all()
        np.testing.assert_allclose([xs[[0, -1]], ys[[0, -1]]], box(landscape, view), rtol=1e-6)
        for i, j in product((0, len(xs) // 3, len(xs) - 1), (0, len(ys) // 5, len(ys) - 1)):
            loss = np.asarray(landscape.loss(np.array([xs[i], ys[j]])))
            assert heights[j, i] == pytest.approx(float(height(landscape, loss)), rel=1e-4, abs=1e-4)


def test_rows_and_columns_would_be_told_apart():
    assert any(
        not np.allclose(losses := grid(landscape, VIEWS[0], 11)[2], losses.T) for landscape in LANDSCAPES.values()
    )


@every_landscape
@every_view
def test_hovering_over_the_map_tells_the_loss(name, view):
    drawn = figures(name, view)["map"]["data"][0]
    loss = LOSS[LANDSCAPES[name].decades]
    assert ("customdata" in drawn) == LANDSCAPES[name].decades
    np.testing.assert_array_equal(height(LANDSCAPES[name], numbers(drawn[loss])), numbers(drawn["z"]))
    assert f"loss %{{{loss}" in drawn["hovertemplate"]


@every_landscape
@every_view
def test_every_minimum_is_marked_where_it_is(name, view):
    minima = [tuple(minimum) for minimum in LANDSCAPES[name].minima]
    drawn = figures(name, view)
    _, marks = drawn["map"]["data"]
    assert list(zip(marks["x"], marks["y"], strict=True)) == minima
    heights, scene = numbers(drawn["surface"]["data"][0]["z"]), drawn["surface"]["layout"]["scene"]
    crosses = [mark for mark in scene.get("annotations", []) if "×" in mark["text"]]
    assert [(mark["x"], mark["y"]) for mark in crosses] == minima
    for mark in crosses:
        # on the surface, whose grid may just miss the lowest point
        assert heights.min() - 0.1 * np.ptp(heights) <= mark["z"] <= heights.min() + 1e-3
        assert scene["zaxis"]["range"][0] < mark["z"]  # who comes there is drawn, too


@every_landscape
def test_the_wide_view_is_the_usual_one_and_as_much_again_around_it(name):
    landscape = LANDSCAPES[name]
    for (low, high), (far_low, far_high) in zip(box(landscape, VIEWS[0]), box(landscape, VIEWS[1]), strict=True):
        assert far_high - far_low == pytest.approx(2 * (high - low))
        assert far_high + far_low == pytest.approx(high + low)


@every_landscape
def test_a_higher_loss_is_drawn_higher(name):
    landscape = LANDSCAPES[name]
    losses = np.geomspace(1e-3, 1e6, 200, dtype=np.float32) + np.float32(landscape.floor or 0.0)
    heights = height(landscape, losses)
    assert (np.diff(heights) > 0).all()
    assert np.isfinite(heights).all()


@every_landscape
@every_view
def test_the_word_at_a_minimum_is_clear_of_whoever_stands_there_and_of_the_edge(name, view):
    layout = figures(name, view)["map"]["layout"]
    goals = LANDSCAPES[name].minima
    assert len(layout.get("annotations", [])) == (len(goals) == 1)
    for word, goal in zip(layout.get("annotations", []), goals, strict=False):
        assert (word["x"], word["y"]) == pytest.approx(tuple(goal))
        assert abs(word["ay"]) > 15  # pixels: more than a racer's mark
        for at, away, (low, high) in (
            (goal[0], word["ax"], layout["xaxis"]["range"]),
            (goal[1], -word["ay"], layout["yaxis"]["range"]),
        ):
            assert (high - at if away > 0 else at - low) >= 0.2 * (high - low)


@every_view
@every_landscape
def test_the_span_is_the_lowest_and_highest_loss_on_the_map(name, view):
    losses = numbers(figures(name, view)["map"]["data"][0][LOSS[LANDSCAPES[name].decades]])
    assert loss_span(LANDSCAPES[name], view) == (losses.min(), losses.max())


@pytest.mark.parametrize("log", [False, True])
def test_plotly_knows_every_word_of_the_loss_axes(log):
    figure = go.Figure(json.loads(loss_axes(200, 0.01, 1000.0, log)))
    assert figure.layout.xaxis.range == (0, 200)
    assert figure.layout.yaxis.range == ((-2, 3) if log else (0.01, 1000))
    assert ("(log)" in figure.layout.yaxis.title.text) == log
    assert figure.layout.yaxis.automargin == "left"  # longer numbers push the title away instead of running into it
    assert figure.layout.font.color == VARIABLES.ink


def test_the_tiniest_and_the_widest_frames_can_be_drawn():
    for last, (low, high), log in product(
        (1, 2000), ((1e-13, 1e-12), (0.0, 1e-6), (-3e38, 3e38), (1e-3, 1e39)), (False, True)
    ):
        if low > 0 or not log:
            axis = go.Figure(json.loads(loss_axes(last, low, high, log))).layout.yaxis
            assert axis.range[0] < axis.range[1]


INF, NAN = math.inf, math.nan
CURVES = {
    "falling": [[9.0, 4.0, 1.0]],
    "constant": [[2.0, 2.0, 2.0]],
    "all zero": [[0.0, 0.0]],
    "constant and huge": [[3e38, 3e38]],
    "constant and negative": [[-78.3, -78.3]],
    "negative": [[-1.0, -4.0, -9.0]],
    "through zero": [[1.0, 0.0, -1.0], [1.0, 2.0, 0.5]],
    "tiny": [[1e-30, 1e-38], [1e-13, 0.0]],
    "without bound below": [[0.1, -1e10, -3.4e38]],
    "without bound above": [[0.1, 1e10, 3.4e38], [0.1, 0.05, 0.01]],
    "off to infinity": [[4.0, INF, INF], [4.0, 2.0, 1.0]],
    "lost": [[4.0, NAN, NAN], [4.0, 2.0, 1.0]],
    "lost from the start": [[NAN, NAN], [NAN, 3.0]],
    "never there": [[NAN, INF], [-INF, NAN]],
    "from the minimum outwards": [[0.0, 0.1, 1e-3]],
    "far above the map": [[1e9, 1e8], [1e9, 1e7]],
}
SPANS = [(0.0, 20.0), (-78.3, 250.0), (-4.0, 4.0), (0.0, 2e5)]


@pytest.mark.parametrize("log", [False, True], ids=["linear", "log"])
@pytest.mark.parametrize("curves", CURVES.values(), ids=CURVES)
def test_the_frame_of_the_loss_is_finite_and_holds_the_starts_and_all_that_the_map_holds(curves, log):
    arrays = [np.array(curve, np.float32) for curve in curves]
    for span in SPANS:
        low, high = loss_range(arrays, span, log)
        assert math.isfinite(low)
        assert math.isfinite(high)
        assert low < high
        assert not log or low > 0
        losses = np.concatenate(arrays).astype(float)
        starts = np.array([array[0] for array in arrays], float)
        inside = np.concatenate([losses[(losses >= span[0]) & (losses <= span[1])], starts[np.isfinite(starts)]])
        if log:
            inside = inside[inside > 1e-12]
        assert all(low <= loss <= high for loss in inside)


def test_one_run_that_leaves_the_map_does_not_flatten_the_others():
    calm, wild = np.array([4.0, 2.0, 1.0], np.float32), np.array([4.0, 1e6, 1e20], np.float32)
    low, high = loss_range([calm, wild], (0.0, 20.0), False)
    assert high - low < 30


@pytest.mark.parametrize("scale", [1e-30, 1e-18, 1e-6, 1.0, 1e6, 1e18])
@pytest.mark.parametrize("log", [False, True], ids=["linear", "log"])
def test_a_loss_fills_its_frame_at_any_scale(scale, log):
    """SI units make losses of 1e-9 and of 1e9: as much of the frame is theirs as of one about 1."""
    curve = np.geomspace(7.5, 7.5e-3, 50) * scale
    low, high = loss_range([curve], (0.0, 8 * scale), log, 1e-12 * scale)
    ends = np.log10([low, curve.min(), curve.max(), high]) if log else np.array([low, curve.min(), curve.max(), high])
    assert (ends[2] - ends[1]) / (ends[3] - ends[0]) > 0.7
    assert low > 0 or not log


def test_a_turned_knob_seldom_moves_the_frame():
    frames = {loss_range([np.array([5.0, end], np.float32)], (0.0, 20.0), True) for end in np.linspace(0.11, 0.99, 50)}
    assert frames == {(0.1, 10.0)}


def test_the_first_visitors_together_put_a_file_out_once_and_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(browser, "STATIC", tmp_path / "static")
    content, together = b"x" * 5_000_000, threading.Barrier(8)

    def visit(_: int) -> None:
        together.wait()
        browser.served.__wrapped__("folder/script.js", content)

    with ThreadPoolExecutor(8) as visitors:
        list(visitors.map(visit, range(8)))
    (file,) = (browser.STATIC / "folder").iterdir()
    assert (file.name, file.read_bytes() == content) == ("script.js", True)


def test_a_script_is_served_under_a_name_that_changes_with_what_it_imports(tmp_path, monkeypatch):
    monkeypatch.setattr(browser, "STATIC", tmp_path / "static")
    first, other = tmp_path / "first.js", tmp_path / "other.js"
    first.write_text("import './other.js'")
    names = []
    for content in ("1", "2"):
        other.write_text(content)
        names.append(browser.address.__wrapped__(first, other))
        assert (browser.STATIC / names[-1].removeprefix("app/static/")).with_name("other.js").read_text() == content
    assert names[0] != names[1]


def test_every_script_that_the_stage_imports_is_served_beside_it():
    folder = Path(browser.__file__).parent
    scripts = {script.name: script.read_text() for script in folder.glob("*.js") if script.name != "loader.js"}
    imported = {name for text in scripts.values() for name in re.findall(r'from "\./([\w.]+)"', text)}
    assert imported == set(browser.IMPORTED) == set(scripts) - {"stage.js"}
