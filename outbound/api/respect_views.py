"""Shows opt-ins, consents, refusals and registers of the store in the shapes of REST; it reads and decides nothing."""

from __future__ import annotations

from outbound.api import respect_models as m
from outbound.api.views import Row, at, instant


def opt_in(row: Row) -> m.OptIn:
    """An opt-in."""
    names = ("id", "number", "scope", "channel", "source", "words", "proof")
    return m.OptIn(**{name: row[name] for name in names}, at=at(row["created_at"]))


def consent(row: Row) -> m.ConsentOut:
    """A grant or withdrawal."""
    names = ("id", "event", "number", "kind", "scope", "channel", "only_campaign", "source", "words", "proof")
    fields = {name: row[name] for name in names}
    instants = {"at": at(row["at"]), "expires_at": instant(row["expires_at"]), "created_at": at(row["created_at"])}
    return m.ConsentOut(**fields, **instants)


def refusal(row: Row) -> m.Refusal:
    """A refused offer."""
    names = ("id", "number", "purpose", "words", "source", "campaign_id", "attempt_id")
    return m.Refusal(**{name: row[name] for name in names}, created_at=at(row["created_at"]))


def register(row: Row, loading: str | None) -> m.Register:
    """A register; ``loading``: the import that is at work."""
    return m.Register(
        name=row["name"],
        kind=row["kind"],
        as_of=instant(row["as_of"]),
        entries=row["entries"],
        loaded_at=instant(row["loaded_at"]),
        loading=loading,
        created_at=at(row["created_at"]),
    )


def register_import(row: Row, rejects: list[m.RegisterReject]) -> m.RegisterImport:
    """A load and the first of its rejects."""
    names = ("id", "state", "mode", "rows", "accepted", "rejected", "error")
    fields = {name: row[name] for name in names}
    instants = {"as_of": at(row["as_of"]), "created_at": at(row["created_at"]), "ended_at": instant(row["ended_at"])}
    return m.RegisterImport(name=row["register"], **fields, **instants, rejects=rejects)


def register_reject(row: Row) -> m.RegisterReject:
    """A line that was not taken."""
    return m.RegisterReject(row=row["row"], reason=row["reason"])
