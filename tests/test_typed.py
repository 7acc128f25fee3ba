"""A landscape that a visitor types: what is found of it is true, what cannot be read or has no value is said."""

import json
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from visit import address, message, opened, shown, sound, stage, texts, tracks

from engine import LANDSCAPES, OPTIMIZERS, race
from engine.endings import verdicts
from engine.fair import random_starts
from engine.maps import common_ends, sweep
from engine.minima import MAX_MINIMA, Finding, lowest_points
from engine.typed import TypedLoss, parse_landscape, typed_landscape
from engine.xla import compile as programs
from ui.draw.landscapes import grid, height, height_ticks, landscape_figures, loss_span
from ui.draw.stage.stage import unpacked_figures
from ui.race.basins import REACHED
from ui.setup.codec import decode, encode
from ui.setup.landscapes import DOMAIN, EXAMPLE_LANDSCAPE, OWN_LANDSCAPE
from ui.setup.pages import RACE_TABS, RaceSetup
from ui.setup.presets import presets
from ui.take_home.files import describe

PAGE = "Ackley Race"
SQUARE = (DOMAIN, DOMAIN)
# each landscape of the engine once more, as a visitor would type it
TYPED = {
    "Ackley": "-20e^(-0.2 sqrt((x^2+y^2)/2)) - e^((cos(2pi x) + cos(2pi y))/2) + e + 20",
    "Rosenbrock": "100(y-x^2)^2 + (1-x)^2",
    "Rastrigin": "20 + x^2 - 10cos(2pi x) + y^2 - 10cos(2pi y)",
    "Himmelblau": "(x^2 + y - 11)^2 + (x + y^2 - 7)^2",
    "Beale": "(1.5 - x + x y)^2 + (2.25 - x + x y^2)^2 + (2.625 - x + x y^3)^2",
    "Booth": "(x + 2y - 7)^2 + (2x + y - 5)^2",
    "Styblinski-Tang": "(x^4 - 16x^2 + 5x + y^4 - 16y^2 + 5y)/2",
    "Three-hump camel": "2x^2 - 1.05x^4 + x^6/6 + x y + y^2",
    "Saddle": "x^2 - y^2",
    "Bowl": "(x^2 + y^2)/2",
    "Ravine": "(x^2 + 100y^2)/2",
    "Monkey saddle": "x^3 - 3x y^2",
    "Turned ravine": "(x+y)^2/4 + 25(y-x)^2",
    "Quadratic": "(x^2 + 100y^2)/2",
    "Rippled valley": "(x^2 + 10y^2)/2 + 0.2(2 - cos(4pi x) - cos(4pi y))",
    "Plateau": "(x^2 + y^2)/(1 + x^2 + y^2)",
    "Sharp and flat": "50((x+2)^2 + y^2)((x-2)^2 + y^2)/(100((x+2)^2 + y^2) + (x-2)^2 + y^2)",
    "Cliff": "y^2/2 + 250(x - min(x + 0.002, 0))^2 - min(x + 0.002, 0)",
}
WITHOUT_MINIMUM = {
    "x*y": Finding.OUTSIDE,
    "x + y": Finding.OUTSIDE,
    "max(x,y)": Finding.OUTSIDE,
    "x^3 - 3x + y^2": Finding.OUTSIDE,  # its local minimum is not its lowest point
    "1/(x^2+y^2)": Finding.OUTSIDE,
    "-1/(x^2+y^2)": Finding.EDGE,
    "sqrt(x)+y^2": Finding.EDGE,
    "log(x)": Finding.EDGE,
    "5": Finding.LEVEL,
    "x^2": Finding.VALLEY,
    "(x - 3y)^2": Finding.VALLEY,
    "(y - x^2)^2": Finding.VALLEY,
    "floor(x)^2 + y^2": Finding.VALLEY,
    "(x^2 + y^2 - 4)^2": Finding.VALLEY,  # a circle
    "|x^2 + y^2 - 4|": Finding.VALLEY,
    "max(0, x) + max(0, y)": Finding.VALLEY,  # a plain, in a corner
    "max(0, x + y)": Finding.VALLEY,
    "(sin(x) + cos(y))^2": Finding.VALLEY,  # two lines that cross where it is 0 to the last digit
    "(x + 5.01)^2 + y^2": Finding.OUTSIDE,  # right beside the edge
    "sin(5x)*sin(5y)": Finding.MANY,
    "sin(1000x) + y^2": Finding.MANY,
    "sqrt(-1 - x^2)": Finding.NOWHERE,
}
WITH_MINIMA = {
    "x^2 + y^2": [(0, 0)],
    "abs(x)+abs(y)": [(0, 0)],
    "|x - 1.23| + 3|y + 2x|": [(1.23, -2.46)],
    "(x - 5)^2 + y^2": [(5, 0)],  # on the domain's edge
    "x^4 + 100y^2": [(0, 0)],
    "(x - 1)^8 + y^4": [(1, 0)],
    "(x + y - 1.3)^2 + 1e-6 (x - y + 0.37)^2": [(0.465, 0.835)],  # nearly a line
    "1e-6 (x - 1)^2 + 1e-6 y^2": [(1, 0)],
    "1e9 (x - 1)^2 + 1e9 y^2": [(1, 0)],
    "sin(50x) + sin(50y) + 0.01x^2 + 0.01y^2": [(-0.031416, -0.031416)],  # waves shorter than the cells of a grid
    "sin(31x) + cos(37y) + 0.1(x^2 + y^2)": [(-0.050659, y) for y in (-0.084896, 0.084896)],
    "sin(x)*sin(y)": [
        (a * np.pi / 2, b * np.pi / 2) for a in (-3, -1, 1, 3) for b in (-3, -1, 1, 3) if (a - b) % 4 == 2
    ],
}
RACERS = (OPTIMIZERS["SGD"](learning_rate=0.01), OPTIMIZERS["Adam"](learning_rate=0.1))
OWN = RaceSetup(landscape=OWN_LANDSCAPE, own=TYPED["Himmelblau"], start=(-0.5, 0.5), steps=60, racers=RACERS)
HALF = replace(OWN, own="sqrt(x)+y^2", start=(2.0, 1.0))  # it has no value left of the y axis


