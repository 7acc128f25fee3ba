"""From text to tree: the text is cut into tokens, the tokens are checked, and the grammar turns them into a tree."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction

import jax.numpy as jnp
from lark import Lark, Token, Transformer, UnexpectedToken, v_args

from engine.expressions import bars
from engine.expressions.characters import DIGITS, INSTEAD, plain
from engine.expressions.functions import (
    ADD,
    CONSTANTS,
    DIVIDE,
    ELSEWHERE,
    FUNCTIONS,
    MULTIPLY,
    NEGATE,
    OTHER_NAMES,
    POWER,
    SUBTRACT,
)
from engine.expressions.tree import Apply, Name, Node, Number

CHARACTERS, PARTS, LEVELS, BARS = 200, 120, 20, 80  # at most; a formula on a blackboard is far below
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
root:      ROOT power                                 // √2x is √2 times x
number:    NUMBER
         | FRACTION -> vulgar                         // ½
name:      NAME
superscript: SUPERSCRIPT

%declare NUMBER FRACTION NAME SUPERSCRIPT FUNCTION PAIR ROOT _OPEN_BAR _CLOSE_BAR
"""

TOKEN = re.compile(
    r"""(?P<NUMBER> (?:[0-9]+\.?[0-9]*|\.[0-9]+) (?:[eE][+-]?[0-9]+)? )
      | (?P<FRACTION> [½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒] )
      | (?P<WORD> [A-Za-zα-ωΑ-Ω]*(?i:log)(?:2|10)(?![0-9.]) | [A-Za-zα-ωΑ-Ω]+ )
      | (?P<BASE> _\{?(?:[0-9]+\.?[0-9]*|e(?![A-Za-z]))\}? | [₀₁₂₃₄₅₆₇₈₉]+ )
      | (?P<SUPERSCRIPT> [⁺⁻]?(?:[⁰¹²³⁴⁵⁶⁷⁸⁹]+[ˣʸ]?|[ˣʸ])[⁰¹²³⁴⁵⁶⁷⁸⁹]* )
      | (?P<CIRCUMFLEX> \^|\*\* ) | (?P<STAR> \* ) | (?P<SLASH> / ) | (?P<PLUS> \+ ) | (?P<MINUS> - )
      | (?P<LPAR> \( ) | (?P<RPAR> \) ) | (?P<COMMA> , ) | (?P<BAR> \| ) | (?P<ROOT> [√∛∜] )
      | (?P<COMPARISON> [=<>≤≥≠]+ ) | (?P<STRANGE> \S )""",
    re.VERBOSE,
)
LARGEST, LEAST = float(jnp.finfo(jnp.float32).max), float(jnp.finfo(jnp.float32).tiny)
COUNTED = 3  # digits at least, for a decimal to be taken as a rounded number

SIGNS = {"PLUS", "MINUS", "STAR", "SLASH"}
OPENS = {"LPAR", "BAR", "_OPEN_BAR"}
STARTS = OPENS | {"NUMBER", "FRACTION", "NAME", "FUNCTION", "PAIR", "ROOT"}
ENDS = {"NUMBER", "FRACTION", "NAME", "SUPERSCRIPT", "RPAR", "_CLOSE_BAR"}


class ExpressionError(ValueError):
    """A text that is no formula here. The message is one line for the reader who typed it."""


