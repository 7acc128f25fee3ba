"""What a teacher hands out, from the menu to the student's page, the course page and the printed handout."""

import re
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from engine import OPTIMIZERS
from tests.browser.axe import grave
from ui.setup.codec import MAX_TITLE
from ui.setup.pages import SETUPS, GradientsSetup, RaceSetup
from ui.setup.presets import opening
from ui.setup.questions.own import Own
from ui.setup.racers import MAX_RACERS
from ui.teach.hand_out import iframe

RACERS = (OPTIMIZERS["SGD"](learning_rate=0.1), OPTIMIZERS["Adam"](learning_rate=0.5))
SETUP = RaceSetup(steps=30, start=(3.0, 2.0), racers=RACERS)
MANY = (*(rule() for rule in [*OPTIMIZERS.values()][: MAX_RACERS - 2]), *RACERS)
MENU = "[data-testid=stPopoverBody]"
TITLE = "<b>Who</b> *turns*?"
QUESTION = "**Which** [one](https://example.org) <img src=x> turns :smile: first?"
CHOICES = ("Adam <b>x</b>", "www.example.org or $x^2$")
COURSE = "A course page"


@pytest.fixture(scope="module")
def teacher(shared_window):
    """A teacher with the menu open, and a question in their own words."""
    visitor = shared_window(1400, 900).open(SETUP)
    visitor.page.get_by_role("button", name="Teach").press("Enter")
    visitor.page.wait_for_selector(f"{MENU}:focus")  # a while after it is drawn, it takes the focus
    choose(visitor, "Hidden", {"Steps": "steps", "Picture: the map": "map", "Take it home": "take-home"})
    choose(visitor, "Locked", {"Landscape": "lock=landscape"})
    fill(visitor, "Title", TITLE)
    visitor.page.locator(MENU).get_by_label("Question", exact=True).click()
    visitor.page.get_by_role("option", name="in your own words").click()
    fill(visitor, "Your question", QUESTION)
    area = visitor.page.locator(MENU).get_by_label("The answers to choose from", exact=False)
    area.fill("\n".join(CHOICES))
    area.press("Control+Enter")
    until_the_link_says(visitor, "ask=own")
    return visitor


def until_the_link_says(visitor, words):
    visitor.page.wait_for_function(
        "([menu, words]) => document.querySelector(`${menu} [data-testid=stCode]`)?.textContent.includes(words)",
        arg=[MENU, words],
    )


def choose(visitor, label, names):
    """Take names out of a list of many; each with what the link then says."""
    for name, words in names.items():
        field = visitor.page.locator(MENU).get_by_label(label, exact=True)
        field.click()
        field.fill(name)  # of a long list not all is drawn
        visitor.page.get_by_role("option", name=name, exact=True).click()
        visitor.page.keyboard.press("Escape")
        until_the_link_says(visitor, words)


def fill(visitor, label, words):
    field = visitor.page.locator(MENU).get_by_label(label, exact=True)
    field.fill(words)
    field.press("Enter")


def address_of(visitor) -> str:
    return visitor.page.locator(f"{MENU} [data-testid=stCode]").first.inner_text().strip()


def handout(visitor):
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("button", name="Printable handout").click()
    visitor.page.get_by_text("Done: the handout").wait_for()
    return download.value.path().read_text(encoding="utf-8")


def printed(visitor, page, html):
    """The handout in a page of its own, once its pictures are there."""
    page.set_content(html)
    page.wait_for_function("[...document.images].every((image) => image.complete && image.naturalWidth)")
    return page.locator(".page").all()


def count_pages(page, paper) -> int:
    page.emulate_media(media="print")
    high = page.evaluate("[...document.querySelectorAll('.page')].map((one) => one.scrollHeight - one.clientHeight)")
    assert max(high) <= 1, "nothing is cut off"
    return len(re.findall(rb"/Type\s*/Page[^s]", page.pdf(format=paper)))


def test_students_see_what_is_handed_out_and_the_teachers_page_stays(teacher, window):
    assert "hide" not in teacher.page.url
    assert teacher.ask("stage.views.has('map')")
    student = window(1400, 900).go(address_of(teacher))
    page = student.page
    assert page.get_by_role("heading", name=TITLE, exact=True).count() == 1
    assert not student.ask("stage.views.has('map')")
    assert page.get_by_text("Steps", exact=True).count() == 0
    assert page.get_by_role("button", name="Teach").count() == 0
    assert page.get_by_label("Landscape", exact=True).is_disabled()
    # letter for letter, but for a mark that is not seen
    question = page.locator("[class*='st-key-'][class*='-question']")
    said = question.inner_text().replace("\u2060", "")
    assert QUESTION in said
    assert all(choice in said for choice in CHOICES)
    assert question.locator(":is(a, img, .katex), .stRadio b").count() == 0
    page.locator(".stRadio label").filter(has_text="Adam").last.click()
    page.get_by_role("button", name="Commit").click()
    page.wait_for_function("document.querySelector('.stage')?.stage?.message?.held === undefined")
    page.get_by_text("Compare it with the run.").wait_for()
    assert page.get_by_role("button", name="Take it home").count() == 0
    for word in ("hide=teach", "lock=landscape", "title="):
        assert word in page.url
    assert page.evaluate("document.body.innerText").count("www.example.org") <= 1


