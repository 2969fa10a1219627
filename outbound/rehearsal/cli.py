"""The rehearsal's commands (``outbound demo``, ``rehearse``, ``bench``, ``eval``, ``chaos``), each a few imports."""

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
@click.option("--queue", is_flag=True, help="Only durability and pacing: cycles, due lookup, lines, dialers, import.")
@click.option("--talk", type=click.IntRange(1, 60), help="Only so many conversations at once, with real speech.")
@click.option("--people", default=1_000_000, show_default=True, help="Contacts of --gate's plan and --queue's import.")
@click.option("--attempts", default=10_000_000, show_default=True, help="Rows of --queue's largest table of attempts.")
@click.option("--full", is_flag=True, help="With --queue: as many rows on PostgreSQL, too; else a tenth.")
def bench(gate: bool, queue: bool, talk: int | None, people: int, attempts: int, full: bool) -> None:
    """Measure the product on this machine, each figure beside its limit in the same run."""
    if gate:
        _bench_gate(people)
        return
    if talk:
        from outbound.rehearsal.talk_bench import measure_talk
        from outbound.settings import load_settings

        sys.exit(asyncio.run(measure_talk(load_settings(), EXAMPLES / EXAMPLE_CAMPAIGNS[0], talk)))
    if queue:
        asyncio.run(_bench_queue(people, attempts, attempts if full else attempts // 10))
        return
    from outbound.rehearsal.bench import measure
    from outbound.settings import load_settings

    sys.exit(asyncio.run(measure(load_settings(), EXAMPLES / EXAMPLE_CAMPAIGNS[0])))


@click.command()
@click.option("--attempts", default=600, show_default=True, type=click.IntRange(20), help="People; retries on top.")
@click.option("--kills", default=30, show_default=True, type=click.IntRange(0), help="Strikes, every kind among them.")
@click.option("--seed", default=1, show_default=True, help="The same seed draws the same people and strikes.")
@click.option(
    "--layout", default="both", show_default=True, type=click.Choice(["embedded", "parts", "both"]), help="What to run."
)
@click.option("--rate", default=10.0, show_default=True, type=click.FloatRange(1, 40), help="Calls begun a second.")
@click.option("--speech", default="scripted", show_default=True, help="Recogniser and voice; auto: real engines.")
@click.option("--report", type=_FILE, help="Write the report here too, as Markdown.")
@click.option("--keep", is_flag=True, help="Keep logs and data although everything held.")
def chaos(
    attempts: int, kills: int, seed: int, layout: str, rate: float, speech: str, report: Path | None, keep: bool
) -> None:
    """Kill every part of the product while it rings a peer that counts; exit 1 unless nothing is lost or rung twice."""
    from outbound.rehearsal.chaos.command import Wish
    from outbound.rehearsal.chaos.command import chaos as run
    from outbound.rehearsal.chaos.plan import Layout
    from outbound.rehearsal.drive import terminal

    layouts = tuple(Layout) if layout == "both" else (Layout(layout),)
    wish = Wish(
        attempts=attempts,
        kills=kills,
        seed=seed,
        layouts=layouts,
        rate=rate,
        speech=speech,
        report=report,
        keep=keep,
    )
    try:
        code = asyncio.run(run(wish, terminal()))
    except KeyboardInterrupt:
        click.echo("\nStopped; nothing was left running.", err=True)
        code = 130
    sys.exit(code)


@click.command("eval")
@click.option(
    "--clips", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder with manifest.json."
)
@click.option("--languages", default="en,zh", show_default=True, help="Comma-separated.")
@click.option("--engines", default="auto,pocketsphinx", show_default=True, help="Recognisers, comma-separated.")
@click.option("--show", is_flag=True, help="Print every clip that was not taken as it was meant.")
@click.option("--json", "report", type=_FILE, help="Write the figures here too.")
def evaluate(clips: Path | None, languages: str, engines: str, show: bool, report: Path | None) -> None:
    """Say how well the product hears, understands and speaks here: by real engines, on sound."""
    from outbound.rehearsal.drive import terminal
    from outbound.rehearsal.evaluation import command

    told = command.evaluate(
        terminal(), languages=languages.split(","), engines=engines.split(","), folder=clips, show=show
    )
    if report is not None:
        command.write(report, told)


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


async def _bench_queue(people: int, attempts: int, on_postgres: int) -> None:
    from rich.console import Console

    from outbound.logs import configure_logs
    from outbound.rehearsal.figures import table_of
    from outbound.rehearsal.queue_bench import Sizes, queue_figures

    console = Console()
    configure_logs("error")
    sizes = Sizes(people=people, attempts=attempts, on_postgres=on_postgres)
    with tempfile.TemporaryDirectory(prefix="outbound-bench-") as folder:
        figures = []
        async for figure in queue_figures(Path(folder), sizes):
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


COMMANDS = (demo, rehearse, bench, evaluate, chaos)
"""What ``outbound`` adds to its own."""
