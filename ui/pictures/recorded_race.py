"""Records the race of the home page's moving picture: where each racer is on the picture of the surface."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page

FILE = Path(__file__).with_name("race.json")
STEPS = 90  # of the race; later ones only rattle
ABOUT = (
    "Four optimizers run over Ackley's function from one start. SGD stays in the first local minimum, Momentum and"
    " RMSProp come to rest in others, and Adam reaches the deepest one."
)

# What of the scene decides where on the view a point is drawn, and the racers with the quantities that are its path
SCENE = """() => {
  const { stage } = document.querySelector(".stage");
  const [view] = stage.views.values();
  const { scene: axes, _size: area } = view.plot._fullLayout;
  const { glplot, dataScale } = axes._scene;
  const { path, lift } = view.spec;
  const floats = (values) => [...values].map(Number);
  return {
    matrices: ["projection", "view", "model"].map((name) => floats(glplot.cameraParams[name])),
    scale: floats(dataScale), heights: axes.zaxis.range, lift,
    area: [area.l, area.t, area.w, area.h],
    racers: stage.tracks.map((track) => ({
      name: track.name, color: track.variable, dash: track.dash, marker: track.marker,
      path: path.map((quantity) => floats(track.values[quantity])),
    })),
  };
}"""


def record(page: Page, box: Sequence[float], size: tuple[int, int]) -> dict[str, Any]:
    """The race that a page shows, and where each racer is on the picture of its surface.

    ``box`` is the part of the view that the picture shows, two corners in CSS pixels; ``size`` is the picture's.
    """
    scene = page.evaluate(SCENE)
    racers = scene["racers"]
    for racer in racers:
        path = np.array(racer.pop("path")).T[: STEPS + 1]
        points = (on_view(path, scene) - box[:2]) * size[0] / (box[2] - box[0])
        racer["points"] = points.round(1).tolist()
    return {
        "about": ABOUT,
        "width": size[0],
        "height": size[1],
        "steps": len(racers[0]["points"]) - 1,
        "racers": racers,
    }


def on_view(path: np.ndarray, scene: dict[str, Any]) -> np.ndarray:
    """Where the points of a path ``(points, 3)`` are on the view: pixels from its left and top, ``(points, 2)``."""
    low, high = scene["heights"]
    raised = path + np.array([0, 0, scene["lift"] * (high - low)])
    at = np.column_stack([raised * scene["scale"], np.ones(len(path))])
    for matrix in reversed(scene["matrices"]):  # model first; WebGL's matrices come column by column
        at = at @ np.array(matrix).reshape(4, 4)
    left, top, width, height = scene["area"]
    x, y = (at[:, :2] / at[:, 3:]).T
    return np.column_stack([left + width * (1 + x) / 2, top + height * (1 - y) / 2])
