"""One step, taken apart: numpy computes each line of a rule anew, in 64 bits, from the numbers that stand above it."""

import functools
import json
import re

import numpy as np
import pytest
from visit import floats, message, shown

from engine import LANDSCAPES, OPTIMIZERS, SCHEDULES, GradientNoise, race
from engine.batches import batch
from engine.optimizers import Optimizer
from engine.optimizers import knobs_of as knobs_of_class
from engine.problems import bowl, mean_squared_error
from engine.rule_text import parse_rule
from engine.scheduled import PREFIX, Scheduled
from ui.draw.apart import OLD, Apart, knobs_of, lines_of
from ui.draw.stage.stage import Stage
from ui.setup.codec import encode
from ui.setup.pages import FitSetup, RaceSetup, RegressionSetup

STEPS = 30
TYPED = (
    "a = 2e-5 [1e-6, 1]\nb1 = 0.9 [0, 1]\nm = b1 m + (1 - b1) g\nmhat = m / (1 - b1^t)\nd = mhat / (sqrt(mhat^2) + 1)\n"
    "x = x - a d - a max(g, m)",
    "p0 = x\ny = x - 2p\np = 0.5 p + |y| sign(g)\nx = (1 - 1e-4) x + 1e-3 y",
)
EXACT = 3e-5  # of 32 bits, which have 7 digits, a line loses one or two
FIT, SIZE, SEED = bowl(23, 1.0, seed=4), 5, 7
NOISE = GradientNoise(8.0, seed=3)
COMMAND = re.compile(
    r"\\cdot|\\top|\\frac|\\sqrt|\\max|\\min|\\ge|\\operatorname\{\w+\}|\\\|(?:_1)?|\\langle|\\rangle|"
    r"\\cos|\\pi|\\[lr]floor|[0-9.]+|[-+/^(){},|<>]|\[|\]"
)
# of a product
ENDS = (
    *("+", "-", ")", "}", ",", "^", "|", "]", "<", ">", r"\ge", r"\rfloor"),
    *(r"\|", r"\|_1", r"\rangle", r"\operatorname{mod}"),
)


def on_himmelblau(x, k):
    a, b = x[0] ** 2 + x[1] - 11, x[0] + x[1] ** 2 - 7
    return a**2 + b**2, np.array([4 * a * x[0] + 2 * b, 2 * a + 4 * b * x[1]]), a**2 + b**2


@functools.cache
def batch_of(step):
    return batch(SEED, step, len(FIT.true), SIZE)


def on_batches(x, k):
    """The loss of all examples, and the gradient and the loss of those in the batch of step ``k``."""
    (features, true), some = ([part.astype(float) for part in FIT.data], batch_of(k))
    gradient = 2 * features[some].T @ (features[some] @ x - true[some]) / len(some)
    losses = (features @ x - true) ** 2
    return np.mean(losses), gradient, np.mean(losses[some])


def on_noise(x, k):
    """The gradient of step ``k`` with its noise; the loss has none."""
    loss, gradient, _ = on_himmelblau(x, k)
    return loss, gradient + NOISE.draw(STEPS, 2)[k], loss


def orthogonalized(vector):
    """What Muon makes of a matrix of one column: it keeps its direction, and its length comes near 1."""
    column = vector / (np.linalg.norm(vector) + 1e-8)
    for _ in range(5):
        square = column @ column
        column = (3.4445 - 4.7750 * square + 2.0315 * square**2) * column
    return column


GROUNDS = {
    "Himmelblau": (LANDSCAPES["Himmelblau"].loss, (0.5, 1.5), {}, on_himmelblau),
    "mini-batches": (mean_squared_error, (2.5, 8.0), {"data": FIT.data, "batch_size": SIZE}, on_batches),
    "noise": (LANDSCAPES["Himmelblau"].loss, (0.5, 1.5), {"noise": NOISE}, on_noise),
}
USUAL = ("Himmelblau", "mini-batches")
ASKING = [rule for rule in OPTIMIZERS.values() if rule.takes_at]


# So short that a run goes on for all of its steps. Of a rule that knows how the loss bends it is longer, or 32 bits
# could not tell it from none; and so it is for one that takes the gradient between two points
RATES = {"BFGS": 0.02, "L-BFGS": 0.02, "Shampoo": 0.05, "Schedule-free AdamW": 0.02}


