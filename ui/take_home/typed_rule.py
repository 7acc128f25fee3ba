"""A typed rule as a class of Python, in the form of the engine's own, for JAX or PyTorch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine import Optimizer
from engine.expressions.tree import Node, Number
from engine.rules import LOSS, NAME, POINT, STEP, TypedOptimizer, TypedRule, move_of, names_in, python_name
from engine.scheduled import unscheduled
from ui.setup.racers import rule_names
from ui.take_home.formula import helpers_of, renamed, to_array, to_python
from ui.take_home.source import literal

ZERO = {"jnp": "jnp.zeros(())", "torch": "torch.tensor(0.0)"}
NEXT_STEP = {"jnp": "jnp.asarray(state.t + 1, float)", "torch": "torch.tensor(state.t + 1.0)"}
TAKEN = {"self", "state", "gradient", "move", "jnp", "jax", "np", "torch", "math", "odd_power"}
USES_LOSS = f"{NAME} uses the loss, which the programs do not hand to a rule. Without {LOSS} in it there is one."


def class_names(racers: Iterable[Optimizer]) -> dict[object, str]:
    """What the class of each rule of a line-up is called in a program, by the rule without its schedule."""
    return {
        rule: name.title().replace(" ", "").strip(")").replace("(", "")
        if isinstance(rule, TypedRule)
        else rule.__name__
        for rule, name in rule_names([*map(unscheduled, racers)]).items()
    }


def typed_code(racers: Iterable[Optimizer], names: Mapping[object, str], library: str) -> list[str]:
    """The classes of the rules that were typed, with what they need."""
    rules = dict.fromkeys(racer.rule for racer in racers if isinstance(racer, TypedOptimizer))
    classes = [class_code(rule, names[rule], library) for rule in rules]
    code = "\n\n\n".join(classes)
    imports = ["import math"] if "math." in code and library == "jnp" else []
    return [*imports, *helpers_of(code, library), *classes]


def class_code(rule: TypedRule, name: str, library: str) -> str:
    """One rule: what it remembers, and its class."""
    kept = [python_name(one) for one in rule.kept]
    array = "jax.Array" if library == "jnp" else "torch.Tensor"
    state = [f"    {one}: {array}" for one in kept]
    knobs = [f"    {python_name(knob.name)}: float = knob({literal(knob.default)})" for knob in rule.knobs()]
    ends = ["state.t + 1" if one == STEP else local(one) for one in rule.kept]
    starts = [start_code(rule, one, library) for one in rule.kept]
    # what is typed stands there as remarks: within a string it could end the string
    parts = [
        f"class {name}State(NamedTuple):",
        f'    """What {name} remembers between steps."""',
        *(["", *state] if state else []),
        "",
        "",
        "@register",
        f"class {name}(Optimizer):",
        '    """A rule that was typed."""',
        "",
        *(f"    # {line}".rstrip() for line in rule.text.split("\n")),
        *(["", *knobs] if knobs else []),
        "",
        "    def init(self, x):",
        *indented(knob_lines(rule, [*rule.starts.values()])),
        f"        return {name}State({', '.join(starts)})",
        "",
        "    def update(self, gradient, state, x):",
        *indented(update_lines(rule, library)),
        f"        return move, {name}State({', '.join(ends)})",
    ]
    return "\n".join(parts)


def indented(lines: Iterable[str]) -> list[str]:
    """Lines of a method."""
    return [f"        {line}" for line in lines]


def local(name: str) -> str:
    """A name of a rule within a method."""
    return f"{name}_" if name in TAKEN else python_name(name)


def knob_lines(rule: TypedRule, trees: Iterable[Node]) -> list[str]:
    """The knobs that some trees use, under the names that the rule has for them."""
    used = {name for tree in trees for name in names_in(tree)}
    return [f"{local(name)} = self.{python_name(knob.name)}" for name, knob in rule.declared.items() if name in used]


def start_code(rule: TypedRule, name: str, library: str) -> str:
    """What a name begins at."""
    if name == STEP:
        return "0"
    if name not in rule.starts:
        return f"{library}.zeros_like(x)" if name in rule.vectors else ZERO[library]
    return value_code(rule, name, rule.starts[name], library)


def update_lines(rule: TypedRule, library: str) -> list[str]:
    """The lines of a step."""
    lines = ["g = gradient"] + [f"{local(name)} = state.{python_name(name)}" for name in rule.remembered]
    lines += [f"{STEP} = {NEXT_STEP[library]}"] if STEP in rule.kept else []
    lines += knob_lines(rule, [line.tree for line in rule.lines])
    for number, line in enumerate(rule.lines, 1):
        if line.name == POINT:
            lines.append(f"move = {value_code(rule, POINT, move_of(line.tree), library)}")
            used_again = any(POINT in names_in(one.tree) for one in rule.lines[number:])
            lines += ["x = x + move"] if used_again else []
        else:
            lines.append(f"{local(line.name)} = {value_code(rule, line.name, line.tree, library)}")
    return lines


def value_code(rule: TypedRule, name: str, tree: Node, library: str) -> str:
    """What a name becomes: one number, or one for each coordinate."""
    own = renamed(tree, {one: local(one) for one in names_in(tree)})
    is_vector = bool(rule.vectors & {*names_in(tree, across=False)})
    if name not in rule.vectors or is_vector:
        return to_array(own, library) if isinstance(own, Number) else without_brackets(to_python(own, library))
    return f"{library}.broadcast_to({to_array(own, library)}, x.shape)"


def without_brackets(text: str) -> str:
    """An expression without the brackets around all of it."""
    depth = 0
    for place, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if not depth and place < len(text) - 1:
            return text
    return text[1:-1] if text.startswith("(") else text
