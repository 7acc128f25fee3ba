"""Every optimizer, one class each. To add one, add a class here; pages, links, tables and tests find it by themselves.

An optimizer is two functions. ``init(x)`` makes its state, what it remembers between steps; ``update(gradient, state,
x)`` returns the move and the new state; the race adds the move to ``x``. Names, order and sign are optax's, the
conventions of the update rules are PyTorch's, or their authors' where it has none. ``x``, ``gradient`` and the move
have the shape ``(dim,)``.

A rule that needs more than the gradient names one more parameter, ``update(gradient, state, x, at)``, and gets an
``At``. To the others nothing is passed, and their programs are as they would be without it.

A state is a named tuple. Beside each of its fields stand the symbol that the paper gives it (LaTeX), and what it means.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import (
    Annotated,
    Any,
    ClassVar,
    NamedTuple,
    Protocol,
    TypeVar,
    dataclass_transform,
    get_type_hints,
    runtime_checkable,
)

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from engine.knobs import Knob, knob

OPTIMIZERS: dict[str, type[Optimizer]] = {}


ABOUT = {
    "learning_rate": "The factor that makes all steps longer or shorter.",
    "momentum": "How much of the last step is kept in the next one.",
    "weight_decay": "How strongly the parameters are pulled towards zero.",
    "smoothing_constant": "How much of the mean of squared gradients is kept in each step.",
    "centered": "Divide by the spread of the gradients around their mean, not by their size.",
    "beta1": "How much of the mean of gradients is kept in each step.",
    "beta2": "How much of the mean of squared gradients is kept in each step.",
    "eps": "A small number added to the divisor, so that it is never 0.",
    "momentum_decay": "How fast the momentum grows to its full size.",
    "bias_correction": "Divides the means by 1 − βᵗ, as they start at 0 and are too small in the first steps.",
    "eps_in_root": "Adds eps under the root and not after it, where it acts like its own root: 1e-8 like 1e-4.",
    "decoupled_weight_decay": "Takes weight decay, where there is any, off the parameters and not into the gradient.",
    "rho": "How much of the means of squared gradients and of squared steps is kept in each step.",
    "eta_plus": "What a step is multiplied with where the gradient has kept its sign.",
    "eta_minus": "What a step is multiplied with where the gradient has changed its sign.",
    "min_step_size": "No step becomes shorter than this.",
    "max_step_size": "No step becomes longer than this.",
    "beta": "How much of the mean of gradients is kept in each step.",
    "beta3": "How much of the mean of squares is kept in each step.",
    "slow_weight": "How much the slow mean of gradients counts beside the fast one.",
    "damping": "How much is added to the curvature in every direction, so that no step is too long.",
}


# what follows a rule's name where one of its switches is not as usual
CHANGED = {
    "centered": ("not centered", "centered"),
    "bias_correction": ("without bias correction", "with bias correction"),
    "eps_in_root": ("with eps after the root", "with eps in the root"),
    "decoupled_weight_decay": ("with coupled weight decay", "with decoupled weight decay"),
}


def symbols(state: tuple) -> dict[str, str]:
    """The symbol of each field of a state, by the field's name: ``{"mean": "m", "square": "s", "t": "t"}``."""
    return {name: hint.__metadata__[0] for name, hint in get_type_hints(type(state), include_extras=True).items()}


def memory(rule: Rule) -> dict[str, str]:
    """What a rule remembers between steps, in a reader's words, by symbol; empty where that is nothing."""
    hints = get_type_hints(type(rule().init(jnp.zeros(1))), include_extras=True)
    return {hint.__metadata__[0]: hint.__metadata__[1] for hint in hints.values()}


def helpers(*methods: Callable[..., Any]) -> list[Callable[..., Any]]:
    """The functions that some methods of a rule call, and that it shares with others."""
    plain = [inspect.unwrap(method) for method in methods]
    called = {name: method.__globals__.get(name) for method in plain for name in method.__code__.co_names}
    return [part for part in called.values() if inspect.isfunction(part)]


def source(rule: type[Optimizer]) -> str:
    """The code of a rule as it runs, with what it shares with others."""
    parts: list[Any] = [*helpers(rule.update), rule]
    return "\n\n".join(map(inspect.getsource, parts))


@dataclass(frozen=True)
class At:
    """What a rule may ask for beside the gradient. On mini-batches all of it is of the examples of this step."""

    step: Int[Array, ""]  # 0 for the first move
    loss: Float[Array, ""]  # at x
    value: Callable[[Float[Array, "dim"]], Float[Array, ""]]  # the loss anywhere

    def gradient(self, x: Float[Array, "dim"]) -> Float[Array, "dim"]:
        """The gradient anywhere."""
        return jax.grad(self.value)(x)

    def hessian(self, x: Float[Array, "dim"]) -> Float[Array, "dim dim"]:
        """The Hessian anywhere."""
        return jax.hessian(self.value)(x)


class Optimizer:
    """A rule that turns gradients into moves. Subclass it, decorate with ``@register``."""

    name: ClassVar[str]
    formula: ClassVar[str]  # LaTeX
    source: ClassVar[str]  # the paper
    takes_at: ClassVar[bool] = False  # whether its update has the parameter ``at``
    # for those who check annotations as it runs: in the place of a knob JAX puts tracers, batches, axes
    __no_type_check__: ClassVar[bool] = True

    def __init_subclass__(cls) -> None:
        if "takes_at" not in vars(cls):
            cls.takes_at = "at" in inspect.signature(cls.update).parameters

    @property
    def rule(self) -> Rule:
        """What makes such an optimizer of its knobs, in their order: its class."""
        return type(self)

    def init(self, x: jax.Array) -> Any:
        """The state before the first step: a named tuple of arrays and numbers."""
        raise NotImplementedError

    def update(self, gradient: jax.Array, state: Any, x: jax.Array) -> tuple[jax.Array, Any]:
        """The move from ``x``, and the state for the next step."""
        raise NotImplementedError

    def curvature_limit(self) -> float | None:
        """On a quadratic loss it diverges where the curvature is over this; None where there is no such limit."""
        return None

    def derived(self, state: Any) -> Any:
        """What a move is made of that is not remembered, since it follows from the new state: a named tuple like it."""
        return NoState()

    def parts(self, gradient: jax.Array, before: Any, x: jax.Array, after: Any) -> Any:
        """What the move from ``x`` is made of that is not remembered, by the state before it and after it."""
        return self.derived(after)

    def formula_now(self) -> str:
        """The formula with these knobs, some of which change it: to be computed from left to right."""
        formula, knobs = self.formula, vars(self)
        if knobs.get("centered"):
            mean = r"\quad \bar g \leftarrow \gamma \bar g + (1 - \gamma) g, \quad v"
            formula = formula.replace(r"\quad v", mean).replace(r"\sqrt{s}", r"\sqrt{s - {\bar g}^2}")
        if not knobs.get("bias_correction", True):
            formula = re.sub(r" / \(1 - (\\beta_.\^t|\\Pi( \\mu_\{t\+1\})?)\)", "", formula)
        if knobs.get("eps_in_root"):
            formula = re.sub(r"\\sqrt\{((?:[^{}]|\{.*?\})*)\} \+ \\epsilon", r"\\sqrt{\1 + \\epsilon}", formula)
        pull, decays = r"- \alpha \lambda x", knobs.get("weight_decay")
        decoupled = knobs.get("decoupled_weight_decay", pull in formula)
        formula = formula.replace(f"{pull} ", "")
        if decays and decoupled:
            formula = formula.replace(r"x \leftarrow x ", rf"x \leftarrow x {pull} ")
        elif decays:
            formula = re.sub(r"(?<!\\bar )\bg\b", r"g_\\lambda", formula)
            formula = rf"g_\lambda = g + \lambda x, \quad {formula}"
        return formula

    def at_step(self, step: Any) -> Optimizer:
        """The optimizer as it is in a step, counted from 0: a schedule changes its learning rate."""
        return self

    @classmethod
    def knobs(cls) -> tuple[Knob, ...]:
        """Everything that can be turned on this optimizer, in the order of its fields."""
        return knobs_of(cls)  # type: ignore[arg-type]  # a class is hashable


