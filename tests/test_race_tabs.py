"""The tabs of the Ackley Race beside the race itself: what they show is what the engine's maps say."""

import base64
import io
import json
from dataclasses import replace
from urllib.parse import parse_qs

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from visit import address, message, opened, shown, sound, stage, texts, tracks

from engine import LANDSCAPES, OPTIMIZERS, race
from engine.analysis import curvature
from engine.fair import fair_race
from engine.maps import basins, sweep
from ui.draw.palette import COLORS, VARIABLES
from ui.draw.stage.stage import unpacked_figures
from ui.race.basins import LOST, REACHED, picture, rgb
from ui.race.controls import CONTROLS
from ui.race.fair import numbers
from ui.race.fair_words import sentences
from ui.race.rates import LOOKS, RATES, limit_of, take_rate
from ui.setup.pages import RaceSetup
from ui.setup.presets import presets
from ui.setup.racers import racer_names

PAGE = "Ackley Race"
TABS = {name: preset for name, preset in presets(PAGE).items() if preset.setup.show != "race"}
SETUP = RaceSetup(
    racers=(OPTIMIZERS["SGD"](learning_rate=0.01), OPTIMIZERS["Adam"](learning_rate=0.3)),
    landscape="Himmelblau",
    start=(-0.5, 0.5),
    steps=60,
    points=24,
)
BASINS, RATES_TAB, FAIR, MANY = (replace(SETUP, show=tab) for tab in ("basins", "rates", "fair", "many"))


def chart(app, place):
    return json.loads(app.get("plotly_chart")[place].proto.spec)


@pytest.mark.parametrize("preset", TABS.values(), ids=TABS)
def test_a_preset_opens_its_tab(preset):
    app = opened(PAGE, parse_qs(preset.link))
    assert address(app, PAGE) == preset.setup
    assert not app.warning
    assert preset.look_for in texts(app)


def test_every_racer_has_a_map_with_its_own_path_over_it():
    app = shown(BASINS)
    sent = stage(app)
    assert [view["only"] for view in sent["views"]] == racer_names(SETUP.racers)
    racers = dict(zip(racer_names(SETUP.racers), SETUP.racers, strict=True))
    for name, trace in race(SETUP.chosen_landscape.loss, racers, [SETUP.start], SETUP.steps).items():
        np.testing.assert_array_equal(tracks(app)[name]["x"], trace.positions[0, :, 0])


def test_the_table_says_how_many_starts_arrive_and_how_soon():
    table = shown(BASINS).dataframe[0].value.set_index("racer")
    for name, racer in zip(racer_names(SETUP.racers), SETUP.racers, strict=True):
        found = basins(SETUP.chosen_landscape, racer, SETUP.points, SETUP.steps)
        assert table["arrive"][name] == pytest.approx(100 * (found.nearest >= 0).mean())
        assert table["median steps"][name] == int(np.median(found.steps[found.nearest >= 0]))
        assert table["starts"][name] == SETUP.points**2


def test_the_picture_lies_on_its_domain_with_each_start_in_the_middle_of_its_square():
    figures = unpacked_figures(message(shown(BASINS), "race-stage-figures").bytes)
    (first, _) = figures.values()
    layout = json.loads(first)["layout"]
    (image,) = layout["images"]
    assert layout["plot_bgcolor"] == VARIABLES.elsewhere  # shows where the picture is clear
    (x0, x1), (_, y1) = SETUP.chosen_landscape.domain
    step = (x1 - x0) / (SETUP.points - 1)
    assert image["x"] == pytest.approx(x0 - step / 2)
    assert image["y"] == pytest.approx(y1 + step / 2)
    assert image["sizex"] == pytest.approx(step * SETUP.points)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_say_which_minimum_and_the_stronger_the_sooner(theme):
    found = basins(LANDSCAPES["Himmelblau"], OPTIMIZERS["SGD"](learning_rate=0.01), 24, 60)
    lost = found.stopped_at.copy()
    lost[0, 0] = 3
    found = replace(found, stopped_at=lost)
    drawn = Image.open(io.BytesIO(base64.b64decode(picture(found).partition(",")[2])))
    ground = Image.new("RGBA", drawn.size, COLORS[theme].elsewhere)
    pixels = np.asarray(Image.alpha_composite(ground, drawn).convert("RGB"))[::-1].astype(int)
    assert tuple(pixels[0, 0]) == tuple(rgb(LOST).astype(int))
    nowhere = (found.nearest < 0) & (lost < 0)
    assert (pixels[nowhere] == rgb(COLORS[theme].elsewhere)).all()
    for place in range(len(LANDSCAPES["Himmelblau"].minima)):
        mine = np.argwhere((found.nearest == place) & (lost < 0))
        away = [np.abs(pixels[row, column] - rgb(REACHED[place])).sum() for row, column in mine]
        soon = np.argsort([found.steps[row, column] for row, column in mine], kind="stable")
        assert len(soon) > 10
        assert np.corrcoef(np.arange(len(soon)), np.array(away)[soon])[0, 1] > 0.8


