"""The stage's parts that the race does not use, on a page of their own: lines, sheets, arrows, and where it stands."""

import base64
import io
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ui.draw.palette import STYLES
from ui.draw.stage.browser import STATIC

QUICK, SLOW, WILD = (style.light for style in STYLES[:3])
PURE = "#ff00ff"  # nothing else on the page has this colour
FIT, SURFACE = "stage.views.get('fit')", "stage.views.get('surface')"
TOLD = "(() => { stage.told = []; stage.trigger = (...what) => stage.told.push(what); })()"


@pytest.fixture(scope="module")
def server(serving, tmp_path_factory):
    """A server of the page in ``parts_app.py``, beside the files that Streamlit serves."""
    place = tmp_path_factory.mktemp("parts")
    (place / "static").symlink_to(STATIC)
    app = shutil.copy(Path(__file__).with_name("parts_app.py"), place)
    with serving(place / "log.txt", str(app)) as address:
        yield address


@pytest.fixture
def tangent(visitor):
    """A stage that is told where to stand and says where it stands: one racer, two views, and real numbers as steps."""
    return visitor.go(f"{visitor.server}?tangent")


@pytest.fixture(scope="module")
def opened_fits(shared_window):
    """A stage with a line, a sheet, and a path with an arrow: two racers, and iterations as steps."""
    visitor = shared_window()
    return visitor.go(f"{visitor.server}?fits")


@pytest.fixture
def fits(opened_fits):
    """The same at its start with all racers shown, for tests that change nothing else."""
    hidden = opened_fits.page.locator(".legend button[aria-pressed=false]")
    while hidden.count():
        hidden.first.click()
    opened_fits.press("Home")
    return opened_fits


@pytest.fixture
def own_fits(visitor):
    """The same, for a test that changes its numbers."""
    return visitor.go(f"{visitor.server}?fits")


def stand(visitor, at: float) -> None:
    """Stand at a record, or between two as while playing."""
    visitor.ask("(() => { stage.move(0); stage.at = given; stage.draw(true); })()", at)


def painted(visitor, view: str, color: str = "") -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows of the pixels on the moving canvas of a view: those of a colour, or all that are painted."""
    picture = io.BytesIO(base64.b64decode(visitor.moving()[view].partition(",")[2]))
    pixels = np.asarray(Image.open(picture).convert("RGBA"), int)
    wanted = [int(color[i : i + 2], 16) for i in (1, 3, 5)] if color else []
    there = pixels[..., 3] > (100 if color else 0)  # of its edges, what is clear enough to have a colour
    if color:
        there &= (np.abs(pixels[..., :3] - wanted) < 12).all(axis=2)
    rows, columns = np.nonzero(there)
    return columns + 0.5, rows + 0.5


def plot(visitor, view: str) -> tuple[float, float, float, float]:
    """The left, right, upper and lower edge of a plane's plot in pixels."""
    return visitor.ask(
        "(({ xaxis: x, yaxis: y }) => [x._offset, x._offset + x._length, y._offset, y._offset + y._length])"
        "(stage.views.get(given).plot._fullLayout)",
        view,
    )


def at_once(visitor, *acts: str) -> None:
    """Press keys, and the button ``.forward``, in one moment, however busy the machine is."""
    visitor.ask(
        """given.forEach((act) => act.startsWith(".") ? stage.root.querySelector(act).click()
            : stage.root.dispatchEvent(new KeyboardEvent("keydown", { key: act, bubbles: true })))""",
        acts,
    )


def drag(visitor, at: int) -> None:
    """Drag the scrubber to a record, and hold it there."""
    visitor.page.locator(".scrub").evaluate(
        "(scrub, at) => { scrub.value = at; scrub.dispatchEvent(new Event('input', { bubbles: true })); }", at
    )


def told(visitor, what: list[int]) -> None:
    """Wait until Python says that it was told this."""
    visitor.page.get_by_text(f"told {what}", exact=True).wait_for()


# ---- what is drawn


@pytest.mark.parametrize("at", [1, 7, 7.5, 20])
def test_a_line_lies_where_its_numbers_say_from_edge_to_edge(fits, at):
    fits.page.locator(".legend button", has_text="slow").click()
    stand(fits, at)
    columns, rows = painted(fits, "fit", QUICK)
    left, right, upper, lower = plot(fits, "fit")
    done = 1 - np.interp(at, np.arange(21), 0.6 ** np.arange(21))
    x = -0.5 + 4 * (columns - left) / (right - left)
    y = done * (1 + 2 * x)
    np.testing.assert_allclose(rows, lower - (lower - upper) * (y + 1) / 10, atol=2.5)  # it is 2.2 pixels thick
    assert abs(np.mean(rows - (lower - (lower - upper) * (y + 1) / 10))) < 0.4
    assert columns.min() < left + 2
    assert columns.max() > right - 2


