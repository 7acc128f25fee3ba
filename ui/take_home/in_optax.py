"""A run as an optax program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from engine import Optimizer
from engine.scheduled import schedule_of, unscheduled
from ui.take_home.descent import Descent
from ui.take_home.in_jax import (
    BATCH_LOSS,
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
from ui.take_home.in_torch import tidy
from ui.take_home.schedule import schedule_code, schedules_code, schedules_of
from ui.take_home.source import literal
from ui.take_home.typed_rule import class_names

IMPORTS = """\
from dataclasses import dataclass
from functools import partial
from typing import Annotated
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax"""

OWN_RULE = '''\
def own_rule(rule):
    """A rule of the app as an optimizer of optax, with its numbers in 32 bits."""
    rule = type(rule)(*map(np.float32, vars(rule).values()))
    return optax.GradientTransformation(rule.init, rule.update)'''

OWN_ASKING_RULE = '''\
def own_asking_rule(rule):
    """A rule of the app that asks for the loss, as an optimizer of optax, with its numbers in 32 bits."""
    rule = type(rule)(*map(np.float32, vars(rule).values()))

    def update(gradient, state, x, *, value, value_fn, **_):
        return rule.update(gradient, state, x, at=At(value, value_fn))

    return optax.GradientTransformationExtraArgs(rule.init, update)'''

OWN_SCHEDULED = '''\
def own_rule(rule, schedule=None):
    """A rule of the app as an optimizer of optax, with its numbers in 32 bits, perhaps with a schedule."""
    rule = type(rule)(*map(np.float32, vars(rule).values()))

    def update(gradient, state, x):
        step, memory = state
        now = replace(rule, learning_rate=rule.learning_rate * schedule.factor(step)) if schedule else rule
        move, memory = now.update(gradient, memory, x)
        return move, (step + 1, memory)

    return optax.GradientTransformation(lambda x: (0, rule.init(x)), update)'''

OWN_ASKING_SCHEDULED = '''\
def own_asking_rule(rule, schedule=None):
    """A rule of the app that asks for the loss, as an optimizer of optax, perhaps with a schedule."""
    rule = type(rule)(*map(np.float32, vars(rule).values()))

    def update(gradient, state, x, *, value, value_fn, **_):
        step, memory = state
        now = replace(rule, learning_rate=rule.learning_rate * schedule.factor(step)) if schedule else rule
        move, memory = now.update(gradient, memory, x, at=At(value, value_fn))
        return move, (step + 1, memory)

    return optax.GradientTransformationExtraArgs(lambda x: (0, rule.init(x)), update)'''

RUN = '''\
@partial(jax.jit, static_argnums=0)
def descend(optimizer{arguments}):
    """Position and loss at each step, and whether all was finite there."""

    def step(carry, {chosen}):
        x, state = carry
{evaluate}
        move, state = optimizer.update(gradient, state, x{asked})
        finite = jnp.isfinite(jnp.concatenate([x, gradient, loss[None]])).all()
        return (optax.apply_updates(x, move), state), (x, loss, finite)

    start = jnp.array(START)
    state = jax.tree.map(jnp.asarray, optimizer.init(start))
    return jax.lax.scan(step, (start, state), {batches}, length=STEPS + 1)[1]


def run(optimizer{quiet}):
    """Position (steps + 1, dim) and loss (steps + 1,) at each step, until it ends."""
    positions, losses, finite = map(np.asarray, descend(optimizer{given}))
    end = len(losses) if finite.all() else np.argmin(finite)  # where it leaves the finite numbers
{settled}    return positions[:end], losses[:end]


runs = {{name: run({optimizer}{quiet_of}) for name, optimizer in RACERS.items()}}
for name, (positions, losses) in runs.items():
    end = f"ends at {{positions[-1]}} with the loss {{losses[-1]:.6g}}" if len(losses) else "cannot begin"
    print(f"{{name:24}} {{end}} after {{max(len(losses) - 1, 0)}} steps")'''

EVALUATE = """\
        loss, gradient = jax.value_and_grad({loss})(x{data})"""
EVALUATE_BATCH = """\
        loss = {loss}(x, features, true)  # of all examples; the gradient is that of the batch
        gradient = jax.grad(batch_loss)(x, features, true, chosen)"""
SETTLE = """\
    if (settled := settled_at(losses[:end], quiet_steps)) is not None:
        end = settled + 1
"""

MAX_SMALL_EPS = 1e-8  # of AdaGrad: up to here its square is as good inside the root


def f32(knob: str) -> str:
    """A number that is rounded to 32 bits before it is subtracted from 1: optax rounds 1 - beta by itself."""
    return f"float(np.float32({knob}))"


def betas(knobs: dict[str, str]) -> str:
    """The betas and eps of Adam and AdamW, under optax's names."""
    eps = f"eps=0, eps_root={knobs['eps']}" if knobs["eps_in_root"] == "True" else f"eps={knobs['eps']}"
    return f"b1={f32(knobs['beta1'])}, b2={f32(knobs['beta2'])}, {eps}"


