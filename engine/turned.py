"""A rule whose knobs are turned in the middle of a run: up to a step it goes by some values, and then by others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Real

from engine.knobs import Knob
from engine.optimizers import MadeOptimizer, Optimizer, Rule

LATER = "later "  # before the name of a knob as it is from then on: with a blank in it, no other knob has that name
AT = "turned at"
MAX_AT = 5000.0
TURNED_AT = Knob(AT, 0.0, 0.0, MAX_AT, "k", log=False, about="The first step that goes by the later values.")


class Turned(NamedTuple):
    """A rule whose knobs are turned once: called with its knobs, the step, and its later knobs, an optimizer.

    What is switched on or off stays so. It is a tuple, so that programs are told apart, held and kept on disk by what
    it is made of.
    """

    rule: Rule

    @property
    def name(self) -> str:
        """The rule's name, and that it is turned."""
        return f"{self.rule.name}, turned"

    @property
    def source(self) -> str:
        """The paper of the rule."""
        return self.rule.source

    @property
    def formula(self) -> str:
        """The rule's formula."""
        return self.rule.formula

    def __call__(self, /, *values: Any, **named: Any) -> TurnedOptimizer:
        """The optimizer with some of its knobs set, by their place or by their name."""
        return TurnedOptimizer(self, values, named)

    def knobs(self) -> tuple[Knob, ...]:
        """Those of the rule, the step, and those of the rule that are turned, as they are from then on."""
        own = self.rule.knobs()
        later = (replace(one, name=f"{LATER}{one.name}", symbol=f"{one.symbol}'") for one in turnable(self.rule))
        return (*own, TURNED_AT, *later)


class TurnedOptimizer(MadeOptimizer):
    """An optimizer whose knobs are turned in the middle of a run."""

    @property
    def keeps_rate(self) -> bool:  # type: ignore[override]
        """Whether its rate is the same in each step."""
        return False

    @property
    def takes_at(self) -> bool:  # type: ignore[override]
        """Whether its rule asks for more than the gradient."""
        return unturned(self).takes_at

    def init(self, x):
        return self.now(0).init(x)

    def at_step(self, step: Any) -> Optimizer:
        return self.now(step).at_step(step)

    def now(self, step: Any) -> Optimizer:
        """The optimizer with the knobs of a step."""
        is_later = step >= vars(self)[AT]
        return jax.tree.map(lambda old, new: jnp.where(is_later, new, old), unturned(self), afterwards(self))

    def formula_now(self) -> str:
        """With what either of both has: a knob that is 0 may drop out of a formula."""
        later = vars(afterwards(self))
        return self.rule.rule(**{name: one or later[name] for name, one in vars(unturned(self)).items()}).formula_now()


def turnable(rule: Rule) -> tuple[Knob, ...]:
    """The knobs of a rule that can be turned in the middle of a run: numbers, while a switch makes another rule."""
    return tuple(one for one in rule.knobs() if not one.is_switch)


def unturned(racer: Optimizer) -> Optimizer:
    """An optimizer as it is up to the step at which its knobs are turned; another one is itself."""
    if not isinstance(racer, TurnedOptimizer):
        return racer
    return racer.rule.rule(**{one.name: vars(racer)[one.name] for one in racer.rule.rule.knobs()})


def afterwards(racer: Optimizer) -> Optimizer:
    """An optimizer as it is from the step on at which its knobs are turned; another one is itself."""
    if not isinstance(racer, TurnedOptimizer):
        return racer
    later = {one.name: vars(racer)[f"{LATER}{one.name}"] for one in turnable(racer.rule.rule)}
    return racer.rule.rule(**{**vars(unturned(racer)), **later})


def turned_at(racer: Optimizer, step: float) -> TurnedOptimizer:
    """An optimizer whose knobs are turned at a step, though as yet to what they are; one that was is turned anew."""
    plain = unturned(racer)
    later = {f"{LATER}{one.name}": vars(plain)[one.name] for one in turnable(plain.rule)}
    return Turned(plain.rule)(**{**vars(plain), AT: float(step), **later})


def turned_along(racer: Optimizer, steps: Real[np.ndarray, "steps"]) -> dict[str, Float[np.ndarray, "steps"]]:
    """The knobs that are turned, as they are in each of some steps, by their symbols."""
    return {one.symbol: values for one, values in values_of_turned(racer, steps).items()}


def knobs_along(racer: Optimizer, steps: Real[np.ndarray, "steps"]) -> dict[str, Float[np.ndarray, "steps"]]:
    """The knobs that are turned, as they are in each of some steps, in words."""
    return {one.words: values for one, values in values_of_turned(racer, steps).items()}


def values_of_turned(racer: Optimizer, steps: Real[np.ndarray, "steps"]) -> dict[Knob, Float[np.ndarray, "steps"]]:
    """The knobs that are turned, as they are in each of some steps."""
    if not isinstance(racer, TurnedOptimizer):
        return {}
    first, then = vars(unturned(racer)), vars(afterwards(racer))
    turned = [one for one in turnable(racer.rule.rule) if first[one.name] != then[one.name]]
    return {one: knob_along(racer, one.name, steps) for one in turned}


def knob_along(racer: Optimizer, name: str, steps: Real[np.ndarray, "steps"]) -> Float[np.ndarray, "steps"]:
    """A knob as it is in each of some steps, whether it is turned or not."""
    first, then = (np.float32(vars(one)[name]) for one in (unturned(racer), afterwards(racer)))
    return np.where(np.asarray(steps) < vars(racer).get(AT, 0), first, then)
