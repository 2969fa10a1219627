"""Dispositions: the final outcome of one attempt, in the words operators and webhooks read.

A disposition is never an exception and never changes once written.
"""

from __future__ import annotations

from enum import StrEnum


class Disposition(StrEnum):
    """How an attempt ended."""

    # The customer was reached and the conversation came to an end.
    ACCEPTED = "accepted"
    """The customer said yes to what the flow was about (confirmed, renewed, will be at home)."""
    DECLINED = "declined"
    """The customer refused the offer; not an opt-out, but a refusal with legal effect in FR, AE and JP."""
    INFORMED = "informed"
    """A notice was delivered and nothing was asked, or what was asked was answered without a yes or no."""
    OPTED_OUT = "opted_out"
    """The customer asked not to be called again; the opt-out is stored before the call ends."""
    HANDED_OFF = "handed_off"
    """The customer talked with a human agent."""
    CALLBACK_BOOKED = "callback_booked"
    """The customer asked to be called at another time, which is recorded."""
    WRONG_PERSON = "wrong_person"
    """Whoever answered is not the customer."""
    NO_RESPONSE = "no_response"
    """Answered, but nothing was ever said or pressed, or never understood."""
    HUNG_UP = "hung_up"
    """The customer hung up before the conversation came to an end."""
    MESSAGE_LEFT = "message_left"
    """An answering machine took the message after its beep."""
    MACHINE = "machine"
    """An answering machine, a menu or a fax answered and no message was left."""
    SCREENED = "screened"
    """A call screening assistant answered, was told who calls, and nobody came."""

    # The customer was not reached.
    BUSY = "busy"
    """486 or 600."""
    NO_ANSWER = "no_answer"
    """Rang until our ring timeout (CANCEL), or 408 / 480 from the far end."""
    POWERED_OFF = "powered_off"
    """The network announced that the telephone is switched off."""
    UNREACHABLE = "unreachable"
    """The network announced that it cannot reach the telephone, or played a special information tone."""
    SUSPENDED = "suspended"
    """The network announced that the line is suspended (unpaid, out of service)."""
    REJECTED = "rejected"
    """603: the callee declined."""
    BLOCKED = "blocked"
    """607 or 608 (RFC 8197, RFC 8688), or an announcement: rejected as unwanted, by the callee, the network or an
    analytics engine."""
    INVALID_NUMBER = "invalid_number"
    """404, 410, 484 or 604, or the network announced a vacant number: nobody has this number."""
    REDIRECTED = "redirected"
    """302 and the trunk does not follow redirects: the number moved."""
    NO_MEDIA = "no_media"
    """Answered, but no audio ever came."""
    CONGESTION = "congestion"
    """503, or the trunk had no channel free: the network, not the customer."""
    FAILED = "failed"
    """Any other failure on the way (5xx, authentication, unreachable trunk, a crashed line)."""

    # Nothing was sent.
    REFUSED = "refused"
    """The gate refused; the receipt says which rule."""
    CANCELLED = "cancelled"
    """The operator cancelled, or an opt-out did, before it was answered."""
    EXPIRED = "expired"
    """Its deadline passed before it could be made."""

    # Nobody knows.
    UNDETERMINED = "undetermined"
    """The intent was recorded but what became of it is unknown: never re-dialled by itself."""


ANSWERED = frozenset(
    {
        Disposition.ACCEPTED,
        Disposition.DECLINED,
        Disposition.INFORMED,
        Disposition.OPTED_OUT,
        Disposition.HANDED_OFF,
        Disposition.CALLBACK_BOOKED,
        Disposition.WRONG_PERSON,
        Disposition.NO_RESPONSE,
        Disposition.HUNG_UP,
        Disposition.MESSAGE_LEFT,
        Disposition.MACHINE,
        Disposition.SCREENED,
        Disposition.NO_MEDIA,
    }
)
"""Dispositions of attempts that were answered by somebody or something."""

NOT_SENT = frozenset({Disposition.REFUSED, Disposition.EXPIRED})
"""Dispositions of attempts for which no INVITE ever left."""
