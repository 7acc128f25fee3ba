"""A typed formula as a line of Python, for JAX or PyTorch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.expressions.functions import ADD, ALL_FUNCTIONS, CONSTANTS, DIVIDE, MULTIPLY, NEGATE, POWER, SUBTRACT
from engine.expressions.tree import Apply, Function, Name, Node, Number, fraction, root_of
from ui.take_home.source import literal

SIGNS = {ADD: "+", SUBTRACT: "-", MULTIPLY: "*", DIVIDE: "/", POWER: "**"}
# what is called otherwise than here, by library; {} is the value
COMMON = {
    "sec": "(1 / {lib}.cos({}))",
    "csc": "(1 / {lib}.sin({}))",
    "cot": "(1 / {lib}.tan({}))",
    "sech": "(1 / {lib}.cosh({}))",
    "csch": "(1 / {lib}.sinh({}))",
    "coth": "(1 / tanh({}))",
    "tanh": "tanh({})",
    "sigmoid": "sigmoid({})",
    "ln": "{lib}.log({})",
    "max": "{lib}.maximum({}, {})",
    "min": "{lib}.minimum({}, {})",
    "norm": "{lib}.sqrt({lib}.sum({0} * {0}))",
    "dot": "{lib}.sum({} * {})",
}
CALLS = {
    "jnp": COMMON
    | {name: f"{{lib}}.arc{name[1:]}({{}})" for name in ("asin", "acos", "atan", "asinh", "acosh", "atanh")}
    | {"relu": "jax.nn.relu({})", "softplus": "jax.nn.softplus({})"},
    "torch": COMMON
    | {"cbrt": "odd_power({}, 1, 3)", "softplus": "torch.logaddexp({}, torch.tensor(0.0))"}
    | {"tanh": "torch.tanh({})", "coth": "(1 / torch.tanh({}))", "sigmoid": "torch.sigmoid({})"},
}
ARRAYS = {"jnp": "jnp.asarray({}, float)", "torch": "torch.tensor({})"}

JAX_HELPERS = {
    "odd_power(": '''\
@partial(jax.custom_jvp, nondiff_argnums=(1, 2))
def odd_power(x, p, q):
    """x^(p/q) for odd q: the real root, which is there for negative x as well."""
    size = jnp.abs(x) ** (p / q)
    return jnp.where(x < 0, -size, size) if p % 2 else size


@odd_power.defjvp
def odd_power_slope(p, q, x, along):
    """Its derivative, p/q x^(p/q - 1), and its value."""
    return odd_power(x[0], p, q), p / q * odd_power(x[0], p - q, q) * along[0]''',
    "tanh(": """\
# far out, nothing is left of the slopes s(1 - s) and 1 - t^2 that JAX has for these
sigmoid = jax.custom_jvp(jax.nn.sigmoid)
sigmoid.defjvps(lambda along, s, x: sigmoid(x) * sigmoid(-x) * along)
tanh = jax.custom_jvp(jnp.tanh)
tanh.defjvps(lambda along, t, x: 4 * sigmoid(2 * x) * sigmoid(-2 * x) * along)""",
}
JAX_HELPERS["sigmoid("] = JAX_HELPERS["tanh("]
TORCH_HELPERS = {
    "odd_power(": '''\
def odd_power(x, p, q):
    """x^(p/q) for odd q: the real root, which is there for negative x as well."""
    size = torch.abs(x) ** (p / q)
    return torch.where(x < 0, -size, size) if p % 2 else size''',
}


def function_code(f: Function, name: str, library: str) -> str:
    """A typed function as a function of Python, with what it needs."""
    line = to_python(f.tree, library)
    needed = helpers_of(line, library)
    if not has_variable(f.tree):
        line = f"{line} + 0 * x"  # the same everywhere
    return "\n\n\n".join([*needed, f"def {name}({', '.join(f.variables)}):\n    return {line}"])


def helpers_of(program: str, library: str) -> list[str]:
    """The helpers that a program calls."""
    helpers = TORCH_HELPERS if library == "torch" else JAX_HELPERS
    return list(dict.fromkeys(code for call, code in helpers.items() if called(call, program)))


def renamed(node: Node, names: Mapping[str, str]) -> Node:
    """A tree with other names."""
    match node:
        case Name(name):
            return Name(names[name])
        case Apply(operation, values):
            return Apply(operation, tuple(renamed(value, names) for value in values))
    return node


def called(call: str, line: str) -> bool:
    """Whether a helper is called, and not a function of a library with that name."""
    return any(before not in (".", "_") and not before.isalnum() for before in characters_before(call, f" {line}"))


def characters_before(call: str, line: str) -> Iterator[str]:
    """The character before each place where a text stands."""
    at = line.find(call)
    while at >= 0:
        yield line[at - 1]
        at = line.find(call, at + 1)


def names(node: Node) -> Iterator[str]:
    """The variables and constants of a tree."""
    match node:
        case Name(name):
            yield name
        case Apply(_, values):
            for value in values:
                yield from names(value)


def has_variable(*nodes: Node) -> bool:
    """Whether a variable is in one of these trees."""
    return any(not set(names(node)) <= set(CONSTANTS) for node in nodes)


def to_python(node: Node, library: str) -> str:
    """The expression of a tree; it computes what ``engine.expressions.tree.compute`` does."""
    match node:
        case Number(value):
            return literal(value)
        case Name(name):
            return f"math.{name}" if name in CONSTANTS else name
        case Apply(operation, (base, exponent)) if operation is POWER:
            if base == Name("e"):
                return f"{library}.exp({to_array(exponent, library)})"
            if (power := fraction(exponent)) is not None:
                base, power = root_of(base, power)
                if power.denominator == 1 and abs(power) <= 100:
                    return f"({to_array(base, library)} ** {power.numerator})"
                if power.denominator % 2 and power.denominator > 1:
                    return f"odd_power({to_array(base, library)}, {power.numerator}, {power.denominator})"
            call = "jnp.power" if library == "jnp" else "torch.pow"
            return f"{call}({to_array(base, library)}, {to_array(exponent, library)})"
        case Apply(operation, (value,)) if operation is NEGATE:
            return f"(-{to_python(value, library)})"
        case Apply(operation, (left, right)) if operation in SIGNS:
            # numbers alone would be computed in 64 bits, and a division by 0 would be an error
            first = to_python(left, library) if has_variable(left, right) else to_array(left, library)
            # XLA would multiply by the reciprocal of a bare number, which rounds otherwise
            second = to_array(right, library) if operation is DIVIDE else to_python(right, library)
            return f"({first} {SIGNS[operation]} {second})"
    name = next(name for name, operation in ALL_FUNCTIONS.items() if operation is node.operation)
    call = CALLS[library].get(name, f"{{lib}}.{name}({{}})")
    return call.format(*(to_array(value, library) for value in node.values), lib=library)


def to_array(node: Node, library: str) -> str:
    """The expression of a tree as an array: a bare number has none of an array's operations."""
    text = to_python(node, library)
    return ARRAYS[library].format(text) if not has_variable(node) else text
