"""A rule whose learning rate follows a schedule. It is raced as any other; without a schedule it is the rule itself."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from engine.knobs import Knob
from engine.optimizers import MadeOptimizer, Optimizer, Rule, knobs_of
from engine.rules import TypedRule
from engine.schedules import SCHEDULES, Schedule, factors
from engine.turned import AT, Turned, TurnedOptimizer, afterwards, turnable, turned_along, unturned

RATE = "learning_rate"
PREFIX = "schedule "  # before the name of a schedule's knob: with a blank in it, no other knob has that name
# symbols: the number of the step, how many times its ``steps`` a schedule has gone on for, and its factor after that
COUNT, SHARE, FACTOR = "t", "u_s", "f_s"
NEXT_LINE = r", \quad "


class Scheduled(NamedTuple):
    """A rule whose learning rate follows a schedule: called with its knobs and then the schedule's, an optimizer.

    It is a tuple, so that programs are told apart, held and kept on disk by what it is made of.
    """

    rule: Rule
    schedule: type[Schedule]

    @property
    def name(self) -> str:
        """The rule's name, and the schedule's."""
        return f"{self.rule.name}, {self.schedule.name}"

    @property
    def source(self) -> str:
        """The paper of the rule."""
        return self.rule.source

    @property
    def formula(self) -> str:
        """The rule's formula, after the learning rate of its step."""
        return NEXT_LINE.join([self.rate_formula(), self.at_rate(self.rule.formula)])

    def __call__(self, /, *values: Any, **named: Any) -> ScheduledOptimizer:
        """The optimizer with some of its knobs set, by their place or by their name."""
        return ScheduledOptimizer(self, values, named)

    def knobs(self) -> tuple[Knob, ...]:
        """Those of the rule, and then those of the schedule."""
        own = knobs_of(self.schedule)  # type: ignore[arg-type]  # a class is hashable
        return (*self.rule.knobs(), *(replace(one, name=f"{PREFIX}{one.name}") for one in own))

    @property
    def symbol(self) -> str:
        """The symbol of the learning rate."""
        return next(one.symbol for one in self.rule.knobs() if one.name == RATE)

    @property
    def symbol_now(self) -> str:
        """The symbol of the learning rate of a step."""
        return f"{self.symbol}_t"

    def rate_formula(self, warms_up: bool = True) -> str:
        """The learning rate of a step, in LaTeX."""
        after = rf"\max({COUNT} - w_s, 0)" if warms_up else f"{COUNT} - 1"
        share = rf"{SHARE} = \frac{{{after}}}{{n_s}}"
        factor = f"{FACTOR} = {self.schedule.formula}"
        rising = [rf"\min(\frac{{{COUNT}}}{{w_s}}, 1)"] if warms_up else []
        falling = [] if self.schedule.formula == "1" else [FACTOR]
        rate = f"{self.symbol_now} = " + r" \cdot ".join([self.symbol, *rising, *falling])
        return NEXT_LINE.join([share, factor, rate] if falling else [rate])

    def at_rate(self, formula: str) -> str:
        """A formula of the rule, with the learning rate of a step in it."""
        before = r"(?<!\\hat )(?<!\\bar )" + (r"(?<![A-Za-z\\])" if self.symbol[0].isalpha() else "")
        return re.sub(rf"{before}{re.escape(self.symbol)}(?![A-Za-z_])", lambda _: self.symbol_now, formula)


class ScheduledOptimizer(MadeOptimizer):
    """An optimizer whose learning rate follows a schedule."""

    keeps_rate = False

    @property
    def takes_at(self) -> bool:  # type: ignore[override]
        """Whether its rule asks for more than the gradient."""
        return unscheduled(self).takes_at

    def init(self, x):
        return unscheduled(self).init(x)

    def at_step(self, step: Any) -> Optimizer:
        plain, schedule = unscheduled(self), schedule_of(self)
        assert schedule
        rate = vars(plain)[RATE] * schedule.factor(step)
        return self.rule.rule(**{**vars(plain), RATE: rate})

    def formula_now(self) -> str:
        warms_up = float(vars(self)[f"{PREFIX}warm_up"]) > 1
        return NEXT_LINE.join([self.rule.rate_formula(warms_up), self.rule.at_rate(unscheduled(self).formula_now())])


def unscheduled(racer: Optimizer) -> Optimizer:
    """An optimizer without its schedule, and without being turned; one without any of that is itself."""
    racer = unturned(racer)
    if not isinstance(racer, ScheduledOptimizer):
        return racer
    knobs = {name: value for name, value in vars(racer).items() if not name.startswith(PREFIX)}
    return racer.rule.rule(**knobs)


def schedule_of(racer: Optimizer) -> Schedule | None:
    """The schedule of an optimizer's learning rate; None where that stays as it is."""
    racer = unturned(racer)
    if not isinstance(racer, ScheduledOptimizer):
        return None
    knobs = {name.removeprefix(PREFIX): value for name, value in vars(racer).items() if name.startswith(PREFIX)}
    return racer.rule.schedule(**knobs)


def plain_rule(rule: Rule) -> Rule:
    """A rule without its schedule, and without being turned; one without any of that is itself."""
    while isinstance(rule, Scheduled | Turned):
        rule = rule.rule
    return rule


def can_follow(rule: Rule) -> bool:
    """Whether the learning rate counts in every step of a rule.

    RProp's is only the length of its first one, and that of a line search the length of its first trial.
    """
    if isinstance(rule, TypedRule):
        return any(one.name == RATE and name in rule.used for name, one in rule.declared.items())
    return RATE in inspect.unwrap(rule.update).__code__.co_names  # type: ignore[attr-defined]


def with_schedule_of(rule: Any, other: Rule) -> Any:
    """A rule with the schedule of another, if that has one and the rule can follow it; turned where that is."""
    if isinstance(other, Turned):
        rule = with_schedule_of(rule, other.rule)
        return Turned(rule) if turnable(rule) else rule
    return Scheduled(rule, other.schedule) if isinstance(other, Scheduled) and can_follow(rule) else rule


def with_schedule(racer: Optimizer, name: str) -> Optimizer:
    """An optimizer with the schedule of a name, as that is by default; with none where the name is ""."""
    plain = unscheduled(racer)
    return Scheduled(plain.rule, SCHEDULES[name])(**vars(plain)) if name else plain


def values_along(racer: Optimizer, steps: Int[np.ndarray, "steps"]) -> dict[str, Float[np.ndarray, "steps"]]:
    """What the learning rate of each of some steps is made of, and it itself, by symbol; and each knob that is turned.

    Nothing where all stays as it is.
    """
    if isinstance(racer, TurnedOptimizer):
        first, then = (values_along(one, steps) for one in (unturned(racer), afterwards(racer)))
        is_later = np.asarray(steps) >= vars(racer)[AT]
        return {name: np.where(is_later, then[name], first[name]) for name in first} | turned_along(racer, steps)
    schedule, rule = schedule_of(racer), racer.rule
    if schedule is None or not isinstance(rule, Scheduled):
        return {}
    number, length = np.asarray(steps, np.float32) + 1, getattr(schedule, "steps", None)
    factor, rising = factors(schedule, steps), np.minimum(number / np.float32(schedule.warm_up), 1)
    rate = {COUNT: number, rule.symbol_now: np.float32(vars(racer)[RATE]) * factor}
    if length is None:
        return rate
    return {**rate, SHARE: np.maximum(number - np.float32(schedule.warm_up), 0) / length, FACTOR: factor / rising}
