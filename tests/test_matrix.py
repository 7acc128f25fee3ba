"""Rules that take 64 parameters for a matrix, and where they differ from the others: an associative memory."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from engine import OPTIMIZERS, race
from engine.associative import FREQUENCIES, KEYS, SIDE, VALUES, associative_memory
from engine.many import PROBLEMS, race_from_many
from engine.optimizers.matrix import orthogonalize
from ui.race.pairs import learned_at

MEMORY, STEPS = PROBLEMS["Associative memory"], 500
START = np.random.default_rng(5).uniform(-1, 1, SIDE**2).astype(np.float32)


def path(racer):
    return race(associative_memory, {"it": racer}, [START], STEPS)["it"].positions[0]


def test_the_rounds_take_all_singular_values_near_1_and_keep_the_directions(rng):
    matrix = rng.normal(size=(SIDE, SIDE))
    left, sizes, right = np.linalg.svd(matrix)
    turned = left.T @ np.asarray(orthogonalize(jnp.float32(matrix))) @ right.T
    assert sizes.max() / sizes.min() > 10
    assert 0.6 < np.diag(turned).min() <= np.diag(turned).max() < 1.25
    np.testing.assert_allclose(turned, np.diag(np.diag(turned)), atol=1e-3)


def test_muon_walks_500_steps_on_a_matrix_beside_the_parts_of_optax_s():
    """Its rounds of Newton and Schulz, after momentum that is not corrected for its start. At a gentle rate: near the
    minimum, where it goes to and fro, a difference in the last digit grows.
    """
    ahead, rounds = optax.trace(0.95, nesterov=True), optax.contrib.scale_by_muon(beta=0.0, nesterov=False)

    def step(carry, _):
        x, state = carry
        way, state = ahead.update(jax.grad(associative_memory)(x), state)
        matrix = way.reshape(SIDE, SIDE)
        x = x - 0.005 * rounds.update(matrix, rounds.init(matrix))[0].ravel()
        return (x, state), x

    start = jnp.asarray(START)
    theirs = jax.jit(lambda: jax.lax.scan(step, (start, ahead.init(start)), length=STEPS)[1])()
    np.testing.assert_allclose(path(OPTIMIZERS["Muon"](learning_rate=0.005))[1:], theirs, rtol=0, atol=1e-5)


def test_shampoo_walks_500_steps_where_its_formula_goes_in_64_bits():
    racer = OPTIMIZERS["Shampoo"](learning_rate=0.1, eps=1e-4)
    rate, eps = (float(np.float32(knob)) for knob in (racer.learning_rate, racer.eps))
    keys, values, often = (part.astype(float) for part in (KEYS, VALUES, FREQUENCIES))
    x, left, right, expected = START.astype(float).reshape(SIDE, SIDE), eps * np.eye(SIDE), eps * np.eye(SIDE), []

    def root(matrix):
        sizes, directions = np.linalg.eigh(matrix)
        return directions * np.maximum(sizes, 1e-4 * sizes[-1]) ** -0.25 @ directions.T

    for _ in range(STEPS):
        gradient = (x @ keys.T - values.T) * often @ keys
        left, right = left + gradient @ gradient.T, right + gradient.T @ gradient
        x = x - rate * root(left) @ gradient @ root(right)
        expected.append(x.ravel())
    np.testing.assert_allclose(path(racer)[1:], expected, rtol=0, atol=1e-4)


def tuned(name, **knobs):
    """The steps after which the most frequent and the rarest pair are learned, with the best of 13 learning rates.

    Those are from 0.001 to 1, for each rule alike; the best one has the lowest median loss after 100 steps. A pair that
    is not learned by then counts as learned at the end.
    """
    rates = np.geomspace(0.001, 1, 13)
    tried = [
        race_from_many(MEMORY, OPTIMIZERS[name](learning_rate=float(rate), **knobs), MEMORY.dim, 8, 0, 100)
        for rate in rates
    ]
    best = min(tried, key=lambda runs: runs.losses[1, -1])
    return [learned_at(best, pair) or 100 for pair in (0, -1)]


def test_with_tuned_rates_muon_and_shampoo_learn_the_rarest_pair_as_soon_as_the_most_frequent_and_others_later():
    often, seldom = tuned("Muon")
    assert seldom < 1.5 * often
    # which divides a gradient by its own size where that is larger than what it begins with
    assert max(tuned("Shampoo", eps=1e-6)) <= 5
    often, seldom = tuned("Shampoo", eps=1.0)
    assert seldom > 5 * often
    lag = {name: seldom / often for name in ("SGD", "AdaGrad", "RMSProp", "Adam") for often, seldom in [tuned(name)]}
    assert lag["SGD"] > 20
    assert lag["AdaGrad"] > 10
    assert lag["RMSProp"] > 5
    assert lag["Adam"] > 2


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e12])
def test_on_a_vector_a_step_of_muon_has_one_length_whatever_the_gradient(size):
    racer, gradient = OPTIMIZERS["Muon"](learning_rate=0.1), jnp.float32([3 * size, -4 * size])
    move, _ = racer.update(gradient, racer.init(gradient), gradient)
    np.testing.assert_allclose(move, [-0.06 * 0.6966, 0.08 * 0.6966], rtol=1e-3)
