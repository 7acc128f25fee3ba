"""Schedules: the factor of each step is what the libraries say, and a rule with one is that rule at other rates."""

from collections import OrderedDict
from dataclasses import replace

import jax
import numpy as np
import optax
import pytest
from visit import address, opened, shown, sound, texts, tracks

import engine.xla.compile
from engine import LANDSCAPES, OPTIMIZERS, SCHEDULES, race
from engine.descent import Variant, descend
from engine.endings import Ending, verdicts
from engine.maps import sweep
from engine.optimizers import knobs_of
from engine.problems import bowl, mean_squared_error
from engine.rule_text import EXAMPLE, parse_rule
from engine.scheduled import PREFIX, Scheduled, can_follow, plain_rule, unscheduled, values_along, with_schedule
from engine.schedules import factors
from engine.steps import steps_along
from engine.xla.compile import passing
from engine.xla.program_cache import stable_name
from ui.draw.journal import racer_changes
from ui.draw.schedule_menu import MENU
from ui.draw.styles import styles
from ui.regression.run import run as regression
from ui.setup.codec import decode, encode
from ui.setup.pages import RACE_TABS, RaceSetup
from ui.setup.presets import presets
from ui.setup.racers import racer_names, rule_names

BOWL, HIMMELBLAU = LANDSCAPES["Bowl"], LANDSCAPES["Himmelblau"]
EVERY = np.arange(501)
SGD, ADAM, TYPED = OPTIMIZERS["SGD"], OPTIMIZERS["Adam"], parse_rule(EXAMPLE)
each = pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)


def warm(schedule, steps, optax_schedule):
    """A schedule of optax after a warm-up of so many steps."""
    rise = optax.linear_schedule(1 / steps, 1.0, steps - 1)
    return schedule(warm_up=steps, steps=100.0), optax.join_schedules([rise, optax_schedule], [steps - 1])


OF_OPTAX = {
    "step": (SCHEDULES["step"](steps=30, drop=0.7), optax.exponential_decay(1.0, 30, 0.7, staircase=True)),
    "linear": (SCHEDULES["linear"](steps=300, end=0.2), optax.linear_schedule(1.0, 0.2, 300)),
    "cosine": (SCHEDULES["cosine"](steps=300, end=0.2), optax.cosine_decay_schedule(1.0, 300, 0.2)),
    "exponential": (SCHEDULES["exponential"](steps=70), optax.exponential_decay(1.0, 70, 0.5)),
    "warm-up": (SCHEDULES["warm-up"](warm_up=40), optax.linear_schedule(1 / 40, 1.0, 39)),
    "one-cycle": (
        SCHEDULES["one-cycle"](steps=400, low=0.05),
        optax.linear_onecycle_schedule(400, 1.0, 0.3, 0.85, 20.0, 1e9),
    ),
    "warm cosine": warm(SCHEDULES["cosine"], 25, optax.cosine_decay_schedule(1.0, 100)),
    "warm exponential": warm(SCHEDULES["exponential"], 2, optax.exponential_decay(1.0, 100, 0.5)),
}


@pytest.mark.parametrize("name", OF_OPTAX)
def test_a_factor_is_that_of_optax_over_500_steps(name):
    schedule, theirs = OF_OPTAX[name]
    np.testing.assert_allclose(factors(schedule, EVERY), np.asarray(jax.vmap(theirs)(EVERY)), atol=3e-6)


def test_a_factor_is_that_of_pytorch_over_500_steps(torch):
    def rates(make):
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
        scheduler, found = make(optimizer), []
        for _ in EVERY:
            found.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        return found

    of_torch = torch.optim.lr_scheduler
    made = {
        SCHEDULES["cyclical"](steps=50, low=0.2): lambda o: of_torch.CyclicLR(o, 0.2, 1.0, 25, cycle_momentum=False),
        SCHEDULES["step"](steps=50, drop=0.3): lambda o: of_torch.StepLR(o, 50, 0.3),
        SCHEDULES["1/t"](steps=9): lambda o: of_torch.LambdaLR(o, lambda step: 9 / (9 + step)),
        SCHEDULES["warm-up"](warm_up=40): lambda o: of_torch.LinearLR(o, 1 / 40, 1.0, 39),
    }
    assert {schedule.name for schedule in made} | OF_OPTAX.keys() >= SCHEDULES.keys()
    for schedule, make in made.items():
        np.testing.assert_allclose(factors(schedule, EVERY), rates(make), atol=3e-6, err_msg=schedule.name)


