"""The engine: optimizers, landscapes, and the race between them. Arrays in, arrays out."""

import os

# A race is a loop of a few hundred tiny steps. XLA compiles a loop that it finds small into one function, and walks
# through any other kernel by kernel, at five times the cost; the threshold is in bytes touched per step. XLA reads it
# once, at the first compile. And it leaves half of a processor's widest vectors (AVX-512) unused unless told.
os.environ["XLA_FLAGS"] = (
    os.environ.get("XLA_FLAGS", "")
    + " --xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=1000000"
    + " --xla_cpu_prefer_vector_width=512"
)

from engine.expressions import ExpressionError, parse
from engine.landscapes import LANDSCAPES, Landscape
from engine.maps import basins, sweep
from engine.optimizers import OPTIMIZERS, Optimizer
from engine.race import Trace, race

__all__ = [
    "LANDSCAPES",
    "OPTIMIZERS",
    "ExpressionError",
    "Landscape",
    "Optimizer",
    "Trace",
    "basins",
    "parse",
    "race",
    "sweep",
]
