"""The text of a rule, read line by line. An error names its line, and its place in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from engine.expressions import ExpressionError
from engine.expressions.characters import without_invisible
from engine.expressions.errors import shorten
from engine.expressions.functions import ALIASES, ALL_FUNCTIONS, CONSTANTS
from engine.expressions.names import MEANT, parse_with_names, plain_line
from engine.expressions.names import NAME as A_NAME
from engine.expressions.tree import Node
from engine.knobs import Knob
from engine.rules import GIVEN, GRADIENT, LOSS, POINT, STEP, Line, TypedOptimizer, TypedRule, names_in
from engine.symbols import symbol_of

EXAMPLE = """\
a = 0.1 [1e-5, 1]
m = 0.9 m + 0.1 g
v = 0.999 v + 0.001 g^2
x = x - a m / (sqrt(v) + 1e-8)"""
MAX_CHARACTERS, MAX_LINES, MAX_KNOBS, MAX_NAME = 800, 24, 8, 16
MAX_KEPT = 64  # rules that are read; what is compiled of them is bounded by itself
MIN_NUMBER, MAX_NUMBER = 1e-30, 1e6  # of a knob, in size, where it is not 0
MEANINGS = {GRADIENT: "the gradient", STEP: "the number of the step", LOSS: "the loss"}
# what a step taken apart calls the new loss, and the move; what a class of a program is written with; and what a page
# has beside the knobs of a racer
RESERVED = {"L", "Delta", "Δ", "knob", "float", "text", "from", "more", "drop"}
RATE = "a"  # the learning rate
RATES = ("learning_rate", RATE, "alpha", "α", "lr", "eta", "η")  # what it may be called
LOG_FROM = 100.0  # a knob whose range ends at so many times its beginning goes through decades

A_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
SETS = re.compile(rf"\s*({A_NAME})\s*(?::=|=|←|⟵|⇐|<-)(?!=)\s*")
KNOB = re.compile(rf"({A_NUMBER})\s*\[\s*({A_NUMBER})\s*[,;]\s*({A_NUMBER})\s*\]\s*")
# a number may stand right before it, as in 2g(x); it may hold further brackets
CALL = re.compile(rf"(?<!\w)[0-9.]*(?P<call>(?P<name>[{GRADIENT}{LOSS}])(?P<gap>\s*)\((?P<at>(?:[^()]|\([^()]*\))*)\))")
IN_PLACE = re.compile(rf"\s*({A_NAME})\s*(\*\*|[-+*/^])=")


class Statement(NamedTuple):
    """A line that sets a name: the rest of it begins at a place."""

    number: int
    name: str
    text: str
    start: int

    def error(self, words: str) -> ExpressionError:
        """What is wrong with it, as an error."""
        return ExpressionError(f"Line {self.number}: {words}")


@lru_cache(MAX_KEPT)
def parse_rule(text: str) -> TypedRule:
    """Read the text of a rule. Raises ``ExpressionError`` where it is none, in one line that says what to do."""
    # whatever ends a line of Python ends one here: in a program that is taken home a remark stays one
    text = "\n".join(without_invisible(line).rstrip() for line in text.splitlines()).rstrip("\n")
    check_size(text)
    statements = [one for number, line in enumerate(text.split("\n"), 1) if (one := statement(number, line))]
    knobs = {one.name: one for one in statements if "[" in one.text[one.start :] and one.name != POINT}
    if len(knobs) > MAX_KNOBS:
        raise ExpressionError(f"This rule has {len(knobs)} knobs. At most {MAX_KNOBS} fit.")
    others = [one for one in statements if one is not knobs.get(one.name)]
    set_by = {one.name: one for one in others}
    starts: dict[str, Statement] = {}
    for one in others:
        if name := starts_which(one.name):
            check_start(one, name, set_by)
            if name in starts:
                raise one.error(f"where {name} begins is said in line {starts[name].number} already. Say it once.")
            starts[name] = one
    lines = [one for one in others if one not in starts.values()]
    check_names(statements)
    if POINT not in set_by:
        called = next((one for one in lines if meant_by(one.name) == POINT), None)
        if called:
            raise called.error(f"the point is called x here. Write x for {called.name}.")
        raise ExpressionError("No line says what x becomes. Add one, such as x = x - a g.")
    rate = undeclared_rate(statements)
    known = tuple(dict.fromkeys([*GIVEN, *knobs, *(one.name for one in lines), rate]))
    for one in lines:
        check_uses_no_start(one, starts)
    trees = {one.name: parse_statement(one, known) for one in lines}
    usual = () if rate in knobs or rate in trees else (rate,)
    at_start = {name: parse_statement(one, (POINT, *knobs, *usual)) for name, one in starts.items()}
    check_order(lines, trees, at_start)
    used = {name for tree in (*trees.values(), *at_start.values()) for name in names_in(tree)}
    for name, one in knobs.items():
        if name not in used and starts_which(name) in set_by:
            raise one.error(f"where {starts_which(name)} begins is no knob. Leave out the range, or set it to a knob.")
    declared = {name: declare(one) for name, one in knobs.items()}
    if usual and rate in used:
        declared = {rate: rate_knob(rate), **declared}
    made = tuple(Line(one.number, one.name, trees[one.name]) for one in lines)
    check_symbols([*declared, *trees])
    return TypedRule(text, with_rate(declared), made, at_start)


def meant_by(name: str) -> str:
    """What a name of a paper is called here: x for theta, theta_t, x_t and X."""
    base = re.sub(r"_+t?$", "", name)
    return MEANT.get(base, base.lower())


def check_size(text: str) -> None:
    """Refuse more than fits, and what a link could not hold."""
    lines = text.count("\n") + 1
    if not text.strip():
        raise ExpressionError("Type a rule, such as x = x - a g: each line says what a name becomes.")
    if len(text) > MAX_CHARACTERS:
        raise ExpressionError(f"This rule has {len(text)} characters. At most {MAX_CHARACTERS} fit.")
    if lines > MAX_LINES:
        raise ExpressionError(f"This rule has {lines} lines. At most {MAX_LINES} fit.")
    for number, line in enumerate(text.split("\n"), 1):
        if "~" in line:
            raise ExpressionError(
                f"Line {number}: a rule cannot hold the character '~', at character {line.index('~') + 1}."
            )


def statement(number: int, line: str) -> Statement | None:
    """A line that sets a name; None for an empty one, or a remark after #."""
    text = plain_line(line.partition("#")[0])
    if not text.strip():
        return None
    found = SETS.match(text)
    if found is None:
        raise ExpressionError(f"Line {number}: {why_sets_nothing(text)}")
    more = re.compile(r":=|=|←|<-").search(text, found.end())
    if more:
        raise ExpressionError(
            f"Line {number}: there is a second = at character {more.start() + 1}. Let each line set one name."
        )
    if sign := re.search(r"∇|‖|\|\|(?=[^|]+\|\|)", text):
        instead = GRADIENT if sign[0] == "∇" else "norm( )"
        raise ExpressionError(f"Line {number}: write {instead} for {sign[0]}, at character {sign.start() + 1}.")
    check_no_call(number, text, found.end())
    return Statement(number, found[1], text, found.end())


