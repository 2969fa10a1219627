"""What a rehearsal plays: campaigns fitted to the cast and to a few minutes. Pure: it creates and rings nothing.

What it changes for the rehearsal is said in :attr:`Production.notes`; the rules of the gate are never changed.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import phonenumbers

from outbound.api.models import CampaignIn, ContactIn
from outbound.errors import Invalid
from outbound.rehearsal.campaign_file import FIELDS, CampaignFile
from outbound.rehearsal.cast import Cast, Customer
from outbound.rehearsal.verdict import Expected

TRUNK = "rehearsal"
MAX_ATTEMPTS = 2
RETRY_WITHIN_S = 3
RING_WITHIN_S = 8.0
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Production:
    """One campaign as it is played."""

    key: str
    campaign: CampaignIn
    contacts: tuple[ContactIn, ...]
    """Those whom the cast plays, numbers in E.164."""
    flow: dict[str, Any] | None
    """A call flow that has to be stored first."""
    notes: tuple[str, ...]
    """What differs from the file."""


def produce(file: CampaignFile, cast: Cast, *, zone: str, today: date, agent_uri: str = "") -> Production:
    """Fit a campaign to the cast. Raises :class:`Invalid` when nobody of the cast is among its contacts."""
    customers = {customer.number: customer for customer in cast.customers}
    notes = []
    if file.contacts:
        played = tuple(_contact(contact, file.campaign, zone) for contact in file.contacts)
        contacts = tuple(contact for contact in played if contact.number in customers)
        if not contacts:
            raise Invalid(
                f"{file.path}: none of its {len(file.contacts)} contacts has a customer in the cast: "
                "give the cast the numbers of some contacts, or leave the contacts out of the campaign file",
                code="nobody_plays",
            )
        if len(contacts) < len(file.contacts):
            left_out = len(file.contacts) - len(contacts)
            notes.append(f"{file.key}: {left_out} contacts whom nobody of the cast plays are left out")
    else:
        contacts = tuple(_of_cast(customer, zone) for customer in cast.customers)
    fresh = tuple(_up_to_date(contact, today) for contact in contacts)
    if fresh != contacts:
        notes.append(f"{file.key}: days that have passed become the same weekday to come")
    campaign, changes = _brisk(file.campaign, agent_uri)
    notes += [f"{file.key}: {change}" for change in changes]
    return Production(key=file.key, campaign=campaign, contacts=fresh, flow=file.flow, notes=tuple(notes))


def contacts_csv(contacts: Sequence[ContactIn]) -> bytes:
    """Write contacts as the CSV an operator would upload; every variable is a column."""
    variables = sorted({name for contact in contacts for name in contact.variables})
    fields = sorted(FIELDS)
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([*fields, *variables])
    for contact in contacts:
        values = contact.model_dump(mode="json")
        writer.writerow([*(values[name] for name in fields), *(contact.variables.get(name, "") for name in variables)])
    return out.getvalue().encode()


def expected(customer: Customer, key: str, cast: Cast) -> Expected:
    """How a customer should end in this campaign: as the cast says, else as is right for its character."""
    wish = customer.expectation(key)
    if wish is None:
        return Expected(dispositions=frozenset(cast.behaviours[customer.behaviours[-1]].ends))
    return Expected(
        dispositions=frozenset({wish.disposition}), attempts=wish.attempts, receipt=wish.receipt, heard=wish.heard
    )


def _contact(contact: ContactIn, campaign: CampaignIn, zone: str) -> ContactIn:
    """A contact with its number in E.164, where it is now mid-morning."""
    try:
        number = phonenumbers.parse(contact.number, campaign.default_region)
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    except phonenumbers.NumberParseException:
        e164 = contact.number  # the import will say what is wrong with it
    return contact.model_copy(update={"number": e164, "zone": zone})


def _of_cast(customer: Customer, zone: str) -> ContactIn:
    return ContactIn(
        number=customer.number,
        name=customer.name,
        zone=zone,
        consent=customer.consent,
        variables=customer.variables,
    )


def _up_to_date(contact: ContactIn, today: date) -> ContactIn:
    """Days of an example that have passed would sound odd: they move on by whole weeks."""
    variables = {name: _ahead(value, today) for name, value in contact.variables.items()}
    return contact.model_copy(update={"variables": variables})


def _ahead(value: str, today: date) -> str:
    if not _DAY.fullmatch(value):
        return value
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return value  # the import will say what is wrong with it
    weeks = max(0, -(-(today - day).days // 7))
    return (day + timedelta(weeks=weeks)).isoformat()


def _brisk(campaign: CampaignIn, agent_uri: str) -> tuple[CampaignIn, list[str]]:
    """A campaign that is over in minutes: few attempts, quick retries, short rings; and it begins now."""
    retry = campaign.retry
    attempts = min(retry.max_attempts, MAX_ATTEMPTS)
    delays = {disposition: min(delay, RETRY_WITHIN_S) for disposition, delay in retry.delays_s.items()}
    ring_timeout_s = min(campaign.ring_timeout_s, RING_WITHIN_S)
    changes = []
    if (attempts, delays) != (retry.max_attempts, retry.delays_s):
        changes.append(f"at most {MAX_ATTEMPTS} attempts, {RETRY_WITHIN_S} s apart")
    if ring_timeout_s < campaign.ring_timeout_s:
        changes.append(f"telephones ring {ring_timeout_s:g} s")
    if campaign.starts_at is not None:
        changes.append("it starts now")
    update = {
        "trunk": TRUNK,
        "agent_uri": agent_uri,
        "retry": retry.model_copy(update={"max_attempts": attempts, "delays_s": delays}),
        "ring_timeout_s": ring_timeout_s,
        "starts_at": None,
    }
    return campaign.model_copy(update=update), changes
