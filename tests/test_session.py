"""A visitor's session on each page: after the first look, whatever is turned compiles nothing."""

from dataclasses import replace

import numpy as np
import pytest
from visit import shown

from engine import LANDSCAPES, OPTIMIZERS, race
from engine.descent import MAX_RECORDS
from ui.setup.pages import MAX_ITERATIONS, MAX_STEPS, SETUPS

RACE, REGRESSION, FIT, GRADIENTS = (
    SETUPS[page]() for page in ("Ackley Race", "2D Regression", "Linear Fit", "Gradients")
)


def turned(racers, share):
    """Every knob of a line-up at some share of its range."""
    return tuple(
        replace(racer, **{k.name: k.low + share * (k.high - k.low) for k in racer.knobs() if not k.is_switch})
        for racer in racers
    )


# no other test has these functions: what was kept of a first look would hide that its program had to make room
STRAIGHT = replace(GRADIENTS, f="own", own="5x - 0.125")
SLOPED = replace(GRADIENTS, part="differences", f="own", own="sin(x) + 0.125", low=-5.0, high=5.0)
NOISY = replace(FIT, data="noisy line", batch=4)
PAIR, FITTED = (replace(setup, racers=setup.racers[:2]) for setup in (RACE, REGRESSION))

# what may compile at its first look, and what is then changed in it
SESSIONS = {
    "Ackley Race": (
        PAIR,
        [
            *({"start": start} for start in ((1.0, -2.0), (0.0, 0.0), (900.0, -900.0))),
            *({"steps": steps} for steps in (1, 7, 450, MAX_STEPS)),
            *({"racers": turned(PAIR.racers, share)} for share in (0.1, 0.9)),
            {"loss": "log"},
            {"view": "wide"},
        ],
    ),
    "its own landscape": (
        replace(PAIR, landscape="own", own="x^2 + 3y^2 + x y"),
        [
            {"start": (1.0, -2.0), "steps": 70},
            {"racers": turned(PAIR.racers, 0.1)},
            {"loss": "log", "view": "wide"},
            {"across": (-4.0, 7.0), "up": (-1.0, 1.0)},
        ],
    ),
    "its learning rates": (
        replace(PAIR, show="rates"),
        [{"racers": turned(PAIR.racers, 0.4), "start": (2.0, 1.0), "steps": 90}],
    ),
    "its basins": (
        replace(PAIR, show="basins", points=16),
        [{"racers": turned(PAIR.racers, 0.4), "points": 40, "steps": 90}],
    ),
    "2D Regression": (
        replace(FITTED, batch=5),
        [
            *({"batch": size} for size in (1, 7, 49)),
            *({"noise": noise} for noise in (1.0, 60.0)),
            *({"steps": steps} for steps in (1, 33, MAX_ITERATIONS)),
            {"seed": 3, "start": (2.0, -8.0)},
            {"racers": turned(FITTED.racers, 0.2), "tolerance": 0.5},
        ],
    ),
    "2D Regression on all examples": (
        replace(FITTED, batch=0),
        [{"noise": noise, "seed": seed, "steps": 90} for noise, seed in ((0.0, 1), (7.0, 2))],
    ),
    "Linear Fit": (
        NOISY,
        [
            *({"batch": size, "deal": size} for size in (1, 9)),
            *({"noise": noise, "seed": 5} for noise in (0.5, 20.0)),
            {"slope": -3.0, "intercept": 1.0, "theta": 40.0},
            {"rate": 1e-4, "steps": 1},
            {"rate": 0.3, "tolerance": 0.1, "steps": MAX_STEPS},
        ],
    ),
    "Gradients": (STRAIGHT, [{"x0": 0.5}, {"x0": 9.0}]),
    "its finite differences": (SLOPED, [{"x0": 1.0, "h": 0.1}, {"x0": 2.0, "h": 1e-5}]),
    "its loss": (replace(GRADIENTS, part="loss"), [{"theta": -1.0}, {"theta": 6.0}]),
}


@pytest.mark.parametrize("session", SESSIONS.values(), ids=SESSIONS)
def test_a_session_compiles_nothing_after_its_first_look(session, compiled):
    first, changes = session
    shown(first)
    compiled.clear()
    for change in changes:
        shown(replace(first, **change))
        assert not compiled, f"{change} had {len(compiled)} programs compiled"


def test_steps_up_to_a_hundred_thousand_and_starts_within_a_bucket_compile_nothing(compiles, rule):
    bowl = LANDSCAPES["Bowl"]
    starts = np.random.default_rng(0).uniform(-5, 5, (8, 2))  # runs go together as 2, 8, 32, ...
    race(bowl.loss, {"it": rule()}, starts, 3, minima=bowl.minima)
    compiles()
    for steps, runs in ((1, 3), (500, 5), (501, 7), (100_000, 8)):
        found = race(bowl.loss, {"it": rule()}, starts[:runs], steps, minima=bowl.minima)["it"]
        assert found.positions.shape[:2] == (runs, len(found.steps))
        assert found.steps[-1] == steps
        assert len(found.steps) <= MAX_RECORDS + 1
    assert compiles() == 0


def test_another_landscape_and_another_optimizer_compile_themselves_alone(compiles):
    ackley, ravine = LANDSCAPES["Ackley"], LANDSCAPES["Ravine"]
    pair = {name: OPTIMIZERS[name]() for name in ("SGD", "Adam")}
    start = [[1.5, 1.0]] * 3  # a bucket that no other test of these two needs
    for loss in (ackley.loss, ravine.loss):
        race(loss, pair, start, 3)
    compiles()
    own = lambda x: ackley.loss(x) + 0.25 * ravine.loss(x)  # noqa: E731
    race(own, pair, start, 3)
    assert compiles() == len(pair)
    race(own, {**pair, "Lion": OPTIMIZERS["Lion"]()}, start, 3)
    assert compiles() == 1
