"""One step of each racer, taken apart: the lines of its rule, with the symbols and with the run's own numbers in them.

What is here is sent with the stage, for every recorded step; ``stage/apart.js`` shows the one where the stage stands.
"""

from __future__ import annotations

import html
import inspect
import re
import textwrap
import tokenize
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from engine import Optimizer
from engine.annotations import Arrays
from engine.expressions.names import NAME as A_NAME
from engine.noise import NO_NOISE, GradientNoise
from engine.optimizers import helpers, part_symbols, symbols
from engine.race import Run
from engine.rules import GIVEN, TypedOptimizer, TypedRule
from engine.scheduled import FACTOR, PREFIX, SHARE, ScheduledOptimizer, unscheduled, values_along
from engine.schedules import Schedule
from engine.steps import Steps, steps_along
from engine.symbols import symbol_of
from engine.turned import knob_along, turned_along, unturned
from ui.draw.line_up import letter
from ui.draw.mathml import numbers_as_math, symbols_as_math
from ui.draw.stage.stage import packed
from ui.numbers import format_number

GRADIENT, DECAYED, MOVE, POINT, LOSS = "g", r"g_\lambda", r"\Delta", "x", "L"
OLD = "old "  # before a symbol: its value before the step
WORDS = {
    GRADIENT: "gradient",
    DECAYED: "gradient with weight decay",
    MOVE: "move",
    POINT: "new point",
    LOSS: "new loss",
    "t": "number of the step",
    r"\mu_t": "momentum of this step",
    r"\mu_{t+1}": "momentum of the next step",
}
NOISY = "noisy gradient"
SCHEDULE, NOW = {SHARE: "how far the schedule is", FACTOR: "factor"}, "learning rate of this step"
FIRST_MOMENTS = ("velocity", "mean")  # fields of a state that point the way of the gradients


@dataclass(frozen=True)
class Line:
    """One line of a rule: a symbol, and what it becomes (LaTeX)."""

    symbol: str
    right: str
    arrow: str  # "=", or the arrow of what replaces its old value


def lines_of(racer: Optimizer) -> list[Line]:
    """The lines of a rule, to be computed one after the other; among them the move, and the new point after it."""
    lines = []
    # browsers would draw brackets that may grow larger than what is in them
    for text in racer.formula_now().replace(r"\left(", "(").replace(r"\right)", ")").split(r", \quad "):
        arrow = r"\leftarrow" if r"\leftarrow" in text else "="
        symbol, right = (part.strip() for part in text.split(arrow))
        if symbol == POINT:
            lines.append(Line(MOVE, right.removeprefix(POINT).strip().removeprefix("+ "), "="))
            right = rf"{POINT} + {MOVE}"
        lines.append(Line(symbol, right, arrow))
    return lines


def knobs_of(racer: Optimizer) -> dict[str, float]:
    """The numbers of a racer's knobs by their symbols, but of those that are turned in the middle of the run."""
    turned, first = turned_along(racer, np.zeros(1)), unturned(racer)
    numbers = {knob.symbol: float(getattr(first, knob.name)) for knob in first.knobs() if not knob.is_switch}
    return {symbol: number for symbol, number in numbers.items() if symbol not in turned}


def values_of(racer: Optimizer, steps: Steps, positions: np.ndarray, taken: np.ndarray) -> dict[str, np.ndarray]:
    """Every number of the ``taken`` steps by symbol, ``(records, dim)``, ``(records,)`` or ``(records, dim, dim)``."""
    states, before = steps.states._asdict(), steps.before._asdict()
    found = {GRADIENT: steps.gradients, MOVE: steps.moves, OLD + POINT: positions, POINT: steps.points}
    for name, symbol in symbols(steps.states).items():
        if states[name][0].size <= positions.shape[1] ** 2:  # more than a matrix is not shown, as the pairs of L-BFGS
            found |= {symbol: states[name], OLD + symbol: before[name]}
    found |= {symbol: getattr(steps.derived, name) for name, symbol in symbols(steps.derived).items()}
    if DECAYED in racer.formula_now():
        found[DECAYED] = steps.gradients + knob_along(racer, "weight_decay", taken)[:, None] * positions
    return found | {LOSS: steps.losses}


def value_keys(racer: Optimizer) -> list[dict[str, str]]:
    """Of each line, which value each of its symbols stands for: a line sees what those above it have changed."""
    lines = lines_of(racer)
    assigned = {line.symbol for line in lines if line.arrow != "="}
    done: set[str] = set()
    found = []
    for line in lines:
        found.append({symbol: OLD + symbol for symbol in assigned - done})
        done.add(line.symbol)
    return found


