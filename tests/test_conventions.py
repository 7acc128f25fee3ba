"""Each statement on where PyTorch, optax and this app differ is shown in numbers, by running them."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from engine import OPTIMIZERS
from engine.optimizers import helpers, memory, prepare, source, update_at
from ui.draw.conventions import CONVENTIONS
from ui.take_home.optax_rules import COUNTERPARTS as OF_OPTAX
from ui.take_home.torch_rules import COUNTERPARTS as OF_TORCH

STATEMENTS = [(rule, about) for rule, statements in CONVENTIONS.items() for about in statements]
IN_OPTAX, IN_TORCH = {}, {}
SOME = np.array([3.0, -1.0, 0.5, 0.5, -2.0, 4.0, 1.0, 1.0])  # gradients one after the other, wherever it goes
FIRST = np.array([1.0])
RATE = 0.1


def shows(demonstrations, rule, about):
    """Enter the test of a statement. It gets PyTorch where it is one for that."""
    return lambda demonstration: demonstrations.setdefault((rule, about), demonstration)


def walk(init, update, gradients, x):
    """The moves ``(steps,)`` of a rule in one dimension."""

    def step(carry, gradient):
        x, state = carry
        move, state = update(gradient, state, x)
        return (x + move, state), move

    def run(gradients, start):
        return jax.lax.scan(step, (start, jax.tree.map(jnp.asarray, init(start))), gradients)[1]

    return np.asarray(jax.jit(run)(jnp.asarray(gradients, jnp.float32)[:, None], jnp.array([x], jnp.float32)))[:, 0]


def ours(name, gradients=SOME, x=2.0, **knobs):
    return walk_of(OPTIMIZERS[name](**{"learning_rate": RATE} | knobs), gradients, x)


def walk_of(racer, gradients=SOME, x=2.0):
    """The moves of one of this app's rules; one that asks is told that the loss is as steep everywhere."""
    rule = jax.tree.map(jnp.float32, racer)

    def update(gradient, state, x):
        return update_at(rule, gradient, state, x, jnp.array(0), gradient @ x, lambda y: gradient @ y)

    return walk(rule.init, update, gradients, x)


def theirs(rule, gradients=SOME, x=2.0):
    return walk(rule.init, rule.update, gradients, x)


def in_torch(torch, make, gradients=SOME, x=2.0):
    x = torch.tensor([x], requires_grad=True)
    optimizer, path = make([x]), [x.item()]
    for gradient in gradients:
        x.grad = torch.tensor([gradient], dtype=torch.float32)
        optimizer.step()
        path.append(x.item())
    return np.diff(path)


def assert_same(one, other):
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def assert_differ(one, other):
    assert np.abs(one - other).max() > 1e-2 * np.abs(one).max()


def has(function, option):
    return option in inspect.signature(function).parameters


# ---- the statements themselves


def test_every_rule_that_others_have_too_says_where_they_differ(rule):
    assert set(CONVENTIONS) <= set(OPTIMIZERS)
    assert CONVENTIONS.get(rule.name) or rule.name not in {*OF_TORCH, *OF_OPTAX}


@pytest.mark.parametrize(("rule", "about"), STATEMENTS)
def test_a_statement_is_plain_and_shown_with_each_library_that_it_names(rule, about):
    words = CONVENTIONS[rule][about]
    assert words.endswith(".")
    assert ("optax" in words) <= ((rule, about) in IN_OPTAX)
    assert ("PyTorch" in words) <= ((rule, about) in IN_TORCH)


def test_nothing_is_shown_that_is_not_stated():
    assert {*IN_OPTAX, *IN_TORCH} == set(STATEMENTS)


def test_every_part_of_a_memory_has_a_meaning(rule):
    kept = rule().init(jnp.zeros(1))
    assert len(memory(rule)) == len(kept)
    assert all(symbol and meaning and not meaning.endswith(".") for symbol, meaning in memory(rule).items())


def test_the_code_on_a_card_holds_all_that_the_rule_calls(rule):
    """It defines the rule by itself, given what every rule is made of."""
    modules = [inspect.getmodule(part) for part in (*helpers(rule.update), rule)]
    given = [pair for module in modules for pair in vars(module).items()]
    found = {name: part for name, part in given if not inspect.isfunction(part) or name == "knob"}
    # from Python 3.13 on the decorator is not in it where the tests check shapes, which adds another to the class
    code = source(rule).replace("@register\n", "")
    exec(compile(code, rule.name, "exec"), found)
    again = prepare(found[rule.__name__])(learning_rate=RATE)
    np.testing.assert_array_equal(walk_of(again), ours(rule.name))


@pytest.mark.parametrize(("rule", "about"), IN_OPTAX, ids=str)
def test_in_optax_it_is_as_stated(rule, about):
    IN_OPTAX[rule, about]()


@pytest.mark.parametrize(("rule", "about"), IN_TORCH, ids=str)
def test_in_pytorch_it_is_as_stated(rule, about, torch):
    IN_TORCH[rule, about](torch)


# ---- SGD


@shows(IN_OPTAX, "SGD", "weight decay")
def _():
    assert not has(optax.sgd, "weight_decay")
    assert_same(ours("SGD", weight_decay=0.3), theirs(optax.chain(optax.add_decayed_weights(0.3), optax.sgd(RATE))))


@shows(IN_TORCH, "SGD", "weight decay")
def _(torch):
    assert_same(ours("SGD", weight_decay=0.3), in_torch(torch, lambda x: torch.optim.SGD(x, RATE, weight_decay=0.3)))


