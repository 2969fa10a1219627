"""Campaigns fitted to the cast: who is rung, how quickly, and where it is mid-morning."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.dispositions import Disposition
from outbound.api.models import CampaignIn, ContactIn, Purpose, RetryPolicy
from outbound.errors import Invalid
from outbound.rehearsal.campaign_file import CampaignFile
from outbound.rehearsal.cast import Cast, Expectation
from outbound.rehearsal.morning import morning_zone
from outbound.rehearsal.programme import contacts_csv, expected, produce

pytestmark = pytest.mark.unit
TODAY = date(2026, 12, 10)
ADA, BEN = "+12025550101", "+12025550102"


def cast() -> Cast:
    return Cast.model_validate(
        {
            "behaviours": {"says_yes": {"ends": ["accepted"]}, "is_busy": {"reject": 486, "ends": ["busy"]}},
            "customers": [
                {"name": "Ada", "number": ADA, "behaviour": ["is_busy", "says_yes"], "variables": {"city": "Ghent"}},
                {"name": "Ben", "number": BEN, "behaviour": "is_busy", "expect": {"one": {"disposition": "refused"}}},
            ],
        }
    )


def campaign_file(*contacts: ContactIn, **fields: object) -> CampaignFile:
    base = {"name": "One", "callflow": "flow", "purpose": Purpose.TRANSACTIONAL}
    campaign = CampaignIn.model_validate({**base, **fields})
    return CampaignFile(key="one", path=Path("one.yaml"), campaign=campaign, contacts=contacts)


def test_only_contacts_whom_somebody_plays_are_rung_and_the_rest_is_said() -> None:
    file = campaign_file(
        ContactIn(number="(202) 555-0101", name="Ada", variables={"a": "1"}),
        ContactIn(number="+12025550177"),
        default_region="US",
    )
    made = produce(file, cast(), zone="Etc/GMT-3", today=TODAY, agent_uri="sip:agent@127.0.0.1:5060")
    assert [(contact.number, contact.zone) for contact in made.contacts] == [(ADA, "Etc/GMT-3")]
    assert (made.campaign.trunk, made.campaign.agent_uri) == ("rehearsal", "sip:agent@127.0.0.1:5060")
    assert "one: 1 contacts whom nobody of the cast plays are left out" in made.notes


def test_a_campaign_without_contacts_rings_the_whole_cast() -> None:
    made = produce(campaign_file(), cast(), zone="Etc/GMT", today=TODAY)
    assert [(contact.number, contact.variables) for contact in made.contacts] == [(ADA, {"city": "Ghent"}), (BEN, {})]


def test_nobody_to_play_is_an_error_with_the_remedy() -> None:
    with pytest.raises(Invalid, match=r"none of its 1 contacts has a customer in the cast: give the cast the numbers"):
        produce(campaign_file(ContactIn(number="+12025550177")), cast(), zone="Etc/GMT", today=TODAY)


def test_a_rehearsal_is_brisk_and_says_what_it_changed() -> None:
    file = campaign_file(starts_at=datetime(2099, 1, 1, tzinfo=UTC))
    made = produce(file, cast(), zone="Etc/GMT", today=TODAY)
    retry = made.campaign.retry
    assert (retry.max_attempts, set(retry.delays_s.values())) == (2, {3})
    assert (made.campaign.ring_timeout_s, made.campaign.starts_at) == (8.0, None)
    assert made.notes == (
        "one: at most 2 attempts, 3 s apart",
        "one: telephones ring 8 s",
        "one: it starts now",
    )


def test_what_is_brisk_already_stays_as_it_is() -> None:
    retry = RetryPolicy(max_attempts=1, delays_s={Disposition.BUSY: 2})
    made = produce(campaign_file(retry=retry, ring_timeout_s=6), cast(), zone="Etc/GMT", today=TODAY)
    assert (made.campaign.retry, made.campaign.ring_timeout_s, made.notes) == (retry, 6.0, ())


def test_the_csv_holds_every_field_and_every_variable() -> None:
    contacts = [
        ContactIn(number=ADA, name='Ada "A", Bell', variables={"city": "Ghent"}),
        ContactIn(number=BEN, zone="Etc/GMT", variables={"tier": "gold\nplus"}),
    ]
    rows = list(csv.DictReader(io.StringIO(contacts_csv(contacts).decode(), newline="")))
    assert [(row["number"], row["name"], row["zone"], row["city"], row["tier"]) for row in rows] == [
        (ADA, 'Ada "A", Bell', "", "Ghent", ""),
        (BEN, "", "Etc/GMT", "", "gold\nplus"),
    ]


def test_expectations_come_from_the_cast_then_from_the_character() -> None:
    ada, ben = cast().customers
    assert expected(ada, "one", cast()).dispositions == {Disposition.ACCEPTED}
    assert expected(ben, "one", cast()).dispositions == {Disposition.REFUSED}
    assert expected(ben, "two", cast()).dispositions == {Disposition.BUSY}
    always = ben.model_copy(update={"expect": {"any": Expectation(disposition=Disposition.NO_ANSWER, attempts=2)}})
    assert expected(always, "two", cast()).attempts == 2


@given(st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1)))
def test_there_is_always_a_zone_where_it_is_mid_morning(moment: datetime) -> None:
    now = moment.replace(tzinfo=UTC)
    zone, local = morning_zone(now)
    there = now.astimezone(ZoneInfo(zone))
    assert (there.hour, there.replace(tzinfo=None)) == (10, local)
    assert (there + timedelta(minutes=10)).date() == there.date()


def test_days_that_have_passed_become_the_same_weekday_to_come_and_nothing_else_moves() -> None:
    days = {"past": "2026-12-03", "long_past": "2020-02-29", "now": "2026-12-10", "later": "2027-01-01"}
    other = {"order": "2026-12-031", "odd": "2026-13-01", "text": "on 2026-12-03"}
    made = produce(campaign_file(ContactIn(number=ADA, variables=days | other)), cast(), zone="UTC", today=TODAY)
    moved = made.contacts[0].variables
    assert moved == other | {
        "past": "2026-12-10",
        "long_past": "2026-12-12",
        "now": "2026-12-10",
        "later": "2027-01-01",
    }
    assert "one: days that have passed become the same weekday to come" in made.notes
