"""Compiled functions of which a server can hold many: there is one for each optimizer on each loss."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from functools import partial, wraps
from typing import Any

import jax
import numpy as np


def compiled(chosen: int) -> Callable[[Callable], Callable]:
    """Compile a function once for its first ``chosen`` arguments, and for the shapes of the arrays that follow them.

    That is ``jax.jit`` with less to remember: it would keep beside each program what the program was made from, half
    as large again. What is decorated can't be differentiated or called from within another such function.
    """

    def decorate(function: Callable) -> Callable:
        programs: dict[Hashable, Any] = {}
        one_at_a_time = threading.Lock()  # a class that comes together asks for the same program together

        @wraps(function)
        def call(*args: Any) -> Any:
            said, arrays = args[:chosen], args[chosen:]
            leaves, tree = jax.tree.flatten(arrays)
            key = (*said, tree, *((np.shape(leaf), leaf.dtype) for leaf in leaves))
            if key not in programs:
                with one_at_a_time:
                    if key not in programs:
                        programs[key] = jax.jit(partial(function, *said)).lower(*arrays).compile()
            return programs[key](*arrays)

        return call

    return decorate
