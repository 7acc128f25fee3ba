"""The printable handout: a file of two pages, with the question on the first and the solution on the second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from engine.endings import Verdict
from ui.draw.stage.browser import address
from ui.numbers import format_number
from ui.setup.codec import Setup
from ui.setup.controls import Controls
from ui.setup.pages import LOSS, SLOPE, THETAS, WIDTHS, GradientsSetup
from ui.setup.plain import unescaped
from ui.setup.questions.link import question_of
from ui.setup.questions.question import Facts, Outcome
from ui.setup.questions.slope import Slope
from ui.take_home import menu
from ui.take_home.captions import labels, settings
from ui.teach.outcome import facts_of

BROWSER = Path(__file__).parent / "browser"
SCRIPT = (BROWSER / "menu.js").read_text(encoding="utf-8")
# it makes the pictures as "Take it home" does
MADE_BY = [menu.BROWSER / name for name in ("sheet.js", "freeze.js", "svgcanvas.js")]
BUTTON = st.components.v2.component(
    "handout",
    html='<div class="handout">\n<button type="button">Printable handout</button>\n<p role="status"></p>\n</div>',
    css=(menu.BROWSER / "menu.css").read_text(encoding="utf-8").replace(".take-home", ".handout")
    + ".handout button { flex: none; }\n",
    js=SCRIPT.replace("HANDOUT_FILE", address(BROWSER / "handout.js", *MADE_BY)),
    isolate_styles=False,
)


def show_handout(controls: Controls[Any], setup: Setup, link: str) -> None:
    """The button that makes the handout of a set-up, in the browser; ``link`` leads to the set-up."""
    BUTTON(key=controls.key("handout"), data=contents(controls.page, setup, link), height="content")


def contents(page: str, setup: Setup, link: str) -> dict[str, Any]:
    """All words of a handout, and what its pictures show."""
    question, facts = question_of(setup), facts_of(setup)
    outcome = question.outcome(setup, facts) if question else None
    return {
        "page": page,
        "title": setup.title or page,
        "settings": settings(setup),
        "labels": labels(setup),
        "question": unescaped(question.text(setup)) if question else "",
        "choices": [unescaped(words) for words in question.choices(setup).values()] if question else [],
        "numbers": list(question.numbers(setup)) if question else [],
        "outcome": unescaped(outcome.words) if outcome else "",
        "right": right_answers(setup, outcome),
        "ends": ends(facts),
        "link": link,
        "without_end": "The run is held back by its question: answer or skip it, and make the handout again, for the "
        "picture of its end.",
        "first": first_picture(setup),
        "hidden": [part.view for name, part in setup.parts.items() if part.view and name in setup.hide],
        "file": f"{page.lower().replace(' ', '-')}-handout.html",
    }


def first_picture(setup: Setup) -> dict[str, Any]:
    """What the first picture shows: a race at its start; on Gradients what there is, or of a slope f alone.

    ``at``: the record that the set-up stands at, where the stage's index is no time.
    """
    if not isinstance(setup, GradientsSetup):
        return {"at_start": True}
    if setup.part == SLOPE:
        at = setup.places().index(setup.x0) if setup.wide_enough else 0
    else:
        at = THETAS.index(setup.theta) if setup.part == LOSS else WIDTHS.index(setup.h)
    if setup.ask != Slope.word:
        return {"at": at}
    words = "f and the point at x₀"
    return {"at": at, "only": "curve", "without_line": words, "labels": {"tangent": "f up to x₀"}}


def right_answers(setup: Setup, outcome: Outcome | None) -> list[int]:
    """The places of the right choices, from 0."""
    question = question_of(setup)
    if question is None or outcome is None or not isinstance(outcome.right, frozenset):
        return []
    return [place for place, choice in enumerate(question.choices(setup)) if choice in outcome.right]


def ends(facts: Facts) -> list[list[str]]:
    """How each run ended: its name, where, with which loss, and what that is called."""
    rows = []
    for name, run in facts.runs.items():
        verdict: Verdict | None = facts.verdicts.get(name)
        where = ", ".join(format_number(float(c), 4) for c in run.positions[-1])
        rows.append([name, where, format_number(float(run.losses[-1]), 4), verdict.words if verdict else ""])
    return rows
