"""The racers of a line-up: how a link spells them, and what each is called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from engine import OPTIMIZERS, SCHEDULES, ExpressionError, Optimizer
from engine.rule_text import EXAMPLE, parse_rule
from engine.rules import NAME as OWN_RULE
from engine.rules import TypedOptimizer
from engine.scheduled import Scheduled, can_follow, plain_rule, unscheduled
from engine.turned import AT, LATER, MAX_AT, TurnedOptimizer, afterwards, turnable, turned_at, unturned
from ui.setup.kinds import SEPARATOR, Kind, decode_number, encode_number, quoted
from ui.setup.plain import plain

MAX_RACERS = 12
RATE = "learning_rate"
NAMES = (*OPTIMIZERS, OWN_RULE)  # of what a line-up can hold
TURNED = "@"  # in a link, between a step and the knob that is turned there
CONSTANT = "constant"  # the learning rate without a schedule


@dataclass(frozen=True)
class Racers(Kind):
    """A line-up: a parameter for each racer, with its optimizer's name and the knobs that are not at their default.

    Behind the name stands its schedule, if it has one. Of the visitor's own rule its text stands between them. A knob
    that is turned in the middle of the run stands there once more, behind the step.
    """

    many: ClassVar[bool] = True

    def encode(self, value: Optimizer) -> str:
        """One racer as the text of a link, such as ``Adam, cosine~learning_rate~0.1``."""
        first = unturned(value)
        changed = [(k.name, getattr(first, k.name)) for k in first.knobs() if getattr(first, k.name) != k.default]
        changed += turned_knobs(value)
        plain = unscheduled(value)
        text = [plain.rule.text] if isinstance(plain, TypedOptimizer) else []
        knobs = (part for name, knob in changed for part in (name, encode_number(knob)))
        return SEPARATOR.join([first.name, *text, *knobs])

    def decode_all(self, texts: Sequence[str], notes: list[str]) -> tuple[Optimizer, ...] | None:
        """The line-up of a link, without the racers that are not known; None where there are no others."""
        racers = [racer for text in texts if (racer := decode_racer(text, notes)) is not None]
        if len(racers) > MAX_RACERS:
            notes.append(f"The link names {len(racers)} optimizers; the first {MAX_RACERS} are used.")
        if not racers:
            notes.append("No optimizer of the link could be read; those of the first preset are used.")
        return tuple(racers[:MAX_RACERS]) or None


def turned_knobs(racer: Optimizer) -> list[tuple[str, float]]:
    """The knobs of a racer that are turned in the middle of the run, each behind the step; the first where none is."""
    if not isinstance(racer, TurnedOptimizer):
        return []
    first, later = vars(unturned(racer)), vars(afterwards(racer))
    names = [one.name for one in turnable(racer.rule.rule)]
    turned = [name for name in names if later[name] != first[name]] or names[:1]
    return [(f"{encode_number(vars(racer)[AT])}{TURNED}{name}", later[name]) for name in turned]


def decode_racer(text: str, notes: list[str]) -> Optimizer | None:
    """The racer that one text of a link stands for; None, and a note, for an unknown optimizer."""
    given, *parts = text.split(SEPARATOR)
    name, _, schedule = given.partition(", ")
    if name not in NAMES:
        notes.append(f"There is no optimizer {quoted(given)}; it is left out. Choose from {', '.join(NAMES)}.")
        return None
    rule: Any
    if name == OWN_RULE:
        text, *parts = parts or [EXAMPLE]
        try:
            rule = parse_rule(text)
        except ExpressionError as error:
            notes.append(f"{name} is left out. {plain(str(error))} In a link, + is written %2B.")
            return None
    else:
        rule = OPTIMIZERS[name]
    if problem := problem_of_schedule(rule, schedule):
        notes.append(f"{name}: {problem} Its learning rate stays constant.")
    elif schedule not in ("", CONSTANT):
        rule = Scheduled(rule, SCHEDULES[schedule])
    knobs = {knob.name: knob for knob in rule.knobs()}
    changed: dict[str, float | bool] = {}
    if len(parts) % 2:
        notes.append(f"{name}: {quoted(parts[-1])} has no value; its default is used.")
    turned: list[tuple[str, str]] = []
    for knob_name, value in zip(parts[::2], parts[1::2], strict=False):
        if TURNED in knob_name:
            turned.append((knob_name, value))
            continue
        knob = knobs.get(knob_name)
        if knob is None:
            notes.append(f"{name} has no setting {quoted(knob_name)}; it is left out. It has {', '.join(knobs)}.")
            continue
        if knob_name in changed:
            notes.append(f"{name}: {knob_name} is given again; {quoted(value)} is left out.")
            continue
        number = decode_number(value)
        fits = number in (0.0, 1.0) if knob.is_switch else number is not None and knob.low <= number <= knob.high
        if number is None or not fits:
            between = "0 or 1" if knob.is_switch else f"a number from {knob.low:g} to {knob.high:g}"
            notes.append(f"{name}: {knob_name} {quoted(value)} is not {between}; {float(knob.default):g} is used.")
            continue
        changed[knob_name] = bool(number) if knob.is_switch else number
    return with_turn(rule(**changed), turned, notes)


def with_turn(racer: Optimizer, turned: Sequence[tuple[str, str]], notes: list[str]) -> Optimizer:
    """A racer with what a link turns in the middle of the run, as ``120@momentum`` and a number; a note on the rest."""
    knobs, later = {one.name: one for one in turnable(racer.rule)}, dict[str, float]()
    at: float | None = None
    for text, value in turned:
        before, _, name = text.partition(TURNED)
        step, number, knob = decode_number(before), decode_number(value), knobs.get(name)
        if step is None or not 0 <= step <= MAX_AT or at not in (None, step):
            notes.append(
                f"{racer.name}: {quoted(text)} is left out. Knobs are turned at one step, from 0 to {MAX_AT:g}."
            )
        elif knob is None:
            notes.append(f"{racer.name} has no {quoted(name)} to be turned; it is left out. It has {', '.join(knobs)}.")
        elif number is None or not knob.low <= number <= knob.high:
            fits = f"a number from {knob.low:g} to {knob.high:g}"
            notes.append(f"{racer.name}: {text} {quoted(value)} is not {fits}; it is left out.")
        else:
            at, later[f"{LATER}{name}"] = step, number
    if at is None:
        return racer
    begun = turned_at(racer, at)
    return begun.rule(**{**vars(begun), **later})


def problem_of_schedule(rule: Any, schedule: str) -> str:
    """Why a rule cannot follow the schedule of a name, in a sentence; "" where it can."""
    if schedule not in ("", CONSTANT, *SCHEDULES):
        return f"there is no schedule {quoted(schedule)}. Choose from {', '.join(SCHEDULES)}."
    if schedule in SCHEDULES and not can_follow(rule):
        return "its steps do not go by a learning rate, so they can follow no schedule."
    return ""


def usual_racer(name: str) -> Optimizer:
    """The optimizer of a name with its defaults; of the visitor's own rule, that of the example."""
    return parse_rule(EXAMPLE)() if name == OWN_RULE else OPTIMIZERS[name]()


