"""Prepared races: every one of the file is there, says everything, and shows something."""

import tomllib
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pytest

import ui.setup.presets
from engine import OPTIMIZERS, race
from ui.setup.codec import decode
from ui.setup.pages import SETUPS, RaceSetup, racer_names
from ui.setup.presets import presets

RULE = next(iter(OPTIMIZERS))
PAGE = "Ackley Race"
every_preset = pytest.mark.parametrize("preset", presets(PAGE).values(), ids=presets(PAGE))
of_every_page = pytest.mark.parametrize(
    ("page", "preset"),
    [pytest.param(page, preset, id=f"{page}-{preset.name}") for page in SETUPS for preset in presets(page).values()],
)


def in_file(entries: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict:
    """The presets of another file in place of the app's own."""
    (folder / "presets.toml").write_text(entries, encoding="utf-8")
    monkeypatch.setattr(ui.setup.presets, "__file__", str(folder / "presets.py"))
    return presets.__wrapped__(PAGE)


def test_every_preset_of_the_file_is_there_in_its_order():
    text = Path(ui.setup.presets.__file__).with_suffix(".toml").read_text(encoding="utf-8")
    assert [entry["name"] for entry in tomllib.loads(text)[PAGE]] == list(presets(PAGE))


@of_every_page
def test_a_preset_names_only_what_differs_from_the_pages_default(page, preset):
    named = parse_qs(preset.link, keep_blank_values=True)
    for name in named:
        rest = {other: values for other, values in named.items() if other != name}
        assert decode(rest, SETUPS[page]())[0] != preset.setup


@of_every_page
def test_a_preset_says_what_to_look_for(page, preset):
    assert preset.look_for.endswith((".", "?"))
    assert "!" not in preset.look_for


@pytest.mark.parametrize("page", SETUPS)
def test_no_two_presets_are_the_same(page):
    assert len({preset.setup for preset in presets(page).values()}) == len(presets(page))


@pytest.mark.parametrize("page", SETUPS)
def test_a_page_opens_with_the_first(page):
    assert next(iter(presets(page).values())).setup == SETUPS[page]()


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
    ("entries", "complaint"),
    [
        (
            '[["Ackley Race"]]\nname = "A"\nlook_for = "B."\nlink = "landscape=Akley"',
            "'A': landscape `Akley` is not one",
        ),
        ('[["Ackley Race"]]\nname = "A"\nlook_for = "B."\nlink = "racer=Adm"', "'A': There is no optimizer `Adm`"),
        ('[["Ackley Race"]]\nname = "A"\nlook_for = "B."\nlink = "landscape"', "bad query field"),
    ],
    ids=["a bad value", "nobody known runs", "no link"],
)
def test_a_preset_that_says_no_set_up_is_refused(entries, complaint, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=complaint):
        in_file(entries, tmp_path, monkeypatch)


def test_a_new_entry_is_all_that_a_preset_needs(tmp_path, monkeypatch):
    found = in_file(
        f'[["Ackley Race"]]\nname = "A"\nlook_for = "B."\nlink = "racer={RULE}&steps=5"', tmp_path, monkeypatch
    )
    assert found["A"].setup == RaceSetup(racers=found["A"].setup.racers, steps=5)
    assert racer_names(found["A"].setup.racers) == [RULE]
