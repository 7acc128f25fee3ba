"""Still Plotly figures, and racers that move over them by one step index: paths, lines, wireframes, arrows.

``Stage`` is the whole of it. What moves is drawn in the browser (``stage.js``, from there ``draw.js``), so playing,
stepping and scrubbing cost no round trip.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Self

import numpy as np
import streamlit as st

from engine.endings import Verdict
from engine.race import Run
from ui.draw.palette import Style
from ui.draw.stage.browser import FIGURES, STAGE, plotly_address
from ui.draw.stage.order import order_of
from ui.draw.theme import theme


@dataclass(frozen=True)
class Sheet:
    """A wireframe that moves: over the grid its height is the sum of ``bases``, each times its weight at that step."""

    weights: tuple[str, ...]  # quantities of a track
    x: np.ndarray  # (n,)
    y: np.ndarray  # (m,)
    bases: np.ndarray  # (weights, m, n)


@dataclass(frozen=True)
class Handles:
    """A line that the visitor drags, and its loss, which is quadratic in its parameters (θ,) or (θ₀, θ₁).

    The loss is given by its value, gradient ``(dim,)`` and Hessian ``(dim * dim,)`` at ``theta``.
    """

    at: tuple[float, ...]  # the x of each handle, as many as there are parameters
    theta: tuple[float, ...]
    names: tuple[str, ...]  # the quantities of a track that are the parameters
    loss: float
    gradient: tuple[float, ...]
    hessian: tuple[float, ...]


@dataclass(frozen=True)
class View:
    """One still figure, and which quantities of a track say what moves on it."""

    name: str
    caption: str
    says: str  # for those who cannot see it: what the figure shows and what happened
    path: tuple[str, ...] = ()  # where a racer is: two quantities on a plane, three in a scene
    line: tuple[str, str] | None = None  # on a plane, a straight line across it: its height at x = 0, and its slope
    arrow: tuple[str, str, str, str] | None = None  # on a plane: from (x, y) as far as (dx, dy)
    trials: tuple[str, ...] = ()  # on a plane, of a step: its way across and up, how many it refused, their ratio
    sheet: Sheet | None = None  # in a scene
    figure: str | None = None  # Plotly JSON that changes with the run; None: one of the stage's
    frame: tuple[tuple[float, float], ...] | None = None  # a racer outside it is said to be off the map
    click: str | None = None  # a click sends its coordinates under this name
    start: bool = False  # mark where the race began
    only: str | None = None  # the one racer that runs on this view; None: all of them
    low: bool = False  # may be lower than the others where views are stacked
    lift: float = 0.0  # in a scene: how far above its place all that moves is drawn, as a share of the height
    marks: Sequence[tuple[float, float, str]] = ()  # on a plane, places that do not move, with a word for each
    handles: Handles | None = None  # on a plane, of its ``line``, which a visitor then drags; sent as ``start``

    def quantities(self) -> set[str]:
        """The quantities of a track that are drawn on it."""
        sheet = self.sheet.weights if self.sheet else ()
        return {*self.path, *(self.line or ()), *(self.arrow or ()), *self.trials, *sheet}

    def message(self) -> dict:
        """What the browser is sent of it."""
        sheet = self.sheet and {
            "weights": self.sheet.weights,
            "x": packed(self.sheet.x),
            "y": packed(self.sheet.y),
            "bases": packed(self.sheet.bases),
        }
        message = {**asdict(replace(self, sheet=None)), "sheet": sheet}
        for part in ("marks", "handles", "trials"):
            if not message[part]:
                del message[part]
        return message


@dataclass(frozen=True)
class Track:
    """One racer: how it is drawn, and one array per quantity, ``(recorded,)`` each."""

    name: str
    style: Style
    values: Mapping[str, np.ndarray]
    stopped: int | None = None  # the step at which it left the finite numbers
    settled: int | None = None  # the step at which its loss had hardly changed for long enough
    words: str = ""  # how it ended, where it did so before the others

    @classmethod
    def of(cls, name: str, style: Style, run: Run, verdict: Verdict | None, values: Mapping[str, np.ndarray]) -> Self:
        """A run, with the verdict on it where it ended before the last step."""
        return cls(name, style, values, run.stopped, run.settled, verdict.words if verdict else "")

    def message(self) -> dict:
        """What the browser is sent of it."""
        return {
            "name": self.name,
            "color": self.style.variable,
            "dash": self.style.dash,
            "marker": self.style.marker,
            "values": {name: packed(values) for name, values in self.values.items()},
            **self.ending(),
        }

    def ending(self) -> dict:
        """Where the run ended before the others did, if it did; said in words, and crossed out where it was lost."""
        lost = self.stopped is not None
        ended = self.stopped if lost else self.settled
        if ended is None:
            return {"ended": None, "ended_words": "", "lost": False}
        return {"ended": ended, "ended_words": self.words, "lost": lost}


@dataclass(frozen=True)
class Readout:
    """A column of the table under the views."""

    key: str
    label: str
    digits: int


@dataclass(frozen=True)
class Index:
    """What all views move by: "step 12 of 50", or with ``digits`` the value itself: "x₀ = 1.20"."""

    label: str = "step"
    digits: int | None = None


STEPS = Index()
STILL_ID_LENGTH = 16  # of the short name of still figures
ORDERED_BY = ("id", "tells", "answers", "scene", "theme", "large", "lecture")  # another of these is another message
CLICK_WORDS = re.compile(r"(^| · )click to .*$")  # of a caption


def packed(values: np.ndarray) -> str:
    """An array as 32-bit floats in base64."""
    return base64.b64encode(np.asarray(values, "<f4").tobytes()).decode()


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Still figures, one large and the others beside it, and what moves over them by one index."""

    figures: Mapping[str, str]  # Plotly JSON by view, its colours CSS variables; sent once, and not with every run
    views: Sequence[View]
    tracks: Sequence[Track]
    steps: np.ndarray  # (recorded,) which step each record is
    numbers: Sequence[Readout]  # the table under the views
    index: Index = STEPS
    who: str = "optimizer"  # what the table calls a track
    at: int | None = None  # the record to stand at, whenever it is another than before; None: wherever the visitor went
    apart: Mapping | bool | None = None  # the steps taken apart, or whether they can be; None: nothing to ask for
    table: bool = True  # under the views
    held: int | None = None  # how many steps are to come of a run that is held back at its start; None: it is not
    waits: bool = False  # for a run that is on its way: this is its start

    def message(self) -> dict:
        """What the browser is sent besides the figures."""
        # of real numbers, 0 is seldom met to the bit
        steps = np.where(np.abs(self.steps) < 1e-12 * np.ptp(self.steps), 0, self.steps)
        return {
            "still": packed_figures(tuple(self.figures.items()))[0],
            "plotly": plotly_address(),
            "views": [view.message() for view in self.views],
            "steps": packed(steps),
            "index": asdict(self.index),
            "who": self.who,
            "at": None if self.at is None else int(self.at),
            "numbers": [asdict(number) for number in self.numbers],
            "tracks": [track.message() for track in self.tracks],
            **({} if self.apart is None else {"apart": self.apart}),
            **({} if self.table else {"table": False}),
            **({} if self.held is None else {"held": self.held}),
            **({"waits": True} if self.waits else {}),
        }

    def limited(self, without: Collection[str], clicks: bool) -> Stage:
        """This stage without some of its views, or without the ``table``, and without clicks: not even their data.

        One view stays.
        """
        if not without and clicks:
            return self
        views = [view for view in self.views if view.name not in without] or [self.views[0]]
        if not clicks:
            views = [replace(view, click=None, caption=CLICK_WORDS.sub("", view.caption)) for view in views]
        table = "table" not in without
        numbers = self.numbers if table else ()
        used = {name for view in views for name in view.quantities()} | {number.key for number in numbers}
        return replace(
            self,
            figures={name: figure for name, figure in self.figures.items() if name in {view.name for view in views}},
            views=views,
            numbers=numbers,
            table=table,
            tracks=[
                replace(track, values={name: some for name, some in track.values.items() if name in used})
                for track in self.tracks
            ],
        )

    def show(
        self,
        key: str,
        *,
        without: Collection[str] = (),
        clicks: bool = True,
        can_part: bool = True,
        scene: int = 0,
        large: str = "",
        lecture: bool = False,
        on_large: Callable[[], None] = lambda: None,
        on_apart: Callable[[], None] | None = None,
        on_start: Callable[[], None] | None = None,
        on_at: Callable[[], None] | None = None,
        on_seen: Callable[[], None] | None = None,
    ) -> None:
        """Draw it. A new ``scene`` begins at its start, with the way ahead hidden.

        The view called ``large`` is the large one, or else the first; the browser makes another large by itself, and
        its name (``large``) is kept in the session as what follows. ``lecture`` is the mode for a projector. A visitor
        who opens or closes what takes a step ``apart`` is told of by ``on_apart`` (``apart``: "on" or "off").

        What the visitor does there is kept in the session under ``key``, and a function called: ``on_start`` for a
        click on a view that takes one (``start``: x, y), and ``on_at`` for the record where the stage came to rest
        (``at``). A page that takes it may hand the same record back as ``at``: that moves nothing. ``on_seen`` is
        called once the run was followed to its end.

        ``without`` names what is left out, as in ``limited``, and "apart" for what takes a step apart; ``clicks``:
        whether a view may be clicked; ``can_part``: whether the visitor may open and close what takes a step apart.
        """
        shown = self.limited(without, clicks)
        if "apart" in without or not (self.apart or can_part):
            shown = replace(shown, apart=None)
        elif isinstance(self.apart, Mapping) and not can_part:
            shown = replace(shown, apart={**self.apart, "fixed": True})
        message = shown.message()
        message["id"] = digest(json.dumps(message))
        # the same run is the same, however one came to it, in whatever theme, and whoever asks where it is paused; the
        # browser asks for a rerun where the rest of the page is in another theme than the one it shows
        answers = getattr(st.session_state.get(key), "at", None) if on_at else None  # the record that the stage told
        message |= {"tells": on_at is not None, "answers": answers}
        message |= {"scene": -1 if self.waits else scene, "theme": theme(), "large": large, "lecture": lecture}
        if on_seen:
            message["tells_end"] = True
        message["order"] = order_of(key, *(message[name] for name in ORDERED_BY), bool(on_seen))
        heard = {
            "on_start_change": on_start,
            "on_at_change": on_at,
            "on_seen_change": on_seen,
            "on_large_change": on_large,
            "on_apart_change": on_apart if shown.apart is not None else None,
            "on_theme_change": lambda: None,
        }
        with st.container(gap=None):
            # by themselves, so that they are sent once and not with every run
            FIGURES(key=f"{key}-figures", data=packed_figures(tuple(shown.figures.items()))[1], height="content")
            STAGE(key=key, data=message, height="content", **{name: call for name, call in heard.items() if call})


@lru_cache(maxsize=32)
def packed_figures(figures: tuple[tuple[str, str], ...]) -> tuple[str, bytes]:
    """Still figures by view as the browser is sent them: a short name of all, and bytes that begin with it.

    As bytes, for Streamlit would write a dict as JSON again in every run, twice.
    """
    still = digest("".join(figure for _, figure in figures))
    return still, (still + json.dumps(dict(figures))).encode()


def unpacked_figures(sent: bytes) -> dict[str, str]:
    """The figures by view that were packed."""
    return json.loads(sent[STILL_ID_LENGTH:])


def digest(text: str) -> str:
    """A short name for a text, the same for the same text."""
    return hashlib.sha256(text.encode()).hexdigest()[:STILL_ID_LENGTH]
