"""Record where PyTorch's optimizers go, for test_parity.py to compare with. PyTorch is not needed to run the tests.

Run by hand, from the top of the project, when an optimizer or a setting is added:

    pip install torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu
    python tests/record_torch.py

It writes tests/recorded/torch.json. Knobs have the engine's names there; below is what PyTorch calls them.
"""

import json
from pathlib import Path

import torch

STEPS = 500
EVERY = 10  # steps between two recorded positions


def rosenbrock(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def booth(x):
    return (x[0] + 2 * x[1] - 7) ** 2 + (2 * x[0] + x[1] - 5) ** 2


LOSSES = {"Rosenbrock": rosenbrock, "Booth": booth}
STARTS = {"Rosenbrock": (-1.2, 1.0), "Booth": (-2.0, 2.0)}


class Lion(torch.optim.Optimizer):
    """torch.optim has no Lion: this is Algorithm 2 of Chen et al. (2023), arXiv:2302.06675, line by line."""

    def __init__(self, params, lr, betas, weight_decay):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for x in group["params"]:
                m = self.state[x].setdefault("m", torch.zeros_like(x))
                c = beta1 * m + (1 - beta1) * x.grad
                x.sub_(group["lr"] * (torch.sign(c) + group["weight_decay"] * x))
                m.mul_(beta2).add_((1 - beta2) * x.grad)


class Adan(torch.optim.Optimizer):
    """torch.optim has no Adan: this is Algorithm 1 of Xie et al. (2024), arXiv:2208.06677, as its authors program it.

    Their betas are what is kept of each mean, as in github.com/sail-sg/Adan; its ``no_prox`` takes weight decay off the
    parameters.
    """

    def __init__(self, params, lr, betas, weight_decay, eps):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay, "eps": eps})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            (one, two, three), rate = group["betas"], group["lr"]
            for x in group["params"]:
                state = self.state[x]
                if not state:
                    state |= {name: torch.zeros_like(x) for name in "mvn"} | {"t": 0, "before": x.grad.clone()}
                state["t"] += 1
                difference = x.grad - state["before"]
                state["m"] = one * state["m"] + (1 - one) * x.grad
                state["v"] = two * state["v"] + (1 - two) * difference
                state["n"] = three * state["n"] + (1 - three) * (x.grad + two * difference) ** 2
                m, v, n = (
                    state[name] / (1 - beta ** state["t"]) for name, beta in zip("mvn", group["betas"], strict=True)
                )
                x.mul_(1 - rate * group["weight_decay"])
                x.sub_(rate * (m + two * v) / (torch.sqrt(n) + group["eps"]))
                state["before"] = x.grad.clone()


def torch_names(knobs):
    """The engine's knobs under PyTorch's names."""
    renamed = {"learning_rate": "lr", "smoothing_constant": "alpha"}
    named = {renamed.get(name, name): value for name, value in knobs.items()}
    if "beta1" in named:
        named["betas"] = tuple(named.pop(name) for name in ("beta1", "beta2", "beta3") if name in named)
    if "eta_plus" in named:
        named["etas"] = (named.pop("eta_minus"), named.pop("eta_plus"))
        named["step_sizes"] = (named.pop("min_step_size"), named.pop("max_step_size"))
    return named


BUILD = {
    "SGD": lambda x, **knobs: torch.optim.SGD(x, **knobs),
    "Momentum": lambda x, **knobs: torch.optim.SGD(x, **knobs),
    "Nesterov": lambda x, **knobs: torch.optim.SGD(x, nesterov=True, **knobs),
    "AdaGrad": lambda x, **knobs: torch.optim.Adagrad(x, **knobs),
    "RMSProp": lambda x, **knobs: torch.optim.RMSprop(x, **knobs),
    "Adam": lambda x, **knobs: torch.optim.Adam(x, **knobs),
    "AdamW": lambda x, **knobs: torch.optim.AdamW(x, **knobs),
    "AMSGrad": lambda x, **knobs: torch.optim.Adam(x, amsgrad=True, **knobs),
    "NAdam": lambda x, **knobs: torch.optim.NAdam(x, **knobs),
    "Lion": Lion,
    "Adamax": lambda x, **knobs: torch.optim.Adamax(x, **knobs),
    "AdaDelta": lambda x, **knobs: torch.optim.Adadelta(x, **knobs),
    "RProp": lambda x, **knobs: torch.optim.Rprop(x, **knobs),
    "Adan": Adan,
}

ADAM = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8}  # PyTorch's own
QUICK = {"beta1": 0.8, "beta2": 0.95, "eps": 1e-2}  # far from them, and an eps that is felt
RMS = {"smoothing_constant": 0.99, "momentum": 0.0, "centered": False, "weight_decay": 0.0, "eps": 1e-8}
ADAN = {"beta1": 0.98, "beta2": 0.92, "beta3": 0.99, "eps": 1e-8}  # its authors' own
SIGNS = {"eta_plus": 1.2, "eta_minus": 0.5, "min_step_size": 1e-6, "max_step_size": 50.0}

