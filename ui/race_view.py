"""A race on the page: the stage, the leaderboard, the downloads and the cards, from a set-up."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st

from engine import OPTIMIZERS, Optimizer, Trace, race
from engine.analysis import verdicts
from engine.notebook import REPLAYS
from ui.figures import LEAST, LIFT, box, ground, height, loss_axes, loss_range, loss_span
from ui.palette import REPLAY, Style, styles, swatch
from ui.race_controls import CONTROLS, take_click
from ui.setups import NO_REPLAY, REPLAY_GROUND, RaceSetup, names
from ui.stage import stage
from ui.tables import leaderboard, paths_csv

CONVENTIONS = """
The update rules are PyTorch's, and their names are the field's:

- All coordinates move together; a step is $x \\leftarrow x + \\Delta x$, with the gradient taken at the old $x$.
- Weight decay is added to the gradient, except in AdamW and Lion, where it pulls on the parameters directly.
- RMSProp, Adam and their kin add $\\epsilon$ after the root. Adam's means are corrected for starting at zero.
- NAdam lets its momentum grow slowly, as PyTorch's does; AMSGrad keeps the largest mean before that correction.
- Numbers are 32-bit. A run that leaves the finite ones stops at its last finite point; nothing is clipped.
- "Converged" is closer than 0.01 to a minimum in every coordinate, as in the notebook this grew from.
"""


def run(setup: RaceSetup) -> tuple[dict[str, Trace], dict[str, Style]]:
    """Race the line-up, and put the notebook's replay beside it where one is asked for."""
    racers = dict(zip(names(setup.racers), setup.racers, strict=True))
    looks = dict(zip(racers, styles(setup.racers), strict=True))
    traces = race(setup.ground.loss, racers, [setup.start], setup.steps, minima=setup.ground.minima)
    if replaying(setup):
        replay = REPLAYS[setup.replay]
        traces = {**traces, replay.name: on_same_steps(replay.run(), traces)}
        looks[replay.name] = REPLAY
    return traces, looks


def replaying(setup: RaceSetup) -> bool:
    return setup.replay != NO_REPLAY and setup.landscape == REPLAY_GROUND


def on_same_steps(replay: Trace, traces: Mapping[str, Trace]) -> Trace:
    """A replay at the steps that the race beside it recorded; it stands still after its own end."""
    steps = next(iter(traces.values())).steps
    at = np.minimum(steps, replay.steps[-1])
    return replace(replay, steps=steps, positions=replay.positions[:, at], losses=replay.losses[:, at])


def show_landscape(setup: RaceSetup) -> None:
    landscape = setup.ground
    words, formula = st.columns(2, vertical_alignment="center")
    words.markdown(f"**{setup.landscape}.** {landscape.about} :small[:gray[{landscape.source}.]]")
    formula.markdown(f"${landscape.formula}$")


def show_look_for(setup: RaceSetup) -> None:
    preset = CONTROLS.preset(setup)
    st.markdown(f":material/visibility: {preset.look_for if preset else 'Your own race.'}", width="stretch")


