"""Judges a rehearsal: did every customer end as its character should, and was nobody rung who must not be? Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from campaigns.dispositions import Disposition

Document = dict[str, Any]
ENOUGH_WORDS = 0.5
"""Share of the words that a recogniser must find in a telephone recording to prove that they were heard."""
LONG = 90
ENOUGH_SOUND = 0.6
"""Share of a sound that must be found again in a recording to prove that it was heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """How a customer should end in one campaign."""

    dispositions: frozenset[Disposition]
    """Any of these is right; empty: any at all."""
    attempts: int | None = None
    receipt: str | None = None
    heard: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What one recording says about words that should have been heard."""

    what: str
    """For people: ``the agent's greeting``, ``the message after the beep``."""
    words: str
    """Words that were said."""
    heard: str
    """What the recogniser made of the recording."""
    share_of_words: float
    share_of_sound: float | None = None
    """Of the sound that was played, where we have it."""

    @property
    def holds(self) -> bool:
        """Whether the words were heard: their very sound where we have it, else words that were recognised."""
        if self.share_of_sound is not None:
            return self.share_of_sound >= ENOUGH_SOUND
        return self.share_of_words >= ENOUGH_WORDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One customer in one campaign: what was expected, and everything that is known."""

    campaign: str
    number: str
    name: str
    behaviour: str
    expected: Expected
    disposition: str
    """Final; empty when the campaign never came to an end with this customer."""
    attempts: tuple[Document, ...] = ()
    """``AttemptDetail`` documents that were dialled, in order."""
    refusal: str = ""
    """Code of the gate's final refusal."""
    answer_to_audio_s: float | None = None
    turn_gaps_s: tuple[float, ...] = ()
    proofs: tuple[Proof, ...] = ()
    recordings: tuple[str, ...] = ()
    log: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rings:
    """How often one number was rung, as the exchange and as the product count."""

    number: str
    name: str
    seen: int
    """INVITEs at the exchange."""
    dialled: int
    """Attempts the product dialled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One expectation and whether it held."""

    holds: bool
    who: str
    expected: str
    happened: str
    note: str = ""
    """Worth telling although it holds."""
    evidence: tuple[str, ...] = ()
    """Where to look: recordings, logs."""


def judge(story: Story) -> list[Finding]:
    """Hold a story against what was expected of it."""
    expected = story.expected
    findings = []

    def find(holds: bool, wanted: str, happened: str, note: str = "") -> None:
        evidence = () if holds else tuple(filter(None, (*story.recordings, story.log)))
        who = f"{story.name} ({story.campaign})"
        findings.append(Finding(holds=holds, who=who, expected=wanted, happened=happened, note=note, evidence=evidence))

    if expected.dispositions:
        wanted = " or ".join(sorted(expected.dispositions))
        find(story.disposition in expected.dispositions, wanted, story.disposition or "came to no end")
    elif not story.disposition:
        find(False, "an end", "came to no end")
    if expected.attempts is not None:
        dialled = len(story.attempts)
        find(dialled == expected.attempts, _times(expected.attempts), _times(dialled))
    if expected.receipt is not None:
        find(story.refusal == expected.receipt, f"receipt {expected.receipt}", f"receipt {story.refusal or 'none'}")
    for proof in story.proofs:
        find(proof.holds, f"heard {proof.what}", f"heard {_heard(proof)}", _heard(proof))
    return findings


def judge_rings(rings: Rings) -> Finding:
    """Never twice, never lost: the exchange saw exactly the calls that the product says it made."""
    return Finding(
        holds=rings.seen == rings.dialled,
        who=rings.name,
        expected=f"{_times(rings.dialled)} at the exchange",
        happened=_times(rings.seen),
    )


def _times(count: int) -> str:
    return {0: "not rung", 1: "rung once", 2: "rung twice"}.get(count, f"rung {count} times")


def _heard(proof: Proof) -> str:
    sound = "" if proof.share_of_sound is None else f", {proof.share_of_sound:.0%} of its sound"
    heard = proof.heard if len(proof.heard) <= LONG else f"…{proof.heard[-LONG:].lstrip()}"
    return f"“{heard or 'nothing'}” ({proof.share_of_words:.0%} of its words{sound})"
