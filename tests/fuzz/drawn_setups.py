"""What hypothesis draws for links: values of each kind of setting, and queries that hold anything."""

import string
from functools import cache

from hypothesis import strategies as st

from engine import OPTIMIZERS, SCHEDULES
from engine.painted import SIDE
from engine.rule_known import text_of
from engine.rule_text import EXAMPLE
from engine.rules import NAME as OWN_RULE
from engine.scheduled import Scheduled
from ui.setup.codec import param_name
from ui.setup.kinds import (
    CODE_LENGTH,
    CODE_LETTERS,
    SEPARATOR,
    Choice,
    ClassCode,
    Formula,
    Kind,
    Names,
    Number,
    Point,
    Switch,
    Text,
    Whole,
    encode_number,
)
from ui.setup.landscapes import Painting, TurnedKnobs
from ui.setup.pages import SETUPS
from ui.setup.questions.link import QUESTIONS, Ask
from ui.setup.racers import Racers

RULES = list(OPTIMIZERS.values())
NAMES = sorted({param_name(name, kind) for setup in SETUPS.values() for name, kind in setup.settings().items()})
FORMULAS = ["x^2", "sin x", "2 x", "x^2 + 1", "x^2 1", "|x|", "1/x", "x²", "e^(-x)", "sqrt x", "f(x) = x", "x y", "("]
# text as an address can hold it: half a character cannot be written there
characters = st.characters(exclude_categories=["Cs"])
words = st.text(characters, max_size=12)
spelled = st.sampled_from(
    ["", " ", "nan", "-inf", "1e999", "0x10", "1_0", "٣", "1,5", "-0", "+1", "1e-400", "true", "☃"]
)
markup = st.sampled_from(["<img src=x onerror=a()>", "[a](//b.c)", "![p](//b.c/a.png)", "`a`", "$x$ :red[a]", "a\nb"])
long = st.builds(str.__mul__, characters, st.sampled_from([61, 201, 5000]))
hostile = st.one_of(words, spelled, markup, long)


def numbers(low, high):
    """Numbers of a range, its ends and round ones among them."""
    round_ones = st.floats(low, high, allow_subnormal=False).map(lambda x: min(max(float(f"{x:.2g}"), low), high))
    return st.one_of(
        st.floats(low, high, allow_subnormal=False), round_ones, st.sampled_from([float(low), float(high)])
    )


def knob(knob):
    """What a knob can be turned to."""
    if knob.is_switch:
        return st.booleans()
    if not knob.log:
        return numbers(knob.low, knob.high)
    shares = numbers(0, 1).map(lambda share: knob.low * (knob.high / knob.low) ** share)
    return shares.map(lambda value: min(max(value, knob.low), knob.high))


# of each optimizer, some of its knobs by name, as they are turned
turned = {
    rule: st.fixed_dictionaries({}, optional={one.name: knob(one) for one in rule.knobs()})
    for rule in [*RULES, *(Scheduled(RULES[0], schedule) for schedule in SCHEDULES.values())]
}


def racer_text(name, knobs):
    """A racer as a link has it."""
    return SEPARATOR.join([name, *(part for knob, value in knobs.items() for part in (knob, encode_number(value)))])


