"""The switches of the rules: what each changes, held to numpy in 64 bits, and what it is called."""

from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine import LANDSCAPES, OPTIMIZERS, race
from engine.optimizers import update_at
from ui.setup.codec import decode, encode
from ui.setup.pages import RaceSetup
from ui.setup.racers import racer_names

BOOTH, START, STEPS = LANDSCAPES["Booth"], (-2.0, 2.0), 200
# so large that each switch is felt
TURNED = {
    "weight_decay": 0.3,
    "eps": 0.05,
    "momentum": 0.7,
    "beta1": 0.8,
    "beta2": 0.95,
    "momentum_decay": 0.05,
    "rho": 0.8,
    "slow_weight": 2.0,
    "beta3": 0.9,
    "beta": 0.8,
    "radius": 0.3,
    "shrink": 0.4,
    "share": 0.3,
    "memory": 3.0,
    "damping": 2.0,
    "lowest_loss": -0.5,
    "refresh_interval": 3.0,
    "curvature_scale": 0.5,
    "initial_distance": 0.02,
}
RULES = [(rule, [knob for knob in rule.knobs() if knob.is_switch]) for rule in OPTIMIZERS.values()]
SWITCHES = [pytest.param(rule, knob, id=f"{rule.name}-{knob.name}") for rule, knobs in RULES for knob in knobs]
HESSIAN, LOWEST = np.array([[10.0, 8.0], [8.0, 10.0]]), np.array([1.0, 3.0])


def usual(rule, **more):
    """A rule whose numbers let its switches be felt."""
    names = {knob.name for knob in rule.knobs()}
    return rule(**{"learning_rate": 0.01} | {name: value for name, value in TURNED.items() if name in names} | more)


def settings():
    """Each rule with every combination of its switches."""
    for rule, knobs in RULES:
        for values in product((False, True), repeat=len(knobs)):
            yield usual(rule, **dict(zip((knob.name for knob in knobs), values, strict=True)))


def numbers(racer):
    """The knobs as the race has them, with 32 bits, in 64."""
    return {name: float(np.float32(value)) for name, value in vars(racer).items()}


# ---- the rules once more, as they stand in the papers, with numpy: each gives the direction in which x - αd goes.
# Where one asks for more, the loss is a quadratic with this Hessian, and x and the loss f there are among the knobs.


def heavy_ball(knobs, ahead):
    v = np.zeros(2)
    while True:
        g = yield
        v = knobs["momentum"] * v + g
        yield g + knobs["momentum"] * v if ahead else v


def divided(g, s, knobs):
    return g / np.sqrt(s + knobs["eps"]) if knobs["eps_in_root"] else g / (np.sqrt(s) + knobs["eps"])


def adagrad(knobs):
    s = np.zeros(2)
    while True:
        g = yield
        s = s + g**2
        yield divided(g, s, knobs)


def rmsprop(knobs):
    s, mean, v, gamma = np.zeros(2), np.zeros(2), np.zeros(2), knobs["smoothing_constant"]
    while True:
        g = yield
        s, mean = gamma * s + (1 - gamma) * g**2, gamma * mean + (1 - gamma) * g
        v = knobs["momentum"] * v + divided(g, np.maximum(s - mean**2, 0) if knobs["centered"] else s, knobs)
        yield v


def adam(knobs, keep_largest=False):
    m, s, largest, one, two = np.zeros(2), np.zeros(2), np.zeros(2), knobs["beta1"], knobs["beta2"]
    for t in range(1, STEPS + 1):
        g = yield
        m, s = one * m + (1 - one) * g, two * s + (1 - two) * g**2
        largest = np.maximum(largest, s) if keep_largest else s
        m_hat, s_hat = (m / (1 - one**t), largest / (1 - two**t)) if knobs["bias_correction"] else (m, largest)
        yield divided(m_hat, s_hat, knobs)


def nadam(knobs):
    m, s, product, one, two = np.zeros(2), np.zeros(2), 1.0, knobs["beta1"], knobs["beta2"]
    for t in range(1, STEPS + 1):
        g = yield
        now, later = (one * (1 - 0.5 * 0.96 ** (k * knobs["momentum_decay"])) for k in (t, t + 1))
        m, s, product = one * m + (1 - one) * g, two * s + (1 - two) * g**2, product * now
        corrected = knobs["bias_correction"]
        m_part = later * m / (1 - product * later if corrected else 1)
        g_part = (1 - now) * g / (1 - product if corrected else 1)
        yield divided(m_part + g_part, s / (1 - two**t if corrected else 1), knobs)


