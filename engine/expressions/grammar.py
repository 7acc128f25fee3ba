"""The grammar that tokens are read by, and the tree that its rules build."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

from lark import Lark, Token, Transformer, v_args

from engine.expressions.characters import DIGITS
from engine.expressions.functions import ADD, ALL_FUNCTIONS, DIVIDE, FUNCTIONS, MULTIPLY, NEGATE, POWER, SUBTRACT
from engine.expressions.tree import Apply, Name, Node, Number

# Where a token could go on with what stands before it, it does: sin 2x is sin(2x), and sin x^2 is sin(x^2).
GRAMMAR = r"""
?sum:      product | sum "+" product -> add | sum "-" product -> subtract
?product:  signed | product "*" signed -> multiply | product "/" signed -> divide
         | product (letter | closed) -> multiply      // 2x, x(x + 1), x sin x; a number may not follow
?signed:   power | "-" signed -> negate | "+" signed  // -x^2 is -(x^2)
?power:    count | letter | closed
?count:    raised{number}
?letter:   raised{name} | raised{root}
?closed:   raised{group} | raised{bars} | raised{call}
?raised{base}: base | base "^" signed -> power | base superscript -> power  // 2^3^2 is 2^(3^2)

?call:     PAIR "(" sum "," sum ")" -> call
         | FUNCTION (group | bars | bare) -> call
         | FUNCTION ("^" number | superscript) (group | bars | bare) -> raised_call  // sin^2 x is (sin x)^2
?bare:     run | raised{call} | "-" bare -> negate    // what a function without brackets takes
?run:      count | letter | run letter -> multiply

?group:    "(" sum ")"
bars:      _OPEN_BAR sum _CLOSE_BAR
root:      ROOT power                                 // √2x is √2 times x
number:    NUMBER
         | FRACTION -> vulgar                         // ½
name:      NAME
superscript: SUPERSCRIPT

%declare NUMBER FRACTION NAME SUPERSCRIPT FUNCTION PAIR ROOT _OPEN_BAR _CLOSE_BAR
"""

MIN_ROUNDED_DIGITS = 3  # digits at least, for a decimal to be taken as a rounded number


@v_args(inline=True)
class Build(Transformer[Token, Node]):
    """The grammar's rules, as nodes of the tree."""

    def number(self, digits: str) -> Node:
        value = float(digits)
        mantissa, _, exponent = digits.lower().partition("e")
        decimals = len(mantissa.partition(".")[2])
        rounded = value != int(value) and len(mantissa.replace(".", "").lstrip("0")) >= MIN_ROUNDED_DIGITS
        return Number(value, 10.0 ** (int(exponent or 0) - decimals) if rounded else 0.0)

    def vulgar(self, sign: str) -> Node:
        share = Fraction(unicodedata.numeric(sign)).limit_denominator(10)
        return Apply(DIVIDE, (Number(float(share.numerator)), Number(float(share.denominator))))

    def superscript(self, raised: str) -> Node:
        sign, count, letter, power = re.fullmatch(r"([+-]?)(\d*)([xy]?)(\d*)", raised.translate(DIGITS)).groups()  # type: ignore[union-attr]
        node: Node = Number(float(count)) if count else Name(letter)
        if letter and power:
            node = Apply(POWER, (Name(letter), Number(float(power))))
        if letter and count:
            node = Apply(MULTIPLY, (Number(float(count)), node if power else Name(letter)))
        return Apply(NEGATE, (node,)) if sign == "-" else node

    def name(self, name: str) -> Node:
        return Name(str(name))

    def call(self, name: str, *values: Node) -> Node:
        if name.startswith("log_"):
            base = Apply(FUNCTIONS["ln"], (Number(float(name.removeprefix("log_"))),))
            return Apply(DIVIDE, (Apply(FUNCTIONS["ln"], values), base))
        return Apply(ALL_FUNCTIONS[name], values)

    def raised_call(self, name: str, exponent: Node, value: Node) -> Node:
        return Apply(POWER, (self.call(name, value), exponent))

    def bars(self, value: Node) -> Node:
        return self.call("abs", value)

    def root(self, sign: str, value: Node) -> Node:
        if sign == "∜":
            return Apply(POWER, (value, Apply(DIVIDE, (Number(1.0), Number(4.0)))))
        return self.call("cbrt" if sign == "∛" else "sqrt", value)

    def add(self, *values: Node) -> Node:
        return Apply(ADD, values)

    def subtract(self, *values: Node) -> Node:
        return Apply(SUBTRACT, values)

    def negate(self, value: Node) -> Node:
        return Apply(NEGATE, (value,))

    def multiply(self, *values: Node) -> Node:
        return Apply(MULTIPLY, values)

    def divide(self, *values: Node) -> Node:
        return Apply(DIVIDE, values)

    def power(self, *values: Node) -> Node:
        return Apply(POWER, values)


READER = Lark(GRAMMAR, parser="lalr", lexer="basic", start="sum", transformer=Build())
