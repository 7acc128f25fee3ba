"""Racers one can follow: names at the heads, heads that fan out, trails that fade, what a hill hides, who leads."""

from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest

from engine import LANDSCAPES, OPTIMIZERS
from ui.draw.palette import COLORS
from ui.setup.pages import RaceSetup

RULES = list(OPTIMIZERS.values())
TEN = RaceSetup(racers=tuple(rule() for rule in RULES[:10]), steps=120)
FEW = replace(
    TEN, racers=(RULES[0](learning_rate=0.02), OPTIMIZERS["Lion"](), RULES[5]()), landscape="Booth", start=(-6.0, 9.0)
)
SMALL_VIEW = 330
VIEWS = """[...stage.views.values()].filter((view) => view.spec.path.length).map((view) => ({
    width: view.plot.clientWidth, height: view.plot.clientHeight, words: view.words,
    curve: view.spec.path[0] === "step",
    labels: view.labels.map(({ name, text, left, top, width, height, color, leads, turn, side }) =>
        ({ name, text, box: [left, top, left + width, top + height], color, leads, side: turn ?? side })),
    heads: view.heads.map(({ name, place, x, y, size, off, behind }) =>
        ({ name, place: [...place], at: [x, y], size, off, behind })),
}))"""
FRAME = f"(() => {{ stage.playing = true; stage.at = given; stage.draw(false); return {VIEWS}; }})()"


@pytest.fixture(scope="module", params=[(1920, 1000), (1400, 1000), (1000, 650)], ids=str)
def ten(request, shared_window):
    """Ten racers from one start, in windows of several sizes."""
    return shared_window(*request.param).open(TEN)


@pytest.fixture(scope="module")
def wide(shared_window):
    """Ten racers from one start, in a wide window."""
    return shared_window(1920, 1000).open(TEN)


def stand(visitor, at: int) -> list[dict]:
    """Stand at a record. Gives what was placed on each view with paths."""
    return visitor.ask(f"(() => {{ stage.go(given); return {VIEWS}; }})()", at)


def play(visitor, start: float, end: float, frames: int) -> list[list[dict]]:
    """What was placed in each frame, as it plays from one place to another."""
    stand(visitor, 0)
    placed = [visitor.ask(FRAME, float(at)) for at in np.linspace(start, end, frames)]
    visitor.ask("stage.play(false)")
    return placed


