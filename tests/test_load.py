"""The load test of ``benchmarks/load.py``, with a class of three: it finishes, and it would see a mix-up."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from streamlit.proto.Element_pb2 import Element

from benchmarks.load import Answer, Student, lesson, not_own, see, students, turned
from benchmarks.server import fresh_server
from engine import OPTIMIZERS
from ui.setup.pages import SETUPS

MOVES, AT_ONCE = 2, 1


@pytest.fixture(scope="module")
def group() -> list[Student]:
    """Three students after their lesson."""
    racers = (OPTIMIZERS["SGD"](), OPTIMIZERS["Adam"]())  # a new server compiles them
    group = students(3, setup=replace(SETUPS["Ackley Race"](), racers=racers))
    # in a thread of its own: in this one the browser tests keep an event loop
    with fresh_server() as server, ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(lesson(server.address, group, MOVES, AT_ONCE, thinks=(0, 0.1)))).result()
    return group


def last(student: Student) -> Answer:
    return student.answers[-1]


def test_every_student_gets_an_own_race_at_every_move(group):
    for student in group:
        assert len(student.answers) == 1 + MOVES + AT_ONCE
        assert [(answer.errors, answer.strange) for answer in student.answers] == [([], [])] * len(student.answers)
        assert all(0 < answer.race <= answer.seconds < float("inf") for answer in student.answers)
        assert student.setup != SETUPS["Ackley Race"]()


def test_a_neighbours_race_is_seen_to_be_strange(group):
    for student, neighbour in zip(group, [*group[1:], group[0]], strict=True):
        mixed = Answer(stage=last(neighbour).stage, link=last(student).link, sliders=last(student).sliders)
        assert [words for words in not_own(mixed, student.setup) if "starts at" in words]
        assert not_own(replace(last(student), link=last(neighbour).link), student.setup)


@pytest.mark.parametrize(("place", "stop", "words"), [(0, "7", "steps and not 7"), (1, "0.123", "SGD first goes")])
def test_a_value_that_is_not_the_students_own_is_strange(group, place, stop, words):
    for student in group:
        strange = not_own(last(student), turned(student.setup, place, stop))
        assert [found for found in strange if words in found]
        assert [found for found in strange if found.startswith("link")]


def test_an_exception_on_the_page_is_an_error():
    element, answer = Element(), Answer()
    element.exception.type, element.exception.message = "ValueError", "steps"
    see(element, answer)
    assert answer.errors == ["ValueError: steps"]
