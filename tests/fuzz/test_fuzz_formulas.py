"""Formulas that nobody thought of: written out in several ways they read back as meant, and no text does harm."""

import math
import re
import sys
import time

import jax
import numpy as np
from drawn_setups import slips
from fuzzing import fuzz
from hypothesis import assume, event, given
from hypothesis import strategies as st

from engine import ExpressionError, parse
from engine.expressions import ALIASES, FUNCTIONS
from engine.slopes import curve, kink, points

POINT = {"x": 0.7, "y": -1.3}
NAMES = {"sin": math.sin, "cos": math.cos, "atan": math.atan, "tanh": math.tanh, "exp": math.exp, "abs": abs}
NAMES |= {"sqrt": math.sqrt, "ln": math.log, "cbrt": math.cbrt}
TYPED_ALIASES = {"atan": ["arctan", "arctg"], "ln": ["log"], "tanh": ["th"], "sin": ["sen"]}
SIGNS = {"-": "-−–－", "*": "*×·⋅＊", "/": "/÷∕", "(": "(（", ")": ")）", "+": "+＋"}
# how tightly what is written holds together: 1 sum, 2 product, 3 sign, 4 power, 5 never in brackets
SUM, PRODUCT, SIGN, POWER, ATOM = range(1, 6)
X = points(-5, 5)

numbers = st.integers(0, 999).map(lambda n: ("number", f"{n / 100:g}"))
leaves = st.one_of(st.sampled_from([("name", "x"), ("name", "y"), ("name", "pi")]), numbers)
trees = st.recursive(
    leaves,
    lambda parts: st.one_of(
        st.tuples(st.sampled_from("+-*/"), parts, parts),
        st.tuples(st.just("^"), parts, st.integers(2, 4)),
        st.tuples(st.just("neg"), parts),
        st.tuples(st.sampled_from(sorted(NAMES)), parts),
        st.tuples(st.sampled_from(["max", "min"]), parts, parts),
    ),
    max_leaves=8,
)


def value(tree):
    """What a tree comes to. Raises where a rounding on the way could grow: then a wrong digit tells nothing."""
    found = worked_out(tree)
    if abs(found) > 1e3:
        raise OverflowError
    return found


def worked_out(tree):
    kind, *parts = tree
    if kind == "name":
        return math.pi if parts[0] == "pi" else POINT[parts[0]]
    if kind == "number":
        return float(parts[0])
    if kind == "^":
        return value(parts[0]) ** parts[1]
    values = [value(part) for part in parts]
    if kind in {"/", "sqrt", "ln", "cbrt"} and abs(values[-1]) < 1e-3:
        raise ZeroDivisionError
    if kind in NAMES:
        return NAMES[kind](*values)
    one, other = values if len(values) == 2 else (0, values[0])
    return {
        "+": lambda: one + other,
        "-": lambda: one - other,
        "neg": lambda: -other,
        "*": lambda: one * other,
        "/": lambda: one / other,
        "max": lambda: max(one, other),
        "min": lambda: min(one, other),
    }[kind]()


def written(tree, choose):
    """A tree as text, and how tightly that holds together; ``choose`` picks one of several spellings."""
    kind, *parts = tree

    def held(part, tightly):
        text, level = written(part, choose)
        return text if level >= tightly else f"({text})"

    blank = choose(["", " "])
    if kind in ("name", "number"):
        return (choose(["pi", "π"]) if parts[0] == "pi" else parts[0]), ATOM
    if kind in "+-":
        return f"{held(parts[0], SUM)}{blank}{kind}{blank}{held(parts[1], PRODUCT)}", SUM
    if kind == "*" and choose([True, False]):  # the sign left out, between brackets
        return f"({written(parts[0], choose)[0]}){blank}({written(parts[1], choose)[0]})", PRODUCT
    if kind in "*/":
        return f"{held(parts[0], PRODUCT)}{blank}{kind}{blank}{held(parts[1], SIGN)}", PRODUCT
    if kind == "neg":
        return f"-{held(parts[0], SIGN)}", SIGN
    if kind == "^":
        power = choose([f"^{parts[1]}", f"**{parts[1]}", f"^({parts[1]})", "⁰¹²³⁴"[parts[1]]])
        return f"{held(parts[0], ATOM)}{blank}{power}", POWER
    within = ", ".join(written(part, choose)[0] for part in parts)
    if kind == "abs" and "|" not in within and choose([True, False]):
        return f"(|{within}|)", ATOM
    if kind == "sqrt" and choose([True, False]):
        return f"√({within})", POWER
    return f"{choose([kind, *TYPED_ALIASES.get(kind, [])])}({within})", ATOM


