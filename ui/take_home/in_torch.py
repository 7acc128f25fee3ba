"""A run as a PyTorch program."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from engine import Optimizer
from engine.problems import mean_squared_error
from ui.take_home.descent import Descent
from ui.take_home.in_jax import SETTLED, about, batches_code, examples_code, loss_code, loss_name, setup_code
from ui.take_home.source import literal

COS_TURNS = '''\
def cos_turns(x):
    """The cosine of x full turns. The whole turns are taken off first, so that less is rounded."""
    return torch.cos(2 * math.pi * (x - torch.round(x)))'''

MEAN_SQUARED_ERROR = '''\
def mean_squared_error(theta, x, true):
    """The mean squared difference between the truth and x times theta."""
    return torch.mean((true - x @ theta) ** 2)'''

LION = '''\
class Lion(torch.optim.Optimizer):
    """PyTorch has no Lion; this is Chen et al. (2023), arXiv:2302.06675."""

    def __init__(self, params, lr, betas, weight_decay):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for x in group["params"]:
                mean = self.state[x].setdefault("mean", torch.zeros_like(x))
                direction = torch.sign(beta1 * mean + (1 - beta1) * x.grad)
                x -= group["lr"] * (group["weight_decay"] * x + direction)
                mean.mul_(beta2).add_((1 - beta2) * x.grad)'''

CENTERED = '''\
class CenteredRMSProp(torch.optim.Optimizer):
    """RMSprop(centered=True) as the app has it: PyTorch's is NaN where rounding takes the spread below zero."""

    def __init__(self, params, lr, alpha, momentum, weight_decay, eps):
        knobs = {"lr": lr, "alpha": alpha, "momentum": momentum, "weight_decay": weight_decay, "eps": eps}
        super().__init__(params, knobs)

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            alpha = group["alpha"]
            for x in group["params"]:
                if not self.state[x]:
                    self.state[x] = {name: torch.zeros_like(x) for name in ("square", "mean", "velocity")}
                square, mean, velocity = (self.state[x][name] for name in ("square", "mean", "velocity"))
                gradient = x.grad + group["weight_decay"] * x
                square.mul_(alpha).add_((1 - alpha) * gradient**2)
                mean.mul_(alpha).add_((1 - alpha) * gradient)
                spread = torch.clamp(square - mean**2, min=0)
                velocity.mul_(group["momentum"]).add_(gradient / (spread.sqrt() + group["eps"]))
                x -= group["lr"] * velocity'''

RUN = '''\
def run(make_optimizer{quiet}):
    """Position (steps + 1, dim) and loss (steps + 1,) at each step, until it ends."""
    x = torch.tensor(START, requires_grad=True)
    optimizer = make_optimizer(x)
    positions, losses = [], []
    for step in range(STEPS + 1):
        optimizer.zero_grad()
{evaluate}
        if not all(torch.isfinite(part).all() for part in (x, loss, x.grad)):
            break  # it has left the finite numbers
        positions.append(x.tolist())
        losses.append(loss.item())
        optimizer.step()
{settled}    return positions, losses


