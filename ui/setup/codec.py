"""A page's whole set-up, and the link that carries it.

A set-up is a frozen dataclass whose fields are made by ``setting``; each says how a link spells it and which values it
accepts. A link is the query part of the page's address: readable, one query parameter for each setting, and a note for
each value that is not accepted. How the page is laid out is in it only where it is not as usual.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from typing import Any, Self, TypeVar

from ui.setup.kinds import ClassCode, Kind, StoryName, Switch, Whole, quoted
from ui.setup.questions.link import Ask, problem_of
from ui.setup.stories import STEPS, library

MAX_NOTES = 12
MIN_SIMILARITY = 0.8  # difflib's ratio from which on an unknown name is taken for a misspelt setting
Query = Mapping[str, Sequence[str]]


def setting(kind: Kind, default: Any, *, view_only: bool = False, layout: bool = False, optional: bool = False) -> Any:
    """A field of a set-up. ``view_only``: it decides what is in view, and nothing of what is computed.

    ``layout``: it decides nothing but how that is laid out, so presets leave it as it is. ``optional``: a link names it
    only where it is not as usual; so it is with the layout.
    """
    marks = {"view_only": view_only or layout, "layout": layout, "optional": optional or layout}
    return field(default=default, metadata={"kind": kind, **marks})


@dataclass(frozen=True)
class Setup:
    """Everything that decides what a page shows. Each page has one, made of ``setting`` fields."""

    lecture: bool = setting(Switch(), False, layout=True)  # for a projector: larger, and without the sidebar
    ask: str = setting(Ask(), "", view_only=True, optional=True)  # a question to answer before the run is shown
    story: str = setting(StoryName(("", *library().stories)), "", layout=True)  # that the page is shown in
    step: int = setting(Whole(1, STEPS[1] + 1), 1, layout=True)  # of it; that after the last: its questions
    class_code: str = setting(ClassCode(param="class"), "", layout=True)  # of the class that the visitor is in

    @classmethod
    def settings(cls) -> dict[str, Kind]:
        """The kind of each setting, by the setting's name."""
        return {f.name: f.metadata["kind"] for f in fields(cls)}

    def without_view(self) -> Self:
        """This set-up with every ``view_only`` setting at its default."""
        usual: dict[str, Any] = {f.name: f.default for f in fields(self) if f.metadata["view_only"]}
        return replace(self, **usual)

    @classmethod
    def layout(cls) -> list[str]:
        """The settings that decide how the page is laid out."""
        return [f.name for f in fields(cls) if f.metadata["layout"]]

    @classmethod
    def optional(cls) -> list[str]:
        """The settings that a link names only where they are not as usual."""
        return [f.name for f in fields(cls) if f.metadata["optional"]]

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
    if setup.ask and (problem := problem_of(setup)):
        notes.append(f"ask {quoted(setup.ask)} cannot be asked here: {problem} No question is asked.")
        setup = replace(setup, ask="")
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


def resembles_a_setting(name: str) -> bool:
    """Whether a name is that of a setting of some page, perhaps misspelt.

    All other names get no note: mail programs, advertisements, search engines and social networks add parameters of
    their own to an address that is passed on.
    """
    known = {param_name(own, kind).casefold() for page in descendants(Setup) for own, kind in page.settings().items()}
    return bool(get_close_matches(name.casefold(), known, 1, MIN_SIMILARITY))


def descendants(cls: type[Setup]) -> list[type[Setup]]:
    """All classes of set-ups that are made from one."""
    return [one for child in cls.__subclasses__() for one in (child, *descendants(child))]
