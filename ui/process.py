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
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state import SafeSessionState

from ui.admission import close, still_wanted, without_slot, working


def configure(cache_folder: Path) -> None:
    """Set the process up for many visitors. Call it before JAX is imported, which reads its settings only then.

    ``cache_folder`` is where compiled programs are kept for the next start of the server.
    """
    set_cache(cache_folder)
    keep_callbacks_whole()
    # The thread that runs a page hands each element to the thread that sends it, and may then have to wait until
    # Python switches back. With a switch interval of 0.5 ms, not 5 ms, a page takes an eighth less time.
    sys.setswitchinterval(0.0005)
    # Streamlit runs every script in a thread of its own, and glibc's malloc gives many threads an arena each. With two
    # arenas for all threads (M_ARENA_MAX, which is -8) the process needs less memory for a class.
    call_libc("mallopt", -8, 2)


def set_cache(folder: Path) -> None:
    """Have JAX keep compiled programs in a folder, unless the environment names another. Warns if it cannot."""
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
def keep_callbacks_whole() -> None:
    """Let each callback run to its end where the browser asks for another run of the page meanwhile.

    Streamlit would end it at its next look into the session state, and not call it again: a choice would be lost, or
    taken by half, where the visitor changes something else at once.
    """
    call = SafeSessionState.on_script_will_rerun

    def call_whole(state: SafeSessionState, *args: Any, **kwargs: Any) -> None:
        requests: Any = getattr(get_script_run_ctx(), "script_requests", None)
        if requests is None:
            return call(state, *args, **kwargs)
        requests.on_scriptrunner_yield = lambda: None  # in this object, above the method of its class
        try:
            return call(state, *args, **kwargs)
        finally:
            del requests.on_scriptrunner_yield

    SafeSessionState.on_script_will_rerun = call_whole  # type: ignore[assignment, method-assign]


@functools.cache
def load_engine() -> None:
    """Import the engine and connect it to this server: XLA's flags, slots, and an orderly end."""
    atexit.register(close)  # for a server that stops meanwhile: a thread that ends within an import of JAX may crash it
    with working():
        import engine.xla.compile

        engine.xla.set_flags()
        engine.xla.compile.while_compiling = compiling
    # Exit functions run from the last registered to the first. JAX has one, and while it traces it makes finalizers,
    # which all run as the process ends; that function is registered with the first finalizer there is.
    weakref.finalize(close, close).detach()
    atexit.register(close)


@contextmanager
def compiling() -> Iterator[None]:
    """Around each compile: other pages get the slot of this one meanwhile; what is no longer wanted ends before it."""
    exit_if_server_stops()
    if get_script_run_ctx(suppress_warning=True):  # a page's own thread
        still_wanted()
    with without_slot():
        yield


def exit_if_server_stops() -> None:
    """Raise ``SystemExit`` in a thread that a server waits for when it is being stopped; the warm-up is one."""
    if not threading.main_thread().is_alive() and not threading.current_thread().daemon:
        raise SystemExit


def freeze_memory() -> None:
    """Exempt all present objects from garbage collection, and return the memory that compiling took to the system.

    A full collection would otherwise go through all that JAX, Plotly and pandas have loaded: a tenth of a second.
    """
    gc.collect()
    gc.freeze()
    call_libc("malloc_trim", 0)


def call_libc(function: str, *arguments: int) -> None:
    """Call a function of the C library on Linux; do nothing where there is none of that name."""
    if sys.platform == "linux" and (call := getattr(ctypes.CDLL(None), function, None)):
        call(*arguments)
