"""Compiled functions of which a server can hold many: there is one for each optimizer on each loss."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, nullcontext
from functools import partial, wraps
from typing import Any

import jax
import numpy as np
from jax.experimental.xla_metadata import set_xla_metadata

from engine.kept import kept

# The same programs, to the bit, for half the work: each small kernel would cost a set-up of MLIR, and each part that
# a module is split into a round of LLVM.
QUICKER: dict[str, str | bool] = {
    "xla_cpu_use_fusion_emitters": False,
    "xla_cpu_parallel_codegen_split_count": "1",
}
# a sum over many rows would otherwise be handed to YNNPACK, which can't be called from within a kernel
OPTIONS_OF_ONE_KERNEL = QUICKER | {"xla_cpu_experimental_ynn_fusion_type": ""}

# entered around each compile, and each wait for another's of the same function: a server can let others go on meanwhile
meanwhile: Callable[[], AbstractContextManager[None]] = nullcontext


def compiled(chosen: int, one_kernel: Callable[..., bool] = lambda *args: False) -> Callable[[Callable], Callable]:
    """Compile a function once for its first ``chosen`` arguments, and for the shapes of the arrays that follow them.

    That is ``jax.jit`` with less to remember: it would keep beside each program what the program was made from, half
    as large again. What is decorated can't be differentiated or called from within another such function.

    Of the arguments ``one_kernel`` says whether to compile all into one kernel, if XLA can. It makes several else, and
    hands them to its threads one by one, which takes longer than a short race does.
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
                with meanwhile(), one_at_a_time:
                    if key not in programs:
                        build = partial(built, partial(function, *said), arrays, one_kernel(*args))
                        programs[key] = kept(function, said, arrays, build)
            return programs[key](*arrays)

        return call

    return decorate


def built(function: Callable, arrays: tuple, as_one_kernel: bool) -> Callable:
    """The program for arrays such as these, in one kernel where that is wanted and possible."""
    if as_one_kernel:
        try:
            return jax.jit(partial(in_one_kernel, function)).lower(*arrays).compile(OPTIONS_OF_ONE_KERNEL)
        except jax.errors.JaxRuntimeError:  # nor can others of XLA's routines, such as sorting
            pass
    lowered = jax.jit(function).lower(*arrays)
    try:
        return lowered.compile(QUICKER)
    except jax.errors.JaxRuntimeError:  # a release of jaxlib may not know these options
        return lowered.compile()


def in_one_kernel(function: Callable, *arrays: Any) -> Any:
    with set_xla_metadata(xla_cpu_small_call="true", inlineable="false"):
        return jax.jit(function)(*arrays)
