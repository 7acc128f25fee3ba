# ruff: noqa: E501
"""The stage under hands: what a press, a wheel, a finger and a key do, and what they leave to the browser."""

import re
from dataclasses import replace
from urllib.parse import unquote, urlencode

import pytest

from engine import OPTIMIZERS
from tests.browser.firefox import not_in_firefox
from ui.setup.codec import encode
from ui.setup.pages import FitSetup, RaceSetup, RegressionSetup

RULES = list(OPTIMIZERS.values())
RACE = RaceSetup(racers=(RULES[0](learning_rate=0.02), RULES[5]()), landscape="Booth", start=(-6.0, 9.0), steps=60)
TOLD = "(() => { stage.told = []; stage.trigger = (...what) => stage.told.push(what[0]); })()"
MAP = "stage.views.get('map').plot._fullLayout"
ZOOM = f"[...{MAP}.xaxis.range, ...{MAP}.yaxis.range]"
SCROLLED = "document.querySelector('[data-testid=stMain]').scrollTop"
BOXES = "[...document.querySelectorAll('.view')].map((view) => view.getBoundingClientRect())"
WIDE, SMALL, PHONE = (1400, 900), (900, 700), (420, 800)


@pytest.fixture(scope="module")
def opened(shared_window):
    visitor = shared_window(*WIDE).open(RACE)
    visitor.ask(f"(() => {{ stage.zoom = {ZOOM}; }})()")
    return visitor


@pytest.fixture
def race(opened):
    """The race as it is opened, at its start, in a window that it shares with other tests. It tells Python nothing."""
    opened.ask(TOLD)
    opened.single()
    opened.press("Home")
    opened.ask(
        "Plotly.relayout(stage.views.get('map').plot, { 'xaxis.range': stage.zoom.slice(0, 2),"
        " 'yaxis.range': stage.zoom.slice(2) }).then(() => 1)"
    )
    opened.ask(f"(() => {{ {SCROLLED} = 0; }})()")
    opened.rest(BOXES)
    return opened


def on_map(visitor, across: float = 0.3, down: float = 0.3) -> tuple[float, float]:
    """A place on the map's plot, in pixels of the page."""
    visitor.page.locator(".view[data-click]").scroll_into_view_if_needed()
    area = visitor.page.locator(".view[data-click] .nsewdrag").bounding_box()
    return area["x"] + across * area["width"], area["y"] + down * area["height"]


def only_then(visitor) -> None:
    """Nothing was sent and nothing is about to be, and a plain click moves the start."""
    visitor.page.mouse.move(*on_map(visitor, 0.6, 0.6))
    assert visitor.ask("[stage.told, stage.views.get('map').clicked]") == [[], None]
    visitor.single()
    visitor.page.mouse.click(*on_map(visitor, 0.6, 0.6))
    visitor.wait("stage.told.length")
    assert visitor.ask("stage.told") == ["start"]


@pytest.mark.parametrize("button", ["right", "middle"])
def test_only_the_first_button_moves_the_start(race, button):
    race.page.mouse.click(*on_map(race), button=button)
    race.page.keyboard.press("Escape")
    only_then(race)


def test_the_click_that_opens_a_macs_menu_does_not_move_the_start(race):
    race.page.keyboard.down("Control")
    race.page.mouse.click(*on_map(race))
    race.page.keyboard.up("Control")
    only_then(race)


def with_clock(window):
    """The race in a window whose clock stands still when it is told to: a busy machine is slow to click twice."""
    visitor = window(device={})
    visitor.page.clock.install()
    visitor.open(RACE)
    visitor.ask(TOLD)
    return visitor


def double_click(visitor) -> None:
    place = on_map(visitor)
    visitor.page.clock.pause_at(visitor.ask("Date.now() / 1000") + 1)
    visitor.page.mouse.dblclick(*place)
    visitor.page.clock.run_for(1000)  # a click that was to be sent has been sent
    visitor.page.clock.resume()


