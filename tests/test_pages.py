"""The pages, run as a visitor's browser would have them run, without the browser."""

import json
import re
import threading
from dataclasses import replace
from urllib.parse import parse_qs
from weakref import WeakKeyDictionary

import jax
import numpy as np
import pytest
import streamlit as st
from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx
from streamlit.testing.v1 import AppTest
from visit import FILES, ROOT, address, floats, message, opened, past_the_question, shown, sound, stage, texts, tracks

from engine import LANDSCAPES, OPTIMIZERS, race
from engine.knobs import Knob
from engine.notebook import REPLAYS
from ui.draw.line_up import knob_widget, letters
from ui.draw.stage.browser import PLOTLY
from ui.draw.stage.stage import STILL_ID_LENGTH, unpacked_figures
from ui.frame import PAGES
from ui.race.controls import CONTROLS
from ui.setup.codec import decode, encode
from ui.setup.controls import Controls
from ui.setup.pages import LOSS_AXES, MAX_STEPS, NO_REPLAY, SETUPS, FitSetup, GradientsSetup, RaceSetup, RegressionSetup
from ui.setup.presets import opening, presets
from ui.setup.racers import MAX_RACERS, racer_names

RACE = "Ackley Race"
DEFAULT, OPENING, PRESETS = SETUPS["Ackley Race"](), opening("Ackley Race"), presets("Ackley Race")
RACES = {name: preset for name, preset in PRESETS.items() if preset.setup.show == "race"}
RULES = list(OPTIMIZERS.values())
# one of each kind: with minima and without, spanning decades and not
KINDS = {(bool(landscape.minima), landscape.decades): name for name, landscape in reversed(LANDSCAPES.items())}


def assert_shows(app: AppTest, setup: RaceSetup) -> None:
    """The stage, the address and the leaderboard are those of this set-up."""
    racers = dict(zip(racer_names(setup.racers), setup.racers, strict=True))
    drawn = tracks(app)
    assert [name for name in drawn if name not in {r.name for r in REPLAYS.values()}] == list(racers)
    traces = race(setup.chosen_landscape.loss, racers, [setup.start], setup.steps, noise=setup.gradient_noise)
    for name, trace in traces.items():
        np.testing.assert_array_equal(drawn[name]["x"], trace.positions[0, :, 0])
        np.testing.assert_array_equal(drawn[name]["y"], trace.positions[0, :, 1])
        np.testing.assert_array_equal(drawn[name]["loss"], trace.losses[0])
        np.testing.assert_array_equal(floats(stage(app)["steps"]), trace.steps)
    assert address(app, RACE) == setup
    assert sorted(app.dataframe[0].value["racer"]) == sorted(drawn)


def more(app: AppTest, slot: int) -> AppTest:
    """Press the button behind which a racer's other knobs are, and the one that removes it."""
    if not app.session_state[f"race-{slot}-more"]:
        app.session_state[f"race-{slot}-more"] = True
        sound(app.run())
    return app


def widget(app: AppTest, knob: Knob, slot: int = 1):
    """A knob of a racer. All but the first lie behind a button, and are there once it is pressed."""
    if knob.name != "learning_rate":
        more(app, slot)
    kind, *_ = knob_widget(knob, knob.default)
    return getattr(app, kind.__name__)(key=f"race-{slot}-{knob.name}")


def test_a_knob_that_counts_something_moves_by_whole_numbers():
    counting = [knob for rule in RULES for knob in rule.knobs() if knob.whole]
    assert counting
    for knob in counting:
        _, ends, look = knob_widget(knob, knob.default)
        assert (look["step"], look["format"]) == (1, "%g")
        assert all(float(one).is_integer() for one in (*ends, knob.default))


def fold(app: AppTest, *keys: str, out: bool = True) -> AppTest:
    """Open what a visitor opens by a press: a racer's further knobs, an optimizer's card. Or close it again."""
    for key in keys:
        app.session_state[f"race-{key}"] = out
    return sound(app.run())