def words_of(racer: Optimizer, steps: Steps) -> dict[str, str]:
    """What each symbol of a rule is called, by the symbol; rows come in this order."""
    fields = {**symbols(steps.states), **symbols(steps.derived)}
    named = {
        symbol: f"corrected {name.removesuffix('_hat')}" if name.endswith("_hat") else name.replace("_", " ")
        for name, symbol in fields.items()
    }
    named = {symbol: "" if words == letter(symbol) else words for symbol, words in named.items()}
    shown = {line.symbol for line in lines_of(racer)} | {"t"}  # RMSProp keeps a mean that it may not use
    first = unturned(racer)
    of_schedule = {**SCHEDULE, first.rule.symbol_now: NOW} if isinstance(first, ScheduledOptimizer) else {}
    return {GRADIENT: "", DECAYED: "", **of_schedule, **named, MOVE: "", POINT: "", LOSS: ""} | {
        symbol: words for symbol, words in WORDS.items() if symbol in shown | {GRADIENT, LOSS}
    }


def code_of(racer: Optimizer) -> str:
    """The source of the rule's step as HTML, in which each name that stands for a symbol is marked with it."""
    racer = unturned(racer)
    if isinstance(racer, ScheduledOptimizer):
        names = {knob.name.removeprefix(PREFIX): knob.symbol for knob in racer.knobs() if knob.name.startswith(PREFIX)}
        of_schedule = (marked(part, names) for part in (Schedule.factor, racer.rule.schedule.after))
        return "\n\n".join([*of_schedule, code_of(unscheduled(racer))])
    if isinstance(racer, TypedOptimizer):
        return marked_text(racer.rule)
    rule = type(racer)
    state = racer.init(jnp.zeros(1))
    names = {"gradient": GRADIENT, "x": POINT} | {knob.name: knob.symbol for knob in racer.knobs()}
    names |= symbols(state) | part_symbols(racer)
    names |= {symbol.removeprefix("\\"): symbol for symbol in [*names.values()] if symbol.startswith("\\")}
    derived = [part for part in (rule.derived, rule.parts) if part.__qualname__.split(".")[0] == rule.__name__]
    init = [rule.init] if {knob.name for knob in racer.knobs()} & {*inspect.unwrap(rule.init).__code__.co_names} else []
    before = [marked(part, names) for part in (*helpers(*derived, rule.update), *derived, *init)]
    return "\n\n".join([*before, marked(rule.update, names | {"return": MOVE})])


def marked(function: Callable[..., Any], names: Mapping[str, str]) -> str:
    """The source of a function as HTML, each of these names in it marked with a symbol."""
    lines = textwrap.dedent(inspect.getsource(function)).rstrip().splitlines(keepends=True)
    tokens = [*tokenize.generate_tokens(iter(lines).__next__)]
    for token in reversed(tokens):  # from the end: what is before a name stays where it is
        if token.type == tokenize.NAME and token.string in names:
            (row, start), (_, end) = token.start, token.end
            line = lines[row - 1]
            lines[row - 1] = f"{line[:start]}\0{html.escape(names[token.string])}\1{token.string}\2{line[end:]}"
    return with_marks("".join(lines))


def marked_text(rule: TypedRule) -> str:
    """The text of a typed rule as HTML, each of its names marked with its symbol."""
    names = {*GIVEN, *rule.declared, *(line.name for line in rule.lines)}

    def mark(found: re.Match[str]) -> str:
        name = found[0]
        return f"\0{html.escape(symbol_of(name))}\1{name}\2" if name in names else name

    lines = (line.partition("#") for line in rule.text.split("\n"))
    return with_marks("\n".join(re.sub(A_NAME, mark, code) + sign + remark for code, sign, remark in lines))


def with_marks(text: str) -> str:
    """A text as HTML, in which what is marked can be pointed at."""
    text = html.escape(text, quote=False)
    return text.replace("\0", '<span data-symbol="').replace("\1", '">').replace("\2", "</span>")


