"""What a telephone network says instead of ringing (powered off, vacant number, busy), read from words; pure.

The words are data, one table a language (announcements.toml). A mailbox, and a request to stay on the line, are no end.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

from campaigns.dispositions import Disposition
from campaigns.understanding.matcher import find
from campaigns.understanding.vocabulary import Vocabulary, compile_vocabulary


class Announcement(StrEnum):
    """Why the network does not connect the call."""

    POWERED_OFF = "powered_off"
    SUSPENDED = "suspended"
    VACANT_NUMBER = "vacant_number"
    CONGESTION = "congestion"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    NO_ANSWER = "no_answer"
    REFUSED = "refused"

    @property
    def disposition(self) -> Disposition:
        """How an attempt ends that met it."""
        return _ENDS[self]


_ENDS: Mapping[Announcement, Disposition] = {
    Announcement.POWERED_OFF: Disposition.POWERED_OFF,
    Announcement.SUSPENDED: Disposition.SUSPENDED,
    Announcement.VACANT_NUMBER: Disposition.INVALID_NUMBER,
    Announcement.BUSY: Disposition.BUSY,
    Announcement.CONGESTION: Disposition.CONGESTION,
    Announcement.UNREACHABLE: Disposition.UNREACHABLE,
    Announcement.NO_ANSWER: Disposition.NO_ANSWER,
    Announcement.REFUSED: Disposition.BLOCKED,
}
_NOT_YET = frozenset({"hold", "mailbox"})
_ZH_CODES = ("+86", "+852", "+853", "+886")


def announced(text: str, *, answered: bool = False) -> Announcement | None:
    """What ``text`` announces, in whichever language; ``None`` where it announces nothing, or it is not the end yet.

    ``answered``: somebody may be speaking, so it must speak of whom one dialled, as only networks do.
    """
    signs = _found(text, "signs")
    if signs & _NOT_YET or (answered and "network" not in signs):
        return None
    found = _found(text, "kinds")
    return next((kind for kind in Announcement if kind.value in found), None)


@cache
def typical_announcements(language: str) -> tuple[str, ...]:
    """What networks that speak ``language`` say most: a bias for recognisers, empty where we do not know."""
    said: Sequence[str] = _data().get(language, {}).get("say", {}).get("network", ())
    return tuple(said)


def may_announce(text: str) -> bool:
    """Whether ``text``, cut off here, may become an announcement: "the number you have dialed …"."""
    return "network" in (signs := _found(text, "signs")) and "mailbox" not in signs and announced(text) is None


def readings(text: str, alternatives: Sequence[str]) -> tuple[str, ...]:
    """What may be an announcement: ``text``, and other readings of it only where ``text`` itself is a network's."""
    return (text, *alternatives) if may_announce(text) else (text,)


def network_language(number: str, language: str) -> str:
    """What the networks of a number speak, in ISO 639-1: Mandarin where it is spoken, else the contact's language."""
    return "zh" if number.startswith(_ZH_CODES) else language


def _found(text: str, table: str) -> set[str]:
    return {match.intent for vocabulary in _tables()[table] for match in find(text, vocabulary)}


@cache
def _tables() -> Mapping[str, Sequence[Vocabulary]]:
    data = _data()
    return {table: [_compiled(tag, tables[table]) for tag, tables in data.items()] for table in ("signs", "kinds")}


@cache
def _data() -> Mapping[str, Any]:
    path = resources.files("campaigns.understanding").joinpath("announcements.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _compiled(tag: str, table: Mapping[str, Sequence[str]]) -> Vocabulary:
    intents = {name: {"anywhere": patterns, "negatable": False} for name, patterns in table.items()}
    return compile_vocabulary(tag, {"intents": intents})
