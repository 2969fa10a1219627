"""The evidence for an answering machine, and what takes it back."""

from __future__ import annotations

import pytest

from dialer.machine import MachineWatch

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("intent", "started_s", "lasted_s", "evidence"),
    [
        ("voicemail", 8.0, 1.0, "words"),
        (None, 0.4, 6.0, "long_greeting"),
        ("greeting", 0.4, 6.0, "long_greeting"),
        (None, 0.4, 1.2, ""),
        (None, 6.0, 6.0, ""),
        ("yes", 0.4, 6.0, ""),
    ],
    ids=["words", "long", "long hello", "hello?", "a long answer", "a long yes"],
)
def test_an_utterance_is_weighed(intent: str | None, started_s: float, lasted_s: float, evidence: str) -> None:
    watch = MachineWatch()
    assert watch.words(intent, started_s=started_s, lasted_s=lasted_s) is bool(evidence)
    assert watch.evidence == evidence


def test_a_beep_is_a_machine_while_a_greeting_may_last() -> None:
    late, early = MachineWatch(), MachineWatch()
    assert not late.beep(at_s=90.0)
    assert not late.evidence
    assert early.beep(at_s=9.0)
    assert early.evidence == "beep"


@pytest.mark.parametrize(
    ("intent", "lasted_s", "human"),
    [("yes", 0.6, True), ("yes", 5.0, False), (None, 0.6, False), ("voicemail", 0.6, False)],
)
def test_a_short_reply_that_means_something_is_a_human(intent: str | None, lasted_s: float, human: bool) -> None:
    watch = MachineWatch()
    watch.words(None, started_s=0.2, lasted_s=5.0)
    assert watch.revoked_by(intent, lasted_s=lasted_s) is human
    assert watch.evidence == ("" if human else "long_greeting")


def test_nothing_said_after_the_beep_is_a_human() -> None:
    watch = MachineWatch()
    watch.beep(at_s=5.0)
    assert not watch.revoked_by("yes", lasted_s=0.5)


def test_a_key_takes_everything_back() -> None:
    watch = MachineWatch()
    watch.beep(at_s=5.0)
    watch.revoke()
    assert not watch.evidence
