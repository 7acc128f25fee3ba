"""What came of a race: the leaderboard, the downloads, and the cards that show how each optimizer moves."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from engine import Optimizer, Trace
from engine.endings import Verdict
from engine.knobs import Knob
from engine.optimizers import Rule, memory, source
from engine.rules import TypedRule
from engine.scheduled import COUNT, PREFIX, Scheduled, plain_rule
from engine.schedules import Schedule
from engine.turned import Turned
from ui.draw.conventions import CONVENTIONS
from ui.draw.palette import Style, swatch
from ui.draw.tables import download_csv, leaderboard, paths, show_table
from ui.setup.controls import Controls
from ui.setup.racers import rule_names

# of the leaderboard, in pixels: up to the verdicts it fits on a phone
MARK_WIDTH, VERDICT_WIDTH, ROW_HEIGHT, LINE_HEIGHT = 44, 190, 35, 19
WRAPPING_HEIGHT = 65  # Streamlit breaks text into lines in rows over 4rem only
MAX_WHOLE = 2.0**53  # Streamlit's cells for numbers show a larger one unrounded, and cut off
VERDICT_LETTERS = 24  # on a line of a verdict
LOSSES = {"final loss": "The loss where it ended.", "best loss": "The lowest loss on the way."}
ALL = "Conventions"
TYPED = "A rule that was typed. In each step its lines are computed from top to bottom, each with what is set by then."
JOINED, BROKEN = r", \quad ", r" \\ "  # between the lines of a formula
FOR_ALL = """
The update rules are PyTorch's, or their authors' where it has none, and their names are the field's:

- All coordinates move together; a step is $x \\leftarrow x + \\Delta x$, with the gradient taken at the old $x$.
- Weight decay is added to the gradient, except in AdamW, schedule-free or not, Lion, Signum, Adan and AdEMAMix, where
  it pulls on the parameters directly.
- RMSProp, Adam and most of the rules based on them add $\\epsilon$ after the root. Adam's means are corrected for their
  start at 0. These, and the place of weight decay, are switches of such a rule: a racer without them can run beside
  the original.
- NAdam lets its momentum grow slowly, as PyTorch's does; AMSGrad keeps the largest mean before that correction.
- Where gradients have noise, all optimizers meet the same: each gradient of a step has the same random numbers in it,
  also where an optimizer takes two; those of the next step are others. A loss or a Hessian that one asks for has none.
  A run has then converged only where it is closer than 0.01 to a minimum all through its last fifth.
- Numbers have 32 bits. When one becomes infinite or undefined, the run stops at its last point before that; nothing is
  clipped.
- "Converged" means closer than 0.01 to a minimum in every coordinate, as in the notebook that this app is based on.
  With a tolerance, a run ends once its loss has hardly changed for one epoch. It has then converged only if it is at
  a minimum, or nearly so.
- The numbers that must stay finite are the loss, the gradient, the point, and what the optimizer keeps between steps.
  Where the square of a gradient is too large for 32 bits, Adam and the rules based on it could never move again.
"""


def describe_ends(traces: Mapping[str, Trace]) -> str:
    """Every racer with its last loss, in a sentence; a run that has not begun has its first one."""
    losses = ", ".join(f"{name} {trace.losses[0, -1]:.3g}" for name, trace in traces.items())
    return f"At the {'end' if len(next(iter(traces.values())).steps) > 1 else 'start'}: {losses}."


def show_leaderboard(
    traces: Mapping[str, Trace],
    verdicts: Mapping[str, Sequence[Verdict]],
    minima: Sequence[Sequence[float]],
    racer_styles: Mapping[str, Style],
    theme: str,
    noisy: bool = False,
    evaluations: Mapping[str, int] | None = None,
) -> None:
    """The table of how every racer ended. ``noisy``: to come near a minimum is not to stay there.

    With what each has evaluated, where that is given.
    """
    table = leaderboard(traces, verdicts, minima, evaluations)
    high = row_height(table["verdict"])
    # a picture is drawn as high as its row
    mark_height = 28 * (high - 8) // (MARK_WIDTH - 8) if high > ROW_HEIGHT else 14
    table.insert(1, "", [swatch(racer_styles[name], theme, mark_height) for name in table["racer"]])
    if not len(minima):
        table = table.drop(columns=["distance", "converged at"])
    large = [name for name in LOSSES if table[name].abs().max() > MAX_WHOLE]
    table = table.assign(**{name: table[name].map("{:.4g}".format) for name in large})
    text, number, picture = st.column_config.TextColumn, st.column_config.NumberColumn, st.column_config.LineChartColumn
    show_table(
        table,
        {
            "rank": number(width=44),
            "": st.column_config.ImageColumn(width=MARK_WIDTH),
            "racer": text("optimizer", width=136),
            "verdict": text("outcome", width=VERDICT_WIDTH),
            "loss over the race": picture(
                "loss curve", width=86, help="The loss over the race, each row in its own range."
            ),
            **{
                name: text(width=82, alignment="right", help=about)
                if name in large
                else number(format="%.4g", width=82, help=about)
                for name, about in LOSSES.items()
            },
            "distance": number(format="%.4g", width=82, help="From the end to the nearest minimum."),
            "converged at": number(
                "came near at" if noisy else "converged at",
                width=100,
                help="The first step within 0.01 of a minimum in every coordinate.",
            ),
            "path length": number("path length", format="%.2f", width=92, help="The lengths of all steps, added up."),
            "evaluations": number(width=92, help="Of the loss, its gradient and its Hessian, each counted as one."),
        },
        row_height=high if high > ROW_HEIGHT else None,
    )


def row_height(verdicts: Sequence[str]) -> int:
    """As high as the longest verdict needs."""
    lines = max(len(textwrap.wrap(words, VERDICT_LETTERS)) for words in verdicts)
    return ROW_HEIGHT if lines == 1 else max(WRAPPING_HEIGHT, ROW_HEIGHT + LINE_HEIGHT * (lines - 1))


def show_cards(controls: Controls[Any], racers: Sequence[Optimizer]) -> None:
    """How one optimizer of the line-up moves, or what holds for all: its rule, in words, and the code that runs."""
    # one card and not an expander each: what is closed has to be drawn too whenever a slider moves
    cards = {name: rule for rule, name in rule_names(racers).items() if controls.shows("racers") or is_known(rule)}
    chosen = st.pills("How does it move?", [*cards, ALL], key=controls.key("card"), label_visibility="collapsed")
    if chosen:
        with st.container(border=True):
            show_card(cards[chosen]) if chosen in cards else st.markdown(FOR_ALL)


def is_known(rule: Rule) -> bool:
    """Whether a rule is one of the engine's, and was not typed."""
    return not isinstance(plain_rule(rule), TypedRule)


