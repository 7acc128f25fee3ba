"""Turns: a few pages are drawn at a time, and whatever ends a page gives its turn back."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import streamlit as st
from streamlit import config
from streamlit.testing.v1 import AppTest
from visit import ROOT, opened

import ui.frame
from ui.frame import PAGES
from ui.turns import AT_ONCE, out_of_turn, turn

SOON = 30  # seconds, after which something hangs


def free() -> int:
    """How many turns nobody holds."""
    held = [turn.acquire(blocking=False) for _ in range(2 * AT_ONCE)]
    for _ in filter(None, held):
        turn.release()
    return sum(held)


def error():
    raise ValueError("in the middle of a page")


@pytest.mark.parametrize("end", [error, st.stop, st.rerun])
def test_whatever_ends_a_page_gives_its_turn_back(end, monkeypatch):
    ends = iter([end])  # once

    def in_the_middle(_):
        assert free() == AT_ONCE - 1
        next(ends, lambda: None)()

    monkeypatch.setattr(st, "image", in_the_middle)
    app = AppTest.from_file(str(ROOT / PAGES[0].file), default_timeout=SOON).run()
    assert [problem.message for problem in app.exception] == (["in the middle of a page"] if end is error else [])
    assert not list(ends)
    assert free() == AT_ONCE


def test_only_so_many_pages_are_drawn_at_a_time(monkeypatch):
    inside, most = [], []

    class Watched:
        """The turn, and who is in it."""

        def __enter__(self):
            turn.acquire()
            inside.append(threading.get_ident())
            most.append(len(inside))
            time.sleep(0.1)

        def __exit__(self, *_):
            inside.remove(threading.get_ident())
            turn.release()

    monkeypatch.setattr(ui.frame, "turn", Watched())
    with ThreadPoolExecutor(3 * AT_ONCE) as visitors:
        apps = list(visitors.map(lambda _: opened("Home"), range(3 * AT_ONCE)))
    assert all(len(app.title) == 1 for app in apps)
    assert len(most) == len(apps)
    assert 1 < max(most) <= AT_ONCE


def test_the_title_does_not_wait_for_a_turn(monkeypatch):
    for _ in range(AT_ONCE):
        turn.acquire()
    with ThreadPoolExecutor(1) as visitor:
        titled = threading.Event()
        title = st.title
        monkeypatch.setattr(st, "title", lambda *said, **kw: (title(*said, **kw), titled.set()))
        coming = visitor.submit(opened, "Gradients")
        assert titled.wait(SOON)
        assert not coming.done()
        for _ in range(AT_ONCE):
            turn.release()
        assert coming.result().title[0].value == "Gradients"


def test_long_work_lets_others_draw():
    drawn = threading.Event()

    def other():
        with turn:
            drawn.set()

    with ThreadPoolExecutor(1) as visitor:
        for _ in range(AT_ONCE):
            turn.acquire()
        waiting = visitor.submit(other)
        assert not drawn.wait(0.1)
        with suppress(KeyError), out_of_turn():
            assert drawn.wait(SOON)
            waiting.result()
            raise KeyError  # a knob that is turned meanwhile ends the work
        assert free() == 0
        for _ in range(AT_ONCE):
            turn.release()


def test_streamlit_knows_the_setting_that_spares_a_collection_after_each_script():
    assert config.get_option("runner.postScriptGC") is False  # hidden in Streamlit: it may go, which raises here
