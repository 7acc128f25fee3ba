"""What a new server does once: keep compiled races on disk, and compile the usual ones before they are asked for."""

from __future__ import annotations

from pathlib import Path

import jax

from engine import race
from engine.analysis import verdicts
from ui.figures import ground
from ui.presets import presets
from ui.setup import names

CACHE = Path(__file__).parents[1] / ".jax_cache"

jax.config.update("jax_compilation_cache_dir", str(CACHE))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def compile_usual_races() -> None:
    """Run every preset once, one step each, and draw its ground."""
    for preset in presets().values():
        setup = preset.setup
        racers = dict(zip(names(setup.racers), setup.racers, strict=True))
        traces = race(setup.ground.loss, racers, [setup.start], 1, minima=setup.ground.minima)
        verdicts(setup.ground.loss, traces, setup.ground.minima)
        for theme in ("light", "dark"):
            ground(setup.landscape, setup.view, theme)
