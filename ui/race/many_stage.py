"""The picture of the tab Many dimensions: the paths from one start in two directions, and the median losses."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from engine.endings import verdict_if_lost
from engine.many import ManyRuns, Plane, Problem, parameter_plane, principal_plane
from ui.draw.figures import MIN_LOSS, Axis, loss_range, minimum_label, plane
from ui.draw.palette import VARIABLES, Style
from ui.draw.stage.stage import Readout, Stage, Track, View, digest
from ui.numbers import SUBSCRIPTS
from ui.race.controls import CONTROLS
from ui.setup.layout import stage_layout
from ui.setup.pages import PLANES, RaceSetup

NUMBERS = (Readout("loss", "median loss above the minimum", 4),)
BAND_POINTS = 60


def show_stage(
    setup: RaceSetup, problem: Problem, found: Mapping[str, ManyRuns], racer_styles: Mapping[str, Style]
) -> None:
    """The paths from the first start on a plane through the space, and the median loss of all runs."""
    dim = len(next(iter(found.values())).first.positions[0])
    minimum = problem.minimum_in(dim)[None]
    # a run that leaves the domain is not what the plane is laid through, or it would be a picture of that run alone
    inside = np.concatenate([within(problem, runs.first.positions) for runs in found.values()])
    seen, words = plane_of(setup, inside)
    where = PLANES[setup.plane] if principal(setup) else " and ".join(words)
    paths = {name: seen.project(runs.first.positions).astype(np.float32) for name, runs in found.items()}
    losses = {name: np.maximum(runs.losses, MIN_LOSS) for name, runs in found.items()}
    steps = next(iter(found.values())).steps

    def track(name: str) -> Track:
        run = found[name].first
        median = np.where(np.isfinite(losses[name][1]), losses[name][1], np.nan)
        values = {"a": paths[name][:, 0], "b": paths[name][:, 1], "loss": median}
        return Track.of(name, racer_styles[name], run, verdict_if_lost(run), values)

    Stage(
        figures={"map": path_figure(setup, words, seen.project(inside), seen.project(minimum)[0])},
        views=[
            View(
                name="map",
                caption=f"the first start, {where}: {seen.share:.0%} of the paths' variance",
                says=f"The paths of {', '.join(found)} from the first of the starts, in two directions.",
                path=("a", "b"),
                start=True,
            ),
            View(
                name="loss",
                caption="median of all starts; shaded: the middle 80%",
                says="The median loss of all starts at every step, and the range of the middle 80 percent.",
                path=("step", "loss"),
                figure=loss_figure(losses, steps, racer_styles),
                low=True,
            ),
        ],
        tracks=[track(name) for name in found],
        steps=steps,
        numbers=NUMBERS,
    ).show(**stage_layout(CONTROLS, setup))


def principal(setup: RaceSetup) -> bool:
    """Whether the paths are drawn in principal coordinates, and not in two parameters."""
    return setup.plane == "principal"


def pair_of(setup: RaceSetup, dim: int) -> tuple[int, int]:
    """The two parameters that are drawn, from 1: those that were chosen, where there are such two."""
    horizontal, vertical = min(setup.horizontal, dim), min(setup.vertical, dim)
    return horizontal, vertical if vertical != horizontal else horizontal % dim + 1


def parameter(number: int) -> str:
    """What a parameter is called: x₁₂."""
    return f"x{number}".translate(SUBSCRIPTS)


def plane_of(setup: RaceSetup, points: np.ndarray) -> tuple[Plane, tuple[str, str]]:
    """The plane that paths through some points are drawn on, and what its directions are called."""
    if principal(setup):
        return principal_plane(points), ("principal coordinate 1", "principal coordinate 2")
    horizontal, vertical = pair_of(setup, points.shape[1])
    return parameter_plane(points, (horizontal - 1, vertical - 1)), (parameter(horizontal), parameter(vertical))


def within(problem: Problem, points: np.ndarray) -> np.ndarray:
    """Those of some points ``(points, dim)`` that lie in the domain of a problem."""
    low, high = problem.domain
    return points[((points >= low) & (points <= high)).all(axis=1)].astype(float)


def path_figure(setup: RaceSetup, words: tuple[str, str], points: np.ndarray, minimum: np.ndarray) -> str:
    """The plane that the paths are drawn on, as Plotly JSON: with room for some ``points`` on it, and the minimum."""
    some = np.concatenate([points, minimum[None]])
    low, high = some.min(axis=0), some.max(axis=0)
    room = 0.06 * (high - low) + 1e-3
    x, y = (Axis(word, *ends) for word, *ends in zip(words, low - room, high + room, strict=True))
    color = VARIABLES.goal
    goal = go.Scatter(
        x=minimum[:1].tolist(),
        y=minimum[1:].tolist(),
        mode="markers",
        marker={"symbol": "x-thin", "size": 11, "line": {"width": 2.5, "color": color}},
        hovertemplate="minimum<extra></extra>",
    )
    drawn = plane(x, y, [goal], revision=digest(f"{setup.problem} {setup.dimensions} {words}"))
    drawn.add_annotation(minimum_label(float(minimum[0]), float(minimum[1]), x, y, color, "minimum"))
    return drawn.to_json()


def loss_figure(losses: Mapping[str, np.ndarray], steps: np.ndarray, racer_styles: Mapping[str, Style]) -> str:
    """The axes of the median losses, and behind these the range of the middle 80 percent, as Plotly JSON."""
    # no higher than the highest start
    low, high = loss_range([part for some in losses.values() for part in some], (0.0, 0.0), True)
    some = np.unique(np.linspace(0, len(steps) - 1, BAND_POINTS).astype(int))
    bands = [
        go.Scatter(
            x=np.concatenate([steps[some], steps[some][::-1]]).tolist(),
            # where runs diverge, the range goes on beyond the frame
            y=np.minimum(np.concatenate([lower[some], upper[some][::-1]]), 10 * high).tolist(),
            fill="toself",
            fillcolor=racer_styles[name].variable,
            line={"width": 0},
            mode="lines",
            opacity=0.13,
            hoverinfo="skip",
        )
        for name, (lower, _, upper) in losses.items()
    ]
    last = int(steps[-1])
    title = "loss above minimum (log)"
    return plane(Axis("step", 0, last), Axis(title, low, high, True), bands, revision=f"{last}", left=66).to_json()
