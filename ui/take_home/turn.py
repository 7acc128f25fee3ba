"""The racers of a program whose knobs are turned in the middle of the run: at which step, and to what."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine import Optimizer
from engine.scheduled import plain_rule, schedule_of, unscheduled
from engine.turned import AT, TurnedOptimizer, afterwards
from ui.take_home.in_jax import knobs_code
from ui.take_home.schedule import schedule_code
from ui.take_home.source import literal

IS_TURNED = "its knobs are turned in the middle of the run"


def turn_code(racer: Optimizer, names: Mapping[object, str], scheduled: bool) -> str:
    """The step at which a racer is turned, and its rule from then on, with the schedule of that where there are any."""
    later = afterwards(racer)
    schedule = schedule_of(later)
    parts = [str(int(vars(racer)[AT])), f"{names[plain_rule(racer.rule)]}({knobs_code(later)})"]
    return ", ".join([*parts, *([schedule_code(schedule) if schedule else "None"] if scheduled else [])])


def turns_code(racers: Mapping[str, Optimizer], names: Mapping[object, str], scheduled: bool) -> str:
    """The turns of a line-up, by the racer's name."""
    lines = [
        f"    {literal(name)}: ({turn_code(racer, names, scheduled)}),"
        for name, racer in racers.items()
        if isinstance(racer, TurnedOptimizer)
    ]
    return "\n".join(["TURNED = {  # the step, and by what the racer goes from then on", *lines, "}"])


def reason(racer: Optimizer, why_own: Callable[[Optimizer], str]) -> str:
    """Why a racer has the app's own rule in a program of another library; "" where it has the library's."""
    return IS_TURNED if isinstance(racer, TurnedOptimizer) else why_own(unscheduled(racer))