def close(found, minima):
    """Whether two sets of points are the same."""
    apart = np.abs(np.array(found)[:, None] - np.array(minima)[None]).max(axis=-1)
    return len(found) == len(minima) and (apart.min(axis=1) < 1e-4).all()


# ---- what is found


@pytest.mark.parametrize("name", LANDSCAPES)
def test_of_a_typed_landscape_that_is_known_is_found_what_is_known(name):
    known = LANDSCAPES[name]
    typed = typed_landscape(TYPED[name], known.domain)
    assert typed.decades or not known.decades
    assert typed.found
    if not known.minima:
        assert (typed.minima, typed.floor) == ((), None)
        return
    assert close(typed.minima, known.minima)
    assert typed.floor == pytest.approx(known.floor, abs=1e-5)


def test_on_it_the_race_is_the_same():
    known, typed = LANDSCAPES["Himmelblau"], OWN.chosen_landscape
    racers = {racer.name: racer for racer in RACERS}
    one, other = (race(some.loss, racers, [OWN.start], 60, minima=some.minima) for some in (known, typed))
    for name in racers:
        np.testing.assert_allclose(one[name].positions, other[name].positions, atol=1e-3)
        assert one[name].converged_at == other[name].converged_at


@pytest.mark.parametrize(("text", "minima"), WITH_MINIMA.items())
def test_each_minimum_is_found_at_a_corner_and_at_any_scale(text, minima):
    found = lowest_points(TypedLoss(parse_landscape(text)), SQUARE)
    assert found.finding is Finding.FOUND
    assert close(found.minima, minima)


@pytest.mark.parametrize(("text", "finding"), WITHOUT_MINIMUM.items())
def test_where_there_is_no_single_lowest_point_none_is_marked_and_a_sentence_says_why(text, finding):
    found = lowest_points(TypedLoss(parse_landscape(text)), SQUARE)
    assert (found.finding, found.minima) == (finding, ())
    typed = typed_landscape(text, SQUARE)
    assert not typed.minima
    assert typed.about.endswith(".")


def test_what_a_grid_misses_a_denser_one_finds():
    hole = "x^2 + y^2 - 1000exp(-5000((x - 2.02)^2 + (y - 1.02)^2))"  # narrower than the grid is fine
    assert close(typed_landscape(hole, SQUARE).minima, [(2.02, 1.02)])


def test_of_very_many_minima_none_is_marked():
    assert MAX_MINIMA < 40
    assert "More than" in typed_landscape("sin(5x)*sin(5y)", SQUARE).about


