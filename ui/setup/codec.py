"""A page's whole set-up, and the link that carries it.

A set-up is a frozen dataclass whose fields are made by ``setting``; each says how a link spells it and which values it
accepts. A link is the query part of the page's address: readable, one query parameter for each setting, and a note for
each value that is not accepted. How the page is laid out is in it only where it is not as usual.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Any, ClassVar, Self, TypeVar

from ui.setup.kinds import ClassCode, Kind, Names, StoryName, Switch, Text, Whole, quoted
from ui.setup.parts import EVERYWHERE, Part
from ui.setup.questions.link import Ask, problem_of
from ui.setup.stories import STEPS, library

MAX_NOTES = 12
MAX_TITLE = 60  # letters
MIN_SIMILARITY = 0.8  # difflib's ratio from which on an unknown name is taken for a misspelt setting
Query = Mapping[str, Sequence[str]]


def setting(
    kind: Kind,
    default: Any,
    *,
    view_only: bool = False,
    layout: bool = False,
    optional: bool = False,
    control: bool = True,
) -> Any:
    """A field of a set-up. ``view_only``: it decides what is in view, and nothing of what is computed.

    ``layout``: it decides nothing but how that is laid out, so presets leave it as it is. ``optional``: a link names it
    only where it is not as usual; so it is with the layout. ``control``: the page has a control for it, which a link
    may hide or lock.
    """
    marks = {"view_only": view_only or layout, "layout": layout, "optional": optional or layout, "control": control}
    return field(default=default, metadata={"kind": kind, **marks})


@dataclass(frozen=True)
class Setup:
    """Everything that decides what a page shows. Each page has one, made of ``setting`` fields."""

    lecture: bool = setting(Switch(), False, layout=True)  # for a projector: larger, and without the sidebar
    ask: str = setting(Ask(), "", view_only=True, optional=True)  # a question to answer before the run is shown
    # that the page is shown in, and which of its steps; that after the last: its questions
    story: str = setting(StoryName(("", *library().stories)), "", layout=True, control=False)
    step: int = setting(Whole(1, STEPS[1] + 1), 1, layout=True, control=False)
    # of the class that the visitor is in
    class_code: str = setting(ClassCode(param="class"), "", layout=True, control=False)
    # what a teacher hides or locks on a page that is handed out: settings as a link calls them, and parts of the page
    hide: tuple[str, ...] = setting(Names(), (), layout=True, control=False)
    lock: tuple[str, ...] = setting(Names(), (), layout=True, control=False)
    title: str = setting(Text(MAX_TITLE), "", layout=True, control=False)  # in the teacher's own words

    parts: ClassVar[Mapping[str, Part]] = EVERYWHERE  # of the page, that can be hidden

    @classmethod
    @cache
    def settings(cls) -> dict[str, Kind]:
        """The kind of each setting, by the setting's name."""
        return {f.name: f.metadata["kind"] for f in fields(cls)}

    def without_view(self) -> Self:
        """This set-up with every ``view_only`` setting at its default."""
        usual: dict[str, Any] = {f.name: f.default for f in fields(self) if f.metadata["view_only"]}
        return replace(self, **usual)

    @classmethod
    @cache
    def layout(cls) -> list[str]:
        """The settings that decide how the page is laid out."""
        return [f.name for f in fields(cls) if f.metadata["layout"]]

    @classmethod
    @cache
    def optional(cls) -> list[str]:
        """The settings that a link names only where they are not as usual."""
        return [f.name for f in fields(cls) if f.metadata["optional"]]

    @classmethod
    @cache
    def controls(cls) -> dict[str, str]:
        """The settings that have a control, by what a link calls each."""
        return {param_name(f.name, f.metadata["kind"]): f.name for f in fields(cls) if f.metadata["control"]}

    def hides(self, name: str) -> bool:
        """Whether a setting's control, or a part of the page, is not to be there."""
        return bool(self.hide) and self.link_name(name) in self.hide

    def fixes(self, name: str) -> bool:
        """Whether a setting is not to be changed by whoever sees the page: hidden, or locked."""
        return self.hides(name) or (bool(self.lock) and self.link_name(name) in self.lock)

    @classmethod
    def link_name(cls, name: str) -> str:
        """What a link calls a setting, or a part."""
        kind = cls.settings().get(name)
        return param_name(name, kind) if kind else name

    @property
    def hides_run(self) -> bool:
        """Whether something is hidden that the data of the run, or a program that makes it, would tell."""
        computed = {param_name(f.name, f.metadata["kind"]) for f in fields(self) if not f.metadata["view_only"]}
        return any(name in computed or (name in self.parts and self.parts[name].tells) for name in self.hide)

    def without_unfit(self, notes: list[str]) -> Self:
        """This set-up without what does not fit the rest of it, such as what tells what it hides; a note for each."""
        return self

    def with_fixed_of(self, other: Self) -> Self:
        """This set-up, with what another hides or locks as it is there."""
        kept = self
        for name in other.settings() if other.hide or other.lock else ():
            if other.fixes(name) and getattr(kept, name) != getattr(other, name):
                kept = kept.with_setting(name, getattr(other, name))
        return kept

    def with_layout_of(self, other: Self) -> Self:
        """This set-up, laid out as another."""
        return replace(self, **{name: getattr(other, name) for name in self.layout()})

    def with_setting(self, name: str, value: Any) -> Self:
        """This set-up with one setting changed, and the settings that follow from it."""
        return replace(self, **{name: value})

    def notes_on_unused(self, given: Collection[str]) -> list[str]:
        """A note for each setting ``given`` in a link that has no effect, because of one that is not given."""
        alone = "step" in given and "story" not in given
        return [f"{quoted('step')} is looked at only in a story, and the link names none."] if alone else []