def test_the_start_on_the_maps_is_the_start_of_the_race():
    app = shown(BASINS)
    sound(app.number_input(key="race-start-x").set_value(3.0).run())
    sound(app.button_group(key="race-show").set_value("race").run())
    assert address(app, PAGE) == replace(SETUP, start=(3.0, 0.5))
    assert tracks(app)["SGD"]["x"][0] == 3.0


def test_every_mark_says_how_the_run_with_its_learning_rate_ended():
    app = shown(RATES_TAB)
    marks = {}
    for trace in chart(app, 0)["data"]:
        for place, rate in trace.get("customdata", []):
            marks[int(place), np.float32(rate)] = trace["name"]
    assert len(marks) == RATES * len(SETUP.racers)
    for place, racer in enumerate(SETUP.racers):
        knob = racer.knobs()[0]
        rates = np.geomspace(knob.low, knob.high, RATES)
        found = sweep(
            SETUP.chosen_landscape.loss,
            racer,
            "learning_rate",
            rates,
            [SETUP.start],
            SETUP.steps,
            minima=SETUP.chosen_landscape.minima,
        )
        for rate, ending in zip(found.values, found.endings[:, 0], strict=True):
            assert marks[place, rate] == LOOKS[ending.kind].words


def test_the_limit_is_drawn_where_the_ground_is_a_quadratic_and_only_there():
    quadratic = {name for name, landscape in LANDSCAPES.items() if limit_of(landscape) is not None}
    assert {"Bowl", "Ravine", "Booth"} <= quadratic
    assert not quadratic & {"Ackley", "Rosenbrock", "Himmelblau"}
    assert limit_of(LANDSCAPES["Ravine"]) == pytest.approx(curvature(LANDSCAPES["Ravine"].loss, np.zeros(2)).limit)
    ravine = shown(replace(RATES_TAB, landscape="Ravine", start=(-8.0, 4.0)))
    (line,) = chart(ravine, 0)["layout"]["shapes"]
    assert line["x0"] == pytest.approx(0.02)
    assert "2/λ = **0.02**" in texts(ravine)
    assert not chart(shown(RATES_TAB), 0)["layout"].get("shapes")


def test_a_click_on_a_mark_gives_its_racer_that_rate_and_shows_the_race(monkeypatch):
    taken = {}

    class Picked(dict):
        __getattr__ = dict.__getitem__

    points = [{"customdata": [1, 0.0123456]}]
    monkeypatch.setattr(st, "session_state", {CONTROLS.key("outcomes"): Picked(selection=Picked(points=points))})
    monkeypatch.setattr(CONTROLS, "current_setup", lambda: SETUP)
    monkeypatch.setattr(CONTROLS, "update", lambda **chosen: taken.update(chosen))
    take_rate()
    assert taken == {"racers": (SETUP.racers[0], replace(SETUP.racers[1], learning_rate=0.01235)), "show": "race"}


@pytest.mark.parametrize("landscape", LANDSCAPES)
@pytest.mark.parametrize("tab", ["rates", "basins", "fair"])
def test_every_tab_stands_on_every_landscape(landscape, tab):
    start = next(iter(LANDSCAPES[landscape].places.values()))
    one = SETUP.racers[:1]  # the one that is lost where a landscape is steep
    app = shown(replace(SETUP, show=tab, landscape=landscape, start=start, racers=one, points=16, steps=30))
    words = {word.strip("(),.*%") for word in texts(app).split()}
    assert "None" not in words  # "none" is a word
    assert not {word.lower() for word in words} & {"nan", "inf"}


def test_the_fair_race_has_each_optimizer_of_the_line_up_once():
    twice = replace(FAIR, racers=(*SETUP.racers, OPTIMIZERS["Adam"](learning_rate=0.01)), shared_rate=0.02)
    app = shown(twice)
    rules = [OPTIMIZERS["SGD"], OPTIMIZERS["Adam"]]
    fair = fair_race(SETUP.chosen_landscape, rules, SETUP.steps, 0.02)
    assert all(sentence in texts(app) for sentence in sentences(fair))
    table = app.dataframe[0].value
    assert sorted(table["optimizer"]) == ["Adam"] * 3 + ["SGD"] * 3
    np.testing.assert_allclose(table["wins"], numbers(fair)["wins"])


def test_the_learning_rate_of_all_is_turned_on_the_page_and_is_in_its_link():
    app = shown(FAIR)
    sound(app.select_slider(key="race-shared_rate").set_value(0.3).run())
    assert address(app, PAGE) == replace(FAIR, shared_rate=0.3)
    rates = app.dataframe[0].value.set_index("terms")["learning rate"]
    assert (rates["one rate"] == 0.3).all()


def test_a_second_look_at_a_tab_computes_nothing_anew(compiled):
    shown(BASINS)
    shown(RATES_TAB)
    shown(FAIR)
    shown(MANY)
    compiled.clear()
    shown(BASINS)
    shown(RATES_TAB)
    shown(FAIR)
    shown(MANY)
    shown(replace(RATES_TAB, start=(1.0, 2.0), steps=77))
    shown(replace(BASINS, points=17, steps=33))
    shown(replace(FAIR, shared_rate=0.7, steps=33))
    shown(replace(MANY, starts_seed=5, steps=33))
    assert not compiled
