"""The first start of a server, and the address in a real browser."""

import asyncio
import os
import re
import shutil
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ui.setup.pages import SETUPS
from ui.setup.presets import preset_of, presets

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clone(tmp_path):
    """The project's own files and nothing that an app makes when it is started."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a clone: what belongs to the project cannot be told from what the app has made")
    place = tmp_path / "clone"
    for name in listed.stdout.decode().splitlines():
        if (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place / name)
    return place


def environment(home: Path) -> dict[str, str]:
    return {**{k: v for k, v in os.environ.items() if k != "JAX_COMPILATION_CACHE_DIR"}, "HOME": str(home)}


def warnings(log: Path) -> list[str]:
    """What the log warns of, but for the machine having no address that is seen from outside."""
    lines = log.read_text().splitlines()
    return [line for line in lines if any(w in line.lower() for w in ("warn", "error", "cannot", "traceback"))]


def open_and_leave(visitor, server):
    visitor.page.set_default_timeout(120_000)  # a page of a new server, with nothing compiled yet
    visitor.open(SETUPS["Gradients"](), server=server)
    visitor.page.close()


def test_the_first_start_of_a_clone_warns_of_nothing(window, serving, clone, tmp_path):
    with serving(tmp_path / "log.txt", cwd=clone, env=environment(tmp_path)) as first:
        open_and_leave(window(), first)
    assert warnings(tmp_path / "log.txt") == []
    assert list((clone / "static").glob("plotly*/*.js"))


# root may write everywhere, unless it lays that down
UNPRIVILEGED = ["setpriv", "--bounding-set", "-dac_override", "--inh-caps", "-dac_override"] if os.getuid() == 0 else []


def test_an_app_folder_that_cannot_be_written_to_is_said_once_and_every_figure_is_drawn(
    window, serving, clone, tmp_path
):
    if UNPRIVILEGED and not shutil.which(UNPRIVILEGED[0]):
        pytest.skip("run by root, who may write everywhere, and without setpriv")
    log = tmp_path / "log.txt"
    folders = [clone, *(path for path in clone.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    with serving(log, cwd=clone, env=environment(tmp_path), through=UNPRIVILEGED) as locked:
        for _ in range(2):
            open_and_leave(window(), locked)
    for folder in folders:
        folder.chmod(0o755)  # to be cleared away
    said = [line for line in warnings(log) if "cannot be written to" in line]
    assert [line.split(" cannot")[0].rpartition("/")[2] for line in said] == ["static", ".jax_cache"]
    assert warnings(log) == said
    assert [path.name for path in (clone / "static").iterdir()] == ["README"]


class Proxy:
    """The same server by an address from which every byte takes its time, each way, and none comes while it is held."""

    def __init__(self, server, delay):
        self.server, self.delay, self.open = urlsplit(server), delay, set()
        started = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.serve(started)))
        self.thread.start()
        started.wait()

    async def serve(self, started):
        self.loop, self.stop, self.passing = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
        self.passing.set()
        listening = await asyncio.start_server(self.meet, "127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        started.set()
        await self.stop.wait()
        listening.close()
        here = asyncio.current_task()
        underway = [task for task in asyncio.all_tasks() if task is not here]
        for task in underway:
            task.cancel()
        await asyncio.gather(*underway, return_exceptions=True)
        await asyncio.sleep(0)  # what was closed says so to its loop

    async def meet(self, reader, writer):
        there, back = await asyncio.open_connection(self.server.hostname, self.server.port)
        self.open |= {writer, back}
        always = asyncio.Event()
        always.set()
        await asyncio.gather(self.carry(reader, back, always), self.carry(there, writer, self.passing))

    async def carry(self, reader, writer, passing):
        late = asyncio.Queue()

        async def collect():
            try:
                while data := await reader.read(65536):
                    late.put_nowait((self.loop.time() + self.delay, data))
            except OSError:  # that side has gone
                pass
            late.put_nowait((self.loop.time() + self.delay, b""))

        collecting = asyncio.create_task(collect())
        try:
            while True:
                due, data = await late.get()
                await asyncio.sleep(due - self.loop.time())
                await passing.wait()
                if not data:
                    break
                writer.write(data)
            await collecting
        finally:
            writer.close()

    @contextmanager
    def held(self):
        """What is done meanwhile is done before the page has heard a word of what came of it."""
        self.loop.call_soon_threadsafe(self.passing.clear)
        yield
        self.loop.call_soon_threadsafe(self.passing.set)

    def cut(self):
        """Break every connection; new ones are taken."""
        self.loop.call_soon_threadsafe(lambda: [writer.transport.abort() for writer in self.open])

    def close(self):
        self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join()


@pytest.fixture(scope="module")
def far(server):
    proxy = Proxy(server, 0.4)
    yield proxy
    proxy.close()


@pytest.fixture
def near(server):
    proxy = Proxy(server, 0)
    yield proxy
    proxy.close()


RACE = SETUPS["Ackley Race"]()
OTHER = next(
    p for p in presets("Ackley Race").values() if p.setup.landscape != RACE.landscape and p.setup.show == "race"
)


def choose_preset(page, name):
    page.locator(".st-key-race-preset input").click()
    page.get_by_role("option", name=name, exact=True).click()


@pytest.fixture
def sending(window, far):
    """Open a set-up from afar. Gives the visitor, and what to act in: it is left once the browser has sent the act."""
    sockets = []
    visitor = window()
    visitor.page.on("websocket", lambda socket: sockets.append(socket))

    def opened(setup):
        visitor.open(setup, server=far.address)
        return visitor, lambda: sockets[-1].expect_event("framesent")

    return opened


def test_a_choice_is_not_lost_where_the_page_has_not_yet_shown_the_one_before(sending, far):
    visitor, sent = sending(RACE)
    before, page = visitor.race, visitor.page
    steps = page.locator(".st-key-race-steps input[type=range]")
    steps.scroll_into_view_if_needed()
    with far.held():
        with sent():
            choose_preset(page, OTHER.name)
        steps.focus()
        with sent():  # a slider waits for a moment, and one that is drawn anew meanwhile would say nothing
            page.keyboard.press("ArrowRight")
        assert f"landscape={RACE.landscape}" in page.url
    page.wait_for_url(f"**landscape={OTHER.setup.landscape}*")
    page.wait_for_url(f"**steps={RACE.steps + 10}*")
    visitor.drawn(before)
    assert f"landscape={OTHER.setup.landscape}" in page.url


def test_a_choice_that_is_reversed_before_the_page_has_shown_it_stays_reversed(sending, far):
    visitor, sent = sending(replace(RACE, steps=RACE.steps + 10))
    before, page = visitor.race, visitor.page
    with far.held():
        for name in (OTHER.name, preset_of("Ackley Race", RACE).name):
            with sent():
                choose_preset(page, name)
    back = f"landscape={RACE.landscape}&.*steps={RACE.steps}&"
    page.wait_for_url(re.compile(back))
    visitor.drawn(before)
    assert re.search(back, page.url)
    assert visitor.ask("[stage.tracks[0].values.x[0], stage.tracks[0].values.y[0]]") == list(RACE.start)


def test_a_slider_that_is_turned_as_the_connection_breaks_is_what_the_page_shows_once_it_is_back(window, near):
    visitor = window().open(RACE, server=near.address)
    before = visitor.race
    visitor.page.locator(".st-key-race-steps input[type=range]").focus()
    visitor.page.keyboard.press("ArrowRight")
    near.cut()
    visitor.page.wait_for_url(f"**steps={RACE.steps + 10}*")
    visitor.drawn(before)
    assert visitor.ask("stage.steps.at(-1)") == RACE.steps + 10
    visitor.errors.clear()  # of the time without a connection


def test_what_a_preset_changed_may_be_changed_back_at_once(visitor):
    page = visitor.open(RACE).page
    x = page.locator(".st-key-race-start-x input")
    choose_preset(page, OTHER.name)
    page.wait_for_function(
        "([input, value]) => Number(input.value) === value", arg=[x.element_handle(), OTHER.setup.start[0]]
    )
    x.fill(f"{RACE.start[0]:g}")
    x.press("Enter")
    page.wait_for_url(f"**start={RACE.start[0]:g}~{OTHER.setup.start[1]:g}*")
    visitor.drawn()
    assert float(x.input_value()) == RACE.start[0]
    assert f"start={RACE.start[0]:g}~{OTHER.setup.start[1]:g}" in page.url
    assert visitor.ask("stage.tracks[0].values.x[0]") == RACE.start[0]


def test_back_once_after_two_turns_is_the_first_turn_picture_and_widget_alike(visitor):
    page = visitor.open(RACE).page
    slider = page.locator(".st-key-race-steps input[type=range]")
    races = []
    for steps in (RACE.steps + 10, RACE.steps + 20):
        visitor.turn("race-steps")
        page.wait_for_url(f"**steps={steps}*")
        races.append(visitor.race)
    page.go_back()
    visitor.drawn(races[1])
    assert visitor.race == races[0]
    assert slider.get_attribute("aria-valuetext") == str(RACE.steps + 10)
    assert f"steps={RACE.steps + 10}" in page.url


TYPED = {  # a page, one of its fields, and what is typed into it
    "fit-theta": (SETUPS["Linear Fit"](), "1.5"),
    "slope-own": (replace(SETUPS["Gradients"](), f="own", own="x^2"), "x^3"),
}


def test_a_change_while_a_restarted_server_is_reconnected_to_is_not_lost_in_silence(window, serving, tmp_path):
    visitors = {field: window() for field in TYPED}
    note = "[data-testid=stToast]"
    connected = "[data-testid=stApp][data-test-connection-state=CONNECTED]"
    with serving(tmp_path / "before.txt", env=os.environ) as address:
        for field, visitor in visitors.items():
            visitor.page.set_default_timeout(120_000)
            visitor.open(TYPED[field][0], server=address)
            assert not visitor.page.locator(note).count()
    for visitor in visitors.values():
        visitor.page.wait_for_selector(connected, state="detached")
    with serving(tmp_path / "after.txt", port=urlsplit(address).port) as address:
        for field, visitor in visitors.items():
            visitor.page.wait_for_selector(connected)
            place = visitor.page.locator(f".st-key-{field} input")
            (_, typed) = TYPED[field]
            visitor.page.locator(note).get_by_text("The connection was lost.").wait_for()  # without a word or a click
            visitor.drawn()  # the same set-up; and from now on all is as ever
            place.fill(typed)
            place.press("Enter")
            visitor.page.wait_for_url(f"**{typed.replace('^', '%5E')}*")
            assert place.input_value() == typed
            assert visitor.page.locator(note).count() == 1
            visitor.errors.clear()  # of the time without a server
            visitor.page.close()
