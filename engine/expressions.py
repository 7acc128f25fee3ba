"""Typed text becomes a function of JAX arrays. Nothing that is typed is ever run as Python.

The text is cut into tokens, the tokens are checked (names, brackets, size), the grammar below turns them into a tree,
and the tree is computed with the functions of one table. To add a function, add a line to ``FUNCTIONS``.
"""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
from lark import Lark, Token, Transformer, UnexpectedToken, v_args

CHARACTERS, PARTS, LEVELS = 200, 120, 20  # at most; a formula on a blackboard is far below
ECHO = 18  # characters of what was typed in one piece; a message holds two pieces at most

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
root:      _ROOT power                                // √2x is √2 times x
number:    NUMBER
name:      NAME
superscript: SUPERSCRIPT

%declare NUMBER NAME SUPERSCRIPT FUNCTION PAIR _ROOT _OPEN_BAR _CLOSE_BAR
"""

TOKEN = re.compile(
    r"""(?P<NUMBER> (?:[0-9]+\.?[0-9]*|\.[0-9]+) (?:[eE][+-]?[0-9]+)? )
      | (?P<WORD> [A-Za-zα-ωΑ-Ω]*(?i:log)_?(?:2|10)(?![0-9.]) | [A-Za-zα-ωΑ-Ω]+ )
      | (?P<SUPERSCRIPT> [⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+ )
      | (?P<CIRCUMFLEX> \^|\*\* ) | (?P<STAR> \* ) | (?P<SLASH> / ) | (?P<PLUS> \+ ) | (?P<MINUS> - )
      | (?P<LPAR> \( ) | (?P<RPAR> \) ) | (?P<COMMA> , ) | (?P<BAR> \| ) | (?P<_ROOT> √ )
      | (?P<COMPARISON> [=<>≤≥≠]+ ) | (?P<STRANGE> \S )""",
    re.VERBOSE,
)
LARGEST = float(jnp.finfo(jnp.float32).max)
# one character for one, so that places stay
SAME = str.maketrans("−–×·⋅∙÷∕", "--****//")
DIGITS = str.maketrans("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "+-0123456789")

SIGNS = {"PLUS", "MINUS", "STAR", "SLASH"}
OPENS = {"LPAR", "BAR", "_OPEN_BAR"}
STARTS = OPENS | {"NUMBER", "NAME", "FUNCTION", "PAIR", "_ROOT"}
ENDS = {"NUMBER", "NAME", "SUPERSCRIPT", "RPAR", "_CLOSE_BAR"}


class ExpressionError(ValueError):
    """A text that is no formula here. The message is one line for the reader who typed it."""


# What is known


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


FUNCTIONS: dict[str, Known] = {
    "sin": called(jnp.sin, r"\sin"),
    "cos": called(jnp.cos, r"\cos"),
    "tan": called(jnp.tan, r"\tan"),
    "asin": called(jnp.arcsin, r"\arcsin"),
    "acos": called(jnp.arccos, r"\arccos"),
    "atan": called(jnp.arctan, r"\arctan"),
    "sinh": called(jnp.sinh, r"\sinh"),
    "cosh": called(jnp.cosh, r"\cosh"),
    "tanh": called(jnp.tanh, r"\tanh"),
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
    "sigmoid": called(jax.nn.sigmoid, r"\operatorname{sigmoid}"),
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
    "log": "ln",
    "log_2": "log2",
    "log_10": "log10",
    "sgn": "sign",
    "π": "pi",
}
CONSTANTS = {"pi": math.pi, "e": math.e}

ADD = Known(jnp.add, "", between=" + ", values=2, level=1, needs=(1, 2))
SUBTRACT = Known(jnp.subtract, "", between=" - ", values=2, level=1, needs=(1, 2))
NEGATE = Known(jnp.negative, "-", level=1, needs=(2,))
MULTIPLY = Known(jnp.multiply, "", between=r" \cdot ", values=2, level=2, needs=(2, 3))
DIVIDE = Known(jnp.divide, r"\frac{", "}", "}{", values=2, level=3)
POWER = Known(jnp.power, "", "}", "^{", values=2, level=4, needs=(5, 0))


# The tree


@dataclass(frozen=True)
class Number:
    value: float


@dataclass(frozen=True)
class Name:
    name: str  # a variable or a constant


@dataclass(frozen=True)
class Apply:
    known: Known
    values: tuple[Node, ...]


Node = Number | Name | Apply


@dataclass(frozen=True)
class Function:
    """A formula that was typed. Two texts that read the same are equal, so they share what is compiled.

    Called with one array per variable, all of a shape, it gives an array of that shape; NaN where it is not defined.
    """

    tree: Node = field(repr=False)
    variables: tuple[str, ...]
    text: str = field(compare=False)  # as typed, without characters that cannot be seen

    def __call__(self, *values: jax.typing.ArrayLike) -> jax.Array:
        arrays = [jnp.asarray(value, float) for value in values]
        result = compute(self.tree, dict(zip(self.variables, arrays, strict=True)))
        return jnp.broadcast_to(result, jnp.broadcast_shapes(*(array.shape for array in arrays)))

    @property
    def latex(self) -> str:
        """The formula as it was read, every multiplication shown."""
        return written(self.tree)


def compute(node: Node, at: Mapping[str, jax.Array]) -> jax.Array:
    """The value of a tree where the variables have these values."""
    match node:
        case Number(value):
            # an array at once: whole numbers of Python would grow without end in 9^9^9^9
            return jnp.asarray(value, float)
        case Name(name):
            return at[name] if name in at else jnp.asarray(CONSTANTS[name], float)
        case Apply(known, (base, exponent)) if known is POWER:
            whole = whole_number(exponent)
            if whole is not None and abs(whole) <= 100:  # a larger one takes too many products
                return jax.lax.integer_pow(compute(base, at), whole)
            if base == Name("e") and "e" not in at:
                return jnp.exp(compute(exponent, at))
    return node.known.compute(*(compute(value, at) for value in node.values))


def whole_number(node: Node) -> int | None:
    """The exponent, where it was typed as a whole number."""
    match node:
        case Number(value) if math.isfinite(value) and value == int(value):
            return int(value)
        case Apply(known, (value,)) if known is NEGATE:
            return None if (whole := whole_number(value)) is None else -whole
    return None


def written(node: Node, needs: int = 0) -> str:
    """The LaTeX of a tree, in brackets where it holds together less than it needs to."""
    match node:
        case Number(value):
            latex, level = digits(value), 4 if value >= 1e16 or 0 < value < 1e-4 else 5
        case Name(name):
            latex, level = rf"\{name}" if name == "pi" else name, 5
        case Apply(known, values):
            parts = [written(value, need) for value, need in zip(values, known.needs, strict=False)]
            latex, level = known.before + known.between.join(parts) + known.after, known.level
    return latex if level >= needs else rf"\left({latex}\right)"


def digits(value: float) -> str:
    """A number in LaTeX: whole numbers without a point, powers of ten for very large and small ones."""
    if math.isinf(value):
        return r"\infty"
    mantissa, _, exponent = repr(value).partition("e")
    mantissa = mantissa.removesuffix(".0")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa


@v_args(inline=True)
class Build(Transformer[Token, Node]):
    """The grammar's rules, as nodes of the tree."""

    def number(self, digits: str) -> Node:
        value = float(digits)
        return Number(value if value <= LARGEST else math.inf)

    def superscript(self, raised: str) -> Node:
        value = float(raised.translate(DIGITS))
        return Number(value) if value >= 0 else Apply(NEGATE, (Number(-value),))

    def name(self, name: str) -> Node:
        return Name(str(name))

    def call(self, name: str, *values: Node) -> Node:
        return Apply(FUNCTIONS[name], values)

    def raised_call(self, name: str, exponent: Node, value: Node) -> Node:
        return Apply(POWER, (self.call(name, value), exponent))

    def bars(self, value: Node) -> Node:
        return self.call("abs", value)

    def root(self, value: Node) -> Node:
        return self.call("sqrt", value)

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


# From text to tree


def parse(text: str, variables: Sequence[str]) -> Function:
    """Read a formula in these variables, as it is written in a book or in Python.

    Raises ``ExpressionError`` with one line that says what came, where, and what to type instead.
    """
    if len(text) > CHARACTERS:
        raise ExpressionError(f"This has {len(text)} characters. At most {CHARACTERS} fit.")
    text = visible(text)
    variables = tuple(variables)
    formula = without_left_side(text, variables)
    if not formula.strip():
        example = " + ".join([*(f"{name}^2" for name in variables), f"sin({variables[0]})"])
        raise ExpressionError(f"Type a function of {' and '.join(variables)}, for example {example}.")
    return Function(Reading(formula, variables).tree(), variables, text)


def visible(text: str) -> str:
    """The text without what cannot be seen: a paste brings zero-width spaces and the like along."""
    shown = (" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")
    return "".join(shown)


def without_left_side(text: str, variables: tuple[str, ...]) -> str:
    """The formula without a leading ``y =`` or ``f(x) =``; blanks take its place."""
    values = r"\s*,\s*".join(map(re.escape, variables))
    left = re.match(rf"\s*(?:([A-Za-z])|[A-Za-z]\s*\(\s*{values}\s*\))\s*=(?!=)", text)
    if left is None or left[1] in variables:
        return text
    return " " * left.end() + text[left.end() :]


@dataclass
class Level:
    """An open bracket or bar, or the whole formula."""

    opener: Token
    function: str = ""  # whose values stand in it
    commas: int = 0
    run: int = 0  # powers, signs and functions that take one another, without brackets
    bare: bool = False  # inside what a function without brackets takes


class Reading:
    """One text on its way to a tree. Size and brackets are checked on the tokens, before a node is built."""

    def __init__(self, text: str, variables: tuple[str, ...]) -> None:
        self.text = text
        self.variables = variables
        self.names = sorted([*variables, *CONSTANTS, *FUNCTIONS, *OTHER_NAMES], key=len, reverse=True)
        self.tokens: list[Token] = []
        self.levels = [Level(Token("START", "", 0))]

    def tree(self) -> Node:
        for found in TOKEN.finditer(self.text.translate(SAME)):
            self.scan(found)
        for i in range(len(self.tokens)):
            self.check(i)
            self.check_depth(i)
        self.count_parts()
        opener = self.levels[-1].opener
        if opener.type != "START":
            raise self.not_closed(opener)
        return self.build()

    def build(self) -> Node:
        """Feed the tokens to the grammar."""
        reading = READER.parse_interactive()
        before = Token("START", "", 0)
        for token in [*self.tokens, Token("$END", "", len(self.text))]:
            try:
                tree = reading.feed_token(token)
            except UnexpectedToken:
                raise self.misplaced(before, token) from None
            before = token
        return tree

    def scan(self, found: re.Match[str]) -> None:
        """Add one token; a run of letters may be several."""
        kind, at = found.lastgroup or "", found.start()
        token = Token(kind, found[0], at)
        if kind == "COMPARISON":
            raise ExpressionError(f"A comparison begins {self.place(token)}. Type one formula only, such as x^2 - 1.")
        if kind == "STRANGE":
            raise self.strange(token)
        self.tokens.extend(self.words(token) if kind == "WORD" else [token])

    def words(self, word: Token) -> list[Token]:
        """A run of letters as the names it is made of: xy, sinx, 2πx."""
        at = word.start_pos or 0
        if word[-1].isdigit() and self.text[at + len(word) :][:1].isalpha():
            raise ExpressionError(
                f"'{shown(word)}' and the letter after it read in two ways. Write log2(x) or log(2x)."
            )
        pieces = self.split(word) or self.split(word.lower())
        if pieces is None:
            raise self.unknown(word)
        tokens = []
        for piece in pieces:
            name = OTHER_NAMES.get(piece, piece)
            kind = "NAME" if name not in FUNCTIONS else "FUNCTION" if FUNCTIONS[name].values == 1 else "PAIR"
            tokens.append(Token(kind, name, at))
            at += len(piece)
        return tokens

    def split(self, word: str) -> list[str] | None:
        """The known names that make up a word, the longest first; None where it holds anything else."""
        for name in self.names:
            rest = word.removeprefix(name)
            is_function = OTHER_NAMES.get(name, name) in FUNCTIONS
            if rest == word or (is_function and rest.startswith("e")):  # "sine" is a slip, not sin(e)
                continue
            if not rest:
                return [name]
            if (others := self.split(rest)) is not None:
                return [name, *others]
        return None

    def count_parts(self) -> None:
        """Refuse more than fits, counted as the tree's nodes will be."""
        parts = 0
        for i, token in enumerate(self.tokens):
            parts += token.type not in {"LPAR", "RPAR", "COMMA", "_CLOSE_BAR"}
            parts += token.type == "SUPERSCRIPT"  # a power, and its number
            parts += token.type in STARTS and self.kind(i - 1) in ENDS  # a times that is not written
        if parts > PARTS:
            raise ExpressionError(f"This formula has {parts} parts. At most {PARTS} fit.")

    def kind(self, i: int) -> str:
        """What kind of token stands there; nothing before the first and after the last."""
        return self.tokens[i].type if 0 <= i < len(self.tokens) else ""

    def check(self, i: int) -> None:
        """Match the brackets and the bars, and see that each function has what it takes."""
        if self.kind(i) == "BAR":
            # after a value, a bar closes the bar that is open: |x|-|x-1|, 2|x| and ||x|-1| read as they are meant
            closes = self.kind(i - 1) in ENDS and self.levels[-1].opener.type == "_OPEN_BAR"
            self.tokens[i] = Token("_CLOSE_BAR" if closes else "_OPEN_BAR", "|", self.tokens[i].start_pos)
        token = self.tokens[i]
        if token.type in {"FUNCTION", "PAIR"}:
            self.function(i)
        elif token.type in OPENS:
            self.open(i)
        elif token.type in {"RPAR", "_CLOSE_BAR"}:
            self.close(i)
        elif token.type == "COMMA":
            self.comma(i)
        elif token.type in SIGNS and self.kind(i - 1) in ENDS:
            self.levels[-1].bare = False

    def check_depth(self, i: int) -> None:
        """Refuse what nests too deep, with brackets or without: sin sin sin x, 2^2^2^x, ---x."""
        token, level = self.tokens[i], self.levels[-1]
        follows = self.kind(i - 1) in ENDS
        if follows and token.type in SIGNS | STARTS - OPENS:
            level.run = 0
        takes = token.type in {"CIRCUMFLEX", "FUNCTION", "_ROOT"} or (token.type in SIGNS and not follows)
        level.run += takes and self.kind(i + 1) not in OPENS  # an open bracket counts by itself
        if len(self.levels) - 1 + sum(level.run for level in self.levels) > LEVELS:
            raise ExpressionError(
                f"Brackets, powers and signs nest too deep {self.place(token)}. At most {LEVELS} fit."
            )

    def function(self, i: int) -> None:
        """A function needs brackets where it takes two values; a power between name and value is a plain number."""
        name, after = self.tokens[i], self.kind(i + 1)
        if name.type == "PAIR" and after != "LPAR":
            raise self.wrong_count(name)
        power = 2 if after == "CIRCUMFLEX" else 1 if after == "SUPERSCRIPT" else 0
        if power == 2 and self.kind(i + 2) != "NUMBER":
            raise self.inverse(name)
        if power == 1 and self.tokens[i + 1].startswith("⁻"):
            raise self.inverse(name)
        self.levels[-1].bare = self.kind(i + 1 + power) not in OPENS

    def open(self, i: int) -> None:
        """A bracket or bar opens; right after sin x it could belong to either side."""
        if self.levels[-1].bare and self.kind(i - 1) in ENDS:
            place = self.place(self.tokens[i])
            raise ExpressionError(f"Put what the function takes into brackets: it is not clear {place}.")
        is_call = self.kind(i - 1) in {"FUNCTION", "PAIR"}
        self.levels.append(Level(self.tokens[i], function=str(self.tokens[i - 1]) if is_call else ""))

    def close(self, i: int) -> None:
        """A bracket or bar closes what is open, and a function has all its values."""
        token, level = self.tokens[i], self.levels[-1]
        if level.opener.type == "START":
            raise ExpressionError(f"There is no '(' for the bracket ')' {self.place(token)}.")
        if (level.opener.type == "LPAR") != (token.type == "RPAR"):
            raise self.not_closed(level.opener)
        if level.function and (
            level.commas + 1 != FUNCTIONS[level.function].values or level.opener is self.tokens[i - 1]
        ):
            raise self.wrong_count(level.function)
        self.levels.pop()

    def comma(self, i: int) -> None:
        """A comma parts two values, and is no decimal point."""
        level, place = self.levels[-1], self.place(self.tokens[i])
        level.commas += 1
        level.bare = False
        if level.function and FUNCTIONS[level.function].values == 2:
            return
        if self.kind(i - 1) == self.kind(i + 1) == "NUMBER":
            number = shown(f"{self.tokens[i - 1]}.{self.tokens[i + 1]}")
            raise ExpressionError(f"Write {number} with a point, not with a comma, {place}.")
        raise ExpressionError(f"A comma stands only between the two values of max or min, not {place}.")

    # What is said

    def place(self, token: Token) -> str:
        """Where a token stands, with a little of what is before it."""
        at = token.start_pos or 0
        before = self.text[:at].strip()
        if len(before) > ECHO:
            before = "…" + before[1 - ECHO :]
        return f"at character {at + 1}" + (f", after '{before}'" if before else "")

    def not_closed(self, opener: Token) -> ExpressionError:
        what, missing = ("bracket '('", ")") if opener.type == "LPAR" else ("bar '|'", "|")
        return ExpressionError(f"A '{missing}' is missing: it closes the {what} {self.place(opener)}.")

    def strange(self, token: Token) -> ExpressionError:
        place = self.place(token)
        if token in "[]{}":
            return ExpressionError(f"Write round brackets ( ) {place}.")
        if token == ".":
            return ExpressionError(f"A dot stands only in a number, such as 1.5, not {place}.")
        # a mark that joins the character before it is named, not shown
        sign = f"'{token}'" if unicodedata.category(token)[0] != "M" else ""
        number = "" if token.isascii() else f" U+{ord(token):04X}"
        return ExpressionError(f"A formula cannot hold the character{sign and ' '}{sign}{number}, {place}.")

    def unknown(self, word: Token) -> ExpressionError:
        end = (word.start_pos or 0) + len(word)
        if self.text[end : end + 1] == ".":
            rest = re.match(r"\.([a-z0-9]+)", self.text[end:])
            known = rest[1] if rest and rest[1] in FUNCTIONS else "sin"
            return ExpressionError(f"'{shown(word)}.' is not needed here. Write {known}({self.variables[0]}).")
        near = difflib.get_close_matches(word.lower(), self.names, n=1) if len(word) > 1 else []
        only = f"Only {' and '.join(self.variables)} can be used here"
        hint = (
            f"Did you mean {near[0]}?" if near else f"{only}, with functions such as sin, cos, exp, ln, sqrt, abs, max."
        )
        return ExpressionError(f"'{shown(word)}' (character {(word.start_pos or 0) + 1}) is not known. {hint}")

    def wrong_count(self, name: str) -> ExpressionError:
        x = self.variables[0]
        count, example = (
            ("two values", f"{name}({x}, 0)") if FUNCTIONS[name].values == 2 else ("one value", f"{name}({x})")
        )
        return ExpressionError(f"{name} takes {count}, such as {example}.")

    def inverse(self, name: str) -> ExpressionError:
        """sin^-1 is arcsine to some and 1/sin to others."""
        x = self.variables[0]
        if f"a{name}" in FUNCTIONS:
            return ExpressionError(f"{name} with such a power reads in two ways. Write a{name}({x}) or 1/{name}({x}).")
        return ExpressionError(
            f"A power of {name} is written after its value, such as 1/{name}({x}) or ({name}({x}))^2."
        )

    def misplaced(self, before: Token, token: Token) -> ExpressionError:
        """What the grammar could not go on with, in a reader's words."""
        if before.type == "FUNCTION":
            return self.wrong_count(before)
        if token.type == "NUMBER" and before.type in ENDS:
            return ExpressionError(f"Put an operator such as * or ^ before the number {self.place(token)}.")
        if token.type == "$END":
            return ExpressionError(f"The formula is not complete: something is missing {self.place(token)}.")
        return ExpressionError(f"Something is missing {self.place(token)}.")


def shown(text: str) -> str:
    """A short piece of what was typed, for a message."""
    return text if len(text) <= ECHO else text[: ECHO - 1] + "…"