def adamax(knobs):
    m, u, one, two = np.zeros(2), np.zeros(2), knobs["beta1"], knobs["beta2"]
    for t in range(1, STEPS + 1):
        g = yield
        m, u = one * m + (1 - one) * g, np.maximum(two * u, np.abs(g) + knobs["eps"])
        yield m / (1 - one**t if knobs["bias_correction"] else 1) / u


def adadelta(knobs):
    s, u, rho, eps = np.zeros(2), np.zeros(2), knobs["rho"], knobs["eps"]
    while True:
        g = yield
        s = rho * s + (1 - rho) * g**2
        d = np.sqrt((u + eps) / (s + eps)) * g
        u = rho * u + (1 - rho) * d**2
        yield d


def rprop(knobs):
    p, step = np.zeros(2), np.full(2, knobs["learning_rate"])
    while True:
        g = yield
        factor = np.choose(np.sign(g * p).astype(int) + 1, (knobs["eta_minus"], 1, knobs["eta_plus"]))
        step = np.clip(step * factor, knobs["min_step_size"], knobs["max_step_size"])
        p = np.where(g * p < 0, 0, g)
        yield step * np.sign(p) / knobs["learning_rate"]


def lion(knobs):
    m = np.zeros(2)
    while True:
        g = yield
        yield np.sign(knobs["beta1"] * m + (1 - knobs["beta1"]) * g)
        m = knobs["beta2"] * m + (1 - knobs["beta2"]) * g


def adan(knobs):
    m, v, n, p = np.zeros(2), np.zeros(2), np.zeros(2), None
    one, two, three = (knobs[f"beta{k}"] for k in (1, 2, 3))
    for t in range(1, STEPS + 1):
        g = yield
        d = np.zeros(2) if p is None else g - p
        m, v, n = one * m + (1 - one) * g, two * v + (1 - two) * d, three * n + (1 - three) * (g + two * d) ** 2
        a, b, c = (1 - beta**t if knobs["bias_correction"] else 1 for beta in (one, two, three))
        yield (m / a + two * v / b) / (np.sqrt(n / c) + knobs["eps"])
        p = g


def adopt(knobs):
    m, one, two = np.zeros(2), knobs["beta1"], knobs["beta2"]
    s = (yield) ** 2
    yield m
    for t in range(1, STEPS + 1):
        g = yield
        m = one * m + (1 - one) * np.clip(g / np.maximum(np.sqrt(s), knobs["eps"]), -(t**0.25), t**0.25)
        s = two * s + (1 - two) * g**2
        yield m


def ademamix(knobs):
    m, slow, s = np.zeros(2), np.zeros(2), np.zeros(2)
    one, two, three = (knobs[f"beta{k}"] for k in (1, 2, 3))
    for t in range(1, STEPS + 1):
        g = yield
        m, slow, s = one * m + (1 - one) * g, three * slow + (1 - three) * g, two * s + (1 - two) * g**2
        m_hat, s_hat = (m / (1 - one**t), s / (1 - two**t)) if knobs["bias_correction"] else (m, s)
        yield (m_hat + knobs["slow_weight"] * slow) / (np.sqrt(s_hat) + knobs["eps"])


def signum(knobs):
    m = np.zeros(2)
    while True:
        g = yield
        m = knobs["beta"] * m + (1 - knobs["beta"]) * g
        yield np.sign(m)


def sam(knobs):
    while True:
        g = yield
        yield g + HESSIAN @ (knobs["radius"] * g / np.linalg.norm(g))


def schedule_free(knobs, in_adam=False):
    z, s, beta, two = None, np.zeros(2), knobs["beta1" if in_adam else "beta"], knobs.get("beta2")
    for t in range(1, STEPS + 1):
        g, x = (yield), knobs["x"]
        z = x if z is None else z
        y = beta * x + (1 - beta) * z
        d = g + HESSIAN @ (y - x)
        if in_adam:
            s = two * s + (1 - two) * d**2
            d = d / (np.sqrt(s / (1 - two**t)) + knobs["eps"]) + knobs["weight_decay"] * y
        z = z - knobs["learning_rate"] * d
        yield (x - z) / t / knobs["learning_rate"]


