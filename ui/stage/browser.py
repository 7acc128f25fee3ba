"""What the browser needs for a stage: scripts put where Streamlit serves them, and the two components.

Imports nothing heavy, so that a page can have the browser fetch Plotly before the engine is loaded.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import streamlit as st

HERE = Path(__file__).parent
STATIC = HERE.parents[1] / "static"  # what Streamlit serves as app/static


@cache
def served(name: str, content: bytes) -> str:
    """Put a file where the browser can fetch it, under a name that changes with its content. Returns the name."""
    stem, dot, ending = name.rpartition(".")
    named = f"{stem}-{hashlib.sha256(content).hexdigest()[:12]}{dot}{ending}"
    STATIC.mkdir(exist_ok=True)
    target = STATIC / named
    if not target.exists():
        # whole or not at all, should two visitors or two servers be the first together
        part = target.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
        part.write_bytes(content)
        part.replace(target)
    return named


@cache
def plotly_address() -> str:
    """Plotly's own script, from the installed package: it draws the very figures that package makes."""
    script = files("plotly").joinpath("package_data/plotly.min.js").read_bytes()
    return "app/static/" + served(f"plotly-{version('plotly')}.min.js", script)


def component(name: str, html: str, css: str) -> Callable:
    stage_file = served("stage.js", (HERE / "stage.js").read_bytes())
    script = (HERE / "loader.js").read_text(encoding="utf-8").replace("STAGE_FILE", stage_file)
    return st.components.v2.component(name, html=html, css=css, js=script, isolate_styles=False)


STAGE = component(
    "stage",
    html=f'<div class="stage-box">\n{(HERE / "stage.html").read_text(encoding="utf-8")}</div>\n',
    css=(HERE / "stage.css").read_text(encoding="utf-8"),
)
GROUND = component("ground", html="<span hidden>\n</span>", css="")


def prefetch() -> None:
    """Let the browser load Plotly while the server is still busy with the rest of the page."""
    GROUND(key="prefetch", data={"plotly": plotly_address()}, height="content")
