"""A path that no optimizer took: points given one by one, with the loss and its gradient at each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import jax
import numpy as np
from jaxtyping import Array, Float, Int

from engine.annotations import Arrays
from engine.descent import Moves
from engine.race import Trace
from engine.xla import compiled

MAX_POINTS = 64  # of a path, its start among them


def path_trace(loss: Callable[..., jax.Array], points: Float[np.ndarray, "points dim"], data: Arrays = ()) -> Trace:
    """A path as a trace of one run: its points in turn, the loss at each, and the gradient and the way on from it.

    ``loss`` takes a point ``(dim,)``, then ``data``. Point k is step k. Of the last point there is no way on: NaN.
    Raises ``ValueError`` for no points, or more than ``MAX_POINTS``.
    """
    points = np.asarray(points, np.float32)
    count = len(points)
    if not 0 < count <= MAX_POINTS:
        raise ValueError(f"The path has {count} points. Give at least 1, and at most {MAX_POINTS}.")
    # repeated up to one shape, so that one program serves every number of points
    padded = np.resize(points, (MAX_POINTS, points.shape[1]))
    arrays = tuple(np.asarray(part, np.float32) for part in data)
    losses, gradients = (np.asarray(part)[:count] for part in losses_and_gradients(loss, padded, arrays))
    ways = np.diff(points, axis=0, append=np.full_like(points[:1], np.nan))
    return Trace(
        steps=np.arange(count),
        positions=points[None],
        losses=losses[None],
        stopped_at=np.array([-1]),
        settled_at=np.array([-1]),
        converged_at=np.array([-1]),
        best_losses=np.array([np.fmin.reduce(losses)]),
        path_lengths=np.array([np.linalg.norm(ways[:-1].astype(float), axis=1).sum()]),
        moves=Moves(gradients[None], (), ways[None]),
    )


def on_steps(path: Trace, steps: Int[np.ndarray, "recorded"]) -> Trace:
    """A path whose every step is recorded at other ``steps``, those of a race; it stands still after its own end."""
    at = np.minimum(steps, path.steps[-1])
    kept = jax.tree.map(lambda part: part[:, at], (path.positions, path.losses, path.moves))
    return replace(path, steps=steps, **dict(zip(("positions", "losses", "moves"), kept, strict=True)))


@compiled(1)
def losses_and_gradients(
    loss, points: Float[Array, "points dim"], data
) -> tuple[Float[Array, "points"], Float[Array, "points dim"]]:
    """A loss and its gradient at many points."""
    return jax.vmap(lambda x: jax.value_and_grad(loss)(x, *data))(points)
