"""The part of SSML 1.1 (W3C) that prompts may use, turned into plain words, filters and pauses.

``<break time="500ms"/>``, ``<say-as interpret-as="digits">{{code}}</say-as>``, ``<sub alias="words">short</sub>``;
``<speak>``, ``<p>``, ``<s>`` and ``<emphasis>`` may stand there and change nothing.
"""

from __future__ import annotations

import re

PAUSE = "\u23f8"
"""Begins a pause in what is said: the sign, milliseconds, a space."""
LONGEST_MS = 3000
SAY_AS = {
    "characters": "spell",
    "spell-out": "spell",
    "digits": "digits",
    "telephone": "phone",
    "date": "date",
    "time": "time",
    "currency": "money",
    "cardinal": "number",
}
"""``interpret-as`` -> filter."""
_BREAK = re.compile(r"<break\s+time=\"(\d{1,4}(?:\.\d+)?)(ms|s)\"\s*/>")
_SAY_AS = re.compile(r"<say-as\s+interpret-as=\"([\w-]+)\"\s*>\s*\{\{\s*(\w+)\s*\}\}\s*</say-as>")
_SUB = re.compile(r"<sub\s+alias=\"([^\"<>{}]+)\"\s*>[^<>]*</sub>")
_IGNORED = re.compile(r"</?(?:speak|p|s|emphasis)(?:\s[^<>]*)?>")
_ANY = re.compile(r"<[^<>]*>")


class SsmlError(ValueError):
    """A tag that is not understood; the message says which, and what there is."""


def plain(source: str) -> str:
    """Turn tags into words, filters and pauses. Raises :class:`SsmlError`."""
    text = _SAY_AS.sub(_filtered, source)
    text = _SUB.sub(lambda found: found[1], text)
    text = _IGNORED.sub(" ", _BREAK.sub(_paused, text))
    if (left := _ANY.search(text)) is not None:
        known = '<break time="500ms"/>, <say-as interpret-as="digits">{{name}}</say-as>, <sub alias="words">…</sub>'
        raise SsmlError(f"{left[0]} is not understood; there are {known}")
    return text


def _filtered(found: re.Match[str]) -> str:
    if found[1] not in SAY_AS:
        raise SsmlError(f"interpret-as is {found[1]!r}; there are {', '.join(SAY_AS)}")
    return f"{{{{{found[2]} | {SAY_AS[found[1]]}}}}}"


def _paused(found: re.Match[str]) -> str:
    milliseconds = round(float(found[1]) * (1000 if found[2] == "s" else 1))
    if milliseconds > LONGEST_MS:
        raise SsmlError(f"{found[0]} is longer than anybody waits; {LONGEST_MS} ms at most")
    return f" {PAUSE}{milliseconds} "
