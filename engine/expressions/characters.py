"""Typed characters in the signs that a formula is read by, each at its own place; and what stands left of an =."""

from __future__ import annotations

import re
import unicodedata

# one character for one, so that places stay
EQUIVALENTS = str.maketrans(
    {
        **dict.fromkeys("−–—‒‐‑˗﹣－➖", "-"),
        **dict.fromkeys("×·⋅∙•∗⁎✕✖⨯⨉‧・＊", "*"),
        **dict.fromkeys("÷∕⁄➗", "/"),
        **dict.fromkeys("ˆ⌃＾", "^"),
        **dict.fromkeys("∣❘｜", "|"),
        **dict.fromkeys("'’‘‛′ʹʼˈ´`＇ꞌʽ‵", "'"),
        "➕": "+",
        # of a Cyrillic keyboard: they look the same, and no formula is written with them
        **dict(zip("АВЕКМНОРСТУХІЈЅаеосрухіјѕ", "ABEKMHOPCTYXIJSaeocpyxijs", strict=True)),
    }
)
DIGITS = str.maketrans("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉ˣʸ", "+-01234567890123456789xy")
KEPT_DECOMPOSITIONS = (
    "<super>",
    "<sub>",
    "<fraction>",
    "<circle>",
    "<square>",
)  # these mean something by where or how they stand

# what to type instead of a character that no formula holds
REPLACEMENTS = {
    "°": "Angles are in radians: write *pi/180 for degrees",
    "!": "There is no factorial here: write it as a product",
    "%": "Write /100 for percent",
    "\\": "LaTeX is not read here: write it with the signs of a keyboard, such as (1/2)*x or sqrt(x)",
    "$": "Leave out the $",
    ";": "Leave it out, or write a comma between two values",
    ":": "To divide, write /",
    "‖": "Write abs( )",
    **dict.fromkeys("⌊⌋", "Write floor( )"),
    **dict.fromkeys("⌈⌉", "Write ceil( )"),
    **dict.fromkeys("±∓", "Write + or -"),
    **dict.fromkeys('“”„‟«»"', "Leave out the quotation marks"),
    "_": "Leave it out; the base of a logarithm is a number, as in log_3(x)",
    "'": "Leave it out: no number holds one, and no derivative is taken here",
    **dict.fromkeys("→⇒↦⟶≈", "Type one formula only"),
}


def without_invisible(text: str) -> str:
    """The text without what cannot be seen: a paste brings zero-width spaces and the like along."""
    seen = (c for c in text if not "\ufe00" <= c <= "\ufe0f")  # they choose how the sign before them is drawn
    return "".join(" " if c.isspace() else c for c in seen if c.isspace() or unicodedata.category(c)[0] != "C")


def plain(text: str) -> str:
    """Full-width and mathematical letters, digits and brackets as those of a keyboard. Powers stay powers."""
    return "".join(map(plain_character, text.translate(EQUIVALENTS)))


def plain_character(c: str) -> str:
    """One character as that of a keyboard, or as it is where there is none that means the same."""
    if c.isascii() or unicodedata.decomposition(c).startswith(KEPT_DECOMPOSITIONS):
        return c
    same = unicodedata.normalize("NFKC", c)
    return same.translate(EQUIVALENTS) if len(same) == 1 else c


def left_side(text: str, variables: tuple[str, ...]) -> tuple[int, str]:
    """How far ``y =``, ``f(x) =``, ``f′(x) =`` or ``dy/dx =`` goes, and what kind it is.

    The kind is "" where there is none, "function", "derivative", or "second" for a second derivative.
    """
    one = "|".join(map(re.escape, variables))
    values = r"(?:\s*\(\s*[A-Za-z](?:\s*,\s*[A-Za-z])*\s*\))"
    letter = rf"(?!(?:{one})\s*(?:\(|:?=))[A-Za-z]"
    kinds = {
        "function": rf"{letter}{values}?",
        "second": rf"{letter}\s*(?:'\s*'+|[″‴\"]){values}?|[d∂]\s*(?:\^?2|²)\s*[A-Za-z]?{values}?\s*/[^=]*",
        "derivative": rf"{letter}\s*'{values}?|{letter}_(?:{one}){values}?|D_?(?:{one})?\s*[A-Za-z]?{values}?"
        rf"|[d∂]\s*[A-Za-z]?{values}?\s*/\s*[d∂]\s*(?:{one})[^=]*|\(.*\)\s*'",
    }
    end, found = 0, ""
    while True:
        for kind in ("second", "derivative", "function"):
            if left := re.match(rf"\s*(?:{kinds[kind]})\s*[:≡]?=+", text[end:]):
                end, found = end + left.end(), kind if found in ("", "function") else found
                break
        else:
            return end, found
