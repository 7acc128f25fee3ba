"""What a widget is called is said by a screen reader as it stands: words, no markup and no formula's source."""

import re

import pytest
from visit import opened

from engine import OPTIMIZERS
from engine.endings import Ending, Verdict
from ui.draw.line_up import letters
from ui.draw.results import LINE_HEIGHT, ROW_HEIGHT, VERDICT_LETTERS, row_height
from ui.frame import PAGES
from ui.gradients.controls import PART_NAMES

WIDGETS = ("selectbox", "text_input", "number_input", "slider", "select_slider", "toggle", "button", "metric", "radio")
MARKUP = re.compile(r"[$\\*`]|!\[|:[a-z]+\[")
LONG = Verdict(Ending.LEAPING, 2000)
VISITS = [(page.title, {}) for page in PAGES[1:]] + [("Gradients", {"part": [part]}) for part in PART_NAMES]
VISITS += [("Linear Fit", {"data": ["noisy line"], "batch": ["8"]}), ("Gradients", {"f": ["own"], "own": ["x^2"]})]


@pytest.mark.parametrize(("page", "query"), VISITS, ids=[f"{page} {query}" for page, query in VISITS])
def test_every_widget_is_called_in_words(page, query):
    app = opened(page, query)
    labels = [widget.label for kind in WIDGETS for widget in getattr(app, kind)]
    assert len(labels) > 3
    assert not [label for label in labels if MARKUP.search(label)]


def test_every_knob_has_a_symbol_that_can_be_said():
    symbols = {letters(knob.symbol) for rule in OPTIMIZERS.values() for knob in rule.knobs()}
    assert {"α", "β₁", "β₂"} <= symbols
    assert not [symbol for symbol in symbols if MARKUP.search(symbol) or "_" in symbol]


def test_a_row_of_the_leaderboard_is_as_high_as_its_longest_verdict_needs():
    assert row_height(["still going"]) == ROW_HEIGHT
    high = row_height(["still going", LONG.words])
    assert high > 64  # 4rem: Streamlit breaks text into lines in higher rows only
    assert high >= ROW_HEIGHT + LINE_HEIGHT * (len(LONG.words) // VERDICT_LETTERS)
