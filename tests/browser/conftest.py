"""One real server and one real Chromium for all browser tests, and a stage to ask and to touch."""

import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit
from weakref import WeakSet

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Playwright, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from tests.browser.firefox import IN_FIREFOX, PROGRAMS, launch_firefox
from ui.frame import PAGES
from ui.setup.codec import Setup, encode
from ui.setup.pages import SETUPS, RaceSetup

ROOT = Path(__file__).parents[2]
# Streamlit asks for these below the page's path first, and is told 404
STREAMLITS_OWN = ("/_stcore/health", "/_stcore/host-config")
LOG = pytest.StashKey[Path]()
Theme = Literal["light", "dark"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


def free_port() -> int:
    """One that the system picks: other workers and other runs look for theirs at the same time."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(
    log: Path, app: str = "streamlit_app.py", port: int = 0, through: Sequence[str] = (), **options: Any
) -> Iterator[str]:
    """A server of its own, as README's command starts it. Gives its address. One that crashes fails the test."""
    port = port or free_port()
    # were it to crash, each thread's place in Python would be in the log
    command = [sys.executable, "-X", "faulthandler", "-m", "streamlit", "run", app]
    with log.open("wb") as out:
        server = subprocess.Popen(
            [*through, *command, "--server.headless", "true", "--server.port", str(port)],
            stdout=out,
            stderr=out,
            **{"cwd": ROOT, **options},
        )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until_healthy(f"{address}/_stcore/health", server)
        yield address
        assert server.poll() is None, f"Server ended by itself: {server.returncode}\n{log.read_text(errors='replace')}"
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
    assert server.returncode in (0, -signal.SIGTERM), f"The server did not stop as it should: {server.returncode}."


def wait_until_healthy(address: str, server: subprocess.Popen) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"The server did not answer at {address}.")