# Gentle rates: where an optimizer jitters around a valley, a difference in the last bit grows until two runs of the
# same code part, and a comparison says nothing.
SETTINGS = [
    ("SGD", "Rosenbrock", {"learning_rate": 0.001, "weight_decay": 0.0}),
    ("SGD", "Booth", {"learning_rate": 0.01, "weight_decay": 0.3}),
    ("Momentum", "Rosenbrock", {"learning_rate": 0.0002, "momentum": 0.9, "weight_decay": 0.0}),
    ("Momentum", "Booth", {"learning_rate": 0.005, "momentum": 0.7, "weight_decay": 0.3}),
    ("Nesterov", "Rosenbrock", {"learning_rate": 0.0002, "momentum": 0.9, "weight_decay": 0.0}),
    ("Nesterov", "Booth", {"learning_rate": 0.005, "momentum": 0.7, "weight_decay": 0.3}),
    ("AdaGrad", "Rosenbrock", {"learning_rate": 0.5, "weight_decay": 0.0, "eps": 1e-10}),
    ("AdaGrad", "Booth", {"learning_rate": 0.3, "weight_decay": 0.3, "eps": 0.1}),
    ("RMSProp", "Rosenbrock", {"learning_rate": 0.001, **RMS}),
    ("RMSProp", "Booth", {"learning_rate": 0.001, **RMS, "momentum": 0.9, "centered": True, "weight_decay": 0.1}),
    ("RMSProp", "Booth", {"learning_rate": 0.002, **RMS, "smoothing_constant": 0.9, "momentum": 0.5, "eps": 1e-2}),
    ("RMSProp", "Rosenbrock", {"learning_rate": 0.001, **RMS, "momentum": 0.9, "centered": True, "eps": 1e-2}),
    ("Adam", "Rosenbrock", {"learning_rate": 0.1, **ADAM, "weight_decay": 0.0}),
    ("Adam", "Booth", {"learning_rate": 0.05, **ADAM, "weight_decay": 0.7}),
    ("Adam", "Booth", {"learning_rate": 0.01, **QUICK, "weight_decay": 0.7}),
    ("AdamW", "Rosenbrock", {"learning_rate": 0.1, **ADAM, "weight_decay": 0.01}),
    ("AdamW", "Booth", {"learning_rate": 0.05, **ADAM, "weight_decay": 0.1}),
    ("AdamW", "Booth", {"learning_rate": 0.01, **QUICK, "weight_decay": 0.1}),
    ("AMSGrad", "Rosenbrock", {"learning_rate": 0.1, **ADAM, "weight_decay": 0.0}),
    ("AMSGrad", "Booth", {"learning_rate": 0.03, **QUICK, "weight_decay": 0.7}),
    ("NAdam", "Rosenbrock", {"learning_rate": 0.01, **ADAM, "weight_decay": 0.0, "momentum_decay": 0.004}),
    ("NAdam", "Booth", {"learning_rate": 0.05, **ADAM, "weight_decay": 0.7, "momentum_decay": 0.004}),
    ("NAdam", "Booth", {"learning_rate": 0.004, **QUICK, "weight_decay": 0.7, "momentum_decay": 0.05}),
    ("Lion", "Rosenbrock", {"learning_rate": 0.005, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.0}),
    ("Lion", "Booth", {"learning_rate": 0.005, "beta1": 0.8, "beta2": 0.95, "weight_decay": 0.3}),
    ("Adamax", "Rosenbrock", {"learning_rate": 0.05, **ADAM, "weight_decay": 0.0}),
    ("Adamax", "Booth", {"learning_rate": 0.005, **QUICK, "weight_decay": 0.7}),
    ("AdaDelta", "Rosenbrock", {"learning_rate": 1.0, "rho": 0.99, "weight_decay": 0.0, "eps": 1e-6}),
    ("AdaDelta", "Booth", {"learning_rate": 0.1, "rho": 0.95, "weight_decay": 0.7, "eps": 1e-3}),
    ("RProp", "Rosenbrock", {"learning_rate": 0.001, **SIGNS, "max_step_size": 0.003}),
    (
        "RProp",
        "Rosenbrock",
        {"learning_rate": 0.01, **SIGNS, "eta_plus": 1.1, "eta_minus": 0.7, "max_step_size": 0.005},
    ),
    ("RProp", "Booth", {"learning_rate": 0.03, **SIGNS, "min_step_size": 1e-3}),
    ("Adan", "Rosenbrock", {"learning_rate": 0.02, **ADAN, "weight_decay": 0.0}),
    ("Adan", "Booth", {"learning_rate": 0.02, **ADAN, "beta1": 0.9, "beta2": 0.7, "weight_decay": 0.1, "eps": 1e-2}),
]


def positions(optimizer, landscape, knobs, dtype=torch.float32):
    """Every step's position, the start first."""
    x = torch.tensor(STARTS[landscape], dtype=dtype, requires_grad=True)
    rule = BUILD[optimizer]([x], **torch_names(knobs))
    path = [x.tolist()]
    for _ in range(STEPS):
        rule.zero_grad()
        LOSSES[landscape](x).backward()
        rule.step()
        path.append(x.tolist())
    return path


def record(optimizer, landscape, knobs):
    """One run, with each position in nine digits, which is as much as float32 holds."""
    path = [[float(f"{c:.9g}") for c in point] for point in positions(optimizer, landscape, knobs)[::EVERY]]
    return {"optimizer": optimizer, "knobs": knobs, "landscape": landscape, "positions": path}


if __name__ == "__main__":
    head = {"torch": torch.__version__, "dtype": "float32", "steps": STEPS, "every": EVERY}
    runs = ",\n".join(json.dumps(record(*setting), separators=(",", ":")) for setting in SETTINGS)
    text = json.dumps(head)[:-1] + ', "runs": [\n' + runs + "\n]}\n"
    (Path(__file__).parent / "recorded" / "torch.json").write_text(text)
