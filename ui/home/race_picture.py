"""The moving picture of the home page: a race that was recorded, drawn over a still picture of its surface.

Both are made by ``python -m ui.pictures.take``, so the page needs neither the engine nor Plotly for it.
"""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path

import streamlit as st

from ui.draw.palette import css_variables

HERE = Path(__file__).parent
PICTURES = HERE.parent / "pictures"

PICTURE = st.components.v2.component(
    "race_picture",
    html=(HERE / "race_picture.html").read_text(encoding="utf-8"),
    css=css_variables(".race-picture") + (HERE / "race_picture.css").read_text(encoding="utf-8"),
    js=(HERE / "race_picture.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


@cache
def recorded() -> dict:
    """What the browser is sent: the recorded race, and the surface in both themes as data addresses."""
    grounds = {
        theme: "data:image/webp;base64," + base64.b64encode((PICTURES / f"surface-{theme}.webp").read_bytes()).decode()
        for theme in ("light", "dark")
    }
    return {"race": json.loads((PICTURES / "race.json").read_text(encoding="utf-8")), "grounds": grounds}


def race_picture() -> None:
    """Draw the picture. It plays by itself and can be paused; where motion is unwelcome it stands at the end."""
    PICTURE(key="race-picture", data=recorded(), height="content")
