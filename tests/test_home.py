"""The home page: the code to embed a page, and what it does without."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
import streamlit as st
from visit import ROOT

from ui.class_room.link import link
from ui.frame import PAGES
from ui.home.ways import embed_code
from ui.setup.address import home_address, page_address


@pytest.fixture
def seen(monkeypatch):
    """Have Streamlit say where the browser is."""

    def say(url, embedded=False, base="", **headers):
        monkeypatch.setattr(st, "context", SimpleNamespace(url=url, is_embedded=embedded, headers=headers))
        monkeypatch.setattr(st, "get_option", {"server.baseUrlPath": base}.__getitem__)

    return say


@pytest.mark.parametrize(
    ("address", "home"),
    [
        ("https://a.org", "https://a.org"),
        ("https://a.org/", "https://a.org"),
        ("https://a.org/apps/play/", "https://a.org/apps/play"),
        ("https://a.org/apps/play", "https://a.org/apps/play"),
        (None, "http://localhost:8501"),
    ],
)
def test_what_is_shared_leads_to_this_very_app_from_every_page(seen, address, home):
    for page in PAGES:
        path = page.title.replace(" ", "_")
        seen(address if page is PAGES[0] or address is None else f"{address.rstrip('/')}/{path}")
        assert f'src="{home}/Ackley_Race?embed=true"' in embed_code()
        assert link("BKMT") == f"{home}/?class=BKMT"
        assert page is PAGES[0] or page_address(page.title) == f"{home}/{path}"


@pytest.mark.parametrize("base", ["", "play", "/apps/play/"])
def test_within_a_page_of_the_same_host_an_address_is_that_of_the_app(seen, base):
    """Streamlit takes the address of the whole window for the app's, where it may read it."""
    home = "/".join(filter(None, ["https://a.org", base.strip("/")]))
    seen("https://a.org/course/week-3.html/Ackley_Race", embedded=True, base=base, Origin="https://a.org")
    assert page_address("Ackley Race") == f"{home}/Ackley_Race"
    assert link("BKMT") == f"{home}/?class=BKMT"
    # in a frame that is shut off it may not, and then it is right
    seen("https://a.org/play/Ackley_Race", embedded=True, Origin="null")
    assert home_address() == "https://a.org/play"


def test_the_home_page_needs_no_engine():
    """It is the first thing a visitor of a new server sees, and the engine takes seconds to load."""
    parts = "import sys; import ui.frame, ui.draw.theme, ui.home.race_picture, ui.home.ways, ui.home.story_list as list"
    ran = subprocess.run(
        [sys.executable, "-c", f"{parts}; list.library(); sys.exit('jax' in sys.modules or 'engine' in sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
