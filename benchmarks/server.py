"""A server of one's own for a measurement."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]


class Server(NamedTuple):
    address: str
    cache: Path  # where it puts what it compiles
    process: int  # its id
    started: float  # when, by ``time.perf_counter``


@contextmanager
def fresh_server(script: str = "streamlit_app.py") -> Iterator[Server]:
    """A server of a script on a copy of the project without caches."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "project"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", ".*_cache", "static", "__pycache__", ".venv"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "streamlit", "run", script, "--server.headless=true"]
        started = time.perf_counter()
        server = subprocess.Popen(
            [*command, f"--server.port={port}"], cwd=copy, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            address = f"http://127.0.0.1:{port}"
            while server.poll() is None:
                try:
                    urllib.request.urlopen(f"{address}/_stcore/health").close()
                    break
                except OSError:
                    time.sleep(0.05)
            else:
                raise RuntimeError(f"The server ended by itself, with code {server.returncode}.")
            yield Server(address, copy / ".jax_cache", server.pid, started)
        finally:
            server.terminate()
            server.wait()


def wait_until_compiled(cache: Path, seconds: float = 8) -> None:
    """Wait until the server has put nothing more into its compilation cache for a while."""
    count, since = -1, time.monotonic()
    while time.monotonic() - since < seconds:
        time.sleep(0.5)
        if (now := len(list(cache.rglob("*")))) != count:
            count, since = now, time.monotonic()