def knob_values(knobs, shares):
    """The knobs, each at a share of its range."""
    return {
        knob.name: knob.low * (knob.high / knob.low) ** share if knob.log else knob.low + (knob.high - knob.low) * share
        for knob, share in zip(knobs, shares, strict=True)
    }


@each
def test_a_factor_is_a_share_whatever_its_knobs_and_turning_them_compiles_nothing(schedule, rng, compiles):
    factors(schedule(), EVERY)
    compiles()
    for _ in range(60):
        turned = knob_values(knobs_of(schedule), rng.choice([0, 1, rng.random()], len(knobs_of(schedule))))
        found = factors(schedule(**turned), rng.integers(0, 5000, 501))
        assert np.isfinite(found).all()
        assert found.min() >= 0, turned
        assert found.max() <= 1, turned
    assert compiles() == 0


@each
def test_it_begins_full_or_low_and_grows_evenly_to_that_in_a_warm_up(schedule):
    usual = schedule(warm_up=1.0)
    begin = getattr(usual, "low", 1.0)
    np.testing.assert_allclose(factors(usual, EVERY)[0], begin, rtol=1e-6)
    found = factors(schedule(warm_up=10.0), EVERY)
    np.testing.assert_allclose(found[:10], begin * np.arange(1, 11) / 10, rtol=1e-6)
    np.testing.assert_allclose(found[9:], factors(usual, EVERY)[: 501 - 9], rtol=1e-5, atol=1e-6)


def gradient(x):
    a, b = x[0] ** 2 + x[1] - 11, x[0] + x[1] ** 2 - 7
    return np.array([4 * a * x[0] + 2 * b, 2 * a + 4 * b * x[1]])


@each
def test_a_run_is_the_loop_that_makes_each_step_with_its_own_rate(schedule):
    check_loop(SGD, schedule, decay=0.0)


def test_where_a_rule_remembers_its_steps_the_rate_of_each_is_still_felt_in_the_later_ones():
    check_loop(parse_rule("m = 0.7 m - a g\nx = x + m"), SCHEDULES["step"], decay=0.7)


def check_loop(rule, schedule, decay):
    racer = Scheduled(rule, schedule)(learning_rate=0.01, **{f"{PREFIX}warm_up": 3.0})
    found = race(HIMMELBLAU.loss, {"it": racer}, [(0.5, 1.5)], 60)["it"].positions[0]
    x, memory = np.array([0.5, 1.5]), 0.0
    for step, factor in enumerate(factors(schedule(warm_up=3.0), np.arange(60))):
        memory = decay * memory - 0.01 * factor * gradient(x)
        x = x + memory
        np.testing.assert_allclose(found[step + 1], x, rtol=1e-4, atol=1e-4)


@each
def test_no_knob_of_it_compiles_anything(schedule, compiles):
    rule = Scheduled(SGD, schedule)
    race(BOWL.loss, {"it": rule()}, [(4.0, 1.0)], 50)
    compiles()
    before = race(BOWL.loss, {"it": rule()}, [(4.0, 1.0)], 80)["it"].positions
    for knob in rule.knobs():
        turned = rule(**{knob.name: knob.low if knob.name != f"{PREFIX}warm_up" else 9.0})
        found = race(BOWL.loss, {"it": turned}, [(4.0, 1.0)], 80)["it"].positions
        assert not np.array_equal(found, before) or knob.low == knob.default, knob.name
    assert compiles() == 0