def far_from_default(knob: Knob) -> float | bool:
    return (not knob.default) if knob.is_switch else max((knob.low, knob.high), key=lambda end: abs(end - knob.default))


def alone(rule: type, **parts) -> RaceSetup:
    return RaceSetup(**{"racers": (rule(),), "steps": 30, **parts})


# ---- every prepared race, and every link


@pytest.mark.parametrize("preset", RACES.values(), ids=RACES)
def test_a_preset_opens_from_its_link_and_from_the_list_as_the_same_race(preset):
    by_link = past_the_question(opened(RACE, parse_qs(preset.link)))
    assert_shows(by_link, preset.setup)
    assert not by_link.warning
    assert any(preset.look_for in text.value for text in by_link.markdown)
    by_list = past_the_question(sound(opened(RACE).selectbox(key="race-preset").select(preset.name).run()))
    assert address(by_list, RACE) == preset.setup
    assert stage(by_list)["id"] == stage(by_link)["id"]


def test_a_callback_runs_to_its_end_where_the_browser_asks_for_another_run_meanwhile(monkeypatch):
    new_value = Controls.new_value

    def asked_meanwhile(controls, name):
        context = get_script_run_ctx()
        context.script_requests.request_rerun(RerunData(page_script_hash=context.page_script_hash))
        return new_value(controls, name)

    app, other = opened(RACE), list(RACES.values())[1]
    monkeypatch.setattr(Controls, "new_value", asked_meanwhile)
    sound(app.selectbox(key="race-preset").select(other.name).run())
    assert address(app, RACE) == other.setup


def test_the_page_opens_with_the_first_preset():
    app = opened(RACE)
    assert app.selectbox(key="race-preset").value == next(iter(PRESETS))
    assert stage(app)["id"] == stage(shown(OPENING))["id"]


BROKEN = [
    {"landscape": ["Akley"]},
    {"landscape": [""]},
    {"view": ["**wide**"]},
    {"start": ["nan~1"]},
    {"start": ["1e999~inf"]},
    {"steps": ["0"]},
    {"steps": ["1.5"]},
    {"steps": ["2001"], "loss": ["Log"]},
    {"replay": ["<b>"]},
    {"racer": ["Admam", "`SDG`"]},
    {"racer": ["Adam~learning_rate~nan"]},
    {"racer": ["RMSProp~centered~2"]},
    {"racer": ["Adam~0.1"]},
    {"racer": ["Adam"] * (MAX_RACERS + 1)},
    {"racer": [""]},
    {"racer": ["x" * 5000]},
    {"landscape](x)": ["1"], "☃": ["$"]},  # a slip of a name, and what another program added
    {"steps": ["5", "6"]},
]


@pytest.mark.parametrize("query", BROKEN, ids=lambda query: "-".join(f"{k}={v[0][:20]}" for k, v in query.items()))
def test_a_broken_link_shows_a_race_and_says_what_was_put_right(query):
    app = opened(RACE, query)
    setup, notes = decode(query, DEFAULT)
    assert stage(app)["id"] == stage(shown(setup))["id"]
    (warning,) = app.warning
    assert notes
    assert [line for line in warning.value.splitlines() if line.startswith("- ")] == [f"- {note}" for note in notes]


def test_what_was_put_right_is_said_until_the_visitor_turns_something():
    app = opened(RACE, {**encode(alone(RULES[0])), "view": ["narrow"]})
    assert sound(app.run()).warning
    assert not sound(app.number_input(key="race-start-x").set_value(1.0).run()).warning


# ---- the line-up


def test_a_racer_is_added_with_its_defaults_and_the_address_says_so():
    for rule in RULES:
        app = shown(alone(RULES[0]))
        sound(app.selectbox(key="race-add").select(rule.name).run())
        assert_shows(app, alone(RULES[0], racers=(RULES[0](), rule())))
        assert app.selectbox(key="race-add").value is None