def usual(rule: type[Optimizer]) -> Optimizer:
    """A racer with short steps, and its other knobs at their defaults."""
    return rule(learning_rate=RATES.get(rule.name, 2e-5))


def turned(rule: type[Optimizer]) -> Optimizer:
    """A racer with none of its knobs at its default."""
    knobs = {
        knob.name: not knob.default if knob.is_switch else knob.low + 0.8 * min(knob.high - knob.low, 1)
        for knob in rule.knobs()
    }
    # one beta is not to be taken for the other
    other = {"learning_rate": RATES.get(rule.name, 2e-5), "weight_decay": 0.03, "eps": 0.01, "beta1": 0.6}
    return rule(**{**knobs, **{name: value for name, value in other.items() if name in knobs}})


def apart(ground, racers, steps=STEPS) -> Apart:
    loss, start, options, _ = GROUNDS[ground]
    traces = race(loss, racers, [start], steps, seeds=SEED, **options)
    runs = {name: trace.run(0) for name, trace in traces.items()}
    return Apart(loss, racers, runs, {"x": "x", "y": "y"}, **options, seed=SEED)


FUNCTIONS = {
    r"\operatorname{sign}": np.sign,
    r"\operatorname{diag}": np.diag,
    r"\operatorname{orth}": orthogonalized,
    r"\operatorname{matrix}": np.array,
}


def hessian_of(slope, x):
    """The Hessian by differences of the gradient."""
    width = 1e-4 * np.eye(2)
    return np.array([(slope(x + d) - slope(x - d)) / 2e-4 for d in width])


def searched(loss, now, direction):
    """The first step along a direction that lowers the loss by a share of what the slope promises."""
    step, slope, here = now[r"\alpha"], now["g"] @ direction, loss(now["x"])
    for _ in range(60):
        if loss(now["x"] + step * direction) <= here + now["c"] * step * slope:
            return step
        step = step * now[r"\tau"]
    return 0


def two_loops(pairs, scale, g):
    """g times the inverse Hessian of these pairs, the oldest first: as a matrix."""
    inverse = np.eye(2) * scale
    for s, y in pairs:
        turn = np.eye(2) - np.outer(s, y) / (s @ y)
        inverse = turn @ inverse @ turn.T + np.outer(s, s) / (s @ y)
    return inverse @ g


def scaled_once(scale, matrix):
    """The identity times a scale, and any other matrix as it is."""
    return scale * matrix if np.all(matrix.rows == np.eye(2)) else matrix


class Matrix:
    """A matrix as it stands in formulas: side by side with a vector or a matrix it is a product."""

    __array_ufunc__ = None  # NumPy leaves what is to be done to it

    def __init__(self, rows):
        self.rows = np.asarray(rows).reshape(2, 2)

    def __add__(self, other):
        return Matrix(self.rows + other.rows)

    def __sub__(self, other):
        return Matrix(self.rows - other.rows)

    def __neg__(self):
        return Matrix(-self.rows)

    def __abs__(self):
        """With every eigenvalue without its sign."""
        values, vectors = np.linalg.eigh(self.rows)
        return Matrix(vectors @ np.diag(np.abs(values)) @ vectors.T)

    def __pow__(self, power):
        if power == int(power):
            return Matrix(np.linalg.matrix_power(self.rows, int(power)))
        values, vectors = np.linalg.eigh(self.rows)
        values = np.maximum(values, 1e-4 * values[-1])  # as Shampoo has it: below is rounding
        return Matrix(vectors * values**power @ vectors.T)

    def __mul__(self, vector):
        return self.rows @ vector

    def __rmul__(self, number):
        return Matrix(number * self.rows)


class Row:
    """A transposed vector."""

    __array_ufunc__ = None

    def __init__(self, vector):
        self.vector = vector

    def __mul__(self, column):
        return self.vector @ column

    def __rmul__(self, column):
        return Matrix(np.outer(column, self.vector))


