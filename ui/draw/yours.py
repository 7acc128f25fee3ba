"""What a visitor's own try comes to, beside the runs of a set-up; and the map without a landscape that they step on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import numpy as np
import plotly.graph_objects as go

from engine import Optimizer, Trace
from engine.annotations import Arrays
from engine.endings import Ending, Verdict
from engine.paths import on_steps, path_trace
from engine.race import Run
from ui.ask.asking import Asking
from ui.draw.figures import Axis, Box, plane
from ui.draw.losses import LossPlot
from ui.draw.palette import OWN, Style
from ui.draw.stage.stage import Index, Readout, Stage, Track, View
from ui.draw.styles import styles
from ui.memo import Memo
from ui.numbers import format_number
from ui.setup.questions.tries import Rate
from ui.setup.racers import with_rate

YOU = "You"
ARROW = 0.14  # of the map's width or height: the arrow says which way is down, and a number how steep it is
Race = Callable[[Mapping[str, Optimizer]], Mapping[str, Trace]]
BEST = Memo[float](256)


@dataclass(frozen=True)
class Yours:
    """What a visitor's answer comes to. The first of all is their own."""

    racers: Mapping[str, Optimizer] = field(default_factory=dict)  # to be raced with those of the set-up
    paths: Mapping[str, Trace] = field(default_factory=dict)  # points that were given one by one

    def styles(self, racers: Sequence[Optimizer]) -> dict[str, Style]:
        """How each is drawn beside the ``racers`` of the set-up."""
        spare = styles([*racers, *self.racers.values()])[len(racers) :]
        named = {**dict(zip(self.racers, spare, strict=True)), **dict.fromkeys(self.paths, OWN)}
        return {name: style if k else OWN for k, (name, style) in enumerate(named.items())}

    def on(self, steps: np.ndarray) -> dict[str, Trace]:
        """The paths at these steps of a race."""
        return {name: on_steps(path, steps) for name, path in self.paths.items()}

    def beside(self, traces: Mapping[str, Trace]) -> dict[str, Trace]:
        """The traces of a race, and the paths at the same steps."""
        return {**traces, **self.on(next(iter(traces.values())).steps)}

    def judged(self, verdicts: Mapping[str, list[Verdict]], index: str = "step") -> dict[str, list[Verdict]]:
        """The verdicts on a race, with those on the paths: that one stands still at its end is no news."""
        ends = {name: int(path.steps[-1]) for name, path in self.paths.items()}
        return {
            name: [Verdict(Ending.BY_HAND, ends[name], index)]
            if name in ends and found[0].kind != "converged"
            else found
            for name, found in verdicts.items()
        }

    def runs(self, traces: Mapping[str, Trace]) -> dict[str, Run]:
        """The runs of all of them; a path is as long as it was given."""
        return {name: {**traces, **self.paths}[name].run(0) for name in (*self.racers, *self.paths)}


NOTHING = Yours()


def yours_of(
    asking: Asking, loss: Callable[..., jax.Array], start: Sequence[float], race: Race, data: Arrays = ()
) -> Yours:
    """What the visitor's answer comes to, on the page's loss; ``race`` runs optimizers as the page does.

    Nothing, and at no cost, where no question asks for a try or it is not answered yet.
    """
    if not asking.answered:
        return NOTHING
    question, answer = asking.answered
    if asking.budget:
        return Yours(paths={YOU: path_trace(loss, np.array([*start, *answer]).reshape(-1, len(start)), data)})
    if question.draws_line:
        return Yours(paths={YOU: path_trace(loss, np.array([answer]), data)})
    if not isinstance(question, Rate):
        return NOTHING
    racer, rates = question.racer(asking.setup), question.stops(asking.setup)
    best = BEST.get((asking.basis, type(asking.setup)), lambda: best_rate(racer, rates, race))
    own = f"Yours: {racer.name} {answer[0]:g}"
    other = {f"Best of {len(rates)}: {racer.name} {best:g}": with_rate(racer, best)}
    return Yours({own: with_rate(racer, answer[0]), **other})