def check_no_call(number: int, text: str, start: int) -> None:
    """Refuse g(x) and g(x + 0.9 v), which papers mean as the gradient there, and which would be read as a product."""
    for found in CALL.finditer(text, start):
        call, name, at = found["call"], found["name"], found["at"].strip()
        if at == POINT:
            raise ExpressionError(f"Line {number}: write {name} for {call}: it is that at x already.")
        # with a blank between it is a product, as of any two names
        if not found["gap"] and (re.search(rf"(?<!\w){POINT}(?!\w)", at) or re.fullmatch(A_NAME, at)):
            raise ExpressionError(
                f"Line {number}: {name} is {MEANINGS[name]} at x alone, so there is no {shorten(call)}, at character "
                f"{found.start('call') + 1}. For a product, write * before the bracket."
            )


def why_sets_nothing(text: str) -> str:
    """Why a line does not say what a name becomes."""
    if shorthand := IN_PLACE.match(text):
        name, sign = shorthand.groups()
        return f"write {name} = {name} {sign} … for {name} {sign}= …."
    if not re.search(r"=|←|<-", text):
        return f"there is no =. Write what a name becomes, such as m = 0.9 m + 0.1 g, after '{shorten(text.strip())}'."
    if "==" in text:
        return f"write one = for ==, at character {text.index('==') + 1}."
    left = re.split(r":=|=|←|<-", text)[0].strip()
    if not left:
        return "the name before the = is missing."
    index = re.match(rf"\s*({A_NAME}?)_?[{{(\[]", text)
    if index and index[1]:
        return f"write {index[1].rstrip('_')} alone before the =: a name is its newest value, without an index."
    return f"before the = stands one name, such as m, m_hat or x, not '{shorten(left)}'."


def parse_statement(one: Statement, names: tuple[str, ...]) -> Node:
    """The tree of what a line sets."""
    if not one.text[one.start :].strip():
        raise one.error(f"after {one.name} = something is missing.")
    try:
        return parse_with_names(one.text, names, one.start)
    except ExpressionError as error:
        raise one.error(str(error)) from None


def check_names(statements: list[Statement]) -> None:
    """Each name is set once, and is none that means something else."""
    first: dict[str, int] = {}
    for one in statements:
        name = one.name
        if name in first:
            raise one.error(f"{name} is set in line {first[name]} already. Set each name once.")
        first[name] = one.number
        if name in MEANINGS:
            raise one.error(f"{name} is {MEANINGS[name]}. Give what you set here another name.")
        if name in CONSTANTS or name.lower() in {**ALL_FUNCTIONS, **ALIASES}:
            kind = "number" if name in CONSTANTS else "function"
            raise one.error(f"{name} is the name of a {kind}. Choose another name.")
        if name in RESERVED or hasattr(TypedOptimizer, name):
            raise one.error(f"{name} has a meaning of its own here. Choose another name.")
        if len(name) > MAX_NAME:
            raise one.error(f"the name {shorten(name)} has {len(name)} letters. At most {MAX_NAME} fit.")