class Reader:
    """Computes what a formula in LaTeX says, with numbers for its symbols."""

    def __init__(self, text, values):
        names = sorted(values, key=len, reverse=True)
        commands = f"{COMMAND.pattern}|{'|'.join(map(re.escape, names))}"
        text = re.sub(r"\\,|\\left(?!arrow)|\\right|\{(\\bar g)\}", r"\1", text)
        self.parts, self.values = re.findall(commands, text), values
        assert "".join(self.parts).replace(" ", "") == text.replace(" ", ""), text  # nothing is left out

    def take(self, *which):
        return self.parts.pop(0) if self.parts and self.parts[0] in which else None

    def total(self):
        total = -self.product() if self.take("-") else self.product()
        while sign := self.take("+", "-"):
            total = total + self.product() if sign == "+" else total - self.product()
        return total

    def product(self):
        is_bracket = self.parts[0] == "["
        product = self.power()
        is_off = is_bracket and not np.any(
            product
        )  # then the product is 0, whatever it is multiplied with or divided by
        while self.parts and self.parts[0] not in ENDS:
            self.take(r"\cdot")
            divides, other = self.take("/"), self.power()
            product = product if is_off else product / other if divides else product * other
        return product

    def power(self):
        base = self.one()
        if not self.take("^"):
            return base
        return Row(base) if self.take(r"\top") else base ** self.one()

    def one(self):
        part = self.parts.pop(0)
        if part in ("(", "{"):
            found = self.total()
            assert self.parts.pop(0) in (")", "}")
            return found
        if part == "[":  # 1 where it is so, 0 elsewhere
            left = self.total()
            left = left % self.total() if self.take(r"\operatorname{mod}") else left
            sign, right = self.parts.pop(0), self.total()
            assert self.take("]")
            return {"<": left < right, ">": left > right, r"\ge": left >= right}[sign] * 1.0
        if part == "|":
            found = abs(self.total())
            assert self.take("|")
            return found
        if part == r"\lfloor":
            found = np.floor(self.total())
            assert self.take(r"\rfloor")
            return found
        if part == r"\cos":
            return np.cos(self.one())
        if part == r"\pi":
            return np.pi
        if part == r"\frac":
            return self.one() / self.one()
        if part == r"\sqrt":
            return np.sqrt(self.one())
        if part.startswith(r"\operatorname"):
            return FUNCTIONS.get(part, self.values.get(part))(self.one())
        if part == r"\|":
            inside = self.total()
            return np.abs(inside).sum() if self.parts.pop(0).endswith("_1") else np.linalg.norm(inside)
        if part == r"\langle":
            inside = self.total(), self.parts.pop(0), self.total(), self.parts.pop(0)
            return inside[0] @ inside[2]
        if part in (r"\max", r"\min"):
            self.take("(")
            first = self.total()
            self.take(",")
            found = (np.maximum if part == r"\max" else np.minimum)(first, self.total())
            self.take(")")
            return found
        return self.values[part] if part in self.values else float(part)


@pytest.mark.parametrize("ground", USUAL)
@pytest.mark.parametrize("make", [usual, turned], ids=["as usual", "all knobs turned"])
def test_each_number_is_what_its_line_makes_of_those_above_it(rule, ground, make):
    check_each_number(make(rule), ground)


@pytest.mark.parametrize("ground", USUAL)
@pytest.mark.parametrize("text", TYPED)
def test_so_it_is_with_a_rule_that_was_typed(text, ground):
    check_each_number(parse_rule(text)(), ground)


@pytest.mark.parametrize("asking", ASKING, ids=[rule.name for rule in ASKING])
def test_so_it_is_with_noise_which_is_in_each_gradient_of_a_step_and_in_no_loss_and_no_hessian(asking):
    check_each_number(turned(asking), "noise")


def test_with_noise_the_gradient_is_said_to_be_noisy():
    def words(ground):
        rows = apart(ground, {"it": OPTIMIZERS["SGD"]()}).message()["rows"]
        return next(row["words"] for row in rows if row["symbol"] == "g")

    assert (words("Himmelblau"), words("noise")) == ("gradient", "noisy gradient")


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_so_it_is_with_a_schedule_and_its_learning_rate_of_each_step(schedule):
    knobs = {knob.name: knob.low + 0.3 * min(knob.high - knob.low, 20) for knob in knobs_of_class(schedule)}
    check_schedule(Scheduled(OPTIMIZERS["SGD"], schedule), knobs)


