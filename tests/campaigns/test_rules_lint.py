"""The lint of rule packs: what it finds in packs that can be read, and that the built-in ones are clean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from campaigns.flow.findings import Severity
from campaigns.rules import RulePack, built_in_packs, load_pack, merge, read_pack
from campaigns.rules.lint import Finding, is_national, lint
from campaigns.understanding.messages import MessageMeaning, read_message

pytestmark = pytest.mark.unit

TODAY = date(2026, 11, 25)
BOTH = {"purposes": ["marketing"], "channels": ["voice", "sms"], "source": "a law", "mark": "V"}
WHOLE: dict[str, Any] = {
    "name": "xx",
    "title": "Xanadu",
    "version": "1",
    "effective_from": date(2020, 1, 1),
    "jurisdictions": ["XX"],
    "hours": [{**BOTH, "id": "hours", "windows": ["daily 09:00-20:00"]}],
    "consents": [{**BOTH, "id": "consent", "needs": "express"}],
    "opt_out": {"words": ["STOP"], "wording": {"en": "Reply STOP."}},
}


def found(changes: dict[str, Any], **options: Any) -> list[Finding]:
    """What is said of Xanadu's pack, changed so, among the built-in ones."""
    data = {key: value for key, value in {**WHOLE, **changes}.items() if value is not None}
    packs = merge(built_in_packs(), [read_pack(data, file="xx.toml")])
    return [finding for finding in lint(packs, **options) if finding.pack == "xx"]


def messages(findings: Iterable[Finding]) -> list[str]:
    return [str(finding) for finding in findings]


def test_built_in_packs_have_no_error_and_no_warning_but_of_what_has_ended() -> None:
    expected = ["fr#bloctel: warning: it has not held since 2026-08-11; keep it for old receipts, or remove it"]

    assert messages(lint(built_in_packs(), today=TODAY)) == expected


@pytest.mark.parametrize("pack", [pack for pack in built_in_packs() if is_national(pack)], ids=lambda pack: pack.name)
def test_every_national_pack_is_whole(pack: RulePack) -> None:
    for channel in ("voice", "sms"):
        assert any(rule.covers("marketing", channel) for rule in pack.hours)
        assert any(rule.covers("marketing", channel) for rule in pack.consents)
    assert any(rule.covers("marketing", "voice") and rule.when == "start" for rule in pack.disclosures)
    assert pack.opt_out.words
    assert "en" in pack.opt_out.wording
    assert all(register.lifted_by for register in pack.registers)


@pytest.mark.parametrize("pack", built_in_packs(), ids=lambda pack: pack.name)
def test_opt_out_words_are_understood(pack: RulePack) -> None:
    region = pack.jurisdictions[0].partition("-")[0] if pack.jurisdictions else ""

    for word in pack.opt_out.words:
        assert read_message(word, region=region) is MessageMeaning.OPT_OUT, word


def test_whole_pack_is_clean() -> None:
    assert found({}, today=TODAY, holiday_countries=["FR"]) == []


@pytest.mark.parametrize("channel", ["voice", "sms"])
@pytest.mark.parametrize(("key", "what"), [("hours", "hours"), ("consents", "consent")])
def test_country_without_hours_or_consent_on_a_channel(key: str, what: str, channel: str) -> None:
    other = {"voice": "sms", "sms": "voice"}[channel]
    (finding,) = found({key: [{**WHOLE[key][0], "channels": [other]}]})

    assert finding.severity is Severity.ERROR
    assert finding.message == f"there is no {what} for marketing by {channel} in XX"
    assert f"add [[{key}]]" in finding.remedy


def test_hours_that_end_are_no_hours_for_good() -> None:
    (finding, _) = found({"hours": [{**WHOLE["hours"][0], "until": date(2030, 1, 1)}]})

    assert finding.message == "there is no hours for marketing by voice in XX"


def test_pack_without_hours_leaves_them_to_the_default() -> None:
    assert found({"hours": None, "consents": None}) == []


def test_a_second_pack_of_a_country_need_not_say_everything() -> None:
    only_voice = {**WHOLE["hours"][0], "channels": ["voice"]}
    findings = found({"jurisdictions": ["FR"], "hours": [only_voice], "consents": None})

    assert [(finding.severity, finding.message) for finding in findings] == [
        (Severity.WARNING, "FR has hours in the pack 'fr' too")
    ]


def test_default_must_speak_for_both_channels() -> None:
    packs = [pack for pack in built_in_packs() if pack.name != "default"]

    assert [finding.message for finding in lint(packs)] == [
        f"there is no {what} for marketing by {channel} in countries without a pack"
        for channel in ("voice", "sms")
        for what in ("hours", "consent")
    ]


