"""What a browser session is in a class: its teacher, or a student; kept over a reload of the tab."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from ui.class_room.classes import CLASSES, MAX_TOKEN, ClassError

KEY, SEATS = "class", "class-seats"
HERE = Path(__file__).parent
KEEP = st.components.v2.component(
    "class_keep", html='<div class="class-keep">\n</div>', js=(HERE / "keep.js").read_text(encoding="utf-8")
)


@dataclass
class Member:
    """One session in a class."""

    code: str
    key: str = ""  # the teacher's; a student has none
    seat: str = field(default_factory=lambda: secrets.token_urlsafe(16))  # shown to nobody
    asked: bool = False  # whether the browser was asked what it has kept: till then it may be the teacher's
    shown: tuple[int, bool] = (0, False)  # the question that the page was drawn for, and whether it was revealed
    scene: int = 0  # of the stage, when it last showed what the class is asked
    problem: str = ""  # what did not work, for the next run

    @property
    def teaches(self) -> bool:
        """Whether it is the teacher's."""
        return bool(self.key)


def member() -> Member | None:
    """What this session is in a class; None outside of any."""
    return st.session_state.get(KEY)


def join(code: str) -> Member:
    """Be a student in a class, on the seat from before. Where it is full, the member has that as its ``problem``."""
    joined = st.session_state[KEY] = Member(code)
    joined.seat = seats().get(code, joined.seat)
    attempt(joined, lambda: CLASSES.enter(code, joined.seat))
    return joined


def teach(code: str, key: str) -> None:
    """Be the teacher of a class."""
    st.session_state[KEY] = Member(code, key)


def leave() -> None:
    """Be in no class any more; whoever comes back has the same seat, and so no second answer."""
    if own := st.session_state.pop(KEY, None):
        seats()[own.code] = own.seat
        CLASSES.leave(own.code, own.seat)


def seats() -> dict[str, str]:
    """The seats that this session has left, by the code of their class."""
    return st.session_state.setdefault(SEATS, {})


def attempt(own: Member, act: Callable[[], object]) -> None:
    """Do something in a class; why it could not be done is kept for the next run to say."""
    own.problem = ""
    try:
        act()
    except ClassError as problem:
        own.problem = str(problem)


def show_problem(own: Member) -> None:
    """Say what did not work, once."""
    if own.problem:
        st.markdown(f":material/error: {own.problem}")
        own.problem = ""


def keep(own: Member, *, waits: bool = False) -> None:
    """Have the browser keep the seat, and the teacher's key in this tab alone; take what it has kept from before.

    Where the page ``waits`` for that, it answers in any case, and so has the page drawn anew.
    """
    key, own.asked = f"class-keep-{own.code}", True

    def take() -> None:
        """Be again what this browser was in this class before a reload."""
        kept = st.session_state[key].kept or {}
        seat, host = str(kept.get("seat", "")), str(kept.get("key", ""))
        if host and CLASSES.is_teacher(own.code, host):
            CLASSES.leave(own.code, own.seat)
            own.key = host
        elif seat and seat != own.seat and len(seat) <= MAX_TOKEN:
            CLASSES.leave(own.code, own.seat)
            own.seat = seat
            attempt(own, lambda: CLASSES.enter(own.code, seat))

    # it takes no room (class.css)
    data = {"code": own.code, "seat": own.seat, "key": own.key, "waits": waits}
    KEEP(key=key, data=data, on_kept_change=take, height="content")
