"""A class of two browsers, from the code to the end; a reload gives no second answer, and a phone shows all of it."""

import pytest
from test_accessibility import grave

from engine import OPTIMIZERS
from ui.setup.pages import GradientsSetup, RaceSetup, RegressionSetup

RACE = RaceSetup(
    landscape="Ravine",
    steps=60,
    racers=tuple(OPTIMIZERS[name](learning_rate=0.01) for name in ("SGD", "Momentum", "Adam")),
    ask="lowest",
)
SLOPE = GradientsSetup(f="sin x", low=-5, high=5, x0=1.0, ask="slope")
WHERE = RegressionSetup(start=(-6.0, 9.0), steps=60, batch=0, ask="where~Adam~20")
LATE = 3 * 60_000  # milliseconds: the pages look by themselves whether something has changed


def hold_a_class(teacher, setup):
    """A class on a set-up, opened by keyboard alone; gives its code."""
    page = teacher.open(setup).page
    page.get_by_role("button", name="Teach").focus()
    page.keyboard.press("Enter")
    opens = page.get_by_role("button", name="Hold a class")
    opens.wait_for()
    page.wait_for_selector("[data-testid=stPopoverBody]:focus")  # a while after it is drawn, it takes the focus
    opens.focus()
    page.keyboard.press("Enter")
    code = page.locator(".class-code b")
    code.wait_for()
    teacher.drawn()
    return code.inner_text()


def held(visitor, yes=True):
    """Wait until the run is held back, or no more."""
    visitor.page.wait_for_function(
        "yes => (document.querySelector('.stage')?.stage?.message?.held !== undefined) === yes", arg=yes, timeout=LATE
    )
    visitor.drawn()


def counted(teacher, answered, joined):
    teacher.page.locator(".class-count", has_text=f"{answered} answered · {joined} joined").wait_for()


def bars(visitor):
    """Every bar: what it says, how many, and whether it is right."""
    visitor.page.locator(".class-bars li").first.wait_for(timeout=LATE)
    return visitor.page.locator(".class-bars li").evaluate_all(
        "bars => bars.map((bar) => [bar.firstChild.textContent.replace(' ✓ right', ''),"
        " Number(bar.querySelector(':scope > b').textContent), 'right' in bar.dataset])"
    )


def press(visitor, name):
    visitor.page.get_by_role("button", name=name, exact=True).click()


