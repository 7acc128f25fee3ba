"""The parts that the programs share: set-up, loss, examples, batches, the engine's own rules, and when a run ends."""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping

from engine import Optimizer, batches, elementary, painted, problems
from engine.optimizers import MODULES
from engine.painted import Painted, painted_loss
from engine.rules import TypedOptimizer, python_name
from engine.scheduled import unscheduled
from engine.shapes import Shape
from engine.typed import TypedLoss
from engine.xla.compile import Traced
from ui.take_home.captions import describe_noise
from ui.take_home.descent import Descent
from ui.take_home.formula import function_code
from ui.take_home.source import array_literal, literal, source_of
from ui.take_home.typed_rule import typed_code

BATCHES = """\
def all_batches():
    \"\"\"Whether each example is in the batch of each step: (steps + 1, examples).\"\"\"
    per_epoch = batches_per_epoch(len(TRUE), BATCH_SIZE)
    orders = [np.asarray(shuffle(BATCH_SEED, epoch, len(TRUE))) for epoch in range(STEPS // per_epoch + 1)]
    return np.stack([in_batch(orders[step // per_epoch], step, BATCH_SIZE) for step in range(STEPS + 1)])"""

BATCH_LOSS = """\
def batch_loss(theta, features, true, chosen):
    \"\"\"The loss on the examples of a batch alone.\"\"\"
    each = jax.vmap(lambda one, its_true: mean_squared_error(theta, one[None], its_true[None]))(features, true)
    return jnp.sum(jnp.where(chosen, each, 0)) / jnp.sum(chosen)"""

DRAWN = """\
x, y, TRUE = (np.asarray(part)[0] for part in draw_bowl(EXAMPLES, NOISE, np.array([SEED])))
FEATURES = np.stack([x**2, y**2], axis=-1)  # the model is theta1 x^2 + theta2 y^2"""

SETTLED = """\
def settled_at(losses, quiet_steps):
    \"\"\"The step at which the loss had stayed within the tolerance for long enough; None if it never did.\"\"\"
    reference, quiet = np.float32(np.nan), 0
    for step, loss in enumerate(np.asarray(losses, np.float32)):
        if abs(loss - reference) < np.float32(TOLERANCE):
            quiet += 1
        else:
            reference, quiet = loss, 0
        if quiet >= quiet_steps and step % EPOCH == 0:
            return step
    return None"""

OF_POINT = '''\
def loss_of(point):
    """The loss at a point (x, y)."""
    return f(point[0], point[1])'''

STUBS = '''\
def knob(default, *range, **about):
    """A number that the app has a slider for; here it is its default."""
    return default


def register(rule):
    """Let a rule be called with its knobs: Adam(learning_rate=0.1)."""
    return dataclass(frozen=True)(rule)'''

OPTIMIZER = f'''\
class Optimizer:
    """A rule: init(x) makes its state; update(gradient, state, x) gives the move, and the state for the next step."""


{STUBS}'''


# of a landscape: the race on examples has batches
NOISE = """\
# what is added to the gradient of each step: (steps + 1, coordinates)
NOISE = np.float32(SIGMA) * np.random.default_rng(SEED).standard_normal((STEPS + 1, len(START)), np.float32)"""

# for the rules that ask for more than the gradient
AT = '''\
import inspect


class At(NamedTuple):
    """What a rule may ask for beside the gradient. On mini-batches all of it is of the examples of the step."""

    loss: jax.Array  # at x
    value: object  # the loss anywhere

    def gradient(self, x):
        """The gradient anywhere."""
        return jax.grad(self.value)(x)

    def hessian(self, x):
        """The Hessian anywhere."""
        return jax.hessian(self.value)(x)


def asks(rule):
    """Whether a rule asks for more than the gradient."""
    return "at" in inspect.signature(rule.update).parameters'''

AT_IN_TORCH = (
    AT.replace("import inspect\n\n\n", "")
    .replace("jax.Array", "torch.Tensor")
    .replace(
        "        return jax.grad(self.value)(x)",
        """\
        x = x.detach().requires_grad_()
        with torch.enable_grad():
            return torch.autograd.grad(self.value(x), x)[0]""",
    )
    .replace("jax.hessian(self.value)(x)", "torch.autograd.functional.hessian(self.value, x)")
    .partition("\n\n\ndef asks")[0]
)

