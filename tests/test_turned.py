"""Knobs turned in the middle of a run: up to a step it is the run without, and then it goes by other values."""

from dataclasses import replace

import numpy as np
import pytest
from visit import address, shown, sound, stage, tracks

from engine import LANDSCAPES, OPTIMIZERS, race
from engine.maps import sweep
from engine.rule_text import EXAMPLE, parse_rule
from engine.scheduled import PREFIX, plain_rule, schedule_of, unscheduled, with_schedule, with_schedule_of
from engine.turned import LATER, MAX_AT, afterwards, turnable, turned_at, unturned
from ui.draw.apart import Apart
from ui.draw.journal import racer_changes
from ui.draw.styles import styles
from ui.setup.codec import decode, encode
from ui.setup.pages import RACE_TABS, RaceSetup
from ui.setup.racers import racer_names, with_rate
from ui.take_home.descent import descent_of
from ui.take_home.every_step import every_step

BOWL, HIMMELBLAU = (LANDSCAPES[name] for name in ("Bowl", "Himmelblau"))
SGD, ADAM, TYPED = OPTIMIZERS["SGD"], OPTIMIZERS["Adam"], parse_rule(EXAMPLE)
START, STEPS, K = (0.5, 1.5), 40, 15


def turned(racer, step=K, **later):
    """A racer whose knobs are turned at a step to what is given."""
    begun = turned_at(racer, step)
    return begun.rule(**{**vars(begun), **{f"{LATER}{name}": value for name, value in later.items()}})


def path(racer, steps=STEPS, loss=HIMMELBLAU.loss):
    return race(loss, {"it": racer}, [START], steps)["it"].positions[0]


def assert_same(one, other):
    """Two programs may round differently."""
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_up_to_the_step_it_is_the_run_without_and_from_step_0_on_the_run_with_the_other_values(rule):
    first = rule()
    other = {one.name: one.low + 0.4 * min(one.high - one.low, 1) for one in turnable(rule)}
    other["learning_rate"] = first.learning_rate / 2
    soon = 2  # or Newton's method has arrived
    before, after = path(first), path(turned(first, soon, **other))
    assert_same(after[: soon + 1], before[: soon + 1])
    assert np.abs(after - before).max() > 1e-3
    whole = first.rule(**{**vars(first), **other})
    assert_same(path(turned(first, 0, **other)), path(whole))


def test_so_it_is_with_a_schedule_and_with_a_rule_that_was_typed():
    for first in (with_schedule(SGD(learning_rate=0.01), "cosine"), TYPED(learning_rate=0.01)):
        racer = turned(first, learning_rate=0.002)
        assert_same(path(racer)[: K + 1], path(first)[: K + 1])
        whole = first.rule(**{**vars(first), "learning_rate": 0.002})
        assert_same(path(turned(first, 0, learning_rate=0.002)), path(whole))


def test_neither_its_step_nor_a_value_compiles_anything(compiles):
    path(turned(ADAM(), learning_rate=0.2), loss=BOWL.loss)
    compiles()
    ends = {
        tuple(path(turned(ADAM(), step, learning_rate=rate), 50, BOWL.loss)[-1])
        for step in (3, 30)
        for rate in (0.5, 0.01)
    }
    assert len(ends) == 4
    assert compiles() == 0


def test_a_map_ends_where_the_race_does():
    racer = turned(SGD(learning_rate=0.01), learning_rate=0.002)
    raced = race(HIMMELBLAU.loss, {"it": racer}, [START], STEPS)["it"]
    swept = sweep(HIMMELBLAU.loss, racer, f"{LATER}learning_rate", [0.002], [START], STEPS)
    np.testing.assert_allclose(swept.losses[0, 0], raced.losses[0, -1], rtol=1e-4)