def test_a_steep_line_stays_inside_its_plot(own_fits):
    fits = own_fits
    for slope in (1e3, -1e30, np.inf):
        fits.ask("stage.tracks[0].values.slope.fill(given)", float(slope) if np.isfinite(slope) else "Infinity")
        stand(fits, 3)
        columns, rows = painted(fits, "fit")
        left, right, upper, lower = plot(fits, "fit")
        assert columns.min() >= left - 1
        assert columns.max() <= right + 1
        assert rows.min() >= upper - 1
        assert rows.max() <= lower + 1
    assert fits.where_painted("fit", SLOW)


def test_an_arrow_goes_from_its_place_to_its_tip(fits):
    fits.page.locator(".legend button", has_text="slow").click()  # a racer alone has no name beside it, in its colour
    stand(fits, 1)
    columns, rows = painted(fits, "loss", QUICK)
    left, right, upper, lower = plot(fits, "loss")
    tip = left + (right - left) * (1 + 1 + 2 * 0.6) / 20, lower - (lower - upper) * (0.6**2 + 0.5)
    assert np.hypot(columns - tip[0], rows - tip[1]).min() < 3
    assert columns.max() < tip[0] + 4
    middle = left + (right - left) * (1 + 0.5 + 0.6) / 20, lower - (lower - upper) * (0.6**2 + 0.25)
    assert np.hypot(columns - middle[0], rows - middle[1]).min() < 2


@pytest.mark.parametrize(("width", "density"), [(1400, 1), (420, 2)])
def test_a_sheet_is_drawn_where_plotly_draws_the_same_points(window, width, density):
    visitor = window(width, device={"device_scale_factor": density})
    visitor.go(f"{visitor.server}?fits")
    view = visitor.page.locator(".view").nth(1)
    view.scroll_into_view_if_needed()
    visitor.ask(f"Plotly.restyle({SURFACE}.plot, {{hidesurface: true}}, [0]).then(() => 1)")
    for at, eye in ((3, (-0.9, -1.8, 1.8)), (20, (1.9, 0.8, 1.1))):
        stand(visitor, at)
        seen = visitor.ask(f"{SURFACE}.seen")
        visitor.ask(
            f"Plotly.relayout({SURFACE}.plot, {{'scene.camera.eye': given}}).then(() => 1)",
            dict(zip("xyz", eye, strict=True)),
        )
        visitor.wait(f"{SURFACE}.seen !== given", seen)
        for x, y in ((-5 / 3, -0.8), (5 / 3, 0.8), (-2 / 3, 0.2)):
            height = (1 - 0.6**at) * (3 * x**2 + 9 * y**2)
            marker = {"color": PURE, "size": 12, "opacity": 1}
            lifted = {"type": "scatter3d", "x": [x], "y": [y], "z": [height + 0.01 * 27], "mode": "markers"}
            visitor.ask(f"Plotly.addTraces({SURFACE}.plot, [given]).then(() => 1)", {**lifted, "marker": marker})
            visitor.rest(f"{SURFACE}.project(-2, -1, 0)")
            pixels = np.asarray(Image.open(io.BytesIO(visitor.see("surface"))).convert("RGB"), int)
            rows, columns = np.nonzero((np.abs(pixels - [255, 0, 255]) < 40).all(axis=2))
            plotlys = (columns.mean() + 0.5) / density, (rows.mean() + 0.5) / density
            assert visitor.ask(f"{SURFACE}.project(...given)", [x, y, height]) == pytest.approx(plotlys, abs=0.7)
            columns, rows = painted(visitor, "surface")
            assert np.hypot(columns / density - plotlys[0], rows / density - plotlys[1]).min() < 1
            corner = visitor.ask(f"{SURFACE}.project(-2, 1, given)", (1 - 0.6**at) * 21)
            assert np.hypot(columns / density - corner[0], rows / density - corner[1]).min() < 1
            visitor.ask(f"Plotly.deleteTraces({SURFACE}.plot, [-1]).then(() => 1)")


def test_a_sheet_changes_with_the_step_and_between_two(fits):
    pictures = []
    for at in (0, 1, 1.5, 2, 20):
        stand(fits, at)
        pictures.append(fits.moving()["surface"])
    assert len(set(pictures)) == len(pictures)


