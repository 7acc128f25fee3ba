"""From text to tree: the text is cut into tokens, the tokens are checked, and the grammar turns them into a tree."""

from __future__ import annotations

import re
from dataclasses import dataclass

import jax.numpy as jnp
from lark import Token, UnexpectedToken

from engine.expressions import bars
from engine.expressions.characters import DIGITS
from engine.expressions.errors import ENDS, ExpressionError, Typed, arity, shorten
from engine.expressions.functions import ALIASES, FUNCTIONS
from engine.expressions.grammar import READER
from engine.expressions.tree import Node

MAX_CHARACTERS, MAX_PARTS, MAX_DEPTH, MAX_BARS = 200, 120, 20, 80  # at most; a formula on a blackboard is far below

# a run of letters; of digits it holds only those of log2 and log10
WORD = r"[A-Za-zα-ωΑ-Ω]*(?i:log)(?:2|10)(?![0-9.]) | [A-Za-zα-ωΑ-Ω]+"
TOKEN = r"""(?P<NUMBER> (?:[0-9]+\.?[0-9]*|\.[0-9]+) (?:[eE][+-]?[0-9]+)? )
      | (?P<FRACTION> [½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒] )
      | (?P<WORD> %s )
      | (?P<BASE> _\{?(?:[0-9]+\.?[0-9]*|e(?![A-Za-z]))\}? | [₀₁₂₃₄₅₆₇₈₉]+ )
      | (?P<SUPERSCRIPT> [⁺⁻]?(?:[⁰¹²³⁴⁵⁶⁷⁸⁹]+[ˣʸ]?|[ˣʸ])[⁰¹²³⁴⁵⁶⁷⁸⁹]* )
      | (?P<CIRCUMFLEX> \^|\*\* ) | (?P<STAR> \* ) | (?P<SLASH> / ) | (?P<PLUS> \+ ) | (?P<MINUS> - )
      | (?P<LPAR> \( ) | (?P<RPAR> \) ) | (?P<COMMA> , ) | (?P<BAR> \| ) | (?P<ROOT> [√∛∜] )
      | (?P<COMPARISON> [=<>≤≥≠]+ ) | (?P<STRANGE> \S )"""
MAX_FLOAT, MIN_FLOAT = float(jnp.finfo(jnp.float32).max), float(jnp.finfo(jnp.float32).tiny)

SIGNS = {"PLUS", "MINUS", "STAR", "SLASH"}
OPENS = {"LPAR", "BAR", "_OPEN_BAR"}
STARTS = OPENS | {"NUMBER", "FRACTION", "NAME", "FUNCTION", "PAIR", "ROOT"}


@dataclass
class Level:
    """An open bracket or bar, or the whole formula."""

    opener: Token
    function: str = ""  # whose values stand in it
    commas: int = 0
    run: int = 0  # powers, signs and functions that take one another, without brackets
    bare: bool = False  # inside what a function without brackets takes


