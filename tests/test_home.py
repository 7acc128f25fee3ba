"""The home page: the code to embed a page, and what it does without."""

import subprocess
import sys

import pytest
from visit import ROOT

from ui.home.ways import embed_code


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("https://a.org", "https://a.org/Ackley_Race?embed=true"),
        ("https://a.org/", "https://a.org/Ackley_Race?embed=true"),
        ("https://a.org/apps/play/", "https://a.org/apps/play/Ackley_Race?embed=true"),
        ("https://a.org/apps/play", "https://a.org/apps/play/Ackley_Race?embed=true"),
        (None, "http://localhost:8501/Ackley_Race?embed=true"),
    ],
)
def test_the_code_to_embed_shows_a_page_of_this_very_app(address, page):
    assert f'src="{page}"' in embed_code(address)


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
