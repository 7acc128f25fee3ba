"""The text that one would type for a rule of the engine."""

from __future__ import annotations

import re
from functools import lru_cache

import jax.numpy as jnp
import numpy as np

from engine.expressions import ExpressionError
from engine.optimizers import OPTIMIZERS, part_symbols, symbols
from engine.rule_text import parse_rule, start_name
from engine.rules import STEP
from engine.symbols import name_of


@lru_cache
def text_of(name: str) -> str | None:
    """What one would type for a rule of the registry; None where its formula holds what cannot be typed."""
    racer = OPTIMIZERS[name]()
    state = racer.init(jnp.zeros(1))
    formula = racer.formula_now()
    known = [*(knob.symbol for knob in racer.knobs() if not knob.is_switch), *symbols(state).values()]
    known += part_symbols(racer).values()
    for symbol in sorted(known, key=len, reverse=True):
        formula = re.sub(rf"(?<![A-Za-z\\]){re.escape(symbol)}(?![A-Za-z])", name_of(symbol), formula)
    group = r"\{((?:[^{}]|\{[^{}]*\})*)\}"
    formula = re.sub(rf"\\frac{group}{group}", r"(\1) / (\2)", formula.replace(r"\leftarrow", "="))
    formula = re.sub(r"\\(sqrt|max|min)", r"\1", re.sub(r"\\operatorname\{(\w+)\}", r"\1", formula))
    formula = formula.replace(r"\,", "").replace("{", "(").replace("}", ")")
    lines = [" ".join(line.split()) for line in formula.split(r", \quad ")]
    used = set(re.findall(r"\w+", " ".join(lines)))
    knobs = [
        f"{name_of(knob.symbol)} = {short(knob.default)} [{short(knob.low)}, {short(knob.high)}]"
        for knob in racer.knobs()
        if not knob.is_switch and name_of(knob.symbol) in used
    ]
    begins = [
        f"{start_name(name_of(symbol))} = {short(float(np.ravel(value)[0]))}"
        for symbol, value in zip(symbols(state).values(), state, strict=True)
        if symbol != STEP and name_of(symbol) in used and np.any(value)
    ]
    text = "\n".join([*knobs, *begins, *lines])
    try:
        parse_rule(text)
    except ExpressionError:
        return None
    return text


def short(value: float) -> str:
    """A number as one would type it: 1e-8."""
    return re.sub(r"e([+-])0*", r"e\1", f"{value:g}")
