"""A page for the browser tests: a stage that says where it stands (``?tangent``), and one with a line, a sheet and an
arrow (``?fits``)."""

import time

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from ui.draw.palette import STYLES, VARIABLES, Style
from ui.draw.stage.stage import Index, Readout, Sheet, Stage, Track, View

st.set_page_config(layout="wide")
colors = VARIABLES
PLAIN = {"gridcolor": colors.faint, "zeroline": False, "color": colors.ink}
LOOKS = {
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "font": {"color": colors.ink},
    "template": "none",
    "showlegend": False,
    "margin": {"l": 40, "r": 10, "t": 10, "b": 30},
}


def plane(curve: go.Scatter, x: tuple[float, float], y: tuple[float, float]) -> str:
    axes = {"xaxis": {"range": x, **PLAIN}, "yaxis": {"range": y, **PLAIN}}
    return go.Figure([curve], {**LOOKS, **axes}).to_json()


def scene() -> str:
    x, y = np.linspace(-2, 2, 41), np.linspace(-1, 1, 41)
    scale = [[i / (len(colors.scale) - 1), color] for i, color in enumerate(colors.scale)]
    z = 3 * x[None, :] ** 2 + 9 * y[:, None] ** 2
    still = {"showbackground": False, **PLAIN}
    axes = {
        "xaxis": {"range": [-2, 2], **still},
        "yaxis": {"range": [-1, 1], **still},
        "zaxis": {"range": [-3, 24], **still},
    }
    surface = go.Surface(x=x, y=y, z=z, colorscale=scale, showscale=False, hoverinfo="skip")
    camera = {"eye": {"x": -0.9, "y": -1.9, "z": 1.3}}
    box = {"aspectmode": "manual", "aspectratio": {"x": 1.2, "y": 1.2, "z": 0.7}}
    return go.Figure(
        [surface], {**LOOKS, "margin": dict.fromkeys("lrtb", 0), "scene": {**axes, **box, "camera": camera}}
    ).to_json()


def take_at() -> None:
    st.session_state.told.append(st.session_state.tangent.at)
    if st.session_state.follow:
        st.session_state.at = st.session_state.tangent.at


def tangent() -> None:
    """A tangent moves along a curve; the page is told where, and may say where."""
    st.session_state.setdefault("told", [])
    st.session_state.setdefault("at", 40)
    st.checkbox("follow", True, key="follow")
    at = st.number_input("at", 0, 120, key="at")
    factor = st.number_input("factor", 0.5, 2.0, 1.0, 0.5)
    if st.checkbox("slow"):
        time.sleep(1)
        st.text("after a second")
    x, wave = np.arange(-3, 3.04, 0.05), np.linspace(-3.5, 3.5, 200)
    y, slope = factor * np.sin(x), factor * np.cos(x)
    curve, rate = (
        plane(go.Scatter(x=wave, y=factor * f(wave), line={"color": colors.line}), (-3.5, 3.5), (-2.2, 2.2))
        for f in (np.sin, np.cos)
    )
    Stage(
        figures={"curve": curve},
        views=[
            View("curve", "tangent", "A tangent.", path=("x", "y"), line=("intercept", "slope")),
            View("slope", "slope", "Its slope.", path=("step", "slope"), figure=rate),
        ],
        tracks=[Track("tangent", STYLES[0], {"x": x, "y": y, "slope": slope, "intercept": y - slope * x})],
        steps=x,
        numbers=[Readout("x", "x", 2), Readout("slope", "slope", 3)],
        index=Index("x₀", 2),
        at=at,
    ).show("tangent", on_at=take_at)
    st.text(f"told {st.session_state.told}")


def fitted(name: str, style: Style, rate: float, **ends: int) -> Track:
    steps = np.arange(21)
    left = rate**steps
    surface = {"theta1": 3 * (1 - left), "theta2": 9 * (1 - left)}
    line = {"intercept": 1 - left, "slope": 2 * (1 - left)}
    loss = {"loss": left**2, "dx": 1 + 2 * left, "dy": np.full(21, 0.5)}
    return Track(name, style, {**surface, **line, **loss}, **ends)


def fits() -> None:
    """A line and a surface are fitted: one racer gets there, one is on its way, and one may diverge."""
    points = go.Scatter(x=[0, 1, 2, 3], y=[1, 3, 5, 7], mode="markers", marker={"color": colors.ink})
    x, y = np.linspace(-2, 2, 13), np.linspace(-1, 1, 11)
    bases = np.stack(np.broadcast_arrays(x[None, :] ** 2, y[:, None] ** 2))
    tracks = [
        fitted("quick", STYLES[0], 0.6, settled=12, words="converged at iteration 12: its loss hardly changes"),
        fitted("slow", STYLES[1], 0.9),
    ]
    if st.checkbox("a third"):
        tracks.append(fitted("wild", STYLES[2], -1.1, stopped=15, words="diverged at iteration 15"))
    Stage(
        figures={
            "fit": plane(points, (-0.5, 3.5), (-1, 9)),
            "surface": scene(),
            "loss": plane(go.Scatter(), (0, 20), (0, 1)),
        },
        views=[
            View("fit", "fit", "A line.", line=("intercept", "slope")),
            View("surface", "surface", "A sheet.", sheet=Sheet(("theta1", "theta2"), x, y, bases), lift=0.01),
            View("loss", "loss", "The loss.", path=("step", "loss"), arrow=("step", "loss", "dx", "dy")),
        ],
        tracks=tracks,
        steps=np.arange(21),
        numbers=[Readout("loss", "loss", 4)],
        index=Index("iteration"),
    ).show("fit")


if "fits" in st.query_params:
    fits()
if "tangent" in st.query_params:
    tangent()