def test_it_is_taken_back_to_the_rule_itself():
    first = with_schedule(ADAM(learning_rate=0.3, beta1=0.7), "cosine")
    racer = turned(first, learning_rate=0.1)
    assert unturned(racer) == first
    assert afterwards(racer) == first.rule(**{**vars(first), "learning_rate": 0.1})
    assert (unscheduled(racer), schedule_of(racer)) == (unscheduled(first), schedule_of(first))
    assert plain_rule(racer.rule) is ADAM
    assert not any(one.is_switch for one in racer.rule.knobs() if one.name.startswith(LATER))


# ---- in links and on the pages

RACERS = (
    turned(SGD(learning_rate=0.01), learning_rate=0.002),
    turned(ADAM(), 0.5),
    turned(with_schedule(ADAM(learning_rate=0.3), "cosine"), beta1=0.5, **{f"{PREFIX}steps": 77.0}),
    turned(TYPED(learning_rate=0.01), 120, learning_rate=0.002),
)


def test_its_link_is_read_back_the_same_and_says_the_step_before_what_is_turned_there():
    setup = RaceSetup(racers=RACERS)
    assert decode(encode(setup), RaceSetup()) == (setup, [])
    assert encode(setup)["racer"] == [
        "SGD~learning_rate~0.01~15@learning_rate~0.002",
        "Adam~0.5@learning_rate~0.1",
        "Adam, cosine~learning_rate~0.3~15@beta1~0.5~15@schedule steps~77",
        f"Your rule~{EXAMPLE}~learning_rate~0.01~120@learning_rate~0.002",
    ]


@pytest.mark.parametrize(
    ("text", "racer", "start"),
    [
        ("SGD~15@beta1~0.5", SGD(), "SGD has no `beta1` to be turned; it is left out. It has learning_rate, "),
        ("SGD~15@learning_rate~7", SGD(), "SGD: 15@learning_rate `7` is not a number from 1e-05 to 1; it is left out."),
        (
            "SGD~x@learning_rate~0.2",
            SGD(),
            "SGD: `x@learning_rate` is left out. Knobs are turned at one step, from 0 to",
        ),
        ("SGD~15@learning_rate~0.2~16@weight_decay~0.1", turned(SGD(), learning_rate=0.2), "SGD: `16@weight_decay` is"),
    ],
)
def test_what_a_link_cannot_turn_is_left_out_and_said(text, racer, start):
    setup, (note,) = decode({"racer": [text]}, RaceSetup())
    assert setup.racers == (racer,)
    assert note.startswith(start)


@pytest.mark.parametrize("step", [0.0, MAX_AT])
def test_its_link_holds_the_ends_of_every_range_and_nothing_beyond(step):
    rate = next(one for one in turnable(SGD) if one.name == "learning_rate")
    for value in (rate.low, rate.high):
        setup = RaceSetup(racers=(turned(SGD(), step, learning_rate=value),))
        assert decode(encode(setup), RaceSetup()) == (setup, [])
    beyond = -1 if step == 0 else step + 1
    setup, (note,) = decode({"racer": [f"SGD~{beyond:g}@learning_rate~0.2"]}, RaceSetup())
    assert setup.racers == (SGD(),)
    assert note.endswith(f"from 0 to {MAX_AT:g}.")


def test_legends_colours_and_the_journal_tell_it_from_the_rule_without_it():
    plain = (SGD(learning_rate=0.01), SGD(learning_rate=0.01))
    racers = (plain[0], RACERS[0])
    assert racer_names(racers) == ["SGD", "SGD, turned"]
    assert len({style.light for style in styles(racers)}) == 2
    assert [*racer_changes(plain, racers).values()] == ["SGD → SGD, turned"]
    more = racers[1].rule(**{**vars(racers[1]), f"{LATER}learning_rate": 0.5})
    assert [*racer_changes(racers, (racers[0], more)).values()] == ["SGD, turned, later learning rate: 0.002 → 0.5"]