def show_card(rule: Rule) -> None:
    """One optimizer: its words, formula, source, memory and knobs, where others differ, and its code."""
    if isinstance(rule, Turned):
        st.markdown(
            "Its knobs are turned in the middle of the run: up to a step it goes by some values, then by others."
        )
        return show_card(rule.rule)
    if isinstance(rule, Scheduled):
        show_card(rule.rule)
        show_schedule(rule)
        return
    if isinstance(rule, TypedRule):
        st.markdown(TYPED)
        st.latex(rf"\begin{{gathered}} {rule.formula.replace(JOINED, BROKEN)} \end{{gathered}}")
    else:
        st.markdown(rule.__doc__)
        st.latex(rule.formula)
        st.caption(f"Source: {rule.source}")
    remembered = [f"- ${symbol}$: {meaning}." for symbol, meaning in memory(rule).items()]
    st.markdown(
        "\n".join(["Between two steps it remembers", "", *remembered]) if remembered else "It remembers nothing."
    )
    show_knobs(rule.knobs())
    if differences := CONVENTIONS.get(rule.name):
        with st.expander("Where PyTorch, optax and this app differ"):
            st.markdown("\n".join(f"- {statement}" for statement in differences.values()))
    if isinstance(rule, TypedRule):
        st.markdown("What was typed, which is computed line by line:")
        st.code(rule.text, language=None)
        return
    st.markdown(f"The code that runs, from `{rule.__module__.replace('.', '/')}.py`:")
    st.code(source(rule), language="python")  # type: ignore[arg-type]  # it is a class


def show_schedule(rule: Scheduled) -> None:
    """The schedule of an optimizer's learning rate: its words, formula, source, knobs and code."""
    schedule = rule.schedule
    st.subheader(f"Its learning rate: {schedule.name}", anchor=False)
    st.markdown(f"{inspect.getdoc(schedule)} Step ${COUNT}$, counted from 1, is made with ${rule.symbol_now}$:")
    st.latex(rf"\begin{{gathered}} {rule.rate_formula().replace(JOINED, BROKEN)} \end{{gathered}}")
    if schedule.source:
        st.caption(f"Source: {schedule.source}")
    show_knobs([knob for knob in rule.knobs() if knob.name.startswith(PREFIX)])
    st.markdown("The code that runs, from `engine/schedules.py`:")
    st.code(f"{inspect.getsource(Schedule.factor)}\n\n{inspect.getsource(schedule)}", language="python")


def show_knobs(knobs: Sequence[Knob]) -> None:
    """What can be set, each in a line."""
    about = [f"- ${knob.symbol}$ {knob.words}: {knob.about} Default {default(knob)}." for knob in knobs]
    st.markdown("\n".join(["It can be set with", "", *about]) if about else "It has nothing to be set.")


def default(knob: Knob) -> str:
    """The default of a knob in words."""
    return ("on" if knob.default else "off") if knob.is_switch else f"{knob.default:g}"


def download(traces: Mapping[str, Trace], coordinates: Sequence[str]) -> None:
    """A button for the paths of all racers."""
    download_csv("Paths as CSV", "paths.csv", lambda: paths(traces, coordinates))
