"""The command line: ``outbound up`` and its parts; it wires and prints, and decides nothing."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

import click

from outbound.errors import OutboundError
from outbound.logs import configure_logs
from outbound.settings import Settings, load_settings


class _Commands(click.Group):
    """Prints an operator's mistakes as one line, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except OutboundError as error:
            click.echo(f"outbound: {error.detail}", err=True)
            ctx.exit(1)


@click.group(cls=_Commands)
@click.version_option(package_name="outbound")
def main() -> None:
    """Reach customers by telephone, and behave."""


@main.command()
def up() -> None:
    """Run everything on this machine until Ctrl-C."""
    from outbound.up import ALL_ROLES

    asyncio.run(_serve(load_settings(), ALL_ROLES, name=""))


@main.command()
def web() -> None:
    """Run REST and console alone (PostgreSQL and Redis by URL)."""
    from outbound.up import WEB

    asyncio.run(_serve(_scaled_out(), frozenset({WEB}), name="web"))


@main.command()
def worker() -> None:
    """Run the planner's worker alone (PostgreSQL and Redis by URL)."""
    from outbound.up import WORKER

    asyncio.run(_serve(_scaled_out(), frozenset({WORKER}), name="worker"))


@main.command()
@click.option("--name", default="dialer-1", show_default=True, help="This dialer's name; each needs its own.")
def dialer(name: str) -> None:
    """Run lines and speech alone (PostgreSQL and Redis by URL)."""
    from outbound.up import DIALER

    asyncio.run(_serve(_scaled_out(), frozenset({DIALER}), name=name))


@main.command()
@click.argument("flow", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def lint(flow: Path) -> None:
    """Check a call flow file; exit 1 when it must not be used."""
    from outbound.callflows import lint_file

    findings = lint_file(flow)
    for finding in findings:
        click.echo(f"{finding.file}: {finding.step or '-'}: {finding.severity} {finding.code}: {finding.message}")
        click.echo(f"    {finding.remedy}")
    if any(finding.severity == "error" for finding in findings):
        sys.exit(1)
    click.echo(f"{flow}: can be used")


@main.command()
@click.argument("flow", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--set", "values", multiple=True, metavar="NAME=VALUE", help="A variable; what is left out is the example."
)
@click.option("--language", default="en", show_default=True)
@click.option("--zone", default="UTC", show_default=True, help="IANA zone of the customer.")
def simulate(flow: Path, values: tuple[str, ...], language: str, zone: str) -> None:
    """Talk to a call flow in text: a line is what the customer says; #1 is a key; (silence), (hangup), (reply ok)."""
    from outbound.talk import talk

    talk(flow, dict(value.partition("=")[::2] for value in values), language=language, zone=zone)


@main.command()
@click.argument("flow", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--set", "values", multiple=True, metavar="NAME=VALUE", help="A variable; what is left out is the example."
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("heard"), show_default=True)
def hear(flow: Path, values: tuple[str, ...], out: Path) -> None:
    """Render everything a call flow says, in each language, into a page to listen to."""
    from outbound.listening_page import write_page

    given = dict(value.partition("=")[::2] for value in values)
    click.echo(f"Listen to {write_page(flow, given, out, spoken_dir=load_settings().spoken_dir)}")


@main.group()
def models() -> None:
    """Recognition models that no package registry holds."""


@models.command("get")
@click.argument("name")
def get_model(name: str) -> None:
    """Download a model, checked by its pinned hash; a download that broke off is resumed."""
    from outbound.fetching import fetch_model

    click.echo(f"{name} is in {fetch_model(name, load_settings().models_dir)}")


@main.command()
def doctor() -> None:
    """Say which recogniser and voice serve each language here, how to get better ones, and how old tzdata is."""
    from datetime import UTC, datetime

    from outbound.places import tzdata_age, tzdata_version
    from speech.doctor import report

    for line in report(load_settings().models_dir):
        click.echo(line)
    click.echo(f"tzdata: {tzdata_age(datetime.now(UTC)) or tzdata_version()}")


@main.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    from outbound.api.openapi import document

    click.echo(json.dumps(document(), indent=2, sort_keys=True))


def _scaled_out() -> Settings:
    settings = load_settings()
    if not settings.redis_url or not settings.database_url:
        raise click.UsageError("set OUTBOUND_DATABASE_URL and OUTBOUND_REDIS_URL, which all hosts share")
    return settings


async def _serve(settings: Settings, roles: frozenset[str], *, name: str) -> None:
    """Run a host until SIGINT or SIGTERM, or until a part of it cannot go on."""
    from outbound.up import running_host

    configure_logs(settings.log_level)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stop.set)
    async with running_host(settings, roles, name=name) as host:
        if host.url:
            click.echo(f"console  {host.url}/#key={host.api_key}")
            click.echo(f"REST     {host.url}/v1   (docs at {host.url}/docs)")
            click.echo(f"key      {host.api_key}")
        click.echo("Ctrl-C drains the calls in progress and stops.")
        stopping = asyncio.ensure_future(stop.wait())
        ends: set[asyncio.Future[Any]] = {stopping, host.failed}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if host.failed.done():
            host.failed.result()


def _register() -> None:
    """Add the commands of the rehearsal room, of the receipts, of the rules and of backups."""
    from outbound.backup import commands as backups
    from outbound.gatehouse import commands as rule_commands
    from outbound.receipts import cli as receipts
    from outbound.rehearsal import cli as rehearsal

    for command in (*rehearsal.COMMANDS, *receipts.COMMANDS, *rule_commands.COMMANDS, *backups.COMMANDS):
        main.add_command(command)


_register()