def test_a_minimum_outside_the_domain_is_not_marked_and_one_in_a_wider_domain_is():
    assert typed_landscape("(x - 7)^2 + y^2", SQUARE).minima == ()
    assert close(typed_landscape("(x - 7)^2 + y^2", ((-10.0, 10.0), DOMAIN)).minima, [(7, 0)])


# ---- where it has no value


@pytest.mark.parametrize(
    "text",
    [
        "sqrt(x)+y^2",
        "log(x)",
        "1/(x^2+y^2)",
        "sqrt(-1 - x^2)",
        "exp(exp(x)) + y",
        "exp(20x) + y^2",
        "1e38 x y",
        "5",
        "x^2",
    ],
)
@pytest.mark.parametrize("view", ["usual", "wide"])
def test_it_is_drawn_with_a_gap_where_it_has_no_value(text, view):
    typed = typed_landscape(text, SQUARE)
    xs, ys, losses = grid(typed, view)
    with np.errstate(all="ignore"):
        each = np.asarray(typed.loss(jnp.array(np.meshgrid(xs, ys))))
    np.testing.assert_array_equal(np.isnan(losses), ~np.isfinite(each))
    for text in landscape_figures(typed, view, True).values():
        json.loads(text, parse_constant=pytest.fail)  # in arrays it is packed
    low, high = loss_span(typed, view)
    assert np.isfinite([low, high]).all()
    assert low <= high


def test_a_gap_is_said_with_its_share():
    assert "On 50 % of this domain f has no value" in typed_landscape("sqrt(x - 0.01)+y^2", SQUARE).about
    assert "no value" not in typed_landscape("x^2+y^2", SQUARE).about


def test_at_the_edge_of_where_it_has_a_value_no_run_converges():
    racers = {"SGD": RACERS[0]}
    for text in ("log(x)", "x*sqrt(x) + y^2"):
        typed = typed_landscape(text, SQUARE)
        traces = race(typed.loss, racers, [(0.3, 0.0)], 300, minima=typed.minima)
        found = verdicts(typed.loss, traces, typed.minima)
        assert "converged" not in {verdict.kind for (verdict,) in found.values()}


@pytest.mark.parametrize(
    ("text", "start"),
    [("(x^2+y^2-4)^2", (1.3, 0.2)), ("-exp(-100(x^2+y^2))", (1.1, 2.3)), ("(x-1)^20+y^20", (1.3, 0.3))],
)
def test_where_it_is_level_up_to_rounding_no_run_is_said_to_be_stuck(text, start):
    typed = typed_landscape(text, SQUARE)
    traces = race(typed.loss, {"SGD": RACERS[0]}, [start], 300, minima=typed.minima)
    ((verdict,),) = verdicts(typed.loss, traces, typed.minima).values()
    assert verdict.kind in ("stands", "going")


def test_without_a_value_at_the_start_no_run_is_said_to_diverge():
    loss = HALF.chosen_landscape.loss
    traces = race(loss, {"SGD": RACERS[0]}, [(-1.0, 2.0)], 20)
    ((verdict,),) = verdicts(loss, traces, ()).values()
    ((swept,),) = sweep(loss, RACERS[0], "learning_rate", [0.1], [(-1.0, 2.0)], 20).endings
    assert verdict.words == "stopped at step 0: a number became too large or undefined"
    assert swept is verdict.ending


def test_without_a_value_at_the_start_the_page_says_to_move_it():
    app = shown(replace(HALF, start=(-1.0, 2.0)))
    assert "Move the start." in texts(app)
    (table,) = (one.value for one in app.dataframe if "final loss" in one.value)
    assert table[["final loss", "best loss"]].isna().all(axis=None)  # an empty cell, not inf
    assert "Move the start." not in texts(shown(HALF))


@pytest.mark.parametrize("own", ["sqrt(x)+y^2", "5"])
@pytest.mark.parametrize("tab", RACE_TABS)
def test_every_tab_stands_on_any_typed_landscape(own, tab):
    app = shown(replace(OWN, own=own, show=tab, points=16, steps=30, racers=RACERS[:1]))
    words = {word.strip("(),.*%") for word in texts(app).split()}
    assert "None" not in words
    assert not {word.lower() for word in words} & {"nan", "inf"}


# ---- heights


