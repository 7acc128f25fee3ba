"""What the browser needs for a stage: scripts put where Streamlit serves them, and the two components.

Imports nothing heavy, so that a page can have the browser fetch Plotly before the engine is loaded.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import streamlit as st
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

from ui.draw.palette import css_variables

HERE = Path(__file__).parent
STATIC = HERE.parents[2] / "static"  # what Streamlit serves as app/static
COMPONENT_FILES = "_stcore/bidi-components"  # and where it serves what components bring along
LOG = logging.getLogger(__name__)


@cache
def served(name: str, content: bytes) -> str:
    """Put a file where the browser can fetch it, under a name that changes with its content. Returns the name.

    ``OSError`` where this folder may not be written to.
    """
    stem, dot, ending = name.rpartition(".")
    named = f"{stem}-{hashlib.sha256(content).hexdigest()[:12]}{dot}{ending}"
    target = STATIC / named
    if not target.exists():
        STATIC.mkdir(exist_ok=True)
        # whole or not at all, should two visitors or two servers be the first together
        part = target.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
        part.write_bytes(content)
        part.replace(target)
    return named


@cache
def address(file: Path, name: str) -> str:
    """Where the browser finds a file, seen from the page."""
    try:
        return f"app/static/{served(name, file.read_bytes())}"
    except OSError as problem:
        say_not_writable(problem.strerror)
        return f"{COMPONENT_FILES}/{as_component(file.parent)}/{file.name}"


@cache  # said once
def say_not_writable(why: str) -> None:
    """Warn in the server's log that scripts cannot be put where browsers would keep them."""
    LOG.warning("%s cannot be written to (%s). Browsers load the stage's scripts anew with every visit.", STATIC, why)


def as_component(folder: Path) -> str:
    """Have Streamlit serve a folder as it serves the files of an installed component, and return its name for that.

    Nothing is written, but Streamlit gives these files no time by which a browser could keep them.
    """
    component = ComponentConfig(folder.name, asset_dir=folder.name)
    manifest = ComponentManifest("playground", "1", [component])
    get_bidi_component_manager().register_from_manifest(manifest, folder.parent)
    return f"{manifest.name}.{component.name}"


def plotly_address() -> str:
    """Plotly's own script, from the installed package: it draws the very figures that package makes."""
    script = Path(str(files("plotly"))) / "package_data/plotly.min.js"
    return address(script, f"plotly-{version('plotly')}.min.js")


def component(name: str, html: str, css: str) -> Callable:
    """A Streamlit component whose script loads the stage."""
    script = (HERE / "loader.js").read_text(encoding="utf-8")
    script = script.replace("STAGE_FILE", address(HERE / "stage.js", "stage.js"))
    return st.components.v2.component(name, html=html, css=css, js=script, isolate_styles=False)


STAGE = component(
    "stage",
    html=f'<div class="stage-box">\n{(HERE / "stage.html").read_text(encoding="utf-8")}</div>\n',
    css=css_variables(".stage") + (HERE / "stage.css").read_text(encoding="utf-8"),
)
FIGURES = component("figures", html="<span hidden>\n</span>", css="")


def prefetch() -> None:
    """Let the browser load Plotly while the server is still busy with the rest of the page."""
    FIGURES(key="prefetch", data={"plotly": plotly_address()}, height="content")
