"""The schedules of a line-up as they stand in a program: the engine's own source, and what makes each of its knobs."""

from __future__ import annotations

from collections.abc import Mapping

from engine import Optimizer, schedules
from engine.scheduled import schedule_of
from engine.schedules import Schedule
from ui.take_home.source import literal, source_of

# numbers of Python in the place of JAX's arrays, as PyTorch's LambdaLR has them
IN_PYTHON = {
    "jnp.minimum(": "min(",
    "jnp.maximum(": "max(",
    "jnp.abs(": "abs(",
    "jnp.floor(": "math.floor(",
    "jnp.cos(": "math.cos(",
    "jnp.pi": "math.pi",
}


def schedules_of(racers: Mapping[str, Optimizer]) -> dict[str, Schedule]:
    """The schedules of a line-up by the racer's name; without those whose learning rate is constant."""
    found = {name: schedule_of(racer) for name, racer in racers.items()}
    return {name: schedule for name, schedule in found.items() if schedule}


def schedules_code(racers: Mapping[str, Optimizer], in_python: bool = False) -> str:
    """The source of the schedules of a line-up. It needs ``knob`` and ``register``, and dataclass and JAX or math."""
    names = {type(schedule).__name__ for schedule in schedules_of(racers).values()}
    code = source_of(schedules, names, given=("knob", "register"))
    code = "\n".join(line for line in code.split("\n") if "__no_type_check__" not in line)
    for ours, theirs in IN_PYTHON.items() if in_python else ():
        code = code.replace(ours, theirs)
    return f"from dataclasses import replace\nfrom typing import ClassVar\n\n\n{code}"


def schedule_code(schedule: Schedule) -> str:
    """What makes one schedule."""
    knobs = ", ".join(f"{name}={literal(float(value))}" for name, value in vars(schedule).items())
    return f"{type(schedule).__name__}({knobs})"


def table_code(racers: Mapping[str, Optimizer]) -> str:
    """The schedules of a line-up, by the racer's name."""
    lines = [f"    {literal(name)}: {schedule_code(schedule)}," for name, schedule in schedules_of(racers).items()]
    return "\n".join(["SCHEDULES = {  # of the learning rate", *lines, "}"])
