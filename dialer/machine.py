"""The evidence that an answering machine answered: words, timing and the beep, weighed together.

It only judges; on doubt it says human, because talking on to a machine is cheaper than not talking to a customer.
"""

from __future__ import annotations

from dataclasses import dataclass

from campaigns.dispositions import Disposition
from campaigns.understanding.announcements import announced, may_announce, readings
from dialer.catches import Signalled, Words

NETWORK_WITHIN_S = 20.0
"""An announcement of the network begins within this time of the answer."""
ANNOUNCEMENT_S = 1.5
"""Nobody announces anything in less."""
OPT_OUT = "opt_out"
"""The intent of words that are obeyed whoever says them."""
VOICEMAIL = "voicemail"
"""The intent of words that only a machine says ("leave a message", "not available")."""
GOES_ON_WITHOUT_US: frozenset[str | None] = frozenset({VOICEMAIL, "menu"})
"""Who speaks like this listens to nobody; an assistant that screens does, once it has ended."""
MEANINGLESS: frozenset[str | None] = frozenset({None, "greeting"})
"""Intents that a machine's greeting has as well: they answer nothing."""
GREETING_STARTS_WITHIN_S = 2.5
"""A machine greets the moment it answers; speech that begins later answers the robot."""
GREETING_LASTS_S = 4.0
"""A human's first utterance is a "hello" of about a second."""
BEEP_WITHIN_S = 45.0
"""Longest greeting after which a beep is still taken for a machine's."""
HUMAN_REPLY_S = 1.6
"""Longest utterance that, when it means something, proves a human after all."""


def is_enough(text: str, intent: str | None) -> bool:
    """Whether words, of an utterance that goes on, show that no person speaks; ``intent``: how the flow takes them."""
    if may_announce(text):
        return False
    return intent in GOES_ON_WITHOUT_US or announced(text, answered=True) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """The network, or a fax, in the customer's stead."""

    disposition: Disposition
    evidence: str


SIGNALS = {
    "busy": Met(disposition=Disposition.BUSY, evidence="busy_tone"),
    "reorder": Met(disposition=Disposition.CONGESTION, evidence="reorder_tone"),
    "sit": Met(disposition=Disposition.UNREACHABLE, evidence="sit"),
    "fax": Met(disposition=Disposition.MACHINE, evidence="fax"),
}
"""What a tone means where nobody has spoken."""


def met_instead(caught: object, *, answered_s: float) -> Met | None:
    """What speaks in the customer's stead, if anything: a tone, or the words of an announcement.

    ``answered_s``: on the loop's clock.
    """
    match caught:
        case Signalled(name=name):
            return SIGNALS[name]
        case Words() if caught.started_s - answered_s <= NETWORK_WITHIN_S and caught.lasted_s >= ANNOUNCEMENT_S:
            kinds = (announced(text, answered=True) for text in readings(caught.text, caught.alternatives))
            kind = next(filter(None, kinds), None)
            return Met(disposition=kind.disposition, evidence=f"announced_{kind}") if kind else None
    return None


class MachineWatch:
    """Weighs what is heard of one call; times are seconds after the answer."""

    def __init__(self) -> None:
        self.evidence = ""
        """Why a machine is believed to be there, empty while a human is."""

    def words(self, intent: str | None, *, started_s: float, lasted_s: float) -> bool:
        """Weigh one utterance as understood; returns whether it shows a machine."""
        if intent == VOICEMAIL:
            self.evidence = "words"
        elif intent in MEANINGLESS and started_s <= GREETING_STARTS_WITHIN_S and lasted_s >= GREETING_LASTS_S:
            self.evidence = "long_greeting"
        else:
            return False
        return True

    def beep(self, *, at_s: float) -> bool:
        """Weigh a beep; returns whether it shows a machine."""
        if at_s > BEEP_WITHIN_S:
            return False
        self.evidence = "beep"
        return True

    def revoked_by(self, intent: str | None, *, lasted_s: float) -> bool:
        """Weigh an utterance heard while a machine is believed in; returns whether a human is there after all."""
        if intent != OPT_OUT and not self._is_reply(intent, lasted_s):
            return False
        self.revoke()
        return True

    def _is_reply(self, intent: str | None, lasted_s: float) -> bool:
        return intent not in (None, VOICEMAIL) and lasted_s <= HUMAN_REPLY_S and self.evidence != "beep"

    def revoke(self) -> None:
        """A human is there: a key was pressed, or something meant was said."""
        self.evidence = ""
