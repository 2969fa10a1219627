"""``outbound rules``: what the rules say to a number or a jurisdiction, the lint, the page of the documentation."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from campaigns.flow.findings import Severity
from campaigns.rules import RulePack, RulesError, applicable, built_in_packs, merge, parse_pack
from campaigns.rules.lint import lint, rules_of
from campaigns.rules.table import rule_cells
from outbound.errors import Invalid
from outbound.gatehouse.rulebook import check_holidays
from outbound.importing.numbers import e164
from outbound.places import jurisdictions_of


@click.group()
def rules() -> None:
    """Calling rules: what may be done to whom, when, and where it says so."""


@rules.command("show")
@click.argument("whom")
@click.option("--pack", "files", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def show(whom: str, files: tuple[Path, ...]) -> None:
    """Say which rules apply to WHOM: a number such as +33612345678, or a jurisdiction such as FR or US-FL.

    With --pack, a file of your own takes the place of the pack of its name.
    """
    where = (whom.upper(),) if whom[:1].isalpha() else jurisdictions_of(e164(whom))
    packs = merge(built_in_packs(), [_read(file) for file in files])
    click.echo(f"{whom}: {', '.join(where) or 'no country is known'}; all of these must allow it:")
    for pack in applicable(packs, where):
        _print(pack)


@rules.command("schema")
def schema() -> None:
    """Print the JSON Schema of rule packs."""
    click.echo((files("campaigns.rules") / "schema.json").read_text(encoding="utf-8").rstrip())


@rules.command("lint")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Check rule packs (without FILES: the built-in ones); exit 1 when one must not be put in force."""
    packs = [_read(file) for file in files] or list(built_in_packs())
    today = datetime.now(UTC).date()
    found = lint(packs if not files else merge(built_in_packs(), packs), today=today)
    names = {pack.name for pack in packs}
    found = [finding for finding in found if finding.pack in names]
    for finding in found:
        click.echo(str(finding))
    for pack in packs:
        _look_up(pack, today.year)
    if any(finding.severity is Severity.ERROR for finding in found):
        sys.exit(1)
    click.echo(f"{len(packs)} pack(s) can be put in force")


def _print(pack: RulePack) -> None:
    table = Table(title=f"{pack.title} ({pack.id})", title_justify="left", title_style="bold", expand=True)
    for name, ratio in (("rule", 2), ("for", 2), ("by", 1), ("says", 6), ("source", 4), ("mark", 1)):
        table.add_column(name, ratio=ratio, overflow="fold")
    for rule in rules_of(pack):
        table.add_row(*map(escape, rule_cells(rule)))
    console = Console()
    console.print(table)
    for note in pack.notes:
        console.print(f"  note: {escape(note)}")


def _read(file: Path) -> RulePack:
    try:
        return parse_pack(file.read_text(encoding="utf-8"), file=str(file))
    except (RulesError, UnicodeDecodeError) as error:
        raise Invalid(str(error), code="rules_unreadable") from error


def _look_up(pack: RulePack, year: int) -> None:
    try:
        check_holidays(pack, year=year)
    except RulesError as error:
        raise Invalid(str(error), code=error.code) from error


COMMANDS = (rules,)
