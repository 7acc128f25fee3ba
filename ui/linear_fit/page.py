"""The page Linear Fit: the points, the descent, its table, and why it converges or not."""

from __future__ import annotations

import inspect
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine import OPTIMIZERS, analysis, batches, problems
from engine.analysis import measured_factors
from engine.problems import mean_squared_error
from ui.ask.panel import show_hidden, show_question
from ui.draw.curves import choose_axis, curve_controls
from ui.draw.journal import keep_run, show_journal
from ui.draw.text import BEFORE_STAGE, formula_row
from ui.draw.yours import yours_of
from ui.head import open_page, show_actions
from ui.linear_fit.controls import CONTROLS, sidebar, uploaded
from ui.linear_fit.csv_data import MAX_ROWS
from ui.linear_fit.csv_text import CsvError
from ui.linear_fit.curvature import show_curvature
from ui.linear_fit.data import Points, points_of
from ui.linear_fit.figures import MAX_DRAWN
from ui.linear_fit.reading import show_reading
from ui.linear_fit.run import facts, run, thetas
from ui.linear_fit.stage import describe_end, show_stage
from ui.linear_fit.table import show_table
from ui.setup.pages import CSV, FitSetup


def show(actions: DeltaGenerator) -> None:
    """Draw the page. ``actions`` is the place for buttons beside its title."""
    setup, asking = open_page(CONTROLS)
    points = find_points(setup)
    if points is None:
        show_actions(CONTROLS, setup, asking, actions, has_run=False)
        choose_axis(CONTROLS, "There is no loss before there are points.")
        sidebar(setup)
        show_lesson(setup)
    else:
        with st.spinner("Getting the descent ready. The first one on a new server takes a few seconds."):
            result = run(setup, points)
            # there is no learning rate to ask for on this page, and so nothing to race
            yours = yours_of(asking, mean_squared_error, setup.start, lambda racers: {}, result.fit.data)
        before = st.container(
            horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key=BEFORE_STAGE
        )
        show_question(asking, partial(facts, setup, result, yours))
        # before the controls above it: it is what a visitor waits for
        show_stage(setup, asking, result.at_start() if asking.held else result, yours)
        if not asking.held:
            keep_run(CONTROLS.page, setup, describe_end(setup, result))
        show_actions(CONTROLS, setup, asking, actions)
        with before:
            if not asking.held:
                CONTROLS.show_look_for(setup)
            if not (asking.bare or asking.blind):
                curve_controls(CONTROLS, setup, thetas(setup))
        if asking.bare:
            return CONTROLS.hold_undrawn(setup)
        sidebar(setup, result.scale, foretell=not asking.held, blind=asking.blind)
        show_counts(setup, points)
        show_lesson(setup)

        if not CONTROLS.shows("results"):
            pass
        elif asking.held:
            show_hidden()
        else:
            st.subheader("Every iteration", anchor=False)
            show_table(setup, result)

            st.subheader("Why it converges or diverges", anchor=False)
            show_curvature(setup, result)
        show_journal(CONTROLS)

    if CONTROLS.shows("code"):
        st.subheader("How it works", anchor=False)
        show_how_it_works(setup)


def find_points(setup: FitSetup) -> Points | None:
    """The points to fit. None, after a message, where the visitor's file is not there yet or cannot be used."""
    try:
        points = points_of(setup, uploaded())
    except CsvError as error:
        st.error("This file cannot be fitted.", icon=":material/error:")
        st.code(str(error), language=None, wrap_lines=True)
        if (upload := uploaded()) is not None:
            show_reading(upload)
        return None
    if points is None and setup.data == CSV and (upload := uploaded()) is not None:
        show_reading(upload)
    elif points is None:
        st.info(
            "Upload a CSV file with two columns of numbers in the sidebar, under **CSV file**: one for x, and one for "
            f"what the line is to predict. It may have 2 MB and {MAX_ROWS:,} rows. With a link the file has to be "
            "uploaded again, since a link cannot carry it.",
            icon=":material/upload_file:",
        )
    return points


def show_lesson(setup: FitSetup) -> None:
    """What the page is about, in words and formulas."""
    row = formula_row()
    row.markdown(
        "The loss is the mean of the squared errors of the line, over all points. In each step, gradient descent "
        "changes θ against the slope of the loss, and the learning rate α says how far."
    )
    if setup.with_intercept:
        model, theta = (
            r"\hat y = \theta_0 + \theta_1 x",
            r"\theta_j \leftarrow \theta_j - \alpha \, \partial L / \partial \theta_j",
        )
    else:
        model, theta = r"\hat y = \theta x", r"\theta \leftarrow \theta - \alpha \frac{dL}{d\theta}"
    loss = r"L(\theta) = \frac{1}{n} \sum_{i=1}^n (y_i - \hat y_i)^2"
    row.markdown(
        f"${{{model}}}$ &emsp; ${{{loss}}}$ &emsp; ${{{theta}}}$"
    )  # in braces: a line breaks between them only


def show_counts(setup: FitSetup, points: Points) -> None:
    """How many points are used and drawn, where it is not all of them, and how the file was read."""
    counts = []
    if setup.data == CSV:
        rows = len(points.x) + points.dropped
        counts.append(f"{len(points.x):,} of {rows:,} rows of the file are used.")
        if points.dropped:
            counts.append(f"{points.dropped:,} left out.")
    if len(points.x) > MAX_DRAWN:
        counts.append(f"A sample of {MAX_DRAWN:,} points is drawn; the fit uses all {len(points.x):,}.")
    if counts:
        st.markdown(f":material/table_rows: {' '.join(counts)}")
    if setup.data == CSV and (upload := uploaded()) is not None:
        show_reading(upload, points.first_fault)


def show_how_it_works(setup: FitSetup) -> None:
    """The engine's own code, in cards that open."""
    cards = {
        "The loss and the line": ("engine/problems.py", (mean_squared_error, problems.line)),
        "The step": ("engine/optimizers/classic.py", (OPTIMIZERS["SGD"],)),
        "The curvature and what it predicts": (
            "engine/analysis.py",
            (analysis.hessian_at, analysis.curvature, analysis.Curvature, analysis.forecast, measured_factors),
        ),
        "The mini-batches": ("engine/batches.py", (batches.batches_per_epoch, batches.shuffle, batches.in_batch)),
    }
    for name, (file, parts) in cards.items():
        card = st.expander(name, key=CONTROLS.key("card", name), on_change="rerun")
        if card.open:
            with card:
                st.markdown(f"The code that runs, from `{file}`:")
                for part in parts:
                    st.code(inspect.getsource(part), language="python")