def test_any_racer_is_removed_and_the_others_stay_as_they_are():
    racers = (RULES[0](), RULES[1](learning_rate=0.05), RULES[0](learning_rate=0.02))
    for gone in range(3):
        app = fold(shown(alone(RULES[0], racers=racers)), f"{gone + 1}-more")
        sound(more(app, gone + 1).button(key=f"race-{gone + 1}-drop").click().run())
        assert_shows(app, alone(RULES[0], racers=racers[:gone] + racers[gone + 1 :]))


def test_the_last_racer_stays():
    app = shown(alone(RULES[0]))
    sound(app.selectbox(key="race-add").select(RULES[1].name).run())
    assert not more(app, 1).button(key="race-1-drop").disabled
    sound(more(app, 1).button(key="race-1-drop").click().run())
    assert more(app, 2).button(key="race-2-drop").disabled
    assert_shows(app, alone(RULES[1]))


def test_a_dozen_racers_is_the_most():
    app = shown(alone(RULES[0]))
    for count in range(2, MAX_RACERS + 1):
        assert not app.selectbox(key="race-add").disabled
        sound(app.selectbox(key="race-add").select(RULES[0].name).run())
        assert len(tracks(app)) == count
    assert app.selectbox(key="race-add").disabled


def test_reset_brings_the_first_preset_back_whatever_was_turned():
    app = shown(alone(RULES[-1], landscape=list(LANDSCAPES)[-1], start=(0.5, 0.5)))
    (reset,) = (button for button in app.button if "Reset" in button.label)
    assert_shows(sound(reset.click().run()), OPENING)


@pytest.mark.parametrize("rule", RULES, ids=OPTIMIZERS)
def test_the_same_optimizer_runs_more_than_once_under_names_that_tell_the_knob(rule):
    knob = rule.knobs()[0]
    app = shown(alone(rule, racers=(rule(), rule(), rule())))
    sound(widget(app, knob, 2).set_value(knob.low).run())
    setup = alone(rule, racers=(rule(), rule(**{knob.name: knob.low}), rule()))
    assert_shows(app, setup)
    assert f"{knob.low:g}" in list(tracks(app))[1]
    assert any(
        slider.label.startswith(f"{name} · ") for name in racer_names(setup.racers) for slider in app.select_slider
    )


def felt(rule: type) -> dict[str, float]:
    """What else has to be turned for a switch to be felt: it may be about eps or weight decay, of which there is hardly
    any as a rule. A memory of ten steps is as good as one of twenty in so short a run."""
    names = [knob.name for knob in rule.knobs()]
    short = {"memory": 1.0} if "memory" in names else {}
    switched = ("eps", "weight_decay") if any(knob.is_switch for knob in rule.knobs()) else ()
    return short | {name: 0.05 for name in switched if name in names}


@pytest.mark.parametrize("rule", RULES, ids=OPTIMIZERS)
def test_turning_a_knob_changes_its_racer_and_no_other(rule):
    usual, other = rule(**felt(rule)), next(r for r in RULES if r is not rule)
    app = fold(shown(alone(rule, racers=(usual, other()))), "1-more")
    before = tracks(app)
    for knob in rule.knobs():
        turned = far_from_default(knob)
        sound(widget(app, knob).set_value(turned).run())
        after = tracks(app)
        assert_shows(app, alone(rule, racers=(replace(usual, **{knob.name: turned}), other())))
        assert not np.array_equal(before[rule.name]["x"], after[rule.name]["x"])
        for quantity, values in before[other.name].items():
            if quantity != "shown":
                np.testing.assert_array_equal(values, after[other.name][quantity])
        widget(app, knob).set_value(getattr(usual, knob.name))  # with the next run