def read(text):
    """The function, or why there is none."""
    try:
        return parse(text, ("x", "y"))
    except ExpressionError as refused:
        return str(refused)


@fuzz(deep=3000, suite=150)
@given(trees, st.data())
def test_a_formula_reads_back_as_it_was_meant_in_each_of_its_spellings(tree, data):
    try:
        wanted = value(tree)
    except (ArithmeticError, ValueError):
        assume(False)
    rng = data.draw(st.randoms(use_true_random=False))
    for _ in range(2):
        text, _ = written(tree, rng.choice)
        text = "".join(rng.choice(SIGNS.get(sign, sign)) for sign in text)
        f = read(rng.choice(["", "z = ", "f(x, y) = "]) + text)
        if isinstance(f, str):  # only for its size, or a sign that could open a bar or close one
            assert re.search("At most|reads? in two ways", f), (text, f)
            continue
        with jax.enable_x64(True):
            found = float(f(*POINT.values()))
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6, err_msg=text)


pieces = st.one_of(
    st.characters(),
    st.sampled_from([*"xy0123456789.,;+-*/^()|=<>√½²³⁻π'_ \t", "**", "1e-3", "sin-1", "log5", "f'(x) =", "dy/dx ="]),
    st.sampled_from([*FUNCTIONS, *ALIASES]),
)
texts = st.one_of(
    st.lists(pieces, max_size=40).map("".join),
    st.builds(
        lambda piece, times, end: piece * times + end,
        st.lists(pieces, max_size=4).map("".join),
        st.integers(1, 60),
        pieces,
    ),
)


@fuzz(deep=10_000, suite=250)
@given(texts)
def test_any_text_is_read_or_refused_with_one_line_and_little_work(text):
    """10,000 texts."""
    steps = 0

    def count(frame, event, arg):
        nonlocal steps
        steps += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        found = read(text)
    finally:
        sys.setprofile(before)
    assert steps < 300_000
    if isinstance(found, str):
        assert found.endswith((".", "?"))
        assert found.isprintable()
        assert len(found) < 300


# such as people type: nearly all of them are read
signs = st.sampled_from(["+", "-", "*", "/", "^", "^-", " ", "", "^2*", "²+"])
atoms = st.one_of(
    st.sampled_from(["x", "2", "0.5", "100", "1e3", "pi", "e", "x", "(x-1)", "|x|"]), numbers.map(lambda n: n[1])
)
calls = st.builds(
    lambda name, of: f"{name}({of}{', 2' * (FUNCTIONS[name].values - 1)})", st.sampled_from(list(FUNCTIONS)), atoms
)
formulas = st.lists(st.tuples(st.one_of(atoms, calls), signs), min_size=1, max_size=6).map(
    lambda parts: "".join(part + sign for part, sign in parts[:-1]) + parts[-1][0]
)


@fuzz(deep=10_000, suite=40)
@given(st.one_of(formulas, formulas, slips(formulas), texts))
def test_any_formula_that_is_read_is_drawn_with_its_slope(text):
    """10,000 formulas. How many take over 50 ms, warm ones and others, says ``--hypothesis-show-statistics``."""
    began = time.process_time()
    try:
        f = parse(text, ("x",))
    except ExpressionError:
        event("refused")
        return
    values, slopes = curve(f, X)
    latex = f.latex
    event(f"read and drawn, {'over' if time.process_time() - began > 0.05 else 'within'} 50 ms")
    assert values.shape == slopes.shape == X.shape
    assert not np.isinf([values, slopes]).any()
    assert not np.isfinite(slopes[np.isnan(values)]).any()
    assert latex.count("{") == latex.count("}")
    assert hash(f) == hash(parse(text, ("x",)))
    kink(f, float(X[50]))
