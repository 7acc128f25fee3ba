"""What every page's controls have in common: the widgets, the session and the page's address hold the same set-up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine import Optimizer
from ui.setup.codec import SetupT, encode
from ui.setup.defaults import start_from
from ui.setup.presets import Preset, opening, preset_of, presets, read_query
from ui.setup.questions.link import with_question
from ui.setup.session import Entry, Session

CUSTOM = "Your own"
LOCKED = "It is locked in this link."
RECONNECTED = "The connection was lost. Your last change may be lost with it: please make it again."


class Controls(Generic[SetupT]):
    """The controls of one page. ``page`` is its title; ``prefix`` is what the keys of its widgets begin with."""

    def __init__(self, page: str, prefix: str) -> None:
        self.page, self.prefix, self.opening = page, prefix, opening(page)

    def key(self, *parts: object) -> str:
        """A key of this page for a widget or the session state. Empty parts are left out."""
        return "-".join(str(part) for part in (self.prefix, *parts) if part != "")

    @property
    def memory(self) -> Session[SetupT]:
        """What this visitor's page remembers of its last run."""
        key = self.key("session")
        return st.session_state.get(key) or st.session_state.setdefault(key, Session(self.opening))

    # ---- between the widgets, the session and the address

    def sync(self) -> tuple[SetupT, list[str]]:
        """Bring widgets, session and address in line, at the start of a run.

        Returns the set-up, and the notes on a link that could not be taken as it was. A page may draw controls later.
        """
        self.sync_from_url()
        self.memory.drawn.clear()
        setup = self.current_setup()
        self.sync_to_url(setup)
        return setup, self.memory.notes

    def drop_echoes(self) -> None:
        """Set those widgets again that the code has set and that the browser sent as they were before.

        With each event the browser sends all widgets as it shows them. A visitor who clicks before the page is drawn
        again would so undo what the click before has set. ``draw_set_count`` tells whether the browser shows by now
        what was set.
        """
        memory, state = self.memory, st.session_state
        if state.get(self.key("sent")) == memory.set_count:
            memory.unconfirmed.clear()
            memory.queries_before.clear()
        for key, values in list(memory.unconfirmed.items()):
            if state.get(key) in values:
                state[key] = values[-1]
            else:  # the visitor has changed this very widget since
                del memory.unconfirmed[key]

    def set_all(self, setup: SetupT) -> None:
        """Set every widget to a set-up. Only before the widgets are drawn: at the start of a run, or in a callback."""
        self.memory.begin(setup)
        for name in setup.settings():
            self.set_setting(name, getattr(setup, name))

    def set_setting(self, name: str, value: Any) -> None:
        """Set the widgets of one setting."""
        kind = self.memory.setup.settings()[name]
        if kind.many:
            self.memory.entries = {}
            for racer in value:
                self.add_racer(racer)
            return
        for part, held in kind.to_widgets(value).items():
            self.set_widget(self.key(name, part), held)

    def set_widget(self, key: str, value: Any) -> None:
        """Set one widget; it stays set until the browser shows it, or the visitor changes it."""
        before = self.memory.unconfirmed.get(key, [st.session_state.get(key)])
        self.memory.unconfirmed[key] = [*before, value]
        self.memory.set_count += 1
        st.session_state[key] = value

    def new_value(self, *parts: str) -> Any:
        """What the visitor has just set a widget to; None where the browser only sends what it showed before."""
        key = self.key(*parts)
        value = st.session_state[key]
        self.drop_echoes()
        return value if st.session_state[key] == value else None

    def add_racer(self, racer: Optimizer) -> None:
        """Append a racer to the line-up."""
        memory = self.memory
        memory.last_entry += 1
        memory.entries[memory.last_entry] = Entry(racer, racer)

    def current_setup(self) -> SetupT:
        """The set-up that the widgets hold. A setting without a widget in this run keeps its last value."""
        self.drop_echoes()
        memory, state = self.memory, st.session_state
        values: dict[str, Any] = {}
        for name, kind in memory.setup.settings().items():
            if kind.many:
                values[name] = tuple(entry.racer for entry in self.current_entries().values())
                continue
            last = kind.to_widgets(getattr(memory.setup, name))
            values[name] = kind.from_widgets({part: state.get(self.key(name, part), last[part]) for part in last})
        return type(memory.setup)(**values)

    def current_entries(self) -> dict[int, Entry]:
        """The line-up, with the knobs that the widgets hold."""
        for number, entry in self.memory.entries.items():
            knobs = {
                knob.name: st.session_state.get(self.key(number, knob.name), getattr(entry.racer, knob.name))
                for knob in entry.racer.knobs()
            }
            entry.racer = entry.racer.rule(**knobs)
        return self.memory.entries

    def sync_from_url(self) -> None:
        """Set the widgets where the visitor comes by a link, comes back to the page, or goes back in the history.

        A widget that was changed counts more than the address, which may still be on its way from the run before.
        """
        memory = self.memory
        # Streamlit drops the widgets of a page that was left; of these two, the first may be hidden
        on_page = memory.opened and any(self.key(name) in st.session_state for name in ("preset", "sent"))
        if on_page and self.current_setup() != memory.setup:
            memory.notes = []
            return
        query = self.url_query()
        if on_page and query == memory.query:
            return
        setup = memory.setup
        if query or not memory.opened or on_page:
            setup, memory.notes = read_query(self.page, query)
        self.set_all(setup)
        memory.query, memory.opened = query, True

    def sync_to_url(self, setup: SetupT) -> None:
        """Bring the address up to date, and remember both for the next run."""
        memory, query = self.memory, self.url_query()
        if read_query(self.page, query)[0] != setup:
            memory.queries_before.append(query)
            memory.set_count += 1
            query = encode(setup)
            st.query_params.from_dict(query)
        memory.setup, memory.query = setup, query

    def url_query(self) -> dict[str, list[str]]:
        """The query of the page's address, each parameter's values: the newest where the browser sends an older one."""
        query = {name: st.query_params.get_all(name) for name in st.query_params}
        before = self.memory.queries_before if self.key("sent") in st.session_state else ()
        return self.memory.query if query in before else query

    # ---- callbacks

    def update(self, **settings: Any) -> None:
        """Change some settings, and what follows from them, but nothing that the link hides or locks.

        The widgets of what stays the same are not set.
        """
        before = after = self.current_setup()
        for name, value in settings.items():
            if not before.fixes(name):
                after = after.with_setting(name, value)
        after = after.with_fixed_of(before)
        for name in after.settings():
            if getattr(after, name) != getattr(before, name):
                self.set_setting(name, getattr(after, name))

    def update_from_widget(self, name: str, part: str = "") -> None:
        """Change a setting to what its widget was just set to, and what follows from it: for ``on_change``."""
        if self.new_value(name, part) is None:
            return
        value = getattr(self.current_setup(), name)
        self.set_setting(name, getattr(self.memory.setup, name))  # as it was, for ``update`` to see the change
        self.update(**{name: value})
        self.memory.unconfirmed.pop(self.key(name, part), None)  # the browser shows it already

    def apply_preset(self) -> None:
        """Set all widgets as the chosen preset says: for ``on_change``."""
        if (name := self.new_value("preset")) in presets(self.page):
            self.apply(presets(self.page)[name].setup)

    def apply(self, setup: SetupT) -> None:
        """Set all widgets to a set-up; the layout, and what is hidden or locked, stay as they are: for ``on_click``."""
        shown = self.current_setup()
        asked = with_question(setup.with_layout_of(shown), self.memory.asks_first)
        self.set_all(asked.with_fixed_of(shown))

    def take_start(self) -> None:
        """Set the start to where the stage's map was clicked, rounded to what the map can resolve."""
        clicked = st.session_state[self.key("stage")].start
        if clicked is not None:
            self.update(start=(round(float(clicked[0]), 2), round(float(clicked[1]), 2)))

    # ---- widgets

    def widget_key(self, name: str, part: str = "") -> str:
        """The key for a widget of a setting. A widget that was not in the last run gets the setting's value."""
        memory, key = self.memory, self.key(name, part)
        memory.drawn.add(name)
        if key not in st.session_state:
            st.session_state[key] = memory.setup.settings()[name].to_widgets(getattr(memory.setup, name))[part]
        return key

    def shows(self, name: str) -> bool:
        """Whether the control of a setting, or a part of the page, is there: the link may hide it."""
        return not self.memory.setup.hides(name)

    def draw(
        self,
        name: str,
        widget: Callable[..., Any],
        label: str,
        *options: Any,
        part: str = "",
        key: str = "",
        disabled: bool = False,
        help: str | None = None,
        **more: Any,
    ) -> None:
        """Draw a widget of a setting: nothing where the link hides it, and without use where the link locks it.

        ``widget`` is Streamlit's function, and all but ``part`` is for it. ``key``: of a widget that does not hold the
        setting itself but changes it.
        """
        memory = self.memory
        if not key:
            memory.labels.setdefault(name, {})[part] = label
        if memory.setup.hides(name):
            return
        if memory.setup.fixes(name):
            disabled, help = True, f"{help} {LOCKED}" if help else LOCKED
        key = key or self.widget_key(name, part)
        widget(label, *options, key=key, disabled=disabled, help=help, **{**start_from(widget, key, *options), **more})

    def columns(self, names: Sequence[str]) -> Iterable[tuple[DeltaGenerator, str]]:
        """A column for each of these settings that is not hidden."""
        shown = [name for name in names if self.shows(name)]
        return zip(st.columns(len(shown)), shown, strict=True) if shown else ()

    def hold_undrawn(self, setup: SetupT) -> None:
        """Keep the value of each setting that has no widget in this run. Call it once all widgets are drawn.

        Streamlit drops the state of a widget that is not drawn; what is written to its key then is kept.
        """
        drawn = self.memory.drawn
        for name, kind in setup.settings().items():
            if name not in drawn and not kind.many:
                for part, held in kind.to_widgets(getattr(setup, name)).items():
                    st.session_state[self.key(name, part)] = held
        self.draw_set_count()

    def draw_set_count(self) -> None:
        """A hidden widget that holds how often the code has set a widget or the address, drawn after all others.

        The browser sends the number back with every event. If it is the newest, the browser has drawn all that was
        set; no clock is needed to know. In the first run of a session the number is only the default: a browser that
        keeps another was drawn by a session before this one, whose changes are lost.
        """
        memory, key = self.memory, self.key("sent")
        if memory.count_drawn:
            st.session_state[key] = memory.set_count
        count = st.number_input(
            "What the page was told", value="min" if memory.count_drawn else memory.set_count, key=key, step=1
        )
        if count != memory.set_count:
            st.toast(RECONNECTED, icon=":material/wifi_off:", duration="infinite")
        memory.count_drawn = True

    def set_derived(self, name: str, value: Any) -> None:
        """Set a widget whose value follows from the set-up or the data. Call it before the widget is drawn."""
        if st.session_state.get(self.key(name)) != value:
            self.set_widget(self.key(name), value)

    def preset(self, setup: SetupT) -> Preset | None:
        """The preset that a set-up is; None for one of the visitor's own."""
        return preset_of(self.page, setup)

    def show_look_for(self, setup: SetupT) -> None:
        """Say what to look for in the preset that is shown."""
        preset = self.preset(setup)
        if not setup.story and self.shows("look-for"):  # a story says that itself
            st.markdown(f":material/visibility: {preset.look_for if preset else 'Your own settings.'}", width="content")

    def choose_tab(self, name: str, label: str, tabs: Mapping[str, str]) -> None:
        """The tabs of a setting whose values are the keys of ``tabs``, and their names on the page its values."""
        look: dict[str, Any] = {"required": True, "format_func": tabs.__getitem__, "label_visibility": "collapsed"}
        self.draw(name, st.segmented_control, label, list(tabs), **look)
