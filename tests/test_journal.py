"""The journal: each run once, with what was changed, how it ended, and a link that brings it back."""

from dataclasses import replace
from itertools import permutations
from urllib.parse import parse_qs, urlsplit

import pytest
from visit import opened, sound

from engine import OPTIMIZERS
from engine.scheduled import Scheduled
from engine.schedules import SCHEDULES
from ui.draw.journal import KEY, MAX_RUNS, Kept, changes, same_knob, table
from ui.setup.pages import SETUPS, RaceSetup
from ui.setup.presets import presets, read_query

FIRST, SECOND = (OPTIMIZERS[name] for name in ("SGD", "Adam"))


def turn(app, knob, value):
    sound(app.select_slider(key=knob).set_value(value).run())


def kept(app):
    return app.session_state[KEY]


@pytest.mark.parametrize("page", SETUPS)
def test_set_ups_differ_by_what_is_said_to_have_changed_and_by_nothing_else(page):
    setups = [preset.setup for preset in presets(page).values()]
    for before, after in permutations(setups, 2):
        assert bool(changes(before, after)) == (before.without_view() != after.without_view())
    for setup in setups:
        for name in setup.settings():
            for other in setups:
                turned = replace(setup, **{name: getattr(other, name)})
                differs = turned.without_view() != setup.without_view()
                assert (set(changes(setup, turned)) in ({name}, set())) or name == "racers"
                assert bool(changes(setup, turned)) == differs


def test_optimizers_that_come_and_go_and_turned_knobs_are_named():
    alone, both = (replace(RaceSetup(), racers=racers) for racers in ((FIRST(),), (FIRST(), SECOND())))
    assert list(changes(alone, both).values()) == ["Adam added"]
    assert list(changes(both, alone).values()) == ["Adam removed"]
    turned = replace(both, racers=(FIRST(learning_rate=0.5), SECOND(beta1=0.5)))
    words = list(changes(both, turned).values())
    assert len(words) == 2
    assert [text.partition(":")[0] for text in words] == ["SGD, learning rate", "Adam, beta 1"]
    assert [text.partition("→")[2] for text in words] == [" 0.5", " 0.5"]


def test_a_schedule_and_the_knobs_that_come_with_it_are_all_named():
    plain, scheduled = SECOND(learning_rate=0.1), Scheduled(SECOND, SCHEDULES["cosine"])(learning_rate=0.2)
    before, after = (replace(RaceSetup(), racers=racers) for racers in ((FIRST(), plain), (FIRST(), scheduled)))
    assert list(changes(before, after).values()) == ["Adam → Adam, cosine", "Adam, learning rate: 0.1 → 0.2"]


def test_a_knob_turned_on_is_the_same_change_and_another_knob_is_not():
    start = replace(RaceSetup(), racers=(FIRST(learning_rate=0.1), SECOND()))
    one, on = (replace(start, racers=(FIRST(learning_rate=rate), SECOND())) for rate in (0.2, 0.3))
    other = replace(one, racers=(FIRST(learning_rate=0.2), SECOND(learning_rate=0.2)))
    last = Kept("Ackley Race", start, one, "", "")
    assert same_knob(last, on)
    assert not same_knob(last, other)
    assert not same_knob(last, replace(on, steps=7))
    assert not same_knob(last, start)  # back where it was: that is a run of its own


def test_each_run_is_in_the_journal_once_with_a_link_that_brings_it_back():
    app = opened("Ackley Race")
    assert [run.changed for run in kept(app)] == [f"preset: {next(iter(presets('Ackley Race')))}"]
    sound(app.run())
    assert len(kept(app)) == 1  # nothing was changed
    turn(app, "race-steps", 50)
    turn(app, "race-steps", 100)  # turned on: one change
    assert [run.changed for run in kept(app)][1:] == ["steps: 120 → 100"]
    turn(app, "race-1-learning_rate", 0.2)
    assert len(kept(app)) == 3
    assert kept(app)[2].changed.startswith("SGD, learning rate: ")
    for run in kept(app):
        setup, notes = read_query(run.page, parse_qs(urlsplit(run.address).query))
        assert (setup, notes) == (run.setup, [])
        assert "SGD" in run.ended
    shown = table(kept(app))
    assert list(shown["run"]) == [3, 2, 1]
    assert list(shown["what was changed"]) == [run.changed for run in kept(app)][::-1]


def test_the_oldest_run_makes_room():
    app = opened("Ackley Race")
    app.session_state[KEY] = kept(app) * (MAX_RUNS + 5)
    turn(app, "race-steps", 50)
    assert len(kept(app)) == MAX_RUNS
    assert kept(app)[-1].setup.steps == 50
