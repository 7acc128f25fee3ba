"""What stands on a picture that is taken home: its title, the set-up in short, and each racer with its knobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine import GradientNoise, Optimizer
from ui.draw.line_up import describe_knobs, letters
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
from ui.setup.racers import names_in

Phrase = tuple[str, *tuple[str, ...]]  # and the settings that it tells of


def title(setup: Setup) -> str:
    """The title of the page that a set-up is of."""
    return next(page for page, kind in SETUPS.items() if isinstance(setup, kind))


def settings(setup: Setup) -> list[str]:
    """The set-up in short phrases, without its racers, and without what the link hides."""
    return [words for words, *told in SETTINGS[type(setup)](setup) if words and not any(map(setup.hides, told))]


def labels(setup: Setup) -> dict[str, str]:
    """What a legend says of each racer, by the racer's name: with its learning rate and the knobs that were changed.

    The name alone where the link hides those.
    """
    racers: Sequence[Optimizer] = getattr(setup, "racers", ())
    names = names_in(setup) if racers else []
    return {
        name: name if setup.hides("racers") else label(name, racer) for name, racer in zip(names, racers, strict=True)
    }


def label(name: str, racer: Optimizer) -> str:
    """A racer's name with its first knob, the learning rate, and the others that are not at their default."""
    knobs = racer.knobs()
    shown = [*knobs[:1], *(knob for knob in knobs[1:] if getattr(racer, knob.name) != knob.default)]
    told = [
        knob.changed if knob.is_switch else f"{letters(knob.symbol)} = {format_number(getattr(racer, knob.name))}"
        for knob in shown
    ]
    # a name that tells racers of one kind apart by their knobs would say these twice
    name = racer.name if name.startswith(racer.name) and "(" not in name else name
    return ", ".join([name, *told])


def of_race(setup: RaceSetup) -> list[Phrase]:
    """A race over a landscape."""
    return [
        (setup.told_landscape, "landscape", "own") if setup.is_own else (setup.told_landscape, "landscape"),
        *((knob, "landscape", "shape") for knob in describe_knobs(setup.chosen_landscape)),
        (f"start {format_point(setup.start)}", "start"),
        (f"{setup.steps} steps", "steps"),
        (describe_noise(setup.gradient_noise), "noise", "seed"),
        ("" if setup.replay == NO_REPLAY else f"beside them: {setup.replay}", "replay"),
    ]


def describe_noise(noise: GradientNoise) -> str:
    """The noise in the gradients; "" where there is none."""
    return f"gradient noise σ = {format_number(noise.sigma)}, seed {noise.seed}" if noise else ""


def of_regression(setup: RegressionSetup) -> list[Phrase]:
    """A fit of two parameters."""
    return [
        (f"{setup.examples} examples of 3x² + 9y²", "examples"),
        (f"noise {format_number(setup.noise)}", "noise"),
        (f"seed {setup.seed}", "seed"),
        (f"start θ = {format_point(setup.start)}", "start"),
        (f"{setup.steps} iterations", "steps"),
        (batch(setup.batch_size, "examples"), "batch"),
        (tolerance(setup.tolerance), "tolerance"),
    ]


def of_fit(setup: FitSetup) -> list[Phrase]:
    """A line fitted by gradient descent."""
    around = f"points around {format_number(setup.slope)}x + {format_number(setup.intercept)}"
    data: dict[str, list[Phrase]] = {
        CSV: [("points of a file", "data")],
        NOISY_LINE: [
            (around, "data", "slope", "intercept"),
            (f"noise {format_number(setup.noise)}", "data", "noise"),
            (f"seed {setup.seed}", "data", "seed"),
        ],
    }
    start = ("theta0", "theta") if setup.with_intercept else ("theta",)
    at = format_point(setup.start) if setup.with_intercept else format_number(setup.theta)
    return [
        *data.get(setup.data, [(f"points of {setup.data}", "data")]),
        ("ŷ = θ₀ + θ₁x" if setup.with_intercept else "ŷ = θx", "model"),
        (f"start θ = {at}", *start),
        (f"learning rate α = {format_number(setup.rate)}", "rate"),
        (f"up to {setup.steps} iterations", "steps"),
        (batch(setup.batch or None, "points"), "batch"),
        (tolerance(setup.tolerance), "tolerance"),
    ]


def of_gradients(setup: GradientsSetup) -> list[Phrase]:
    """A function and its slope, or the loss of a line; what moves there is named beside its value."""
    if setup.part == LOSS:
        return [("the mean squared error of a line through 0",)]
    return [
        ("" if setup.hides_f else f"f(x) = {setup.text}",),
        (f"from {format_number(setup.low)} to {format_number(setup.high)}", "low", "high"),
        (f"x₀ = {format_number(setup.x0, 6)}" if setup.part == DIFFERENCES else "", "x0"),
    ]


def batch(size: int | None, what: str) -> str:
    """How much of the data a step looks at."""
    return f"{size} {what} a step" if size else f"all {what} in every step"


def tolerance(least: float) -> str:
    """From which change of the loss on a run has ended; "" where there is no such rule."""
    return f"ends where the loss changes by less than {format_number(least)}" if least else ""


SETTINGS: Mapping[type[Setup], Callable[[Any], list[Phrase]]] = {
    RaceSetup: of_race,
    RegressionSetup: of_regression,
    FitSetup: of_fit,
    GradientsSetup: of_gradients,
}
