"""The race in a real browser: what one sees, and what happens when one touches it."""

import io
from dataclasses import replace
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from engine import LANDSCAPES, OPTIMIZERS
from engine.rule_text import parse_rule
from ui.draw.palette import COLORS
from ui.draw.stage.browser import stage_address
from ui.draw.styles import styles
from ui.frame import PAGES
from ui.setup.pages import SETUPS, RaceSetup

RULES = list(OPTIMIZERS.values())
VIEWS = ("surface", "map", "loss")
FIRST = styles([RULES[0]()])[0]  # drawn with a round marker, so that its middle is where it stands
PURE = "#ff00ff"  # nothing else on the page has this colour
# three racers that part at once, on a map where x and y cannot be taken for each other
RACE = RaceSetup(
    racers=(RULES[0](learning_rate=0.02), OPTIMIZERS["Lion"](), RULES[5]()),
    landscape="Booth",
    start=(-6.0, 9.0),
    steps=60,
)


@pytest.fixture(scope="module")
def opened(shared_window):
    return shared_window().open(RACE)


@pytest.fixture
def standing(opened):
    """The race of three at its start, in a window that it shares with other tests."""
    opened.page.locator(".speed").select_option("1")
    opened.press("Home")
    return opened


def middle(picture: bytes, color: str, density: float = 1) -> tuple[float, float]:
    """The middle of all pixels of a colour in a picture, in CSS pixels."""
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"), int)
    wanted = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    rows, columns = np.nonzero((np.abs(pixels - wanted) < 40).all(axis=2))
    assert len(rows) > 20, f"no {color} in the picture"
    return (columns.mean() + 0.5) / density, (rows.mean() + 0.5) / density


def test_a_cold_server_opens_a_deep_link_as_the_race_that_any_other_server_shows(window, tmp_path, serving):
    with serving(tmp_path / "log.txt") as cold:
        first = window().open(RACE, server=cold)
        race = first.race
        assert first.ask("stage.tracks.map((track) => track.name)") == [racer.name for racer in RACE.racers]
        first.page.close()
    assert window().open(RACE).race == race


def test_a_message_that_comes_after_the_next_one_changes_nothing(standing):
    """While a browser loads the scripts, Streamlit may hand on two messages in any order, and take the earlier back."""
    before, message = standing.race, standing.ask("stage.message")
    earlier = {**message, "id": "earlier", "order": message["order"] - 1, "waits": True}
    standing.page.evaluate(
        """async ([address, data]) => {
            const { show, leave } = await import(new URL(address, document.baseURI).href);
            const root = document.querySelector(".stage");
            show({ data, parentElement: root.parentElement, setTriggerValue() {} });
            leave(root.parentElement);
            await root.stage.ready;
        }""",
        [stage_address(), earlier],
    )
    assert standing.ask("stage.message") == message
    assert standing.race == before
    standing.press("End")
    assert standing.ask("stage.at === stage.last")
    standing.turn("race-steps")
    assert standing.race != before
    standing.turn("race-steps", "ArrowLeft")


@pytest.mark.each_browser
def test_play_moves_all_views_while_what_stands_still_stays(standing):
    standing.page.locator(".speed").select_option("0.5")  # slow enough to be looked at on the way
    before, ground = standing.moving(), standing.standing()
    assert all(standing.drawing(view) for view in VIEWS)
    standing.page.locator(".play").click()
    standing.wait("stage.playing && stage.at > 10")
    during = standing.moving()
    assert all(during[view] != before[view] for view in VIEWS)
    assert standing.standing() == ground
    seen = standing.ask("stage.playing && stage.at")
    standing.page.locator(".play").click()
    standing.wait("!stage.playing")
    at = standing.ask("stage.at")
    assert at == round(at) >= round(seen) >= 10


def test_while_it_plays_nothing_is_put_into_the_page_or_taken_out(standing):
    # browsers would look at every rule with :has() again, at each frame, and some of those restyle the whole page
    standing.press("Space")
    standing.page.evaluate(
        """async () => {
            const { stage } = document.querySelector(".stage");
            const from = stage.at;
            window.changed = [];
            const observer = new MutationObserver((all) => changed.push(...all.map(({ target }) => target.outerHTML)));
            observer.observe(document.body, { childList: true, subtree: true });
            while (stage.playing && stage.at < from + 8) await new Promise(requestAnimationFrame);
            observer.disconnect();
            if (!stage.playing) changed.push("it has stopped");
        }"""
    )
    standing.press("Space")
    assert standing.page.evaluate("changed") == []


