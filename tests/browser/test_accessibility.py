"""Every page: axe-core finds nothing critical or serious that is ours, light and dark, and nothing is cut off."""

import io
from urllib.parse import urlencode

import pytest
from PIL import Image

from tests.browser.axe import grave
from ui.frame import PAGES
from ui.setup.codec import encode
from ui.setup.pages import RaceSetup
from ui.setup.stories import library


@pytest.fixture(scope="module", params=PAGES, ids=lambda page: page.title)
def page(request, shared_window):
    """Each page in turn, opened by its address."""
    visitor, title = shared_window(), request.param.title
    home = request.param is PAGES[0]
    visitor.page.goto(f"{visitor.server}/{'' if home else title.replace(' ', '_')}")
    inside = visitor.page.get_by_test_id("stMain")
    (inside.get_by_test_id("stPageLink") if home else inside.locator(".katex")).first.wait_for()
    if not home:
        visitor.drawn()
    visitor.page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    return visitor


def in_theme(visitor, theme):
    """The page once it is drawn in a theme."""
    visitor.page.emulate_media(color_scheme=theme)
    visitor.page.wait_for_function(
        "theme => getComputedStyle(document.querySelector('[data-testid=stApp]')).colorScheme === theme", arg=theme
    )
    if visitor.page.locator(".stage").count():
        visitor.wait("stage.message.theme === given", theme)
        visitor.drawn()
    return visitor


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_grave_in_what_is_ours(page, theme):
    assert grave(in_theme(page, theme).page) == []


def test_no_two_menus_of_a_page_have_the_same_name(page):
    names = page.page.locator("[aria-haspopup=dialog]:visible").all_inner_texts()
    assert len(set(names)) == len(names)


LINK_OR_TOOL = ":is([data-testid=stPageLink-NavLink], [data-testid=stElementToolbarButton] button)"


def test_a_link_to_a_page_and_a_tables_button_show_that_they_have_the_focus(page):
    page.page.keyboard.press("Tab")  # from now on the browser says where the keyboard is
    places = page.page.locator(f"{LINK_OR_TOOL}:visible")
    for place in (places.first, places.last):
        place.focus()
        page.page.wait_for_function(
            "place => place.matches(':focus-visible') && getComputedStyle(place).outlineStyle === 'solid'"
            " && place.checkVisibility({ opacityProperty: true })",
            arg=place.element_handle(),
        )


def test_the_button_that_adds_a_file_shows_that_it_has_the_focus(shared_window):
    page = shared_window().open(RaceSetup(landscape="painted", steps=50)).page
    picture = io.BytesIO()
    Image.radial_gradient("L").save(picture, "PNG")
    file = {"name": "hill.png", "mimeType": "image/png", "buffer": picture.getvalue()}
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
    page.get_by_role("button", name="Remove hill.png").focus()
    page.keyboard.press("Tab")
    page.wait_for_function(
        "() => document.activeElement.ariaLabel === 'Add files'"
        " && getComputedStyle(document.activeElement).outlineStyle === 'solid'"
    )


def address(page, query):
    return f"{page}?{urlencode(query, doseq=True)}"


def story_step(*, asks, **more):
    """The address of a story's step on the race that asks a question, or of one that asks none."""
    steps = ((story, k) for story in library().stories.values() for k in range(1, len(story.steps) + 1))
    story, k = next((story, k) for story, k in steps if ("ask" in story.query(k)) == asks and "Race" in story.file(k))
    return address("Ackley_Race", {**story.query(k), **more})


# each page, the button that opens a menu on it or plays, and what is then there
STATES = {
    "a question in a story and a lecture": (
        story_step(asks=True, lecture=["1"]),
        "Other questions",
        "[data-testid=stPopoverBody]",
    ),
    "a story that plays": (story_step(asks=False), "Play", ".play:text('Pause')"),
    "what is handed out": (
        address("Ackley_Race", encode(RaceSetup(steps=50))),
        "Teach",
        "[data-testid=stPopoverBody] [data-testid=stCode]",
    ),
}


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing_grave_in_what_is_opened(shared_window, state):
    where, button, opened = STATES[state]
    visitor = shared_window()
    visitor.go(f"{visitor.server}/{where}")
    visitor.page.get_by_role("button", name=button).click()
    visitor.page.locator(opened).first.wait_for()
    visitor.page.mouse.move(0, 0)  # what is below the mouse has a colour of Streamlit's own
    for theme in ("light", "dark"):
        # the colours of what is Streamlit's go over into those of the theme
        in_theme(visitor, theme).rest(
            "[...document.querySelectorAll('button, p')].map((e) => getComputedStyle(e).color)"
        )
        assert grave(visitor.page) == []


# right ends of formulas and of the names of pages that are cut by what they stand in
CUT = """() => [...document.querySelectorAll('[data-testid=stMain] :is(.katex-html .base, [data-testid=stPageLink] p)')]
    .filter((word) => {
        const end = word.getBoundingClientRect().left + word.scrollWidth;
        for (let box = word; (box = box.parentElement);)
            if (getComputedStyle(box).overflowX !== 'visible' && end > box.getBoundingClientRect().right + 1)
                return true;
        return word.matches('p') && word.scrollWidth > word.clientWidth + 1;
    }).map((word) => word.textContent)"""


def test_no_formula_and_no_name_of_a_page_is_cut_at_any_width(page):
    visitor = page
    for width in (1400, 1000, 900, 840, 820, 700, 420):
        visitor.page.set_viewport_size({"width": width, "height": 900})
        visitor.page.wait_for_function(f"({CUT})().length === 0")
