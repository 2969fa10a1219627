"""The commands ``outbound receipts`` and ``outbound evidence``; they read the database, service running or not."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection

_IN = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUT = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.group()
def receipts() -> None:
    """The chain of receipts: every decision to reach or not to reach somebody."""


@receipts.command()
@click.option("--day", metavar="YYYY-MM-DD", help="Verify one UTC day alone, with its ties to its neighbours.")
@click.option("--heads", "heads_file", type=_IN, help="Heads kept elsewhere; left out: receipts.heads, where it is.")
def verify(day: str | None, heads_file: Path | None) -> None:
    """Check that no receipt was changed, removed or added; exit 1 when one was."""
    from outbound.receipts.opening import read_only
    from outbound.receipts.verify import verify as check
    from outbound.settings import load_settings

    settings = load_settings()
    with read_only(settings.sqlalchemy_url) as connection:
        report = check(connection, heads=_heads(settings.data_dir, heads_file), day=day)
    for finding in report.findings:
        click.echo(finding.line())
        click.echo(f"    {finding.remedy}")
    if report.unlisted:
        click.echo(f"and {report.unlisted:,} more")
    click.echo(report.summary())
    sys.exit(0 if report.unbroken else 1)


@receipts.command()
def heads() -> None:
    """Print where each day's chain ends; keep that where nobody who can change the database can change it."""
    from outbound.receipts.heads import heads as read
    from outbound.receipts.opening import read_only
    from outbound.settings import load_settings

    with read_only(load_settings().sqlalchemy_url) as connection:
        for head in read(connection):
            click.echo(head.line())


@click.command()
@click.argument("about", metavar="NUMBER|CAMPAIGN")
@click.option("--html", type=_OUT, help="Write a page to be read or printed instead of printing JSON.")
def evidence(about: str, html: Path | None) -> None:
    """Export what was decided and done, and why, for a number or a campaign; all days are verified."""
    from outbound.receipts.opening import read_only
    from outbound.settings import load_settings

    settings = load_settings()
    with read_only(settings.sqlalchemy_url) as connection:
        anchors = _heads(settings.data_dir, None)
        parts = _of_number if about[:1] in "+~" else _of_campaign
        if html is None:
            for line in parts(connection, about, anchors, False):
                click.echo(line)
            return
        html.write_text("".join(parts(connection, about, anchors, True)), encoding="utf-8")
    click.echo(f"{html}: written")


def _of_number(connection: Connection, number: str, heads: Any, page: bool) -> Iterator[str]:
    from outbound.api import receipt_views as views
    from outbound.importing.numbers import e164
    from outbound.receipts import evidence, evidence_page
    from outbound.store.erased import is_token

    wanted = number if is_token(number) else e164(number)
    shown = views.of_number(evidence.of_number(connection, wanted, heads=heads, limit=None), now=time.time())
    yield evidence_page.number_page(shown) if page else shown.model_dump_json(indent=2)


def _of_campaign(connection: Connection, campaign_id: str, heads: Any, page: bool) -> Iterator[str]:
    from outbound.api import receipt_views as views
    from outbound.api.receipt_models import EvidenceLine
    from outbound.receipts import evidence, evidence_page

    found = evidence.of_campaign(connection, campaign_id, heads=heads, limit=None)
    shown = views.of_campaign(found, now=time.time())
    if page:
        newest = [views.receipt(row) for row in evidence.newest_receipts_of(connection, campaign_id)]
        yield evidence_page.campaign_page(shown, newest)
        return
    yield EvidenceLine(type="campaign", campaign=shown).model_dump_json(exclude_none=True)
    for part in views.parts_of_campaign(campaign_id):
        after = part.begin
        while rows := part.read(connection, after):
            yield from (part.line(row).model_dump_json(exclude_none=True) for row in rows)
            after = rows[-1]["id"]


def _heads(data_dir: Path, given: Path | None) -> Any:
    from outbound.receipts.heads import FILE, parse

    path = given or data_dir / FILE
    return parse(path.read_text(encoding="utf-8")) if path.is_file() else []


COMMANDS = (receipts, evidence)
"""What ``outbound`` adds to its own."""