def test_so_it_is_with_a_typed_rule_and_a_schedule_without_a_warm_up():
    check_schedule(Scheduled(parse_rule(TYPED[0]), SCHEDULES["cosine"]), {"warm_up": 1.0, "steps": 20.0})


def check_schedule(rule, knobs):
    racer = rule(learning_rate=1e-3, **{f"{PREFIX}{name}": value for name, value in knobs.items()})
    check_each_number(racer, "Himmelblau")
    told = apart("Himmelblau", {"it": racer}).message()["racers"]["it"]
    assert not any("<mi" in cell["numbers"].replace("<mi>π</mi>", "") for cell in told["cells"].values())
    assert {knob["symbol"] for knob in told["knobs"]} <= set(re.findall(r'data-symbol="([^"]*)"', told["code"]))


def check_each_number(racer, ground):
    truth, pairs = GROUNDS[ground][3], []
    given = apart(ground, {"it": racer})
    values = {name: part.astype(float) for name, part in given.values("it", given.steps("it")).items()}
    knobs = {symbol: float(np.float32(value)) for symbol, value in knobs_of(racer).items()}  # as the run has them
    # gradients of different batches belong to no one Hessian: after some steps rounding alone is left of what they say
    steps = 8 if racer.name in RATES and ground != "Himmelblau" else STEPS
    for k in range(steps):
        here = {name: part[k] for name, part in values.items()}
        scale = 1
        if {"y", "old s"} <= here.keys() and here["old s"] @ here["y"] > 0:
            pairs.append((here["old s"], here["y"]))
            scale = here["old s"] @ here["y"] / (here["y"] @ here["y"])
        _, gradient, _ = truth(here["old x"], k)
        np.testing.assert_allclose(here["g"], gradient, rtol=1e-4, atol=1e-4 * np.abs(gradient).max())
        now = {**knobs, **{name.removeprefix(OLD): one for name, one in here.items() if name.startswith(OLD)}}
        now |= {name: here[name] for name in ("g", "t") if name in here}
        newest = pairs[-int(np.ceil(knobs.get("m", 0))) :]
        now |= {r"\operatorname{twoloop}": functools.partial(two_loops, newest, scale)}
        now |= {r"\operatorname{scaled}": functools.partial(scaled_once, scale)}
        now = {name: Matrix(one) if np.size(one) == 4 else one for name, one in now.items()} | {"I": Matrix(np.eye(2))}
        slope = functools.partial(lambda k, x: truth(x, k)[1], k)
        now |= {r"\operatorname{grad}": slope, r"\operatorname{Hess}": functools.partial(hessian_of, slope)}
        loss = functools.partial(lambda k, x: truth(x, k)[2], k)
        now |= {r"\operatorname{loss}": loss, r"\operatorname{backtrack}": functools.partial(searched, loss, now)}
        for line in lines_of(racer):
            found = Reader(line.right, now).total()
            is_matrix = np.size(here[line.symbol]) == 4
            found = np.ravel(getattr(found, "rows", found))
            exact = 10 * EXACT if is_matrix else EXACT  # BFGS makes a small matrix of the difference of larger ones
            np.testing.assert_allclose(
                here[line.symbol], found, rtol=exact, atol=exact * np.abs(found).max(), err_msg=f"{line} at {k}"
            )
            now[line.symbol] = Matrix(here[line.symbol]) if is_matrix else here[line.symbol]
        np.testing.assert_allclose(here["L"], truth(here["x"], k)[0], rtol=1e-4, atol=1e-4)
        if k:
            for name in (name for name in values if name.startswith(OLD)):
                np.testing.assert_array_equal(here[name], values[name.removeprefix(OLD)][k - 1], err_msg=name)


def test_what_follows_from_the_state_is_what_the_move_is_made_of(rule):
    """Beside the formula, the code: nothing that is shown of a rule is left out of its lines."""
    racer = turned(rule)
    given = apart("Himmelblau", {"it": racer})
    lines = {line.symbol for line in lines_of(racer)}
    shown_rows = {row["symbol"] for row in given.message()["rows"]}
    assert lines | {"g", "L"} <= shown_rows <= lines | {"g", "L", "t"}