def test_a_step_taken_apart_has_the_knobs_of_that_step():
    racer = turned(SGD(learning_rate=0.01), learning_rate=0.002)
    run = race(HIMMELBLAU.loss, {"it": racer}, [START], STEPS)["it"].run(0)
    apart = Apart(HIMMELBLAU.loss, {"it": racer}, {"it": run}, {"x": "x", "y": "y"})
    values = apart.values("it", apart.steps("it"))
    rates = np.where(np.arange(STEPS) < K, 0.01, 0.002)
    np.testing.assert_allclose(values[r"\alpha"][:-1, 0], rates, rtol=1e-6)
    np.testing.assert_allclose(values[r"\Delta"][:-1], -rates[:, None] * values["g"][:-1], rtol=1e-4)
    told = apart.message()["racers"]["it"]
    assert 'data-value="\\alpha"' in told["cells"][r"\Delta"]["numbers"]
    assert [knob["symbol"] for knob in told["knobs"]] == [r"\lambda"]


def test_the_csv_has_the_knobs_of_each_step():
    setup = RaceSetup(landscape="Himmelblau", start=START, steps=STEPS, racers=RACERS[:1])
    table = every_step(descent_of(setup))
    np.testing.assert_allclose(table["learning rate"], np.where(table["step"] < K, 0.01, 0.002), rtol=1e-6)


def test_on_the_page_it_is_turned_where_the_stage_is_paused_and_taken_back():
    setup = RaceSetup(landscape="Himmelblau", start=START, steps=STEPS, racers=(SGD(learning_rate=0.01),))
    app = shown(setup)
    assert stage(app)["tells"] is False
    before = tracks(app)["SGD"]["x"]
    app.session_state["race-1-more"] = True
    sound(app.run())
    assert stage(app)["tells"] is True
    assert app.button(key="race-1-turn").disabled
    app.session_state["race-session"].paused_at = K  # which the browser tells of
    sound(app.run())
    assert app.button(key="race-1-turn").label == "Turn its knobs from step 15 on"
    sound(app.button(key="race-1-turn").click().run())
    assert address(app, "Ackley Race").racers == (turned_at(setup.racers[0], K),)
    assert_same(tracks(app)["SGD, turned"]["x"], before)
    sound(app.select_slider(key=f"race-1-{LATER}learning_rate").set_value(0.002).run())
    after = tracks(app)["SGD, turned"]["x"]
    assert_same(after[: K + 1], before[: K + 1])
    assert not np.array_equal(after, before)
    sound(app.button(key="race-1-turn-back").click().run())
    assert address(app, "Ackley Race") == setup


@pytest.mark.parametrize("show", RACE_TABS)
def test_every_tab_of_the_race_stands_with_it(show):
    setup = RaceSetup(landscape="Himmelblau", racers=RACERS[:3], steps=20, points=16, show=show)
    app = shown(replace(setup, racers=setup.racers[:1] if show == "fair" else setup.racers))
    assert not app.error
    assert not app.warning


def test_another_learning_rate_is_taken_for_the_whole_run_where_it_was_not_turned():
    momentum = OPTIMIZERS["Momentum"]
    assert with_rate(turned(momentum(), momentum=0.5), 0.3) == turned(momentum(learning_rate=0.3), momentum=0.5)
    begun = turned(SGD(learning_rate=0.01), learning_rate=0.002)
    assert with_rate(begun, 0.3) == turned(SGD(learning_rate=0.3), learning_rate=0.002)


def test_the_csv_has_the_learning_rate_that_was_used_where_it_follows_a_schedule_too():
    racer = turned(with_schedule(SGD(learning_rate=0.01), "cosine"), learning_rate=0.002)
    table = every_step(descent_of(RaceSetup(landscape="Himmelblau", start=START, steps=STEPS, racers=(racer,))))
    factors = schedule_of(racer).factor(np.arange(STEPS + 1))
    rates = np.where(np.arange(STEPS + 1) < K, 0.01, 0.002) * factors
    np.testing.assert_allclose(table["learning rate"], rates, rtol=1e-4, atol=1e-7)


def test_a_typed_rule_that_has_lost_its_knobs_is_turned_no_more():
    assert with_schedule_of(parse_rule("x = x - 0.01 g"), turned(TYPED()).rule) == parse_rule("x = x - 0.01 g")
