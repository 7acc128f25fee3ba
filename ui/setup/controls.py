"""What every page's controls have in common: widgets, the session and the page's address say the same set-up."""

from __future__ import annotations

from typing import Any, Generic

import streamlit as st

from engine import Optimizer
from ui.setup.codec import decode, encode
from ui.setup.pages import LOSS_AXES
from ui.setup.presets import Preset, preset_of, presets
from ui.setup.session import S, Session, Slot

OWN = "Your own"
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
RECONNECTED = "The connection was lost. The page is as its address says: please repeat your last change."


class Controls(Generic[S]):
    """The controls of one page. ``page`` is its title; ``prefix`` is what the keys of its widgets begin with."""

    def __init__(self, page: str, prefix: str, setup: type[S]) -> None:
        self.page, self.prefix, self.default = page, prefix, setup()

    def key(self, *parts: object) -> str:
        return "-".join(str(part) for part in (self.prefix, *parts) if part != "")

    @property
    def memory(self) -> Session[S]:
        place = self.key("session")
        if place not in st.session_state:
            st.session_state[place] = Session(self.default)
        return st.session_state[place]

    # ---- between the widgets, the session and the address

    def current(self) -> tuple[S, list[str]]:
        """The set-up that the controls show, and the notes on a link that could not be taken as it was.

        Known before the controls are drawn, so that a page can show its picture first and is quicker under the finger.
        """
        self.arrive()
        self.memory.drawn.clear()
        setup = self.read()
        self.leave(setup)
        return setup, self.memory.notes

    def renew(self) -> None:
        """Set widgets again that were set from here, where the browser sends them as they were before.

        A visitor who is quicker than the page would undo with one click what was chosen with the one before. Whether
        the browser shows by now what it was sent is told by ``tell_sent``.
        """
        memory, state = self.memory, st.session_state
        if state.get(self.key("sent")) == memory.sent:
            memory.unseen.clear()
        for place, shown in list(memory.unseen.items()):
            if state.get(place) in shown:
                state[place] = shown[-1]
            else:  # the visitor has turned this very widget since
                del memory.unseen[place]

    def fill(self, setup: S) -> None:
        """Set every widget to a set-up. Only before the widgets are drawn: at the start of a run, or in a callback."""
        self.memory.scene += 1
        for name in setup.settings():
            self.put(name, getattr(setup, name))

    def put(self, name: str, value: Any) -> None:
        """Set the widgets of one setting."""
        kind = self.memory.setup.settings()[name]
        if kind.many:
            self.memory.slots = {}
            for racer in value:
                self.add(racer)
            return
        for part, shown in kind.parts(value).items():
            self.set_widget(self.key(name, part), shown)

    def set_widget(self, place: str, value: Any) -> None:
        """Set one widget, until the browser shows it."""
        before = self.memory.unseen.get(place, [st.session_state.get(place)])
        self.memory.unseen[place] = [*before, value]
        self.memory.sent += 1
        st.session_state[place] = value

    def chosen(self, name: str) -> Any:
        """What a widget was just turned to; None where the browser only sends it as it was before it was set."""
        said = st.session_state[self.key(name)]
        self.renew()
        return said if st.session_state[self.key(name)] == said else None

    def add(self, racer: Optimizer) -> None:
        memory = self.memory
        memory.filled += 1
        memory.slots[memory.filled] = Slot(racer, racer)

    def read(self) -> S:
        """The set-up that the widgets show. A widget that is not on the page just now keeps its last value."""
        self.renew()
        memory, state = self.memory, st.session_state
        values: dict[str, Any] = {}
        for name, kind in memory.setup.settings().items():
            if kind.many:
                values[name] = tuple(slot.racer for slot in self.slots().values())
                continue
            parts = kind.parts(getattr(memory.setup, name))
            values[name] = kind.join({part: state.get(self.key(name, part), last) for part, last in parts.items()})
        return type(memory.setup)(**values)

    def slots(self) -> dict[int, Slot]:
        """The line-up with its knobs as they are turned now."""
        for number, slot in self.memory.slots.items():
            turned = {
                knob.name: st.session_state.get(self.key(number, knob.name), getattr(slot.racer, knob.name))
                for knob in slot.racer.knobs()
            }
            slot.racer = type(slot.racer)(**turned)
        return self.memory.slots

    def arrive(self) -> None:
        """Fill the widgets where the visitor comes by a link, comes back to the page, or goes back in the history.

        A turned widget always wins over the address, which may still be on its way from the run before.
        """
        memory = self.memory
        query = self.query()
        here = self.key("preset") in st.session_state  # widgets of a page that was left are forgotten
        if here and memory.arrived:
            if self.read() != memory.setup:
                memory.notes = []
                return
            if query == memory.query:
                return
        setup = memory.setup
        if query or not memory.arrived or here:
            setup, memory.notes = decode(query, self.default)
        self.fill(setup)
        memory.query, memory.arrived = query, True

    def leave(self, setup: S) -> None:
        """Bring the address up to date, and remember both for the next run."""
        memory, query = self.memory, self.query()
        if decode(query, self.default)[0] != setup:
            query = encode(setup)
            st.query_params.from_dict(query)
        memory.setup, memory.query = setup, query

    def query(self) -> dict[str, list[str]]:
        return {name: st.query_params.get_all(name) for name in st.query_params}

    # ---- callbacks

    def take(self, **chosen: Any) -> None:
        """Choose some settings, and what follows from them. What stays as it was keeps its widgets."""
        before = after = self.read()
        for name, value in chosen.items():
            after = after.with_(name, value)
        for name in after.settings():
            if getattr(after, name) != getattr(before, name):
                self.put(name, getattr(after, name))

    def take_widget(self, name: str) -> None:
        """Choose what a widget was just turned to, and what follows from it: for ``on_change``."""
        if (chosen := self.chosen(name)) is None:
            return
        self.put(name, getattr(self.memory.setup, name))
        self.take(**{name: chosen})
        self.memory.unseen.pop(self.key(name), None)  # the browser shows it already

    def take_preset(self) -> None:
        if (chosen := self.chosen("preset")) in presets(self.page):
            self.fill(presets(self.page)[chosen].setup)

    # ---- widgets that every page has

    def at(self, name: str, part: str = "") -> str:
        """The key of a setting's widget, holding the setting's value where the widget was not on the page before."""
        kind, setup = self.memory.setup.settings()[name], self.memory.setup
        self.memory.drawn.add(name)
        st.session_state.setdefault(self.key(name, part), kind.parts(getattr(setup, name))[part])
        return self.key(name, part)

    def keep(self, setup: S) -> None:
        """Call it once all widgets are drawn. Holds the settings that have none in this run.

        Streamlit forgets a widget that is not drawn, and then knows again what its key was last filled with.
        """
        for name, kind in setup.settings().items():
            if name not in self.memory.drawn and not kind.many:
                for part, shown in kind.parts(getattr(setup, name)).items():
                    st.session_state[self.key(name, part)] = shown
        self.tell_sent()

    def tell_sent(self) -> None:
        """A widget that nobody sees, drawn after all others: the browser sends back the last number it was told.

        That number is how it is known, without a clock, that the browser shows what was set before. In the first run
        of a session it is only suggested: a browser that has another one was shown this page by another session.
        """
        memory, place = self.memory, self.key("sent")
        if memory.greeted:
            st.session_state[place] = memory.sent
        said = st.number_input(
            "What the page was told", value="min" if memory.greeted else memory.sent, key=place, step=1
        )
        if said != memory.sent:
            st.toast(RECONNECTED, icon=":material/wifi_off:", duration="infinite")
        memory.greeted = True

    def show_choice(self, name: str, choice: Any) -> None:
        """Set a widget that follows from the set-up or the data. Before it is drawn."""
        if st.session_state.get(self.key(name)) != choice:
            self.set_widget(self.key(name), choice)

    def preset(self, setup: S) -> Preset | None:
        return preset_of(self.page, setup)

    def choose_preset(self, setup: S) -> None:
        preset = self.preset(setup)
        self.show_choice("preset", preset.name if preset else OWN)
        st.selectbox(
            "Preset",
            list(presets(self.page)) if preset else [*presets(self.page), OWN],
            key=self.key("preset"),
            on_change=self.take_preset,
            help="A prepared set-up. Everything can be changed afterwards.",
        )

    def look_for(self, setup: S) -> None:
        """What to look for in the preset that is shown."""
        preset = self.preset(setup)
        st.markdown(f":material/visibility: {preset.look_for if preset else 'Your own set-up.'}", width="content")

    def loss_axis(self, disabled: str | None = None) -> None:
        """The choice of the loss axis; ``disabled`` says why there is none."""
        st.segmented_control(
            "Loss axis",
            LOSS_AXES,
            key=self.at("loss"),
            required=True,
            disabled=disabled is not None,
            label_visibility="collapsed",
            format_func=lambda axis: f"{axis} loss",
            help=disabled,
        )

    def batch(self, chosen: int, examples: int, label: str) -> None:
        """The slider of how many examples a step looks at: some, or all (0)."""
        st.select_slider(
            label,
            [*sorted({size for size in BATCHES if size < examples} | ({chosen} - {0})), 0],
            key=self.at("batch"),
            format_func=lambda size: str(size) if size else "all",
            help="A mini-batch: each step follows the slope of the loss on so many only.",
        )

    def take_start(self) -> None:
        """A click on the map of the stage sets the start, rounded to what the map can resolve."""
        clicked = st.session_state[self.key("stage")].start
        if clicked is not None:
            self.take(start=(round(float(clicked[0]), 2), round(float(clicked[1]), 2)))

    def reset(self) -> None:
        st.button(
            "Reset to the first preset",
            on_click=self.fill,
            args=(self.default,),
            icon=":material/restart_alt:",
            width="stretch",
        )


def show_notes(notes: list[str]) -> None:
    """Say what of a link could not be taken as it was."""
    if notes:
        st.warning("The link could not be taken as it was.\n\n" + "\n".join(f"- {note}" for note in notes))