def test_play_stops_at_the_end_and_starts_again_from_there(standing):
    standing.page.locator(".speed").select_option("5")
    standing.press("Space")
    standing.wait("!stage.playing && stage.at === stage.last")
    standing.page.locator(".speed").select_option("0.25")
    standing.press("Space")
    standing.wait("stage.playing && stage.at < stage.last / 2")


def test_the_next_step_and_the_one_before_are_a_press_away(standing):
    pictures = [standing.moving()]
    for _ in range(2):
        standing.page.locator(".forward").click()
        pictures.append(standing.moving())
    assert standing.ask("stage.at") == 2
    assert all(a[view] != b[view] for a, b in pairwise(pictures) for view in VIEWS)
    standing.page.locator(".back").click()
    assert standing.moving() == pictures[1]


@pytest.mark.each_browser
def test_the_keys_move_as_far_as_they_say_and_no_further_than_the_ends(standing):
    for key, step in (
        ("ArrowLeft", 0),
        ("ArrowRight", 1),
        ("End", 60),
        ("ArrowRight", 60),
        ("ArrowLeft", 59),
        ("Home", 0),
        ("PageUp", 25),
        ("PageDown", 0),
    ):
        standing.press(key)
        assert standing.ask("stage.at") == step
        assert standing.page.locator(".when").inner_text().split()[1] == str(step)
        assert standing.page.locator(".scrub").input_value() == str(step)
    standing.press("Space")
    standing.wait("stage.playing")
    standing.press("Space")
    standing.wait("!stage.playing")


def test_after_a_press_on_a_view_the_arrow_keys_step(standing):
    box = standing.page.locator(".view").first.bounding_box()
    standing.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    standing.page.keyboard.press("ArrowRight")
    assert standing.ask("stage.at") == 1


@pytest.mark.each_browser
def test_the_scrubber_takes_every_view_to_its_step(standing):
    before, scrubber = standing.moving(), standing.page.locator(".scrub")
    scrubber.fill("37")
    assert standing.ask("stage.at") == 37
    assert all(standing.moving()[view] != before[view] for view in VIEWS)
    box = scrubber.bounding_box()
    standing.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert 27 <= standing.ask("stage.at") <= 33


def test_the_numbers_under_the_views_are_those_of_the_step(standing):
    for step in (0, 7, 60):
        standing.page.locator(".scrub").fill(str(step))
        rows = standing.page.locator(".numbers tbody tr")
        for row, racer in zip(rows.all(), RACE.racers, strict=True):
            name, *cells = [cell.strip().replace("−", "-") for cell in row.locator("th, td").all_inner_texts()]
            track = standing.ask("stage.tracks.find((t) => t.name === given).values", racer.name)
            assert (name, int(cells[0])) == (racer.name, step)
            for cell, quantity in zip(cells[1:], ("x", "y", "loss"), strict=False):
                assert float(cell) == pytest.approx(track[quantity][step], rel=1e-2, abs=1e-3)


@pytest.mark.parametrize("key", ["ArrowRight", "Space"])
def test_it_stands_at_the_start_and_hides_the_way_ahead_until_it_is_moved(visitor, key):
    visitor.open(RACE)
    assert visitor.ask("[stage.at, stage.playing, stage.frames]") == [0, False, 0]
    assert visitor.page.locator(".when").inner_text().split() == ["step", "0", "of", "60"]
    ahead = (
        "[...stage.views.values()].map(({ canvases: [c] }) =>"
        " c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(Boolean))"
    )
    assert visitor.ask(ahead) == [False] * 3
    visitor.press(key)
    assert visitor.ask(ahead) == [True] * 3


def test_the_legend_hides_a_racer_and_brings_it_back(standing):
    standing.press("End")
    before, color = standing.moving(), styles(RACE.racers)[1].light
    assert all(standing.where_painted(view, color) for view in VIEWS)
    racer = standing.page.locator(".legend button").nth(1)
    racer.click()
    assert racer.get_attribute("aria-pressed") == "false"
    assert not any(standing.where_painted(view, color) for view in VIEWS)
    assert "hidden" in standing.page.locator(".numbers tbody tr").nth(1).get_attribute("class")
    racer.click()
    assert standing.moving() == before


