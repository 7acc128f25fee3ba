"""Every surface that can be descended, one function each. To add one, add a function here; one with knobs of its own
is a class in ``engine/shapes.py``.

A landscape is a loss of two coordinates with what is known about it: where it is usually drawn, every global minimum
in that square, the loss there, its formula and where it was published. ``loss`` takes ``x`` of shape ``(2,)`` and gives
a number; value and gradient are finite everywhere in the domain, at the minima too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from engine.elementary import cos_turns, quick_expm1
from engine.knobs import Knob
from engine.xla import compiled
from engine.xla.compile import take_apart

Point = tuple[float, float]
# above the floor; less is drawn nearly as it is. So near to it a narrow valley still shows how its floor slopes
DECADES_FROM = 0.3

LANDSCAPES: dict[str, Landscape] = {}


@dataclass(frozen=True, eq=False)
class Landscape:
    """A loss of two coordinates, and what is known about it."""

    name: str
    about: str  # one sentence for a learner
    loss: Callable[[Float[Array, "2"]], Float[Array, ""]]
    domain: tuple[Point, Point]  # (lowest, highest) of x, then of y
    minima: tuple[Point, ...]  # every global minimum in the domain; () where there is none
    floor: float | None  # the lowest loss; None where there is none
    formula: str  # LaTeX
    source: str
    places: Mapping[str, Point] = field(default_factory=dict)  # starts worth trying; the first is the usual one
    decades: bool = False  # the loss spans decades: draw its levels and heights by their logarithm
    decades_from: float = DECADES_FROM  # from which loss above the floor on
    found: bool = False  # its minima were looked for, not given; and it may be without a value somewhere
    knobs: tuple[Knob, ...] = ()  # what can be turned on it, as ``reshaped`` (engine/shapes.py) does


def landscape(name: str, **known) -> Callable:
    """Enter a loss into ``LANDSCAPES`` under its name, with what is known about it.

    Raises ``ValueError`` for a landscape that lacks something the pages need.
    """

    def decorate(loss: Callable[[jax.Array], jax.Array]) -> Callable[[jax.Array], jax.Array]:
        enter(Landscape(name=name, about=(loss.__doc__ or "").strip(), loss=loss, **known))
        return loss

    return decorate


def enter(new: Landscape) -> None:
    """Put a landscape into ``LANDSCAPES``, if it has what the pages need: ``ValueError`` else."""
    name = new.name
    if not new.about:
        raise ValueError(f"Landscape '{name}' has no docstring. Say in one sentence what a learner sees.")
    if not new.places:
        raise ValueError(f"Landscape '{name}' has no places. Name at least one start worth trying.")
    if bool(new.minima) != (new.floor is not None):
        raise ValueError(f"Landscape '{name}' needs both minima and a floor, or neither: minima=(), floor=None.")
    if name in LANDSCAPES and code_of(LANDSCAPES[name].loss).__qualname__ != code_of(new.loss).__qualname__:
        raise ValueError(f"Landscape '{name}' is there already. Give this one another name.")
    LANDSCAPES[name] = new


def code_of(loss: Callable) -> Any:
    """The function or the class that a loss is written as."""
    return take_apart(loss)[0]


@compiled(1)
def evaluate_at(loss: Callable[[jax.Array], jax.Array], points: Float[Array, "points 2"]) -> Float[Array, "points"]:
    """A loss at many points at once."""
    return jax.vmap(loss)(points)


@landscape(
    "Ackley",
    domain=((-5, 5), (-5, 5)),
    minima=((0, 0),),
    floor=0.0,
    formula=r"f(x, y) = -20 \, e^{-0.2 \sqrt{(x^2 + y^2) / 2}} - e^{(\cos 2 \pi x + \cos 2 \pi y) / 2} + e + 20",
    source="Ackley (1987), A Connectionist Machine for Genetic Hillclimbing, Kluwer",
    places={"The notebook's start": (4, 4), "Two local minima away": (2, -1), "Beside the tip": (0.6, 0.4)},
)
def ackley(x):
    """Many local minima around one deep one, which is a sharp tip of slope 2.83: plain SGD keeps jumping over it."""
    # the root has no slope at 0: the last 1e-12 around the tip are rounded off
    radius = jnp.sqrt(jnp.mean(x**2) + 1e-24) - 1e-12
    return -20 * quick_expm1(-0.2 * radius) + (jnp.e - jnp.exp(jnp.mean(cos_turns(x))))


@landscape(
    "Rosenbrock",
    domain=((-2, 2), (-1, 3)),
    minima=((1, 1),),
    floor=0.0,
    formula=r"f(x, y) = (1 - x)^2 + 100 \, (y - x^2)^2",
    source="Rosenbrock (1960), The Computer Journal 3(3), 175-184",
    places={"Rosenbrock's start": (-1.2, 1), "The far arm": (1.5, 2.9), "High on the wall": (0, 2.5)},
    decades=True,
)
def rosenbrock(x):
    """A curved valley: falling into it is quick, following its floor to the end is slow."""
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


@landscape(
    "Rastrigin",
    domain=((-5.12, 5.12), (-5.12, 5.12)),
    minima=((0, 0),),
    floor=0.0,
    formula=r"f(x, y) = 20 + x^2 - 10 \cos 2 \pi x + y^2 - 10 \cos 2 \pi y",
    source="Rastrigin (1974), Systems of Extremal Control; Rudolph (1990)",
    places={"Far out": (4, -3.2), "One ridge away": (1.4, 0.4), "Beside the minimum": (0.3, -0.3)},
)
def rastrigin(x):
    """A bowl with about a hundred local minima, of which only one is the lowest."""
    return jnp.sum(x**2 + 10 * (1 - cos_turns(x)))


@landscape(
    "Himmelblau",
    domain=((-5, 5), (-5, 5)),
    minima=((3, 2), (-2.805118, 3.131312), (-3.779310, -3.283186), (3.584428, -1.848126)),
    floor=0.0,
    formula=r"f(x, y) = (x^2 + y - 11)^2 + (x + y^2 - 7)^2",
    source="Himmelblau (1972), Applied Nonlinear Programming, McGraw-Hill",
    places={"Between the four": (-0.5, -1), "A corner": (-4.5, 4.5), "Between the upper two": (0, 3)},
    decades=True,
)
def himmelblau(x):
    """Four minima of the same depth: which one is reached depends on the start and on the optimizer."""
    return (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2


@landscape(
    "Beale",
    domain=((-4.5, 4.5), (-4.5, 4.5)),
    minima=((3, 0.5),),
    floor=0.0,
    formula=r"f(x, y) = (1.5 - x + x y)^2 + (2.25 - x + x y^2)^2 + (2.625 - x + x y^3)^2",
    source="Beale (1958), On an Iterative Method for Finding a Local Minimum, Princeton",
    places={"On the plain": (1, 1.5), "Across the ridge": (-2, -1), "On the steep corner": (4, 3)},
    decades=True,
)
def beale(x):
    """A nearly level plain between walls a hundred thousand times as high."""
    return sum((c - x[0] + x[0] * x[1] ** n) ** 2 for n, c in ((1, 1.5), (2, 2.25), (3, 2.625)))


@landscape(
    "Booth",
    domain=((-10, 10), (-10, 10)),
    minima=((1, 3),),
    floor=0.0,
    formula=r"f(x, y) = (x + 2 y - 7)^2 + (2 x + y - 5)^2",
    source="Booth (1949), quoted in Jamil & Yang (2013), arXiv:1308.4008, no. 20",
    places={"A corner": (-8, -8), "On the long axis": (-6, 9)},
)
def booth(x):
    """A long, diagonal bowl, nine times as curved across as along."""
    return (x[0] + 2 * x[1] - 7) ** 2 + (2 * x[0] + x[1] - 5) ** 2


@landscape(
    "Styblinski-Tang",
    domain=((-5, 5), (-5, 5)),
    minima=((-2.903534, -2.903534),),
    floor=-78.332331,
    formula=r"f(x, y) = \tfrac12 (x^4 - 16 x^2 + 5 x + y^4 - 16 y^2 + 5 y)",
    source="Styblinski & Tang (1990), Neural Networks 3(4), 467-483",
    places={"Near the top": (0.2, 0.3), "The wrong side": (4, 4), "Half way": (-4, 1)},
)
def styblinski_tang(x):
    """Four local minima around a hill, one of them a little deeper than the others."""
    return jnp.sum(x**4 - 16 * x**2 + 5 * x) / 2


@landscape(
    "Three-hump camel",
    domain=((-5, 5), (-5, 5)),
    minima=((0, 0),),
    floor=0.0,
    formula=r"f(x, y) = 2 x^2 - 1.05 x^4 + \tfrac16 x^6 + x y + y^2",
    source="Dixon & Szego (1978), Towards Global Optimisation 2, quoted in Jamil & Yang (2013), no. 29",
    places={"Behind a hump": (2, 2), "The other side": (-3, -2), "Far up the wall": (4, -4)},
    decades=True,
)
def three_hump_camel(x):
    """Three local minima in a row; the middle one is the lowest."""
    return 2 * x[0] ** 2 - 1.05 * x[0] ** 4 + x[0] ** 6 / 6 + x[0] * x[1] + x[1] ** 2


@landscape(
    "Saddle",
    domain=((-2, 2), (-2, 2)),
    minima=(),
    floor=None,
    formula=r"f(x, y) = x^2 - y^2",
    source="The simplest saddle; Dauphin et al. (2014), NeurIPS, arXiv:1406.2572, on why saddles matter",
    places={"Almost on the ridge": (1.5, 0.001), "Exactly on the ridge": (1.5, 0), "Well off the ridge": (1.5, 0.5)},
)
def saddle(x):
    """Up along x, down along y: from y = 0 the gradient leads to a saddle point, which is level but no minimum."""
    return x[0] ** 2 - x[1] ** 2


@landscape(
    "Bowl",
    domain=((-5, 5), (-5, 5)),
    minima=((0, 0),),
    floor=0.0,
    formula=r"f(x, y) = \tfrac12 (x^2 + y^2)",
    source="The sphere function, De Jong (1975), PhD thesis, F1, halved so that its curvature is 1",
    places={"Off to one side": (4, 1), "A corner": (-4, -4)},
)
def bowl(x):
    """A round bowl: from everywhere the steepest way down leads straight to the minimum."""
    return jnp.sum(x**2) / 2


@landscape(
    "Ravine",
    domain=((-10, 10), (-10, 10)),
    minima=((0, 0),),
    floor=0.0,
    formula=r"f(x, y) = \tfrac12 (x^2 + 100 \, y^2)",
    source="A quadratic of condition number 100, as in Goh (2017), Why Momentum Really Works, Distill",
    places={"Up on the wall": (-8, 4), "On the floor": (-8, 0)},
    decades=True,
)
def ravine(x):
    """A long, narrow valley, a hundred times as curved across as along: steep walls, and a nearly flat floor."""
    return (x[0] ** 2 + 100 * x[1] ** 2) / 2


@landscape(
    "Monkey saddle",
    domain=((-2, 2), (-2, 2)),
    minima=(),
    floor=None,
    formula=r"f(x, y) = x^3 - 3 x y^2",
    source="Hilbert & Cohn-Vossen (1932), Anschauliche Geometrie, section 29",
    places={"On a ridge": (1.5, 0.001), "Beside the centre": (0.1, 0.2), "In a gully": (0.2, 1.5)},
)
def monkey_saddle(x):
    """A saddle with three ways down and three ways up; the point in the middle is level in every direction."""
    return x[0] ** 3 - 3 * x[0] * x[1] ** 2


@landscape(
    "Turned ravine",
    domain=((-10, 10), (-10, 10)),
    minima=((0, 0),),
    floor=0.0,
    formula=r"f(x, y) = \tfrac14 (x + y)^2 + 25 \, (y - x)^2",
    source="The quadratic of Goh (2017), Why Momentum Really Works, Distill, turned by 45°",
    places={"Up on the wall": (-8.485, -2.828), "On the floor": (-5.657, -5.657)},
    decades=True,
)
def turned_ravine(x):
    """The Ravine turned by 45°: just as narrow, but now its floor runs between the axes."""
    return (x[0] + x[1]) ** 2 / 4 + 25 * (x[1] - x[0]) ** 2
