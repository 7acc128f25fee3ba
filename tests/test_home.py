"""The home page, run as a visitor's browser would have it run: its ways in lead where they say."""

import subprocess
import sys
from urllib.parse import parse_qs

import pytest
from visit import FILES, ROOT, opened, texts

from ui.home.ways import embed_code, link_of, start_here
from ui.setup.presets import presets, read_query


def test_start_here_leads_to_each_preset_of_the_way_in_its_order():
    app = opened("Home")
    way = start_here()
    links = [link.proto for link in app.main.get("page_link") if link.proto.query_string]
    assert len(links) == len(way)
    for number, (link, step) in enumerate(zip(links, way, strict=True), start=1):
        assert link.label == f"**{number}. {step.preset}**"
        assert link.page == FILES[step.page].removeprefix("pages/").partition("_")[2].removesuffix(".py")
        query = parse_qs(link.query_string, keep_blank_values=True)
        assert read_query(step.page, query) == (presets(step.page)[step.preset].setup, [])
        assert step.says in texts(app)


def test_a_step_whose_preset_is_gone_is_refused():
    with pytest.raises(ValueError, match="Gradients has no preset 'Gone'"):
        link_of("Gradients", "Gone")


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("https://a.org", "https://a.org/Ackley_Race?embed=true"),
        ("https://a.org/", "https://a.org/Ackley_Race?embed=true"),
        ("https://a.org/apps/play/", "https://a.org/apps/play/Ackley_Race?embed=true"),
        (None, "http://localhost:8501/Ackley_Race?embed=true"),
    ],
)
def test_the_code_to_embed_shows_a_page_of_this_very_app(address, page):
    assert f'src="{page}"' in embed_code(address)


def test_the_home_page_needs_no_engine():
    """It is the first thing a visitor of a new server sees, and the engine takes seconds to load."""
    parts = "import sys; import ui.frame, ui.draw.theme, ui.home.race_picture, ui.home.ways as ways; ways.start_here()"
    ran = subprocess.run(
        [sys.executable, "-c", f"{parts}; sys.exit('jax' in sys.modules or 'engine' in sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
