"""What axe-core finds on a page that someone could not use."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

GRAVE = ("critical", "serious")
# What is Streamlit's own: the key on a button that has one; a tag in a menu, which is outside of what has the theme;
# and that what scrolls takes no Tab is left to the browsers, of which all but Safari let the keyboard into it.
NOT_OURS = {"color-contrast": ("<kbd", "<span title="), "scrollable-region-focusable": ""}


def grave(page: Page, part: str | None = None) -> list[str]:
    """What is critical or serious and ours, on the whole page or in a part of it."""
    found = Axe().run(page, context=part, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for rule in found
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
        if not node["html"].startswith(NOT_OURS.get(rule["id"], "none of these"))
    ]
