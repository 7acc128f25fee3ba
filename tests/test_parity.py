"""Step by step beside other people's optimizers for 500 steps: optax, and PyTorch as it was recorded."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from engine import LANDSCAPES, OPTIMIZERS, race
from engine.optimizers import update_at

STEPS = 500
RECORDED = json.loads((Path(__file__).parent / "recorded" / "torch.json").read_text())
BOOTH = LANDSCAPES["Booth"]
START = (-2.0, 2.0)

# Where float32 holds it exactly. With 0.999, optax rounds 1 - beta2 in one place and not in the other, and each of its
# steps comes out 6e-6 too long; float64 agrees with ours.
BETA2 = 1 - 2**-10
BETA3 = float(np.float32(0.9999))  # as a race has it
# optax weighs the gradient's change in Adan by 1 - beta2, its authors by beta2: here they are the same.
HALF = 0.5
# PyTorch lets NAdam's momentum grow, optax has it at its full size from the start.
GROWN = 1e4


def decayed(strength, rule):
    """With an L2 pull on the gradient, as PyTorch's weight_decay has it."""
    return optax.chain(optax.add_decayed_weights(strength), rule)


def amsgrad(rate, b1, b2):
    """As PyTorch: optax leaves the largest square uncorrected, so its correction goes into the rate."""

    def corrected(count):
        return rate * jnp.sqrt(1 - b2 ** (count + 1))

    return optax.amsgrad(corrected, b1, b2, eps=1e-12, bias_correction_nu=False)


def adagrad(rate):
    """As PyTorch: optax starts from 0.1, and has its eps inside the root, where a tiny one is as good as none."""
    return optax.adagrad(rate, initial_accumulator_value=0.0, eps=1e-12)


def pulled(strength, rate, rule):
    """With decoupled weight decay where optax has no option for it: a pull on the parameters, after all else."""
    return optax.chain(rule, optax.add_decayed_weights(-rate * strength))


def asking(rule, **more):
    """A twin that is told more than the gradient."""
    return optax.GradientTransformation(rule.init, lambda gradient, state, x: rule.update(gradient, state, x, **more))


def sam(rate, radius):
    """Two gradients a step, as here; else optax makes two steps of it."""
    uphill = optax.chain(optax.contrib.normalize(), optax.sgd(radius))
    rule = optax.contrib.sam(optax.sgd(rate), uphill, opaque_mode=True)
    return asking(rule, grad_fn=lambda x, number: jax.grad(BOOTH.loss)(x))


def searching(rate, shrink, share, loss=BOOTH.loss):
    """With each search anew from the first step: optax would begin where the last one has ended."""
    search = optax.scale_by_backtracking_linesearch(
        60, slope_rtol=share, decrease_factor=shrink, increase_factor=jnp.inf, max_learning_rate=rate
    )
    rule = optax.chain(optax.scale(-1.0), search)

    def update(direction, state, x):
        value, gradient = jax.value_and_grad(loss)(x)
        return rule.update(direction, state, x, value=value, grad=gradient, value_fn=loss)

    return optax.GradientTransformation(rule.init, update)


def lbfgs(memory, *of_search):
    """With the search of above, and a whole gradient at first, which optax divides by its length."""
    rule, search = optax.scale_by_lbfgs(memory), searching(*of_search)

    def update(gradient, state, x):
        first = state[0].count == 0
        direction, mine = rule.update(gradient, state[0], x)
        move, its = search.update(jnp.where(first, gradient, direction), state[1], x)
        return move, (mine, its)

    return optax.GradientTransformation(lambda x: (rule.init(x), search.init(x)), update)


def polyak(rate, lowest, loss=BOOTH.loss):
    """Without optax's bound on the step, and with the rate after all else: optax squares it with the gradient."""
    rule = optax.chain(optax.scale_by_polyak(lowest, max_learning_rate=jnp.inf), optax.scale(-rate))
    return optax.GradientTransformation(
        rule.init, lambda gradient, state, x: rule.update(gradient, state, x, value=loss(x))
    )


