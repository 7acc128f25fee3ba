"""The menu "Take it home" stands on every page, and a picture that is taken home says what it is of."""

import pytest
from visit import opened

from ui.draw.line_up import letters
from ui.setup.pages import SETUPS
from ui.setup.presets import presets
from ui.setup.racers import racer_names
from ui.take_home.captions import labels, settings, title

PRESETS = [
    pytest.param(preset.setup, id=f"{page}: {name}") for page in SETUPS for name, preset in presets(page).items()
]


@pytest.mark.parametrize("page", SETUPS)
def test_the_menu_is_on_every_page_once_and_empty_until_it_is_opened(page):
    app = opened(page)
    (menu,) = [block for block in app.get("popover") if block.proto.popover.label == "Take it home"]
    assert not menu.children


@pytest.mark.parametrize("setup", PRESETS)
def test_a_picture_says_what_it_is_of(setup):
    assert isinstance(setup, SETUPS[title(setup)])
    assert settings(setup)
    assert all(settings(setup))


@pytest.mark.parametrize("setup", [one for one in PRESETS if hasattr(one.values[0], "racers")])
def test_a_legend_names_every_racer_with_its_learning_rate(setup):
    assert list(labels(setup)) == racer_names(setup.racers)
    assert len(set(labels(setup).values())) == len(setup.racers)
    for label, racer in zip(labels(setup).values(), setup.racers, strict=True):
        assert label.startswith(f"{racer.name}, {letters(racer.knobs()[0].symbol)} = ")
