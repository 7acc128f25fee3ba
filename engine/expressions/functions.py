"""The functions that a formula can hold. To add one, add a line to ``FUNCTIONS``."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp


@dataclass(frozen=True, eq=False)
class Known:
    """A function or an operation: how it is computed, and how it looks in LaTeX around and between its values."""

    compute: Callable[..., jax.Array]
    before: str
    after: str = ""
    between: str = ", "
    values: int = 1
    level: int = 5  # how tightly it holds together: 1 sum, 2 product, 3 fraction, 4 power or call, 5 never in brackets
    needs: tuple[int, ...] = (0, 0)  # a value that holds together less than this is put into brackets


def called(compute: Callable[..., jax.Array], latex: str, values: int = 1) -> Known:
    """A function that is written with brackets around its values."""
    return Known(compute, rf"{latex}\left(", r"\right)", values=values, level=4)


@partial(jax.custom_jvp, nondiff_argnums=(1, 2))
def odd_power(x: jax.Array, p: int, q: int) -> jax.Array:
    """x^(p/q) for odd q in lowest terms: the real root, which is there for negative x as well."""
    size = jnp.abs(x) ** (p / q)
    return jnp.where(x < 0, -size, size) if p % 2 else size


@odd_power.defjvp
def odd_power_slope(p: int, q: int, x: tuple[jax.Array], along: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
    # by the rule itself: through |x| it would be 0 times infinity at 0, where x^(4/3) is level
    return odd_power(x[0], p, q), p / q * odd_power(x[0], p - q, q) * along[0]


# Far out, where these hardly differ from 1, nothing is left of the slopes that JAX has for them: s(1 - s) and 1 - t².
sigmoid = jax.custom_jvp(jax.nn.sigmoid)
sigmoid.defjvps(lambda along, s, x: sigmoid(x) * sigmoid(-x) * along)
tanh = jax.custom_jvp(jnp.tanh)
tanh.defjvps(lambda along, t, x: 4 * sigmoid(2 * x) * sigmoid(-2 * x) * along)


def reciprocal(compute: Callable[[jax.Array], jax.Array]) -> Callable[[jax.Array], jax.Array]:
    return lambda x: 1 / compute(x)


FUNCTIONS: dict[str, Known] = {
    "sin": called(jnp.sin, r"\sin"),
    "cos": called(jnp.cos, r"\cos"),
    "tan": called(jnp.tan, r"\tan"),
    "sec": called(reciprocal(jnp.cos), r"\sec"),
    "csc": called(reciprocal(jnp.sin), r"\csc"),
    "cot": called(reciprocal(jnp.tan), r"\cot"),
    "asin": called(jnp.arcsin, r"\arcsin"),
    "acos": called(jnp.arccos, r"\arccos"),
    "atan": called(jnp.arctan, r"\arctan"),
    "sinh": called(jnp.sinh, r"\sinh"),
    "cosh": called(jnp.cosh, r"\cosh"),
    "tanh": called(tanh, r"\tanh"),
    "sech": called(reciprocal(jnp.cosh), r"\operatorname{sech}"),
    "csch": called(reciprocal(jnp.sinh), r"\operatorname{csch}"),
    "coth": called(reciprocal(tanh), r"\coth"),
    "asinh": called(jnp.arcsinh, r"\operatorname{arsinh}"),
    "acosh": called(jnp.arccosh, r"\operatorname{arcosh}"),
    "atanh": called(jnp.arctanh, r"\operatorname{artanh}"),
    "exp": Known(jnp.exp, "e^{", "}", level=4),
    "ln": called(jnp.log, r"\ln"),
    "log2": called(jnp.log2, r"\log_{2}"),
    "log10": called(jnp.log10, r"\log_{10}"),
    "sqrt": Known(jnp.sqrt, r"\sqrt{", "}"),
    "cbrt": Known(jnp.cbrt, r"\sqrt[3]{", "}"),
    "abs": Known(jnp.abs, r"\left|", r"\right|"),
    "sign": called(jnp.sign, r"\operatorname{sign}"),
    "floor": Known(jnp.floor, r"\left\lfloor ", r"\right\rfloor "),
    "ceil": Known(jnp.ceil, r"\left\lceil ", r"\right\rceil "),
    "sigmoid": called(sigmoid, r"\operatorname{sigmoid}"),
    "relu": called(jax.nn.relu, r"\operatorname{relu}"),
    "softplus": called(jax.nn.softplus, r"\operatorname{softplus}"),
    "max": called(jnp.maximum, r"\max", 2),
    "min": called(jnp.minimum, r"\min", 2),
}
OTHER_NAMES = {
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
ELSEWHERE = {
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

ADD = Known(jnp.add, "", between=" + ", values=2, level=1, needs=(1, 2))
SUBTRACT = Known(jnp.subtract, "", between=" - ", values=2, level=1, needs=(1, 2))
NEGATE = Known(jnp.negative, "-", level=1, needs=(2,))
MULTIPLY = Known(jnp.multiply, "", between=r" \cdot ", values=2, level=2, needs=(2, 3))
DIVIDE = Known(jnp.divide, r"\frac{", "}", "}{", values=2, level=3)
POWER = Known(jnp.power, "", "}", "^{", values=2, level=4, needs=(5, 0))
