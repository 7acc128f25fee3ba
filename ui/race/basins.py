"""The tab Basins: for each racer a map of starts, coloured by the minimum that it reaches from there."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image
from streamlit.delta_generator import DeltaGenerator

from engine import Landscape, Optimizer, Trace
from engine.blocks import Progress
from engine.endings import verdict_if_lost
from engine.maps import Basins, basins, common_ends
from ui.admission import long_run, waiting
from ui.draw.figures import Axis, plane
from ui.draw.landscapes import is_square, revision_of
from ui.draw.palette import VARIABLES, Style, swatch
from ui.draw.stage.stage import Stage, Track, View
from ui.draw.tables import show_table
from ui.memo import Memo
from ui.race.controls import CONTROLS, choose_points
from ui.race.stage import NUMBERS
from ui.setup.layout import stage_layout
from ui.setup.pages import RaceSetup
from ui.setup.racers import names_in

# one for each minimum, in the order of the landscape's; told apart by colour-blind people, light and dark
REACHED = ("#2a7fb8", "#d98b1f", "#3f9b62", "#b04a8b", "#7a68c9", "#a8722f", "#5aa7c7", "#c9a227")
LOST = "#6b7680"  # left the finite numbers; told from what is around it, light and dark
# the words above the maps leave them less of the window
LAYOUT = "<style>:root { --stage-top: calc(14.6rem + var(--story, 0rem) + var(--teacher-title, 0rem)); }</style>"
MAPS = Memo[Basins](64)
SAME_END = 0.01  # of the domain's width, and of its height
PALEST = 0.25  # how strong the colour of the slowest start is


def show_basins(
    setup: RaceSetup,
    traces: Mapping[str, Trace],
    racer_styles: Mapping[str, Style],
    theme: str,
    beside_tabs: DeltaGenerator,
) -> None:
    """One map per racer, its path from the start over it, and how often and how soon it arrives.

    The progress is shown ``beside_tabs``: there it comes and goes, and pushes nothing.
    """
    st.html(LAYOUT)
    words, choose = st.columns([3, 1])
    with words:
        st.markdown(describe_colors(setup))
    with choose:
        choose_points(setup)
    found = maps(setup, beside_tabs.container(width=280).empty())
    if setup.chosen_landscape.found:
        show_stage(setup, *by_ends(setup, found), traces, racer_styles)
    else:
        show_stage(setup, found, np.empty((0, 2)), traces, racer_styles)
    show_rates(found, racer_styles, theme, noisy=bool(setup.gradient_noise))


def describe_colors(setup: RaceSetup) -> str:
    """What the colours say, in words."""
    if setup.chosen_landscape.found:
        return describe_ends(setup)
    count = len(setup.chosen_landscape.minima)
    if not count:
        return "This surface has no lowest point, so no run can reach one. Grey: the run diverges."
    steps = "so many" if setup.hides("steps") else f"{setup.steps:,}"
    colors = "its colour says which minimum is reached" if count > 1 else "it has a colour if the minimum is reached"
    basin = "All starts that lead to one minimum are its basin of attraction."
    if setup.gradient_noise:
        basin = (
            "A minimum counts as reached once the run is closer to it than 0.01 in x and in y; the noise, the same "
            "from every start, may take it away again."
        )
    return (
        f"Each point is a start, and {colors} within {steps} steps: strong where few are needed. {basin} Without "
        "colour: none is reached. Grey: the run diverges. Click on a map to start from there, here and in the tab Race."
    )


def describe_ends(setup: RaceSetup) -> str:
    """What the colours say on a landscape whose minima are not given."""
    steps = "so many" if setup.hides("steps") else f"{setup.steps:,}"
    x, y = reach_of(setup)
    return (
        f"Each point is a start, and its colour says where the run from there ends after {steps} steps: ends less "
        f"than {x:g} from a place in x, and {y:g} in y, count as one. Circles: the places where most runs end, "
        f"{len(REACHED)} at most. Without colour: it ends elsewhere, or is on its way. Grey: it diverges, or comes to "
        "where f has no value. Click on a map to start from there, here and in the tab Race."
    )


def reach_of(setup: RaceSetup) -> np.ndarray:
    """How near to a place in x and in y an end counts as at it, in one digit."""
    return np.array([float(f"{SAME_END * (high - low):.1g}") for low, high in setup.chosen_landscape.domain])


def by_ends(setup: RaceSetup, found: Mapping[str, Basins]) -> tuple[dict[str, Basins], np.ndarray]:
    """The maps with the place where each run ends in the place of its minimum, and the places ``(places, 2)``.

    All maps have the same places, so that a colour is the same place on each.
    """
    ends = np.stack([np.where(basin.diverged[..., None], np.nan, basin.ends) for basin in found.values()]).astype(float)
    places, which = common_ends(ends.reshape(-1, 2), reach_of(setup), len(REACHED))
    each = zip(found.items(), which.reshape(ends.shape[:-1]), strict=True)
    return {name: replace(basin, nearest=there, steps=0 * there) for (name, basin), there in each}, places


def basin_map(setup: RaceSetup, racer: Optimizer, progress: Progress) -> Basins:
    """The map of one racer, made now if no visitor has asked for it before."""
    landscape, noise = setup.chosen_landscape, setup.gradient_noise
    key = landscape, racer, setup.points, setup.steps, noise

    def look() -> None:
        progress(0.0)

    make = long_run(look)(lambda: basins(landscape, racer, setup.points, setup.steps, progress, noise=noise))
    return MAPS.get(key, make, look)


def maps(setup: RaceSetup, bar: DeltaGenerator) -> dict[str, Basins]:
    """The map of every racer. Whoever turns a knob meanwhile ends the work: the progress ``bar`` raises."""
    found = {}
    with waiting():
        for place, (name, racer) in enumerate(zip(names_in(setup), setup.racers, strict=True)):

            def progress(share: float, place: int = place, name: str = name) -> None:
                bar.progress((place + share) / len(setup.racers), f"{name}: {setup.points**2:,} starts")

            found[name] = basin_map(setup, racer, progress)
    bar.empty()
    return found


def show_stage(
    setup: RaceSetup,
    found: Mapping[str, Basins],
    places: np.ndarray,
    traces: Mapping[str, Trace],
    styles: Mapping[str, Style],
) -> None:
    """The maps, and on each the path of its racer. ``places`` are where most runs end, if those have the colours."""

    def track(name: str) -> Track:
        run = traces[name].run(0)
        values = {"x": run.positions[:, 0], "y": run.positions[:, 1], "loss": run.losses}
        return Track.of(name, styles[name], run, verdict_if_lost(run), values)

    reaches, which = "reaches a minimum", "come near a minimum" if setup.gradient_noise else "converge"
    if setup.chosen_landscape.found:
        reaches, which = "ends where many others end", "in colour"
    Stage(
        figures={f"basin {name}": figure(setup.chosen_landscape, basin, places) for name, basin in found.items()},
        views=[
            View(
                name=f"basin {name}",
                caption=f"{name}: {(basin.nearest >= 0).mean():.0%} {which}",
                says=f"The starts from which {name} {reaches}, and its path from one of them.",
                path=("x", "y"),
                only=name,
                click="start",
                start=True,
            )
            for name, basin in found.items()
        ],
        tracks=[track(name) for name in found],
        steps=next(iter(traces.values())).steps,
        numbers=NUMBERS,
    ).show(**stage_layout(CONTROLS, setup), on_start=CONTROLS.take_start)


def figure(landscape: Landscape, basin: Basins, places: np.ndarray) -> str:
    """A map of basins as Plotly JSON: a picture on the landscape's axes, its minima, and the ``places``."""
    (x0, x1), (y0, y1) = landscape.domain
    rows, columns = basin.nearest.shape
    wide, high = (x1 - x0) / (columns - 1), (y1 - y0) / (rows - 1)
    x, y, square = Axis("x", x0, x1), Axis("y", y0, y1), is_square(landscape)
    drawn = plane(x, y, revision=revision_of(landscape), square=square, left=40)
    drawn.add_layout_image(
        source=picture(basin),
        xref="x",
        yref="y",
        x=x0 - wide / 2,  # a point is the middle of its square
        y=y1 + high / 2,
        sizex=x1 - x0 + wide,
        sizey=y1 - y0 + high,
        sizing="stretch",
        layer="below",
    )
    drawn.add_scatter(**marks(landscape.minima, "x-thin", 9, "minimum found" if landscape.found else "minimum"))
    if len(places):
        drawn.add_scatter(**marks(places.tolist(), "circle-open", 11, "runs end here"))
    # the caption stands above
    drawn.update_layout(margin={"t": 26}, plot_bgcolor=VARIABLES.elsewhere)
    drawn.update_xaxes(showgrid=False)
    drawn.update_yaxes(showgrid=False)
    return drawn.to_json()