@cache
def knobs_of(cls: Any) -> tuple[Knob, ...]:
    """The knobs that the fields of a class are, in their order."""
    return tuple(
        Knob(
            name=f.name,
            default=f.default,
            changed=CHANGED[f.name][not f.default] if isinstance(f.default, bool) else "",
            **{**f.metadata, "about": f.metadata["about"] or ABOUT[f.name]},
        )
        for f in fields(cls)
        if f.default is not MISSING
    )


def update_at(optimizer, gradient, state, x, step, loss, value):
    """The move and the new state of any rule; ``step``, ``loss`` and ``value`` as in ``At``, for a rule that asks."""
    optimizer = optimizer.at_step(step)
    if optimizer.takes_at:
        return optimizer.update(gradient, state, x, at=At(step, loss, value))
    return optimizer.update(gradient, state, x)


@runtime_checkable
class Rule(Protocol):
    """What makes an optimizer of its knobs: its class, a rule that was typed, or one with a schedule."""

    name: Any
    formula: Any  # LaTeX
    source: Any  # the paper

    def knobs(self) -> tuple[Knob, ...]:
        """Everything that can be turned."""

    def __call__(self, *values: Any, **named: Any) -> Any:
        """The optimizer with some of its knobs set."""


Class = TypeVar("Class", bound=type[Optimizer])


def missing_parts(cls: type[Optimizer], documented: bool) -> str:
    """What a new optimizer has yet to define, as a sentence without its subject; "" where it is complete."""
    if not documented:
        return "has no docstring. Say in one line and plain words what it does."
    for part in ("name", "formula", "source"):
        if part not in vars(cls):
            return f"has no {part} of its own. Write: {part} = ..."
    if OPTIMIZERS.get(cls.name, cls).__qualname__ != cls.__qualname__:
        return f"has the name '{cls.name}', which is taken. Give it another."
    for method in ("init", "update"):
        if getattr(cls, method) is getattr(Optimizer, method):
            return f"has no {method}. Write init(self, x) and update(self, gradient, state, x)."
    for f in fields(cls):  # type: ignore[arg-type]
        if "symbol" not in f.metadata:
            return f"has a field '{f.name}' that is no knob. Write: {f.name}: float = knob(default, low, high, symbol)."
        if f.name not in ABOUT:
            return f"has a new knob '{f.name}'. Write a learner's words for it into ABOUT."
        if isinstance(f.default, bool) and f.name not in CHANGED:
            return f"has a new switch '{f.name}'. Write what it is like off and on into CHANGED."
    return ""


@dataclass_transform(frozen_default=True)
def register(cls: Class) -> Class:
    """Enter an optimizer into ``OPTIMIZERS``, once ``prepare`` has found it complete."""
    OPTIMIZERS[cls.name] = prepare(cls)
    return cls


@dataclass_transform(frozen_default=True)
def prepare(cls: Class) -> Class:
    """Make an optimizer ready to race. Its class is compiled in, its knobs are traced: turning one is free.

    Raises ``ValueError`` for a class that lacks something the race or the pages need.
    """
    documented = bool(cls.__doc__)  # dataclass writes a docstring where there is none
    dataclass(frozen=True)(cls)
    if missing := missing_parts(cls, documented):
        raise ValueError(f"Optimizer {cls.__name__} {missing}")
    register_as_pytree(cls)
    return cls


def register_as_pytree(cls: type[Optimizer]) -> None:
    """Make an optimizer a pytree whose leaves are its knobs, and whose structure names its rule.

    ``jax.tree_util.register_dataclass`` leaves the class out of ``==``: structures of classes with equally many fields
    are equal with unequal hashes, so a jit cache takes one for the other whenever the low bits of the hashes collide.
    """

    def flatten(optimizer: Optimizer) -> tuple[tuple[Any, ...], Rule]:
        return tuple(vars(optimizer).values()), optimizer.rule

    def flatten_with_keys(optimizer: Optimizer) -> tuple[tuple[Any, ...], Rule]:
        return tuple((jax.tree_util.GetAttrKey(name), knob) for name, knob in vars(optimizer).items()), optimizer.rule

    jax.tree_util.register_pytree_with_keys(  # type: ignore[type-var]  # a rule is hashable
        cls, flatten_with_keys, lambda rule, knobs: rule(*knobs), flatten
    )