def test_a_click_on_the_map_moves_the_start_there(visitor):
    visitor.open(replace(RACE, racers=RACE.racers[:1]))
    before, area = visitor.race, visitor.page.locator(".view[data-click] .nsewdrag").bounding_box()
    ((x0, x1), (y0, y1)) = LANDSCAPES[RACE.landscape].domain
    across, up = 0.3, 0.8
    visitor.page.mouse.click(area["x"] + across * area["width"], area["y"] + (1 - up) * area["height"])
    visitor.drawn(before)
    wanted = x0 + across * (x1 - x0), y0 + up * (y1 - y0)
    pixel = (x1 - x0) / area["width"]
    drawn = visitor.ask("[stage.tracks[0].values.x[0], stage.tracks[0].values.y[0]]")
    assert drawn == pytest.approx(wanted, abs=pixel)
    for axis, value in zip("xy", drawn, strict=True):
        shown = visitor.page.locator(f".st-key-race-start-{axis} input")
        visitor.page.wait_for_function("([e, v]) => Math.abs(+e.value - v) < 5e-4", arg=[shown.element_handle(), value])
    visitor.page.wait_for_url(f"**start={drawn[0]:.4g}~{drawn[1]:.4g}*")
    # and the racer stands under the pointer
    view = visitor.page.locator(".view[data-click]").bounding_box()
    at = visitor.where_painted("map", FIRST.light)
    assert at[0] + view["x"] == pytest.approx(area["x"] + across * area["width"], abs=1.5)
    assert at[1] + view["y"] == pytest.approx(area["y"] + (1 - up) * area["height"], abs=1.5)


CAMERA = "Object.values(stage.views.get('surface').scene().getCamera().eye)"
ZOOM = (
    "[...stage.views.get('map').plot._fullLayout.xaxis.range, ...stage.views.get('map').plot._fullLayout.yaxis.range]"
)


def rotate_and_zoom(visitor) -> tuple[list[float], list[float]]:
    """Turn the surface and zoom into the map, by hand. Gives camera and zoom."""
    for view, turned in (("surface", CAMERA), ("map", ZOOM)):
        before = visitor.ask(f"JSON.stringify({turned})")
        box = visitor.page.locator(".view").nth(VIEWS.index(view)).bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        visitor.page.mouse.move(x, y)
        if view == "surface":
            visitor.page.mouse.down()
            visitor.page.mouse.move(x + 60, y + 15, steps=6)
            visitor.page.mouse.up()
        else:
            visitor.page.keyboard.down("Control")
            visitor.page.mouse.wheel(0, -240)
            visitor.page.keyboard.up("Control")
        visitor.wait(f"JSON.stringify({turned}) !== given", before)
        visitor.rest(turned)
    return visitor.ask(f"[{CAMERA}, {ZOOM}]")


def test_turning_a_knob_redraws_the_race_and_keeps_camera_zoom_and_step(visitor):
    visitor.open(RACE)
    visitor.page.locator(".scrub").fill("23")
    camera, zoom = rotate_and_zoom(visitor)
    paths = visitor.ask("stage.tracks.map((t) => [...t.values.x])")
    visitor.turn("race-1-learning_rate")
    after = visitor.ask("stage.tracks.map((t) => [...t.values.x])")
    assert after[0] != paths[0]
    assert after[1:] == paths[1:]
    assert visitor.ask(CAMERA) == pytest.approx(camera, abs=1e-6)
    assert visitor.ask(ZOOM) == pytest.approx(zoom, abs=1e-6)
    assert visitor.ask("stage.at") == 23