def test_a_map_over_any_of_its_knobs_ends_where_the_race_does():
    racer = Scheduled(SGD, SCHEDULES["cosine"])(learning_rate=0.07, **{f"{PREFIX}warm_up": 5.0})
    raced = race(BOWL.loss, {"it": racer}, [(4.0, 1.0)], 70)["it"]
    for name in ("learning_rate", f"{PREFIX}steps"):
        swept = sweep(BOWL.loss, racer, name, [getattr(racer, name)], [(4.0, 1.0)], 70)
        np.testing.assert_allclose(swept.losses[0, 0], raced.losses[0, -1], rtol=1e-4)


def test_with_a_constant_rate_it_is_the_rule_itself():
    racer = ADAM(learning_rate=0.3, beta1=0.7)
    scheduled = with_schedule(racer, "cosine")
    assert scheduled != racer
    assert with_schedule(scheduled, "") == unscheduled(scheduled) == racer
    assert plain_rule(scheduled.rule) is plain_rule(racer.rule) is ADAM
    assert with_schedule(scheduled, "linear") == with_schedule(racer, "linear")


def test_a_rule_whose_steps_do_not_go_by_a_rate_can_follow_none():
    others = ("x = x - 0.01 g", "d0 = a\nd = 0.9 d\nx = x - d g", "b = 0.5 [0, 1]\nx = x - b g")
    assert [name for name, rule in OPTIMIZERS.items() if not can_follow(rule)] == [
        "RProp",  # the length of its first step, and of the first trial of the next two
        "Backtracking",
        "Conjugate gradient",
    ]
    assert [can_follow(parse_rule(text)) for text in (EXAMPLE, *others)] == [True, False, False, False]
    racer, turned = (OPTIMIZERS["RProp"](learning_rate=rate) for rate in (0.1, 0.2))
    state, x = racer.init(np.ones(2)), np.ones(2)
    np.testing.assert_array_equal(racer.update(x, state, x)[0], turned.update(x, state, x)[0])


@pytest.mark.parametrize("text", [None, "p = a g\nm = 0.5 m - p\nx = x + m"], ids=["SGD", "typed"])
def test_a_step_taken_apart_is_made_with_its_own_rate(text):
    fit = bowl(23, 1.0, seed=4)
    racer = with_schedule((parse_rule(text) if text else SGD)(learning_rate=1e-4), "exponential")
    options = {"data": fit.data, "batch_size": 5}
    run = race(mean_squared_error, {"it": racer}, [(2.5, 8.0)], 40, seeds=3, **options)["it"].run(0)
    taken = steps_along(mean_squared_error, racer, run.positions, run.steps, seed=3, **options)
    rates = values_along(racer, run.steps)[racer.rule.symbol_now]
    np.testing.assert_allclose(rates, 1e-4 * 0.5 ** (run.steps / 50), rtol=1e-5)
    along = taken.gradients * rates[:, None]
    np.testing.assert_allclose(taken.derived.p if text else -taken.moves, along, rtol=1e-5)


def test_a_pair_that_the_engine_has_is_named_on_disk_and_one_that_was_typed_is_not():
    args = lambda rule: (BOWL.loss, rule, Variant(own_data=False, in_batches=False))  # noqa: E731
    named = {stable_name(descend.__wrapped__, args(Scheduled(SGD, schedule))) for schedule in SCHEDULES.values()}
    assert None not in named
    assert len(named | {stable_name(descend.__wrapped__, args(SGD))}) == len(SCHEDULES) + 1
    assert stable_name(descend.__wrapped__, args(Scheduled(TYPED, SCHEDULES["cosine"]))) is None


def test_few_programs_of_pairs_are_held_and_none_of_a_rule_is_dropped_for_them(monkeypatch, compiles):
    pairs = OrderedDict()
    monkeypatch.setattr(engine.xla.compile, "MAX_PAIRS", 2)
    monkeypatch.setattr(engine.xla.compile, "pairs", pairs)
    go = lambda rule: race(BOWL.loss, {"it": rule()}, [(4.0, 1.0)], 5)  # noqa: E731
    go(SGD)
    for name in ("step", "cosine", "1/t"):
        go(Scheduled(SGD, SCHEDULES[name]))
    assert [key[2].schedule.name for key in pairs] == ["cosine", "1/t"]
    compiles()
    go(SGD)
    go(Scheduled(SGD, SCHEDULES["cosine"]))
    assert compiles() == 0
    go(Scheduled(TYPED, SCHEDULES["cosine"]))
    assert any(isinstance(part, Scheduled) for part in next(reversed(passing)))
    assert len(pairs) == 2


