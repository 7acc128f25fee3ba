"""What a new server does once it has served its first page: compile the usual races before they are asked for."""

from __future__ import annotations

import threading

from engine import Trace, race
from engine.analysis import verdicts
from ui.figures import ground
from ui.presets import presets
from ui.setups import names


def compile_usual_races() -> None:
    """Run every preset once, one step each, and draw its ground. Ends early when the server is stopped."""
    for preset in presets("Ackley Race").values():
        setup = preset.setup
        traces: dict[str, Trace] = {}
        for name, racer in zip(names(setup.racers), setup.racers, strict=True):
            if not threading.main_thread().is_alive():
                return
            traces |= race(setup.ground.loss, {name: racer}, [setup.start], 1, minima=setup.ground.minima)
        verdicts(setup.ground.loss, traces, setup.ground.minima)
        for theme in ("light", "dark"):
            ground(setup.landscape, setup.view, theme)