@v_args(inline=True)
class Build(Transformer[Token, Node]):
    """The grammar's rules, as nodes of the tree."""

    def number(self, digits: str) -> Node:
        value = float(digits)
        mantissa, _, exponent = digits.lower().partition("e")
        decimals = len(mantissa.partition(".")[2])
        rounded = value != int(value) and len(mantissa.replace(".", "").lstrip("0")) >= COUNTED
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
        return Apply(FUNCTIONS[name], values)

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
        self.text = text  # as typed
        self.plain = plain(text)  # the same in the signs that the tokens are made of, each at its place
        self.variables = variables
        self.names = sorted([*variables, *CONSTANTS, *FUNCTIONS, *OTHER_NAMES], key=len, reverse=True)
        self.tokens: list[Token] = []
        self.levels = [Level(Token("START", "", 0))]

    def tree(self) -> Node:
        for found in TOKEN.finditer(self.plain):
            self.scan(found)
        self.match_bars()
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
        if kind == "COMPARISON" and not self.tokens and token == "=":
            raise ExpressionError("Leave out the = at the beginning.")
        if kind == "COMPARISON":
            raise ExpressionError(f"A comparison begins {self.place(token)}. Type one formula only, such as x^2 - 1.")
        if kind == "STRANGE":
            raise self.strange(token)
        if kind == "NUMBER":
            self.check_number(token)
        if kind == "SUPERSCRIPT" and not set(token.translate(DIGITS)) & {"x", "y"} <= set(self.variables):
            raise self.strange(token)
        if kind == "SUPERSCRIPT" and max(map(float, re.findall(r"\d+", token.translate(DIGITS))), default=0) > LARGEST:
            raise self.too_large(token)
        if kind == "BASE":
            return self.add_base(token)
        self.tokens.extend(self.words(token) if kind == "WORD" else [token])

    def check_number(self, token: Token) -> None:
        """Refuse a number that 32 bits do not hold, and an e that may be Euler's number."""
        mantissa, e, exponent = token.partition("e")
        # nobody multiplies Euler's number by 1, or by a decimal to take a number of two digits away: 1e-3, 6.67e-11
        scientific = float(mantissa) == 1 or re.fullmatch(r"[1-9]\.[0-9]+e[+-][0-9]{2,}", token)
        if e and exponent[0] in "+-" and not scientific:
            value = float(token)
            number = f"{value:.6g}" if 1e-4 <= value < 1e6 else f"{mantissa}*10^{int(exponent)}"
            other = f"{mantissa}*e {exponent[0]} {exponent[1:]}"
            raise ExpressionError(f"{shown(token)} reads in two ways. Write {shown(number)} or {shown(other)}.")
        if float(token) > LARGEST:
            raise self.too_large(token)
        if float(token) < LEAST and re.search("[1-9]", re.split("[eE]", token)[0]):
            raise ExpressionError(f"The number {shown(token)} is too small: 32 bits hold down to 1.2·10⁻³⁸.")

    def add_base(self, token: Token) -> None:
        """log_3, log₃: the base of a logarithm, below it."""
        at, base = token.start_pos or 0, token.translate(DIGITS).strip("_{}")
        log = self.tokens[-1] if self.tokens else token
        if self.plain[:at][-3:].lower() != "log" or log != "ln":
            raise self.strange(Token("STRANGE", self.text[at], at))
        if token.isascii() and self.plain[at + len(token) :][:1].isalpha():
            raise self.two_logarithms(self.plain[at - 3 : at] + token, base)
        if base != "e" and float(base) in (0, 1):
            raise ExpressionError(
                f"A logarithm has no base {base}. Write another base, such as log_2({self.variables[0]})."
            )
        if base != "e" and float(base) > LARGEST:
            raise self.too_large(token)
        name = {"2": "log2", "10": "log10", "e": "ln"}.get(base, f"log_{base}")
        self.tokens[-1] = Token("FUNCTION", name, log.start_pos)

    def match_bars(self) -> None:
        """Say of each bar whether it opens or closes, where that is clear."""
        at = [i for i, token in enumerate(self.tokens) if token.type == "BAR"]
        if not at:
            return
        if len(at) > BARS:
            raise ExpressionError(f"This formula has {len(at)} bars. At most {BARS} fit.")
        found = bars.roles(self.tokens, ENDS, self.variables)
        if len(found) > 1:
            first = next(i for i, one, other in zip(at, *found, strict=True) if one != other)
            place = self.place(self.tokens[first])
            raise ExpressionError(
                f"The bars read in two ways {place}. Write abs( ) for each pair, as abs({self.variables[0]})."
            )
        for i, role in zip(at, *found or [""], strict=False):
            kind = "_OPEN_BAR" if role == "(" else "_CLOSE_BAR"
            self.tokens[i] = Token(kind, "|", self.tokens[i].start_pos)

    def words(self, word: Token) -> list[Token]:
        """A run of letters as the names it is made of: xy, sinx, 2πx."""
        at = word.start_pos or 0
        if word[-1].isdigit() and self.plain[at + len(word) :][:1].isalpha():
            raise self.two_logarithms(word, "10" if word.endswith("10") else "2")
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
            parts += 3 * token.startswith("log_") + 2 * (token.type in {"FRACTION", "ROOT"} and token not in "√∛")
            parts += token.type in STARTS and self.kind(i - 1) in ENDS  # a times that is not written
        if parts > PARTS:
            raise ExpressionError(f"This formula has {parts} parts. At most {PARTS} fit.")

    def kind(self, i: int) -> str:
        """What kind of token stands there; nothing before the first and after the last."""
        return self.tokens[i].type if 0 <= i < len(self.tokens) else ""

    def check(self, i: int) -> None:
        """Match the brackets and the bars, and see that each function has what it takes."""
        if self.kind(i) == "BAR":
            # in no way do all of them match: see which one is not closed
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
        takes = token.type in {"CIRCUMFLEX", "FUNCTION", "ROOT"} or (token.type in SIGNS and not follows)
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
        if level.function and (level.commas + 1 != values_of(level.function) or level.opener is self.tokens[i - 1]):
            raise self.wrong_count(level.function)
        self.levels.pop()

    def comma(self, i: int) -> None:
        """A comma parts two values, and is no decimal point."""
        level, place = self.levels[-1], self.place(self.tokens[i])
        level.commas += 1
        level.bare = False
        if level.function and values_of(level.function) == 2:
            return
        if level.function.startswith(("ln", "log")):
            raise self.log_of_two(level, i)
        if self.kind(i - 1) == self.kind(i + 1) == "NUMBER":
            raise self.decimal_comma(i)
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
        if token.type != "SUPERSCRIPT":  # as it was typed: a full-width sign is named by its own number
            token = Token(token.type, self.text[token.start_pos or 0], token.start_pos)
        if token in "[]{}":
            return ExpressionError(f"Write round brackets ( ) {place}.")
        if token == ".":
            return ExpressionError(f"A dot stands only in a number, such as 1.5, not {place}.")
        # a mark that joins the character before it is named, not shown
        sign = f"'{token}'" if unicodedata.category(token)[0] != "M" else ""
        token = Token(token.type, token[0], token.start_pos)
        number = "" if token.isascii() else f" U+{ord(token):04X}"
        held = f"A formula cannot hold the character{sign and ' '}{sign}{number}, {place}."
        instead = INSTEAD.get(plain(token), "")
        return ExpressionError(f"{held} {instead}." if instead else held)

    def unknown(self, word: Token) -> ExpressionError:
        end = (word.start_pos or 0) + len(word)
        if self.text[end : end + 1] == ".":
            rest = re.match(r"\.([A-Za-z]+[0-9]*)", self.plain[end:])
            name = rest[1].lower() if rest else ""
            written = ELSEWHERE.get(name, "") or (name if name in CONSTANTS else "")
            if OTHER_NAMES.get(name, name) in FUNCTIONS:
                written = f"{name}({', '.join(['{x}', '0'][: values_of(OTHER_NAMES.get(name, name))])})"
            hint = f"Write {written.format(x=self.variables[0])}" if written else "Leave it out"
            return ExpressionError(f"'{shown(word)}.' is not needed here. {hint}.")
        only = f"Only {' and '.join(self.variables)} can be used here"
        hint = f"{only}, with functions such as sin, cos, exp, ln, sqrt, abs, max."
        name = re.sub(r"^(?:arc|ar)(?=[cs])", "a", word.lower()).replace("cosec", "csc").replace("ctg", "cot")
        if instead := ELSEWHERE.get(name, "").format(x=self.variables[0]):
            hint = f"Write {instead}."
        elif self.is_a_name(name) and (near := self.near(word.lower())):
            hint = f"Did you mean {' or '.join(near)}?"
        return ExpressionError(f"'{shown(word)}' (character {(word.start_pos or 0) + 1}) is not known. {hint}")

    def is_a_name(self, word: str) -> bool:
        """Whether a word may be a function's name with a slip in it. ax is no slip of max, it is a times x."""
        factors = len(word) == 2 and any(letter in self.variables for letter in word)
        return word not in ELSEWHERE and len(word) > 1 and not factors

    def near(self, word: str) -> list[str]:
        """The names that a slip or two of the hand lead away from: two at most, or it is a guess."""
        names = [name for name in self.names if len(name) > 3 or name in FUNCTIONS or name == "pi"]
        found = list(dict.fromkeys(OTHER_NAMES.get(name, name) for name in names if is_slip(word, name)))
        found = [name for name in found if len(name) != len(word)] or found  # a letter too many before a wrong one
        return found if len(found) <= 2 else []

    def two_logarithms(self, log: str, base: str) -> ExpressionError:
        x = self.variables[0]
        name = f"log{base}" if base in ("2", "10") else f"log_{base}"
        return ExpressionError(
            f"'{shown(log)}' and the letter after it read in two ways. Write {name[:12]}({x}) or log({base[:8]}{x})."
        )

    def too_large(self, token: Token) -> ExpressionError:
        return ExpressionError(f"The number {shown(token)} is too large: 32 bits hold up to 3.4·10³⁸.")

    def log_of_two(self, level: Level, i: int) -> ExpressionError:
        """Some write the base of a logarithm first, some last; and some a decimal comma."""
        first: str = self.tokens[i - 1]
        second: str = self.tokens[i + 1] if i + 1 < len(self.tokens) else ""
        plain_call = self.tokens[i - 2] is level.opener and self.kind(i + 2) == "RPAR"
        both = {self.kind(i - 1), self.kind(i + 1)}
        if not (plain_call and both <= {"NUMBER", "NAME"}):
            first, second = self.variables[0], "2"
        decimal = f"; for a decimal, {shown(f'{first}.{second}')}" if both == {"NUMBER"} and plain_call else ""
        first, second = shown(first)[:12], shown(second)[:12]
        words = f"A logarithm takes one value. For {first} to base {second}, write ln({first})/ln({second})"
        return ExpressionError(f"{words}{decimal}.")

    def decimal_comma(self, i: int) -> ExpressionError:
        """1,000x is a thousand to some, and 1,5 is 1.5 to others."""
        place, at = self.place(self.tokens[i]), self.tokens[i - 1].start_pos or 0
        thousands = re.match(r"([1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?)(?![\d,.])([A-Za-z]?)", self.plain[at:])
        if thousands is None:
            number = shown(f"{self.tokens[i - 1].replace('.', '')}.{self.tokens[i + 1]}")
            return ExpressionError(f"Write {number} with a point, not with a comma, {place}.")
        whole = thousands[1].replace(",", "")
        decimal = thousands[1].replace(",", ".") if thousands[1].count(",") == 1 and "." not in thousands[1] else ""
        other = f", or write {decimal} with a point" if decimal and int(decimal[-3:]) else ""
        return ExpressionError(f"Leave out the comma: {shown(whole + thousands[2])}{other}, {place}.")

    def one_number(self, before: Token, token: Token) -> ExpressionError | None:
        """1 000 is a thousand and 1½ is one and a half: neither is a product."""
        text = self.plain[before.start_pos or 0 :]
        if thousands := re.match(r"[1-9]\d{0,2}(?:\s\d{3})+(?:\.\d+)?(?![\d.])", text):
            whole = re.sub(r"\s", "", thousands[0])
            return ExpressionError(f"Leave out the blank in the number: {shown(whole)}, {self.place(token)}.")
        if mixed := re.match(r"(\d+)\s*([½-¾⅐-⅞]|\d+/\d+)", text):
            total = shown(f"({mixed[1]} + {mixed[2]})")
            return ExpressionError(f"Write a mixed number as a sum, such as {total}, {self.place(token)}.")
        return None

    def wrong_count(self, name: str) -> ExpressionError:
        x = self.variables[0]
        count, example = ("two values", f"{name}({x}, 0)") if values_of(name) == 2 else ("one value", f"{name}({x})")
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
        if token.type == "SUPERSCRIPT" and self.text[(token.start_pos or 0) + len(token) :].lstrip()[:1] == "√":
            x = self.variables[0]
            return ExpressionError(f"Write a root as cbrt({x}) or {x}^(1/4), {self.place(token)}.")
        if token.type in {"NUMBER", "FRACTION"} and before.type in ENDS:
            if before.type == "NUMBER" and (one := self.one_number(before, token)):
                return one
            return ExpressionError(f"Put an operator such as * or ^ before the number {self.place(token)}.")
        if token.type == "$END":
            return ExpressionError(f"The formula is not complete: something is missing {self.place(token)}.")
        return ExpressionError(f"Something is missing {self.place(token)}.")


def values_of(name: str) -> int:
    """How many values a function takes; a logarithm to a base of one's own takes one."""
    return FUNCTIONS[name].values if name in FUNCTIONS else 1


def is_slip(typed: str, name: str) -> bool:
    """Whether a name becomes what was typed by one letter too many or too few, or two exchanged.

    Another letter in place of one is a slip in a longer name only: cot is no slip of cos.
    """
    if abs(len(typed) - len(name)) == 1:
        longer, shorter = sorted((typed, name), key=len, reverse=True)
        return any(longer[:i] + longer[i + 1 :] == shorter for i in range(len(longer)))
    if len(typed) != len(name):
        return False
    apart = [i for i, (one, other) in enumerate(zip(typed, name, strict=True)) if one != other]
    exchanged = len(apart) == 2 and apart[1] == apart[0] + 1 and sorted(typed) == sorted(name)
    return exchanged or (len(apart) == 1 and len(name) >= 4)


def shown(text: str) -> str:
    """A short piece of what was typed, for a message."""
    return text if len(text) <= ECHO else text[: ECHO - 1] + "…"