@pytest.mark.parametrize("rule", RULES, ids=OPTIMIZERS)
def test_knobs_stay_turned_where_their_widgets_are_out_of_sight(rule):
    turned = {knob.name: far_from_default(knob) for knob in rule.knobs()}
    app = fold(shown(alone(rule, racers=(rule(),))), "1-more")
    for knob in rule.knobs():
        widget(app, knob).set_value(turned[knob.name])
    drawn = stage(sound(app.run()))["id"]
    assert stage(fold(app, "1-more", out=False))["id"] == drawn
    assert stage(fold(app, "1-more"))["id"] == drawn
    assert {knob.name: widget(app, knob).value for knob in rule.knobs()} == turned


@pytest.mark.parametrize("rule", RULES, ids=OPTIMIZERS)
def test_every_knob_has_a_widget_that_says_what_it_does_and_shows_what_the_link_gave_it(rule):
    odd = {
        knob.name: far_from_default(knob) if knob.is_switch else knob.low + 0.123456789 * (knob.high - knob.low)
        for knob in rule.knobs()
    }
    app = fold(shown(alone(rule, racers=(rule(**odd),))), "1-more")
    for knob in rule.knobs():
        assert widget(app, knob).value == odd[knob.name]
        assert widget(app, knob).label.endswith(f"{knob.words} {letters(knob.symbol)}")
        assert widget(app, knob).help == knob.about


# ---- the ground, the start, the steps


@pytest.mark.parametrize("name", LANDSCAPES)
def test_another_landscape_starts_at_its_usual_place(name):
    app = shown(alone(RULES[0], landscape=next(other for other in LANDSCAPES if other != name), start=(0.7, 0.3)))
    sound(app.selectbox(key="race-landscape").select(name).run())
    place, start = next(iter(LANDSCAPES[name].places.items()))
    assert_shows(app, alone(RULES[0], landscape=name, start=start))
    assert app.selectbox(key="race-place").value == place
    words = " ".join(text.value for text in app.markdown)
    for said in (LANDSCAPES[name].about, LANDSCAPES[name].source, LANDSCAPES[name].formula):
        assert said in words


def test_every_named_place_moves_the_start():
    name, landscape = next(iter(LANDSCAPES.items()))
    app = shown(alone(RULES[0], landscape=name, start=(0.7, 0.3)))
    for place, start in landscape.places.items():
        sound(app.selectbox(key="race-place").select(place).run())
        assert_shows(app, alone(RULES[0], landscape=name, start=start))


def test_a_typed_start_is_where_the_race_begins():
    app = shown(alone(RULES[0]))
    app.number_input(key="race-start-x").set_value(-1.25)
    sound(app.number_input(key="race-start-y").set_value(0.5).run())
    assert_shows(app, alone(RULES[0], start=(-1.25, 0.5)))


def test_the_number_of_steps_is_chosen_and_kept_from_one_to_the_most():
    app = shown(alone(RULES[0], steps=77))  # a number that the slider has no stop for
    for steps in (1, MAX_STEPS, 500, 100):
        sound(app.select_slider(key="race-steps").set_value(steps).run())
        for _ in range(2):
            assert_shows(app, alone(RULES[0], steps=steps))
            sound(app.run())


@pytest.mark.parametrize("axis", LOSS_AXES)
@pytest.mark.parametrize("name", KINDS.values())
def test_a_race_from_the_goal_or_from_far_away_is_shown_on_either_axis(name, axis):
    for start in (*LANDSCAPES[name].minima[:1], (1000.0, -1000.0)):
        app = shown(
            alone(RULES[0], landscape=name, start=start, loss=axis, racers=(RULES[0](), RULES[0](weight_decay=0.1)))
        )
        (figure,) = (view["figure"] for view in stage(app)["views"] if view["name"] == "loss")
        low, high = json.loads(figure)["layout"]["yaxis"]["range"]
        assert low < high