def test_rules_that_forbid_nothing() -> None:
    rules = {
        "hours": [*WHOLE["hours"], {**BOTH, "id": "always", "windows": ["daily 00:00-24:00"]}],
        "consents": [*WHOLE["consents"], {**BOTH, "id": "none", "needs": "none"}],
        "caps": [
            {**BOTH, "id": "strict", "attempts": 2, "per": "24 hours"},
            {**BOTH, "id": "lax", "attempts": 3, "per": "8 hours"},
            {**BOTH, "id": "longer", "attempts": 10, "per": "7 days"},
            {**BOTH, "id": "calendar", "attempts": 3, "per": "1 calendar day"},
        ],
    }

    assert [(finding.rule, finding.message) for finding in found(rules)] == [
        ("always", "it is open all the week"),
        ("lax", "it forbids nothing that strict does not forbid before"),
        ("none", "it asks for no consent"),
    ]


def test_limits_of_abandoned_calls_that_limit_nothing() -> None:
    calls = {**BOTH, "channels": ["voice"]}
    limits = [
        {**calls, "id": "strict", "share": 0.02, "per": "24 hours"},
        {**calls, "id": "lax", "share": 0.03, "per": "1 day"},
        {**calls, "id": "longer", "share": 0.03, "per": "30 days"},
        {**calls, "id": "wider", "share": 0.03, "per": "1 day", "purposes": ["marketing", "informational"]},
        {**calls, "id": "later", "share": 0.03, "per": "1 day", "from": date(2027, 1, 1)},
    ]
    every = {**calls, "id": "every", "share": 1, "per": "7 days"}

    assert [(finding.rule, finding.message) for finding in found({"abandonment": [*limits, every]})] == [
        ("every", "it lets every call be abandoned"),
        ("lax", "it limits nothing that strict does not limit before"),
    ]
    assert found({"abandonment": limits[:1] + limits[2:]}) == []
    none = {**calls, "id": "none", "share": 0, "per": "24 hours"}
    assert [finding.rule for finding in found({"abandonment": [none, limits[2]]})] == ["longer"]


def test_hours_that_only_close_holidays_do_forbid_something() -> None:
    rules = {
        "holidays": {"country": "XX"},
        "hours": [*WHOLE["hours"], {**BOTH, "id": "days", "windows": ["daily 00:00-24:00"], "closed_on": ["holiday"]}],
    }

    assert found(rules) == []


def test_dates_are_judged_only_when_the_day_is_told() -> None:
    rules = {
        "hours": [*WHOLE["hours"], {**BOTH, "id": "next", "windows": ["mon 09:00-20:00"], "from": date(2027, 1, 1)}],
        "caps": [{**BOTH, "id": "last", "attempts": 1, "per": "1 hour", "until": date(2026, 11, 25)}],
    }

    assert found(rules) == []
    assert [(finding.rule, finding.message) for finding in found(rules, today=TODAY)] == [
        ("last", "it has not held since 2026-11-25"),
        ("next", "it holds only from 2027-01-01 on"),
    ]


def test_country_without_holidays_that_can_be_looked_up() -> None:
    hours = [{**WHOLE["hours"][0], "closed_on": ["holiday"]}]

    (finding,) = found({"holidays": {"country": "ZZ-AB"}, "hours": hours}, holiday_countries=["FR"])

    assert finding.severity is Severity.ERROR
    assert finding.message == "no holidays can be looked up for 'ZZ'"
    assert found({"holidays": {"country": "FR-57"}, "hours": hours}, holiday_countries=["FR"]) == []


def test_holidays_that_no_hours_speak_of() -> None:
    (finding,) = found({"holidays": {"country": "XX"}})

    assert finding.message == "it has [holidays], but no hours that speak of them"


def test_register_that_consent_does_not_lift() -> None:
    (finding,) = found({"registers": [{**BOTH, "id": "r", "register": "xx", "max_age_days": 31}]})

    assert (finding.rule, finding.severity) == ("r", Severity.WARNING)


def test_national_pack_without_opt_out_terms() -> None:
    (finding,) = found({"opt_out": None})

    assert "how customers are told to stop" in finding.message


def test_errors_come_first() -> None:
    broken = replace(load_pack("gb"), consents=())
    findings = lint(merge(built_in_packs(), [broken]), today=TODAY)

    assert [finding.severity for finding in findings] == [Severity.ERROR, Severity.ERROR, Severity.WARNING]
