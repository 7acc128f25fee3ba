"""Every page: axe-core finds nothing critical or serious that is ours, light and dark, and nothing is cut off."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from ui.frame import PAGES

GRAVE = ("critical", "serious")


def grave(page):
    """What axe-core finds that someone could not use."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for rule in found
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]


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


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_grave_in_what_is_ours(page, theme):
    visitor = page
    visitor.page.emulate_media(color_scheme=theme)
    visitor.page.wait_for_function(
        "theme => getComputedStyle(document.querySelector('[data-testid=stApp]')).colorScheme === theme", arg=theme
    )
    if visitor.page.locator(".stage").count():
        visitor.wait("stage.message.theme === given", theme)
        visitor.drawn()
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
