"""Judges a chaos run by three accounts, the peer's, REST's and the plan's: lost, duplicate, undetermined, unlawful.

Pure: it reads what it is given, and its notion of what is permitted is its own, not the product's code.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from outbound.rehearsal.chaos.evidence import Evidence, epoch
from outbound.rehearsal.chaos.plan import CAMPAIGNS, CampaignPlan, Key, Never, Person, Strike
from outbound.rehearsal.chaos.sightings import Sighting
from outbound.rehearsal.client import Document

BROKEN = frozenset({"line_lost", "lease_expired", "host_gone", "line_stopped"})
"""Hangup causes of calls that a breakdown ended: settled for good, since the customer may have been rung."""
BREAKING = frozenset(
    {Strike.HOST, Strike.DIALER, Strike.LINE, Strike.DISK, Strike.POSTGRES, Strike.RECOGNISER, Strike.SYNTHESISER}
)
"""Strikes that may end a call; any other must not."""
JUST_BEFORE_S = 1.0
"""A call may be given to a line that was killed a moment before."""
BREAKS_WITHIN_S = 90.0
"""A strike shows at the latest when the lease of the call has ended and was swept."""
NOT_RUNG = frozenset({"cancelled", "refused", "expired"})
ANSWERED = frozenset({"accepted", "declined", "informed", "opted_out", "no_response", "hung_up", "machine", "no_media"})
BY_CODE = {404: "invalid_number", 480: "no_answer", 486: "busy", 487: "no_answer", 503: "congestion", 603: "rejected"}
CLOCK_S = 0.001
"""How far two readings of one clock by two processes may lie apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as it should be."""

    what: str
    number: str = ""
    attempt_id: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came out; it holds when nothing is lost, duplicate, unlawful or unclean."""

    lost: tuple[Finding, ...] = ()
    duplicate: tuple[Finding, ...] = ()
    undetermined: tuple[Finding, ...] = ()
    """Nobody knows what became of the call: shown to the operator and never dialled again."""
    unlawful: tuple[Finding, ...] = ()
    unclean: tuple[Finding, ...] = ()
    """A graceful stop that failed, a process that was left behind."""

    @property
    def holds(self) -> bool:
        """Whether the product kept its promises."""
        return not (self.lost or self.duplicate or self.unlawful or self.unclean)


