"""How the engine's annotations are read when the tests check them."""

import numpy as np
from beartype import BeartypeConf, FrozenDict, beartype

# a whole number will do for a float (PEP 484), and one of NumPy's for either
NUMBERS = FrozenDict({float: float | int | np.floating | np.integer, int: int | np.integer})
check = beartype(conf=BeartypeConf(hint_overrides=NUMBERS))