def test_a_class_of_two_browsers_from_start_to_end(window):
    teacher, student = window(1400, 900), window(390, 844, device={"has_touch": True})
    code = hold_a_class(teacher, RACE)
    counted(teacher, 0, 0)
    held(teacher)
    link = teacher.page.locator(".class-code a").get_attribute("href")
    assert link == f"{teacher.server}/?class={code}"
    picture = teacher.page.locator(".class-qr")
    assert picture.evaluate("image => image.complete && image.naturalWidth > 0")
    assert picture.bounding_box()["width"] >= 140
    assert teacher.page.locator(".stage .views").bounding_box()["y"] < 500  # the stage is in view

    page = student.go(link).page
    held(student)
    counted(teacher, 0, 1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator(".stRadio label:has(input)").nth(1).click()
    press(student, "Commit")
    page.get_by_text("It is counted.").wait_for()
    counted(teacher, 1, 1)
    assert teacher.page.locator(".class-count [role=status]").inner_text() == "All of the class answered."
    held(student)
    for visitor in (teacher, student):
        assert visitor.page.get_by_text("The outcome.", exact=True).count() == 0

    page.reload()  # gives no second answer
    page.get_by_text("It is counted.").wait_for()
    assert page.get_by_role("button", name="Commit").count() == 0
    counted(teacher, 1, 1)
    teacher.page.reload()  # stays the teacher's
    teacher.page.get_by_role("button", name="Reveal").wait_for()
    counted(teacher, 1, 1)

    press(teacher, "Reveal")
    for visitor, chosen in ((teacher, "Momentum"), (student, "Momentum your answer")):
        assert bars(visitor) == [["SGD", 0, False], [chosen, 1, True], ["Adam", 0, False]]
        visitor.page.get_by_text("Momentum ends lowest, with the loss").wait_for()
        held(visitor, False)
        assert visitor.ask("stage.at") == 0
    page.get_by_text("You said that Momentum ends lowest.").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    # the next question is on another page: the student's browser follows by itself
    teacher.page.locator("[data-testid=stSidebar]").get_by_role("link", name="Gradients").click()
    press(teacher, "Ask this one")
    teacher.page.get_by_role("button", name="Reveal").wait_for()
    page.get_by_label("f′(x₀)", exact=True).wait_for(timeout=LATE)
    assert "/Gradients?" in page.url
    assert f"class={code}" in teacher.page.url
    teacher.page.locator("[data-testid=stSidebar]").get_by_role("link", name="Linear Fit").click()
    teacher.page.get_by_role("button", name="Ask this one").wait_for()
    teacher.page.reload()  # in the middle of preparing another one
    teacher.page.get_by_role("button", name="Ask this one").wait_for()
    assert "/Linear_Fit?" in teacher.page.url
    press(teacher, "Back to the question")
    teacher.page.get_by_role("button", name="Reveal").wait_for()
    page.get_by_label("f′(x₀)", exact=True).fill("0.5")
    press(teacher, "Pause")
    page.get_by_text("The class is paused.").wait_for(timeout=LATE)
    assert page.get_by_role("button", name="Commit").is_disabled()
    press(teacher, "Go on")
    page.get_by_text("One answer each").wait_for(timeout=LATE)
    assert page.get_by_label("f′(x₀)", exact=True).input_value() == "0.5"
    assert page.get_by_role("button", name="Commit").is_enabled()

    press(teacher, "End")
    press(teacher, "End the class")
    teacher.page.locator(".class-count").wait_for(state="detached")
    page.get_by_text(f"No class {code} is held here").wait_for(timeout=LATE)
    assert "class=" not in teacher.page.url
    press(student, "Go on by yourself")
    page.get_by_text("No class").wait_for(state="detached")


def test_a_browser_has_one_seat_in_each_class_however_often_it_comes_back(window):
    teacher, other, student = window(1400, 900), window(1400, 900), window(device={})
    code, second = hold_a_class(teacher, SLOPE), hold_a_class(other, SLOPE)
    page = student.go(f"{student.server}/?class={code}").page
    press(student, "Skip the question")
    page.get_by_text("It is counted.").wait_for()
    student.go(f"{student.server}/?class={second}")
    press(student, "Skip the question")
    page.get_by_text("It is counted.").wait_for()
    student.go(f"{student.server}/?class={code}")
    page.get_by_text("It is counted.").wait_for()
    for visitor in (teacher, other):
        counted(visitor, 1, 1)


@pytest.mark.parametrize("setup", [SLOPE, WHERE], ids=["a number", "a place"])
def test_numbers_and_places_of_a_class_stand_beside_the_outcome(window, setup):
    teacher, student = window(1400, 900, "dark"), window(device={})
    code = hold_a_class(teacher, setup)
    # the code is typed on the home page
    page = student.page
    page.goto(student.server)
    page.get_by_label("Join a class", exact=True).wait_for()
    student.pictured()
    page.get_by_label("Join a class", exact=True).fill(code.lower())
    page.keyboard.press("Enter")
    student.drawn()
    place = setup is WHERE
    assert grave(teacher.page) + grave(page) == []
    for name, value in {"θ₁": "1", "θ₂": "7"}.items() if place else [("f′(x₀)", "0.55")]:
        page.get_by_label(name, exact=True).fill(value)
    press(student, "Commit")
    page.get_by_text("It is counted.").wait_for()
    counted(teacher, 1, 1)
    press(teacher, "Reveal")
    bars(student)
    assert grave(teacher.page) + grave(page) == []
    found = {right: count for _, count, right in bars(teacher)}
    assert found[True] == (0 if place else 1)
    held(teacher, False)
    if place:
        teacher.wait("stage.views.get('map').spec.marks?.length === 2")
        (x, y, word), outcome = teacher.ask("stage.views.get('map').spec.marks")
        assert ([x, y], word, outcome[2]) == ([1, 7], "", "outcome")
    else:
        teacher.page.get_by_text("At x₀ = 1 the slope is 0.5403.").wait_for()
