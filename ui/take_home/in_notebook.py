"""A run as a Jupyter notebook: the engine's own source, the set-up, the run, a table and a picture."""

from __future__ import annotations

from collections.abc import Mapping

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from engine import Optimizer
from engine.scheduled import plain_rule
from ui.take_home.descent import Descent
from ui.take_home.in_jax import (
    BATCH_LOSS,
    about,
    batches_code,
    examples_code,
    knobs_code,
    loss_code,
    rules_code,
    setup_code,
)
from ui.take_home.notebook_run import run_code
from ui.take_home.schedule import schedules_code, table_code
from ui.take_home.source import literal
from ui.take_home.turn import turns_code
from ui.take_home.typed_rule import class_names

IMPORTS = """\
from dataclasses import dataclass
from functools import partial
from typing import Annotated, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import plotly.graph_objects as go"""

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
                schedule_of=", SCHEDULES.get(name)" if descent.is_scheduled else "",
                turned_of=", TURNED.get(name)" if descent.is_turned else "",
            )
        ),
        new_code_cell(PLOT.format(index=descent.index)),
    ]
    return as_bytes(cells)


def cells_along(descent: Descent) -> list:
    """The cells of what changes along the run: schedules of the learning rate, and knobs that are turned."""
    racers, cells = descent.racers, []
    if descent.is_scheduled:
        cells += [
            new_markdown_cell("## The schedules of the learning rate, from the app's source"),
            new_code_cell(f"from dataclasses import fields\n{schedules_code(racers)}"),
            new_code_cell(table_code(racers)),
        ]
    if descent.is_turned:
        cells += [
            new_markdown_cell("## The knobs that are turned in the middle of the run"),
            new_code_cell(turns_code(racers, class_names(racers.values()), descent.is_scheduled)),
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