def test_on_a_logarithmic_axis_every_loss_has_a_place():
    app = shown(alone(RULES[0], landscape="Bowl", start=(3.0, 1.0), loss="log", racers=(RULES[0](learning_rate=1.0),)))
    (track,) = tracks(app).values()
    assert track["loss"][-1] == 0
    assert (track["shown"] > 0).all()


# ---- the notebook's own runs


@pytest.mark.parametrize("name", REPLAYS)
def test_a_replay_runs_beside_the_line_up_says_what_it_is_and_leaves_with_its_landscape(name):
    replay = REPLAYS[name]
    app = shown(alone(RULES[0], replay=name, steps=2000))
    run = replay.run()
    drawn = tracks(app)[replay.name]
    steps = floats(stage(app)["steps"]).astype(int)
    np.testing.assert_array_equal(drawn["x"], run.positions[0, np.minimum(steps, run.steps[-1]), 0])
    np.testing.assert_array_equal(drawn["y"], run.positions[0, np.minimum(steps, run.steps[-1]), 1])
    assert [info.value for info in app.info] == [replay.about]
    assert replay.name in set(app.dataframe[0].value["racer"])
    sound(app.selectbox(key="race-landscape").select(list(LANDSCAPES)[1]).run())
    assert not app.info
    assert app.selectbox(key="race-replay").value == NO_REPLAY
    assert replay.name not in tracks(app)


def notebook(name: str) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict]:
    """From the preset with this replay: the notebook's own run, the honest one, and the notebook's row of the table."""
    (preset,) = (preset for preset in PRESETS.values() if preset.setup.replay == name)
    app = opened(RACE, parse_qs(preset.link))
    assert REPLAYS[name].about.count(". ") + 1 == 2
    assert [info.value for info in app.info] == [REPLAYS[name].about]
    own = tracks(app)[REPLAYS[name].name]
    ((_, honest),) = ((key, track) for key, track in tracks(app).items() if key != REPLAYS[name].name)
    table = app.dataframe[0].value
    return own, honest, table[table["racer"] == REPLAYS[name].name].iloc[0].to_dict()


def test_the_notebooks_sgd_shows_the_notebooks_numbers_beside_the_honest_run():
    own, honest, _ = notebook("SGD")
    assert len(own["x"]) == 21
    # printed in the notebook after its steps 1 and 11
    assert (own["x"][1], own["y"][1]) == pytest.approx((3.910, 3.908), abs=5e-4)
    assert (own["x"][11], own["y"][11]) == pytest.approx((3.653, 3.985), abs=5e-4)
    # moved together both coordinates stay alike
    np.testing.assert_array_equal(honest["x"], honest["y"])
    assert abs(honest["y"][11] - own["y"][11]) > 0.01


def test_the_notebooks_adam_seems_to_converge_and_the_honest_one_stays():
    own, honest, row = notebook("Adam")
    assert row["converged at"] == 399  # printed in the notebook
    assert row["verdict"] == "converged at step 399"
    np.testing.assert_allclose(-np.diff(own["x"][:300]), 0.01, atol=2e-4)
    assert (honest["x"][-1], honest["y"][-1]) == pytest.approx((3.919, 3.919), abs=0.01)


# ---- what the page shows beside the stage


def test_each_optimizer_of_the_line_up_has_a_card_with_the_code_that_runs():
    for first in range(0, len(RULES), MAX_RACERS - 1):
        rules = RULES[first : first + MAX_RACERS - 1]
        app = shown(alone(RULES[0], racers=tuple(rule() for rule in (*rules, rules[0]))))
        closed = texts(app)
        cards = app.button_group(key="race-card")
        assert cards.options == [*(rule.name for rule in rules), "Conventions"]
        for rule in rules:
            sound(app.button_group(key="race-card").set_value(rule.name).run())
            assert f"class {rule.__name__}(Optimizer):" in app.code[0].value
            assert "def update(self, gradient, " in app.code[0].value
            opened = texts(app)
            about = [rule.__doc__.splitlines()[0], rule.formula, rule.source, *(k.about for k in rule.knobs())]
            assert all(said in opened for said in about)
            assert rule.source not in closed
    sound(app.button_group(key="race-card").set_value("Conventions").run())
    assert "The update rules are PyTorch's" in texts(app)