class MadeOptimizer(Optimizer):
    """An optimizer of a rule that is no class. Its attributes are its knobs."""

    __slots__ = ("made_by",)  # beside the attributes, which are the knobs alone

    def __init__(self, rule: Any, values: Sequence[Any], named: Mapping[str, Any]) -> None:
        """With some of the knobs set, by their place or by their name."""
        self.made_by = rule
        names = [knob.name for knob in rule.knobs()]
        defaults = {knob.name: knob.default for knob in rule.knobs()}
        vars(self).update({**defaults, **dict(zip(names, values, strict=False)), **named})

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        register_as_pytree(cls)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and (self.rule, vars(self)) == (other.rule, vars(other))

    def __hash__(self) -> int:
        return hash((self.rule, *vars(self).values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.rule!r}, {vars(self)})"

    @property
    def rule(self) -> Any:
        return self.made_by

    @property
    def name(self) -> str:  # type: ignore[override]
        """The name of its rule."""
        return self.rule.name

    @property
    def formula(self) -> str:  # type: ignore[override]
        """The formula of its rule."""
        return self.rule.formula

    @property
    def source(self) -> str:  # type: ignore[override]
        """The source of its rule."""
        return self.rule.source

    def knobs(self) -> tuple[Knob, ...]:  # type: ignore[override]
        """Those of its rule."""
        return self.rule.knobs()


class NoState(NamedTuple):
    """Nothing is remembered."""


class Velocity(NamedTuple):
    """The state of a rule with momentum."""

    velocity: Annotated[jax.Array, "v", "the gradients so far added up, each counting less the older it is"]


class SquareSum(NamedTuple):
    """The sum of all squared gradients."""

    square_sum: Annotated[jax.Array, "s", "the squares of all gradients so far, added up"]


class Mean(NamedTuple):
    """A decaying mean of the gradients."""

    mean: Annotated[jax.Array, "m", "the mean of the gradients so far, the newest counting most"]


class Corrected(NamedTuple):
    """The moments, corrected for their start at 0."""

    mean_hat: Annotated[jax.Array, r"\hat m"]
    square_hat: Annotated[jax.Array, r"\hat s"]


class Moments(NamedTuple):
    """Decaying means of the gradients and of their squares, and the number of steps."""

    mean: Annotated[jax.Array, "m", "the mean of the gradients so far, the newest counting most"]
    square: Annotated[jax.Array, "s", "the mean of their squares so far, the newest counting most"]
    t: Annotated[jax.Array | int, "t", "how many steps it has made"]


# What several rules have a switch for. The usual setting gives the usual rule to the last digit: 0 is added to the rest


def coupled_decay(rule):
    """How much weight decay goes into the gradient: all of it, or none where it is decoupled."""
    return jnp.where(rule.decoupled_weight_decay, 0, rule.weight_decay)


def decoupled_decay(rule):
    """How much weight decay pulls on the parameters directly: all of it where it is decoupled, or none."""
    return jnp.where(rule.decoupled_weight_decay, rule.weight_decay, 0)


def root_with_eps(rule, square):
    """What a rule divides by: the root of a square with eps after it, or under it."""
    under, after = jnp.where(rule.eps_in_root, rule.eps, 0), jnp.where(rule.eps_in_root, 0, rule.eps)
    return jnp.sqrt(square + under) + after


def bias_divisor(rule, left):
    """What a mean that began at 0 is divided by: 1 less the weight that is left of its start, or 1 if uncorrected."""
    return jnp.where(rule.bias_correction, 1 - left, 1)


@register
class SGD(Optimizer):
    """Gradient descent: every step goes against the gradient; the steeper the slope, the longer the step."""

    name = "SGD"
    formula = r"x \leftarrow x - \alpha g"
    source = "Robbins & Monro (1951), Ann. Math. Statist. 22(3), 400-407"

    learning_rate: float = knob(0.1, 1e-5, 1.0, r"\alpha", log=True)
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")

    def init(self, x):
        return NoState()

    def update(self, gradient, state, x):
        gradient = gradient + self.weight_decay * x
        return -self.learning_rate * gradient, state

    def curvature_limit(self):
        return 2 / self.learning_rate - self.weight_decay


@register
class Momentum(Optimizer):
    """Like a heavy ball that keeps rolling: each step keeps a part of the step before."""

    name = "Momentum"
    formula = r"v \leftarrow \mu v + g, \quad x \leftarrow x - \alpha v"
    source = "Polyak (1964), USSR Comput. Math. Math. Phys. 4(5), 1-17"

    learning_rate: float = knob(0.01, 1e-5, 1.0, r"\alpha", log=True)
    momentum: float = knob(0.9, 0.0, 0.999, r"\mu")
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")
    decoupled_weight_decay: bool = knob(False, symbol=r"\alpha \lambda x")

    def init(self, x):
        return Velocity(jnp.zeros_like(x))

    def update(self, gradient, state, x):
        gradient = gradient + coupled_decay(self) * x
        velocity = self.momentum * state.velocity + gradient
        return -self.learning_rate * (velocity + decoupled_decay(self) * x), Velocity(velocity)


@register
class Nesterov(Optimizer):
    """Momentum that looks ahead: it adds the newest gradient once more to each step."""

    name = "Nesterov"
    formula = r"v \leftarrow \mu v + g, \quad x \leftarrow x - \alpha (g + \mu v)"
    source = "Nesterov (1983), Soviet Math. Dokl. 27(2), 372-376; Sutskever et al. (2013), ICML"

    learning_rate: float = knob(0.01, 1e-5, 1.0, r"\alpha", log=True)
    momentum: float = knob(0.9, 0.0, 0.999, r"\mu")
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")
    decoupled_weight_decay: bool = knob(False, symbol=r"\alpha \lambda x")

    def init(self, x):
        return Velocity(jnp.zeros_like(x))

    def update(self, gradient, state, x):
        gradient = gradient + coupled_decay(self) * x
        velocity = self.momentum * state.velocity + gradient
        direction = gradient + self.momentum * velocity
        return -self.learning_rate * (direction + decoupled_decay(self) * x), Velocity(velocity)


@register
class AdaGrad(Optimizer):
    """In each coordinate, divides by the size of all gradients so far, so its steps become smaller and smaller."""

    name = "AdaGrad"
    formula = r"s \leftarrow s + g^2, \quad x \leftarrow x - \alpha \, g / (\sqrt{s} + \epsilon)"
    source = "Duchi, Hazan & Singer (2011), JMLR 12, 2121-2159"

    learning_rate: float = knob(0.5, 1e-5, 1.0, r"\alpha", log=True)
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")
    eps: float = knob(1e-10, 1e-12, 1.0, r"\epsilon", log=True)
    eps_in_root: bool = knob(False, symbol=r"\sqrt{s + \epsilon}")
    decoupled_weight_decay: bool = knob(False, symbol=r"\alpha \lambda x")

    def init(self, x):
        return SquareSum(jnp.zeros_like(x))

    def update(self, gradient, state, x):
        gradient = gradient + coupled_decay(self) * x
        square_sum = state.square_sum + gradient**2
        move = -self.learning_rate * gradient / root_with_eps(self, square_sum)
        return move - self.learning_rate * decoupled_decay(self) * x, SquareSum(square_sum)


