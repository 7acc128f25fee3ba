"""What is taken home from the Gradients page: its tables, and its computation as a program."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pandas as pd
from nbformat.v4 import new_code_cell, new_markdown_cell

from engine import ExpressionError, problems, slopes
from ui.draw.tables import as_csv, guarded
from ui.gradients.check import check_cached, verdict
from ui.gradients.differences import METHODS, describe_errors, differences
from ui.gradients.functions import curves, parse_cached, with_function
from ui.gradients.loss import describe_direction, losses
from ui.gradients.tangent import describe_x0
from ui.numbers import format_fixed, format_number
from ui.setup.pages import CHECK, DIFFERENCES, LOSS, SLOPE, WIDTHS, GradientsSetup
from ui.take_home.formula import function_code
from ui.take_home.in_notebook import as_bytes
from ui.take_home.in_torch import tidy
from ui.take_home.source import literal, source_of

NO_OPTIMIZER = "There is no optimizer on this page, so there is nothing here that optax does."
NO_ANSWER = "There is no answer to compare yet. Type one above, or choose another part of the page."
HELP = {
    "Every step as CSV": "All rows of the table, as CSV.",
    "Jupyter notebook": "The same computation as a Jupyter notebook that needs JAX alone, from the app's own source.",
    "PyTorch": "The same computation as a PyTorch program.",
}
IMPORTS = """\
import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import plotly.graph_objects as go"""

# by part: the names of slopes.py that it needs, what is computed from them, and what the picture has
NOTEBOOKS: Mapping[str, tuple[tuple[str, ...], str, tuple[str, ...]]] = {
    SLOPE: (("points", "curve"), "x = points(LOW, HIGH)\nvalues, slope = curve(f, x)", ("values", "slope")),
    DIFFERENCES: (
        ("curve", "finite_differences"),
        "forward, central = finite_differences(f, X0, H)\n"
        "slope = curve(f, np.array([X0]))[1][0]\n"
        "x, forward_error, central_error = H, abs(forward.astype(float) - slope), abs(central.astype(float) - slope)",
        ("forward_error", "central_error"),
    ),
    CHECK: (
        ("curve",),
        "x = LOW + (HIGH - LOW) * (np.arange(200) + 0.382) / 200\n"
        "with jax.enable_x64(True):  # 64 bits, so that rounding is not taken for a mistake\n"
        "    slope = curve(f, x)[1]\n"
        "    yours = np.asarray(answer(jnp.asarray(x, float)))\n"
        "x, slope, yours = (part[np.isfinite(slope)] for part in (x, slope, yours))",
        ("slope", "yours"),
    ),
    LOSS: (
        ("loss_slopes",),
        "x = np.round(-2 + np.arange(121) / 10, 1)  # every theta of the slider\n"
        "data = np.arange(100, dtype=np.float32) * np.float32(0.1)\n"
        "loss, by_hand, by_grad, by_difference = loss_slopes(x, data, 4.0 * data)",
        ("loss", "by_hand", "by_grad", "by_difference"),
    ),
}
PLOT = """\
figure = go.Figure()
for name, values_of_it in {curves}.items():
    figure.add_scatter(x=x, y=values_of_it, name=name)
figure{axes}"""

TORCH = {
    SLOPE: """\
x = torch.tensor(LOW + (HIGH - LOW) / 100 * np.arange(100), dtype=torch.float32).round(decimals=10)
x = (x + 0.0).requires_grad_()
values = f(x)
values.sum().backward()
slope = torch.where(torch.isfinite(values), x.grad, math.nan)  # at a corner it is PyTorch's convention, not JAX's
for row in zip(x.tolist(), values.tolist(), slope.tolist()):
    print("x = %.6g   f = %.6g   slope = %.6g" % row)""",
    DIFFERENCES: """\
# At a small h most of the error is rounding, which differs from library to library.
x0, h = torch.tensor(X0, requires_grad=True), torch.tensor(H, dtype=torch.float32)
f(x0).backward()
slope = x0.grad
with torch.no_grad():
    right, left = f(x0 + h), f(x0 - h)
    forward, central = (right - f(x0)) / h, (right - left) / (2 * h)
