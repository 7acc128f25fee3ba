"""Turns: a few pages are drawn at a time, and whatever ends a page gives its turn back."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace

import numpy as np
import pytest
import streamlit as st
from streamlit import config
from streamlit.testing.v1 import AppTest
from visit import ROOT, opened, shown

import ui.controls
import ui.race.basins as race_basins
import ui.race.fair as race_fair
from engine.xla import compiled
from ui import turns
from ui.frame import PAGES
from ui.race.rates import swept
from ui.setups import SETUPS
from ui.turns import AT_ONCE, out_of_turn, turn

SOON = 30  # seconds, after which something hangs


def free() -> int:
    """How many turns nobody holds."""
    return turns._free


@contextmanager
def visitors(count: int) -> Iterator[Callable]:
    """Threads to call something in, as many times as there are visitors; each call ends soon, or the test fails."""
    with ThreadPoolExecutor(count) as threads:
        yield lambda act: [threads.submit(act) for _ in range(count)]


@contextmanager
def held(count: int) -> Iterator[None]:
    """Others hold so many turns."""
    over, holding = threading.Event(), threading.Barrier(count + 1)

    def hold():
        with turn():
            holding.wait(SOON)
            over.wait(SOON)

    with visitors(count) as each:
        each(hold)
        try:
            holding.wait(SOON)
            yield
        finally:
            over.set()


def soon(true: Callable[[], bool]) -> None:
    """Wait until something is true."""
    until = time.monotonic() + SOON
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


def queue(threads: ThreadPoolExecutor, act: Callable, *args: object) -> None:
    """Have something wait for a turn."""
    before = len(turns._waiting)
    threads.submit(act, *args)
    soon(lambda: len(turns._waiting) > before)


def error():
    raise ValueError("in the middle of a page")


@pytest.mark.parametrize("end", [error, st.stop, st.rerun])
def test_whatever_ends_a_page_gives_its_turn_back(end, monkeypatch):
    ends = iter([end])  # once

    def in_the_middle(_):
        assert free() == AT_ONCE - 1
        next(ends, lambda: None)()

    monkeypatch.setattr(ui.controls, "show_notes", in_the_middle)
    app = AppTest.from_file(str(ROOT / PAGES[0].file), default_timeout=SOON).switch_page(PAGES[1].file).run()
    assert [problem.message for problem in app.exception] == (["in the middle of a page"] if end is error else [])
    assert not list(ends)
    assert free() == AT_ONCE


def test_only_so_many_have_a_turn_at_a_time():
    inside, most = [], []

    def draw():
        with turn():
            inside.append(threading.get_ident())
            most.append(len(inside))
            time.sleep(0.05)
            inside.remove(threading.get_ident())

    with visitors(3 * AT_ONCE) as each:
        for drawing in each(draw):
            drawing.result(SOON)
    assert len(most) == 3 * AT_ONCE
    assert max(most) == AT_ONCE
    assert free() == AT_ONCE


def test_the_home_page_does_not_wait_for_a_turn():
    with held(AT_ONCE):
        assert len(opened("Home").title) == 1


def test_a_title_does_not_wait_for_a_turn(monkeypatch):
    titled, title = threading.Event(), st.title
    monkeypatch.setattr(st, "title", lambda *said, **kw: (title(*said, **kw), titled.set()))
    with visitors(1) as each:
        with held(AT_ONCE):
            (coming,) = each(lambda: opened("Gradients"))
            assert titled.wait(SOON)
            assert not coming.done()
        assert coming.result(SOON).title[0].value == "Gradients"


def test_turns_are_given_in_the_order_of_coming():
    came = []

    def come(number):
        with turn():
            came.append(number)

    with held(AT_ONCE - 1), ThreadPoolExecutor(5) as threads:
        with held(1):
            for number in range(5):
                queue(threads, come, number)
        soon(lambda: len(came) == 5)
    assert came == [0, 1, 2, 3, 4]
    assert free() == AT_ONCE


def test_long_work_lets_others_draw_and_is_next_after_it():
    order = []

    def first():
        with turn():
            order.append("first")
            soon(lambda: len(turns._waiting) == 2)

    def second():
        with turn():
            order.append("second")

    with held(AT_ONCE - 1), ThreadPoolExecutor(2) as threads:
        with turn():
            queue(threads, first)
            queue(threads, second)
            with out_of_turn():
                soon(lambda: order == ["first"])
            order.append("back")
        soon(lambda: len(order) == 3)
    assert order == ["first", "back", "second"]
    assert free() == AT_ONCE


def test_long_work_that_is_ended_gives_the_turn_up():
    with suppress(KeyError), turn(), out_of_turn():
        raise KeyError
    assert free() == AT_ONCE
    with out_of_turn():  # in the warm-up, say, there is no turn
        assert free() == AT_ONCE
    assert free() == AT_ONCE


def test_while_some_compile_another_page_is_drawn():
    opened("Gradients")  # from here on the engine compiles out of turn
    under_way, go_on = threading.Event(), threading.Event()

    @compiled(1)
    def slow(name, x):
        under_way.set()
        go_on.wait(SOON)
        return x

    def compile_it():
        with turn():
            return slow("this", np.zeros(1, np.float32))

    with visitors(AT_ONCE + 1) as each:
        try:
            coming = each(compile_it)
            assert under_way.wait(SOON)
            assert opened("Gradients").title[0].value == "Gradients"
            assert not any(visit.done() for visit in coming)
        finally:
            go_on.set()
        assert [visit.result(SOON) for visit in coming] == [0] * (AT_ONCE + 1)
    assert free() == AT_ONCE


@pytest.mark.parametrize("show", ["rates", "basins", "fair"])
def test_a_tab_full_of_maps_asks_for_a_turn_twice(show, monkeypatch):
    setup = replace(SETUPS["Ackley Race"](), show=show, points=16, steps=30)
    for clear in (swept, race_basins.found_before, race_fair.found_before):
        clear.cache_clear()
    shown(setup)  # compiles
    for clear in (swept, race_basins.found_before, race_fair.found_before):
        clear.cache_clear()
    taken, take = [], turns.take
    monkeypatch.setattr(turns, "take", lambda stand: (taken.append(stand), take(stand)))
    shown(setup)
    assert len(taken) == 2


def test_streamlit_knows_the_setting_that_spares_a_collection_after_each_script():
    assert config.get_option("runner.postScriptGC") is False  # hidden in Streamlit: it may go, which raises here


STOPPED = """
import threading
from ui import turns
from ui.frame import load_engine
from ui.turns import AT_ONCE, out_of_turn, turn

