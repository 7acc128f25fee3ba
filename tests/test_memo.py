"""A memo makes each result once, keeps the newest, and keeps nothing of what failed."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ui.memo import Memo


def test_what_many_ask_for_at_once_is_made_once():
    memo, made, all_here = Memo(4), [], threading.Barrier(8)

    def ask(key):
        all_here.wait(30)
        return memo.get(key, lambda: made.append(key) or f"result of {key}")

    with ThreadPoolExecutor(8) as visitors:
        results = list(visitors.map(ask, [0, 1] * 4))
    assert results == ["result of 0", "result of 1"] * 4
    assert sorted(made) == [0, 1]


def test_one_key_does_not_wait_for_another():
    memo, other_is_made = Memo(4), threading.Event()
    with ThreadPoolExecutor(1) as visitor:
        slow = visitor.submit(memo.get, "slow", lambda: other_is_made.wait(30))
        memo.get("quick", other_is_made.set)
        assert slow.result(30)


def test_what_failed_is_made_anew():
    memo = Memo(4)
    with pytest.raises(InterruptedError):
        memo.get("map", lambda: (_ for _ in ()).throw(InterruptedError))
    assert memo.get("map", lambda: 7) == 7


def test_the_key_that_was_not_asked_for_longest_is_forgotten():
    memo = Memo(2)
    for key in ("a", "b", "a", "c"):
        memo.get(key, lambda key=key: key)
    assert [memo.get(key, lambda: "anew") for key in ("a", "c", "b")] == ["a", "c", "anew"]


def test_who_waits_may_leave_and_who_stays_makes_it_where_the_maker_was_stopped():
    memo, at_work, stop = Memo(4), threading.Event(), threading.Event()

    def interrupted():
        at_work.set()
        stop.wait(30)
        raise InterruptedError

    def leave():
        raise TimeoutError

    with ThreadPoolExecutor(2) as visitors:
        maker = visitors.submit(memo.get, "map", interrupted)
        at_work.wait(30)
        with pytest.raises(TimeoutError):
            memo.get("map", lambda: "by who left", leave)
        stays = visitors.submit(memo.get, "map", lambda: "by who stayed")
        stop.set()
        assert isinstance(maker.exception(30), InterruptedError)
        assert stays.result(30) == "by who stayed"
