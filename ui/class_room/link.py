"""How students come into a class: its link, and the link as a QR code."""

from __future__ import annotations

from functools import lru_cache

import segno

from ui.setup.address import home_address


def link(code: str) -> str:
    """The address that students join a class by: that of the home page, wherever the app is served."""
    return f"{home_address()}/?class={code}"


@lru_cache(maxsize=64)
def qr(address: str) -> str:
    """An address as a QR code in HTML, black on white in any theme."""
    picture = segno.make(address, error="m", micro=False).svg_data_uri(border=3, scale=8, light="#fff")
    return f'<img class="class-qr" src="{picture}" alt="The link as a QR code">'