@pytest.mark.parametrize("seed", range(2))
def test_on_mini_batches_a_constant_rate_wanders_about_the_minimum_and_one_that_falls_settles(seed):
    setup = replace(presets("2D Regression")["A rate that stays, and two that fall"].setup, seed=seed)
    result = regression(setup)
    late = {name: trace.positions[0, -100:] for name, trace in result.traces.items()}
    stays, *falls = (np.linalg.norm(path - result.minimum, axis=1).mean() for path in late.values())
    assert [*late] == ["SGD", "SGD, cosine", "SGD, 1/t"]
    assert stays > 0.5
    assert max(falls) < stays / 4


def test_whose_rate_has_fallen_beside_a_saddle_point_is_said_to_stand_by_its_steps_and_not_by_the_saddle():
    ackley = LANDSCAPES["Ackley"]
    racer = Scheduled(SGD, SCHEDULES["linear"])(learning_rate=0.001, **{f"{PREFIX}steps": 20.0})
    traces = race(ackley.loss, {"it": racer}, [(2.0, 1.5)], 300, minima=ackley.minima)
    [verdict] = verdicts(ackley.loss, traces, ackley.minima)["it"]
    assert verdict.ending is Ending.STANDS


# ---- in links and on the pages


@each
@pytest.mark.parametrize("rule", [ADAM, TYPED], ids=["Adam", "typed"])
def test_its_link_is_read_back_the_same_and_says_its_name(schedule, rule, rng):
    made = Scheduled(rule, schedule)
    for shares in (np.zeros(20), rng.random(20), np.ones(20)):
        knobs = [knob for knob in made.knobs() if knob.name.startswith(PREFIX)]
        setup = RaceSetup(racers=(made(**knob_values(knobs, shares[: len(knobs)])), rule()))
        assert decode(encode(setup), RaceSetup()) == (setup, [])
        assert encode(setup)["racer"][0].startswith(f"{rule.name}, {schedule.name}")
    assert encode(RaceSetup(racers=(made(),)))["racer"] == [made.name if rule is ADAM else f"{made.name}~{TYPED.text}"]


def test_what_a_link_cannot_mean_leaves_the_rate_constant_and_is_said():
    def read(text):
        setup, notes = decode({"racer": [text]}, RaceSetup())
        return setup.racers, notes

    assert read("Adam, constant~beta1~0.5") == ((ADAM(beta1=0.5),), [])
    for text, racer, start in (
        ("Adam, cosin~beta1~0.5", ADAM(beta1=0.5), "Adam: there is no schedule `cosin`. Choose from step, "),
        ("RProp, cosine", OPTIMIZERS["RProp"](), "RProp: its steps do not go by a learning rate"),
        ("SGD~schedule steps~50", SGD(), "SGD has no setting `schedule steps`; it is left out."),
    ):
        racers, (note,) = read(text)
        assert racers == (racer,)
        assert note.startswith(start)
    racers, (note,) = read("SGD, cosine~schedule steps~1~schedule end~0.5")
    assert racers == (Scheduled(SGD, SCHEDULES["cosine"])(**{f"{PREFIX}end": 0.5}),)
    assert note == "SGD: schedule steps `1` is not a number from 2 to 2000; 200 is used."


def test_legends_colours_and_the_journal_tell_it_from_the_rule_without_it():
    other = parse_rule("x = x - a g")
    plain = (SGD(), SGD(), TYPED(), other())
    racers = (plain[0], *(with_schedule(racer, "cosine") for racer in plain[1:]))
    assert racer_names(racers) == ["SGD", "SGD, cosine", "Your rule, cosine", "Your rule, cosine (2)"]
    assert [*rule_names(racers).values()] == ["SGD", "SGD, cosine", "Your rule, cosine", "Your rule (2), cosine"]
    assert len({style.light for style in styles(racers)}) == len(racers)
    assert styles(racers[1:2]) == styles(plain[1:2])
    turned = (*racers[:1], racers[1].rule(**{f"{PREFIX}steps": 70.0}), *racers[2:])
    assert [*racer_changes(plain[:2], racers[:2]).values()] == ["SGD → SGD, cosine"]
    assert [*racer_changes(racers, turned).values()] == ["SGD, cosine, schedule steps: 200 → 70"]