load_engine()
import jax, numpy as np

begun, go_on = threading.Barrier(AT_ONCE + 2), threading.Event()

def work(page, loss):
    begun.wait()
    go_on.wait()  # for the server to end
    print(page, float(jax.jit(jax.grad(loss))(np.float32(page))), flush=True)

def compute(page):
    with turn():
        work(page, lambda x: (page + 1) * x)

def compute_out_of_turn(page):
    with turn():
        with out_of_turn():
            work(page, lambda x: (page + 1) * x)
        print("a turn after the end")

def wait_for_a_turn():
    with turn():
        print("a turn after the end")

def start(act, *args):
    threading.Thread(target=act, args=args, daemon=True).start()  # as Streamlit does

start(compute_out_of_turn, 0)
while not turns._away:
    pass
for page in range(1, AT_ONCE + 1):
    start(compute, page)
begun.wait()
for _ in range(3):
    start(wait_for_a_turn)
threading.Thread(target=lambda: (threading.main_thread().join(), go_on.set())).start()
"""


def test_a_server_that_stops_waits_for_who_is_at_work_and_for_nobody_else():
    """Streamlit's threads end with the process: one that is in XLA then would crash it."""
    ran = subprocess.run([sys.executable, "-c", STOPPED], cwd=ROOT, capture_output=True, text=True, timeout=SOON * 4)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert sorted(ran.stdout.splitlines()) == [f"{page} {page + 1:.1f}" for page in range(AT_ONCE + 1)]
