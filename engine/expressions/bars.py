"""Which bars open and which close: |x|-|x-1|, 2|x| and ||x|-1| each read in one way, |x|x|x| in two."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from lark import Token

SIGNS = {"PLUS", "MINUS"}
NEVER_AFTER_OPEN = {"STAR", "SLASH", "CIRCUMFLEX", "SUPERSCRIPT", "RPAR", "COMMA", ""}
MAX_READINGS = 2  # ways; more tell nothing new

Ends = dict[tuple[int, bool], list[str]]  # by where it closes and whether it holds a variable: the ways to read it


def read_bars(tokens: Sequence[Token], ends: set[str], variables: Sequence[str]) -> list[str]:
    """The ways to read the bars, two at most, each as a text of ``(`` and ``)``: one sign for each bar.

    Every bar opens or closes. Left out, while there is another way, are readings that nobody means: bars around a
    constant or around nothing but bars, and a bar that opens between a value and a sign, as in x|-3|.
    """
    return readings(tokens, ends, variables, strict=True) or readings(tokens, ends, variables, strict=False)


def readings(tokens: Sequence[Token], ends: set[str], variables: Sequence[str], *, strict: bool) -> list[str]:
    """The ways to read the bars, two at most; ``strict`` leaves out those that nobody means."""
    # the innermost first, each once: to try the bars one after the other would double the work with every bar
    kinds, closed = ["", *(token.type for token in tokens), ""], dict[int, Ends]()
    holds = [token.type == "NAME" and token in variables for token in tokens]
    for i in reversed(range(len(tokens) + 1)):
        if kinds[i] in {"BAR", "LPAR", ""}:
            closed[i] = readings_within(i, kinds, [False, *holds, False], closed, ends, strict=strict)
    return [way for ways in closed[0].values() for way in ways][:MAX_READINGS]


def readings_within(
    opener: int, kinds: list[str], holds: list[bool], closed: dict[int, Ends], ends: set[str], *, strict: bool
) -> Ends:
    """The ways to read what begins after a bar, a bracket, or the beginning, by where it ends."""
    bar, found = kinds[opener] == "BAR", defaultdict[tuple[int, bool], list[str]](list)
    # by whether a value stands before, and whether there was a variable, and more than bars
    ways = defaultdict[int, dict[tuple[bool, bool, bool], list[str]]](lambda: defaultdict(list))
    ways[opener + 1][False, False, False] = [""]
    for i in range(opener + 1, len(kinds)):
        for (value, variable, more), before in ways.pop(i, {}).items():
            kind, after = kinds[i], kinds[i + 1] if i + 1 < len(kinds) else ""
            if kind == "BAR":
                if value and bar and after != "NUMBER" and (not strict or (variable and more)):
                    add(found[i, variable], (way + ")" for way in before))
                if after in NEVER_AFTER_OPEN or (strict and value and bar and after in SIGNS):
                    continue
            if kind in {"BAR", "LPAR"}:
                for (end, held), within in closed[i].items():
                    opened = "(" if kind == "BAR" else ""
                    whole = (way + opened + rest for way in before for rest in within)
                    add(ways[end + 1][True, variable or held, more or kind == "LPAR"], whole)
            elif kind in {"RPAR", "COMMA", ""} and kinds[opener] != ("" if kind == "" else "LPAR"):
                continue
            elif kind in {"RPAR", ""}:
                add(found[i, variable], before)
            else:
                add(ways[i + 1][kind in ends, variable or holds[i], True], before)
    return found


def add(known: list[str], ways: Iterable[str]) -> None:
    """Add further ways to read, and keep as many as tell something new."""
    known.extend(ways)
    del known[MAX_READINGS:]
