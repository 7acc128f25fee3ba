"""Take README's pictures and those of the home page from the app itself: ``python -m ui.pictures.take``.

It starts the app, opens its pages in Chromium in both themes, and keeps beside the pictures what they were made from.
Needs requirements-dev.txt, and a ``chromium`` on the path.
"""

from __future__ import annotations

import io
import json
import logging
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageChops
from playwright.sync_api import Locator, Page, sync_playwright

from ui.frame import PAGES
from ui.pictures.recorded_race import FILE as RACE
from ui.pictures.recorded_race import record
from ui.pictures.subjects import MADE_FROM, ROOT, SUBJECTS, THEMES, Subject, Theme, digests, file_of

DENSE = 2  # pixels of a picture for one of the page, each way
LARGE = (1024, 640)  # what the surface is taken in, before what is empty around it is cut off
SECONDS = 90  # for the app to start, and for each page to be drawn


@contextmanager
def app() -> Iterator[str]:
    """The app on a free port, for as long as it is needed. Gives its address. ``RuntimeError`` if it does not start."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", PAGES[0].file, "--server.headless=true"]
    server = subprocess.Popen([*command, f"--server.port={port}"], cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}/_stcore/health", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def wait_until_healthy(address: str, server: subprocess.Popen) -> None:
    """Wait until a server answers. ``RuntimeError`` if it ends or takes too long."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("The app did not start. Try `streamlit run streamlit_app.py` to see why.")


def open_page(page: Page, address: str) -> None:
    """Open a page of the app as its address alone has it, and wait until its stage is drawn."""
    page.goto(address)
    page.wait_for_selector(".stage[data-drawn]")
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    page.evaluate("document.fonts.ready.then(() => null)")


def change_theme(page: Page, theme: Theme) -> None:
    """Have an open page in another theme, and wait until it is drawn in it."""
    page.emulate_media(color_scheme=theme)
    page.wait_for_function(
        """theme => {
            const { stage } = document.querySelector(".stage");
            return stage.message.theme === theme && stage.root.dataset.drawn === stage.message.id
                && getComputedStyle(stage.root).colorScheme === theme;
        }""",
        arg=theme,
    )
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")


# The large view alone in a size of its own, above all else, with nothing on it but the figure and what moves
ALONE = """
.stage .view.taken {
  position: fixed !important; inset: 0 auto auto 0 !important; z-index: 1000000;
  border: none !important; border-radius: 0 !important;
  width: %spx !important; height: %spx !important; max-width: none !important; max-height: none !important;
  background: var(--st-background-color);
}
.stage .view.taken > :not(.js-plotly-plot, canvas) { visibility: hidden !important; }
"""
STILL = ".stage .view.taken > canvas { visibility: hidden !important; }"
FILL = "() => { const { stage } = document.querySelector('.stage'); stage.resize(); return stage.ready; }"
# the surface of a landscape without axes and labels: it fills the picture
BARE = """async () => {
  const { stage } = document.querySelector(".stage");
  const [view] = stage.views.values();
  const axes = Object.fromEntries(["x", "y", "z"].map((axis) => [`scene.${axis}axis.visible`, false]));
  const camera = { eye: { x: -0.25, y: -1.3, z: 1 }, center: { x: 0.06, y: 0, z: 0.05 } };
  const labels = view.plot.data.flatMap((trace, i) => (trace.mode ?? "").includes("text") ? [i] : []);
  if (labels.length) await stage.Plotly.restyle(view.plot, { visible: false }, labels);
  await stage.Plotly.relayout(view.plot, { ...axes, "scene.annotations": [], "scene.camera": camera });
}"""


def take(page: Page, subject: Subject, file: Path) -> None:
    """Take a picture of what a page shows. With the surface alone, record the race that runs over it."""
    page.evaluate(
        """([share, whole]) => {
            const { stage } = document.querySelector(".stage");
            stage.go(Math.round(share * stage.last));
            const [view] = stage.views.values();
            if (!whole) view.plot.parentElement.classList.add("taken");
        }""",
        [subject.share, subject.whole],
    )
    style = "" if subject.whole else ALONE % subject.size if subject.moving else ALONE % LARGE + STILL
    added = page.add_style_tag(content=style or "/* as it is */")
    page.evaluate(FILL)
    if not subject.moving:
        page.evaluate(BARE)
    picture = at_rest(page, page.locator(".stage" if subject.whole else ".view.taken"))
    if not subject.moving:
        box = filled(picture, subject.size)
        picture = picture.resize((DENSE * subject.size[0], DENSE * subject.size[1]), box=box)
        race = record(page, [side / DENSE for side in box], subject.size)
        RACE.write_text(json.dumps(race) + "\n", encoding="utf-8")
    picture.save(file, quality=85, method=6)
    added.evaluate("style => style.remove()")
    page.evaluate("document.querySelectorAll('.taken').forEach((view) => view.classList.remove('taken'))")


def filled(picture: Image.Image, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """The part of a picture that is drawn on, with some room around it, in the shape of ``size``: two corners."""
    back = Image.new("RGB", picture.size, picture.getpixel((0, 0)))
    drawn = ImageChops.difference(picture, back).convert("L").point([0] * 8 + [255] * 248).getbbox()
    left, top, right, bottom = drawn or (0, 0, *picture.size)
    scale = min(1.05 * max((right - left) / size[0], (bottom - top) / size[1]), picture.width / size[0])
    width, height = scale * size[0], scale * size[1]
    x = min(max((left + right - width) / 2, 0), picture.width - width)
    y = min(max((top + bottom - height) / 2, 0), picture.height - height)
    return x, y, x + width, y + height


def at_rest(page: Page, part: Locator) -> Image.Image:
    """A picture of a part of the page once two in a row are the same. ``RuntimeError`` if it keeps moving."""
    before = b""
    for _ in range(20):
        now = part.screenshot()
        if now == before:
            return Image.open(io.BytesIO(now)).convert("RGB")
        before = now
        page.wait_for_timeout(300)
    raise RuntimeError(f"{page.url} keeps moving: no picture of it can be taken.")


def take_all(address: str) -> None:
    """Take every picture in both themes, and record the race of the home page, from the app at an address."""
    path = shutil.which("chromium")
    if not path:
        raise RuntimeError("There is no chromium on the path. Install it, for instance by `apt install chromium`.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 1000}, device_scale_factor=DENSE)
        page.set_default_timeout(1000 * SECONDS)
        for title in dict.fromkeys(subject.page for subject in SUBJECTS.values()):
            open_page(page, f"{address}/{path_of(title)}")
            for name in (name for name, subject in SUBJECTS.items() if subject.page == title):
                for theme in THEMES:
                    change_theme(page, theme)
                    take(page, SUBJECTS[name], file_of(name, theme))
                    print(file_of(name, theme).name, flush=True)
        browser.close()


def path_of(title: str) -> str:
    """The path of a page in the app's address."""
    (file,) = (entry.file for entry in PAGES if entry.title == title)
    return Path(file).stem.partition("_")[2]


def main() -> None:
    """Take every picture, and keep what they were made from."""
    logging.disable(logging.WARNING)  # Streamlit warns of pages that are run without a browser
    made_from = digests()
    with app() as address:
        take_all(address)
    MADE_FROM.write_text(json.dumps(made_from, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
