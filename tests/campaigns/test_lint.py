"""The lint: each thing it refuses has a case, and a good flow has none."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from campaigns.flow import lint as lint_module
from campaigns.flow import steps
from campaigns.flow.document import FlowError, parse_flow
from campaigns.flow.findings import Severity
from campaigns.flow.lint import accept_flow, lint
from tests.campaigns.flows import BASE, document, flow

pytestmark = pytest.mark.unit

ASK = BASE["steps"]["offer"]
YES, NO = {"key": 1, "then": "bye"}, {"key": 2, "then": "bye"}
IDENTIFY = {"type": "identify", "then": "offer"}
COLLECT = {"type": "collect", "say": "Code?", "save_as": "code", "then": "bye", "otherwise": "bye"}

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    # what is wrong: (changes, step that is named)
    "dead_end": ({"steps": {"hello": {"type": "identify", "say": "The robot of {{business}}."}}}, "hello"),
    "unknown_step": ({"steps": {"hello": {**IDENTIFY, "say": "The robot of {{business}}.", "then": "ofer"}}}, "hello"),
    "no_end": (
        {"steps": {"offer": {**ASK, "answers": {"yes": {"key": 1, "then": "offer"}}, "otherwise": "offer"}}},
        "offer",
    ),
    "loop": ({"steps": {"bye": {"type": "say", "say": "Round.", "then": "bye"}}}, "bye"),
    "no_human": ({"steps": {"person": None, "later": None}}, "offer"),
    "no_opt_out": ({"steps": {"stop": None}}, ""),
    "narrow_opt_out": ({"steps": {"stop": {"type": "opt_out", "scope": "purpose"}}}, "stop"),
    "no_identification": ({"start": "offer"}, "offer"),
    "no_robot": ({"steps": {"hello": {**IDENTIFY, "say": "Hello, this is {{business}}."}}}, "hello"),
    "unknown_variable": ({"steps": {"bye": {"type": "hangup", "say": "Bye {{custmer}}."}}}, "bye"),
    "unset_variable": (
        {
            "steps": {
                "offer": {**ASK, "save_as": "said"},
                "hello": {**IDENTIFY, "say": "Robot of {{business}} {{said}}"},
            }
        },
        "hello",
    ),
    "missing_language": ({"languages": ["en", "zh"]}, "hello"),
    "missing_prompt": ({"steps": {"hello": {"type": "say", "then": "offer"}}}, "hello"),
    "no_digit": ({"steps": {"offer": {**ASK, "answers": {"yes": {"then": "bye"}, "no": NO}}}}, "offer"),
    "no_speech": ({"steps": {"offer": {**ASK, "answers": {"maybe": YES, "no": NO}}}}, "offer"),
    "duplicate_digit": ({"steps": {"offer": {**ASK, "answers": {"yes": YES, "no": YES}}}}, "offer"),
    "reserved_digit": ({"keys": {"opt_out": 1}}, "offer"),
    "option_unreadable": ({"steps": {"later": {"type": "book", "options": {"1": "soonish"}}}}, "later"),
    "limit": ({"steps": {"offer": {**ASK, "limit": 9}}}, "offer"),
    "voicemail_missing": ({"voicemail": None}, ""),
    "untold_key": ({"steps": {"offer": {**ASK, "say": "Renew?"}}}, ""),
}
WARNED: dict[str, tuple[dict[str, Any], str]] = {
    "unreachable": ({"steps": {"alone": {"type": "hangup"}}}, "alone"),
    "opening_not_static": (
        {"steps": {"hello": {**IDENTIFY, "say": "{{customer}}, the robot of {{business}}."}}},
        "hello",
    ),
    "voicemail_number": ({}, ""),
    "long_prompt": ({"steps": {"bye": {"type": "hangup", "say": "Goodbye and all that. " * 20}}}, "bye"),
}


@pytest.mark.parametrize("code", REFUSED)
def test_it_refuses(code: str) -> None:
    changes, step = REFUSED[code]
    found = [finding for finding in lint(flow(**changes)) if finding.code == code]
    assert found, f"{code} was not found"
    assert found[0].step == step
    assert found[0].severity is Severity.ERROR
    assert found[0].file == "tested.yaml"
    assert found[0].message.endswith(".")
    assert found[0].remedy
    with pytest.raises(FlowError) as caught:
        accept_flow(document(**changes), source="tested.yaml")
    assert code in {finding.code for finding in caught.value.findings}


@pytest.mark.parametrize("code", WARNED)
def test_it_warns(code: str) -> None:
    changes, step = WARNED[code]
    found = [finding for finding in lint(flow(**changes)) if finding.code == code]
    assert [(finding.step, finding.severity) for finding in found] == [(step, Severity.WARNING)]
    accept_flow(document(**changes), source="tested.yaml")


def test_every_code_of_the_lint_has_a_case() -> None:
    files = [Path(lint_module.__file__), *Path(steps.__path__[0]).glob("*.py")]
    sources = "".join(path.read_text(encoding="utf-8") for path in files)
    named = re.findall(r'(?:_finding\(\s*\w+,[^"]*(?:"",\s*)?|wrong\(\s*)"([a-z_]+)"', sources)
    of_the_parser = {"missing", "bad_name", "unknown_intent", "unknown_value"}
    assert {*named, "reserved_digit", "unknown_variable"} - of_the_parser == {*REFUSED, *WARNED}


def test_a_good_flow_has_no_errors() -> None:
    assert [finding.code for finding in lint(flow())] == ["voicemail_number"]
    assert accept_flow(document(), source="tested.yaml").name == "tested"


def test_a_voicemail_message_names_the_business() -> None:
    found = lint(flow(voicemail={"leave": "Call {{price}}."}))
    assert "no_identification" in {finding.code for finding in found}


def test_one_digit_cannot_be_collected_beside_the_keys() -> None:
    found = lint(flow(steps={"bye": {**COLLECT, "least": 1}}))
    assert ("bye", "reserved_digit") in {(finding.step, finding.code) for finding in found}
    found = lint(flow(keys={"opt_out": 3}))
    assert ("later", "reserved_digit") in {(finding.step, finding.code) for finding in found}


def test_a_loop_is_told_with_its_way() -> None:
    changes = {
        "offer": {"type": "say", "say": "A.", "then": "bye"},
        "bye": {"type": "branch", "variable": "price", "cases": [{"is": "1", "then": "offer"}], "otherwise": "silent"},
    }
    found = [finding for finding in lint(flow(steps=changes)) if finding.code == "loop"]
    assert [finding.message for finding in found] == ["offer -> bye -> offer goes in a circle without listening."]


def test_a_value_is_known_only_where_every_way_sets_it() -> None:
    both = {
        "offer": {**ASK, "answers": {"yes": {"key": 1, "then": "code"}, "no": {"key": 2, "then": "bye"}}},
        "code": {**COLLECT, "least": 4, "otherwise": "silent"},
        "bye": {"type": "hangup", "say": "Bye {{code}}."},
    }
    assert "unset_variable" in {finding.code for finding in lint(flow(steps=both))}
    both["offer"]["answers"]["no"]["then"] = "silent"
    assert "unset_variable" not in {finding.code for finding in lint(flow(steps=both))}


def test_the_nearest_name_is_offered() -> None:
    found = [finding for finding in lint(flow(**REFUSED["unknown_step"][0])) if finding.code == "unknown_step"]
    assert found[0].remedy == "Did you mean 'offer'?"
    assert str(found[0]) == (
        "tested.yaml: step hello: then names 'ofer', which is no step. Did you mean 'offer'? [unknown_step]"
    )


def test_findings_are_gathered_not_the_first_only() -> None:
    changes = {"offer": {**ASK, "limit": 9, "otherwise": ""}, "stop": None}
    with pytest.raises(FlowError) as caught:
        accept_flow(document(steps=changes), source="tested.yaml")
    assert {"limit", "dead_end", "no_opt_out"} <= {finding.code for finding in caught.value.findings}


def test_the_lint_reads_what_the_parser_reads() -> None:
    assert lint(parse_flow(document(), source="other.yaml"))[0].file == "other.yaml"


def test_sentences_of_the_flows_own_may_name_what_the_built_in_ones_name() -> None:
    own = {"unsure": "Was that {{heard}}?", "collect_confirm": "Is it {{value}}?"}
    assert "unknown_variable" not in {finding.code for finding in lint(flow(wording=own))}
    assert "unknown_variable" in {finding.code for finding in lint(flow(wording={"who": "I am {{heard}}."}))}
