"""Admission: a few pages are drawn at a time, and whatever ends a page releases its slot."""

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

import ui.gradients.page
from engine.xla import compiled
from ui import admission
from ui.admission import SLOTS, slot, without_slot
from ui.frame import PAGES
from ui.race.basins import MAPS
from ui.race.fair import FAIR_RACES
from ui.race.rates import SWEEPS
from ui.setup.pages import SETUPS

SOON = 30  # seconds, after which something hangs


def free() -> int:
    """How many slots nobody has."""
    return admission._free


@contextmanager
def visitors(count: int) -> Iterator[Callable]:
    """Threads to call something in, as many times as there are visitors; each call ends soon, or the test fails."""
    with ThreadPoolExecutor(count) as threads:
        yield lambda act: [threads.submit(act) for _ in range(count)]


@contextmanager
def held(count: int) -> Iterator[None]:
    """Others have so many slots."""
    over, holding = threading.Event(), threading.Barrier(count + 1)

    def hold():
        with slot():
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
    """Have something wait for a slot."""
    before = len(admission._waiting)
    threads.submit(act, *args)
    soon(lambda: len(admission._waiting) > before)


def error():
    raise ValueError("in the middle of a page")


@pytest.mark.parametrize("end", [error, st.stop, st.rerun])
def test_whatever_ends_a_page_releases_its_slot(end, monkeypatch):
    ends = iter([end])  # once

    def in_the_middle(_):
        assert free() == SLOTS - 1
        next(ends, lambda: None)()

    monkeypatch.setattr(ui.gradients.page, "show_notes", in_the_middle)
    app = AppTest.from_file(str(ROOT / PAGES[0].file), default_timeout=SOON).switch_page(PAGES[1].file).run()
    assert [problem.message for problem in app.exception] == (["in the middle of a page"] if end is error else [])
    assert not list(ends)
    assert free() == SLOTS


def test_only_so_many_have_a_slot_at_a_time():
    inside, most = [], []

    def draw():
        with slot():
            inside.append(threading.get_ident())
            most.append(len(inside))
            time.sleep(0.05)
            inside.remove(threading.get_ident())

    with visitors(3 * SLOTS) as each:
        for drawing in each(draw):
            drawing.result(SOON)
    assert len(most) == 3 * SLOTS
    assert max(most) == SLOTS
    assert free() == SLOTS


def test_the_home_page_does_not_wait_for_a_slot():
    with held(SLOTS):
        assert len(opened("Home").title) == 1


def test_a_title_does_not_wait_for_a_slot(monkeypatch):
    titled, title = threading.Event(), st.title
    monkeypatch.setattr(st, "title", lambda *said, **kw: (title(*said, **kw), titled.set()))
    with visitors(1) as each:
        with held(SLOTS):
            (coming,) = each(lambda: opened("Gradients"))
            assert titled.wait(SOON)
            assert not coming.done()
        assert coming.result(SOON).title[0].value == "Gradients"


def test_slots_are_given_in_the_order_of_coming():
    came = []

    def come(number):
        with slot():
            came.append(number)

    with held(SLOTS - 1), ThreadPoolExecutor(5) as threads:
        with held(1):
            for number in range(5):
                queue(threads, come, number)
        soon(lambda: len(came) == 5)
    assert came == [0, 1, 2, 3, 4]
    assert free() == SLOTS


def test_long_work_lets_others_draw_and_is_next_after_it():
    order = []

    def first():
        with slot():
            order.append("first")
            soon(lambda: len(admission._waiting) == 2)

    def second():
        with slot():
            order.append("second")

    with held(SLOTS - 1), ThreadPoolExecutor(2) as threads:
        with slot():
            queue(threads, first)
            queue(threads, second)
            with without_slot():
                soon(lambda: order == ["first"])
            order.append("back")
        soon(lambda: len(order) == 3)
    assert order == ["first", "back", "second"]
    assert free() == SLOTS


def test_long_work_that_is_ended_releases_the_slot():
    with suppress(KeyError), slot(), without_slot():
        raise KeyError
    assert free() == SLOTS
    with without_slot():  # in the warm-up, say, there is no slot
        assert free() == SLOTS
    assert free() == SLOTS


