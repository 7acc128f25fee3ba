"""An update rule that someone has typed, as it stands in a paper: its lines, one after the other, are the optimizer.

``x`` is the point, ``g`` the gradient, ``t`` the number of the step, ``f`` the loss. A line sets one name. A name that
goes on from its own old value is remembered from step to step. Nothing that is typed is ever run as Python.
``engine/rule_text.py`` reads the text.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from engine.expressions.functions import ACROSS, ADD, CONSTANTS, NEGATE, SUBTRACT
from engine.expressions.tree import Apply, Name, Node, Number, compute, to_latex
from engine.knobs import Knob
from engine.optimizers import MadeOptimizer
from engine.symbols import symbol_of

NAME = "Your rule"
POINT, GRADIENT, STEP, LOSS = GIVEN = ("x", "g", "t", "f")


@dataclass(frozen=True)
class Line:
    """A line of a rule that sets a name."""

    number: int  # in the text, from 1
    name: str
    tree: Node


@dataclass(frozen=True)
class TypedRule:
    """What a text says: called with its knobs, as an optimizer's class is, it makes an optimizer.

    Two with the same text are equal, so they share what is compiled.
    """

    text: str
    declared: Mapping[str, Knob] = field(compare=False, repr=False)  # by what a line calls each
    lines: tuple[Line, ...] = field(compare=False, repr=False)
    starts: Mapping[str, Node] = field(compare=False, repr=False)  # of what is remembered and does not begin at 0

    name: ClassVar[str] = NAME
    source: ClassVar[str] = ""

    def __call__(self, /, *values: Any, **named: Any) -> TypedOptimizer:
        """The optimizer with some of its knobs set, by their place or by their name."""
        return TypedOptimizer(self, values, named)

    def knobs(self) -> tuple[Knob, ...]:
        """Everything that can be turned."""
        return tuple(self.declared.values())

    @cached_property
    def remembered(self) -> tuple[str, ...]:
        """The names that keep their value from step to step, in the order of their lines."""
        return tuple(
            line.name
            for line in self.lines
            if line.name != POINT and (line.name in self.starts or line.name in names_in(line.tree))
        )

    @cached_property
    def vectors(self) -> frozenset[str]:
        """The names that have a value for each coordinate; the others are one number."""
        found = {POINT, GRADIENT}
        while True:
            trees = [(line.name, line.tree) for line in self.lines] + list(self.starts.items())
            more = {name for name, tree in trees if found & {*names_in(tree, across=False)}} - found
            if not more:
                return frozenset(found)
            found |= more

    @cached_property
    def used(self) -> frozenset[str]:
        """Every name that a line uses."""
        return frozenset(name for line in self.lines for name in names_in(line.tree))

    @cached_property
    def kept(self) -> dict[str, str]:
        """What the state holds, and what it is: what is remembered, and step and loss where a line uses them."""
        lines = {
            line.name: f"what line {line.number} sets; it begins at {self.start_of(line.name)}" for line in self.lines
        }
        counted = {STEP: "how many steps it has made", LOSS: "the loss where the last step began"}
        return {name: lines[name] for name in self.remembered} | {
            name: about for name, about in counted.items() if name in self.used
        }

    @cached_property
    def passing(self) -> tuple[str, ...]:
        """The names that a step is made of, and that are not remembered."""
        return tuple(line.name for line in self.lines if line.name not in (*self.remembered, POINT))

    @cached_property
    def memory(self) -> Any:
        """The type of the state."""
        return named_tuple("Memory", self.kept)

    @cached_property
    def parts(self) -> Any:
        """The type of what a step is made of."""
        return named_tuple("Parts", dict.fromkeys(self.passing, ""))

    def start_of(self, name: str) -> str:
        """What a name begins at, in LaTeX."""
        return f"${self.latex(self.starts[name])}$" if name in self.starts else "0"

    def latex(self, tree: Node) -> str:
        """A tree with the symbols of its names."""
        return to_latex(with_symbols(tree))

    @cached_property
    def formula(self) -> str:
        """The lines in LaTeX, an arrow where a name goes on from its old value."""
        return r", \quad ".join(f"{symbol_of(line.name)} {self.arrow(line)} {self.right(line)}" for line in self.lines)

    def arrow(self, line: Line) -> str:
        """What stands between a name and what it becomes."""
        return r"\leftarrow" if line.name == POINT or line.name in self.remembered else "="

    def right(self, line: Line) -> str:
        """What a name becomes, in LaTeX; the point as x and the move."""
        if line.name != POINT or (starts_with_point(line.tree) and line.tree != Name(POINT)):
            return self.latex(line.tree)
        return self.latex(Apply(ADD, (Name(POINT), move_of(line.tree))))


class TypedOptimizer(MadeOptimizer):
    """An optimizer whose rule was typed."""

    @property
    def takes_at(self) -> bool:  # type: ignore[override]
        """Whether a line uses the loss."""
        return LOSS in self.rule.used

    @property
    def cost(self) -> tuple[int, int, int]:  # type: ignore[override]
        """A gradient, and the loss where a line uses it."""
        return int(self.takes_at), 1, 0

    def formula_now(self) -> str:
        return self.formula

    def known(self) -> dict[str, jax.Array]:
        """The knobs by what the lines call them."""
        return {name: jnp.asarray(vars(self)[knob.name], float) for name, knob in self.rule.declared.items()}

    def init(self, x):
        typed, at = self.rule, {**self.known(), POINT: x}
        values = [self.value(name, typed.starts.get(name, Number(0.0)), at) for name in typed.remembered]
        return typed.memory(*values, *(0 if name == STEP else jnp.zeros(()) for name in typed.kept if name in GIVEN))

    def update(self, gradient, state, x, at=None):
        values = self.values(gradient, state, x, at.loss if at else None)
        return values[POINT], self.rule.memory(*(values[name] for name in self.rule.kept))

    def parts(self, gradient, before, x, after, at=None):
        values = self.values(gradient, before, x, getattr(after, LOSS, None))
        return self.rule.parts(*(values[name] for name in self.rule.passing))

    def values(self, gradient, state, x, loss) -> dict[str, Any]:
        """What each line sets, by its name, and by that of the point the move; with the step and the loss."""
        typed = self.rule
        values = {LOSS: loss, **({STEP: state.t + 1} if STEP in typed.kept else {})}
        at = {**self.known(), **{name: getattr(state, python_name(name)) for name in typed.remembered}}
        at |= {POINT: x, GRADIENT: gradient} | {
            name: jnp.asarray(values[name], float) for name in typed.kept if name in values
        }
        for line in typed.lines:
            tree = move_of(line.tree) if line.name == POINT else line.tree
            values[line.name] = self.value(line.name, tree, at)
            at[line.name] = x + values[POINT] if line.name == POINT else values[line.name]
        return values

    def value(self, name: str, tree: Node, at: Mapping[str, jax.Array]) -> jax.Array:
        """What a name becomes: one number, or one for each coordinate."""
        found = compute(tree, at)  # type: ignore[arg-type]
        return jnp.broadcast_to(found, at[POINT].shape) if name in self.rule.vectors else found


def named_tuple(name: str, fields: Mapping[str, str]) -> Any:
    """A type of named tuples, each of its fields with its symbol and what it means."""
    hints = [(python_name(one), Annotated[jax.Array, symbol_of(one), about]) for one, about in fields.items()]
    return NamedTuple(name, hints)


def python_name(name: str) -> str:
    """A name as a program can hold it."""
    return f"{name}_" if keyword.iskeyword(name) else name


def names_in(tree: Node, across: bool = True) -> Iterator[str]:
    """The names of a tree; without ``across``, but those of which a norm or the like makes one number."""
    match tree:
        case Name(name):
            yield name
        case Apply(operation, values) if across or operation not in ACROSS.values():
            for value in values:
                yield from names_in(value, across)


def with_symbols(tree: Node) -> Node:
    """A tree with the symbol of each name in its place."""
    match tree:
        case Name(name) if name not in CONSTANTS:
            return Name(symbol_of(name))
        case Apply(operation, values):
            return Apply(operation, tuple(map(with_symbols, values)))
    return tree


def starts_with_point(tree: Node) -> bool:
    """Whether a tree is x, or a sum that begins with x."""
    match tree:
        case Apply(operation, (left, _)) if operation in (ADD, SUBTRACT):
            return starts_with_point(left)
    return tree == Name(POINT)


def move_of(tree: Node) -> Node:
    """How far it is from x to what x becomes: without the x, where a sum begins with it, so that nothing is rounded."""
    if tree == Name(POINT):
        return Number(0.0)
    match tree:
        case Apply(operation, (left, right)) if starts_with_point(tree):
            if left == Name(POINT):
                return right if operation is ADD else Apply(NEGATE, (right,))
            return Apply(operation, (move_of(left), right))
    return Apply(SUBTRACT, (tree, Name(POINT)))
