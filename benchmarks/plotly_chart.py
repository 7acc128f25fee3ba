"""The picture of the race in a small Streamlit app, by ``st.plotly_chart``: what the page is timed beside."""

import plotly.graph_objects as go
import streamlit as st

from engine import LANDSCAPES, OPTIMIZERS, race
from ui.draw.landscapes import grid

ackley, rates = LANDSCAPES["Ackley"], [0.005, 0.007, 0.01, 0.015, 0.02]
rate = st.sidebar.select_slider("learning rate of SGD", rates, 0.01, key="rate")
racers = {name: OPTIMIZERS[name]() for name in ("SGD", "Momentum", "Nesterov", "RMSProp", "Adam", "NAdam")}
racers["SGD"] = OPTIMIZERS["SGD"](learning_rate=rate)
runs = {name: trace.run(0) for name, trace in race(ackley.loss, racers, [(4.0, 4.0)], 500).items()}
x, y, z = grid(ackley, "usual")
paths = [(name, *run.positions.T, run.losses) for name, run in runs.items()]
lines = [go.Scatter3d(x=a, y=b, z=c, mode="lines", name=name) for name, a, b, c in paths]
surface = go.Figure([go.Surface(x=x, y=y, z=z), *lines])
plane = go.Figure([go.Contour(x=x, y=y, z=z), *(go.Scatter(x=a, y=b, name=name) for name, a, b, _ in paths)])
losses = go.Figure([go.Scatter(x=run.steps, y=run.losses, name=name) for name, run in runs.items()])
for key, figure in {"surface": surface, "map": plane, "loss": losses}.items():
    st.plotly_chart(figure.update_layout(meta=rate, height=300), key=key)
