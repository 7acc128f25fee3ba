"""What every optimizer must do, whichever it is, and what registering one refuses."""

import re
from dataclasses import fields, replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine import LANDSCAPES, OPTIMIZERS, Optimizer, race
from engine.knobs import knob
from engine.optimizers import register, update_at

ROOT = Path(__file__).parents[1]
BOWL = LANDSCAPES["Bowl"]
STARTS = [(4.0, 1.0), (-4.0, -4.0), (0.5, -3.0), (-1.0, 0.2), (0.0, 5.0)]

KNOBS = [pytest.param(knob, id=f"{name}-{knob.name}") for name, rule in OPTIMIZERS.items() for knob in rule.knobs()]
DECAYING = [
    pytest.param(rule, id=name)
    for name, rule in OPTIMIZERS.items()
    if "weight_decay" in {knob.name for knob in rule.knobs()}
]


def twenty_steps(optimizer, start):
    """Down the Bowl, whose gradient at a point is the point."""

    def loss(x):
        return jnp.sum(x**2) / 2

    def step(carry, _):
        x, memory = carry
        move, memory = update_at(optimizer, x, memory, x, jnp.array(0), loss(x), loss)
        return (x + move, memory), x + move

    memory = jax.tree.map(jnp.asarray, optimizer.init(start))
    return jax.lax.scan(step, (start, memory), length=20)[1]


def first_step(optimizer, gradient, x):
    """The first move along a steady gradient; the second one of a rule that only looks at the first gradient."""
    move, memory = on_a_slope(optimizer, gradient, optimizer.init(x), x)
    return move if move.any() else on_a_slope(optimizer, gradient, memory, x)[0]


def on_a_slope(optimizer, gradient, memory, x):
    """The move where the loss is a plane, and the memory after it."""
    return update_at(optimizer, gradient, memory, x, jnp.array(0), jnp.array(1.0), lambda y: 1 + gradient @ (y - x))


def in_float32(optimizer):
    """With its knobs as a race has them: Python's own numbers would round 1 - 0.999 elsewhere."""
    return jax.tree.map(jnp.float32, optimizer)


# What it is


def test_is_registered_under_its_name(rule):
    assert OPTIMIZERS[rule.name] is rule


def test_carries_a_formula_a_source_and_a_line_in_plain_words(rule):
    assert r"x \leftarrow" in rule.formula, "the formula says what x becomes"
    assert rule.formula.count("{") == rule.formula.count("}")
    assert re.search(r"\(\d{4}\)", rule.source), "the source gives the year in brackets"
    first = rule.__doc__.splitlines()[0]
    assert first.endswith(".")
    assert "(" not in first, "dataclass writes the signature where there is no docstring"


@pytest.mark.parametrize("knob", KNOBS)
def test_a_knob_has_its_default_in_its_range_a_symbol_and_words(knob):
    assert knob.low < knob.high
    assert knob.low <= knob.default <= knob.high
    assert knob.low > 0 or not knob.log, "a scale of exponents has no zero"
    assert knob.symbol
    assert knob.about.endswith(".")


def test_is_a_pytree_whose_leaves_are_its_knobs(rule):
    optimizer = rule()
    leaves, structure = jax.tree.flatten(optimizer)
    assert leaves == [knob.default for knob in rule.knobs()]
    assert [knob.name for knob in rule.knobs()] == [f.name for f in fields(rule)]
    again = jax.tree.unflatten(structure, leaves)
    assert type(again) is rule
    assert again == optimizer


def test_no_other_optimizer_has_the_same_tree_structure(rule):
    """Equal structures with unequal hashes are mixed up by a jit cache once in a while: another optimizer then runs."""
    mine = jax.tree.structure(rule())
    assert mine == jax.tree.structure(rule(learning_rate=0.5)), "its knobs are no part of it"
    assert hash(mine) == hash(jax.tree.structure(rule(learning_rate=0.5)))
    for other in OPTIMIZERS.values():
        assert (mine == jax.tree.structure(other())) == (other is rule)


def test_a_tree_structure_names_its_class_also_in_a_tree_and_as_the_axes_of_a_vmap(rule):
    (other,) = [other for other in OPTIMIZERS.values() if other is not rule][:1]
    assert jax.tree.structure([rule()]) != jax.tree.structure([other()])
    axes = jax.tree.map(lambda _: 0, rule())
    assert type(axes) is rule
    many = jax.tree.map(lambda knob: jnp.full(3, knob, jnp.float32), rule())
    x, gradient = jnp.zeros(2), jnp.ones(2)
    moves = jax.vmap(lambda it: on_a_slope(it, gradient, it.init(x), x)[0], in_axes=(axes,))(many)
    assert moves.shape == (3, 2)


def test_nothing_is_registered_in_the_way_that_leaves_the_class_out():
    """``register_dataclass`` and ``register_static`` do: no part of the engine or the pages may use them."""
    sources = [file.read_text() for folder in ("engine", "ui") for file in (ROOT / folder).rglob("*.py")]
    assert len(sources) > 20
    for call in ("tree_util.register_dataclass(", "tree_util.register_static("):
        assert not any(call in source for source in sources)


# What it does


def test_goes_down_a_bowl_with_its_own_defaults(rule):
    trace = race(BOWL.loss, {rule.name: rule()}, STARTS, 500, minima=BOWL.minima)[rule.name]
    assert (trace.losses[:, -1] < 0.01 * trace.losses[:, 0]).all()


