"""A knob turned in the middle of the run, in a real browser: the stage tells where it is paused once that is asked."""

from dataclasses import replace

from engine import OPTIMIZERS
from engine.turned import LATER, turned_at
from ui.setup.pages import RaceSetup

RACE = RaceSetup(landscape="Himmelblau", start=(-0.5, 0.5), steps=40, racers=(OPTIMIZERS["SGD"](learning_rate=0.01),))


def test_the_knobs_are_turned_from_the_step_at_which_the_stage_stands_when_the_settings_are_opened(visitor):
    visitor.open(RACE)
    page, before = visitor.page, visitor.race
    page.locator(".scrub").fill("12")
    page.get_by_role("button", name="More settings of SGD").first.click()
    page.get_by_role("button", name="Turn its knobs from step 12 on").wait_for()
    # a menu that is closed while the page answers is opened again by the answer
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Turn its knobs from step 12 on").wait_for(state="detached")
    page.locator(".forward").click()
    visitor.wait("!stage.tells")
    visitor.ask("stage.trigger('at', stage.known = stage.at)")  # as where it tells its step just as the menu is closed
    page.get_by_role("button", name="More settings of SGD").first.click()
    page.get_by_role("button", name="Turn its knobs from step 13 on").click()
    page.get_by_role("button", name="Take the turn back").wait_for()
    visitor.drawn(before)
    assert visitor.ask("stage.at") == 13, "and there it stands still"
    assert "SGD~learning_rate~0.01~13@learning_rate~0.01" in page.evaluate("decodeURIComponent(location.search)")


def test_a_step_taken_apart_reads_a_turned_knob_as_its_slider_does(visitor):
    begun = turned_at(RACE.racers[0], 12)
    racer = begun.rule(**{**vars(begun), f"{LATER}learning_rate": 0.002})
    visitor.open(replace(RACE, racers=(racer,), apart=True))
    for step, rate in ((11, "0.01"), (12, "0.002")):
        visitor.ask("stage.go(given)", step)
        assert visitor.page.locator(".apart-numbers [data-value='\\\\alpha']").text_content() == rate
