"""A class over the websocket: ``python -m benchmarks.class_room`` (on an otherwise idle machine).

A teacher and students as browsers without pictures: each has a session of its own and speaks Streamlit's protocol. Says
what it costs the server that every student's page looks again and again whether its class has gone on.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.Radio_pb2 import Radio
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.machine import machine
from benchmarks.server import fresh_server, wait_until_compiled
from ui.class_room.student import POLL

PATIENCE = 120  # seconds
STUDENTS, SECONDS = 300, 30
OPENING = ("Ackley_Race", "landscape=Ravine&steps=60&racer=SGD&racer=Adam&ask=lowest")


class Guest:
    """A browser session: what its page shows, and what can be pressed there."""

    def __init__(self, page: str = "", link: str = "") -> None:
        self.page, self.link, self.script = page, link, ""
        self.socket: ClientConnection | None = None
        self.kept: dict[str, ForwardMsg] = {}  # what need not be sent again, as a browser keeps it
        self.open: dict[str, str] = {}  # popovers: the id by the label
        self.buttons: dict[str, tuple[str, str]] = {}  # the id and the fragment by the label
        self.radios: list[Radio] = []
        self.polls: dict[str, float] = {}  # fragments that run by themselves, and after how many seconds
        self.texts: list[str] = []  # of the last run
        self.errors: list[str] = []

    async def arrive(self, address: str) -> None:
        """Open the page."""
        self.address = address
        stream = address.replace("http", "ws", 1) + "/_stcore/stream"
        self.socket = await connect(stream, subprotocols=["streamlit"], max_size=None, open_timeout=PATIENCE)
        await self.run()

    async def leave(self) -> None:
        """Close the page."""
        if self.socket:
            await self.socket.close()

    async def press(self, label: str, **values: str) -> None:
        """Press a button, with the widgets of these ids set to texts."""
        identity, fragment = self.buttons[label]
        await self.run(fragment, {identity: True, **values})

    async def unfold(self, label: str) -> None:
        """Open a popover."""
        identity, fragment = self.open[label].split(" ")
        await self.run(fragment, {identity: True}, kind="bool_value")

    async def choose(self, number: int) -> None:
        """Answer a question by one of its choices."""
        (radio,) = self.radios
        await self.press("Commit", **{radio.id: list(radio.options)[number]})

    async def poll(self) -> None:
        """Look whether something has changed, as the page does by itself; where it has, it is drawn anew."""
        for fragment in list(self.polls):
            await self.run(fragment)

    async def run(
        self, fragment: str = "", pressed: dict[str, bool | str] | None = None, kind: str = "trigger_value"
    ) -> None:
        """Have the server run the page, or a fragment of it, and take in what it answers."""
        assert self.socket
        async with asyncio.timeout(PATIENCE):
            await self.socket.send(self.message(fragment, pressed or {}, kind))
            self.texts = []
            async for data in self.socket:
                message = ForwardMsg.FromString(data)
                if message.HasField("ref_hash"):
                    message = self.kept[message.ref_hash]
                if message.metadata.cacheable:
                    self.kept[message.hash] = message
                if self.hear(message):
                    return
        raise ConnectionError("the server hung up")

    def message(self, fragment: str, pressed: dict[str, bool | str], kind: str) -> bytes:
        """What a browser sends to have something run."""
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_script_hash, state.fragment_id = self.link, self.script, fragment
        state.page_name = "" if self.script else self.page
        state.is_auto_rerun = bool(fragment) and not pressed
        state.cached_message_hashes.extend(self.kept)
        state.context_info.url = f"{self.address}/{self.page}"
        state.context_info.color_scheme = "light"
        for identity, value in pressed.items():
            widget = state.widget_states.widgets.add()
            widget.id = identity
            setattr(widget, "string_value" if isinstance(value, str) else kind, value)
        return message.SerializeToString()

    def hear(self, message: ForwardMsg) -> bool:
        """Take in one message; whether it is the last one of the answer."""
        kind = message.WhichOneof("type")
        if kind == "new_session" and not message.metadata.run.fragment_ids:
            self.open, self.buttons, self.radios, self.polls, self.texts = {}, {}, [], {}, []
        elif kind == "navigation":
            self.script = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self.link = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            self.polls[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "delta":
            self.see(message.delta)
        elif kind == "script_finished":
            # a page that sends the visitor to another, or that is drawn anew, goes on
            return message.script_finished in (
                ForwardMsg.FINISHED_SUCCESSFULLY,
                ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
            )
        return False

    def see(self, delta: Any) -> None:
        """Take in one element."""
        if delta.HasField("add_block"):
            if delta.add_block.HasField("popover"):
                popover = delta.add_block.popover
                self.open[popover.label] = f"{popover.id} {delta.fragment_id}"
            return
        element: Element = delta.new_element
        kind = element.WhichOneof("type")
        if kind == "exception":
            self.errors.append(f"{element.exception.type}: {element.exception.message}")
        elif kind == "button":
            self.buttons[element.button.label] = (element.button.id, delta.fragment_id)
        elif kind == "radio":
            self.radios.append(element.radio)
        elif kind in ("markdown", "html"):
            self.texts.append(getattr(element, kind).body)
        elif kind == "bidi_component":
            self.texts.append(element.bidi_component.json)

    def says(self, words: str) -> bool:
        """Whether the last run has drawn these words."""
        return any(words in text for text in self.texts)


async def open_class(address: str) -> tuple[Guest, str]:
    """A teacher who opens a class; and its code."""
    teacher = Guest(*OPENING)
    await teacher.arrive(address)
    await teacher.unfold("Teach")
    await teacher.press("Hold a class")
    return teacher, teacher.link.partition("class=")[2].partition("&")[0]


async def join(address: str, code: str, count: int) -> list[Guest]:
    """Students who all come at the same moment, by the link of a class."""
    students = [Guest(link=f"class={code}") for _ in range(count)]
    await together(student.arrive(address) for student in students)
    return students


async def together(acts: Iterable[Any]) -> None:
    """Do all at the same moment."""
    await asyncio.gather(*acts)


async def measure(address: str, process: int, count: int, seconds: float) -> None:
    """Say what a class costs that only waits, and how long it takes to see a reveal."""

    def busy() -> float:  # seconds of a core, of Linux alone
        times = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")

    teacher, code = await open_class(address)
    before, since = busy(), time.perf_counter()
    students = await join(address, code, count)
    spent, took = busy() - before, time.perf_counter() - since
    print(f"{count} students join at once: {spent / count:.3f} s of a core each, all within {took:.1f} s.")

    async def wait(student: Guest, late: float) -> None:
        await asyncio.sleep(late)
        for _ in range(round(seconds / POLL)):
            due = time.perf_counter() + POLL
            await student.poll()
            await asyncio.sleep(due - time.perf_counter())

    before, since = busy(), time.perf_counter()
    await together(wait(student, POLL * i / count) for i, student in enumerate(students))
    spent, took = busy() - before, time.perf_counter() - since
    polls = count * round(seconds / POLL)
    print(f"A look costs {1e3 * spent / polls:.2f} ms of a core. Every {POLL:g} s each: {spent / took:.0%} of a core.")
    await teacher.press("Reveal")
    before, since = busy(), time.perf_counter()
    await together(student.poll() for student in students)
    spent, took = busy() - before, time.perf_counter() - since
    print(f"All see a reveal within {took:.1f} s if all look at once; {spent / count:.3f} s of a core each.")
    await together(guest.leave() for guest in (teacher, *students))
    for error in [error for guest in (teacher, *students) for error in guest.errors][:5]:
        print(f"  {error}")


def main() -> None:
    """Measure a class on a server of its own."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--students", type=int, default=STUDENTS)
    asked.add_argument("--seconds", type=float, default=SECONDS, help="how long they wait")
    wish = asked.parse_args()
    print(machine("streamlit", "jax"))
    with fresh_server() as server:

        async def lesson() -> None:
            first = Guest(*OPENING)
            await first.arrive(server.address)  # the first visitor sets off the warm-up
            await first.leave()
            await asyncio.to_thread(wait_until_compiled, server.cache)
            await measure(server.address, server.process, wish.students, wish.seconds)

        asyncio.run(lesson())


if __name__ == "__main__":
    main()
