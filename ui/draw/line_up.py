"""The line-up in the sidebar: one row per racer, each an optimizer with its own knobs."""

from __future__ import annotations

import html
import math
import re
import unicodedata
from collections.abc import Callable
from typing import Any

import streamlit as st

from engine import Landscape
from engine.knobs import Knob
from engine.scheduled import PREFIX
from engine.turned import AT, LATER
from ui.draw.palette import swatch
from ui.draw.rule_field import rule_fields, style_of
from ui.draw.schedule_menu import MORE, schedule_menu, show_schedule
from ui.draw.styles import styles
from ui.draw.turn_menu import turn_menu
from ui.numbers import format_number, format_plain
from ui.setup.controls import Controls
from ui.setup.racers import MAX_RACERS, NAMES, racer_names, usual_racer
from ui.setup.session import Entry
from ui.setup.stops import stops

NAME = "name"  # what the key of a racer without knobs ends with
DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
GRID = "display: grid; grid-template-columns: minmax(0, 1fr) auto; align-items: center;"  # a knob, and the others


def line_up(controls: Controls[Any], theme: str) -> None:
    """One row per racer: its learning rate, and behind the button its other knobs."""
    if not controls.shows("racers"):
        return
    entries = controls.memory.entries  # as they were read at the start of the run
    racers = [entry.racer for entry in entries.values()]
    st.subheader(f"Optimizers ({len(racers)})", anchor=False)
    alone = len(racers) == 1
    marks = [swatch(style, theme) for style in styles(racers)]
    rules = [mark_rule(controls, *entry, mark) for entry, mark in zip(entries.items(), marks, strict=True)]
    grid = f".st-key-{controls.key('line-up')} {{ {GRID} }}\n"
    st.html(f"<style>{grid}{''.join(rules)}{style_of(controls)}</style>")
    # a page with fewer parts is quicker under the finger: one grid for all rows, each popover filled once it is opened
    rows = st.container(key=controls.key("line-up"))
    names = dict(zip(entries, racer_names(racers), strict=True))
    for (number, entry), name in zip(entries.items(), names.values(), strict=True):
        knobs = entry.racer.knobs()
        with rows:
            if knobs:
                show_knob(controls, number, entry, knobs[0], f"{name} · {called(knobs[0])}")
            else:
                st.container(key=controls.key(number, NAME)).markdown(name)
            more = st.popover(
                f"More settings of {name}",  # to be read aloud; an icon is seen
                icon=":material/tune:",
                type="tertiary",
                help=f"More settings of {name}",
                key=controls.key(number, MORE),
                on_change="rerun",
                width="content",
            )
        if not more.open:
            continue
        with more:
            st.markdown(f"**{name}**")
            further = {knob: knob.name.startswith((LATER, AT)) for knob in knobs[1:]}
            own = [knob for knob, later in further.items() if not later and not knob.name.startswith(PREFIX)]
            for knob in own:
                show_knob(controls, number, entry, knob, called(knob))
            schedule_menu(controls, number, entry)
            show_schedule(entry.racer, controls.memory.setup.steps, theme)
            for knob in (knob for knob, later in further.items() if not later and knob not in own):
                show_knob(controls, number, entry, knob, called(knob))
            turn_menu(controls, number, entry)
            for knob in (knob for knob, later in further.items() if later):
                show_knob(controls, number, entry, knob, called(knob))
            controls.draw(
                "racers",
                st.button,
                "Remove this optimizer",
                key=controls.key(number, "drop"),
                on_click=drop,
                args=(controls, number),
                icon=":material/close:",
                disabled=alone,
                help="At least one optimizer is needed." if alone else None,
            )
    rule_fields(controls, names)
    full = len(racers) >= MAX_RACERS
    controls.draw(
        "racers",
        st.selectbox,
        "Add an optimizer",
        list(NAMES),
        index=None,
        key=controls.key("add"),
        on_change=take_racer,
        args=(controls,),
        placeholder=f"{MAX_RACERS} is the most" if full else "Choose an optimizer",
        disabled=full,
        help=f"The same optimizer may run more than once, with other settings. “{NAMES[-1]}” is one that you type.",
    )


