"""Which optimizers optax has, under which names, and which of them go another way than the app's."""

from __future__ import annotations

from collections.abc import Callable

from engine import Optimizer

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
        "optax's takes matrices alone": racer.name == "Muon",
        "optax takes the two gradients of a step in another way": racer.name == "SAM",
        "the parameters of optax's are the point at which the gradient is taken": racer.name.startswith(
            "Schedule-free"
        ),
        "optax begins each search with a longer step than the last one took": racer.name == "Backtracking",
        "optax has another search, and keeps steps along which the loss bends down": racer.name == "L-BFGS",
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
