"""The tables: one schema for SQLite and PostgreSQL, the only record of who is to be called and what became of it; long
because they are one contract.

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

paces = Table(
    "paces",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("tokens", Double, nullable=False, server_default="0"),
    Column("at", Double, nullable=False, server_default="0"),
    Column("resting_until", Double, nullable=False, server_default="0"),
    Column("breaker", JSON, nullable=False, server_default="{}"),
    Column("reach", JSON, nullable=False, server_default="{}"),
)
"""What all dialers share of pacing, by ``house``, ``trunk:<name>`` and ``campaign:<id>``: the token bucket's content at
an instant, until when the far end asked to be left alone (Retry-After), the circuit breaker, and by UTC day how many
calls were tried, answered by a person and abandoned."""

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
    Column("pause_reason", Text, nullable=False, server_default=""),
    Column("served", Double, nullable=False, server_default="0"),
    Column("dialed", Integer, nullable=False, server_default="0"),
    Column("cost", Double, nullable=False, server_default="0"),
    Column("traceparent", String(55), nullable=False, server_default=""),
)
"""``served``: virtual time of the fair queue (campaigns/pacing/shares.py). ``dialed`` and ``cost``: attempts that left
and what they cost so far, for the budget. ``traceparent``: of the request that made or started it (W3C Trace Context).
``pause_reason``: why it was paused, empty when the operator did. ``flow`` is the document as it was when the campaign
was created: a later edit does not change a running campaign. ``settings`` is the rest of ``CampaignIn`` (variables,
windows, retry, language, ring_timeout_s, agent_uri…)."""

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
    Column("jurisdictions", JSON, nullable=False, server_default="[]"),
    Column("consent", String(16), nullable=False, server_default="none"),
    Column("variables", JSON, nullable=False),
    Column("alternates", JSON, nullable=False, server_default="[]"),
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
"""``zones`` and ``jurisdictions``: where the contact may be, resolved once at import; every zone and every jurisdiction
must allow the call. ``alternates``: other numbers of the same customer, each with its ``number``, ``zones`` and
``jurisdictions``. ``consent``: as the import claims it. ``disposition``: of the last attempt, once no further attempt
is due."""

UNPLANNED = text("NOT contacts.planned")
"""The condition of the index of unplanned contacts, in its own words: SQLite does not see it in ``planned = 0``."""
DUE = text("attempts.state = 'due'")
LIVE = text("attempts.state IN ('claimed', 'dialing')")
UNDETERMINED = text("attempts.state = 'undetermined'")
"""The conditions of the indexes of attempts that wait and of those at work, as constants: neither database finds a
partial index by a parameter."""

attempts = Table(
    "attempts",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("campaign_id", String(26), ForeignKey("campaigns.id"), nullable=False),
    Column("contact_id", String(26), ForeignKey("contacts.id"), nullable=False),
    Column("number", String(16), nullable=False),
    Column("channel", String(8), nullable=False, server_default="voice"),
    Column("ordinal", Integer, nullable=False),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("lane", String(26), nullable=False, server_default=""),
    Column("trunk", String(64), nullable=False, server_default=""),
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
    Column("abandoned", Boolean, nullable=False, server_default=false()),
    Column("cost", Double),
    Column("result", JSON),
    UniqueConstraint("contact_id", "ordinal"),
    Index(
        "ix_attempts_due",
        "lane",
        "due_at",
        "id",
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
    Index(
        "ix_attempts_undetermined",
        "id",
        sqlite_where=text("state = 'undetermined'"),
        postgresql_where=text("state = 'undetermined'"),
    ),
    Index("ix_attempts_campaign", "campaign_id", "id"),
    Index("ix_attempts_number", "number", "dialed_at"),
    Index(
        "ix_attempts_spent",
        "campaign_id",
        "dialed_at",
        sqlite_where=text("dialed_at IS NOT NULL"),
        postgresql_where=text("dialed_at IS NOT NULL"),
    ),
)
"""The truth about every try; the database itself holds a number to one live attempt at a time. ``priority``: smaller
goes first. ``lane``: the queue it waits in, a campaign or the notifications of a priority. ``trunk``: the one it was
claimed for. ``abandoned``: answered, meant for an agent, and none was there in time. ``cost``: by the trunk's rates.
``result``: transcript, timings, variables, recording."""

reach_hours = Table(
    "reach_hours",
    metadata,
    Column("day", String(8), primary_key=True),
    Column("hour", Integer, primary_key=True, autoincrement=False),
    Column("tried", BigInteger, nullable=False, server_default="0"),
    Column("answered", BigInteger, nullable=False, server_default="0"),
)
"""How often calls were answered, by kind of day (``workday``, ``weekend``) and the customer's local hour."""

