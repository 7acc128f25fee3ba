"""A formula whose names are words: beta1 and mhat are one name each, and no products as in a function of x."""

from __future__ import annotations

import re

from lark import Token

from engine.expressions.characters import DIGITS, plain, without_invisible
from engine.expressions.errors import ExpressionError, shorten
from engine.expressions.functions import ACROSS, ALIASES, ALL_FUNCTIONS, CONSTANTS
from engine.expressions.reading import TOKEN, Reading
from engine.expressions.tree import Node

NAME = r"[A-Za-zα-ωΑ-Ω][A-Za-zα-ωΑ-Ω0-9_]*"
# what is called otherwise in papers and programs, by what it is called here
CALLED = {
    "x": ("theta", "θ", "w", "params", "weights"),
    "g": ("grad", "gradient", "gt", "dx"),
    "f": ("loss",),
    "t": ("step", "i", "k"),
}
MEANT = {other: name for name, others in CALLED.items() for other in others}


def parse_with_names(text: str, names: tuple[str, ...], start: int = 0) -> Node:
    """The tree of a formula of these names, which begins at a place of a text; what is before that is not read.

    Raises ``ExpressionError`` with one line that says what came, where in the text, and what to type instead.
    """
    text = without_invisible(text)
    return NameReading(" " * start + text[start:], names).tree()


class NameReading(Reading):
    """One text whose names are words."""

    token = re.compile(TOKEN % NAME, re.VERBOSE)

    def __init__(self, text: str, names: tuple[str, ...]) -> None:
        super().__init__(text, names)
        self.names = [*self.names, *ACROSS]

    def words(self, word: Token) -> list[Token]:
        """A word is one name, or one function: no product of both."""
        name = ALIASES.get(word.lower(), word.lower())
        if word in self.variables or (word in CONSTANTS):
            return [Token("NAME", str(word), word.start_pos)]
        if name not in ALL_FUNCTIONS:
            raise self.unknown(word)
        return [Token("FUNCTION" if ALL_FUNCTIONS[name].values == 1 else "PAIR", name, word.start_pos)]

    def unknown(self, word: Token) -> ExpressionError:
        """A name that nothing sets, with what may be meant."""
        if self.text[(word.start_pos or 0) + len(word) :][:1] == ".":
            return super().unknown(word)
        what, base = f"'{shorten(word)}' (character {(word.start_pos or 0) + 1})", re.sub(r"_+t?$", "", word)
        if base != word and (base in self.variables or word.endswith("_")):
            return ExpressionError(f"{what} has an index. Write {base}: it is the value before, until a line sets it.")
        factors = self.factors(word)
        if factors:
            return ExpressionError(
                f"{what} is not set. For a product, write a blank between: {shorten(' '.join(factors))}."
            )
        if word in MEANT:
            return ExpressionError(f"{what} is not set. Is {MEANT[word]} meant?")
        if self.is_a_name(word) and (near := self.near(word.lower())):
            return ExpressionError(f"{what} is not set. Did you mean {' or '.join(near)}?")
        name = shorten(word)
        if len(word) > 1 and self.text[(word.start_pos or 0) + len(word) :].lstrip().startswith("("):
            return ExpressionError(f"{what} is no function here. Write it with others, such as max, min, abs and sign.")
        return ExpressionError(
            f"{what} is not set. Add a line that sets it, or make it a knob, such as {name} = 0.1 [1e-5, 1]."
        )

    def factors(self, word: str) -> list[str]:
        """The names that make up a word, where all of it is names that are set."""
        found: dict[int, list[str]] = {0: []}  # by how much of the word they make up
        names = sorted(self.variables, key=len, reverse=True)
        for end in range(1, len(word) + 1):
            last = next((one for one in names if word.endswith(one, 0, end) and end - len(one) in found), None)
            if last:
                found[end] = [*found[end - len(last)], last]
        return found.get(len(word), [])


def plain_line(line: str) -> str:
    """A line in the signs that it is read by, each at its place."""
    line = plain(without_invisible(line)).replace("⊙", "*")  # here every product is of each coordinate by itself
    return re.sub(r"(?<=[A-Za-zα-ωΑ-Ω])(?<!log)[₀-₉]+", lambda index: index[0].translate(DIGITS), line)
