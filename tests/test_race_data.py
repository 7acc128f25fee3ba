"""The race on data: mini-batches, a seed or data for each run, and the end where the loss no longer changes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine import LANDSCAPES, OPTIMIZERS, race
from engine.batches import batch
from engine.descent import MIN_QUIET_STEPS
from engine.optimizers import update_at
from engine.problems import Fit, mean_squared_error

SGD, MOMENTUM, ADAM = (OPTIMIZERS[name] for name in ("SGD", "Momentum", "Adam"))
BOWL = LANDSCAPES["Bowl"]
EXAMPLES, START = 14, (0.5, -2.0)


def fit(seed):
    """A plane through noisy points, of a size that every optimizer can descend with its own learning rate."""
    rng = np.random.default_rng(seed)
    features = rng.uniform(-1, 1, (EXAMPLES, 2)).astype(np.float32)
    true = features @ (1.0, -0.5) + rng.normal(0, 0.3, EXAMPLES)
    return Fit(features, true.astype(np.float32))


FIT = fit(0)


@jax.jit
def step_on(optimizer, memory, x, features, true):
    """The move of a rule and its memory after it, on these examples alone."""

    def loss(x):
        return mean_squared_error(x, features, true)

    return update_at(optimizer, jax.grad(loss)(x), memory, x, jnp.array(0), loss(x), loss)


def run(optimizer=None, starts=(START,), steps=40, loss=mean_squared_error, data=FIT.data, **rest):
    optimizer = SGD(learning_rate=0.1) if optimizer is None else optimizer
    return race(loss, {"it": optimizer}, starts, steps, data=data, **rest)["it"]


def assert_identical(one, other):
    for part in ("positions", "losses", "stopped_at", "settled_at", "best_losses", "path_lengths"):
        np.testing.assert_array_equal(getattr(one, part), getattr(other, part), err_msg=part)


def assert_same_but_for_rounding(one, other):
    """2, 8 or 32 runs side by side are compiled each on their own, and XLA sums up the examples in another order."""
    np.testing.assert_allclose(one.positions, other.positions, rtol=0, atol=2e-6)
    np.testing.assert_allclose(one.losses, other.losses, rtol=1e-5)
    np.testing.assert_array_equal(one.stopped_at, other.stopped_at)
    np.testing.assert_array_equal(one.settled_at, other.settled_at)


# Mini-batches


@pytest.mark.parametrize("batch_size", [1, 4])
def test_a_run_in_batches_goes_where_a_plain_loop_over_those_examples_goes(rule, batch_size):
    """14 examples by 4: each fourth batch has two, and its mean is over two.

    For a little over an epoch of single examples: after more steps, rules that leap have made much of a last digit.
    """
    trace = run(rule(), batch_size=batch_size, seeds=5)
    x = jnp.asarray(START)
    memory, path = rule().init(x), [x]
    for step in range(16):
        chosen = batch(5, step, EXAMPLES, batch_size)
        move, memory = step_on(rule(), memory, x, FIT.features[chosen], FIT.true[chosen])
        x = x + move
        path.append(x)
    # who solves equations of a few examples makes more of a last digit
    tolerance = 1e-3 if rule.__module__.endswith(".newton") else 1e-5
    np.testing.assert_allclose(trace.positions[0, :17], np.stack(path), rtol=0, atol=tolerance)


@pytest.mark.parametrize("batch_size", [None, 1, 4, 14])
def test_the_losses_are_those_of_all_examples(batch_size):
    trace = run(batch_size=batch_size)
    np.testing.assert_allclose(trace.losses[0], FIT.losses(trace.positions[0]), rtol=1e-5)
    assert trace.best_losses[0] == trace.losses[0].min()


@pytest.mark.parametrize("batch_size", [EXAMPLES, EXAMPLES + 1, 10**6])
@pytest.mark.parametrize("optimizer", [SGD(learning_rate=0.1), MOMENTUM(), ADAM()], ids=lambda it: it.name)
def test_a_batch_of_all_examples_is_a_race_without_batches(optimizer, batch_size):
    assert_same_but_for_rounding(run(optimizer, batch_size=batch_size), run(optimizer))


def test_a_smaller_batch_goes_another_way():
    """Else the tests above would hold of a race that ignores the batch size."""
    assert np.abs(run(batch_size=4).positions - run().positions).max() > 0.05


def test_batches_follow_the_steps_also_when_a_race_is_thinned():
    every, thinned = run(batch_size=4, steps=500), run(batch_size=4, steps=1200)
    assert thinned.steps[1] == 3
    np.testing.assert_array_equal(thinned.positions[0, : 500 // 3], every.positions[0, : 500 - 2 : 3])


# A seed for each run


def test_a_race_in_batches_can_be_repeated_and_another_seed_goes_another_way():
    assert_identical(run(batch_size=2, seeds=3), run(batch_size=2, seeds=3))
    assert np.abs(run(batch_size=2, seeds=3).positions - run(batch_size=2, seeds=4).positions).max() > 0.1


@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize("runs", [2, 20])
def test_each_run_of_many_seeds_is_the_race_with_that_seed(runs, batch_size):
    seeds = np.arange(runs) * 11
    crowd = run(ADAM(), [START] * runs, batch_size=batch_size, seeds=seeds)
    assert len({path.tobytes() for path in crowd.positions}) == runs
    for i in {0, 1, runs - 1}:
        assert_same_but_for_rounding(run(ADAM(), batch_size=batch_size, seeds=int(seeds[i])), part_of(crowd, i))


def part_of(trace, i):
    """One run of a trace."""
    parts = {name: value if name == "steps" else value[i : i + 1] for name, value in vars(trace).items()}
    return type(trace)(**parts)


@pytest.mark.parametrize("own_data", [False, True])
@pytest.mark.parametrize("batch_size", [None, 4])
def test_neither_its_neighbours_nor_its_place_among_them_change_a_run_by_a_bit(batch_size, own_data):
    """As long as they are about as many: 3 to 8 runs go side by side as 8."""
    rng = np.random.default_rng(1)
    starts, seeds = rng.uniform(-2, 2, (8, 2)), rng.integers(0, 99, 8)
    fits = [fit(i) for i in range(8)]

    def some(chosen, starts=starts):
        data = [np.stack(parts) for parts in zip(*(fits[i].data for i in chosen), strict=True)]
        return run(
            ADAM(),
            starts[chosen],
            data=data if own_data else FIT.data,
            own_data=own_data,
            batch_size=batch_size,
            seeds=seeds[chosen],
        )

    crowd = some(np.arange(8))
    backwards, few = some(np.arange(8)[::-1]), some(np.array([6, 2, 4]))
    for i in range(8):
        assert_identical(part_of(backwards, 7 - i), part_of(crowd, i))
    for place, i in enumerate((6, 2, 4)):
        assert_identical(part_of(few, place), part_of(crowd, i))
    wild = starts.copy()
    wild[3] = np.nan
    beside = some(np.arange(8), wild)
    assert beside.stopped_at[3] == 0
    for i in (0, 2, 4, 7):
        assert_identical(part_of(beside, i), part_of(crowd, i))


def test_one_seed_for_all_runs_deals_them_the_same_batches():
    trace = run(starts=[START] * 3, batch_size=1, seeds=7)
    np.testing.assert_array_equal(trace.positions[1:], trace.positions[:2])
    assert_identical(run(starts=[START] * 3, batch_size=1, seeds=[7, 7, 7]), trace)
    assert_identical(run(starts=[START] * 3, batch_size=1, seeds=np.array([7])), trace)


def test_seeds_change_nothing_without_batches():
    starts = [START, (1.0, 1.0), (0.0, 0.0)]
    assert_identical(run(starts=starts, seeds=[1, 2, 3]), run(starts=starts))
    assert_identical(run(starts=starts, seeds=99), run(starts=starts))


# Data for each run


@pytest.mark.parametrize("batch_size", [None, 4])
@pytest.mark.parametrize("runs", [1, 2, 5])
def test_each_run_with_data_of_its_own_is_the_race_on_that_data(runs, batch_size):
    fits = [fit(i) for i in range(runs)]
    data = [np.stack(parts) for parts in zip(*(each.data for each in fits), strict=True)]
    seeds = np.arange(runs) + 20
    crowd = run(ADAM(), [START] * runs, data=data, own_data=True, batch_size=batch_size, seeds=seeds)
    assert len({path.tobytes() for path in crowd.positions}) == runs
    for i, own in enumerate(fits):
        alone = run(ADAM(), data=own.data, batch_size=batch_size, seeds=int(seeds[i]))
        assert_same_but_for_rounding(alone, part_of(crowd, i))


# The end


def first_quiet(losses, tolerance, long_enough, epoch):
    """The end of an epoch at which a loss has stayed that close to one of its values for long, by a plain loop."""
    since = 0
    for step in range(1, len(losses)):
        if abs(float(losses[step]) - float(losses[since])) >= tolerance:
            since = step
        elif step - since >= long_enough and step % epoch == 0:
            return step
    return -1


@pytest.mark.parametrize(
    ("optimizer", "batch_size", "long_enough"),
    [
        (SGD(learning_rate=0.1), None, 1),  # the notebook's rule
        (SGD(learning_rate=0.02), 5, 3),  # an epoch of 14 examples
        (SGD(learning_rate=0.01), 1, EXAMPLES),
        (MOMENTUM(), None, MIN_QUIET_STEPS),  # it has a memory, and may only be turning round
        (ADAM(learning_rate=0.02), 7, MIN_QUIET_STEPS),
        (MOMENTUM(learning_rate=0.001), 1, EXAMPLES),
    ],
    ids=lambda it: getattr(it, "name", str(it)),
)
def test_a_run_ends_once_its_loss_has_hardly_changed_for_an_epoch(optimizer, batch_size, long_enough):
    """The first time, not later: in batches the loss may change more again afterwards."""
    starts = [START, (4.0, 4.0), (-3.0, 0.0)]
    tolerance = 1e-3 if batch_size is None else 2e-2
    free = run(optimizer, starts=starts, steps=500, batch_size=batch_size)
    ended = run(optimizer, starts=starts, steps=500, batch_size=batch_size, tolerance=tolerance)
    np.testing.assert_array_equal(free.settled_at, -1)
    epoch = -(-EXAMPLES // batch_size) if batch_size else 1
    expected = np.array([first_quiet(losses, tolerance, long_enough, epoch) for losses in free.losses])
    for nearly in (1 - 1e-4, 1 + 1e-4):
        same = [first_quiet(losses, nearly * tolerance, long_enough, epoch) for losses in free.losses]
        np.testing.assert_array_equal(same, expected, "none so close to the tolerance that rounding decides")
    np.testing.assert_array_equal(ended.settled_at, expected)
    assert (expected > long_enough).all()
    for i, end in enumerate(expected):
        np.testing.assert_array_equal(ended.positions[i, : end + 1], free.positions[i, : end + 1])
        np.testing.assert_array_equal(ended.losses[i, : end + 1], free.losses[i, : end + 1])
        np.testing.assert_array_equal(ended.positions[i, end:], free.positions[i, end, None].repeat(501 - end, axis=0))
        np.testing.assert_array_equal(ended.losses[i, end:], free.losses[i, end])
        way = np.linalg.norm(np.diff(ended.positions[i].astype(float), axis=0), axis=1).sum()
        np.testing.assert_allclose(ended.path_lengths[i], way, rtol=1e-5)
        np.testing.assert_array_equal(ended.best_losses[i], free.losses[i, : end + 1].min())


@pytest.mark.parametrize("seed", range(6))
def test_an_example_that_happens_to_fit_does_not_end_a_run(seed):
    """One example a step, and half of them lie at x = 0, where no slope has anything to say."""
    x = np.array([0, 1, 0, 2, 0, 3, 0, 4], np.float32)
    loss_of = Fit(x[:, None], 3 * x + np.array([1, 0.5, -1, 0, 2, -0.5, 0, 1], np.float32))
    trace = run(
        SGD(learning_rate=0.01), starts=[(0.0,)], steps=60, data=loss_of.data, batch_size=1, seeds=seed, tolerance=1e-6
    )
    moved = np.abs(np.diff(trace.losses[0])) > 0
    assert not moved.all(), "a quiet step must be there to be a test"
    assert trace.settled_at[0] == -1
    assert abs(trace.positions[0, -1, 0] - loss_of.minimum()[0]) < 0.5


@pytest.mark.parametrize("seed", range(20))
def test_quiet_steps_at_the_end_of_one_epoch_and_the_start_of_the_next_do_not_end_a_run(seed):
    """Of two examples one is quiet. Shuffled anew, it often comes twice in a row."""
    data = np.array([[0.0], [1.0]], np.float32), np.array([1.0, 5.0], np.float32)
    trace = run(SGD(learning_rate=0.1), [(0.0,)], 200, data=data, batch_size=1, seeds=seed, tolerance=1e-4)
    assert trace.positions[0, -1, 0] == pytest.approx(5, abs=0.02)


def test_a_thinned_race_settles_at_the_very_same_step():
    """Between two records, and it stands still from the next one."""
    every = run(SGD(learning_rate=0.01), steps=500, tolerance=3.1e-4)
    thinned = run(SGD(learning_rate=0.01), steps=1999, tolerance=3.1e-4)
    assert every.settled_at[0] > 0
    assert every.settled_at[0] % thinned.steps[1] != 0, "it must lie between two records to be a test"
    np.testing.assert_array_equal(thinned.settled_at, every.settled_at)
    stands = thinned.steps >= every.settled_at[0]
    np.testing.assert_array_equal(thinned.positions[0, stands], every.positions[0, -1:].repeat(stands.sum(), axis=0))


def test_a_tolerance_of_0_never_ends_a_run_even_one_that_no_longer_moves():
    trace = run(loss=BOWL.loss, data=(), starts=[(0.0, 0.0), (1.0, 1.0)], steps=2000)
    assert trace.losses[0, -1] == trace.losses[0, -2]
    np.testing.assert_array_equal(trace.settled_at, -1)


def test_a_start_at_rest_settles_with_its_first_step_and_not_before():
    trace = run(loss=BOWL.loss, data=(), starts=[(0.0, 0.0)], tolerance=1e-9)
    assert trace.settled_at[0] == 1


def test_a_run_that_stops_or_keeps_changing_has_not_settled():
    wild, slow, calm = (
        run(
            SGD(learning_rate=3.0),
            loss=BOWL.loss,
            data=(),
            starts=[(1.0, 0.0)],
            steps=200,
            tolerance=1e-2,
        ),
        run(steps=3, tolerance=1e-6),
        run(steps=500, tolerance=1e-6),
    )
    assert (wild.stopped_at[0], wild.settled_at[0]) == (64, -1)
    assert (slow.stopped_at[0], slow.settled_at[0]) == (-1, -1)
    assert calm.stopped_at[0] == -1
    assert calm.settled_at[0] > 3


def test_a_run_that_settled_does_not_stop_where_its_next_step_would_leave_the_numbers():
    """A loss with a flat shelf from 0 to 1, and nothing beyond: the second step would be into it."""

    def shelf(x):
        return jnp.where(x[0] < 1, 1.0 + 0 * x[0], jnp.nan) + jnp.where(x[0] < 1, -1e-6 * x[0], 0)

    free = run(SGD(learning_rate=4e5), loss=shelf, data=(), starts=[(0.0,)], steps=10)
    ended = run(SGD(learning_rate=4e5), loss=shelf, data=(), starts=[(0.0,)], steps=10, tolerance=1e-3)
    assert (free.stopped_at[0], free.settled_at[0]) == (3, -1)
    assert (ended.stopped_at[0], ended.settled_at[0]) == (-1, 1)


# Nothing is compiled twice


def test_moving_batch_size_seed_tolerance_data_or_steps_compiles_nothing(compiles):
    few, own = FIT.subset(np.arange(9)), lambda *of: mean_squared_error(*of)
    run(ADAM(), loss=own, data=few.data, batch_size=2)
    assert compiles() > 0, "the counter must see the first race to be a test"
    for changes in (
        {"batch_size": 1},
        {"batch_size": 9},
        {"batch_size": 500},
        {"batch_size": 2, "seeds": 9},
        {"batch_size": 2, "seeds": [9]},
        {"batch_size": 2, "seeds": np.array([9])},
        {"batch_size": 2, "tolerance": 1e-2},
        {"batch_size": 2, "tolerance": 1},
        {"batch_size": 2, "data": FIT.subset(np.arange(5, 14)).data},
        {"batch_size": 2, "data": [part.tolist() for part in few.data]},
        {"batch_size": 2, "steps": 1000},
        {"batch_size": 2, "starts": [(3, 4), (5, 6)], "seeds": [1, 2]},
    ):
        run(ADAM(), loss=own, **{"data": few.data} | changes)
    assert compiles() == 0


def test_moving_seeds_or_data_of_each_run_compiles_nothing(compiles):
    few, own = FIT.subset(np.arange(8)), lambda *of: mean_squared_error(*of)
    data = [np.stack([part, part]) for part in few.data]
    run(ADAM(), [START] * 2, loss=own, data=data, own_data=True, batch_size=2, seeds=[0, 1])
    assert compiles() > 0
    other = [np.stack([part + 1, part - 1]) for part in few.data]
    run(ADAM(), [START] * 2, loss=own, data=other, own_data=True, batch_size=5, seeds=[8, 9], tolerance=0.1)
    assert compiles() == 0


# What it refuses


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"batch_size": 0}, "batch_size is 0. Give data, and batches of at least 1 example."),
        ({"batch_size": -3}, "batch_size is -3. Give data"),
        ({"batch_size": 4, "data": ()}, "batch_size is 4. Give data"),
        ({"seeds": [1, 2, 3]}, "There are 3 seeds for 2 runs. Give one for all, or one each."),
        ({"seeds": []}, "There are 0 seeds for 2 runs"),
        ({"seeds": 2**31}, "seeds is 2147483648. Give whole numbers of at most 2,147,483,647."),
        ({"seeds": [1, 0.5]}, "Give whole numbers"),
        ({"own_data": True}, r"data has shapes \[\(14, 2\), \(14,\)\]. With own_data, each begins with 2 runs."),
        ({"own_data": True, "data": (1.0,)}, r"data has shapes \[\(\)\]. With own_data"),
        ({"own_data": True, "data": (np.ones((2, 4)), np.ones((3, 4)))}, r"data has shapes \[\(2, 4\), \(3, 4\)\]"),
        ({"batch_size": 2, "data": (np.ones((5, 2)), np.ones(4))}, r"data has shapes \[\(5, 2\), \(4,\)\]"),
        ({"batch_size": 2, "data": (np.ones((0, 2)), np.ones(0))}, r"data has shapes .* and at least 1\."),
        ({"batch_size": 2, "data": (np.ones((5, 2)), 1.0)}, r"data has shapes \[\(5, 2\), \(\)\]"),
        (
            {"batch_size": 2, "own_data": True, "data": (np.ones((2, 5, 2)), np.ones((2, 4)))},
            r"data has shapes \[\(2, 5, 2\), \(2, 4\)\]. .* as many examples",
        ),
    ],
)
def test_refuses_what_cannot_be_run_and_says_what_fits(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        run(**{"starts": [START, START], "steps": 3} | changes)