opt_outs = Table(
    "opt_outs",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("number", String(16), nullable=False, index=True),
    Column("scope", String(16), nullable=False),
    Column("channel", String(8), nullable=False, server_default=""),
    Column("only_campaign", String(26), nullable=False, server_default=""),
    Column("source", String(16), nullable=False),
    Column("words", Text, nullable=False, server_default=""),
    Column("campaign_id", String(26)),
    Column("attempt_id", String(26)),
    Column("created_at", Double, nullable=False),
)
"""Events, never overwritten or deleted. ``scope``: ``all`` or a purpose; ``channel`` and ``only_campaign``: empty for
all. ``campaign_id`` and ``attempt_id``: where it was said."""

opt_ins = Table(
    "opt_ins",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("number", String(16), nullable=False, index=True),
    Column("scope", String(16), nullable=False),
    Column("channel", String(8), nullable=False, server_default=""),
    Column("source", String(16), nullable=False),
    Column("words", Text, nullable=False, server_default=""),
    Column("proof", Text, nullable=False, server_default=""),
    Column("created_at", Double, nullable=False),
)
"""The customer's own act that takes back earlier opt-outs it covers; events too."""

consents = Table(
    "consents",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("number", String(16), nullable=False, index=True),
    Column("event", String(12), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("scope", String(16), nullable=False),
    Column("channel", String(8), nullable=False, server_default=""),
    Column("only_campaign", String(26), nullable=False, server_default=""),
    Column("source", String(16), nullable=False),
    Column("words", Text, nullable=False, server_default=""),
    Column("proof", Text, nullable=False, server_default=""),
    Column("at", Double, nullable=False),
    Column("expires_at", Double),
    Column("created_at", Double, nullable=False),
)
"""Events with their proof, never overwritten: ``granted``, or ``withdrawn`` (all earlier ones that it covers). ``at``:
when the customer did so; ``created_at``: when we were told."""

refusals = Table(
    "refusals",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("number", String(16), nullable=False, index=True),
    Column("purpose", String(16), nullable=False),
    Column("words", Text, nullable=False, server_default=""),
    Column("source", String(16), nullable=False),
    Column("campaign_id", String(26)),
    Column("attempt_id", String(26), index=True),
    Column("created_at", Double, nullable=False),
)
"""Offers that were refused: no opt-out, but in some countries nobody may ask again for a time."""

registers = Table(
    "registers",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("as_of", Double),
    Column("generation", Integer, nullable=False, server_default="0"),
    Column("entries", BigInteger, nullable=False, server_default="0"),
    Column("created_at", Double, nullable=False),
    Column("loaded_at", Double),
)
"""Do-not-call lists: ``national`` ones are consulted where a rule pack asks for them and must be fresh (``as_of``: the
date of the newest one that was loaded whole); ``house`` ones cover everything and only grow."""

register_entries = Table(
    "register_entries",
    metadata,
    Column("register", String(64), ForeignKey("registers.name"), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("generation", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""Numbers as integers (E.164 without ``+``): millions of them. While a newer list is loaded the older counts too."""

register_imports = Table(
    "register_imports",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("register", String(64), ForeignKey("registers.name"), nullable=False),
    Column("state", String(16), nullable=False),
    Column("mode", String(8), nullable=False),
    Column("path", Text, nullable=False),
    Column("options", JSON, nullable=False),
    Column("as_of", Double, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("rows", Integer, nullable=False, server_default="0"),
    Column("accepted", Integer, nullable=False, server_default="0"),
    Column("rejected", Integer, nullable=False, server_default="0"),
    Column("error", Text, nullable=False, server_default=""),
    Column("created_at", Double, nullable=False),
    Column("ended_at", Double),
)
"""``mode``: ``replace`` or ``add``. ``rows``: lines settled, written with what they brought: a load goes on there."""

register_rejects = Table(
    "register_rejects",
    metadata,
    Column("import_id", String(26), ForeignKey("register_imports.id"), primary_key=True),
    Column("row", Integer, primary_key=True),
    Column("reason", Text, nullable=False),
)

rule_packs = Table(
    "rule_packs",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("name", String(40), nullable=False, index=True),
    Column("document", JSON),
    Column("created_at", Double, nullable=False),
)
"""The operator's own packs, each version a row that stays: the newest of a name is in force, an empty one ends it."""

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
    Column("day", String(10)),
    Column("seq", Integer),
    Column("campaign_id", String(26), nullable=False),
    Column("contact_id", String(26), nullable=False, index=True),
    Column("attempt_id", String(26), index=True),
    Column("channel", String(8), nullable=False, server_default="voice"),
    Column("purpose", String(16), nullable=False, server_default=""),
    Column("allowed", Boolean, nullable=False),
    Column("code", String(48), nullable=False),
    Column("reason", Text, nullable=False),
    Column("rule", String(120), nullable=False),
    Column("source", Text, nullable=False, server_default=""),
    Column("next_at", Double),
    Column("evidence", JSON, nullable=False),
    Column("personal", JSON),
    Column("salt", LargeBinary(16)),
    Column("commitment", LargeBinary(32)),
    Column("hash", LargeBinary(32)),
    Index("uq_receipts_day_seq", "day", "seq", unique=True),
    Index("ix_receipts_campaign", "campaign_id", "id"),
)
"""Append-only: every answer of the gate that reached or spared somebody, chained by ``hash`` within a UTC ``day``.
``personal`` and ``salt`` go when a person is erased; ``commitment``, which is what the chain holds of them, stays."""

receipt_days = Table(
    "receipt_days",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("before", LargeBinary(32), nullable=False),
    Column("count", Integer, nullable=False),
    Column("head", LargeBinary(32), nullable=False),
)
"""Where each day's chain begins (the head of the day before it) and ends."""

secrets = Table(
    "secrets",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", LargeBinary(32), nullable=False),
)
"""Made once by the house: the key under which the numbers of erased people are still recognised."""

erasures = Table(
    "erasures",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("token", String(16), nullable=False),
    Column("counts", JSON, nullable=False),
    Column("created_at", Double, nullable=False),
)
"""Whose data was erased (by token, never by number), when, and how many rows of what."""

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

systems = Table(
    "systems",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("url", Text, nullable=False),
    Column("description", String(120), nullable=False, server_default=""),
    Column("secrets", JSON, nullable=False),
    Column("private_allowed", Boolean, nullable=False, server_default=false()),
    Column("created_at", Double, nullable=False),
)
"""The business's own systems that call flows ask; ``secrets`` as those of webhooks."""

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("url", Text, nullable=False),
    Column("description", String(120), nullable=False, server_default=""),
    Column("secrets", JSON, nullable=False),
    Column("kinds", JSON, nullable=False),
    Column("campaign_id", String(26)),
    Column("private_allowed", Boolean, nullable=False, server_default=false()),
    Column("enabled", Boolean, nullable=False),
    Column("disabled_reason", Text, nullable=False, server_default=""),
    Column("cursor", BigInteger, nullable=False),
    Column("failing_since", Double),
    Column("created_at", Double, nullable=False),
    Column("deleted_at", Double),
)
"""Where events are posted. ``cursor``: id of the last event that was turned into deliveries; ``secrets``: the newest
first, all of them sign (Standard Webhooks); ``kinds``: patterns such as ``attempt.*``, none for all."""

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("webhook_id", String(26), ForeignKey("webhooks.id"), nullable=False),
    Column("event_id", BigInteger, nullable=False),
    Column("stream", String(26), nullable=False),
    Column("state", String(12), nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("next_at", Double, nullable=False),
    Column("last_code", Integer, nullable=False, server_default="0"),
    Column("last_error", Text, nullable=False, server_default=""),
    Column("created_at", Double, nullable=False),
    Column("ended_at", Double),
    UniqueConstraint("webhook_id", "event_id"),
    Index(
        "ix_webhook_deliveries_waiting",
        "webhook_id",
        "stream",
        "id",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
    Index(
        "ix_webhook_deliveries_due",
        "webhook_id",
        "next_at",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
    Index("ix_webhook_deliveries_state", "webhook_id", "state", "id"),
    sqlite_autoincrement=True,
)
"""One event on its way to one webhook: ``waiting``, ``delivered`` or ``dead``. ``stream``: the attempt (else the
campaign) whose events keep their order. The payload is read from the event when it is sent."""

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
    Index("ix_imports_campaign", "campaign_id"),
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
