"""The run in a notebook: a descent as the engine makes it, compiled as in the app, for each racer of the line-up."""

from __future__ import annotations

from engine.xla.flags import is_off
from ui.take_home.descent import Descent
from ui.take_home.in_jax import SETTLED, asks, data_code, loss_name

DESCEND = '''\
def is_finite(*parts):
    """Whether all these numbers are finite."""
    return jnp.all(jnp.array([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(parts)]))


def descend(rule, {schedule}knobs, {data}start):
    """One run: position and loss at each step, and whether all was finite until then."""
{make}
    def step(carry, {chosen}):
        x, state, running = carry
{evaluate}
{asked}        move, new_state = {optimizer}.update(gradient, state, x{given})
        finite = running & is_finite(x, loss, gradient)
        # a run that leaves the finite numbers stands still from then on
        new_x, new_state = jax.tree.map(lambda new, old: jnp.where(finite, new, old), (x + move, new_state), (x, state))
        return (new_x, new_state, finite & is_finite(new_state)), (x, loss, finite)

    state = jax.tree.map(jnp.asarray, {first}.init(start))
    carry, records = jax.lax.scan(step, (start, state, True), {batches}, length=STEPS + 1)
    return records'''

ASKED = """\
        more = {{"at": At({own}(x{given}), lambda x: {own}(x{given}){noise})}} if asks(rule) else {{}}
"""
EVALUATE = """\
        loss, gradient = jax.value_and_grad({loss})(x{data})"""
EVALUATE_IN_NOISE = f"{EVALUATE}\n        gradient = gradient + noise"
EVALUATE_BATCH = """\
        loss = {loss}(x{data})
        gradient = jax.grad(batch_loss)(x{data}, chosen)"""

MAKE = "    optimizer = rule(*knobs)\n"

AT_STEP = '''\
def at_step(rule, {schedule}knobs, step):
    """The optimizer with the knobs of a step."""
{turn}{make}'''

TURN = """\
    turned_at, first, later = knobs
    knobs = jnp.where(step < turned_at, first, later)
"""
MAKE_NOW = "    return rule(*knobs)"
MAKE_AT_RATE = """\
    number = len(fields(rule))
    optimizer = rule(*knobs[:number])
    if schedule is None:
        return optimizer
    rate = optimizer.learning_rate * schedule(*knobs[number:]).factor(step)
    return replace(optimizer, learning_rate=rate)"""

ONE_KERNEL = '''\
from jax.experimental.xla_metadata import set_xla_metadata


@partial(jax.jit, static_argnums={static})
def descend_all(rule, {schedule}knobs, {data}starts):
    """A run from each start, in one kernel as in the app: compiled otherwise, some last digits differ."""
    with set_xla_metadata(xla_cpu_small_call="true", inlineable="false"):
        return jax.jit(jax.vmap(partial(descend, rule{and_schedule}), in_axes=({axes}0)))(knobs, {data}starts)'''

JITTED = '''\
@partial(jax.jit, static_argnums={static})
def descend_all(rule, {schedule}knobs, {data}starts):
    """A run from each start."""
    return jax.vmap(partial(descend, rule{and_schedule}), in_axes=({axes}0))(knobs, {data}starts)'''

RUN = '''\
def numbers(optimizer{and_schedule}):
    """The knobs of an optimizer{of_both}, in 32 bits."""
    return np.array([*vars(optimizer).values(){schedule_knobs}], np.float32)


def run(optimizer{and_schedule}{turned}{settle}):
    """Position (steps + 1, dim) and loss (steps + 1,) at each step; a run that has ended stands still."""
    knobs = numbers(optimizer{and_schedule})
{turn}    # two runs from the same start, as in the app: a single one is rounded otherwise
    starts = np.array([START, START], np.float32)
    records = descend_all(type(optimizer), {schedule_type}knobs, {data}starts)
    positions, losses, finite = (np.array(part[0]) for part in records)
    if not finite[0]:  # it cannot begin
        positions[:], losses[:] = START, np.nan
        return positions, losses
    last = finite.sum() - 1
{settled}    positions[last:], losses[last:] = positions[last], losses[last]
    return positions, losses'''

TURN_KNOBS = """\
    turned_at, *later = turned or (STEPS + 1, optimizer{and_schedule})
    knobs = turned_at, knobs, numbers(*later)
"""
SETTLE = """\
    settled = settled_at(losses[: last + 1], quiet_steps)
    last = last if settled is None else settled
"""


