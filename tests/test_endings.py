"""Endings: one list, one function that decides, and so the same word for the same run wherever it is told."""

from string import Formatter

import numpy as np
import pytest

from engine import LANDSCAPES, OPTIMIZERS, race, sweep
from engine.endings import Ending, Verdict, verdict, verdicts
from engine.landscapes import Landscape
from engine.problems import line, mean_squared_error
from engine.stationary import StationaryPoint

SGD, ADAM = OPTIMIZERS["SGD"], OPTIMIZERS["Adam"]
NOWHERE = StationaryPoint(np.full(2, np.nan), np.ones(2), np.eye(2))  # where it does not decide
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


# ---- diverging


def random_bowls(rng, count):
    """Of all sizes and ratios of curvature, turned, with a minimum anywhere."""
    turn = np.linalg.qr(rng.normal(size=(count, 2, 2)))[0]
    curvatures = 10 ** rng.uniform(-3, 3, (count, 1)) * 10 ** -rng.uniform(0, 3.5, (count, 2))
    bends = turn @ (curvatures[..., None] * np.swapaxes(turn, 1, 2))
    centres = rng.normal(size=(count, 2)) * 10 ** rng.uniform(-2, 1.5, (count, 1))
    # near or far along each direction by itself: on the floor of a valley the loss falls before it grows
    offsets = rng.normal(size=(count, 2)) * 10 ** rng.uniform(-3, 1, (count, 2))
    starts = centres + np.einsum("nij,nj->ni", turn, offsets)
    return bends, centres, starts, 2 / curvatures.max(axis=1)


def scaled_bowl(x, bend, centre):
    return (x - centre) @ bend @ (x - centre) / 2


@pytest.mark.parametrize("steps", [3, 4, 6, 12, 40, 200, 500, 700, 1001])
def test_plain_descent_of_random_bowls_diverges_above_its_limit_once_its_loss_has_grown_and_never_below(rng, steps):
    bends, centres, starts, limits = random_bowls(rng, 500)
    shares = np.append(np.geomspace(1.02, 3, 300), np.linspace(0.01, 0.999, 200))
    # one step of rate 1 down a bowl that is scaled by the rate
    data = np.float32(bends * (shares * limits)[:, None, None]), np.float32(centres)
    trace = race(scaled_bowl, {"it": SGD(learning_rate=1.0)}, starts, steps, data=data, own_data=True)["it"]
    found = [verdict(trace.run(i), (), NOWHERE) for i in range(len(starts))]
    grew = trace.diverged | (trace.losses[:, -1] > 1.0001 * trace.losses[:, 0])
    assert grew[: 300 if steps < 10 else 150].sum() > 100
    assert [one.kind in ("diverged", "diverging") for one in found] == grew.tolist()
    assert not grew[300:].any()


def test_noisy_mini_batches_that_rattle_never_diverge(rng):
    """Each step of plain descent is below the limit of every single example; an adaptive rule's has a length."""
    for number in range(30):
        fit = noisy_fit(number, noise=10 ** rng.uniform(-3, 2))
        starts = fit.minimum() + rng.normal(size=(12, 2)) * 10 ** rng.uniform(-4, 1, (12, 1))
        starts[:6] = fit.minimum()
        below = 2 / fit.curvatures().max() * rng.uniform(0.05, 0.95)
        for racer in (SGD(learning_rate=below), ADAM(learning_rate=10 ** rng.uniform(-4, 0))):
            steps, batch_size = rng.choice([4, 7, 12, 30, 100, 500]), int(rng.choice([1, 4, 16]))
            kinds = batch_kinds(fit, racer, starts, int(steps), batch_size)
            assert not {"diverged", "diverging"} & set(kinds), (number, racer, steps, batch_size)


def test_noisy_mini_batches_far_above_the_limit_diverge(rng):
    kinds = []
    for number in range(20):
        fit = noisy_fit(number, noise=10 ** rng.uniform(-3, 2))
        starts = fit.minimum() + rng.normal(size=(20, 2))
        # such that a step on the flattest of all batches leads further away too
        above = SGD(learning_rate=2.5 / fit.curvatures().min())
        kinds += batch_kinds(fit, above, starts, int(rng.integers(6, 20)), 1)
    assert set(kinds) <= {"diverged", "diverging"}
    assert kinds.count("diverging") > 100


def noisy_fit(seed, noise):
    """A line through points that lie away from 0, so that each of them bends the loss."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(2, 4, 40)
    return line(x, 3 * x - 1 + noise * rng.normal(size=40), intercept=True)


def batch_kinds(fit, racer, starts, steps, batch_size):
    options = {"data": fit.data, "batch_size": batch_size, "seeds": np.arange(len(starts))}
    trace = race(mean_squared_error, {"it": racer}, starts, steps, **options)["it"]
    runs = [trace.run(i) for i in range(len(starts))]
    return [verdict(run, (), fit.stationary_point(), noisy=True).kind for run in runs]


@pytest.mark.parametrize("name", ["Ackley", "Rastrigin", "Three-hump camel"])
def test_a_race_that_climbs_out_of_one_dent_and_into_another_does_not_diverge(name, rng):
    """From a minimum, with steps of up to a dent's width: after each number of steps, and where it ends higher."""
    landscape, climbed = LANDSCAPES[name], 0
    near = np.array(landscape.minima)[rng.integers(len(landscape.minima), size=15)]
    starts = near + rng.normal(size=(15, 2)) * 10 ** rng.uniform(-2, -0.5, (15, 1))
    for rule in ("Adam", "RMSProp", "Lion"):
        for rate in (0.1, 0.3, 1.0):
            for steps in (5, 30, 300):
                racer = OPTIMIZERS[rule](learning_rate=rate)
                trace = race(landscape.loss, {"it": racer}, starts, steps, minima=landscape.minima)["it"]
                runs = [trace.run(i) for i in range(len(starts))]
                assert "diverging" not in {verdict(run, landscape.minima, NOWHERE).kind for run in runs}
                climbed += sum(run.losses[-1] > run.losses[0] for run in runs)
    assert climbed > 100


# ---- their words


@pytest.mark.parametrize("ending", Ending, ids=lambda ending: ending.name)
def test_every_ending_has_a_sentence_of_its_own_with_a_step_and_a_place_at_most(ending):
    names = {name for _, name, *_ in Formatter().parse(ending.sentence) if name}
    assert names <= {"at", "place"}
    assert [other for other in Ending if other.sentence == ending.sentence] == [ending]
    words = Verdict(ending, 57, "iteration", "(1.00, 2.00)").words
    assert ("at iteration 57" in words) == ("at" in names)
    assert ("(1.00, 2.00)" in words) == ("place" in names)
    assert "None" not in Verdict(ending).words