class RMSPropState(NamedTuple):
    """Decaying means of the squared gradients and of the gradients, and the velocity."""

    square: Annotated[jax.Array, "s", "the mean of the squared gradients so far, the newest counting most"]
    mean: Annotated[jax.Array, r"\bar g", "the mean of the gradients so far; it is used only if centered"]
    velocity: Annotated[jax.Array, "v", "the divided gradients added up, each counting less the older it is"]


@register
class RMSProp(Optimizer):
    """Divides each coordinate of the gradient by its recent size, so steep and flat ones move at a similar speed."""

    name = "RMSProp"
    formula = (
        r"s \leftarrow \gamma s + (1 - \gamma) g^2, \quad "
        r"v \leftarrow \mu v + g / (\sqrt{s} + \epsilon), \quad x \leftarrow x - \alpha v"
    )
    source = "Tieleman & Hinton (2012), Coursera Lecture 6.5; centred as in Graves (2013), arXiv:1308.0850"

    learning_rate: float = knob(0.01, 1e-5, 1.0, r"\alpha", log=True)
    smoothing_constant: float = knob(0.99, 0.0, 0.9999, r"\gamma")
    momentum: float = knob(0.0, 0.0, 0.999, r"\mu")
    centered: bool = knob(False, symbol=r"s - \bar g^2")
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")
    eps: float = knob(1e-8, 1e-12, 1.0, r"\epsilon", log=True)
    eps_in_root: bool = knob(False, symbol=r"\sqrt{s + \epsilon}")
    decoupled_weight_decay: bool = knob(False, symbol=r"\alpha \lambda x")

    def init(self, x):
        return RMSPropState(jnp.zeros_like(x), jnp.zeros_like(x), jnp.zeros_like(x))

    def update(self, gradient, state, x):
        gamma = self.smoothing_constant
        gradient = gradient + coupled_decay(self) * x
        square = gamma * state.square + (1 - gamma) * gradient**2
        mean = gamma * state.mean + (1 - gamma) * gradient
        # rounding can push the spread a hair below zero, where the root has no value
        spread = jnp.where(self.centered, jnp.clip(square - mean**2, 0), square)
        velocity = self.momentum * state.velocity + gradient / root_with_eps(self, spread)
        return -self.learning_rate * (velocity + decoupled_decay(self) * x), RMSPropState(square, mean, velocity)


@register
class Adam(Optimizer):
    """Momentum with its own step size in each coordinate: the mean gradient divided by its recent size."""

    name = "Adam"
    formula = (
        r"m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad s \leftarrow \beta_2 s + (1 - \beta_2) g^2, \quad "
        r"\hat m = m / (1 - \beta_1^t), \quad \hat s = s / (1 - \beta_2^t), \quad "
        r"x \leftarrow x - \alpha \hat m / (\sqrt{\hat s} + \epsilon)"
    )
    source = "Kingma & Ba (2015), ICLR, arXiv:1412.6980"

    learning_rate: float = knob(0.1, 1e-5, 1.0, r"\alpha", log=True)
    beta1: float = knob(0.9, 0.0, 0.999, r"\beta_1")
    beta2: float = knob(0.999, 0.0, 0.9999, r"\beta_2")
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")
    eps: float = knob(1e-8, 1e-12, 1.0, r"\epsilon", log=True)
    bias_correction: bool = knob(True, symbol=r"1 - \beta^t")
    eps_in_root: bool = knob(False, symbol=r"\sqrt{s + \epsilon}")
    decoupled_weight_decay: bool = knob(False, symbol=r"\alpha \lambda x")

    def init(self, x):
        return Moments(jnp.zeros_like(x), jnp.zeros_like(x), 0)

    def derived(self, state):
        return Corrected(
            state.mean / bias_divisor(self, self.beta1**state.t), state.square / bias_divisor(self, self.beta2**state.t)
        )

    def update(self, gradient, state, x):
        t = state.t + 1
        gradient = gradient + coupled_decay(self) * x
        mean = self.beta1 * state.mean + (1 - self.beta1) * gradient
        square = self.beta2 * state.square + (1 - self.beta2) * gradient**2
        size = root_with_eps(self, square / bias_divisor(self, self.beta2**t))
        move = -self.learning_rate * mean / bias_divisor(self, self.beta1**t) / size
        return move - self.learning_rate * decoupled_decay(self) * x, Moments(mean, square, t)


@register
class AdamW(Optimizer):
    """Adam that pulls the parameters towards zero directly, not by way of the gradient."""

    name = "AdamW"
    formula = (
        r"m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad s \leftarrow \beta_2 s + (1 - \beta_2) g^2, \quad "
        r"\hat m = m / (1 - \beta_1^t), \quad \hat s = s / (1 - \beta_2^t), \quad "
        r"x \leftarrow x - \alpha \lambda x - \alpha \hat m / (\sqrt{\hat s} + \epsilon)"
    )
    source = "Loshchilov & Hutter (2019), ICLR, arXiv:1711.05101"

    learning_rate: float = knob(0.1, 1e-5, 1.0, r"\alpha", log=True)
    beta1: float = knob(0.9, 0.0, 0.999, r"\beta_1")
    beta2: float = knob(0.999, 0.0, 0.9999, r"\beta_2")
    weight_decay: float = knob(0.01, 0.0, 1.0, r"\lambda")
    eps: float = knob(1e-8, 1e-12, 1.0, r"\epsilon", log=True)
    bias_correction: bool = knob(True, symbol=r"1 - \beta^t")
    eps_in_root: bool = knob(False, symbol=r"\sqrt{s + \epsilon}")
    decoupled_weight_decay: bool = knob(True, symbol=r"\alpha \lambda x")

    def init(self, x):
        return Moments(jnp.zeros_like(x), jnp.zeros_like(x), 0)

    def derived(self, state):
        return Corrected(
            state.mean / bias_divisor(self, self.beta1**state.t), state.square / bias_divisor(self, self.beta2**state.t)
        )

    def update(self, gradient, state, x):
        t = state.t + 1
        gradient = gradient + coupled_decay(self) * x
        mean = self.beta1 * state.mean + (1 - self.beta1) * gradient
        square = self.beta2 * state.square + (1 - self.beta2) * gradient**2
        size = root_with_eps(self, square / bias_divisor(self, self.beta2**t))
        pull = decoupled_decay(self) * x
        direction = mean / bias_divisor(self, self.beta1**t) / size
        return -self.learning_rate * (pull + direction), Moments(mean, square, t)


