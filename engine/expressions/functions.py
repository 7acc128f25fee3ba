"""The functions that a formula can hold. To add one, add a line to ``FUNCTIONS``."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp


@dataclass(frozen=True, eq=False)
class Operation:
    """A function or an operation: how it is computed, and how it looks in LaTeX around and between its values."""

    compute: Callable[..., jax.Array]
    before: str
    after: str = ""
    between: str = ", "
    values: int = 1
    precedence: int = 5  # 1 sum, 2 product, 3 fraction, 4 power or call, 5 never in brackets
    min_precedences: tuple[int, ...] = (0, 0)  # of each value; below it the value is put into brackets


def call_notation(compute: Callable[..., jax.Array], latex: str, values: int = 1) -> Operation:
    """A function that is written with brackets around its values."""
    return Operation(compute, rf"{latex}\left(", r"\right)", values=values, precedence=4)


@partial(jax.custom_jvp, nondiff_argnums=(1, 2))
def odd_power(x: jax.Array, p: int, q: int) -> jax.Array:
    """x^(p/q) for odd q in lowest terms: the real root, which is there for negative x as well."""
    size = jnp.abs(x) ** (p / q)
    return jnp.where(x < 0, -size, size) if p % 2 else size


@odd_power.defjvp
def odd_power_slope(p: int, q: int, x: tuple[jax.Array], along: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
    """The derivative of ``odd_power`` for JAX, with its value: p/q x^(p/q - 1)."""
    # by the rule itself: through |x| it would be 0 times infinity at 0, where x^(4/3) is level
    return odd_power(x[0], p, q), p / q * odd_power(x[0], p - q, q) * along[0]


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def whole_power(x: jax.Array, n: int) -> jax.Array:
    """x^n by products: ``lax.integer_pow`` would compile, and keep, a program of some MB for each n that is typed."""
    product, factor = jnp.ones_like(x), x
    for digit in reversed(f"{abs(n):b}"):
        product = product * factor if digit == "1" else product
        factor = factor * factor
    return 1 / product if n < 0 else product


@whole_power.defjvp
def whole_power_slope(n: int, x: tuple[jax.Array], along: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
    """The derivative of ``whole_power`` for JAX, with its value: n x^(n - 1)."""
    slope = n * whole_power(x[0], n - 1) if n else jnp.zeros_like(x[0])
    return whole_power(x[0], n), slope * along[0]


# Far out, where these hardly differ from 1, nothing is left of the slopes that JAX has for them: s(1 - s) and 1 - t².
sigmoid = jax.custom_jvp(jax.nn.sigmoid)
sigmoid.defjvps(lambda along, s, x: sigmoid(x) * sigmoid(-x) * along)
tanh = jax.custom_jvp(jnp.tanh)
tanh.defjvps(lambda along, t, x: 4 * sigmoid(2 * x) * sigmoid(-2 * x) * along)


def reciprocal(compute: Callable[[jax.Array], jax.Array]) -> Callable[[jax.Array], jax.Array]:
    """The function that is 1 over another, such as sec for cos."""
    return lambda x: 1 / compute(x)


FUNCTIONS: dict[str, Operation] = {
    "sin": call_notation(jnp.sin, r"\sin"),
    "cos": call_notation(jnp.cos, r"\cos"),
    "tan": call_notation(jnp.tan, r"\tan"),
    "sec": call_notation(reciprocal(jnp.cos), r"\sec"),
    "csc": call_notation(reciprocal(jnp.sin), r"\csc"),
    "cot": call_notation(reciprocal(jnp.tan), r"\cot"),
    "asin": call_notation(jnp.arcsin, r"\arcsin"),
    "acos": call_notation(jnp.arccos, r"\arccos"),
    "atan": call_notation(jnp.arctan, r"\arctan"),
    "sinh": call_notation(jnp.sinh, r"\sinh"),
    "cosh": call_notation(jnp.cosh, r"\cosh"),
    "tanh": call_notation(tanh, r"\tanh"),
    "sech": call_notation(reciprocal(jnp.cosh), r"\operatorname{sech}"),
    "csch": call_notation(reciprocal(jnp.sinh), r"\operatorname{csch}"),
    "coth": call_notation(reciprocal(tanh), r"\coth"),
    "asinh": call_notation(jnp.arcsinh, r"\operatorname{arsinh}"),
    "acosh": call_notation(jnp.arccosh, r"\operatorname{arcosh}"),
    "atanh": call_notation(jnp.arctanh, r"\operatorname{artanh}"),
    "exp": Operation(jnp.exp, "e^{", "}", precedence=4),
    "ln": call_notation(jnp.log, r"\ln"),
    "log2": call_notation(jnp.log2, r"\log_{2}"),
    "log10": call_notation(jnp.log10, r"\log_{10}"),
    "sqrt": Operation(jnp.sqrt, r"\sqrt{", "}"),
    "cbrt": Operation(jnp.cbrt, r"\sqrt[3]{", "}"),
    "abs": Operation(jnp.abs, r"\left|", r"\right|"),
    "sign": call_notation(jnp.sign, r"\operatorname{sign}"),
    "floor": Operation(jnp.floor, r"\left\lfloor ", r"\right\rfloor "),
    "ceil": Operation(jnp.ceil, r"\left\lceil ", r"\right\rceil "),
    "sigmoid": call_notation(sigmoid, r"\operatorname{sigmoid}"),
    "relu": call_notation(jax.nn.relu, r"\operatorname{relu}"),
    "softplus": call_notation(jax.nn.softplus, r"\operatorname{softplus}"),
    "max": call_notation(jnp.maximum, r"\max", 2),
    "min": call_notation(jnp.minimum, r"\min", 2),
}
# of a point's coordinates: each takes all of them, and gives one number
ACROSS: dict[str, Operation] = {
    "norm": Operation(lambda v: jnp.sqrt(jnp.sum(v * v)), r"\left\|", r"\right\|"),
    "dot": Operation(lambda v, w: jnp.sum(v * w), r"\left\langle ", r"\right\rangle ", values=2, precedence=4),
}
ALL_FUNCTIONS = FUNCTIONS | ACROSS
ALIASES = {
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    # other countries' and other standards' names
    "arsinh": "asinh",
    "arcosh": "acosh",
    "artanh": "atanh",
    "cosec": "csc",
    "cosech": "csch",
    "signum": "sign",
    "cotan": "cot",
    "sen": "sin",
    "tg": "tan",
    "ctg": "cot",
    "cotg": "cot",
    "arctg": "atan",
    "sh": "sinh",
    "ch": "cosh",
    "th": "tanh",
    "cth": "coth",
    "log": "ln",
    "lg": "log10",
    "lb": "log2",
    "ld": "log2",
    "sgn": "sign",
    "π": "pi",
}
# Well-known names that are not here but look like one that is: what to type, or nothing short
SUGGESTIONS = {
    "asec": "acos(1/{x})",
    "acsc": "asin(1/{x})",
    "acot": "atan(1/{x}) or pi/2 - atan({x})",  # two conventions
    "asech": "acosh(1/{x})",
    "acsch": "asinh(1/{x})",
    "acoth": "atanh(1/{x})",
    "sinc": "sin({x})/{x}",
    "elu": "max({x}, 0) + min(e^{x} - 1, 0)",
    "silu": "{x} sigmoid({x})",
    "swish": "{x} sigmoid({x})",
    "expm": "e^{x} - 1",
    "pow": "{x}^2 for pow({x}, 2)",
    "power": "{x}^2 for power({x}, 2)",
    "root": "{x}^(1/3) for a cube root",
    "nthroot": "{x}^(1/3) for a cube root",
    "sinus": "sin({x})",
    "cosinus": "cos({x})",
    "cosine": "cos({x})",
    "tangent": "tan({x})",
    "tangens": "tan({x})",
    "squareroot": "sqrt({x})",
    **dict.fromkeys(["lambda", "def", "return", "derivative", "slope"], "the formula alone, such as {x}^2"),
    "square": "{x}^2",
    **dict.fromkeys(["gelu", "selu", "celu", "glu", "softmax", "logit", "isqrt", "erf", "round", "mod", "logp"], ""),
    **dict.fromkeys(
        ["cis", "cas", "sind", "cosd", "tand", "logsumexp", "mean", "median", "argmax", "argmin", "phi"], ""
    ),
}
CONSTANTS = {"pi": math.pi, "e": math.e}

ADD = Operation(jnp.add, "", between=" + ", values=2, precedence=1, min_precedences=(1, 2))
SUBTRACT = Operation(jnp.subtract, "", between=" - ", values=2, precedence=1, min_precedences=(1, 2))
NEGATE = Operation(jnp.negative, "-", precedence=1, min_precedences=(2,))
MULTIPLY = Operation(jnp.multiply, "", between=r" \cdot ", values=2, precedence=2, min_precedences=(2, 3))
DIVIDE = Operation(jnp.divide, r"\frac{", "}", "}{", values=2, precedence=3)
POWER = Operation(jnp.power, "", "}", "^{", values=2, precedence=4, min_precedences=(5, 0))
