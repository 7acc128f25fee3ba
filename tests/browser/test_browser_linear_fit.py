"""Linear Fit in a real browser: the line, the loss and the path move by one step; a file of one's own is fitted."""

from dataclasses import replace
from urllib.parse import urlencode

import pytest

from engine import OPTIMIZERS
from ui.draw.styles import styles
from ui.setup.codec import encode
from ui.setup.pages import CSV, NOISY_LINE, SETUPS, FitSetup

VIEWS = ("data", "loss", "valley")
FIT = FitSetup(data=NOISY_LINE, model="intercept", rate=0.02, steps=40, tolerance=0.0, theta0=-4.0, theta=5.0)
COLOR = styles([OPTIMIZERS["SGD"]()])[0].light
GOOD = {"name": "points.csv", "mimeType": "text/csv", "buffer": b"a;b\n1;2,5\n2;oops\n3;7\n4;9,5\n"}
PICTURE = {"name": "points.csv", "mimeType": "text/csv", "buffer": b"\x89PNG\r\n\x1a\n\0\0"}


@pytest.fixture(scope="module")
def opened(shared_window):
    return shared_window().open(FIT)


def test_it_opens_paused_at_the_start(opened):
    assert opened.ask("[stage.playing, stage.at]") == [False, 0]
    assert opened.page.locator(".when").inner_text().split() == ["iteration", "0", "of", "40"]


def test_play_moves_the_line_the_loss_and_the_path_while_what_stands_still_stays(opened):
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


def test_scrubbing_and_stepping_take_every_view_along_and_back(opened):
    opened.press("Home")
    start = opened.moving()
    opened.page.locator(".scrub").fill("30")
    assert all(opened.moving()[view] != start[view] for view in VIEWS)
    opened.page.locator(".scrub").fill("0")
    assert opened.moving() == start
    opened.page.locator(".forward").click()
    assert opened.ask("stage.at") == 1
    assert all(opened.moving()[view] != start[view] for view in VIEWS)


def test_the_line_is_drawn_where_its_parameters_say(opened):
    for step in (0, 1, 40):
        opened.page.locator(".scrub").fill(str(step))
        intercept, slope = opened.ask(
            "[stage.tracks[0].values.intercept[given], stage.tracks[0].values.slope[given]]", step
        )
        drawn = opened.where_painted("data", COLOR)
        x, y = opened.ask(
            "(({ xaxis, yaxis }) => [xaxis.p2d(given[0] - xaxis._offset), yaxis.p2d(given[1] - yaxis._offset)])"
            "(stage.views.get('data').plot._fullLayout)",
            drawn,
        )
        # the middle of what is painted of a line lies on it
        assert y == pytest.approx(intercept + slope * x, abs=0.5)


def test_a_click_on_the_loss_moves_the_start_there(visitor):
    for setup in (FIT, replace(FIT, model="slope")):
        visitor.open(setup)
        before, area = visitor.race, visitor.page.locator(".view[data-click] .nsewdrag").bounding_box()
        x0, x1 = visitor.ask("stage.views.get('valley').plot._fullLayout.xaxis.range")
        visitor.page.mouse.click(area["x"] + 0.3 * area["width"], area["y"] + 0.4 * area["height"])
        visitor.drawn(before)
        drawn = visitor.ask("stage.tracks[0].values[given][0]", "θ₀" if setup.with_intercept else "θ")
        assert drawn == pytest.approx(x0 + 0.3 * (x1 - x0), abs=1.5 * (x1 - x0) / area["width"])
        visitor.page.wait_for_url(f"**{'theta0' if setup.with_intercept else 'theta'}={drawn:.4g}*")


def test_another_learning_rate_changes_the_path_and_not_the_loss_that_it_runs_on(visitor):
    visitor.open(FIT)
    ground = visitor.standing()
    visitor.page.locator(".scrub").fill("1")
    moving = visitor.moving()
    visitor.turn("fit-rate", "ArrowLeft")
    assert visitor.ask("stage.at") == 1
    assert all(visitor.moving()[view] != moving[view] for view in VIEWS)
    after = visitor.standing()
    assert [view for view in VIEWS if after[view] != ground[view]] == ["loss"]


def test_the_notebooks_fit_stops_where_it_says_and_its_numbers_are_written_out(visitor):
    visitor.open(SETUPS["Linear Fit"]())
    visitor.page.locator(".scrub").fill("9")
    cells = [cell.strip() for cell in visitor.page.locator(".numbers tbody td").all_inner_texts()]
    assert cells[:2] == ["9", "238.029"]
    assert cells[3].startswith("351806.3")
    visitor.press("End")
    assert "converged at iteration 10" in visitor.page.locator(".numbers tbody").inner_text()


def test_a_file_is_uploaded_fitted_refused_and_replaced(visitor):
    page = visitor.page
    page.goto(f"{visitor.server}/Linear_Fit?{urlencode(encode(replace(FIT, data=CSV, model='slope')), doseq=True)}")
    page.get_by_text("Upload a CSV file").wait_for()
    page.set_input_files("input[type=file]", GOOD)
    visitor.drawn()
    page.get_by_text("3 of 4 rows of the file are used. 1 left out").wait_for()
    figure = visitor.standing()["data"]
    visitor.page.locator(".scrub").fill("0")
    before = visitor.moving()
    visitor.press("End")
    assert all(visitor.moving()[view] != before[view] for view in VIEWS)
    page.set_input_files("input[type=file]", PICTURE)
    page.get_by_text("a PNG picture").wait_for()
    page.locator(".stage").wait_for(state="detached")
    page.set_input_files("input[type=file]", {**GOOD, "buffer": b"a,b\n1,-5\n2,-9\n4,-8\n"})
    visitor.drawn()
    assert visitor.standing()["data"] != figure
    assert visitor.drawing("data")
    # what the sliders show is what is used
    assert page.locator(".st-key-fit-steps input").get_attribute("aria-valuetext") == str(FIT.steps)


def test_a_choice_is_of_one_file_only(visitor):
    """The browser sends what it showed of the last file with the next one: that answers no question."""
    page = visitor.page
    page.goto(f"{visitor.server}/Linear_Fit?{urlencode(encode(replace(FIT, data=CSV, model='slope')), doseq=True)}")
    page.get_by_text("Upload a CSV file").wait_for()
    page.set_input_files("input[type=file]", {**GOOD, "buffer": b"a,b\n1,5.5\n2,9\n4,8\n"})
    page.get_by_text("3 of 3 rows of the file are used").wait_for()
    page.set_input_files("input[type=file]", {**GOOD, "buffer": b"a;2019\n1;1.250\n2;2.500\n4;3.000\n"})
    page.get_by_text("2 things about this file").wait_for()
    boxes = [page.get_by_role("combobox", name=label) for label in ("Separator", "Decimal sign", "The first row")]
    assert [box.input_value() for box in boxes] == ["semicolon", "", ""]
    for label, said in (("Decimal sign", "One thing about this file"), ("The first row", "3 of 3 rows")):
        page.get_by_role("combobox", name=label).focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.get_by_text(said).wait_for()


def test_on_a_phone_nothing_sticks_out(window):
    for setup in (SETUPS["Linear Fit"](), FIT):
        visitor = window(width=420, height=900).open(setup)
        visitor.press("End")
        for part in ("[data-testid=stMain]", ".numbers"):
            out = visitor.page.evaluate(
                "part => (e => e.scrollWidth - e.clientWidth)(document.querySelector(part))", part
            )
            assert out <= 1
