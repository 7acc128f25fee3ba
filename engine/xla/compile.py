"""Compiled functions of which a server can hold many: there is one for each optimizer on each loss."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial, wraps
from types import FunctionType
from typing import Any, Protocol, cast, runtime_checkable

import jax
import numpy as np

from engine.xla.flags import is_off
from engine.xla.program_cache import callables_in, load_or_build

AT_ONCE = 2  # programs of a function that are built at the same time: one is traced while XLA compiles the other
MAX_PROGRAMS = 512  # that are held for each function
# that are held in all of those that may never be asked for again: races on 70 typed formulas left a process 32 MB
# larger. In a class that types more rules than this, a slider may have to wait for a compile
MAX_PASSING = 24
# that are held in all of rules with a schedule or turned: there are more than 400 such, each on every loss, of 2 MB
# each. They have names, so that one which was dropped comes back from disk
MAX_PAIRS = 64

# The same programs, to the bit, compiled with half the work: each part that a module is split into would cost a round
# of LLVM, and each small kernel a set-up of MLIR.
OPTIONS: dict[str, str | bool] = {"xla_cpu_parallel_codegen_split_count": "1"}
if jax.__version_info__ < (0, 11, 1):  # later ones know no other way to build a kernel
    OPTIONS["xla_cpu_use_fusion_emitters"] = False
# a sum over many rows would otherwise be handed to YNNPACK, which can't be called from within a kernel
OPTIONS_OF_ONE_KERNEL = OPTIONS | {"xla_cpu_experimental_ynn_fusion_type": ""}
# what tells XLA to compile what is called into one kernel; neither its constants nor where it ends are told
ONE_KERNEL = {"xla_cpu_small_call": "true", "inlineable": "false"}
UNMARKED = ("stablehlo.constant", "stablehlo.return")

# the programs of losses that were made while the process runs, such as a typed one, whatever they do; the newest last
passing: OrderedDict[Hashable, Any] = OrderedDict()
pairs: OrderedDict[Hashable, Any] = OrderedDict()  # the programs of rules with a schedule, as those

# entered around each compile, and each wait for another's of the same function: a server can let others go on meanwhile
while_compiling: Callable[[], AbstractContextManager[None]] = nullcontext


@runtime_checkable
class Compiled(Protocol):
    """A function that is compiled as it is called."""

    each: Callable[[Sequence[tuple]], list]  # what many calls give, each with its arguments

    def __call__(self, *args: Any) -> Any:
        """What the function gives."""


class Traced:
    """A static argument that is a frozen dataclass of numbers: its class is compiled in, and its numbers are traced."""


def take_apart(arg: Any) -> tuple[Any, Any]:
    """What of a static argument is compiled in, and its numbers that are traced: an array; None where it has none."""
    if not isinstance(arg, Traced):
        return arg, None
    return type(arg), np.array([*vars(arg).values()], jax.dtypes.canonicalize_dtype(float))


def put_together(kind: Any, numbers: Any) -> Any:
    """The static argument that was taken apart."""
    return kind if numbers is None else kind(*numbers)


def call_with(function: Callable, kinds: tuple, numbers: Any, *arrays: Any) -> Any:
    """Call a function whose first static argument was taken apart."""
    return function(*(put_together(kind, numbers) for kind in kinds[:1]), *kinds[1:], *arrays)


def compiled(
    num_static: int, one_kernel: Callable[..., bool] = lambda *args: False, max_programs: int = MAX_PROGRAMS
) -> Callable[[Callable], Compiled]:
    """Compile a function once for its first ``num_static`` arguments, and for the shapes of the arrays that follow.

    That is ``jax.jit`` with less to remember: it would keep beside each program what the program was made from, half
    as large again. What is decorated can't be differentiated or called from within another such function. Of more than
    ``max_programs`` the one that was not used for longest is dropped. Where a static argument is called, but is neither
    a function nor a class, the program is one of at most ``MAX_PASSING``, which all such functions share; where it is a
    tuple of such, as a rule with a schedule is, one of at most ``MAX_PAIRS``.

    Of the arguments ``one_kernel`` says whether to compile all into one kernel, if XLA can. It makes several else, and
    hands them to its threads one by one, which takes longer than a short race does.

    The first static argument may be ``Traced``: one program serves all its values, which are one more array.

    ``each`` of what is decorated takes many calls, and builds their programs ``AT_ONCE``.
    """

    def decorate(function: Callable) -> Compiled:
        programs: OrderedDict[Hashable, Any] = OrderedDict()  # the newest last
        being_built: dict[Hashable, threading.Lock] = {}  # several threads may ask for the same program at once
        at_once = threading.Semaphore(AT_ONCE)

        def sort_out(args: tuple) -> tuple[tuple, tuple]:
            """What is compiled in, and the arrays: first the numbers of the first static argument, then the others."""
            kinds, numbers = args[:num_static], None
            if kinds:
                kind, numbers = take_apart(kinds[0])
                kinds = (kind, *kinds[1:])
            return kinds, (numbers, *args[num_static:])

        def place_of(kinds: tuple, arrays: tuple) -> tuple[OrderedDict[Hashable, Any], int, Hashable]:
            """Where a program is held, beside how many others at most, and under which key."""
            leaves, tree = jax.tree.flatten(arrays)
            key = (function, *kinds, tree, *((np.shape(leaf), leaf.dtype) for leaf in leaves))
            if not all(isinstance(part, FunctionType | type) for part in callables_in(kinds)):
                return passing, MAX_PASSING, key
            if any(isinstance(kind, tuple) and callable(kind) for kind in kinds):
                return pairs, MAX_PAIRS, key
            return programs, max_programs, key

        @wraps(function)
        def call(*args: Any) -> Any:
            kinds, arrays = sort_out(args)
            held, most, key = place_of(kinds, arrays)
            try:
                program = held[key]
                held.move_to_end(key)
            except KeyError:  # never built, or dropped
                with while_compiling(), being_built.setdefault(key, threading.Lock()), at_once:
                    program = held.get(key)
                    if program is None:
                        to_build = partial(build, partial(call_with, function, kinds), arrays, one_kernel(*args))
                        program = held[key] = load_or_build(function, kinds, arrays, to_build)
                    while len(held) > most:
                        held.popitem(last=False)
                being_built.pop(key, None)
            return program(*arrays)

        def each(calls: Sequence[tuple]) -> list:
            places = ((args, place_of(*sort_out(args))) for args in calls)
            missing = [args for args, (held, _, key) in places if key not in held]
            to_build = iter(missing)  # of all threads

            def build_missing() -> None:
                for args in to_build:
                    with suppress(Exception):  # which is raised below
                        call(*args)

            # no pool: Python would have it build all that is left before the process may end
            helpers = [threading.Thread(target=build_missing) for _ in missing[1:AT_ONCE]]
            for helper in helpers:
                helper.start()
            build_missing()
            for helper in helpers:
                with while_compiling():
                    helper.join()
            return [call(*args) for args in calls]

        call.each = each  # type: ignore[attr-defined]
        return cast(Compiled, call)

    return decorate


def build(function: Callable, arrays: tuple, as_one_kernel: bool) -> Callable:
    """The program for arrays such as these, in one kernel where that is wanted and possible."""
    if as_one_kernel and not is_off():
        try:
            return lower_to_one_kernel(function, *arrays).compile(OPTIONS_OF_ONE_KERNEL)
        # some of XLA's routines, such as sorting, can't be in it either; and a later JAX may have no such module
        except (jax.errors.JaxRuntimeError, ImportError):
            pass
    lowered = jax.jit(function).lower(*arrays)
    try:
        return lowered.compile(None if is_off() else OPTIONS)
    except jax.errors.JaxRuntimeError:  # a later XLA may not know these options
        return lowered.compile()


def lower_to_one_kernel(function: Callable, *arrays: Any) -> Any:
    """Lower a function so that XLA compiles all of it into one kernel.

    The marks are put on what it was lowered to. ``jax.experimental.xla_metadata`` would put the same ones, but JAX
    compares them in Python wherever a function of ``jax.numpy`` looks for its program while another is traced, and a
    second thread that adds one meanwhile ends the process.
    """
    from jax.extend.mlir import ir

    lowered = jax.jit(lambda *arrays: jax.jit(function)(*arrays)).lower(*arrays)
    module: Any = lowered.compiler_ir()
    with module.context:
        marks = ir.DictAttr.get({name: ir.StringAttr.get(value) for name, value in ONE_KERNEL.items()})

    def mark(operation: Any) -> Any:
        if operation.name.startswith(("stablehlo.", "func.call")) and operation.name not in UNMARKED:
            operation.attributes["mhlo.frontend_attributes"] = marks
        return ir.WalkResult.ADVANCE

    module.operation.walk(mark)
    return lowered