def test_a_sheet_that_leaves_the_scene_is_cut_off_there(own_fits):
    fits = own_fits
    before = fits.race
    fits.page.get_by_text("a third").click()
    fits.drawn(before)
    for name in ("quick", "slow"):
        fits.page.locator(".legend button", has_text=name).click()
    stand(fits, 19)
    columns, rows = painted(fits, "surface")
    corners = np.array(
        [fits.ask(f"{SURFACE}.project(...given)", [x, y, z]) for x in (-2, 2) for y in (-1, 1) for z in (-3, 24)]
    )
    assert len(columns) > 0
    assert corners[:, 0].min() - 1 < columns.min() < columns.max() < corners[:, 0].max() + 1
    assert corners[:, 1].min() - 1 < rows.min() < rows.max() < corners[:, 1].max() + 1


def test_a_hidden_racers_line_and_sheet_are_gone(fits):
    stand(fits, 5)
    assert fits.where_painted("fit", SLOW)
    both = len(painted(fits, "surface")[0])
    fits.page.locator(".legend button", has_text="slow").click()
    assert fits.where_painted("fit", SLOW) is None
    assert 0 < len(painted(fits, "surface")[0]) < both
    fits.page.locator(".legend button", has_text="quick").click()
    assert all(len(painted(fits, view)[0]) == 0 for view in ("fit", "surface", "loss"))


# ---- what is said


def test_a_racer_alone_has_no_button_to_hide_it(tangent):
    legend = tangent.page.locator(".legend")
    assert legend.inner_text() == "tangent"
    assert legend.locator("button").count() == 0
    assert legend.get_attribute("role") is None


def test_the_index_is_counted_under_its_own_name(fits):
    stage = fits.page.locator(".stage")
    fits.press("ArrowRight")
    assert stage.locator(".when").inner_text().split() == ["iteration", "1", "of", "20"]
    assert stage.locator(".scrub").get_attribute("aria-valuetext") == "iteration 1 of 20"
    assert stage.locator(".numbers thead th").nth(1).inner_text() == "iteration"
    assert stage.locator(".forward").get_attribute("title") == "One iteration forward (right arrow)"
    assert "iteration" in stage.get_attribute("aria-label")


def test_an_index_of_real_numbers_says_its_value_and_keeps_its_width(tangent):
    stage = tangent.page.locator(".stage")
    said, widths = [], []
    for at in (0, 59, 60, 61, 120):
        stage.locator(".scrub").fill(str(at))
        said.append(stage.locator(".when").inner_text())
        widths.append(stage.locator(".when").bounding_box()["width"])
        assert stage.locator(".numbers tbody td").first.inner_text() == said[-1].split()[-1]
    assert said == ["x₀ = −3.00", "x₀ = −0.05", "x₀ =  0.00", "x₀ =  0.05", "x₀ =  3.00"]
    assert len(set(widths)) == 1
    assert stage.locator(".scrub").get_attribute("aria-valuetext") == "x₀ = 3.00"


def test_how_a_run_ended_is_said_and_only_one_that_was_lost_is_crossed_out(own_fits):
    fits = own_fits
    before = fits.race
    fits.page.get_by_text("a third").click()
    fits.drawn(before)
    rows = fits.page.locator(".numbers tbody").locator("tr")
    stand(fits, 11)
    assert not any("iteration" in words for words in rows.all_inner_texts())
    stand(fits, 12)
    assert "converged at iteration 12: its loss hardly changes" in rows.nth(0).inner_text()
    fits.press("End")
    quick, slow, wild = rows.all_inner_texts()
    assert "converged at iteration 12" in quick
    assert "at iteration" not in slow
    assert "diverged at iteration 15" in wild
    assert fits.ask("stage.tracks.map((track) => [track.ended, track.lost])") == [
        [12, False],
        [None, False],
        [15, True],
    ]


def test_of_two_views_one_is_large_and_a_phone_stacks_them(window):
    visitor = window()
    visitor.go(f"{visitor.server}?tangent")
    first, second = (view.bounding_box() for view in visitor.page.locator(".stage").locator(".view").all())
    assert first["width"] > 1.5 * second["width"]
    assert (first["y"], first["height"]) == (second["y"], second["height"])
    visitor.page.set_viewport_size({"width": 420, "height": 900})
    visitor.wait("stage.views.get('curve').canvases[1].clientWidth < 420")
    first, second = (view.bounding_box() for view in visitor.page.locator(".stage").locator(".view").all())
    assert first["y"] + first["height"] <= second["y"]
    assert visitor.page.locator("[data-testid=stMain]").evaluate("e => e.scrollWidth - e.clientWidth") <= 0


