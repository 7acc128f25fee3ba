"""The field of a rule that is typed, under the line-up: its text, what is wrong with it, and where to begin."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine import OPTIMIZERS, ExpressionError
from engine.rule_known import text_of
from engine.rule_text import parse_rule
from engine.rules import TypedOptimizer
from engine.scheduled import unscheduled, with_schedule_of
from ui.setup.controls import Controls
from ui.setup.plain import plain
from ui.setup.session import Entry

TEXT, FROM = "text", "from"  # what the keys of the widgets end with
HELP = """
Each line says what a name becomes, from top to bottom, in every step:

- `x` is the point, `g` the gradient, `t` the number of the step, `f` the loss.
- A name that goes on from itself, as in `m = 0.9 m + 0.1 g`, is remembered. It begins at 0, or as a line `m0 = …` says.
- `b = 0.9 [0, 1]` is a setting with a slider; `a`, `alpha`, `lr` or `eta` is the learning rate.
- Functions work in each coordinate by itself: `sqrt`, `abs`, `sign`, `max`, `exp`. `norm(g)` and `dot(m, g)` take all.
- A remark stands after `#`. Press Ctrl + Enter to race it.
"""


def rule_fields(controls: Controls[Any], names: dict[int, str]) -> None:
    """A field for each rule of the line-up that was typed; ``names`` are those of the racers, by entry."""
    for number, entry in controls.memory.entries.items():
        if isinstance(plain := unscheduled(entry.racer), TypedOptimizer):
            rule_field(controls, number, plain, names[number])


def rule_field(controls: Controls[Any], number: int, racer: TypedOptimizer, name: str) -> None:
    """The text of one rule, be it one or not. The line-up has the last one that could be read."""
    key = controls.key(number, TEXT)
    text = st.session_state.setdefault(key, racer.rule.text)
    controls.draw(
        "racers",
        st.text_area,
        name,
        key=key,
        on_change=take_text,
        args=(controls, number),
        height="content",
        help=HELP,
    )
    if problem := problem_of(text):
        st.markdown(f":material/error: {plain(problem)} Until then the rule before is raced.")
    controls.draw(
        "racers",
        st.selectbox,
        f"Start {name} from",
        [rule for rule in OPTIMIZERS if text_of(rule)],
        index=None,
        key=controls.key(number, FROM),
        on_change=start_from_rule,
        args=(controls, number),
        placeholder="Start from a known rule",
        label_visibility="collapsed",
    )


def style_of(controls: Controls[Any]) -> str:
    """The CSS of the fields: letters of one width, and room for what Streamlit writes below the last line."""
    entries = controls.memory.entries.items()
    own = [number for number, entry in entries if isinstance(unscheduled(entry.racer), TypedOptimizer)]
    fields = ", ".join(f".st-key-{controls.key(number, TEXT)} textarea" for number in own)
    return (
        f"{fields} {{ font-family: monospace; font-size: 0.75rem; white-space: pre-wrap; padding-bottom: 1.6rem; }}\n"
        if own
        else ""
    )


def problem_of(text: str) -> str:
    """Why a text is no rule, in a sentence or two; "" where it is one."""
    try:
        parse_rule(text)
    except ExpressionError as error:
        return str(error)
    return ""


def take_text(controls: Controls[Any], number: int) -> None:
    """Race what was typed, if it is a rule, for ``on_change``."""
    text = controls.new_value(f"{number}-{TEXT}")
    if text is not None and not problem_of(text):
        race_rule(controls, number, text)


def start_from_rule(controls: Controls[Any], number: int) -> None:
    """Fill in the text of a known rule, for ``on_change``."""
    chosen = controls.new_value(f"{number}-{FROM}")
    if chosen is None:
        return
    text = text_of(chosen)
    assert text is not None
    controls.set_widget(controls.key(number, TEXT), text)
    controls.set_widget(controls.key(number, FROM), None)
    race_rule(controls, number, text)


def race_rule(controls: Controls[Any], number: int, text: str) -> None:
    """Give a racer another text. A knob that is declared as before stays where it was turned to; so does a schedule."""
    entries = controls.current_entries()
    if number not in entries:
        return
    before = entries[number].racer
    rule = with_schedule_of(parse_rule(text), before.rule)
    kept = {knob.name: getattr(before, knob.name) for knob in rule.knobs() if is_as_before(knob, before.knobs())}
    racer = rule(**kept)
    entries[number] = Entry(racer, racer)
    for knob in rule.knobs():
        if knob.name not in kept:
            controls.set_widget(controls.key(number, knob.name), knob.default)


def is_as_before(knob: Any, knobs: Any) -> bool:
    """Whether one of some knobs is declared in the same way: wherever the line that does so stands."""
    return any(
        (one.name, one.default, one.low, one.high) == (knob.name, knob.default, knob.low, knob.high) for one in knobs
    )
