"""The frame around every page: its title, the navigation, a slot to be drawn in, and the warm-up of a new server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui.admission import slot
from ui.draw.stage.browser import prefetch
from ui.process import configure, freeze_memory, load_engine


@dataclass(frozen=True)
class Page:
    """One entry of the navigation."""

    file: str
    title: str
    icon: str
    sentence: str  # what the page is about, under its title
    above: float = 0  # how high what stands above its stage is, in rem: the stage takes the rest of the window

    def picture(self, theme: str) -> str:
        """The small picture of the page on the home page (made by ``python -m ui.pictures.take``)."""
        return str(PICTURES / f"{Path(self.file).stem.partition('_')[2].lower()}-{theme}.webp")


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
        above=12.6,
    ),
    Page(
        "pages/2_Linear_Fit.py",
        "Linear Fit",
        ":material/show_chart:",
        "Fitting a line: how large may the learning rate be?",
        above=8.8,
    ),
    Page(
        "pages/3_2D_Regression.py",
        "2D Regression",
        ":material/grid_on:",
        "Fitting two parameters: who takes which path?",
        above=8.8,
    ),
    Page(
        "pages/4_Ackley_Race.py",
        "Ackley Race",
        ":material/sports_score:",
        "From one start, which optimizers find the minimum?",
        above=10.3,
    ),
)

PICTURES = Path(__file__).parent / "pictures"

# Streamlit's margins suit text; the pictures need the window. No rule asks with :has() what is in a part of the page
# that changes: browsers would style the whole page anew with everything that Streamlit puts there.
LAYOUT = """
.block-container { padding: 3.5rem clamp(0.875rem, 2.5vw, 2.5rem) 3rem; max-width: 1800px; }
.block-container h1 { padding: 0; line-height: 1.3; }
[data-testid="stSidebarUserContent"] { padding-bottom: 2rem; }
[class*="st-key-"][class*="-sent"] { display: none; }
/* of the theme, to be read on the dark one's light blue too */
:is([data-testid^="stBaseButton-primary"], [data-tag], [data-tag] *) { color: Canvas; }
[kind="tertiary"][aria-expanded="true"] { color: CanvasText; } /* of an open menu, darkened too much for the dark one */
.st-key-formulas > * { flex: 1 1 19rem; }
label[data-testid="stWidgetLabel"] { color: inherit; } /* pale where a control is locked, and still to be read */
/* beside an icon, the name of its menu, for those who cannot see it */
[class*="st-key-"][class*="-more"] [data-testid="stPopoverButton"] [data-testid="stMarkdownContainer"] {
  position: absolute;
  clip-path: inset(50%);
}
/* where the keyboard is: Streamlit does not show it on a link to a page, above a table and at a file */
:is(
  [data-testid="stPageLink-NavLink"],
  [data-testid="stElementToolbarButton"] button,
  [data-testid="stFileUploader"] [kind="borderlessIcon"]
):focus-visible {
  outline: 2px solid CanvasText;
  outline-offset: -2px;
}
[data-testid="stElementToolbar"]:focus-within { opacity: 1; visibility: visible; }
/* While a script runs, Streamlit lets all elements fade, each by a transition of its own, which browsers then paint at
   every frame. What takes long here says so, with a spinner or a bar. */
