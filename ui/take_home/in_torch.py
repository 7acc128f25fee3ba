"""A run as a PyTorch program."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from engine import Optimizer
from engine.painted import Painted
from engine.problems import mean_squared_error
from engine.scheduled import unscheduled
from engine.typed import TypedLoss
from ui.take_home.descent import Descent
from ui.take_home.formula import function_code
from ui.take_home.in_jax import (
    OF_POINT,
    SETTLED,
    STUBS,
    about,
    asks,
    batches_code,
    data_code,
    examples_code,
    knobs_code,
    line_up_code,
    loss_code,
    loss_name,
    rules_code,
    setup_code,
)
from ui.take_home.schedule import schedules_code, table_code
from ui.take_home.source import literal
from ui.take_home.torch_rules import COUNTERPARTS, why_own
from ui.take_home.turn import reason, turns_code
from ui.take_home.typed_rule import class_names

OWN_IMPORTS = ("from dataclasses import dataclass", "from typing import Annotated", "from typing import NamedTuple")

COS_TURNS = '''\
def cos_turns(x):
    """The cosine of x full turns. The whole turns are taken off first, so that less is rounded."""
    return torch.cos(2 * math.pi * (x - torch.round(x)))'''

MEAN_SQUARED_ERROR = '''\
def mean_squared_error(theta, x, true):
    """The mean squared difference between the truth and x times theta."""
    return torch.mean((true - x @ theta) ** 2)'''

OWN_RULE = '''\
class OwnRule(torch.optim.Optimizer):
    """A rule of the app as an optimizer of PyTorch, with its numbers in 32 bits."""

    def __init__(self, params, rule):
        super().__init__(params, {})
        self.rule = type(rule)(*map(torch.tensor, vars(rule).values()))

    @torch.no_grad()
    def step(self):
        for x in self.param_groups[0]["params"]:
            memory = self.state[x].get("memory") or self.rule.init(x.clone())
            move, self.state[x]["memory"] = self.rule.update(x.grad, memory, x)
            x += move'''

OWN_ASKING_RULE = '''\
class OwnAskingRule(OwnRule):
    """A rule of the app that asks for the loss, as an optimizer of PyTorch, with its numbers in 32 bits."""

    @torch.no_grad()
    def step(self, loss, *noise):
        for x in self.param_groups[0]["params"]:
            memory = self.state[x].get("memory") or self.rule.init(x.clone())
            at = At(loss(x), loss, *noise)
            move, self.state[x]["memory"] = self.rule.update(x.grad, memory, x, at=at)
            x += move'''

OWN_SCHEDULED = '''\
class OwnRule(torch.optim.Optimizer):
    """A rule of the app as an optimizer of PyTorch, with its numbers in 32 bits, perhaps with a schedule."""

    def __init__(self, params, rule):
        super().__init__(params, {"lr": rule.learning_rate} if "learning_rate" in vars(rule) else {})
        self.rule = type(rule)(*map(torch.tensor, vars(rule).values()))

    def now(self):
        """The rule with the learning rate of this step."""
        rate = self.param_groups[0].get("lr")
        return self.rule if rate is None else replace(self.rule, learning_rate=torch.tensor(rate))

    @torch.no_grad()
    def step(self):
        for x in self.param_groups[0]["params"]:
            memory = self.state[x].get("memory") or self.rule.init(x.clone())
            move, self.state[x]["memory"] = self.now().update(x.grad, memory, x)
            x += move'''

TURN = '''

    def turn(self, rule):
        """Go by other knobs from here on. What is remembered stays."""
        self.rule = type(rule)(*map(torch.tensor, vars(rule).values()))'''
TURN_RATE = """
        if "lr" in self.param_groups[0]:
            self.param_groups[0].update(lr=rule.learning_rate, initial_lr=rule.learning_rate)"""

RUN = '''\
def run(make_optimizer{schedule}{turned}{quiet}):
    """Position (steps + 1, dim) and loss (steps + 1,) at each step, until it ends."""
    x = torch.tensor(START, requires_grad=True)
    optimizer = make_optimizer(x)
{scheduler}    positions, losses = [], []
    for step in range(STEPS + 1):
        optimizer.zero_grad()
{turn}{evaluate}
        if not all(torch.isfinite(part).all() for part in (x, loss, x.grad)):
            break  # it has left the finite numbers
        positions.append(x.tolist())
        losses.append(loss.item())
{step}{next_rate}{settled}    return positions, losses


runs = {{name: run(make{schedule_of}{turned_of}{quiet_of}) for name, make in RACERS.items()}}
for name, (positions, losses) in runs.items():
    end = f"ends at {{positions[-1]}} with the loss {{losses[-1]:.6g}}" if losses else "cannot begin"
    print(f"{{name:24}} {{end}} after {{max(len(losses) - 1, 0)}} steps")'''

AT_TURN = """\
        if turned and step == turned[0]:
            optimizer.turn(turned[1])
"""
AT_TURN_OF_SCHEDULE = """\
            if schedule := turned[2]:
                scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, schedule.factor, last_epoch=step - 1)
"""
STEP = """\
        optimizer.step()
"""
STEP_OF_ASKING = """\
        optimizer.step(*([lambda x: {loss}(x{data}){noise}] if isinstance(optimizer, OwnAskingRule) else []))