def marks(points: Sequence[Sequence[float]], symbol: str, size: int, words: str) -> dict:
    """Marks on a map, with words for the mouse."""
    return {
        "x": [point[0] for point in points],
        "y": [point[1] for point in points],
        "mode": "markers",
        "marker": {
            "symbol": symbol,
            "size": size,
            "color": VARIABLES.goal,
            "line": {"width": 2, "color": VARIABLES.goal},
        },
        "hovertemplate": f"{words}<br>x %{{x:.4f}}<br>y %{{y:.4f}}<extra></extra>",
    }


def picture(basin: Basins) -> str:
    """The colours of a map as a PNG (a data address), its first row at the top; clear where no minimum is reached."""
    reached = basin.nearest >= 0
    slowest = max(float(basin.steps.max()), 1.0)
    strength = np.where(reached, 1 - (1 - PALEST) * np.clip(basin.steps, 0, None) / slowest, 0)
    hues = np.array([rgb(color) for color in REACHED])[basin.nearest % len(REACHED)]
    colors = np.concatenate([hues, 255 * strength[..., None]], axis=-1)
    colors[basin.diverged] = *rgb(LOST), 255
    out = io.BytesIO()
    Image.fromarray(colors[::-1].round().astype(np.uint8)).save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def rgb(color: str) -> np.ndarray:
    """A colour like ``#2a7fb8`` as ``(3,)`` numbers up to 255."""
    return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)], float)


