"""A run as a Jupyter notebook: the engine's own source, the set-up, the run, a table and a picture."""

from __future__ import annotations

from collections.abc import Mapping

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from engine import Optimizer
from engine.scheduled import plain_rule
from engine.xla.flags import is_off
from ui.take_home.descent import Descent
from ui.take_home.in_jax import (
    BATCH_LOSS,
    SETTLED,
    about,
    asks,
    batches_code,
    data_code,
    examples_code,
    knobs_code,
    loss_code,
    loss_name,
    rules_code,
    setup_code,
)
from ui.take_home.schedule import schedules_code, schedules_of, table_code
from ui.take_home.source import literal
from ui.take_home.turn import turns_code, turns_of
from ui.take_home.typed_rule import class_names

IMPORTS = """\
from dataclasses import dataclass
from functools import partial
from typing import Annotated, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import plotly.graph_objects as go"""

DESCEND = '''\
def is_finite(*parts):
    """Whether all these numbers are finite."""
    return jnp.all(jnp.array([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(parts)]))


def descend(rule, {schedule}knobs, {data}start):
    """One run: position and loss at each step, and whether all was finite until then."""
{make}
    def step(carry, {chosen}):
        x, state, running = carry
{evaluate}
{asked}        move, new_state = {optimizer}.update(gradient, state, x{given})
        finite = running & is_finite(x, loss, gradient)
        # a run that leaves the finite numbers stands still from then on
        new_x, new_state = jax.tree.map(lambda new, old: jnp.where(finite, new, old), (x + move, new_state), (x, state))
        return (new_x, new_state, finite & is_finite(new_state)), (x, loss, finite)

    state = jax.tree.map(jnp.asarray, {first}.init(start))
    carry, records = jax.lax.scan(step, (start, state, True), {batches}, length=STEPS + 1)
    return records'''

ASKED = """\
        more = {{"at": At({own}(x{given}), lambda x: {own}(x{given}){noise})}} if asks(rule) else {{}}
"""
EVALUATE = """\
        loss, gradient = jax.value_and_grad({loss})(x{data})"""
EVALUATE_IN_NOISE = f"{EVALUATE}\n        gradient = gradient + noise"
EVALUATE_BATCH = """\
        loss = {loss}(x{data})
        gradient = jax.grad(batch_loss)(x{data}, chosen)"""

MAKE = "    optimizer = rule(*knobs)\n"

AT_STEP = '''\
def at_step(rule, {schedule}knobs, step):
    """The optimizer with the knobs of a step."""
{turn}{make}'''

TURN = """\
    turned_at, first, later = knobs
    knobs = jnp.where(step < turned_at, first, later)
"""
MAKE_NOW = "    return rule(*knobs)"
MAKE_AT_RATE = """\
    number = len(fields(rule))
    optimizer = rule(*knobs[:number])
    if schedule is None:
        return optimizer
    rate = optimizer.learning_rate * schedule(*knobs[number:]).factor(step)
    return replace(optimizer, learning_rate=rate)"""

ONE_KERNEL = '''\
from jax.experimental.xla_metadata import set_xla_metadata


@partial(jax.jit, static_argnums={static})
def descend_all(rule, {schedule}knobs, {data}starts):
    """A run from each start, in one kernel as in the app: compiled otherwise, some last digits differ."""
    with set_xla_metadata(xla_cpu_small_call="true", inlineable="false"):
        return jax.jit(jax.vmap(partial(descend, rule{and_schedule}), in_axes=({axes}0)))(knobs, {data}starts)'''

JITTED = '''\
@partial(jax.jit, static_argnums={static})
def descend_all(rule, {schedule}knobs, {data}starts):
    """A run from each start."""
    return jax.vmap(partial(descend, rule{and_schedule}), in_axes=({axes}0))(knobs, {data}starts)'''

