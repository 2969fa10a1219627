"""Makes a cell's text fit to be stored and spoken, or says why it is not; it knows no columns.

Text that a spreadsheet would run as a formula is refused, not altered: what is spoken to customers and exported later
must be what the operator sent. ``=`` at the beginning is always refused; ``+``, ``-`` and ``@`` only where something
follows that can do harm, so that ``-10 %``, ``+3`` and ``@handle`` stay.
"""

from __future__ import annotations

import re
import unicodedata

_FORMULA = re.compile(r"\s*(?:=|[+\-@].*[(|!=])", re.DOTALL)
_FORMULA_BEGINS = ("=", "+", "-", "@")
_SPACES = re.compile(r"\s+")


class CellRefused(ValueError):
    """The text cannot be taken."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def clean(text: str) -> str:
    """Return ``text`` in NFC with its runs of white space made one space. Raises :class:`CellRefused`."""
    ordinary = text.isascii() and text.isprintable()
    if ordinary and not (tidy := " ".join(text.split())).startswith(_FORMULA_BEGINS):
        return tidy
    if _FORMULA.match(text):
        raise CellRefused("formula", "the text is a spreadsheet formula; replace it by its value")
    if ordinary:
        return tidy
    if "\ufffd" in text:
        raise CellRefused("encoding", "the text has characters that were lost in its encoding; save the file as UTF-8")
    tidy = _SPACES.sub(" ", unicodedata.normalize("NFC", text)).strip()
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in tidy):
        raise CellRefused("control_character", "the text has control characters; remove them")
    return tidy