def test_a_double_click_zooms_out_or_changes_nothing_and_moves_no_start(window):
    race = with_clock(window)
    before = race.ask(ZOOM)
    for _ in range(2):
        double_click(race)
        race.rest(ZOOM)
        assert race.ask(ZOOM) == pytest.approx(before)
    race.page.mouse.move(*on_map(race))
    race.page.keyboard.down("Control")
    race.page.mouse.wheel(0, -240)
    race.page.keyboard.up("Control")
    race.wait(f"({ZOOM})[0] > given + 0.1", before[0])
    race.rest(ZOOM)
    double_click(race)
    race.wait(f"({ZOOM}).every((end, i) => Math.abs(end - given[i]) < 1e-6)", before)
    only_then(race)


def test_dragging_the_map_is_no_click(race):
    x, y = on_map(race)
    before = race.ask(ZOOM)
    race.page.mouse.move(x, y)
    race.page.mouse.down()
    race.page.mouse.move(x + 60, y + 30, steps=4)
    race.page.mouse.up()
    race.wait(f"({ZOOM})[0] < given - 0.1", before[0])
    only_then(race)


def test_a_drag_that_comes_back_is_no_click(race):
    x, y = on_map(race)
    race.page.mouse.move(x, y)
    race.page.mouse.down()
    race.page.mouse.move(x + 40, y + 20, steps=3)
    race.page.mouse.move(x, y, steps=3)
    race.page.mouse.up()
    only_then(race)


@pytest.mark.parametrize("view", range(3))
def test_the_wheel_scrolls_the_page_over_every_view_and_says_how_to_zoom(race, view):
    box = race.page.locator(".view").nth(view)
    box.hover()
    # the hint stands for a moment only, and a busy machine may look too late: it is noted when it comes
    box.evaluate(
        "box => { window.hinted = false; new MutationObserver(() => { window.hinted ||= !!box.querySelector('.hint.shown');"
        " }).observe(box, { subtree: true, attributes: true, attributeFilter: ['class'] }); }"
    )
    before, zoom = race.ask(SCROLLED), race.ask(ZOOM)
    race.page.mouse.wheel(0, 120)
    race.wait(f"{SCROLLED} > given", before)
    race.wait("window.hinted")
    assert race.ask(ZOOM) == zoom
    race.page.wait_for_function("box => !box.querySelector('.hint.shown')", arg=box.element_handle())


@pytest.mark.parametrize("key", ["Control", "Meta"])
def test_the_wheel_zooms_with_its_key_and_the_page_stays(race, key):
    race.page.mouse.move(*on_map(race))
    before, zoom = race.ask(SCROLLED), race.ask(ZOOM)
    race.page.keyboard.down(key)
    race.page.mouse.wheel(0, -240)
    race.page.keyboard.up(key)
    race.wait(f"({ZOOM})[0] > given + 0.1", zoom[0])
    assert race.ask(SCROLLED) == before


def swipe(page, x: float, y: float, across: float, down: float) -> None:
    touch = page.context.new_cdp_session(page)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for share in range(1, 10):
        point = {"x": x + across * share / 9, "y": y + down * share / 9}
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def swipe_up(page, x: float, y: float) -> None:
    swipe(page, x, y, 0, -90)


# the lowest learning rate of the first racer, and where its mark is
MARK = """() => {
    const plot = document.querySelector('.st-key-race-outcomes .js-plotly-plot');
    const { left, top } = plot.getBoundingClientRect(), { xaxis, yaxis } = plot._fullLayout;
    const marks = plot.data.flatMap(({ x, y }) => Array.from(x, (rate, i) => [rate, y[i]]));
    const first = Math.max(...marks.map(([, row]) => row));
    const rate = Math.min(...marks.filter(([, row]) => row === first).map(([rate]) => rate));
    return [rate, left + xaxis._offset + xaxis.d2p(rate), top + yaxis._offset + yaxis.d2p(first)];
}"""


