"""What every optimizer is made of, and how one is entered into the registry."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import (
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

from engine.knobs import Knob
from engine.noise import with_noise
from engine.optimizers.knobs import ABOUT, CHANGED

OPTIMIZERS: dict[str, type[Optimizer]] = {}


def symbols(state: tuple) -> dict[str, str]:
    """The symbol of each field of a state, by the field's name: ``{"mean": "m", "square": "s", "t": "t"}``."""
    return {name: hint.__metadata__[0] for name, hint in get_type_hints(type(state), include_extras=True).items()}


def memory(rule: Rule) -> dict[str, str]:
    """What a rule remembers between steps, in a reader's words, by symbol; empty where that is nothing."""
    hints = get_type_hints(type(rule().init(jnp.zeros(1))), include_extras=True)
    return {hint.__metadata__[0]: hint.__metadata__[1] for hint in hints.values()}


def part_symbols(optimizer: Optimizer) -> dict[str, str]:
    """The symbol of each part of a move that is not remembered, by its field's name."""

    def parts(x, state):
        return optimizer.parts(x, state, x, state, At(jnp.array(0), x[0], jnp.sum))

    return symbols(jax.eval_shape(parts, jnp.ones(2), optimizer.init(jnp.ones(2))))


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
    noise: Float[Array, "dim"] | None = None  # that is in each gradient of this step; loss and Hessian have none

    def gradient(self, x: Float[Array, "dim"]) -> Float[Array, "dim"]:
        """The gradient anywhere."""
        return with_noise(jax.grad(self.value)(x), self.noise)

    def hessian(self, x: Float[Array, "dim"]) -> Float[Array, "dim dim"]:
        """The Hessian anywhere."""
        return jax.hessian(self.value)(x)


class Optimizer:
    """A rule that turns gradients into moves. Subclass it, decorate with ``@register``."""

    name: ClassVar[str]
    formula: ClassVar[str]  # LaTeX
    source: ClassVar[str]  # the paper
    takes_at: ClassVar[bool] = False  # whether its update has the parameter ``at``
    keeps_rate: ClassVar[bool] = True  # whether its learning rate is the same in each step
    # how often a step evaluates the loss, its gradient and its Hessian, where that is the same in each step
    cost: ClassVar[tuple[int, int, int]] = (0, 1, 0)
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

    def parts(self, gradient: jax.Array, before: Any, x: jax.Array, after: Any, at: At) -> Any:
        """What the move from ``x`` is made of that is not remembered, by the state before it and after it."""
        return self.derived(after)

    def evaluations(self, step: Any, before: Any, parts: Any) -> tuple[Any, Any, Any]:
        """How often a step, counted from 0, evaluates the loss, its gradient and its Hessian.

        By the state before it, and by its parts. Whoever defines it need not give a ``cost``.
        """
        return self.cost

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
        pull, decays = re.search(r"- \\alpha \\lambda [xy] ", formula), knobs.get("weight_decay")
        decoupled = knobs.get("decoupled_weight_decay", bool(pull))
        if pull and not (decays and decoupled):
            formula = formula.replace(pull[0], "")
        if decays and decoupled and not pull:
            formula = formula.replace(r"x \leftarrow x ", r"x \leftarrow x - \alpha \lambda x ")
        elif decays and not decoupled:
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


def update_at(optimizer, gradient, state, x, step, loss, value, noise=None):
    """The move and the new state of any rule; what follows ``x`` as in ``At``, for a rule that asks."""
    optimizer = optimizer.at_step(step)
    if optimizer.takes_at:
        return optimizer.update(gradient, state, x, at=At(step, loss, value, noise))
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


class NoState(NamedTuple):
    """Nothing is remembered."""
