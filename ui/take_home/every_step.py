"""Every recorded step of a descent as a table: position, loss, gradient, state and move."""

from __future__ import annotations

import re
import unicodedata
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from engine import Trace
from engine.batches import batches_per_epoch, in_batch, shuffle
from engine.descent import MAX_RECORDS
from engine.optimizers import Optimizer, symbols, update_at
from ui.draw.line_up import letters
from ui.take_home.descent import Descent


def every_step(descent: Descent) -> pd.DataFrame:
    """A row for each recorded step of each racer until it ended. What a racer does not have is empty in its rows."""
    return pd.concat([rows(descent, name, trace) for name, trace in descent.traces.items()], ignore_index=True)


def rows(descent: Descent, name: str, trace: Trace) -> pd.DataFrame:
    """The rows of one racer."""
    run = trace.run(0)
    end = run.records
    steps = run.steps[:end] if run.end is None else np.minimum(run.steps[:end], run.end)
    columns = {
        "racer": [name] * end,
        descent.index: steps,
        **dict(zip(descent.coordinates, run.positions[:end].T, strict=True)),
        "loss": run.losses[:end],
    }
    if name in descent.racers:  # the notebook's own run beside a race comes without
        racer = descent.racers[name]
        gradients, state, moves = moves_of(descent, racer, run.positions[:end], steps)
        last = np.arange(end) == end - 1  # after the last step there is no move, and nothing more is remembered
        columns |= by_coordinate("gradient", gradients, descent.coordinates)
        for part, symbol in symbols(state).items():
            words = part.replace("_", " ") + ("" if part == symbol else f" {letter(symbol)}")
            columns |= by_coordinate(words, blank(getattr(state, part), last), descent.coordinates)
        columns |= by_coordinate("move", blank(moves, last), descent.coordinates)
    return pd.DataFrame(columns)


def blank(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Values without those of some rows."""
    return np.where(rows.reshape(-1, *(1,) * (values.ndim - 1)), np.nan, values)


def by_coordinate(name: str, values: np.ndarray, coordinates: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The columns of a quantity: one, or one for each coordinate."""
    if values.ndim == 1:
        return {name: values}
    return {f"{name} {coordinate}": column for coordinate, column in zip(coordinates, values.T, strict=True)}


def letter(symbol: str) -> str:
    """A symbol in LaTeX as text: ``\\hat s`` as ŝ."""
    for command, mark in (("bar", "\u0304"), ("hat", "\u0302")):
        symbol = re.sub(rf"\\{command} (\w)", rf"\1{mark}", symbol)
    return unicodedata.normalize("NFC", letters(symbol)).replace("_i", "ᵢ")


def moves_of(descent: Descent, racer: Optimizer, positions: np.ndarray, steps: np.ndarray) -> tuple:
    """The gradient, the state after it, and the move at each of these steps, ``(steps, ...)`` each.

    The state follows from the positions: from each of them the rule goes on to the next, and begins again there. So it
    belongs to the run that was shown, where a second run may round differently and end elsewhere.
    """
    more = MAX_RECORDS + 1 - len(steps)  # one shape for all, so that it is compiled once
    knobs = np.array([*vars(racer).values()], np.float32)
    data = descent.fit.data if descent.fit else ()
    found = follow(
        descent.loss,
        type(racer),
        descent.batch_size is not None,
        knobs,
        np.pad(positions, ((0, more), (0, 0)), mode="edge"),
        np.pad(steps, (0, more), mode="edge").astype(np.int32),
        data,
        np.array([descent.seed, descent.batch_size or 1], np.int32),
    )
    return jax.tree.map(lambda part: np.asarray(part)[: len(steps)], found)


@partial(jax.jit, static_argnums=(0, 1, 2))
def follow(loss, rule, in_batches, knobs, positions, steps, data, batches):
    """``moves_of`` as one loop over the records."""
    optimizer, (seed, batch_size) = rule(*knobs), batches

    def loss_at(i):
        """The loss that step i goes down: that on all examples, or on its batch."""
        if not in_batches:
            return lambda x: loss(x, *data)
        examples = len(data[0])
        permutation = shuffle(seed, i // batches_per_epoch(examples, batch_size), examples)
        chosen = in_batch(permutation, i, batch_size)

        def of_batch(x):
            each = jax.vmap(lambda *example: loss(x, *(part[None] for part in example)))(*data)
            return jnp.sum(jnp.where(chosen, each, 0)) / jnp.sum(chosen)

        return of_batch

    def step(i, x, state):
        value, gradient = jax.value_and_grad(loss_at(i))(x)
        move, state = update_at(optimizer, gradient, state, x, i, value, loss_at(i))
        return gradient, state, move

    def on_the_way(i, carry):
        x, state = carry
        _, state, move = step(i, x, state)
        return x + move, state

    def record(state, here):
        x, i, until = here
        gradient, after, move = step(i, x, state)
        _, state = jax.lax.fori_loop(i + 1, until, on_the_way, (x + move, after))
        return state, (gradient, after, move)

    state = jax.tree.map(jnp.asarray, optimizer.init(positions[0]))
    state = jax.tree.map(lambda part: part.astype(jnp.result_type(part, jnp.float32)), state)
    return jax.lax.scan(record, state, (positions, steps, jnp.append(steps[1:], steps[-1])))[1]