@shows(IN_OPTAX, "SGD", "coupled or not")
def _():
    after = optax.chain(optax.sgd(RATE), optax.add_decayed_weights(-RATE * 0.3))
    assert_same(ours("SGD", weight_decay=0.3), theirs(after))
    assert "decoupled_weight_decay" not in {knob.name for knob in OPTIMIZERS["SGD"].knobs()}


# ---- Momentum


EVEN = np.ones(80)  # an even slope


@shows(IN_OPTAX, "Momentum", "whole gradients")
def _():
    moves = ours("Momentum", EVEN, momentum=0.9)
    assert_same(moves, theirs(optax.sgd(RATE, momentum=0.9), EVEN))
    np.testing.assert_allclose(moves[[0, -1]], [-RATE, -10 * RATE], rtol=1e-3)


@shows(IN_TORCH, "Momentum", "whole gradients")
def _(torch):
    assert_same(
        ours("Momentum", EVEN, momentum=0.9), in_torch(torch, lambda x: torch.optim.SGD(x, RATE, momentum=0.9), EVEN)
    )


@shows(IN_OPTAX, "Momentum", "dampening")
def _():
    assert not has(optax.sgd, "dampening")
    assert "dampening" not in {knob.name for knob in OPTIMIZERS["Momentum"].knobs()}


@shows(IN_TORCH, "Momentum", "dampening")
def _(torch):
    dampened = in_torch(torch, lambda x: torch.optim.SGD(x, RATE, momentum=0.9, dampening=0.5), EVEN[:2])
    np.testing.assert_allclose(dampened, [-RATE * 1.0, -RATE * (0.9 + 0.5)], rtol=1e-4)
    assert inspect.signature(torch.optim.SGD).parameters["dampening"].default == 0


# ---- Nesterov


def at_the_point_ahead(rate, momentum, curvature, start, steps):
    """Nesterov's way, with the gradient at the point ahead: the points ahead, one after the other."""
    theta, v, ahead = start, 0.0, [start]
    for _ in range(steps):
        v = momentum * v - rate * curvature * (theta + momentum * v)
        theta += v
        ahead.append(theta + momentum * v)
    return np.array(ahead)


def on_a_parabola(update, state, curvature, x, steps):
    path = [x]
    for _ in range(steps):
        move, state = update(jnp.array([curvature * path[-1]], jnp.float32), state, jnp.array([path[-1]], jnp.float32))
        path.append(path[-1] + float(move[0]))
    return np.array(path)


AHEAD = at_the_point_ahead(RATE, 0.8, 3.0, 2.0, 20)


@shows(IN_OPTAX, "Nesterov", "where the gradient is taken")
def _():
    x = jnp.array([2.0])
    for rule in (OPTIMIZERS["Nesterov"](learning_rate=RATE, momentum=0.8), optax.sgd(RATE, 0.8, nesterov=True)):
        np.testing.assert_allclose(on_a_parabola(rule.update, rule.init(x), 3.0, 2.0, 20), AHEAD, atol=1e-5)


@shows(IN_TORCH, "Nesterov", "where the gradient is taken")
def _(torch):
    x = torch.tensor([2.0], requires_grad=True)
    optimizer, path = torch.optim.SGD([x], RATE, 0.8, nesterov=True), [2.0]
    for _ in range(20):
        x.grad = 3.0 * x.detach()
        optimizer.step()
        path.append(x.item())
    np.testing.assert_allclose(path, AHEAD, atol=1e-5)


# ---- AdaGrad


@shows(IN_OPTAX, "AdaGrad", "start of the sum")
def _():
    """A gradient of 0.1 has a square of 0.01, a tenth of optax's start."""
    np.testing.assert_allclose(ours("AdaGrad", 0.1 * FIRST), -RATE, rtol=1e-4)
    np.testing.assert_allclose(theirs(optax.adagrad(RATE), 0.1 * FIRST), -RATE / np.sqrt(11), rtol=1e-3)


@shows(IN_TORCH, "AdaGrad", "start of the sum")
def _(torch):
    np.testing.assert_allclose(in_torch(torch, lambda x: torch.optim.Adagrad(x, RATE), 0.1 * FIRST), -RATE, rtol=1e-4)


@shows(IN_OPTAX, "AdaGrad", "place of eps")
def _():
    under = theirs(optax.adagrad(RATE, initial_accumulator_value=0.0, eps=0.5))
    assert_same(ours("AdaGrad", eps=0.5, eps_in_root=True), under)
    assert_differ(ours("AdaGrad", eps=0.5), under)


@shows(IN_TORCH, "AdaGrad", "place of eps")
def _(torch):
    assert_same(ours("AdaGrad", eps=0.5), in_torch(torch, lambda x: torch.optim.Adagrad(x, RATE, eps=0.5)))


# ---- RMSProp


@shows(IN_OPTAX, "RMSProp", "place of eps")
def _():
    for inside in (False, True):
        twin = theirs(optax.rmsprop(RATE, decay=0.9, eps=0.5, eps_in_sqrt=inside))
        assert_same(ours("RMSProp", smoothing_constant=0.9, eps=0.5, eps_in_root=inside), twin)
        assert_differ(ours("RMSProp", smoothing_constant=0.9, eps=0.5, eps_in_root=not inside), twin)
    assert_same(theirs(optax.rmsprop(RATE, decay=0.9, eps=0.5)), twin)


