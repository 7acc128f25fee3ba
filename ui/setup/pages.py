"""The set-up of each page: what can be set there, and what it opens with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

from engine import LANDSCAPES, OPTIMIZERS, ExpressionError, Landscape, Optimizer, parse
from engine.notebook import REPLAYS
from engine.slopes import points
from ui.setup.codec import Setup, setting
from ui.setup.kinds import SEPARATOR, Choice, Formula, Kind, Number, Point, Whole, finite, number, quoted

MOST_RACERS, MOST_STEPS = 12, 2000
VIEWS = ("usual", "wide")
LOSS_AXES = ("linear", "log")
NO_REPLAY = "none"
SHOWN = ("race", "rates", "basins", "fair")  # what the Ackley Race shows
MOST_COARSE, MOST_FINE = 16, 256
LEAST_RATE, MOST_RATE = 1e-5, 1.0
REPLAY_GROUND = "Ackley"  # where the notebook ran
FARTHEST = 1000.0  # a start may be so far from 0
MOST_EXAMPLES, MOST_ITERATIONS = 1000, 5000
PARTS = ("ends", "iterations", "batch", "curvature", "seeds")  # what 2D Regression shows below its picture


@dataclass(frozen=True)
class Racers(Kind):
    """A line-up: each optimizer's name, and then the knobs that differ from its defaults."""

    many: ClassVar[bool] = True

    def say(self, value: Optimizer) -> str:
        turned = ((k.name, getattr(value, k.name)) for k in value.knobs() if getattr(value, k.name) != k.default)
        return SEPARATOR.join([value.name, *(part for name, turn in turned for part in (name, number(turn)))])

    def hear_all(self, texts: Sequence[str], notes: list[str]) -> tuple[Optimizer, ...] | None:
        racers = [racer for text in texts if (racer := racer_of(text, notes)) is not None]
        if len(racers) > MOST_RACERS:
            notes.append(f"The link names {len(racers)} racers; the first {MOST_RACERS} are used.")
        if not racers:
            notes.append("No racer of the link could be read; the usual line-up is used.")
        return tuple(racers[:MOST_RACERS]) or None


def racer_of(text: str, notes: list[str]) -> Optimizer | None:
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


def with_rates(rates: dict[str, float]) -> tuple[Optimizer, ...]:
    """A line-up by name, each with a learning rate of its own and its other knobs at their defaults."""
    return tuple(OPTIMIZERS[name](learning_rate=rate) for name, rate in rates.items())  # type: ignore[call-arg]


# each well over the dents of Ackley's function
ADAPTIVE = {"AdaGrad": 0.7, "RMSProp": 0.1, "Adam": 0.5, "AdamW": 0.5, "AMSGrad": 0.1, "NAdam": 0.5, "Lion": 0.05}
TEN = with_rates({"SGD": 0.1, "Momentum": 0.07, "Nesterov": 0.05, **ADAPTIVE})
# each as the bowl's curvature lets it
FOUR = with_rates({"SGD": 0.0001, "Momentum": 2e-05, "RMSProp": 0.1, "Adam": 0.3})


@dataclass(frozen=True)
class RaceSetup(Setup):
    """A race over a landscape, on the Ackley Race page."""

    landscape: str = setting(Choice(tuple(LANDSCAPES)), "Ackley")
    view: str = setting(Choice(VIEWS), "usual", looks=True)
    start: tuple[float, float] = setting(Point(FARTHEST), (4.0, 4.0))
    steps: int = setting(Whole(1, MOST_STEPS), 200)
    loss: str = setting(Choice(LOSS_AXES), "linear", looks=True)
    replay: str = setting(Choice((NO_REPLAY, *REPLAYS)), NO_REPLAY)
    racers: tuple[Optimizer, ...] = setting(Racers(link="racer"), TEN)
    show: str = setting(Choice(SHOWN), "race", looks=True)
    points: int = setting(Whole(MOST_COARSE, MOST_FINE), 96, looks=True)  # per side of a map of basins
    shared_rate: float = setting(Number(LEAST_RATE, MOST_RATE), 0.05, looks=True)  # of all, in the fair race

    @property
    def ground(self) -> Landscape:
        return LANDSCAPES[self.landscape]

    def with_(self, name: str, value: Any) -> Self:
        if name != "landscape":
            return super().with_(name, value)
        # another landscape has other places worth starting from
        start = next(iter(LANDSCAPES[value].places.values()))
        return replace(self, landscape=value, start=start, replay=NO_REPLAY)


