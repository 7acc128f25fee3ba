"""Noise in the gradients: the same for all, in nothing but gradients, and wherever a landscape is raced on."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_moves import Asking
from visit import address, shown, sound, texts, tracks

from engine import LANDSCAPES, OPTIMIZERS, GradientNoise, fair, race, reshaped
from engine.endings import Ending, verdicts
from engine.facts import tail_start
from engine.maps import basins, sweep
from engine.notebook import REPLAYS
from engine.quantities import gradient_norms
from engine.steps import with_moves
from ui.draw.journal import changes
from ui.race.run import is_compiled, judged
from ui.race.run import run as run_race
from ui.setup.codec import decode, encode
from ui.setup.pages import RACE_TABS, RaceSetup
from ui.setup.presets import presets
from ui.take_home.captions import settings

BOWL, HIMMELBLAU = LANDSCAPES["Bowl"], LANDSCAPES["Himmelblau"]
SGD, ADAM = OPTIMIZERS["SGD"], OPTIMIZERS["Adam"]
NOISE, STARTS = GradientNoise(2.0, seed=3), [(-1.0, 2.0), (0.5, 0.5)]
SETUP = RaceSetup(
    landscape="Himmelblau", start=(-0.5, 0.5), steps=60, noise=2.0, seed=3, points=16, racers=(SGD(learning_rate=0.01),)
)


def test_it_is_one_line_of_numpy_and_a_longer_run_begins_with_the_same_numbers():
    drawn = np.float32(2) * np.random.default_rng(3).standard_normal((51, 2), np.float32)
    np.testing.assert_array_equal(NOISE.draw(50, 2), drawn)
    np.testing.assert_array_equal(NOISE.draw(700, 2)[:51], drawn)
    np.testing.assert_array_equal(NOISE.rows(50, 2)[:51], drawn)


def test_each_step_follows_the_true_gradient_and_the_noise_of_that_step_from_every_start():
    racer = SGD(learning_rate=0.01)
    found = race(HIMMELBLAU.loss, {"it": racer}, STARTS, 50, noise=NOISE)["it"]
    slope = jax.vmap(jax.grad(HIMMELBLAU.loss))
    x = np.float32(STARTS)
    for step, noise in enumerate(NOISE.draw(50, 2)[:50]):
        x = x - 0.01 * (np.asarray(slope(x)) + noise)
        np.testing.assert_allclose(found.positions[:, step + 1], x, rtol=1e-4, atol=1e-4)
    losses = jax.vmap(jax.vmap(HIMMELBLAU.loss))(found.positions)
    np.testing.assert_allclose(found.losses, losses, rtol=1e-4, atol=1e-4, err_msg="the losses are the true ones")
    alone = race(HIMMELBLAU.loss, {"it": racer}, STARTS[1:], 50, noise=NOISE)["it"]
    np.testing.assert_array_equal(alone.positions[0], found.positions[1])


def test_a_rule_that_asks_is_told_of_noisy_gradients_and_true_losses_and_curvatures():
    trace = race(HIMMELBLAU.loss, {"it": Asking()}, STARTS, 20, record=True, noise=NOISE)["it"]
    seen, where = trace.moves.states, jnp.asarray(trace.positions)
    over = lambda function, x: jax.vmap(jax.vmap(function))(x)  # noqa: E731
    noise, slope = NOISE.draw(20, 2), jax.grad(HIMMELBLAU.loss)
    np.testing.assert_allclose(seen.loss, trace.losses, rtol=1e-5)
    np.testing.assert_allclose(seen.value, over(HIMMELBLAU.loss, 2 * where), rtol=1e-5)
    np.testing.assert_allclose(seen.curvature, over(jax.hessian(HIMMELBLAU.loss), where), rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(seen.gradient, over(slope, 2 * where) + noise, rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(trace.moves.gradients, over(slope, where) + noise, rtol=1e-5, atol=1e-4)


def test_without_any_a_race_is_what_it_was_and_turning_it_compiles_nothing(compiles):
    racers, starts = {"SGD": SGD(), "SAM": OPTIMIZERS["SAM"]()}, [(4.0, 1.0)]
    plain = race(BOWL.loss, racers, starts, 30)
    race(BOWL.loss, racers, starts, 30, noise=NOISE)
    compiles()
    none = race(BOWL.loss, racers, starts, 30, noise=GradientNoise(0.0, seed=9))
    for name, trace in plain.items():
        np.testing.assert_array_equal(trace.positions, none[name].positions)
    ends = set()
    for sigma, seed, steps in ((2.0, 4, 30), (0.5, 3, 30), (1e-3, 3, 2000)):
        noise = GradientNoise(sigma, seed)
        ends.add(tuple(race(BOWL.loss, racers, starts, steps, noise=noise)["SGD"].positions[0, -1].tolist()))
    assert len(ends) == 3
    assert compiles() == 0


@pytest.mark.parametrize("sigma", [-1.0, np.inf, np.nan])
def test_a_standard_deviation_that_is_none_is_refused(sigma):
    with pytest.raises(ValueError, match=r"sigma is .* at least 0"):
        GradientNoise(sigma)


# ---- the maps


@pytest.mark.parametrize("racer", [SGD(learning_rate=0.01), OPTIMIZERS["SAM"](learning_rate=0.01)], ids=["SGD", "SAM"])
def test_a_map_meets_the_same_noise_as_the_race(racer):
    side, steps = 4, 40
    found = basins(HIMMELBLAU, racer, side, steps, noise=NOISE)
    xs, ys = (np.linspace(*ends, side) for ends in HIMMELBLAU.domain)
    starts = [(x, y) for y in ys for x in xs]
    trace = race(HIMMELBLAU.loss, {"it": racer}, starts, steps, noise=NOISE)["it"]
    kept = found.ends.reshape(-1, 2)
    stays = ~trace.diverged
    np.testing.assert_allclose(kept[stays], trace.positions[stays, -1], rtol=1e-3, atol=1e-3)
    dealt = basins(HIMMELBLAU, racer, side, steps, devices=jax.devices(), noise=NOISE)
    np.testing.assert_array_equal(found.ends, dealt.ends)
    swept = sweep(HIMMELBLAU.loss, racer, "learning_rate", [racer.learning_rate], starts[5:7], steps, noise=NOISE)
    np.testing.assert_allclose(swept.losses[0], trace.losses[5:7, -1], rtol=1e-3)


def test_a_fair_race_is_run_with_it(monkeypatch):
    monkeypatch.setattr(fair, "DRAWS", 1)
    found = fair.fair_race(HIMMELBLAU, (SGD,), 40, 0.005, noise=NOISE)
    starts = fair.random_starts(HIMMELBLAU, [0, 1], fair.STARTS)
    trace = race(HIMMELBLAU.loss, {"it": SGD(learning_rate=0.005)}, starts, 40, noise=NOISE)["it"]
    np.testing.assert_allclose(found.losses[0, 0, 0], trace.losses[:, -1], rtol=1e-3, atol=1e-3)


# ---- how a run ended


def noisy_ends(landscape, racer, starts, steps, noise):
    traces = race(landscape.loss, {"it": racer}, starts, steps, minima=landscape.minima, noise=noise)
    found = verdicts(landscape.loss, traces, landscape.minima, gradient_noise=True)["it"]
    return traces["it"], [one.ending for one in found]


def test_converged_is_only_a_run_that_stays_at_a_minimum_and_no_chance_visit_is_one():
    seen, visits = set(), 0
    for steps in range(60, 100, 2):
        trace, (ending,) = noisy_ends(BOWL, SGD(learning_rate=0.1), [(2.0, 1.0)], steps, GradientNoise(0.1, seed=steps))
        tail = np.abs(trace.positions[0, tail_start(len(trace.steps)) :] - BOWL.minima[0])
        assert (ending is Ending.CONVERGED) == bool((tail < 0.01).all())
        visits += bool((tail[-1] < 0.01).all()) and ending is not Ending.CONVERGED
        seen.add(ending)
    assert visits
    assert Ending.HOVERING in seen
    _, (ending,) = noisy_ends(BOWL, SGD(learning_rate=0.1), [(2.0, 1.0)], 300, GradientNoise(1e-3))
    assert ending is Ending.CONVERGED


def test_a_run_that_hovers_is_told_from_one_that_drifts_though_most_of_its_way_is_noise():
    valley, found = LANDSCAPES["Rosenbrock"], []
    for seed in range(12):
        noise = GradientNoise(5.0, seed)
        _, (hovers,) = noisy_ends(BOWL, SGD(learning_rate=0.05), [(2.0, 1.0)], 400, noise)
        _, (drifts,) = noisy_ends(valley, SGD(learning_rate=1e-3), [(-1.0, 1.0)], 400, noise)
        found.append((hovers, drifts))
    hovering, drifting = ([ending is Ending.HOVERING for ending in some] for some in zip(*found, strict=True))
    assert sum(hovering) > 8  # now and then a run seems to be on its way, and none is said to hover that is
    assert not any(drifting)


def test_the_leaderboard_and_the_sweep_say_the_same_of_random_noisy_races(rng):
    seen = set()
    for landscape, rule in ((HIMMELBLAU, SGD), (BOWL, ADAM)):
        low, high = np.transpose(landscape.domain)
        for _ in range(40):
            racer = rule(learning_rate=float(10 ** rng.uniform(-4, -0.5)))
            noise = GradientNoise(float(10 ** rng.uniform(-3, 1)), seed=int(rng.integers(100)))
            start, steps = rng.uniform(low, high), int(10 ** rng.uniform(1, 3))
            trace, (ending,) = noisy_ends(landscape, racer, [start], steps, noise)
            rate, more = [racer.learning_rate], {"minima": landscape.minima, "noise": noise}
            found = sweep(landscape.loss, racer, "learning_rate", rate, [start], steps, **more)
            if np.isclose(found.losses[0, 0], trace.losses[0, -1], rtol=1e-4):
                assert found.endings[0, 0] is ending, (landscape.name, racer, noise, steps)
                seen.add(ending)
    assert {Ending.CONVERGED, Ending.HOVERING, Ending.GOING, Ending.DIVERGED} <= seen


# ---- what is measured, and the pages


def test_what_is_drawn_over_the_steps_is_of_the_gradient_that_was_followed():
    racer = SGD(learning_rate=0.01)
    run = race(HIMMELBLAU.loss, {"it": racer}, STARTS[:1], 700, noise=NOISE)["it"].run(0)
    found = gradient_norms(with_moves(HIMMELBLAU.loss, racer, run, noise=NOISE))
    followed = jax.vmap(jax.grad(HIMMELBLAU.loss))(run.positions) + NOISE.draw(700, 2)[run.steps]
    np.testing.assert_allclose(found, np.linalg.norm(followed, axis=1), rtol=1e-4, atol=1e-3)


def test_a_link_names_it_only_where_there_is_some():
    assert not {"noise", "seed"} & encode(RaceSetup()).keys()
    query = encode(SETUP)
    assert (query["noise"], query["seed"]) == (["2"], ["3"])
    assert decode(query, RaceSetup()) == (SETUP, [])


def test_without_noise_no_seed_makes_another_race():
    assert replace(SETUP, noise=0.0).gradient_noise == replace(SETUP, noise=0.0, seed=8).gradient_noise


def test_it_stands_in_the_journal_and_under_a_picture_that_is_taken_home():
    assert [*changes(replace(SETUP, noise=0.0), SETUP).values()] == ["noise: 0 → 2"]
    assert "gradient noise σ = 2, seed 3" in settings(SETUP)
    assert not any("noise" in words for words in settings(replace(SETUP, noise=0.0)))


def test_a_race_with_it_is_compiled_beside_the_one_without():
    quiet = replace(SETUP, landscape="Booth", noise=0.0, racers=(OPTIMIZERS["Momentum"](),))
    run_race(quiet)
    assert is_compiled(quiet)
    assert not is_compiled(replace(quiet, noise=1.0))
    run_race(replace(quiet, noise=1.0))
    assert is_compiled(replace(quiet, noise=7.0, seed=4))


def test_it_is_turned_on_the_page():
    app = shown(replace(SETUP, noise=0.0, seed=0))
    quiet = tracks(app)["SGD"]["x"]
    assert app.number_input(key="race-seed").disabled
    sound(app.select_slider(key="race-noise").set_value(2.0).run())
    sound(app.number_input(key="race-seed").set_value(3).run())
    assert address(app, "Ackley Race") == SETUP
    expected = race(HIMMELBLAU.loss, {"SGD": SETUP.racers[0]}, [SETUP.start], 60, noise=NOISE)["SGD"]
    np.testing.assert_array_equal(tracks(app)["SGD"]["x"], expected.positions[0, :, 0])
    assert not np.array_equal(tracks(app)["SGD"]["x"], quiet)


@pytest.mark.parametrize("show", RACE_TABS)
def test_every_tab_of_the_race_shows_it(show):
    noisy, quiet = (shown(replace(SETUP, show=show, noise=noise, curve="gradient")) for noise in (2.0, 0.0))
    assert not noisy.error
    said = {
        "race": "noisy one",
        "rates": "the same noise",
        "basins": "the noise",
        "many": "the same noise",
        "fair": "The noise",
    }[show]
    assert said in texts(noisy)
    assert said not in texts(quiet)


@pytest.mark.parametrize("seed", range(3))
def test_in_a_noisy_valley_a_rate_that_stays_hovers_at_a_loss_as_high_as_it_is_and_one_that_falls_gets_lower(seed):
    setup = replace(presets("Ackley Race")["A noisy valley: rates that stay or fall"].setup, seed=seed)

    def levels(setup):
        return [trace.losses[0, -150:].mean() for trace in run_race(setup)[0].values()]

    (large, small, falling), quieter = levels(setup), levels(replace(setup, noise=setup.noise / 2))
    assert 5 < large / small < 40  # ten times the rate, and more across the valley, where it is near its limit
    assert falling < small / 2
    np.testing.assert_allclose(quieter[0], large / 4, rtol=0.01)


@pytest.mark.parametrize("seed", range(3))
def test_a_run_that_diverges_is_said_to_and_one_that_begins_at_the_minimum_is_not(seed):
    ground, noise = reshaped(LANDSCAPES["Quadratic"], condition_number=10.0), GradientNoise(4.0, seed)
    for rate, start, diverges in ((0.202, (4.0, 4.0), True), (0.15, (0.0, 0.0), False)):
        racer = SGD(learning_rate=rate)
        _, [ending] = noisy_ends(ground, racer, [start], 200, noise)
        swept = sweep(ground.loss, racer, "learning_rate", [rate], [start], 200, minima=ground.minima, noise=noise)
        assert {ending is Ending.GROWING, swept.endings[0, 0] is Ending.GROWING} == {diverges}


def test_the_notebooks_own_run_is_judged_as_the_one_without_noise_that_it_is():
    setup = RaceSetup(noise=1.0, replay=next(iter(REPLAYS)), steps=50)
    traces, quiet = (run_race(replace(setup, noise=noise))[0] for noise in (setup.noise, 0.0))
    name = REPLAYS[setup.replay].name
    assert name in traces
    assert judged(setup, traces)[name] == judged(replace(setup, noise=0.0), quiet)[name]