@shows(IN_TORCH, "RMSProp", "place of eps")
def _(torch):
    made = in_torch(torch, lambda x: torch.optim.RMSprop(x, RATE, alpha=0.9, eps=0.5))
    assert_same(ours("RMSProp", smoothing_constant=0.9, eps=0.5), made)


@shows(IN_OPTAX, "RMSProp", "length of the memory")
def _():
    assert_same(theirs(optax.rmsprop(RATE)), theirs(optax.rmsprop(RATE, decay=0.9)))
    assert_same(ours("RMSProp"), ours("RMSProp", smoothing_constant=0.99))


@shows(IN_TORCH, "RMSProp", "length of the memory")
def _(torch):
    assert inspect.signature(torch.optim.RMSprop).parameters["alpha"].default == 0.99


@shows(IN_OPTAX, "RMSProp", "first step")
def _():
    for moves in (ours("RMSProp", FIRST), theirs(optax.rmsprop(RATE, decay=0.99), FIRST)):
        np.testing.assert_allclose(moves, -10 * RATE, rtol=1e-3)
    corrected = theirs(optax.rmsprop(RATE, decay=0.99, bias_correction=True), FIRST)
    np.testing.assert_allclose(corrected, -RATE, rtol=1e-3)


@shows(IN_TORCH, "RMSProp", "first step")
def _(torch):
    np.testing.assert_allclose(in_torch(torch, lambda x: torch.optim.RMSprop(x, RATE), FIRST), -10 * RATE, rtol=1e-3)


# Where the gradient never changes the spread is 0 in the end, and in some of so many coordinates it is rounded to less
LEVEL = np.linspace(0.1, 3, 1000, dtype=np.float32)


def along_level(init, update):
    """The sum of all moves in each coordinate."""

    def step(state, _):
        move, state = update(jnp.asarray(LEVEL), state, jnp.zeros(1000))
        return state, move

    state = jax.tree.map(jnp.asarray, init(jnp.zeros(1000)))
    return np.asarray(jax.jit(lambda: jax.lax.scan(step, state, length=100)[1].sum(0))())


@shows(IN_OPTAX, "RMSProp", "centered")
def _():
    made = optax.rmsprop(RATE, decay=0.5, eps=1e-8, eps_in_sqrt=False, centered=True)
    assert np.isnan(along_level(made.init, made.update)).any()
    rule = jax.tree.map(jnp.float32, OPTIMIZERS["RMSProp"](smoothing_constant=0.5, centered=True))
    assert np.isfinite(along_level(rule.init, rule.update)).all()


@shows(IN_TORCH, "RMSProp", "centered")
def _(torch):
    x = torch.zeros(1000, requires_grad=True)
    optimizer = torch.optim.RMSprop([x], RATE, alpha=0.5, centered=True)
    for _ in range(100):
        x.grad = torch.tensor(LEVEL)
        optimizer.step()
    assert torch.isnan(x).any()


# ---- Adam


@shows(IN_OPTAX, "Adam", "place of eps")
def _():
    assert_same(ours("Adam", eps=0.5), theirs(optax.adam(RATE, eps=0.5)))
    assert_same(ours("Adam", eps=0.5, eps_in_root=True), theirs(optax.adam(RATE, eps=0.0, eps_root=0.5)))
    assert_differ(ours("Adam", eps=0.5), ours("Adam", eps=0.5, eps_in_root=True))
    assert inspect.signature(optax.adam).parameters["eps_root"].default == 0


@shows(IN_TORCH, "Adam", "place of eps")
def _(torch):
    assert_same(ours("Adam", eps=0.5), in_torch(torch, lambda x: torch.optim.Adam(x, RATE, eps=0.5)))


@shows(IN_OPTAX, "Adam", "weight decay")
def _():
    assert not has(optax.adam, "weight_decay")
    chained = theirs(optax.chain(optax.add_decayed_weights(0.7), optax.adam(RATE)))
    assert_same(ours("Adam", weight_decay=0.7), chained)
    # with no gradient but the pull, the first step is α long however weak the pull is
    for strength in (0.7, 0.01):
        np.testing.assert_allclose(ours("Adam", 0 * FIRST, weight_decay=strength), -RATE, rtol=1e-3)


@shows(IN_TORCH, "Adam", "weight decay")
def _(torch):
    assert_same(ours("Adam", weight_decay=0.7), in_torch(torch, lambda x: torch.optim.Adam(x, RATE, weight_decay=0.7)))


@shows(IN_OPTAX, "Adam", "bias correction")
def _():
    assert not has(optax.adam, "bias_correction")
    assert_same(ours("Adam", FIRST), theirs(optax.adam(RATE), FIRST))
    np.testing.assert_allclose(ours("Adam", FIRST, bias_correction=False) / ours("Adam", FIRST), 3.162, rtol=1e-3)


@shows(IN_TORCH, "Adam", "bias correction")
def _(torch):
    assert not has(torch.optim.Adam, "bias_correction")
    assert_same(ours("Adam", FIRST), in_torch(torch, lambda x: torch.optim.Adam(x, RATE), FIRST))


# ---- AdamW


@shows(IN_OPTAX, "AdamW", "strength")
def _():
    """With no gradient at all, only the pull on x = 2 is left."""
    np.testing.assert_allclose(ours("AdamW", 0 * FIRST), -RATE * 0.01 * 2, rtol=1e-4)
    np.testing.assert_allclose(theirs(optax.adamw(RATE), 0 * FIRST), -RATE * 0.0001 * 2, rtol=1e-4)