"""
EVALUATE = """\
        loss = {loss}(x{data})
        loss.backward()"""
EVALUATE_IN_NOISE = f"{EVALUATE}\n        x.grad += torch.tensor(NOISE[step])"
EVALUATE_BATCH = """\
        loss = {loss}(x, FEATURES, TRUE)  # of all examples; the gradient is that of the batch
        chosen = BATCHES[step]
        {loss}(x, FEATURES[chosen], TRUE[chosen]).backward()"""

SETTLE = """\
    if (end := settled_at(losses, quiet_steps)) is not None:
        positions, losses = positions[: end + 1], losses[: end + 1]
"""

SCHEDULER = """\
    scheduler = schedule and torch.optim.lr_scheduler.LambdaLR(optimizer, schedule.factor)
"""
NEXT_RATE = """\
        if scheduler:
            scheduler.step()
"""


why = partial(reason, why_own=why_own)


def racer_code(names: Mapping[object, str], racer: Optimizer) -> str:
    """What makes an optimizer of PyTorch for the tensor x; ``names`` are those of the classes."""
    has_own = why(racer)
    racer = unscheduled(racer)
    if has_own:
        own = "OwnAskingRule" if asks(racer) else "OwnRule"
        return f"lambda x: {own}([x], {names[racer.rule]}({knobs_code(racer)}))"
    knobs = {knob.name: literal(getattr(racer, knob.name)) for knob in racer.knobs()}
    return f"lambda x: {COUNTERPARTS[racer.name](knobs)}"


def own_rule(scheduled: bool, turning: bool) -> str:
    """What makes an optimizer of a rule of the app."""
    turn = f"{TURN}{TURN_RATE if scheduled else ''}" if turning else ""
    return f"{OWN_SCHEDULED if scheduled else OWN_RULE}{turn}"


def asking_rule(scheduled: bool) -> str:
    """What makes an optimizer of a rule that asks for the loss."""
    return OWN_ASKING_RULE.replace("self.rule.update", "self.now().update") if scheduled else OWN_ASKING_RULE


def torch_loss_code(descent: Descent) -> str:
    """The loss, with PyTorch's functions in the place of JAX's."""
    if descent.loss is mean_squared_error:
        return MEAN_SQUARED_ERROR
    if isinstance(descent.loss, TypedLoss):
        return f"{function_code(descent.loss.f, 'f', 'torch')}\n\n\n{OF_POINT}"
    own = source = loss_code(descent)
    if not isinstance(descent.loss, Painted):  # of which all is plain enough for both
        own = source[source.rindex(f"def {loss_name(descent)}(") :]
    own = own.replace("jnp.e ", "math.e ").replace("jnp.pi", "math.pi").replace("jnp.", "torch.")
    own = own.replace("quick_expm1(", "torch.expm1(")
    return f"{COS_TURNS}\n\n\n{own}" if re.search(r"\bcos_turns\(", own) else own


def pytorch(descent: Descent, warning: str) -> bytes:
    """The program of a descent. ``warning``: what to know before comparing."""
    in_batches = descent.batch_size is not None
    with_jax = descent.drawn or in_batches
    imports = [*OWN_IMPORTS, "import math", "", "import numpy as np", "import torch"]
    if with_jax:
        imports = [
            *OWN_IMPORTS,
            "from functools import partial",
            "import math",
            "",
            "import jax",
            "import numpy as np",
            "import torch",
        ]
        imports[-2:-2] = ["import jax.numpy as jnp"] if "jnp." in examples_and_batches(descent) else []
    own = [unscheduled(racer) for racer in descent.racers.values() if why(racer)]
    scheduled, turning = descent.is_scheduled, descent.is_turned
    names = class_names(descent.racers.values())
    parts = [
        f'"""{docstring(descent, warning, bool(with_jax))}"""\n\n' + "\n".join(imports),
        setup_code(descent),
        torch_loss_code(descent),
        *([examples_and_batches(descent)] if descent.fit else []),
        *([rules_code(own, names, "torch", noisy=bool(descent.noise))] if own else [STUBS] if scheduled else []),
        *([schedules_code(descent.racers, in_python=True)] if scheduled else []),
        *([own_rule(scheduled, turning)] if own else []),
        *([asking_rule(scheduled)] if any(map(asks, own)) else []),
        line_up_code(descent.racers, partial(racer_code, names), why),
        *([table_code(descent.racers)] if scheduled else []),
        *([turns_code(descent.racers, names, scheduled)] if turning else []),
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
    data = data_code(descent, ", FEATURES, TRUE", ", *torch.tensor(np.array(SHAPE, np.float32))")
    evaluate = EVALUATE_BATCH if descent.batch_size else EVALUATE_IN_NOISE if descent.noise else EVALUATE
    noise = ", torch.tensor(NOISE[step])" if descent.noise else ""
    chosen = ", FEATURES[chosen], TRUE[chosen]" if descent.batch_size else data
    asked = any(map(asks, descent.racers.values()))
    scheduled, turning = descent.is_scheduled, descent.is_turned
    return RUN.format(
        evaluate=evaluate.format(loss=loss, data=data),
        step=STEP_OF_ASKING.format(loss=loss, data=chosen, noise=noise) if asked else STEP,
        schedule=", schedule" if scheduled else "",
        schedule_of=", SCHEDULES.get(name)" if scheduled else "",
        scheduler=SCHEDULER if scheduled else "",
        turned=", turned" if turning else "",
        turned_of=", TURNED.get(name)" if turning else "",
        turn=f"{AT_TURN}{AT_TURN_OF_SCHEDULE if scheduled else ''}" if turning else "",
        next_rate=NEXT_RATE if scheduled else "",
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
