"""One step, taken apart, in a real browser: at the stage's index its numbers are those of another computation."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from engine import OPTIMIZERS
from tests.browser.axe import grave
from ui.setup.pages import FitSetup, RaceSetup

RATE, BETA1, BETA2, MU = 0.03, 0.9, 0.999, 0.9
RACERS = {
    "SGD": OPTIMIZERS["SGD"](learning_rate=0.02),
    "Momentum": OPTIMIZERS["Momentum"](learning_rate=0.01, momentum=MU),
    "Adam": OPTIMIZERS["Adam"](learning_rate=RATE),
}
RACE = RaceSetup(landscape="Booth", start=(-6.0, 9.0), steps=40, racers=tuple(RACERS.values()), apart=True)
ROWS = """Object.fromEntries([...document.querySelectorAll(".apart tbody tr")].map((row) => [
    row.querySelector("th button").dataset.symbol,
    [...row.querySelectorAll("td")].map((cell) =>
        [...cell.querySelectorAll(".apart-one > span")].map((one) => one.textContent)),
]))"""
LIT = "[...new Set([...document.querySelectorAll('.apart .lit')].map((part) => part.dataset.symbol))]"
LIT_IN = "['button', '.apart-formula', '.apart-numbers', '.apart-value', '.apart-code'].map((kind) =>" + (
    " document.querySelector(`.apart ${kind}:is(.lit), .apart ${kind} .lit`) !== null)"
)
POINT = "\\Delta", "x", "L"


def adam(steps):
    """Adam on Booth's function by numpy, step by step: every number of each."""
    x, m, s = np.array([-6.0, 9.0]), np.zeros(2), np.zeros(2)
    matrix = np.array([[1.0, 2.0], [2.0, 1.0]])
    for t in range(1, steps + 1):
        g = 2 * matrix @ (matrix @ x - [7, 5])
        m, s = BETA1 * m + (1 - BETA1) * g, BETA2 * s + (1 - BETA2) * g**2
        m_hat, s_hat = m / (1 - BETA1**t), s / (1 - BETA2**t)
        move = -RATE * m_hat / (np.sqrt(s_hat) + 1e-8)
        x = x + move
        loss = np.sum((matrix @ x - [7, 5]) ** 2)
        yield {
            "g": g,
            "t": [t],
            "m": m,
            "s": s,
            "\\hat m": m_hat,
            "\\hat s": s_hat,
            "\\Delta": move,
            "x": x,
            "L": [loss],
        }


def read(text):
    return float(text.replace("−", "-"))


def number(text):
    return [read(one) for one in text]


@pytest.fixture(scope="module")
def opened(shared_window):
    return shared_window().open(RACE)


def test_the_numbers_are_those_of_an_independent_computation_at_every_step_looked_at(opened):
    column = list(RACERS).index("Adam")
    for k, expected in enumerate(adam(31)):
        if k not in (0, 1, 7, 30):
            continue
        opened.ask("stage.go(given)", k)
        rows = opened.ask(ROWS)
        assert opened.page.locator(".apart-when").inner_text() == f"From step {k} to {k + 1}"
        for symbol, values in expected.items():
            np.testing.assert_allclose(number(rows[symbol][column]), values, rtol=2e-4, atol=1e-6, err_msg=symbol)
        assert rows["m"][0] == rows["v"][column] == []
        for other in rows["x"]:
            assert len(other) == 2
    opened.ask("stage.go(stage.last)")
    assert opened.page.locator(".apart-when").inner_text() == "step 40: no step follows"


def test_it_plays_without_a_new_node_and_without_a_word_to_the_server(opened):
    opened.ask("stage.go(0)")
    opened.page.evaluate(
        """window.told = 0; window.changes = [];
        new MutationObserver((seen) => window.changes.push(...seen)).observe(
            document.querySelector('.apart'), {subtree: true, childList: true})"""
    )
    opened.ask("void (stage.heard = stage.trigger, stage.trigger = () => { window.told += 1; })")
    before = opened.ask(ROWS)
    opened.page.locator(".play").click()
    opened.wait("stage.playing && stage.at > 10")
    during = opened.ask(ROWS)
    opened.page.locator(".play").click()
    opened.wait("!stage.playing")
    assert during["x"] != before["x"]
    assert opened.ask("[window.told, window.changes.length]") == [0, 0]
    opened.ask("void (stage.trigger = stage.heard)")


