"""What stands on a picture that is taken home: its title, the set-up in short, and each racer with its knobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine import Optimizer
from ui.draw.line_up import letters
from ui.numbers import format_number, format_point
from ui.setup.codec import Setup
from ui.setup.pages import (
    CSV,
    DIFFERENCES,
    LOSS,
    NO_REPLAY,
    NOISY_LINE,
    SETUPS,
    FitSetup,
    GradientsSetup,
    RaceSetup,
    RegressionSetup,
)
from ui.setup.racers import racer_names


def title(setup: Setup) -> str:
    """The title of the page that a set-up is of."""
    return next(page for page, kind in SETUPS.items() if isinstance(setup, kind))


def settings(setup: Setup) -> list[str]:
    """The set-up in short phrases, without its racers."""
    return SETTINGS[type(setup)](setup)


def labels(setup: Setup) -> dict[str, str]:
    """What a legend says of each racer, by the racer's name: with its learning rate and the knobs that were changed."""
    racers: Sequence[Optimizer] = getattr(setup, "racers", ())
    return {name: label(name, racer) for name, racer in zip(racer_names(racers), racers, strict=True)}


def label(name: str, racer: Optimizer) -> str:
    """A racer's name with its first knob, the learning rate, and the others that are not at their default."""
    first, *others = racer.knobs()
    others = [knob for knob in others if getattr(racer, knob.name) != knob.default]
    told = [
        knob.changed if knob.is_switch else f"{letters(knob.symbol)} = {format_number(getattr(racer, knob.name))}"
        for knob in (first, *others)
    ]
    # a name that tells racers of one kind apart by their knobs would say these twice
    name = racer.name if name.startswith(racer.name) and "(" not in name else name
    return ", ".join([name, *told])


def of_race(setup: RaceSetup) -> list[str]:
    """A race over a landscape."""
    replay = [] if setup.replay == NO_REPLAY else [f"beside them: {setup.replay}"]
    return [setup.landscape, f"start {format_point(setup.start)}", f"{setup.steps} steps", *replay]


def of_regression(setup: RegressionSetup) -> list[str]:
    """A fit of two parameters."""
    return [
        f"{setup.examples} examples of 3x² + 9y²",
        f"noise {format_number(setup.noise)}",
        f"seed {setup.seed}",
        f"start θ = {format_point(setup.start)}",
        f"{setup.steps} iterations",
        batch(setup.batch_size, "examples"),
        *tolerance(setup.tolerance),
    ]


def of_fit(setup: FitSetup) -> list[str]:
    """A line fitted by gradient descent."""
    data = {
        CSV: "points of a file",
        NOISY_LINE: f"points around {format_number(setup.slope)}x + {format_number(setup.intercept)}, "
        f"noise {format_number(setup.noise)}, seed {setup.seed}",
    }.get(setup.data, f"points of {setup.data}")
    start = format_point(setup.start) if setup.with_intercept else format_number(setup.theta)
    return [
        data,
        "ŷ = θ₀ + θ₁x" if setup.with_intercept else "ŷ = θx",
        f"start θ = {start}",
        f"learning rate α = {format_number(setup.rate)}",
        f"up to {setup.steps} iterations",
        batch(setup.batch or None, "points"),
        *tolerance(setup.tolerance),
    ]


def of_gradients(setup: GradientsSetup) -> list[str]:
    """A function and its slope, or the loss of a line; what moves there is named beside its value."""
    if setup.part == LOSS:
        return ["the mean squared error of a line through 0"]
    at = [f"x₀ = {format_number(setup.x0, 6)}"] if setup.part == DIFFERENCES else []
    return [f"f(x) = {setup.text}", f"from {format_number(setup.low)} to {format_number(setup.high)}", *at]


def batch(size: int | None, what: str) -> str:
    """How much of the data a step looks at."""
    return f"{size} {what} a step" if size else f"all {what} in every step"


def tolerance(least: float) -> list[str]:
    """From which change of the loss on a run has ended, where there is such a rule."""
    return [f"ends where the loss changes by less than {format_number(least)}"] if least else []


SETTINGS: Mapping[type[Setup], Callable[[Any], list[str]]] = {
    RaceSetup: of_race,
    RegressionSetup: of_regression,
    FitSetup: of_fit,
    GradientsSetup: of_gradients,
}
