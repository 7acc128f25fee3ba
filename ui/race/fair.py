"""The tab Fair race: does the winner still win once all are tuned alike, from many starts?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from engine.fair import DRAWS, RATES, STARTS, TERMS, TUNING_STARTS, FairRace, fair_race
from engine.turned import unturned
from ui.admission import long_run, waiting
from ui.draw.figures import MIN_LOSS, common_layout, show_figure
from ui.draw.palette import COLORS, Style, swatch
from ui.draw.styles import styles
from ui.draw.tables import show_table
from ui.memo import Memo
from ui.numbers import format_plain
from ui.race.controls import CONTROLS
from ui.race.fair_words import sentences
from ui.setup.pages import MAX_RATE, MIN_RATE, RaceSetup
from ui.setup.racers import has_rate, rule_names, without_rate
from ui.setup.stops import stops

TITLES: Mapping[str, str] = {"same": "one rate", "own": "defaults", "tuned": "tuned"}  # by the name of the terms
FAIR_RACES = Memo[FairRace](64)
MIDDLE = 1 + len(TERMS) // 2  # the column that carries the titles


def show_fair(setup: RaceSetup, theme: str) -> None:
    """Win rates and median losses under three terms, and in words what changed between them."""
    steps = "so many" if setup.hides("steps") else f"{setup.steps:,}"
    where = " where f has a value" if setup.is_own else ""
    noise = " The noise in the gradients is the same for all of them." if setup.gradient_noise else ""
    st.markdown(
        f"Each optimizer runs {steps} steps from {STARTS} random starts{where}. At each start the one with the lowest "
        f"final loss wins; equal ones share the win. All settings but the learning rate keep their defaults.{noise} "
        f"*Tuned*: each optimizer uses the best of {RATES} learning rates, found from {TUNING_STARTS} other starts. "
        f"All of this is repeated {DRAWS} times with other random starts: the thin bars reach from the worst result "
        "to the best."
    )
    choose_rate(setup)
    if missing := without_rate(setup):
        st.markdown(f":material/info: {missing}")
    first = [*map(unturned, setup.racers)]  # with the defaults of each there is nothing to turn
    rules = {rule: name for rule, name in rule_names(first).items() if has_rate(rule())}
    if not rules:
        return
    fair = replace(cached_fair_race(setup, tuple(rules)), optimizers=tuple(rules.values()))
    racer_styles = dict(zip(fair.optimizers, styles([rule() for rule in rules]), strict=True))
    st.markdown("\n".join(f"- {sentence}" for sentence in sentences(fair)))
    show_figure(panels(fair, setup.chosen_landscape.floor, racer_styles, theme), CONTROLS.key("fair"))
    st.subheader("In numbers", anchor=False)
    show_numbers(fair, racer_styles, theme, told=not setup.hides("shared_rate"))


def choose_rate(setup: RaceSetup) -> None:
    """The slider of the learning rate that all share."""
    CONTROLS.draw(
        "shared_rate",
        st.select_slider,
        "One learning rate for all",
        stops(MIN_RATE, MAX_RATE, setup.shared_rate),
        format_func=format_plain,
        help="The learning rate of all optimizers in the column “one rate”. Change it: which optimizer wins then?",
    )


def cached_fair_race(setup: RaceSetup, rules: tuple) -> FairRace:
    """The fair race of some rules, run now if no visitor has asked for it before.

    Whoever turns a knob meanwhile ends the work: the progress bar raises.
    """
    bar = st.empty()

    def progress(share: float) -> None:
        bar.progress(share, "Every optimizer, from every start")

    def look() -> None:
        progress(0.0)

    @long_run(look)
    def run() -> FairRace:
        look()
        return fair_race(setup.chosen_landscape, rules, setup.steps, setup.shared_rate, progress, setup.gradient_noise)

    with waiting():
        key = setup.chosen_landscape, rules, setup.steps, setup.shared_rate, setup.gradient_noise
        fair = FAIR_RACES.get(key, run, look)
    bar.empty()
    return fair


def panels(fair: FairRace, floor: float | None, racer_styles: Mapping[str, Style], theme: str) -> go.Figure:
    """A column for each of the terms: above, how often each optimizer wins; below, its median loss."""
    count, colors = len(fair.optimizers), COLORS[theme]
    rows = 1 if floor is None else 2  # a loss without a lowest value has no axis that all of them fit on
    drawn = make_subplots(
        rows, len(TERMS), shared_yaxes=True, column_titles=list(TITLES.values()), vertical_spacing=0.2
    )
    drawn.update_annotations(font={"size": 14, "color": colors.ink})
    names, medians = list(fair.optimizers), np.median(pooled(fair), axis=-1)
    hues = [racer_styles[name].color(theme) for name in names]
    for column, _ in enumerate(TERMS, start=1):
        wins = 100 * fair.wins[column - 1]
        middle, below, above = spread(wins, wins.mean(axis=0))
        drawn.add_bar(
            x=middle,
            y=names,
            orientation="h",
            marker={"color": hues},
            error_x=whisker(below, above, colors.ink),
            hovertemplate="%{y} wins %{x:.0f} % of the starts<extra></extra>",
            row=1,
            col=column,
        )
        if floor is not None:
            losses = np.maximum(median_losses(fair)[column - 1] - floor, MIN_LOSS)
            middle, below, above = spread(losses, np.maximum(medians[column - 1] - floor, MIN_LOSS))
            drawn.add_scatter(
                x=[value if np.isfinite(value) else None for value in middle],
                y=names,
                mode="markers",
                marker={"color": hues, "size": 11},
                error_x=whisker(below, above, colors.ink),
                hovertemplate="%{y}: median loss %{x:.3g} above the minimum<extra></extra>",
                row=2,
                col=column,
            )
            for name, value in zip(names, middle, strict=True):
                if not np.isfinite(value):
                    drawn.add_annotation(
                        x=0.5, xref="x domain", y=name, text="diverges", showarrow=False, row=2, col=column
                    )
    plain = {"gridcolor": colors.faint, "linecolor": colors.faint, "zeroline": False, "color": colors.ink}
    drawn.update_layout(
        **common_layout(colors),
        height=90 + rows * (70 + 28 * count),
        margin={"l": 84, "r": 12, "t": 30, "b": 44},
        bargap=0.3,
        dragmode=False,
    )
    drawn.update_xaxes(fixedrange=True, exponentformat="power", tickangle=0, title_standoff=6, **plain)
    drawn.update_yaxes(range=[count - 0.4, -0.6], fixedrange=True, **{**plain, "showgrid": False})
    drawn.update_xaxes(range=[0, 104], tickvals=[0, 50, 100], row=1)
    drawn.update_xaxes(title="starts won, %", row=1, col=MIDDLE)
    if floor is not None:
        ends = np.maximum(median_losses(fair) - floor, MIN_LOSS)
        seen = np.log10(ends[np.isfinite(ends)]) if np.isfinite(ends).any() else np.zeros(1)
        low, high = float(np.floor(seen.min())), float(np.ceil(seen.max()))
        reach = {"range": [low - 0.3, max(high, low + 1) + 0.3], "dtick": max(1, math.ceil((high - low) / 2))}
        drawn.update_xaxes(type="log", row=2, **reach)
        drawn.update_xaxes(title="median loss above minimum (log)", row=2, col=MIDDLE)
    return drawn


def spread(values: np.ndarray, middle: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The middle of ``(draws, optimizers)``, and how far the lowest and the highest draw lie from it."""
    with np.errstate(invalid="ignore"):  # where all diverge, infinity less infinity is not drawn anyway
        return middle, middle - values.min(axis=0), values.max(axis=0) - middle