def prodigy(knobs):
    m, s, r, k, back, d = np.zeros(2), np.zeros(2), 0, np.zeros(2), np.zeros(2), knobs["initial_distance"]
    one, two, rate = knobs["beta1"], knobs["beta2"], knobs["learning_rate"]
    while True:
        g = yield
        m, s = one * m + (1 - one) * d * g, two * s + (1 - two) * (d * g) ** 2
        r = np.sqrt(two) * r + (1 - np.sqrt(two)) * rate * d**2 * g @ back
        k = np.sqrt(two) * k + (1 - np.sqrt(two)) * rate * d**2 * g
        step = d * m / (np.sqrt(s) + d * knobs["eps"])
        yield step
        back = back + rate * step
        d = max(d, r / np.abs(k).sum())


def searched(knobs, g, d):
    """The first step along d that lowers the quadratic by enough."""
    step = knobs["learning_rate"]
    while step * g @ d + step**2 * d @ HESSIAN @ d / 2 > knobs["share"] * step * g @ d:
        step = step * knobs["shrink"]
    return step


def backtracking(knobs):
    while True:
        g = yield
        yield g * searched(knobs, g, -g) / knobs["learning_rate"]


def polyak(knobs):
    while True:
        g = yield
        yield (knobs["f"] - knobs["lowest_loss"]) * g / (g @ g)


def conjugate_gradient(knobs):
    d, p, q = np.zeros(2), np.zeros(2), 1
    while True:
        g = yield
        beta = max(0, g @ (g - p) / q)
        d = beta * d - g if g @ (beta * d - g) < 0 else -g
        p, q = g, g @ g
        yield -d * searched(knobs, g, d) / knobs["learning_rate"]


def with_pair(inverse, s, y):
    """The inverse Hessian of BFGS with one more pair, as a product."""
    turn = np.eye(2) - np.outer(s, y) / (s @ y)
    return turn @ inverse @ turn.T + np.outer(s, s) / (s @ y)


def bfgs(knobs, limited=False):
    """With a matrix; limited to the newest pairs, it is made anew of them in each step."""
    inverse, s, p, pairs = np.eye(2), np.zeros(2), np.zeros(2), []
    while True:
        g = yield
        y = g - p
        if s @ y > 0:
            pairs.append((s, y))
            inverse = with_pair(inverse if len(pairs) > 1 else np.eye(2) * (s @ y) / (y @ y), s, y)
        if limited:
            inverse = np.eye(2) * (s @ y / (y @ y) if s @ y > 0 else 1)
            for pair in pairs[-int(knobs["memory"]) :]:
                inverse = with_pair(inverse, *pair)
        d = -inverse @ g
        p, s = g, searched(knobs, g, d) * d
        yield -s / knobs["learning_rate"]


def newton(knobs):
    while True:
        g = yield
        yield np.linalg.solve(HESSIAN + knobs["damping"] * np.eye(2), g)


def sophia(knobs):
    m, h = np.zeros(2), np.zeros(2)
    for t in range(STEPS):
        g = yield
        m = knobs["beta1"] * m + (1 - knobs["beta1"]) * g
        if t % knobs["refresh_interval"] == 0:
            h = knobs["beta2"] * h + (1 - knobs["beta2"]) * np.diag(HESSIAN)
        yield np.clip(m / np.maximum(knobs["curvature_scale"] * h, knobs["eps"]), -1, 1)


def orthogonalized(column):
    """The five rounds of Newton and Schulz, of a matrix of one column: it keeps its direction."""
    column = column / (np.linalg.norm(column) + 1e-8)
    for _ in range(5):
        square = column @ column
        column = (3.4445 - 4.7750 * square + 2.0315 * square**2) * column
    return column


def muon(knobs):
    v = np.zeros(2)
    while True:
        g = yield
        v = knobs["momentum"] * v + g
        yield orthogonalized(g + knobs["momentum"] * v)


def shampoo(knobs):
    p, q = knobs["eps"] * np.eye(2), knobs["eps"]
    while True:
        g = yield
        p, q = p + np.outer(g, g), q + g @ g
        sizes, directions = np.linalg.eigh(p)
        sizes = np.maximum(sizes, 1e-4 * sizes[-1])
        yield directions * sizes**-0.25 @ directions.T @ g * q**-0.25


