"""A class at once on the Ackley Race: ``python -m benchmarks.load`` (on an otherwise idle machine).

Every student opens the page at the same moment, by a link with a start of their own, and then moves a slider again
and again: a learning rate or the number of steps. From an answer to the next move each one thinks for 2 to 4 s, drawn
evenly and at random. A few times after that, all move at the same moment. Then they leave, Streamlit forgets them, and
a second class of the same size comes: what it leaves behind is memory lost.

They speak Streamlit's own protocol over a websocket each, all in one process, without browsers. Every answer is looked
through for errors, and for anything that is not the student's own. A rerun is timed from the slider's message to the
end of the script's answer; "race" is the time until the new race is there, which is what the student looks at.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import math
import random
import time
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import jax
import jax.numpy as jnp
import numpy as np
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.Slider_pb2 import Slider
from websockets import WebSocketException
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.machine import machine
from benchmarks.server import Server, fresh_server, wait_until_compiled
from ui.numbers import format_plain
from ui.setup.codec import encode
from ui.setup.pages import SETUPS, RaceSetup
from ui.setup.presets import read_query
from ui.setup.racers import racer_names

PAGE, FILE, STAGE = "Ackley Race", "Ackley_Race", "-race-stage"
THINKS = (2.0, 4.0)  # seconds
AT_ONCE = 3  # times that all move at the same moment
FAR = 3  # stops that a slider is moved by at most
PATIENCE = 120  # seconds until an answer counts as an error
FORGOTTEN = 125  # seconds after which Streamlit no longer keeps who left for their coming back; it does for 120
RUN_AGAIN = ForwardMsg.FINISHED_EARLY_FOR_RERUN
ENDS = (ForwardMsg.FINISHED_SUCCESSFULLY, RUN_AGAIN)


@dataclass
class Answer:
    """What one rerun brought, and when."""

    seconds: float = math.inf  # to the end of the script
    race: float = math.inf  # to the new race
    size: int = 0  # bytes, as the browser reads them
    stage: str = ""
    link: str = ""
    sliders: list[Slider] = field(default_factory=list)  # in the page's order
    errors: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)  # what is not the student's own


class Student:
    """One visitor: what their page must show, and the connection that it comes by."""

    def __init__(self, setup: RaceSetup, seed: int) -> None:
        self.setup, self.dice = setup, random.Random(seed)
        self.link = urlencode(encode(setup), doseq=True)
        self.script = ""  # which page it is, once the server has said so
        self.sliders: list[Slider] = []
        self.kept: dict[str, ForwardMsg] = {}  # what need not be sent again, as a browser keeps it
        self.answers: list[Answer] = []
        self.socket: ClientConnection | None = None

    async def arrive(self, address: str) -> None:
        self.address = address.replace("http", "ws", 1) + "/_stcore/stream"
        await self.rerun()

    async def leave(self) -> None:
        if self.socket:
            await self.socket.close()

    async def lesson(self, moves: int, thinks: tuple[float, float] = THINKS) -> None:
        for _ in range(moves):
            await asyncio.sleep(self.dice.uniform(*thinks))
            await self.move()

    async def move(self) -> None:
        if self.sliders:  # otherwise the page did not come, which is an error already
            self.turn()
            await self.rerun()

    def turn(self) -> None:
        """Move one of the sliders to a stop nearby."""
        place = self.dice.randrange(len(said(self.setup)))  # others stand below
        stops = list(self.sliders[place].options)
        now = stops.index(said(self.setup)[place])
        near = [stop for stop in stops[max(now - FAR, 0) : now + FAR + 1] if stop != stops[now]]
        self.setup = turned(self.setup, place, self.dice.choice(near))

    async def rerun(self) -> None:
        answer = Answer()
        self.answers.append(answer)
        try:
            async with asyncio.timeout(PATIENCE):
                await self.ask_and_listen(answer)
        except (OSError, WebSocketException) as problem:  # what would come now would answer an earlier move
            self.sliders = []
            answer.errors.append(repr(problem))
            return
        self.sliders, answer.link = answer.sliders, self.link
        if not answer.stage:
            answer.errors.append("no race came")
        if not answer.errors:
            answer.strange = not_own(answer, self.setup)

    async def ask_and_listen(self, answer: Answer) -> None:
        asked, before = self.question(), time.perf_counter()
        known, self.kept = self.kept, {}
        if self.socket is None:
            self.socket = await connect(self.address, subprotocols=["streamlit"], max_size=None, open_timeout=PATIENCE)
        await self.socket.send(asked)
        async for data in self.socket:
            answer.size += len(data)
            message = ForwardMsg.FromString(data)
            if message.HasField("ref_hash"):
                message = known[message.ref_hash]
            if message.metadata.cacheable:
                self.kept[message.hash] = message
            self.hear(message, answer)
            if answer.stage and answer.race == math.inf:
                answer.race = time.perf_counter() - before
            if message.WhichOneof("type") != "script_finished":
                continue
            if message.script_finished != RUN_AGAIN:
                answer.seconds = time.perf_counter() - before
                return
            answer.stage, answer.sliders, answer.race = "", [], math.inf  # a new server's first page, without its race
            known |= self.kept
        raise ConnectionError("the server hung up")

    def question(self) -> bytes:
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_script_hash = self.link, self.script
        state.page_name = "" if self.script else FILE
        state.cached_message_hashes.extend(self.kept)
        state.context_info.color_scheme = "light"
        for slider, stop in zip(self.sliders, said(self.setup), strict=False):
            widget = state.widget_states.widgets.add()
            widget.id = slider.id
            widget.string_array_value.data.append(stop)
        return message.SerializeToString()

    def hear(self, message: ForwardMsg, answer: Answer) -> None:
        kind = message.WhichOneof("type")
        if kind == "navigation":
            self.script = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self.link = message.page_info_changed.query_string
        elif kind == "script_finished" and message.script_finished not in ENDS:
            answer.errors.append(f"the script ended with {message.script_finished}")
        elif kind == "delta" and message.delta.HasField("new_element"):
            see(message.delta.new_element, answer)


def see(element: Element, answer: Answer) -> None:
    kind = element.WhichOneof("type")
    if kind == "exception":
        answer.errors.append(f"{element.exception.type}: {element.exception.message}")
    elif kind == "slider":
        answer.sliders.append(element.slider)
    elif kind == "bidi_component" and element.bidi_component.id.endswith(STAGE):
        answer.stage = element.bidi_component.json


# ---- a set-up's sliders, in the order of the page: the number of steps, then a learning rate for each racer


def said(setup: RaceSetup) -> list[str]:
    return [str(setup.steps), *(format_plain(racer.learning_rate) for racer in setup.racers)]


def turned(setup: RaceSetup, place: int, stop: str) -> RaceSetup:
    if place == 0:
        return replace(setup, steps=int(stop))
    racers = list(setup.racers)
    racers[place - 1] = replace(racers[place - 1], learning_rate=float(stop))
    return replace(setup, racers=tuple(racers))


# ---- whose answer it is


def not_own(answer: Answer, setup: RaceSetup) -> list[str]:
    """What of an answer is not that of a set-up: the link, the sliders, or the race that is drawn."""
    strange = []
    linked, notes = read_query(PAGE, parse_qs(answer.link.lstrip("?"), keep_blank_values=True))
    if notes or linked != setup:
        strange.append(f"link {answer.link}")
    # the server says what a slider shows only where the browser does not know it
    if any(s.set_value and list(s.raw_value) != [own] for s, own in zip(answer.sliders, said(setup), strict=False)):
        strange.append("a slider")
    return strange + not_drawn(json.loads(answer.stage), setup)


def not_drawn(stage: dict[str, Any], setup: RaceSetup) -> list[str]:
    """What of a race is not that of a set-up: the number of steps, where it starts, or how far SGD first goes."""
    strange = []
    if (steps := floats(stage["steps"])[-1]) != setup.steps:
        strange.append(f"{steps:g} steps and not {setup.steps}")
    if (tracks := [track["name"] for track in stage["tracks"]]) != racer_names(setup.racers):
        strange.append(f"racers {tracks}")
    for racer, track in zip(setup.racers, stage["tracks"], strict=False):
        path = np.stack([floats(track["values"][name])[:2] for name in "xy"], axis=1)  # (2, 2)
        if (path[0] != np.float32(setup.start)).any():
            strange.append(f"{track['name']} starts at {path[0]} and not at {setup.start}")
        goes = -racer.learning_rate * slope(setup.start)
        if racer.name == "SGD" and not np.allclose(path[1] - path[0], goes, rtol=1e-2, atol=1e-6):
            strange.append(f"SGD first goes {path[1] - path[0]} and not {goes}")
    return strange


def floats(packed: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(packed), "<f4")


_slopes: dict[tuple[float, float], np.ndarray] = {}


def slope(start: tuple[float, float]) -> np.ndarray:
    if start not in _slopes:
        _slopes[start] = np.asarray(_gradient(jnp.array(start)))
    return _slopes[start]


_gradient = jax.jit(jax.grad(SETUPS[PAGE]().chosen_landscape.loss))


# ---- a class


def students(count: int, seed: int = 0, setup: RaceSetup | None = None) -> list[Student]:
    """Students with a start each that no other has, on the set-up that the page opens with if none is given."""
    dice = random.Random(seed)
    xs = [round(-4.5 + 9 * (i + 0.5) / count, 3) for i in range(count)]
    starts = [(x, round(dice.uniform(-4.5, 4.5), 3)) for x in xs]
    return [Student(replace(setup or SETUPS[PAGE](), start=start), seed + i) for i, start in enumerate(starts)]


async def together(acts: Iterable[Coroutine[Any, Any, None]]) -> None:
    await asyncio.gather(*acts)


@dataclass
class Lesson:
    """What a class met with: its answers, and the server's memory."""

    opened: list[Answer]
    moved: list[Answer]
    at_once: list[Answer]
    peak: float = math.nan  # MB
    after: float = math.nan

    @property
    def answers(self) -> list[Answer]:
        return [*self.opened, *self.moved, *self.at_once]