def test_a_handout_has_two_pages_and_tells_the_outcome_on_the_second_alone(teacher, window):
    html = handout(teacher)
    assert "<script" not in html
    assert not re.findall(r"(?:src|href)=[\"'](?!data:)", html)
    page = window().page
    first, second = printed(teacher, page, html)
    for paper in ("A4", "Letter"):
        assert count_pages(page, paper) == 2
    asked = first.inner_text()
    assert all(words in asked for words in (TITLE, QUESTION, *CHOICES, "Ackley"))
    assert "Compare it with the run." not in asked
    assert "http" not in asked.replace(QUESTION, "")
    told = second.inner_text()
    assert "Compare it with the run." in told
    assert address_of(teacher) in told.replace("\n", "")
    assert all(racer in told for racer in ("SGD", "Adam"))
    assert first.locator("img").count() == second.locator("img").count() == 1
    pictures = page.evaluate("[...document.images].map((image) => image.src)")
    assert pictures[0] != pictures[1]


@pytest.mark.parametrize(
    "setup",
    [
        RaceSetup(steps=30, racers=MANY, ask="lowest", title="W" * MAX_TITLE),
        GradientsSetup(f="sin x", low=-5, high=5, x0=1.0, ask="slope"),
    ],
    ids=["race", "gradients"],
)
def test_a_page_that_holds_the_run_can_be_handed_out(window, setup):
    """In the dark, on a phone: paper is white."""
    visitor = window(390, 844, "dark").open(setup)
    visitor.page.get_by_role("button", name="Teach").click()
    html = handout(visitor)
    assert "held back by its question" in visitor.page.locator(".handout").inner_text()
    page = window().page
    first, second = printed(visitor, page, html)
    assert count_pages(page, "A4") == 2
    outcome = second.locator(".outcome").inner_text()
    assert outcome.endswith(".")
    assert outcome not in first.inner_text()
    assert first.locator("img").count() == 1
    assert second.locator("img").count() == 0
    white = """() => { const canvas = document.createElement("canvas"); const pen = canvas.getContext("2d");
        pen.drawImage(document.images[0], 0, 0); return [...pen.getImageData(3, 3, 1, 1).data]; }"""
    assert page.evaluate(white) == [255, 255, 255, 255]
    assert visitor.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = visitor.page.locator(MENU).bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert grave(visitor.page, ".handout") == []


def test_the_menu_works_by_keyboard_and_keeps_what_was_chosen_when_it_is_closed(teacher):
    menu = teacher.page.locator(MENU)
    menu.focus()
    teacher.page.keyboard.press("Tab")
    assert teacher.page.evaluate("menu => document.activeElement.closest(menu) !== null", MENU)
    teacher.page.keyboard.press("Escape")
    menu.wait_for(state="detached")
    assert "Teach" in teacher.page.evaluate("document.activeElement.textContent")
    teacher.turn("race-steps")  # by then the server has answered: it would close a menu that is open again
    teacher.page.get_by_role("button", name="Teach").press("Enter")
    until_the_link_says(teacher, "ask=own")
    expect(menu.get_by_label("Title", exact=True)).to_have_value(TITLE)


@pytest.mark.parametrize("page", SETUPS)
def test_in_a_course_page_the_stage_and_its_controls_are_seen_without_scrolling(page, window):
    visitor = window(800, 1200)
    usual = replace(opening(page), hide=("teach",))
    for setup in (usual, replace(usual, ask=Own.link_text("Which one?", ["this", "that"]), title="Find out")):
        snippet = iframe(page, setup)
        snippet = snippet.replace('src="http://localhost:8501/', f'src="{visitor.server}/')
        visitor.page.goto(f"{visitor.server}/_stcore/health")
        visitor.page.set_content(f'<title>{COURSE}</title><body style="margin: 0">{snippet}</body>')
        frame = visitor.page.frame_locator("iframe")
        frame.locator(".stage[data-drawn]").wait_for()
        frame.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
        height = visitor.page.evaluate("document.querySelector('iframe').clientHeight")
        inside = visitor.page.frames[1]
        inside.wait_for_function(
            """height => {
                const box = (what) => document.querySelector(what).getBoundingClientRect();
                const tops = [...document.querySelectorAll(".view")].map((view) => view.getBoundingClientRect().left);
                const beside = tops.length < 2 || Math.max(...tops) > Math.min(...tops);
                return beside && box(".stage").top >= 0 && box(".stage .bar").bottom <= height;
            }""",
            arg=height,
        )
