"""The tab Many dimensions: the same race in up to a hundred parameters, from many random starts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine import Optimizer
from engine.many import DIMENSIONS, FEW, PROBLEMS, REACH, ManyRuns, race_from_many
from ui.admission import long_run, waiting
from ui.draw.palette import Style, swatch
from ui.draw.tables import show_table
from ui.draw.text import formula_row
from ui.memo import Memo
from ui.race.controls import CONTROLS
from ui.race.fair_words import listed
from ui.race.many_stage import pair_of, parameter, principal, show_stage
from ui.race.pairs import LEARNED, learned_at, show_pairs
from ui.setup.kinds import Choice
from ui.setup.pages import PLANES, RaceSetup
from ui.setup.racers import names_in

LEARNT = f"its error is less than {LEARNED:.0%} of what it was, and stays so. Empty where it is not."
RUNS = Memo[ManyRuns](128)  # of up to 300 kB each
MOST_STEPS = 500  # with more than ``FEW`` parameters
# the words and controls above the picture leave it less of the window
LAYOUT = "<style>:root {{ --stage-top: calc({}rem + var(--story, 0rem) + var(--teacher-title, 0rem)); }}</style>"
TOP, PAIR_ROW, NOTE_ROW = 19, 5.5, 2.2  # rem: of all but the controls of the two parameters and a note on them


def show_many(setup: RaceSetup, racer_styles: Mapping[str, Style], theme: str, beside_tabs: DeltaGenerator) -> None:
    """The controls of the problem, how often each racer succeeds, the paths from one start, and the median losses.

    The progress is shown ``beside_tabs``: there it comes and goes, and pushes nothing.
    """
    st.html(LAYOUT.format(TOP + PAIR_ROW * (not principal(setup)) + NOTE_ROW * bool(note_on_pair(setup))))
    choose(setup)
    st.markdown(describe_success(setup))
    problem = PROBLEMS[setup.problem]
    found = all_runs(setup, beside_tabs.container(width=280).empty())
    show_stage(setup, problem, found, racer_styles)
    if problem.pair_errors:
        show_pairs(problem, found, theme)
    else:
        st.markdown(describe_outcome(found))
    show_numbers(found, racer_styles, theme)


def show_problem(setup: RaceSetup) -> None:
    """The problem's words and formula; nothing where the link hides which one it is."""
    if setup.hides("problem"):
        return
    problem, row = PROBLEMS[setup.problem], formula_row()
    row.markdown(f"**{problem.name}.** {problem.about} :small[:gray[{problem.source}.]]")
    row.markdown(f"${problem.formula}$")


# ---- what is set


def choose(setup: RaceSetup) -> None:
    """The controls of the tab."""
    kinds = RaceSetup.settings()

    def options(name: str) -> list[str]:
        kind = kinds[name]
        assert isinstance(kind, Choice)
        return list(kind.options)

    def choice(name: str, widget, label: str, help: str, **look) -> None:
        CONTROLS.draw(name, widget, label, options(name), help=help, **look)

    with st.container(horizontal=True, vertical_alignment="bottom"):
        choice(
            "problem",
            st.selectbox,
            "Problem",
            "The loss that all optimizers go down here. "
            "Landscape and start in the sidebar are those of the other tabs.",
            width=180,
        )
        if not PROBLEMS[setup.problem].dim:
            choice(
                "dimensions",
                st.select_slider,
                "Parameters d",
                "How many numbers are looked for at once. Go from 2 to 100: which optimizers still succeed?",
                width=180,
            )
        choice(
            "random_starts",
            st.select_slider,
            "Random starts",
            "From how many points each optimizer starts. All of them get the same ones.",
            width=130,
        )
        CONTROLS.draw(
            "starts_seed",
            st.number_input,
            "Seed of the starts",
            *(0, 9999),
            help="Another seed draws other starts.",
            width=130,
        )
        choice(
            "plane",
            st.segmented_control,
            "Paths drawn in",
            "Of many parameters a picture shows two directions. The principal coordinates are the two in which the "
            "paths reach farthest; or choose two of the parameters.",
            required=True,
            format_func=PLANES.__getitem__,
        )
        if not principal(setup):
            for name, where in (("horizontal", "across"), ("vertical", "up")):
                CONTROLS.draw(
                    name,
                    st.number_input,
                    f"Parameter {where}",
                    *(1, DIMENSIONS[-1]),
                    help=f"Which of the d parameters the picture shows {where}.",
                    width=130,
                )
    if note := note_on_pair(setup):
        st.markdown(f":material/info: {note}")


def note_on_pair(setup: RaceSetup) -> str:
    """Where the two parameters that are drawn are not those that were chosen, which they are."""
    dim = dim_of(setup)
    drawn = pair_of(setup, dim)
    if principal(setup) or setup.hides("plane") or drawn == (setup.horizontal, setup.vertical):
        return ""
    horizontal, vertical = map(parameter, drawn)
    return (
        f"There are {dim} parameters, and two different ones are drawn: the picture shows {horizontal} and {vertical}."
    )


# ---- what is computed


def dim_of(setup: RaceSetup) -> int:
    """How many parameters there are."""
    return PROBLEMS[setup.problem].dim or int(setup.dimensions)