@shows(IN_TORCH, "AdamW", "strength")
def _(torch):
    moves = in_torch(torch, lambda x: torch.optim.AdamW(x, RATE), 0 * FIRST)
    np.testing.assert_allclose(moves, -RATE * 0.01 * 2, rtol=1e-3)


@shows(IN_OPTAX, "AdamW", "times the learning rate")
def _():
    for rate in (0.1, 0.2):
        for moves in (
            ours("AdamW", 0 * FIRST, learning_rate=rate, weight_decay=0.3),
            theirs(optax.adamw(rate, weight_decay=0.3), 0 * FIRST),
        ):
            np.testing.assert_allclose(moves, -rate * 0.3 * 2, rtol=1e-4)


@shows(IN_TORCH, "AdamW", "times the learning rate")
def _(torch):
    for rate in (0.1, 0.2):
        moves = in_torch(torch, lambda x, rate=rate: torch.optim.AdamW(x, rate, weight_decay=0.3), 0 * FIRST)
        np.testing.assert_allclose(moves, -rate * 0.3 * 2, rtol=1e-3)


# ---- AMSGrad


LARGE_FIRST = np.array([10.0, *np.ones(40)])


@shows(IN_OPTAX, "AMSGrad", "largest first")
def _():
    made = theirs(optax.amsgrad(RATE), LARGE_FIRST)
    moves = ours("AMSGrad", LARGE_FIRST)
    assert_same(moves[0], made[0])
    assert abs(moves[-1]) > 3 * abs(made[-1])


@shows(IN_TORCH, "AMSGrad", "largest first")
def _(torch):
    made = in_torch(torch, lambda x: torch.optim.Adam(x, RATE, amsgrad=True), LARGE_FIRST)
    assert_same(ours("AMSGrad", LARGE_FIRST), made)


@shows(IN_OPTAX, "AMSGrad", "as in the paper")
def _():
    bare = theirs(optax.amsgrad(RATE, bias_correction_mu=False, bias_correction_nu=False))
    assert_same(ours("AMSGrad", bias_correction=False), bare)
    assert_differ(ours("AMSGrad"), bare)


# ---- NAdam


@shows(IN_OPTAX, "NAdam", "growing momentum")
def _():
    made = theirs(optax.nadam(RATE))
    assert abs(made[0]) > 1.3 * abs(ours("NAdam")[0])
    assert_differ(ours("NAdam"), made)
    assert_same(ours("NAdam", momentum_decay=1e4), made)  # so that it is at its full size at once


@shows(IN_TORCH, "NAdam", "growing momentum")
def _(torch):
    assert_same(ours("NAdam"), in_torch(torch, lambda x: torch.optim.NAdam(x, RATE)))


# ---- Lion


@shows(IN_OPTAX, "Lion", "where it is")
def _():
    assert_same(ours("Lion"), theirs(optax.lion(RATE, weight_decay=0.0)))


@shows(IN_TORCH, "Lion", "where it is")
def _(torch):
    assert not hasattr(torch.optim, "Lion")


@shows(IN_OPTAX, "Lion", "weight decay")
def _():
    np.testing.assert_allclose(theirs(optax.lion(RATE), 0 * FIRST), -RATE * 0.001 * 2, rtol=1e-4)
    np.testing.assert_allclose(ours("Lion", 0 * FIRST), 0.0)
    np.testing.assert_allclose(ours("Lion", 0 * FIRST, weight_decay=0.3), -RATE * 0.3 * 2, rtol=1e-4)


# ---- Adamax


@shows(IN_OPTAX, "Adamax", "place of eps")
def _():
    assert_same(ours("Adamax", eps=0.5), theirs(optax.adamax(RATE, eps=0.5)))
    np.testing.assert_allclose(ours("Adamax", FIRST, eps=0.5), -RATE / 1.5, rtol=1e-4)


@shows(IN_TORCH, "Adamax", "place of eps")
def _(torch):
    assert_same(ours("Adamax", eps=0.5), in_torch(torch, lambda x: torch.optim.Adamax(x, RATE, eps=0.5)))


@shows(IN_OPTAX, "Adamax", "weight decay")
def _():
    assert not has(optax.adamax, "weight_decay")
    decoupled = theirs(optax.adamaxw(RATE, weight_decay=0.7))
    assert_same(ours("Adamax", weight_decay=0.7, decoupled_weight_decay=True), decoupled)
    assert_differ(ours("Adamax", weight_decay=0.7), decoupled)


@shows(IN_TORCH, "Adamax", "weight decay")
def _(torch):
    made = in_torch(torch, lambda x: torch.optim.Adamax(x, RATE, weight_decay=0.7))
    assert_same(ours("Adamax", weight_decay=0.7), made)


# ---- AdaDelta


@shows(IN_OPTAX, "AdaDelta", "learning rate")
def _():
    assert inspect.signature(optax.adadelta).parameters["learning_rate"].default is None
    assert OPTIMIZERS["AdaDelta"]().learning_rate == 1


@shows(IN_TORCH, "AdaDelta", "learning rate")
def _(torch):
    assert inspect.signature(torch.optim.Adadelta).parameters["lr"].default == 1


