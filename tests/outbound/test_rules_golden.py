"""Golden cases of every rule pack, in tests/campaigns/golden/rules/<pack>.yaml: both sides of every edge.

They run here because holidays come from the library. All times are the customer's wall clock. A file has:

``place``: zone, jurisdictions, subdivision; the packs are those that apply there. ``at``: an ordinary instant.
``weeks``: what one rule of hours leaves open of an ordinary week, Monday first (``same``: as Monday).
``days``: what is open of a day; ``then`` is the next permitted instant after it, ``rule`` which rule closes it.
``cases``: one question each: ``consent``, ``history``, ``refused``, ``registers`` -> ``code``, ``rule``, ``next``.
``consents``, ``registers``: the weakest consent that is enough, and how old a list may be.
``abandonment``: which share of answered calls may find no agent in so many days; ``others``: what else holds there.
``alone``, and everywhere in weeks, consents and registers: the regime is made of this one rule only, where stricter
ones would hide it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from campaigns.dispositions import ANSWERED
from campaigns.gate import Consent, Decision, Question, Reached, Refusal, Regime, RegisterFact, compile_regime, decide
from campaigns.gate import Zone as GateZone
from campaigns.pacing import Abandonment, Limit, target
from campaigns.rules import CONSENT_RANK, AbandonmentLimit, Calendar, RulePack, applicable, built_in_packs, load_pack
from campaigns.rules.windows import second_of_day
from outbound.gatehouse.calendars import calendar_of
from outbound.gatehouse.rulebook import Edition, abandonment_limits

pytestmark = pytest.mark.integration

FOLDER = Path(__file__).resolve().parents[1] / "campaigns" / "golden" / "rules"
KINDS = ("hours", "caps", "consents", "bans", "refusals", "registers", "abandonment")
ALONE = ("weeks", "consents", "registers", "abandonment")
"""What is asked of one rule, its name being in ``rule``."""
WEAKER = {"express": "none", "express_written": "express"}
KEYS = {
    "weeks": {"rule", "monday", "open"},
    "days": {"on", "open", "then", "rule", "why"},
    "cases": {"at", "code", "rule", "next", "why", "consent", "history", "refused", "registers"},
    "consents": {"rule", "weakest", "proof", "at"},
    "registers": {"rule", "register", "days", "lifted_by", "at"},
    "abandonment": {"rule", "share", "days", "others", "not_for", "at"},
}
EVERYWHERE = {"channel", "purpose", "alone", "zone", "jurisdictions", "subdivision"}
Golden = dict[str, Any]


def golden(pack: str) -> Golden:
    # Every scalar stays text: YAML would read 10:00 as a number.
    return dict(yaml.load((FOLDER / f"{pack}.yaml").read_text(encoding="utf-8"), yaml.BaseLoader))


def items(kind: str) -> list[Any]:
    found = []
    for path in sorted(FOLDER.glob("*.yaml")):
        data = golden(path.stem)
        for number, item in enumerate(data.get(kind, ())):
            whole = {"pack": path.stem, "at": data["at"], **data["place"], **item}
            name = f"{path.stem}-{item.get('on') or item.get('rule') or item.get('at')}-{item.get('channel', 'voice')}"
            found.append(pytest.param(whole, id=f"{name}-{number}"))
    return found


def instant(item: Golden, text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(item["zone"])).timestamp()


def local(item: Golden, at: float | None) -> str:
    return "never" if at is None else f"{datetime.fromtimestamp(at, ZoneInfo(item['zone'])):%Y-%m-%d %H:%M:%S}"


def full(text: str) -> str:
    return text if text == "never" or text.count(":") == 2 else f"{text}:00"


def regime_of(item: Golden) -> Regime:
    year = int(str(item.get("on") or item.get("monday") or item["at"])[:4])

    def calendar(pack: RulePack) -> Calendar:
        assert pack.holidays is not None
        return calendar_of(pack.holidays, item.get("subdivision", ""), year, year + 2)

    packs = applicable(built_in_packs(), item["jurisdictions"].split())
    assert item["pack"] in [pack.name for pack in packs]
    if "alone" in item:
        packs = (only(load_pack(item["pack"]), item["alone"]),)
    return compile_regime(packs, item.get("purpose", "marketing"), item.get("channel", "voice"), calendar=calendar)


def only(pack: RulePack, name: str) -> RulePack:
    """The pack without its other rules."""
    kept = {kind: tuple(rule for rule in getattr(pack, kind) if rule.cite == f"{pack.id}#{name}") for kind in KINDS}
    assert any(kept.values()), f"{pack.name} has no rule {name!r}"
    return replace(pack, **kept)


def question(item: Golden, at: float) -> Question:
    return Question(
        at=at,
        purpose=item.get("purpose", "marketing"),
        channel=item.get("channel", "voice"),
        zones=(GateZone(name=item["zone"], tz=ZoneInfo(item["zone"])),),
        consents=consents(item.get("consent", "express_written with proof")),
        history=tuple(history(item)),
        refusals=tuple(
            Refusal(id="r", at=instant(item, text), purpose="marketing") for text in [item.get("refused")] if text
        ),
        registers={
            name: RegisterFact(as_of=instant(item, fact["as_of"]), listed=fact.get("listed") == "yes")
            for name, fact in item.get("registers", {}).items()
        },
    )


def consents(text: str) -> tuple[Consent, ...]:
    kind, _, proof = text.partition(" ")
    return () if kind == "none" else (Consent(id="c", kind=kind, at=0.0, proven=proof == "with proof"),)


def history(item: Golden) -> Iterator[Reached]:
    for told in item.get("history", ()):
        one = {"at": told} if isinstance(told, str) else told
        for ahead in range(int(one.get("times", 1))):
            yield Reached(
                at=instant(item, one["at"]) + ahead * 60.0 * float(one.get("every_min", 0)),
                channel=one.get("channel", item.get("channel", "voice")),
                purpose=one.get("purpose", ""),
                outcome=one.get("outcome", ""),
                answered=one["outcome"] in ANSWERED if "outcome" in one else None,
            )


def rule_of(decision: Decision) -> str:
    """``fr#telephone`` of ``fr@2026-11-25#telephone``: versions change more often than rules."""
    name, _, rule = decision.rule.partition("#")
    return f"{name.partition('@')[0]}#{rule}"