class _Case:
    """The evidence, arranged so that it can be looked up."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.people = {person.number: person for person in evidence.plan.people}
        self.policies = {policy.key: policy for policy in CAMPAIGNS}
        self.attempts = {str(attempt["id"]): attempt for attempt in evidence.attempts}
        self.of_number: dict[str, list[Document]] = defaultdict(list)
        for attempt in sorted(evidence.attempts, key=lambda attempt: int(attempt["ordinal"])):
            self.of_number[attempt["number"]].append(attempt)
        self.seen_of_number: dict[str, list[Sighting]] = defaultdict(list)
        self.seen_of_attempt: dict[str, list[Sighting]] = defaultdict(list)
        for sighting in sorted(evidence.sightings, key=lambda sighting: sighting.at):
            self.seen_of_number[sighting.number].append(sighting)
            self.seen_of_attempt[attempt_of(sighting)].append(sighting)
        self.opted_out = {ban.number for ban in evidence.bans if ban.number}
        self.contacts = {contact["number"]: contact for contacts in evidence.contacts.values() for contact in contacts}


def attempt_of(sighting: Sighting) -> str:
    """Id of the attempt that a Call-ID names: it is made of the attempt and its fence (docs/architecture.md)."""
    return sighting.call_id.partition("@")[0].rpartition("-")[0]


def judge(evidence: Evidence) -> Verdict:
    """Compare the three accounts."""
    case = _Case(evidence)
    return Verdict(
        lost=tuple(_lost(case)),
        duplicate=tuple(_duplicate(case)),
        undetermined=tuple(_undetermined(case)),
        unlawful=tuple(_unlawful(case)),
        unclean=tuple(_unclean(evidence)),
    )


# -- lost ------------------------------------------------------------------------------------------------------------


def _lost(case: _Case) -> Iterator[Finding]:
    for key in case.evidence.undecided:
        yield Finding(what="a campaign did not come to its end", detail=key)
    for person in case.people.values():
        yield from _lost_person(case, person)
    for attempt in case.evidence.attempts:
        yield from _lost_attempt(case, attempt)
    for sighting in case.evidence.sightings:
        owner = case.attempts.get(attempt_of(sighting))
        if owner is None or owner["number"] != sighting.number:
            yield Finding(what="an INVITE that no attempt owns", number=sighting.number, detail=sighting.call_id)
        elif owner["dialed_at"] is None:
            named = {"number": sighting.number, "attempt_id": owner["id"], "detail": sighting.call_id}
            yield Finding(what="an INVITE of an attempt that says it was never dialled", **named)


def _lost_person(case: _Case, person: Person) -> Iterator[Finding]:
    contact = case.contacts.get(person.number)
    if contact is None:
        yield Finding(what="a contact that was taken in and is gone", number=person.number)
        return
    if person.never is Never.NIGHT:
        return
    disposition = contact["disposition"]
    if disposition is None:
        yield Finding(what="a contact without a final disposition", number=person.number)
    may_be_spared = person.never or person.number in case.opted_out or person.campaign is Key.CANCELLED
    if disposition in NOT_RUNG and not may_be_spared:
        yield Finding(what="a contact that should have been rung", number=person.number, detail=disposition)
    attempts = case.of_number[person.number]
    if attempts and not may_be_spared and _deserves_another(case.policies[person.campaign], attempts[-1]):
        yield Finding(what="a retry that was never made", number=person.number, attempt_id=attempts[-1]["id"])


def _deserves_another(policy: CampaignPlan, attempt: Document) -> bool:
    may_follow = attempt["disposition"] in policy.delays_s and attempt["hangup_cause"] not in BROKEN
    return bool(attempt["state"] == "done" and may_follow and int(attempt["ordinal"]) < policy.max_attempts)


def _lost_attempt(case: _Case, attempt: Document) -> Iterator[Finding]:
    named = {"number": attempt["number"], "attempt_id": attempt["id"]}
    person = case.people.get(attempt["number"])
    if attempt["state"] in ("claimed", "dialing") or (
        attempt["state"] == "due" and not (person is not None and person.never is Never.NIGHT)
    ):
        yield Finding(what=f"an attempt that is still {attempt['state']}", **named)
    if attempt["state"] != "done":
        return
    seen = case.seen_of_attempt[attempt["id"]]
    told = f"{attempt['disposition']}, {attempt['hangup_cause']}"
    if not seen and attempt["disposition"] not in NOT_RUNG and attempt["hangup_cause"] not in BROKEN:
        yield Finding(what="an attempt that tells of a call nobody saw", detail=told, **named)
    if seen and not _agree(case, attempt, seen[-1]):
        detail = f"recorded: {told}; the peer: {seen[-1].code}, ended by {seen[-1].ended_by}"
        yield Finding(what="a result that contradicts the peer", detail=detail, **named)
    if (attempt["disposition"] == "failed" or attempt["hangup_cause"] in BROKEN) and not _struck_during(case, attempt):
        yield Finding(what="a call that broke although nothing struck it", detail=told, **named)


def _agree(case: _Case, attempt: Document, seen: Sighting) -> bool:
    """Whether what is recorded can be true of what the peer saw."""
    disposition = str(attempt["disposition"])
    if disposition == "failed":  # it broke, whatever the peer was about to say
        return not str(attempt["hangup_cause"]).startswith("sip_")
    if disposition == "cancelled":  # it was called off while the peer's response was on its way
        return seen.number in case.opted_out or case.people[seen.number].campaign is Key.CANCELLED
    if seen.answered:
        return disposition in ANSWERED
    return disposition == BY_CODE.get(seen.code)


def _struck_during(case: _Case, attempt: Document) -> bool:
    """Whether a strike can have broken a call, or have kept a result that the journal knows from being told."""
    began, ended = epoch(attempt["dialed_at"]) or 0.0, epoch(attempt["ended_at"]) or float("inf")
    untold_s = 0.0 if attempt["disposition"] == "failed" else BREAKS_WITHIN_S
    return any(
        began - BREAKS_WITHIN_S <= struck.at <= ended + untold_s and began - JUST_BEFORE_S <= struck.until
        for struck in case.evidence.struck
        if struck.kind in BREAKING
    )


# -- duplicate -------------------------------------------------------------------------------------------------------


def _duplicate(case: _Case) -> Iterator[Finding]:
    for call_id, times in Counter(sighting.call_id for sighting in case.evidence.sightings).items():
        if times > 1:
            yield Finding(what="several INVITEs of one Call-ID", detail=f"{call_id}: {times}")
    for attempt_id, seen in case.seen_of_attempt.items():
        if len({sighting.call_id for sighting in seen}) > 1:
            calls = ", ".join(sighting.call_id for sighting in seen)
            yield Finding(what="several calls for one attempt", attempt_id=attempt_id, detail=calls)
    for number, seen in case.seen_of_number.items():
        dialled = sum(attempt["dialed_at"] is not None for attempt in case.of_number[number])
        if len(seen) > dialled:
            yield Finding(what="rung more often than recorded", number=number, detail=f"{len(seen)} and {dialled}")
        yield from _rung_again(case, number, seen)
    for number, attempts in case.of_number.items():
        yield from _tried_again(case, number, attempts)


def _rung_again(case: _Case, number: str, seen: Sequence[Sighting]) -> Iterator[Finding]:
    """By the peer's account alone: who picked up is not rung again, and nobody too soon or while it still rings."""
    person = case.people.get(number)
    policy = case.policies[person.campaign] if person is not None else None
    for earlier, later in pairwise(seen):
        if earlier.answered:
            yield Finding(what="rung again after somebody had picked up", number=number, detail=later.call_id)
            continue
        delay_s = policy.delays_s.get(BY_CODE.get(earlier.code, ""), 0) if policy is not None else 0
        if later.at < earlier.code_at + delay_s - CLOCK_S:
            waited = f"{later.at - earlier.code_at:.3f} s after {earlier.code}"
            yield Finding(what="rung again too soon", number=number, detail=f"{later.call_id}: {waited}")


