"""What functions of the engine take, for annotations.

What the items of a sequence are is not in them: a checker looks at one item only, picked at random, and a test that
gives a wrong one would fail now and then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

Points: TypeAlias = Sequence  # of points, each with a number for every coordinate
Arrays: TypeAlias = Sequence  # of arrays of JAX or NumPy
Seeds: TypeAlias = int | Sequence | np.ndarray  # one for all runs, or one for each