def sgd(knobs):
    while True:
        g = yield
        yield g


IN_NUMPY = {
    "SGD": sgd,
    "Momentum": lambda knobs: heavy_ball(knobs, ahead=False),
    "Nesterov": lambda knobs: heavy_ball(knobs, ahead=True),
    "AdaGrad": adagrad,
    "RMSProp": rmsprop,
    "Adam": adam,
    "AdamW": adam,
    "AMSGrad": lambda knobs: adam(knobs, keep_largest=True),
    "NAdam": nadam,
    "Lion": lion,
    "Adamax": adamax,
    "AdaDelta": adadelta,
    "RProp": rprop,
    "Signum": signum,
    "Adan": adan,
    "ADOPT": adopt,
    "AdEMAMix": ademamix,
    "SAM": sam,
    "Schedule-free SGD": schedule_free,
    "Schedule-free AdamW": lambda knobs: schedule_free(knobs, in_adam=True),
    "Prodigy": prodigy,
    "Sophia": sophia,
    "Backtracking": backtracking,
    "Polyak": polyak,
    "Conjugate gradient": conjugate_gradient,
    "Newton": newton,
    "BFGS": bfgs,
    "L-BFGS": lambda knobs: bfgs(knobs, limited=True),
    "Muon": muon,
    "Shampoo": shampoo,
}


def walk(racer):
    """Where a rule goes on Booth's function, ``(steps + 1, 2)``."""
    knobs = numbers(racer)
    rule, x, path = IN_NUMPY[racer.name](knobs), np.array(START), [START]
    decoupled = knobs.get("decoupled_weight_decay")
    for _ in range(STEPS):
        next(rule)
        pull, knobs["x"], knobs["f"] = pull_at(racer, x), x, (x - LOWEST) @ HESSIAN @ (x - LOWEST) / 2
        direction = rule.send(HESSIAN @ (x - LOWEST) + (0 if decoupled else pull))
        x = x - knobs["learning_rate"] * (direction + (pull if decoupled else 0))
        path.append(x)
    return np.array(path)


def pull_at(racer, x):
    """The pull of weight decay; none where the rule itself says where it acts."""
    return 0 * x if racer.takes_at else numbers(racer).get("weight_decay", 0) * x


def positions(racer, steps=STEPS):
    return race(BOOTH.loss, {"it": racer}, [START], steps, minima=BOOTH.minima)["it"].positions[0]


@jax.jit  # with its switches as arguments, as in a race: compiled once for each rule
def moves_along(racer, x, gradients):
    """The moves ``(steps, dim)`` of a rule that stays at ``x`` and is given these gradients."""

    def step(state, gradient):
        def loss(y):
            return gradient @ (y - x) + (y - x) @ jnp.asarray(HESSIAN, jnp.float32) @ (y - x) / 2

        return update_at(racer, gradient, state, x, jnp.array(0), jnp.array(0.0), loss)[::-1]

    return jax.lax.scan(step, jax.tree.map(jnp.asarray, racer.init(x)), gradients)[1]


def case_id(racer):
    return " ".join([racer.name, *(knob.changed for knob in racer.knobs() if knob.is_switch and differs(racer, knob))])


def differs(racer, knob):
    return getattr(racer, knob.name) != knob.default


@pytest.mark.parametrize("racer", [*settings()], ids=case_id)
def test_with_any_of_its_switches_a_rule_goes_where_numpy_goes_in_64_bits(racer):
    # a direction may turn a step earlier or later at the bottom, where the gradient passes through 0
    turns = np.linalg.eigvalsh(HESSIAN)[-1] * vars(racer).get("radius", 0) or "sign" in racer.formula
    tolerance = 2.1 * racer.learning_rate * turns or 2e-4
    np.testing.assert_allclose(positions(racer), walk(racer), rtol=0, atol=tolerance)