@pytest.fixture(scope="session")
def server(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pytestconfig.stash[LOG] = tmp_path_factory.mktemp("server") / "log.txt"
    with serving(pytestconfig.stash[LOG]) as address:
        yield address


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Beside a failure stands what the server has said so far, and what the open pages show: only this worker knows."""
    report = yield
    if report.failed and LOG in item.config.stash:
        report.sections.append(("the server's log", item.config.stash[LOG].read_text(errors="replace")))
        for visitor in (one for one in OPEN if not one.page.is_closed()):
            with suppress(PlaywrightError):
                report.sections.append((visitor.page.url, f"{visitor.page.evaluate(SHOWN)}\n{visitor.errors}"))
    return report


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """A browser with a profile on disk: once a script has been compiled, the next page need not compile it again."""
    missing = [name for name in (PROGRAMS if IN_FIREFOX else ("chromium",)) if not shutil.which(name)]
    what = f"not installed: {', '.join(missing)}"
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"{what}, and with CI=true the browser tests may not be skipped")
    if missing:
        pytest.skip(what)
    with sync_playwright() as playwright:
        context = (launch_firefox if IN_FIREFOX else launch_chromium)(playwright, tmp_path_factory.mktemp("profile"))
        yield context
        context.close()


def launch_chromium(playwright: Playwright, profile: Path) -> BrowserContext:
    return playwright.chromium.launch_persistent_context(
        profile,
        executable_path=shutil.which("chromium"),
        args=[
            "--no-sandbox",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            # else a canvas that is read often changes from one way of drawing to another, which rounds differently
            "--disable-accelerated-2d-canvas",
            # without a graphics card, the processor draws what is not WebGL sooner by itself than by way of OpenGL,
            "--disable-gpu-rasterization",
            "--disable-gpu-compositing",
            # and WebGL by way of Mesa in half the time of Chromium's own, which is used where there is no Mesa
            "--use-angle=gl-egl",
            "--ignore-gpu-blocklist",
        ],
    )


# of a thing that is thrown and no Error of the language, Chromium says the class alone: shortened, it is a letter
SAY_MORE = """addEventListener("error", ({ error, filename, lineno, colno }) => {
    if (error && Object.prototype.toString.call(error) !== "[object Error]")
        console.error(`thrown at ${filename}:${lineno}:${colno}: ${error.message ?? JSON.stringify(error)}`);
});"""


# what a page shows, in words, for the report of a failure
SHOWN = """() => {
    const { testConnectionState, testScriptState } = document.querySelector("[data-testid=stApp]")?.dataset ?? {};
    const { stage, dataset } = document.querySelector(".stage") ?? {};
    const { id, still, waits } = stage?.message ?? {};
    const views = [...stage?.views ?? []].map(([name, { plot }]) => [name, plot?.data?.length, !!plot?._fullLayout]);
    return JSON.stringify({ testConnectionState, testScriptState, drawn: dataset?.drawn, id, still, waits, views })
        + "\\n" + document.querySelector("[data-testid=stMain]")?.innerText.slice(0, 1000).toWellFormed();
}"""
OPEN: WeakSet["Visitor"] = WeakSet()  # the windows there are


class Visitor:
    """A browser window of its own: opens links, and asks the stage what it shows."""

    def __init__(self, page: Page, server: str) -> None:
        self.page, self.server = page, server
        self.errors: list[str] = []
        page.set_default_timeout(120_000)  # on a busy machine a new server takes its time over the first page
        page.on("console", self.hear)
        page.on("pageerror", lambda error: self.errors.append(f"{error}\n{error.stack}"))
        page.add_init_script(SAY_MORE)

    def hear(self, message: ConsoleMessage) -> None:
        source = urlsplit(message.location["url"])
        outside = source.hostname not in (None, "127.0.0.1") and message.text.startswith("Failed to load resource")
        if message.type == "error" and not outside and not source.path.endswith(STREAMLITS_OWN):
            self.errors.append(f"{message.text} ({message.location['url']})")

    def open(self, setup: Setup | None = None, server: str = "") -> "Visitor":
        """A set-up on its page, by its link alone, once it is drawn; without one, the race."""
        (page,) = (title for title, kind in SETUPS.items() if isinstance(setup or RaceSetup(), kind))
        (file,) = (Path(entry.file).stem for entry in PAGES if entry.title == page)
        query = f"?{urlencode(encode(setup), doseq=True)}" if setup else ""
        self.page.goto(f"{server or self.server}/{file.partition('_')[2]}{query}")
        self.page.locator(".katex").first.wait_for()  # the formula comes late, and moves everything below it
        return self.drawn()

    def go(self, address: str) -> "Visitor":
        self.page.goto(address)
        return self.drawn()

    def pictured(self) -> None:
        """Wait until the pictures of a page have come: where it is left before, the server no longer knows them."""
        self.page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
        self.page.wait_for_function("[...document.images].every((image) => image.complete)")

    def drawn(self, other_than: str = "") -> "Visitor":
        """Wait until a race is drawn, another one than that of the given id."""
        self.page.wait_for_function(
            "id => { const { drawn } = document.querySelector('.stage')?.dataset ?? {}; return drawn && drawn !== id }",
            arg=other_than,
        )
        self.page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
        self.wait("stage.root.dataset.drawn === stage.message.id")  # and not one that has been overtaken
        self.page.evaluate("document.fonts.ready.then(() => null)")
        # a control whose script is still being loaded has another height, and moves all below it
        self.page.wait_for_function("!document.querySelector('[data-testid=stSkeleton]')")
        # what comes after the race may still push it about, or the controls, and the mouse would miss
        self.rest("[...document.querySelectorAll('.view, [class*=st-key-]')].map((e) => e.getBoundingClientRect())")
        return self

    def ask(self, words: str, given: object = None):
        """The value of some JavaScript about ``stage``."""
        return self.page.evaluate(
            f"given => {{ const stage = document.querySelector('.stage').stage; return ({words}); }}", given
        )

    def wait(self, words: str, given: object = None) -> None:
        """Wait until some JavaScript about ``stage`` holds."""
        self.page.wait_for_function(
            f"given => {{ const stage = document.querySelector('.stage').stage; return ({words}); }}", arg=given
        )

    def rest(self, words: str) -> None:
        """Wait until some JavaScript about ``stage`` has been the same for a few frames."""
        self.page.evaluate("window.seen = { count: 0 }")
        self.wait(
            f"(() => {{ const now = JSON.stringify({words}); window.seen.count += now === window.seen.what ? 1 :"
            " -window.seen.count; window.seen.what = now; return window.seen.count > 5; })()"
        )

    @property
    def race(self) -> str:
        """The id of the race that is drawn."""
        return self.page.locator(".stage").get_attribute("data-drawn") or ""

    def standing(self) -> dict[str, list]:
        """What stands still, by view: the figure that Plotly was given, and where its axes and its camera are."""
        return self.ask(
            """Object.fromEntries([...stage.views].map(([name, { figure, plot }]) => {
                const { scene, xaxis, yaxis } = plot._fullLayout;
                const eye = scene && Object.values(scene._scene.getCamera().eye);
                return [name, [figure, plot.data.length, eye ?? [...xaxis.range, ...yaxis.range]]];
            }))"""
        )

    def drawing(self, view: str) -> bool:
        """Whether Plotly's drawing has marks on it, in whatever colours: a picture of one colour is blank."""
        return (
            Image.open(io.BytesIO(self.see(view))).convert("RGB").getcolors(50) is None
        )  # there are more than so many

    def later(self, milliseconds: int) -> None:
        """Wait until the page's own clock is so far on: a timer that it set to an earlier time has then gone off."""
        self.page.evaluate("time => new Promise((done) => setTimeout(done, time))", milliseconds)

    def single(self) -> None:
        """The next press is no second one of a double click: as if the last were long ago."""
        self.ask("[...stage.views.values()].forEach((view) => { view.pressed = -Infinity; })")

    def moving(self) -> dict[str, str]:
        """What moves, as pictures by view."""
        return self.ask("Object.fromEntries([...stage.views].map(([name, v]) => [name, v.canvases[1].toDataURL()]))")

    def see(self, view: str) -> bytes:
        """A picture of what stands still in a view: Plotly's own drawing, without the canvases above it."""
        canvases = f"stage.views.get({view!r}).canvases"
        self.ask(f"{canvases}.forEach((canvas) => {{ canvas.style.visibility = 'hidden'; }})")
        top = f"stage.views.get({view!r}).plot.getBoundingClientRect().top"  # a picture begins at a whole pixel
        self.ask(f"stage.root.style.marginTop = `${{Math.ceil({top}) - {top}}}px`")
        place = self.ask(f"stage.views.get({view!r}).plot.getBoundingClientRect().toJSON()")
        picture = self.page.screenshot(clip={key: place[key] for key in ("x", "y", "width", "height")})
        self.ask(f"{canvases}.forEach((canvas) => {{ canvas.style.visibility = ''; }})")
        self.ask("stage.root.style.marginTop = ''")
        return picture

    def where_painted(self, view: str, color: str) -> list[float] | None:
        """The middle of all pixels of a colour on the moving canvas of a view, in CSS pixels of the view.

        A few are none: on the edges of letters, the text's colour runs through others into that of the page.
        """
        return self.ask(
            """(() => {
                const canvas = stage.views.get(given[0]).canvases[1];
                const wanted = [1, 3, 5].map((i) => parseInt(given[1].slice(i, i + 2), 16));
                const { data, width } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
                let [x, y, n] = [0, 0, 0];
                for (let i = 0; i < data.length; i += 4) {
                    if (data[i + 3] < 250 || wanted.some((c, k) => Math.abs(data[i + k] - c) > 3)) continue;
                    x += (i / 4) % width + 0.5; y += Math.floor(i / 4 / width) + 0.5; n++;
                }
                const scale = canvas.width / canvas.clientWidth;
                return n > 20 ? [x / n / scale, y / n / scale] : null;
            })()""",
            [view, color],
        )

    def press(self, key: str) -> None:
        """A key pressed on the stage."""
        self.page.locator(".stage").focus()
        self.page.keyboard.press(key)

    def turn(self, knob: str, key: str = "ArrowRight") -> "Visitor":
        """A key pressed on a knob's slider, and the new race waited for."""
        before = self.race
        self.page.locator(f".st-key-{knob} input[type=range]").focus()
        self.page.keyboard.press(key)
        return self.drawn(before)


def new_page(profile: BrowserContext) -> Page:
    """A page in a window of its own: browsers take processor time away from a tab that is behind another one."""
    if IN_FIREFOX or not profile.pages:
        return profile.new_page()
    session = profile.new_cdp_session(profile.pages[0])
    with profile.expect_page() as page:
        session.send("Target.createTarget", {"url": "about:blank", "newWindow": True})
    session.detach()
    return page.value


@contextmanager
def windows(browser: BrowserContext, server: str, kept: list[Visitor]) -> Iterator[Callable[..., Visitor]]:
    """Make windows of a size and theme: one of ``kept``, or a ``new`` one. With ``device``, one of another screen or
    clock, in a profile of its own. What any of their pages complained about fails the test."""
    made, profiles = [], []

    def window(
        width: int = 1400, height: int = 1000, theme: Theme = "light", device: dict | None = None, new: bool = False
    ) -> Visitor:
        profile = browser
        if device is not None:
            assert browser.browser
            profiles.append(profile := browser.browser.new_context(**device))
        lent = profile is browser and not new
        visitor = kept.pop() if lent and kept else Visitor(new_page(profile), server)
        if lent:
            visitor.page.emulate_media(media="null", reduced_motion="null")  # whatever the test before has set
        visitor.page.set_viewport_size({"width": width, "height": height})
        visitor.page.emulate_media(color_scheme=theme)
        made.append((visitor, lent))
        OPEN.add(visitor)
        return visitor

    yield window
    for visitor, lent in made:
        if not lent or kept or visitor.errors or visitor.page.is_closed():
            visitor.page.close()
        else:
            kept.append(visitor)
    assert [error for visitor, _ in made for error in visitor.errors] == []
    for profile in profiles:
        profile.close()


@pytest.fixture(scope="module")
def kept() -> Iterator[list[Visitor]]:
    """The window that one test of a module leaves to the next: the app loads in half the time where it was before."""
    visitors: list[Visitor] = []
    yield visitors
    for visitor in visitors:
        visitor.page.close()


@pytest.fixture
def window(
    browser: BrowserContext, server: str, kept: list[Visitor], request: pytest.FixtureRequest
) -> Iterator[Callable[..., Visitor]]:
    """Make windows for this test."""
    failed = request.session.testsfailed
    with windows(browser, server, kept) as window:
        yield window
    if request.session.testsfailed > failed:  # who knows what it left behind
        while kept:
            kept.pop().page.close()


@pytest.fixture(scope="module")
def shared_window(browser: BrowserContext, server: str, kept: list[Visitor]) -> Iterator[Callable[..., Visitor]]:
    """Make windows that the tests of a module share: each leaves its own as the next may find it."""
    with windows(browser, server, kept) as window:
        yield window


@pytest.fixture
def visitor(window: Callable[..., Visitor]) -> Visitor:
    """A window: what is opened in it is loaded anew, whatever the test before had there."""
    return window()


@pytest.fixture(scope="session", name="serving")
def another_server():
    """Start one more server for a while."""
    return serving