# texts of a rule that is typed, with a slip in some of them
typed_texts = st.sampled_from(
    [EXAMPLE, "x = x - a g", "b = 0.5 [0, 1]\nx = x - b g / (norm(g) + f t)", *filter(None, map(text_of, OPTIMIZERS))]
)
slip = st.sampled_from(["", "\n", "=", "0", "[", "(", "#", "~", "x", "☃", "\0", "e9"])
slipped = st.builds(lambda text, at, sign: text[:at] + sign + text[at + 1 :], typed_texts, st.integers(0, 80), slip)
racer_texts = st.one_of(
    st.builds(
        lambda text, more: SEPARATOR.join([OWN_RULE, text, *more]),
        st.one_of(typed_texts, slipped, hostile),
        st.lists(st.one_of(st.sampled_from(["learning_rate", "b", "0.1"]), hostile), max_size=2),
    ),
    *(st.builds(racer_text, st.just(rule.name), knobs) for rule, knobs in turned.items()),
    st.builds(
        lambda name, parts: SEPARATOR.join([name, *parts]),
        st.one_of(st.sampled_from([*OPTIMIZERS, *map(str.lower, OPTIMIZERS)]), words),
        st.lists(
            st.one_of(st.sampled_from(["learning_rate", "momentum", "0.1", "1", "-3", "nan"]), hostile), max_size=4
        ),
    ),
)
runner_names = st.one_of(st.sampled_from([*OPTIMIZERS, "", "1", "2", "12", "1.5", "1e400", "Adam 0.5"]), words)
offers = st.lists(words, max_size=8)
question_texts = st.one_of(
    st.just(""),
    st.builds(
        lambda word, parts: SEPARATOR.join([word, *parts]),
        st.one_of(st.sampled_from(list(QUESTIONS)), words),
        st.lists(st.one_of(runner_names, st.sampled_from(["1", "20", "60", "61", "1e9"])), max_size=3),
    ),
    st.builds(lambda words, offered: SEPARATOR.join(["own", words, *offered]), hostile, offers),
    st.builds(lambda letter, size: f"own~{letter * size}?~a~b", characters, st.sampled_from([158, 159, 160])),
)


PAINTINGS = [letters * SIDE * SIDE for letters in ("aa", "-_", "Qz")]


def fitting(page, kind: Kind):
    """Texts of a link for a setting, nearly all of which fit."""
    match kind:
        case Switch():
            return st.sampled_from(["0", "1"])
        case Point():
            return st.tuples(*[numbers(-kind.max_abs, kind.max_abs).map(repr)] * 2).map(SEPARATOR.join)
        case Number():
            return numbers(kind.low, kind.high).map(encode_number)
        case Whole():
            few = st.integers(kind.low, min(kind.low + 20, kind.high))
            return st.one_of(few, st.integers(kind.low, kind.high)).map(str)
        case ClassCode():
            return st.one_of(st.just(""), st.text(CODE_LETTERS, min_size=CODE_LENGTH, max_size=CODE_LENGTH))
        case Formula():
            return st.one_of(st.sampled_from(FORMULAS), st.text("x+-*/^()|0123. eπ", max_size=12), hostile)
        case Text():
            return st.text(characters, max_size=kind.max_length)
        case Names():
            known = [*SETUPS[page].controls(), *SETUPS[page].parts]
            some = st.lists(st.one_of(st.sampled_from(known), st.sampled_from(NAMES), words), max_size=8)
            return some.map(SEPARATOR.join)
        case TurnedKnobs():
            each = st.fixed_dictionaries({}, optional={name: knob(one) for name, one in kind.knobs.items()})
            return each.map(lambda some: kind.encode(tuple(some.items())))
        case Painting():
            return st.one_of(st.just(""), st.sampled_from(PAINTINGS), hostile)
        case Racers():
            return racer_texts
        case Ask():
            return question_texts
        case Choice():
            return st.sampled_from(list(kind.options))
    raise NotImplementedError(f"Say what hypothesis draws for a {type(kind).__name__}.")


@cache
def queries(page, *, broken=True):
    """Queries of a page: settings with values that fit; ``broken``: others too, given twice, and with other names."""
    settings = {}
    for name, kind in SETUPS[page].settings().items():
        texts = fitting(page, kind)
        if broken:
            texts = st.one_of(texts, texts, texts, slips(texts), hostile)
        most = 4 if kind.many else 2 if broken else 1
        settings[param_name(name, kind)] = st.lists(texts, min_size=1, max_size=most)
    drawn = st.fixed_dictionaries({}, optional=settings)
    if not broken:
        return drawn
    names = st.one_of(st.sampled_from(NAMES), slips(st.sampled_from(NAMES)), hostile)
    others = st.dictionaries(names, st.lists(hostile, min_size=1, max_size=2), max_size=2)
    return st.builds(lambda some, more: {**more, **some}, drawn, others)


def slips(texts):
    """The texts with a slip of the hand in each: a character left out, doubled or another."""
    signs = st.sampled_from(["", *string.digits, *".-~e ", "\n", "☃"])
    return st.builds(lambda text, at, sign: text[:at] + sign + text[at + 1 :], texts, st.integers(0, 12), signs)
