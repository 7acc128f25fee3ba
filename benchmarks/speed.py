"""How fast the playground is, measured in one run: ``python -m benchmarks.speed`` (on an otherwise idle machine).

Prints the engine's time beside its peers', then what a visitor feels, in a real browser on a server of its own that
starts from a copy of the project with nothing compiled yet.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.server import fresh_server, wait_until_compiled
from engine import LANDSCAPES, OPTIMIZERS, race

STEPS, START = 500, [[4.0, 4.0]]
SIX = (
    "&racer=SGD&racer=Momentum~learning_rate~0.07&racer=Nesterov&racer=RMSProp&racer=Adam~learning_rate~0.5&racer=NAdam"
)


def median_ms(act: Callable[[], object], times: int) -> float:
    act()
    taken = []
    for _ in range(times):
        before = time.perf_counter()
        act()
        taken.append(time.perf_counter() - before)
    return 1e3 * statistics.median(taken)


def engine_beside_peers() -> None:
    loss = LANDSCAPES["Ackley"].loss
    racers = {name: rule() for name, rule in OPTIMIZERS.items()}
    ours = median_ms(lambda: race(loss, racers, START, STEPS), 50)
    print(f"engine: {len(racers)} racers x 1 start x {STEPS} steps, warm: {ours:.1f} ms")

    rule = optax.adam(0.1)

    @jax.jit
    def step(x, state):
        move, state = rule.update(jax.grad(loss)(x), state)
        return x + move, state

    def loop():
        x = jnp.array(START[0])
        state = rule.init(x)
        for _ in range(STEPS):
            x, state = step(x, state)
        return x.block_until_ready()

    @jax.jit
    def scan(x):
        def body(carry, _):
            x, state = step(*carry)
            return (x, state), (x, loss(x))

        return jax.lax.scan(body, (x, rule.init(x)), length=STEPS)[1]

    one = median_ms(lambda: race(loss, {"Adam": racers["Adam"]}, START, STEPS), 50)
    print(f"  Adam alone, engine:                       {one:8.2f} ms   1.0x")
    for name, act, times in (
        ("optax, scan over steps in one jit", lambda: jax.device_get(scan(jnp.array(START[0]))), 50),
        ("optax, Python loop over a jitted step", loop, 5),
    ):
        taken = median_ms(act, times)
        print(f"  Adam alone, {name + ':':<38} {taken:8.2f} ms {taken / one:5.1f}x")


def drawn(page: Page) -> None:
    page.wait_for_selector(".stage[data-drawn]", timeout=120_000)


def cold_visit(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    before = time.perf_counter()
    page.goto(f"{address}/Ackley_Race", wait_until="commit")
    page.wait_for_selector("h1", timeout=120_000)
    read = time.perf_counter() - before
    drawn(page)
    print(f"cold start: something to read after {read:.1f} s, the race after {time.perf_counter() - before:.1f} s")
    page.close()


def warm_visit(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    before = time.perf_counter()
    page.goto(f"{address}/Ackley_Race", wait_until="commit")
    drawn(page)
    print(f"second visitor: the race after {time.perf_counter() - before:.1f} s")
    slider_to_paint(page)
    page.close()


def slider_to_paint(page: Page, presses: int = 20) -> None:
    page.locator('[data-testid="stSidebar"] [data-testid="stSlider"] input').nth(1).focus()
    page.evaluate(
        """() => {
            window.taken = [];
            let pressed = null;
            addEventListener("keydown", () => { pressed = performance.now(); }, true);
            const painted = new MessageChannel(); // a message posted in a frame comes once it is painted
            painted.port1.onmessage = () => {
                if (pressed !== null) taken.push(performance.now() - pressed);
                pressed = null;
            };
            new MutationObserver(() => requestAnimationFrame(() => painted.port2.postMessage(0)))
                .observe(document.querySelector(".stage"), { attributes: true, attributeFilter: ["data-drawn"] });
        }"""
    )
    for i in range(presses):
        page.keyboard.press("ArrowLeft" if i % 2 == 0 else "ArrowRight")
        page.wait_for_function("count => taken.length > count", arg=i, timeout=20_000)
        page.wait_for_timeout(300)
    taken = page.evaluate("taken")
    middle, worst = statistics.median(taken), max(taken)
    print(
        f"slider: key press to new race painted, ten racers: median {middle:.0f} ms of {len(taken)}, worst {worst:.0f}"
    )


def playback(browser: Browser, address: str, seconds: float = 5) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.goto(f"{address}/Ackley_Race?steps=500{SIX}")
    drawn(page)
    page.wait_for_timeout(1500)
    rate = page.evaluate(
        """async (seconds) => {
            const stage = document.querySelector(".stage").stage;
            stage.go(0);
            stage.play(true);
            const [frames, before] = [stage.frames, performance.now()];
            await new Promise((done) => setTimeout(done, 1000 * seconds));
            return (1000 * (stage.frames - frames)) / (performance.now() - before);
        }""",
        seconds,
    )
    print(f"playback: six racers, 500 steps, three views: {rate:.0f} frames/s")
    page.close()


def main() -> None:
    engine_beside_peers()
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("Chromium is not installed, so what a visitor feels cannot be measured. Install it and run again.")
    with sync_playwright() as playwright, fresh_server() as (address, cache, _):
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        cold_visit(browser, address)
        wait_until_compiled(cache)  # the new server's warm-up
        warm_visit(browser, address)
        playback(browser, address)
        browser.close()


if __name__ == "__main__":
    main()