BACKTRACK_IN_TORCH = '''\
def backtrack(rule, at, x, gradient, direction):
    """The first of the steps that lowers the loss by a share of what its slope promises; 0 where none of 60 does."""
    slope = torch.sum(gradient * direction)
    step = rule.learning_rate if torch.isfinite(slope) else torch.nan * slope
    for _ in range(60):
        if at.value(x + step * direction) <= at.loss + rule.share * step * slope:
            return step
        step = rule.shrink * step
    return 0 * step'''

TWO_LOOP_IN_TORCH = '''\
def two_loop(gradient, steps, changes, scale):
    """The gradient times the inverse Hessian that the pairs speak of, the newest of them first; 0 is no pair."""
    pairs = [(step, change, torch.sum(step * change)) for step, change in zip(steps, changes)]
    pairs = [(step, change, 1 / curvature) for step, change, curvature in pairs if curvature > LEAST]
    found, shares = gradient, []
    for step, change, weight in pairs:
        shares.append(weight * torch.sum(step * found))
        found = found - shares[-1] * change
    found = scale * found
    for (step, change, weight), share in zip(reversed(pairs), reversed(shares)):
        found = found + (share - weight * torch.sum(change * found)) * step
    return found'''
IN_TORCH = {"backtrack": BACKTRACK_IN_TORCH, "two_loop": TWO_LOOP_IN_TORCH}  # what loops as JAX alone does


def at_code(library: str, noisy: bool) -> str:
    """What a rule may ask for; where gradients are ``noisy``, those are too."""
    code = AT if library == "jnp" else AT_IN_TORCH
    if not noisy:
        return code
    value = "    value: object  # the loss anywhere\n"
    noise = "    noise: object  # that is in each gradient of the step\n"
    gradient = {"jnp": "jax.grad(self.value)(x)", "torch": "torch.autograd.grad(self.value(x), x)[0]"}[library]
    return code.replace(value, value + noise).replace(gradient, f"{gradient} + self.noise")


def setup_code(descent: Descent) -> str:
    """The numbers of the set-up, at the top of a program."""
    lines = [f"START = {literal(descent.start)}", f"STEPS = {descent.steps}"]
    if isinstance(descent.loss, Shape):
        knobs = vars(descent.loss)
        lines += [f"SHAPE = {literal(tuple(map(float, knobs.values())))}  # {', '.join(knobs)}"]
    if isinstance(descent.loss, Painted):
        lines += [f"HEIGHTS = {array_literal(descent.loss.heights)}", "SHAPE = (HEIGHTS,)"]
    if descent.drawn:
        examples, noise, seed = map(literal, descent.drawn)
        lines += [f"EXAMPLES, NOISE, SEED = {examples}, {noise}, {seed}"]
    if descent.batch_size:
        lines += [f"BATCH_SIZE, BATCH_SEED = {descent.batch_size}, {descent.seed}"]
    if descent.noise:
        lines += [f"SIGMA, SEED = {literal(descent.noise.sigma)}, {descent.noise.seed}  # of the noise", NOISE]
    if descent.tolerance:
        quiet = ", ".join(f"{literal(name)}: {steps}" for name, steps in descent.quiet_steps.items())
        lines += [
            f"TOLERANCE = {literal(descent.tolerance)}  # a run ends once its loss has stayed within this",
            f"QUIET_STEPS = {{{quiet}}}  # for so many steps",
            f"EPOCH = {descent.epoch}  # and at the end of an epoch, in steps",
        ]
    return "\n".join(lines)


def loss_code(descent: Descent) -> str:
    """The source of the loss."""
    if isinstance(descent.loss, TypedLoss):
        code = f"{function_code(descent.loss.f, 'f', 'jnp')}\n\n\n{OF_POINT}"
        return f"import math\n\n\n{code}" if "math." in code else code
    if isinstance(descent.loss, Painted):
        own = source_of(painted, [painted_loss.__name__])
    elif isinstance(descent.loss, Shape):
        own = shape_code(descent.loss)
    else:
        own = source_of(sys.modules[descent.loss.__module__], [descent.loss.__name__], without="landscape")
    used = [name for name in vars(elementary) if re.search(rf"\b{name}\(", own)]
    return f"{source_of(elementary, used)}\n\n\n{own}" if used else own


def shape_code(loss: Shape) -> str:
    """The loss of a landscape with knobs, as a function of the point and of those."""
    code = textwrap.dedent(inspect.getsource(inspect.unwrap(type(loss).__call__)))
    _, _, body = code.partition("\n")
    head = f"def {shape_name(loss)}(x, {', '.join(vars(loss))}):"
    return f'{head}\n    """{loss.__doc__}"""\n{body.replace("self.", "").rstrip()}'