def with_rate(racer: Optimizer, rate: float) -> Optimizer:
    """An optimizer with another learning rate; one that is turned keeps it where that was not turned."""
    stays = vars(racer).get(f"{LATER}{RATE}") == vars(racer)[RATE]
    return racer.rule(**{**vars(racer), RATE: rate, **({f"{LATER}{RATE}": rate} if stays else {})})


def has_rate(racer: Optimizer) -> bool:
    """Whether it has a learning rate: a rule that was typed may have none."""
    return RATE in vars(racer)


def without_rate(setup: Any) -> str:
    """That some racers have no learning rate to be varied, in a sentence; "" where all have one."""
    names = [name for name, racer in zip(names_in(setup), setup.racers, strict=True) if not has_rate(racer)]
    if not names:
        return ""
    who = f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} left out"
    return f"{who}: a rule has a learning rate where a line declares it, as a = 0.1 [1e-5, 1]."


def rule_names(racers: Sequence[Optimizer]) -> dict[Any, str]:
    """A name for each rule of a line-up, told apart by a number where two rules were typed."""
    typed = dict.fromkeys(rule for racer in racers if (rule := plain_rule(racer.rule)).name == OWN_RULE)
    number = {rule: f" ({i})" for i, rule in enumerate(typed, 1) if i > 1}
    found: dict[Any, str] = {}
    for racer in racers:
        rule = plain_rule(racer.rule)
        found[racer.rule] = racer.name.replace(rule.name, f"{rule.name}{number.get(rule, '')}", 1)
    return found


def names_in(setup: Any) -> list[str]:
    """A name for each racer of a set-up, without its knobs where the link hides those."""
    return racer_names(setup.racers, told=not setup.hides("racers"))


def racer_names(racers: Sequence[Optimizer], told: bool = True) -> list[str]:
    """A name for each racer: its optimizer's, and where that runs more than once the knobs that tell them apart.

    A switch is named where it is not as usual: "Adam" and "Adam without bias correction". ``told``: whether the knobs
    may be; without them such racers are "Adam" and "Adam (2)".
    """
    found = []
    for racer in racers if told else ():
        alike = [other for other in racers if other.rule == racer.rule]
        knobs = [knob for knob in racer.knobs() if len({getattr(other, knob.name) for other in alike}) > 1]
        numbers = [
            f"{getattr(racer, knob.name):g}"
            if knob.name == RATE
            else f"{knob.name.replace('_', ' ')} {getattr(racer, knob.name):g}"
            for knob in knobs
            if not knob.is_switch
        ]
        switches = [knob.changed for knob in knobs if knob.is_switch and getattr(racer, knob.name) != knob.default]
        found.append(" ".join(part for part in (racer.name, ", ".join(numbers), ", ".join(switches)) if part))
    found = found if told else [racer.name for racer in racers]
    count: Counter[str] = Counter()
    for i, name in enumerate(found):
        count[name] += 1
        if found.count(name) > 1:
            found[i] = f"{name} ({count[name]})" if count[name] > 1 else name
    return found


def racers_with_rates(rates: dict[str, float]) -> tuple[Optimizer, ...]:
    """A line-up by name, each with a learning rate of its own and its other knobs at their defaults."""
    return tuple(OPTIMIZERS[name](learning_rate=rate) for name, rate in rates.items())  # type: ignore[call-arg]
