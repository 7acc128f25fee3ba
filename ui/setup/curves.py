"""What the set-ups of pages that show runs have in common: what is drawn over the steps, and on the map."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from ui.setup.codec import Setup, setting
from ui.setup.kinds import Choice, Switch, quoted

# the second rate is that of the second coordinate
LOSS, GRADIENT, STEP, RATE, RATE2, SHARPNESS = CURVES = ("loss", "gradient", "step", "rate", "rate2", "sharpness")

AXES = STEPS, EVALUATIONS = ("steps", "evaluations")  # what it is drawn over


@dataclass(frozen=True)
class RunSetup(Setup):
    """The set-up of a page that shows how runs go on."""

    curve: str = setting(Choice(CURVES), LOSS, layout=True)  # over the steps
    apart: bool = setting(Switch(), False, layout=True)  # whether one step is taken apart
    field: bool = setting(Switch(), False, layout=True)  # arrows of the gradient on the map

    @property
    def hides_knobs(self) -> bool:
        """Whether a learning rate is hidden, or the knobs of a line-up."""
        return self.hides("rate") or self.hides("racers")

    def without_unfit(self, notes: list[str]) -> Self:
        """Without the curve that is plain SGD's learning rate, where that is hidden."""
        if self.hides_knobs and self.curve in (RATE, RATE2):
            notes.append(f"curve {quoted(self.curve)} would tell what the link hides; {quoted(LOSS)} is used.")
            return replace(self, curve=LOSS)
        return self

    @property
    def needs_moves(self) -> bool:
        """Whether what is drawn needs the gradient and the move of each step."""
        return self.curve in (GRADIENT, STEP, RATE, RATE2)
