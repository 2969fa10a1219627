"""How a call ended, in the words of its result.

It looks at what happened and makes nothing happen.
"""

from __future__ import annotations

from dataclasses import dataclass

from campaigns.dispositions import Disposition
from campaigns.flow.effects import Hangup
from campaigns.understanding.announcements import Announcement
from dialer.causes import disposition_of, retry_after_s
from dialer.legs import Ended, EndedBy

NO_MEDIA = "no_media"
INTERNAL_ERROR = "internal_error"
ANNOUNCED = "announced_"
"""Begins our reason where the network announced why it will not connect the call."""
OUR_FAULT = {NO_MEDIA: Disposition.NO_MEDIA, INTERNAL_ERROR: Disposition.FAILED}
"""Our own reasons for hanging up that decide the disposition; after any other the flow does."""
CUT_OFF = frozenset({"host_gone", "line_stopped"})
"""Reasons that are our breakdown: nobody hung up on us, and nobody asked for it."""
CANCELLED_CODE = 487
"""Request terminated (RFC 3261 §15.1.2): what a CANCEL brings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a call ended, before it becomes a result."""

    disposition: Disposition
    cause: str
    """``CallResult.hangup_cause``."""
    outcome: str = ""
    sip_code: int = 0
    retry_after_s: float | None = None


def failed(cause: str) -> Ending:
    """It could not be made, or broke."""
    return Ending(disposition=Disposition.FAILED, cause=cause)


def unanswered(ended: Ended | None, our_reason: str) -> Ending:
    """Nobody answered: by our own CANCEL (``our_reason``, or the ring timeout), or by what the far end said."""
    if ended is None or ended.by is EndedBy.US or our_reason:
        cause = our_reason or "ring_timeout"
        return Ending(disposition=_given_up(cause), cause=cause, sip_code=CANCELLED_CODE)
    if ended.by is EndedBy.PEER and not ended.code:
        return Ending(disposition=Disposition.HUNG_UP, cause="peer_bye")  # picked up and put down before media was up
    return Ending(
        disposition=disposition_of(ended),
        cause=f"sip_{ended.code}" if ended.code else "network",
        sip_code=ended.code,
        retry_after_s=retry_after_s(ended),
    )


def talked(last: Hangup, ended: Ended | None, our_reason: str) -> Ending:
    """Somebody answered and the flow came to ``last``; ``ended`` when the far end or the network was first."""
    by = {EndedBy.PEER: "peer_bye", EndedBy.NETWORK: "network", EndedBy.US: "our_bye"}
    cause = our_reason or ("our_bye" if ended is None else by[ended.by])
    disposition = last.disposition
    if disposition is not Disposition.OPTED_OUT:  # which stands, whatever broke after it
        disposition = OUR_FAULT.get(our_reason, disposition)
    if our_reason in CUT_OFF and disposition is Disposition.HUNG_UP:
        disposition = Disposition.FAILED
    return Ending(disposition=disposition, cause=cause, outcome=last.outcome)


def _given_up(cause: str) -> Disposition:
    """What our own CANCEL means: it rang long enough, the network said why it is of no use, we broke down, or the host
    wanted it (opt-out, operator)."""
    if cause == "ring_timeout":
        return Disposition.NO_ANSWER
    if cause.startswith(ANNOUNCED):
        return Announcement(cause.removeprefix(ANNOUNCED)).disposition
    return Disposition.FAILED if cause in CUT_OFF else Disposition.CANCELLED
