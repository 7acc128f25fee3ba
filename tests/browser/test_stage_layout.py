"""The stage uses the window: one view is large, all fits without scrolling, a lecture is read from the back row."""

from dataclasses import replace
from itertools import pairwise

import pytest

from engine import OPTIMIZERS
from tests.browser.firefox import IN_FIREFOX
from ui.setup.pages import DIFFERENCES, LOSS, RACE_RACERS, SETUPS, FitSetup, GradientsSetup, RaceSetup, RegressionSetup

RULES = list(OPTIMIZERS.values())
RACE = RaceSetup(
    racers=(RULES[0](learning_rate=0.02), OPTIMIZERS["Lion"](), RULES[5]()),
    landscape="Booth",
    start=(-6.0, 9.0),
    steps=60,
)
SCREENS = ((1920, 1080), (1400, 900))
MIN_LARGE = 800  # pixels, on the first of them
MIN_LETTERS = 18  # pixels, in a lecture on the first of them
MAX_SHIFT = 0.02
# every stage there is, and a slider of its page that changes what it shows
STAGES = {
    "Gradients": (GradientsSetup(), "slope-x0"),
    "finite differences": (GradientsSetup(part=DIFFERENCES, f="sin x", low=-5.0, high=5.0), "slope-x0"),
    "mean squared error": (GradientsSetup(part=LOSS), "slope-theta"),
    "Linear Fit": (FitSetup(), "fit-rate"),
    "2D Regression": (RegressionSetup(), "regression-noise"),
    "Ackley Race": (RaceSetup(racers=RACE_RACERS), "race-steps"),
    "basins": (RaceSetup(racers=RACE_RACERS, show="basins", points=16, steps=20), "race-steps"),
    "many dimensions": (RaceSetup(racers=RACE_RACERS[:2], show="many", dimensions="2", steps=20), "race-steps"),
}
FITTED = """[...stage.views.values()].every(({ plot }) =>
    plot._fullLayout.width === plot.clientWidth && plot._fullLayout.height === plot.clientHeight)"""
LARGE = "[...stage.views].filter(([, view]) => view.box.matches('.large')).map(([name]) => name)"
CAMERA = "Object.values(stage.views.get('surface').scene().getCamera().eye)"


@pytest.fixture(scope="module")
def shared(shared_window):
    return shared_window(*SCREENS[0])


def resized(visitor, width, height):
    visitor.page.set_viewport_size({"width": width, "height": height})
    visitor.wait(FITTED)
    visitor.drawn()
    visitor.wait(FITTED)


@pytest.mark.parametrize("name", STAGES)
def test_the_stage_fits_into_the_window_and_on_a_phone_its_views_are_as_wide_as_it(shared, name):
    shared.page.set_viewport_size(dict(zip(("width", "height"), SCREENS[0], strict=True)))
    shared.open(STAGES[name][0])
    for width, height in SCREENS:
        resized(shared, width, height)
        box = shared.page.locator(".stage").bounding_box()
        assert box["y"] > 0
        assert box["y"] + box["height"] <= height
        assert box["x"] + box["width"] <= width
        first, *others = (view.bounding_box() for view in shared.page.locator(".view").all())
        if len(others) < 3:
            assert width < SCREENS[0][0] or first["width"] >= MIN_LARGE
            assert all(other["x"] >= first["x"] + first["width"] for other in others)
            assert len({(other["x"], other["width"]) for other in others}) == 1
        assert all(above["y"] + above["height"] <= below["y"] or len(others) > 2 for above, below in pairwise(others))
    resized(shared, 390, 844)
    boxes = [view.bounding_box() for view in shared.page.locator(".view").all()]
    stage = shared.page.locator(".stage").bounding_box()
    assert [(box["x"], box["width"]) for box in boxes] == [(stage["x"], stage["width"])] * len(boxes)
    bar = shared.page.locator(".bar").bounding_box()
    assert bar["y"] + bar["height"] <= boxes[0]["y"]
    for width in (390, 360):
        resized(shared, width, 844)
        assert shared.ask("[...stage.root.querySelectorAll('.numbers')].every((e) => e.scrollWidth <= e.clientWidth)")