def mark_rule(controls: Controls[Any], number: int, entry: Entry, mark: str) -> str:
    """The CSS that puts a racer's mark before the name of its first knob, or its own where it has no knob.

    Not in the name itself: a screen reader would spell the picture's address, and say it again for the help.
    """
    knobs = entry.racer.knobs()
    key, part = (knobs[0].name, "label") if knobs else (NAME, "p")
    # as Streamlit has it in a class: a rule that is typed may call its knob β
    place = f".st-key-{re.sub('[^A-Za-z0-9_-]', '-', controls.key(number, key))} {part}"
    look = "flex: none; align-self: center; margin-right: 0.3rem;"
    return f'{place}::before {{ content: url("{mark}"); {look} }}\n'


def called(knob: Knob) -> str:
    """A knob's words and its symbol; that alone where they are the same."""
    symbol = letters(knob.symbol)
    return symbol if symbol.translate(DIGITS) == knob.words else f"{knob.words} {symbol}"


def describe_knobs(landscape: Landscape) -> list[str]:
    """The knobs of a landscape with their values, as "angle φ = 30"."""
    values = vars(landscape.loss)
    return [f"{called(knob)} = {format_number(values[knob.name])}" for knob in landscape.knobs]


def letters(symbol: str) -> str:
    """A knob's symbol as text, which a screen reader can say: ``\\beta_1`` as β₁."""
    symbol = re.sub(r"\\sqrt\{(.*?)\}", r"√(\1)", re.sub(r"\\mathrm\{(.*?)\}", r"\1", symbol))
    symbol = re.sub(r"_\{\\(max|min)\}", r" \1", symbol).replace("_+", "₊").replace("_-", "₋")
    greek = html.unescape(re.sub(r"\\([A-Za-z]+)", r"&\1;", symbol)).replace("ϕ", "φ")  # HTML's varphi is TeX's phi
    return re.sub("_([0-9])", lambda found: chr(ord("₀") + int(found[1])), greek).replace("_s", "ₛ")


def letter(symbol: str) -> str:
    """A symbol of a formula as text, its accent too: ``\\hat s`` as ŝ, ``s_{\\max}`` as s max."""
    for command, mark in (("bar", "\u0304"), ("hat", "\u0302")):
        symbol = re.sub(rf"\\{command} (\w)", rf"\1{mark}", symbol)
    return unicodedata.normalize("NFC", letters(symbol.replace("_t", "ₜ").replace("_{t+1}", "ₜ₊₁")))


def show_knob(controls: Controls[Any], number: int, entry: Entry, knob: Knob, label: str) -> None:
    """One knob of a racer as a widget."""
    place = controls.key(number, knob.name)
    st.session_state.setdefault(place, getattr(entry.racer, knob.name))
    widget, choices, look = knob_widget(knob, getattr(entry.added, knob.name))
    controls.draw("racers", widget, label, *choices, key=place, help=knob.about, **look)


def knob_widget(knob: Knob, among: float) -> tuple[Callable[..., Any], list[Any], dict[str, Any]]:
    """The widget of a knob, what it chooses from, and how it looks.

    ``among`` its stops is this value, too.
    """
    if knob.is_switch:
        return st.toggle, [], {}
    if knob.log:
        return st.select_slider, [stops(knob.low, knob.high, among)], {"format_func": format_plain}
    size = knob.high - knob.low
    if size > 100:  # such as the lowest loss, which a slider would not meet
        return st.number_input, [knob.low, knob.high], {"step": 1.0, "format": "%.9g"}
    if knob.whole or size > 10:
        return st.slider, [knob.low, knob.high], {"step": 1.0 if knob.whole else 0.1, "format": "%g"}
    digits = 4 if 0.999 < knob.high < 1 else max(3, 3 - math.ceil(math.log10(size)))
    return st.slider, [knob.low, knob.high], {"step": 10.0**-digits, "format": f"%.{digits}f"}


def take_racer(controls: Controls[Any]) -> None:
    """Add the optimizer that was chosen, for ``on_change``."""
    if (chosen := controls.new_value("add")) is None:
        return
    if len(controls.memory.entries) < MAX_RACERS:
        controls.add_racer(usual_racer(chosen))
    controls.set_widget(controls.key("add"), None)


def drop(controls: Controls[Any], entry: int) -> None:
    """Take a racer out of the line-up, unless it is the last one."""
    if len(controls.memory.entries) > 1:
        controls.memory.entries.pop(entry, None)
