"""Typed text becomes a function of JAX arrays. Nothing that is typed is ever run as Python.

``characters`` makes the text plain, ``reading`` cuts it into tokens and checks them, ``errors`` says what does not
fit, ``grammar`` makes a tree of them, and ``tree`` computes it with the functions of one table. To add a function, add
a line to ``functions.FUNCTIONS``.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.expressions.characters import left_side, plain, without_invisible
from engine.expressions.errors import ExpressionError
from engine.expressions.functions import ALIASES, FUNCTIONS
from engine.expressions.reading import MAX_CHARACTERS, Reading
from engine.expressions.tree import Function

__all__ = ["ALIASES", "FUNCTIONS", "ExpressionError", "Function", "parse"]


def parse(text: str, variables: Sequence[str]) -> Function:
    """Read a formula in these variables, as it is written in a book or in Python.

    Raises ``ExpressionError`` with one line that says what came, where, and what to type instead.
    """
    if len(text) > MAX_CHARACTERS:
        raise ExpressionError(f"This has {len(text)} characters. At most {MAX_CHARACTERS} fit.")
    text = without_invisible(text)
    variables = tuple(variables)
    end, kind = left_side(plain(text), variables)
    if kind == "second":
        raise ExpressionError("The left side is a second derivative. Type the function, or its first derivative.")
    formula = " " * end + text[end:]  # blanks, so that places stay
    if not formula.strip():
        example = " + ".join([*(f"{name}^2" for name in variables), f"sin({variables[0]})"])
        raise ExpressionError(f"Type a function of {' and '.join(variables)}, for example {example}.")
    return Function(Reading(formula, variables).tree(), variables, text, kind == "derivative")
