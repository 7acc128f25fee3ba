"""Settings of the server's process: its cache of compiled programs, its threads, its memory, and the engine in it."""

from __future__ import annotations

import atexit
import ctypes
import errno
import functools
import gc
import logging
import os
import sys
from pathlib import Path

from ui.admission import close, without_slot


def configure(cache_folder: Path) -> None:
    """Set the process up for many visitors. Before JAX is imported: it reads its settings only then."""
    set_cache(cache_folder)
    # Each thing on a page is handed to the thread that sends it, and that may keep the page's own thread waiting: with
    # a switch of threads ten times sooner than after Python's usual 5 ms a page is an eighth quicker.
    sys.setswitchinterval(0.0005)
    # Every script runs in a thread of its own, and many threads get an arena of memory each: two arenas for all of
    # them (M_ARENA_MAX) hold a class in less.
    call_libc("mallopt", -8, 2)


def set_cache(folder: Path) -> None:
    """Keep compiled programs in a folder for the next start of the server, unless the environment names another."""
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
    if "JAX_COMPILATION_CACHE_DIR" in os.environ:
        return
    try:
        folder.mkdir(exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as problem:
        logging.getLogger(__name__).warning(
            "%s cannot be written to (%s). Each start of the server compiles anew; "
            "JAX_COMPILATION_CACHE_DIR may name another folder.",
            folder,
            problem.strerror,
        )
    else:
        os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder)


@functools.cache
def load_engine() -> None:
    """Import the engine and set XLA's flags, before anything is computed."""
    import engine.xla.compile

    engine.xla.set_flags()
    engine.xla.compile.while_compiling = without_slot
    atexit.register(close)  # it runs before JAX's own end, which was registered before


def freeze_memory() -> None:
    """Spare what is loaded by now from each collection of garbage, and give back the memory that compiling took."""
    gc.collect()
    gc.freeze()
    call_libc("malloc_trim", 0)


def call_libc(function: str, *arguments: int) -> None:
    """Call a function of the C library, on a system whose library has it."""
    if sys.platform == "linux" and (call := getattr(ctypes.CDLL(None), function, None)):
        call(*arguments)