def test_where_it_spans_decades_its_heights_are_logarithmic_without_a_minimum_too():
    pole = typed_landscape("1/(x^2+y^2)", SQUARE)
    assert pole.decades
    assert not typed_landscape("x*y", SQUARE).decades
    losses = np.geomspace(1e-3, 1e6, 50)
    assert (np.diff(height(pole, losses)) > 0).all()
    np.testing.assert_allclose(height(pole, -losses), -height(pole, losses))


@pytest.mark.parametrize("scale", ["1e-9", "1e-3", "1", "1e6"])
def test_at_any_scale_the_heights_of_a_valley_show_and_have_numbers(scale):
    typed = typed_landscape(f"{scale} (100(y-x^2)^2 + (1-x)^2)", ((-2.0, 2.0), (-1.0, 3.0)))
    assert typed.decades
    losses = grid(typed, "usual")[2]
    heights = height(typed, losses)
    assert np.quantile(heights, 0.1) > 0.1 * heights.max()
    low, high = float(heights.min()), float(heights.max())
    assert [at for at in height_ticks(typed, low, high) if low + 0.2 * (high - low) <= at <= high]


# ---- on the page


def own_field(app: AppTest):
    return app.text_input(key="race-typed-own")


def complaint(app: AppTest):
    return [one.value for one in app.markdown if "what was typed before" in one.value]


def test_what_is_typed_is_raced_on_and_is_in_the_address():
    app = opened(PAGE, {"landscape": ["Booth"], "racer": ["SGD"], "steps": ["20"]})
    sound(app.selectbox(key="race-landscape").select(OWN_LANDSCAPE).run())
    assert own_field(app).value == EXAMPLE_LANDSCAPE
    sound(own_field(app).set_value("x^2 + 3y^2").run())
    setup = address(app, PAGE)
    assert (setup.own, setup.across, setup.up) == ("x^2 + 3y^2", DOMAIN, DOMAIN)
    assert not complaint(app)
    assert "One minimum was found" in texts(app)
    expected = race(setup.chosen_landscape.loss, {"SGD": OPTIMIZERS["SGD"]()}, [setup.start], 20)["SGD"]
    np.testing.assert_array_equal(tracks(app)["SGD"]["x"], expected.positions[0, :, 0])
    figures = unpacked_figures(message(app, "race-stage-figures").bytes)
    assert all("minimum found" in figure for figure in figures.values())


@pytest.mark.parametrize("text", ["x^2 + z", "", "(x"])
def test_what_cannot_be_read_is_one_line_and_the_picture_stays(text):
    app = shown(OWN)
    before = stage(app)
    sound(own_field(app).set_value(text).run())
    (line,) = complaint(app)
    assert "\n" not in line
    assert own_field(app).value == text  # to be put right
    assert stage(app)["tracks"] == before["tracks"]
    assert address(app, PAGE) == OWN
    sound(app.number_input(key="race-start-x").set_value(1.0).run())  # the page goes on
    assert complaint(app)
    assert tracks(app)["SGD"]["x"][0] == 1.0
    sound(own_field(app).set_value("x^2 + y^2").run())
    assert not complaint(app)
    assert address(app, PAGE).own == "x^2 + y^2"


def test_a_domain_that_is_none_is_one_line_until_it_is_one():
    app = shown(OWN)
    sound(app.number_input(key="race-typed-across-from").set_value(7.0).run())
    assert "x goes from 7 to 5" in complaint(app)[0]
    assert address(app, PAGE) == OWN
    sound(app.number_input(key="race-typed-across-to").set_value(9.0).run())
    assert not complaint(app)
    assert address(app, PAGE).across == (7.0, 9.0)
    assert 7 < address(app, PAGE).start[0] < 9  # the old one is outside


def test_another_landscape_or_preset_clears_what_could_not_be_read():
    app = shown(OWN)
    sound(own_field(app).set_value("x^").run())
    (own,) = (preset for preset in presets(PAGE).values() if preset.setup.is_own)
    sound(app.selectbox(key="race-preset").select(own.name).run())
    assert not complaint(app)
    assert own_field(app).value == own.setup.own


