"""What is said of a text that is no formula: one line that says what came, where, and what to type instead."""

from __future__ import annotations

import re
import unicodedata

from lark import Token

from engine.expressions.characters import REPLACEMENTS, plain
from engine.expressions.functions import ALIASES, ALL_FUNCTIONS, CONSTANTS, FUNCTIONS, SUGGESTIONS

MAX_QUOTED = 18  # characters of what was typed in one piece; a message holds two pieces at most
ENDS = {"NUMBER", "FRACTION", "NAME", "SUPERSCRIPT", "RPAR", "_CLOSE_BAR"}


class ExpressionError(ValueError):
    """A text that is no formula here. The message is one line for the reader who typed it."""


class Typed:
    """A text and its tokens, and the sentences about what does not fit in it."""

    def __init__(self, text: str, variables: tuple[str, ...]) -> None:
        self.text = text  # as typed
        self.plain = plain(text)  # the same in the signs that the tokens are made of, each at its place
        self.variables = variables
        self.names = sorted([*variables, *CONSTANTS, *FUNCTIONS, *ALIASES], key=len, reverse=True)
        self.tokens: list[Token] = []

    def kind(self, i: int) -> str:
        """What kind of token stands there; nothing before the first and after the last."""
        return self.tokens[i].type if 0 <= i < len(self.tokens) else ""

    def place(self, token: Token) -> str:
        """Where a token stands, with a little of what is before it."""
        at = token.start_pos or 0
        before = self.text[:at].strip()
        if len(before) > MAX_QUOTED:
            before = "…" + before[1 - MAX_QUOTED :]
        return f"at character {at + 1}" + (f", after '{before}'" if before else "")

    def not_closed(self, opener: Token) -> ExpressionError:
        """A bracket or a bar that opens and is not closed."""
        what, missing = ("bracket '('", ")") if opener.type == "LPAR" else ("bar '|'", "|")
        return ExpressionError(f"A '{missing}' is missing: it closes the {what} {self.place(opener)}.")

    def strange(self, token: Token) -> ExpressionError:
        """A character that no formula holds, or that stands where it means nothing."""
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
        instead = REPLACEMENTS.get(plain(token), "")
        return ExpressionError(f"{held} {instead}." if instead else held)

    def unknown(self, word: Token) -> ExpressionError:
        """A word that is no known name, with the name that may be meant."""
        end = (word.start_pos or 0) + len(word)
        if self.text[end : end + 1] == ".":
            rest = re.match(r"\.([A-Za-z]+[0-9]*)", self.plain[end:])
            name = rest[1].lower() if rest else ""
            written = SUGGESTIONS.get(name, "") or (name if name in CONSTANTS else "")
            if ALIASES.get(name, name) in FUNCTIONS:
                written = f"{name}({', '.join(['{x}', '0'][: arity(ALIASES.get(name, name))])})"
            hint = f"Write {written.format(x=self.variables[0])}" if written else "Leave it out"
            return ExpressionError(f"'{shorten(word)}.' is not needed here. {hint}.")
        only = f"Only {' and '.join(self.variables)} can be used here"
        hint = f"{only}, with functions such as sin, cos, exp, ln, sqrt, abs, max."
        name = re.sub(r"^(?:arc|ar)(?=[cs])", "a", word.lower()).replace("cosec", "csc").replace("ctg", "cot")
        if instead := SUGGESTIONS.get(name, "").format(x=self.variables[0]):
            hint = f"Write {instead}."
        elif self.is_a_name(name) and (near := self.near(word.lower())):
            hint = f"Did you mean {' or '.join(near)}?"
        return ExpressionError(f"'{shorten(word)}' (character {(word.start_pos or 0) + 1}) is not known. {hint}")

    def is_a_name(self, word: str) -> bool:
        """Whether a word may be a function's name with a slip in it. ax is no slip of max, it is a times x."""
        factors = len(word) == 2 and any(letter in self.variables for letter in word)
        return word not in SUGGESTIONS and len(word) > 1 and not factors

    def near(self, word: str) -> list[str]:
        """The names that a slip or two of the hand lead away from: two at most, or it is a guess."""
        names = [name for name in self.names if len(name) > 3 or name in FUNCTIONS or name == "pi"]
        found = list(dict.fromkeys(ALIASES.get(name, name) for name in names if is_slip(word, name)))
        found = [name for name in found if len(name) != len(word)] or found  # a letter too many before a wrong one
        return found if len(found) <= 2 else []

    def two_logarithms(self, log: str, base: str) -> ExpressionError:
        """A logarithm whose base and argument cannot be told apart."""
        x = self.variables[0]
        name = f"log{base}" if base in ("2", "10") else f"log_{base}"
        return ExpressionError(
            f"'{shorten(log)}' and what follows it read in two ways. Write {name[:12]}({x}) or log({base[:8]}{x})."
        )

    def too_large(self, token: Token) -> ExpressionError:
        """A number that 32 bits do not hold."""
        return ExpressionError(f"The number {shorten(token)} is too large: 32 bits hold up to 3.4·10³⁸.")

    def log_of_two(self, opener: Token, i: int) -> ExpressionError:
        """Some write the base of a logarithm first, some last; and some a decimal comma."""
        first: str = self.tokens[i - 1]
        second: str = self.tokens[i + 1] if i + 1 < len(self.tokens) else ""
        plain_call = self.tokens[i - 2] is opener and self.kind(i + 2) == "RPAR"
        both = {self.kind(i - 1), self.kind(i + 1)}
        if not (plain_call and both <= {"NUMBER", "NAME"}):
            first, second = self.variables[0], "2"
        decimal = f"; for a decimal, {shorten(f'{first}.{second}')}" if both == {"NUMBER"} and plain_call else ""
        first, second = shorten(first)[:12], shorten(second)[:12]
        words = f"A logarithm takes one value. For {first} to base {second}, write ln({first})/ln({second})"
        return ExpressionError(f"{words}{decimal}.")

    def decimal_comma(self, i: int) -> ExpressionError:
        """1,000x is a thousand to some, and 1,5 is 1.5 to others."""
        place, at = self.place(self.tokens[i]), self.tokens[i - 1].start_pos or 0
        thousands = re.match(r"([1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?)(?![\d,.])([A-Za-z]?)", self.plain[at:])
        if thousands is None:
            number = shorten(f"{self.tokens[i - 1].replace('.', '')}.{self.tokens[i + 1]}")
            return ExpressionError(f"Write {number} with a point, not with a comma, {place}.")
        whole = thousands[1].replace(",", "")
        decimal = thousands[1].replace(",", ".") if thousands[1].count(",") == 1 and "." not in thousands[1] else ""
        other = f", or write {decimal} with a point" if decimal and int(decimal[-3:]) else ""
        return ExpressionError(f"Leave out the comma: {shorten(whole + thousands[2])}{other}, {place}.")

    def one_number(self, before: Token, token: Token) -> ExpressionError | None:
        """1 000 is a thousand and 1½ is one and a half: neither is a product."""
        text = self.plain[before.start_pos or 0 :]
        if thousands := re.match(r"[1-9]\d{0,2}(?:\s\d{3})+(?:\.\d+)?(?![\d.])", text):
            whole = re.sub(r"\s", "", thousands[0])
            return ExpressionError(f"Leave out the blank in the number: {shorten(whole)}, {self.place(token)}.")
        if mixed := re.match(r"(\d+)\s*([½-¾⅐-⅞]|\d+/\d+)", text):
            total = shorten(f"({mixed[1]} + {mixed[2]})")
            return ExpressionError(f"Write a mixed number as a sum, such as {total}, {self.place(token)}.")
        return None

    def wrong_count(self, name: str) -> ExpressionError:
        """A function with more or fewer values than it takes."""
        x = self.variables[0]
        count, example = ("two values", f"{name}({x}, 0)") if arity(name) == 2 else ("one value", f"{name}({x})")
        return ExpressionError(f"{name} takes {count}, such as {example}.")

    def inverse(self, name: str) -> ExpressionError:
        """sin^-1 is arcsine to some and 1/sin to others."""
        x = self.variables[0]
        if f"a{name}" in FUNCTIONS:
            return ExpressionError(f"{name} with such a power reads in two ways. Write a{name}({x}) or 1/{name}({x}).")
        return ExpressionError(
            f"A power of {name} is written after its value, such as 1/{name}({x}) or ({name}({x}))^2."
        )

    def minus_one(self, name: str) -> ExpressionError:
        """sin-1: the inverse to some, and a product or a difference to others."""
        x = self.variables[0]
        return ExpressionError(
            f"{name}-1 reads in several ways. Write a{name}({x}) for the inverse, 1/{name}({x}), or {name}(-{x})."
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


def arity(name: str) -> int:
    """How many values a function takes; a logarithm to a base of one's own takes one."""
    return ALL_FUNCTIONS[name].values if name in ALL_FUNCTIONS else 1


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


def shorten(text: str) -> str:
    """A short piece of what was typed, for a message."""
    return text if len(text) <= MAX_QUOTED else text[: MAX_QUOTED - 1] + "…"
