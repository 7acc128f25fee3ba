"""A question in the browser: answered by keyboard, by a click on the map, and on a phone; nothing tells before."""

import json

import pytest

from engine import OPTIMIZERS
from ui.setup.pages import FitSetup, GradientsSetup, RaceSetup, RegressionSetup

FIT = FitSetup(data="4x", rate=0.0312, steps=40, tolerance=0.0, theta=0.0, loss="log", ask="ends")
RACE = RaceSetup(
    landscape="Ravine",
    steps=60,
    racers=tuple(OPTIMIZERS[name](learning_rate=0.01) for name in ("SGD", "Momentum", "Adam")),
    ask="lowest",
)
WHERE = RegressionSetup(start=(-6.0, 9.0), steps=60, batch=0, ask="where~Adam~20")

# every text of the page, every label for those who do not see it, every hover
WORDS = """[document.body.innerText, ...Array.from(
    document.querySelectorAll("[aria-label], [title], [aria-valuetext]"),
    (part) => ["aria-label", "title", "aria-valuetext"].map((name) => part.getAttribute(name) ?? "").join("\\n")
)].join("\\n")"""
LENGTHS = "stage.tracks.map((track) => Object.values(track.values).map((values) => values.length)).flat()"


def tab_to(page, what: str) -> None:
    """The Tab key until something has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(f"document.activeElement.matches({json.dumps(what)})"):
            return
    raise AssertionError(f"The Tab key does not come to {what}.")


def released(visitor) -> None:
    """Wait until the run is no more held back."""
    visitor.page.wait_for_function("document.querySelector('.stage')?.stage?.message?.held === undefined")
    visitor.drawn()


def test_by_keyboard_alone_one_commits_plays_and_sees_the_outcome(window):
    visitor = window()
    page = visitor.open(FIT).page
    assert visitor.ask("stage.parts.play.disabled && stage.parts.scrub.disabled")
    assert set(visitor.ask(LENGTHS)) == {1}
    words = page.evaluate(WORDS)
    assert "its loss grows" not in words
    assert "times the limit" not in words
    assert "At the end" not in words
    visitor.press(" ")  # plays, but for the question
    visitor.press("End")
    assert visitor.ask("[stage.playing, stage.at]") == [False, 0]
    page.locator("body").focus()
    page.evaluate("document.querySelector('.stRadio').tabIndex = -1; document.querySelector('.stRadio').focus()")
    tab_to(page, ".stRadio input")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    tab_to(page, ".st-key-fit-ask-commit button")
    page.keyboard.press("Enter")
    released(visitor)
    page.get_by_text("You said that SGD diverges.").wait_for()
    assert visitor.ask("[stage.at, stage.revealed, stage.last]") == [0, False, 40]
    assert page.get_by_text("The outcome.", exact=True).count() == 0
    visitor.ask("(stage.parts.speed.value = '5')")
    visitor.press(" ")
    page.get_by_text("The outcome.", exact=True).wait_for()  # at the end of the run, by itself
    assert visitor.ask("stage.at === stage.last")
    page.get_by_text("SGD diverges: its loss grows").wait_for()
    assert "ask" in page.url
    assert "diverges" not in page.url


@pytest.mark.parametrize("width", [1400, 390])
def test_a_place_is_answered_by_a_click_on_the_map(window, width):
    visitor = window(width)
    page = visitor.open(WHERE).page
    stage_top = page.locator(".stage").bounding_box()["y"]
    question = page.locator(".st-key-regression-question").bounding_box()
    assert question["y"] + question["height"] <= stage_top
    before = visitor.race
    target = page.locator("[data-click] .nsewdrag").first
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    page.mouse.click(box["x"] + 0.6 * box["width"], box["y"] + 0.4 * box["height"])
    visitor.drawn(before)
    place = [float(page.get_by_label(name, exact=True).input_value()) for name in ("θ₁", "θ₂")]
    (mark,) = visitor.ask("stage.views.get('map').spec.marks")
    assert mark == [*place, "your answer"]
    assert visitor.ask("stage.views.get('map').box.classList.contains('large')")
    assert "start=-6~9" in page.url  # which a click moves otherwise
    page.get_by_role("button", name="Commit").click()
    released(visitor)
    page.get_by_role("button", name="Show the outcome").click()
    page.get_by_text("The outcome.", exact=True).wait_for()
    visitor.drawn()
    visitor.wait("stage.views.get('map').spec.marks.length === 2")
    *outcome, word = visitor.ask("stage.views.get('map').spec.marks[1]")
    record = visitor.ask("stage.steps.indexOf(20)")
    adam = visitor.ask(f"stage.tracks.at(-1).values.theta1[{record}]")
    assert word == "outcome"
    assert outcome[0] == pytest.approx(adam, rel=1e-5)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_stage_stays_the_same_when_a_question_is_answered_and_plays_without_asking_the_server(window):
    visitor = window()
    page = visitor.open(RACE).page
    visitor.ask("(stage.root.mark = true)")
    assert set(visitor.ask(LENGTHS)) == {1}
    assert "At the end" not in page.evaluate(WORDS)
    page.locator(".stRadio label:has(input)").nth(1).click()
    page.get_by_role("button", name="Commit").click()
    released(visitor)
    assert visitor.ask("stage.root.mark")
    page.get_by_text("You said that Momentum ends lowest.").wait_for()
    visitor.press("ArrowRight")
    assert visitor.ask("stage.at") == 1
    assert page.get_by_text("The outcome.", exact=True).count() == 0
    visitor.press("End")
    page.get_by_text("ends lowest, with the loss").wait_for()
    visitor.drawn()
    assert visitor.ask("stage.at === stage.last")  # what the server adds moves nothing


def test_a_slope_is_answered_by_a_number_and_enter(window):
    visitor = window()
    page = visitor.open(GradientsSetup(f="sin x", low=-5, high=5, x0=1.0, ask="slope")).page
    assert list(visitor.ask("[...stage.views.keys()]")) == ["curve"]
    assert "0.54" not in page.evaluate(WORDS)
    page.get_by_label("f′(x₀)", exact=True).fill("0.55")
    page.keyboard.press("Enter")
    released(visitor)
    page.get_by_text("At x₀ = 1 the slope is 0.5403.").wait_for()
    page.get_by_text("Right.").wait_for()
    assert visitor.ask("stage.views.has('slope')")