def test_the_first_step_goes_against_the_gradient(rule, rng):
    for gradient in jnp.asarray(rng.normal(size=(5, 3)), jnp.float32):
        np.testing.assert_array_equal(np.sign(first_step(rule(), gradient, jnp.ones(3))), -np.sign(gradient))


def test_stands_still_on_level_ground(rule):
    x = jnp.zeros(2)
    move, memory = on_a_slope(rule(), jnp.zeros(2), rule().init(x), x)
    move_again, _ = on_a_slope(rule(), jnp.zeros(2), memory, x)
    assert not move.any()
    assert not move_again.any()


def test_stays_at_the_bottom_of_a_bowl(rule):
    assert not twenty_steps(in_float32(rule()), jnp.zeros(2)).any()


@pytest.mark.parametrize("rule", DECAYING)
def test_weight_decay_pulls_towards_zero(rule):
    x = jnp.array([2.0, -3.0])
    np.testing.assert_array_equal(np.sign(first_step(rule(weight_decay=0.5), jnp.zeros(2), x)), -np.sign(x))


def test_moves_as_its_memory_says_and_the_memory_keeps_its_shape(rule, rng):
    """A compiled loop carries the memory along, so neither its structure nor its shapes and types may change."""
    x = jnp.asarray(rng.normal(size=3), jnp.float32)
    memory = jax.tree.map(jnp.asarray, rule().init(x))
    move, later = on_a_slope(rule(), x, memory, x)
    assert (move.shape, move.dtype) == (x.shape, x.dtype)
    assert jax.eval_shape(lambda: later) == jax.eval_shape(lambda: memory)


def test_does_the_same_compiled_and_batched(rule, rng):
    optimizer, starts = in_float32(rule()), jnp.asarray(rng.normal(size=(3, 2)), jnp.float32)
    with jax.disable_jit():
        plain = [twenty_steps(optimizer, start) for start in starts]
    compiled, batched = jax.jit(twenty_steps), jax.vmap(twenty_steps, in_axes=(None, 0))
    # one last bit of 0.999^t, less 1, is 6e-5 of an early step's size
    np.testing.assert_allclose([compiled(optimizer, start) for start in starts], plain, rtol=0, atol=1e-5)
    np.testing.assert_allclose(batched(optimizer, starts), plain, rtol=0, atol=1e-5)


def test_a_batch_of_learning_rates_is_a_sweep(rule):
    start, rates = jnp.array([4.0, 1.0]), jnp.array([0.001, 0.01, 0.1])
    one_by_one = [jax.jit(twenty_steps)(in_float32(rule(learning_rate=rate)), start) for rate in rates]
    only_the_rate = replace(jax.tree.map(lambda _: None, rule()), learning_rate=0)
    together = jax.vmap(twenty_steps, in_axes=(only_the_rate, None))(in_float32(rule(learning_rate=rates)), start)
    np.testing.assert_allclose(together, one_by_one, rtol=0, atol=1e-5)


def test_all_knobs_can_be_swept_at_once(rule):
    start = jnp.array([4.0, 1.0])
    settings = [rule(**{knob.name: getattr(knob, end) for knob in rule.knobs()}) for end in ("low", "default", "high")]
    one_by_one = [jax.jit(twenty_steps)(in_float32(setting), start) for setting in settings]
    stacked = jax.tree.map(lambda *values: jnp.array(values, jnp.float32), *settings)
    np.testing.assert_allclose(jax.vmap(twenty_steps, in_axes=(0, None))(stacked, start), one_by_one, rtol=1e-5)


# What registering refuses


def complete(**changes):
    """A class body with all that an optimizer needs, or with something changed; None leaves it out."""
    body = {
        "__doc__": "Half a step downhill.",
        "__annotations__": {"learning_rate": float},
        "name": "Half a step",
        "formula": r"x \leftarrow x - \tfrac12 \alpha g",
        "source": "Nobody (2000)",
        "learning_rate": knob(0.1, 1e-5, 1.0, r"\alpha", log=True),
        "init": lambda self, x: (),
        "update": lambda self, gradient, state, x: (-self.learning_rate / 2 * gradient, state),
    }
    return {part: value for part, value in (body | changes).items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"__doc__": None}, "has no docstring"),
        ({"name": None}, "has no name"),
        ({"formula": None}, "has no formula"),
        ({"source": None}, "has no source"),
        ({"name": next(iter(OPTIMIZERS))}, "is taken"),
        ({"init": None}, "has no init"),
        ({"update": None}, "has no update"),
        ({"learning_rate": 0.1}, "'learning_rate' that is no knob"),
        ({"__annotations__": {"learning_rate": float, "warmth": float}, "warmth": knob(1.0)}, "'warmth'.*ABOUT"),
        ({"__annotations__": {"learning_rate": float, "damping": bool}, "damping": knob(False)}, "'damping'.*CHANGED"),
    ],
)
def test_an_incomplete_optimizer_is_refused_with_the_reason(changes, sentence):
    before = dict(OPTIMIZERS)
    with pytest.raises(ValueError, match=f"Optimizer HalfAStep .*{sentence}"):
        register(type("HalfAStep", (Optimizer,), complete(**changes)))
    assert before == OPTIMIZERS


def test_a_complete_optimizer_can_race_at_once():
    half = register(type("HalfAStep", (Optimizer,), complete()))
    assert OPTIMIZERS.pop(half.name) is half
    assert half.knobs()[0].about
    trace = race(BOWL.loss, {half.name: half(learning_rate=1.0)}, [(4.0, 0.0)], 2)[half.name]
    np.testing.assert_array_equal(trace.positions[0, :, 0], [4, 2, 1])
