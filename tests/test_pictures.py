"""The pictures of README and of the home page: all there, and still what the app draws."""

import json
import re

import pytest
from PIL import Image
from visit import ROOT

from ui.frame import PAGES
from ui.home.race_picture import recorded
from ui.pictures.recorded_race import FILE, STEPS
from ui.pictures.subjects import MADE_FROM, PICTURES, SUBJECTS, TAKE, THEMES, digests, file_of, plain
from ui.setup.presets import opening
from ui.setup.racers import racer_names

RACE = json.loads(FILE.read_text(encoding="utf-8"))


def test_no_picture_is_stale():
    made_from, now = json.loads(MADE_FROM.read_text(encoding="utf-8")), digests()
    stale = [name for name in SUBJECTS if made_from.get(name) != now[name]]
    assert not stale, f"The app draws {', '.join(stale)} otherwise by now. Take the pictures again: {TAKE}"
    assert made_from.keys() == SUBJECTS.keys()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", SUBJECTS)
def test_a_picture_is_there_in_both_themes_and_light(name, theme):
    assert file_of(name, theme).stat().st_size < 250_000
    with Image.open(file_of(name, theme)) as picture:
        assert picture.size == tuple(2 * side for side in SUBJECTS[name].size) or SUBJECTS[name].whole


def test_every_picture_that_is_kept_is_used():
    named = {path for theme in THEMES for page in PAGES[1:] for path in [page.picture(theme)]}
    named |= {str(ROOT / path) for path in re.findall(r"ui/pictures/[\w-]+\.webp", (ROOT / "README.md").read_text())}
    named |= {str(file_of("surface", theme)) for theme in THEMES}
    assert named == {str(path) for path in PICTURES.glob("*.webp")}


def test_the_recorded_race_is_the_one_that_the_race_page_opens_with():
    setup = opening("Ackley Race")
    assert [racer["name"] for racer in RACE["racers"]] == racer_names(setup.racers)
    assert RACE["steps"] == min(STEPS, setup.steps)
    assert all(len(racer["points"]) == RACE["steps"] + 1 for racer in RACE["racers"])
    assert len({tuple(racer["points"][0]) for racer in RACE["racers"]}) == 1  # one start


def test_the_recorded_race_stays_on_its_picture_and_ends_at_different_places():
    assert (RACE["width"], RACE["height"]) == SUBJECTS["surface"].size
    for racer in RACE["racers"]:
        assert all(0 < x < RACE["width"] and 0 < y < RACE["height"] for x, y in racer["points"])
    ends = [racer["points"][-1] for racer in RACE["racers"]]
    for i, (x, y) in enumerate(ends):
        assert all(abs(x - u) + abs(y - v) > 20 for u, v in ends[:i])


def test_the_home_page_is_sent_little_for_its_moving_picture():
    assert len(json.dumps(recorded())) < 250_000


def test_what_another_processor_rounds_differently_is_not_in_a_digest():
    figure = {"z": {"bdata": "AAAA", "dtype": "f4"}, "range": [0.123456789, 14.0], "x": [0.1] * 13, "width": 1.5}
    other = {"z": {"bdata": "AAAB", "dtype": "f4"}, "range": [0.123456788, 14.0], "x": [0.2] * 13, "width": 1.5}
    assert plain(figure) == plain(other) != plain({**figure, "width": 2.0})
