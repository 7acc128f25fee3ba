"""What makes the engine quick beyond its mathematics. All of it can be switched off: with ``ENGINE_XLA=off`` in the
environment every function is plainly ``jax.jit`` compiled, and gives the same but for rounding.

What each part buys, measured on two cores with jax 0.10 and eight optimizers on Ackley's function, 500 steps:

- ``flags.py``: XLA compiles a whole loop of small steps into one function, and uses the widest vectors. A race takes a
  fifth, a map two thirds of the time. What ``jax.jit`` compiles takes less work. It rests on flags of XLA; one that XLA
  no longer knows ends the process at its first compile with a message that names it.
- ``compile.py``: one program for each function and shape, the newest ``MAX_PROGRAMS`` of them, without what ``jax.jit``
  keeps beside each: a third less memory. Of typed losses it holds ``MAX_PASSING`` in all. A race is one kernel,
  of which XLA's threads need not be told step by step: half the time. It rests on ``jax.extend.mlir``;
  without it a race is compiled as anything else. Two options of XLA halve the work of a compile; without them it takes
  its time.
- ``program_cache.py``: a new process loads what another one compiled, untraced. Its first race takes 0.2 s; from JAX's
  own cache, which has to trace and lower it first, 1.2 s; by way of ``jax.export``, which lowers less, 0.5 s. It rests
  on ``jax.experimental.serialize_executable``; without it there is JAX's own cache.
"""

from engine.xla.compile import compiled
from engine.xla.flags import set_flags

__all__ = ["compiled", "set_flags"]