def starts_which(name: str) -> str:
    """The name whose start a name is: m for m0 and m_0, m1 for m1_0, and none for m10."""
    found = re.fullmatch(r"(.*[^0-9_])_?0|(.*[0-9])_0", name)
    return (found[1] or found[2]) if found else ""


def start_name(name: str) -> str:
    """What the start of a name is called."""
    return f"{name}_0" if name[-1].isdigit() else f"{name}0"


def check_start(one: Statement, name: str, set_by: Mapping[str, Statement]) -> None:
    """m0 says where m begins, if a line sets m."""
    if name == POINT:
        raise one.error("x begins where the race starts. Leave this line out.")
    if name not in set_by:
        raise one.error(f"{one.name} says where {name} begins, and no line sets {name}. Choose another name.")


def check_uses_no_start(line: Statement, starts: Mapping[str, Statement]) -> None:
    """Where a name begins is asked once, before the first step: no line uses it."""
    for name, start in starts.items():
        if re.search(rf"(?<!\w){start.name}(?!\w)", line.text[line.start :]):
            raise line.error(
                f"{start.name} says where {name} begins, so no line can use it. Give that number another name."
            )


def check_order(lines: list[Statement], trees: Mapping[str, Node], starts: Mapping[str, Node]) -> None:
    """A name that does not go on from its own old value is set before it is used, or it is said where it begins."""
    place = {one.name: i for i, one in enumerate(lines)}
    for i, one in enumerate(lines):
        for name in names_in(trees[one.name]):
            later = place.get(name, -1) > i and name != POINT
            if later and name not in starts and name not in names_in(trees[name]):
                raise one.error(
                    f"{name} is used before line {lines[place[name]].number} sets it. Move that line up; or, if the "
                    f"{name} of the step before is meant, add {start_name(name)} = 0."
                )


def check_symbols(names: list[str]) -> None:
    """Two names that would look the same in a formula are refused."""
    seen = {symbol_of(name): name for name in GIVEN}
    for name in names:
        other = seen.setdefault(symbol_of(name), name)
        if other != name:
            raise ExpressionError(f"{other} and {name} would look the same in a formula. Choose another name for one.")


def declare(one: Statement) -> Knob:
    """The knob that a line declares: its default, and its range."""
    found = KNOB.fullmatch(one.text, one.start)
    if found is None:
        raise one.error(f"a knob is declared with its value and its range, such as {one.name} = 0.1 [1e-5, 1].")
    default, low, high = map(float, found.groups())
    if not max(abs(low), abs(high)) <= MAX_NUMBER or not low < high:
        raise one.error(f"a range goes from a lower number to a higher one, such as [0, 1], up to {MAX_NUMBER:,.0f}.")
    if any(0 < abs(number) < MIN_NUMBER for number in (default, low, high)):
        raise one.error(f"each number of a knob is 0, or at least {MIN_NUMBER:g} in size.")
    if not low <= default <= high:
        raise one.error(f"{one.name} is {default:g}, which is not from {low:g} to {high:g}.")
    return make_knob(one.name, default, low, high, f"As line {one.number} of the rule declares it.")


def make_knob(name: str, default: float, low: float, high: float, about: str) -> Knob:
    """A knob under the name that a line gives it."""
    log = low > 0 and high >= LOG_FROM * low
    return Knob(name, default, low, high, symbol_of(name), log, about)


def undeclared_rate(statements: list[Statement]) -> str:
    """What the learning rate is called that no line declares: ``a``, or as papers have it where no other one is set."""
    if any(one.name in RATES for one in statements):
        return RATE
    used = "\n".join(one.text[one.start :] for one in statements)
    return next((name for name in RATES if re.search(rf"(?<![A-Za-zα-ωΑ-Ω_]){name}(?!\w)", used)), RATE)


def rate_knob(name: str) -> Knob:
    """The learning rate of a rule that uses a name for it and does not declare it."""
    return make_knob(name, 0.1, 1e-5, 1.0, "The factor of the rule that no line declares.")


def with_rate(declared: Mapping[str, Knob]) -> dict[str, Knob]:
    """The knobs, the first of those that may be the learning rate under that name, and before all others."""
    rate = next((name for name in RATES if name in declared and declared[name].low > 0), None)
    if rate != RATES[0] and RATES[0] in declared:
        raise ExpressionError(f"The range of {RATES[0]} begins above 0, as in {RATES[0]} = 0.1 [1e-5, 1].")
    if rate is None:
        return dict(declared)
    return {rate: replace(declared[rate], name="learning_rate")} | {k: v for k, v in declared.items() if k != rate}
