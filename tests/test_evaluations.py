"""What a run has evaluated: counted as each rule asks for it, and drawn as an axis; and what a search has refused."""

import json
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from visit import floats, message, shown

from engine import LANDSCAPES, OPTIMIZERS, race
from engine.evaluations import evaluations_along, trials_along
from engine.optimizers import At
from engine.rule_text import parse_rule
from engine.scheduled import with_schedule
from ui.setup.codec import decode, encode
from ui.setup.pages import RaceSetup
from ui.setup.presets import read_query
from ui.take_home.descent import descent_of
from ui.take_home.every_step import EVALUATIONS, every_step

ROSENBROCK, START = LANDSCAPES["Rosenbrock"], (-1.2, 1.0)
HIMMELBLAU, MIDDLE = LANDSCAPES["Himmelblau"], (1.0, 2.5)
ASKING = [rule for rule in OPTIMIZERS.values() if rule.takes_at]
SEARCHING = [rule for rule in ASKING if "shrink" in {knob.name for knob in rule.knobs()}]


def run_of(racer, steps, loss=ROSENBROCK.loss, start=START, **options):
    return race(loss, {"it": racer}, [start], steps, **options)["it"].run(0)


class Counting(At):
    """Tells a rule what it asks for, and remembers where it asked for what."""

    def __init__(self, step, x, gradient, loss, asked):
        for name, part in {"step": step, "x": x, "here": gradient, "function": loss, "asked": asked}.items():
            object.__setattr__(self, name, part)

    def note(self, kind, x):
        self.asked[kind].add(np.asarray(x).tobytes())

    @property
    def loss(self):
        return self.value(self.x)

    def value(self, x):
        self.note("f", x)
        return self.function(x)

    def gradient(self, x):
        self.note("g", x)
        return jax.grad(self.function)(x)

    def hessian(self, x):
        self.note("H", x)
        return jax.hessian(self.function)(x)


@pytest.mark.parametrize("rule", ASKING, ids=lambda rule: rule.name)
def test_what_a_rule_asks_for_is_what_is_counted(rule):
    """A value at a point where it was asked for before is known already: a search begins where the last one ended."""
    steps, asked = 3, {"f": set(), "g": set(), "H": set()}
    racer, x = jax.tree.map(jnp.float32, rule()), jnp.array(MIDDLE)
    state = racer.init(x)
    with jax.disable_jit():
        for step in range(steps):
            gradient = jax.grad(HIMMELBLAU.loss)(x)
            at = Counting(step, x, gradient, HIMMELBLAU.loss, asked)
            move, after = racer.update(gradient, state, x, at)
            elsewhere = Counting(step, x, gradient, HIMMELBLAU.loss, {"f": set(), "g": set(), "H": set()})
            if (racer.update(-1e6 * gradient, state, x, elsewhere)[0] != move).any():
                at.note("g", x)  # it goes by the gradient that it was handed
            state, x = after, x + move
    count = evaluations_along(HIMMELBLAU.loss, rule(), run_of(rule(), steps, HIMMELBLAU.loss, MIDDLE))[-1]
    assert list(count[:2]) == [len(asked["f"]), len(asked["g"])]
    kept_for = vars(rule()).get("refresh_interval", 1)  # Sophia asks in each step, and takes what is new in some alone
    assert count[2] == np.ceil(len(asked["H"]) / kept_for)


def test_sophia_looks_at_the_hessian_in_each_kth_step_alone():
    run = run_of(OPTIMIZERS["Sophia"](refresh_interval=3.0), 10)
    count = evaluations_along(ROSENBROCK.loss, OPTIMIZERS["Sophia"](refresh_interval=3.0), run)
    np.testing.assert_array_equal(count[:, 2], np.ceil(np.arange(11) / 3))
    np.testing.assert_array_equal(count[:, :2], np.stack([np.zeros(11), np.arange(11)], axis=1))


def test_a_rule_that_asks_for_nothing_takes_a_gradient_a_step_until_it_ends_and_a_typed_one_the_loss_it_uses():
    lost = run_of(OPTIMIZERS["SGD"](learning_rate=1.0), 40)
    count = evaluations_along(ROSENBROCK.loss, OPTIMIZERS["SGD"](), lost)
    np.testing.assert_array_equal(count[:, 1], np.minimum(lost.steps, lost.stopped))
    typed = parse_rule("x = x - 1e-6 f g")()
    np.testing.assert_array_equal(evaluations_along(ROSENBROCK.loss, typed, run_of(typed, 5))[-1], [5, 5, 0])
    scheduled = with_schedule(OPTIMIZERS["SAM"](learning_rate=1e-4), "cosine")
    np.testing.assert_array_equal(evaluations_along(ROSENBROCK.loss, scheduled, run_of(scheduled, 5))[-1], [0, 10, 0])


def test_of_a_thinned_run_what_is_evaluated_between_its_records_counts_too():
    racer = OPTIMIZERS["Backtracking"]()
    every, thinned = run_of(racer, 500), run_of(racer, 900)
    assert thinned.steps[1] == 3
    whole, some = (evaluations_along(ROSENBROCK.loss, racer, run) for run in (every, thinned))
    np.testing.assert_allclose(some[:100], whole[::3][:100], rtol=0.01)
    assert whole[-1, 0] > 2 * 500