def overlap(one: list[float], other: list[float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def test_names_cover_neither_each_other_nor_a_head_and_stay_in_their_view(ten):
    steps = np.linspace(0, TEN.steps, 10).astype(int).tolist()
    for placed in [stand(ten, at) for at in steps] + play(ten, 3, 6, 10):
        for view in placed:
            boxes = [label["box"] for label in view["labels"]]
            assert not any(overlap(a, b) for a, b in combinations(boxes, 2))
            assert all(x0 >= 0 and y0 >= 0 and x1 <= view["width"] and y1 <= view["height"] for x0, y0, x1, y1 in boxes)
            for (x, y), size in ((head["at"], head["size"]) for head in view["heads"]):
                assert not any(overlap(box, [x - size, y - size, x + size, y + size]) for box in boxes)


def test_a_view_with_room_names_the_racers_and_a_narrow_one_whoever_leads(ten):
    for at in (0, 30, TEN.steps):
        for view in stand(ten, at):
            names = [label["name"] for label in view["labels"] if label["name"]]
            on_view = {head["name"] for head in view["heads"] if not (view["curve"] and head["off"])}
            assert len(set(names)) == len(names)
            assert set(names) <= on_view
            if view["width"] < SMALL_VIEW:
                assert len(names) <= 1
                assert all(label["leads"] for label in view["labels"] if label["name"])
            elif view["curve"]:
                assert len(names) >= min(len(on_view), (view["height"] - 90) // 16)  # so many lines fit in its frame
                assert not at or any(label["leads"] for label in view["labels"])
            elif at:
                assert len(names) >= 8


def test_a_phone_names_whoever_leads_alone(window):
    visitor = window(390, 844).open(TEN)
    for at in (0, 30, TEN.steps):
        for view in stand(visitor, at):
            assert [label["leads"] for label in view["labels"] if label["name"]] == [True] * bool(at)


def test_a_racer_alone_is_named_by_the_legend(visitor):
    visitor.open(replace(FEW, racers=FEW.racers[:1]))
    for view in stand(visitor, 5):
        assert {label["text"] for label in view["labels"]} <= {"start"}
    assert visitor.page.locator(".numbers .leads").count() == 0


def test_names_on_the_loss_stand_in_the_order_of_the_curves_and_those_off_the_frame_have_none(wide):
    for at in (5, 40, TEN.steps):
        (view,) = (view for view in stand(wide, at) if view["curve"])
        heights = {head["name"]: head["place"][1] for head in view["heads"]}
        names = [label["name"] for label in sorted(view["labels"], key=lambda label: label["box"][1])]
        assert all(heights[above] <= heights[below] for above, below in pairwise(names))
    axis = "stage.views.get('loss').plot, {'yaxis.range': given}"
    before = wide.ask("stage.views.get('loss').plot._fullLayout.yaxis.range")
    wide.ask(f"Plotly.relayout({axis}).then(() => 1)", [10, 14])
    (view,) = (view for view in stand(wide, 60) if view["curve"])
    named = {label["name"] for label in view["labels"]}
    assert named == {head["name"] for head in view["heads"] if not head["off"]}
    assert 0 < len(named) < 10
    wide.ask(f"Plotly.relayout({axis}).then(() => 1)", before)


def test_names_are_placed_alike_wherever_one_comes_from(wide):
    for at in (7, 33, 80):
        there = stand(wide, at)
        for other in (at - 1, at + 1, TEN.steps, 0):
            stand(wide, other)
            assert stand(wide, at) == there


def test_a_name_keeps_its_side_from_frame_to_frame_unless_something_is_in_its_way(wide):
    frames = play(wide, 20, 60, 200)
    for views in zip(*frames, strict=True):
        for before, after in pairwise(views):
            was = {label["name"]: label for label in before["labels"]}
            at = {head["name"]: np.array(head["at"]) for head in before["heads"]}
            now = {head["name"]: head for head in after["heads"]}
            for label in after["labels"]:
                name = label["name"]
                if name not in now or name not in was or was[name]["side"] == label["side"]:
                    continue
                assert not after["curve"] or (was[name]["side"], label["side"]) == (1, -1)
                left, top, right, bottom = np.array(was[name]["box"]) + np.tile(now[name]["at"] - at[name], 2)
                heads = [[x - s, y - s, x + s, y + s] for (x, y), s in ((h["at"], h["size"] + 1) for h in now.values())]
                others = [*after["words"], *heads, *(other["box"] for other in after["labels"] if other is not label)]
                room = left >= 3 and top >= 3 and right <= after["width"] - 3 and bottom <= after["height"] - 3
                assert after["curve"] or not room or any(overlap([left, top, right, bottom], box) for box in others)


def test_heads_that_share_a_place_stand_on_a_circle_around_it(wide):
    for view in stand(wide, 0):
        places, spots = (np.array([head[part] for head in view["heads"]]) for part in ("place", "at"))
        assert np.ptp(places, axis=0) == pytest.approx([0, 0], abs=0.01)
        if view["curve"]:  # where the height is what is read
            np.testing.assert_allclose(spots, places)
            continue
        away = np.hypot(*(spots - places).T)
        assert away == pytest.approx(away[0], abs=0.5)
        assert spots.mean(axis=0) == pytest.approx(places[0], abs=0.5)
        assert min(np.hypot(*(a - b)) for a, b in combinations(spots, 2)) > 9
        assert away.max() < 30


def test_heads_that_part_move_to_their_own_places_without_a_jump(wide):
    frames = play(wide, 0, 12, 240)
    for views in zip(*frames, strict=True):
        away = np.array([[np.subtract(head["at"], head["place"]) for head in view["heads"]] for view in views])
        jumps = np.hypot(*np.diff(away, axis=0).T)
        assert jumps[:, :3].max() < 6  # the circle at the start opens
        assert np.mean(jumps > 6) < 0.01  # two that pass through each other change sides
        for view in views:
            for i, head in enumerate(view["heads"]):
                others = [np.subtract(head["place"], other["place"]) for j, other in enumerate(view["heads"]) if j != i]
                if min(np.hypot(*other) for other in others) > 60:  # nobody is near
                    assert head["at"] == pytest.approx(head["place"], abs=0.01)


def test_whoever_leads_has_the_mark(wide):
    losses = np.array(wide.ask("stage.tracks.map((track) => [...track.values.loss])"))
    rows = "[...stage.root.querySelectorAll('.numbers tbody .leads')].map((mark) => getComputedStyle(mark).visibility)"
    stand(wide, 0)
    assert set(wide.ask(rows)) == {"hidden"}  # all have the same loss
    for at in (1, 10, 50, TEN.steps):
        leads = int(np.nanargmin(losses[:, at]))
        for view in stand(wide, at):
            assert {label["name"] for label in view["labels"] if label["leads"]} <= {TEN.racers[leads].name}
        assert [row == "visible" for row in wide.ask(rows)] == [i == leads for i in range(10)]
    wide.page.locator(".legend button").nth(leads).click()
    wide.wait(f"({rows})[given] === 'hidden'", leads)
    assert wide.ask(rows).count("visible") == 1
    wide.page.locator(".legend button").nth(leads).click()


@pytest.mark.parametrize("theme", COLORS)
def test_names_can_be_read_on_their_halo(window, theme):
    visitor = window(1920, 1000, theme=theme).open(TEN)
    visitor.wait("stage.message.theme === given", theme)
    page = visitor.ask("stage.color('var(--st-background-color)')")
    colors = {label["color"] for view in stand(visitor, 30) for label in view["labels"]}
    assert len(colors) >= 10
    for color in colors:
        light = []
        for name in (color, page):
            value = np.array([int(name[i : i + 2], 16) for i in (1, 3, 5)]) / 255
            linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
            light.append(float(linear @ [0.2126, 0.7152, 0.0722]))
        assert (max(light) + 0.05) / (min(light) + 0.05) >= 4.5  # WCAG 1.4.3


# ---- strong and faint


@pytest.fixture(scope="module")
def alone(shared_window):
    """One racer with a solid path, in a bowl."""
    return shared_window(1920, 1000).open(replace(FEW, racers=FEW.racers[:1]))


def strength(visitor, view: str, records: list[int]) -> list[float]:
    """How opaque the path is at some records, on both canvases together, between 0 and 1."""
    return visitor.ask(
        """(({ canvases, pixels: [points] }) => given[1].map((record) => canvases.reduce((through, canvas) => {
            const scale = canvas.width / canvas.clientWidth;
            const place = [points[2 * record], points[2 * record + 1]].map((pixel) => Math.round(pixel * scale) - 1);
            const { data } = canvas.getContext("2d").getImageData(...place, 2, 2);
            return through * (1 - Math.max(data[3], data[7], data[11], data[15]) / 255);
        }, 1)).map((through) => 1 - through))(stage.views.get(given[0]))""",
        [view, records],
    )


def test_a_path_is_fainter_the_farther_behind_its_head_and_faintest_ahead(alone):
    stand(alone, 80)
    near, middle, far, ahead = strength(alone, "loss", [79, 66, 5, 110])
    assert near > middle > far > 0.6
    assert 0.1 < ahead < far


def hidden_by(grid, domain, lift: float, points: np.ndarray, eye: np.ndarray) -> np.ndarray:
    """Which points (n, 3) a surface hides from an eye, by going the whole way in small steps."""
    (x0, x1), (y0, y1) = domain
    found = []
    for point in points + np.array([0, 0, lift]):
        way = point + np.linspace(0.002, 1, 4000)[:, None] * (eye - point)
        column, row = (
            (way[:, 0] - x0) / (x1 - x0) * (grid.shape[1] - 1),
            (way[:, 1] - y0) / (y1 - y0) * (grid.shape[0] - 1),
        )
        inside = (column >= 0) & (column < grid.shape[1] - 1) & (row >= 0) & (row < grid.shape[0] - 1)
        column, row, height = column[inside], row[inside], way[inside, 2]
        i, j = row.astype(int), column.astype(int)
        down, right = row - i, column - j
        ground = (1 - down) * ((1 - right) * grid[i, j] + right * grid[i, j + 1])
        ground += down * ((1 - right) * grid[i + 1, j] + right * grid[i + 1, j + 1])
        found.append(bool((ground > height).any()))
    return np.array(found)


SURFACE = "stage.views.get('surface')"


def see_from(visitor, eye: tuple[float, float, float]) -> None:
    """Turn the camera, and wait until what it hides is known."""
    turned = visitor.ask(f"{SURFACE}.seen")
    visitor.ask(
        f"Plotly.relayout({SURFACE}.plot, {{'scene.camera.eye': given}}).then(() => 1)",
        dict(zip("xyz", eye, strict=True)),
    )
    visitor.wait(f"{SURFACE}.seen !== given", turned)
    visitor.wait(f"{SURFACE}.lookedAt.camera === {SURFACE}.seen")


HIDES = """(({ spec, plot, behind, pixels }) => {
    const { scene } = plot._fullLayout;
    return {
        points: spec.path.map((name) => [...stage.tracks[0].values[name]]),
        grid: Array.from(plot._fullData.find((trace) => trace.type === "surface").z, (row) => [...row]),
        ranges: ["xaxis", "yaxis", "zaxis"].map((axis) => scene[axis].range), sides: Object.values(scene.aspectratio),
        lift: spec.lift, behind: [...behind[0]], pixels: [...pixels[0]],
    };
})(stage.views.get("surface"))"""


@pytest.mark.parametrize("eye", [(1.9, 1.9, 0.1), (-1.9, -1.9, 0.3), (-0.6, -1.2, 1.7)])
def test_what_the_surface_hides_is_faint_and_what_it_does_not_is_not(alone, eye):
    stand(alone, FEW.steps)
    see_from(alone, eye)
    found = {name: np.array(value) for name, value in alone.ask(HIDES).items()}
    size = np.ptp(found["ranges"], axis=1)
    camera = found["ranges"].mean(axis=1) + np.array(eye) * size / found["sides"]
    domain = LANDSCAPES[FEW.landscape].domain
    expected = hidden_by(found["grid"], domain, found["lift"] * size[2], found["points"].T, camera)
    behind = found["behind"].astype(bool)
    assert np.mean(expected == behind) > 0.95
    assert stand(alone, FEW.steps)[0]["heads"][0]["behind"] == behind[-1]
    places = found["pixels"].reshape(-1, 2)
    looked = {True: 0, False: 0}
    for i in range(1, FEW.steps):
        other = np.hypot(*(places[behind != behind[i]] - places[i]).T)
        rest = np.hypot(*(places[-1] - places[i]))
        if rest < 12 or (other.size and other.min() < 8):
            continue  # it lies over a part of the path that is seen, beside one that is not, or where all comes to rest
        (opaque,) = strength(alone, "surface", [i])
        assert opaque < 0.7 if behind[i] else opaque > 0.7
        looked[bool(behind[i])] += 1
    assert sum(looked.values()) > 10