def expected_rule(item: Golden) -> str:
    return f"{item['pack']}#{item['alone']}" if "alone" in item else item["rule"]


def spans_of(texts: list[str]) -> list[tuple[int, int]]:
    pairs = [text.split("-") for text in texts]
    return [(second_of_day(start), second_of_day(end)) for start, end in pairs]


@pytest.mark.parametrize("week", items("weeks"))
def test_rule_alone_leaves_these_hours_of_an_ordinary_week(week: Golden) -> None:
    open_on = regime_of({**week, "alone": week["rule"]}).timetable.open_on
    monday = date.fromisoformat(week["monday"])

    assert monday.weekday() == 0
    found = [list(open_on(monday.toordinal() + ahead)) for ahead in range(7)]
    assert found == [spans_of((week["open"][0] if text == "same" else text).split()) for text in week["open"]]


@pytest.mark.parametrize("day", items("days"))
def test_day_is_open_at_these_hours_and_no_other(day: Golden) -> None:
    regime, spans = regime_of(day), spans_of(day["open"])
    midnight = datetime.fromisoformat(day["on"]).replace(tzinfo=ZoneInfo(day["zone"]))
    assert list(regime.timetable.open_on(midnight.toordinal())) == spans

    def asked(second: int) -> Decision:
        # Wall-clock arithmetic, as the edges are meant; no golden day has an edge in a clock change.
        return decide(question(day, (midnight + timedelta(seconds=second)).timestamp()), regime)

    opens = [full(f"{day['on']} {text.split('-')[0]}") for text in day["open"]]
    nexts = [*opens, full(day["then"])]
    for (start, end), opening, following in zip(spans, opens, nexts[1:], strict=True):
        assert asked(start).code == asked(end - 1).code == "permitted"
        closed = asked(end)
        if end < 86400:
            assert (closed.code, local(day, closed.next_at)) == ("outside_hours", following)
        if start:
            before = asked(start - 1)
            assert (before.code, local(day, before.next_at)) == ("outside_hours", opening)
    last = asked(spans[-1][1] if spans else 43200)
    if not spans or spans[-1][1] < 86400:
        assert (last.code, rule_of(last), local(day, last.next_at)) == ("outside_hours", expected_rule(day), nexts[-1])
        assert decide(question(day, instant(day, day["then"])), regime_of({**day, "on": day["then"]})).allowed


@pytest.mark.parametrize("case", items("cases"))
def test_case_is_decided_so(case: Golden) -> None:
    at = instant(case, case["at"])

    decision = decide(question(case, at), regime_of(case))

    assert decision.code == case["code"]
    assert decision.allowed == (case["code"] == "permitted")
    if not decision.allowed:
        assert rule_of(decision) == expected_rule(case)
        assert local(case, decision.next_at) == full(case["next"])
        assert decision.source
        assert decision.mark


@pytest.mark.parametrize("rule", items("consents"))
def test_weakest_consent_is_enough_and_a_weaker_one_is_not(rule: Golden) -> None:
    alone = {**rule, "alone": rule["rule"]}
    regime, at, proof = regime_of(alone), instant(rule, rule["at"]), " with proof" if rule.get("proof") else ""

    def asked(consent: str) -> Decision:
        return decide(question({**alone, "consent": consent}, at), regime)

    assert asked(rule["weakest"] + proof).code == "permitted"
    assert asked(WEAKER[rule["weakest"]]).code == "consent_missing"
    if proof:
        assert asked(rule["weakest"]).code == "consent_missing"
    missing = asked("none")
    assert (missing.code, rule_of(missing), missing.next_at) == ("consent_missing", expected_rule(alone), None)