async def lesson(
    address: str, group: Sequence[Student], moves: int, at_once: int = AT_ONCE, thinks: tuple[float, float] = THINKS
) -> Lesson:
    """Everyone comes, moves, moves at once with all others, and leaves."""
    await together(student.arrive(address) for student in group)
    await together(student.lesson(moves, thinks) for student in group)
    for _ in range(at_once):
        await together(student.move() for student in group)
    await together(student.leave() for student in group)
    answers = [student.answers for student in group]
    parts = (slice(0, 1), slice(1, 1 + moves), slice(1 + moves, None))
    return Lesson(*([answer for own in answers for answer in own[part]] for part in parts))


def memory(process: int) -> float:
    """MB that a process holds; nan where the system does not say."""
    status = Path(f"/proc/{process}/status")
    if not status.exists():
        return math.nan
    (kilobytes,) = (line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
    return int(kilobytes) / 1000


@asynccontextmanager
async def watched(process: int) -> AsyncIterator[list[float]]:
    """The memory of a process meanwhile, several times a second."""
    seen: list[float] = []

    async def watch() -> None:
        while True:
            seen.append(memory(process))
            await asyncio.sleep(0.2)

    watching = asyncio.create_task(watch())
    try:
        yield seen
    finally:
        watching.cancel()


async def one_visitor(address: str) -> None:
    await lesson(address, students(1), moves=0, at_once=0)


async def class_of(count: int, server: Server, moves: int, wait: float, seed: int) -> Lesson:
    """One class from its coming until it is forgotten."""
    group = students(count, seed)
    for student in group:
        slope(student.setup.start)  # now, and not while they share the machine with the server
    async with watched(server.process) as seen:
        met = await lesson(server.address, group, moves)
    await asyncio.sleep(wait)
    await one_visitor(server.address)  # Streamlit lets go of those who left when the next one leaves
    met.peak, met.after = max(seen), memory(server.process)
    return met


def measure(count: int, moves: int, wait: float) -> str:
    """Two classes, one after the other, on a new server: a row of the table."""
    with fresh_server() as server:
        asyncio.run(one_visitor(server.address))  # the first visitor sets off the warm-up
        wait_until_compiled(server.cache)
        before, busy = memory(server.process), time.process_time()
        lessons = [asyncio.run(class_of(count, server, moves, wait, seed)) for seed in (0, count)]
        busy = time.process_time() - busy
    answers = [answer for met in lessons for answer in met.answers]
    tell(answers, busy)
    moved = [answer.seconds for met in lessons for answer in met.moved]
    cells = [
        str(count),
        str(len(moved)),
        *(f"{np.percentile(moved, share):.2f}" for share in (50, 95, 100)),
        p95([answer.race for met in lessons for answer in met.moved]),
        p95([answer.seconds for met in lessons for answer in met.at_once]),
        p95([answer.seconds for met in lessons for answer in met.opened]),
        str(sum(bool(answer.errors) for answer in answers)),
        str(sum(bool(answer.strange) for answer in answers)),
        f"{np.mean([answer.size for met in lessons for answer in met.moved]) / 1000:.0f}",
        f"{before:.0f}",
        *(f"{mb:.0f}" for met in lessons for mb in (met.peak, met.after)),
    ]
    return f"| {' | '.join(cells)} |"


HEAD = (
    "sessions",
    "reruns",
    "p50 s",
    "p95 s",
    "worst s",
    "race p95 s",
    "at once p95 s",
    "opening p95 s",
    "errors",
    "mix-ups",
    "kB per rerun",
    "MB before",
    "MB peak",
    "MB after",
    "MB peak, 2nd class",
    "MB after it",
)


def p95(seconds: Sequence[float]) -> str:
    return f"{np.percentile(seconds, 95):.2f}"


def tell(answers: Sequence[Answer], busy: float) -> None:
    print(f"The clients used {1e3 * busy / len(answers):.1f} ms of the processor per rerun.")
    for words in [word for answer in answers for word in (*answer.errors, *answer.strange)][:10]:
        print(f"  {words}")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--sessions", type=int, nargs="+", default=[30, 100], help="students in a class")
    asked.add_argument("--moves", type=int, default=20, help="how often each one moves a slider")
    asked.add_argument("--wait", type=float, default=FORGOTTEN, help="seconds from a class to the next")
    wish = asked.parse_args()
    print(machine("streamlit", "jax"))
    rows = []
    for count in wish.sessions:
        rows.append(measure(count, wish.moves, wish.wait))
        print(rows[-1], flush=True)
    low, high = THINKS
    print(
        f"\nTwo classes on a new server; each student makes {wish.moves} moves, the next {low:g} to {high:g} s after an"
        f" answer,\nand then {AT_ONCE} at the same moment as all others. Memory is the server's.\n"
    )
    print(f"| {' | '.join(HEAD)} |", f"|{' --: |' * len(HEAD)}", *rows, sep="\n")


if __name__ == "__main__":
    main()
