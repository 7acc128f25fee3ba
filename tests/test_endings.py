"""Endings: one list, one function that decides, and so the same word for the same run wherever it is told."""

from string import Formatter

import numpy as np
import pytest

from engine import LANDSCAPES, OPTIMIZERS, race, sweep
from engine.endings import Ending, Verdict, verdicts
from engine.landscapes import Landscape

RACES = 200
PAIRS = 5  # of a landscape and a rule: each is compiled twice, for a race and for a sweep


def random_racer(rule, rng):
    """With each knob anywhere in its range, by its logarithm where that is how it is turned."""
    knobs = {}
    for knob in rule.knobs():
        if knob.is_switch:
            knobs[knob.name] = bool(rng.integers(2))
        elif knob.name != "weight_decay" or rng.random() < 0.2:
            low, high = (np.log([knob.low, knob.high])) if knob.log else (knob.low, knob.high)
            value = rng.uniform(low, high)
            knobs[knob.name] = float(np.exp(value) if knob.log else value)
    return rule(**knobs)


def random_races(rng):
    pairs = [(rng.choice(list(LANDSCAPES.values())), rng.choice(list(OPTIMIZERS.values()))) for _ in range(PAIRS)]
    for i in range(RACES):
        landscape, rule = pairs[i % PAIRS]
        low, high = np.transpose(landscape.domain)
        yield landscape, random_racer(rule, rng), rng.uniform(low, high), int(np.exp(rng.uniform(0, np.log(3000))))


def ending_of(landscape: Landscape, racer, start, steps):
    traces = race(landscape.loss, {"it": racer}, [start], steps, minima=landscape.minima)
    return traces["it"].run(0), verdicts(landscape.loss, traces, landscape.minima)["it"][0].ending


def test_the_leaderboard_and_the_sweep_say_the_same_of_200_random_races(rng):
    compared, seen = 0, set()
    for landscape, racer, start, steps in random_races(rng):
        run, ending = ending_of(landscape, racer, start, steps)
        rate = [racer.learning_rate]
        found = sweep(landscape.loss, racer, "learning_rate", rate, [start], steps, minima=landscape.minima)
        # two programs round differently, and a run that rattles among the dents makes another run of that
        if np.isclose(found.losses[0, 0], run.losses[-1], rtol=1e-3, atol=1e-6):
            assert found.endings[0, 0] is ending, (landscape.name, racer, start, steps)
            compared += 1
            seen.add(ending)
    assert compared > 0.9 * RACES
    assert {Ending.CONVERGED, Ending.DIVERGED, Ending.GOING, Ending.OSCILLATING} <= seen


@pytest.mark.parametrize("ending", Ending, ids=lambda ending: ending.name)
def test_every_ending_has_a_sentence_of_its_own_with_a_step_and_a_place_at_most(ending):
    names = {name for _, name, *_ in Formatter().parse(ending.sentence) if name}
    assert names <= {"at", "place"}
    assert [other for other in Ending if other.sentence == ending.sentence] == [ending]
    words = Verdict(ending, 57, "iteration", "(1.00, 2.00)").words
    assert ("at iteration 57" in words) == ("at" in names)
    assert ("(1.00, 2.00)" in words) == ("place" in names)
    assert "None" not in Verdict(ending).words