for row in zip(h.tolist(), abs(forward - slope).tolist(), abs(central - slope).tolist()):
    print("h = %.6g   error of forward %.2e, of central %.2e" % row)""",
    CHECK: """\
torch.set_default_dtype(torch.float64)  # so that rounding is not taken for a mistake
x = torch.tensor(LOW + (HIGH - LOW) * (np.arange(200) + 0.382) / 200, requires_grad=True)
f(x).sum().backward()
slope, yours = x.grad, answer(x.detach())
x, slope, yours = (part[torch.isfinite(slope)] for part in (x.detach(), slope, yours))
print("furthest apart by", abs(yours - slope).max().item())""",
    LOSS: """\
data = torch.arange(100) * 0.1
x = (-2 + torch.arange(121) / 10).requires_grad_()  # every theta of the slider
loss = torch.mean((4.0 * data - x[:, None] * data) ** 2, dim=1)
loss.sum().backward()
by_grad = x.grad
with torch.no_grad():
    by_hand = -2 * torch.mean((4.0 * data - x[:, None] * data) * data, dim=1)
for row in zip(x.tolist(), loss.tolist(), by_grad.tolist()):
    print("theta = %.1f   loss = %.6g   slope = %.6g" % row)""",
}


def made(setup: GradientsSetup, label: str) -> tuple[str, Callable[[], bytes] | None]:
    """The help of a file, and what makes it."""
    if label not in HELP:
        return NO_OPTIMIZER, None
    if problem := problem_of(setup):
        return problem, None
    makers = {"Every step as CSV": csv, "Jupyter notebook": notebook, "PyTorch": pytorch}
    return HELP[label], partial(makers[label], setup)


def problem_of(setup: GradientsSetup) -> str:
    """Why there is nothing to take home; "" where there is something."""
    if setup.part == LOSS:
        return ""
    try:
        f = parse_cached(setup.text)
        if setup.part == CHECK and not setup.answer.strip():
            return NO_ANSWER
        answer = parse_cached(setup.answer) if setup.part == CHECK else None
    except ExpressionError as error:
        return f"A formula cannot be read. {error}"
    if not setup.wide_enough or f.is_derivative or not np.isfinite(curves(f, setup.low, setup.high).f).any():
        return "There is nothing to draw yet. Change the function or its interval in the sidebar."
    if setup.part == DIFFERENCES and not np.isfinite(differences(f, setup.x0).slope):
        return "At x₀, f or its slope is not defined. Move x₀ in the sidebar."
    if answer and check_cached(f, answer, setup.low, setup.high) is None:
        return "f has no slope in this interval. Choose another one in the sidebar."
    return ""


def csv(setup: GradientsSetup) -> bytes:
    """The table of the chosen part."""
    return as_csv(table(setup))


def table(setup: GradientsSetup) -> pd.DataFrame:
    """Every row of the chosen part."""
    if setup.part == LOSS:
        return losses()
    f = parse_cached(setup.text)
    if setup.part == SLOPE:
        found = curves(f, setup.low, setup.high)
        rows = pd.DataFrame({"x": found.x, "f": found.f, "df": found.slope})
    elif setup.part == DIFFERENCES:
        errors = differences(f, setup.x0)
        columns = {"h": np.array(WIDTHS)}
        for name in METHODS:
            columns |= {name: errors.estimates[name], f"error of {name}": errors.errors[name]}
        rows = pd.DataFrame(columns)
    else:
        checked = check_cached(f, parse_cached(setup.answer), setup.low, setup.high)
        assert checked is not None
        rows = pd.DataFrame({"x": checked.x, "f′ by jax.grad": checked.true, "yours": checked.typed})
        rows.insert(0, "answer", guarded(setup.answer.strip()))
    return with_function(setup.text, rows)


def setup_code(setup: GradientsSetup, library: str) -> list[str]:
    """The numbers of the set-up, and the functions that were chosen or typed."""
    if setup.part == LOSS:
        return []
    numbers = f"LOW, HIGH = {literal(setup.low)}, {literal(setup.high)}"
    if setup.part == DIFFERENCES:
        widths = ", ".join(map(literal, WIDTHS))
        numbers = f"X0 = {literal(setup.x0)}\nH = np.array([{widths}])"
    functions = [function_code(parse_cached(setup.text), "f", library)]
    if setup.part == CHECK:
        functions.append(function_code(parse_cached(setup.answer), "answer", library))
    return [numbers, *functions]


def title(setup: GradientsSetup) -> str:
    """What is computed, in a line."""
    what = {
        SLOPE: f"the slope of f(x) = {setup.text.strip()}",
        DIFFERENCES: f"finite differences of f(x) = {setup.text.strip()} at x = {literal(setup.x0)}",
        CHECK: f"whether {setup.answer.strip()} is the slope of f(x) = {setup.text.strip()}",
        LOSS: "the mean squared error of the line theta x to y = 4x, and its slope in three ways",
    }
    return " ".join(what[setup.part].split())


def notebook(setup: GradientsSetup) -> bytes:
    """The computation as a notebook."""
    names, compute, shown = NOTEBOOKS[setup.part]
    own = [source_of(slopes, names)]
    if setup.part == LOSS:
        own.insert(0, source_of(problems, ["mean_squared_error", "mean_squared_error_by_hand"]))
    curves_shown = "{" + ", ".join(f'"{name}": {name}' for name in shown) + "}"
    axes = '.update_xaxes(type="log").update_yaxes(type="log")' if setup.part == DIFFERENCES else ""
    words = (
        f"# Gradients\n\n    {title(setup)}\n\nIt needs `pip install jax numpy plotly nbformat`. With the app's "
        "version of JAX, and a processor of the same kind, every number comes out as in the app, to the last digit."
    )
    code = [IMPORTS, *setup_code(setup, "jnp"), *own, compute, PLOT.format(curves=curves_shown, axes=axes)]
    return as_bytes([new_markdown_cell(words), *map(new_code_cell, code)])


def pytorch(setup: GradientsSetup) -> bytes:
    """The computation as a PyTorch program."""
    head = f"# Gradients: {title(setup)}\n# In PyTorch: pip install torch numpy\n\n"
    head += "import math\n\nimport numpy as np\nimport torch"
    return tidy("\n\n\n".join([head, *setup_code(setup, "torch"), TORCH[setup.part]])).encode()


def describe(setup: GradientsSetup) -> str:
    """The picture and what it shows, as plain text."""
    if problem := problem_of(setup):
        return problem
    if setup.part == LOSS:
        row = losses().loc[lambda rows: np.isclose(rows["θ"], setup.theta)].iloc[0]
        return (
            "Gradients. The picture shows the mean squared error of the line θx to the points along y = 4x as a "
            f"parabola over θ, with its tangent, and the points with the line. At θ = {format_fixed(setup.theta, 1)} "
            f"the loss is {format_fixed(row['loss'], 3)} and its slope {format_fixed(row['jax.grad'], 3)}. "
            + describe_direction(setup.theta)
        )
    f = parse_cached(setup.text)
    where = f"f(x) = {setup.text.strip()} from x = {format_number(setup.low, 6)} to {format_number(setup.high, 6)}"
    if setup.part == SLOPE:
        found = curves(f, setup.low, setup.high)
        place = setup.places().index(setup.x0)
        words = describe_x0(f, setup.x0, float(found.f[place]), float(found.slope[place]))
        picture = f"{where} with its tangent at x₀, and its slope f′"
    elif setup.part == DIFFERENCES:
        words = "\n".join(describe_errors(f, setup.x0, differences(f, setup.x0)))
        picture = f"f(x) = {setup.text.strip()} around x₀ = {format_number(setup.x0, 6)} with the lines of two finite "
        picture += "differences, and the error of each against h"
    else:
        checked = check_cached(f, parse_cached(setup.answer), setup.low, setup.high)
        assert checked is not None
        words, picture = verdict(checked)[1], f"the slope of {where}, and the answer {setup.answer.strip()}"
    return f"Gradients. The picture shows {picture}.\n\n{plain(words)}"


def plain(markdown: str) -> str:
    """A text without the marks of Markdown."""
    text = re.sub(r":material/\w+: ?", "", markdown).replace("x_0", "x₀").replace(r"\theta", "θ")
    return re.sub(r"[$`*]", "", text)
