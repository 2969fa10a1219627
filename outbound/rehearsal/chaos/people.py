"""Whom a chaos run rings: fictional numbers, and how each telephone behaves, drawn from a seed. Pure; rings nobody."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from enum import StrEnum
from itertools import chain, islice

from outbound.errors import Invalid

FICTIONAL_UK = (
    "+441134960",
    "+441144960",
    "+441164960",
    "+441174960",
    "+441184960",
    "+441214960",
    "+441314960",
    "+441414960",
    "+441514960",
    "+441614960",
    "+441914980",
    "+442079460",
    "+442890180",
    "+442920180",
)
"""Ofcom's numbers for drama that the numbering plan takes for valid: a thousand each."""
AREAS = (
    *(201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215),
    *(216, 217, 218, 219, 220, 223, 224, 225, 227, 228, 229, 231, 234),
    *(235, 239, 240, 248, 251, 252, 253, 254, 256, 260, 262, 267, 269),
    *(270, 272, 274, 276, 279, 281, 283, 301, 302, 303, 304, 305, 307),
    *(308, 309, 310, 312, 313, 314, 315, 316, 317, 318, 319, 320, 321),
    *(323, 324, 325, 326, 327, 329, 330, 331, 332, 334, 336, 337, 339),
    *(341, 346, 347, 350, 351, 352, 353, 360, 361, 363, 364, 369, 380),
    *(385, 386, 401, 402, 404, 405, 406, 407, 408, 409, 410, 412, 413),
    *(414, 415, 417, 419, 423, 424, 425, 430, 432, 434, 435, 440, 442),
    *(443, 445, 447, 448, 458, 463, 464, 469, 470, 472, 475, 478, 479),
)
"""Area codes of the United States, as many as are needed."""
FICTIONAL_US = tuple(f"+1{area}55501" for area in AREAS)
"""555-0100 to 555-0199 of an area code belong to nobody (NANPA): a hundred each."""
MOST_PEOPLE = 1000 * len(FICTIONAL_UK) + 100 * len(FICTIONAL_US)


class Conduct(StrEnum):
    """What a telephone does with one call."""

    ANSWERS = "answers"
    """Rings a moment, is picked up, and put down after a word."""
    BUSY = "busy"
    AWAY = "away"
    UNKNOWN = "unknown"
    CONGESTED = "congested"
    DECLINES = "declines"
    RINGS = "rings"
    """Nobody picks up: it rings until the caller gives up."""
    MUTE = "mute"
    """Is picked up, no sound ever comes, and the caller has to hang up."""


CODES = {
    Conduct.BUSY: 486,
    Conduct.AWAY: 480,
    Conduct.UNKNOWN: 404,
    Conduct.CONGESTED: 503,
    Conduct.DECLINES: 603,
}
"""What refuses a call (RFC 3261 §21)."""
_SHARES = {
    Conduct.ANSWERS: 45,
    Conduct.BUSY: 23,
    Conduct.AWAY: 8,
    Conduct.CONGESTED: 6,
    Conduct.RINGS: 6,
    Conduct.UNKNOWN: 5,
    Conduct.DECLINES: 5,
    Conduct.MUTE: 2,
}


def numbers(count: int) -> list[str]:
    """The first ``count`` fictional numbers. Raises :class:`Invalid` when there are not so many."""
    if count > MOST_PEOPLE:
        raise Invalid(f"there are {MOST_PEOPLE:,} fictional numbers; ask for fewer people", code="too_many_people")
    return list(islice(_all_numbers(), count))


def conduct(seed: int, number: str, nth: int) -> Conduct:
    """How the telephone of ``number`` takes its call number ``nth`` (from 1)."""
    ticket = draw(seed, f"{number}/{nth}") * sum(_SHARES.values())
    for kind, share in _SHARES.items():
        ticket -= share
        if ticket < 0:
            return kind
    raise AssertionError("shares cover every ticket")


def draw(seed: int, what: str) -> float:
    """A number from 0 to below 1 that depends on ``seed`` and ``what`` alone, in every process."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{what}".encode()).digest()[:8]) / 2**64


def _all_numbers() -> Iterator[str]:
    british = (f"{prefix}{last:03d}" for prefix in FICTIONAL_UK for last in range(1000))
    american = (f"{prefix}{last:02d}" for prefix in FICTIONAL_US for last in range(100))
    return chain(british, american)
