"""The menu "Take it home": what the browser makes of the stage, what the server makes of the run, and both in words."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from ui.admission import slot
from ui.draw.stage.browser import HERE as STAGE_FOLDER
from ui.draw.stage.browser import address, stage_address
from ui.setup.codec import Setup
from ui.take_home.captions import labels, settings, title

BROWSER = Path(__file__).parent / "browser"
MADE_BY = ("sheet.js", "freeze.js", "clip.js", "standalone.js", "svgcanvas.js", "gifenc.js", "webm-muxer.js")


def script() -> str:
    """The script of the menu, with the addresses of what it fetches once an entry is pressed."""
    text = (BROWSER / "menu.js").read_text(encoding="utf-8")
    addresses = {
        "TAKE_FILE": address(BROWSER / "take.js", *(BROWSER / name for name in MADE_BY)),
        "STAGE_FILE": stage_address(),
        "HTML_FILE": address(STAGE_FOLDER / "stage.html"),
    }
    for name, place in addresses.items():
        text = text.replace(name, place)
    return text


MENU = st.components.v2.component(
    "take_home",
    html=(BROWSER / "menu.html").read_text(encoding="utf-8"),
    css=(BROWSER / "menu.css").read_text(encoding="utf-8"),
    js=script(),
    isolate_styles=False,
)


def show_menu(setup: Setup, stage_key: str) -> None:
    """The menu, unless the link hides it, or something that a program or the data of the run would tell."""
    if not setup.hides("take-home") and not setup.hides_run:
        show_button(setup, stage_key)


@st.fragment
@slot()
def show_button(setup: Setup, stage_key: str) -> None:
    """The menu's button. What is in it is drawn once it is opened, and opening it runs nothing else of the page."""
    menu = st.popover(
        "Take it home", icon=":material/download:", key=f"{stage_key}-take-home", on_change="rerun", width="content"
    )
    if menu.open:
        with menu:
            show_entries(setup, stage_key)


def show_entries(setup: Setup, stage_key: str) -> None:
    """All that can be taken home from a page."""
    from ui.take_home.files import (
        describe,
        files,
    )  # what writes them takes a while to load, and few visitors ask for it

    words = {
        "title": title(setup),
        "settings": settings(setup),
        "labels": labels(setup),
        "description": describe(setup),
        "file": title(setup).lower().replace(" ", "-"),
    }
    MENU(key=f"{stage_key}-taken", data=words, height="content")
    st.markdown("**Data and code**")
    for file in files(setup):
        st.download_button(
            file.label,
            slot()(file.make) if file.make else b"",
            file.name,
            file.mime,
            help=file.help,
            key=f"{stage_key}-take-{file.name}",
            icon=":material/download:",
            on_click="ignore",
            disabled=file.make is None,
            width="stretch",
        )
