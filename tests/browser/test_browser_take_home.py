"""Each entry of the menu "Take it home" that the browser makes is saved, opened and, where it moves, played."""

import base64
import xml.etree.ElementTree as ElementTree

import pytest
from PIL import Image, ImageSequence

from engine import OPTIMIZERS
from tests.browser.axe import grave
from tests.browser.firefox import IN_FIREFOX
from ui.setup.pages import RaceSetup

RACERS = (OPTIMIZERS["SGD"](learning_rate=0.1), OPTIMIZERS["Adam"](learning_rate=0.5, beta1=0.8))
SETUP = RaceSetup(steps=30, start=(3.0, 2.0), racers=RACERS)
LABELS = ("SGD, α = 0.1", "Adam, α = 0.5, β₁ = 0.8")
MOMENT = 12
MENU = ".take-home"


@pytest.fixture(scope="module")
def open_menu(shared_window):
    """A page whose menu was opened by keyboard. No test but the last closes it, for the server answers that, and so
    closes for a moment what was opened anew in the meantime."""
    visitor = shared_window(1000, 800).open(SETUP)
    visitor.page.get_by_role("button", name="Take it home").press("Enter")
    visitor.page.locator(f"{MENU} button:enabled").first.wait_for()
    return visitor


@pytest.fixture
def home(open_menu):
    """The page of a small race that stands in the middle, with the menu open."""
    open_menu.ask("stage.go(given)", MOMENT)
    return open_menu


def taken(home, kind):
    """What is saved once an entry is pressed; the stage on the page stays where it is."""
    with home.page.expect_download() as download:
        home.page.locator(f"{MENU} [data-kind={kind}]").click()
    home.page.get_by_text("Done: ").wait_for()
    assert home.ask("[stage.at, stage.playing]") == [MOMENT, False]
    assert download.value.suggested_filename.startswith("ackley-race-")
    assert download.value.suggested_filename.endswith(f".{kind}")
    return download.value.path()


def test_nothing_of_it_is_loaded_before_an_entry_is_pressed(home):
    loaded = home.page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert any("/stage" in address for address in loaded)
    assert not [address for address in loaded if "/take" in address]


@pytest.mark.each_browser
def test_the_picture_as_png_is_large_and_has_the_themes_paper(home):
    picture = Image.open(taken(home, "png")).convert("RGB")
    assert picture.width >= 2 * home.ask("stage.parts.views.clientWidth")
    assert "#{:02x}{:02x}{:02x}".format(*picture.getpixel((2, 2))) == home.ask(
        "getComputedStyle(stage.root).getPropertyValue('--st-background-color').trim()"
    )
    seen = {color for _, color in picture.getcolors(picture.width * picture.height)}
    for color in home.ask("stage.tracks.map((track) => track.color)"):
        assert tuple(bytes.fromhex(color[1:])) in seen


@pytest.mark.each_browser
def test_the_picture_as_svg_says_what_it_is_of_and_has_the_paths_as_vectors(home):
    drawing = ElementTree.parse(taken(home, "svg")).getroot()
    assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
    texts = {"".join(text.itertext()).strip() for text in drawing.iter("{http://www.w3.org/2000/svg}text")}
    numbers = home.ask("[...stage.parts.numbers.querySelectorAll('td')].map((cell) => cell.textContent.trim())")
    assert {"Ackley Race", "Ackley · start (3, 2) · 30 steps", f"step {MOMENT} of 30", *LABELS} <= texts
    assert {number for number in numbers if number} <= texts
    strokes = [path.get("stroke") for path in drawing.iter("{http://www.w3.org/2000/svg}path")]
    for color in home.ask("stage.tracks.map((track) => track.color)"):
        assert strokes.count(color) > home.ask("stage.views.size")  # a path on each view, and the one in the legend


def test_the_gif_shows_the_whole_run_and_is_small(home):
    file = taken(home, "gif")
    assert file.stat().st_size < 5e6
    with Image.open(file) as gif:
        assert 640 <= gif.width <= 1000
        frames = [(frame.info["duration"], frame.convert("RGB").tobytes()) for frame in ImageSequence.Iterator(gif)]
    assert 8000 <= sum(duration for duration, _ in frames) <= 10_000
    assert len({picture for _, picture in frames}) > 0.8 * len(frames)


def test_the_video_plays_to_its_end(home):
    content = taken(home, "webm").read_bytes()
    assert content[:4] == bytes.fromhex("1a45dfa3")  # EBML, which WebM is written in
    played = home.page.evaluate(
        """async (address) => {
            const video = document.createElement("video");
            Object.assign(video, { src: address, muted: true, defaultPlaybackRate: 8 });
            await new Promise((done, failed) => { video.onended = done; video.onerror = failed; video.play(); });
            return [video.duration, video.currentTime, video.videoWidth];
        }""",
        f"data:video/webm;base64,{base64.b64encode(content).decode()}",
    )
    duration, reached, width = played
    assert 8 <= duration <= 11
    assert reached == pytest.approx(duration, abs=0.1)
    assert 640 <= width <= 1000