def test_while_some_compile_another_page_is_drawn():
    opened("Gradients")  # from here on the engine compiles without a slot
    under_way, go_on = threading.Event(), threading.Event()

    @compiled(1)
    def slow(name, x):
        under_way.set()
        go_on.wait(SOON)
        return x

    def compile_it():
        with slot():
            return slow("this", np.zeros(1, np.float32))

    with visitors(SLOTS + 1) as each:
        try:
            coming = each(compile_it)
            assert under_way.wait(SOON)
            assert opened("Gradients").title[0].value == "Gradients"
            assert not any(visit.done() for visit in coming)
        finally:
            go_on.set()
        assert [visit.result(SOON) for visit in coming] == [0] * (SLOTS + 1)
    assert free() == SLOTS


@pytest.mark.parametrize("show", ["rates", "basins", "fair"])
def test_a_tab_full_of_maps_asks_for_a_slot_twice(show, monkeypatch):
    setup = replace(SETUPS["Ackley Race"](), show=show, points=16, steps=30)
    for memo in (SWEEPS, MAPS, FAIR_RACES):
        memo.clear()
    shown(setup)  # compiles
    for memo in (SWEEPS, MAPS, FAIR_RACES):
        memo.clear()
    taken, take = [], admission.acquire
    monkeypatch.setattr(admission, "acquire", lambda stand: (taken.append(stand), take(stand)))
    shown(setup)
    assert len(taken) == 2


def test_streamlit_knows_the_setting_that_spares_a_collection_after_each_script():
    assert config.get_option("runner.postScriptGC") is False  # hidden in Streamlit: it may go, which raises here


STOPPED = """
import sys
import threading
from ui import admission
from ui.process import load_engine
from ui.admission import SLOTS, without_slot, slot

load_engine()
import jax, numpy as np

begun, go_on = threading.Barrier(SLOTS + 2), threading.Event()

def work(page, loss):
    begun.wait()
    go_on.wait()  # for the server to end
    slope = float(jax.jit(jax.grad(loss))(np.float32(page)))
    sys.stdout.write(f"{page} {slope}\\n")  # in one piece, whoever else writes

def compute(page):
    with slot():
        work(page, lambda x: (page + 1) * x)

def compute_without_slot(page):
    with slot():
        with without_slot():
            work(page, lambda x: (page + 1) * x)
        sys.stdout.write("a slot after the end\\n")

def wait_for_a_slot():
    with slot():
        sys.stdout.write("a slot after the end\\n")

def start(act, *args):
    threading.Thread(target=act, args=args, daemon=True).start()  # as Streamlit does

start(compute_without_slot, 0)
while not admission._working_without:
    pass
for page in range(1, SLOTS + 1):
    start(compute, page)
begun.wait()
for _ in range(3):
    start(wait_for_a_slot)
threading.Thread(target=lambda: (threading.main_thread().join(), go_on.set())).start()
"""


def test_a_server_that_stops_waits_for_who_is_at_work_and_for_nobody_else():
    """Streamlit's threads end with the process: one that is in XLA then would crash it."""
    ran = subprocess.run([sys.executable, "-c", STOPPED], cwd=ROOT, capture_output=True, text=True, timeout=SOON * 4)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert sorted(ran.stdout.splitlines()) == [f"{page} {page + 1:.1f}" for page in range(SLOTS + 1)]


STOPPED_WARM_UP = """
import sys
import threading
from ui.process import load_engine

load_engine()
import numpy as np
from engine.xla import compiled

begun = threading.Event()

@compiled(0)
def double(x):
    return x + x

def warm_up():
    begun.set()
    threading.main_thread().join()
    for n in range(1, 100):
        double(np.ones(n))
        sys.stdout.write("compiled after the end")

threading.Thread(target=warm_up, daemon=False).start()
begun.wait()
"""


def test_a_server_that_stops_waits_for_no_further_compile_of_its_warm_up():
    ran = subprocess.run(
        [sys.executable, "-c", STOPPED_WARM_UP], cwd=ROOT, capture_output=True, text=True, timeout=SOON * 4
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
