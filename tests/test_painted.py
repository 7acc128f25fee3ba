"""A painted landscape: a picture becomes heights, its link carries them, and everything works on it."""

import io
import struct
import zlib

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from visit import shown, sound, texts

from engine import OPTIMIZERS, race
from engine.painted import EDGE, HIGHEST, SIDE, Painted, decode_heights, encode_heights, painted_landscape
from ui.race.painting import MAX_PIXELS, PictureError, read_picture
from ui.setup.codec import decode, encode
from ui.setup.pages import RACE_TABS, RaceSetup

RACERS = (OPTIMIZERS["SGD"](learning_rate=0.05), OPTIMIZERS["Adam"](learning_rate=0.1))
SETUP = RaceSetup(landscape="painted", start=(4.0, 3.0), steps=60, racers=RACERS)


def png(values):
    """A PNG picture of these values."""
    file = io.BytesIO()
    Image.fromarray(np.asarray(values)).save(file, "PNG")
    return file.getvalue()


def hollow(x, y, side=60):
    """A light picture that is dark around a place of the landscape."""
    across, down = np.meshgrid(np.linspace(-EDGE, EDGE, side), np.linspace(EDGE, -EDGE, side))
    return (230 - 200 * np.exp(-((across - x) ** 2 + (down - y) ** 2) / 4)).astype(np.uint8)


def lowest(painting):
    (minimum,) = painted_landscape(painting).minima
    return minimum


# ---- the loss


def test_where_all_heights_are_equal_so_is_the_loss(rng):
    loss = Painted(np.full((SIDE, SIDE), 3.0))
    for x in rng.uniform(-EDGE, EDGE, (20, 2)):
        assert float(loss(jnp.array(x))) == pytest.approx(3.0, abs=1e-5)


def test_the_loss_is_highest_at_the_place_of_the_only_height():
    heights = np.zeros((SIDE, SIDE))
    heights[5, 17] = HIGHEST  # the sixth row from below, and the eighteenth column
    apart = 2 * EDGE / (SIDE - 3)
    x, y = ((place - (SIDE - 1) / 2) * apart for place in (17, 5))
    loss = Painted(heights)
    here = float(loss(jnp.array([x, y])))
    assert here == pytest.approx(HIGHEST * 4 / 9, rel=1e-5)  # 2/3 in each direction: the cubic B-spline at 0
    assert all(float(loss(jnp.array([x + dx, y + dy]))) < here for dx, dy in ((0.1, 0), (-0.1, 0), (0, 0.1), (0, -0.1)))


def test_outside_of_the_painting_the_ground_rises_so_a_racer_comes_back():
    landscape = painted_landscape(read_picture(png(hollow(-2, 1))))
    (trace,) = race(landscape.loss, {"SGD": OPTIMIZERS["SGD"](learning_rate=0.2)}, [(9.0, -8.0)], 60).values()
    assert (np.abs(trace.positions[0, -1]) <= EDGE + 0.1).all()


def test_a_painting_is_read_back_from_its_letters(rng):
    heights = rng.uniform(0, HIGHEST, (SIDE, SIDE))
    again = decode_heights(encode_heights(heights))
    np.testing.assert_allclose(again, heights, atol=HIGHEST / 4095)
    assert encode_heights(again) == encode_heights(heights)


def test_another_painting_compiles_nothing(compiles):
    first, second = (painted_landscape(read_picture(png(hollow(*place)))) for place in ((-2, 1), (3, -2)))
    racers = {racer.name: racer for racer in RACERS}
    race(first.loss, racers, [(4.0, 3.0)], 20, minima=first.minima)
    compiles()
    race(second.loss, racers, [(4.0, 3.0)], 20, minima=second.minima)
    assert compiles() == 0


# ---- the picture


@pytest.mark.parametrize("place", [(-3.0, -2.0), (2.0, 3.0)])
def test_what_is_dark_is_low_where_it_was_painted(place):
    np.testing.assert_allclose(lowest(read_picture(png(hollow(*place)))), place, atol=0.3)


def test_a_picture_of_any_kind_is_read_by_its_grey():
    grey = hollow(-2, 1)
    wanted = decode_heights(read_picture(png(grey)))
    clear = np.stack([np.zeros_like(grey)] * 3 + [255 - grey], axis=-1)  # black, and transparent where it is light
    kinds = {
        "colours": png(np.stack([grey] * 3, axis=-1)),
        "transparent": png(clear),
        "16 bits": png(grey.astype(np.uint16) * 257),
    }
    palette = io.BytesIO()
    Image.fromarray(grey).quantize(256).save(palette, "PNG")
    for kind, content in {**kinds, "palette": palette.getvalue()}.items():
        np.testing.assert_allclose(decode_heights(read_picture(content)), wanted, atol=0.1, err_msg=kind)


def huge(width, height):
    """A PNG that says how large it is, and has nothing of that."""
    head, data = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0), b"IDAT" + zlib.compress(b"")
    chunks = (struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in (head, data))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cannot be read as a PNG"),
        (b"hello", "cannot be read as a PNG"),
        (png(hollow(0, 0))[:300], "cannot be read as a PNG"),
        (huge(60, 60), "cannot be read as a PNG"),
        (huge(60, MAX_PIXELS + 1), f"60 × {MAX_PIXELS + 1} pixels"),
        (huge(100_000, 100_000), "far too many pixels"),
        (b"\x89PNG" + bytes(1_000_001), "larger than 1 MB"),
    ],
)
def test_a_file_that_is_no_such_picture_is_one_clear_sentence(content, words):
    with pytest.raises(PictureError, match=words):
        read_picture(content)


# ---- the page


def test_a_picture_is_uploaded_and_its_link_opens_the_same_race_and_a_bad_one_changes_nothing():
    app = shown(SETUP)
    painting = read_picture(png(hollow(-2, 1)))
    sound(app.file_uploader[0].set_value(("hollow.png", png(hollow(-2, 1)), "image/png")).run())
    query = {name: values if isinstance(values, list) else [values] for name, values in app.query_params.items()}
    again, notes = decode(query, RaceSetup())
    assert (again.painted, notes) == (painting, [])
    sound(app.file_uploader[0].set_value(("bad.png", b"hello", "image/png")).run())
    assert "cannot be read as a PNG picture" in texts(app)
    assert app.query_params["painted"] in (painting, [painting])


def test_letters_that_are_no_painting_are_said():
    for text in ("abc", "?" * 2 * SIDE * SIDE, "a" * (2 * SIDE * SIDE + 2)):
        setup, notes = decode(encode(SETUP) | {"painted": [text]}, RaceSetup())
        assert setup.painted == ""
        assert "is not a painting of" in notes[0]
    _, notes = decode({"painted": [read_picture(png(hollow(0, 0)))]}, RaceSetup())
    assert notes == ["`painted` is looked at only with landscape=painted."]


@pytest.mark.parametrize("tab", RACE_TABS)
def test_every_tab_stands_on_a_painting(tab):
    app = shown(SETUP.with_setting("show", tab).with_setting("points", 16))
    assert "None" not in {word.strip("(),.*%") for word in texts(app).split()}