def test_the_views_say_in_words_what_they_show():
    app = opened(RACE)
    for view in stage(app)["views"]:
        assert all(name in view["says"] for name in tracks(app))


def test_a_run_that_diverged_says_so_on_the_stage_and_in_the_table():
    app = shown(alone(RULES[0], landscape="Rosenbrock", start=(-1.2, 1.0), racers=(RULES[0](), OPTIMIZERS["Lion"]())))
    (gone,) = (track for track in stage(app)["tracks"] if track["ended"] is not None)
    assert gone["ended_words"] == f"diverged at step {gone['ended']}"
    assert gone["lost"]
    last = app.dataframe[0].value.iloc[-1]
    assert (last["racer"], last["verdict"]) == (gone["name"], f"diverged at step {gone['ended']}")


# ---- coming and going


def after_a_click(monkeypatch, seen, drawn):
    """The start's x after a click on the map set it to 1, and after the visitor then did something else.

    ``seen`` says whether the browser had shown the 1 by then; the widget is sent as it was, or as ``drawn`` if that
    says how the visitor turned it.
    """
    state = {}
    monkeypatch.setattr(st, "session_state", state)
    monkeypatch.setattr(CONTROLS, "url_query", lambda: encode(SETUPS["Ackley Race"]()))
    CONTROLS.sync()
    CONTROLS.hold_undrawn(CONTROLS.current_setup())
    CONTROLS.sync()
    CONTROLS.hold_undrawn(CONTROLS.current_setup())
    browser = dict(state)
    CONTROLS.update(start=(1.0, 2.0))
    CONTROLS.hold_undrawn(CONTROLS.current_setup())
    if seen:
        browser = dict(state)
    state.update({place: browser[place] for place in (*map(start_key, "xy"), CONTROLS.key("sent"))})
    if drawn is not None:
        state[start_key("x")] = drawn
    CONTROLS.drop_echoes()
    return CONTROLS.current_setup().start[0]


def start_key(axis: str) -> str:
    return CONTROLS.key("start", axis)


def test_a_click_is_not_undone_by_a_visitor_who_is_quicker_than_the_page(monkeypatch):
    assert after_a_click(monkeypatch, seen=False, drawn=None) == 1.0


def test_a_visitor_who_turns_that_very_widget_has_the_last_word(monkeypatch):
    assert after_a_click(monkeypatch, seen=False, drawn=3.0) == 3.0


def test_what_the_browser_has_shown_may_be_turned_back_at_once(monkeypatch):
    assert after_a_click(monkeypatch, seen=True, drawn=OPENING.start[0]) == OPENING.start[0]


COUNT = "What the page was told"  # it is to begin with another value
TURNED = (OPTIMIZERS["SGD"](learning_rate=0.02), OPTIMIZERS["Adam"](learning_rate=0.5))
ALL_TURNED = {
    "Ackley Race": RaceSetup(landscape="Ravine", view="wide", start=(1.5, 2.0), steps=33, loss="log", racers=TURNED),
    "its basins": RaceSetup(show="basins", points=16, field=True, racers=TURNED),
    "2D Regression": RegressionSetup(start=(2.0, -8.0), steps=60, batch=5, seed=3, racers=TURNED),
    "Linear Fit": FitSetup(data="noisy line", batch=4, steps=30, noise=3.0, seed=2),
    "Gradients": GradientsSetup(f="sin x", low=-5.0, high=5.0, x0=1.0, h=0.1, part="differences"),
}


def listed(value) -> list:
    return list(value) if np.iterable(value) and not isinstance(value, str) else [value]