def test_the_page_plays_without_a_network(home, window):
    file = taken(home, "html")
    assert file.stat().st_size < 6e6
    name = file.with_suffix(".html")
    name.write_bytes(file.read_bytes())  # Playwright's own has no ending by which a browser would know it
    visitor = window(device={"offline": True})
    visitor.page.goto(name.as_uri())
    visitor.wait("stage?.root.dataset.drawn")
    text = visitor.page.locator("body").inner_text()
    description = home.page.locator(f"{MENU} textarea").input_value()
    assert all(words in text for words in ("Ackley Race", "start (3, 2)", "30 steps", *LABELS, description))
    assert visitor.ask("stage.at") == MOMENT
    assert visitor.drawing("surface")
    before = visitor.moving()
    visitor.page.get_by_role("button", name="Play").click()
    visitor.wait("stage.at === stage.last && !stage.playing")
    assert all(picture != before[view] for view, picture in visitor.moving().items())


@pytest.mark.each_browser
def test_one_button_copies_the_description(home, browser):
    if not IN_FIREFOX:  # where nobody is asked
        browser.grant_permissions(["clipboard-read", "clipboard-write"], origin=home.server)
    home.page.get_by_role("button", name="Copy the description").click()
    home.page.get_by_text("Copied.").wait_for()
    copied = home.page.evaluate("navigator.clipboard.readText()")
    assert copied == home.page.locator(f"{MENU} textarea").input_value()
    assert copied


def test_what_the_server_makes_is_saved_too(home):
    with home.page.expect_download() as download:
        home.page.get_by_test_id("stPopoverBody").get_by_test_id("stDownloadButton").get_by_role("button").first.click()
    assert download.value.path().stat().st_size


def test_a_clip_can_be_cancelled_and_another_one_made_afterwards(home):
    home.page.locator(f"{MENU} [data-kind=gif]").click()
    cancel = home.page.get_by_role("button", name="Cancel")
    cancel.wait_for()
    assert home.page.locator(f"{MENU} [data-kind]:enabled").count() == 0  # one at a time
    cancel.click()
    home.page.get_by_text("Cancelled.").wait_for()
    assert home.page.locator(f"{MENU} [data-kind]:disabled").count() == 0
    assert cancel.is_hidden()


def test_a_browser_without_video_says_so_in_one_sentence(home):
    home.page.evaluate("() => { window.kept = window.VideoEncoder; window.VideoEncoder = undefined; }")
    home.page.locator(f"{MENU} [data-kind=webm]").click()
    home.page.get_by_text("This browser cannot record video. Take the GIF instead.", exact=True).wait_for()
    home.page.evaluate("() => { window.VideoEncoder = window.kept; }")


def test_the_menu_works_by_keyboard(home):
    home.page.locator(f"{MENU} button").first.focus()
    entries = home.page.locator(f"{MENU} button:enabled:visible").all_inner_texts()
    for entry in entries:
        assert home.page.evaluate("document.activeElement.textContent") == entry
        home.page.keyboard.press("Tab")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_grave_in_the_open_menu(home, theme):
    home.page.emulate_media(color_scheme=theme)
    home.wait("getComputedStyle(stage.root).colorScheme === given && stage.message.theme === given", theme)
    home.drawn()
    home.page.locator(MENU).wait_for()
    assert grave(home.page, "[data-testid=stPopoverBody]") == []


def test_the_menu_fits_a_phone(home):
    home.page.set_viewport_size({"width": 390, "height": 844})
    home.page.wait_for_function(
        """selector => [...document.querySelectorAll(`${selector} button:not(.cancel)`)].every((button) => {
            const { left, right } = button.getBoundingClientRect();
            return left >= 0 && right <= innerWidth && button.scrollWidth <= button.clientWidth;
        })""",
        arg=MENU,
    )


def test_where_there_is_no_picture_the_menu_says_so(home):
    home.page.evaluate("document.querySelector('.stage').className = 'none'")
    home.page.locator(f"{MENU} [data-kind=png]").click()
    home.page.get_by_text("There is no moving picture on the page now.").wait_for()
    home.page.evaluate("document.querySelector('.none').className = 'stage'")


def test_a_clip_is_made_while_the_stage_plays_and_goes_on_when_the_menu_is_closed(home):
    home.ask("stage.parts.speed.value = '0.25'")
    home.ask("stage.play(true)")
    with home.page.expect_download():
        home.page.locator(f"{MENU} [data-kind=gif]").click()
        home.page.get_by_role("button", name="Cancel").wait_for()
        home.page.keyboard.press("Escape")
        home.page.locator(MENU).wait_for(state="detached")
        home.page.get_by_role("button", name="Take it home").click()
        home.page.locator(f"{MENU} [data-kind=gif]").wait_for()  # open again; the clip may be done by now, or not
    assert home.ask("stage.playing || stage.at === stage.last")
