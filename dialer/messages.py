"""What passes between the host and a line process: one request in, events out, one result at the end.

Plain data, JSON on the wire (``pydantic.TypeAdapter``); a line process holds no database and stores nothing but its
journal of sends and the recordings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from statistics import median
from typing import Any

from campaigns.dispositions import Disposition
from campaigns.flow.disclosing import Told
from dialer.legs import Trunk


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRequest:
    """Everything a line process needs to run one call."""

    attempt_id: str
    fence: int
    call_id: str
    """SIP Call-ID, derived from attempt and fence by the host before the intent was committed."""
    contact_id: str = ""
    """Who is called, as an opaque id for the journal."""
    number: str
    """E.164."""
    trunk: Trunk
    flow: dict[str, Any]
    """The call flow document, as loaded from YAML."""
    variables: dict[str, str]
    """Campaign and contact variables together."""
    shared: tuple[str, ...] = ()
    """Those with the campaign's own value; the sound of a sentence with any other does not outlive the call."""
    language: str
    zone: str
    """IANA zone of the contact: times are spoken and understood in it."""
    ring_timeout_s: float = 25.0
    max_duration_s: float = 300.0
    media_timeout_s: float = 8.0
    """Answered without a single received packet for this long: no media."""
    send_before: float
    """``time.monotonic()`` of this machine: an INVITE that would leave later is not sent (``Released``)."""
    agent_uri: str = ""
    """``sip:`` URI rung for a handoff; empty when nobody can take one."""
    agent_ring_timeout_s: float = 20.0
    record: bool = True
    """Keep a stereo recording (left customer, right robot)."""
    record_on_consent: bool = False
    """Keep the recording only where the flow's variable ``recording_consent`` came to be ``yes``."""
    disclosures: tuple[Told, ...] = ()
    """What the rules of the customer's place want said, in their order."""
    interpret: bool = False
    """Whether the host may ask a model about words in which nothing was understood."""
    on_machine: str = ""
    """``hang_up``: no message is left on an answering machine, whatever the flow says."""


class EventKind(StrEnum):
    """Kinds of live event; each has its fields in ``CallEvent.data``."""

    DIALING = "dialing"
    """The INVITE left. {}"""
    RINGING = "ringing"
    """{code, early_media}"""
    ANSWERED = "answered"
    """{codec}"""
    STEP = "step"
    """{step, type}"""
    SAID = "said"
    """The robot began a sentence: {text, language}; corrected by INTERRUPTED."""
    INTERRUPTED = "interrupted"
    """The customer cut in: {text, heard_text, played_ms}"""
    HEARING = "hearing"
    """Partial words while the customer speaks: {text}; dropped where the host is slow."""
    HEARD = "heard"
    """{text, confidence, intent, engine}"""
    DIGITS = "digits"
    """{digits, intent}"""
    OPT_OUT = "opt_out"
    """{words, scope}; the host stores it the moment it comes."""
    REFUSAL = "refusal"
    """{words}: the customer refused the offer, which is neither an opt-out nor a wish for another time; once a call."""
    CALLBACK = "callback"
    """{at, words}"""
    VARIABLE = "variable"
    """{name, value}"""
    MACHINE = "machine"
    """{evidence}: no person answered, but a machine, a menu, a fax or the network (``announced_powered_off``…)."""
    ANNOUNCED = "announced"
    """{what}: the network said before the answer why it will not connect the call."""
    HANDOFF = "handoff"
    """{state: ringing|connected|failed|ended, reason, queue, summary}"""
    SYSTEM = "system"
    """{state: asked|replied|failed, system, operation, key, result, problem, took_s}: a system of the business."""
    MEASURED = "measured"
    """{answer_to_audio_s, turn_gaps_s, barge_in_stops_s, overlap_s, owed_s, divergence_s}: what the recording says."""
    PROBLEM = "problem"
    """{step, message}"""
    ENDED = "ended"
    """The leg is over: {by, code, reason}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEvent:
    """Something that happened in a call, as it happens."""

    attempt_id: str
    fence: int
    kind: EventKind
    at: datetime
    """UTC."""
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn of the transcript."""

    who: str
    """``robot``, ``customer`` or ``agent``."""
    text: str
    at_s: float
    """Seconds after the answer."""
    intent: str | None = None
    interrupted: bool = False


DIVERGENCE_S = 0.5
"""Our own clock may differ by so much from the sound: the way through the engine, and where an utterance ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """What the recording says, in seconds, measured from signal energy; ``None`` where it does not apply."""

    answer_to_audio_s: float | None = None
    turn_gaps_s: tuple[float, ...] = ()
    barge_in_stops_s: tuple[float, ...] = ()
    dead_air_s: float = 0.0
    duration_s: float = 0.0
    overlap_s: float = 0.0
    """Both spoke at once."""
    owed_s: float = 0.0
    """Silences over 1.5 s in which it was our turn to make a sound."""
    own_answer_to_audio_s: float | None = None
    """The same by the clock of the program, which knows nothing of the way to the customer's ear."""
    own_turn_gaps_s: tuple[float, ...] = ()

    @property
    def divergence_s(self) -> float:
        """How far the program's clock and the sound are apart, at their worst; 0 where there is nothing to compare."""
        pairs = [(self.answer_to_audio_s, self.own_answer_to_audio_s)]
        if self.turn_gaps_s and self.own_turn_gaps_s:
            pairs.append((median(self.turn_gaps_s), median(self.own_turn_gaps_s)))
        return round(max((abs(a - b) for a, b in pairs if a is not None and b is not None), default=0.0), 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResult:
    """How a call ended; returned exactly once, whatever happened."""

    attempt_id: str
    fence: int
    call_id: str
    disposition: Disposition
    outcome: str = ""
    hangup_cause: str = ""
    """``peer_bye``, ``our_bye``, ``cancelled``, ``sip_486``, ``no_media``, ``line_lost``…"""
    sip_code: int = 0
    retry_after_s: float | None = None
    answered_at: datetime | None = None
    ended_at: datetime
    transcript: tuple[Turn, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    timings: Timings = field(default_factory=Timings)
    recording: str = ""
    """File name below the recordings directory, empty when nothing was recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """Nothing was sent: the send window was missed or no leg was free. The attempt goes back under its fence."""

    attempt_id: str
    fence: int
    reason: str