@pytest.mark.parametrize("rule", items("registers"))
def test_register_is_consulted_while_fresh_unless_consent_lifts_it(rule: Golden) -> None:
    alone = {**rule, "alone": rule["rule"]}
    regime, at = regime_of(alone), instant(rule, rule["at"])
    oldest_s = float(rule["days"]) * 86400

    def asked(consent: str, fact: RegisterFact | None) -> Decision:
        asks = question({**alone, "consent": consent}, at)
        return decide(replace(asks, registers={} if fact is None else {rule["register"]: fact}), regime)

    weaker = WEAKER[rule["lifted_by"]]
    assert asked(rule["lifted_by"], None).code == "permitted"
    assert asked(weaker, None).code == "register_missing"
    assert asked(weaker, RegisterFact(as_of=None, listed=False)).code == "register_missing"
    assert asked(weaker, RegisterFact(as_of=at - oldest_s + 1, listed=False)).code == "permitted"
    assert asked(weaker, RegisterFact(as_of=at - oldest_s, listed=False)).code == "register_stale"
    listed = asked(weaker, RegisterFact(as_of=at, listed=True))
    assert (listed.code, rule_of(listed)) == ("registered", expected_rule(alone))
    assert asked(rule["lifted_by"], RegisterFact(as_of=at, listed=True)).code == "permitted"


@pytest.mark.parametrize("limit", items("abandonment"))
def test_dialling_ahead_stops_where_the_limit_may_be_reached(limit: Golden) -> None:
    def asked(purpose: str) -> dict[str, AbandonmentLimit]:
        edition = Edition("golden", built_in_packs())
        rules = abandonment_limits(edition, limit["jurisdictions"].split(), purpose, at=instant(limit, limit["at"]))
        return {f"{rule.cite.partition('@')[0]}#{rule.cite.partition('#')[2]}": rule for rule in rules}

    name, found = f"{limit['pack']}#{limit['rule']}", asked(limit.get("purpose", "marketing"))
    rule = found.pop(name)
    assert (f"{rule.share:g}", rule.period_s) == (limit["share"], float(limit["days"]) * 86400)
    assert " ".join(found) == limit["others"]
    assert not any(name in asked(other) for other in limit.get("not_for", "").split())

    answered = 10_000_000
    held = Limit(share=rule.share, period_s=rule.period_s, source=rule.cite)
    reached, below = int(answered * rule.share), int(answered * rule.share * 0.99)
    assert target(held, Abandonment(live_answers=answered, abandoned=reached)) == 0
    assert (target(held, Abandonment(live_answers=answered, abandoned=below)) > 0) == (rule.share > 0)


@pytest.mark.parametrize("pack", built_in_packs(), ids=lambda pack: pack.name)
def test_every_rule_of_every_pack_has_a_golden_case(pack: RulePack) -> None:
    data = golden(pack.name)
    decided: dict[tuple[str, str], set[str]] = {}
    for kind in KEYS:
        for item in data.get(kind, ()):
            whole = {"pack": pack.name, **item}
            if kind in ALONE:
                whole["alone"] = item["rule"]
            name = expected_rule(whole) if "rule" in item or "alone" in whole else ""
            key = (name, item.get("channel", "voice"))
            decided.setdefault(key, set()).add(item.get("purpose", "marketing"))
    lacking = [
        f"{rule.cite} by {channel}"
        for kind in KINDS
        for rule in getattr(pack, kind)
        for channel in sorted(rule.channels)
        if not decided.get((f"{pack.name}#{rule.cite.partition('#')[2]}", channel), set()) & rule.purposes
    ]
    assert not lacking, f"add to {pack.name}.yaml cases that these rules decide"


def test_every_golden_file_is_of_a_pack_and_its_keys_mean_something() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == {pack.name for pack in built_in_packs()}
    for path in sorted(FOLDER.glob("*.yaml")):
        data = golden(path.stem)
        assert set(data) <= {"place", "at", *KEYS}, path.name
        assert date.fromisoformat(data["at"][:10])
        for kind, keys in KEYS.items():
            for item in data.get(kind, ()):
                assert set(item) <= keys | EVERYWHERE, f"{path.name}: {item}"
                assert not set(data["place"]) - {"zone", "jurisdictions", "subdivision"}


def test_weaker_kinds_of_consent_are_the_gate_s() -> None:
    ranked = sorted(CONSENT_RANK, key=CONSENT_RANK.__getitem__)

    assert dict(zip(ranked[1:], ranked, strict=False)) == WEAKER