RUN = '''\
def numbers(optimizer{and_schedule}):
    """The knobs of an optimizer{of_both}, in 32 bits."""
    return np.array([*vars(optimizer).values(){schedule_knobs}], np.float32)


def run(optimizer{and_schedule}{turned}{settle}):
    """Position (steps + 1, dim) and loss (steps + 1,) at each step; a run that has ended stands still."""
    knobs = numbers(optimizer{and_schedule})
{turn}    # two runs from the same start, as in the app: a single one is rounded otherwise
    starts = np.array([START, START], np.float32)
    records = descend_all(type(optimizer), {schedule_type}knobs, {data}starts)
    positions, losses, finite = (np.array(part[0]) for part in records)
    if not finite[0]:  # it cannot begin
        positions[:], losses[:] = START, np.nan
        return positions, losses
    last = finite.sum() - 1
{settled}    positions[last:], losses[last:] = positions[last], losses[last]
    return positions, losses'''

TURN_KNOBS = """\
    turned_at, *later = turned or (STEPS + 1, optimizer{and_schedule})
    knobs = turned_at, knobs, numbers(*later)
"""
SETTLE = """\
    settled = settled_at(losses[: last + 1], quiet_steps)
    last = last if settled is None else settled
"""

SHOW = """\
runs = {{name: run(optimizer{schedule_of}{turned_of}{quiet}) for name, optimizer in RACERS.items()}}
for name, (positions, losses) in runs.items():
    print(f"{{name:24}} ends at {{positions[-1]}} with the loss {{losses[-1]:.6g}}")"""

PLOT = """\
figure = go.Figure(layout={{"xaxis_title": "{index}", "yaxis_title": "loss"}})
for name, (positions, losses) in runs.items():
    figure.add_scatter(y=losses, name=name)
figure"""


def notebook(descent: Descent) -> bytes:
    """The notebook of a descent."""
    cells = [
        new_markdown_cell(words(descent)),
        new_code_cell(IMPORTS),
        new_markdown_cell("## The set-up"),
        new_code_cell(setup_code(descent)),
        new_markdown_cell("## The loss, as the app computes it"),
        new_code_cell(loss_code(descent)),
    ]
    if descent.fit:
        cells += [new_markdown_cell("## The examples"), new_code_cell(examples_code(descent))]
    if descent.batch_size:
        cells += [
            new_markdown_cell("## The batches: which examples each step looks at"),
            new_code_cell(batches_code()),
            new_code_cell(BATCH_LOSS),
        ]
    cells += [
        new_markdown_cell("## The optimizers, from the app's source"),
        new_code_cell(
            rules_code(descent.racers.values(), class_names(descent.racers.values()), noisy=bool(descent.noise))
        ),
        new_code_cell(racers_code(descent.racers)),
        *cells_along(descent),
        new_markdown_cell("## The run"),
        new_code_cell(run_code(descent)),
        new_code_cell(
            SHOW.format(
                quiet=", QUIET_STEPS[name]" if descent.tolerance else "",
                schedule_of=", SCHEDULES.get(name)" if schedules_of(descent.racers) else "",
                turned_of=", TURNED.get(name)" if turns_of(descent.racers) else "",
            )
        ),
        new_code_cell(PLOT.format(index=descent.index)),
    ]
    return as_bytes(cells)


def cells_along(descent: Descent) -> list:
    """The cells of what changes along the run: schedules of the learning rate, and knobs that are turned."""
    racers, cells = descent.racers, []
    scheduled = bool(schedules_of(racers))
    if scheduled:
        cells += [
            new_markdown_cell("## The schedules of the learning rate, from the app's source"),
            new_code_cell(f"from dataclasses import fields\n{schedules_code(racers)}"),
            new_code_cell(table_code(racers)),
        ]
    if turns_of(racers):
        cells += [
            new_markdown_cell("## The knobs that are turned in the middle of the run"),
            new_code_cell(turns_code(racers, class_names(racers.values()), scheduled)),
        ]
    return cells


def as_bytes(cells: list) -> bytes:
    """A notebook of these cells."""
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"  # nbformat draws one at random
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made = new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})
    nbformat.validate(made)
    return nbformat.writes(made).encode()


