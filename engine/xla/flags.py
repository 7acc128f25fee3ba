"""XLA's flags, and the switch that turns off all of ``engine.xla``."""

from __future__ import annotations

import os
import sys
import warnings

import jax

SWITCH = "ENGINE_XLA"  # "off": XLA as it comes

# A race is a loop of a few hundred tiny steps. XLA compiles a loop that it finds small into one function, and runs
# any other kernel by kernel, at five times the cost; the threshold is in bytes touched per step. And it leaves
# half of a processor's widest vectors (AVX-512) unused unless told.
FLAGS = [
    "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=1000000",
    "--xla_cpu_prefer_vector_width=512",
]
# What goes by way of jax.jit alone is compiled with less work, as the engine's own programs are (OPTIONS, compile.py).
if jax.__version_info__ < (0, 11, 1):
    FLAGS += ["--xla_cpu_parallel_codegen_split_count=1", "--xla_cpu_use_fusion_emitters=false"]


def is_off() -> bool:
    """Whether the environment switches ``engine.xla`` off."""
    return os.environ.get(SWITCH, "").lower() == "off"


def set_flags() -> None:
    """Add the engine's flags to ``XLA_FLAGS``. Call it before anything is computed with JAX.

    XLA reads them when JAX's backend starts: with the first array, or the first question for devices. After that it
    warns that it comes too late. Called again it does nothing.
    """
    present = os.environ.get("XLA_FLAGS", "").split()
    missing = [flag for flag in FLAGS if flag not in present]
    if is_off() or not missing:
        return
    if backend_has_started():
        warnings.warn(
            "set_flags() comes too late: JAX's backend has started, and XLA reads its flags only then. Races will take "
            "several times as long. Call it before the first array is made.",
            RuntimeWarning,
            stacklevel=2,
        )
        return
    os.environ["XLA_FLAGS"] = " ".join([*present, *missing])


def backend_has_started() -> bool:
    """Whether JAX has computed something already; False where this JAX does not say."""
    bridge = sys.modules.get("jax._src.xla_bridge")
    started = getattr(bridge, "backends_are_initialized", None)
    return bool(started and started())