@shows(IN_OPTAX, "AdaDelta", "size of eps")
def _():
    """In one dimension the first step is the root of ε / (1 - ρ), where the gradient is large."""
    np.testing.assert_allclose(theirs(optax.adadelta(1.0), 10 * FIRST), -np.sqrt(1e-6 / 0.1), rtol=1e-3)
    np.testing.assert_allclose(ours("AdaDelta", 10 * FIRST, learning_rate=1.0), -np.sqrt(1e-4 / 0.1), rtol=1e-3)
    assert (
        theirs(optax.adadelta(1.0), np.ones(1000)).sum()
        > -10
        > ours("AdaDelta", np.ones(1000), learning_rate=1.0).sum()
    )


@shows(IN_TORCH, "AdaDelta", "size of eps")
def _(torch):
    made = in_torch(torch, lambda x: torch.optim.Adadelta(x), 10 * FIRST)
    np.testing.assert_allclose(made, -np.sqrt(1e-6 / 0.1), rtol=1e-3)


@shows(IN_OPTAX, "AdaDelta", "place of eps")
def _():
    assert_same(ours("AdaDelta", eps=0.5), theirs(optax.adadelta(RATE, eps=0.5)))


@shows(IN_TORCH, "AdaDelta", "place of eps")
def _(torch):
    assert_same(ours("AdaDelta", eps=0.5), in_torch(torch, lambda x: torch.optim.Adadelta(x, RATE, eps=0.5)))


# ---- RProp


TURNING = np.array([1.0, 1.0, -1.0, -1.0])


@shows(IN_TORCH, "RProp", "changed sign")
def _(torch):
    for moves in (ours("RProp", TURNING), in_torch(torch, lambda x: torch.optim.Rprop(x, RATE), TURNING)):
        np.testing.assert_allclose(moves, [-RATE, -1.2 * RATE, 0, 0.6 * RATE], rtol=1e-3, atol=1e-6)


@shows(IN_OPTAX, "RProp", "a step late")
def _():
    np.testing.assert_allclose(theirs(optax.rprop(RATE), TURNING[:2]), [0, -RATE], rtol=1e-4)
    np.testing.assert_allclose(ours("RProp", TURNING[:2]), [-RATE, -1.2 * RATE], rtol=1e-4)


@shows(IN_TORCH, "RProp", "a step late")
def _(torch):
    assert_same(ours("RProp"), in_torch(torch, lambda x: torch.optim.Rprop(x, RATE)))


@shows(IN_OPTAX, "RProp", "shortest and longest")
def _():
    late = theirs(optax.rprop(RATE, max_step_size=0.01), TURNING[:2])
    np.testing.assert_allclose(late, [0, -RATE], rtol=1e-4)
    np.testing.assert_allclose(ours("RProp", FIRST, max_step_size=0.01), -0.01, rtol=1e-4)


@shows(IN_TORCH, "RProp", "shortest and longest")
def _(torch):
    made = in_torch(torch, lambda x: torch.optim.Rprop(x, RATE, step_sizes=(1e-6, 0.01)), FIRST)
    np.testing.assert_allclose(made, -0.01, rtol=1e-3)


# ---- Signum


@shows(IN_OPTAX, "Signum", "where it is")
def _():
    assert_same(ours("Signum"), theirs(optax.signum(RATE)))


@shows(IN_TORCH, "Signum", "where it is")
def _(torch):
    assert not hasattr(torch.optim, "Signum")


@shows(IN_OPTAX, "Signum", "weight decay")
def _():
    assert not has(optax.signum, "weight_decay")
    for moves in (ours("Signum", 0 * FIRST, weight_decay=0.3), theirs(optax.lion(RATE, weight_decay=0.3), 0 * FIRST)):
        np.testing.assert_allclose(moves, -RATE * 0.3 * 2, rtol=1e-4)


@shows(IN_OPTAX, "Signum", "nothing to correct")
def _():
    corrected = optax.chain(optax.ema(0.9, debias=True), optax.scale_by_sign(), optax.scale(-RATE))
    assert_same(theirs(corrected), theirs(optax.signum(RATE)))
    assert_same(theirs(corrected), ours("Signum"))


# ---- Adan


@shows(IN_OPTAX, "Adan", "where it is")
def _():
    assert_same(ours("Adan", beta2=0.5), theirs(optax.adan(RATE, b2=0.5, eps_root=0.0)))


@shows(IN_TORCH, "Adan", "where it is")
def _(torch):
    assert not hasattr(torch.optim, "Adan")


@shows(IN_OPTAX, "Adan", "weight of the change")
def _():
    """The second gradient is half the first: of the change, -0.5, there is a share w in what is squared and divided."""
    gradients, defaults = np.array([1.0, 0.5]), {"beta1": 0.98, "beta2": 0.92, "beta3": 0.99}
    one, two, three = defaults.values()
    for made, share in ((theirs(optax.adan(RATE, eps_root=0.0), gradients), 1 - two), (ours("Adan", gradients), two)):
        m, v = (one * (1 - one) + (1 - one) * 0.5) / (1 - one**2), -0.5 * (1 - two) / (1 - two**2)
        n = (three * (1 - three) + (1 - three) * (0.5 - 0.5 * share) ** 2) / (1 - three**2)
        np.testing.assert_allclose(made[1], -RATE * (m + share * v) / np.sqrt(n), rtol=1e-3)


@shows(IN_OPTAX, "Adan", "place of eps")
def _():
    assert inspect.signature(optax.adan).parameters["eps_root"].default == 1e-8
    twin = theirs(optax.adan(RATE, b2=0.5, eps=0.5, eps_root=0.0))
    assert_same(ours("Adan", beta2=0.5, eps=0.5), twin)


