"""The frame around every page: its title, the way to the other pages, and the warm-up of a new server."""

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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from ui.stage.browser import prefetch
from ui.turns import no_more_turns, out_of_turn, turn


@dataclass(frozen=True)
class Page:
    """One entry of the navigation."""

    file: str
    title: str
    icon: str
    sentence: str  # what the page is about, under its title

    def picture(self, theme: str) -> str:
        """The small picture of the page on the home page (made by ``ui/pictures/take.py``)."""
        return str(PICTURES / f"{Path(self.file).stem.partition('_')[2].lower()}-{theme}.png")


PAGES = (
    Page(
        "streamlit_app.py",
        "Home",
        ":material/home:",
        "Race gradient-based optimizers side by side and see how they move.",
    ),
    Page(
        "pages/1_Gradients.py",
        "Gradients",
        ":material/trending_up:",
        "The slope of a function: which way is down, and how steep?",
    ),
    Page(
        "pages/2_Linear_Fit.py",
        "Linear Fit",
        ":material/show_chart:",
        "A straight line finds its way through points: how far may one step go?",
    ),
    Page(
        "pages/3_2D_Regression.py",
        "2D Regression",
        ":material/grid_on:",
        "Two parameters, a bowl of examples: how does each optimizer find its way to the fit?",
    ),
    Page(
        "pages/4_Ackley_Race.py",
        "Ackley Race",
        ":material/sports_score:",
        "From one start, who finds the deepest hole?",
    ),
)

PICTURES = Path(__file__).parent / "pictures"

# the page's own margins are made for prose; a race wants the width
LAYOUT = """
.block-container { padding: 3.4rem clamp(0.9rem, 2.6vw, 2.6rem) 3rem; max-width: 1800px; }
.block-container h1 { padding: 0; line-height: 1.3; }
[data-testid="stSidebarUserContent"] { padding-bottom: 2rem; }
[class*="st-key-"][class*="-sent"] { display: none; }
/* four, or two and two, or one below the other; never three and one: below 55rem each has half the row */
.st-key-cards [data-testid="stColumn"] {
  min-width: min(100%, max(13rem, min(999 * (55rem - 100%), 50% - 0.5rem)));
}
.st-key-formulas [data-testid="stColumn"] { min-width: min(100%, 19rem); }
"""
FORMULAS = "formulas"  # the key of a row of columns that stand below each other where a formula would be cut


def keep_compiled(folder: Path) -> None:
    """What was compiled is kept on disk for the next start of the server. JAX reads this when it is first imported."""
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


keep_compiled(Path(__file__).parents[1] / ".jax_cache")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")

# Each thing on a page is handed to the thread that sends it, and that may keep the page's own thread waiting for its
# turn: ten times shorter turns than Python's usual 5 ms make a page an eighth quicker.
sys.setswitchinterval(0.0005)


def _c_library(function: str, *arguments: int) -> None:
    """Call a function of the C library, on a system whose library has it."""
    if sys.platform == "linux" and (call := getattr(ctypes.CDLL(None), function, None)):
        call(*arguments)


# Every script runs in a thread of its own, and many threads get a store of memory each: two stores for all of them
# (M_ARENA_MAX) hold a class in less.
_c_library("mallopt", -8, 2)

_warm = threading.Lock()


@contextmanager
def frame(title: str) -> Iterator[None]:
    """A page: its title and the navigation at once, to read while the engine loads; then the rest, in its turn."""
    page = next(page for page in PAGES if page.title == title)
    st.set_page_config(
        page_title=f"{title} · The optimizer playground",
        page_icon=str(PICTURES / "icon.svg"),
        layout="wide",
        initial_sidebar_state=340,
    )
    st.html(f"<style>{LAYOUT}</style>")
    with st.sidebar:
        for other in PAGES:
            st.page_link(other.file, label=other.title, icon=other.icon)
    if page is PAGES[0]:  # it needs no engine, and is soon drawn
        yield
    else:
        with st.container(gap="xsmall"):
            st.title(title, anchor=False)
            st.markdown(page.sentence)
            prefetch()
        load_engine()
        with turn():
            yield
    # with the first visitor served, a new server gets ready for the next ones
    if _warm.acquire(blocking=False):  # once per server, never given back
        # not a daemon: a server that is stopped in the middle of a compile would crash
        threading.Thread(target=warm_up, name="warm-up", daemon=False).start()


@functools.cache
def load_engine() -> None:
    """The engine, before anything is computed with it."""
    import engine.xla.compile

    engine.xla.set_flags()
    engine.xla.compile.while_compiling = out_of_turn
    atexit.register(no_more_turns)  # it comes before JAX's own end, which was registered before


def warm_up() -> None:
    """Load and compile what the first visitors will need, then spare garbage collections from walking through it."""
    load_engine()
    from ui.warm import compile_usual_races

    compile_usual_races()
    gc.collect()
    gc.freeze()
    _c_library("malloc_trim", 0)  # the memory that compiling took: the system gets it back only when asked to


def theme() -> str:
    """Which of the two designs the visitor sees: ``light`` or ``dark``."""
    return "dark" if st.context.theme.type == "dark" else "light"