@dataclass(frozen=True)
class RegressionSetup(Setup):
    """A fit of two parameters to examples of a bowl, on the 2D Regression page."""

    examples: int = setting(Whole(2, MOST_EXAMPLES), 100)
    noise: float = setting(Number(0, 200), 60.0)
    seed: int = setting(Whole(0, 9999), 0)
    start: tuple[float, float] = setting(Point(FARTHEST, ("theta1", "theta2")), (0.0, 0.0))
    steps: int = setting(Whole(1, MOST_ITERATIONS, link="iterations"), 200)
    batch: int = setting(Whole(0, MOST_EXAMPLES), 8)  # 0: all of them
    tolerance: float = setting(Number(0, 1e6), 0.0)
    loss: str = setting(Choice(LOSS_AXES), "log", looks=True)
    racers: tuple[Optimizer, ...] = setting(Racers(link="racer"), FOUR)
    below: str = setting(Choice(PARTS), "ends", looks=True)
    moment: int = setting(Whole(0, MOST_ITERATIONS, link="at"), 0, looks=True)
    whose: int = setting(Whole(1, MOST_RACERS), 1, looks=True)

    @property
    def batch_size(self) -> int | None:
        """How many examples a step looks at; None where it is all of them."""
        return self.batch if 0 < self.batch < self.examples else None


NOISY_LINE, CSV = "noisy line", "CSV"
FIT_DATA = ("4x", "4x³+3", NOISY_LINE, CSV)
THROUGH_0, WITH_INTERCEPT = "slope", "intercept"  # the models θx and θ₀ + θ₁x
FARTHEST_THETA = 1e9


@dataclass(frozen=True)
class FitSetup(Setup):
    """A line fitted to points by gradient descent, on the Linear Fit page."""

    data: str = setting(Choice(FIT_DATA), "4x³+3")
    slope: float = setting(Number(-100, 100), 2.0)  # of the noisy line, as the next three
    intercept: float = setting(Number(-100, 100), 5.0)
    noise: float = setting(Number(0, 50), 3.0)
    seed: int = setting(Whole(0, 9999), 0)
    x: int = setting(Whole(1, 50), 1)  # columns of the visitor's file, counted from 1
    y: int = setting(Whole(1, 50), 2)
    model: str = setting(Choice((THROUGH_0, WITH_INTERCEPT)), THROUGH_0)
    # data can have any scale, and so has the limit of its learning rates
    rate: float = setting(Number(1e-24, 1e24, link="learning_rate"), 0.01)
    steps: int = setting(Whole(1, MOST_STEPS, link="iterations"), 20)
    tolerance: float = setting(Number(0, 1e18), 1e-6)  # the largest y is 1e9, and its square the largest loss
    theta0: float = setting(Number(-FARTHEST_THETA, FARTHEST_THETA), 0.0)
    # the notebook's start
    theta: float = setting(Number(-FARTHEST_THETA, FARTHEST_THETA), 0.15920352935791016)
    batch: int = setting(Whole(0, 10_000), 0)  # 0: all of them
    deal: int = setting(Whole(0, 9999, link="batch_seed"), 0)
    loss: str = setting(Choice(LOSS_AXES), "linear", looks=True)

    @property
    def with_intercept(self) -> bool:
        return self.model == WITH_INTERCEPT

    @property
    def start(self) -> tuple[float, ...]:
        return (self.theta0, self.theta) if self.with_intercept else (self.theta,)