def begin_and_held(proto) -> tuple[list, list]:
    """What a widget begins with in a browser, and what its key was set to, as the browser is sent them."""
    begin, options = listed(proto.default), [getattr(one, "content", one) for one in getattr(proto, "options", ())]
    if not options:
        return begin, listed(proto.value)
    held = proto.raw_values if hasattr(proto, "raw_values") else proto.raw_value
    return [options[int(place)] for place in begin], listed(held)


@pytest.mark.parametrize("setup", ALL_TURNED.values(), ids=ALL_TURNED)
def test_a_widget_begins_with_what_its_key_was_set_to(setup):
    """What a key was set to is told once, and is lost where the next run begins before it was sent."""
    app = past_the_question(shown(setup))
    kinds = ("selectbox", "button_group", "select_slider", "slider", "number_input", "text_input", "toggle")
    widgets = [one for kind in kinds for one in app.get(kind) if one.proto.set_value and one.label != COUNT]
    assert len(widgets) > 7
    for widget in widgets:
        begin, held = begin_and_held(widget.proto)
        assert begin == held, widget.key


@pytest.mark.parametrize("setup", ALL_TURNED.values(), ids=ALL_TURNED)
def test_the_stages_plotly_has_every_trace_that_is_drawn(setup):
    (names,) = re.findall(r"plotly\.js v[0-9.]+, with (.+?)\. Copyright", PLOTLY.read_text(encoding="utf-8")[:200])
    app = shown(setup)
    sent = [one.proto for one in app.get("bidi_component")]
    figures = [list(unpacked_figures(one.bytes).values()) for one in sent if one.id.endswith("-figures")]
    changing = [
        [view["figure"] for view in json.loads(one.json)["views"] if view["figure"]]
        for one in sent
        if one.id.endswith("-stage")
    ]
    drawn = {trace["type"] for several in (*figures, *changing) for one in several for trace in json.loads(one)["data"]}
    assert drawn
    assert drawn <= set(re.split(", | and ", names))


def test_going_back_in_the_browser_shows_the_race_before():
    first, second = alone(RULES[0], start=(1.0, 2.0)), alone(RULES[-1], landscape=list(LANDSCAPES)[2], start=(0.3, 0.4))
    app = shown(first)
    for setup in (second, first):
        app.query_params.clear()
        for name, values in encode(setup).items():
            app.query_params[name] = values
        assert_shows(sound(app.run()), setup)


def told_again(app, query, sent):
    """The page once the browser has sent an event of the stage, with an older address and number of what was drawn."""
    app.query_params.clear()
    for name, values in query.items():
        app.query_params[name] = values
    return sound(app.number_input(key=CONTROLS.key("sent")).set_value(sent).run())


def test_a_change_stays_where_an_event_comes_with_the_address_from_before_it():
    """The browser sends its address with every event, also while the new one is on its way to it."""
    before = alone(RULES[0], racers=(RULES[0](), RULES[1]()))
    app = shown(before)
    sent = app.number_input(key=CONTROLS.key("sent")).value
    sound(app.number_input(key="race-start-x").set_value(1.0).run())
    assert address(app, RACE) == replace(before, start=(1.0, before.start[1]))
    drawn = app.number_input(key=CONTROLS.key("sent")).value
    app = told_again(app, encode(before), sent)
    assert {app.number_input(key="race-start-x").value, *(track["x"][0] for track in tracks(app).values())} == {1.0}
    # once the browser has drawn the change, that address is the visitor's way back
    assert_shows(told_again(app, encode(before), drawn), before)


def test_going_back_to_an_address_without_a_setting_shows_the_opening():
    app = opened(RACE)
    sound(app.number_input(key="race-start-x").set_value(1.0).run())
    assert address(app, RACE).start[0] == 1.0
    app.query_params.clear()
    assert_shows(sound(app.run()), OPENING)


