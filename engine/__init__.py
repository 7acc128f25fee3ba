"""The engine: optimizers, landscapes, and the race between them. Arrays in, arrays out.

Whoever computes with it calls ``engine.xla.set_flags()`` first, or races take several times as long.
"""

from engine.expressions import ExpressionError, parse
from engine.landscapes import LANDSCAPES, Landscape
from engine.maps import basins, sweep
from engine.noise import GradientNoise
from engine.optimizers import OPTIMIZERS, Optimizer
from engine.race import Trace, race
from engine.schedules import SCHEDULES
from engine.shapes import reshaped

__all__ = [
    "LANDSCAPES",
    "OPTIMIZERS",
    "SCHEDULES",
    "ExpressionError",
    "GradientNoise",
    "Landscape",
    "Optimizer",
    "Trace",
    "basins",
    "parse",
    "race",
    "reshaped",
    "sweep",
]