def test_a_pinned_run_stays_behind_those_that_follow_on_the_same_ground_until_it_is_let_go(visitor):
    # on the loss, where no path of the new run lies upon the old one
    ink = """(() => {
        const { canvases: [lower] } = stage.views.get("loss");
        const { data } = lower.getContext("2d").getImageData(0, 0, lower.width, lower.height);
        return data.reduce((count, value, i) => count + (i % 4 === 3 && value > 0), 0);
    })()"""
    paths, ghost = ([f"[...stage.views.get({view!r}).{kind}[0]]" for view in VIEWS] for kind in ("pixels", "ghost"))
    visitor.open(RACE)
    visitor.page.locator(".scrub").fill("60")
    pinned = [visitor.ask(path) for path in paths]
    visitor.page.locator(".pin").click()
    visitor.turn("race-1-learning_rate")
    for view, before, path, kept in zip(VIEWS, pinned, paths, ghost, strict=True):
        assert visitor.ask(path) != before
        if view != "loss":  # its axis is that of the new run
            assert visitor.ask(kept) == before
    with_ghost = visitor.ask(ink)
    visitor.page.locator(".pin").press("Enter")
    assert visitor.ask("[...stage.views.values()].map((view) => view.ghost.length)") == [0, 0, 0]
    assert visitor.ask(ink) < with_ghost

    visitor.page.locator(".pin").click()
    before, landscape = visitor.race, visitor.page.locator(".st-key-race-landscape input")
    landscape.scroll_into_view_if_needed()  # a list that is open closes where the sidebar is scrolled
    visitor.rest("document.querySelector('.st-key-race-landscape').getBoundingClientRect()")
    landscape.click()
    visitor.page.get_by_role("option", name="Beale").click()
    visitor.drawn(before)
    assert visitor.ask("[...stage.views.values()].map((view) => view.ghost.length)") == [0, 0, 0]


def test_another_landscape_is_drawn_with_its_own_ground_and_the_step_kept(visitor):
    visitor.open(RACE)
    visitor.page.locator(".scrub").fill("23")
    before, ground = visitor.race, visitor.standing()
    visitor.page.locator(".st-key-race-landscape input").click()
    visitor.page.get_by_role("option", name="Beale").click()
    visitor.drawn(before)
    after = visitor.standing()
    assert all(after[view] != ground[view] and visitor.drawing(view) for view in VIEWS)
    assert visitor.ask("stage.at") == 23
    usual = next(iter(LANDSCAPES["Beale"].places.values()))
    assert visitor.ask("[stage.tracks[0].values.x[0], stage.tracks[0].values.y[0]]") == list(usual)


def test_a_knob_behind_the_button_stays_turned_when_it_is_out_of_sight_again(visitor):
    visitor.open(RACE)
    more, knob = visitor.page.locator(".st-key-race-3-more button").first, RACE.racers[2].knobs()[1].name
    more.click()
    visitor.page.locator(f".st-key-race-3-{knob} input[type=range]").wait_for(state="attached")
    visitor.turn(f"race-3-{knob}", "ArrowLeft")
    turned = visitor.race
    visitor.page.keyboard.press("Escape")
    visitor.page.locator(f".st-key-race-3-{knob}").wait_for(state="detached")
    visitor.turn("race-1-learning_rate")
    visitor.turn("race-1-learning_rate", "ArrowLeft")
    assert visitor.race == turned
    visitor.page.wait_for_url(f"**~{knob}~*")


def test_a_racer_leaves_the_line_up(visitor):
    visitor.open(RACE)
    before = visitor.race
    visitor.page.locator(".st-key-race-2-more button").first.click()
    remove = visitor.page.get_by_role("button", name="Remove this optimizer")
    remove.wait_for()
    # and the stage tells something again and again, also with the address from before
    remove.evaluate(
        """(button) => {
            const { stage } = document.querySelector(".stage");
            button.click();
            for (let i = 1; i < 30; i++) setTimeout(() => stage.trigger("at", i), 10 * i);
        }"""
    )
    visitor.drawn(before)
    left = [RACE.racers[0].name, RACE.racers[2].name]
    assert visitor.ask("stage.tracks.map((track) => track.name)") == left
    assert [racer.partition("~")[0] for racer in parse_qs(urlsplit(visitor.page.url).query)["racer"]] == left


