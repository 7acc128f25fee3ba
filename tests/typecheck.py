"""How the engine's annotations are checked while tests run: at each call, by beartype."""

from pathlib import Path

import numpy as np
from beartype import BeartypeConf, FrozenDict, beartype
from jaxtyping import install_import_hook

# a whole number will do for a float (PEP 484), and one of NumPy's for either
NUMBERS = FrozenDict({float: float | int | np.floating | np.integer, int: int | np.integer})
check = beartype(conf=BeartypeConf(hint_overrides=NUMBERS))

# formulas are text and trees, not arrays, and a test counts the calls that it takes to read them
LEFT_OUT = {"__init__", "expressions"}


def install():
    """Have each module of the engine that is imported from now on checked."""
    parts = {part.stem for part in (Path(__file__).parents[1] / "engine").iterdir()} - LEFT_OUT
    install_import_hook([f"engine.{part}" for part in sorted(parts)], "typecheck.check")
