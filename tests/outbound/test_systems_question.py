"""What a system of the business is sent, and how what it answers is read."""

from __future__ import annotations

import json
import time

import pytest
from standardwebhooks import Webhook

from campaigns.flow.effects import Request
from campaigns.flow.inputs import Replied
from outbound.systems.question import LONGEST_VALUE, MOST_VALUES, Question, read_answer
from outbound.webhooks import signing

pytestmark = pytest.mark.unit

REQUEST = Request(system="parcels", operation="change_day", values={"day": "周五"}, deadline_s=8, key="change-1")
QUESTION = Question(id="A-change-1", attempt_id="A", request=REQUEST, asked_at=1764000000.0)


def test_every_try_sends_the_same_question_under_the_same_key() -> None:
    secrets = signing.first(signing.new_secret())
    first, second = (QUESTION.headers(secrets, QUESTION.body(), now=now) for now in (1764000000.0, 1764000002.0))
    same = ("Idempotency-Key", "webhook-id", "Content-Type")
    assert [first[name] for name in same] == [second[name] for name in same]
    assert first["webhook-timestamp"] != second["webhook-timestamp"]
    assert first["Idempotency-Key"] == '"A-change-1"'
    told = json.loads(QUESTION.body())
    assert told == {
        "id": "A-change-1",
        "operation": "change_day",
        "values": {"day": "周五"},
        "attempt_id": "A",
        "trial": False,
        "asked_at": 1764000000.0,
    }


def test_it_is_signed_as_the_specification_says_with_every_secret_in_force() -> None:
    now = time.time()
    old, new = signing.new_secret(), signing.new_secret()
    secrets = signing.rotated(signing.first(old), new, now=now, overlap_s=60)
    headers = QUESTION.headers(secrets, QUESTION.body(), now=now)
    for secret in (old, new):
        assert Webhook(secret).verify(QUESTION.body(), headers)["operation"] == "change_day"


@pytest.mark.parametrize(
    ("body", "reply"),
    [
        (b'{"result": "ok"}', Replied(result="ok")),
        (b'{"result": "ok", "values": null}', Replied(result="ok")),
        (
            '{"result": "two", "values": {"day": "周五", "left": 3, "price": 4.5, "free": true, "no": null}}'.encode(),
            Replied(result="two", values={"day": "周五", "left": "3", "price": "4.5", "free": "yes", "no": ""}),
        ),
        (b'{"result": "ok", "more": {"is": ["not read"]}}', Replied(result="ok")),
    ],
)
def test_an_answer_is_read(body: bytes, reply: Replied) -> None:
    assert read_answer(body) == reply


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "no JSON"),
        (b"\xff", "no JSON"),
        (b"<html>", "no JSON"),
        (b'["ok"]', "no JSON object"),
        (b"{}", 'no "result"'),
        (b'{"result": 1}', 'no "result"'),
        (b'{"result": "Very Good!"}', 'no "result"'),
        (b'{"result": "ok", "values": [1]}', '"values" of its answer'),
        (json.dumps({"result": "ok", "values": {f"v{n}": n for n in range(MOST_VALUES + 1)}}).encode(), "at most 50"),
        (b'{"result": "ok", "values": {"Day": "x"}}', "values.Day"),
        (b'{"result": "ok", "values": {"day": {"x": 1}}}', "values.day"),
        (json.dumps({"result": "ok", "values": {"day": "x" * (LONGEST_VALUE + 1)}}).encode(), "values.day"),
    ],
)
def test_what_cannot_be_used_says_what_is_wrong_with_it(body: bytes, problem: str) -> None:
    reply = read_answer(body)
    assert problem in reply.problem
    assert (reply.result, reply.values) == ("", {})
