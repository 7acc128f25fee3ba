"""The two Ackley runs of the notebook this project grew from, stepped in the notebook's own order.

The notebook moves one coordinate at a time: the y-step already sees the new x. Optimizers move all coordinates
together, so ``race`` gives other numbers from the same start; these replays give the notebook's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from engine.descent import TOLERANCE
from engine.landscapes import LANDSCAPES, Landscape, Point
from engine.optimizers import SGD, Adam, Optimizer, update_at
from engine.race import Trace

FIRST_KEY = 577  # the notebook's seed


def first_theta() -> float:
    """Where the notebook's linear fit starts: 0.1592, as JAX drew it then. Today's generator would give 0.1639."""
    with jax.threefry_partitionable(False):
        return float(jax.random.uniform(jax.random.PRNGKey(FIRST_KEY)))


LEFT_BEHIND = 238.0388641357422  # theta of the notebook's linear fit, after its last step


def ackley(x):
    """Ackley's function with the library's cosine. Its runs among the dents are chaotic: the digits that the notebook
    printed do not come out of a cosine that rounds in other places, be it more exact."""
    radius = jnp.sqrt(jnp.mean(x**2))
    return -20 * jnp.expm1(-0.2 * radius) + (jnp.e - jnp.exp(jnp.mean(jnp.cos(2 * jnp.pi * x))))


@dataclass(frozen=True)
class Replay:
    """One run of the notebook: what was set, and what its code did beside that."""

    name: str
    about: str  # what the reader should know before comparing, in two sentences
    optimizer: Optimizer
    steps: int
    pull: float = 0.0  # added to every gradient
    start: Point = (4.0, 4.0)
    loss: Callable[[jax.Array], jax.Array] = ackley
    landscape: Landscape = LANDSCAPES["Ackley"]

    def run(self) -> Trace:
        """The run as the notebook made it: one start, every step recorded, ended where the notebook stops."""
        start, pull = jnp.asarray(self.start), jnp.float32(self.pull)
        positions, losses = in_turn(self.loss, self.optimizer, start, pull, self.steps)
        positions, losses = np.asarray(positions), np.asarray(losses)
        there = np.all(np.abs(positions - np.asarray(self.landscape.minima[0])) < TOLERANCE, axis=1)
        converged_at = int(np.argmax(there)) if there.any() else -1
        end = converged_at + 1 if there.any() else len(positions)
        positions, losses = positions[:end], losses[:end]
        moves = np.linalg.norm(np.diff(positions, axis=0), axis=1)
        return Trace(
            steps=np.arange(end),
            positions=positions[None],
            losses=losses[None],
            stopped_at=np.array([-1]),
            settled_at=np.array([-1]),
            converged_at=np.array([converged_at]),
            best_losses=np.array([losses.min()]),
            path_lengths=np.array([moves.sum()]),
        )


@partial(jax.jit, static_argnames=("loss", "steps"))
def in_turn(loss, optimizer, start, pull, steps):
    """One coordinate after the other, each with its memory: positions ``(steps + 1, dim)``, losses ``(steps + 1,)``."""

    def step(carry, number):
        x, memories = carry
        memories = list(memories)
        for i in range(x.size):
            along = partial(along_coordinate, x, i)
            gradient = jax.grad(loss)(x)[i] + pull
            move, memories[i] = update_at(optimizer, gradient, memories[i], x[i], number, along(x[i]), along)
            x = x.at[i].add(move)
        return (x, tuple(memories)), x

    def along_coordinate(x, i, value):
        return loss(x.at[i].set(value)) + pull * value

    memories = tuple(jax.tree.map(jnp.asarray, optimizer.init(x)) for x in start)
    _, path = jax.lax.scan(step, (start, memories), jnp.arange(steps))
    path = jnp.concatenate([start[None], path])
    return path, jax.vmap(loss)(path)


REPLAYS: Mapping[str, Replay] = {
    "SGD": Replay(
        name="SGD, x then y",
        about=(
            "The notebook moves x first and then y, so its y-step already sees the new x. "
            "Optimizers move both together: that is SGD beside it, "
            "and after the first step the two are no longer the same."
        ),
        optimizer=SGD(learning_rate=0.1),
        steps=20,
    ),
    "Adam": Replay(
        name="Adam, pulled by 238.03",
        about=(
            "The notebook computes its weight decay from a wrong number, 238.03, left over from its linear fit: this "
            "moves Adam by 0.01 along the diagonal in every step, so it only seems to find the minimum. "
            "With a correct weight decay, Adam stays in the local minimum in which it started."
        ),
        optimizer=Adam(learning_rate=0.01, beta1=0.99, beta2=0.999, eps=1e-8),
        steps=999,
        pull=0.7 * LEFT_BEHIND,
    ),
}
