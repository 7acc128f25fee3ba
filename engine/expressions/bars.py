"""Which bars open and which close: |x|-|x-1|, 2|x| and ||x|-1| each read in one way, |x|x|x| in two."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from lark import Token

SIGNS = {"PLUS", "MINUS"}
NEVER_AFTER_OPEN = {"STAR", "SLASH", "CIRCUMFLEX", "SUPERSCRIPT", "RPAR", "COMMA", ""}
GROUP = (False, False, False)  # a round bracket, among the bars that are open


def roles(tokens: Sequence[Token], ends: set[str], variables: Sequence[str]) -> list[str]:
    """The ways to read the bars, two at most, each as a text of ``(`` and ``)``: one sign for each bar.

    Every bar opens or closes. Left out, while there is another way, are readings that nobody means: bars around a
    constant or around nothing but bars, and a bar that opens between a value and a sign, as in x|-3|.
    """
    return readings(tokens, ends, variables, strict=True) or readings(tokens, ends, variables, strict=False)


def readings(tokens: Sequence[Token], ends: set[str], variables: Sequence[str], *, strict: bool) -> list[str]:
    kinds = ["", *(token.type for token in tokens), ""]

    # an open bar is (it is a bar, it holds a variable, it holds more than bars)
    @cache
    def rest(i: int, opened: tuple[tuple[bool, bool, bool], ...], value: bool) -> tuple[str, ...]:
        """The ways to read what begins at token i; ``value`` says whether a value stands before it."""
        if i > len(tokens):
            return () if opened else ("",)
        kind, after = kinds[i], kinds[i + 1]
        if len(opened) > 40:
            return ()
        if kind == "BAR":
            found: list[str] = []
            if value and opened and opened[-1][0] and after != "NUMBER":
                _, variable, more = opened[-1]
                if not strict or (variable and more):
                    found += [")" + way for way in rest(i + 1, marked(opened[:-1], variable, False), True)]
            before_sign = value and after in SIGNS and bool(opened) and opened[-1][0]
            if after not in NEVER_AFTER_OPEN and not (strict and before_sign):
                found += ["(" + way for way in rest(i + 1, (*opened, (True, False, False)), False)]
            return tuple(found[:2])
        if kind == "LPAR":
            return rest(i + 1, (*marked(opened, False, True), GROUP), False)
        if kind in {"RPAR", "COMMA"} and (not opened or opened[-1][0]):
            return ()
        if kind == "RPAR":
            return rest(i + 1, opened[:-1], True)
        variable = kind == "NAME" and tokens[i - 1] in variables
        return rest(i + 1, marked(opened, variable, True), kind in ends)

    return list(rest(1, (), False))


def marked(opened: tuple[tuple[bool, bool, bool], ...], variable: bool, more: bool) -> tuple:
    """The open bars, the innermost with what it holds now."""
    if not opened:
        return opened
    *outer, (bar, had, mixed) = opened
    if not bar:  # a variable in round brackets is one in the bars around them
        return (*marked(tuple(outer), variable, False), (bar, had, mixed)) if variable else opened
    return (*outer, (bar, had or variable, mixed or more))