def test_the_race_is_still_there_after_a_visit_to_another_page():
    knob = RULES[0].knobs()[0]
    app = shown(alone(RULES[0]))
    sound(widget(app, knob).set_value(knob.high).run())
    app.query_params.clear()  # as a link to another page does
    sound(app.switch_page(PAGES[0].file).run())
    sound(app.switch_page(FILES[RACE]).run())
    assert_shows(app, alone(RULES[0], racers=(RULES[0](**{knob.name: knob.high}),)))


def test_the_home_page_leads_to_every_page():
    assert {page.file for page in PAGES[1:]} == {f"pages/{path.name}" for path in (ROOT / "pages").glob("*.py")}
    app = opened(PAGES[0].title)
    words = texts(app)
    for page in PAGES[1:]:
        assert page.sentence in words
        for place in (app.main, app.sidebar):
            assert any(page.title in link.proto.label for link in place.get("page_link"))
    assert len(app.main.get("image")) == len(PAGES) - 1


# ---- what a rerun costs


def test_turning_anything_but_the_landscape_or_the_line_up_compiles_nothing(compiled):
    app = opened(RACE, {**encode(OPENING), "start": ["3~1"]})
    fold(app, *(f"{slot}-more" for slot in range(1, len(OPENING.racers) + 1)))
    compiled.clear()
    for slot, racer in enumerate(OPENING.racers, start=1):
        for knob in racer.knobs():
            widget(app, knob, slot).set_value(far_from_default(knob))
    sound(app.run())
    for steps in (1, 450, MAX_STEPS):
        sound(app.select_slider(key="race-steps").set_value(steps).run())
    sound(app.number_input(key="race-start-x").set_value(0.25).run())
    assert not compiled
    # and a compile would be seen, in whatever thread the page runs
    (thread := threading.Thread(target=lambda: jax.jit(lambda x: x * 577)(1.0))).start()
    thread.join()
    assert compiled


def test_a_turned_knob_sends_the_paths_alone_and_they_are_light():
    twelve = tuple(RULES[i % len(RULES)]() for i in range(MAX_RACERS))
    app = shown(alone(RULES[0], racers=twelve, steps=MAX_STEPS))
    ground = message(app, "race-stage-figures").SerializeToString()
    knob = RULES[0].knobs()[0]
    sound(widget(app, knob).set_value(knob.low).run())
    assert message(app, "race-stage-figures").SerializeToString() == ground
    # 12 racers, 3 quantities, 501 records of 4 bytes, in base64: 96 kB; the rest is words, script and style
    assert message(app, "race-stage").ByteSize() < 140_000
    assert len(ground) < 600_000


def test_a_race_of_six_is_sent_in_80_kb():
    app = shown(alone(RULES[0], racers=tuple(rule() for rule in RULES[:6]), steps=500))
    assert message(app, "race-stage").ByteSize() < 80_000


def test_another_landscape_sends_another_ground():
    app = shown(alone(RULES[0]))
    before = stage(app)["still"]
    sound(app.selectbox(key="race-landscape").select(list(LANDSCAPES)[1]).run())
    assert stage(app)["still"] == message(app, "race-stage-figures").bytes[:STILL_ID_LENGTH].decode() != before


def test_on_a_new_server_everyone_stands_at_the_start_while_the_race_is_compiled(monkeypatch):
    setup = alone(RULES[0], steps=20)
    monkeypatch.setattr("ui.race.run.raced", WeakKeyDictionary())
    monkeypatch.setattr("streamlit.rerun", lambda: None)  # to see what stands there before the page is run again
    app = shown(setup)
    assert stage(app)["waits"]
    assert floats(stage(app)["steps"]) == [0]
    assert widget(app, RULES[0].knobs()[0])
    sound(app.run())
    assert "waits" not in stage(app)
    assert len(floats(stage(app)["steps"])) == setup.steps + 1
    assert address(app, "Ackley Race") == setup
