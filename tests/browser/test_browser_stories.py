"""A story in a real browser: followed from start to end by keyboard alone, its progress kept, on a phone as well."""

import pytest

from ui.setup.stories import library

NAME = "momentum"
STORY = library().stories[NAME]
WIDE, PHONE = (1400, 900), (390, 844)


def open_home(visitor):
    visitor.page.goto(visitor.server)
    visitor.page.locator(".story-list a").first.wait_for()
    visitor.pictured()
    return visitor.page


def tab_to(page, place, key="Tab"):
    """Press Tab until the focus is there, as one who has no mouse."""
    place.wait_for()
    for _ in range(200):
        if place.evaluate("element => document.activeElement === element"):
            return
        page.keyboard.press(key)
    raise AssertionError("The focus does not come here.")


def reached(page, name=NAME):
    """What home says of how far one is in a story."""
    title = library().stories[name].title
    return page.locator(".story-list li", has_text=title).locator(".reached")


def answer(page, choice):
    tab_to(page, page.locator(".story-questions .choices").get_by_role("button", name=choice, exact=True))
    page.keyboard.press("Enter")


def go_on(page):
    """The button that comes with an answer has the focus."""
    page.wait_for_function("document.activeElement?.className === 'next'")
    page.keyboard.press("Enter")


def go_home(page):
    tab_to(page, page.locator("[data-testid=stSidebar]").get_by_role("link", name="Home"), "Shift+Tab")
    page.keyboard.press("Enter")
    page.locator(".story-list a").first.wait_for()


def test_a_story_is_followed_from_start_to_end_by_keyboard_alone_and_home_shows_how_far(window):
    visitor = window(*WIDE)
    page = open_home(visitor)
    assert reached(page).inner_text() == ""
    tab_to(page, page.locator(".story-list").get_by_role("link", name=STORY.title))
    page.keyboard.press("Enter")
    for number, step in enumerate(STORY.steps, start=1):
        page.locator(".st-key-story", has_text=f"step {number} of {len(STORY.steps)}").wait_for()
        if "ask" in step.query:  # what there is to see is not told before
            skip = page.get_by_role("button", name="Skip the question")
            skip.wait_for()
            assert step.look not in page.locator(".st-key-story").inner_text()
            tab_to(page, skip)
            page.keyboard.press("Enter")
        page.locator(".st-key-story", has_text=step.look).wait_for()
        visitor.drawn()
        if number == 2:  # once left, it goes on from there
            go_home(page)
            assert reached(page).inner_text() == f"2 of {len(STORY.steps)}"
            tab_to(page, page.locator(".story-list").get_by_role("link", name=STORY.title))
            page.keyboard.press("Enter")
            page.locator(".st-key-story", has_text=step.look).wait_for()
            visitor.drawn()
        tab_to(page, page.locator(".st-key-story").get_by_role("link", name="Next"))
        page.keyboard.press("Enter")
    questions = page.locator(".story-questions")
    missed = STORY.questions[1]
    for question in STORY.questions:
        questions.get_by_text(question.question).wait_for()
        wrong = next(choice for choice in question.choices if choice != question.right)
        answer(page, wrong if question is missed else question.right)
        questions.get_by_text(question.why).wait_for()
        go_on(page)
    questions.get_by_text(f"Once more: {missed.question}").wait_for()
    answer(page, missed.right)
    questions.get_by_text(missed.why).wait_for()
    go_on(page)
    questions.get_by_text("Done: 2 of 3 right at the first try.").wait_for()
    go_home(page)
    assert reached(page).inner_text() == "✓ done"


@pytest.fixture
def forgetful(window):
    """A window whose browser keeps nothing, as some do in private."""
    visitor = window(*PHONE, new=True)
    visitor.page.add_init_script(
        "for (const name of ['getItem', 'setItem'])"
        " Storage.prototype[name] = function () { throw new DOMException('no', 'SecurityError'); };"
    )
    return visitor


def test_on_a_phone_that_keeps_nothing_a_story_works_and_nothing_is_cut(forgetful):
    page = open_home(forgetful)
    page.locator(".story-list").get_by_role("link", name=STORY.title).click()
    for _ in STORY.steps:
        forgetful.drawn()
        cut = page.evaluate(
            """() => [...document.querySelectorAll('.st-key-story :is(p, a, button)')]
                .map((part) => part.getBoundingClientRect())
                .filter((place) => place.left < 0 || place.right > innerWidth + 1).length"""
        )
        assert cut == 0
        before = page.locator(".st-key-story").inner_text()
        page.locator(".st-key-story").get_by_role("link", name="Next").click()
        page.wait_for_function("before => document.querySelector('.st-key-story').innerText !== before", arg=before)
    page.locator(".story-questions .choices button").first.click()
    page.locator(".story-questions .next").wait_for()