def of_the_mean(rule):
    """optax's parameters are the point y of schedule-free rules, at which the gradient is; here x is the position."""

    def update(_, state, x):
        y, inner = state
        moves, inner = rule.update(jax.grad(BOOTH.loss)(y), inner, y)
        return optax.contrib.schedule_free_eval_params(inner, y + moves) - x, (y + moves, inner)

    return optax.GradientTransformation(lambda x: (x, rule.init(x)), update)


def prodigy(rate, b1, b2, **rest):
    """As in the paper: optax corrects the means for their start at 0, which is taken out of the rate again."""

    def uncorrected(count):
        return rate * (1 - b1 ** (count + 1.0)) / jnp.sqrt(1 - b2 ** (count + 1.0))

    return optax.contrib.prodigy(uncorrected, (b1, b2), **rest)


def muon(rate, momentum):
    """Of optax's Muon the rounds of Newton and Schulz, on a column: it corrects Nesterov's momentum for its start."""
    rounds = optax.contrib.scale_by_muon(beta=0.0, nesterov=False)
    ahead = optax.trace(momentum, nesterov=True)

    def update(gradient, state, x):
        way, state = ahead.update(gradient, state)
        column = way[:, None]
        return -rate * rounds.update(column, rounds.init(column))[0][:, 0], state

    return optax.GradientTransformation(ahead.init, update)


# Switches that optax has too, or can be given, each with settings in which it is felt.
FELT = {"learning_rate": 0.01, "beta1": 0.8, "beta2": 0.95, "eps": 0.01}
ABLATED = [
    (
        "Momentum",
        {"weight_decay": 0.3, "decoupled_weight_decay": True},
        pulled(0.3, 0.01, optax.sgd(0.01, momentum=0.9)),
    ),
    (
        "Nesterov",
        {"weight_decay": 0.3, "decoupled_weight_decay": True},
        pulled(0.3, 0.01, optax.sgd(0.01, momentum=0.9, nesterov=True)),
    ),
    (
        "AdaGrad",
        {"learning_rate": 0.1, "eps": 0.1, "eps_in_root": True},
        optax.adagrad(0.1, initial_accumulator_value=0.0, eps=0.1),
    ),
    (
        "AdaGrad",
        {"learning_rate": 0.1, "weight_decay": 0.3, "decoupled_weight_decay": True},
        pulled(0.3, 0.1, adagrad(0.1)),
    ),
    (
        "RMSProp",
        {"learning_rate": 0.002, "smoothing_constant": 0.9, "momentum": 0.5, "eps": 0.01, "eps_in_root": True},
        optax.rmsprop(0.002, decay=0.9, eps=0.01, eps_in_sqrt=True, momentum=0.5),
    ),
    (
        "RMSProp",
        {"learning_rate": 0.002, "smoothing_constant": 0.9, "weight_decay": 0.3, "decoupled_weight_decay": True},
        pulled(0.3, 0.002, optax.rmsprop(0.002, decay=0.9, eps=1e-8, eps_in_sqrt=False)),
    ),
    ("Adam", {**FELT, "eps_in_root": True}, optax.adam(0.01, 0.8, 0.95, eps=0.0, eps_root=0.01)),
    (
        "Adam",
        {**FELT, "weight_decay": 0.1, "decoupled_weight_decay": True},
        optax.adamw(0.01, 0.8, 0.95, eps=0.01, weight_decay=0.1),
    ),
    ("AdamW", {**FELT, "eps_in_root": True}, optax.adamw(0.01, 0.8, 0.95, eps=0.0, eps_root=0.01, weight_decay=0.01)),
    (
        "AdamW",
        {**FELT, "weight_decay": 0.7, "decoupled_weight_decay": False},
        decayed(0.7, optax.adam(0.01, 0.8, 0.95, eps=0.01)),
    ),
    (
        "AMSGrad",
        {**FELT, "eps": 1e-8, "weight_decay": 0.3, "decoupled_weight_decay": True},
        pulled(0.3, 0.01, amsgrad(0.01, 0.8, 0.95)),
    ),
    (
        "AMSGrad",
        {**FELT, "bias_correction": False, "eps": 1e-8},
        optax.amsgrad(0.01, 0.8, 0.95, eps=1e-8, bias_correction_mu=False, bias_correction_nu=False),
    ),
    (
        "AMSGrad",
        {**FELT, "bias_correction": False, "eps_in_root": True},
        optax.amsgrad(0.01, 0.8, 0.95, eps=0.0, eps_root=0.01, bias_correction_mu=False, bias_correction_nu=False),
    ),
    (
        "NAdam",
        {**FELT, "momentum_decay": GROWN, "eps_in_root": True},
        optax.nadam(0.01, 0.8, 0.95, eps=0.0, eps_root=0.01),
    ),
    (
        "NAdam",
        {**FELT, "momentum_decay": GROWN, "weight_decay": 0.1, "decoupled_weight_decay": True},
        optax.nadamw(0.01, 0.8, 0.95, eps=0.01, weight_decay=0.1),
    ),
    (
        "Lion",
        {"learning_rate": 0.005, "weight_decay": 0.3, "decoupled_weight_decay": False},
        decayed(0.3, optax.lion(0.005, b1=0.9, b2=0.99, weight_decay=0.0)),
    ),
    (
        "Adamax",
        {**FELT, "learning_rate": 0.005, "weight_decay": 0.3, "decoupled_weight_decay": True},
        optax.adamaxw(0.005, 0.8, 0.95, eps=0.01, weight_decay=0.3),
    ),
    (
        "AdaDelta",
        {"learning_rate": 0.05, "eps": 0.01, "weight_decay": 0.3, "decoupled_weight_decay": True},
        pulled(0.3, 0.05, optax.adadelta(0.05, rho=0.9, eps=0.01)),
    ),
]

