"""A try by hand in the browser: a line that is dragged, steps on a map without a landscape, a chosen learning rate."""

from urllib.parse import urlencode

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from engine import OPTIMIZERS
from ui.linear_fit.data import fit_of, points_of
from ui.setup.codec import encode
from ui.setup.pages import FitSetup, RaceSetup, RegressionSetup

LINE = FitSetup(model="intercept", rate=0.0235, steps=60, tolerance=0.0, data="noisy line", ask="line")
RACERS = tuple(OPTIMIZERS[name](learning_rate=rate) for name, rate in (("SGD", 0.01), ("Adam", 0.3)))
STEPS = RaceSetup(landscape="Himmelblau", start=(-0.5, 0.5), steps=60, racers=RACERS, ask="steps~6")
RATE = RegressionSetup(start=(-6.0, 9.0), steps=60, batch=0, ask="rate~Adam")
YOU = "stage.tracks.at(-1)"
GRIPS = """stage.views.get('data').hand.grips.map((grip) => {
    const { left, top, width, height } = grip.getBoundingClientRect();
    return [left + width / 2, top + height / 2];
})"""


def released(visitor) -> None:
    """Wait until the run is no more held back."""
    visitor.page.wait_for_function("document.querySelector('.stage')?.stage?.message?.held === undefined")
    visitor.drawn()


def shown_loss(visitor) -> str:
    """What stands at the line."""
    return visitor.page.locator(".caption.live").inner_text().rpartition(" ")[2]


def loss_of(visitor) -> float:
    """The loss of the line that is drawn, computed here."""
    theta = np.array(visitor.ask("stage.views.get('data').hand.theta"))
    fit = fit_of(LINE, points_of(LINE, None))
    return float(np.mean((fit.features.astype(float) @ theta - fit.true.astype(float)) ** 2))


@pytest.mark.parametrize("width", [1400, 390])
def test_a_line_is_dragged_with_the_mouse_and_by_keyboard_and_sgd_runs_beside(window, width):
    visitor = window(width)
    page = visitor.open(LINE).page
    assert list(visitor.ask("[...stage.views.keys()]")) == ["data"]
    grips = page.get_by_role("slider", name="Height of your line")
    assert grips.count() == 2
    grips.nth(1).scroll_into_view_if_needed()
    before, start = visitor.race, shown_loss(visitor)
    x, y = visitor.ask(GRIPS)[1]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 3, y - 60, steps=5)
    assert visitor.ask(GRIPS)[1] == pytest.approx([x, y - 60], abs=1.5)
    assert shown_loss(visitor) == f"{loss_of(visitor):.3f}" != start
    assert visitor.race == before  # while it is dragged, the server is not asked
    page.mouse.up()
    visitor.drawn(before)
    before = visitor.race
    grips.nth(0).focus()
    for _ in range(5):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowUp")
    here = visitor.ask("stage.views.get('data').hand.theta")
    visitor.drawn(before)
    assert visitor.ask("stage.views.get('data').hand.theta") == here
    for name, value in zip(("θ₀", "θ₁"), here, strict=True):
        assert float(page.get_by_label(name, exact=True).input_value()) == pytest.approx(value, rel=1e-4)
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [rule["id"] for rule in found if rule["impact"] in ("critical", "serious")] == []
    loss = f"{loss_of(visitor):.3f}"
    assert shown_loss(visitor) == loss
    assert loss in (grips.nth(0).get_attribute("aria-valuetext") or "")
    assert visitor.ask(f"{YOU}.values.loss[0].toFixed(3)") == loss
    page.get_by_role("button", name="Commit").click()
    released(visitor)
    assert page.locator(".grip").count() == 0
    assert visitor.ask(f"[{YOU}.name, {YOU}.values.loss[0].toFixed(3)]") == ["You", loss]  # the server's own
    assert list(visitor.ask("[...stage.views.keys()]")) == ["data", "loss", "valley"]
    visitor.ask("stage.go(stage.last)")
    page.get_by_text("Your line has the loss").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("width", [1400, 390])
def test_steps_are_taken_by_clicks_and_by_keyboard_on_a_map_without_a_landscape(window, width):
    visitor = window(width)
    page = visitor.go(f"{visitor.server}/Ackley_Race?{urlencode(encode(STEPS), doseq=True)}").page
    assert visitor.ask("[...stage.views.values()].flatMap(({ plot }) => plot.data.map(({ type }) => type))") == [
        "scatter"
    ]
    assert page.locator(".katex").count() == 0
    for k, (across, up) in enumerate([(0.4, 0.5), (0.3, 0.4)], start=1):
        before = visitor.race
        visitor.single()
        target = page.locator("[data-click] .nsewdrag").first
        target.scroll_into_view_if_needed()
        box = target.bounding_box()
        page.mouse.click(box["x"] + across * box["width"], box["y"] + up * box["height"])
        visitor.drawn(before)
        assert visitor.ask("[stage.at, stage.last]") == [k, k]
    before = visitor.race
    page.get_by_label("y", exact=True).fill("3")
    page.keyboard.press("Enter")
    visitor.drawn(before)
    x, y, loss = visitor.ask(f"['x', 'y', 'loss'].map((name) => {YOU}.values[name][3])")
    assert y == 3
    assert loss == pytest.approx((x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2, rel=1e-4)
    assert page.locator(".when").inner_text().split() == ["step", "3", "of", "6"]
    page.get_by_role("button", name="Commit").click()
    released(visitor)
    assert visitor.ask("[stage.at, stage.tracks.map(({ name }) => name)]") == [0, ["SGD", "Adam", "You"]]
    assert visitor.ask(f"{YOU}.values.loss[3]") == pytest.approx(loss, rel=1e-6)
    assert set(visitor.ask("[...stage.views.keys()]")) == {"surface", "map", "loss"}
    visitor.ask("stage.go(stage.last)")
    page.get_by_text("Your lowest loss is").wait_for()
    assert "start=-0.5~0.5" in page.url
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_learning_rate_is_chosen_by_keyboard_and_another_question_asked_instead(window):
    visitor = window()
    page = visitor.open(RATE).page
    page.locator(".st-key-regression-ask-number-0 input").focus()
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Commit").focus()
    page.keyboard.press("Enter")
    released(visitor)
    names = visitor.ask("stage.tracks.map(({ name }) => name)")
    assert len(names) == len(RATE.racers) + 2
    visitor.ask("stage.go(stage.last)")
    page.get_by_text(f"{names[-1]} ends with the loss").wait_for()
    page.get_by_role("button", name="Ask again").click()
    page.wait_for_function("document.querySelector('.stage').stage.message.held !== undefined")
    page.get_by_role("button", name="Other questions").click()
    page.get_by_role("button", name="Descend yourself, step by step").click()
    page.get_by_text("How low do you get in 20 steps").wait_for()
    visitor.wait("stage.views.has('steps') && !stage.views.has('map')")
    assert "ask=steps" in page.url