@dataclass(frozen=True)
class Apart:
    """What is taken apart: the loss, batches and noise that the racers went by, and what each coordinate is called."""

    loss: Callable[..., jax.Array]
    racers: Mapping[str, Optimizer]
    runs: Mapping[str, Run]
    coordinates: Mapping[str, str]  # its name on the page, by the quantity of the stage's tracks
    data: Arrays = ()
    batch_size: int | None = None
    seed: int = 0
    noise: GradientNoise = NO_NOISE

    def message(self) -> dict:
        """What the browser is sent of it."""
        taken = {name: self.steps(name) for name in self.racers}
        rows: dict[str, dict[str, None]] = {}
        order = [GRADIENT, DECAYED, "t"]
        for name, racer in self.racers.items():
            words = words_of(racer, taken[name][0])
            if self.noise:
                words[GRADIENT] = NOISY
            order += [symbol for symbol in words if symbol not in order and symbol not in (MOVE, POINT, LOSS)]
            values = self.values(name, taken[name])
            for symbol, word in words.items():
                if symbol in values and (word or symbol not in WORDS):
                    rows.setdefault(symbol, {})[word] = None
        shown = [line.symbol for racer in self.racers.values() for line in lines_of(racer)] + [GRADIENT, LOSS, "t"]
        order = [symbol for symbol in [*order, MOVE, POINT, LOSS] if symbol in rows and symbol in shown]
        known = {symbol: self.look(symbol) for symbol in order}
        return {
            "coordinates": [{"quantity": name, "label": label} for name, label in self.coordinates.items()],
            "rows": [
                {
                    "symbol": symbol,
                    "name": letter(symbol),
                    "math": symbols_as_math(symbol, known),
                    "words": " / ".join(filter(None, rows[symbol])),
                }
                for symbol in order
            ],
            "racers": {name: self.racer(name, taken[name]) for name in self.racers},
        }

    def steps(self, name: str) -> tuple[Steps, np.ndarray]:
        """The steps of one racer until it ended, and where they began."""
        run = self.runs[name]
        end, steps = run.records, run.taken
        positions = run.positions[:end]
        taken = steps_along(
            self.loss,
            self.racers[name],
            positions,
            steps,
            data=self.data,
            batch_size=self.batch_size,
            seed=self.seed,
            noise=self.noise,
        )
        # where the next record is of the next step, it says where that led, to the last digit; a run that was lost did
        # not go where its last step leads
        arrived = np.append(np.diff(steps) == 1, False)
        if run.stopped is not None:
            arrived[max(end - 2, 0) :] = False
        there = np.flatnonzero(arrived)
        for part, recorded in ((taken.points, run.positions), (taken.losses, run.losses)):
            part[there] = recorded[there + 1]
        return taken, positions

    def values(self, name: str, taken: tuple[Steps, np.ndarray]) -> dict[str, np.ndarray]:
        """The numbers of one racer by symbol, for every record: none from its end on, where no step begins."""
        records = len(self.runs[name].steps)
        found = {}
        racer, numbers = self.racers[name], self.runs[name].taken
        for symbol, values in {**values_of(racer, *taken, numbers), **values_along(racer, numbers)}.items():
            values = values.reshape(len(values), -1)
            found[symbol] = np.full((records, values.shape[1]), np.nan, np.float32)
            found[symbol][: len(values) - 1] = values[:-1]
        return found

    def look(self, symbol: str) -> str:
        """How a symbol is drawn: on the pages with parameters, x is θ."""
        return symbol if symbol != POINT or "x" in self.coordinates.values() else r"\theta"

    def racer(self, name: str, taken: tuple[Steps, np.ndarray]) -> dict:
        """What the browser is sent of one racer."""
        racer = self.racers[name]
        values, knobs = self.values(name, taken), knobs_of(racer)
        known = {symbol: self.look(symbol) for symbol in [*values, *knobs] if not symbol.startswith(OLD)}
        matrices = [symbol for symbol, part in values.items() if part.shape[1] > len(self.coordinates)]
        cells = {}
        for line, keys in zip(lines_of(racer), value_keys(racer), strict=True):

            def number(symbol: str) -> str:
                return format_number(knobs[symbol], 6) if symbol in knobs else ""

            numbers = numbers_as_math(line.right, known, number)
            if r"\top" in line.right or any(f'data-value="{symbol}"' in numbers for symbol in matrices):
                numbers = ""  # of a product with a matrix no coordinate has a line of its own
            for symbol, key in keys.items():
                numbers = numbers.replace(f'data-value="{symbol}"', f'data-value="{key}"')
            cells[line.symbol] = {
                "formula": symbols_as_math(f"{line.symbol} {line.arrow} {line.right}", known),
                "numbers": numbers,
            }
        fields = [part for part in FIRST_MOMENTS if part in taken[0].states._fields]
        return {
            "rule": racer.name,
            "cells": cells,
            "values": {symbol: [packed(column) for column in part.T] for symbol, part in values.items()},
            "knobs": [
                {
                    "symbol": knob.symbol,
                    "math": symbols_as_math(knob.symbol, known),
                    "words": f"{knob.words} = {format_number(knobs[knob.symbol], 6)}",
                    "name": letter(knob.symbol),
                }
                for knob in racer.knobs()
                if knob.symbol in knobs
            ],
            "turned": [*turned_along(racer, np.zeros(1))],  # knobs, and yet among the values
            "memory": symbols(taken[0].states)[fields[0]] if fields else None,
            "code": code_of(racer),
        }
