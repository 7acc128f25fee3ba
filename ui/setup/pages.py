"""The set-up of each page: what can be set there, and what it opens with."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from engine import ExpressionError, Optimizer, parse
from engine.many import DIMENSIONS, PROBLEMS, STARTS
from engine.noise import NO_NOISE, GradientNoise
from engine.notebook import REPLAYS
from engine.slopes import points
from ui.setup.codec import Setup, setting
from ui.setup.curves import AXES, EVALUATIONS, STEPS, RunSetup
from ui.setup.kinds import Choice, Formula, Number, Point, Whole, quoted
from ui.setup.landscapes import MAX_START, LandscapeSetup
from ui.setup.parts import GRADIENTS, LINEAR_FIT, RACE, REGRESSION, Part
from ui.setup.racers import MAX_RACERS, Racers, names_in, racers_with_rates

MAX_STEPS = 2000
LOSS_AXES = ("linear", "log")
NO_REPLAY = "none"
RACE_TABS = {
    "race": "Race",
    "rates": "Learning rates",
    "basins": "Basins",
    "fair": "Fair race",
    "many": "Many dimensions",
}
# what paths of many parameters are drawn on; "first": links were made when these were x₁ and x₂ alone
PLANES = {"principal": "principal coordinates", "first": "two parameters"}
MIN_POINTS, MAX_POINTS = 16, 256  # per side of a map of basins
MIN_RATE, MAX_RATE = 1e-5, 1.0
REPLAY_LANDSCAPE = "Ackley"  # the one that the notebook's replayed runs are on
MAX_EXAMPLES, MAX_ITERATIONS = 1000, 5000
MAX_NOISE = 1000.0  # the standard deviation in a gradient: as steep as the steepest landscapes
REGRESSION_TABS = {  # below the picture
    "ends": "How each one ended",
    "iterations": "Every iteration",
    "batch": "One mini-batch",
    "curvature": "Curvature",
    "seeds": "100 seeds",
}


# Learning rates that carry each of them over the local minima of Ackley's function
ADAPTIVE_RATES = {"AdaGrad": 0.7, "RMSProp": 0.1, "Adam": 0.5, "AdamW": 0.5, "AMSGrad": 0.1, "NAdam": 0.5, "Lion": 0.05}
RACE_RACERS = racers_with_rates({"SGD": 0.1, "Momentum": 0.07, "Nesterov": 0.05, **ADAPTIVE_RATES})
# Learning rates that suit the curvature of the regression's loss
REGRESSION_RACERS = racers_with_rates({"SGD": 0.0001, "Momentum": 2e-05, "RMSProp": 0.1, "Adam": 0.3})


@dataclass(frozen=True)
class RaceSetup(LandscapeSetup):
    """A race over a landscape, on the Ackley Race page."""

    steps: int = setting(Whole(1, MAX_STEPS), 200)
    noise: float = setting(Number(0, MAX_NOISE), 0.0, optional=True)  # in the gradients, as is the seed
    seed: int = setting(Whole(0, 9999), 0, optional=True)
    loss: str = setting(Choice(LOSS_AXES), "linear", view_only=True)
    over: str = setting(Choice(AXES), STEPS, layout=True)
    replay: str = setting(Choice((NO_REPLAY, *REPLAYS)), NO_REPLAY)
    racers: tuple[Optimizer, ...] = setting(Racers(param="racer"), RACE_RACERS)
    show: str = setting(Choice(tuple(RACE_TABS)), "race", view_only=True)
    points: int = setting(Whole(MIN_POINTS, MAX_POINTS), 96, view_only=True)
    shared_rate: float = setting(Number(MIN_RATE, MAX_RATE), 0.05, view_only=True)  # of all racers, in the fair race
    # of the tab Many dimensions, as the next six
    problem: str = setting(Choice(tuple(PROBLEMS)), next(iter(PROBLEMS)), view_only=True, optional=True)
    dimensions: str = setting(Choice(tuple(map(str, DIMENSIONS))), "10", view_only=True, optional=True)
    random_starts: str = setting(Choice(tuple(map(str, STARTS))), "32", view_only=True, optional=True)
    starts_seed: int = setting(Whole(0, 9999), 0, view_only=True, optional=True)
    plane: str = setting(Choice(tuple(PLANES)), "principal", view_only=True, optional=True)
    horizontal: int = setting(Whole(1, DIMENSIONS[-1]), 1, view_only=True, optional=True)
    vertical: int = setting(Whole(1, DIMENSIONS[-1]), 2, view_only=True, optional=True)
    large: str = setting(Choice(("surface", "map", "loss")), "surface", layout=True, control=False)

    index: ClassVar[str] = "step"
    coordinates: ClassVar[tuple[str, ...]] = ("x", "y")
    parts: ClassVar[Mapping[str, Part]] = RACE

    def without_unfit(self, notes: list[str]) -> Self:
        """Without the axis of evaluations, too, where it would tell hidden knobs: of a search, how often it tried."""
        fit = super().without_unfit(notes)
        if not (fit.hides_knobs and fit.over == EVALUATIONS):
            return fit
        notes.append(f"over {quoted(fit.over)} would tell what the link hides; {quoted(STEPS)} is used.")
        return replace(fit, over=STEPS)

    @property
    def gradient_noise(self) -> GradientNoise:
        """The noise in the gradients; without any, no seed makes a difference."""
        return GradientNoise(self.noise, self.seed) if self.noise else NO_NOISE

    @property
    def replaying(self) -> bool:
        """Whether one of the notebook's own runs is shown beside the race."""
        return self.replay != NO_REPLAY and self.landscape == REPLAY_LANDSCAPE

    @property
    def runners(self) -> list[str]:
        """The line-up, and the notebook's run where it is shown beside it."""
        return [*names_in(self), *([REPLAYS[self.replay].name] if self.replaying else [])]

    def with_setting(self, name: str, value: Any) -> Self:
        """This set-up with one setting changed; another landscape ends a replay, too."""
        chosen = super().with_setting(name, value)
        return replace(chosen, replay=NO_REPLAY) if name == "landscape" else chosen


