"""The commands ``outbound backup`` and ``outbound restore``; they print what an operator has to know, and no more."""

from __future__ import annotations

import time
from pathlib import Path

import click

_FILE = click.Path(dir_okay=False, path_type=Path)
_COPY = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=_FILE)
def backup(file: Path) -> None:
    """Copy the database to FILE, whole and at one instant, service running or not."""
    from outbound.backup.copying import back_up
    from outbound.settings import load_settings

    settings = load_settings()
    back_up(settings.sqlalchemy_url, file)
    click.echo(f"{file}: written; it holds numbers, trunk passwords and signing secrets: keep it like them")
    click.echo(f"not in it, below {settings.data_dir}: operator.key, recordings, journal, receipts.heads")


@click.command()
@click.argument("file", type=_COPY)
@click.option("--keep-old", is_flag=True, help="Keep the database that is there under another name, and replace it.")
def restore(file: Path, keep_old: bool) -> None:
    """Put the copy FILE into the database's place; the service must be stopped."""
    from outbound.backup.restoring import restore as put_back
    from outbound.settings import load_settings

    settings = load_settings()
    aside = put_back(settings.sqlalchemy_url, settings.data_dir, file, keep_old=keep_old, now=time.time())
    if aside is not None:
        click.echo(f"the database that was there is kept as {aside}")
    click.echo(f"{file}: restored; leave {settings.data_dir / 'journal'} as it is: it knows who was called since")
    click.echo(
        "at the next start running campaigns are paused: load the opt-outs and erasures since the copy was made,"
    )
    click.echo("then resume each campaign")


COMMANDS = (backup, restore)
"""What ``outbound`` adds to its own."""