class AMSGradState(NamedTuple):
    """The moments of Adam, and the largest mean of squared gradients so far."""

    mean: Annotated[jax.Array, "m", "the mean of the gradients so far, the newest counting most"]
    square: Annotated[jax.Array, "s", "the mean of their squares so far, the newest counting most"]
    largest: Annotated[jax.Array, r"s_{\max}", "the largest s so far, in each coordinate"]
    t: Annotated[jax.Array | int, "t", "how many steps it has made"]


@register
class AMSGrad(Optimizer):
    """Adam that divides by the largest size of the gradient so far, so its step sizes never grow again."""

    name = "AMSGrad"
    formula = (
        r"m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad s \leftarrow \beta_2 s + (1 - \beta_2) g^2, \quad "
        r"s_{\max} \leftarrow \max(s_{\max}, s), \quad "
        r"\hat m = m / (1 - \beta_1^t), \quad \hat s = s_{\max} / (1 - \beta_2^t), \quad "
        r"x \leftarrow x - \alpha \hat m / (\sqrt{\hat s} + \epsilon)"
    )
    source = "Reddi, Kale & Kumar (2018), ICLR, arXiv:1904.09237"

    learning_rate: float = knob(0.1, 1e-5, 1.0, r"\alpha", log=True)
    beta1: float = knob(0.9, 0.0, 0.999, r"\beta_1")
    beta2: float = knob(0.999, 0.0, 0.9999, r"\beta_2")
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")
    eps: float = knob(1e-8, 1e-12, 1.0, r"\epsilon", log=True)
    bias_correction: bool = knob(True, symbol=r"1 - \beta^t")
    eps_in_root: bool = knob(False, symbol=r"\sqrt{s + \epsilon}")
    decoupled_weight_decay: bool = knob(False, symbol=r"\alpha \lambda x")

    def init(self, x):
        return AMSGradState(jnp.zeros_like(x), jnp.zeros_like(x), jnp.zeros_like(x), 0)

    def derived(self, state):
        return Corrected(
            state.mean / bias_divisor(self, self.beta1**state.t),
            state.largest / bias_divisor(self, self.beta2**state.t),
        )

    def update(self, gradient, state, x):
        t = state.t + 1
        gradient = gradient + coupled_decay(self) * x
        mean = self.beta1 * state.mean + (1 - self.beta1) * gradient
        square = self.beta2 * state.square + (1 - self.beta2) * gradient**2
        largest = jnp.maximum(state.largest, square)
        size = root_with_eps(self, largest / bias_divisor(self, self.beta2**t))
        move = -self.learning_rate * mean / bias_divisor(self, self.beta1**t) / size
        return move - self.learning_rate * decoupled_decay(self) * x, AMSGradState(mean, square, largest, t)


class NAdamState(NamedTuple):
    """The moments of Adam, and the product of the momentum coefficients so far."""

    mean: Annotated[jax.Array, "m", "the mean of the gradients so far, the newest counting most"]
    square: Annotated[jax.Array, "s", "the mean of their squares so far, the newest counting most"]
    product: Annotated[jax.Array | float, r"\Pi", "the momentum of all steps so far, multiplied"]
    t: Annotated[jax.Array | int, "t", "how many steps it has made"]


class NAdamDerived(NamedTuple):
    """The momentum coefficients of this step and of the next, and the corrected moments."""

    mu: Annotated[jax.Array, r"\mu_t"]
    next_mu: Annotated[jax.Array, r"\mu_{t+1}"]
    mean_hat: Annotated[jax.Array, r"\hat m"]
    square_hat: Annotated[jax.Array, r"\hat s"]


@register
class NAdam(Optimizer):
    """Adam that looks ahead: the newest gradient counts once more, as in Nesterov's momentum."""

    name = "NAdam"
    formula = (
        r"\mu_t = \beta_1 (1 - 0.96^{t \psi} / 2), \quad \mu_{t+1} = \beta_1 (1 - 0.96^{(t + 1) \psi} / 2), \quad "
        r"\Pi \leftarrow \Pi \mu_t, \quad "
        r"m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad s \leftarrow \beta_2 s + (1 - \beta_2) g^2, \quad "
        r"\hat m = m / (1 - \Pi \mu_{t+1}), \quad \hat s = s / (1 - \beta_2^t), \quad "
        r"x \leftarrow x - \alpha \, \frac{\mu_{t+1} \hat m + (1 - \mu_t) g / (1 - \Pi)}{\sqrt{\hat s} + \epsilon}"
    )
    source = "Dozat (2016), ICLR Workshop"

    learning_rate: float = knob(0.1, 1e-5, 1.0, r"\alpha", log=True)
    beta1: float = knob(0.9, 0.0, 0.999, r"\beta_1")
    beta2: float = knob(0.999, 0.0, 0.9999, r"\beta_2")
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")
    eps: float = knob(1e-8, 1e-12, 1.0, r"\epsilon", log=True)
    momentum_decay: float = knob(0.004, 1e-4, 1.0, r"\psi", log=True)
    bias_correction: bool = knob(True, symbol=r"1 - \beta^t")
    eps_in_root: bool = knob(False, symbol=r"\sqrt{s + \epsilon}")
    decoupled_weight_decay: bool = knob(False, symbol=r"\alpha \lambda x")

    def init(self, x):
        return NAdamState(jnp.zeros_like(x), jnp.zeros_like(x), 1.0, 0)

    def derived(self, state):
        mu, next_mu = (self.beta1 * (1 - 0.5 * 0.96 ** (t * self.momentum_decay)) for t in (state.t, state.t + 1))
        mean_hat = state.mean / bias_divisor(self, state.product * next_mu)
        return NAdamDerived(mu, next_mu, mean_hat, state.square / bias_divisor(self, self.beta2**state.t))

    def update(self, gradient, state, x):
        t = state.t + 1
        gradient = gradient + coupled_decay(self) * x
        mu = self.beta1 * (1 - 0.5 * 0.96 ** (t * self.momentum_decay))
        next_mu = self.beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * self.momentum_decay))
        product = state.product * mu
        mean = self.beta1 * state.mean + (1 - self.beta1) * gradient
        square = self.beta2 * state.square + (1 - self.beta2) * gradient**2
        size = root_with_eps(self, square / bias_divisor(self, self.beta2**t))
        ahead = next_mu * mean / bias_divisor(self, product * next_mu)
        direction = ahead + (1 - mu) * gradient / bias_divisor(self, product)
        move = -self.learning_rate * direction / size
        return move - self.learning_rate * decoupled_decay(self) * x, NAdamState(mean, square, product, t)


