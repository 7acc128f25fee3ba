"""Which optimizers PyTorch has, under which names, and what it lacks."""

from __future__ import annotations

from collections.abc import Callable

from engine import OPTIMIZERS, Optimizer


def sgd(knobs: dict[str, str], nesterov: str = "") -> str:
    """SGD with or without momentum. PyTorch allows nesterov only where there is some."""
    nesterov = nesterov if float(knobs.get("momentum", "0")) else ""
    return f"torch.optim.SGD([x], {settings(knobs, nesterov)})"


def settings(knobs: dict[str, str], more: str = "") -> str:
    """Knobs under PyTorch's names."""
    renamed = {"learning_rate": "lr", "smoothing_constant": "alpha"}
    parts = [
        f"{renamed.get(name, name)}={value}"
        for name, value in knobs.items()
        if name not in SWITCHES and not name.startswith("beta")
    ]
    if "beta1" in knobs:
        parts.insert(1, f"betas=({knobs['beta1']}, {knobs['beta2']})")
    return ", ".join([*parts, *([more] if more else [])])


def adam(knobs: dict[str, str], more: str = "") -> str:
    """Adam with the weight decay of Adam or of AdamW."""
    kind = "AdamW" if knobs["decoupled_weight_decay"] == "True" else "Adam"
    return f"torch.optim.{kind}([x], {settings(knobs, more)})"


def rprop(knobs: dict[str, str]) -> str:
    """RProp."""
    etas, sizes = (
        f"({knobs[one]}, {knobs[other]})"
        for one, other in (("eta_minus", "eta_plus"), ("min_step_size", "max_step_size"))
    )
    return f"torch.optim.Rprop([x], lr={knobs['learning_rate']}, etas={etas}, step_sizes={sizes})"


SWITCHES = {knob.name for rule in OPTIMIZERS.values() for knob in rule.knobs() if knob.is_switch}
DECOUPLED = ("Adam", "AdamW", "AMSGrad", "NAdam")  # whose weight decay PyTorch has in both ways

# by the name of the rule: what makes it, from the knobs as they stand in a program
COUNTERPARTS: dict[str, Callable[[dict[str, str]], str]] = {
    "SGD": sgd,
    "Momentum": sgd,
    "Nesterov": lambda knobs: sgd(knobs, "nesterov=True"),
    "AdaGrad": lambda knobs: f"torch.optim.Adagrad([x], {settings(knobs)})",
    "RMSProp": lambda knobs: f"torch.optim.RMSprop([x], {settings(knobs)})",
    "Adam": adam,
    "AdamW": adam,
    "AMSGrad": lambda knobs: adam(knobs, "amsgrad=True"),
    "NAdam": lambda knobs: (
        f"torch.optim.NAdam([x], {settings(knobs)}, decoupled_weight_decay={knobs['decoupled_weight_decay']})"
    ),
    "Adamax": lambda knobs: f"torch.optim.Adamax([x], {settings(knobs)})",
    "AdaDelta": lambda knobs: f"torch.optim.Adadelta([x], {settings(knobs)})",
    "RProp": rprop,
}


def why_own(racer: Optimizer) -> str:
    """Why a racer has the app's own rule in the program, if it has: what PyTorch lacks."""
    knobs = vars(racer)
    reasons = {
        "PyTorch has another search, or none": racer.name == "L-BFGS",
        "PyTorch's takes matrices alone, and makes its rounds with numbers of 16 bits": racer.name == "Muon",
        f"PyTorch has no {racer.name}": racer.name not in COUNTERPARTS,
        f"PyTorch has no {racer.name} without bias correction": not knobs.get("bias_correction", True),
        f"PyTorch has no {racer.name} with eps in the root": knobs.get("eps_in_root", False),
        f"PyTorch has no {racer.name} with decoupled weight decay": knobs.get("decoupled_weight_decay", False)
        and racer.name not in DECOUPLED,
        "PyTorch's is not a number where rounding takes the spread below 0": knobs.get("centered", False),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")
