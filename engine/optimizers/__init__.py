"""Every optimizer, one class each. To add one, add a class here; pages, links, tables and tests find it by themselves.

An optimizer is two functions. ``init(x)`` makes its state, what it remembers between steps; ``update(gradient, state,
x)`` returns the move and the new state; the race adds the move to ``x``. Names, order and sign are optax's, the
conventions of the update rules are PyTorch's, or their authors' where it has none. ``x``, ``gradient`` and the move
have the shape ``(dim,)``.

A rule that needs more than the gradient names one more parameter, ``update(gradient, state, x, at)``, and gets an
``At``. To the others nothing is passed, and their programs are as they would be without it.

A state is a named tuple. Beside each of its fields stand the symbol that the paper gives it (LaTeX), and what it means.
"""

# isort: off
from engine.optimizers import (
    knobs,
    base,
    shared,
    classic,
    adam,
    lengths,
    recent,
    ahead,
    free,
    second_order,
    line_search,
    newton,
    matrix,
)

# isort: on
from engine.optimizers.adam import Adam
from engine.optimizers.base import (
    OPTIMIZERS,
    At,
    Optimizer,
    Rule,
    helpers,
    knobs_of,
    memory,
    part_symbols,
    prepare,
    register,
    source,
    symbols,
    update_at,
)
from engine.optimizers.classic import SGD
from engine.optimizers.made import MadeOptimizer
from engine.optimizers.newton import Newton

__all__ = [
    "MODULES",
    "OPTIMIZERS",
    "SGD",
    "Adam",
    "At",
    "MadeOptimizer",
    "Newton",
    "Optimizer",
    "Rule",
    "helpers",
    "knobs_of",
    "memory",
    "part_symbols",
    "prepare",
    "register",
    "source",
    "symbols",
    "update_at",
]

# in the order in which they are imported, which is that of their rules everywhere; a rule's place is its colour too,
# so a new one comes last
MODULES = (knobs, base, shared, classic, adam, lengths, recent, ahead, free, second_order, line_search, newton, matrix)
