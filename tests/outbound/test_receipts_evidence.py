"""Evidence over REST: as JSON for programs, as a page for people, of a number, of a campaign; lists of receipts."""

from __future__ import annotations

import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from outbound.receipts import evidence
from outbound.receipts.chain import append
from outbound.receipts.links import FIELDS
from outbound.store.schema import (
    attempts,
    callbacks,
    consents,
    contacts,
    opt_ins,
    opt_outs,
    receipts,
    refusals,
    registers,
)
from tests.outbound.conftest import Api, a_person
from tests.outbound.receipts_world import NOON, a_receipt

pytestmark = pytest.mark.integration
NUMBER = "+447700900001"
EVIL = '<script>alert("x")</script><img src=http://evil.example/a.png onerror=x>&amp;'


@pytest.fixture
async def story(api: Api) -> str:
    """A campaign whose one contact was reached, refused, and has told us everything one can; its id."""
    campaign = await api.a_campaign(name=EVIL)
    await api("POST", f"/v1/campaigns/{campaign}/contacts", a_person(1, name=EVIL[:100]), expect=200)
    await api.services.store.write(lambda connection: tell(connection, campaign))
    return campaign


def tell(connection: Any, campaign: str) -> None:
    contact = connection.execute(select(contacts.c.id).where(contacts.c.number == NUMBER)).scalar_one()
    ids = {"campaign_id": campaign, "contact_id": contact, "personal": {"number": NUMBER, "name": EVIL}}
    refused = {"at": NOON + 32371, "evidence": {"zones": ["America/Denver"], "packs": [EVIL]}}
    append(
        connection,
        [
            a_receipt(1, **ids, attempt_id="01A", evidence={"zones": ["Europe/London"]}),
            a_receipt(2, **ids, **refused, reason=EVIL, rule="us@2026-01-27", source="47 CFR 64.1200(c)(1)"),
        ],
    )
    attempt = {"id": "01A", "campaign_id": campaign, "contact_id": contact, "number": NUMBER, "ordinal": 1}
    attempt |= {"state": "done", "due_at": NOON, "dialed_at": NOON, "answered_at": NOON + 5, "ended_at": NOON + 60}
    connection.execute(insert(attempts), attempt | {"disposition": "accepted"})
    said = {"number": NUMBER, "words": EVIL, "created_at": NOON}
    connection.execute(insert(opt_outs), said | {"id": "01B", "scope": "all", "source": "speech"})
    connection.execute(insert(opt_ins), said | {"id": "01C", "scope": "all", "source": "sms"})
    given = said | {"scope": "marketing", "source": "web_form", "at": NOON, "proof": EVIL}
    connection.execute(insert(consents), given | {"id": "01D", "event": "granted", "kind": "express_written"})
    connection.execute(insert(refusals), said | {"id": "01E", "purpose": "marketing", "source": "speech"})
    connection.execute(insert(callbacks), said | {"id": "01F", "attempt_id": "01A", "at": NOON + 7200})
    register = {"name": "us-dnc", "kind": "national", "as_of": NOON, "entries": 3, "generation": 2}
    connection.execute(insert(registers), register | {"created_at": NOON})


