"""The seam of audio legs: what an engine (SIP, loopback) and one of its legs look like to a call.

A leg is one dialog plus its media. Every callback arrives on the asyncio thread with plain data. Audio is s16le mono at
8000 Hz in frames of 20 ms (320 bytes).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from dialer.errors import DialerError


class LegError(DialerError):
    """A leg could not be made or used."""

    code = "leg_failed"
    retryable = True


class EndedBy(StrEnum):
    """Who ended a leg."""

    US = "us"
    """We hung up (BYE) or gave up (CANCEL)."""
    PEER = "peer"
    """The far end sent BYE, or a final response to our INVITE."""
    NETWORK = "network"
    """Transaction or session timed out, transport failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trying:
    """The INVITE left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ringing:
    """A provisional response above 100 came (RFC 3261 §13.2.2.1)."""

    code: int
    early_media: bool = False
    """183 or 180 with SDP: what sounds now is the network's (RFC 3960)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """200 OK came, our ACK left and the media is up; the caller starts speaking now."""

    codec: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digit:
    """One key press, counted once (RFC 4733, SIP INFO or in-band)."""

    digit: str
    method: str = "rfc4733"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The leg is over; nothing follows. Always the last event, sent exactly once."""

    by: EndedBy
    code: int = 0
    """SIP final response, 0 when the dialog ended by BYE."""
    reason: str = ""
    headers: dict[str, list[str]] = field(default_factory=dict)
    """Lower-case names of the deciding message's headers (Contact, Retry-After, Reason…)."""


LegEvent = Trying | Ringing | Answered | Digit | Ended


class Playback(Protocol):
    """Audio queued on a leg."""

    @property
    def played_ms(self) -> int:
        """How much has left us so far."""

    async def wait(self) -> bool:
        """Wait for the end; ``True`` when all of it was played, ``False`` when it was stopped or the leg ended."""

    def stop(self) -> int:
        """Stop now (within one frame) and drop the rest; returns the milliseconds that were played."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trunk:
    """A way out: a registrar account or an IP trunk (one row of the trunk table)."""

    name: str
    kind: str = "ip"
    """``ip`` (requests go straight to ``host``) or ``registrar`` (we REGISTER there first)."""
    host: str
    """``host`` or ``host:port`` of the proxy or registrar."""
    username: str = ""
    password: str = field(default="", repr=False)
    """Digest credentials (RFC 8760 / RFC 3261 §22); never logged."""
    realm: str = "*"
    caller_id: str = ""
    """E.164 number presented in From."""
    display_name: str = ""
    asserted_identity: bool = False
    """Whether to send P-Asserted-Identity (RFC 3325)."""
    codecs: tuple[str, ...] = ("PCMU", "PCMA")
    transport: str = "udp"
    """``udp``, ``tcp`` or ``tls``."""
    follow_redirects: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    """Extra headers on every INVITE."""
    proxy: str = ""
    """``host`` or ``host:port`` of an outbound proxy all requests go through; empty for none."""
    user_phone: bool = False
    """Whether number URIs carry ``;user=phone`` (RFC 3261 §19.1.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """One INVITE to be sent."""

    call_id: str
    """The SIP Call-ID, chosen by the host."""
    target: str
    """E.164 number, or a whole ``sip:`` URI (agents)."""
    trunk: Trunk
    headers: dict[str, str] = field(default_factory=dict)


class Leg(Protocol):
    """One dialog and its media."""

    call_id: str

    @property
    def packets_received(self) -> int:
        """RTP packets that came so far, refreshed a few times a second; 0 long after the answer means no media."""

    def play(self, pcm: bytes) -> Playback:
        """Queue audio behind what is queued; it sounds as soon as the media is up."""

    def on_audio(self, sink: Callable[[bytes], None] | None) -> None:
        """Give every received frame (320 bytes, in order, on the asyncio thread) to ``sink``; early media included."""

    def tape(self) -> tuple[bytes, bytes]:
        """What was received and what was sent since the answer, sample-aligned: (received, sent)."""

    async def hangup(self, *, code: int = 0, reason: str = "") -> None:
        """End the leg: CANCEL before the answer, BYE after; idempotent. ``Ended`` follows."""

    async def bridge(self, other: Leg) -> None:
        """Connect the audio of two legs of the same engine both ways; what is queued on either is dropped.

        ``on_audio`` and ``tape`` go on, and the tape's sent side then carries the other leg's audio.
        """

    async def unbridge(self) -> None:
        """Undo :meth:`bridge`; the leg is the robot's again."""


class Engine(Protocol):
    """Places and takes legs."""

    name: str

    @property
    def capacity(self) -> int:
        """Legs at once, read from the engine at start-up; a bridge takes two."""

    async def start(self) -> None:
        """Open sockets and devices. Raises :class:`LegError` that names what is taken or missing, and the remedy."""

    async def dial(self, dial: Dial, on_event: Callable[[LegEvent], None]) -> Leg:
        """Send the INVITE. Raises :class:`LegError` (nothing was sent) when no leg is free or the target malformed."""

    async def stop(self) -> None:
        """Hang up everything and close."""
