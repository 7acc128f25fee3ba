"""Record where PyTorch takes the notebook's 2-D regression, for test_fit_parity.py to compare with.

Run by hand, from the top of the project, when a run is added or the examples are drawn otherwise. PyTorch and the
engine need not be installed together: the first line writes the examples, the runs and their batches into
tests/recorded/torch_fit.json, the second adds to each run where PyTorch goes with just those.

    python tests/record_torch_fit.py deal
    pip install torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu
    python tests/record_torch_fit.py walk
"""

import json
import sys
from pathlib import Path

RECORD = Path(__file__).parent / "recorded" / "torch_fit.json"
SEED, NOISE, START = 0, 0.0, (0.0, 0.0)

# The notebook's four runs. Knobs have the engine's names; every: steps between two recorded positions.
RUNS = [
    {
        "name": "one example at a time",
        "examples": 50,
        "optimizer": "SGD",
        "knobs": {"learning_rate": 1e-4},
        "batch_size": 1,
        "steps": 50,
        "every": 1,
    },
    {
        "name": "batches of 16",
        "examples": 50,
        "optimizer": "SGD",
        "knobs": {"learning_rate": 1e-4},
        "batch_size": 16,
        "steps": 50,
        "every": 1,
    },
    {
        "name": "RMSProp",
        "examples": 100,
        "optimizer": "RMSProp",
        "knobs": {"learning_rate": 0.1, "weight_decay": 0.1, "smoothing_constant": 0.99, "momentum": 0.9},
        "batch_size": None,
        "steps": 500,
        "every": 5,
    },
    {
        "name": "Adam",
        "examples": 100,
        "optimizer": "Adam",
        "knobs": {"learning_rate": 0.1, "beta1": 0.9, "beta2": 0.999},
        "batch_size": None,
        "steps": 5000,
        "every": 55,  # a race of 5000 steps keeps each eleventh
    },
]


def deal():
    """The examples that the runs share, by their number, and each run with the indices that its steps look at."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from engine.batches import batch
    from engine.problems import bowl

    fits = {run["examples"]: bowl(run["examples"], NOISE, SEED) for run in RUNS}
    examples = {n: {"features": fit.features.tolist(), "true": fit.true.tolist()} for n, fit in fits.items()}
    for run in RUNS:
        n, size = run["examples"], run["batch_size"]
        run["batches"] = [batch(SEED, step, n, size).tolist() for step in range(run["steps"])] if size else None
    return {"seed": SEED, "noise": NOISE, "start": START, "examples": examples, "runs": RUNS}


def walk(run, examples, start):
    """Where PyTorch is at each step, the start first, and the loss of all examples there."""
    import torch

    features, true = torch.tensor(examples["features"]), torch.tensor(examples["true"])
    theta = torch.tensor(start, requires_grad=True)
    knobs = dict(run["knobs"])
    rule = {
        "SGD": lambda: torch.optim.SGD([theta], lr=knobs["learning_rate"]),
        "RMSProp": lambda: torch.optim.RMSprop(
            [theta],
            lr=knobs["learning_rate"],
            alpha=knobs["smoothing_constant"],
            weight_decay=knobs["weight_decay"],
            momentum=knobs["momentum"],
            centered=False,
        ),
        "Adam": lambda: torch.optim.Adam(
            [theta], lr=knobs["learning_rate"], betas=(knobs["beta1"], knobs["beta2"]), weight_decay=0
        ),
    }[run["optimizer"]]()

    def loss(chosen):
        return torch.mean((true[chosen] - features[chosen] @ theta) ** 2)

    everything = list(range(len(true)))
    positions, losses = [theta.tolist()], [loss(everything).item()]
    for step in range(run["steps"]):
        rule.zero_grad()
        loss(run["batches"][step] if run["batches"] else everything).backward()
        rule.step()
        positions.append(theta.tolist())
        losses.append(loss(everything).item())
    return positions, losses


def nine_digits(number):
    """As much as float32 holds."""
    return float(f"{number:.9g}")


def walk_all(record):
    import torch

    record["torch"] = torch.__version__
    for run in record["runs"]:
        positions, losses = walk(run, record["examples"][str(run["examples"])], record["start"])
        run["recorded"] = [*range(0, run["steps"], run["every"]), run["steps"]]
        run["positions"] = [[nine_digits(c) for c in positions[step]] for step in run["recorded"]]
        run["losses"] = [nine_digits(losses[step]) for step in run["recorded"]]
        print(run["name"], positions[-1], losses[-1])
    return record


def write(record):
    """One line for each run and each set of examples."""
    examples, runs = record.pop("examples"), record.pop("runs")
    lines = [json.dumps(record)[:-1] + ', "examples": {']
    lines.append(",\n".join(f'"{n}": {json.dumps(part, separators=(",", ":"))}' for n, part in examples.items()))
    lines.append('}, "runs": [')
    lines.append(",\n".join(json.dumps(run, separators=(",", ":")) for run in runs))
    lines.append("]}")
    RECORD.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["deal"]:
            write(deal())
        case ["walk"]:
            write(walk_all(json.loads(RECORD.read_text())))
        case _:
            sys.exit(__doc__)
