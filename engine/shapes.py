"""Landscapes with knobs of their own, one class each. To add one, add a class here; all else finds it by itself.

A shape is a loss of two coordinates, with knobs as an optimizer has them: its class is compiled in, its knobs are
traced, so turning one compiles nothing. It says what ``engine/landscapes.py`` asks of a landscape; what depends on
its knobs is a property. Value and gradient are finite everywhere in the domain, whatever its knobs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache, lru_cache
from typing import Any, ClassVar, TypeVar, dataclass_transform

import jax
import jax.numpy as jnp
import numpy as np

from engine.elementary import cos_turns
from engine.knobs import Knob, knob
from engine.landscapes import LANDSCAPES, Landscape, Point, enter
from engine.xla.compile import Traced

MAX_KEPT = 256  # landscapes whose knobs are turned
KNOBS: dict[str, Knob] = {}  # of all shapes, by name


class Shape(Traced):
    """A loss with knobs of its own. Subclass it, decorate with ``@shape``."""

    name: ClassVar[Any]
    domain: ClassVar[Any]  # (lowest, highest) of x, then of y
    minima: ClassVar[Any]  # every global minimum in the domain
    floor: ClassVar[Any]
    formula: ClassVar[Any]  # LaTeX
    source: ClassVar[Any]
    places: ClassVar[Any]  # starts worth trying, by name; the first is the usual one
    decades: ClassVar[bool] = False  # the loss spans decades: draw its levels and heights by their logarithm
    # for those who check annotations as it runs: in the place of a knob JAX puts tracers
    __no_type_check__: ClassVar[bool] = True

    def __call__(self, x: jax.Array) -> jax.Array:
        """The loss at ``x`` ``(2,)``."""
        raise NotImplementedError

    @classmethod
    @cache
    def knobs(cls) -> tuple[Knob, ...]:
        """Everything that can be turned on it, in the order of its fields."""
        return tuple(Knob(f.name, f.default, **f.metadata) for f in fields(cls) if f.default is not MISSING)  # type: ignore[arg-type]


Class = TypeVar("Class", bound=type[Shape])


@dataclass_transform(frozen_default=True)
def shape(cls: Class) -> Class:
    """Enter a shape into ``LANDSCAPES``, with its knobs at their defaults.

    Raises ``ValueError`` for a class that lacks something the pages need.
    """
    documented = bool(cls.__doc__)  # dataclass writes a docstring where there is none
    dataclass(frozen=True)(cls)
    if not documented:
        cls.__doc__ = ""
    for one in cls.knobs():
        if not one.about:
            raise ValueError(f"Landscape '{cls.name}': its knob '{one.name}' is not explained. Say about=... in it.")
        if KNOBS.get(one.name, one) != one:  # a link names a knob without its landscape
            raise ValueError(f"Landscape '{cls.name}': another has the knob '{one.name}'. Give this one another name.")
    enter(landscape_of(cls()))
    KNOBS.update({one.name: one for one in cls.knobs()})
    return cls


@lru_cache(MAX_KEPT)
def landscape_of(loss: Shape) -> Landscape:
    """The landscape of a shape with its knobs as they are."""
    return Landscape(
        name=loss.name,
        about=(loss.__doc__ or "").strip(),
        loss=loss,
        domain=loss.domain,
        minima=loss.minima,
        floor=loss.floor,
        formula=loss.formula,
        source=loss.source,
        places=loss.places,
        decades=loss.decades,
        knobs=loss.knobs(),
    )


def reshaped(landscape: Landscape, **knobs: float) -> Landscape:
    """A landscape with some of its knobs turned, and the others at their defaults.

    Raises ``ValueError`` for a knob that it does not have.
    """
    own = {one.name: one.default for one in landscape.knobs}
    for name in knobs:
        if name not in own:
            has = f"Choose one of: {', '.join(own)}." if own else "It has none."
            raise ValueError(f"{landscape.name} has no knob '{name}'. {has}")
    if {**own, **knobs} == own:
        return LANDSCAPES[landscape.name] if own else landscape
    assert isinstance(landscape.loss, Shape)
    return landscape_of(type(landscape.loss)(**knobs))


def turned(x: float, y: float, degrees: float) -> Point:
    """A point turned about the origin, in few digits."""
    turn = np.deg2rad(degrees)
    along, across = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
    return round(float(along), 3), round(float(across), 3)


@shape
class Quadratic(Shape):
    """A valley to be turned and narrowed: what scales each coordinate by itself depends on the angle, SGD does not."""

    name = "Quadratic"
    domain = ((-10, 10), (-10, 10))
    minima = ((0, 0),)
    floor = 0.0
    formula = (
        r"f(x, y) = \tfrac12 (u^2 + \kappa v^2), \quad {u = x \cos \varphi + y \sin \varphi}, \quad "
        r"{v = y \cos \varphi - x \sin \varphi}"
    )
    source = "Goh (2017), Why Momentum Really Works, Distill, where all is told of the condition number"
    decades = True

    angle: float = knob(0.0, 0.0, 90.0, r"\varphi", about="By how many degrees the valley is turned, and the start.")
    condition_number: float = knob(
        100.0, 1.0, 1000.0, r"\kappa", log=True, about="How many times as curved it is across as along."
    )

    @property
    def places(self) -> Mapping[str, Point]:
        """Starts that turn with it: all that does not depend on the axes does then the same at any angle."""
        return {"Up on the wall": turned(-8, 4, self.angle), "On the floor": turned(-8, 0, self.angle)}

    def __call__(self, x):
        turn = jnp.deg2rad(self.angle)
        along = x[0] * jnp.cos(turn) + x[1] * jnp.sin(turn)
        across = x[1] * jnp.cos(turn) - x[0] * jnp.sin(turn)
        return (along**2 + self.condition_number * across**2) / 2


@shape
class RippledValley(Shape):
    """A smooth valley under a fine ripple: short steps end in one of the first dents, longer ones follow the valley."""

    name = "Rippled valley"
    domain = ((-5, 5), (-5, 5))
    minima = ((0, 0),)
    floor = 0.0
    formula = (
        r"f(x, y) = \tfrac12 (x^2 + 10 y^2) + A \left(2 - \cos \tfrac{2 \pi x}{\ell} - "
        r"\cos \tfrac{2 \pi y}{\ell}\right)"
    )
    source = "The ripple of Rastrigin (1974); Kleinberg, Li & Yuan (2018), ICML, on what long steps see of it"
    places: ClassVar = {"Up on the wall": (-4, 2), "On the floor": (-4, 0)}
    decades = True

    amplitude: float = knob(0.2, 0.0, 2.0, "A", about="How high the ripple is; at 0 the valley is smooth.")
    wavelength: float = knob(0.5, 0.2, 5.0, r"\ell", about="How far it is from one dent of the ripple to the next.")

    def __call__(self, x):
        ripple = jnp.sum(1 - cos_turns(x / self.wavelength))
        return (x[0] ** 2 + 10 * x[1] ** 2) / 2 + self.amplitude * ripple


@shape
class Plateau(Shape):
    """Nearly level far out, with a hole in the middle: where the gradient is tiny, so are the steps of plain SGD."""

    name = "Plateau"
    domain = ((-10, 10), (-10, 10))
    minima = ((0, 0),)
    floor = 0.0
    formula = r"f(x, y) = \frac{x^2 + y^2}{w^2 + x^2 + y^2}"
    source = "Geman & McClure (1987), Bull. Int. Stat. Inst. 52(4), 5-21"
    places: ClassVar = {"Far out": (-6, 4), "On the rim": (2, 1)}

    width: float = knob(1.0, 0.2, 5.0, "w", about="How wide the hole is: so far from its middle, half the way is down.")

    def __call__(self, x):
        away = jnp.sum((x / self.width) ** 2)
        return away / (1 + away)


@shape
class SharpAndFlat(Shape):
    """A sharp and a flat minimum of the same depth: a learning rate may be small enough for one of them only."""

    name = "Sharp and flat"
    domain = ((-4, 4), (-4, 4))
    minima = ((-2, 0), (2, 0))
    floor = 0.0
    formula = (
        r"f(x, y) = \frac{a b}{a + b}, \quad {a = \tfrac{s}{2} \left((x + 2)^2 + y^2\right)}, \quad "
        r"{b = \tfrac12 \left((x - 2)^2 + y^2\right)}"
    )
    source = "Hochreiter & Schmidhuber (1997), Flat Minima, Neural Computation 9(1), 1-42, on why flat ones matter"
    places: ClassVar = {"Above the sharp one": (-2.5, 1), "Between the two": (0, 1), "Above the flat one": (3, 2)}
    decades = True

    sharpness: float = knob(
        100.0, 1.0, 300.0, "s", log=True, about="How many times as curved the left minimum is as the right one."
    )

    def __call__(self, x):
        sharp = self.sharpness * ((x[0] + 2) ** 2 + x[1] ** 2) / 2
        flat = ((x[0] - 2) ** 2 + x[1] ** 2) / 2
        return sharp * (flat / (sharp + flat))  # the product of both would overflow sooner


@shape
class Cliff(Shape):
    """A gentle slope that ends at a steep wall: one step onto it, and the gradient there throws plain SGD far back."""

    name = "Cliff"
    domain = ((-8, 2), (-5, 5))
    minima = ((0, 0),)
    floor = 0.0
    formula = (
        r"f(x, y) = \tfrac{y^2}{2} + \begin{cases} -x - \frac{1}{2 K} & x < -\frac1K \\ "
        r"\frac{K}{2} x^2 & x \ge -\frac1K \end{cases}"
    )
    source = "Pascanu, Mikolov & Bengio (2013), ICML, arXiv:1211.5063, on such cliffs, and on clipping the gradient"
    places: ClassVar = {"On the slope": (-5.75, 3), "On the wall": (1, 2)}
    decades = True

    steepness: float = knob(500.0, 1.0, 1000.0, "K", log=True, about="How curved the wall is; the slope stays at 1.")

    def __call__(self, x):
        gentle = jnp.clip(x[0] + 1 / self.steepness, max=0)  # how far it is from the foot of the wall
        return x[1] ** 2 / 2 + self.steepness * (x[0] - gentle) ** 2 / 2 - gentle