def sgd(knobs: dict[str, str], nesterov: str = "") -> str:
    """SGD with or without momentum."""
    momentum = f", momentum={knobs['momentum']}" if "momentum" in knobs else ""
    return f"optax.sgd({knobs['learning_rate']}{momentum}{nesterov})"


def adagrad(knobs: dict[str, str]) -> str:
    """AdaGrad; optax has its eps under the root."""
    eps = knobs["eps"] if knobs["eps_in_root"] == "True" else f"{knobs['eps']}**2"
    return f"optax.adagrad({knobs['learning_rate']}, initial_accumulator_value=0.0, eps={eps})"


def rmsprop(knobs: dict[str, str]) -> str:
    """RMSProp."""
    decay = f32(knobs["smoothing_constant"])
    common = f"{knobs['learning_rate']}, decay={decay}, momentum={knobs['momentum']}, eps={knobs['eps']}"
    return f"optax.rmsprop({common}, eps_in_sqrt={knobs['eps_in_root']})"


def adam(knobs: dict[str, str]) -> str:
    """Adam with the weight decay of Adam or of AdamW."""
    if knobs["decoupled_weight_decay"] == "True":
        return f"optax.adamw({knobs['learning_rate']}, {betas(knobs)}, weight_decay={knobs['weight_decay']})"
    return with_decay(lambda knobs: f"optax.adam({knobs['learning_rate']}, {betas(knobs)})")(knobs)


def lion(knobs: dict[str, str]) -> str:
    """Lion with the weight decay that it is published with, which optax has for it."""
    own = f"b1={f32(knobs['beta1'])}, b2={f32(knobs['beta2'])}"
    decay = knobs["weight_decay"]
    if knobs["decoupled_weight_decay"] == "True":
        return f"optax.lion({knobs['learning_rate']}, {own}, weight_decay={decay})"
    return (
        f"optax.chain(optax.add_decayed_weights({decay}), optax.lion({knobs['learning_rate']}, {own}, weight_decay=0))"
    )


def adamax(knobs: dict[str, str]) -> str:
    """Adamax."""
    own = f"b1={f32(knobs['beta1'])}, b2={f32(knobs['beta2'])}, eps={knobs['eps']}"
    return f"optax.adamax({knobs['learning_rate']}, {own})"


def adadelta(knobs: dict[str, str]) -> str:
    """AdaDelta."""
    return f"optax.adadelta({knobs['learning_rate']}, rho={f32(knobs['rho'])}, eps={knobs['eps']})"


def adopt(knobs: dict[str, str]) -> str:
    """ADOPT."""
    own = f"b1={f32(knobs['beta1'])}, b2={f32(knobs['beta2'])}, eps={knobs['eps']}"
    return f"optax.contrib.adopt({knobs['learning_rate']}, {own})"


def ademamix(knobs: dict[str, str]) -> str:
    """AdEMAMix."""
    own = ", ".join(f"b{k}={f32(knobs[f'beta{k}'])}" for k in (1, 2, 3))
    return f"optax.contrib.ademamix({knobs['learning_rate']}, {own}, alpha={knobs['slow_weight']}, eps={knobs['eps']})"


def with_decay(make: Callable[[dict[str, str]], str]) -> Callable[[dict[str, str]], str]:
    """With a pull on the gradient, as PyTorch's weight_decay has it, or on the parameters, after all else."""

    def made(knobs: dict[str, str]) -> str:
        decay = knobs["weight_decay"]
        if not float(decay):
            return make(knobs)
        if knobs.get("decoupled_weight_decay") == "True":
            return f"optax.chain({make(knobs)}, optax.add_decayed_weights(-{knobs['learning_rate']} * {decay}))"
        return f"optax.chain(optax.add_decayed_weights({decay}), {make(knobs)})"

    return made


# by the name of the rule: what makes it, from the knobs as they stand in a program
COUNTERPARTS: dict[str, Callable[[dict[str, str]], str]] = {
    "SGD": with_decay(sgd),
    "Momentum": with_decay(sgd),
    "Nesterov": with_decay(lambda knobs: sgd(knobs, ", nesterov=True")),
    "AdaGrad": with_decay(adagrad),
    "RMSProp": with_decay(rmsprop),
    "Adam": adam,
    "AdamW": adam,
    "AMSGrad": adam,
    "NAdam": adam,
    "Lion": lion,
    "Adamax": with_decay(adamax),
    "AdaDelta": with_decay(adadelta),
    "ADOPT": with_decay(adopt),
    "AdEMAMix": with_decay(ademamix),
    "Signum": with_decay(lambda knobs: f"optax.signum({knobs['learning_rate']}, beta={f32(knobs['beta'])})"),
}


