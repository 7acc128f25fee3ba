"""The machine that a benchmark runs on, in a line that stands above its figures."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

VECTORS = {"AVX-512": ("AVX512", "X86_V4"), "AVX2": ("AVX2", "X86_V3")}  # what numpy calls them; the widest first


def machine(*libraries: str) -> str:
    """The processor with its widest vectors, on which times depend most, its cores, and versions of ``libraries``."""
    found = [f"Python {platform.python_version()}"]
    for library in libraries:
        try:
            found.append(f"{library} {version(library)}")
        except PackageNotFoundError:
            found.append(f"no {library}")
    return f"{processor()} ({vectors()}), {os.cpu_count()} cores, {platform.system()}; {', '.join(found)}"


def processor() -> str:
    """What the processor is called."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def vectors() -> str:
    """The widest vectors of the processor, as numpy finds them."""
    extensions = np.show_config(mode="dicts")["SIMD Extensions"]
    there = [*extensions.get("baseline", []), *extensions.get("found", [])]
    return next(
        (name for name, words in VECTORS.items() if any(one.startswith(words) for one in there)),
        "neither AVX2 nor AVX-512",
    )