OWN_FUNCTION = "own"
# what f(x) may be chosen to be: where it is looked at, from, to and x₀
FUNCTIONS = {
    "4x": (0.0, 10.0, 2.0),
    "4x³+3": (0.0, 10.0, 5.0),
    "x²": (-5.0, 5.0, 1.5),
    "sin x": (-5.0, 5.0, 1.0),
    "|x|": (-5.0, 5.0, 0.0),
    "max(x,0)": (-5.0, 5.0, 0.0),
    "exp(-x²)": (-3.0, 3.0, -0.6),
}
SLOPE, DIFFERENCES, CHECK, LOSS = "slope", "differences", "check", "loss"
FARTHEST_X, NARROWEST = 1000.0, 0.01  # in less than that, 32 bits would not tell the points apart
# from 1 down to 1e-7, a few to each decade
WIDTHS = (1.0, *(float(f"{m}e-{k}") for k in range(1, 8) for m in (7, 5, 3, 2, 1.5, 1)))
THETAS = tuple(round(-2 + k / 10, 1) for k in range(121))  # the minimum, 4, is in the middle
DERIVATION_LINES = 5


def is_formula(text: str) -> bool:
    try:
        parse(text, ("x",))
    except ExpressionError:
        return False
    return True


@dataclass(frozen=True)
class GradientsSetup(Setup):
    """A function and its slope, on the Gradients page."""

    part: str = setting(Choice((SLOPE, DIFFERENCES, CHECK, LOSS), link="show"), SLOPE)
    f: str = setting(Choice((*FUNCTIONS, OWN_FUNCTION)), "4x")
    own: str = setting(Formula(200, is_formula), "")
    low: float = setting(Number(-FARTHEST_X, FARTHEST_X, link="from"), 0.0)
    high: float = setting(Number(-FARTHEST_X, FARTHEST_X, link="to"), 10.0)
    x0: float = setting(Number(-FARTHEST_X, FARTHEST_X), 0.0, looks=True)
    h: float = setting(Number(WIDTHS[-1], WIDTHS[0]), 1.0, looks=True)
    answer: str = setting(Formula(200, is_formula), "")
    theta: float = setting(Number(THETAS[0], THETAS[-1]), 2.0, looks=True)
    lines: int = setting(Whole(1, DERIVATION_LINES), 1, looks=True)

    @property
    def text(self) -> str:
        """The function as it is typed."""
        return self.own if self.f == OWN_FUNCTION else self.f

    @property
    def wide_enough(self) -> bool:
        return self.high - self.low >= NARROWEST

    def places(self) -> list[float]:
        """Where x₀ can be."""
        return [float(str(x)) for x in points(self.low, self.high)]  # 0.1, not the 0.10000000149 of 32 bits

    def with_(self, name: str, value: Any) -> Self:
        chosen = super().with_(name, value)
        if name == "f" and value == OWN_FUNCTION:  # to begin with, what was there can be changed
            chosen = replace(chosen, own=self.own or self.text)
        elif name == "f":
            low, high, x0 = FUNCTIONS[value]
            chosen = replace(chosen, low=low, high=high, x0=x0)
        return chosen.on_marks()

    def unused(self, named: Collection[str]) -> list[str]:
        alone = "own" in named and "f" not in named and self.own
        return [f"own {quoted(self.own)} is looked at only with f={OWN_FUNCTION}."] if alone else []

    def on_marks(self) -> Self:
        """This set-up with what moves in steps on the nearest step."""
        x0 = min(self.places(), key=lambda x: abs(x - self.x0)) if self.wide_enough else self.x0
        h = min(WIDTHS, key=lambda width: abs(width / self.h - 1))
        return replace(self, x0=x0, h=h, theta=min(THETAS, key=lambda theta: abs(theta - self.theta)))


SETUPS: dict[str, type[Setup]] = {
    "Gradients": GradientsSetup,
    "Linear Fit": FitSetup,
    "2D Regression": RegressionSetup,
    "Ackley Race": RaceSetup,
}
