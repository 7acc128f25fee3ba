"""A run as an optax program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from engine import Optimizer
from engine.scheduled import schedule_of, unscheduled
from engine.turned import TurnedOptimizer
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
from ui.take_home.optax_rules import COUNTERPARTS, why_own
from ui.take_home.schedule import schedule_code, schedules_code
from ui.take_home.source import literal
from ui.take_home.turn import reason, turn_code
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

    def update(gradient, state, x, *, value, value_fn, **more):
        return rule.update(gradient, state, x, at=At(value, value_fn, **more))

    return optax.GradientTransformationExtraArgs(rule.init, update)'''

# where there are schedules, or knobs that are turned in the middle of the run
AT_STEP = '''\
def at_step(step, rule{parameters}):
    """A rule of the app with its knobs at a step, in 32 bits."""
    knobs = {{name: jnp.float32(value) for name, value in vars(rule).items()}}
{rate}{turn}    return type(rule)(**knobs)'''
AT_RATE = """\
    if schedule:
        knobs["learning_rate"] *= schedule.factor(step)
"""
TURN = """\
    if turned:
        turned_at, *later = turned
        then = vars(at_step(step, *later))
        knobs = {name: jnp.where(step < turned_at, knob, then[name]) for name, knob in knobs.items()}
"""

OWN_RULE_AT_STEP = '''\
def own_rule(*rule):
    """A rule of the app as an optimizer of optax."""

    def update(gradient, state, x):
        step, memory = state
        move, memory = at_step(step, *rule).update(gradient, memory, x)
        return move, (step + 1, memory)

    return optax.GradientTransformation(lambda x: (0, at_step(0, *rule).init(x)), update)'''

OWN_ASKING_RULE_AT_STEP = '''\
def own_asking_rule(*rule):
    """A rule of the app that asks for the loss, as an optimizer of optax."""

    def update(gradient, state, x, *, value, value_fn, **more):
        step, memory = state
        move, memory = at_step(step, *rule).update(gradient, memory, x, at=At(value, value_fn, **more))
        return move, (step + 1, memory)

    return optax.GradientTransformationExtraArgs(lambda x: (0, at_step(0, *rule).init(x)), update)'''

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
EVALUATE_IN_NOISE = f"{EVALUATE}\n        gradient = gradient + noise"
EVALUATE_BATCH = """\
        loss = {loss}(x, features, true)  # of all examples; the gradient is that of the batch
        gradient = jax.grad(batch_loss)(x, features, true, chosen)"""
SETTLE = """\
    if (settled := settled_at(losses[:end], quiet_steps)) is not None:
        end = settled + 1
"""


why = partial(reason, why_own=why_own)


def racer_code(names: Mapping[object, str], scheduled: bool, racer: Optimizer) -> str:
    """What makes an optimizer of optax; ``names`` are those of the classes; are any racers of the line-up scheduled?"""
    plain, schedule = unscheduled(racer), schedule_of(racer)
    if why(racer):
        more = [schedule_code(schedule)] if schedule else []
        if isinstance(racer, TurnedOptimizer):
            more += [] if schedule or not scheduled else ["None"]
            more.append(f"({turn_code(racer, names, scheduled)})")
        own = "own_asking_rule" if asks(plain) else "own_rule"
        return f"{own}({', '.join([f'{names[plain.rule]}({knobs_code(plain)})', *more])})"
    code = COUNTERPARTS[plain.name]({knob.name: literal(getattr(plain, knob.name)) for knob in plain.knobs()})
    # all that it moves by is multiplied with the learning rate
    return f"optax.chain({code}, optax.scale_by_schedule({schedule_code(schedule)}.factor))" if schedule else code


def optax_program(descent: Descent, warning: str) -> bytes:
    """The program of a descent. ``warning``: what to know before comparing."""
    own = [unscheduled(racer) for racer in descent.racers.values() if why(racer)]
    scheduled, turning = descent.is_scheduled, descent.is_turned
    names = class_names(descent.racers.values())
    line_up = line_up_code(descent.racers, partial(racer_code, names, scheduled), why)
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
        *([rules_code(own, names, noisy=bool(descent.noise))] if own else [STUBS] if scheduled else []),
        *([schedules_code(descent.racers)] if scheduled else []),
        *own_rules_code(own, scheduled, turning),
        ("# betas in 32 bits: optax would round beta and 1 - beta each by itself\n" if "float32" in line_up else "")
        + line_up,
        *([SETTLED] if descent.tolerance else []),
        run_code(descent),
    ]
    return tidy("\n\n\n".join(parts)).encode()


def own_rules_code(own: Sequence[Optimizer], scheduled: bool, turning: bool) -> list[str]:
    """What makes optimizers of optax from rules of the app."""
    asking, others = any(map(asks, own)), not all(map(asks, own))
    if not own:
        return []
    if not scheduled and not turning:
        return [*([OWN_RULE] if others else []), *([OWN_ASKING_RULE] if asking else [])]
    parameters = f"{', schedule=None' if scheduled else ''}{', turned=None' if turning else ''}"
    at_step = AT_STEP.format(parameters=parameters, rate=AT_RATE if scheduled else "", turn=TURN if turning else "")
    return [at_step, *([OWN_RULE_AT_STEP] if others else []), *([OWN_ASKING_RULE_AT_STEP] if asking else [])]


def run_code(descent: Descent) -> str:
    """The scan over the steps."""
    tolerant, in_batches, noisy = bool(descent.tolerance), descent.batch_size is not None, bool(descent.noise)
    data, asked = data_code(descent, ", features, true", ", *SHAPE"), ""
    if any(map(asks, descent.racers.values())):
        own, given = ("batch_loss", f"{data}, chosen") if in_batches else (loss_name(descent), data)
        asked = f", value={own}(x{given}), value_fn=lambda x: {own}(x{given})"
        asked += ", noise=noise" if noisy else ""
    evaluate = EVALUATE_BATCH if in_batches else EVALUATE_IN_NOISE if noisy else EVALUATE
    return RUN.format(
        arguments=(", features, true" if descent.fit else "")
        + (", batches" if in_batches else "")
        + (", noises" if noisy else ""),
        given=(", FEATURES, TRUE" if descent.fit else "")
        + (", all_batches()" if in_batches else "")
        + (", NOISE" if noisy else ""),
        chosen="chosen" if in_batches else "noise" if noisy else "_",
        batches="batches" if in_batches else "noises" if noisy else "None",
        evaluate=evaluate.format(loss=loss_name(descent), data=data),
        asked=asked,
        quiet=", quiet_steps" if tolerant else "",
        quiet_of=", QUIET_STEPS[name]" if tolerant else "",
        settled=SETTLE if tolerant else "",
        optimizer="optax.with_extra_args_support(optimizer)" if asked else "optimizer",
    )
