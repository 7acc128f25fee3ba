"""Names as they are typed, such as beta1 and mhat, and the symbols of formulas (LaTeX) that they stand for."""

from __future__ import annotations

import re
import unicodedata

GREEK = (
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "lambda", "mu", "nu", "xi"),
    *("rho", "sigma", "tau", "phi", "chi", "psi", "omega"),
)
SHORT = {"eps": "epsilon", "lamda": "lambda"}
ACCENTS, LIMITS = ("hat", "bar"), ("max", "min")


def symbol_of(name: str) -> str:
    r"""The symbol that a name stands for: ``beta1`` for \beta_1, ``mhat`` for \hat m, ``smax`` for s_{\max}."""
    for ending in (*ACCENTS, *LIMITS):
        base = name.removesuffix(ending).rstrip("_")
        if base and base != name:
            return rf"\{ending} {symbol_of(base)}" if ending in ACCENTS else rf"{symbol_of(base)}_{{\{ending}}}"
    base, digits = re.fullmatch(r"(.*?)_?([0-9]*)", name).groups()  # type: ignore[union-attr]
    return letters_of(base) + (f"_{digits}" if len(digits) == 1 else f"_{{{digits}}}" if digits else "")


def letters_of(word: str) -> str:
    """One letter as it is, one of the Greek alphabet by its name, and else an upright word."""
    if len(word) == 1 and not word.isascii():
        size, letter = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER ([A-Z]+)", unicodedata.name(word)).groups()  # type: ignore[union-attr]
        word = letter.title() if size == "CAPITAL" else letter.lower()
    word = SHORT.get(word, word)
    if len(word) == 1:
        return word
    return rf"\{word}" if word in GREEK or word in ("Pi", "Delta") else rf"\mathrm{{{word.replace('_', '')}}}"


def name_of(symbol: str) -> str:
    r"""The name that one would type for a symbol: ``a`` for \alpha, which is the learning rate."""
    if symbol == r"\alpha":
        return "a"
    if symbol == r"\epsilon":
        return "eps"
    accented = re.fullmatch(r"\\(hat|bar) (.+)", symbol)
    if accented:
        return name_of(accented[2]) + accented[1]
    symbol = symbol.replace("_{t+1}", "next").removesuffix("_t")
    return re.sub(r"[^A-Za-z0-9]", "", symbol)
