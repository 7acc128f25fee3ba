"""The knobs of a landscape, from the engine to the page: free to turn, in the link, and named in the journal."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from visit import address, opened, shown, sound, texts

from engine import LANDSCAPES, OPTIMIZERS, basins, race, reshaped, sweep
from engine.analysis import curvature
from engine.endings import verdicts
from engine.paths import path_trace
from engine.quantities import sharpness
from engine.shapes import KNOBS
from engine.steps import with_moves
from ui.draw.journal import KEY
from ui.draw.landscapes import landscape_figures
from ui.setup.codec import decode, encode
from ui.setup.pages import RaceSetup
from ui.take_home.captions import settings

PAGE = "Ackley Race"
SHAPED = {name: known for name, known in LANDSCAPES.items() if known.knobs}
RACERS = (OPTIMIZERS["SGD"](learning_rate=0.01), OPTIMIZERS["Adam"]())
QUADRATIC = RaceSetup(racers=RACERS, steps=30).with_setting("landscape", "Quadratic")
every_shape = pytest.mark.parametrize("name", SHAPED)


def at_their_highest(name):
    """A set-up on a landscape with every knob at its highest."""
    shape = tuple((one.name, one.high) for one in SHAPED[name].knobs)
    return QUADRATIC.with_setting("landscape", name).with_setting("shape", shape)


# In the engine


def everything(landscape):
    """What the engine computes on a landscape, from each of its modules."""
    start, racer = np.array(next(iter(landscape.places.values())), float), OPTIMIZERS["Adam"]()
    traces = race(landscape.loss, {"it": racer}, [start], 20, minima=landscape.minima)
    verdicts(landscape.loss, traces, landscape.minima)
    basins(landscape, racer, 8, 20)
    basins(landscape, racer, 8, 20, devices=jax.devices())
    assert sweep(landscape.loss, racer, "learning_rate", [0.1, 0.2], [start], 20).endings.shape == (2, 1)
    run = traces["it"].run(0)
    with_moves(landscape.loss, racer, run)
    path_trace(landscape.loss, run.positions)
    landscape_figures(landscape, "usual", True)
    return curvature(landscape.loss, start), sharpness(landscape.loss, run.positions)


def test_turning_a_knob_compiles_nothing_and_changes_what_is_computed(compiles):
    cliff = LANDSCAPES["Cliff"]
    everything(cliff)
    assert compiles() > 0
    at_the_wall = [(1.0, 2.0)]
    for steepness in (7.0, 900.0):
        turned = reshaped(cliff, steepness=steepness)
        everything(turned)
        slope = path_trace(turned.loss, np.array(at_the_wall)).moves.gradients[0, 0]
        np.testing.assert_allclose(slope, [steepness, 2.0], rtol=1e-5)
    assert compiles() == 0


# In the link


@every_shape
def test_a_link_says_the_knobs_that_are_turned_and_brings_them_back(name):
    usual = QUADRATIC.with_setting("landscape", name)
    assert "shape" not in encode(usual)
    setup = at_their_highest(name)
    assert encode(setup)["shape"] == ["~".join(f"{one.name}~{one.high:g}" for one in SHAPED[name].knobs)]
    assert decode(encode(setup), RaceSetup()) == (setup, [])
    assert setup.chosen_landscape is reshaped(SHAPED[name], **dict(setup.shape))


@every_shape
def test_a_start_that_has_a_name_keeps_it_and_another_landscape_has_its_own_shape(name):
    setup = at_their_highest(name)
    assert setup.start == next(iter(setup.chosen_landscape.places.values()))
    elsewhere = replace(QUADRATIC.with_setting("landscape", name), start=(0.5, 0.25))
    assert elsewhere.with_setting("shape", setup.shape).start == (0.5, 0.25)
    for other in ("Booth", "Cliff", "own"):
        assert setup.with_setting("landscape", other).shape == ()


@pytest.mark.parametrize(
    "bad", ["angle", "angle~", "angle~91", "angle~nan", "angle~1~angle~2", "warmth~3", "~", "~~", "45", "x" * 500]
)
def test_a_shape_that_cannot_be_read_falls_back_with_a_note(bad):
    setup, (note,) = decode({"landscape": ["Quadratic"], "shape": [bad]}, RaceSetup())
    assert setup == RaceSetup().with_setting("landscape", "Quadratic")
    assert note.startswith("shape `")
    assert "angle from 0 to 90" in note


def test_a_knob_of_another_landscape_is_left_out_with_a_note():
    setup, notes = decode({"landscape": ["Cliff"], "shape": ["angle~45~steepness~7"]}, RaceSetup())
    assert setup.shape == (("steepness", 7.0),)
    assert notes == ["Cliff has no setting `angle`; it is left out. It has steepness."]
    setup, notes = decode({"shape": ["angle~45"]}, RaceSetup())
    assert (setup, notes) == (RaceSetup(), ["Ackley has no setting `angle`; it is left out. It has none."])


def test_the_caption_of_a_picture_has_the_knobs_unless_they_are_hidden():
    assert {"angle φ = 0", "condition number κ = 100"} <= {*settings(QUADRATIC)}
    for hidden in ("landscape", "shape"):
        assert not [words for words in settings(replace(QUADRATIC, hide=(hidden,))) if "κ" in words]


# On the page


def sliders(app):
    """The knobs of the landscape that are shown, by name."""
    shown = {widget.key: widget for widget in (*app.slider, *app.select_slider)}
    return {name: shown[key] for name in KNOBS if (key := f"race-shape-{name}") in shown}


def test_on_the_page_a_turned_knob_compiles_nothing_and_is_in_link_and_journal(compiles):
    app = shown(QUADRATIC)
    assert list(sliders(app)) == ["angle", "condition_number"]
    compiles()
    for angle in (20.0, 45.0):  # turned on: one change
        sound(sliders(app)["angle"].set_value(angle).run())
    assert compiles() == 0
    setup = address(app, PAGE)
    assert setup == QUADRATIC.with_setting("shape", (("angle", 45.0),))
    assert setup.start == (-8.485, -2.828)
    assert "angle φ = 45" in texts(app)
    assert [run.changed for run in app.session_state[KEY]][1:] == ["angle: 0 → 45"]
    sound(sliders(app)["condition_number"].set_value(10.0).run())
    assert dict(address(app, PAGE).shape) == {"angle": 45.0, "condition_number": 10.0}
    assert app.session_state[KEY][-1].changed == "condition number: 100 → 10"
    sound(app.selectbox(key="race-landscape").select("Booth").run())
    assert not sliders(app)
    assert address(app, PAGE).shape == ()
    sound(app.selectbox(key="race-landscape").select("Quadratic").run())
    assert [slider.value for slider in sliders(app).values()] == [0.0, 100.0]


def test_a_link_locks_the_knobs_or_hides_them_and_they_are_hidden_with_the_landscape():
    locked = shown(replace(QUADRATIC, lock=("shape",)))
    assert all(slider.disabled for slider in sliders(locked).values())
    for hidden in ("shape", "landscape"):
        app = opened(PAGE, encode(replace(QUADRATIC, hide=(hidden,))))
        assert not sliders(app)
        assert "κ =" not in texts(app)
