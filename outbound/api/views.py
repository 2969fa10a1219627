"""Shows rows of the store in the shapes of REST version 1; it reads and decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from campaigns.dispositions import Disposition
from outbound.api import models as m
from outbound.dispatch.standing import Standing
from outbound.store import campaigns
from outbound.store.attempt_views import Detail

Row = Mapping[Any, Any]


def instant(seconds: float | None) -> datetime | None:
    """Epoch seconds as an aware instant."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def at(seconds: float) -> datetime:
    """Epoch seconds, which are there, as an aware instant."""
    return datetime.fromtimestamp(seconds, UTC)


def campaign_fields(row: Row) -> dict[str, Any]:
    """The fields of ``CampaignIn`` of a stored campaign."""
    fields = dict(row["settings"]) | {name: row[name] for name in campaigns.COLUMNS}
    return fields | {name: instant(row[name]) for name in ("starts_at", "expires_at")}


def campaign(row: Row, counts: campaigns.Counts) -> m.Campaign:
    """A campaign and how far it is."""
    return m.Campaign(
        **campaign_fields(row),
        id=row["id"],
        state=row["state"],
        kind=row["kind"],
        pause_reason=row["pause_reason"],
        spent=round(row["cost"], 4),
        created_at=at(row["created_at"]),
        started_at=instant(row["started_at"]),
        ended_at=instant(row["ended_at"]),
        counts=campaign_counts(counts),
    )


def campaign_counts(counts: campaigns.Counts) -> m.CampaignCounts:
    """Attempts by state, contacts by disposition."""
    states = counts.states
    return m.CampaignCounts(
        contacts=counts.contacts,
        due=states.get("due", 0),
        in_progress=states.get("claimed", 0) + states.get("dialing", 0),
        done=states.get("done", 0),
        undetermined=states.get("undetermined", 0),
        dispositions={Disposition(name): number for name, number in counts.dispositions.items()},
    )


def contact(row: Row) -> m.Contact:
    """A contact; ``zone`` is shown where only one is possible."""
    zones = row["zones"]
    others = [*(other["number"] for other in row["alternates"]), "", ""]
    return m.Contact(
        id=row["id"],
        campaign_id=row["campaign_id"],
        number=row["number"],
        number_2=others[0],
        number_3=others[1],
        ref=row["ref"],
        name=row["name"],
        language=row["language"],
        zone=zones[0] if len(zones) == 1 else "",
        consent=row["consent"],
        variables=row["variables"],
        jurisdictions=row["jurisdictions"],
        disposition=row["disposition"],
        attempts=row["attempts"],
    )


def reject(row: Row) -> m.Reject:
    """A row that was not taken."""
    return m.Reject(row=row["row"], field=row["field"], code=row["code"], reason=row["reason"])


def import_(row: Row, rejects: list[m.Reject]) -> m.Import:
    """An import and the first of its rejects."""
    names = ("id", "campaign_id", "state", "accepted", "duplicates", "rejected", "read_as", "error")
    fields = {name: row[name] for name in names}
    return m.Import(**fields, rejects=rejects, created_at=at(row["created_at"]), ended_at=instant(row["ended_at"]))


def attempt_fields(row: Row) -> dict[str, Any]:
    """The fields of ``Attempt``."""
    instants = ("due_at", "dialed_at", "answered_at", "ended_at")
    fields = {name: row[name] for name in m.Attempt.model_fields if name not in (*instants, "channel")}
    return fields | {name: instant(row[name]) for name in instants}


def attempt(row: Row) -> m.Attempt:
    """An attempt in a list."""
    return m.Attempt(**attempt_fields(row))


def attempt_detail(detail: Detail) -> m.AttemptDetail:
    """An attempt with everything that is known of it."""
    result = detail.attempt["result"] or {}
    attempt_id = detail.attempt["id"]
    return m.AttemptDetail(
        **attempt_fields(detail.attempt),
        timeline=[
            m.TimelineEntry(id=row["id"], at=at(row["at"]), kind=row["kind"], data=row["data"])
            for row in detail.timeline
        ],
        transcript=[m.TurnOut.model_validate(turn) for turn in result.get("transcript", ())],
        variables=result.get("variables", {}),
        timings=m.TimingsOut.model_validate(result.get("timings", {})),
        receipts=[receipt(row) for row in detail.receipts],
        recording=f"/v1/attempts/{attempt_id}/recording" if result.get("recording") else "",
    )


def receipt(row: Row) -> m.Receipt:
    """An answer of the gate."""
    names = ("allowed", "code", "reason", "rule", "source", "evidence")
    mark = row["evidence"].get("mark", "")
    return m.Receipt(
        **{name: row[name] for name in names}, mark=mark, at=at(row["at"]), next_at=instant(row["next_at"])
    )


def opt_out(row: Row) -> m.OptOut:
    """An opt-out."""
    names = ("id", "number", "scope", "channel", "only_campaign", "source", "words", "campaign_id", "attempt_id")
    return m.OptOut(**{name: row[name] for name in names}, created_at=at(row["created_at"]))


def callback(row: Row) -> m.CallbackOut:
    """A wish to be called back."""
    names = ("id", "attempt_id", "number", "words")
    fields = {name: row[name] for name in names}
    return m.CallbackOut(**fields, at=instant(row["at"]), created_at=at(row["created_at"]))


def trunk(row: Row, in_use: int, standing: Standing) -> m.TrunkOut:
    """A trunk without its password."""
    now = {"state": standing.state, "state_until": instant(standing.until), "state_reason": standing.reason}
    settings = dict(row["settings"])
    settings["password"] = "***" if settings.get("password") else ""
    columns = {name: row[name] for name in ("name", "calls_per_second", "channels")}
    return m.TrunkOut(
        **settings, **columns, **now, calls=standing.calls, in_use=in_use, created_at=at(row["created_at"])
    )


def api_key(row: Row) -> m.ApiKeyOut:
    """A key without its secret."""
    return m.ApiKeyOut(
        id=row["id"],
        name=row["name"],
        prefix=row["prefix"],
        created_at=at(row["created_at"]),
        revoked_at=instant(row["revoked_at"]),
    )


def live_event(row: Row) -> m.LiveEvent:
    """One message of the event stream."""
    names = ("id", "kind", "campaign_id", "attempt_id", "data")
    return m.LiveEvent(**{name: row[name] for name in names}, at=at(row["at"]))


def membership(row: Row) -> m.Membership:
    """A number's place in one campaign."""
    names = ("campaign_id", "campaign", "ref", "name", "disposition")
    return m.Membership(**{name: row[name] for name in names}, contact_id=row["id"])
