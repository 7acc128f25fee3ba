"""Open a page as a visitor's browser would have it run, without the browser, and ask what it shows."""

import base64
import json
import re
from pathlib import Path

import numpy as np
from streamlit.testing.v1 import AppTest

from ui.frame import PAGES
from ui.setup.codec import Setup, encode
from ui.setup.pages import SETUPS
from ui.setup.presets import read_query

ROOT = Path(__file__).parents[1]
FILES = {page.title: page.file for page in PAGES}


def opened(page: str, query: dict[str, list[str]] | None = None) -> AppTest:
    """A page, by its title, as it comes up from a link."""
    app = AppTest.from_file(str(ROOT / PAGES[0].file), default_timeout=120)
    for name, values in (query or {}).items():
        app.query_params[name] = values
    return sound((app.switch_page(FILES[page]) if page != PAGES[0].title else app).run())


def shown(setup: Setup) -> AppTest:
    """A set-up on its page, by its link."""
    (page,) = (title for title, kind in SETUPS.items() if isinstance(setup, kind))
    return opened(page, encode(setup))


def sound(app: AppTest) -> AppTest:
    assert not app.exception, app.exception
    return app


def past_the_question(app: AppTest) -> AppTest:
    """The page once its question is skipped, where it asks one."""
    for button in app.button:
        if button.label == "Skip the question":
            return sound(button.click().run())
    return app


def message(app: AppTest, key: str):
    """What one of the page's own components was sent."""
    (found,) = (c.proto for c in app.get("bidi_component") if c.proto.id.endswith(f"-{key}"))
    return found


def stage(app: AppTest, key: str = "race-stage") -> dict:
    """What a stage was sent."""
    return json.loads(message(app, key).json)


def floats(packed: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(packed), "<f4")


def tracks(app: AppTest, key: str = "race-stage") -> dict[str, dict[str, np.ndarray]]:
    """What each racer on a stage was sent with: quantity by name."""
    return {t["name"]: {k: floats(v) for k, v in t["values"].items()} for t in stage(app, key)["tracks"]}


def address(app: AppTest, page: str) -> Setup:
    """The set-up that the address bar says."""
    query = {name: value if isinstance(value, list) else [value] for name, value in app.query_params.items()}
    setup, notes = read_query(page, query)
    assert not notes
    return setup


def texts(app: AppTest) -> str:
    """Everything the page says in words."""
    kinds = ("title", "markdown", "caption", "subheader", "warning", "info", "error", "success", "code", "latex")
    return "\n".join(str(part.value) for kind in kinds for part in getattr(app, kind))


def sent(app: AppTest) -> str:
    """Everything that the browser is sent, but the numbers that are others in each session."""
    protos = [str(node.proto) for node in app._tree if getattr(node, "proto", None) is not None]
    told = "\n".join(proto for proto in protos if "What the page was told" not in proto)
    return re.sub(r'\\"order\\": \d+', "", told)
