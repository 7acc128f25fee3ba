"""Racers are told apart: by colour, also by colour-blind eyes, and by dash and marker."""

import base64
import random
import re
import tomllib
import xml.etree.ElementTree as ET
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from visit import opened

from engine import OPTIMIZERS
from ui.draw.palette import COLORS, FURTHER, OWN, REPLAY, STYLES, css_variables, swatch
from ui.draw.styles import styles
from ui.setup.pages import SETUPS
from ui.setup.racers import MAX_RACERS

RULES = list(OPTIMIZERS.values())
THEMES = list(COLORS)
CONFIG = tomllib.loads((Path(__file__).parents[1] / ".streamlit" / "config.toml").read_text(encoding="utf-8"))

# Machado, Oliveira & Fernandes (2009), severity 1.0, on linear RGB
EYES = {
    "most": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
# Ottosson (2020), A perceptual color space for image processing
LMS = np.array(
    [[0.41222147, 0.53633254, 0.05144599], [0.21190350, 0.68069955, 0.10739696], [0.08830246, 0.28171884, 0.62997870]]
)
LAB = np.array(
    [
        [0.21045426, 0.79361778, -0.00407205],
        [1.97799850, -2.42859221, 0.45059371],
        [0.02590404, 0.78277177, -0.80867577],
    ]
)


def linear(color: str) -> np.ndarray:
    value = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def apart(one: str, other: str, eye: np.ndarray) -> float:
    """How far two colours are apart in OKLab, as an eye sees them."""
    a, b = (LAB @ np.cbrt(LMS @ np.clip(eye @ linear(color), 0, 1)) for color in (one, other))
    return float(np.linalg.norm(a - b))


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio."""
    dark, light = sorted(float(linear(color) @ [0.2126, 0.7152, 0.0722]) for color in (one, other))
    return (light + 0.05) / (dark + 0.05)


def line_up(rng: random.Random, most: int = MAX_RACERS) -> list:
    return [rng.choice(RULES)() for _ in range(rng.randint(1, most))]


def test_the_measures_know_black_from_white():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert apart("#000000", "#ffffff", EYES["most"]) == pytest.approx(1, abs=1e-3)
    # red and green that only differ for those who see both
    assert apart("#a05a00", "#5f7500", EYES["most"]) > 2 * apart("#a05a00", "#5f7500", EYES["deuteranopia"])


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("theme", THEMES)
def test_any_two_colours_are_told_apart(theme, eye):
    for one, other in combinations((*STYLES, OWN), 2):
        assert apart(one.color(theme), other.color(theme), EYES[eye]) >= 0.08


@pytest.mark.parametrize("theme", THEMES)
def test_every_colour_stands_out_from_the_page(theme):
    page = CONFIG["theme"][theme]["backgroundColor"]
    for style in (*STYLES, REPLAY, OWN):
        assert contrast(style.color(theme), page) >= 3  # WCAG 1.4.11, graphical objects


# Between the tones of a scale over so wide a range there is less room for twelve racers where they are dark themselves:
# nearest come #6e7c73 and #01719f, to the darkest tones of the light scale. Heads have an outline of the page's colour.
LEAST = {"light": 0.065, "dark": 0.08}


def tones(theme: str) -> list[str]:
    """The colours of the scale, and those that are mixed between two of them."""
    stops = [[int(color[i : i + 2], 16) for i in (1, 3, 5)] for color in COLORS[theme].scale]
    mixed = [np.round(np.linspace(low, high, 4, endpoint=False)) for low, high in pairwise(stops)]
    return [f"#{int(r):02x}{int(g):02x}{int(b):02x}" for r, g, b in np.concatenate([*mixed, stops[-1:]])]


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("theme", THEMES)
def test_every_colour_is_told_from_the_ground_it_runs_on(theme, eye):
    """To the few who see no blue, two are like some of the ground: there their casing, in the page's colour, is not."""
    casing = CONFIG["theme"][theme]["backgroundColor"]
    for style in (*STYLES, REPLAY, OWN):
        for ground in tones(theme):
            cased = eye == "tritanopia" and contrast(casing, ground) >= 2.4
            assert cased or apart(style.color(theme), ground, EYES[eye]) >= LEAST[theme]


@pytest.mark.parametrize("theme", THEMES)
def test_the_minimum_and_its_name_can_be_read_on_any_ground_and_iso_lines_are_seen_on_it(theme):
    for ground in tones(theme):
        assert contrast(COLORS[theme].goal, ground) >= 4.5  # WCAG 1.4.3, text
        assert apart(COLORS[theme].line, ground, EYES["most"]) >= 0.08


@pytest.mark.parametrize("theme", THEMES)
def test_words_on_figures_can_be_read(theme):
    page = CONFIG["theme"][theme]["backgroundColor"]
    for color in (COLORS[theme].ink, COLORS[theme].goal):
        assert contrast(color, page) >= 4.5  # WCAG 1.4.3, text


@pytest.mark.parametrize("theme", THEMES)
def test_the_ground_goes_from_dark_to_light_in_even_steps_over_a_wide_range_and_is_quiet_in_hue(theme):
    lightness, *hue = np.transpose([LAB @ np.cbrt(LMS @ linear(color)) for color in COLORS[theme].scale])
    assert lightness[-1] - lightness[0] >= 0.4
    steps = np.diff(lightness)
    np.testing.assert_allclose(steps, steps.mean(), rtol=0.08)
    assert np.hypot(*hue).max() < 0.1  # a racer's has up to 0.21


def test_dash_and_marker_alone_tell_racers_apart():
    several = (*STYLES, *FURTHER)
    assert len({(style.dash, style.marker) for style in (*several, REPLAY)}) == len(several) + 1
    assert len({style.marker for style in (*several, OWN)}) == len(several) + 1


def test_of_two_optimizers_in_one_colour_also_the_dashes_differ():
    assert len({(style.light, style.dash) for style in (*STYLES, *FURTHER)}) == len(STYLES) + len(FURTHER)
    assert {style.light: style.dark for style in FURTHER} == {style.light: style.dark for style in STYLES}


def test_there_are_styles_for_more_optimizers_than_there_are():
    assert len(STYLES) + len(FURTHER) > len(RULES)


def test_no_two_optimizers_have_the_same_style():
    assert len({styles([rule()])[0] for rule in RULES}) == len(RULES)


def test_no_two_racers_of_a_line_up_share_a_colour():
    rng = random.Random(1)
    for _ in range(1000):
        racers = line_up(rng)
        assert len({style.light for style in styles(racers)}) == len(racers)


@pytest.mark.parametrize("rule", RULES, ids=OPTIMIZERS)
def test_a_full_line_up_of_one_optimizer_has_a_style_for_each(rule):
    assert len(set(styles([rule()] * MAX_RACERS))) == MAX_RACERS


@pytest.mark.parametrize("rule", RULES, ids=OPTIMIZERS)
def test_an_optimizers_first_racer_keeps_its_own_style_whoever_runs_beside_it(rule):
    """But for an older optimizer that has the same colour: there are more rules than colours."""
    rng = random.Random(2)
    (own,) = styles([rule()])
    older = tuple(other for other in RULES[: RULES.index(rule)] if styles([other()])[0].light == own.light)
    assert bool(older) == (RULES.index(rule) >= len(STYLES))
    for _ in range(200):
        before = [racer for racer in line_up(rng, 6) if not isinstance(racer, (rule, *older))]
        racers = [*before, rule(), *(racer for racer in line_up(rng, 5) if not isinstance(racer, older))]
        assert styles(racers)[len(before)] == own
        for gone in range(len(before)):
            assert styles([*racers[:gone], *racers[gone + 1 :]])[len(before) - 1] == own


@pytest.mark.parametrize("theme", THEMES)
def test_a_swatch_is_a_picture_of_the_line_and_its_marker(theme):
    for style in (*STYLES, *FURTHER, REPLAY, OWN):
        kind, _, data = swatch(style, theme).partition(",")
        assert kind == "data:image/svg+xml;base64"
        line, marker = ET.fromstring(base64.b64decode(data))
        assert line.get("stroke") == marker.get("fill") == style.color(theme)
        assert tuple(map(int, line.get("stroke-dasharray", "").split())) == style.dash
        assert len(marker.get("points").split()) == len(style.marker)


@pytest.mark.parametrize("page", SETUPS)
def test_every_variable_that_the_browser_is_sent_has_a_colour_in_each_theme(page):
    parts = [part.proto for part in opened(page).get("bidi_component")]
    sent = "".join(part.json + part.bytes.decode() for part in parts)
    used = set(re.findall(r"var\((--[\w-]+)\)", sent))
    assert used
    for name in used:
        both = re.search(rf"{name}: light-dark\((#\w{{6}}), (#\w{{6}})\);", css_variables(".stage"))
        assert f"{name}: {both[1]};" in css_variables(".stage")  # for a browser that knows no light-dark()