def words(descent: Descent) -> str:
    """What stands at the top of the notebook."""
    ends = "\n".join(f"- {name}: {descent.ends[name]}" for name in descent.racers)
    return (
        f"# {descent.page}\n\n{about(descent)}\n\nHow each one ended in the app:\n\n{ends}\n\n"
        "It needs `pip install jax numpy plotly nbformat`. With the app's version of JAX, and a processor of the same "
        "kind, every point comes out as in the app, to the last digit, and so do the losses, but for a last digit here "
        "and there; elsewhere more of the last digits may differ."
    )


def racers_code(racers: Mapping[str, Optimizer]) -> str:
    """The line-up with its knobs."""
    names = class_names(racers.values())
    lines = [
        f"    {literal(name)}: {names[plain_rule(racer.rule)]}({knobs_code(racer)})," for name, racer in racers.items()
    ]
    return "\n".join(["RACERS = {", *lines, "}"])


def run_code(descent: Descent) -> str:
    """How the descent is run."""
    data = data_code(descent, "features, true, ", "shape, ")
    in_batches, noisy = descent.batch_size is not None, bool(descent.noise)
    arguments = data + ("batches, " if in_batches else "") + ("noises, " if noisy else "")
    given_data = data_code(descent, ", features, true", ", *shape")
    template = EVALUATE_BATCH if in_batches else EVALUATE_IN_NOISE if noisy else EVALUATE
    evaluate = template.format(loss=loss_name(descent), data=given_data)
    asked = ""
    if any(map(asks, descent.racers.values())):
        own, given = ("batch_loss", ", features, true, chosen") if in_batches else (loss_name(descent), given_data)
        asked = ASKED.format(own=own, given=given, noise=", noise" if noisy else "")
    scheduled, turning, tolerant = map(
        bool, (schedules_of(descent.racers), turns_of(descent.racers), descent.tolerance)
    )
    both = {
        "schedule": "schedule, " if scheduled else "",
        "and_schedule": ", schedule" if scheduled else "",
        "static": "(0, 1)" if scheduled else "0",
    }
    chosen, batches = ("chosen", "batches") if in_batches else ("noise", "noises") if noisy else ("_", "None")
    if scheduled or turning:  # the number of the step goes beside the batch
        evaluate = f"        i, {chosen} = each\n{evaluate}"
        chosen, batches = "each", f"(jnp.arange(STEPS + 1), {batches})"
    now = f"at_step(rule, {both['schedule']}knobs, {{}})" if scheduled or turning else "optimizer"
    parts = []
    if scheduled or turning:
        make = MAKE_AT_RATE if scheduled else MAKE_NOW
        parts.append(AT_STEP.format(schedule=both["schedule"], turn=TURN if turning else "", make=make))
    parts.append(
        DESCEND.format(
            data=arguments,
            evaluate=evaluate,
            asked=asked,
            given=", **more" if asked else "",
            chosen=chosen,
            batches=batches,
            make="" if scheduled or turning else MAKE,
            optimizer=now.format("i"),
            first=now.format(0),
            schedule=both["schedule"],
        )
    )
    template = JITTED if descent.fit or is_off() else ONE_KERNEL
    parts.append(template.format(data=arguments, axes="None, " * (1 + arguments.count(",")), **both))
    if descent.tolerance:
        parts.append(SETTLED)
    given = data_code(descent, "FEATURES, TRUE, ", "np.array(SHAPE, np.float32), ")
    given += "all_batches(), " if in_batches else "NOISE, " if noisy else ""
    run = RUN.format(
        data=given,
        settle=", quiet_steps" if tolerant else "",
        settled=SETTLE if tolerant else "",
        and_schedule=both["and_schedule"],
        schedule_knobs=", *(vars(schedule).values() if schedule else ())" if scheduled else "",
        schedule_type="schedule and type(schedule), " if scheduled else "",
        of_both=" and of its schedule" if scheduled else "",
        turned=", turned" if turning else "",
        turn=TURN_KNOBS.format(and_schedule=both["and_schedule"]) if turning else "",
    )
    return "\n\n\n".join([*parts, run])
