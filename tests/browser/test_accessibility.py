"""Every page, read by axe-core in light and dark: nothing critical or serious that is ours."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from ui.frame import PAGES

GRAVE = ("critical", "serious")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.title)
def test_axe_finds_nothing_grave_in_what_is_ours(window, page, theme):
    visitor = window(color_scheme=theme)
    address = "" if page is PAGES[0] else page.title.replace(" ", "_")
    visitor.page.goto(f"{visitor.server}/{address}")
    visitor.page.get_by_role("link", name=page.title).first.wait_for()
    if page is not PAGES[0]:
        visitor.drawn()
    visitor.page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    found = Axe().run(visitor.page, options={"resultTypes": ["violations"]}).response["violations"]
    grave = [
        f"{rule['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for rule in found
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]
    assert grave == []