def _tried_again(case: _Case, number: str, attempts: Sequence[Document]) -> Iterator[Finding]:
    """By REST's account: every attempt after the first follows one that the campaign's policy lets be repeated."""
    person = case.people.get(number)
    ordinals = [int(attempt["ordinal"]) for attempt in attempts]
    if ordinals != list(range(1, len(ordinals) + 1)):
        yield Finding(what="attempts that are not numbered one by one", number=number, detail=str(ordinals))
        return
    for earlier, later in pairwise(attempts):
        if person is None or not _deserves_another(case.policies[person.campaign], earlier):
            why = f"{earlier['disposition']}, {earlier['hangup_cause']}"
            named = {"number": number, "attempt_id": later["id"]}
            yield Finding(what="a retry that the campaign does not permit", detail=f"after {why}", **named)


# -- undetermined, unlawful, unclean ---------------------------------------------------------------------------------


def _undetermined(case: _Case) -> Iterator[Finding]:
    for attempt in case.evidence.attempts:
        if attempt["state"] == "undetermined":
            dialled = epoch(attempt["dialed_at"]) or 0.0
            around = [hit for hit in case.evidence.struck if abs(hit.at - dialled) < BREAKS_WITHIN_S]
            nearest = min(around, key=lambda hit: abs(hit.at - dialled), default=None)
            why = f"{nearest.kind} ({nearest.what}) {nearest.at - dialled:+.1f} s" if nearest else "nothing was struck"
            seen = "the peer saw it" if case.seen_of_attempt[attempt["id"]] else "the peer saw nothing"
            named = {"number": attempt["number"], "attempt_id": attempt["id"]}
            yield Finding(what=f"dialled, then {why}; {seen}", **named)


def _unlawful(case: _Case) -> Iterator[Finding]:
    for sighting in case.evidence.sightings:
        person = case.people.get(sighting.number)
        if person is None:
            yield Finding(what="rang somebody who is in no campaign", number=sighting.number, detail=sighting.call_id)
            continue
        named = {"number": sighting.number, "detail": sighting.call_id}
        if person.never is not None:
            yield Finding(what=f"rang somebody who must not be: {person.never}", **named)
        if sighting.at < case.evidence.started.get(person.campaign, float("inf")):
            yield Finding(what="rang before the campaign was started", **named)
        for ban in case.evidence.bans:
            if ban.covers(person.number, person.campaign, sighting.at):
                late = f"{sighting.call_id}, {sighting.at - ban.since:.3f} s later"
                yield Finding(what=f"rang after {ban.why}", number=sighting.number, detail=late)


def _unclean(evidence: Evidence) -> Iterator[Finding]:
    for struck in evidence.struck:
        if struck.kind is Strike.DRAIN and struck.drained_s is None:
            yield Finding(what="a graceful stop that failed", detail=struck.what)
    if None in evidence.stops_s:
        yield Finding(what="the last graceful stop failed")
    for command in evidence.left_behind:
        yield Finding(what="a process that was left behind", detail=command)
