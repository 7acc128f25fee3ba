"""The machine that a benchmark runs on: the processor, and which of its vector instructions are used."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

# the widest first, by the names that numpy has for them, the newest name first
VECTORS = {"AVX-512": ("X86_V4", "AVX512F"), "AVX2": ("X86_V3", "AVX2")}


def machine(*libraries: str) -> str:
    """The processor, the system and the versions of ``libraries``, for the line above a benchmark's figures."""
    found = [f"Python {platform.python_version()}"]
    for library in libraries:
        try:
            found.append(f"{library} {version(library)}")
        except PackageNotFoundError:
            found.append(f"no {library}")
    return f"{processor()}, {platform.system()}; {', '.join(found)}"


def processor() -> str:
    """The processor in a few words: ``AMD EPYC, 2 cores, AVX-512``."""
    file = Path("/proc/cpuinfo")
    names = re.findall(r"^model name\s*: (.*)$", file.read_text() if file.exists() else "", re.MULTILINE)
    name = names[0] if names else platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores, {vectors()}"


def vectors() -> str:
    """The kind of vector instructions that programs are compiled for, by XLA and in C.

    It is the widest that the processor has, or what ``--xla_cpu_max_isa=AVX2`` in ``XLA_FLAGS`` allows.
    """
    present = np.show_config(mode="dicts")["SIMD Extensions"]  # type: ignore[index,call-overload]
    found = {*present.get("baseline", ()), *present.get("found", ())}
    limit = re.search(r"--xla_cpu_max_isa=(\S+)", os.environ.get("XLA_FLAGS", ""))
    kinds = [kind for kind, names in VECTORS.items() if found.intersection(names)]
    if limit and not limit[1].startswith("AVX512"):
        kinds = [kind for kind in kinds if kind == limit[1]]
    return kinds[0] if kinds else f"{platform.machine()} without AVX2"