def test_two_stages_on_a_page_move_each_by_itself(visitor):
    at = "[...document.querySelectorAll('.stage')].map((root) => root.stage.at)"
    visitor.go(f"{visitor.server}?tangent&fits")
    visitor.page.wait_for_function(f"{at}.length === 2 && document.querySelectorAll('[data-drawn]').length === 2")
    assert visitor.ask(at) == [0, 40]
    visitor.page.locator(".forward").nth(1).click()
    assert visitor.ask(at) == [0, 41]
    visitor.page.locator(".play").first.click()
    visitor.wait("stage.at > 1")
    assert visitor.ask(at)[1] == 41


# ---- where it stands


def test_it_opens_where_python_says_and_goes_where_python_says_next(tangent):
    assert tangent.ask("stage.at") == 40
    tangent.page.get_by_label("at", exact=True).fill("75")
    tangent.page.keyboard.press("Enter")
    tangent.wait("stage.at === 75")
    assert tangent.ask("[stage.playing, stage.revealed]") == [False, True]
    told(tangent, [])  # what Python said is not told back to it


@pytest.mark.parametrize("follow", [True, False])
def test_new_numbers_leave_it_where_it_is(tangent, follow):
    if not follow:
        tangent.page.get_by_text("follow").click()
    tangent.page.locator(".scrub").fill("52")
    told(tangent, [52])
    before = tangent.race
    tangent.page.get_by_label("factor").fill("2")
    tangent.page.keyboard.press("Enter")
    tangent.drawn(before)
    tangent.wait("Math.max(...stage.tracks[0].values.y) > 1.9")
    assert tangent.ask("[stage.at, stage.message.at]") == [52, 52 if follow else 40]


def test_keys_and_buttons_tell_once_where_they_led_to(tangent):
    at_once(tangent, "ArrowRight", "ArrowRight", "ArrowRight", ".forward")
    told(tangent, [44])
    tangent.page.locator(".back").click()
    told(tangent, [44, 43])
    assert tangent.page.get_by_label("at", exact=True).input_value() == "43"


def test_play_tells_nothing_until_it_is_paused_or_over(tangent):
    tangent.ask(TOLD)
    at_once(tangent, "ArrowRight", " ")  # or it would be told where the arrow led to
    tangent.wait("stage.at > 50")  # more than half a second later
    assert tangent.ask("stage.told") == []
    tangent.press("Space")
    tangent.wait("stage.told.length")
    assert tangent.ask("stage.told[0][0] === 'at' && stage.told[0][1] === stage.at && Number.isInteger(stage.at)")
    tangent.page.locator(".scrub").fill("118")
    tangent.wait("stage.told.length === 2")
    tangent.press("Space")
    tangent.wait("stage.told.length === 3")
    assert tangent.ask("stage.told.slice(1)") == [["at", 118], ["at", 120]]


def test_a_drag_tells_where_it_was_let_go(tangent):
    tangent.ask(TOLD)
    tangent.page.locator(".scrub").scroll_into_view_if_needed()
    box = tangent.page.locator(".scrub").bounding_box()
    y = box["y"] + box["height"] / 2
    tangent.page.mouse.move(box["x"] + box["width"] / 3, y)
    tangent.page.mouse.down()
    tangent.page.mouse.move(box["x"] + box["width"] / 2, y, steps=5)
    tangent.later(400)
    assert tangent.ask("stage.told") == []
    assert 55 < tangent.ask("stage.at") < 65
    tangent.page.mouse.up()
    tangent.wait("stage.told.length")
    assert tangent.ask("stage.told[0][1] === stage.at")


def test_a_late_answer_does_not_take_it_back_from_where_it_has_gone_since(tangent):
    before = tangent.race
    tangent.page.get_by_text("slow").click()
    tangent.page.get_by_text("after a second").wait_for()
    tangent.page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    tangent.press("ArrowRight")
    tangent.page.wait_for_selector("[data-testid=stApp][data-test-script-state=running]")
    drag(tangent, 60)
    tangent.wait("stage.message.at === 41 && stage.root.dataset.drawn === stage.message.id")
    assert tangent.race != before
    assert tangent.ask("stage.at") == 60
    # and on: told while the answer before is still being made, which it may have overtaken before it was heard
    tangent.press("ArrowRight")
    tangent.page.wait_for_selector("[data-testid=stApp][data-test-script-state=running]")
    tangent.press("ArrowRight")
    tangent.page.get_by_text(re.compile(r"^told \[41, (61, )?62\]$")).wait_for()
    tangent.page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    assert tangent.ask("[stage.at, stage.message.at]") == [62, 62]


def test_a_stage_that_nobody_listens_to_tells_nothing(fits):
    fits.ask(TOLD)
    fits.press("ArrowRight")
    fits.later(500)
    assert fits.ask("[stage.at, stage.told.length]") == [1, 0]