@register
class Lion(Optimizer):
    """Uses only the sign of the mean gradient: every coordinate moves by the same amount, steep or flat."""

    name = "Lion"
    formula = (
        r"x \leftarrow x - \alpha \lambda x - \alpha \operatorname{sign}(\beta_1 m + (1 - \beta_1) g), \quad "
        r"m \leftarrow \beta_2 m + (1 - \beta_2) g"
    )
    source = "Chen et al. (2023), NeurIPS, arXiv:2302.06675"

    learning_rate: float = knob(0.02, 1e-5, 1.0, r"\alpha", log=True)
    beta1: float = knob(0.9, 0.0, 0.999, r"\beta_1")
    beta2: float = knob(0.99, 0.0, 0.9999, r"\beta_2")
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")
    decoupled_weight_decay: bool = knob(True, symbol=r"\alpha \lambda x")

    def init(self, x):
        return Mean(jnp.zeros_like(x))

    def update(self, gradient, state, x):
        gradient = gradient + coupled_decay(self) * x
        direction = jnp.sign(self.beta1 * state.mean + (1 - self.beta1) * gradient)
        mean = self.beta2 * state.mean + (1 - self.beta2) * gradient
        return -self.learning_rate * (decoupled_decay(self) * x + direction), Mean(mean)


@prepare  # not in the registry yet: it comes to the pages with the other methods of second order
class Newton(Optimizer):
    """Straight to where the loss would be level if it bent everywhere as it does here, be that a minimum or not.

    ``damping`` is added to every curvature. A direction that bends down by less than that is gone down as well; one
    that bends down by more is gone up. Where the sum is 0 there is no such point, and the run stops.
    """

    name = "Newton"
    formula = r"x \leftarrow x - \alpha (H + \delta I)^{-1} g"
    source = (
        "Levenberg (1944), Quart. Appl. Math. 2(2), 164-168; Nocedal & Wright (2006), Numerical Optimization, 3.3-3.4"
    )

    learning_rate: float = knob(1.0, 1e-5, 1.0, r"\alpha", log=True)
    damping: float = knob(0.0, 0.0, 100.0, r"\delta")

    def init(self, x):
        return NoState()

    def update(self, gradient, state, x, at):  # type: ignore[override]  # one parameter more than most
        curvature = at.hessian(x) + self.damping * jnp.eye(x.size)
        return -self.learning_rate * jnp.linalg.solve(curvature, gradient), state


class AdamaxState(NamedTuple):
    """A decaying mean of the gradients, the largest gradient of late, and the number of steps."""

    mean: Annotated[jax.Array, "m", "the mean of the gradients so far, the newest counting most"]
    largest: Annotated[jax.Array, "u", "the largest size of a gradient so far, each counting less the older it is"]
    t: Annotated[jax.Array | int, "t", "how many steps it has made"]


class CorrectedMean(NamedTuple):
    """The mean, corrected for its start at 0."""

    mean_hat: Annotated[jax.Array, r"\hat m"]


@register
class Adamax(Optimizer):
    """Adam that divides by the largest gradient of late, not by the root of a mean of squares."""

    name = "Adamax"
    formula = (
        r"m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad u \leftarrow \max(\beta_2 u, |g| + \epsilon), \quad "
        r"\hat m = m / (1 - \beta_1^t), \quad x \leftarrow x - \alpha \hat m / u"
    )
    source = "Kingma & Ba (2015), ICLR, arXiv:1412.6980, section 7.1"

    learning_rate: float = knob(0.1, 1e-5, 1.0, r"\alpha", log=True)
    beta1: float = knob(0.9, 0.0, 0.999, r"\beta_1")
    beta2: float = knob(0.999, 0.0, 0.9999, r"\beta_2", about="How much of the largest gradient is kept in each step.")
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")
    eps: float = knob(1e-8, 1e-12, 1.0, r"\epsilon", log=True)
    bias_correction: bool = knob(True, symbol=r"1 - \beta^t")
    decoupled_weight_decay: bool = knob(False, symbol=r"\alpha \lambda x")

    def init(self, x):
        return AdamaxState(jnp.zeros_like(x), jnp.zeros_like(x), 0)

    def derived(self, state):
        return CorrectedMean(state.mean / bias_divisor(self, self.beta1**state.t))

    def update(self, gradient, state, x):
        t = state.t + 1
        gradient = gradient + coupled_decay(self) * x
        mean = self.beta1 * state.mean + (1 - self.beta1) * gradient
        largest = jnp.maximum(self.beta2 * state.largest, jnp.abs(gradient) + self.eps)
        direction = mean / bias_divisor(self, self.beta1**t) / largest
        return -self.learning_rate * (direction + decoupled_decay(self) * x), AdamaxState(mean, largest, t)


class AdaDeltaState(NamedTuple):
    """Decaying means of the squared gradients, and of the squared steps."""

    square: Annotated[jax.Array, "s", "the mean of the squared gradients so far, the newest counting most"]
    step_square: Annotated[jax.Array, "u", "the mean of the squared steps so far, as they are with an $\\alpha$ of 1"]


@register
class AdaDelta(Optimizer):
    """Divides by the recent size of the gradients and multiplies by that of its own steps, so it needs no rate."""

    name = "AdaDelta"
    formula = (
        r"s \leftarrow \rho s + (1 - \rho) g^2, \quad "
        r"x \leftarrow x - \alpha \, \frac{\sqrt{u + \epsilon}}{\sqrt{s + \epsilon}} \, g, \quad "
        r"u \leftarrow \rho u + (1 - \rho) \frac{u + \epsilon}{s + \epsilon} \, g^2"
    )
    source = "Zeiler (2012), arXiv:1212.5701"

    learning_rate: float = knob(1.0, 1e-5, 1.0, r"\alpha", log=True)
    rho: float = knob(0.9, 0.0, 0.9999, r"\rho")
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")
    eps: float = knob(
        1e-4,
        1e-12,
        1.0,
        r"\epsilon",
        log=True,
        about="What the steps grow from: the larger, the longer the first ones.",
    )
    decoupled_weight_decay: bool = knob(False, symbol=r"\alpha \lambda x")

    def init(self, x):
        return AdaDeltaState(jnp.zeros_like(x), jnp.zeros_like(x))

    def update(self, gradient, state, x):
        gradient = gradient + coupled_decay(self) * x
        square = self.rho * state.square + (1 - self.rho) * gradient**2
        direction = jnp.sqrt(state.step_square + self.eps) / jnp.sqrt(square + self.eps) * gradient
        step_square = self.rho * state.step_square + (1 - self.rho) * direction**2
        return -self.learning_rate * (direction + decoupled_decay(self) * x), AdaDeltaState(square, step_square)