class Page(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.text = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


async def page_of(api: Api, path: str, **more: Any) -> Page:
    async with api.client.get(path, **more) as answer:
        text = await answer.text()
        assert (answer.status, answer.content_type) == (200, "text/html"), text
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    shown = Page(text)
    assert not {"script", "img", "link", "iframe", "a"} & set(shown.tags)
    assert set(shown.attributes) <= {"lang", "charset", "name", "content", "class"}
    assert not re.search(r"(?:src|href)=|url\(|@import", re.sub(r"&lt;.*?&gt;|&quot;", "", text))
    return shown


async def test_a_numbers_evidence_as_json(api: Api, story: str) -> None:
    found = await api("GET", f"/v1/contacts/{NUMBER}/evidence", expect=200)
    assert [item["campaign_id"] for item in found["contacts"]] == [story]
    assert [(item["allowed"], item["day"], item["seq"]) for item in found["receipts"]] == [
        (True, "2026-11-24", 1),
        (False, "2026-11-24", 2),
    ]
    assert [item["disposition"] for item in found["attempts"]] == ["accepted"]
    assert sorted(item["kind"] for item in found["statements"]) == [
        "callback",
        "consent_granted",
        "opt_in",
        "opt_out",
        "refusal",
    ]
    assert [(item["name"], item["generation"]) for item in found["registers"]] == [("us-dnc", 2)]
    (day,) = found["chain"]
    assert (day["day"], day["count"], day["state"]) == ("2026-11-24", 2, "unbroken")
    assert day["head"] == found["receipts"][-1]["hash"]
    assert found["complete"]


async def test_whoever_has_the_json_can_check_it(api: Api, story: str) -> None:
    """Each receipt by itself, with the standard library."""
    kept = (await api("GET", f"/v1/contacts/{NUMBER}/evidence"))["receipts"]
    assert kept[1]["before"] == kept[0]["hash"]
    for receipt in kept:
        fields = {name: receipt[name] for name in (*FIELDS, "evidence", "commitment")}
        fields |= {"at": receipt["at_s"], "next_at": receipt["next_at_s"]}
        line = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256(bytes.fromhex(receipt["before"]) + line.encode()).hexdigest() == receipt["hash"]
        personal = json.dumps(receipt["personal"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        made = hashlib.sha256(bytes.fromhex(receipt["salt"]) + personal.encode()).hexdigest()
        assert made == receipt["commitment"]


async def test_a_numbers_page_says_it_in_words_and_escapes_everything(api: Api, story: str) -> None:
    shown = await page_of(api, f"/v1/contacts/{NUMBER}/evidence?format=html")
    assert f"On 24 Nov 2026 at 13:59:31 in Denver we did not call: {EVIL}" in shown.text
    assert "Rule us@2026-01-27. 47 CFR 64.1200(c)(1)" in shown.text
    assert "On 24 Nov 2026 at 12:00:00 in London it was permitted to call" in shown.text
    assert "Attempt 1: we called on 24 Nov 2026 at 12:00:00 in London, answered" in shown.text
    assert "this person asked not to be contacted for everything; it came by speech." in shown.text
    assert "gave consent (express_written) for marketing matters" in shown.text
    assert "asked to be called back, for 24 Nov 2026 at 14:00:00 in London" in shown.text
    assert "2026-11-24: 2 receipts, verified, unbroken" in shown.text
    assert shown.text.count(EVIL) >= 6
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    assert (await page_of(api, f"/v1/contacts/{NUMBER}/evidence", headers=browser)).text == shown.text


async def test_a_campaigns_evidence_is_streamed_line_by_line(api: Api, story: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(evidence, "PIECE", 1)
    async with api.client.get(f"/v1/campaigns/{story}/evidence") as answer:
        assert answer.content_type == "application/x-ndjson"
        lines = [json.loads(line) for line in (await answer.text()).splitlines()]
    types = [line["type"] for line in lines]
    assert types == ["campaign", "receipt", "receipt", "attempt", *["statement"] * 5]
    assert all(set(line) == {"type", line["type"]} for line in lines)
    total = lines[0]["campaign"]
    assert (total["receipts"], total["contacts"], len(total["counts"])) == (2, 1, 2)
    assert [day["state"] for day in total["chain"]] == ["unbroken"]


async def test_a_campaigns_page_counts_by_rule_and_shows_the_newest(api: Api, story: str, monkeypatch: Any) -> None:
    shown = await page_of(api, f"/v1/campaigns/{story}/evidence?format=html")
    assert EVIL in shown.text
    assert "1 contacts, 2 decisions" in shown.text
    assert "The newest" not in shown.text
    monkeypatch.setattr(evidence, "PAGE_LIMIT", 1)
    shown = await page_of(api, f"/v1/campaigns/{story}/evidence?format=html")
    assert "The newest 1 of 2" in shown.text


async def test_a_broken_chain_shows_in_the_evidence(api: Api, story: str) -> None:
    forge = update(receipts).where(receipts.c.seq == 1).values(allowed=False)
    await api.services.store.write(lambda connection: connection.execute(forge))
    (day,) = (await api("GET", f"/v1/contacts/{NUMBER}/evidence"))["chain"]
    assert day["state"] == "broken"
    assert [(item["seq"], "`allowed` was changed" in item["what"]) for item in day["findings"]] == [(1, True)]
    shown = await page_of(api, f"/v1/contacts/{NUMBER}/evidence?format=html")
    assert "2026-11-24: 2 receipts, BROKEN" in shown.text


async def test_a_day_that_is_too_long_for_one_answer_is_left_to_the_command(api: Api, story: str) -> None:
    found = await api.services.store.read(lambda c: evidence.of_number(c, NUMBER, limit=1))
    assert [day.report for day in found.days] == [None]
    found = await api.services.store.read(lambda c: evidence.of_number(c, NUMBER, limit=None))
    assert [day.report.unbroken for day in found.days if day.report] == [True]


async def test_more_receipts_than_fit_are_said_to_be_more(api: Api, story: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(evidence, "RECEIPTS_LIMIT", 1)
    found = await api("GET", f"/v1/contacts/{NUMBER}/evidence")
    assert [item["seq"] for item in found["receipts"]] == [2]
    assert not found["complete"]
    shown = await page_of(api, f"/v1/contacts/{NUMBER}/evidence?format=html")
    assert "These are the newest 1 decisions" in shown.text


async def test_receipts_are_listed_the_newest_first(api: Api, story: str) -> None:
    def more(connection: Any) -> None:
        append(connection, [a_receipt(number, at=NOON + 40000) for number in range(10, 15)])

    await api.services.store.write(more)
    seen, cursor = [], ""
    while True:
        page = await api("GET", f"/v1/receipts?limit=2{cursor}", expect=200)
        seen += [item["seq"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [7, 6, 5, 4, 3, 2, 1]
    quoted = NUMBER.replace("+", "%2B")
    for query, expected in {
        f"number={quoted}": 2,
        f"campaign_id={story}": 2,
        f"number={quoted}&allowed=true": 1,
        "allowed=false": 4,
        "code=outside_window": 4,
        "code=none": 0,
    }.items():
        assert len((await api("GET", f"/v1/receipts?{query}", expect=200))["items"]) == expected, query


async def test_what_is_not_known_or_not_right_is_said(api: Api) -> None:
    await api.refused("GET", "/v1/contacts/+447700900099/evidence", expect=404)
    await api.refused("GET", "/v1/campaigns/none/evidence", expect=404)
    await api.refused("GET", "/v1/contacts/911/evidence", expect=422)
    await api.refused("GET", "/v1/receipts?number=x", expect=422)
    await api.refused("GET", "/v1/receipts?cursor=eHg=", expect=422)
    await api.refused("GET", "/v1/receipts?allowed=perhaps", expect=422)
    await api.refused("GET", f"/v1/contacts/{NUMBER}/evidence?format=pdf", expect=422)
