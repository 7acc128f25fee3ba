"""The line that a visitor draws by hand: the points and nothing else, and the loss of the line as it is dragged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.problems import Fit
from ui.ask.asking import Asking
from ui.draw.palette import OWN
from ui.draw.stage.stage import Handles, Index, Readout, Stage, Track, View
from ui.draw.yours import YOU
from ui.linear_fit.data import Points
from ui.linear_fit.figures import padded, points_figure
from ui.linear_fit.run import thetas
from ui.setup.pages import FitSetup

PLACES = (0.15, 0.85)  # of the handles, as shares of the way across


def show_hand(setup: FitSetup, asking: Asking, points: Points, fit: Fit, layout: Mapping[str, Any]) -> None:
    """The points and the visitor's line, with the handles to drag it by."""
    given = asking.taken or asking.given()
    places = handle_places(setup, points)
    theta = np.array(given if isinstance(given, tuple) else first_line(setup, points, places))
    intercept, slope = (theta[0] if len(theta) > 1 else 0.0), theta[-1]
    value, gradient, hessian = expansion(fit, theta)
    values = {"intercept": intercept, "slope": slope, "loss": value, **dict(zip(thetas(setup), theta, strict=True))}
    Stage(
        figures={"data": points_figure(points).to_json()},
        views=[
            View(
                name="data",
                caption="your line",
                says="The points and the line that you move.",
                line=("intercept", "slope"),
                handles=Handles(
                    at=places,
                    theta=tuple(theta.tolist()),
                    names=thetas(setup),
                    loss=value,
                    gradient=tuple(gradient.tolist()),
                    hessian=tuple(hessian.ravel().tolist()),
                ),
            )
        ],
        tracks=[Track(YOU, OWN, {name: np.array([number]) for name, number in values.items()})],
        steps=np.zeros(1),
        numbers=[*(Readout(name, name, 3) for name in thetas(setup)), Readout("loss", "loss", 3)],
        index=Index(setup.index),
        held=setup.steps,
    ).show(**{**layout, "clicks": True}, on_start=asking.on_click(lambda: None))


def handle_places(setup: FitSetup, points: Points) -> tuple[float, ...]:
    """The x of each handle: two, or one far from 0, where every line without an intercept goes through."""
    low, high = padded(points.x)
    places = [low + share * (high - low) for share in PLACES]
    return tuple(places) if setup.with_intercept else (max(places, key=abs),)


def first_line(setup: FitSetup, points: Points, places: tuple[float, ...]) -> tuple[float, ...]:
    """The line that is there to begin with: level, in the middle of the picture, or through 0 and that middle."""
    middle = sum(padded(points.y)) / 2
    return (middle, 0.0) if setup.with_intercept else (middle / places[0],)


def expansion(fit: Fit, theta: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """The loss at some parameters, its gradient ``(dim,)`` and its Hessian ``(dim, dim)``, in 64 bits.

    The loss is quadratic, so these three are all of it; and about this place little is lost in rounding.
    """
    features, true = fit.features.astype(float), fit.true.astype(float)
    off = features @ theta - true
    count = len(true)
    return float(off @ off / count), 2 * features.T @ off / count, 2 * features.T @ features / count