def run_code(descent: Descent) -> str:
    """How the descent is run."""
    parts = [
        *([at_step_code(descent)] if descent.changes_knobs else []),
        descend_code(descent),
        compile_code(descent),
        *([SETTLED] if descent.tolerance else []),
        each_run_code(descent),
    ]
    return "\n\n\n".join(parts)


def at_step_code(descent: Descent) -> str:
    """What makes the optimizer of a step, where its knobs are not the same in all of them."""
    return AT_STEP.format(
        schedule="schedule, " if descent.is_scheduled else "",
        turn=TURN if descent.is_turned else "",
        make=MAKE_AT_RATE if descent.is_scheduled else MAKE_NOW,
    )


def descend_code(descent: Descent) -> str:
    """One run from one start."""
    in_batches, noisy = descent.batch_size is not None, bool(descent.noise)
    evaluate, asked = evaluate_code(descent), ask_code(descent)
    chosen, batches = ("chosen", "batches") if in_batches else ("noise", "noises") if noisy else ("_", "None")
    schedule, optimizer = "schedule, " if descent.is_scheduled else "", "optimizer"
    if descent.changes_knobs:  # the number of the step goes beside the batch
        evaluate = f"        i, {chosen} = each\n{evaluate}"
        chosen, batches = "each", f"(jnp.arange(STEPS + 1), {batches})"
        optimizer = f"at_step(rule, {schedule}knobs, {{}})"
    return DESCEND.format(
        data=arguments(descent),
        evaluate=evaluate,
        asked=asked,
        given=", **more" if asked else "",
        chosen=chosen,
        batches=batches,
        make="" if descent.changes_knobs else MAKE,
        optimizer=optimizer.format("i"),
        first=optimizer.format(0),
        schedule=schedule,
    )


def arguments(descent: Descent) -> str:
    """What a run is given beside its knobs and its start."""
    data = data_code(descent, "features, true, ", "shape, ")
    return data + ("batches, " if descent.batch_size else "") + ("noises, " if descent.noise else "")


def evaluate_code(descent: Descent) -> str:
    """The loss and the gradient of a step."""
    template = EVALUATE_BATCH if descent.batch_size else EVALUATE_IN_NOISE if descent.noise else EVALUATE
    return template.format(loss=loss_name(descent), data=data_code(descent, ", features, true", ", *shape"))


def ask_code(descent: Descent) -> str:
    """What is handed to a rule that asks for more than the gradient; "" where none does."""
    if not any(map(asks, descent.racers.values())):
        return ""
    given = data_code(descent, ", features, true", ", *shape")
    own, given = ("batch_loss", ", features, true, chosen") if descent.batch_size else (loss_name(descent), given)
    return ASKED.format(own=own, given=given, noise=", noise" if descent.noise else "")


def compile_code(descent: Descent) -> str:
    """The run from several starts, compiled."""
    template = JITTED if descent.fit or is_off() else ONE_KERNEL
    data = arguments(descent)
    return template.format(
        data=data,
        axes="None, " * (1 + data.count(",")),
        schedule="schedule, " if descent.is_scheduled else "",
        and_schedule=", schedule" if descent.is_scheduled else "",
        static="(0, 1)" if descent.is_scheduled else "0",
    )


def each_run_code(descent: Descent) -> str:
    """The run of one racer, until it ends."""
    scheduled, turned, tolerant = descent.is_scheduled, descent.is_turned, bool(descent.tolerance)
    data = data_code(descent, "FEATURES, TRUE, ", "np.array(SHAPE, np.float32), ")
    and_schedule = ", schedule" if scheduled else ""
    return RUN.format(
        data=data + ("all_batches(), " if descent.batch_size else "NOISE, " if descent.noise else ""),
        settle=", quiet_steps" if tolerant else "",
        settled=SETTLE if tolerant else "",
        and_schedule=and_schedule,
        schedule_knobs=", *(vars(schedule).values() if schedule else ())" if scheduled else "",
        schedule_type="schedule and type(schedule), " if scheduled else "",
        of_both=" and of its schedule" if scheduled else "",
        turned=", turned" if turned else "",
        turn=TURN_KNOBS.format(and_schedule=and_schedule) if turned else "",
    )
