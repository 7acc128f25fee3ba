"""A visitor's picture, as the heights of a landscape."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from engine.painted import HIGHEST, SIDE, encode_heights

MAX_MEGABYTES, MAX_PIXELS = 1, 512  # of a picture: per side
SMALLER = f"Make it {MAX_PIXELS} wide and high at most."


class PictureError(ValueError):
    """Why a file is no picture that heights can be made of, in a sentence or two."""


def read_picture(content: bytes) -> str:
    """The painting of a PNG picture: its grey values, as few as a painting has; transparent is white.

    Raises ``PictureError``.
    """
    if len(content) > MAX_MEGABYTES * 1_000_000:
        raise PictureError(f"This file is larger than {MAX_MEGABYTES} MB. Save the picture with fewer pixels.")
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
            width, height = picture.size
            if max(width, height) > MAX_PIXELS:  # looked at before anything is unpacked
                raise PictureError(f"This picture is {width} × {height} pixels. {SMALLER}")
            grey = grey_values(picture)
    except PictureError:
        raise
    except Image.DecompressionBombError:
        raise PictureError(f"This picture has far too many pixels. {SMALLER}") from None
    except (OSError, SyntaxError, ValueError):  # the last two: PIL's, of a broken PNG
        raise PictureError(
            "This file cannot be read as a PNG picture. Save the picture as PNG, and try again."
        ) from None
    within = Image.fromarray(grey).resize((SIDE - 2, SIDE - 2), Image.Resampling.BICUBIC)
    heights = np.pad(np.asarray(within, float), 1, mode="edge")
    return encode_heights(HIGHEST * heights[::-1])  # its top is where y is largest


def grey_values(picture: Image.Image) -> np.ndarray:
    """The grey values of a picture ``(height, width)``, from 0, black, to 1."""
    if picture.mode.startswith("I"):  # 16 bits, which PIL would cut off above 255
        return np.asarray(picture, np.float32) / 65535
    seen = Image.new("RGBA", picture.size, "white")
    seen.alpha_composite(picture.convert("RGBA"))
    return np.asarray(seen.convert("L"), np.float32) / 255