@dataclass(frozen=True)
class RegressionSetup(RunSetup):
    """A fit of two parameters to examples of a bowl, on the 2D Regression page."""

    examples: int = setting(Whole(2, MAX_EXAMPLES), 100)
    noise: float = setting(Number(0, 200), 60.0)
    seed: int = setting(Whole(0, 9999), 0)
    start: tuple[float, float] = setting(Point(MAX_START, ("theta1", "theta2")), (0.0, 0.0))
    steps: int = setting(Whole(1, MAX_ITERATIONS, param="iterations"), 200)
    batch: int = setting(Whole(0, MAX_EXAMPLES), 8)  # 0: all of them
    tolerance: float = setting(Number(0, 1e6), 0.0)
    loss: str = setting(Choice(LOSS_AXES), "log", view_only=True)
    racers: tuple[Optimizer, ...] = setting(Racers(param="racer"), REGRESSION_RACERS)
    below: str = setting(Choice(tuple(REGRESSION_TABS)), "ends", view_only=True)
    moment: int = setting(Whole(0, MAX_ITERATIONS, param="at"), 0, view_only=True)
    whose: int = setting(Whole(1, MAX_RACERS), 1, view_only=True)
    large: str = setting(Choice(("bowl", "map", "loss")), "bowl", layout=True, control=False)

    index: ClassVar[str] = "iteration"
    coordinates: ClassVar[tuple[str, ...]] = ("θ₁", "θ₂")
    parts: ClassVar[Mapping[str, Part]] = REGRESSION

    @property
    def runners(self) -> list[str]:
        """The line-up."""
        return names_in(self)

    @property
    def batch_size(self) -> int | None:
        """How many examples a step looks at; None where it is all of them."""
        return self.batch if 0 < self.batch < self.examples else None


