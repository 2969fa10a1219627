"""The tables: one schema for SQLite and PostgreSQL, the only record of who is to be called and what became of it.

Queries live in the neighbouring files. Instants are stored as UTC epoch seconds (REAL / double precision): one
comparable type in both databases. Ids are ULIDs: sortable by creation, safe in URLs.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Serial = BigInteger().with_variant(Integer, "sqlite")
"""Auto-incremented 64-bit id in both databases."""

trunks = Table(
    "trunks",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("settings", JSON, nullable=False),
    Column("calls_per_second", Double, nullable=False),
    Column("channels", Integer, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("deleted_at", Double),
)
"""A deleted trunk stays as a nameplate, without its credentials, for the campaigns that went through it."""

callflows = Table(
    "callflows",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("document", JSON, nullable=False),
    Column("created_at", Double, nullable=False),
)

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("name", String(120), nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("purpose", String(16), nullable=False),
    Column("trunk", String(64), ForeignKey("trunks.name"), nullable=False),
    Column("callflow", String(64), nullable=False),
    Column("flow", JSON, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("max_concurrent", Integer, nullable=False),
    Column("starts_at", Double),
    Column("expires_at", Double),
    Column("created_at", Double, nullable=False),
    Column("started_at", Double),
    Column("ended_at", Double),
)
"""``flow`` is the document as it was when the campaign was created: a later edit does not change a running campaign.
``settings`` is the rest of ``CampaignIn`` (variables, windows, retry, language, ring_timeout_s, agent_uri…)."""

contacts = Table(
    "contacts",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("campaign_id", String(26), ForeignKey("campaigns.id"), nullable=False),
    Column("number", String(16), nullable=False),
    Column("ref", String(120), nullable=False, server_default=""),
    Column("name", String(120), nullable=False, server_default=""),
    Column("language", String(3), nullable=False, server_default=""),
    Column("zones", JSON, nullable=False),
    Column("consent", String(16), nullable=False, server_default="none"),
    Column("variables", JSON, nullable=False),
    Column("planned", Boolean, nullable=False, server_default=false()),
    Column("disposition", String(24)),
    Column("created_at", Double, nullable=False),
    UniqueConstraint("campaign_id", "number"),
    Index(
        "ix_contacts_unplanned",
        "campaign_id",
        "id",
        sqlite_where=text("NOT planned"),
        postgresql_where=text("NOT planned"),
    ),
    Index("ix_contacts_number", "number"),
)
"""``zones``: IANA zones resolved once at import; every one of them must allow the call. ``disposition``: of the last
attempt, once no further attempt is due."""

attempts = Table(
    "attempts",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("campaign_id", String(26), ForeignKey("campaigns.id"), nullable=False),
    Column("contact_id", String(26), ForeignKey("contacts.id"), nullable=False),
    Column("number", String(16), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("state", String(16), nullable=False),
    Column("due_at", Double, nullable=False),
    Column("fence", Integer, nullable=False, server_default="0"),
    Column("lease_until", Double),
    Column("line", String(64), nullable=False, server_default=""),
    Column("call_id", String(96), nullable=False, server_default=""),
    Column("dialed_at", Double),
    Column("answered_at", Double),
    Column("ended_at", Double),
    Column("disposition", String(24)),
    Column("outcome", String(64), nullable=False, server_default=""),
    Column("hangup_cause", String(64), nullable=False, server_default=""),
    Column("sip_code", Integer, nullable=False, server_default="0"),
    Column("step", String(64), nullable=False, server_default=""),
    Column("result", JSON),
    UniqueConstraint("contact_id", "ordinal"),
    Index(
        "ix_attempts_due",
        "priority",
        "due_at",
        sqlite_where=text("state = 'due'"),
        postgresql_where=text("state = 'due'"),
    ),
    Index(
        "ix_attempts_live",
        "lease_until",
        sqlite_where=text("state IN ('claimed', 'dialing')"),
        postgresql_where=text("state IN ('claimed', 'dialing')"),
    ),
    Index(
        "uq_attempts_live_number",
        "number",
        unique=True,
        sqlite_where=text("state IN ('claimed', 'dialing')"),
        postgresql_where=text("state IN ('claimed', 'dialing')"),
    ),
    Index("ix_attempts_campaign", "campaign_id", "id"),
    Index("ix_attempts_number", "number", "dialed_at"),
)
"""The truth about every try; the database itself holds a number to one live attempt at a time. ``priority``: smaller
goes first. ``result``: transcript, timings, variables, recording."""

opt_outs = Table(
    "opt_outs",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("number", String(16), nullable=False, index=True),
    Column("scope", String(16), nullable=False),
    Column("source", String(16), nullable=False),
    Column("words", Text, nullable=False, server_default=""),
    Column("campaign_id", String(26)),
    Column("attempt_id", String(26)),
    Column("created_at", Double, nullable=False),
)
"""Events, never overwritten or deleted."""

callbacks = Table(
    "callbacks",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("attempt_id", String(26), nullable=False, index=True),
    Column("number", String(16), nullable=False, index=True),
    Column("at", Double),
    Column("words", Text, nullable=False, server_default=""),
    Column("created_at", Double, nullable=False),
)

receipts = Table(
    "receipts",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("at", Double, nullable=False),
    Column("campaign_id", String(26), nullable=False),
    Column("contact_id", String(26), nullable=False, index=True),
    Column("attempt_id", String(26), index=True),
    Column("allowed", Boolean, nullable=False),
    Column("code", String(48), nullable=False),
    Column("reason", Text, nullable=False),
    Column("rule", String(120), nullable=False),
    Column("next_at", Double),
    Column("evidence", JSON, nullable=False),
)
"""Append-only: every answer of the gate that reached or spared somebody."""

events = Table(
    "events",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("at", Double, nullable=False),
    Column("kind", String(48), nullable=False),
    Column("campaign_id", String(26), index=True),
    Column("attempt_id", String(26), index=True),
    Column("data", JSON, nullable=False),
    sqlite_autoincrement=True,
)
"""What the world is told, written in the transaction that made it true; SSE and webhooks read it by id."""

imports = Table(
    "imports",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("campaign_id", String(26), ForeignKey("campaigns.id"), nullable=False),
    Column("state", String(16), nullable=False),
    Column("format", String(16), nullable=False),
    Column("path", Text, nullable=False),
    Column("options", JSON, nullable=False),
    Column("rows", Integer, nullable=False, server_default="0"),
    Column("read_as", String(120), nullable=False, server_default=""),
    Column("accepted", Integer, nullable=False, server_default="0"),
    Column("duplicates", Integer, nullable=False, server_default="0"),
    Column("rejected", Integer, nullable=False, server_default="0"),
    Column("error", Text, nullable=False, server_default=""),
    Column("created_at", Double, nullable=False),
    Column("ended_at", Double),
)
"""``rows``: how far the file is settled, written in the transaction that settled it: an import goes on there."""

import_rejects = Table(
    "import_rejects",
    metadata,
    Column("import_id", String(26), ForeignKey("imports.id"), primary_key=True),
    Column("row", Integer, primary_key=True),
    Column("field", String(64), nullable=False),
    Column("code", String(48), nullable=False),
    Column("reason", Text, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("prefix", String(16), nullable=False),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("created_at", Double, nullable=False),
    Column("revoked_at", Double),
)
"""SHA-256 digests of random 256-bit secrets; the secret itself is shown once and never stored."""

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("api_key_id", String(26), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", LargeBinary(32), nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", Double, nullable=False, index=True),
)
"""The answer given to a write, kept 24 hours, stored in the transaction that made it true; ``status`` 0 only inside
that transaction."""
