"""The home page in a real browser: a picture that moves until it is paused, and ways in that are all in view."""

import pytest

from tests.browser.firefox import not_in_firefox
from ui.setup.stories import library

WIDE, PHONE = (1400, 900), (390, 844)
PICTURE = "document.querySelector('.race-picture').picture"
BUTTON = ".race-picture button"


def open_home(visitor):
    """The home page, once its picture is drawn."""
    visitor.page.goto(visitor.server)
    visitor.page.wait_for_function(f"() => document.querySelector('.race-picture') && {PICTURE}?.race")
    visitor.pictured()
    visitor.page.evaluate("document.fonts.ready.then(() => null)")
    return visitor


@pytest.fixture(scope="module")
def home(shared_window):
    """The page in a window that the tests share."""
    return open_home(shared_window(*WIDE))


def now(home, words):
    """The value of some JavaScript about the picture."""
    return home.page.evaluate(f"(() => {{ const picture = {PICTURE}; return ({words}); }})()")


def moves(home):
    """Wait until the picture has moved on, or begun anew."""
    home.page.wait_for_function(f"before => {PICTURE}.seconds !== before", arg=now(home, "picture.seconds"))


@pytest.mark.each_browser
def test_the_picture_moves_by_itself_until_it_is_paused(home):
    moves(home)
    button = home.page.locator(BUTTON)
    assert "Pause" in button.inner_text()
    button.focus()
    home.page.keyboard.press("Enter")
    home.page.locator(BUTTON, has_text="Play").wait_for()
    before = now(home, "[picture.seconds, picture.canvas.toDataURL()]")
    home.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert now(home, "[picture.seconds, picture.canvas.toDataURL()]") == before
    button.click()
    moves(home)


def test_after_its_end_it_begins_anew(home):
    home.page.evaluate(f"{PICTURE}.seconds = 1e6")
    home.page.wait_for_function(f"{PICTURE}.seconds < 5")


def test_all_ways_in_are_in_view_without_scrolling(home):
    parts = home.page.locator(
        ".st-key-home-ways :is(h3, .story-list a, [data-testid=stPageLink] a, [data-testid=stCode])"
    )
    count = 3 + len(library().stories) + 4 + 1
    parts.nth(count - 1).wait_for()  # they come one by one
    boxes = [part.bounding_box() for part in parts.all()]
    assert len(boxes) == count
    assert all(box["y"] + box["height"] <= WIDE[1] for box in boxes)


@pytest.mark.each_browser
def test_the_picture_is_that_of_the_theme(home):
    sources = {}
    for theme in ("light", "dark", "light"):
        home.page.emulate_media(color_scheme=theme)
        home.page.wait_for_function(
            f"theme => document.querySelector('.race-picture img').src === {PICTURE}.grounds[theme]", arg=theme
        )
        sources[theme] = now(home, "[picture.root.querySelector('img').src, picture.colors]")
    assert sources["light"] != sources["dark"]


def test_nothing_is_cut_at_a_phones_width(home):
    home.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    home.page.wait_for_function(f"{PICTURE}.canvas.width <= {PHONE[0]} * devicePixelRatio")
    wide = home.page.evaluate(
        """() => [...document.querySelectorAll('[data-testid=stMain] :is(h1, h3, p, img, a, canvas, button, pre)')]
            .filter((part) => part.getBoundingClientRect().right > innerWidth + 1
                || (part.clientWidth && part.scrollWidth > part.clientWidth + 1))
            .map((part) => part.outerHTML.slice(0, 200))"""
    )
    home.page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    assert wide == []


@not_in_firefox("Playwright does not say that motion is unwelcome")
def test_where_motion_is_unwelcome_the_picture_stands_at_its_end_until_it_is_played(window):
    still = open_home(window(device={"reduced_motion": "reduce"}))
    assert now(still, "[picture.playing, picture.at]") == [False, now(still, "picture.race.steps")]
    still.page.locator(BUTTON, has_text="Play").click()
    moves(still)