NOISY_LINE, CSV = "noisy line", "CSV"
FIT_DATA = ("4x", "4x³+3", NOISY_LINE, CSV)
THROUGH_0, WITH_INTERCEPT = "slope", "intercept"  # the models θx and θ₀ + θ₁x
MAX_THETA = 1e9


@dataclass(frozen=True)
class FitSetup(RunSetup):
    """A line fitted to points by gradient descent, on the Linear Fit page."""

    data: str = setting(Choice(FIT_DATA), "4x³+3")
    slope: float = setting(Number(-100, 100), 2.0)  # of the noisy line, as the next three
    intercept: float = setting(Number(-100, 100), 5.0)
    noise: float = setting(Number(0, 50), 3.0)
    seed: int = setting(Whole(0, 9999), 0)
    x: int = setting(Whole(1, 50), 1)  # columns of the visitor's file, counted from 1
    y: int = setting(Whole(1, 50), 2)
    model: str = setting(Choice((THROUGH_0, WITH_INTERCEPT)), THROUGH_0)
    # so wide a range because data of any scale can be fitted, and the largest stable rate depends on their scale
    rate: float = setting(Number(1e-24, 1e24, param="learning_rate"), 0.01)
    steps: int = setting(Whole(1, MAX_STEPS, param="iterations"), 20)
    tolerance: float = setting(Number(0, 1e18), 1e-6)  # the largest y is 1e9, and its square the largest loss
    theta0: float = setting(Number(-MAX_THETA, MAX_THETA), 0.0)
    # where the notebook's first run starts
    theta: float = setting(Number(-MAX_THETA, MAX_THETA), 0.15920352935791016)
    batch: int = setting(Whole(0, 10_000), 0)  # 0: all of them
    deal: int = setting(Whole(0, 9999, param="batch_seed"), 0)
    loss: str = setting(Choice(LOSS_AXES), "linear", view_only=True)
    large: str = setting(Choice(("data", "loss", "valley")), "data", layout=True, control=False)

    index: ClassVar[str] = "iteration"
    parts: ClassVar[Mapping[str, Part]] = LINEAR_FIT

    @property
    def runners(self) -> list[str]:
        """The one optimizer of this page."""
        return ["SGD"]

    @property
    def coordinates(self) -> tuple[str, ...]:
        """The names of the map's axes; none with one parameter."""
        return ("θ₀", "θ₁") if self.with_intercept else ()

    @property
    def with_intercept(self) -> bool:
        """Whether the model is θ₀ + θ₁x, and not θx."""
        return self.model == WITH_INTERCEPT

    @property
    def start(self) -> tuple[float, ...]:
        """The parameters that the descent starts from: (θ₀, θ₁), or (θ,)."""
        return (self.theta0, self.theta) if self.with_intercept else (self.theta,)


OWN_FUNCTION = "own"
# The prepared f(x), each with the interval that it is drawn over and its x₀
EXAMPLE_FUNCTIONS = {
    "4x": (0.0, 10.0, 2.0),
    "4x³+3": (0.0, 10.0, 5.0),
    "x²": (-5.0, 5.0, 1.5),
    "sin x": (-5.0, 5.0, 1.0),
    "|x|": (-5.0, 5.0, 0.0),
    "max(x,0)": (-5.0, 5.0, 0.0),
    "exp(-x²)": (-3.0, 3.0, -0.6),
}
SLOPE, DIFFERENCES, CHECK, LOSS = "slope", "differences", "check", "loss"
MAX_X, MIN_INTERVAL = 1000.0, 0.01  # in a shorter interval the 100 points would be equal in 32 bits
# The values of h, from 1 down to 1e-7, six in each decade
WIDTHS = (1.0, *(float(f"{m}e-{k}") for k in range(1, 8) for m in (7, 5, 3, 2, 1.5, 1)))
THETAS = tuple(round(-2 + k / 10, 1) for k in range(121))  # the minimum, 4, is in the middle
DERIVATION_LINES = 5


