"""Schedules of the learning rate, one class each. To add one, add a class here; pages, links and tests find it.

A schedule says by which factor of the learning rate a step is made: ``factor(step)``, from 0 to 1, for steps counted
from 0. Its knobs are traced like an optimizer's. ``engine/scheduled.py`` makes a rule of a rule and a schedule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, dataclass_transform

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from engine.descent import MAX_RECORDS
from engine.knobs import knob
from engine.xla import compiled

SCHEDULES: dict[str, type[Schedule]] = {}
Class = TypeVar("Class", bound="type[Schedule]")

WARM_UP = "The step in which the learning rate is full for the first time; until then it grows evenly. 1: no warm-up."


def length(default: float, about: str) -> Any:
    """The field of a schedule that says over how many steps it goes."""
    return knob(default, 2.0, 2000.0, "n_s", log=True, about=about)


def lowest(about: str, default: float = 0.0, high: float = 1.0) -> Any:
    """The field of a schedule that says how low it goes."""
    return knob(default, 0.0, high, "e_s", about=about)


@dataclass_transform(frozen_default=True)
def register(cls: Class) -> Class:
    """Enter a schedule into ``SCHEDULES``, by its name."""
    SCHEDULES[cls.name] = dataclass(frozen=True)(cls)
    return cls


@dataclass(frozen=True)
class Schedule:
    """A factor of the learning rate that changes from step to step. Subclass it, decorate with ``@register``."""

    name: ClassVar[str]
    formula: ClassVar[str]  # of ``after``, in LaTeX, with u_s for its step divided by ``steps``
    source: ClassVar[str] = ""  # the paper
    __no_type_check__: ClassVar[bool] = True  # as of an optimizer: knobs are traced

    warm_up: float = knob(1.0, 1.0, 1000.0, "w_s", log=True, about=WARM_UP)

    def factor(self, step):
        """The factor of a step, counted from 0: during the warm-up it grows to what the schedule begins with."""
        return jnp.minimum((step + 1) / self.warm_up, 1) * self.after(jnp.maximum(step + 1 - self.warm_up, 0))

    def after(self, step):
        """The factor without a warm-up, or so many steps after it."""
        raise NotImplementedError


@register
class Step(Schedule):
    """The learning rate drops at once, each time after as many steps, and stays the same in between."""

    name = "step"
    formula = r"\gamma_s^{\lfloor u_s \rfloor}"

    steps: float = length(50.0, "After so many steps it drops.")
    drop: float = knob(0.5, 0.0, 1.0, r"\gamma_s", about="What the learning rate is multiplied with at each drop.")

    def after(self, step):
        return self.drop ** jnp.floor(step / self.steps)


@register
class Linear(Schedule):
    """The learning rate falls evenly, to its end."""

    name = "linear"
    formula = r"1 - (1 - e_s) \min(u_s, 1)"

    steps: float = length(200.0, "After so many steps it is at its end.")
    end: float = lowest("Its end, as a share of the learning rate.")

    def after(self, step):
        return 1 - (1 - self.end) * jnp.minimum(step / self.steps, 1)


@register
class Cosine(Schedule):
    """The learning rate falls along half a wave of the cosine: slowly at first, then fast, and slowly to its end."""

    name = "cosine"
    formula = r"e_s + (1 - e_s) \frac{1 + \cos(\pi \min(u_s, 1))}{2}"
    source = "Loshchilov & Hutter (2017), ICLR, without restarts"

    steps: float = length(200.0, "After so many steps it is at its end.")
    end: float = lowest("Its end, as a share of the learning rate.")

    def after(self, step):
        return self.end + (1 - self.end) * (1 + jnp.cos(jnp.pi * jnp.minimum(step / self.steps, 1))) / 2


@register
class InverseTime(Schedule):
    """The learning rate falls as 1/t: fast at first, then ever more slowly, and never to 0.

    So slowly that its steps, added up, can reach any place, and so fast that the noise of mini-batches dies away.
    """

    name = "1/t"
    formula = r"\frac{1}{1 + u_s}"
    source = "Robbins & Monro (1951), Ann. Math. Statist. 22(3), 400-407"

    steps: float = length(20.0, "After so many steps it is halved, after twice as many it is a third.")

    def after(self, step):
        return 1 / (1 + step / self.steps)


@register
class Exponential(Schedule):
    """The learning rate is halved in each time of the same length."""

    name = "exponential"
    formula = r"2^{-u_s}"

    steps: float = length(50.0, "In so many steps it is halved.")

    def after(self, step):
        return 0.5 ** (step / self.steps)


@register
class WarmUp(Schedule):
    """The learning rate grows evenly to its full size, and stays there."""

    name = "warm-up"
    formula = "1"
    source = "Goyal et al. (2017), arXiv:1706.02677"

    warm_up: float = knob(20.0, 1.0, 1000.0, "w_s", log=True, about=WARM_UP)

    def after(self, step):
        return 1


@register
class Cyclical(Schedule):
    """The learning rate goes up and down evenly, again and again."""

    name = "cyclical"
    formula = r"e_s + |2 u_s - 2 \lfloor u_s + 0.5 \rfloor| \, (1 - e_s)"
    source = "Smith (2017), WACV"

    steps: float = length(50.0, "So many steps are one cycle, up and down.")
    low: float = lowest("How low it goes, as a share of the learning rate.", 0.1)

    def after(self, step):
        cycles = step / self.steps
        return self.low + (1 - self.low) * jnp.minimum(2 * jnp.abs(cycles - jnp.floor(cycles + 0.5)), 1)


@register
class OneCycle(Schedule):
    """The learning rate goes up for 30 % of the steps, down again to where it began for 55 %, and then on to 0."""

    name = "one-cycle"
    formula = (
        r"\max(0, \min(e_s + (1 - e_s) \frac{u_s}{0.3}, "
        r"\max(e_s + (1 - e_s) \frac{0.85 - u_s}{0.55}, e_s \frac{1 - u_s}{0.15})))"
    )
    source = "Smith & Topin (2018), arXiv:1708.07120"

    steps: float = length(200.0, "So many steps are the cycle.")
    low: float = lowest("What it begins with, as a share of the learning rate.", 0.04, 0.2)

    def after(self, step):
        done = step / self.steps
        up = self.low + (1 - self.low) * jnp.minimum(done / 0.3, 1)
        down = self.low + (1 - self.low) * (0.85 - done) / 0.55
        return jnp.maximum(jnp.minimum(up, jnp.maximum(down, self.low * (1 - done) / 0.15)), 0)


def factors(schedule: Schedule, steps: Int[np.ndarray, "steps"]) -> Float[np.ndarray, "steps"]:
    """The factor of each of some steps, at most 501, as a race has it."""
    padded = np.resize(np.asarray(steps, np.int32), MAX_RECORDS + 1)  # one shape, compiled once
    knobs = np.array([*vars(schedule).values()], np.float32)
    return np.asarray(all_factors(type(schedule), knobs, padded))[: len(steps)]


@compiled(1)
def all_factors(schedule, knobs: Float[Array, "knobs"], steps: Int[Array, "steps"]) -> Float[Array, "steps"]:
    """``factors`` in one go."""
    return jax.vmap(schedule(*knobs).factor)(steps)
