"""Documents: what cannot be read is refused all at once, by name, with the nearest alternative."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from campaigns.flow.document import FlowError, parse_flow
from campaigns.flow.variables import check_values
from tests.campaigns.flows import BASE, document, flow

pytestmark = pytest.mark.unit

ASK = BASE["steps"]["offer"]

MALFORMED: list[tuple[str, dict[str, Any], str]] = [
    # (code, changes, words of the finding)
    ("unknown_key", {"step": {}}, "Did you mean 'steps'?"),
    ("unknown_key", {"steps": {"offer": {**ASK, "otherwize": "bye"}}}, "Did you mean 'otherwise'?"),
    ("unknown_key", {"steps": {"offer": {**ASK, "answers": {"yes": {"key": 1, "than": "bye"}}}}}, "answers.yes.than"),
    ("unknown_key", {"anytime": {"optout": "stop"}}, "Did you mean 'opt_out'?"),
    ("unknown_type", {"steps": {"bye": {"type": "hangupp"}}}, "Did you mean 'hangup'?"),
    ("unknown_language", {"languages": ["en", "xx"]}, "There is en, zh."),
    ("unknown_intent", {"steps": {"offer": {**ASK, "answers": {"a": {"intents": ["yess"], "then": "bye"}}}}}, "'yes'"),
    ("unknown_filter", {"steps": {"bye": {"type": "hangup", "say": "{{price | mony}}"}}}, "Did you mean 'money'?"),
    ("unknown_value", {"steps": {"stop": {"type": "opt_out", "scope": "some"}}}, "scope is 'some'"),
    ("unknown_value", {"steps": {"bye": {"type": "hangup", "disposition": "opted_out"}}}, "disposition"),
    ("unknown_step", {"anytime": {"agent": "bye"}}, "It must be a step of type handoff."),
    ("ambiguous_anytime", {"steps": {"more": {"type": "opt_out"}}}, "anytime: {opt_out: …}"),
    ("undeclared_language", {"steps": {"bye": {"type": "hangup", "say": {"fr": "Au revoir."}}}}, "'fr'"),
    ("template", {"steps": {"bye": {"type": "hangup", "say": "{{price"}}}, "without the other"),
    ("template", {"steps": {"bye": {"type": "hangup", "say": "{{}}"}}}, "names no variable"),
    ("markup", {"steps": {"bye": {"type": "hangup", "say": "<b>Bye</b>"}}}, "plain words"),
    ("missing", {"name": None}, "name is missing"),
    ("missing", {"steps": {"bye": {"say": "Bye."}}}, "type is missing"),
    ("missing", {"steps": {"bye": {"type": "set", "then": "offer"}}}, "values is missing"),
    ("missing", {"steps": {"bye": {"type": "branch", "variable": "price", "otherwise": "offer"}}}, "cases is missing"),
    ("missing", {"steps": {"offer": {"type": "ask", "say": "?", "otherwise": "bye"}}}, "answers is missing"),
    ("bad_name", {"variables": {"key_agent": {}}}, "key_agent"),
    ("bad_name", {"steps": {"Bye Bye": {"type": "hangup"}}}, "Bye Bye"),
    ("bad_key", {"keys": {"opt_out": "99"}}, "0 to 9 or *"),
    ("out_of_range", {"steps": {"offer": {**ASK, "timeout_s": 900}}}, "from 2 to 30"),
    ("not_a_number", {"steps": {"offer": {**ASK, "limit": "two"}}}, "whole number"),
    ("not_a_mapping", {"steps": {"bye": "hangup"}}, "steps.bye"),
    ("not_a_mapping", {"variables": ["business"]}, "variables"),
    ("not_text", {"title": ["x"]}, "title"),
    ("voicemail", {"voicemail": "maybe"}, "hangup"),
]


@pytest.mark.parametrize(("code", "changes", "words"), MALFORMED)
def test_what_cannot_be_read_is_refused(code: str, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(FlowError) as caught:
        flow(**changes)
    fitting = [finding for finding in caught.value.findings if finding.code == code and words in str(finding)]
    assert fitting, str(caught.value)
    assert fitting[0].file == "tested.yaml"
    assert caught.value.code == "flow_invalid"
    assert caught.value.retryable is False


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(FlowError) as caught:
        flow(colour="red", steps={"bye": {"type": "hangup", "say": "{{x | y}}", "tune": 1}, "offer": {"type": "aks"}})
    steps = {(finding.step, finding.code) for finding in caught.value.findings}
    assert {("", "unknown_key"), ("bye", "unknown_filter"), ("bye", "unknown_key"), ("offer", "unknown_type")} <= steps


@pytest.mark.parametrize("document", [[], "flow", None, 7, {}])
def test_no_document_at_all_is_refused(document: Any) -> None:
    with pytest.raises(FlowError):
        parse_flow(document, source="nothing.yaml")


def test_yes_and_no_may_be_written_bare_in_yaml() -> None:
    bare = yaml.safe_load("yes: {key: 1, then: bye}\nno: {key: 2, intents: [no], then: bye}")
    assert bare.keys() == {True, False}
    parsed = flow(steps={"offer": {**ASK, "answers": bare}})
    assert [answer.name for answer in parsed.steps["offer"].answers] == ["yes", "no"]  # type: ignore[attr-defined]


def test_what_works_at_any_time_is_found_by_its_type_or_named() -> None:
    assert dict(flow().anytime) == {"agent": "person", "call_later": "later", "opt_out": "stop"}
    two = flow(anytime={"opt_out": "more"}, steps={"more": {"type": "opt_out", "scope": "purpose"}})
    assert two.anytime["opt_out"] == "more"


def test_a_flow_may_say_its_own_sentences() -> None:
    own = flow(wording={"goodbye": "Cheerio."})
    assert own.words("goodbye").texts["en"].source == "Cheerio."
    assert flow().words("goodbye").texts["en"].source == "Thank you. Goodbye."


def test_the_required_variables_are_known() -> None:
    assert flow().required == ("business",)


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("money", "lots", "variable_unreadable"),
        ("date", "tomorrow", "variable_unreadable"),
        ("window", "morning", "variable_unreadable"),
        ("time", "25:00", "variable_unreadable"),
        ("money", "", "variable_missing"),
        ("money", "49.90 USD", None),
        ("date", "2026-12-05", None),
        ("window", "9:00-12:00", None),
        ("text", "anything", None),
    ],
)
def test_values_are_checked_before_anybody_is_called(kind: str, value: str, code: str | None) -> None:
    declared = flow(variables={"business": {}, "x": {"type": kind, "example": "like this"}}).variables
    found = check_values(declared, {"business": "B", "x": value, "extra": "ignored"}, file="f.yaml")
    assert [finding.code for finding in found] == ([code] if code else [])
    assert all("like this" in finding.remedy for finding in found)


def test_the_document_is_not_changed_by_reading_it() -> None:
    given = document()
    parse_flow(given, source="tested.yaml")
    assert given == document()
