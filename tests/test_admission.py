"""Admission: a few pages are drawn at a time, and whatever ends a page releases its slot."""

import subprocess
import sys
import threading
import time
import tomllib
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

import engine.maps
import ui.head
from engine.xla import compiled
from ui import admission
from ui.admission import LONG_RUNS, SLOTS, long_run, slot, waiting, without_slot
from ui.frame import PAGES
from ui.race.basins import MAPS
from ui.race.fair import FAIR_RACES
from ui.race.rates import SWEEPS
from ui.setup.pages import SETUPS

SOON = 30  # seconds, after which something hangs


def free() -> int:
    """How many slots nobody has."""
    return admission._pages.free


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
    before = len(admission._pages.waiting)
    threads.submit(act, *args)
    soon(lambda: len(admission._pages.waiting) > before)


def error():
    raise ValueError("in the middle of a page")


@pytest.mark.parametrize("end", [error, st.stop, st.rerun])
def test_whatever_ends_a_page_releases_its_slot(end, monkeypatch):
    ends = iter([end])  # once

    def in_the_middle(_):
        assert free() == SLOTS - 1
        next(ends, lambda: None)()

    monkeypatch.setattr(ui.head, "show_notes", in_the_middle)
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
            soon(lambda: len(admission._pages.waiting) == 2)

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


def test_long_runs_are_made_in_turn_so_many_at_a_time_and_pages_are_drawn_meanwhile():
    """Who asks for several goes back to the end of the line after each."""
    order, may_end = [], threading.Semaphore(0)

    def ask(name, runs):
        with slot(), waiting():
            for _ in range(runs):
                with long_run(lambda: None):
                    order.append(name)
                    may_end.acquire(timeout=SOON)

    with ThreadPoolExecutor(LONG_RUNS + 2) as threads:
        asked = [threads.submit(ask, "several", 3) for _ in range(LONG_RUNS)]
        soon(lambda: len(order) == LONG_RUNS)
        for place, name in enumerate(("one", "another")):
            asked.append(threads.submit(ask, name, 1))
            soon(lambda place=place: len(admission._long_runs.waiting) == place + 1)
        assert free() == SLOTS  # who waits for a long run, or makes one, keeps no page waiting
        for count in range(len(order) + 1, 3 * LONG_RUNS + 3):
            may_end.release()
            soon(lambda count=count: len(order) == count)
        may_end.release(LONG_RUNS)
        for one in asked:
            one.result(SOON)
    assert order[LONG_RUNS : LONG_RUNS + 2] == ["one", "another"]
    assert (free(), admission._long_runs.free) == (SLOTS, LONG_RUNS)


def test_who_has_gone_leaves_the_line_and_the_next_one_has_the_place():
    gone, came, go_on = threading.Event(), [], threading.Event()

    def look():
        if gone.is_set():
            raise KeyError

    def hold():
        with long_run():
            go_on.wait(SOON)

    def leave():
        with suppress(KeyError), slot(), waiting(), long_run(look):
            came.append("who has gone")

    def stay():
        with slot(), waiting(), long_run(lambda: None):
            came.append("who stays")

    with ThreadPoolExecutor(LONG_RUNS + 2) as threads:
        holding = [threads.submit(hold) for _ in range(LONG_RUNS)]
        soon(lambda: admission._long_runs.free == 0)
        for place, act in enumerate((leave, stay)):
            threads.submit(act)
            soon(lambda place=place: len(admission._long_runs.waiting) == place + 1)
        gone.set()
        soon(lambda: len(admission._long_runs.waiting) == 1)
        go_on.set()
        for one in holding:
            one.result(SOON)
    assert came == ["who stays"]
    assert (free(), admission._long_runs.free) == (SLOTS, LONG_RUNS)


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
def test_a_tab_full_of_maps_asks_for_a_slot_twice_and_makes_each_as_a_long_run(show, monkeypatch):
    usual = SETUPS["Ackley Race"]()
    setup = replace(usual, racers=usual.racers[:3], show=show, points=16, steps=30)
    for memo in (SWEEPS, MAPS, FAIR_RACES):
        memo.clear()
    shown(setup)  # compiles
    for memo in (SWEEPS, MAPS, FAIR_RACES):
        memo.clear()
    taken, take, in_turn, run = [], admission.acquire, [], engine.maps.run_all
    monkeypatch.setattr(admission, "acquire", lambda **how: (taken.append(how), take(**how)))
    monkeypatch.setattr(
        engine.maps, "run_all", lambda *a: (in_turn.append((free(), admission._long_runs.free)), run(*a))[1]
    )
    shown(setup)
    assert len(taken) == 2
    assert set(in_turn) == {(SLOTS, LONG_RUNS - 1)}