runs = {{name: run(make{quiet_of}) for name, make in RACERS.items()}}
for name, (positions, losses) in runs.items():
    end = f"ends at {{positions[-1]}} with the loss {{losses[-1]:.6g}}" if losses else "cannot begin"
    print(f"{{name:24}} {{end}} after {{max(len(losses) - 1, 0)}} steps")'''

EVALUATE = """\
        loss = {loss}(x{data})
        loss.backward()"""
EVALUATE_BATCH = """\
        loss = {loss}(x, FEATURES, TRUE)  # of all examples; the gradient is that of the batch
        chosen = BATCHES[step]
        {loss}(x, FEATURES[chosen], TRUE[chosen]).backward()"""

SETTLE = """\
    if (end := settled_at(losses, quiet_steps)) is not None:
        positions, losses = positions[: end + 1], losses[: end + 1]
"""


def sgd(knobs: dict[str, str], nesterov: str = "") -> str:
    """SGD with or without momentum. PyTorch allows nesterov only where there is some."""
    nesterov = nesterov if float(knobs.get("momentum", "0")) else ""
    return f"torch.optim.SGD([x], {settings(knobs, nesterov)})"


def settings(knobs: dict[str, str], more: str = "") -> str:
    """Knobs under PyTorch's names."""
    renamed = {"learning_rate": "lr", "smoothing_constant": "alpha"}
    parts = [f"{renamed.get(name, name)}={value}" for name, value in knobs.items() if not name.startswith("beta")]
    if "beta1" in knobs:
        parts.insert(1, f"betas=({knobs['beta1']}, {knobs['beta2']})")
    return ", ".join([*parts, *([more] if more else [])])


def rmsprop(knobs: dict[str, str]) -> str:
    """RMSprop, by hand where it is centred."""
    others = {name: value for name, value in knobs.items() if name != "centered"}
    return f"{'CenteredRMSProp' if knobs['centered'] == 'True' else 'torch.optim.RMSprop'}([x], {settings(others)})"


# by the name of the rule: what makes it, from the knobs as they stand in a program
COUNTERPARTS: dict[str, Callable[[dict[str, str]], str]] = {
    "SGD": sgd,
    "Momentum": sgd,
    "Nesterov": lambda knobs: sgd(knobs, "nesterov=True"),
    "AdaGrad": lambda knobs: f"torch.optim.Adagrad([x], {settings(knobs)})",
    "RMSProp": rmsprop,
    "Adam": lambda knobs: f"torch.optim.Adam([x], {settings(knobs)})",
    "AdamW": lambda knobs: f"torch.optim.AdamW([x], {settings(knobs)})",
    "AMSGrad": lambda knobs: f"torch.optim.Adam([x], {settings(knobs, 'amsgrad=True')})",
    "NAdam": lambda knobs: f"torch.optim.NAdam([x], {settings(knobs)})",
    "Lion": lambda knobs: f"Lion([x], {settings(knobs)})",
}
BY_HAND = {"Lion(": LION, "CenteredRMSProp(": CENTERED}


def without_counterpart(descent: Descent) -> str:
    """Which optimizer PyTorch and this program lack; "" if none."""
    return next((racer.name for racer in descent.racers.values() if racer.name not in COUNTERPARTS), "")


def racer_code(racer: Optimizer) -> str:
    """What makes an optimizer of PyTorch for the tensor x."""
    return COUNTERPARTS[racer.name]({knob.name: literal(getattr(racer, knob.name)) for knob in racer.knobs()})


def torch_loss_code(descent: Descent) -> str:
    """The loss, with PyTorch's functions in the place of JAX's."""
    if descent.loss is mean_squared_error:
        return MEAN_SQUARED_ERROR
    source = loss_code(descent)
    own = source[source.rindex(f"def {loss_name(descent)}(") :]
    own = own.replace("jnp.e ", "math.e ").replace("jnp.pi", "math.pi").replace("jnp.", "torch.")
    return f"{COS_TURNS}\n\n\n{own}" if re.search(r"\bcos_turns\(", own) else own


def pytorch(descent: Descent, warning: str) -> bytes:
    """The program of a descent. ``warning``: what to know before comparing."""
    in_batches = descent.batch_size is not None
    with_jax = descent.drawn or in_batches
    imports = ["import math", "", "import numpy as np", "import torch"]
    if with_jax:
        imports = ["from functools import partial", "", "import jax", "import numpy as np", "import torch"]
        imports[3:3] = ["import jax.numpy as jnp"] if "jnp." in examples_and_batches(descent) else []
    racers = {name: racer_code(racer) for name, racer in descent.racers.items()}
    classes = [code for call, code in BY_HAND.items() if any(made.startswith(call) for made in racers.values())]
    line_up = "\n".join(
        ["RACERS = {", *(f"    {literal(name)}: lambda x: {made}," for name, made in racers.items()), "}"]
    )
    parts = [
        f'"""{docstring(descent, warning, bool(with_jax))}"""\n\n' + "\n".join(imports),
        setup_code(descent),
        torch_loss_code(descent),
        *([examples_and_batches(descent)] if descent.fit else []),
        *classes,
        line_up,
        *([SETTLED] if descent.tolerance else []),
        run_code(descent),
    ]
    return tidy("\n\n\n".join(parts) + "\n").encode()


def docstring(descent: Descent, warning: str, with_jax: bool) -> str:
    """What stands at the top of the program."""
    lines = [f"{descent.page}: {about(descent)}", "", "In PyTorch: pip install torch numpy"]
    if with_jax:
        lines[-1] += " jax. JAX draws the examples and the batches, so that they are those of the app."
    return "\n".join([*lines, *(["", warning] if warning else []), ""])


def examples_and_batches(descent: Descent) -> str:
    """The examples, and the batches as indices, as tensors."""
    parts = [examples_code(descent)]
    if descent.batch_size:
        parts.append(batches_code())
        parts.append("BATCHES = [np.flatnonzero(chosen) for chosen in all_batches()]")
    parts.append("FEATURES, TRUE = torch.tensor(FEATURES), torch.tensor(TRUE)")
    return "\n\n\n".join(parts)


def run_code(descent: Descent) -> str:
    """The loop over the steps."""
    loss, tolerant = loss_name(descent), bool(descent.tolerance)
    data = ", FEATURES, TRUE" if descent.fit else ""
    evaluate = (EVALUATE_BATCH if descent.batch_size else EVALUATE).format(loss=loss, data=data)
    return RUN.format(
        evaluate=evaluate,
        quiet=", quiet_steps" if tolerant else "",
        quiet_of=", QUIET_STEPS[name]" if tolerant else "",
        settled=SETTLE if tolerant else "",
    )


def tidy(program: str) -> str:
    """A program without the imports that it does not use."""
    kept: list[Any] = []
    for line in program.splitlines():
        name = re.fullmatch(r"(?:from \S+ )?import (\S+)(?: as (\S+))?", line)
        used = name and len(re.findall(rf"\b{re.escape(name[2] or name[1])}\b", program)) > 1
        if name is None or used:
            kept.append(line)
    return "\n".join(kept) + "\n"
