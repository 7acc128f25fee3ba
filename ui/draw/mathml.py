"""Formulas as MathML, which browsers draw by themselves: each known symbol can be pointed at, or be a number."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import cache
from xml.etree import ElementTree as Xml

from latex2mathml.converter import convert

OPERANDS = {"mn", "mi", "msub", "msup", "mfrac", "msqrt", "mover", "mrow"}
FUNCTIONS = ("sign", "max", "min", "cos")
SIGNS = (*FUNCTIONS, "⌊", "⌋")  # no factors, whatever latex2mathml takes them for
# what stands before a vector of which all coordinates count: no number is all of it
ACROSS = ("‖", "⟨", "grad", "Hess", "loss", "backtrack", "twoloop", "scaled", "orth", "matrix")


def symbols_as_math(formula: str, known: Mapping[str, str]) -> str:
    """A formula, each of the ``known`` symbols (LaTeX, and how it is drawn) marked with ``data-symbol``."""

    def mark(symbol: str, part: Xml.Element) -> Xml.Element:
        part.set("data-symbol", symbol)
        return part

    return written(replaced(parsed(formula), drawn(known), mark), known)


def numbers_as_math(formula: str, known: Mapping[str, str], number: Callable[[str], str]) -> str:
    """A formula with a number in the place of each known symbol: a text, or "" for one that the browser fills in."""

    def fill(symbol: str, part: Xml.Element) -> Xml.Element:
        found = Xml.Element("mn", {"data-symbol": symbol})
        found.text = number(symbol)
        if not found.text:
            found.set("data-value", symbol)
            found.text = "–"
        found.tail = part.tail
        return found

    tree = replaced(parsed(formula), drawn(known), fill, ACROSS)
    with_dots(tree)
    return written(tree, known)


@cache
def parsed(formula: str) -> Xml.Element:
    """The tree of a formula. A power of a symbol with an index is a power: β₁ᵗ is (β₁)ᵗ."""
    text = re.sub(r' xmlns="[^"]*"', "", convert(formula))
    tree = Xml.fromstring(text)
    for part in [*tree.iter("mi")]:
        if part.text in SIGNS:
            part.tag = "mo"
    for part in tree.iter("msubsup"):
        base, index, power = part
        part.tag = "msup"
        part[:] = [Xml.Element("msub"), power]
        part[0][:] = [base, index]
    return tree


def drawn(known: Mapping[str, str]) -> dict[str, str]:
    """The known symbols by the shape of their trees."""
    return {shape(parsed(symbol)[0][0]): symbol for symbol in known}


def shape(part: Xml.Element) -> str:
    """A part of a tree as a text, without attributes."""
    return f"{part.tag}({part.text or ''}{''.join(map(shape, part))})"


def replaced(
    tree: Xml.Element,
    shapes: Mapping[str, str],
    change: Callable[[str, Xml.Element], Xml.Element],
    kept: tuple[str, ...] = (),
) -> Xml.Element:
    """A copy of a tree, its symbols changed, but for those behind a sign or a name that is ``kept``."""
    if len(tree) and tree[0].text in kept:
        return deepcopy(tree)
    if (symbol := shapes.get(shape(tree))) is not None:
        return change(symbol, deepcopy(tree))
    copy = Xml.Element(tree.tag, dict(tree.attrib))
    copy.text, copy.tail = tree.text, tree.tail
    for before, part in zip(["", *(part.text for part in tree)], tree, strict=False):
        copy.append(deepcopy(part) if before in kept else replaced(part, shapes, change, kept))
    return copy


def with_dots(tree: Xml.Element) -> None:
    """Put a dot between factors that stand side by side: of numbers, one would read them as one."""
    for part in tree.iter():
        for space in part.findall("mspace"):
            part.remove(space)
        if part.tag not in ("math", "mrow", "msqrt"):
            continue
        for i in range(len(part) - 1, 0, -1):
            before, after = part[i - 1], part[i]
            ends = before.tag in OPERANDS or before.text in (")", "]")
            if ends and (after.tag in OPERANDS or after.text in ("(", "[", *FUNCTIONS)):
                dot = Xml.Element("mo")
                dot.text = "·"
                part.insert(i, dot)


def written(tree: Xml.Element, known: Mapping[str, str]) -> str:
    """A tree as HTML. A symbol that is to be drawn in another way, as θ for x, is."""
    for part in [*tree.iter()]:
        symbol = part.get("data-symbol")
        if part.tag != "mn" and symbol and known[symbol] != symbol:
            look = parsed(known[symbol])[0][0]
            part.tag, part.text, part[:] = look.tag, look.text, [*look]
    return Xml.tostring(tree, encoding="unicode")