@pytest.mark.parametrize("racer", [*settings()], ids=case_id)
def test_on_gradients_of_any_size_and_sign_a_rule_moves_as_in_numpy(racer, rng):
    """Down a bowl they only shrink: there a largest square is the first one, and a sign turns at the bottom alone."""
    x, gradients = np.array([1.0, -2.0]), rng.normal(size=(30, 2)) * np.exp(rng.normal(size=(30, 2)))
    knobs, expected = numbers(racer), []
    with jax.enable_x64(True):
        moves = moves_along(racer.rule(*knobs.values()), jnp.array(x), jnp.array(gradients))
    rule, decoupled = IN_NUMPY[racer.name](knobs), knobs.get("decoupled_weight_decay")
    for gradient in gradients:
        next(rule)
        pull, knobs["x"], knobs["f"] = pull_at(racer, x), x, 0
        direction = rule.send(gradient + (0 if decoupled else pull)) + (pull if decoupled else 0)
        expected.append(-knobs["learning_rate"] * direction)
    np.testing.assert_allclose(moves, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize(("rule", "knob"), SWITCHES)
def test_a_switch_changes_where_its_rule_goes(rule, knob):
    racer = usual(rule)
    other = usual(rule, **{knob.name: not knob.default})
    assert np.abs(positions(racer) - positions(other)).max() > 2e-5  # more than rounding


# ---- what they do


def first_move(racer, gradient):
    x = jnp.zeros(2)
    return np.asarray(jax.jit(lambda: racer.update(jnp.asarray(gradient), racer.init(x), x)[0])())


@pytest.mark.parametrize("name", ["Momentum", "Nesterov"])
def test_without_momentum_a_heavy_ball_is_sgd_to_the_last_digit(name):
    racers = {
        "ball": OPTIMIZERS[name](learning_rate=0.02, momentum=0.0, weight_decay=0.1),
        "SGD": OPTIMIZERS["SGD"](learning_rate=0.02, weight_decay=0.1),
    }
    ball, sgd = race(BOOTH.loss, racers, [START], 100).values()
    np.testing.assert_allclose(ball.positions, sgd.positions, rtol=1e-6)
    for gradient in ([3.0, -0.7], [1e-7, 1e5]):
        np.testing.assert_array_equal(first_move(racers["ball"], gradient), first_move(racers["SGD"], gradient))


def test_without_bias_correction_adam_s_first_step_is_root_ten_times_as_long():
    """α (1 - β₁) / √(1 - β₂): with 0.9 and 0.999 it is 3.16 α, and not α."""
    adam = OPTIMIZERS["Adam"]
    np.testing.assert_allclose(first_move(adam(learning_rate=0.1), [3.0, -0.2]), [-0.1, 0.1], rtol=1e-4)
    bare = first_move(adam(learning_rate=0.1, bias_correction=False), [3.0, -0.2])
    np.testing.assert_allclose(bare, [-0.316228, 0.316228], rtol=1e-3)


def test_eps_in_the_root_acts_like_its_own_root():
    """A gradient of 1e-6 is large beside an eps of 1e-8, and small beside its root."""
    adam, small = OPTIMIZERS["Adam"], [1e-6, -1e-6]
    np.testing.assert_allclose(np.abs(first_move(adam(learning_rate=0.1), small)), 0.1 / 1.01, rtol=1e-3)
    inside = np.abs(first_move(adam(learning_rate=0.1, eps_in_root=True), small))
    np.testing.assert_allclose(inside, 0.1 * 1e-6 / 1e-4, rtol=1e-3)


@pytest.mark.parametrize("decoupled", [False, True])
def test_adam_and_adamw_differ_in_how_weight_decay_is_applied_and_in_nothing_else(decoupled):
    one, other = (positions(usual(OPTIMIZERS[name], decoupled_weight_decay=decoupled)) for name in ("Adam", "AdamW"))
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


# ---- what they are called


@pytest.mark.parametrize(("rule", "knob"), SWITCHES)
def test_beside_the_original_an_ablated_racer_is_named_in_words(rule, knob):
    pair = rule(), rule(**{knob.name: not knob.default})
    names = racer_names(pair)
    assert names == [rule.name, f"{rule.name} {knob.changed}"]
    assert not any(character.isdigit() or character == "_" for character in knob.changed)
    setup = RaceSetup(racers=pair)
    assert encode(setup)["racer"] == [rule.name, f"{rule.name}~{knob.name}~{int(not knob.default)}"]
    assert decode(encode(setup), RaceSetup()) == (setup, [])


def test_a_racer_that_differs_in_numbers_and_switches_is_named_by_both():
    adam = OPTIMIZERS["Adam"]
    racers = adam(), adam(learning_rate=0.5, bias_correction=False, eps_in_root=True)
    assert racer_names(racers) == ["Adam 0.1", "Adam 0.5 without bias correction, with eps in the root"]
