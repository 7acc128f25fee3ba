"""A formula as a tree: what it comes to at some point, and how it looks in LaTeX."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import jax
import jax.numpy as jnp

from engine.expressions.functions import (
    ADD,
    CONSTANTS,
    DIVIDE,
    FUNCTIONS,
    MULTIPLY,
    NEGATE,
    POWER,
    SUBTRACT,
    Operation,
    odd_power,
    whole_power,
)


@dataclass(frozen=True)
class Number:
    """A number as it was typed."""

    value: float
    unit: float = 0.0  # of the last digit, where the number may be a rounded one: 0.01 for 3.14; else 0


@dataclass(frozen=True)
class Name:
    """A variable or a constant."""

    name: str


@dataclass(frozen=True)
class Apply:
    """A function or an operation with its operands."""

    operation: Operation
    values: tuple[Node, ...]


Node = Number | Name | Apply
MAX_FRACTION_PART = 1000  # of the whole numbers in an exponent that is a fraction
EXACT = {ADD: operator.add, SUBTRACT: operator.sub, MULTIPLY: operator.mul, DIVIDE: operator.truediv}


@dataclass(frozen=True)
class Function:
    """A formula that was typed. Two texts that read the same are equal, so they share what is compiled.

    Called with one array per variable, all of a shape, it gives an array of that shape; NaN where it is not defined.
    """

    tree: Node = field(repr=False)
    variables: tuple[str, ...]
    text: str = field(compare=False)  # as typed, without characters that cannot be seen
    is_derivative: bool = field(default=False, compare=False)  # its left side says so: f′(x) =, dy/dx =

    def __call__(self, *values: jax.typing.ArrayLike) -> jax.Array:
        return self.varied({}, *values)

    @property
    def rounded(self) -> tuple[Number, ...]:
        """The typed numbers that may be rounded ones: decimals of three digits or more, such as 3.14."""
        return tuple(dict.fromkeys(number for number in numbers(self.tree) if number.unit))

    def varied(self, constants: Mapping[Number, float], *values: jax.typing.ArrayLike) -> jax.Array:
        """The same formula with other values for some of its rounded numbers."""
        arrays = [jnp.asarray(value, float) for value in values]
        at: dict[str | Number, jax.Array] = {number: jnp.asarray(value, float) for number, value in constants.items()}
        result = compute(self.tree, {**at, **dict(zip(self.variables, arrays, strict=True))})
        return jnp.broadcast_to(result, jnp.broadcast_shapes(*(array.shape for array in arrays)))

    @property
    def latex(self) -> str:
        """The formula as it was read, every multiplication shown."""
        return to_latex(self.tree)


def numbers(node: Node) -> Iterator[Number]:
    """Every number of a tree."""
    match node:
        case Number():
            yield node
        case Apply(_, values):
            for value in values:
                yield from numbers(value)


def compute(node: Node, at: Mapping[str | Number, jax.Array]) -> jax.Array:
    """The value of a tree where the variables, and some of its numbers, have these values."""
    match node:
        case Number(value):
            # an array at once: whole numbers of Python would grow without end in 9^9^9^9
            return at[node] if node in at else jnp.asarray(value, float)
        case Name(name):
            return at[name] if name in at else jnp.asarray(CONSTANTS[name], float)
        case Apply(operation, (base, exponent)) if operation is POWER:
            if base == Name("e") and "e" not in at:
                return jnp.exp(compute(exponent, at))
            if (power := fraction(exponent)) is not None:
                base, power = root_of(base, power)
                if power.denominator == 1 and abs(power) <= 100:  # a larger one takes too many products
                    return whole_power(compute(base, at), power.numerator)
                if power.denominator % 2 and power.denominator > 1:
                    return odd_power(compute(base, at), power.numerator, power.denominator)
    return node.operation.compute(*(compute(value, at) for value in node.values))


def root_of(base: Node, power: Fraction) -> tuple[Node, Fraction]:
    """(x^4)^(1/3) as x^(4/3), whose slope is a number at 0 too. Only where both are powers of any real number."""
    match base:
        case Apply(operation, (inner, exponent)) if operation is POWER and power > 0 and inner != Name("e"):
            within = fraction(exponent)
            if within is not None and within > 0 and within.denominator % 2 and power.denominator % 2:
                return root_of(inner, within * power)
        case Apply(operation, (inner,)) if operation is FUNCTIONS["cbrt"] and power > 0 and power.denominator % 2:
            return root_of(inner, power / 3)
    return base, power


def fraction(node: Node) -> Fraction | None:
    """An exponent, where it was typed with whole numbers alone: 2, -1/3, 4/6. A decimal is no fraction."""
    match node:
        case Number(value) if value == int(value) and abs(value) <= MAX_FRACTION_PART:
            return Fraction(int(value))
        case Apply(operation, (value,)) if operation is NEGATE:
            return None if (found := fraction(value)) is None else -found
        case Apply(operation, (left, right)) if operation in EXACT:
            one, other = fraction(left), fraction(right)
            if one is None or other is None or (operation is DIVIDE and not other):
                return None
            found = EXACT[operation](one, other)
            return found if max(abs(found.numerator), found.denominator) <= MAX_FRACTION_PART else None
    return None


def to_latex(node: Node, min_precedence: int = 0) -> str:
    """The LaTeX of a tree, in brackets where its precedence is below ``min_precedence``."""
    match node:
        case Number(value):
            latex, precedence = number_to_latex(value), 4 if value >= 1e16 or 0 < value < 1e-4 else 5
        case Name(name):
            latex, precedence = rf"\{name}" if name == "pi" else name, 5
        case Apply(operation, values):
            parts = [
                to_latex(value, min_precedence)
                for value, min_precedence in zip(values, operation.min_precedences, strict=False)
            ]
            latex, precedence = operation.before + operation.between.join(parts) + operation.after, operation.precedence
    return latex if precedence >= min_precedence else rf"\left({latex}\right)"


def number_to_latex(value: float) -> str:
    """A number in LaTeX: whole numbers without a point, powers of ten for very large and small ones."""
    mantissa, _, exponent = repr(value).partition("e")
    mantissa = mantissa.removesuffix(".0")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa
