"""A landscape that someone has painted: dark is low, light is high, and between the heights it is smooth.

A painting is a square of a few heights, and a text of two letters for each of them, which fits into a link.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from functools import cache, lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from engine.landscapes import Landscape
from engine.typed import landscape_found
from engine.xla.compile import Traced

NAME = "Painted"
SIDE = 24  # heights of a painting, per side: those at its edge lie around the domain
EDGE = 5.0  # of the domain, in each direction
DOMAIN = ((-EDGE, EDGE), (-EDGE, EDGE))
HIGHEST = 10.0  # the loss where it is white; where it is black it is 0
MAX_PAINTINGS = 128  # that are kept: two for each of a class
LETTERS = string.ascii_letters + string.digits + "-_"  # which an address holds as they are
FORMULA = r"f(x, y) = \sum_{i, j} h_{i j} \, B(u - i) \, B(v - j)"  # B is the cubic B-spline


@dataclass(frozen=True, eq=False)
class Painted(Traced):
    """The loss of a painting. One program serves all paintings: their heights are traced."""

    heights: Float[np.ndarray, "side side"]  # from the lowest y to the highest, and from the lowest x

    __no_type_check__ = True  # in the place of the heights JAX puts tracers

    def __call__(self, x: jax.Array) -> jax.Array:
        return painted_loss(x, self.heights)


def painted_loss(x, heights):
    """The loss at x (2,). Outside of the painting the ground rises."""
    inside = jnp.clip(x, -EDGE, EDGE)
    across, up = bumps(inside[0]), bumps(inside[1])
    return jnp.sum(jnp.asarray(heights) * across * up[:, None]) + jnp.sum((x - inside) ** 2)


def bumps(coordinate):
    """How much each height of a row counts at a coordinate: the cubic B-spline, a bump around each of them."""
    apart = 2 * EDGE / (SIDE - 3)
    away = abs(coordinate / apart - (jnp.arange(SIDE) - (SIDE - 1) / 2))
    return (jnp.clip(2 - away, 0) ** 3 - 4 * jnp.clip(1 - away, 0) ** 3) / 6


@cache
def example() -> str:
    """A painting for those who have none yet: two hollows, the deeper one behind a ridge."""
    x, y = np.meshgrid(*[(np.arange(SIDE) - (SIDE - 1) / 2) * 2 * EDGE / (SIDE - 3)] * 2)
    deep, shallow = (x + 2.5) ** 2 + (y + 2) ** 2, (x - 2) ** 2 + (y - 1.5) ** 2
    ridge = 2 * np.exp(-((x + y) ** 2) / 2)
    return encode_heights(HIGHEST * (1 - 0.9 * np.exp(-deep / 9) - 0.6 * np.exp(-shallow / 6)) + ridge - 1)


def decode_heights(painting: str) -> Float[np.ndarray, "side side"]:
    """The heights that a painting's text stands for. Raises ``ValueError`` where it stands for none."""
    digits = [LETTERS.index(letter) for letter in painting]
    if len(digits) != 2 * SIDE * SIDE:
        raise ValueError(f"A painting is a text of {2 * SIDE * SIDE} letters, and this one has {len(digits)}.")
    first, second = np.reshape(digits, (SIDE, SIDE, 2)).T
    return (len(LETTERS) * first + second).T * (HIGHEST / (len(LETTERS) ** 2 - 1))


def encode_heights(heights: Float[np.ndarray, "side side"]) -> str:
    """The text of a painting with these heights, each from 0 to ``HIGHEST``."""
    levels = np.rint(np.clip(heights / HIGHEST, 0, 1) * (len(LETTERS) ** 2 - 1)).astype(int)
    return "".join(LETTERS[level // len(LETTERS)] + LETTERS[level % len(LETTERS)] for level in levels.flat)


@lru_cache(MAX_PAINTINGS)
def painted_landscape(painting: str) -> Landscape:
    """The landscape of a painting's text: its minima are looked for."""
    return landscape_found(NAME, Painted(decode_heights(painting)), DOMAIN, FORMULA)