def test_the_basins_of_a_typed_landscape_say_where_runs_end_and_within_which_reach():
    app = shown(replace(OWN, show="basins", points=16))
    assert "ends less than 0.1 from a place in x, and 0.1 in y, count as one" in texts(app)
    figures = unpacked_figures(message(app, "race-stage-figures").bytes)
    for figure in figures.values():
        crosses, places = json.loads(figure)["data"]
        assert close(list(zip(crosses["x"], crosses["y"], strict=True)), OWN.chosen_landscape.minima)
        ends = np.stack([places["x"], places["y"]], axis=-1)
        assert len(ends) <= len(REACHED)
        for minimum in OWN.chosen_landscape.minima:
            assert np.abs(ends - minimum).max(axis=1).min() < 0.1


def test_a_hidden_formula_is_told_nowhere():
    hidden = replace(OWN, hide=("own",))
    app = shown(hidden)
    assert OWN.chosen_landscape.formula not in texts(app)
    assert not [one for one in app.text_input if one.label == "f(x, y)"]
    assert OWN.chosen_landscape.formula in texts(shown(OWN))


def test_the_description_names_the_formula():
    assert f"on f(x, y) = {OWN.own}, from" in describe(OWN)


# ---- links


def test_a_link_of_a_typed_landscape_is_read_back_the_same():
    for setup in (OWN, HALF, replace(OWN, own="x y", across=(0.5, 3.25), up=(-100.0, -99.0))):
        assert decode(encode(setup), RaceSetup()) == (setup, [])


def test_a_link_that_names_no_formula_has_the_example_and_a_domain_brings_its_own_start():
    setup, notes = decode({"landscape": [OWN_LANDSCAPE], "x": ["0~10"]}, RaceSetup())
    assert (setup.own, setup.start, notes) == (EXAMPLE_LANDSCAPE, (9.0, 3.0), [])
    assert decode(encode(setup), RaceSetup()) == (setup, [])


@pytest.mark.parametrize(
    ("param", "text"), [("own", "x^2 + z"), ("own", "x^"), ("x", "5~-5"), ("x", "1~1.01"), ("y", "0~1001"), ("y", "3")]
)
def test_what_of_a_link_is_no_landscape_is_said_and_the_rest_holds(param, text):
    good = encode(OWN)
    setup, (note,) = decode({**good, param: [text]}, RaceSetup())
    assert note.startswith(f"{param} `{text}` is not ")
    assert setup.racers == OWN.racers


def test_a_link_of_another_landscape_says_nothing_of_the_visitors_own():
    assert not {"own", "x", "y"} & encode(RaceSetup(landscape="Booth")).keys()
    (note,) = decode({"own": ["x^2"]}, RaceSetup())[1]
    assert f"landscape={OWN_LANDSCAPE}" in note


# ---- what is kept


def test_of_typed_landscapes_a_few_programs_are_kept_and_the_newest_are_not_compiled_again(monkeypatch, compiled):
    monkeypatch.setattr(programs, "MAX_PASSING", 3)
    monkeypatch.setattr(programs, "passing", type(programs.passing)())
    losses = [TypedLoss(parse_landscape(f"x^2 + {k}y^2")) for k in range(2, 6)]
    racers = {"SGD": RACERS[0]}
    for loss in losses:
        race(loss, racers, [(1.0, 1.0)], 5)
    assert len(programs.passing) == 3
    compiled.clear()
    race(TypedLoss(parse_landscape("x² + 5 y²")), racers, [(2.0, 1.0)], 9)  # reads the same
    assert not compiled
    race(losses[0], racers, [(2.0, 1.0)], 9)
    assert len(compiled) == len(racers)
    assert len(programs.passing) == 3


def test_ends_within_reach_are_one_place_the_one_with_the_most_ends_first(rng):
    centres = np.array([(1.0, 2.0), (-3.0, 0.5), (4.0, 4.0)])
    counts = (300, 600, 5)
    ends = np.concatenate(
        [centre + rng.uniform(-0.05, 0.05, (n, 2)) for centre, n in zip(centres, counts, strict=True)]
    )
    ends = np.concatenate([ends, [[np.nan, np.nan]] * 10])
    places, which = common_ends(ends, np.array([0.1, 0.1]), 8)
    assert close(np.round(places, 1), centres[[1, 0]])  # of the third there are too few
    np.testing.assert_array_equal(np.bincount(which + 1), [15, 600, 300])


def test_the_random_starts_of_a_fair_race_have_a_value():
    starts = random_starts(HALF.chosen_landscape, [0, 1], 64)
    assert (starts[:, 0] > 0).all()
    assert len(np.unique(starts, axis=0)) == 64