SetupT = TypeVar("SetupT", bound=Setup)


def param_name(name: str, kind: Kind) -> str:
    """What the query parameter of a setting is called."""
    return kind.param or name


def params(page: type[Setup], names: Collection[str]) -> set[str]:
    """What the query parameters of some settings are called."""
    return {param_name(name, kind) for name, kind in page.settings().items() if name in names}


def encode(setup: Setup) -> dict[str, list[str]]:
    """A set-up as a query: the values of each parameter, by its name.

    Every setting is in it, but the optional ones only where they are not as usual.
    """
    query = {}
    usual = type(setup)()
    for name, kind in setup.settings().items():
        value = getattr(setup, name)
        if name in setup.optional() and value == getattr(usual, name):
            continue
        query[param_name(name, kind)] = [kind.encode(one) for one in value] if kind.many else [kind.encode(value)]
    return query


def decode(query: Query, default: SetupT) -> tuple[SetupT, list[str]]:
    """A query as a set-up: the default, changed by what is given. Never raises.

    The second result has a note for each value that was not accepted, and says what is used in its place.
    """
    known = {param_name(name, kind): kind for name, kind in default.settings().items()}
    notes = [
        f"{name} is given {len(values)} times; the first, {quoted(values[0])}, is used."
        for name, values in query.items()
        if len(values) > 1 and name in known and not known[name].many
    ]
    # ``encode`` gives every setting but the optional ones, and people never do
    by_encode = known.keys() - params(type(default), default.optional()) <= query.keys()
    setup = default
    for name, kind in default.settings().items():
        param, usual = param_name(name, kind), getattr(setup, name)
        if param not in query:
            continue
        if kind.many:
            value = kind.decode_all(query[param], notes)
        else:
            text = query[param][0] if by_encode else kind.clean_handwritten(param, query[param][0], notes)
            value = kind.decode(text)
            if value is None:
                notes.append(f"{param} {quoted(text)} is not {kind.accepts}; {quoted(kind.encode(usual))} is used.")
        if value is not None and value != usual:
            setup = setup.with_setting(name, value)
    given = [name for name, kind in default.settings().items() if param_name(name, kind) in query]
    notes += setup.notes_on_unused(given)
    if not setup.story:  # its own link would name a step of none
        setup = replace(setup, step=1)
    if setup.ask and (problem := problem_of(setup)):
        notes.append(f"ask {quoted(setup.ask)} cannot be asked here: {problem} No question is asked.")
        setup = replace(setup, ask="")
    setup = with_known_names(setup, notes).without_unfit(notes)
    unknown = [name for name in query if name not in known and resembles_a_setting(name)]
    if unknown:
        more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
        notes.append(
            f"The link says {', '.join(map(quoted, unknown[:5]))}{more}, which this page does not know. "
            f"It knows {', '.join(known)}."
        )
    if len(notes) > MAX_NOTES:
        notes[MAX_NOTES:] = [f"And {len(notes) - MAX_NOTES} more."]
    return setup, notes


def with_known_names(setup: SetupT, notes: list[str]) -> SetupT:
    """A set-up that hides and locks what there is on its page, with a note for each name that there is not.

    Of each stage one view stays.
    """
    controls, parts = setup.controls(), setup.parts
    known = {"hide": [*controls, *parts], "lock": [*controls]}
    for word, there in known.items():
        for name in getattr(setup, word):
            if name in there:
                continue
            if word == "lock" and name in parts:
                notes.append(f"lock: {quoted(name)} is no setting; hide it instead.")
                continue
            near = get_close_matches(name.casefold(), there, 1)
            meant = f"Is {near[0]} meant?" if near else f"It may name: {', '.join(there)}."
            notes.append(f"{word}: there is no {quoted(name)} on this page. {meant}")
    hide = tuple(name for name in setup.hide if name in known["hide"])
    for stage in dict.fromkeys(part.stage for part in parts.values() if part.stage):
        views = [name for name, part in parts.items() if part.stage == stage]
        if set(views) <= set(hide):
            notes.append(f"hide: one view of the picture stays, {views[0]}. Hide the others only.")
            hide = tuple(name for name in hide if name != views[0])
    return replace(setup, hide=hide, lock=tuple(name for name in setup.lock if name in known["lock"]))


@lru_cache(maxsize=1024)
def resembles_a_setting(name: str) -> bool:
    """Whether a name is that of a setting of some page, perhaps misspelt.

    All other names get no note: mail programs, advertisements, search engines and social networks add parameters of
    their own to an address that is passed on.
    """
    known = {param_name(own, kind).casefold() for page in descendants(Setup) for own, kind in page.settings().items()}
    name = name.casefold()
    return name in known or bool(get_close_matches(name, known, 1, MIN_SIMILARITY))  # which takes half a millisecond


def descendants(cls: type[Setup]) -> list[type[Setup]]:
    """All classes of set-ups that are made from one."""
    return [one for child in cls.__subclasses__() for one in (child, *descendants(child))]
