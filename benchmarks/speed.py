"""How fast the playground is, measured in one run: ``python -m benchmarks.speed`` (on an otherwise idle machine).

Prints what a visitor feels, in a real browser on a server of its own that starts from a copy of the project with
nothing compiled yet. The engine itself is measured in ``benchmarks/peers.py``, a whole class in ``benchmarks/load.py``.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import time

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.machine import machine
from benchmarks.server import Server, fresh_server, wait_until_compiled

RACERS = ("SGD", "Momentum~learning_rate~0.07", "Nesterov", "RMSProp", "Adam~learning_rate~0.5", "NAdam")
OPENING = "Ackley_Race"
SIX = "Ackley_Race?steps=500" + "".join(f"&racer={racer}" for racer in RACERS)
TWELVE = "Ackley_Race?steps=2000" + "".join(f"&racer={racer}" for racer in 2 * RACERS)

# when the page sends something to the server, and when what comes back is there, and how large it is
LISTEN = """
    const [sent, heard, Socket] = [[], [], WebSocket];
    Object.assign(window, { sent, heard });
    window.WebSocket = class extends Socket {
        constructor(...where) {
            super(...where);
            this.addEventListener("message", ({ data }) => heard.push([performance.now(), data.byteLength]));
        }
        send(data) { sent.push(performance.now()); super.send(data); }
    };
"""


def drawn(page: Page) -> None:
    page.wait_for_selector(".stage[data-drawn]", timeout=120_000)


def cold_visit(browser: Browser, server: Server) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    before = time.perf_counter()
    page.goto(f"{server.address}/{OPENING}", wait_until="commit")
    page.wait_for_selector("h1", timeout=120_000)
    read = time.perf_counter()
    drawn(page)
    print(
        f"cold: something to read {read - before:.1f} s after the first request;"
        f" the first race {time.perf_counter() - server.started:.1f} s after `streamlit run`"
    )
    page.close()


def warm_visit(browser: Browser, server: Server) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    before = time.perf_counter()
    page.goto(f"{server.address}/{OPENING}", wait_until="commit")
    drawn(page)
    print(f"second visitor: the race after {time.perf_counter() - before:.1f} s")
    page.close()


# notes when a key was pressed, and when what follows was painted: a message posted in a frame comes once it is painted
TIME_KEYS = """
    window.painted = [];
    let pressed = null;
    addEventListener("keydown", () => { pressed = performance.now(); }, true);
    const seen = new MessageChannel();
    seen.port1.onmessage = () => {
        if (pressed !== null) painted.push([pressed, performance.now()]);
        pressed = null;
    };
    const atPaint = () => seen.port2.postMessage(0);
"""
RACE_DRAWN = """
    new MutationObserver(() => requestAnimationFrame(atPaint))
        .observe(document.querySelector(".stage"), { attributes: true, attributeFilter: ["data-drawn"] });
"""
CHARTS_DRAWN = """
    const shown = () => [...document.querySelectorAll(".js-plotly-plot")].map((chart) => chart._fullLayout?.meta);
    let last = shown()[0];
    (function look() {
        const now = shown();
        if (now.length === 3 && now[0] !== last && now.every((one) => one === now[0])) { last = now[0]; atPaint(); }
        requestAnimationFrame(look);
    })();
"""


def slider_to_paint(browser: Browser, server: Server, presses: int = 20) -> float:
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.add_init_script(LISTEN)
    page.goto(f"{server.address}/{SIX}")
    drawn(page)
    painted = press_keys(page, RACE_DRAWN, 1, presses)
    sent, heard = page.evaluate("[sent, heard]")
    server_part, sizes = [], []
    for pressed, seen in painted:
        asked = min(when for when in sent if when > pressed)
        size, there = max((size, when) for when, size in heard if asked < when < seen)  # the race is the largest
        server_part.append(there - asked)
        sizes.append(size)
    whole = [seen - pressed for pressed, seen in painted]
    print(
        f"slider, six racers x 500 steps: key to new race painted {said(whole)}, of it"
        f" from request to race on the server {said(server_part)}; the race's message {max(sizes) / 1000:.0f} kB"
    )
    page.close()
    return statistics.median(whole)


def press_keys(page: Page, drawn: str, slider: int, presses: int) -> list[tuple[float, float]]:
    """Move a slider of the sidebar to and fro: when each key was pressed, and when what follows was painted, in ms."""
    page.wait_for_timeout(3000)
    page.locator('[data-testid="stSidebar"] [data-testid="stSlider"] input').nth(slider).focus()
    page.evaluate(f"() => {{ {TIME_KEYS} {drawn} }}")
    for i in range(presses):
        page.keyboard.press("ArrowLeft" if i % 2 == 0 else "ArrowRight")
        page.wait_for_function("count => painted.length > count", arg=i, timeout=20_000)
        page.wait_for_timeout(700)
    return page.evaluate("painted")


def beside_plotly_chart(browser: Browser, ours: float, presses: int = 20) -> None:
    """The same picture by ``st.plotly_chart``: how many times as long it takes depends on no machine."""
    with fresh_server("benchmarks/plotly_chart.py") as server:
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.goto(server.address)
        page.wait_for_function("document.querySelectorAll('.js-plotly-plot .main-svg').length >= 3", timeout=120_000)
        whole = [seen - pressed for pressed, seen in press_keys(page, CHARTS_DRAWN, 0, presses)]
        page.close()
    print(
        f"the same picture by st.plotly_chart, in a small app: {said(whole)};"
        f" the page takes {ours / statistics.median(whole):.2f} times as long"
    )


def said(milliseconds: list[float]) -> str:
    count, worst = len(milliseconds), max(milliseconds)
    return f"{statistics.median(milliseconds):.0f} ms (median of {count}, worst {worst:.0f})"


def playback(browser: Browser, server: Server, link: str, words: str, seconds: float = 5) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.goto(f"{server.address}/{link}")
    drawn(page)
    page.wait_for_timeout(3000)
    chromium = page.context.new_cdp_session(page)
    chromium.send("Performance.enable")

    def busy() -> float:
        """Seconds that the main thread has worked."""
        metrics = chromium.send("Performance.getMetrics")["metrics"]
        return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")

    page.evaluate("(() => { const { stage } = document.querySelector('.stage'); stage.go(0); stage.play(true); })()")
    counts = "(({ stage }) => [stage.frames, performance.now(), stage.playing])(document.querySelector('.stage'))"
    (frames, since, _), worked = page.evaluate(counts), busy()
    page.wait_for_timeout(1000 * seconds)
    (more, until, playing), worked = page.evaluate(counts), busy() - worked
    ended = "" if playing else ", which ended before the time was up"
    print(
        f"playback, {words}, three views: {1000 * (more - frames) / (until - since):.0f} frames/s,"
        f" {1000 * worked / (more - frames):.1f} ms of the main thread a frame{ended}"
    )
    page.close()


def main() -> None:
    path = shutil.which("chromium")
    if path is None:
        sys.exit("Chromium is not installed, so what a visitor feels cannot be measured. Install it and run again.")
    print(machine("streamlit", "plotly", "jax"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        with fresh_server() as server:
            cold_visit(browser, server)
            wait_until_compiled(server.cache)  # the new server's warm-up
            warm_visit(browser, server)
            ours = slider_to_paint(browser, server)
            playback(browser, server, SIX, "six racers x 500 steps")
            playback(browser, server, TWELVE, "twelve racers x 2000 steps")
        beside_plotly_chart(browser, ours)
        browser.close()


if __name__ == "__main__":
    main()