@pytest.mark.parametrize("make", [lambda rule: rule(), turned], ids=["as usual", "all knobs turned"])
def test_every_symbol_can_be_pointed_at_and_every_one_has_a_number(rule, make):
    racer = make(rule)
    told = apart("Himmelblau", {"it": racer}).message()["racers"]["it"]
    marked = set(re.findall(r'data-symbol="([^"]*)"', told["code"]))
    for symbol, cell in told["cells"].items():
        in_each_coordinate = re.sub(
            r"(<mo>(grad|Hess|loss|backtrack|twoloop|scaled|orth|matrix)</mo><mrow>|<mrow><mo[^>]*>[‖⟨]).*?</mrow>",
            "",
            cell["numbers"],
        )
        assert "<mi" not in in_each_coordinate, (symbol, cell["numbers"])
        assert set(re.findall(r'data-value="([^"]*)"', cell["numbers"])) <= told["values"].keys()
        for part in re.findall(r"<mi[^>]*>", cell["formula"].replace("<mi>I</mi>", "")):
            inside = part == "<mi>" and re.search(r"<(msub|mover|mrow)[^>]*data-symbol", cell["formula"])
            assert "data-symbol" in part or inside, (part, cell["formula"])
    assert {"g", r"\alpha", r"\Delta", *(knob["symbol"] for knob in told["knobs"])} <= marked


def test_of_a_thinned_run_a_record_shows_the_step_that_begins_there(rule):
    racer = rule(learning_rate=0.002)
    every, thinned = (apart("Himmelblau", {"it": racer}, steps) for steps in (500, 900))
    stride = int(thinned.runs["it"].steps[1])
    assert stride > 1
    (ours, _), (whole, _) = thinned.steps("it"), every.steps("it")
    count = 500 // stride
    for name in ("gradients", "moves", "points"):
        found, expected = getattr(ours, name)[:count], getattr(whole, name)[:-1][::stride][:count]
        np.testing.assert_allclose(found, expected, rtol=0.02, atol=1e-3)


def test_where_a_racer_has_ended_no_step_is_shown():
    racers = {"lost": OPTIMIZERS["SGD"](learning_rate=1.0), "there": OPTIMIZERS["Adam"]()}
    given = apart("Himmelblau", racers)
    end = given.runs["lost"].records
    assert end < STEPS
    values = {name: given.values(name, given.steps(name)) for name in racers}
    for part in values["lost"].values():
        assert np.isnan(part[end - 1 :]).all()
    for part in values["there"].values():
        assert np.isfinite(part[:-1]).all()
        assert np.isnan(part[-1]).all()
    np.testing.assert_array_equal(values["there"]["x"][:-1], given.runs["there"].positions[1:])


PAGES = {
    "race-stage": RaceSetup(racers=(OPTIMIZERS["SGD"](), OPTIMIZERS["Adam"]()), steps=20),
    "regression-stage": RegressionSetup(racers=(OPTIMIZERS["RMSProp"](learning_rate=0.1),), steps=20, examples=20),
    "fit-stage": FitSetup(data="noisy line", batch=8, model="intercept", steps=20, tolerance=0.0),
}


@pytest.mark.parametrize("key", PAGES)
def test_each_page_that_races_takes_its_racers_apart_where_its_link_says_so(key, monkeypatch):
    from dataclasses import replace

    from engine import steps

    setup = PAGES[key]
    assert "apart" not in encode(setup)
    assert encode(replace(setup, apart=True))["apart"] == ["1"]
    told = json.loads(message(shown(replace(setup, apart=True)), key).json)
    assert told["apart"]["racers"].keys() == {track["name"] for track in told["tracks"]}
    for track in told["tracks"]:
        values = told["apart"]["racers"][track["name"]]["values"]
        for coordinate, point in zip(told["apart"]["coordinates"], values["x"], strict=True):
            np.testing.assert_array_equal(
                floats(point)[:-1], floats(track["values"][coordinate["quantity"]])[1:], err_msg=coordinate["label"]
            )
    monkeypatch.setattr(steps, "follow", None)  # nobody asks for it
    assert json.loads(message(shown(setup), key).json)["apart"] is False


def test_a_stage_that_takes_nothing_apart_says_nothing_of_it():
    assert "apart" not in Stage(figures={}, views=[], tracks=[], steps=np.arange(3), numbers=[]).message()