# Held to numpy alone, in test_ablations.py
WITHOUT_PEER = {(name, "bias_correction") for name in ("Adam", "AdamW", "NAdam", "Adamax", "Adan", "AdEMAMix")} | {
    ("Prodigy", "eps")
}

# name, knobs, the same in optax
TWINS = [
    ("SGD", {"learning_rate": 0.01}, optax.sgd(0.01)),
    ("SGD", {"learning_rate": 0.01, "weight_decay": 0.3}, decayed(0.3, optax.sgd(0.01))),
    ("Momentum", {}, optax.sgd(0.01, momentum=0.9)),
    (
        "Momentum",
        {"learning_rate": 0.005, "momentum": 0.7, "weight_decay": 0.3},
        decayed(0.3, optax.sgd(0.005, momentum=0.7)),
    ),
    ("Nesterov", {}, optax.sgd(0.01, momentum=0.9, nesterov=True)),
    (
        "Nesterov",
        {"learning_rate": 0.005, "momentum": 0.7, "weight_decay": 0.3},
        decayed(0.3, optax.sgd(0.005, momentum=0.7, nesterov=True)),
    ),
    ("AdaGrad", {}, adagrad(0.5)),
    ("AdaGrad", {"learning_rate": 0.1, "weight_decay": 0.3}, decayed(0.3, adagrad(0.1))),
    ("RMSProp", {"learning_rate": 0.001}, optax.rmsprop(0.001, decay=0.99, eps=1e-8, eps_in_sqrt=False)),
    (
        "RMSProp",
        {"learning_rate": 0.001, "momentum": 0.9, "centered": True, "weight_decay": 0.1, "eps": 0.01},
        decayed(0.1, optax.rmsprop(0.001, decay=0.99, eps=0.01, eps_in_sqrt=False, momentum=0.9, centered=True)),
    ),
    (
        "RMSProp",
        {"learning_rate": 0.002, "smoothing_constant": 0.9, "momentum": 0.5, "eps": 0.01},
        optax.rmsprop(0.002, decay=0.9, eps=0.01, eps_in_sqrt=False, momentum=0.5),
    ),
    ("Adam", {"beta2": BETA2}, optax.adam(0.1, b2=BETA2)),
    (
        "Adam",
        {"learning_rate": 0.01, "beta1": 0.8, "beta2": 0.95, "weight_decay": 0.7, "eps": 0.01},
        decayed(0.7, optax.adam(0.01, 0.8, 0.95, eps=0.01)),
    ),
    ("AdamW", {"beta2": BETA2}, optax.adamw(0.1, b2=BETA2, weight_decay=0.01)),
    (
        "AdamW",
        {"learning_rate": 0.01, "beta1": 0.8, "beta2": 0.95, "weight_decay": 0.1, "eps": 0.01},
        optax.adamw(0.01, 0.8, 0.95, eps=0.01, weight_decay=0.1),
    ),
    ("AMSGrad", {"beta2": BETA2}, amsgrad(0.1, 0.9, BETA2)),
    (
        "AMSGrad",
        {"learning_rate": 0.03, "beta1": 0.8, "beta2": 0.95, "weight_decay": 0.7},
        decayed(0.7, amsgrad(0.03, 0.8, 0.95)),
    ),
    ("NAdam", {"beta2": BETA2, "momentum_decay": GROWN}, optax.nadam(0.1, b2=BETA2)),
    (
        "NAdam",
        {
            "learning_rate": 0.01,
            "beta1": 0.8,
            "beta2": 0.95,
            "weight_decay": 0.7,
            "eps": 0.01,
            "momentum_decay": GROWN,
        },
        decayed(0.7, optax.nadam(0.01, 0.8, 0.95, eps=0.01)),
    ),
    ("Lion", {}, optax.lion(0.02, b1=0.9, b2=0.99, weight_decay=0.0)),
    (
        "Lion",
        {"learning_rate": 0.005, "beta1": 0.8, "beta2": 0.95, "weight_decay": 0.3},
        optax.lion(0.005, b1=0.8, b2=0.95, weight_decay=0.3),
    ),
    ("Adamax", {}, optax.adamax(0.1)),
    ("Adamax", {**FELT, "weight_decay": 0.7}, decayed(0.7, optax.adamax(0.01, 0.8, 0.95, eps=0.01))),
    ("AdaDelta", {"learning_rate": 0.1}, optax.adadelta(0.1, rho=0.9, eps=1e-4)),
    (
        "AdaDelta",
        {"learning_rate": 0.05, "rho": 0.75, "weight_decay": 0.7, "eps": 0.01},
        optax.adadelta(0.05, rho=0.75, eps=0.01, weight_decay=0.7),
    ),
    ("Signum", {"learning_rate": 0.005}, optax.signum(0.005)),
    ("Signum", {"learning_rate": 0.01, "beta": 0.75, "weight_decay": 0.3}, pulled(0.3, 0.01, optax.signum(0.01, 0.75))),
    (
        "Signum",
        {"learning_rate": 0.01, "weight_decay": 0.3, "decoupled_weight_decay": False},
        decayed(0.3, optax.signum(0.01)),
    ),
    ("Adan", {"learning_rate": 0.02, "beta2": HALF}, optax.adan(0.02, b2=HALF, eps_root=0.0)),
    (
        "Adan",
        {"learning_rate": 0.005, "beta1": 0.8, "beta2": HALF, "beta3": 0.95, "weight_decay": 0.3, "eps": 0.01},
        optax.adan(0.005, 0.8, HALF, 0.95, eps=0.01, eps_root=0.0, weight_decay=0.3),
    ),
    (
        "Adan",
        {"learning_rate": 0.02, "beta2": HALF, "weight_decay": 0.3, "decoupled_weight_decay": False},
        decayed(0.3, optax.adan(0.02, b2=HALF, eps_root=0.0)),
    ),
    ("ADOPT", {}, optax.contrib.adopt(0.1)),
    (
        "ADOPT",
        {"learning_rate": 0.02, "beta1": 0.8, "beta2": 0.95, "weight_decay": 0.7, "eps": 0.01},
        decayed(0.7, optax.contrib.adopt(0.02, 0.8, 0.95, eps=0.01)),
    ),
    (
        "ADOPT",
        {"learning_rate": 0.02, "weight_decay": 0.3, "decoupled_weight_decay": True},
        pulled(0.3, 0.02, optax.contrib.adopt(0.02)),
    ),
    ("AdEMAMix", {"beta2": BETA2}, optax.contrib.ademamix(0.1, b2=BETA2, b3=BETA3)),
    (
        "AdEMAMix",
        {**FELT, "learning_rate": 0.001, "beta3": 0.75, "slow_weight": 2.0, "weight_decay": 0.3},
        optax.contrib.ademamix(0.001, 0.8, 0.95, 0.75, 2.0, eps=0.01, weight_decay=0.3),
    ),
    (
        "AdEMAMix",
        {**FELT, "learning_rate": 0.005, "weight_decay": 0.3, "decoupled_weight_decay": False},
        decayed(0.3, optax.contrib.ademamix(0.005, 0.8, 0.95, BETA3, eps=0.01)),
    ),
    ("SAM", {"learning_rate": 0.002}, sam(0.002, 0.05)),
    ("SAM", {"learning_rate": 0.003, "radius": 0.4}, sam(0.003, 0.4)),
    ("Schedule-free SGD", {"learning_rate": 0.05}, of_the_mean(optax.contrib.schedule_free_sgd(0.05))),
    (
        "Schedule-free SGD",
        {"learning_rate": 0.02, "beta": 0.5},
        of_the_mean(optax.contrib.schedule_free_sgd(0.02, b1=0.5)),
    ),
    ("Schedule-free AdamW", {"beta2": BETA2}, of_the_mean(optax.contrib.schedule_free_adamw(0.1, b2=BETA2))),
    (
        "Schedule-free AdamW",
        {**FELT, "learning_rate": 0.03, "weight_decay": 0.3},
        of_the_mean(optax.contrib.schedule_free_adamw(0.03, b1=0.8, b2=0.95, eps=0.01, weight_decay=0.3)),
    ),
    ("Backtracking", {}, searching(1.0, 0.5, 1e-4)),
    ("Backtracking", {"learning_rate": 0.3, "shrink": 0.7, "share": 0.3}, searching(0.3, 0.7, 0.3)),
    ("L-BFGS", {}, lbfgs(10, 1.0, 0.5, 1e-4)),
    ("L-BFGS", {"learning_rate": 0.3, "memory": 2.0, "shrink": 0.7, "share": 0.3}, lbfgs(2, 0.3, 0.7, 0.3)),
    ("Polyak", {}, polyak(1.0, 0.0)),
    ("Polyak", {"learning_rate": 0.5, "lowest_loss": 2.0}, polyak(0.5, 2.0)),
    ("Muon", {"learning_rate": 0.005}, muon(0.005, 0.95)),
    ("Muon", {"learning_rate": 0.01, "momentum": 0.7}, muon(0.01, 0.7)),
    *ABLATED,
]
# optax takes one position off another for the way from the start: of its first steps 32 bits leave next to nothing
IN_64_BITS = [
    ("Prodigy", {"learning_rate": 0.03, "beta2": BETA2}, prodigy(0.03, 0.9, BETA2)),
    (
        "Prodigy",
        {"learning_rate": 0.1, "beta1": 0.75, "beta2": 1 - 2**-6, "initial_distance": 0.1},
        prodigy(0.1, 0.75, 1 - 2**-6, estim_lr0=0.1),
    ),
]


