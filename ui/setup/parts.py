"""The parts of a page that a link can hide, beside the controls of its settings: what a link calls each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """One part of a page."""

    words: str  # for whoever chooses what to hide
    stage: str = ""  # of a view: the stage that it is on, by the end of the stage's key
    view: str = ""  # of a view: what the stage calls it
    tells: bool = False  # whether the data of the run would tell what it shows


def view(words: str, name: str, stage: str = "stage") -> Part:
    """A view of a stage."""
    return Part(words, stage, name, tells=True)


EVERYWHERE: Mapping[str, Part] = {
    "preset": Part("Presets and reset"),
    "look-for": Part("What to look for"),
    "table": Part("Numbers under the picture", tells=True),
    "results": Part("Tables and words below the picture", tells=True),
    "code": Part("How it works"),
    "take-home": Part("Take it home"),
    "teach": Part("Teach"),
}
JOURNAL: Mapping[str, Part] = {"journal": Part("Journal", tells=True)}

GRADIENTS: Mapping[str, Part] = {
    "curve": view("Picture: f", "curve"),
    "slope": view("Picture: f′", "slope"),
    "secants": view("Picture: secants", "secants", "widths"),
    "errors": view("Picture: errors", "errors", "widths"),
    "loss": view("Picture: the loss over θ", "loss", "thetas"),
    "fit": view("Picture: the data and the line", "fit", "thetas"),
    **EVERYWHERE,
}
LINEAR_FIT: Mapping[str, Part] = {
    "points": view("Picture: the points and the line", "data"),
    "loss-curve": view("Picture: the curve over the iterations", "loss"),
    "valley": view("Picture: the loss over the parameters", "valley"),
    **EVERYWHERE,
    **JOURNAL,
}
REGRESSION: Mapping[str, Part] = {
    "bowl": view("Picture: the bowl", "bowl"),
    "map": view("Picture: the map", "map"),
    "loss-curve": view("Picture: the curve over the iterations", "loss"),
    **EVERYWHERE,
    **JOURNAL,
}
RACE: Mapping[str, Part] = {
    "surface": view("Picture: the surface", "surface"),
    "map": view("Picture: the map", "map"),
    "loss-curve": view("Picture: the curve over the steps", "loss"),
    **EVERYWHERE,
    **JOURNAL,
}
