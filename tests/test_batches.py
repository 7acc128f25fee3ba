"""Mini-batches: each epoch deals out every example once, as the seed and the step alone say."""

from itertools import pairwise

import jax
import numpy as np
import pytest

from engine.batches import batch, batch_mask, batches_per_epoch, in_batch, shuffle

# examples, batch size: one at a time, even, with a smaller last batch, all but one, all, more than there are
DEALS = [(7, 1), (12, 4), (50, 16), (10, 9), (10, 10), (10, 11), (10, 1000), (1, 1), (2, 1)]


def epoch_of(seed, epoch, examples, batch_size):
    number = batches_per_epoch(examples, batch_size)
    return [batch(seed, epoch * number + i, examples, batch_size) for i in range(number)]


@pytest.mark.parametrize(("examples", "batch_size"), DEALS)
def test_every_epoch_deals_out_every_example_exactly_once(examples, batch_size):
    for seed, epoch in [(0, 0), (0, 1), (577, 3)]:
        batches = epoch_of(seed, epoch, examples, batch_size)
        np.testing.assert_array_equal(np.sort(np.concatenate(batches)), np.arange(examples))


@pytest.mark.parametrize(("examples", "batch_size"), DEALS)
def test_batches_are_full_but_for_the_last_one_of_an_epoch(examples, batch_size):
    sizes = [len(chosen) for chosen in epoch_of(3, 2, examples, batch_size)]
    assert sizes[:-1] == [batch_size] * (len(sizes) - 1)
    assert sizes[-1] == (examples % batch_size or batch_size if batch_size < examples else examples)


def test_50_examples_in_batches_of_16_are_dealt_as_16_16_16_and_2():
    assert [len(chosen) for chosen in epoch_of(0, 0, 50, 16)] == [16, 16, 16, 2]


@pytest.mark.parametrize("batch_size", [10, 11, 10**6])
def test_a_batch_of_as_many_as_there_are_or_more_is_all_of_them_in_every_step(batch_size):
    for step in range(4):
        np.testing.assert_array_equal(batch(0, step, 10, batch_size), np.arange(10))


def test_the_same_seed_and_step_look_at_the_same_examples_in_whatever_order_they_are_asked():
    steps = [0, 1, 5, 12, 13, 100]
    first = {step: batch(4, step, 50, 4) for step in steps}
    for step in reversed(steps):
        np.testing.assert_array_equal(batch(4, step, 50, 4), first[step])


def test_another_seed_another_epoch_and_another_step_look_at_other_examples():
    seen = {
        tuple(batch(seed, epoch * 13 + step, 50, 4)) for seed in range(4) for epoch in range(4) for step in range(12)
    }
    # two of 230,300 possible batches agree by chance in one such test of 12; with this seed none do
    assert len(seen) == 4 * 4 * 12


def test_a_larger_batch_of_the_same_epoch_holds_the_smaller_one():
    """The order of an epoch is the seed's alone: the batch size only says where it is cut."""
    sizes = [1, 2, 5, 20, 50]
    first = [set(batch(8, 0, 50, size).tolist()) for size in sizes]
    assert [len(chosen) for chosen in first] == sizes
    for smaller, larger in pairwise(first):
        assert smaller < larger


@pytest.mark.parametrize("step", [0, 3, 17])
def test_over_many_seeds_each_example_and_each_pair_comes_equally_often(step):
    """3 of 10 in each of 4000 batches: 1200 times each, and 267 times each pair, within five standard deviations."""
    seeds, examples, size = 4000, 10, 3

    def chosen(seed):
        return in_batch(shuffle(seed, step // batches_per_epoch(examples, size), examples), step, size)

    hits = np.asarray(jax.jit(jax.vmap(chosen))(np.arange(seeds)), float)
    expected = hits[0].sum()  # the last batch of an epoch is smaller
    assert expected == (1 if step == 3 else 3)
    one = expected / examples
    np.testing.assert_allclose(hits.sum(axis=0), seeds * one, atol=5 * np.sqrt(seeds * one * (1 - one)))
    two = one * (expected - 1) / (examples - 1)
    together = (hits.T @ hits)[np.triu_indices(examples, 1)]
    np.testing.assert_allclose(together, seeds * two, atol=5 * np.sqrt(seeds * two * (1 - two)))


def test_epochs_of_one_seed_are_shuffled_independently():
    """An example that came first does not come first again more often than by chance."""
    firsts = np.array([[batch(seed, epoch * 5, 5, 1)[0] for epoch in (0, 1)] for seed in range(400)])
    assert abs((firsts[:, 0] == firsts[:, 1]).sum() - 80) < 5 * np.sqrt(400 * 0.2 * 0.8)


def test_another_seed_step_or_batch_size_compiles_nothing(compiles):
    batch_mask.clear_cache()
    batch(0, 0, 23, 4)
    assert compiles() > 0, "the counter must see the first one to be a test"
    for seed, step, size in [(1, 0, 4), (9999, 123, 4), (0, 5, 1), (0, 5, 23), (0, 5, 99)]:
        batch(seed, step, 23, size)
    assert compiles() == 0