@shows(IN_OPTAX, "Adan", "weight decay")
def _():
    for moves in (ours("Adan", 0 * FIRST, weight_decay=0.3), theirs(optax.adan(RATE, weight_decay=0.3), 0 * FIRST)):
        np.testing.assert_allclose(moves, -RATE * 0.3 * 2, rtol=1e-4)


# ---- ADOPT


@shows(IN_OPTAX, "ADOPT", "where it is")
def _():
    assert_same(ours("ADOPT"), theirs(optax.contrib.adopt(RATE)))


@shows(IN_TORCH, "ADOPT", "where it is")
def _(torch):
    assert not hasattr(torch.optim, "ADOPT")


@shows(IN_OPTAX, "ADOPT", "first gradient")
def _():
    """The second is divided by the first, and a tenth of that is the mean."""
    for moves in (ours("ADOPT", np.array([4.0, 2.0])), theirs(optax.contrib.adopt(RATE), np.array([4.0, 2.0]))):
        np.testing.assert_allclose(moves, [0, -RATE * 0.1 * 2 / 4], rtol=1e-3)


@shows(IN_OPTAX, "ADOPT", "bound")
def _():
    sudden, bound = np.array([1.0, 1.0, 100.0]), 2**0.25
    for moves in (ours("ADOPT", sudden, beta1=0.0), theirs(optax.contrib.adopt(RATE, b1=0.0), sudden)):
        np.testing.assert_allclose(moves[1:], [-RATE, -RATE * bound], rtol=1e-3)
    unbound = theirs(optax.contrib.adopt(RATE, b1=0.0, use_clipping=False), sudden)
    np.testing.assert_allclose(unbound[1:], [-RATE, -RATE * 100], rtol=1e-3)


# ---- AdEMAMix


@shows(IN_OPTAX, "AdEMAMix", "where it is")
def _():
    assert_same(ours("AdEMAMix"), theirs(optax.contrib.ademamix(RATE)))


@shows(IN_TORCH, "AdEMAMix", "where it is")
def _(torch):
    assert not hasattr(torch.optim, "AdEMAMix")


@shows(IN_OPTAX, "AdEMAMix", "weight of the slow mean")
def _():
    twin = theirs(optax.contrib.ademamix(RATE, b3=0.5, alpha=5.0))
    assert_same(theirs(optax.contrib.ademamix(RATE, b3=0.5)), twin)
    assert_same(ours("AdEMAMix", beta3=0.5), twin)


@shows(IN_OPTAX, "AdEMAMix", "growing")
def _():
    grown = theirs(optax.contrib.ademamix(RATE, b3=0.5, alpha=lambda count: 5.0 * (count > 2)))
    assert_same(grown[:3], ours("AdEMAMix", slow_weight=0.0)[:3])
    assert_same(grown[3:], ours("AdEMAMix", beta3=0.5)[3:])


@shows(IN_OPTAX, "AdEMAMix", "not corrected")
def _():
    """The first step is α (1 + κ (1 - β₃)), where a corrected slow mean would make it α (1 + κ)."""
    for moves in (ours("AdEMAMix", FIRST, beta3=0.9), theirs(optax.contrib.ademamix(RATE, b3=0.9), FIRST)):
        np.testing.assert_allclose(moves, -RATE * (1 + 5 * 0.1), rtol=1e-3)


# ---- those that of the two optax alone has, in optax.contrib


for name in ("SAM", "Schedule-free SGD", "Schedule-free AdamW", "Prodigy", "Sophia"):

    @shows(IN_OPTAX, name, "where it is")
    def _(name=name):
        assert hasattr(optax.contrib, name.lower().replace("-", "_").replace(" ", "_"))

    @shows(IN_TORCH, name, "where it is")
    def _(torch, name=name):
        assert name.replace("-", "").replace(" ", "").lower() not in {one.lower() for one in vars(torch.optim)}


def sam(**more):
    return optax.contrib.sam(optax.sgd(RATE), optax.chain(optax.contrib.normalize(), optax.sgd(0.05)), **more)


@shows(IN_OPTAX, "SAM", "two gradients")
def _():
    np.testing.assert_allclose(theirs(sam(), FIRST.repeat(2)), [0.05, -0.05 - RATE], rtol=1e-4)
    whole = sam(opaque_mode=True)

    def update(gradient, state, x):
        return whole.update(gradient, state, x, grad_fn=lambda y, number: gradient)

    assert_same(ours("SAM"), theirs(optax.GradientTransformation(whole.init, update)))


@shows(IN_OPTAX, "SAM", "around which rule")
def _():
    assert has(optax.contrib.sam, "optimizer")
    assert_same(ours("SAM"), ours("SGD"))  # where it is as steep everywhere


def of_the_mean(rule):
    """What makes x of optax's y."""

    def update(gradient, state, x):
        y, inner = state
        moves, inner = rule.update(gradient, inner, y)
        return optax.contrib.schedule_free_eval_params(inner, y + moves) - x, (y + moves, inner)

    return optax.GradientTransformation(lambda x: (x, rule.init(x)), update)


for name, rule in (
    ("Schedule-free SGD", optax.contrib.schedule_free_sgd),
    ("Schedule-free AdamW", optax.contrib.schedule_free_adamw),
):

    @shows(IN_OPTAX, name, "which point")
    def _(name=name, rule=rule):
        assert_same(ours(name), theirs(of_the_mean(rule(RATE))))
        assert_differ(ours(name), theirs(rule(RATE)))