def test_a_slider_is_dragged_by_mouse_and_the_last_place_is_what_is_raced(visitor):
    visitor.open(RACE)
    before = visitor.race
    slider = visitor.page.locator(".st-key-race-1-learning_rate")
    thumb = slider.locator("input[type=range]")
    was = float(thumb.evaluate("e => e.value"))
    thumb.scroll_into_view_if_needed()
    track = slider.locator("[role=group]").bounding_box()
    x, y = track["x"] + track["width"] * 0.9, track["y"] + track["height"] / 2
    visitor.page.mouse.move(x, y)
    visitor.page.mouse.down()
    for share in (0.7, 0.5, 0.3):
        visitor.page.mouse.move(track["x"] + track["width"] * share, y, steps=3)
    visitor.page.mouse.up()
    visitor.drawn(before)
    assert float(thumb.evaluate("e => e.value")) != was
    # it may have been sent from places on the way, too: the last one is in the address once it is raced
    visitor.page.wait_for_url(f"**learning_rate~{thumb.get_attribute('aria-valuetext')}&*")
    shown = visitor.drawn().race
    visitor.page.reload()
    assert visitor.drawn().race == shown


def test_the_address_follows_a_knob_and_a_reload_and_a_friend_see_the_same_race(visitor, window):
    visitor.open(RACE)
    before = visitor.page.url
    visitor.turn("race-1-learning_rate")
    visitor.page.wait_for_function("url => location.href !== url", arg=before)
    turned, address = visitor.race, visitor.page.url
    assert f"racer={RULES[0].name}~learning_rate~" in address
    visitor.page.reload()
    assert visitor.drawn().race == turned
    assert window().go(address).race == turned


def test_a_rule_is_typed_as_in_a_paper_and_what_is_wrong_in_it_is_said_with_its_place(visitor):
    visitor.open(replace(RACE, racers=(parse_rule("x = x - a g")(), *RACE.racers[:1])))
    before, field = visitor.race, visitor.page.locator(".st-key-race-1-text textarea")
    field.fill("m = 0.9 m + g\nx = x - a q")
    field.press("Control+Enter")
    fault = visitor.page.get_by_text("'q' (character 11) is not set.")
    fault.wait_for()
    assert visitor.drawn().race == before
    field.fill("m = 0.9 m + g\nx = x - a m")
    field.press("Control+Enter")
    typed = visitor.drawn(before).race
    assert not fault.count()
    visitor.page.reload()
    assert visitor.drawn().race == typed
    assert field.input_value() == "m = 0.9 m + g\nx = x - a m"


def test_the_browsers_way_back_leads_to_the_race_before_and_forward_again(visitor):
    visitor.open(RACE)
    first = visitor.race
    visitor.turn("race-1-learning_rate")
    second = visitor.race
    visitor.page.wait_for_function("v => location.search.includes(v)", arg=f"{RULES[0].name}~learning_rate~0.03")
    visitor.page.go_back()
    assert visitor.drawn(second).race == first
    visitor.page.go_forward()
    assert visitor.drawn(first).race == second


def test_a_broken_link_is_answered_in_plain_text(visitor):
    visitor.go(
        f"{visitor.server}/Ackley_Race?landscape=%3Cimg+src%3Dx%3E&view=%5Ba%5D(https://example.org)&racer=$x$~**b**"
    )
    note = visitor.page.locator("[data-testid=stAlert]")
    assert "<img src=x>" in note.inner_text()
    assert "[a](https://example.org)" in note.inner_text()
    assert note.locator("img, a, strong, .katex").count() == 0
    assert visitor.ask("stage.tracks.length") == len(SETUPS["Ackley Race"]().racers)


PLOTS = "[...stage.views.values()].map((view) => view.plot)"
SEEN_FROM = "stage.views.get('surface').scene().glplot.cameraParams.view"
PLOTLYS_OWN = f"""Promise.all({PLOTS}.map((plot, i) => {{
    const {{ path, lift }} = [...stage.views.values()][i].spec;
    const [x, y, z] = path.map((quantity) => stage.tracks[0].values[quantity][given[0]]);
    const at = {{ x: [x], y: [y], mode: "markers", marker: {{ color: given[1], size: 12, opacity: 1 }} }};
    if (z === undefined) at.cliponaxis = false;
    else {{
        const [low, high] = plot._fullLayout.scene.zaxis.range;
        Object.assign(at, {{ type: "scatter3d", z: [z + lift * (high - low)] }});
    }}
    return window.Plotly.addTraces(plot, [at]);
}})).then(() => 1)"""


