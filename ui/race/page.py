"""The page Ackley Race: the race and its tabs, and how each racer moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine import Trace
from engine.notebook import REPLAYS
from ui.ask.asking import Asking
from ui.ask.panel import place_above, show_hidden, show_question
from ui.draw.journal import keep_run, show_journal
from ui.draw.line_up import describe_knobs
from ui.draw.palette import Style
from ui.draw.results import describe_ends, download, show_cards, show_leaderboard
from ui.draw.styles import styles
from ui.draw.text import formula_row
from ui.draw.theme import theme
from ui.draw.yours import yours_of
from ui.head import open_page, show_actions
from ui.numbers import with_minus
from ui.race.basins import show_basins
from ui.race.controls import CONTROLS, choose_curve, log_loss, sidebar
from ui.race.fair import show_fair
from ui.race.many import show_many, show_problem
from ui.race.rates import show_rates
from ui.race.run import at_start, facts, is_compiled, judged, race_all, run
from ui.race.stage import evaluated, show_stage
from ui.setup.pages import RACE_TABS, RaceSetup
from ui.setup.racers import names_in

CANNOT_BEGIN = ":material/block: At the start the loss or its slope has no value, so no run can begin. Move the start."
GETTING_READY = "Getting the race ready. The first one on a new server takes a few seconds."


def show(actions: DeltaGenerator) -> None:
    """Draw the page. ``actions`` is the place for buttons beside its title."""
    setup, asking = open_page(CONTROLS)
    tabs = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    above = place_above(asking)
    drawn_before = CONTROLS.memory.count_drawn
    if setup.show == "race" and not (drawn_before or asking.question or asking.together or is_compiled(setup)):
        return show_start(setup, asking, tabs, actions)
    with above:
        if not asking.held:
            CONTROLS.show_look_for(setup)
    with st.spinner(GETTING_READY):
        yours = yours_of(asking, setup.chosen_landscape.loss, setup.start, partial(race_all, setup))
        traces, racer_styles = run(setup, yours)
    with above:
        # judged by the map as it was when it was asked, or answered
        show_question(asking, partial(facts, replace(setup, view=asking.about.view), traces, yours))
        if all(trace.stopped_at[0] == 0 for trace in traces.values()):
            st.markdown(CANNOT_BEGIN)
    counted = None if asking.held else evaluated(setup, traces, yours)
    if setup.show == "race":  # before the controls above it: it is what a visitor waits for
        show_stage(setup, asking, traces, racer_styles, log_loss(setup), yours, counted)
    if not asking.held:
        keep_run(CONTROLS.page, setup, describe_ends({name: traces[name] for name in setup.runners}))
    show_above(setup, asking, tabs, actions)
    if setup.show != "race":
        show_hidden() if asking.held else show_tab(setup, traces, racer_styles, tabs)
    if asking.bare:
        return CONTROLS.hold_undrawn(setup)
    sidebar(setup, theme())
    if asking.blind:
        show_hidden("The formula of this landscape")
    else:
        show_problem(setup) if setup.show == "many" else show_landscape(setup)

    results = setup.show == "race" and CONTROLS.shows("results")
    if results:
        st.subheader("How each one ended", anchor=False)
    if results and asking.held:
        show_hidden()
    elif results:
        found, minima = yours.judged(judged(setup, traces)), setup.chosen_landscape.minima
        ends = counted.ends if counted else None
        show_leaderboard(traces, found, minima, racer_styles, theme(), bool(setup.gradient_noise), ends)
        download(traces, "xy")
    CONTROLS.hold_undrawn(setup)
    show_journal(CONTROLS)

    if CONTROLS.shows("code"):
        st.subheader("How each optimizer works", anchor=False)
        show_cards(CONTROLS, setup.racers)


def show_above(setup: RaceSetup, asking: Asking, tabs: DeltaGenerator, actions: DeltaGenerator) -> None:
    """The controls above the picture, in their places."""
    show_actions(CONTROLS, setup, asking, actions)
    with tabs:
        if not asking.bare:
            CONTROLS.choose_tab("show", "What is shown", RACE_TABS)
        if setup.show == "race" and not (asking.bare or asking.blind):
            choose_curve(setup)


def show_start(setup: RaceSetup, asking: Asking, tabs: DeltaGenerator, actions: DeltaGenerator) -> None:
    """A first page, with all racers at their start while their programs are compiled; then the whole of it."""
    st.markdown(f":material/hourglass_top: {GETTING_READY}")  # in the place of what to look for
    racer_styles = dict(zip(names_in(setup), styles(setup.racers), strict=True))
    show_stage(setup, asking, at_start(setup), racer_styles, log_loss(setup), waits=True)
    show_above(setup, asking, tabs, actions)
    sidebar(setup, theme())
    run(setup)
    CONTROLS.hold_undrawn(setup)
    st.rerun()


def show_tab(
    setup: RaceSetup, traces: Mapping[str, Trace], racer_styles: Mapping[str, Style], tabs: DeltaGenerator
) -> None:
    """The tab that was chosen, of those that stand in the place of the race."""
    if setup.show == "rates":
        show_rates(setup, racer_styles, theme())
    elif setup.show == "basins":
        show_basins(setup, traces, racer_styles, theme(), tabs)
    elif setup.show == "many":
        show_many(setup, racer_styles, theme(), tabs)
    else:
        show_fair(setup, theme())


def show_landscape(setup: RaceSetup) -> None:
    """The landscape's words and formula, and what is replayed on it; nothing where the link hides which one it is."""
    if setup.hides("landscape"):
        return
    landscape = setup.chosen_landscape
    source = f" :small[:gray[{landscape.source}.]]" if landscape.source else ""
    row = formula_row()
    about = with_minus(landscape.about) if landscape.found else landscape.about
    knobs = [] if setup.hides("shape") else describe_knobs(landscape)
    here = f" Here {' and '.join(knobs)}." if knobs else ""
    row.markdown(f"**{setup.landscape_name}.** {about}{here}{source}")
    if not setup.hides_formula:
        row.markdown(f"${landscape.formula}$")
    if setup.replaying and not setup.hides("replay"):
        st.info(REPLAYS[setup.replay].about)