def show_stage(
    setup: RaceSetup, traces: Mapping[str, Trace], looks: Mapping[str, Style], theme: str, log: bool
) -> None:
    landscape = setup.ground
    steps = next(iter(traces.values())).steps
    floor = landscape.floor if log and landscape.floor is not None else 0.0
    shown = {name: trace.losses[0] - np.float32(floor) for name, trace in traces.items()}
    if log:  # a logarithmic axis has no place for 0: who is there stays at its lower edge
        shown = {name: np.maximum(losses, LEAST) for name, losses in shown.items()}
    lowest, highest = loss_span(setup.landscape, setup.view)
    low, high = loss_range(list(shown.values()), (lowest - floor, highest - floor), log)
    tracks = [
        stage.Track(
            name=name,
            style=looks[name],
            values={
                "x": trace.positions[0, :, 0],
                "y": trace.positions[0, :, 1],
                "height": height(landscape, trace.losses[0]),
                "loss": trace.losses[0],
                "shown": shown[name],
            },
            stopped=int(trace.stopped_at[0]) if trace.stopped_at[0] >= 0 else None,
        )
        for name, trace in traces.items()
    ]
    runners = ", ".join(traces)
    stage.show(
        ground(setup.landscape, setup.view, theme),
        [
            stage.View(
                name="surface",
                caption=setup.landscape,
                says=f"The loss surface of {setup.landscape} with the paths of {runners}.",
                path=("x", "y", "height"),
                lift=LIFT,
            ),
            stage.View(
                name="map",
                caption="click to move the start",
                says=f"The same surface from above, as a map with iso-lines. Racers: {runners}.",
                path=("x", "y"),
                frame=box(landscape, setup.view),
                click="start",
                start=True,
            ),
            stage.View(
                name="loss",
                caption="",
                says=f"The loss at every step. At the end: {said_ends(traces)}.",
                path=("step", "shown"),
                figure=loss_axes(int(steps[-1]), low, high, log, theme),
                low=True,
            ),
        ],
        tracks,
        steps,
        [stage.Number("x", "x", 3), stage.Number("y", "y", 3), stage.Number("loss", "loss", 4)],
        theme=theme,
        key=CONTROLS.key("stage"),
        on_start=take_click,
    )


def said_ends(traces: Mapping[str, Trace]) -> str:
    return ", ".join(f"{name} {trace.losses[0, -1]:.3g}" for name, trace in traces.items())


def show_leaderboard(setup: RaceSetup, traces: Mapping[str, Trace], looks: Mapping[str, Style], theme: str) -> None:
    landscape = setup.ground
    table = leaderboard(traces, verdicts(landscape.loss, traces, landscape.minima), landscape)
    table.insert(1, "", [swatch(looks[name], theme) for name in table["racer"]])
    if not landscape.minima:
        table = table.drop(columns=["distance", "converged at"])
    text, number = st.column_config.TextColumn, st.column_config.NumberColumn
    st.dataframe(
        table,
        hide_index=True,
        height="content",
        placeholder="–",
        column_config={
            "rank": number(width=50),
            "": st.column_config.ImageColumn(width=44),
            "racer": text(width=130),
            "verdict": text(width=270),
            "final loss": number(format="%.4g"),
            "best loss": number(format="%.4g", help="The lowest loss on the way."),
            "distance": number("distance to minimum", format="%.4g", help="From the end to the nearest minimum."),
            "converged at": number(
                "converged at step", help="The first step within 0.01 of a minimum in every coordinate."
            ),
            "path length": number(format="%.2f", help="How far it went in all, over every step."),
            "loss over the race": st.column_config.LineChartColumn(width=130, help="Each row in its own range."),
        },
    )


def show_cards(setup: RaceSetup) -> None:
    """How each optimizer of the line-up moves: its rule, in words, and the code that runs."""
    for name in dict.fromkeys(racer.name for racer in setup.racers):
        card = st.expander(f"How {name} moves", key=CONTROLS.key("card", name), on_change="rerun")
        if card.open:
            with card:
                show_card(OPTIMIZERS[name])
    with st.expander("Conventions"):
        st.markdown(CONVENTIONS)


def show_card(rule: type[Optimizer]) -> None:
    st.markdown(rule.__doc__)
    st.latex(rule.formula)
    st.caption(f"Source: {rule.source}")
    about = [f"- ${knob.symbol}$ {knob.words}: {knob.about} Default {float(knob.default):g}." for knob in rule.knobs()]
    st.markdown("\n".join(about))
    st.markdown("The code that runs, from `engine/optimizers.py`:")
    st.code(inspect.getsource(rule), language="python")


def download(traces: Mapping[str, Trace]) -> None:
    st.download_button(
        "Paths as CSV",
        partial(paths_csv, traces),
        "paths.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
