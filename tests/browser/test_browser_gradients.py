"""Gradients in a real browser: the tangent moves as it is played and clicked, and a typed function is drawn."""

from itertools import pairwise

import pytest

from engine import ExpressionError, parse
from ui.setup.pages import CHECK, DIFFERENCES, LOSS, OWN_FUNCTION, WIDTHS, GradientsSetup

SINE = GradientsSetup(f="sin x", low=-5.0, high=5.0, x0=1.0)
VIEWS = ("curve", "slope")


def type_in(visitor, key: str, text: str) -> None:
    visitor.page.locator(f".st-key-{key} input").fill(text)
    visitor.page.keyboard.press("Enter")


def click_at(visitor, view: str, x: float, y: float) -> None:
    """Press where a view has these coordinates."""
    place = visitor.ask(
        """(({ plot }) => {
            const { xaxis, yaxis } = plot._fullLayout;
            const frame = plot.getBoundingClientRect();
            return [frame.left + xaxis._offset + xaxis.d2p(given[1]), frame.top + yaxis._offset + yaxis.d2p(given[2])];
        })(stage.views.get(given[0]))""",
        [view, x, y],
    )
    visitor.page.mouse.click(*place)


def test_play_runs_the_tangent_along_the_curve_and_draws_its_slope(visitor):
    visitor.open(SINE)
    before, ground = visitor.moving(), visitor.standing()
    assert visitor.ask("[stage.at, stage.playing]") == [60, False]
    visitor.press("Space")
    visitor.wait("stage.playing && stage.at > 65")
    during = visitor.moving()
    visitor.press("Space")
    visitor.wait("!stage.playing")
    assert all(during[view] != before[view] for view in VIEWS)
    at = visitor.ask("stage.at")
    # where it came to rest is x₀ now, for the slider, the words and the address too
    x0 = f"{-5 + at / 10:.1f}"
    visitor.page.wait_for_url(f"**x0={x0.removesuffix('.0')}*")
    visitor.page.get_by_text("the slope is").first.wait_for()
    visitor.drawn()
    assert visitor.ask("stage.at") == at
    assert visitor.standing() == ground


def test_x0_moves_by_scrub_by_click_and_by_its_slider(visitor):
    visitor.open(SINE)
    visitor.page.locator(".scrub").fill("20")
    visitor.page.wait_for_url("**x0=-3&*")
    click_at(visitor, "curve", 2.03, 0.5)
    visitor.page.wait_for_url("**x0=2&*")
    visitor.wait("stage.at === 70")
    row = visitor.page.locator(".numbers tbody td").all_inner_texts()
    assert [float(cell.replace("−", "-")) for cell in row[:3]] == [2.0, 0.9093, -0.4161]
    visitor.page.locator(".st-key-slope-x0").get_by_text("2.0", exact=True).wait_for()  # it is drawn last
    visitor.page.locator(".st-key-slope-x0 input[type=range]").focus()
    visitor.page.keyboard.press("ArrowRight")
    visitor.page.wait_for_url("**x0=2.1&*")
    visitor.wait("stage.at === 71")


def test_a_typed_function_is_drawn_and_one_that_cannot_be_read_is_answered_in_plain_text(visitor):
    visitor.open(GradientsSetup(f=OWN_FUNCTION, own="x^2"))
    first, figure = visitor.race, visitor.standing()["curve"]
    type_in(visitor, "slope-own", "x^3")
    visitor.drawn(first)
    assert visitor.standing()["curve"] != figure
    assert visitor.drawing("curve")
    for typed in ("<img src=x>", "**b**(", "[a](http://b.c)", "$x$ :red[x]", "`x`"):
        with pytest.raises(ExpressionError) as problem:
            parse(typed, ("x",))
        type_in(visitor, "slope-own", typed)
        # with its own words: the complaint about the text before is still there when this one is looked for
        complaint = visitor.page.locator(".st-key-slope-complaint", has_text=str(problem.value))
        complaint.wait_for()
        assert complaint.locator("img, a, .katex, code, [class*=colored]").count() == 0
        assert complaint.locator("strong").all_inner_texts() == ["f(x) cannot be read."]
    type_in(visitor, "slope-own", "sin x")
    visitor.page.locator(".stage[data-drawn]").wait_for()
    visitor.page.locator(".st-key-slope-complaint").wait_for(state="detached")


