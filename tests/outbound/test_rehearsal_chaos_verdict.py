"""The verdict of a chaos run finds what is lost, duplicate, undetermined or unlawful: it can fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from outbound.rehearsal.chaos.evidence import Ban, Evidence
from outbound.rehearsal.chaos.plan import Key, Layout, Never, Person, Plan, Strike
from outbound.rehearsal.chaos.sightings import Sighting
from outbound.rehearsal.chaos.striking import Struck
from outbound.rehearsal.chaos.verdict import Verdict, judge

pytestmark = pytest.mark.unit

BEGAN = 1_800_000_000.0
ANN, BOB, CY, DEE, EVE = (f"+44113496000{n}" for n in range(5))
PEOPLE = (
    Person(number=ANN, campaign=Key.ONCE, zone="Etc/GMT"),
    Person(number=BOB, campaign=Key.AGAIN, zone="Etc/GMT"),
    Person(number=CY, campaign=Key.CANCELLED, zone="Etc/GMT"),
    Person(number=DEE, campaign=Key.ONCE, zone="Etc/GMT", never=Never.OPTED_OUT),
    Person(number=EVE, campaign=Key.NIGHT, zone="Etc/GMT-9", never=Never.NIGHT),
)


def iso(second: float | None) -> str | None:
    return None if second is None else datetime.fromtimestamp(BEGAN + second, UTC).isoformat()


def attempt(number: str, key: str, disposition: str | None, **changes: Any) -> dict[str, Any]:
    dialled = changes.pop("dialled", 1.0)
    fields = {"id": key, "number": number, "ordinal": 1, "state": "done", "disposition": disposition}
    fields |= {"hangup_cause": "", "dialed_at": iso(dialled), "ended_at": iso(changes.pop("ended", 3.0))}
    return fields | changes


def sighting(number: str, key: str, code: int, at: float, **changes: Any) -> Sighting:
    call_id = changes.pop("call_id", f"{key}-1@outbound")
    named = {"number": number, "call_id": call_id, "branch": changes.pop("branch", f"z9hG4bK{call_id}"), "code": code}
    return Sighting(**named, at=BEGAN + at, code_at=BEGAN + at, over_at=BEGAN + at + 1, ended_by="refused")


def all_well() -> Evidence:
    """Ann answered, Bob was busy and then answered, Cy was cancelled, Dee and Eve were never rung."""
    attempts = [
        attempt(ANN, "a1", "hung_up"),
        attempt(BOB, "b1", "busy"),
        attempt(BOB, "b2", "hung_up", ordinal=2, dialled=4.0, ended=5.0),
        attempt(CY, "c1", "cancelled", dialled=None),
        attempt(EVE, "e1", None, state="due", dialled=None, ended=None),
    ]
    seen = (sighting(ANN, "a1", 200, 1.1), sighting(BOB, "b1", 486, 1.2), sighting(BOB, "b2", 200, 4.1))
    ends = {ANN: "hung_up", BOB: "hung_up", CY: "cancelled", DEE: "refused", EVE: None}
    contacts = {
        key: [
            {"number": person.number, "disposition": ends[person.number]} for person in PEOPLE if person.campaign is key
        ]
        for key in Key
    }
    return Evidence(
        plan=Plan(layout=Layout.EMBEDDED, seed=1, people=PEOPLE, opt_outs=(), blows=()),
        sightings=seen,
        attempts=attempts,
        contacts=contacts,
        bans=(Ban(why="a cancellation was answered", since=BEGAN + 2, campaign=Key.CANCELLED),),
        started=dict.fromkeys(Key, BEGAN),
    )


def whats(verdict: Verdict, heading: str) -> list[str]:
    return [finding.what for finding in getattr(verdict, heading)]


def changed(number: str, **changes: Any) -> Callable[[Evidence], Evidence]:
    """The first attempt to ``number`` with other fields."""

    def change(evidence: Evidence) -> Evidence:
        first = next(item for item in evidence.attempts if item["number"] == number)
        return replace(evidence, attempts=[item | changes if item is first else item for item in evidence.attempts])

    return change


def also_seen(*seen: Sighting) -> Callable[[Evidence], Evidence]:
    return lambda evidence: replace(evidence, sightings=(*evidence.sightings, *seen))


def not_seen(number: str) -> Callable[[Evidence], Evidence]:
    return lambda evidence: replace(
        evidence, sightings=tuple(seen for seen in evidence.sightings if seen.number != number)
    )


def ended_as(number: str, disposition: str | None) -> Callable[[Evidence], Evidence]:
    def change(evidence: Evidence) -> Evidence:
        contacts = {
            key: [item | ({"disposition": disposition} if item["number"] == number else {}) for item in items]
            for key, items in evidence.contacts.items()
        }
        return replace(evidence, contacts=contacts)

    return change


def forgotten(number: str) -> Callable[[Evidence], Evidence]:
    return lambda evidence: replace(
        evidence,
        contacts={k: [i for i in items if i["number"] != number] for k, items in evidence.contacts.items()},
    )


def without_attempt(key: str) -> Callable[[Evidence], Evidence]:
    return lambda evidence: replace(evidence, attempts=[item for item in evidence.attempts if item["id"] != key])


def test_a_run_in_which_all_is_well_holds() -> None:
    assert judge(all_well()) == Verdict()
    assert judge(all_well()).holds


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (also_seen(sighting(ANN, "ghost", 486, 2.0)), "an INVITE that no attempt owns"),
        (without_attempt("a1"), "an INVITE that no attempt owns"),
        (changed(ANN, dialed_at=None), "an INVITE of an attempt that says it was never dialled"),
        (changed(ANN, state="dialing"), "an attempt that is still dialing"),
        (changed(ANN, state="claimed"), "an attempt that is still claimed"),
        (changed(ANN, state="due"), "an attempt that is still due"),
        (not_seen(ANN), "an attempt that tells of a call nobody saw"),
        (changed(ANN, disposition="busy"), "a result that contradicts the peer"),
        (changed(BOB, disposition="no_answer"), "a result that contradicts the peer"),
        (changed(ANN, disposition="failed", hangup_cause="line_lost"), "a call that broke although nothing struck it"),
        (changed(ANN, disposition="failed", hangup_cause="network"), "a call that broke although nothing struck it"),
        (changed(BOB, disposition="failed", hangup_cause="sip_486"), "a result that contradicts the peer"),
        (changed(ANN, disposition="cancelled"), "a result that contradicts the peer"),
        (ended_as(ANN, None), "a contact without a final disposition"),
        (ended_as(ANN, "refused"), "a contact that should have been rung"),
        (forgotten(ANN), "a contact that was taken in and is gone"),
        (lambda e: without_attempt("b2")(not_seen(BOB)(e)), "a retry that was never made"),
        (lambda e: replace(e, undecided=(Key.ONCE,)), "a campaign did not come to its end"),
    ],
)
def test_what_is_lost_is_found(change: Callable[[Evidence], Evidence], what: str) -> None:
    verdict = judge(change(all_well()))
    assert what in whats(verdict, "lost")
    assert not verdict.holds


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (also_seen(sighting(ANN, "a1", 200, 2.0, branch="another")), "several INVITEs of one Call-ID"),
        (also_seen(sighting(ANN, "a1", 200, 2.0, call_id="a1-2@outbound")), "several calls for one attempt"),
        (also_seen(sighting(ANN, "a1", 200, 2.0, call_id="a1-2@outbound")), "rung more often than recorded"),
        (also_seen(sighting(ANN, "a1", 200, 2.0, call_id="a1-2@outbound")), "rung again after somebody had picked up"),
        (also_seen(sighting(BOB, "b1", 486, 2.0, call_id="b1-2@outbound")), "rung again too soon"),
        (changed(BOB, disposition="rejected"), "a retry that the campaign does not permit"),
        (changed(BOB, hangup_cause="line_lost"), "a retry that the campaign does not permit"),
        (changed(BOB, ordinal=2), "attempts that are not numbered one by one"),
    ],
)
def test_what_is_duplicate_is_found(change: Callable[[Evidence], Evidence], what: str) -> None:
    verdict = judge(change(all_well()))
    assert what in whats(verdict, "duplicate")
    assert not verdict.holds


def banned(**ban: Any) -> Callable[[Evidence], Evidence]:
    return lambda evidence: replace(evidence, bans=(*evidence.bans, Ban(why="a test", **ban)))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (also_seen(sighting(DEE, "d1", 486, 2.0)), "rang somebody who must not be: opted out before"),
        (also_seen(sighting(EVE, "e1", 486, 2.0)), "rang somebody who must not be: it is night there"),
        (also_seen(sighting(CY, "c1", 486, 2.1)), "rang after a cancellation was answered"),
        (also_seen(sighting("+12025550199", "x1", 486, 2.1)), "rang somebody who is in no campaign"),
        (banned(since=BEGAN + 4.0, number=BOB), "rang after a test"),
        (banned(since=BEGAN + 1.0, until=BEGAN + 1.15, campaign=Key.ONCE), "rang after a test"),
        (lambda e: replace(e, started={**e.started, Key.ONCE: BEGAN + 2}), "rang before the campaign was started"),
    ],
)
def test_what_is_unlawful_is_found(change: Callable[[Evidence], Evidence], what: str) -> None:
    verdict = judge(change(all_well()))
    assert what in whats(verdict, "unlawful")
    assert not verdict.holds


@pytest.mark.parametrize(
    "change",
    [
        banned(since=BEGAN + 4.2, number=BOB),
        banned(since=BEGAN + 0.5, until=BEGAN + 1.0, campaign=Key.ONCE),
        also_seen(sighting(CY, "c1", 487, 1.9)),
    ],
)
def test_what_was_rung_before_a_ban_or_after_it_is_lawful(change: Callable[[Evidence], Evidence]) -> None:
    assert judge(change(all_well())).unlawful == ()


def struck(kind: Strike, at: float, drained_s: float | None = 1.0) -> Struck:
    return Struck(kind=kind, what="it", at=BEGAN + at, until=BEGAN + at, calls=1, drained_s=drained_s)


def test_a_call_that_a_strike_broke_off_is_settled_and_not_lost() -> None:
    broken = changed(ANN, disposition="failed", hangup_cause="line_lost")(all_well())
    assert judge(replace(broken, struck=(struck(Strike.LINE, 2.0),))).holds
    assert not judge(replace(broken, struck=(struck(Strike.FLUSH, 2.0),))).holds


def test_a_result_that_only_the_journal_knew_is_settled_and_not_lost() -> None:
    untold = changed(ANN, hangup_cause="line_lost")(all_well())
    assert judge(replace(untold, struck=(struck(Strike.DIALER, 9.0),))).holds
    assert not judge(untold).holds


def test_an_undetermined_call_is_told_with_what_struck_it() -> None:
    evidence = changed(ANN, state="undetermined", disposition="undetermined")(all_well())
    evidence = ended_as(ANN, "undetermined")(replace(evidence, struck=(struck(Strike.DIALER, 2.0),)))
    verdict = judge(evidence)
    assert whats(verdict, "undetermined") == ["dialled, then dialer (it) +1.0 s; the peer saw it"]
    assert verdict.holds


@pytest.mark.parametrize(
    "evidence",
    [
        replace(all_well(), struck=(struck(Strike.DRAIN, 2.0, None),)),
        replace(all_well(), stops_s=(1.0, None)),
        replace(all_well(), left_behind=("python -m dialer.line",)),
    ],
)
def test_a_stop_that_failed_and_a_process_left_behind_are_unclean(evidence: Evidence) -> None:
    assert judge(evidence).unclean
    assert not judge(evidence).holds