class RPropState(NamedTuple):
    """The length of the step in each coordinate, and the gradient before."""

    step_size: Annotated[jax.Array, r"\delta", "how long a step is in each coordinate, at the start $\\alpha$"]
    previous: Annotated[jax.Array, "p", "the gradient before; 0 in a coordinate where it had just changed its sign"]


@register
class RProp(Optimizer):
    """Goes by the sign of the gradient alone: a step grows while the sign stays, and shrinks when it changes.

    Where it has changed, one step is left out. In the formula, [...] is 1 where what it says is so, and 0 elsewhere.
    """

    name = "RProp"
    formula = (
        r"\delta \leftarrow \min(\delta_{\max}, \max(\delta_{\min}, "
        r"\delta \, \eta_+^{[g p > 0]} \, \eta_-^{[g p < 0]})), \quad "
        r"p \leftarrow g \, [g p \ge 0], \quad x \leftarrow x - \delta \operatorname{sign}(p)"
    )
    source = "Riedmiller & Braun (1993), ICNN; without a step back as in Igel & Huesken (2000), NC"

    learning_rate: float = knob(0.01, 1e-5, 1.0, r"\alpha", log=True, about="How long the first step is.")
    eta_plus: float = knob(1.2, 1.01, 2.0, r"\eta_+")
    eta_minus: float = knob(0.5, 0.1, 0.99, r"\eta_-")
    min_step_size: float = knob(1e-6, 1e-9, 0.1, r"\delta_{\min}", log=True)
    max_step_size: float = knob(50.0, 1e-3, 50.0, r"\delta_{\max}", log=True)

    def init(self, x):
        return RPropState(self.learning_rate * jnp.ones_like(x), jnp.zeros_like(x))

    def update(self, gradient, state, x):
        agrees = gradient * state.previous
        factor = jnp.where(agrees > 0, self.eta_plus, jnp.where(agrees < 0, self.eta_minus, 1))
        step_size = jnp.clip(state.step_size * factor, self.min_step_size, self.max_step_size)
        previous = jnp.where(agrees < 0, 0, gradient)
        return -step_size * jnp.sign(previous), RPropState(step_size, previous)


@register
class Signum(Optimizer):
    """Each step is equally long in every coordinate: of the mean gradient only the sign counts, not the size."""

    name = "Signum"
    formula = (
        r"m \leftarrow \beta m + (1 - \beta) g, \quad "
        r"x \leftarrow x - \alpha \lambda x - \alpha \operatorname{sign}(m)"
    )
    source = "Bernstein et al. (2018), ICML, arXiv:1802.04434"

    learning_rate: float = knob(0.02, 1e-5, 1.0, r"\alpha", log=True)
    beta: float = knob(0.9, 0.0, 0.999, r"\beta")
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")
    decoupled_weight_decay: bool = knob(True, symbol=r"\alpha \lambda x")

    def init(self, x):
        return Mean(jnp.zeros_like(x))

    def update(self, gradient, state, x):
        gradient = gradient + coupled_decay(self) * x
        mean = self.beta * state.mean + (1 - self.beta) * gradient
        return -self.learning_rate * (decoupled_decay(self) * x + jnp.sign(mean)), Mean(mean)


class AdanState(NamedTuple):
    """Decaying means of the gradients, their changes and squares, the gradient before, and the number of steps."""

    mean: Annotated[jax.Array, "m", "the mean of the gradients so far, the newest counting most"]
    change: Annotated[jax.Array, "v", "the mean of how much the gradient changed from step to step"]
    square: Annotated[jax.Array, "n", "the mean of the squares of the gradients a step ahead"]
    previous: Annotated[jax.Array, "p", "the gradient before"]
    t: Annotated[jax.Array | int, "t", "how many steps it has made"]


class AdanDerived(NamedTuple):
    """The three means, corrected for their start at 0."""

    mean_hat: Annotated[jax.Array, r"\hat m"]
    change_hat: Annotated[jax.Array, r"\hat v"]
    square_hat: Annotated[jax.Array, r"\hat n"]


@register
class Adan(Optimizer):
    """Adam that looks ahead: it adds how much the gradient is changing from one step to the next.

    In the formula, [...] is 1 where what it says is so, and 0 elsewhere: the first gradient has changed from nothing.
    """

    name = "Adan"
    formula = (
        r"m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad "
        r"v \leftarrow \beta_2 v + (1 - \beta_2) (g - p) [t > 1], \quad "
        r"n \leftarrow \beta_3 n + (1 - \beta_3) (g + \beta_2 (g - p) [t > 1])^2, \quad p \leftarrow g, \quad "
        r"\hat m = m / (1 - \beta_1^t), \quad \hat v = v / (1 - \beta_2^t), \quad \hat n = n / (1 - \beta_3^t), \quad "
        r"x \leftarrow x - \alpha \lambda x - \alpha (\hat m + \beta_2 \hat v) / (\sqrt{\hat n} + \epsilon)"
    )
    source = "Xie et al. (2024), IEEE TPAMI 46(12), arXiv:2208.06677"

    learning_rate: float = knob(0.1, 1e-5, 1.0, r"\alpha", log=True)
    beta1: float = knob(0.98, 0.0, 0.999, r"\beta_1")
    beta2: float = knob(0.92, 0.0, 0.999, r"\beta_2", about="How much of the mean of changes is kept in each step.")
    beta3: float = knob(0.99, 0.0, 0.9999, r"\beta_3")
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")
    eps: float = knob(1e-8, 1e-12, 1.0, r"\epsilon", log=True)
    bias_correction: bool = knob(True, symbol=r"1 - \beta^t")
    decoupled_weight_decay: bool = knob(True, symbol=r"\alpha \lambda x")

    def init(self, x):
        return AdanState(jnp.zeros_like(x), jnp.zeros_like(x), jnp.zeros_like(x), jnp.zeros_like(x), 0)

    def derived(self, state):
        return AdanDerived(
            state.mean / bias_divisor(self, self.beta1**state.t),
            state.change / bias_divisor(self, self.beta2**state.t),
            state.square / bias_divisor(self, self.beta3**state.t),
        )

    def update(self, gradient, state, x):
        t = state.t + 1
        gradient = gradient + coupled_decay(self) * x
        difference = (t > 1) * (gradient - state.previous)
        mean = self.beta1 * state.mean + (1 - self.beta1) * gradient
        change = self.beta2 * state.change + (1 - self.beta2) * difference
        square = self.beta3 * state.square + (1 - self.beta3) * (gradient + self.beta2 * difference) ** 2
        mean_hat, change_hat = mean / bias_divisor(self, self.beta1**t), change / bias_divisor(self, self.beta2**t)
        size = jnp.sqrt(square / bias_divisor(self, self.beta3**t)) + self.eps
        move = -self.learning_rate * (decoupled_decay(self) * x + (mean_hat + self.beta2 * change_hat) / size)
        return move, AdanState(mean, change, square, gradient, t)


