"""Prepared races: every one of the file is there, says everything, and shows something."""

import re
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pytest

import ui.setup.presets
from engine import OPTIMIZERS, race
from ui.setup.codec import decode, encode
from ui.setup.pages import SETUPS, RaceSetup
from ui.setup.presets import entries, opening, preset_of, presets, read_query
from ui.setup.racers import racer_names

RULE = next(iter(OPTIMIZERS))
PAGE = "Ackley Race"
every_preset = pytest.mark.parametrize("preset", presets(PAGE).values(), ids=presets(PAGE))
of_every_page = pytest.mark.parametrize(
    ("page", "preset"),
    [pytest.param(page, preset, id=f"{page}-{preset.name}") for page in SETUPS for preset in presets(page).values()],
)


def in_file(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict:
    """The presets of another file in place of the app's own."""
    (folder / "presets.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(ui.setup.presets, "FILE", folder / "presets.toml")
    return presets.__wrapped__(PAGE)


def test_every_preset_of_the_file_is_there_in_its_order():
    for page in SETUPS:
        assert [entry["name"] for entry in entries(page)] == list(presets(page))


@of_every_page
def test_a_preset_names_only_what_differs_from_the_pages_default(page, preset):
    named = parse_qs(preset.link, keep_blank_values=True)
    assert named  # an empty link is the opening
    if preset.setup == SETUPS[page]():
        assert len(named) == 1
        return
    for name in named:
        rest = {other: values for other, values in named.items() if other != name}
        assert decode(rest, SETUPS[page]())[0] != preset.setup


@of_every_page
def test_a_preset_says_what_to_look_for(page, preset):
    assert preset.look_for.endswith((".", "?"))
    assert "!" not in preset.look_for


@of_every_page
def test_no_name_of_a_preset_says_how_a_run_ends(page, preset):
    """It stands in the list while the page asks just that."""
    assert not re.search("converge|oscillat|diverge|limit|minimum in|lowest|wins", preset.name)


@pytest.mark.parametrize("page", SETUPS)
def test_no_two_presets_are_the_same(page):
    assert len({preset.setup for preset in presets(page).values()}) == len(presets(page))


@pytest.mark.parametrize("page", SETUPS)
@pytest.mark.parametrize("query", [{}, {"utm_source": ["letter"], "ref": [""]}], ids=["nothing", "trackers"])
def test_an_address_without_a_setting_is_the_first_preset(page, query):
    first = next(iter(presets(page).values()))
    assert read_query(page, query) == (first.setup, [])
    assert opening(page) == first.setup != SETUPS[page]()


@pytest.mark.parametrize("page", SETUPS)
def test_an_address_with_a_setting_has_all_others_at_their_defaults(page):
    default = SETUPS[page]()
    for name, values in encode(default).items():
        assert read_query(page, {name: values})[0] == default
        assert read_query(page, {name: values, "utm_source": ["letter"]})[0] == default


@pytest.mark.parametrize("page", SETUPS)
def test_a_link_of_the_layout_alone_lays_out_the_opening(page):
    setup, notes = read_query(page, {"lecture": ["1"]})
    assert (setup.lecture, setup.with_layout_of(opening(page)), notes) == (True, opening(page), [])


@pytest.mark.parametrize("page", SETUPS)
def test_a_setting_that_is_misspelt_does_not_bring_the_opening(page):
    """Its link was made by someone who had the defaults in mind, and a note says what it does not know."""
    for name in (name for name in encode(SETUPS[page]()) if len(name) > 3):  # of one letter, all else is misspelt
        setup, notes = read_query(page, {f"{name}{name[-1]}": ["1"]})
        assert setup == SETUPS[page]()
        assert notes


@pytest.mark.parametrize("page", SETUPS)
def test_the_set_up_that_is_all_defaults_is_a_preset_with_a_link_of_its_own(page):
    assert preset_of(page, SETUPS[page]()).setup == SETUPS[page]()
    assert read_query(page, encode(SETUPS[page]())) == (SETUPS[page](), [])


@every_preset
def test_the_racers_of_a_preset_move_and_part_ways(preset):
    setup = preset.setup
    racers = dict(zip(racer_names(setup.racers), setup.racers, strict=True))
    traces = race(setup.chosen_landscape.loss, racers, [setup.start], setup.steps)
    ends = {tuple(np.round(trace.positions[0, -1], 3)) for trace in traces.values()}
    assert len(ends) > 1 or len(racers) == 1
    for trace in traces.values():
        assert np.abs(np.diff(trace.positions[0], axis=0)).max() > 0


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            '[["Ackley Race"]]\nname = "A"\nlook_for = "B."\nlink = "landscape=Akley"',
            "'A': landscape `Akley` is not one",
        ),
        ('[["Ackley Race"]]\nname = "A"\nlook_for = "B."\nlink = "racer=Adm"', "'A': There is no optimizer `Adm`"),
        ('[["Ackley Race"]]\nname = "A"\nlook_for = "B."\nlink = "landscape"', "bad query field"),
        ('[["Ackley Race"]]\nname = "A"\nlook_for = "B."\nlink = ""', "'A': An empty link opens the first preset"),
    ],
    ids=["a bad value", "nobody known runs", "no query", "an empty link"],
)
def test_a_preset_that_says_no_set_up_is_refused(text, complaint, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=complaint):
        in_file(text, tmp_path, monkeypatch)


def test_a_new_entry_is_all_that_a_preset_needs(tmp_path, monkeypatch):
    found = in_file(
        f'[["Ackley Race"]]\nname = "A"\nlook_for = "B."\nlink = "racer={RULE}&steps=5"', tmp_path, monkeypatch
    )
    assert found["A"].setup == RaceSetup(racers=found["A"].setup.racers, steps=5)
    assert racer_names(found["A"].setup.racers) == [RULE]
