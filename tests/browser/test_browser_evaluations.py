"""The curves over evaluations, and the crosses of refused trials, in a real browser."""

import numpy as np
import pytest

from engine import OPTIMIZERS
from ui.setup.pages import RaceSetup

RACE = RaceSetup(
    landscape="Rosenbrock",
    start=(-1.2, 1.0),
    steps=30,
    over="evaluations",
    racers=(*(OPTIMIZERS[name](learning_rate=1e-3) for name in ("SGD", "SAM")), OPTIMIZERS["BFGS"]()),
)
AXES = "stage.views.get('loss').plot._fullLayout"
# the middle of each line that is as long as one of a cross, and where the trials of a record are
CROSSES = """(() => {
    const view = stage.views.get("map"), pen = view.canvases[1].getContext("2d"), middles = [];
    let from;
    pen.moveTo = (x, y) => { from = [x, y]; CanvasRenderingContext2D.prototype.moveTo.call(pen, x, y); };
    pen.lineTo = (x, y) => {
        const [wide, high] = [x - from[0], Math.abs(y - from[1])];
        if (Math.abs(wide - 7) < 1e-6 && Math.abs(high - 7) < 1e-6) middles.push([x - 3.5, (y + from[1]) / 2]);
        CanvasRenderingContext2D.prototype.lineTo.call(pen, x, y);
    };
    stage.go(given);
    delete pen.moveTo;
    delete pen.lineTo;
    const { x, y, rejected, ["move across"]: across, ["move up"]: up } = stage.tracks.at(-1).values;
    const trials = Array.from({ length: rejected[given] }, (_, i) => 2 ** (i + 1));
    const place = (longer) => view.project(x[given] + longer * across[given], y[given] + longer * up[given]);
    return [middles, trials.map(place), place(0)];
})()"""


@pytest.fixture(scope="module")
def opened(shared_window):
    return shared_window().open(RACE)


@pytest.mark.parametrize("step", [0, 7, 30])
def test_each_head_stands_at_what_its_racer_has_evaluated(opened, step):
    opened.page.locator(".scrub").fill(str(step))
    places = opened.ask(
        f"""stage.views.get('loss').heads.map(({{ name, place }}) => [
            name, {AXES}.xaxis.p2c(place[0] - {AXES}.xaxis._offset)])"""
    )
    expected = opened.ask("stage.tracks.map(({ name, values }) => [name, values.evaluations[given]])", step)
    assert dict(places) == pytest.approx(dict(expected), abs=0.5)
    assert dict(expected)["SAM"] == 2 * dict(expected)["SGD"] == 2 * step
    cells = opened.ask("stage.tracks.map(({ cells }) => cells.at(-2).textContent.trim())")
    assert cells == [f"{value:.0f}" for _, value in expected]


def test_a_cross_stands_at_each_trial_that_was_refused_and_none_where_none_was(opened):
    counts = set()
    for step in (0, 5, 10, 30):
        middles, trials, start = opened.ask(CROSSES, step)
        seen = [trial for trial in trials if np.hypot(*np.subtract(trial, start)) > 3.5]
        np.testing.assert_allclose(sorted(map(tuple, middles)), sorted(map(tuple, 4 * seen)), atol=1e-3)
        counts.add(len(seen))
    assert len(counts) > 1