def case_id(name, knobs):
    return "-".join([name, *(f"{knob}={value:g}" for knob, value in knobs.items())])


def race_positions(landscape, name, knobs, start):
    return race(landscape.loss, {name: OPTIMIZERS[name](**knobs)}, [start], STEPS, minima=landscape.minima)[
        name
    ].positions[0]


@pytest.mark.parametrize(("name", "knobs", "twin"), [pytest.param(*case, id=case_id(*case[:2])) for case in TWINS])
def test_walks_500_steps_beside_its_twin_in_optax(name, knobs, twin):
    ours = race_positions(BOOTH, name, knobs, START)
    np.testing.assert_allclose(ours[1:], twin_positions(twin), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("name", "knobs", "twin"), [pytest.param(*case, id=case_id(*case[:2])) for case in IN_64_BITS])
def test_walks_500_steps_beside_its_twin_in_optax_with_64_bits(name, knobs, twin):
    ours = race_positions(BOOTH, name, knobs, START)
    with jax.enable_x64(True):
        np.testing.assert_allclose(ours[1:], twin_positions(twin), rtol=0, atol=1e-5)


def twin_positions(twin, loss=BOOTH.loss, start=START, steps=STEPS):
    """Where an optimizer of optax goes."""

    def step(carry, _):
        x, state = carry
        updates, state = twin.update(jax.grad(loss)(x), state, x)
        x = optax.apply_updates(x, updates)
        return (x, state), x

    return np.asarray(jax.jit(lambda x: jax.lax.scan(step, (x, twin.init(x)), length=steps)[1])(jnp.array(start)))