def test_streamlit_knows_the_setting_that_spares_a_collection_after_each_script():
    assert config.get_option("runner.postScriptGC") is False  # hidden in Streamlit: it may go, which raises here


def test_the_server_keeps_other_sites_out_and_to_itself_what_failed_and_takes_only_so_much_at_once():
    settings = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))
    server, client = settings["server"], settings["client"]
    assert server["enableXsrfProtection"]
    assert server["enableCORS"]
    assert (client["showErrorDetails"], client["showErrorLinks"]) == ("none", False)
    for name in ("maxUploadSize", "maxWidgetStateSize", "maxMessageSize"):  # one that went would raise here
        assert server[name] == config.get_option(f"server.{name}") <= 20


STOPPED = """
import sys
import threading
from ui import admission
from ui.process import load_engine
from ui.admission import SLOTS, without_slot, slot

load_engine()
import jax, numpy as np

begun, go_on = threading.Barrier(SLOTS + 2), threading.Event()

def work(page):
    def loss(x):
        y = (page + 1) * x
        while not admission._closed:  # what is to happen as the process ends has begun, in the middle of a trace
            pass
        return y

    begun.wait()
    go_on.wait()  # for the server to end
    slope = float(jax.jit(jax.grad(loss))(np.float32(page)))
    sys.stdout.write(f"{page} {slope}\\n")  # in one piece, whoever else writes

def compute(page):
    with slot():
        work(page)

def compute_without_slot(page):
    with slot():
        with without_slot():
            work(page)
        sys.stdout.write("a slot after the end\\n")

def wait_for_a_slot():
    with slot():
        sys.stdout.write("a slot after the end\\n")

def start(act, *args):
    threading.Thread(target=act, args=args, daemon=True).start()  # as Streamlit does

start(compute_without_slot, 0)
while not admission._working:
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


STOPPED_LOADING = """
import atexit
import sys
import threading
from ui.process import load_engine

@atexit.register  # called last: the end of all that the server waits for
def at_the_end():
    from ui import process
    sys.stdout.write(str(sys.modules["engine.xla.compile"].while_compiling is process.compiling))

threading.Thread(target=load_engine, daemon=True).start()
while "jaxlib" not in sys.modules:
    pass
"""


def test_a_server_that_stops_waits_for_who_loads_the_engine():
    """A thread that ends in the middle of an import of JAX now and then crashes the process."""
    ran = subprocess.run(
        [sys.executable, "-c", STOPPED_LOADING], cwd=ROOT, capture_output=True, text=True, timeout=SOON * 4
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "True", "")


def compile_while_something_else_is_asked_for(compiled_in):
    """A page of one compile, before which the browser asks for another run, once."""
    import streamlit as st
    from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx

    from ui.process import compiling

    context = get_script_run_ctx()
    runs = st.session_state.runs = st.session_state.get("runs", 0) + 1
    if runs == 1:
        context.script_requests.request_rerun(RerunData(page_script_hash=context.page_script_hash))
    with compiling():
        compiled_in.append(runs)


def test_a_page_whose_visitor_has_changed_something_compiles_nothing_more():
    compiled_in: list[int] = []
    app = AppTest.from_function(compile_while_something_else_is_asked_for, args=(compiled_in,)).run()
    assert not app.exception
    assert compiled_in == [2]


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
