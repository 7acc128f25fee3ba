"""The loss of every racer over the steps, as a view of the stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from ui.draw.figures import MIN_LOSS, loss_axes, loss_range
from ui.draw.stage.stage import View


@dataclass(frozen=True)
class LossPlot:
    """What is drawn of each racer's losses, and the axis for it."""

    curves: Mapping[str, np.ndarray]  # (recorded,) by racer
    low: float
    high: float
    log: bool

    @classmethod
    def of(
        cls, losses: Mapping[str, np.ndarray], span: tuple[float, float], log: bool, least: float = MIN_LOSS
    ) -> Self:
        """``span`` is the loss on the map. On a logarithmic axis, which has no place for 0, ``least`` is the least."""
        curves = {name: np.maximum(some, least) if log else some for name, some in losses.items()}
        return cls(curves, *loss_range(list(curves.values()), span, log, least), log)

    def view(
        self, says: str, last_step: int, index: str = "step", quantity: str = "shown", across: str = "step"
    ) -> View:
        """The view on which tracks run whose ``quantity`` is their curve, over a quantity ``across`` it."""
        return View(
            name="loss",
            caption="",
            says=says,
            path=(across, quantity),
            figure=loss_axes(last_step, self.low, self.high, self.log, index),
            low=True,
        )
