"""What each picture shows, and a digest of what it was made from, which tells when it has to be taken again."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from streamlit.testing.v1 import AppTest

from ui.draw.palette import css_variables
from ui.draw.stage.stage import unpacked_figures
from ui.frame import PAGES

ROOT = Path(__file__).parents[2]
PICTURES = Path(__file__).parent
MADE_FROM = PICTURES / "made_from.json"  # the digest of each picture, by its name
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
TAKE = "python -m ui.pictures.take"  # the command that takes them all


@dataclass(frozen=True)
class Subject:
    """What one picture shows: a page as it opens, and how far its run has come."""

    page: str
    share: float  # of the run
    size: tuple[int, int]  # of the view, in CSS pixels; the picture has twice as many each way. (0, 0): as it comes
    whole: bool = False  # the whole stage; else its first view alone
    moving: bool = True  # with what moves on it


CARD = (320, 240)
# the surface last: the camera stays where its picture has it
SUBJECTS = {
    "gradients": Subject("Gradients", 0.61, CARD),
    "linear_fit": Subject("Linear Fit", 0.05, CARD),
    "2d_regression": Subject("2D Regression", 0.12, CARD),
    "ackley_race": Subject("Ackley Race", 0.3, CARD),
    "readme": Subject("Ackley Race", 0.3, (0, 0), whole=True),
    "surface": Subject("Ackley Race", 0.0, (640, 400), moving=False),  # under the moving picture of the home page
}


def file_of(name: str, theme: str) -> Path:
    """Where a picture is kept."""
    return PICTURES / f"{name}-{theme}.webp"


def digests() -> dict[str, str]:
    """The digest of what each picture would be made from now, by its name."""
    messages = {page: messages_of(page) for page in {subject.page for subject in SUBJECTS.values()}}
    return {name: digest(subject, *messages[subject.page]) for name, subject in SUBJECTS.items()}


def digest(subject: Subject, figures: dict, stage: dict) -> str:
    """A short name for what a picture shows: figures, views, racers, colours, and what draws them.

    Computed numbers are left out, since another processor rounds them differently.
    """
    views = [
        {
            **{name: value for name, value in view.items() if name not in ("says", "sheet")},
            "figure": plain(json.loads(view["figure"] or figures[view["name"]])),
        }
        for view in (stage["views"] if subject.whole else stage["views"][:1])
    ]
    parts: list[Any] = [vars(subject), views, css_variables(""), theme_settings()]
    if subject.moving:
        parts += [[{k: v for k, v in track.items() if k in STYLE} for track in stage["tracks"]], drawing_code()]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


STYLE = ("name", "color", "dash", "marker")


def messages_of(page: str) -> tuple[dict, dict]:
    """What the stage of a page is sent as it opens: its still figures by view, and the rest.

    Raises ``RuntimeError`` where the page fails.
    """
    (file,) = (entry.file for entry in PAGES if entry.title == page)
    app = AppTest.from_file(str(ROOT / PAGES[0].file), default_timeout=120).switch_page(file).run()
    if app.exception:
        raise RuntimeError(f"The page {page} fails: {app.exception[0].message}")
    parts = [part.proto for part in app.get("bidi_component")]
    (figures,) = (unpacked_figures(part.bytes) for part in parts if part.bytes)
    (stage,) = (message for part in parts if part.json and "views" in (message := json.loads(part.json)))
    return figures, stage


def plain(value: Any) -> Any:
    """A figure without its data and without computed numbers: those with more than three digits."""
    if isinstance(value, dict):
        return "data" if "bdata" in value else {name: plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return "data" if len(value) > 12 else [plain(part) for part in value]
    if isinstance(value, str) and value.startswith("data:"):
        return "data"
    if isinstance(value, float) and float(f"{value:.3g}") != value:
        return "number"
    return value


def theme_settings() -> str:
    """The app's colours, as Streamlit is told them."""
    return (ROOT / ".streamlit/config.toml").read_text(encoding="utf-8").partition("[theme]")[2]


def drawing_code() -> list[str]:
    """The stage's scripts, styles and markup, without comments and blank space."""
    files = sorted(path for path in (ROOT / "ui/draw/stage").rglob("*") if path.suffix in (".js", ".css", ".html"))
    comments = re.compile(r"/\*.*?\*/|<!--.*?-->|(?<![:\"'])//[^\n]*", re.DOTALL)
    return ["".join(comments.sub("", file.read_text(encoding="utf-8")).split()) for file in files]
