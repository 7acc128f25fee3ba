"""The curves in the place of the loss and the gradient field, in a real browser."""

import pytest

from engine import OPTIMIZERS
from ui.draw.field import ARROWS
from ui.setup.curves import CURVES, LOSS
from ui.setup.pages import RaceSetup

RACE = RaceSetup(
    landscape="Ravine",
    start=(-8.0, 4.0),
    steps=40,
    racers=(OPTIMIZERS["SGD"](learning_rate=0.005), OPTIMIZERS["Momentum"](), OPTIMIZERS["Adam"](learning_rate=0.1)),
)
AXES = "stage.views.get('loss').plot._fullLayout"


@pytest.fixture(scope="module")
def opened(shared_window):
    return shared_window().open(RACE)


def choose(visitor, words):
    """Choose a curve from the list by keyboard alone."""
    before = visitor.race
    box = visitor.page.get_by_role("combobox", name="Curve")
    box.focus()
    visitor.page.keyboard.press("ArrowDown")
    visitor.page.get_by_role("option", name=words, exact=True).wait_for()
    box.fill(words)
    visitor.page.keyboard.press("Enter")
    visitor.drawn(before)


def test_each_head_stands_where_its_number_is_and_the_loss_comes_back_as_it_was(opened):
    opened.press("End")
    usual, still = opened.race, opened.standing()["loss"]
    names = ["gradient norm", "step length", "effective rate, x", "effective rate, y", "sharpness"]
    assert len(names) == len(CURVES) - 1
    for name in names:
        choose(opened, name)
        assert opened.ask(f"{AXES}.yaxis.title.text").startswith(
            name.split(",")[0].replace("effective", "effective learning")
        )
        for step in (0, 7, 40):
            opened.page.locator(".scrub").fill(str(step))
            heads = opened.ask(
                f"""stage.views.get('loss').heads.map(({{ track, place }}) => [
                    track.values.curve[given], {AXES}.yaxis.p2c(place[1] - {AXES}.yaxis._offset),
                    {AXES}.xaxis.p2c(place[0] - {AXES}.xaxis._offset), {AXES}.yaxis.range])""",
                step,
            )
            assert heads
            for value, drawn, at, (low, high) in heads:
                assert at == pytest.approx(step, abs=0.2)
                if low <= value <= high:
                    assert drawn == pytest.approx(value, abs=0.01 * (high - low))
        cells = opened.ask("stage.tracks.map(({ cells }) => cells.at(-2).textContent)")
        values = opened.ask("stage.tracks.map(({ values }) => values.curve[given])", 40)
        for cell, value in zip(cells, values, strict=True):
            assert float(cell.replace("−", "-")) == pytest.approx(value, rel=0.01, abs=6e-4)
    assert "curve=sharpness" in opened.page.url
    choose(opened, LOSS)
    assert opened.race == usual
    assert "curve" not in opened.page.url
    assert opened.standing()["loss"] == still


def test_the_field_is_switched_on_and_off_and_the_zoom_stays(opened):
    lines = "stage.views.get('map').plot.querySelectorAll('.scatterlayer .lines path').length"
    before, still = opened.ask(lines), opened.standing()["map"]
    zoom = "[...stage.views.get('map').plot._fullLayout.xaxis.range]"
    place = opened.page.locator(".view").nth(1).bounding_box()
    opened.page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    opened.page.keyboard.down("Control")
    opened.page.mouse.wheel(0, -240)
    opened.page.keyboard.up("Control")
    opened.wait(f"{zoom}[1] - {zoom}[0] < 19")
    opened.rest(zoom)
    zoomed = opened.ask(zoom)
    race = opened.race
    switch = opened.page.locator(".st-key-race-field input")
    switch.focus()
    opened.page.keyboard.press("Space")
    opened.drawn(race)
    assert opened.ask(lines) > before + ARROWS**2 / 4  # those that the zoom leaves in view
    assert "field=1" in opened.page.url
    assert opened.ask(zoom) == pytest.approx(zoomed)
    race = opened.race
    switch.focus()
    opened.page.keyboard.press("Space")
    opened.drawn(race)
    assert opened.ask(lines) == before
    assert opened.standing()["map"][0] == still[0]
