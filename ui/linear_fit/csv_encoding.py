"""The encoding of a file's text, guessed from its bytes. Pure: bytes in, text out.

In each encoding but UTF-16, digits, separators and line ends are the bytes that they are in ASCII, so a wrong guess
changes no number; at most it changes a sign beside one, and then the cell is left out and the page says so.
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
# Of the characters in words that are not all ASCII: with more that are not, the text is in another script than Latin
MAX_FOREIGN_SHARE = 0.6
NEUTRAL_SIGNS = "\u00a0°±²³µ·–—“”‘’«»№…×÷‰€£"  # signs that stand in text of any script
# The letters that make up two thirds of running text; and the byte ranges of the commonest Chinese and Japanese signs
CYRILLIC, GREEK = "оеаинтсрвлкм", "αοιετσςνηρπκάόίέήύώ"
COMMON_LETTERS = {"cp1251": CYRILLIC, "koi8-r": CYRILLIC, "cp866": CYRILLIC, "cp1253": GREEK}
COMMON_BYTES = {"cp932": b"[\x82\x83\x88-\x97].", "gbk": b"[\xb0-\xd7][\xa1-\xfe]", "big5": b"[\xa4-\xc6]."}
MIN_COMMON_SHARE = 0.6  # of a text's letters must be common ones, for an encoding to be taken


def decode_bytes(content: bytes, chosen: str | None = None) -> tuple[str, str]:
    """A file's encoding and its text. Raises ``UnicodeDecodeError`` where it is not in the one that was chosen."""
    encoding = chosen or find_encoding(content)
    try:
        return encoding, content.decode(encoding)
    except UnicodeDecodeError:
        if chosen:
            raise
        return encoding, content.decode("latin-1")  # as cp1252, whose few empty places it fills


def find_encoding(content: bytes) -> str:
    """UTF-8 or UTF-16 where the bytes are valid; else the encoding in which the letters are common ones."""
    odd, even = content[1::2].count(0), content[::2].count(0)
    if content.startswith(b"\xff\xfe") or odd > max(0.15 * len(content), 10 * even):  # half the bytes of digits
        return "utf-16-le"
    if content.startswith(b"\xfe\xff") or even > max(0.15 * len(content), 10 * odd):
        return "utf-16-be"
    if text_in(content, "utf-8") is not None:
        return "utf-8"
    western = text_in(content, WESTERN)
    if western is not None and not is_gibberish(western):
        return WESTERN
    for ways in (COMMON_LETTERS, COMMON_BYTES):
        shares = {encoding: common_share(content, encoding) for encoding in ways}
        likely = max(shares, key=shares.__getitem__)
        if shares[likely] >= MIN_COMMON_SHARE:
            return likely
    return WESTERN


def text_in(content: bytes, encoding: str) -> str | None:
    """A file's text in an encoding; None where some bytes have no meaning in it."""
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def is_gibberish(western: str) -> bool:
    """Whether a text is wrongly read as Western European: its words have runs of accented letters, few plain ones."""
    words = [word for word in WORD.findall(western) if not word.isascii()]
    others = sum(not c.isascii() for word in words for c in word)
    pairs = any(re.search("[^\x00-\x7f]{2}", word) for word in words)
    return pairs and others > max(2, MAX_FOREIGN_SHARE * sum(map(len, words)))


def common_share(content: bytes, encoding: str) -> float:
    """The share of a text's letters beyond ASCII that are among the commonest of the encoding's script."""
    text = text_in(content, encoding) or ""
    letters = [c for c in text if not c.isascii() and c.isalpha()]
    if encoding in COMMON_BYTES:
        found = sum(bool(re.match(COMMON_BYTES[encoding], c.encode(encoding), re.DOTALL)) for c in letters)
    else:
        beside = [(a, b) for a, b in pairwise(text) if a.isalpha() and b.isalpha()]
        odd = sum((a.islower() and b.isupper()) or a.isascii() != b.isascii() for a, b in beside)
        odd += sum(not c.isascii() and not c.isalpha() and c not in NEUTRAL_SIGNS for c in text)
        found = sum(c.lower() in COMMON_LETTERS[encoding] for c in letters) - odd
    return found / max(1, len(letters))
