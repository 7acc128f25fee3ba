"""A run as an optax program."""

from __future__ import annotations

from collections.abc import Callable

from engine import Optimizer
from ui.take_home.descent import Descent
from ui.take_home.in_jax import (
    BATCH_LOSS,
    SETTLED,
    about,
    batches_code,
    examples_code,
    loss_code,
    loss_name,
    setup_code,
)
from ui.take_home.in_torch import tidy
from ui.take_home.source import literal

IMPORTS = """\
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax"""

RMSPROP = '''\
def app_rmsprop(learning_rate, decay, momentum, eps):
    """Centred RMSProp as the app has it: optax's is NaN where rounding takes the spread below zero."""

    def init(x):
        return jnp.zeros_like(x), jnp.zeros_like(x), jnp.zeros_like(x)

    def update(gradient, state, x):
        square, mean, velocity = state
        square = decay * square + (1 - decay) * gradient**2
        mean = decay * mean + (1 - decay) * gradient
        spread = jnp.maximum(square - mean**2, 0)
        velocity = momentum * velocity + gradient / (jnp.sqrt(spread) + eps)
        return -learning_rate * velocity, (square, mean, velocity)

    return optax.GradientTransformation(init, update)'''

ADAGRAD = '''\
def app_adagrad(learning_rate, eps):
    """AdaGrad as the app has it: optax adds eps inside the root."""

    def init(x):
        return jnp.zeros_like(x)

    def update(gradient, square_sum, x):
        square_sum = square_sum + gradient**2
        return -learning_rate * gradient / (jnp.sqrt(square_sum) + eps), square_sum

    return optax.GradientTransformation(init, update)'''

AMSGRAD = '''\
def app_amsgrad(learning_rate, b1, b2, eps):
    """AMSGrad as the app and PyTorch have it: optax corrects the squares before it takes the largest."""

    def init(x):
        return jnp.zeros_like(x), jnp.zeros_like(x), jnp.zeros_like(x), 0

    def update(gradient, state, x):
        mean, square, largest, t = state
        t = t + 1
        mean = b1 * mean + (1 - b1) * gradient
        square = b2 * square + (1 - b2) * gradient**2
        largest = jnp.maximum(largest, square)
        size = jnp.sqrt(largest / (1 - b2**t)) + eps
        return -learning_rate * mean / (1 - b1**t) / size, (mean, square, largest, t)

    return optax.GradientTransformation(init, update)'''

NADAM = '''\
def app_nadam(learning_rate, b1, b2, eps, momentum_decay):
    """NAdam as the app and PyTorch have it: its momentum grows, and optax's has its full size from the start."""

    def init(x):
        return jnp.zeros_like(x), jnp.zeros_like(x), 1.0, 0

    def update(gradient, state, x):
        mean, square, product, t = state
        t = t + 1
        mu = b1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))
        next_mu = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * momentum_decay))
        product = product * mu
        mean = b1 * mean + (1 - b1) * gradient
        square = b2 * square + (1 - b2) * gradient**2
        size = jnp.sqrt(square / (1 - b2**t)) + eps
        direction = next_mu * mean / (1 - product * next_mu) + (1 - mu) * gradient / (1 - product)
        return -learning_rate * direction / size, (mean, square, product, t)

    return optax.GradientTransformation(init, update)'''

BY_HAND = {"app_rmsprop(": RMSPROP, "app_adagrad(": ADAGRAD, "app_amsgrad(": AMSGRAD, "app_nadam(": NADAM}

