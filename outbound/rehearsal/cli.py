"""The rehearsal's commands: ``outbound demo``, ``rehearse`` and ``bench``; each imports only what it runs."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

import click

_FILE = click.Path(dir_okay=False, path_type=Path)
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
EXAMPLE_CAMPAIGNS = ("shipping-alert.yaml", "membership-renewal.yaml")


@click.command()
@click.option("--exchange-port", default=0, show_default=True, help="UDP port of the exchange; 0 takes any free one.")
def demo(exchange_port: int) -> None:
    """Rehearse the two example campaigns with the example cast, for real, on this machine alone."""
    campaigns = [EXAMPLES / name for name in EXAMPLE_CAMPAIGNS]
    _rehearse(campaigns, EXAMPLES / "cast.yaml", exchange_port)


@click.command()
@click.argument("campaigns", metavar="CAMPAIGN.yaml…", nargs=-1, required=True, type=_FILE)
@click.option("--customers", required=True, type=_FILE, help="The cast: who the customers are and how they behave.")
@click.option("--exchange-port", default=0, show_default=True, help="UDP port of the exchange; 0 takes any free one.")
def rehearse(campaigns: tuple[Path, ...], customers: Path, exchange_port: int) -> None:
    """Run campaigns against simulated customers; nobody outside this machine is rung."""
    _rehearse(list(campaigns), customers, exchange_port)


@click.command()
@click.option("--gate", is_flag=True, help="Only the gate: decisions, places, lists, receipts, a large plan.")
@click.option("--people", default=1_000_000, show_default=True, help="Contacts of the plan of --gate.")
def bench(gate: bool, people: int) -> None:
    """Measure the product on this machine, each figure beside its limit in the same run."""
    if gate:
        _bench_gate(people)
        return
    from outbound.rehearsal.bench import measure
    from outbound.settings import load_settings

    sys.exit(asyncio.run(measure(load_settings(), EXAMPLES / EXAMPLE_CAMPAIGNS[0])))


def _bench_gate(people: int) -> None:
    from rich.console import Console

    from outbound.rehearsal.figures import table_of
    from outbound.rehearsal.gate_bench import gate_figures

    console = Console()
    with tempfile.TemporaryDirectory(prefix="outbound-bench-") as folder:
        figures = []
        for figure in gate_figures(Path(folder), people):
            console.print(f"{figure.what}: {figure.value}", style="dim")
            figures.append(figure)
    console.print(table_of(figures))


def _rehearse(campaigns: list[Path], cast: Path, exchange_port: int) -> None:
    from outbound.rehearsal.drive import rehearse as run
    from outbound.settings import load_settings

    try:
        code = asyncio.run(run(load_settings(), campaigns, cast, exchange_port=exchange_port))
    except KeyboardInterrupt:
        click.echo("\nStopped; nothing was left running.", err=True)
        code = 130
    sys.exit(code)


COMMANDS = (demo, rehearse, bench)
"""What ``outbound`` adds to its own."""
