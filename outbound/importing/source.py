"""Opens an uploaded file as lines of text whatever its encoding, one bounded line at a time; it knows no columns."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from charset_normalizer import CharsetMatch, from_bytes

from outbound.errors import Invalid

RECORD_LIMIT = 64 * 1024
"""Longest record that is read, in characters; a longer one is rejected and reading goes on behind it."""
SAMPLE = 64 * 1024
GUESSED_FROM = 16 * 1024
"""Bytes that an encoding is guessed from."""
REPLACEMENT = "\ufffd"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_TEXT = (
    (b"PK\x03\x04", "a spreadsheet or ZIP file"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a compressed file"),
)
_LATIN = ("cp1252", "cp1250", "cp1254")
_GUESSES = [*_LATIN, "cp1251", "cp1253", "gb18030", "big5", "cp932", "cp949"]
"""Encodings that spreadsheets write where they don't write Unicode."""
REMEDY = "save it as CSV in UTF-8, or name it: Content-Type: text/csv; charset=…"


class FileRefused(Invalid):
    """The whole file cannot be read; nothing more of it is taken."""

    code = "file_refused"


@dataclass(frozen=True, slots=True)
class TooLong:
    """A line beyond the limit; its content was passed over."""


Line = str | TooLong


def detect_encoding(path: Path, declared: str | None = None) -> str:
    """Find out how the file is encoded. Raises :class:`FileRefused` when it is no text or cannot be told."""
    with path.open("rb") as file:
        head = file.read(SAMPLE)
        if not head.strip():
            raise FileRefused("the file is empty; it needs a line of column names and one line a contact")
        for magic, what in _NOT_TEXT:
            if head.startswith(magic):
                raise FileRefused(f"the file is {what}, not text; {REMEDY}")
        for bom, name in _BOMS:
            if head.startswith(bom):
                return name
        if declared is not None:
            return _declared(declared)
        if b"\0" in head:
            return _utf16_without_bom(head)
        while head and head.isascii():
            head = file.read(SAMPLE)
    return _guess(_from_first_foreign(head)) if head else "utf-8"


def open_lines(path: Path, encoding: str) -> TextIO:
    """Open for :func:`lines`; bytes that are not ``encoding`` come out as U+FFFD, which the readers reject by row."""
    return io.TextIOWrapper(path.open("rb"), encoding=encoding, errors="replace", newline="")


def lines(file: TextIO) -> Iterator[Line]:
    """Yield lines with their endings; of one that is too long only :class:`TooLong` is kept."""
    while line := file.readline(RECORD_LIMIT + 1):
        if len(line) <= RECORD_LIMIT or line.endswith(("\n", "\r")):
            yield line
            continue
        while line and not line.endswith(("\n", "\r")):
            line = file.readline(RECORD_LIMIT)
        yield TooLong()


def _declared(name: str) -> str:
    try:
        b"a".decode(name, errors="replace")
        return codecs.lookup(name).name
    except (LookupError, ValueError) as error:
        detail = f"the charset {name[:40]!r} of the Content-Type is no encoding of text; {REMEDY}"
        raise FileRefused(detail) from error


def _utf16_without_bom(head: bytes) -> str:
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > len(head) // 4 and even == 0:
        return "utf-16-le"
    if even > len(head) // 4 and odd == 0:
        return "utf-16-be"
    raise FileRefused(f"the file holds zero bytes: it is not text; {REMEDY}")


def _guess(sample: bytes) -> str:
    """Tell the encoding from the first part of the file that is not ASCII, or refuse to: names must not be damaged."""
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(sample, final=False)
    damaged = text.count(REPLACEMENT)
    if damaged <= sum(not character.isascii() for character in text) - damaged:
        return "utf-8"  # a few foreign bytes cost their rows alone
    found = list(from_bytes(sample[:GUESSED_FROM], cp_isolation=_GUESSES))
    if not found:
        raise FileRefused(f"the file's encoding cannot be told; {REMEDY}")
    as_good = [match.encoding for match in found if _merit(match) == _merit(found[0])]
    if set(as_good) <= set(_LATIN):
        return _latin(sample)
    if len(as_good) > 1:
        raise FileRefused(f"the file's encoding may be {' or '.join(as_good)}; {REMEDY}")
    return as_good[0]


def _from_first_foreign(block: bytes) -> bytes:
    """Cut away the lines before the first that is not ASCII: they tell nothing."""
    first = len(block) - len(block.lstrip(bytes(range(128))))
    return block[block.rfind(b"\n", 0, first) + 1 :]


def _merit(match: CharsetMatch) -> tuple[float, float]:
    return match.chaos, match.coherence


def _latin(sample: bytes) -> str:
    """Western European, unless that makes signs of what Central European reads as letters."""

    def letters(encoding: str) -> int:
        return sum(character.isalpha() for character in sample.decode(encoding, errors="replace"))

    return "cp1250" if letters("cp1250") > letters("cp1252") else "cp1252"
