"""What each racer has evaluated, as the axis that curves are drawn over: it is fair to rules whose steps cost more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

import jax
import numpy as np
import streamlit as st

from engine import Optimizer
from engine.evaluations import evaluations_along
from engine.noise import GradientNoise
from engine.race import Run
from ui.draw.stage.stage import Readout

QUANTITY = "evaluations"  # of the stage's tracks
SYMBOLS = ("f", "g", "H")


@dataclass(frozen=True)
class Evaluations:
    """How often each run has evaluated the loss, its gradient and its Hessian until each record."""

    counts: Mapping[str, np.ndarray]  # (recorded, 3)

    @classmethod
    def of(
        cls,
        loss: Callable[..., jax.Array],
        runs: Mapping[str, Run],
        racers: Mapping[str, Optimizer],
        noise: GradientNoise,
    ) -> Self:
        """Those of some runs. One that no optimizer made, by hand or in the notebook, takes a gradient a step."""
        sgd = Optimizer()
        counts = {name: evaluations_along(loss, racers.get(name, sgd), run, noise=noise) for name, run in runs.items()}
        return cls(counts)

    @property
    def ends(self) -> dict[str, int]:
        """What each run comes to."""
        return {name: int(count[-1].sum()) for name, count in self.counts.items()}

    def values(self, name: str) -> dict[str, np.ndarray]:
        """What a racer's track is sent with."""
        return {QUANTITY: self.counts[name].sum(axis=1)}

    @property
    def readout(self) -> Readout:
        """The column of the table under the views."""
        return Readout(QUANTITY, "evaluations", 0)

    def explain(self) -> None:
        """Say below the stage what is counted, and what each racer came to."""
        ends = "; ".join(f"{name}: {in_words(count[-1])}" for name, count in self.counts.items())
        st.caption(
            "**Evaluations** of the loss f, of its gradient g and of its Hessian H, each counted as one, however long "
            f"it takes. What a search tries counts, too. In the whole race: {ends}."
        )


def in_words(count: np.ndarray) -> str:
    """The evaluations of a run by what is evaluated, without what is not."""
    return " + ".join(f"{number:,} {symbol}" for number, symbol in zip(count, SYMBOLS, strict=True) if number) or "none"