def is_formula(text: str) -> bool:
    """Whether a text can be parsed as a function of x."""
    try:
        parse(text, ("x",))
    except ExpressionError:
        return False
    return True


@dataclass(frozen=True)
class GradientsSetup(Setup):
    """A function and its slope, on the Gradients page."""

    part: str = setting(Choice((SLOPE, DIFFERENCES, CHECK, LOSS), param="show"), SLOPE)
    f: str = setting(Choice((*EXAMPLE_FUNCTIONS, OWN_FUNCTION)), "4x")
    own: str = setting(Formula(200, is_formula), "")
    low: float = setting(Number(-MAX_X, MAX_X, param="from"), 0.0)
    high: float = setting(Number(-MAX_X, MAX_X, param="to"), 10.0)
    x0: float = setting(Number(-MAX_X, MAX_X), 0.0, view_only=True)
    h: float = setting(Number(WIDTHS[-1], WIDTHS[0]), 1.0, view_only=True)
    answer: str = setting(Formula(200, is_formula), "")
    theta: float = setting(Number(THETAS[0], THETAS[-1]), 2.0, view_only=True)
    lines: int = setting(Whole(1, DERIVATION_LINES), 1, view_only=True)
    # of the views of each part; the first of them where it is that of another part
    large: str = setting(
        Choice(("curve", "slope", "secants", "errors", "loss", "fit")), "curve", layout=True, control=False
    )

    parts: ClassVar[Mapping[str, Part]] = GRADIENTS

    @property
    def shows_slope(self) -> bool:
        """Whether it shows the tangent at x₀."""
        return self.part == SLOPE

    @property
    def text(self) -> str:
        """The formula of f as it was typed or chosen."""
        return self.own if self.f == OWN_FUNCTION else self.f

    @property
    def hides_f(self) -> bool:
        """Whether the formula of f is not to be told."""
        return self.hides("own" if self.f == OWN_FUNCTION else "f")

    @property
    def wide_enough(self) -> bool:
        """Whether the interval is long enough to draw f over."""
        return self.high - self.low >= MIN_INTERVAL

    def places(self) -> list[float]:
        """The values that x₀ can have: the points that f is drawn at."""
        return [float(str(x)) for x in points(self.low, self.high)]  # by way of str: 0.1, not 0.10000000149

    def with_setting(self, name: str, value: Any) -> Self:
        """This set-up with one setting changed; another f brings its own interval and x₀."""
        chosen = super().with_setting(name, value)
        if name == "f" and value == OWN_FUNCTION:  # the field opens with the function that was shown, to be edited
            chosen = replace(chosen, own=self.own or self.text)
        elif name == "f":
            low, high, x0 = EXAMPLE_FUNCTIONS[value]
            chosen = replace(chosen, low=low, high=high, x0=x0)
        return chosen.snapped()

    def notes_on_unused(self, given: Collection[str]) -> list[str]:
        """A note where a link gives a formula of its own, and not that it is to be shown."""
        alone = "own" in given and "f" not in given and self.own
        notes = [f"own {quoted(self.own)} is looked at only with f={OWN_FUNCTION}."] if alone else []
        return [*notes, *super().notes_on_unused(given)]

    def snapped(self) -> Self:
        """This set-up with x₀, h and θ at the nearest stop of their sliders."""
        x0 = min(self.places(), key=lambda x: abs(x - self.x0)) if self.wide_enough else self.x0
        h = min(WIDTHS, key=lambda width: abs(width / self.h - 1))
        return replace(self, x0=x0, h=h, theta=min(THETAS, key=lambda theta: abs(theta - self.theta)))


SETUPS: dict[str, type[Setup]] = {
    "Gradients": GradientsSetup,
    "Linear Fit": FitSetup,
    "2D Regression": RegressionSetup,
    "Ackley Race": RaceSetup,
}
