"""The engine's own source, as much of it as a file to take home needs, and numbers as they stand in a program."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

Definition = ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign


def source_of(
    modules: ModuleType | Sequence[ModuleType], names: Iterable[str], given: Collection[str] = (), without: str = ""
) -> str:
    """The definitions of some names of a module, or of several, and of all that they use there, in their order.

    What is ``given`` is left out, and so are annotations with shapes and the decorator ``without``, which need more
    than JAX.
    """
    modules = [modules] if isinstance(modules, ModuleType) else modules
    definitions = [node for module in modules for node in definitions_of(module)]
    needed = set(names)
    while True:
        more = {
            used
            for node in definitions
            if needed & defined_by(node)
            for used in names_in(node, without)
            if any(used in defined_by(other) for other in definitions)
        }
        # a derivative that is registered for a function belongs to it
        more |= {
            name
            for node in definitions
            if isinstance(node, ast.FunctionDef)
            for decorator in node.decorator_list
            if isinstance(decorator, ast.Attribute) and {part.id for part in names_of(decorator)} & needed
            for name in defined_by(node)
        }
        more -= set(given)
        if more <= needed:
            break
        needed |= more
    return "\n\n\n".join(
        text_of(node, inspect.getsource(module).encode(), without)
        for module in modules
        for node in definitions_of(module)
        if needed & defined_by(node)
    )


@cache
def definitions_of(module: ModuleType) -> list[Definition]:
    """The functions, classes and constants of a module."""
    return [node for node in ast.parse(inspect.getsource(module)).body if isinstance(node, Definition)]


def defined_by(node: Definition) -> set[str]:
    """The names that a definition defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def names_in(node: Definition, without: str) -> set[str]:
    """The names that a definition uses when it is run."""
    dropped = [part for span in dropped_parts(node, without) for part in ast.walk(span)]
    return {part.id for part in names_of(node) if not any(part is one for one in dropped)}


def names_of(node: ast.AST) -> list[ast.Name]:
    """Every name that a part of a program reads: not those that it sets, which may be another's too."""
    return [part for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)]


def dropped_parts(node: Definition, without: str) -> list[ast.expr]:
    """The annotations and the decorator of a function that are left out."""
    if not isinstance(node, ast.FunctionDef):
        return []
    annotations = [argument.annotation for argument in node.args.args] + [node.returns]
    decorators = [part for part in node.decorator_list if without in {name.id for name in names_of(part)}]
    return [part for part in annotations if part is not None] + decorators


def text_of(node: Definition, source: bytes, without: str) -> str:
    """The text of a definition, with its comments."""
    lines = source.splitlines(keepends=True)
    starts = np.cumsum([0, *map(len, lines)])

    def place(line: int | None, column: int | None) -> int:
        return int(starts[(line or 1) - 1]) + (column or 0)

    first, decorators = node.lineno, []
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        decorators = node.decorator_list
        first = min([node.lineno, *(part.lineno for part in decorators)])
    while lines[first - 2].startswith(b"#"):
        first -= 1
    begin, end = place(first, 0), place(node.end_lineno, node.end_col_offset)
    cuts = []
    for part in dropped_parts(node, without):
        start, stop = place(part.lineno, part.col_offset), place(part.end_lineno, part.end_col_offset)
        if part in decorators:
            cuts.append((source.rindex(b"@", 0, start), stop + 1))
        else:  # with the colon or arrow before it
            mark = b"->" if isinstance(node, ast.FunctionDef) and part is node.returns else b":"
            cuts.append((len(source[: source.rindex(mark, 0, start)].rstrip()), stop))
    kept, at = [], begin
    for start, stop in sorted(cuts):
        kept.append(source[at:start])
        at = stop
    return b"".join([*kept, source[at:end]]).decode()


def literal(value: Any) -> str:
    """A number, a point or a text as it stands in a program; the shortest that reads back the same."""
    if isinstance(value, tuple | list):
        inner = ", ".join(map(literal, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, np.floating):
        return str(value.item()) if value.dtype == np.float64 else str(value)
    return repr(value)


def array_literal(values: np.ndarray) -> str:
    """A float32 array ``(n,)`` or ``(n, m)`` as it stands in a program, in lines of up to 100 letters."""
    rows = [literal(tuple(row)) if np.ndim(row) else literal(row) for row in np.asarray(values, np.float32)]
    lines, line = [], ""
    for row in rows:
        if len(line) + len(row) > 94:
            lines.append(line.rstrip())
            line = ""
        line += f"{row}, "
    return "\n".join(["np.array([", *(f"    {one}" for one in [*lines, line.rstrip()]), "], np.float32)"])
