"""Brings a database to the current schema with Alembic; knows no rows."""

from __future__ import annotations

from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

_UPGRADE_LOCK = 0x0B0C


def upgrade(engine: Engine) -> None:
    """Upgrade the schema to the newest revision in one transaction; does nothing when it is current.

    Hosts that start together take turns.
    """
    with as_file(files("outbound.store") / "migrations") as scripts, engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
        config = Config()
        config.set_main_option("script_location", str(scripts).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def revisions() -> frozenset[str]:
    """Every revision of the schema that this version knows, the current one and those before it."""
    with as_file(files("outbound.store") / "migrations") as scripts:
        config = Config()
        config.set_main_option("script_location", str(scripts).replace("%", "%%"))
        return frozenset(script.revision for script in ScriptDirectory.from_config(config).walk_revisions())
