"""The menus of a page, with keys alone."""

import pytest

from engine import OPTIMIZERS
from ui.setup.pages import RaceSetup

RACE = RaceSetup(landscape="Himmelblau", start=(-0.5, 0.5), steps=40, racers=(OPTIMIZERS["SGD"](learning_rate=0.01),))
MENU = "[data-testid=stPopoverBody]"


@pytest.mark.parametrize("name", ["More settings of SGD", "Teach", "Take it home"])
def test_each_menu_of_a_page_is_opened_gone_through_and_closed_with_keys_alone(shared_window, name):
    """Its place is at the end of the page: did it not take the focus, Tab would first go through all the rest."""
    page = shared_window().open(RACE).page
    button = page.get_by_role("button", name=name).first
    button.press("Enter")
    page.wait_for_selector(f"{MENU}:focus")
    inside = page.locator(f"{MENU} :is(button, input):visible")
    inside.first.wait_for()  # a menu is filled once it is open
    page.keyboard.press("Tab")
    page.wait_for_function("menu => document.activeElement.matches(`${menu} *`)", arg=MENU)
    # a menu that is closed before the page has heard that it was opened is opened again by the page's answer
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    page.keyboard.press("Escape")
    page.locator(MENU).wait_for(state="detached")
    page.wait_for_function("button => document.activeElement === button", arg=button.element_handle())


def test_a_menu_that_the_page_closes_gives_the_focus_back_to_its_button(window):
    page = window().open(RACE).page
    button = page.get_by_role("button", name="Teach")
    button.press("Enter")
    page.wait_for_selector(f"{MENU}:focus")
    page.get_by_role("button", name="Hold a class").press("Enter")
    page.get_by_role("button", name="Reveal").wait_for()  # the board of the class
    page.locator(MENU).wait_for(state="detached")
    page.wait_for_function("button => document.activeElement === button", arg=button.element_handle())
