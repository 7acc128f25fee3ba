"""The same basin map on several devices and processes: ``python -m benchmarks.scale_out --help``.

On one machine ``--devices 2`` makes two devices of its processor, and ``--processes 2`` starts two processes that find
each other on it. On a cluster, start it once on every host, with where the first one listens:
``--processes 4 --process 0 --coordinator host0:1234`` and so on up to ``--process 3``; GPUs are used as they are found.
"""

from __future__ import annotations

import argparse
import socket
import subprocess
import sys
import time

import jax
import numpy as np


def asked() -> argparse.Namespace:
    words = argparse.ArgumentParser(description="A basin map of Ackley's function over several devices.")
    words.add_argument("--resolution", type=int, default=256, help="starts along a side of the map")
    words.add_argument("--steps", type=int, default=500)
    words.add_argument("--landscape", default="Ackley")
    words.add_argument("--optimizer", default="Adam")
    words.add_argument("--devices", type=int, help="devices that each process makes of its processor")
    words.add_argument("--processes", type=int, default=1)
    words.add_argument("--process", type=int, help="which of them this is; without it, all are started here")
    words.add_argument("--coordinator", help="host:port of process 0")
    return words.parse_args()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def start_all(processes: int) -> int:
    """Start every process on this machine, and wait for them. The worst of their exit codes."""
    address = f"127.0.0.1:{free_port()}"
    again = [sys.executable, "-m", "benchmarks.scale_out", *sys.argv[1:], "--coordinator", address, "--process"]
    running = [subprocess.Popen([*again, str(i)]) for i in range(processes)]
    try:
        return max(abs(process.wait()) for process in running)
    finally:
        for process in running:
            process.kill()


def main() -> int:
    wish = asked()
    if wish.processes > 1 and wish.process is None:
        return start_all(wish.processes)
    # before JAX looks for its devices, which importing the engine does not yet do
    if wish.devices:
        jax.config.update("jax_num_cpu_devices", wish.devices)
    if wish.processes > 1:
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        jax.distributed.initialize(wish.coordinator, wish.processes, wish.process)
    from engine import LANDSCAPES, OPTIMIZERS, basins
    from engine.xla import set_flags

    set_flags()

    ground, racer = LANDSCAPES[wish.landscape], OPTIMIZERS[wish.optimizer](learning_rate=0.1)

    def timed(steps: int, **how):
        before = time.perf_counter()
        found = basins(ground, racer, wish.resolution, steps, **how)
        return found, time.perf_counter() - before

    timed(1, devices=jax.devices())  # compiles
    found, taken = timed(wish.steps, devices=jax.devices())
    if jax.process_index() == 0:
        timed(1)
        alone, taken_alone = timed(wish.steps)
        same = all(np.array_equal(getattr(found, name), getattr(alone, name)) for name in vars(alone))
        where = f"{jax.device_count()} devices of {jax.process_count()} processes"
        print(f"{wish.resolution}x{wish.resolution} starts x {wish.steps} steps: {taken:.2f} s on {where}")
        print(f"in threads of one process: {taken_alone:.2f} s; {(found.nearest >= 0).mean():.1%} of the starts arrive")
        print("the same map, bit for bit" if same else "THE MAPS DIFFER")
        return 0 if same else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
