"""A class of sixty over the websocket: all answer at the same moment, each is counted once, and all see the outcome."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs

import pytest

from benchmarks.class_room import Guest, join, open_class, together
from benchmarks.server import fresh_server

STUDENTS = 60


@pytest.fixture(scope="module")
def lesson():
    """What a teacher and sixty students saw, by the moment."""
    seen = {}

    async def hold(address):
        teacher, code = await open_class(address)
        students = await join(address, code, STUDENTS)
        try:
            await teach(teacher, code, students)
        finally:
            await together(guest.leave() for guest in (teacher, *students))

    async def teach(teacher, code, students):
        seen["joined"] = [(student.link, [list(radio.options) for radio in student.radios]) for student in students]
        await together(student.choose(i % 2) for i, student in enumerate(students))
        seen["answered"] = [student.says("It is counted") for student in students]
        await together(student.run() for student in students[:5])  # a reload by the same session
        seen["still"] = [sorted(student.buttons) for student in students[:5]]
        await teacher.poll()
        seen["counted"] = list(teacher.texts)
        seen["before"] = [student.says("The outcome.") for student in students]
        await teacher.press("Reveal")
        await together(student.poll() for student in students)
        seen["revealed"] = [
            (guest.says('<div class="class-bars"'), guest.says("The outcome.")) for guest in (*students, teacher)
        ]
        seen["bars"] = [text for text in students[0].texts if '<div class="class-bars"' in text]
        await teacher.press("Ask again")
        await together(student.poll() for student in students)
        seen["again"] = [len(student.radios) for student in students]
        await teacher.press("End the class")
        await together(student.poll() for student in students)
        seen["ended"] = [student.says(f"No class {code} is held here") for student in students]
        seen["errors"] = [error for guest in (teacher, *students) for error in guest.errors]

    # in a thread of its own: in this one the browser tests keep an event loop
    with fresh_server() as server, ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(hold(server.address))).result()
    return seen


def test_all_come_by_the_code_to_the_set_up_and_its_question(lesson):
    links, choices = zip(*lesson["joined"], strict=True)
    assert len({str(sorted(parse_qs(link.lstrip("?")).items())) for link in links}) == 1
    assert all(options == [["SGD", "Adam"]] for options in choices)


def test_each_answer_is_counted_once(lesson):
    assert lesson["answered"] == [True] * STUDENTS
    assert lesson["still"] == [["Leave"]] * 5
    assert any(f'"joined": {STUDENTS}, "answered": {STUDENTS}' in text for text in lesson["counted"])


def test_nobody_sees_the_outcome_before_it_is_revealed_and_then_all_do(lesson):
    assert lesson["before"] == [False] * STUDENTS
    assert lesson["revealed"] == [(True, True)] * (STUDENTS + 1)
    (bars,) = lesson["bars"]
    assert bars.count(f"<b>{STUDENTS // 2}</b>") == 2


def test_all_follow_to_the_next_question_and_to_the_end(lesson):
    assert lesson["again"] == [1] * STUDENTS
    assert lesson["ended"] == [True] * STUDENTS
    assert lesson["errors"] == []


def test_a_guest_sees_an_exception_as_an_error():
    from streamlit.proto.Delta_pb2 import Delta

    delta, guest = Delta(), Guest()
    delta.new_element.exception.type, delta.new_element.exception.message = "ValueError", "steps"
    guest.see(delta)
    assert guest.errors == ["ValueError: steps"]