@shows(IN_OPTAX, "Schedule-free AdamW", "weight decay")
def _():
    rule = optax.contrib.schedule_free_adamw(RATE, weight_decay=0.3)
    assert_same(ours("Schedule-free AdamW", weight_decay=0.3), theirs(of_the_mean(rule)))


@shows(IN_OPTAX, "Prodigy", "bias correction")
def _():
    np.testing.assert_allclose(ours("Prodigy", FIRST) / theirs(optax.contrib.prodigy(RATE), FIRST), 10**0.5, rtol=1e-3)


@shows(IN_OPTAX, "Prodigy", "weight decay")
def _():
    assert has(optax.contrib.prodigy, "weight_decay")
    assert "weight_decay" not in {knob.name for knob in OPTIMIZERS["Prodigy"].knobs()}


@shows(IN_OPTAX, "Sophia", "which curvatures")
def _():
    estimate, x = optax.contrib.hutchinson_estimator_diag_hessian(), jnp.array([1.0, 2.0])
    found, _ = estimate.update(x, estimate.init(x), x, obj_fn=lambda x: x @ x + x[0] * x[1])
    np.testing.assert_array_equal(np.abs(found - 2), 1)  # the diagonal is 2, and what stands beside it is added or not


@shows(IN_OPTAX, "Sophia", "when it looks")
def _():
    x, rule = jnp.array([0.1]), optax.contrib.sophia(RATE, weight_decay=0.0)
    moves, _ = rule.update(10 * x, rule.init(x), x, obj_fn=lambda x: 5 * x @ x)
    np.testing.assert_allclose(moves, -RATE, rtol=1e-5)
    racer = OPTIMIZERS["Sophia"](learning_rate=RATE)
    moves, _ = update_at(racer, 10 * x, racer.init(x), x, jnp.array(0), x[0], lambda x: 5 * x @ x)
    np.testing.assert_allclose(moves, -RATE * 0.035 / (0.01 * 10), rtol=1e-3)  # the means begin at 0


@shows(IN_OPTAX, "Sophia", "scale")
def _():
    assert inspect.signature(optax.contrib.sophia).parameters["gamma"].default == 0.01
    assert OPTIMIZERS["Sophia"]().curvature_scale == 1


# ---- those that search


@shows(IN_OPTAX, "Backtracking", "where it is")
def _():
    """Down a slope that is as steep everywhere, the first trial is taken."""
    rule = optax.chain(optax.sgd(1.0), optax.scale_by_backtracking_linesearch(60, max_learning_rate=RATE))

    def update(gradient, state, x):
        told = {"value": gradient @ x, "grad": gradient, "value_fn": lambda y: gradient @ y}
        return rule.update(gradient, state, x, **told)

    assert_same(ours("Backtracking"), theirs(optax.GradientTransformation(rule.init, update)))


@shows(IN_OPTAX, "Backtracking", "first trial")
def _():
    parameters = inspect.signature(optax.scale_by_backtracking_linesearch).parameters
    assert (parameters["increase_factor"].default, parameters["max_learning_rate"].default) == (1.5, 1.0)


def polyak(**more):
    rule = optax.polyak_sgd(f_min=-1000.0, **more)

    def update(gradient, state, x):
        return rule.update(gradient, state, x, value=gradient @ x)

    return theirs(optax.GradientTransformation(rule.init, update), FIRST)


@shows(IN_OPTAX, "Polyak", "where it is")
def _():
    assert_same(polyak(max_learning_rate=np.inf), ours("Polyak", FIRST, learning_rate=1.0, lowest_loss=-1000.0))


@shows(IN_OPTAX, "Polyak", "longest step")
def _():
    assert_same(polyak(), np.array([-1.0]))
    assert_same(ours("Polyak", FIRST, learning_rate=1.0, lowest_loss=-1000.0), np.array([-1002.0]))


@shows(IN_OPTAX, "Polyak", "factor")
def _():
    assert_same(polyak(max_learning_rate=np.inf, scaling=0.5), np.array([-2004.0]))
    assert_same(ours("Polyak", FIRST, learning_rate=0.5, lowest_loss=-1000.0), np.array([-501.0]))


# ---- Muon, on matrices


MATRICES = np.random.default_rng(2).normal(size=(30, 8, 8)).astype(np.float32)  # gradients one after the other


def moves_of_muon():
    rule = jax.tree.map(jnp.float32, OPTIMIZERS["Muon"](learning_rate=RATE))

    def step(state, gradient):
        return rule.update(gradient.ravel(), state, gradient.ravel())[::-1]

    moves = jax.jit(lambda: jax.lax.scan(step, rule.init(jnp.zeros(64)), jnp.asarray(MATRICES))[1])()
    return np.reshape(moves, MATRICES.shape)


def moves_in_optax(**more):
    rule = optax.contrib.muon(RATE, **more)

    def step(state, gradient):
        return rule.update(gradient, state, gradient)[::-1]

    return np.asarray(jax.jit(lambda: jax.lax.scan(step, rule.init(jnp.zeros((8, 8))), jnp.asarray(MATRICES))[1])())


def moves_in_torch(torch, **more):
    x = torch.zeros((8, 8), requires_grad=True)
    optimizer, path = torch.optim.Muon([x], RATE, **more), [x.detach().numpy().copy()]
    for gradient in MATRICES:
        x.grad = torch.tensor(gradient)
        optimizer.step()
        path.append(x.detach().numpy().copy())
    return np.diff(path, axis=0)


