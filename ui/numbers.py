"""Numbers as text, as every page writes them."""

from __future__ import annotations

from collections.abc import Iterable

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def with_minus(text: str) -> str:
    """A text in which each hyphen is a minus sign. For texts in which hyphens stand before numbers only."""
    return text.replace("-", "−")


def format_number(value: float, digits: int = 3) -> str:
    """A number for a sentence, in so many digits; as 3·10⁻⁷ where it is small or large."""
    mantissa, _, exponent = f"{value:.{digits}g}".partition("e")
    return with_minus(f"{mantissa}·10{superscript(int(exponent))}" if exponent else mantissa)


def format_fixed(value: float, digits: int) -> str:
    """A number with so many decimals. What is rounded to 0 has no minus sign."""
    return with_minus(f"{round(float(value), digits) + 0.0:.{digits}f}")


def format_float(value: float) -> str:
    """A number of a program: 2.0 and not 2."""
    return format_fixed(value, 1) if float(value).is_integer() else format_number(value)


def format_point(point: Iterable[float], decimals: int | None = None) -> str:
    """A point or a direction of two coordinates: (1.5, −2), or with so many decimals."""
    x, y = point
    return with_minus(f"({x:g}, {y:g})" if decimals is None else f"({x:.{decimals}f}, {y:.{decimals}f})")


def format_plain(value: float) -> str:
    """A number of a slider or a link, as short as it is written by hand, with a hyphen for a minus sign."""
    return f"{value:g}"


def superscript(exponent: int) -> str:
    """A whole number, raised."""
    return str(exponent).translate(SUPERSCRIPTS)