def test_the_secants_close_in_on_the_tangent_and_a_click_chooses_h(visitor):
    visitor.open(GradientsSetup(part=DIFFERENCES, f="sin x", low=-5.0, high=5.0, x0=1.0))
    pictures = [visitor.moving()]
    for record in (6, 20):
        visitor.page.locator(".scrub").fill(str(record))
        pictures.append(visitor.moving())
    assert all(a[view] != b[view] for a, b in pairwise(pictures) for view in ("secants", "errors"))
    visitor.page.wait_for_url(f"**h={WIDTHS[20]}&*")
    click_at(visitor, "errors", 0.1, 0.01)
    visitor.page.wait_for_url("**h=0.1&*")
    visitor.wait("stage.at === given", WIDTHS.index(0.1))


def test_an_answer_is_judged_as_it_is_typed(visitor):
    visitor.page.goto(f"{visitor.server}/Gradients?show={CHECK}&f=x²&from=-5&to=5")
    visitor.page.get_by_text("Type what you think").wait_for()
    type_in(visitor, "slope-answer", "3x")
    visitor.page.get_by_text("Not yet.").wait_for()
    type_in(visitor, "slope-answer", "x+x")
    visitor.page.get_by_text("Right.").wait_for()
    visitor.page.locator(".st-key-slope-compared .scatterlayer").first.wait_for(state="attached")


def test_theta_moves_by_click_and_the_three_slopes_follow(visitor):
    visitor.open(GradientsSetup(part=LOSS))
    values = visitor.page.locator("[data-testid=stMetricValue]")
    values.nth(2).wait_for()
    assert [text.strip() for text in values.all_inner_texts()] == ["−131.340"] * 3
    click_at(visitor, "loss", 4.0, 300.0)
    visitor.page.wait_for_url("**theta=4&*")
    visitor.page.get_by_text("this is the minimum").wait_for()
    visitor.wait("stage.at === 60")
    visitor.page.get_by_role("button", name="Next line").click()
    visitor.page.wait_for_url("**lines=2*")
    assert visitor.ask("stage.at") == 60


@pytest.mark.parametrize("until", ["true", "stage.message.at === 60"], ids=["heard", "drawn"])
def test_a_click_on_the_plot_holds_when_a_button_follows_at_once(visitor, until):
    visitor.open(GradientsSetup(part=LOSS))
    visitor.page.get_by_role("button", name="Next line").wait_for()
    click_at(visitor, "loss", 4.0, 300.0)
    # it has been heard, but the slider of θ, which is sent last, still shows the value of before
    visitor.page.wait_for_url("**theta=4&lines=1*")
    visitor.wait(until)
    # Playwright would scroll to it first, and lose the moment
    visitor.ask("[...document.querySelectorAll('button')].find((b) => b.innerText.includes('Next line')).click()")
    visitor.page.wait_for_url("**lines=2*")
    visitor.wait("stage.at === 60")
    assert "theta=4&" in visitor.page.url


@pytest.mark.parametrize("part", [None, DIFFERENCES, LOSS])
def test_on_a_phone_nothing_sticks_out(window, part):
    visitor = window(420, 900).open(GradientsSetup(part=part) if part else GradientsSetup(f=OWN_FUNCTION, own="x^2"))
    boxes = [view.bounding_box() for view in visitor.page.locator(".view").all()]
    assert boxes[0]["x"] == boxes[1]["x"]
    assert boxes[0]["y"] + boxes[0]["height"] <= boxes[1]["y"]
    for place in ("html", "[data-testid=stMain]", ".stage"):
        assert visitor.page.locator(place).first.evaluate("e => e.scrollWidth - e.clientWidth") <= 0