@pytest.mark.parametrize(("width", "density"), [(1400, 1), (420, 2)])
def test_a_racer_is_drawn_where_plotly_draws_the_same_point(window, width, density):
    """Plotly is given a marker of its own where the racer is; in pictures of both their middles must be the same."""
    visitor = window(width, device={"device_scale_factor": density}).open(replace(RACE, racers=RACE.racers[:1]))
    # nothing of the surface may hide half of the marker
    nothing = {"hidesurface": True, **{f"contours.{axis}.show": False for axis in "xyz"}}
    visitor.ask(f"Plotly.update({PLOTS}[0], given, {{'scene.annotations': []}}, [0]).then(() => 1)", nothing)
    for step, eye in ((0, (-0.6, -1.2, 1.7)), (0, (1.3, 0.4, 0.5)), (4, (-1.3, 0.4, 0.5)), (60, (0.1, 0.1, 2.2))):
        visitor.page.locator(".scrub").fill(str(step))
        visitor.ask(PLOTLYS_OWN, [step, PURE])
        turned = visitor.ask(f"{SEEN_FROM}.join()")
        eye = dict(zip("xyz", eye, strict=True))
        visitor.ask(f"Plotly.relayout({PLOTS}[0], {{'scene.camera.eye': given}}).then(() => 1)", eye)
        visitor.wait(f"{SEEN_FROM}.join() !== given", turned)
        visitor.rest("[...stage.views.values()].map((view) => [...view.pixels[0]])")
        for place, view in zip(visitor.page.locator(".view").all(), VIEWS, strict=True):
            place.scroll_into_view_if_needed()
            plotlys = middle(visitor.see(view), PURE, density)
            ours = visitor.ask("[...stage.views.get(given[0]).pixels[0]].slice(2 * given[1])", [view, step])[:2]
            assert ours == pytest.approx(plotlys, abs=0.7)
            if step == 0:  # nothing but the round marker itself has the racer's colour yet
                assert visitor.where_painted(view, FIRST.light) == pytest.approx(plotlys, abs=0.7)
        visitor.ask(f"Promise.all({PLOTS}.map((plot) => Plotly.deleteTraces(plot, [-1]))).then(() => 1)")


def test_a_run_that_diverged_shows_where_and_its_row_says_when(visitor):
    wild = RaceSetup(
        racers=(RULES[0](learning_rate=1.0), OPTIMIZERS["Lion"]()), landscape="Rosenbrock", start=(-1.2, 1.0), steps=50
    )
    visitor.open(wild)
    stopped = visitor.ask("stage.tracks[0].ended")
    assert 0 < stopped < 50
    row = visitor.page.locator(".numbers tbody tr").first
    visitor.page.locator(".legend button").nth(1).click()
    visitor.page.locator(".scrub").fill(str(stopped - 1))
    before = visitor.moving()
    assert "stopped" not in row.inner_text()
    visitor.press("ArrowRight")
    assert f"diverged at step {stopped}" in row.inner_text()
    # it has not moved, but is crossed out, at the edge of the map
    assert len(set(visitor.ask("[...stage.tracks[0].values.x.slice(given - 1)]", stopped))) == 1
    assert visitor.moving()["map"] != before["map"]
    assert visitor.where_painted("map", FIRST.light)
    head = "(({ place, lost }) => [...place, lost])(stage.views.get('map').heads[0])"
    after = visitor.ask(head)
    assert after[-1] is True
    visitor.press("End")
    assert visitor.ask(head) == after
    assert row.locator("td").first.inner_text().strip() == str(stopped)


def test_the_loss_axis_is_logarithmic_on_request_and_says_so(visitor):
    visitor.open(RACE)
    axis = "stage.views.get('loss').plot._fullLayout.yaxis"
    assert visitor.ask(f"{axis}.type") == "linear"
    before = visitor.race
    visitor.page.get_by_role("radio", name="log", exact=True).click()
    visitor.drawn(before)
    assert visitor.ask(f"{axis}.type") == "log"
    assert "(log)" in visitor.ask(f"{axis}.title.text")
    assert visitor.where_painted("loss", FIRST.light)


