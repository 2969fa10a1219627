"""Signatures, secrets, pauses and kinds, as the Standard Webhooks specification and the documentation have them."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from outbound.webhooks import signing
from outbound.webhooks.backoff import LONGEST_S, SCHEDULE_S, pause_s, retry_after_s
from outbound.webhooks.kinds import stream_of, wanted, wants

pytestmark = pytest.mark.unit

NOW = 1_795_000_000.0


def test_the_signature_is_that_of_the_specifications_example() -> None:
    kept = signing.first("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    made = signing.signature(
        kept,
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
        now=NOW,
    )
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_secrets_are_random_and_as_long_as_the_specification_wants() -> None:
    made = {signing.new_secret() for _ in range(50)}
    assert len(made) == 50
    assert all(24 <= len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) <= 64 for secret in made)


@given(body=st.text(max_size=200), turns=st.integers(0, 4))
def test_every_secret_that_has_not_ended_signs(body: str, turns: int) -> None:
    secrets = [signing.new_secret()]
    kept = signing.first(secrets[0])
    for _ in range(turns):
        secrets.insert(0, signing.new_secret())
        kept = signing.rotated(kept, secrets[0], now=NOW, overlap_s=60)
    header = signing.signature(kept, message_id="msg_1", timestamp=1, body=body.encode(), now=NOW + 59)
    assert len(header.split(" ")) == turns + 1
    later = signing.signature(kept, message_id="msg_1", timestamp=1, body=body.encode(), now=NOW + 60)
    assert [later] == header.split(" ")[:1]


def test_a_longer_overlap_does_not_bring_back_time_for_older_secrets() -> None:
    kept = signing.rotated(signing.first("whsec_b2xk"), "whsec_bmV3", now=NOW, overlap_s=60)
    kept = signing.rotated(kept, "whsec_bmV3ZXI=", now=NOW + 30, overlap_s=1000)
    assert [(one["secret"], one["until"]) for one in kept] == [
        ("whsec_bmV3ZXI=", None),
        ("whsec_bmV3", NOW + 1030),
        ("whsec_b2xk", NOW + 60),
    ]
    assert len(signing.rotated(kept, "whsec_eA==", now=NOW, overlap_s=0)) == 1


def test_a_receivers_library_takes_our_secrets() -> None:
    assert Webhook(signing.new_secret())


def test_ten_tries_over_three_days() -> None:
    pauses = [pause_s(tries, 0.0) for tries in range(12)]
    assert pauses == [0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400, None, None]
    assert 3 * 86400 < sum(SCHEDULE_S) < 4 * 86400


@given(tries=st.integers(0, 9), jitter=st.floats(0, 1), asked=st.floats(0, LONGEST_S))
def test_a_pause_is_never_shorter_than_scheduled_or_asked_for(tries: int, jitter: float, asked: float) -> None:
    pause = pause_s(tries, jitter, asked)
    assert pause is not None
    assert max(SCHEDULE_S[tries], asked) <= pause <= max(SCHEDULE_S[tries] * 1.1 + 1e-9, asked)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("", 0),
        ("-5", 0),
        ("soon", 0),
        ("1e9", 0),
        ("\u0663", 0),
        ("9" * 500, LONGEST_S),
        ("Wed, 18 Nov 2026 11:08:20 GMT", 1300),
        ("Wed, 18 Nov 2020 11:08:20 GMT", 0),
        ("Wed, 18 Nov 2099 11:08:20 GMT", LONGEST_S),
        ("Wed, 99 Nov 2026 11:08:20 GMT", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float) -> None:
    assert retry_after_s(header, now=1_794_998_800.0) == seconds


def test_kinds_are_named_or_by_their_beginning() -> None:
    assert wanted("attempt.done", [])
    assert wanted("attempt.done", ["*"])
    assert wanted("attempt.done", ["campaign.*", "attempt.*"])
    assert wanted("attempt.done", ["attempt.done"])
    assert not wanted("attempt.done", ["attempt", "attempt.du*e", "call.*"])


def test_a_webhook_of_a_campaign_gets_what_is_of_it() -> None:
    event = {"id": 7, "kind": "attempt.due", "campaign_id": "C", "attempt_id": "A"}
    assert wants({"kinds": [], "campaign_id": None}, event)
    assert wants({"kinds": [], "campaign_id": "C"}, event)
    assert not wants({"kinds": [], "campaign_id": "D"}, event)
    assert not wants({"kinds": [], "campaign_id": "D"}, event | {"campaign_id": None})
    assert not wants({"kinds": ["*"], "campaign_id": None}, event | {"kind": "webhook.test"})


def test_order_is_kept_within_an_attempt_else_within_a_campaign() -> None:
    event = {"id": 7, "kind": "call.answered", "campaign_id": "C", "attempt_id": "A"}
    assert stream_of(event) == "A"
    assert stream_of(event | {"attempt_id": None}) == "C"
    assert stream_of(event | {"attempt_id": None, "kind": "contact.reconsidered"}) == "7"
    assert stream_of(event | {"attempt_id": None, "campaign_id": None}) == "7"