@shows(IN_OPTAX, "Muon", "where it is")
def _():
    assert_same(theirs(optax.contrib.muon(RATE)), theirs(optax.nadamw(RATE, weight_decay=0)))
    assert_same(np.abs(ours("Muon", FIRST)), 0.6966 * RATE)


@shows(IN_TORCH, "Muon", "where it is")
def _(torch):
    with pytest.raises(ValueError, match="2D"):
        torch.optim.Muon([torch.zeros(2)])


@shows(IN_OPTAX, "Muon", "first steps")
def _():
    away = np.abs(moves_of_muon() - moves_in_optax()).max(axis=(1, 2))
    assert away[0] < 1e-3 * RATE
    assert away[1] > 0.05 * RATE
    assert away[-1] < away[1:5].max() / 3


@shows(IN_TORCH, "Muon", "first steps")
def _(torch):
    away = np.abs(moves_of_muon() - moves_in_torch(torch, weight_decay=0)).max(axis=(1, 2))
    assert away.max() < 0.05 * RATE


@shows(IN_OPTAX, "Muon", "half precision")
def _():
    assert np.abs(moves_of_muon() - moves_in_optax())[0].max() < 1e-4 * RATE


@shows(IN_TORCH, "Muon", "half precision")
def _(torch):
    assert 1e-3 * RATE < np.abs(moves_of_muon() - moves_in_torch(torch, weight_decay=0))[0].max() < 0.05 * RATE


@shows(IN_OPTAX, "Muon", "weight decay")
def _():
    assert inspect.signature(optax.contrib.muon).parameters["weight_decay"].default == 0
    assert "weight_decay" not in {knob.name for knob in OPTIMIZERS["Muon"].knobs()}


@shows(IN_TORCH, "Muon", "weight decay")
def _(torch):
    assert inspect.signature(torch.optim.Muon).parameters["weight_decay"].default == 0.1


@shows(IN_OPTAX, "Shampoo", "where it is")
def _():
    assert not [one for one in (*vars(optax), *vars(optax.contrib)) if "shampoo" in one.lower()]


for name in ("Backtracking", "Polyak", "Conjugate gradient", "BFGS", "Newton", "Shampoo"):

    @shows(IN_TORCH, name, "where it is")
    def _(torch, name=name):
        first = name.split()[0].lower()
        assert not [one for one in vars(torch.optim) if one.lower().startswith(first)]


for name in ("Conjugate gradient", "BFGS", "Newton"):

    @shows(IN_OPTAX, name, "where it is")
    def _(name=name):
        known = {one.lower().removeprefix("scale_by_") for one in (*vars(optax), *vars(optax.contrib))}
        assert not [one for one in known if one.startswith(name.split()[0].lower())]


def lbfgs_in_torch(torch, gradients):
    """The moves of PyTorch's L-BFGS with steps as long as the learning rate, along these gradients."""
    x = torch.tensor([2.0], requires_grad=True)
    optimizer, path = torch.optim.LBFGS([x], RATE, max_iter=1), [2.0]
    for gradient in gradients:

        def closure(gradient=gradient):
            x.grad = torch.tensor([gradient], dtype=torch.float32)
            return torch.tensor(1.0)

        optimizer.step(closure)
        path.append(x.item())
    return np.diff(path)


def lbfgs_of_optax(gradients):
    return theirs(optax.chain(optax.scale_by_lbfgs(), optax.scale(-RATE)), gradients)


BENT_UP, BENT_DOWN = np.array([0.5, 0.4]), np.array([0.5, 0.75])  # against the gradient it becomes smaller, or larger
NEWTON_STEP = [-RATE * 0.5, -RATE * 0.4 / ((0.5 - 0.4) / (RATE * 0.5))]  # of the curvature that the first step shows


@shows(IN_OPTAX, "L-BFGS", "where it is")
def _():
    assert hasattr(optax, "lbfgs")
    for moves in (lbfgs_of_optax(BENT_UP), ours("L-BFGS", BENT_UP)):
        np.testing.assert_allclose(moves, NEWTON_STEP, rtol=1e-4)


@shows(IN_TORCH, "L-BFGS", "where it is")
def _(torch):
    assert has(torch.optim.LBFGS, "line_search_fn")
    np.testing.assert_allclose(lbfgs_in_torch(torch, BENT_UP), NEWTON_STEP, rtol=1e-4)


@shows(IN_OPTAX, "L-BFGS", "first step")
def _():
    np.testing.assert_allclose(lbfgs_of_optax([4.0]), -RATE, rtol=1e-5)
    np.testing.assert_allclose(ours("L-BFGS", [4.0]), -RATE * 4, rtol=1e-5)


@shows(IN_TORCH, "L-BFGS", "first step")
def _(torch):
    np.testing.assert_allclose(lbfgs_in_torch(torch, [4.0]), -RATE, rtol=1e-5)


@shows(IN_OPTAX, "L-BFGS", "where it bends down")
def _():
    assert lbfgs_of_optax(BENT_DOWN)[1] > 0
    np.testing.assert_allclose(ours("L-BFGS", BENT_DOWN), -RATE * BENT_DOWN, rtol=1e-5)


@shows(IN_TORCH, "L-BFGS", "where it bends down")
def _(torch):
    assert lbfgs_in_torch(torch, BENT_DOWN)[1] < 0