def show_rates(found: Mapping[str, Basins], racer_styles: Mapping[str, Style], theme: str, noisy: bool = False) -> None:
    """How many starts arrive, how soon half of those have, and how many are lost.

    ``noisy``: to come near a minimum is not to stay there.
    """
    table = pd.DataFrame(
        {
            "": [swatch(racer_styles[name], theme) for name in found],
            "racer": list(found),
            "arrive": [100 * float((basin.nearest >= 0).mean()) for basin in found.values()],
            "median steps": pd.array([median_steps(basin) for basin in found.values()], "Int64"),
            "diverge": [100 * float(basin.diverged.mean()) for basin in found.values()],
            "starts": [basin.nearest.size for basin in found.values()],
        }
    )
    number = st.column_config.NumberColumn
    show_table(
        table.sort_values("arrive", ascending=False),
        {
            "": st.column_config.ImageColumn(width=44),
            "racer": st.column_config.TextColumn("optimizer"),
            "arrive": number(
                "come near" if noisy else "converge",
                format="%.1f %%",
                help="Share of the starts from which a minimum is reached.",
            ),
            "median steps": number(help="Half of the runs that reach a minimum need at most so many steps."),
            "diverge": number(
                format="%.1f %%", help="Share of the starts from which the numbers grow too large to be stored."
            ),
            "starts": "localized",
        },
    )


def median_steps(basin: Basins) -> int | None:
    """How many steps half of the starts that arrive have needed; None where none arrives."""
    arrived = basin.steps[basin.nearest >= 0]
    return int(np.median(arrived)) if arrived.size else None
