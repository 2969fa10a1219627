"""The verdict of a rehearsal and its table: what holds, what does not, and where to look."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from campaigns.dispositions import Disposition
from outbound.rehearsal import table
from outbound.rehearsal.verdict import Expected, Proof, Rings, Story, judge, judge_rings

pytestmark = pytest.mark.unit

STORY = Story(
    campaign="shipping-alert",
    number="+12025550101",
    name="Ada Bell",
    behaviour="says yes",
    expected=Expected(dispositions=frozenset({Disposition.ACCEPTED}), attempts=1),
    disposition="accepted",
    attempts=(
        {
            "outcome": "will_be_home",
            "transcript": [
                {"who": "robot", "text": "Hello, this is the automated assistant of Northwind Parcels calling."},
                {"who": "customer", "text": "Yes, please."},
                {"who": "robot", "text": "Goodbye [x]."},
            ],
        },
    ),
    answer_to_audio_s=0.214,
    turn_gaps_s=(0.8, 0.75),
    recordings=("tapes/1.wav",),
    log="logs/1.log",
)
PROOF = Proof(what="the agent's words", words="hello", heard="hello", share_of_words=1.0)


def test_a_story_as_expected_has_only_findings_that_hold() -> None:
    findings = judge(replace(STORY, proofs=(PROOF,)))
    assert [(finding.holds, finding.expected) for finding in findings] == [
        (True, "accepted"),
        (True, "rung once"),
        (True, "heard the agent's words"),
    ]
    assert all(finding.evidence == () for finding in findings)
    assert [finding.note for finding in findings] == ["", "", "“hello” (100% of its words)"]


@pytest.mark.parametrize(
    ("change", "expected", "happened"),
    [
        ({"disposition": "declined"}, "accepted", "declined"),
        ({"disposition": ""}, "accepted", "came to no end"),
        ({"attempts": ()}, "rung once", "not rung"),
        (
            {"proofs": (replace(PROOF, heard="", share_of_words=0.1, share_of_sound=0.2),)},
            "heard the agent's words",
            "heard “nothing” (10% of its words, 20% of its sound)",
        ),
        (
            {"expected": Expected(dispositions=frozenset(), receipt="opted_out"), "refusal": "outside_hours"},
            "receipt opted_out",
            "receipt outside_hours",
        ),
        ({"expected": Expected(dispositions=frozenset()), "disposition": ""}, "an end", "came to no end"),
    ],
)
def test_what_is_wrong_is_said_with_its_evidence(change: dict[str, object], expected: str, happened: str) -> None:
    wrong = [finding for finding in judge(replace(STORY, **change)) if not finding.holds]  # type: ignore[arg-type]
    assert [(finding.expected, finding.happened) for finding in wrong] == [(expected, happened)]
    assert wrong[0].who == "Ada Bell (shipping-alert)"
    assert wrong[0].evidence == ("tapes/1.wav", "logs/1.log")


@pytest.mark.parametrize(
    ("words", "sound", "holds"), [(0.5, None, True), (0.4, None, False), (0.0, 0.6, True), (0.9, 0.5, False)]
)
def test_a_proof_needs_the_sound_where_there_is_one_else_the_words(
    words: float, sound: float | None, holds: bool
) -> None:
    assert replace(PROOF, share_of_words=words, share_of_sound=sound).holds is holds


@pytest.mark.parametrize(("seen", "dialled", "holds"), [(1, 1, True), (2, 1, False), (0, 1, False), (0, 0, True)])
def test_every_ring_is_an_attempt_and_every_attempt_rang(seen: int, dialled: int, holds: bool) -> None:
    assert judge_rings(Rings(number="+12025550101", name="Ada", seen=seen, dialled=dialled)).holds is holds


def test_the_table_shows_talk_timing_and_every_expectation() -> None:
    out = io.StringIO()
    wrong = replace(STORY, name="Ben [b]", disposition="declined")
    findings = [*judge(STORY), *judge(wrong)]
    table.show(Console(file=out, width=160), [STORY, wrong], findings)
    shown = out.getvalue()
    for expected in ("Ada Bell", "shipping-alert", "accepted", "will_be_home", "0.21 s", "0.80 s", "› Yes, please."):
        assert expected in shown
    assert "‹ Hello, this is the automated assistant of Northwind Parcels calling." in shown
    assert "‹ Goodbye [x]." in shown
    assert "✓ Ada Bell (shipping-alert): accepted" in shown
    assert (
        "✗ Ben [b] (shipping-alert): expected accepted, but declined\n    see tapes/1.wav\n    see logs/1.log" in shown
    )
    assert "1 of 4 expectations did not hold." in shown


@pytest.mark.parametrize("width", [80, 100, 130])
def test_the_table_fits_the_terminal_and_loses_no_column(width: int) -> None:
    out = io.StringIO()
    table.show(Console(file=out, width=width), [replace(STORY, campaign="membership-renewal")], [])
    shown = out.getvalue()
    assert all(len(line) <= width for line in shown.splitlines())
    for expected in ("membership-renewal", "will_be_home", "Tries", "0.21 s", "0.75 s"):
        assert expected in shown


def test_the_table_of_somebody_never_rung_is_empty_where_nothing_is_known() -> None:
    out = io.StringIO()
    unrung = replace(
        STORY, attempts=(), disposition="refused", refusal="opted_out", answer_to_audio_s=None, turn_gaps_s=()
    )
    table.show(Console(file=out, width=160), [unrung], [])
    assert "opted_out" in out.getvalue()
    assert "All 0 expectations held." in out.getvalue()