@not_in_firefox("Playwright cannot touch")
def test_a_swipe_over_the_marks_of_the_learning_rates_scrolls_the_page_and_a_tap_chooses_one(window):
    visitor = window(390, 844, device={"has_touch": True})
    page = visitor.page
    page.goto(f"{visitor.server}/Ackley_Race?{urlencode(encode(replace(RACE, show='rates')), doseq=True)}")
    marks = page.locator(".st-key-race-outcomes .nsewdrag")
    marks.wait_for()
    page.locator(".katex").first.wait_for()  # what is below it makes the page long enough
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    marks.scroll_into_view_if_needed()
    box = marks.bounding_box()
    before = page.evaluate(SCROLLED)
    swipe_up(page, box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    page.wait_for_function(f"before => {SCROLLED} > before + 40", arg=before)
    marks.scroll_into_view_if_needed()
    rest = f"(was) => new Promise((done) => requestAnimationFrame(() => done({SCROLLED} === was)))"
    while not page.evaluate(rest, page.evaluate(SCROLLED)):  # a swipe goes on for a while
        pass
    rate, *place = page.evaluate(MARK)
    page.touchscreen.tap(*place)
    visitor.drawn()
    chosen = re.search("racer=SGD~learning_rate~([^&]+)", unquote(page.url))
    assert chosen
    assert float(chosen[1]) == pytest.approx(rate, rel=0.3)  # a finger is wider than a mark


@not_in_firefox("Playwright cannot touch")
def test_a_swipe_up_over_the_surface_scrolls_the_page_and_one_to_the_side_turns_it(window):
    """On a phone the surface is as wide as the page: did it turn with each swipe, it would stop whoever scrolls."""
    visitor = window(390, 844, device={"has_touch": True}).open(RACE)
    eye = "Object.values(stage.views.get('surface').scene().getCamera().eye)"
    surface = visitor.page.locator(".view").first
    surface.scroll_into_view_if_needed()
    box, before, turned = surface.bounding_box(), visitor.ask(SCROLLED), visitor.ask(eye)
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    swipe_up(visitor.page, *middle)
    visitor.wait(f"{SCROLLED} > given + 40", before)
    visitor.rest(SCROLLED)
    assert visitor.ask(eye) == pytest.approx(turned, abs=1e-6)
    before, box = visitor.ask(SCROLLED), surface.bounding_box()
    swipe(visitor.page, middle[0], box["y"] + box["height"] / 2, 90, 20)
    visitor.wait(f"Math.abs(({eye})[0] - given) > 0.1", turned[0])
    assert visitor.ask(SCROLLED) == before


@not_in_firefox("Playwright cannot touch")
def test_on_a_touch_screen_a_swipe_scrolls_a_tap_moves_the_start_and_the_mouse_still_drags(window):
    visitor = window(1000, 700, device={"has_touch": True}).open(RACE)
    visitor.ask(TOLD)
    before, zoom = visitor.ask(SCROLLED), visitor.ask(ZOOM)
    swipe_up(visitor.page, *on_map(visitor, 0.5, 0.5))
    visitor.wait(f"{SCROLLED} > given + 40", before)
    assert visitor.ask(ZOOM) == zoom
    assert visitor.ask("stage.told") == []
    visitor.rest(SCROLLED)
    visitor.single()
    visitor.page.touchscreen.tap(*on_map(visitor))
    visitor.wait("stage.told.length")
    assert visitor.ask("stage.told") == ["start"]
    x, y = on_map(visitor, 0.5, 0.5)
    visitor.page.mouse.move(x, y)
    visitor.page.mouse.down()
    visitor.page.mouse.move(x + 50, y, steps=4)
    visitor.page.mouse.up()
    visitor.wait(f"({ZOOM})[0] < given - 0.1", zoom[0])


def test_a_key_with_a_modifier_is_left_to_the_browser(race):
    race.press("ArrowRight")
    race.ask(
        "(() => { window.taken = []; window.addEventListener('keydown', (e) => window.taken.push(e.defaultPrevented));"
        " })()"
    )
    pressed = [f"{key}+{name}" for key in ("Alt", "Control", "Meta", "Shift") for name in ("ArrowLeft", "Home", "End")]
    for keys in pressed:  # as events, or the browser would leave the page
        key, name = keys.split("+")
        race.page.locator(".stage").dispatch_event(
            "keydown",
            {"key": name, f"{key.lower().replace('control', 'ctrl')}Key": True, "bubbles": True, "cancelable": True},
        )
    assert race.ask("window.taken") == [False] * len(pressed)
    assert race.ask("stage.at") == 1


# ---- time


def test_playing_goes_on_where_it_was_after_a_long_pause_of_the_tab(visitor):
    """With a clock of our own for the stage, whose frames the browser would draw when it likes; Plotly keeps its own."""
    race = visitor.open(RACE)
    race.ask(
        """(() => {
            const draw = window.requestAnimationFrame.bind(window);
            window.requestAnimationFrame = (act) => act.name === "tick" ? void (window.tick = act) : draw(act);
        })()"""
    )
    at = []

    def frame(now: int) -> None:
        race.ask("window.tick(given)", now)
        at.append(race.ask("stage.at"))

    race.press("Space")
    for now in (1000, 1100, 9100):
        frame(now)
    pace = 60 / 10
    assert at[:2] == pytest.approx([0, 0.1 * pace])
    assert at[2] <= at[1] + 0.25 * pace + 1e-9
    race.ask("document.dispatchEvent(new Event('visibilitychange'))")
    frame(17_100)
    assert at[3] == at[2]
    frame(17_200)
    assert at[4] == pytest.approx(at[3] + 0.1 * pace)


def test_it_is_said_where_it_stands_at_a_pause_after_a_key_and_at_the_end_and_not_while_it_plays(race):
    race.ask(
        "(() => { window.spoken = []; new MutationObserver(() => window.spoken.push('')).observe(stage.root,"
        " { subtree: true, childList: true, characterData: true }); window.live = () =>"
        " [...stage.root.querySelectorAll('output, [role=status], [aria-live]')].map((e) => e.textContent).join(''); })()"
    )
    race.press("Space")
    race.wait("stage.at > 5")
    assert race.ask("window.live()") == ""
    race.press("Space")
    race.wait("window.live().startsWith(`Paused, step ${stage.at} of 60; lowest loss: `)")
    race.page.locator(".scrub").fill("58")
    race.press("Space")
    race.wait("window.live().startsWith('At the end, step 60 of 60; lowest loss: ')")
    for _ in range(2):
        race.press("ArrowLeft")
    race.wait("window.live().startsWith('Paused, step 58 of 60; lowest loss: ')")


# ---- room


@pytest.fixture(scope="module", params=[RACE, RegressionSetup(), FitSetup()], ids=lambda setup: type(setup).__name__)
def page(request, shared_window):
    """A page with a stage, in a window that changes its size."""
    return shared_window().open(request.param)


def resize(visitor, width: int, height: int) -> None:
    visitor.page.set_viewport_size({"width": width, "height": height})
    visitor.wait("[...stage.views.values()].every(({ box, canvases }) => canvases[1].clientWidth === box.clientWidth)")
    visitor.rest(BOXES)


@pytest.mark.parametrize(("width", "height"), [WIDE, SMALL, PHONE])
def test_the_controls_cover_no_view_wherever_the_page_is_scrolled_to(page, width, height):
    visitor = page
    resize(visitor, width, height)
    for share in (0, 0.2, 0.4, 0.6, 0.8, 1):
        visitor.ask(
            "(() => { const e = document.querySelector('[data-testid=stMain]'); e.scrollTop = given * e.scrollHeight; })()",
            share,
        )
        boxes = "[...stage.root.querySelectorAll('.view')].map((e) => e.getBoundingClientRect())"
        covered = f"(({{ top, bottom }}) => {boxes}.some((v) => v.top < bottom - 0.01 && top < v.bottom - 0.01))(stage.root.querySelector('.{{}}').getBoundingClientRect())"
        for part in ("bar", "legend"):
            assert not visitor.ask(covered.replace("{}", part))


@pytest.mark.parametrize("width", [420, 820, 860, 900, 1400])
def test_the_choice_of_the_axis_is_never_cut(page, width):
    visitor = page
    resize(visitor, width, 800)
    for name in ("linear", "log"):
        button = visitor.page.get_by_role("radio", name=name, exact=True)
        assert button.inner_text() == name
        for part in (button, button.locator("p")):
            assert part.evaluate("e => e.scrollWidth - e.clientWidth") <= 0
        box = button.bounding_box()
        assert box["x"] + box["width"] <= width
        assert box["width"] > 30


# ---- WebGL

LOSE = "stage.views.get('surface').gl.gl.getExtension('WEBGL_lose_context').loseContext()"


def test_a_lost_surface_is_drawn_again_by_itself_as_it_was_turned(visitor):
    race = visitor.open(RACE)
    race.ask(
        "Plotly.relayout(stage.views.get('surface').plot, { 'scene.camera.eye': { x: 1, y: 1, z: 1 } }).then(() => 1)"
    )
    race.wait("stage.views.get('surface').scene().getCamera().eye.x > 0.99")
    race.ask(f"(() => {{ stage.lost = stage.views.get('surface').gl; {LOSE}; }})()")
    drawn = "(({ gl, scene }) => gl && gl !== stage.lost && !gl.gl.isContextLost())(stage.views.get('surface'))"
    race.wait(drawn)
    race.rest("stage.views.get('surface').pixels && [...stage.views.get('surface').pixels[0]]")
    assert race.ask("Object.values(stage.views.get('surface').scene().getCamera().eye)") == pytest.approx([1, 1, 1])
    # lost once more at once, which Plotly finds in a frame: a sentence and a button stand there, with no racers over nothing
    race.ask(f"(() => {{ const {{ gl }} = stage.views.get('surface'); {LOSE}; stage.lost = gl; gl.redraw(); }})()")
    again = race.page.get_by_role("button", name="Draw the surface again")
    again.wait_for()
    assert race.ask("stage.views.get('surface').canvases.map((canvas) => canvas.width)") == [0, 0]
    race.press("ArrowRight")
    assert race.where_painted("map", race.ask("stage.tracks[0].color"))
    again.click()
    race.wait(drawn)
    again.wait_for(state="detached")
    race.wait("stage.views.get('surface').canvases[1].width > 0")


def test_without_webgl_the_surface_says_so_and_the_other_views_work(window):
    visitor = window(new=True)
    visitor.page.add_init_script(
        "const get = HTMLCanvasElement.prototype.getContext; HTMLCanvasElement.prototype.getContext ="
        " function (kind, ...rest) { return kind.includes('webgl') ? null : get.call(this, kind, ...rest); };"
    )
    visitor.open(RACE)
    assert "no WebGL" in visitor.page.locator(".view").first.inner_text()
    visitor.press("ArrowRight")
    color = visitor.ask("stage.tracks[0].color")
    assert visitor.where_painted("map", color)
    assert visitor.where_painted("loss", color)


def test_pages_left_and_come_back_to_keep_no_graphics_context_and_the_surface_is_drawn(window):
    visitor = window(new=True)
    visitor.page.add_init_script(
        "window.contexts = []; const get = HTMLCanvasElement.prototype.getContext;"
        " HTMLCanvasElement.prototype.getContext = function (kind, ...rest) { const made = get.call(this, kind, ...rest);"
        " if (made && kind.includes('webgl') && !window.contexts.includes(made)) window.contexts.push(made); return made; };"
    )
    visitor.open(replace(RACE, steps=20))
    shown = visitor.race
    for page in ("2D Regression", "Ackley Race") * 3:
        visitor.page.locator("[data-testid=stSidebar]").get_by_role("link", name=page).click()
        visitor.page.get_by_role("heading", name=page, exact=True).wait_for()
        visitor.drawn(shown)
        shown = visitor.race
    assert visitor.ask("!stage.views.get('surface').gl.gl.isContextLost()")
    # what is drawn: not one colour
    visitor.ask("(() => { stage.views.get('surface').gl.redraw(); })()")
    assert (
        visitor.ask(
            "(({ gl }) => { gl.redraw(); const c = gl.gl, p = new Uint8Array(4 * c.drawingBufferWidth * c.drawingBufferHeight);"
            " c.readPixels(0, 0, c.drawingBufferWidth, c.drawingBufferHeight, c.RGBA, c.UNSIGNED_BYTE, p);"
            " return new Set(new Uint32Array(p.buffer)).size; })(stage.views.get('surface').gl ? stage.views.get('surface') : {})"
        )
        > 50
    )
    assert visitor.ask("window.contexts.length") > 4
    # that of the page before is given back in the moment that this one is drawn
    visitor.wait("window.contexts.filter((context) => !context.isContextLost()).length === 1")