.stElementContainer.element-container[data-stale="true"] { opacity: 1; transition: none; }
"""
# of a page with a stage; how high what stands above it is, the stage reads from --stage-top
STAGE_LAYOUT = """
:root { --stage-top: calc(%srem + var(--story, 0rem) + var(--teacher-title, 0rem)); }
.block-container { max-width: none; padding-top: 3.9rem; }
.block-container > [data-testid="stVerticalBlock"] { gap: 0.6rem; }
.st-key-head { gap: 0 1rem; }
.st-key-head h1 { font-size: 1.6rem; white-space: nowrap; }
.st-key-head > :last-child { margin-left: auto; }
.st-key-head > :nth-child(2) { order: 1; flex: 1 0 100%%; }
/* a menu is as wide as its button: Streamlit gives what a fragment draws the width of a column */
.st-key-head > :last-child :is([data-testid="stLayoutWrapper"], [data-testid="stVerticalBlock"]) {
  flex: none;
  width: auto;
}
.st-key-head > :last-child > * { gap: 0.5rem; }
@media (max-width: 767px) {
  .st-key-head > :last-child button { padding-inline: 0.5rem; }
  .st-key-regression-below { margin-bottom: 2.2rem; } /* room for the buttons above a table, which would cover a tab */
}
/* the title's row stands beside Streamlit's menu, and beside the button that opens the sidebar */
@media (min-width: 768px) {
  .block-container { padding-top: 0.75rem; }
  [data-testid="stHeader"] { background: none; }
  [data-testid="stHeader"], [data-testid="stHeader"] div { pointer-events: none; }
  [data-testid="stHeader"] :is(button, a) { pointer-events: auto; }
  [data-testid="stStatusWidget"] { position: fixed; right: 1rem; bottom: 0.5rem; } /* not over the title's row */
  .st-key-head { padding-right: 2.5rem; }
  [data-testid="stHeader"]:has([data-testid="stExpandSidebarButton"]) ~ * .st-key-head { padding-left: 2.5rem; }
  .st-key-before-stage { flex-wrap: nowrap; }
  .st-key-before-stage > * { flex: none; }
  .st-key-before-stage > :first-child { flex: 0 1 auto; min-width: 0; }
}
/* two lines, which most sentences need there, whichever it is */
@media (min-width: 1200px) and (max-width: 1700px) { .st-key-before-stage { min-height: 4.2rem; } }
@media (min-width: 1200px) {
  .st-key-head { flex-wrap: nowrap; }
  .st-key-head > * { flex: none; }
  .st-key-head > :nth-child(2) { order: 0; flex: 0 1 auto; min-width: 0; }
}
"""
# within another page, which has margins of its own
EMBEDDED = """
.block-container { padding-inline: 0.75rem; }
.block-container .st-key-head { padding-right: 0; }
"""

configure(cache_folder=Path(__file__).parents[1] / ".jax_cache")

_warm_up_started = threading.Lock()


@contextmanager
def frame(title: str) -> Iterator[DeltaGenerator]:
    """The frame of a page: title and navigation at once; the rest in a slot, once the engine is loaded.

    Gives the place for a page's buttons, at the right of its title.
    """
    page = next(page for page in PAGES if page.title == title)
    st.set_page_config(
        page_title=f"{title} · The optimizer playground",
        page_icon=str(PICTURES / "icon.svg"),
        layout="wide",
        initial_sidebar_state="collapsed" if st.context.is_embedded else 340,
    )
    stage_layout = STAGE_LAYOUT % page.above if page.above else ""
    st.html(f"<style>{LAYOUT}{stage_layout}{EMBEDDED if st.context.is_embedded else ''}</style>")
    with st.sidebar:
        for other in PAGES:
            st.page_link(other.file, label=other.title, icon=other.icon)
    if page is PAGES[0]:  # without the engine, and quick: it needs no slot
        yield st.container()
    else:
        with st.container(gap=None):
            with st.container(horizontal=True, vertical_alignment="center", gap="small", key="head"):
                st.title(title, anchor=False, width="content")
                st.markdown(page.sentence)
                actions = st.container(horizontal=True, gap="small", width="content")
            prefetch()
        load_engine()
        with slot():
            yield actions
    # after the first page: before it, the visitor would wait for the warm-up too
    if _warm_up_started.acquire(blocking=False):  # once per server: the lock is never released
        # not a daemon: those end with the process, and one that ends in the middle of a compile crashes it
        threading.Thread(target=warm_up, name="warm-up", daemon=False).start()


def warm_up() -> None:
    """Load the engine, compile what visitors usually ask for, and spare all that from garbage collection."""
    load_engine()
    from ui.setup.stories import library
    from ui.warm_up import compile_usual_races

    library().check_links()
    compile_usual_races()
    freeze_memory()