RUN = '''\
@partial(jax.jit, static_argnums=0)
def descend(optimizer{arguments}):
    """Position and loss at each step, and whether all was finite there."""

    def step(carry, {chosen}):
        x, state = carry
{evaluate}
        move, state = optimizer.update(gradient, state, x)
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


runs = {{name: run(optimizer{quiet_of}) for name, optimizer in RACERS.items()}}
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
    """The betas and eps of Adam and its kin, under optax's names."""
    return f"b1={f32(knobs['beta1'])}, b2={f32(knobs['beta2'])}, eps={knobs['eps']}"


def sgd(knobs: dict[str, str], nesterov: str = "") -> str:
    """SGD with or without momentum."""
    momentum = f", momentum={knobs['momentum']}" if "momentum" in knobs else ""
    return f"optax.sgd({knobs['learning_rate']}{momentum}{nesterov})"


def adagrad(knobs: dict[str, str]) -> str:
    """AdaGrad, by hand where its eps is felt."""
    if float(knobs["eps"]) > MAX_SMALL_EPS:
        return f"app_adagrad({knobs['learning_rate']}, eps={knobs['eps']})"
    return f"optax.adagrad({knobs['learning_rate']}, initial_accumulator_value=0.0, eps={knobs['eps']}**2)"


def rmsprop(knobs: dict[str, str]) -> str:
    """RMSProp, by hand where it is centred."""
    decay = f32(knobs["smoothing_constant"])
    common = f"{knobs['learning_rate']}, decay={decay}, momentum={knobs['momentum']}, eps={knobs['eps']}"
    return f"app_rmsprop({common})" if knobs["centered"] == "True" else f"optax.rmsprop({common}, eps_in_sqrt=False)"


def with_decay(make: Callable[[dict[str, str]], str]) -> Callable[[dict[str, str]], str]:
    """With a pull on the gradient, as PyTorch's weight_decay has it."""

    def made(knobs: dict[str, str]) -> str:
        decay = knobs["weight_decay"]
        return f"optax.chain(optax.add_decayed_weights({decay}), {make(knobs)})" if float(decay) else make(knobs)

    return made


# by the name of the rule: what makes it, from the knobs as they stand in a program
COUNTERPARTS: dict[str, Callable[[dict[str, str]], str]] = {
    "SGD": with_decay(sgd),
    "Momentum": with_decay(sgd),
    "Nesterov": with_decay(lambda knobs: sgd(knobs, ", nesterov=True")),
    "AdaGrad": with_decay(adagrad),
    "RMSProp": with_decay(rmsprop),
    "Adam": with_decay(lambda knobs: f"optax.adam({knobs['learning_rate']}, {betas(knobs)})"),
    "AdamW": lambda knobs: (
        f"optax.adamw({knobs['learning_rate']}, {betas(knobs)}, weight_decay={knobs['weight_decay']})"
    ),
    "AMSGrad": with_decay(lambda knobs: f"app_amsgrad({knobs['learning_rate']}, {betas(knobs)})"),
    "NAdam": with_decay(
        lambda knobs: f"app_nadam({knobs['learning_rate']}, {betas(knobs)}, momentum_decay={knobs['momentum_decay']})"
    ),
    "Lion": lambda knobs: (
        f"optax.lion({knobs['learning_rate']}, b1={f32(knobs['beta1'])}, b2={f32(knobs['beta2'])}, "
        f"weight_decay={knobs['weight_decay']})"
    ),
}


def racer_code(racer: Optimizer) -> str:
    """What makes an optimizer of optax."""
    return COUNTERPARTS[racer.name]({knob.name: literal(getattr(racer, knob.name)) for knob in racer.knobs()})


def optax_program(descent: Descent, warning: str) -> bytes:
    """The program of a descent. ``warning``: what to know before comparing."""
    racers = {name: racer_code(racer) for name, racer in descent.racers.items()}
    rules = [code for call, code in BY_HAND.items() if any(call in made for made in racers.values())]
    line_up = "\n".join(["RACERS = {", *(f"    {literal(name)}: {made}," for name, made in racers.items()), "}"])
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
        *rules,
        ("# betas in 32 bits: optax would round beta and 1 - beta each by itself\n" if "float32" in line_up else "")
        + line_up,
        *([SETTLED] if descent.tolerance else []),
        run_code(descent),
    ]
    return tidy("\n\n\n".join(parts)).encode()


def run_code(descent: Descent) -> str:
    """The scan over the steps."""
    tolerant, in_batches = bool(descent.tolerance), descent.batch_size is not None
    return RUN.format(
        arguments=(", features, true" if descent.fit else "") + (", batches" if in_batches else ""),
        given=(", FEATURES, TRUE" if descent.fit else "") + (", all_batches()" if in_batches else ""),
        chosen="chosen" if in_batches else "_",
        batches="batches" if in_batches else "None",
        evaluate=(EVALUATE_BATCH if in_batches else EVALUATE).format(
            loss=loss_name(descent), data=", features, true" if descent.fit else ""
        ),
        quiet=", quiet_steps" if tolerant else "",
        quiet_of=", QUIET_STEPS[name]" if tolerant else "",
        settled=SETTLE if tolerant else "",
    )