def test_a_symbol_that_has_the_focus_is_lit_in_formula_numbers_code_and_arrow(opened):
    opened.ask("stage.go(7)")
    opened.page.get_by_label("look closely at").select_option("Adam")
    still = opened.moving()["map"]
    opened.page.locator(".apart tbody th button[data-symbol=m]").focus()
    assert opened.ask(LIT) == ["m"]
    assert opened.ask(LIT_IN) == [True] * 5
    assert opened.moving()["map"] != still
    opened.page.keyboard.press("Tab")
    assert opened.ask(LIT) != ["m"]
    opened.page.locator(".apart-code [data-symbol='\\\\beta_1']").first.hover()
    assert opened.ask(LIT) == ["\\beta_1"]
    opened.page.locator(".apart-legend").hover()
    opened.page.locator(".play").focus()
    assert opened.ask(LIT) == []
    opened.wait("stage.views.get('map').canvases[1].toDataURL() === given", still)


def test_who_is_hidden_in_the_legend_has_no_column(opened):
    heads = opened.page.locator(".apart thead th")
    assert [head.inner_text().strip() for head in heads.all() if head.is_visible()] == list(RACERS)
    opened.page.locator(".legend button").nth(1).click()
    assert [head.inner_text().strip() for head in heads.all() if head.is_visible()] == ["SGD", "Adam"]
    opened.page.locator(".legend button").nth(1).click()


def test_the_last_line_is_hidden_until_its_point_is_typed_by_keyboard_alone(opened):
    page = opened.page
    opened.ask("stage.go(7)")
    page.get_by_label("look closely at").select_option("Momentum")
    column = list(RACERS).index("Momentum")
    point = opened.ask(ROWS)["x"][column]
    shown = opened.moving()["map"]
    page.locator(".apart-hide input").focus()
    page.keyboard.press("Space")
    rows = opened.ask(ROWS)
    assert all(set(rows[symbol][column]) == {"?"} for symbol in POINT)
    assert all("?" not in rows[symbol][0] for symbol in POINT)
    assert opened.moving()["map"] != shown  # nor is its arrow there
    answer = page.locator(".apart-answer")
    fields = page.locator(".apart-guess input")

    def attempt(*typed):
        fields.nth(0).focus()
        for text in typed:
            page.keyboard.press("Control+a")
            page.keyboard.type(text)
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")

    attempt("1", "")
    assert "Type a number for y" in answer.inner_text()
    attempt(point[0], f"{1.1 * read(point[1])}")
    assert answer.inner_text().startswith("Not yet: y differs")
    assert set(opened.ask(ROWS)["x"][column]) == {"?"}
    attempt(*(f"{read(one):.3g}".replace(".", ",") for one in point))
    assert answer.inner_text().startswith("Right: ")
    assert opened.ask(ROWS)["x"][column] == point
    page.keyboard.press("ArrowRight")  # the next step is another question
    assert opened.ask("stage.at") == 8
    assert set(opened.ask(ROWS)["x"][column]) == {"?"}
    assert answer.inner_text() == fields.nth(0).input_value() == ""
    page.locator(".apart-hide input").uncheck()


def test_axe_finds_nothing_grave_in_it(opened):
    opened.ask("stage.go(7)")
    opened.page.locator(".apart-hide input").check()
    opened.page.locator(".apart tbody th button").first.focus()
    found = grave(opened.page, ".apart")
    opened.page.locator(".apart-hide input").uncheck()
    assert found == []


def test_the_switch_closes_and_opens_it_and_the_link_says_so(opened):
    switch = opened.page.locator(".apart-switch")
    assert "apart=1" in opened.page.url
    switch.click()
    opened.page.wait_for_function("document.querySelector('.apart-body').hidden && !location.search.includes('apart')")
    assert switch.get_attribute("aria-expanded") == "false"
    opened.drawn()
    assert opened.page.locator(".apart td").count() == 0
    switch.focus()
    opened.page.keyboard.press("Enter")
    opened.page.wait_for_function(
        "!document.querySelector('.apart-body').hidden && location.search.includes('apart=1')"
    )
    opened.drawn()
    assert opened.page.locator(".apart td").count() > 0


def test_on_a_phone_it_is_as_wide_as_the_page_and_a_line_has_one_racer(window):
    visitor = window(390, 844).open(replace(FitSetup(), apart=True))
    visitor.ask("stage.go(3)")
    assert visitor.page.locator(".apart").bounding_box()["width"] <= 390
    assert visitor.ask("document.documentElement.scrollWidth") <= 390
    rows = visitor.ask(ROWS)
    assert [len(cells) for cells in rows.values()] == [1] * len(rows)
    slope = visitor.ask("stage.tracks[0].values['θ'][4]")
    assert number(rows["x"][0]) == pytest.approx([slope], rel=1e-4)
    lefts = [cell["x"] for cell in (c.bounding_box() for c in visitor.page.locator(".apart tbody tr th").all())]
    assert all(a == b for a, b in pairwise(lefts))
