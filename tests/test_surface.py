"""A surface can be read: light and shade, iso-lines, and the numbers on its axes, also where it is drawn small."""

import json
from itertools import combinations, product

import numpy as np
import pytest
from test_figures import every_landscape, every_view, figures, numbers

from engine import LANDSCAPES
from ui.draw.figures import MAX_CROSSINGS, MAX_LEVELS
from ui.draw.landscapes import height
from ui.draw.surface import ASPECT, CAMERA, LIGHT, shaded
from ui.regression.figures import still_figures
from ui.setup.landscapes import VIEWS

SCENES = {
    f"{name}, {view}": figures(name, view)["surface"]["layout"]["scene"] for name, view in product(LANDSCAPES, VIEWS)
} | {
    f"bowl of {examples}": json.loads(still_figures(examples, noise, 0)["bowl"])["layout"]["scene"]
    for examples, noise in ((100, 60.0), (5, 0.0), (1000, 400.0))
}
SIZES = [(300, 300), (362, 360), (390, 300), (560, 500), (1100, 700)]  # of a view, in pixels
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹−", "0123456789-")
# Where Plotly 7.1 puts the middle of a number, in pixels from its place on the axis; measured at every size
BESIDE = {"x": (14.5, 15.5), "y": (-20.5, 8), "z": (-20.5, 7)}
every_scene = pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)


def on_screen(point: np.ndarray, width: float, height: float) -> np.ndarray:
    """Where a point of the scene is drawn, in pixels: the camera's opening is an eighth of a turn, upright."""
    eye, center = (np.array([CAMERA[part][axis] for axis in "xyz"]) for part in ("eye", "center"))
    ahead = (center - eye) / np.linalg.norm(center - eye)
    right = np.cross(ahead, [0, 0, 1])
    right /= np.linalg.norm(right)
    way = point - eye
    across, up = (way @ axis / (way @ ahead) / np.tan(np.pi / 8) for axis in (right, np.cross(right, ahead)))
    return np.array([width + height * across, height - height * up]) / 2


def number_boxes(scene: dict, width: float, height: float) -> list[np.ndarray]:
    """The left, top, right and bottom of every number on the axes that the camera shows them at."""
    boxes = []
    for k, (axis, corner) in enumerate({"x": (0, -1, -1), "y": (-1, 0, -1), "z": (-1, 1, 0)}.items()):
        layout = scene[f"{axis}axis"]
        low, high = layout["range"]
        for value, text in zip(layout["tickvals"], layout["ticktext"], strict=True):
            point = np.array(corner, float)
            point[k] = 2 * (value - low) / (high - low) - 1
            middle = on_screen(point * ASPECT / 2, width, height) + BESIDE[axis]
            half = np.array([3.2 * len(text), 6])
            boxes.append(np.concatenate([middle - half, middle + half]))
    return boxes


@every_scene
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_numbers_of_the_axes_are_all_on_the_view_and_none_covers_another(scene, size):
    boxes = number_boxes(scene, *size)
    for left, top, right, bottom in boxes:
        assert left > 2
        assert top > 26  # the view's caption stands above
        assert right < size[0] - 2
        assert bottom < size[1] - 2
    for one, other in combinations(boxes, 2):
        assert (one[:2] >= other[2:]).any() or (other[:2] >= one[2:]).any()


@every_scene
def test_each_axis_has_a_few_numbers_and_its_name_at_the_last(scene):
    for name, least in (("x", 3), ("y", 3), ("z", 2)):
        axis = scene[f"{name}axis"]
        assert least <= len(axis["tickvals"]) <= 4
        assert axis["tickvals"] == sorted(axis["tickvals"])
        assert axis["range"][0] < axis["tickvals"][0] < axis["tickvals"][-1] <= axis["range"][1]
        *plain, last = axis["ticktext"]
        assert all(text.translate(SUPERSCRIPTS).removeprefix("-").replace(".", "", 1).isdigit() for text in plain)
        assert last.split()[0] in {"x", "y", "loss", "f"}