def best_rate(racer: Optimizer, rates: Sequence[float], race: Race) -> float:
    """The learning rate, out of some, that ends with the lowest loss."""
    traces = race({f"{rate:g}": with_rate(racer, rate) for rate in rates})
    ends = [np.nan if trace.diverged[0] else float(trace.losses[0, -1]) for trace in traces.values()]
    return rates[int(np.nanargmin(ends))] if np.isfinite(ends).any() else rates[0]


# ---- a map that shows nothing but the visitor's own steps


def around(start: Sequence[float], frame: Box, square: bool) -> Box:
    """The part of the plane with the start in its middle that holds a whole map: so its own middle tells nothing."""
    halves = [max(abs(end - x) for end in ends) for x, ends in zip(start, frame, strict=True)]
    if square:
        halves = [max(halves)] * 2
    (x, y), (across, up) = start, halves
    return (x - across, x + across), (y - up, y + up)


def show_blind_map(
    asking: Asking,
    loss: Callable[..., jax.Array],
    start: Sequence[float],
    frame: Box,
    layout: Mapping[str, Any],
    *,
    data: Arrays = (),
    square: bool = True,
) -> None:
    """The steps that the visitor has taken so far, and the slope where they are; nothing else of the landscape."""
    setup, budget = asking.setup, asking.budget
    run = path_trace(loss, np.array([*start, *asking.taken]).reshape(-1, 2), data).run(0)
    assert run.moves
    box = around(start, frame, square)
    path, slopes = run.positions.astype(float), np.asarray(run.moves.gradients, float)
    losses = np.where(np.isfinite(run.losses), run.losses, np.nan)
    with np.errstate(all="ignore"):  # where the loss is level, or not finite, there is no arrow
        sizes = np.abs(slopes) / np.ptp(box, axis=1)
        arrows = -ARROW * slopes / sizes.max(axis=1, keepdims=True)
    x, y = setup.coordinates
    values = {x: path[:, 0], y: path[:, 1], "loss": losses, "slope": np.linalg.norm(slopes, axis=1)}
    values |= {"across": arrows[:, 0], "up": arrows[:, 1]}
    finite = losses[np.isfinite(losses)]
    span = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    taken = len(path) - 1
    own_losses = LossPlot.of({YOU: losses}, span, log=False).view(
        "The loss at each of your steps.", budget, setup.index, quantity="loss"
    )
    # views of their own: in that of another figure, Plotly would keep what is of the one before
    Stage(
        figures={},
        views=[
            View(
                name="steps",
                caption="click where your next step goes" if taken < budget and not asking.commitment else "",
                says=f"A map of {x} and {y} that shows your {taken} steps, and which way is down at the last point.",
                path=(x, y),
                arrow=(x, y, "across", "up"),
                figure=steps_figure(run, box, (x, y), square).to_json(),
                click="start",
                start=True,
            ),
            replace(own_losses, name="step losses"),
        ],
        tracks=[Track(YOU, OWN, values)],
        steps=run.steps,
        numbers=[Readout(x, x, 3), Readout(y, y, 3), Readout("loss", "loss", 4), Readout("slope", "steepness ‖g‖", 4)],
        index=Index(setup.index),
        at=taken,
        held=budget,
    ).show(**asking.layout(dict(layout), "steps"), on_start=asking.on_click(lambda: None))


def steps_figure(run: Run, box: Box, names: Sequence[str], square: bool) -> go.Figure:
    """An empty map with a dot at each point of a path, and the loss there."""
    points = go.Scatter(
        x=run.positions[:, 0],
        y=run.positions[:, 1],
        mode="markers+text",
        text=[format_number(float(loss)) for loss in run.losses],
        textposition=[("bottom", "top")[k % 2] + " center" for k in range(len(run.losses))],
        marker={"size": 6, "color": OWN.variable},
        textfont={"size": 11},
        hoverinfo="skip",  # the mouse rests where a step was just made
    )
    x, y = (Axis(name, *ends) for name, ends in zip(names, box, strict=True))
    figure = plane(x, y, [points], revision=f"blind {box}", square=square, left=40)
    figure.update_xaxes(showline=True, mirror=True)
    return figure.update_yaxes(showline=True, mirror=True)
