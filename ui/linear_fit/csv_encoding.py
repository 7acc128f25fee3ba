"""Which letters the bytes of a file stand for. Pure: bytes in, text out.

In each of these but UTF-16 the figures, separators and line ends are the bytes that they are in ASCII, so numbers do
not hang on the guess: at most a sign beside them, and a cell with another sign is left out and said to be.
"""

from __future__ import annotations

import re
from itertools import pairwise

ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16, big-endian",
    "cp1252": "Western European",
    "cp1250": "Central European",
    "cp1251": "Cyrillic",
    "koi8-r": "Cyrillic (KOI8)",
    "cp866": "Cyrillic (DOS)",
    "cp1253": "Greek",
    "cp1254": "Turkish",
    "cp1255": "Hebrew",
    "cp1256": "Arabic",
    "cp932": "Japanese (Shift-JIS)",
    "euc-jp": "Japanese (EUC)",
    "gbk": "Chinese (GBK)",
    "big5": "Chinese (Big5)",
    "cp949": "Korean",
    "mac-roman": "Western European (Mac)",
    "cp850": "Western European (DOS)",
}
WESTERN = "cp1252"
WORD = re.compile("[a-zA-Z\x80-\uffff]{2,}")
FOREIGN = 0.6  # of the characters of the words that are not all ASCII: more, and they are of another script
NEUTRAL = "\u00a0°±²³µ·–—“”‘’«»№…×÷‰€£"  # signs that stand beside any script
# the letters that are two of three in running text, and the rows of each table that hold the commonest characters
CYRILLIC, GREEK = "оеаинтсрвлкм", "αοιετσςνηρπκάόίέήύώ"
ALPHABETS = {"cp1251": CYRILLIC, "koi8-r": CYRILLIC, "cp866": CYRILLIC, "cp1253": GREEK}
TABLES = {"cp932": b"[\x82\x83\x88-\x97].", "gbk": b"[\xb0-\xd7][\xa1-\xfe]", "big5": b"[\xa4-\xc6]."}
COMMON = 0.6  # of the letters must be among these


def in_its_encoding(content: bytes, chosen: str | None = None) -> tuple[str, str]:
    """A file's encoding and its text. Raises ``UnicodeDecodeError`` where it is not in the one that was chosen."""
    encoding = chosen or find_encoding(content)
    try:
        return encoding, content.decode(encoding)
    except UnicodeDecodeError:
        if chosen:
            raise
        return encoding, content.decode("latin-1")  # as cp1252, whose few empty places it fills


def find_encoding(content: bytes) -> str:
    """UTF-8 or UTF-16 where it can be; else as Windows writes the script in which the words are no gibberish."""
    odd, even = content[1::2].count(0), content[::2].count(0)
    if content.startswith(b"\xff\xfe") or odd > max(0.15 * len(content), 10 * even):  # the figures' second bytes are 0
        return "utf-16-le"
    if content.startswith(b"\xfe\xff") or even > max(0.15 * len(content), 10 * odd):
        return "utf-16-be"
    if text_in(content, "utf-8") is not None:
        return "utf-8"
    western = text_in(content, WESTERN)
    if western is not None and not is_gibberish(western):
        return WESTERN
    for ways in (ALPHABETS, TABLES):
        shares = {encoding: common_share(content, encoding) for encoding in ways}
        likely = max(shares, key=shares.__getitem__)
        if shares[likely] >= COMMON:
            return likely
    return WESTERN


def text_in(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def is_gibberish(western: str) -> bool:
    """Whether the words that are not all ASCII have few letters of it, and others side by side."""
    words = [word for word in WORD.findall(western) if not word.isascii()]
    others = sum(not c.isascii() for word in words for c in word)
    pairs = any(re.search("[^\x00-\x7f]{2}", word) for word in words)
    return pairs and others > max(2, FOREIGN * sum(map(len, words)))


def common_share(content: bytes, encoding: str) -> float:
    """Which share of the letters that are not ASCII are among the commonest of the encoding's script."""
    text = text_in(content, encoding) or ""
    letters = [c for c in text if not c.isascii() and c.isalpha()]
    if encoding in TABLES:
        found = sum(bool(re.match(TABLES[encoding], c.encode(encoding), re.DOTALL)) for c in letters)
    else:
        beside = [(a, b) for a, b in pairwise(text) if a.isalpha() and b.isalpha()]
        odd = sum((a.islower() and b.isupper()) or a.isascii() != b.isascii() for a, b in beside)
        odd += sum(not c.isascii() and not c.isalpha() and c not in NEUTRAL for c in text)
        found = sum(c.lower() in ALPHABETS[encoding] for c in letters) - odd
    return found / max(1, len(letters))