def why_own(racer: Optimizer) -> str:
    """Why a racer has the app's own rule in the program, if it has: where optax's goes another way."""
    knobs = vars(racer)
    reasons = {
        "optax takes the two gradients of a step in another way": racer.name == "SAM",
        "the parameters of optax's are the point at which the gradient is taken": racer.name.startswith(
            "Schedule-free"
        ),
        "optax begins each search with a longer step than the last one took": racer.name == "Backtracking",
        "optax holds Polyak's step to a longest one": racer.name == "Polyak",
        "optax corrects the means for their start at 0": racer.name == "Prodigy",
        "optax goes by the curvature of before the step, which it draws at random": racer.name == "Sophia",
        "optax corrects the squares before it takes the largest, or not at all": racer.name == "AMSGrad",
        "the momentum of optax's has its full size from the start": racer.name == "NAdam",
        "optax makes each step one gradient late": racer.name == "RProp",
        "optax weighs the change of the gradient by 1 - beta2, not by beta2": racer.name == "Adan",
        f"optax has no {racer.name} without bias correction": not knobs.get("bias_correction", True),
        "optax's is not a number where rounding takes the spread below 0": knobs.get("centered", False),
        "optax adds eps under the root": racer.name == "AdaGrad"
        and not knobs["eps_in_root"]
        and knobs["eps"] > MAX_SMALL_EPS,
        f"optax has no {racer.name}": racer.name not in COUNTERPARTS,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def racer_code(names: Mapping[object, str], racer: Optimizer) -> str:
    """What makes an optimizer of optax; ``names`` are those of the classes."""
    plain, schedule = unscheduled(racer), schedule_of(racer)
    if why_own(plain):
        own = "own_asking_rule" if asks(plain) else "own_rule"
        more = f", {schedule_code(schedule)}" if schedule else ""
        return f"{own}({names[plain.rule]}({knobs_code(plain)}){more})"
    code = COUNTERPARTS[plain.name]({knob.name: literal(getattr(plain, knob.name)) for knob in plain.knobs()})
    # all that it moves by is multiplied with the learning rate
    return f"optax.chain({code}, optax.scale_by_schedule({schedule_code(schedule)}.factor))" if schedule else code


def optax_program(descent: Descent, warning: str) -> bytes:
    """The program of a descent. ``warning``: what to know before comparing."""
    own = [plain for racer in descent.racers.values() if why_own(plain := unscheduled(racer))]
    scheduled = bool(schedules_of(descent.racers))
    names = class_names(descent.racers.values())
    line_up = line_up_code(descent.racers, partial(racer_code, names), why_own)
    head = "\n".join(
        [
            f"{descent.page}: {about(descent)}",
            "",
            "In optax: pip install optax jax numpy",
            *(["", warning] if warning else []),
            "",
        ]
    )
    parts = [
        f'"""{head}"""\n\n{IMPORTS}',
        setup_code(descent),
        loss_code(descent),
        *([examples_code(descent)] if descent.fit else []),
        *([batches_code(), BATCH_LOSS] if descent.batch_size else []),
        *([rules_code(own, names)] if own else [STUBS] if scheduled else []),
        *([schedules_code(descent.racers)] if scheduled else []),
        *([OWN_SCHEDULED if scheduled else OWN_RULE] if not all(map(asks, own)) else []),
        *([OWN_ASKING_SCHEDULED if scheduled else OWN_ASKING_RULE] if any(map(asks, own)) else []),
        ("# betas in 32 bits: optax would round beta and 1 - beta each by itself\n" if "float32" in line_up else "")
        + line_up,
        *([SETTLED] if descent.tolerance else []),
        run_code(descent),
    ]
    return tidy("\n\n\n".join(parts)).encode()


def run_code(descent: Descent) -> str:
    """The scan over the steps."""
    tolerant, in_batches = bool(descent.tolerance), descent.batch_size is not None
    data, asked = data_code(descent, ", features, true", ", *SHAPE"), ""
    if any(map(asks, descent.racers.values())):
        own, given = ("batch_loss", f"{data}, chosen") if in_batches else (loss_name(descent), data)
        asked = f", value={own}(x{given}), value_fn=lambda x: {own}(x{given})"
    return RUN.format(
        arguments=(", features, true" if descent.fit else "") + (", batches" if in_batches else ""),
        given=(", FEATURES, TRUE" if descent.fit else "") + (", all_batches()" if in_batches else ""),
        chosen="chosen" if in_batches else "_",
        batches="batches" if in_batches else "None",
        evaluate=(EVALUATE_BATCH if in_batches else EVALUATE).format(loss=loss_name(descent), data=data),
        asked=asked,
        quiet=", quiet_steps" if tolerant else "",
        quiet_of=", QUIET_STEPS[name]" if tolerant else "",
        settled=SETTLE if tolerant else "",
        optimizer="optax.with_extra_args_support(optimizer)" if asked else "optimizer",
    )
