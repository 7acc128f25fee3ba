"""What the browser needs for a stage: scripts put where Streamlit serves them, and the two components.

Imports nothing heavy, so that a page can have the browser fetch Plotly before the engine is loaded.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path

import streamlit as st
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

from ui.draw.palette import css_variables

HERE = Path(__file__).parent
STATIC = HERE.parents[2] / "static"  # what Streamlit serves as app/static
COMPONENT_FILES = "_stcore/bidi-components"  # and where it serves what components bring along
IMPORTED = (  # by stage.js, from beside it
    *("view.js", "clicks.js", "swipes.js", "parts.js"),
    *("draw.js", "paths.js", "heads.js", "labels.js", "hidden.js", "leader.js", "ghost.js", "trials.js"),
    *("apart.js", "guess.js", "asked.js", "hand.js", "reconnect.js", "menus.js", "taps.js"),
)
PLOTLY_VERSION = "4.1.1"
PLOTLY = HERE.parent / f"plotly/plotly-{PLOTLY_VERSION}.min.js"  # with no more than the stage draws (build.mjs)
LOG = logging.getLogger(__name__)


@cache
def served(name: str, content: bytes) -> None:
    """Put a file where the browser can fetch it, unless it is there. ``OSError`` where it may not be written."""
    target = STATIC / name
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        # whole or not at all, should two visitors or two servers be the first together
        part = target.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
        part.write_bytes(content)
        part.replace(target)


@cache
def address(first: Path, *others: Path) -> str:
    """Where the browser finds a file, seen from the page; beside it those ``others`` that it imports.

    It is kept there under a name that changes with their contents.
    """
    contents = {file: file.read_bytes() for file in (first, *others)}
    folder = f"{first.stem}-{hashlib.sha256(b''.join(contents.values())).hexdigest()[:12]}"
    try:
        for file, content in contents.items():
            served(f"{folder}/{file.name}", content)
    except OSError as problem:
        say_not_writable(problem.strerror)
        return f"{COMPONENT_FILES}/{as_component(first.parent)}/{first.name}"
    return f"app/static/{folder}/{first.name}"


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


@cache
def plotly_script() -> Path:
    """The script of Plotly that draws the very figures that the installed package makes.

    That is the package's own, or where that is of the same version ``PLOTLY``, which has four tenths of its size.
    """
    whole = Path(str(files("plotly"))) / "package_data/plotly.min.js"
    with whole.open("rb") as script:
        same = f"plotly.js v{PLOTLY_VERSION}\n".encode() in script.read(200)
    return PLOTLY if same else whole


def plotly_address() -> str:
    """Where the browser finds Plotly."""
    return address(plotly_script())


def stage_address() -> str:
    """The stage's own script, beside those that it imports."""
    return address(HERE / "stage.js", *(HERE / name for name in IMPORTED))


def component(name: str, html: str, css: str) -> Callable:
    """A Streamlit component whose script loads the stage."""
    script = (HERE / "loader.js").read_text(encoding="utf-8")
    folder = stage_address().rpartition("/")[0]
    script = script.replace("STAGE_FILE", stage_address()).replace("PLOTLY_FILE", plotly_address())
    script = script.replace("IMPORTED_FILES", json.dumps([f"{folder}/{name}" for name in IMPORTED]))
    return st.components.v2.component(name, html=html, css=css, js=script, isolate_styles=False)


STAGE = component(
    "stage",
    html=f'<div class="stage-box">\n{(HERE / "stage.html").read_text(encoding="utf-8")}</div>\n',
    css=css_variables(".stage, .apart")
    + "".join((HERE / name).read_text(encoding="utf-8") for name in ("stage.css", "apart.css")),
)
FIGURES = component("figures", html="<span hidden>\n</span>", css="")


def prefetch() -> None:
    """Let the browser load Plotly while the server is still busy with the rest of the page.

    The component also asks for a run once the browser has reconnected (reconnect.js), gives the focus to the menus that
    are opened (menus.js), and has charts take a tap for a click (taps.js).
    """
    FIGURES(
        key="prefetch",
        data={"plotly": plotly_address()},
        height="content",
        on_reconnected_change=lambda: None,
    )