@pytest.mark.parametrize("rule", SEARCHING, ids=lambda rule: rule.name)
def test_each_trial_that_was_refused_did_not_lower_the_loss_by_enough_and_the_step_made_does(rule):
    racer = rule(share=0.2)
    run = run_of(racer, 12)
    trials = trials_along(ROSENBROCK.loss, racer, run)
    assert trials.rejected[:-1].max() > 2
    assert trials.rejected[-1] == 0
    with jax.enable_x64(True):
        loss, slope = jax.jit(ROSENBROCK.loss), jax.jit(jax.grad(ROSENBROCK.loss))
        for x, move, rejected in zip(*(part[:-1].astype(float) for part in (run.positions, *trials[:2])), strict=True):
            longer = [move * racer.shrink**-count for count in range(int(rejected) + 1)]
            enough = [bool(loss(x + way) <= loss(x) + 0.2 * slope(x) @ way) for way in longer]
            assert enough == [True] + [False] * int(rejected)
    np.testing.assert_allclose(
        trials.moves[0] * racer.shrink ** -float(trials.rejected[0]), -jax.grad(ROSENBROCK.loss)(jnp.array(START))
    )


def test_who_does_not_search_has_no_trials():
    for name in ("SGD", "Newton", "Polyak"):
        assert trials_along(ROSENBROCK.loss, OPTIMIZERS[name](), run_of(OPTIMIZERS[name](), 3)) is None


# ---- on the page


SETUP = RaceSetup(
    landscape="Rosenbrock",
    start=START,
    steps=30,
    racers=(*(OPTIMIZERS[name](learning_rate=1e-3) for name in ("SGD", "SAM")), OPTIMIZERS["BFGS"]()),
)


def told_by(setup):
    return json.loads(message(shown(setup), "race-stage").json)


def test_the_loss_is_drawn_over_the_evaluations_where_the_link_says_so():
    assert "over" not in encode(SETUP)
    over = replace(SETUP, over="evaluations")
    assert decode(encode(over), RaceSetup()) == (over, [])
    page = shown(over)
    told = json.loads(message(page, "race-stage").json)
    (curve,) = [view for view in told["views"] if view["name"] == "loss"]
    assert curve["path"] == ["evaluations", "loss"]
    assert [number["key"] for number in told["numbers"]] == ["x", "y", "loss", "evaluations"]
    sgd, sam, bfgs = (floats(track["values"]["evaluations"]) for track in told["tracks"])
    np.testing.assert_array_equal(sgd, np.arange(31))
    np.testing.assert_array_equal(sam, 2 * np.arange(31))
    assert (np.diff(bfgs) >= 2).all()
    figure = json.loads(curve["figure"])
    assert figure["layout"]["xaxis"]["title"]["text"] == "evaluations"
    assert figure["layout"]["xaxis"]["range"] == [0, max(60, bfgs[-1])]
    (words,) = [part.value for part in page.caption if "Evaluations" in part.value]
    assert "SGD: 30 g; SAM: 60 g; BFGS: " in words


def test_the_leaderboard_has_what_each_has_evaluated_where_curves_are_drawn_over_that():
    for setup, is_there in ((SETUP, False), (replace(SETUP, over="evaluations"), True)):
        (table,) = (one.value for one in shown(setup).dataframe if "final loss" in one.value)
        assert ("evaluations" in table) == is_there
    assert dict(zip(table["racer"], table["evaluations"], strict=True)) | {"BFGS": 0} == {
        "SGD": 30,
        "SAM": 60,
        "BFGS": 0,
    }


def test_where_the_knobs_of_the_racers_are_hidden_the_crosses_that_would_tell_them_are_not_sent():
    told = told_by(replace(SETUP, hide=("racer",)))
    assert not any("shrink" in track["values"] for track in told["tracks"])


def test_over_the_steps_the_curve_is_as_it_was():
    told = told_by(SETUP)
    (curve,) = [view for view in told["views"] if view["name"] == "loss"]
    assert curve["path"] == ["step", "loss"]
    assert not any("evaluations" in track["values"] for track in told["tracks"])


def test_the_map_is_sent_what_a_search_has_refused():
    told = told_by(SETUP)
    (drawn,) = [view for view in told["views"] if "trials" in view]
    assert drawn["name"] == "map"
    *others, bfgs = told["tracks"]
    assert not any(set(drawn["trials"]) & set(track["values"]) for track in others)
    across, up, rejected, shrink = (floats(bfgs["values"][name]) for name in drawn["trials"])
    x, y = (floats(bfgs["values"][name]) for name in "xy")
    np.testing.assert_allclose(np.stack([np.diff(x), np.diff(y)]), np.stack([across, up])[:, :-1], atol=1e-5)
    assert rejected.max() >= 5
    assert (shrink == 0.5).all()


def test_the_csv_counts_what_was_evaluated_until_each_step_begins():
    table = every_step(descent_of(SETUP)).set_index("racer")[[*EVALUATIONS]]
    np.testing.assert_array_equal(table.loc["SGD"].to_numpy(), np.outer(np.arange(31), [0, 1, 0]))
    assert (table.loc["BFGS"][EVALUATIONS[0]].diff()[1:] >= 1).all()


def test_where_the_knobs_are_hidden_no_count_of_a_search_tells_them():
    setup, notes = read_query("Ackley Race", {"over": ["evaluations"], "hide": ["racer"], "racer": ["BFGS"]})
    assert setup.over == "steps"
    assert [note.startswith("over `evaluations` would tell") for note in notes] == [True]