@pytest.mark.parametrize("theme", COLORS)
def test_light_and_dark_are_drawn_in_their_own_colours(window, theme):
    visitor = window(theme=theme).open(RACE)
    visitor.wait("stage.message.theme === given", theme)
    visitor.drawn()
    visitor.press("End")
    assert visitor.ask("stage.tracks.map((t) => t.color)") == [style.color(theme) for style in styles(RACE.racers)]
    for view, plot in visitor.ask(
        "Object.fromEntries([...stage.views].map(([n, v]) => [n, v.plot.layout.font.color]))"
    ).items():
        assert plot == COLORS[theme].ink
        assert visitor.where_painted(view, FIRST.color(theme))
    brightness = np.asarray(Image.open(io.BytesIO(visitor.see("map"))).convert("L")).mean()
    assert brightness > 150 if theme == "light" else brightness < 100


def test_a_change_of_theme_recolours_the_figures_without_a_rerun_and_keeps_camera_and_zoom(window):
    visitor = window().open(RACE)
    camera, zoom = rotate_and_zoom(visitor)
    # Python is told nothing: the rerun that the rest of the page needs is that of another test
    visitor.ask("Boolean(Object.defineProperty(stage, 'trigger', { get: () => () => {}, set() {} }))")
    visitor.page.emulate_media(color_scheme="dark")
    visitor.wait("stage.tracks[0].color === given", FIRST.dark)
    for view in VIEWS:
        visitor.wait(f"stage.views.get('{view}').plot.layout.font.color === given", COLORS["dark"].ink)
    visitor.rest(f"[{CAMERA}, {ZOOM}]")
    assert visitor.ask(CAMERA) == pytest.approx(camera, abs=1e-6)
    assert visitor.ask(ZOOM) == pytest.approx(zoom, abs=1e-6)
    assert visitor.ask("stage.message.theme") == "light"


def test_on_a_phone_the_views_are_stacked_and_nothing_sticks_out(window):
    visitor = window(420, 900).open(RACE)
    boxes = [view.bounding_box() for view in visitor.page.locator(".view").all()]
    for above, below in pairwise(boxes):
        assert above["x"] == below["x"]
        assert above["y"] + above["height"] <= below["y"]
    for place in ("html", "[data-testid=stMain]", ".stage"):
        assert visitor.page.locator(place).first.evaluate("e => e.scrollWidth - e.clientWidth") <= 0
    visitor.press("End")
    assert all(visitor.where_painted(view, FIRST.light) for view in VIEWS)


def test_a_narrower_window_draws_the_racers_where_the_figures_have_gone(window):
    visitor = window().open(replace(RACE, racers=RACE.racers[:1]))
    was = visitor.where_painted("map", FIRST.light)
    visitor.page.set_viewport_size({"width": 1000, "height": 900})
    visitor.wait("stage.views.get('map').plot._fullLayout.width === stage.views.get('map').box.clientWidth")
    visitor.wait("stage.views.get('map').canvases[1].clientWidth === stage.views.get('map').box.clientWidth")
    visitor.drawn()
    now = visitor.where_painted("map", FIRST.light)
    assert now != was
    expected = visitor.ask(
        "(({ xaxis: x, yaxis: y }) => [x._offset + x.d2p(given[0]), y._offset + y.d2p(given[1])])"
        "(stage.views.get('map').plot._fullLayout)",
        RACE.start,
    )
    assert now == pytest.approx(expected, abs=1)


def test_every_racers_number_is_downloaded_as_it_was_drawn(standing):
    with standing.page.expect_download() as download:
        standing.page.get_by_role("button", name="Paths as CSV").click()
    table = pd.read_csv(download.value.path())
    for name, rows in table.groupby("racer"):
        drawn = standing.ask("stage.tracks.find((t) => t.name === given).values", name)
        for quantity in ("x", "y", "loss"):
            np.testing.assert_allclose(rows[quantity], drawn[quantity], rtol=1e-6)


@pytest.mark.each_browser
def test_home_leads_to_every_page(visitor):
    visitor.page.goto(visitor.server)
    for page in PAGES[1:]:
        link = visitor.page.locator("[data-testid=stMain]").get_by_role("link", name=page.title)
        link.wait_for()
        visitor.pictured()
        link.click()
        visitor.page.get_by_role("heading", name=page.title, exact=True).wait_for()
        visitor.page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
        assert visitor.page.locator("[data-testid=stException]").count() == 0
        visitor.page.locator("[data-testid=stSidebar]").get_by_role("link", name=PAGES[0].title).click()
        visitor.page.get_by_role("heading", name="The optimizer playground").wait_for()