@pytest.mark.parametrize("by", ["click", "key"])
def test_another_view_is_made_the_large_one_at_once_and_the_link_and_a_reload_keep_it(visitor, by):
    visitor.open(RACE)
    visitor.page.locator(".scrub").fill("23")
    # one that the visitor has turned; a camera of its own comes nearer in a large view
    turned = (
        "Plotly.relayout(stage.views.get('surface').plot, { 'scene.camera.eye': { x: 1, y: 1, z: 1 } }).then(() => 1)"
    )
    visitor.ask(turned)
    visitor.wait("stage.views.get('surface').scene().getCamera().eye.x > 0.99")
    race, camera = visitor.race, visitor.ask(CAMERA)
    assert visitor.ask(LARGE) == ["surface"]
    was = visitor.page.locator(".view").nth(1).bounding_box()
    button = visitor.page.get_by_role("button", name="Make this view the large one: map")
    assert button.get_attribute("title") == "Make this view the large one"
    if by == "click":
        button.click()
    else:
        button.focus()
        visitor.page.keyboard.press("Enter")
    assert visitor.ask(LARGE) == ["map"]  # before Python has heard of it
    visitor.wait(FITTED)
    assert visitor.page.locator(".view").nth(1).bounding_box()["width"] > 1.5 * was["width"]
    visitor.page.wait_for_url("**large=map*")
    visitor.drawn()
    assert (visitor.race, visitor.ask("stage.at"), visitor.ask(LARGE)) == (race, 23, ["map"])
    assert visitor.ask(CAMERA) == pytest.approx(camera, abs=1e-6)
    visitor.page.reload()
    assert visitor.drawn().race == race
    assert visitor.ask(LARGE) == ["map"]


def test_whoever_turns_from_one_large_view_to_another_is_not_led_back_by_the_first_answer(visitor):
    visitor.open(RACE)
    visitor.ask("(() => { window.larges = []; })()")
    visitor.ask(
        "(() => { new MutationObserver(() => { const now = document.querySelector('.view.large .caption').textContent;"
        " if (now !== window.larges.at(-1)) window.larges.push(now); })"
        ".observe(stage.parts.views, { subtree: true, attributeFilter: ['class'] }); })()"
    )
    visitor.ask("(() => { stage.enlarge('map'); stage.enlarge('loss'); stage.enlarge('surface'); })()")
    visitor.turn("race-1-learning_rate")
    visitor.drawn()
    assert visitor.ask(LARGE) == ["surface"]
    assert visitor.ask("window.larges") in ([], ["Booth"])


def test_a_preset_leaves_the_layout_as_it_is(visitor):
    visitor.open(replace(SETUPS["Ackley Race"](), large="loss"))
    before = visitor.race
    visitor.page.locator(".st-key-race-preset input").click()
    visitor.page.get_by_role("option").nth(1).click()
    visitor.drawn(before)
    assert visitor.ask(LARGE) == ["loss"]
    assert "large=loss" in visitor.page.url


# ---- in a lecture

# letters smaller than they may be, in what is seen without scrolling; but for indices and exponents
SMALL = """least => {
    const small = [], page = document.querySelector('[data-testid=stApp]');
    const walk = document.createTreeWalker(page, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const { parentElement: box, data } = walk.currentNode;
        if (!data.trim() || box.closest('style, script, .katex, tspan, sub, sup, option, .status')) continue;
        const { width, height, top } = box.getBoundingClientRect();
        const seen = width > 1 && height > 1 && top < innerHeight && box.checkVisibility({ opacityProperty: true });
        if (seen && parseFloat(getComputedStyle(box).fontSize) < least)
            small.push(`${data} ${getComputedStyle(box).fontSize}`);
    }
    return small;
}"""
SCENE_LETTERS = """[...stage.views.values()].flatMap(({ plot: { _fullLayout: { scene } } }) => scene
    ? ["xaxis", "yaxis", "zaxis"].flatMap((axis) => [scene[axis].tickfont.size, scene[axis].title.font.size]) : [])"""


@pytest.mark.parametrize("name", SETUPS)
def test_in_a_lecture_no_letters_are_small_and_the_stage_has_the_window(shared, name):
    shared.page.set_viewport_size(dict(zip(("width", "height"), SCREENS[0], strict=True)))
    shared.open(replace(STAGES[name][0], lecture=True))
    shared.wait("stage.scale === 1.5")
    shared.wait(FITTED)
    shared.drawn()
    assert shared.page.evaluate(SMALL, MIN_LETTERS) == []
    assert all(size >= MIN_LETTERS for size in shared.ask(SCENE_LETTERS))
    assert not shared.page.get_by_test_id("stSidebar").is_visible()
    box = shared.page.locator(".stage").bounding_box()
    assert box["width"] > 0.97 * SCREENS[0][0]
    assert box["y"] + box["height"] <= SCREENS[0][1]