class Reading(Typed):
    """One text on its way to a tree. Size and brackets are checked on the tokens, before a node is built."""

    token = re.compile(TOKEN % WORD, re.VERBOSE)

    def __init__(self, text: str, variables: tuple[str, ...]) -> None:
        super().__init__(text, variables)
        self.levels = [Level(Token("START", "", 0))]

    def tree(self) -> Node:
        """The tree of the formula. Raises ``ExpressionError`` for a text that is none."""
        for found in self.token.finditer(self.plain):
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
        if (
            kind == "SUPERSCRIPT"
            and max(map(float, re.findall(r"\d+", token.translate(DIGITS))), default=0) > MAX_FLOAT
        ):
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
            raise ExpressionError(f"{shorten(token)} reads in two ways. Write {shorten(number)} or {shorten(other)}.")
        if float(token) > MAX_FLOAT:
            raise self.too_large(token)
        if float(token) < MIN_FLOAT and re.search("[1-9]", re.split("[eE]", token)[0]):
            raise ExpressionError(f"The number {shorten(token)} is too small: 32 bits hold down to 1.2·10⁻³⁸.")

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
        if base != "e" and float(base) > MAX_FLOAT:
            raise self.too_large(token)
        name = {"2": "log2", "10": "log10", "e": "ln"}.get(base, f"log_{base}")
        self.tokens[-1] = Token("FUNCTION", name, log.start_pos)

    def match_bars(self) -> None:
        """Say of each bar whether it opens or closes, where that is clear."""
        at = [i for i, token in enumerate(self.tokens) if token.type == "BAR"]
        if not at:
            return
        if len(at) > MAX_BARS:
            raise ExpressionError(f"This formula has {len(at)} bars. At most {MAX_BARS} fit.")
        found = bars.read_bars(self.tokens, ENDS, self.variables)
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
            name = ALIASES.get(piece, piece)
            kind = "NAME" if name not in FUNCTIONS else "FUNCTION" if FUNCTIONS[name].values == 1 else "PAIR"
            tokens.append(Token(kind, name, at))
            at += len(piece)
        return tokens

    def split(self, word: str) -> list[str] | None:
        """The known names that make up a word, the longest first; None where it holds anything else."""
        for name in self.names:
            rest = word.removeprefix(name)
            is_function = ALIASES.get(name, name) in FUNCTIONS
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
        if parts > MAX_PARTS:
            raise ExpressionError(f"This formula has {parts} parts. At most {MAX_PARTS} fit.")

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
        if len(self.levels) - 1 + sum(level.run for level in self.levels) > MAX_DEPTH:
            raise ExpressionError(
                f"Brackets, powers and signs nest too deep {self.place(token)}. At most {MAX_DEPTH} fit."
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
        if after == "MINUS" and self.kind(i + 2) == "NUMBER" and self.kind(i + 3) in STARTS:
            self.check_minus_one(name, self.tokens[i + 2])
        if after == "NUMBER" and self.kind(i + 2) in STARTS:
            self.check_base(name, self.tokens[i + 1])
        self.levels[-1].bare = self.kind(i + 1 + power) not in OPENS

    def check_minus_one(self, name: Token, number: Token) -> None:
        """sin-1 x is a calculator's arcsine to some, and sin(-x) to others."""
        if number == "1" and f"a{name}" in FUNCTIONS:
            raise self.minus_one(name)

    def check_base(self, name: Token, number: Token) -> None:
        """log5(x), without a blank, is a logarithm to the base 5 to some, and log(5x) to others."""
        at = name.start_pos or 0
        if self.plain[at : number.start_pos].lower() == "log" and float(number) not in (0, 1):
            raise self.two_logarithms(f"log{number}", number)

    def open(self, i: int) -> None:
        """A bracket or bar opens; right after sin x it could belong to either side."""
        if self.levels[-1].bare and self.kind(i - 1) in ENDS:
            place = self.place(self.tokens[i])
            raise ExpressionError(f"Put the argument of the function into brackets: it is not clear {place}.")
        is_call = self.kind(i - 1) in {"FUNCTION", "PAIR"}
        self.levels.append(Level(self.tokens[i], function=str(self.tokens[i - 1]) if is_call else ""))

    def close(self, i: int) -> None:
        """A bracket or bar closes what is open, and a function has all its values."""
        token, level = self.tokens[i], self.levels[-1]
        if level.opener.type == "START":
            raise ExpressionError(f"There is no '(' for the bracket ')' {self.place(token)}.")
        if (level.opener.type == "LPAR") != (token.type == "RPAR"):
            raise self.not_closed(level.opener)
        if level.function and (level.commas + 1 != arity(level.function) or level.opener is self.tokens[i - 1]):
            raise self.wrong_count(level.function)
        self.levels.pop()

    def comma(self, i: int) -> None:
        """A comma parts two values, and is no decimal point."""
        level, place = self.levels[-1], self.place(self.tokens[i])
        level.commas += 1
        level.bare = False
        if level.function and arity(level.function) == 2:
            return
        if level.function.startswith(("ln", "log")):
            raise self.log_of_two(level.opener, i)
        if self.kind(i - 1) == self.kind(i + 1) == "NUMBER":
            raise self.decimal_comma(i)
        raise ExpressionError(f"A comma stands only between the two values of max or min, not {place}.")
