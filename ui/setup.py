"""A race's whole set-up, and the link that carries it.

A link is the query part of the page's address: readable, with one ``racer`` for each in the line-up, its name and then
the knobs that differ from its defaults: ``?landscape=Ackley&start=4~4&steps=200&racer=Adam~learning_rate~0.01``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from engine import LANDSCAPES, OPTIMIZERS, Landscape, Optimizer
from engine.notebook import REPLAYS

MOST_RACERS, MOST_STEPS, MOST_NOTES = 12, 2000, 12
VIEWS = ("usual", "wide")
LOSS_AXES = ("linear", "log")
NO_REPLAY = "none"
REPLAY_GROUND = "Ackley"  # where the notebook ran
FARTHEST = 1000.0  # a start may be so far from 0
SEPARATOR = "~"  # stays itself in an address

Query = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Setup:
    """Everything that decides what a race looks like."""

    racers: tuple[Optimizer, ...]
    landscape: str = "Ackley"
    view: str = "usual"
    start: tuple[float, float] = (4.0, 4.0)
    steps: int = 200
    loss: str = "linear"
    replay: str = NO_REPLAY

    @property
    def ground(self) -> Landscape:
        return LANDSCAPES[self.landscape]


def number(value: float) -> str:
    """A number as short as it can be said, and read back as the same number."""
    return repr(int(value)) if float(value).is_integer() and abs(value) < 1e6 else repr(float(value))


def encode(setup: Setup) -> dict[str, list[str]]:
    """A set-up as a query: name to values."""
    return {
        "landscape": [setup.landscape],
        "view": [setup.view],
        "start": [SEPARATOR.join(map(number, setup.start))],
        "steps": [str(setup.steps)],
        "loss": [setup.loss],
        "replay": [setup.replay],
        "racer": [encode_racer(racer) for racer in setup.racers],
    }


def encode_racer(racer: Optimizer) -> str:
    turned = ((k.name, getattr(racer, k.name)) for k in racer.knobs() if getattr(racer, k.name) != k.default)
    return SEPARATOR.join([racer.name, *(part for name, value in turned for part in (name, number(value)))])


def decode(query: Query, default: Setup) -> tuple[Setup, list[str]]:
    """A query as a set-up, and a note for each value that could not be taken and what stands in for it."""
    parts = encode(default)
    notes = [
        f"{name} is given {len(values)} times; the first, {quoted(values[0])}, is used."
        for name, values in query.items()
        if len(values) > 1 and name in parts and name != "racer"
    ]

    def one_of(name: str, choices: Sequence[str], fallback: str) -> str:
        value = query.get(name, [fallback])[0]
        if value in choices:
            return value
        notes.append(f"{name} {quoted(value)} is not one of {', '.join(choices)}; {fallback} is used.")
        return fallback

    landscape = one_of("landscape", tuple(LANDSCAPES), default.landscape)
    usual_start = default.start if landscape == default.landscape else next(iter(LANDSCAPES[landscape].places.values()))
    start = usual_start
    if "start" in query:
        point = [finite(part) for part in query["start"][0].split(SEPARATOR)]
        if len(point) == 2 and all(c is not None and abs(c) <= FARTHEST for c in point):
            start = (point[0] or 0.0, point[1] or 0.0)
        else:
            notes.append(
                f"start {quoted(query['start'][0])} is not two numbers like 4~4, each from {-FARTHEST:g} to "
                f"{FARTHEST:g}; {SEPARATOR.join(map(number, usual_start))} is used."
            )
    steps = default.steps
    if "steps" in query:
        value = finite(query["steps"][0])
        if value is not None and value.is_integer() and 1 <= value <= MOST_STEPS:
            steps = int(value)
        else:
            notes.append(
                f"steps {quoted(query['steps'][0])} is not a whole number from 1 to {MOST_STEPS}; {steps} is used."
            )
    racers = []
    for text in query.get("racer", []):
        racer = decode_racer(text, notes)
        if racer is not None:
            racers.append(racer)
    if len(racers) > MOST_RACERS:
        notes.append(f"The link names {len(racers)} racers; the first {MOST_RACERS} are used.")
    if not racers and "racer" in query:
        notes.append("No racer of the link could be read; the usual line-up is used.")
    setup = Setup(
        racers=tuple(racers[:MOST_RACERS]) or default.racers,
        landscape=landscape,
        view=one_of("view", VIEWS, default.view),
        start=start,
        steps=steps,
        loss=one_of("loss", LOSS_AXES, default.loss),
        replay=one_of("replay", (NO_REPLAY, *REPLAYS), default.replay),
    )
    unknown = [name for name in query if name not in parts and not name.startswith("embed")]
    if unknown:
        known, more = ", ".join(parts), f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
        notes.append(
            f"The link says {', '.join(map(quoted, unknown[:5]))}{more}, which this page does not know. "
            f"It knows {known}."
        )
    if len(notes) > MOST_NOTES:
        notes[MOST_NOTES:] = [f"And {len(notes) - MOST_NOTES} more."]
    return setup, notes


def decode_racer(text: str, notes: list[str]) -> Optimizer | None:
    name, *parts = text.split(SEPARATOR)
    if name not in OPTIMIZERS:
        notes.append(f"There is no optimizer {quoted(name)}; it is left out. Choose from {', '.join(OPTIMIZERS)}.")
        return None
    rule = OPTIMIZERS[name]
    knobs = {knob.name: knob for knob in rule.knobs()}
    turned: dict[str, float | bool] = {}
    if len(parts) % 2:
        notes.append(f"{name}: {quoted(parts[-1])} has no value; its default is used.")
    for knob_name, value in zip(parts[::2], parts[1::2], strict=False):
        knob = knobs.get(knob_name)
        if knob is None:
            notes.append(f"{name} has no knob {quoted(knob_name)}; it is left out. It has {', '.join(knobs)}.")
            continue
        if knob_name in turned:
            notes.append(f"{name}: {knob_name} is given again; {quoted(value)} is left out.")
            continue
        turn = finite(value)
        fits = turn in (0.0, 1.0) if knob.is_switch else turn is not None and knob.low <= turn <= knob.high
        if turn is None or not fits:
            between = "0 or 1" if knob.is_switch else f"a number from {knob.low:g} to {knob.high:g}"
            notes.append(f"{name}: {knob_name} {quoted(value)} is not {between}; {float(knob.default):g} is used.")
            continue
        turned[knob_name] = bool(turn) if knob.is_switch else turn
    return rule(**turned)


def finite(text: str) -> float | None:
    """The number a text says, or None for any other text, infinity and nan among them."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def quoted(text: str) -> str:
    """A visitor's own text, short, on one line and as plain text: markdown reads nothing in it."""
    clean = "".join(c if c.isprintable() and c != "`" else " " for c in text)
    return f"`{clean[:40] + ('…' if len(clean) > 40 else '')}`" if clean.strip() else "(empty)"


def names(racers: Sequence[Optimizer]) -> list[str]:
    """A name for each racer: its optimizer's, and where that runs more than once the knobs that tell them apart."""
    found = []
    for racer in racers:
        alike = [other for other in racers if other.name == racer.name]
        knobs = [f.name for f in fields(racer) if len({getattr(other, f.name) for other in alike}) > 1]  # type: ignore[arg-type]
        parts = [
            f"{getattr(racer, knob):g}"
            if knob == "learning_rate"
            else f"{knob.replace('_', ' ')} {getattr(racer, knob):g}"
            for knob in knobs
        ]
        found.append(" ".join([racer.name, ", ".join(parts)]).strip())
    count: Counter[str] = Counter()
    for i, name in enumerate(found):
        count[name] += 1
        if found.count(name) > 1:
            found[i] = f"{name} ({count[name]})" if count[name] > 1 else name
    return found