STARTS = {"Rosenbrock": (-1.2, 1.0), "Beale": (1.0, 1.5), "Himmelblau": (2.0, 1.0), "Turned ravine": (-8.485, -2.828)}
LOWERING = {
    "Backtracking": (OPTIMIZERS["Backtracking"](), lambda loss: searching(1.0, 0.5, 1e-4, loss)),
    # told a loss that is too low, so that it does not come to where it would divide 0 by 0
    "Polyak": (OPTIMIZERS["Polyak"](lowest_loss=-0.1), lambda loss: polyak(1.0, -0.1, loss)),
}


@pytest.mark.parametrize("name", LOWERING)
@pytest.mark.parametrize("landscape", STARTS)
def test_with_64_bits_it_walks_beside_its_twin_on_other_problems_too(name, landscape):
    """In 32 bits rounding decides now and then whether a search takes a step, and the two part."""
    loss, start, steps = LANDSCAPES[landscape].loss, STARTS[landscape], 40
    optimizer, make_twin = LOWERING[name]

    def step(carry, number):
        x, memory = carry
        value, gradient = jax.value_and_grad(loss)(x)
        move, memory = update_at(optimizer, gradient, memory, x, number, value, loss)
        return (x + move, memory), x + move

    with jax.enable_x64(True):
        x = jnp.array(start)
        ours = jax.lax.scan(step, (x, jax.tree.map(jnp.asarray, optimizer.init(x))), jnp.arange(steps))[1]
        theirs = twin_positions(make_twin(loss), loss, start, steps)
    assert np.ptp(theirs, axis=0).max() > 0.1
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "run", [pytest.param(run, id=case_id(run["optimizer"], run["knobs"])) for run in RECORDED["runs"]]
)
def test_walks_500_steps_where_pytorch_went(run):
    theirs = np.array(run["positions"], np.float32)
    ours = race_positions(LANDSCAPES[run["landscape"]], run["optimizer"], run["knobs"], theirs[0])
    np.testing.assert_allclose(ours[:: RECORDED["every"]], theirs, rtol=0, atol=2e-5)


# optax's Sophia draws its curvatures at random, and the others are in neither: tests/test_ablations.py holds all to
# their formulas, tests/test_line_search.py conjugate gradient and BFGS to SciPy, and tests/test_moves.py Newton to
# linear algebra
WITHOUT_ANY_PEER = {"Sophia", "Conjugate gradient", "BFGS", "Newton", "Shampoo"}


def test_is_compared_with_a_peer_at_its_own_and_at_other_settings(rule):
    settings = [knobs for name, knobs, _ in (*TWINS, *IN_64_BITS) if name == rule.name]
    settings += [run["knobs"] for run in RECORDED["runs"] if run["optimizer"] == rule.name]
    if rule.name in WITHOUT_ANY_PEER:
        assert not settings
        return
    if not settings:
        pytest.skip(f"{rule.name} has no peer yet: if optax or PyTorch has it, add it to TWINS or to record_torch.py")
    for knob in rule.knobs():
        if (rule.name, knob.name) in WITHOUT_PEER:
            continue
        turned = {knobs.get(knob.name, knob.default) for knobs in settings}
        assert len(turned) > 1, f"{rule.name}: no comparison turns {knob.name}"