def test_in_the_line_up_it_is_chosen_turned_and_taken_back():
    app = shown(RaceSetup(landscape="Himmelblau", steps=30, racers=(SGD(learning_rate=0.01), OPTIMIZERS["RProp"]())))
    assert not any(MENU in box.key for box in app.selectbox if box.key)  # closed, a racer has no more parts than before
    before = tracks(app)["SGD"]["x"]
    for number in (1, 2):
        app.session_state[f"race-{number}-more"] = True
    menu = lambda number: app.selectbox(key=f"race-{number}-{MENU}")  # noqa: E731
    sound(app.run())
    assert menu(2).disabled
    assert "they can follow no schedule" in menu(2).help
    assert (menu(1).value, menu(1).options) == ("constant", ["constant", *SCHEDULES])
    sound(menu(1).set_value("exponential").run())
    assert address(app, "Ackley Race").racers[0] == with_schedule(SGD(learning_rate=0.01), "exponential")
    sound(app.select_slider(key=f"race-1-{PREFIX}steps").set_value(5.0).run())
    assert any(
        'alt="The learning rate over 30 steps: its factor goes from 1 to 0.0179' in part.value for part in app.html
    )
    assert not np.array_equal(tracks(app)["SGD, exponential"]["x"], before)
    sound(menu(1).set_value("1/t").run())
    assert address(app, "Ackley Race").racers[0] == with_schedule(SGD(learning_rate=0.01), "1/t")
    sound(app.button_group(key="race-card").set_value("SGD, 1/t").run())
    assert all(said in texts(app) for said in ("class InverseTime(Schedule)", SCHEDULES["1/t"].source, r"\alpha_t"))
    sound(menu(1).set_value("constant").run())
    np.testing.assert_array_equal(tracks(app)["SGD"]["x"], before)


def test_a_text_that_is_changed_keeps_its_schedule_while_it_has_a_rate():
    app = opened("Ackley Race", {"racer": [f"Your rule, cosine~{EXAMPLE}"], "steps": ["20"]})
    for text, rule in (
        ("x = x - a g", Scheduled(parse_rule("x = x - a g"), SCHEDULES["cosine"])),
        ("x = x - 0.01 g", parse_rule("x = x - 0.01 g")),
    ):
        sound(app.text_area[0].set_value(text).run())
        assert address(app, "Ackley Race").racers == (rule(),)


@pytest.mark.parametrize("show", RACE_TABS)
def test_every_tab_of_the_race_stands_with_schedules(show):
    racers = (with_schedule(SGD(learning_rate=0.01), "step"), SGD())
    app = shown(RaceSetup(landscape="Himmelblau", racers=racers, steps=20, points=16, show=show))
    assert not app.error
    assert not app.warning


@pytest.mark.parametrize(("name", "knobs"), [("cyclical", {}), ("warm-up", {"warm_up": 100.0})])
def test_a_run_whose_rate_changes_is_not_ended_where_its_steps_are_short_for_a_while(name, knobs):
    fit = bowl(23, 1.0, seed=4)
    racer = with_schedule(SGD(learning_rate=1e-4), name)
    racer = racer.rule(**vars(racer) | {f"{PREFIX}{knob}": value for knob, value in knobs.items()})
    options = {"data": fit.data, "tolerance": 30.0}
    falling = race(mean_squared_error, {"it": racer}, [(2.5, 8.0)], 200, **options)["it"]
    plain = race(mean_squared_error, {"it": SGD(learning_rate=1e-6)}, [(2.5, 8.0)], 200, **options)["it"]
    assert plain.settled_at[0] > 0  # a rate that stays as short as this one begins is ended
    assert falling.settled_at[0] == -1
