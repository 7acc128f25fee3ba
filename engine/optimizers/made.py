"""What an optimizer is whose rule is no class: it was typed, or has a schedule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.knobs import Knob
from engine.optimizers.base import Optimizer, register_as_pytree


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