def shape_name(loss: Shape) -> str:
    """What such a function is called: as its class, in small letters."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(loss).__name__).lower()


def examples_code(descent: Descent) -> str:
    """The examples of a fit: how they are drawn, or as numbers."""
    assert descent.fit is not None
    if descent.drawn:
        return f"{source_of(problems, ['draw_bowl'])}\n\n\n{DRAWN}"
    features, true = map(array_literal, descent.fit.data)
    each = "1 and x" if descent.fit.features.shape[1] == 2 else "x"
    return f"# what each parameter is multiplied with: {each}\nFEATURES = {features}\nTRUE = {true}"


def batches_code() -> str:
    """The batches of every step, as the app deals them."""
    return f"{source_of(batches, ['shuffle', 'in_batch'])}\n\n\n{BATCHES}"


def loss_name(descent: Descent) -> str:
    """What the loss is called in the program."""
    if isinstance(descent.loss, Painted):
        return painted_loss.__name__
    if isinstance(descent.loss, Shape):
        return shape_name(descent.loss)
    return "loss_of" if isinstance(descent.loss, TypedLoss) else descent.loss.__name__


def data_code(descent: Descent, data: str, shape: str) -> str:
    """What the loss is given beside the point: the ``data`` of a fit, or the ``shape`` of a landscape with knobs."""
    return data if descent.fit else shape if isinstance(descent.loss, Traced) else ""


def about(descent: Descent) -> str:
    """A sentence or two on what is run."""
    some = f" from {literal(descent.start)}, {descent.steps} {descent.index}{'s' if descent.steps > 1 else ''}"
    who = f"{len(descent.racers)} optimizers" if len(descent.racers) > 1 else next(iter(descent.racers))
    if descent.fit is None:
        noise = f", with {describe_noise(descent.noise)}" if descent.noise else ""
        return f"{who} on {descent.where}{some}{noise}.\n{descent.about}"
    size = f", {descent.batch_size} a step" if descent.batch_size else ""
    return f"{who} on the mean squared error of {len(descent.fit.true)} examples{size},{some}."


def rules_code(
    racers: Iterable[Optimizer], names: Mapping[object, str], library: str = "jnp", noisy: bool = False
) -> str:
    """The source of the rules of some racers, with what it needs; ``names`` are those of their classes."""
    racers = [*map(unscheduled, racers)]
    known = [names[racer.rule] for racer in racers if not isinstance(racer, TypedOptimizer)]
    given = ("Optimizer", "knob", "register", *(IN_TORCH if library == "torch" else ()))
    sources = [source_of(MODULES, known, given=given)] if known else []
    if library == "torch":
        own = [code for name, code in IN_TORCH.items() if any(f"{name}(" in one for one in sources)]
        sources = [*own, *sources]
        sources = [one.replace("jnp.", "torch.").replace("jax.Array", "torch.Tensor") for one in sources]
    asking = [at_code(library, noisy)] if any(map(asks, racers)) else []
    return "\n\n\n".join([OPTIMIZER, *asking, *sources, *typed_code(racers, names, library)])


def asks(racer: Optimizer) -> bool:
    """Whether a program has to hand a racer more than the gradient."""
    plain = unscheduled(racer)
    return plain.takes_at and not isinstance(plain, TypedOptimizer)


def knobs_code(racer: Optimizer) -> str:
    """The learning rate of a racer, and the knobs of its rule that are not at their default."""
    racer = unscheduled(racer)
    some = [knob for knob in racer.knobs() if knob.name == "learning_rate" or getattr(racer, knob.name) != knob.default]
    return ", ".join(f"{python_name(knob.name)}={literal(getattr(racer, knob.name))}" for knob in some)


def line_up_code(
    racers: Mapping[str, Optimizer], code: Callable[[Optimizer], str], why_own: Callable[[Optimizer], str]
) -> str:
    """The line-up of another library, with the reason above each racer that has the app's own rule."""
    lines = []
    for name, racer in racers.items():
        if reason := why_own(racer):
            typed = isinstance(unscheduled(racer), TypedOptimizer)
            lines.append("    # the rule that was typed" if typed else f"    # the app's own rule: {reason}")
        lines.append(f"    {literal(name)}: {code(racer)},")
    return "\n".join(["RACERS = {", *lines, "}"])
