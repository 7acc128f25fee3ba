"""The page 2D Regression: the race on the examples, and what is shown below it."""

from __future__ import annotations

import inspect
from dataclasses import replace
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine import batches, problems
from engine.problems import mean_squared_error
from ui.ask.panel import show_hidden, show_question
from ui.draw.curves import curve_controls
from ui.draw.journal import keep_run, show_journal
from ui.draw.results import describe_ends, download, show_cards, show_leaderboard
from ui.draw.tables import paths, show_table
from ui.draw.text import BEFORE_STAGE, formula_row
from ui.draw.theme import theme
from ui.draw.yours import yours_of
from ui.head import open_page, show_actions
from ui.regression.batch import show_batch
from ui.regression.controls import CONTROLS, sidebar
from ui.regression.curvature import show_curvature
from ui.regression.figures import fit_of
from ui.regression.run import THETAS, Result, facts, in_turn, race_all, run
from ui.regression.seeds import show_seeds
from ui.regression.stage import show_stage
from ui.setup.pages import REGRESSION_TABS, RegressionSetup


def show(actions: DeltaGenerator) -> None:
    """Draw the page. ``actions`` is the place for buttons beside its title."""
    setup, asking = open_page(CONTROLS)
    with st.spinner("Getting the race ready. The first one on a new server takes a few seconds."), in_turn(setup):
        fit = fit_of(setup.examples, setup.noise, setup.seed)
        yours = yours_of(asking, mean_squared_error, setup.start, partial(race_all, setup), fit.data)
        result = run(setup, yours)
    before = st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key=BEFORE_STAGE
    )
    show_question(asking, partial(facts, setup, result, yours))
    # before the controls above it: it is what a visitor waits for
    show_stage(setup, asking, replace(result, traces=asking.start_of(result.traces)), yours)
    if not asking.held:
        keep_run(CONTROLS.page, setup, describe_ends({name: result.traces[name] for name in setup.runners}))
    show_actions(CONTROLS, setup, asking, actions)
    with before:
        if not asking.held:
            CONTROLS.show_look_for(setup)
        if not (asking.bare or asking.blind):
            curve_controls(CONTROLS, setup, THETAS)
    if asking.bare:
        return CONTROLS.hold_undrawn(setup)
    sidebar(setup, theme())
    show_hidden("Where the examples come from") if asking.blind else show_lesson()

    if CONTROLS.shows("results"):
        CONTROLS.choose_tab("below", "Below the picture", REGRESSION_TABS)
        show_hidden() if asking.held else show_part(setup, result, theme())
    CONTROLS.hold_undrawn(setup)
    show_journal(CONTROLS)

    if CONTROLS.shows("code"):
        st.subheader("How it works", anchor=False)
        show_how_it_works()
        show_cards(CONTROLS, setup.racers)


def show_lesson() -> None:
    """What the page is about, in words and formulas."""
    row = formula_row()
    row.markdown(
        "The examples come from $f(x, y) = 3x^2 + 9y^2$, plus random noise. The optimizers get the "
        "examples only and estimate the 3 and the 9. They follow the gradient of the mean squared error, over all "
        "examples or over a mini-batch of a few."
    )
    row.markdown(
        r"${\hat f(x, y) = \theta_1 x^2 + \theta_2 y^2}$ &emsp; "
        r"${L(\theta) = \frac{1}{n} \sum_{i=1}^n \left(f_i - \hat f(x_i, y_i)\right)^2}$"
    )  # in braces: a line breaks between them only


def show_part(setup: RegressionSetup, result: Result, theme: str) -> None:
    """The part that the visitor chose to see below the picture."""
    if setup.below == "ends":
        show_leaderboard(result.traces, result.verdicts, [result.minimum], result.racer_styles, theme)
        download(result.traces, THETAS)
    elif setup.below == "iterations":
        show_iterations(result)
    elif setup.below == "batch":
        show_batch(setup, result, theme)
    elif setup.below == "curvature":
        show_curvature(setup, result, theme)
    else:
        show_seeds(setup, theme)


def show_iterations(result: Result) -> None:
    """Every iteration of every racer in a table."""
    table = paths(result.traces, THETAS).rename(columns={"step": "iteration"})
    columns = {"racer": st.column_config.TextColumn("optimizer"), **dict.fromkeys(THETAS, "%.4f"), "loss": "%.6g"}
    show_table(table, columns, 360)
    download(result.traces, THETAS)


def show_how_it_works() -> None:
    """The engine's own code: the loss, the examples, and how batches are dealt."""
    card = st.expander("The loss, the examples and the batches", key=CONTROLS.key("card", "fit"), on_change="rerun")
    if not card.open:
        return
    with card:
        st.markdown("The loss, from `engine/problems.py`. `x` holds x² and y² of each example, theta both parameters:")
        st.code(inspect.getsource(mean_squared_error), language="python")
        st.markdown("The examples, from the same file:")
        st.code(inspect.getsource(problems.draw_bowl), language="python")
        st.markdown("The batches, from `engine/batches.py`:")
        for part in (batches.batches_per_epoch, batches.shuffle, batches.in_batch):
            st.code(inspect.getsource(part), language="python")