def all_runs(setup: RaceSetup, bar: DeltaGenerator) -> dict[str, ManyRuns]:
    """The runs of every racer. Whoever turns a knob meanwhile ends the work: the progress ``bar`` raises."""
    found = {}
    with waiting():
        for place, (name, racer) in enumerate(zip(names_in(setup), setup.racers, strict=True)):

            def look(place: int = place, name: str = name) -> None:
                bar.progress(place / len(setup.racers), name)

            look()
            found[name] = runs_of(setup, racer, look)
    bar.empty()
    return found


def runs_of(setup: RaceSetup, racer: Optimizer, look) -> ManyRuns:
    """The runs of one racer, made now if no visitor has asked for them before."""
    problem = PROBLEMS[setup.problem]
    where = problem, racer, dim_of(setup), int(setup.random_starts)
    key = *where, setup.starts_seed, steps_of(setup), setup.gradient_noise
    return RUNS.get(key, long_run(look)(lambda: race_from_many(*key, look)), look)


def steps_of(setup: RaceSetup) -> int:
    """How many steps are taken: of many parameters, some rules take long over each."""
    return min(setup.steps, MOST_STEPS) if dim_of(setup) > FEW else setup.steps


# ---- in words


def describe_success(setup: RaceSetup) -> str:
    """What is run, and what counts as a success."""
    steps = "as many steps as are set" if setup.hides("steps") else f"{steps_of(setup):,} steps"
    if steps_of(setup) < setup.steps:
        steps += f", the most that there are for more than {FEW} parameters,"
    starts = "" if setup.hides("random_starts") else f"{setup.random_starts} "
    noise = ", with the same noise in all gradients" if setup.gradient_noise else ""
    return (
        f"Each optimizer takes {steps} from the same {starts}random starts{noise}. A run **succeeds** if it ends "
        f"closer than {REACH:g} to the minimum in every parameter."
    )


def describe_outcome(found: Mapping[str, ManyRuns]) -> str:
    """Who succeeds most often, and why that gets rarer with every parameter."""
    most = max(runs.success for runs in found.values())
    best = [f"**{name}**" for name, runs in found.items() if runs.success == most]
    right = max(runs.right for runs in found.values())
    nearest = [f"**{name}**" for name, runs in found.items() if runs.right == right]
    who = "No run succeeds."
    if most:
        who = f"{listed(best)} {'succeeds' if len(best) == 1 else 'succeed'} most often, from {most:.0%} of the starts."
    if not right:
        return who
    return (
        f"{who} Parameter by parameter, {listed(nearest)} {'is' if len(nearest) == 1 else 'are'} right most often: "
        f"{right:.0%} of all end at the minimum. But a run has to be right in all of them at once: where each is with "
        "a chance of ½, both of 2 are in one run of 4, and all of 10 in one of 1,024."
    )


# ---- the table


def show_numbers(found: Mapping[str, ManyRuns], racer_styles: Mapping[str, Style], theme: str) -> None:
    """One row for each racer, the most successful first."""
    number, share = st.column_config.NumberColumn, st.column_config.ProgressColumn
    table = numbers(found)
    table.insert(0, "", [swatch(racer_styles[name], theme) for name in table["racer"]])
    show_table(
        table,
        {
            "": st.column_config.ImageColumn(width=44),
            "racer": st.column_config.TextColumn("optimizer"),
            "success": share(
                min_value=0,
                max_value=100,
                format="%.0f %%",
                help=f"Share of the starts whose run ends closer than {REACH:g} to the minimum in every parameter.",
            ),
            "right": share(
                "parameters right",
                min_value=0,
                max_value=100,
                format="%.0f %%",
                help="Share of the parameters of all runs that end so near to where they are at the minimum.",
            ),
            "median loss": number(format="%.3g", help="Half of the runs end lower. Empty where most diverge."),
            "first pair": number(help=f"Steps until the pair asked for most often is learned: {LEARNT}"),
            "rarest pair": number(help=f"Steps until the pair asked for most seldom is learned: {LEARNT}"),
            "middle": st.column_config.TextColumn(
                "10 % to 90 %", help="Between these lie the ends of 80 % of the runs."
            ),
            "diverge": number(format="%.0f %%", help="Share of the runs whose numbers grow too large to be stored."),
        },
    )


def numbers(found: Mapping[str, ManyRuns]) -> pd.DataFrame:
    """The table: how often each racer succeeds, and its losses above the minimum at the end."""
    rows = []
    for name, runs in found.items():
        lower, median, upper = (max(float(loss), 0.0) for loss in runs.losses[:, -1])
        rows.append(
            {
                "racer": name,
                "success": 100 * runs.success,
                "right": 100 * runs.right,
                **(
                    {}
                    if runs.pairs is None
                    else {"first pair": learned_at(runs, 0), "rarest pair": learned_at(runs, -1)}
                ),
                "median loss": median if np.isfinite(median) else None,
                "middle": " to ".join(f"{end:.3g}" if np.isfinite(end) else "diverged" for end in (lower, upper)),
                "diverge": 100 * float(runs.diverged.mean()),
            }
        )
    table = pd.DataFrame(rows)
    whole = {name: "Int64" for name in ("first pair", "rarest pair") if name in table}
    return table.astype(whole).sort_values(["success", "right"], ascending=False)