@every_landscape
@every_view
def test_the_numbers_at_the_height_of_a_surface_say_the_loss_there(name, view):
    landscape = LANDSCAPES[name]
    axis = SCENES[f"{name}, {view}"]["zaxis"]
    heights = numbers(figures(name, view)["surface"]["data"][0]["z"])
    low, high = axis["range"]
    assert low < heights.min() <= heights.max() <= high * (1 + 1e-6)
    for place, text in zip(axis["tickvals"], axis["ticktext"], strict=True):
        written = text.removeprefix("loss ")
        plain = written.translate(SUPERSCRIPTS)
        power = any(digit in written for digit in "⁰¹²³⁴⁵⁶⁷⁸⁹")
        loss = float(f"1e{plain.removeprefix('10')}" if power else plain)
        floor = landscape.floor if landscape.decades else 0.0
        assert place == pytest.approx(float(height(landscape, np.array(loss + floor))), abs=1e-6)


@every_landscape
@every_view
def test_the_map_has_the_colours_and_the_iso_lines_of_the_surface(name, view):
    surface, flat = (figures(name, view)[part]["data"][0] for part in ("surface", "map"))
    assert surface["colorscale"] == flat["colorscale"]
    for part in ("start", "end", "size"):
        assert surface["contours"]["z"][part] == flat["contours"][part]
    # where the surface is level, light changes nothing, and it has the very colour of the map
    heights, colors = numbers(surface["z"]).astype(float), numbers(surface["surfacecolor"])
    share = (heights - flat["zmin"]) / (flat["zmax"] - flat["zmin"])
    assert (share > 0).all()
    assert (share < 1).all()
    up_y, up_x = np.gradient(share)
    level = np.hypot(up_x, up_y) < 2e-4
    np.testing.assert_allclose(colors[level] / 255, share[level], atol=0.04)


@every_landscape
@every_view
def test_iso_lines_are_few_where_a_surface_is_rough_and_never_fewer_than_needed(name, view):
    drawn = figures(name, view)["map"]["data"][0]
    lines, heights = drawn["contours"], numbers(drawn["z"]).astype(float)
    at = np.arange(lines["start"], lines["end"], lines["size"])
    assert 2 <= len(at) <= MAX_LEVELS
    assert heights.min() < at[0] < at[-1] < heights.max()
    for across in (heights, heights.T):
        met = sum((np.diff(np.sign(across - one), axis=1) != 0).sum(1).mean() for one in at)
        assert met <= 1.2 * MAX_CROSSINGS


@pytest.mark.parametrize("depth", [1.0, 1e-6, 1e6])
@pytest.mark.parametrize("way", [1, -1], ids=["hill", "dent"])
def test_a_slope_that_faces_the_light_is_lighter_than_one_of_the_same_height_that_turns_away(way, depth):
    side = np.linspace(-1, 1, 61)
    hill = way * depth * np.exp(-4 * (side[None] ** 2 + side[:, None] ** 2))
    colors = shaded(hill).astype(float)
    x, y = np.sign(LIGHT[:2]).astype(int)
    toward, away = colors[30 + 10 * y, 30 + 10 * x], colors[30 - 10 * y, 30 - 10 * x]
    assert way * (toward - away) > 25  # of 255


@every_landscape
@every_view
def test_light_changes_what_a_surface_looks_like(name, view):
    surface, flat = (figures(name, view)[part]["data"][0] for part in ("surface", "map"))
    share = (numbers(surface["z"]) - flat["zmin"]) / (flat["zmax"] - flat["zmin"])
    assert np.std(numbers(surface["surfacecolor"]) / 255 - share) > 0.01


@pytest.mark.parametrize("name", [name for name, landscape in LANDSCAPES.items() if landscape.decades])
def test_the_floor_of_a_valley_is_drawn_with_a_slope_of_its_own(name):
    """Of a surface whose loss spans decades, the lowest thousandth is drawn at least a tenth as high as the whole."""
    landscape = LANDSCAPES[name]
    highest = numbers(figures(name, VIEWS[0])["map"]["data"][0]["z"]).max()
    assert height(landscape, np.array(1.0 + landscape.floor)) > 0.1 * highest