def whisker(below: np.ndarray, above: np.ndarray, color: str) -> dict:
    """Plotly's error bars; none where an end is infinite."""
    ends = [np.where(np.isfinite(part), part, 0.0) for part in (above, below)]
    return {"array": ends[0], "arrayminus": ends[1], "symmetric": False, "color": color, "thickness": 1.6, "width": 3}


def median_losses(fair: FairRace) -> np.ndarray:
    """Half of a draw's starts end lower: ``(terms, draws, optimizers)``, infinite where most of them diverge."""
    return np.median(fair.losses, axis=-1)


def pooled(fair: FairRace) -> np.ndarray:
    """The last losses of all draws together: ``(terms, optimizers, draws x starts)``."""
    return np.concatenate(np.moveaxis(fair.losses, 1, 0), axis=-1)


def show_numbers(fair: FairRace, racer_styles: Mapping[str, Style], theme: str, told: bool = True) -> None:
    """One row for each optimizer under each of the terms, who wins most first. ``told``: the one rate of all is."""
    number = st.column_config.NumberColumn
    table = numbers(fair)
    if not told:
        table.loc[table["terms"] == TITLES["same"], "learning rate"] = None
    table.insert(1, "", [swatch(racer_styles[name], theme) for name in table["optimizer"]])
    show_table(
        table,
        {
            "": st.column_config.ImageColumn(width=44),
            "terms": st.column_config.TextColumn("condition"),
            "learning rate": number(format="%.3g", help="Tuned: the median over all repetitions."),
            "wins": number(format="%.0f %%", help="Share of the starts that it wins, over all repetitions."),
            "wins, by draw": st.column_config.TextColumn(
                "wins, worst to best", help="In the worst repetition and in the best."
            ),
            "median loss": number(format="%.3g", help="Half of the runs end lower. Empty where most diverge."),
            "loss, by draw": st.column_config.TextColumn(
                "loss, best to worst", help="The median in the best repetition and in the worst."
            ),
            "diverge": number(format="%.0f %%", help="Share of the runs whose numbers grow too large to be stored."),
        },
    )


def numbers(fair: FairRace) -> pd.DataFrame:
    """The table: one row for each optimizer under each of the terms."""
    rows = []
    by_draw, all_losses = median_losses(fair), pooled(fair)
    for term, title in enumerate(TITLES.values()):
        wins = fair.wins[term].mean(axis=0)
        for place in np.argsort(-wins, kind="stable"):
            won, losses = 100 * fair.wins[term, :, place], by_draw[term, :, place]
            middle = float(np.median(all_losses[term, place]))
            rows.append(
                {
                    "terms": title,
                    "optimizer": fair.optimizers[place],
                    "learning rate": float(np.median(fair.rates[term, :, place])),
                    "wins": float(won.mean()),
                    "wins, by draw": f"{between(won, '.0f')} %",
                    "median loss": middle if np.isfinite(middle) else None,
                    "loss, by draw": between(losses, ".3g"),
                    "diverge": 100 * float(np.isinf(all_losses[term, place]).mean()),
                }
            )
    return pd.DataFrame(rows)


def between(values: np.ndarray, format_: str) -> str:
    """From the lowest to the highest, as a text."""
    ends = [f"{end:{format_}}" if np.isfinite(end) else "diverged" for end in (values.min(), values.max())]
    return " to ".join(dict.fromkeys(ends))
