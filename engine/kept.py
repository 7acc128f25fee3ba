"""Programs kept on disk, beside those that JAX keeps: the next process need not trace the engine again for them.

JAX's own cache finds a program by what it was lowered to, and tracing and lowering eight optimizers takes most of a
second. Here it is found by the names of what it was made from, and by all that may change what they mean.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import platform
import threading
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FunctionType
from typing import Any

import jax
import numpy as np
from jax.experimental.serialize_executable import deserialize_and_load, serialize

SOURCES = hashlib.sha256(
    b"".join(file.read_bytes() for file in sorted(Path(__file__).parent.rglob("*.py")))
).hexdigest()


def kept(function: Callable, said: Sequence[Any], arrays: tuple, build: Callable[[], Any]) -> Any:
    """A function of the engine's, compiled for what was said and such arrays: from disk where it is there, else built.

    It is kept where JAX keeps its own (``jax_compilation_cache_dir``), if set. What the engine cannot name, such
    as a loss of one's own, is built each time. A file that cannot be read or written is a warning.
    """
    folder, name = jax.config.values["jax_compilation_cache_dir"], named(function, said)
    if not folder or name is None:
        return build()
    made_of = name, jax.tree.map(jax.typeof, arrays), surroundings()
    file = Path(folder) / f"engine-{hashlib.sha256(repr(made_of).encode()).hexdigest()}"
    if file.exists():
        try:
            return tried(pickle.loads(file.read_bytes()), arrays)
        except Exception as problem:  # noqa: BLE001 - whatever is wrong with it, it can be made again
            warnings.warn(f"{file} cannot be read and is made anew: {problem}", stacklevel=2)
    program = build()
    if "custom-call" in program.as_text():  # of a library such as LAPACK, which only lowering makes ready for calls
        return program
    try:
        stored = serialize(program)
        tried(stored, arrays)
    except (jax.errors.JaxRuntimeError, ValueError):  # as of one that JAX had in its own cache
        return program
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(f".{os.getpid()}-{threading.get_ident()}")  # whole or not at all
        part.write_bytes(pickle.dumps(stored))
        part.replace(file)
    except OSError as problem:
        warnings.warn(f"{file} cannot be written, so the next process builds it again: {problem}", stacklevel=2)
    return program


def tried(stored: tuple, arrays: tuple) -> Any:
    """A stored program, once it has run on ones, as in a race of one step: some that load lack parts of themselves."""
    program = deserialize_and_load(*stored)
    jax.block_until_ready(program(*jax.tree.map(np.ones_like, arrays)))
    return program


def named(function: Callable, said: Sequence[Any]) -> bytes | None:
    """What the engine's own function and arguments are called; None if one may be another thing in the next process."""
    for part in (function, *filter(callable, said)):
        if not isinstance(part, FunctionType | type) or part.__module__.partition(".")[0] != "engine":
            return None
    try:
        return pickle.dumps((function.__module__, function.__qualname__, *said))
    except (pickle.PicklingError, AttributeError):  # no name leads to it, as to a function within another
        return None


def surroundings() -> tuple:
    """All else that makes a program what it is: the engine's source, JAX and its settings, and the machine."""
    return (
        SOURCES,
        jax.__version__,
        sorted(jax.config.values.items()),
        os.environ.get("XLA_FLAGS"),
        jax.devices(),
        platform.machine(),
        np.show_config(mode="dicts")["SIMD Extensions"],
    )