def test_a_lecture_begins_by_a_button_and_has_one_key_each_for_play_step_next_preset_and_the_way_out(visitor):
    visitor.open(RACE)
    race = visitor.race
    visitor.page.get_by_role("button", name="Lecture mode").click()
    visitor.page.wait_for_url("**lecture=1*")
    visitor.wait("stage.scale > 1")
    assert visitor.race == race
    visitor.page.evaluate("document.activeElement.blur()")
    visitor.page.keyboard.press("Space")
    visitor.wait("stage.playing && stage.at > 0")
    visitor.page.keyboard.press("Space")
    visitor.wait("!stage.playing")
    visitor.page.keyboard.press("Home")
    for key, at in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1)):
        visitor.page.keyboard.press(key)
        assert visitor.ask("stage.at") == at
    visitor.page.keyboard.press("n")
    visitor.drawn(race)
    assert "lecture=1" in visitor.page.url
    visitor.page.keyboard.press("Escape")
    visitor.page.get_by_test_id("stSidebar").wait_for()
    visitor.wait("stage.scale === 1")
    visitor.page.wait_for_function("!location.search.includes('lecture')")


def test_in_a_lecture_the_controls_fade_while_it_plays_but_not_for_those_who_use_them(visitor):
    visitor.open(replace(RACE, lecture=True, steps=2000))
    faded = "stage.playing && +getComputedStyle(stage.root.querySelector('.bar')).opacity === 0"
    visible = "+getComputedStyle(stage.root.querySelector('.bar')).opacity === 1"
    visitor.page.locator(".speed").select_option("0.25")
    visitor.press("Space")
    visitor.wait(faded)
    visitor.page.mouse.move(300, 300)
    visitor.page.mouse.move(310, 310)
    visitor.wait(f"stage.playing && {visible}")
    visitor.wait(faded)
    visitor.page.keyboard.press("Tab")  # to the controls, or to a view's button on the way to them
    visitor.page.locator(".scrub").focus()
    visitor.wait("stage.playing && stage.root.matches('.faded') && document.activeElement.matches(':focus-visible')")
    visitor.wait(visible)
    visitor.press("ArrowRight")
    visitor.wait(f"!stage.playing && {visible}")
    if IN_FIREFOX:  # where Playwright does not say that motion is unwelcome
        return
    visitor.page.emulate_media(reduced_motion="reduce")
    visitor.press("Home")
    visitor.press("Space")
    visitor.wait("stage.playing && stage.root.matches('.faded')")
    assert visitor.ask(visible)


# ---- nothing jumps


@pytest.mark.parametrize("name", STAGES)
def test_a_slider_is_dragged_and_nothing_on_the_page_jumps(shared, name):
    setup, slider = STAGES[name]
    shared.page.set_viewport_size({"width": 1400, "height": 900})
    shared.open(setup)
    before = shared.race
    shared.page.evaluate(
        "(() => { window.shifts = []; new PerformanceObserver((list) => { for (const entry of list.getEntries())"
        " window.shifts.push([entry.value, entry.startTime, ...entry.sources.map(({ node, previousRect, currentRect })"
        " => [node?.className ?? node?.nodeName, previousRect.y, currentRect.y])]);"
        " }).observe({ type: 'layout-shift', buffered: true }); })()"
    )
    shared.rest("window.shifts.length")  # what moved while the page was opened
    start = shared.page.evaluate("performance.now()")
    track = shared.page.locator(f".st-key-{slider} [role=group]").bounding_box()
    y = track["y"] + track["height"] / 2
    thumb = float(
        shared.page.locator(f".st-key-{slider} input[type=range]").evaluate("e => (e.value - e.min) / (e.max - e.min)")
    )
    shared.page.mouse.move(track["x"] + thumb * track["width"], y)
    shared.page.mouse.down()
    for share in (0.3, 0.5, 0.4, 0.62):
        shared.page.mouse.move(track["x"] + share * track["width"], y, steps=4)
        shared.later(120)
    shared.page.mouse.up()
    shared.drawn(before)
    shared.page.keyboard.press("ArrowRight")
    shared.drawn()
    shifts = [shift for shift in shared.page.evaluate("window.shifts") if shift[1] > start]
    assert sum(value for value, *_ in shifts) < MAX_SHIFT, (start, shifts)
