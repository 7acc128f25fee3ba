"""2D Regression in a real browser: all views move by one step, a click moves the start, the parts below change."""

from dataclasses import replace

import pytest

from engine import OPTIMIZERS
from ui.setup.pages import RegressionSetup

VIEWS = ("bowl", "map", "loss")
RACE = RegressionSetup(
    examples=20,
    noise=30.0,
    seed=3,
    start=(10.0, 2.0),
    steps=40,
    batch=4,
    racers=(OPTIMIZERS["SGD"](learning_rate=5e-5), OPTIMIZERS["Adam"](learning_rate=0.5)),
)


@pytest.fixture(scope="module")
def opened(shared_window):
    return shared_window().open(RACE)


def test_it_opens_paused_at_the_start(opened):
    assert opened.ask("[stage.playing, stage.at]") == [False, 0]
    assert opened.page.locator(".when").inner_text().split() == ["iteration", "0", "of", "40"]


def test_play_moves_the_net_the_paths_and_the_losses_while_what_stands_still_stays(opened):
    opened.page.locator(".speed").select_option("0.5")  # slow enough to be looked at on the way
    before, ground = opened.moving(), opened.standing()
    assert all(opened.drawing(view) for view in VIEWS)
    opened.page.locator(".play").click()
    opened.wait("stage.playing && stage.at > 5")
    during = opened.moving()
    opened.page.locator(".play").click()
    opened.wait("!stage.playing")
    assert set(during) == set(VIEWS)
    assert all(during[view] != before[view] for view in VIEWS)
    assert opened.standing() == ground


def test_scrubbing_back_brings_the_same_picture_back(opened):
    opened.press("Home")
    start = opened.moving()
    opened.page.locator(".scrub").fill("30")
    assert opened.ask("stage.at") == 30
    assert all(opened.moving()[view] != start[view] for view in VIEWS)
    opened.page.locator(".scrub").fill("0")
    assert opened.moving() == start


def test_a_racer_that_is_hidden_takes_its_net_along(opened):
    opened.press("End")
    both = opened.moving()
    opened.page.locator(".legend button", has_text="Adam").click()
    assert all(opened.moving()[view] != both[view] for view in VIEWS)
    opened.page.locator(".legend button", has_text="Adam").click()
    assert opened.moving() == both


def test_a_click_on_the_map_moves_the_start(visitor):
    visitor.open(RACE)
    before = visitor.race
    x, y = visitor.ask(
        "(() => { const { xaxis, yaxis } = stage.views.get('map').plot._fullLayout;"
        " return [xaxis._offset + xaxis.d2p(-2), yaxis._offset + yaxis.d2p(14)]; })()"
    )
    # relative to the view, which may still be pushed about by what comes above it
    visitor.page.locator(".view[data-click]").click(position={"x": x, "y": y})
    visitor.drawn(before)
    first = visitor.ask("stage.tracks.map(({ values }) => [values.theta1[0], values.theta2[0]])")
    for point in first:
        assert point == pytest.approx([-2, 14], abs=0.2)


def test_another_moment_marks_another_batch(visitor):
    visitor.open(replace(RACE, below="batch", moment=3))
    batch = "document.querySelector('.st-key-regression-data .js-plotly-plot')?.data?.[1]?.x?._inputArray"
    marked = f"() => [...{batch}]"
    visitor.page.wait_for_function(batch)
    before = visitor.page.evaluate(marked)
    assert len(before) == RACE.batch
    visitor.page.locator(".st-key-regression-moment input[type=range]").focus()
    visitor.page.keyboard.press("ArrowRight")
    visitor.page.wait_for_function(
        f"before => JSON.stringify(({marked})()) !== before", arg=str(before).replace(" ", "")
    )
    assert len(visitor.page.evaluate(marked)) == RACE.batch
    assert "at=4" in visitor.page.url


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_a_phone_nothing_is_wider_than_the_page(window, theme):
    phone = window(420, 900, theme=theme).open(replace(RACE, below="curvature"))
    phone.page.locator(".st-key-regression-curvature .js-plotly-plot").wait_for()
    width = phone.page.evaluate(
        "Math.max(...[...document.querySelectorAll('[data-testid=stMain] *')]"
        ".filter((e) => e.closest('.stage, [data-testid=stMarkdown], .st-key-regression-below') && !e.closest('math'))"
        ".map((e) => e.getBoundingClientRect().right))"
    )
    assert width <= 420


TOOLBAR = "[data-testid=stElementToolbar]"


def test_on_a_phone_the_buttons_above_a_table_cover_no_tab(window):
    page = window(390, 844).open(RegressionSetup()).page
    page.locator(TOOLBAR).first.wait_for(state="attached")
    page.wait_for_function(
        """toolbar => {
            const { left, right, top, bottom } = document.querySelector(toolbar).getBoundingClientRect();
            const radios = [...document.querySelectorAll("[class*=-below] [role=radio]")];
            const tabs = radios.map((tab) => tab.getBoundingClientRect());
            return right > left && tabs.length && !tabs.some((tab) =>
                tab.left < right && left < tab.right && tab.top < bottom && top < tab.bottom);
        }""",
        arg=TOOLBAR,
    )


def test_another_preset_begins_at_its_start_with_the_way_ahead_hidden_and_a_turned_knob_does_not(visitor):
    visitor.open(RACE)
    visitor.press("End")
    before = visitor.race
    visitor.page.locator(".st-key-regression-steps input[type=range]").focus()
    visitor.page.keyboard.press("ArrowLeft")
    visitor.drawn(before)
    assert visitor.ask("stage.at === stage.last && stage.revealed")
    before = visitor.race
    visitor.page.locator(".st-key-regression-preset input").click()
    visitor.page.get_by_role("option", name="As in the notebook: Adam").click()
    visitor.drawn(before)
    assert visitor.ask("[stage.at, stage.playing, stage.revealed]") == [0, False, False]
