"""One step taken apart: the examples it looks at, and the way down that they see."""

from __future__ import annotations

import numpy as np
import streamlit as st

from engine.analysis import gradients
from engine.batches import batch
from engine.problems import bowl_points, mean_squared_error
from ui.draw.figures import show_figure
from ui.regression.controls import CONTROLS, choose_moment, choose_racer
from ui.regression.figures import (
    batch_data_figure,
    batch_map_figure,
)
from ui.regression.run import Result
from ui.setup.pages import RegressionSetup


def show_batch(setup: RegressionSetup, result: Result, theme: str) -> None:
    """One step taken apart: the examples it looks at, and the way down that they see."""
    choose, whose = st.columns([3, 1])
    with whose:
        name = choose_racer(setup.runners)
    descent = result.traces[name].run(0)
    last = descent.steps[-1] if descent.end is None else descent.end
    moments = [int(step) for step in descent.steps if step < last]
    with choose:
        moment = choose_moment(moments or [0])
    at = descent.positions[int(np.searchsorted(descent.steps, moment))]
    size = setup.batch_size or setup.examples
    chosen = batch(setup.seed, moment, setup.examples, size)
    some = result.fit.subset(chosen)
    slopes = tuple(np.asarray(gradients(mean_squared_error, at[None], fit.data))[0] for fit in (result.fit, some))
    st.markdown(describe_batch(setup, moment, slopes))
    color = result.racer_styles[name].color(theme)
    data, ways = st.columns(2)
    with data:
        hidden = setup.hides("batch") or setup.hides("examples")
        counts = "Some of the examples" if hidden else f"{len(chosen)} of {setup.examples} examples"
        st.markdown(f"**The batch in the data.** {counts}, seen from above.")
        points = bowl_points(setup.examples, setup.noise, setup.seed)
        show_figure(batch_data_figure(*points, chosen, color, theme), CONTROLS.key("data"), 420)
    with ways:
        st.markdown("**Two losses.** Shaded: all examples. Dotted: the batch alone. Arrows: steepest descent.")
        show_figure(batch_map_figure(result.fit, some, at, slopes, color, theme), CONTROLS.key("ways"), 420)


def describe_batch(setup: RegressionSetup, moment: int, slopes: tuple[np.ndarray, ...]) -> str:
    """How far the batch's way down is from that of all examples, in words."""
    if setup.batch_size is None:
        return "Each step uses all examples, so both losses are the same. Lower *Examples per step* to see them differ."
    full, own = slopes
    sizes = float(np.hypot(*full)), float(np.hypot(*own))
    if min(sizes) == 0 or not np.isfinite(sizes).all():
        return f"Iteration {moment}: here one of the two gradients is 0, so there are no two directions to compare."
    angle = np.degrees(np.arccos(np.clip(full @ own / (sizes[0] * sizes[1]), -1, 1)))
    return (
        f"Iteration {moment}: the batch's gradient is **{sizes[1] / sizes[0]:.2f} times** as long as that of all "
        f"examples and points **{angle:.0f}°** away from it. Such differences make the path zigzag."
    )
