"""Programs kept on disk, beside those that JAX keeps: the next process need not trace the engine again for them.

JAX's own cache finds a program by what it was lowered to, and tracing and lowering eight optimizers takes most of a
second. Here it is found by the names of what it was made from, and by all that may change what they mean.

A program is unpickled, and so could do anything. It is loaded only from a folder and a file that belong to this user
and that nobody else can write to; where the system does not say so, it is built anew.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import platform
import stat
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FunctionType
from typing import Any

import jax
import numpy as np

from engine.xla.flags import is_off

FOLDER = "engine"  # within that of JAX's own cache
SOURCES = hashlib.sha256(
    b"".join(file.read_bytes() for file in sorted(Path(__file__).parents[1].rglob("*.py")))
).hexdigest()


def load_or_build(function: Callable, static_args: Sequence[Any], arrays: tuple, build: Callable[[], Any]) -> Any:
    """A function of the engine's, compiled for its static arguments and such arrays: from disk where it is, else built.

    It is kept where JAX keeps its own (``jax_compilation_cache_dir``), if set. What the engine cannot name, such
    as a loss of one's own, is built each time. A file that cannot be read, trusted or written is a warning.
    """
    cache, name = jax.config.values["jax_compilation_cache_dir"], stable_name(function, static_args)
    if not cache or name is None or is_off():
        return build()
    made_of = name, jax.tree.map(jax.typeof, arrays), environment()
    file = Path(cache) / FOLDER / hashlib.sha256(repr(made_of).encode()).hexdigest()
    if file.exists():
        try:
            return load_and_smoke_test(pickle.loads(read_trusted(file)), arrays)
        except Exception as problem:  # noqa: BLE001 - whatever is wrong with it, it can be made again
            warnings.warn(f"{file} cannot be read and is made anew: {problem}", stacklevel=2)
    program = build()
    if "custom-call" in program.as_text():  # of a library such as LAPACK, which only lowering makes ready for calls
        return program
    try:
        from jax.experimental.serialize_executable import serialize

        stored = serialize(program)
        load_and_smoke_test(stored, arrays)
    # as of one that JAX had in its own cache; and a later JAX may have no such thing
    except (jax.errors.JaxRuntimeError, ValueError, ImportError):
        return program
    try:
        write(file, pickle.dumps(stored))
    except OSError as problem:
        warnings.warn(f"{file} cannot be written, so the next process builds it again: {problem}", stacklevel=2)
    return program


def load_and_smoke_test(stored: tuple, arrays: tuple) -> Any:
    """A stored program, once it has run on ones, as in a race of one step: some that load lack parts of themselves."""
    from jax.experimental.serialize_executable import deserialize_and_load

    program = deserialize_and_load(*stored)
    jax.block_until_ready(program(*jax.tree.map(np.ones_like, arrays)))
    return program


def read_trusted(file: Path) -> bytes:
    """What a file holds. Raises ``PermissionError`` where others could have written it, or put it there."""
    with file.open("rb") as opened:
        for what, found in ((file.parent, os.lstat(file.parent)), (file, os.fstat(opened.fileno()))):
            if not is_mine_alone(found):
                raise PermissionError(f"{what} belongs to another user, or others can write to it")
        return opened.read()


def is_mine_alone(found: os.stat_result) -> bool:
    """Whether this user owns a file or folder and nobody else can write to it; False where the system does not say."""
    others_write = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return (
        hasattr(os, "getuid") and found.st_uid == os.getuid() and not others_write and not stat.S_ISLNK(found.st_mode)
    )


def write(file: Path, content: bytes) -> None:
    """Write a file for this user alone, whole or not at all."""
    file.parent.parent.mkdir(parents=True, exist_ok=True)
    file.parent.mkdir(mode=0o700, exist_ok=True)
    part = file.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(content)
    part.replace(file)


def stable_name(function: Callable, static_args: Sequence[Any]) -> bytes | None:
    """What the engine's own function and arguments are called; None if one may be another thing in the next process."""
    for part in (function, *callables_in(static_args)):
        if not isinstance(part, FunctionType | type) or part.__module__.partition(".")[0] != "engine":
            return None
    try:
        return pickle.dumps((function.__module__, function.__qualname__, *static_args))
    except (pickle.PicklingError, AttributeError):  # no name leads to it, as to a function within another
        return None


def callables_in(static_args: Sequence[Any]) -> Iterator[Any]:
    """The functions and classes among some arguments, and what else can be called; of a tuple what it is made of."""
    for part in static_args:
        if isinstance(part, tuple):
            yield from callables_in(part)
        elif callable(part):
            yield part


def environment() -> tuple:
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
