"""The steps that a search has tried and refused, as the stage draws them along their ray."""

from __future__ import annotations

from collections.abc import Callable

import jax
import numpy as np

from engine import Optimizer
from engine.evaluations import trials_along
from engine.noise import GradientNoise
from engine.race import Run

ABOUT = (
    "Crosses on the map: longer steps that a search tried first and refused, on the dashed ray of the step that it "
    "then takes from there."
)
QUANTITIES = ("move across", "move up", "rejected", "shrink")  # of the stage's tracks


def trial_values(
    loss: Callable[..., jax.Array], racer: Optimizer | None, run: Run, noise: GradientNoise
) -> dict[str, np.ndarray]:
    """What a racer's track is sent with; nothing where it does not search for its steps, or is none."""
    trials = racer and trials_along(loss, racer, run, noise)
    if not trials:
        return {}
    return dict(zip(QUANTITIES, (*trials.moves.T, trials.rejected, trials.shrink), strict=True))
