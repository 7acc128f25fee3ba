"""Prepared races: every one of the file is there, says everything, and shows something."""

import tomllib
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pytest

import ui.presets
from engine import OPTIMIZERS, race
from ui.links import encode
from ui.presets import opening, presets
from ui.setups import RaceSetup, names

RULE = next(iter(OPTIMIZERS))
PAGE = "Ackley Race"
every_preset = pytest.mark.parametrize("preset", presets(PAGE).values(), ids=presets(PAGE))


def in_file(entries: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict:
    """The presets of another file in place of the app's own."""
    (folder / "presets.toml").write_text(entries, encoding="utf-8")
    monkeypatch.setattr(ui.presets, "__file__", str(folder / "presets.py"))
    return presets.__wrapped__(PAGE)


def test_every_preset_of_the_file_is_there_in_its_order():
    text = Path(ui.presets.__file__).with_suffix(".toml").read_text(encoding="utf-8")
    assert [entry["name"] for entry in tomllib.loads(text)[PAGE]] == list(presets(PAGE))


@every_preset
def test_a_preset_says_everything_and_leaves_nothing_to_a_default(preset):
    assert set(parse_qs(preset.link)) == set(encode(preset.setup))


@every_preset
def test_a_preset_says_what_to_look_for(preset):
    assert preset.look_for.endswith((".", "?"))
    assert "!" not in preset.look_for


def test_no_two_presets_are_the_same_race():
    assert len({preset.setup for preset in presets(PAGE).values()}) == len(presets(PAGE))


def test_the_page_opens_with_the_first():
    assert opening(PAGE) == next(iter(presets(PAGE).values())).setup


@every_preset
def test_the_racers_of_a_preset_move_and_part_ways(preset):
    setup = preset.setup
    racers = dict(zip(names(setup.racers), setup.racers, strict=True))
    traces = race(setup.ground.loss, racers, [setup.start], setup.steps)
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
        ('[["Ackley Race"]]\nname = "A"\nlook_for = "B."\nlink = "landscape=Ackley"', "'A': it names no racer"),
        ('[["Ackley Race"]]\nname = "A"\nlook_for = "B."\nlink = "landscape"', "bad query field"),
    ],
    ids=["a bad value", "nobody runs", "no link"],
)
def test_a_preset_that_says_no_set_up_is_refused(entries, complaint, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=complaint):
        in_file(entries, tmp_path, monkeypatch)


def test_a_new_entry_is_all_that_a_preset_needs(tmp_path, monkeypatch):
    found = in_file(
        f'[["Ackley Race"]]\nname = "A"\nlook_for = "B."\nlink = "racer={RULE}&steps=5"', tmp_path, monkeypatch
    )
    assert found["A"].setup == RaceSetup(racers=found["A"].setup.racers, steps=5)
    assert names(found["A"].setup.racers) == [RULE]