class ADOPTState(NamedTuple):
    """Decaying means of the divided gradients and of the squares, and the number of steps."""

    mean: Annotated[jax.Array, "m", "the mean of the divided gradients so far, the newest counting most"]
    square: Annotated[jax.Array, "s", "the mean of the squared gradients so far, the newest counting most"]
    t: Annotated[jax.Array | int, "t", "how many steps it has made"]


class ADOPTDerived(NamedTuple):
    """How large a divided gradient may be."""

    bound: Annotated[jax.Array, "c"]


@register
class ADOPT(Optimizer):
    """Adam that divides by what it knew before this step, so a sudden large gradient does not shrink itself.

    The first gradient is only looked at. In the formula, [...] is 1 where what it says is so, and 0 elsewhere.
    """

    name = "ADOPT"
    formula = (
        r"c = (t - 1)^{1 / 4}, \quad "
        r"m \leftarrow \beta_1 m + (1 - \beta_1) \max(-c, \min(c, g / \max(\sqrt{s}, \epsilon))), \quad "
        r"s \leftarrow \beta_2 [t > 1] s + (1 - \beta_2 [t > 1]) g^2, \quad x \leftarrow x - \alpha m"
    )
    source = "Taniguchi et al. (2024), NeurIPS, arXiv:2411.02853"

    learning_rate: float = knob(0.1, 1e-5, 1.0, r"\alpha", log=True)
    beta1: float = knob(
        0.9, 0.0, 0.999, r"\beta_1", about="How much of the mean of divided gradients is kept in each step."
    )
    beta2: float = knob(0.9999, 0.0, 0.9999, r"\beta_2")
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")
    eps: float = knob(1e-6, 1e-12, 10.0, r"\epsilon", log=True, about="The least that a gradient is divided by.")
    decoupled_weight_decay: bool = knob(False, symbol=r"\alpha \lambda x")

    def init(self, x):
        return ADOPTState(jnp.zeros_like(x), jnp.zeros_like(x), 0)

    def derived(self, state):
        return ADOPTDerived((state.t - 1) ** 0.25)

    def update(self, gradient, state, x):
        t = state.t + 1
        gradient = gradient + coupled_decay(self) * x
        bound = (t - 1) ** 0.25
        divided = gradient / jnp.clip(jnp.sqrt(state.square), self.eps)
        mean = self.beta1 * state.mean + (1 - self.beta1) * jnp.clip(divided, -bound, bound)
        kept = self.beta2 * (t > 1)
        square = kept * state.square + (1 - kept) * gradient**2
        return -self.learning_rate * (mean + decoupled_decay(self) * x), ADOPTState(mean, square, t)


class AdEMAMixState(NamedTuple):
    """A fast and a slow mean of the gradients, the mean of their squares, and the number of steps."""

    mean: Annotated[jax.Array, "m_1", "the mean of the gradients so far, the newest counting most"]
    slow_mean: Annotated[jax.Array, "m_2", "a mean that keeps what the gradients were thousands of steps ago"]
    square: Annotated[jax.Array, "s", "the mean of their squares so far, the newest counting most"]
    t: Annotated[jax.Array | int, "t", "how many steps it has made"]


class AdEMAMixDerived(NamedTuple):
    """The fast mean and the mean of squares, corrected for their start at 0."""

    mean_hat: Annotated[jax.Array, r"\hat m_1"]
    square_hat: Annotated[jax.Array, r"\hat s"]


@register
class AdEMAMix(Optimizer):
    """Adam with a second mean of the gradients, so slow that very old ones still count."""

    name = "AdEMAMix"
    formula = (
        r"m_1 \leftarrow \beta_1 m_1 + (1 - \beta_1) g, \quad m_2 \leftarrow \beta_3 m_2 + (1 - \beta_3) g, \quad "
        r"s \leftarrow \beta_2 s + (1 - \beta_2) g^2, \quad "
        r"\hat m_1 = m_1 / (1 - \beta_1^t), \quad \hat s = s / (1 - \beta_2^t), \quad "
        r"x \leftarrow x - \alpha \lambda x - \alpha (\hat m_1 + \kappa m_2) / (\sqrt{\hat s} + \epsilon)"
    )
    source = "Pagliardini, Ablin & Grangier (2025), ICLR, arXiv:2409.03137"

    learning_rate: float = knob(0.1, 1e-5, 1.0, r"\alpha", log=True)
    beta1: float = knob(0.9, 0.0, 0.999, r"\beta_1")
    beta2: float = knob(0.999, 0.0, 0.9999, r"\beta_2")
    beta3: float = knob(0.9999, 0.0, 0.9999, r"\beta_3", about="How much of the slow mean is kept in each step.")
    slow_weight: float = knob(5.0, 0.0, 20.0, r"\kappa")
    weight_decay: float = knob(0.0, 0.0, 1.0, r"\lambda")
    eps: float = knob(1e-8, 1e-12, 1.0, r"\epsilon", log=True)
    bias_correction: bool = knob(True, symbol=r"1 - \beta^t")
    decoupled_weight_decay: bool = knob(True, symbol=r"\alpha \lambda x")

    def init(self, x):
        return AdEMAMixState(jnp.zeros_like(x), jnp.zeros_like(x), jnp.zeros_like(x), 0)

    def derived(self, state):
        return AdEMAMixDerived(
            state.mean / bias_divisor(self, self.beta1**state.t), state.square / bias_divisor(self, self.beta2**state.t)
        )

    def update(self, gradient, state, x):
        t = state.t + 1
        gradient = gradient + coupled_decay(self) * x
        mean = self.beta1 * state.mean + (1 - self.beta1) * gradient
        slow_mean = self.beta3 * state.slow_mean + (1 - self.beta3) * gradient
        square = self.beta2 * state.square + (1 - self.beta2) * gradient**2
        size = jnp.sqrt(square / bias_divisor(self, self.beta2**t)) + self.eps
        direction = (mean / bias_divisor(self, self.beta1**t) + self.slow_weight * slow_mean) / size
        move = -self.learning_rate * (decoupled_decay(self) * x + direction)
        return move, AdEMAMixState(mean, slow_mean, square, t)
