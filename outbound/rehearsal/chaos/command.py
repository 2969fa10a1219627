"""``outbound chaos``: runs the layouts one after another, prints the report, and tells by its exit code what came out.

What happens in a run and what it proves is decided elsewhere.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from outbound.logs import configure_logs
from outbound.rehearsal.chaos.conducting import Conductor
from outbound.rehearsal.chaos.layouts import Sizes
from outbound.rehearsal.chaos.plan import Layout, draw_plan
from outbound.rehearsal.chaos.report import Run, markdown, show
from outbound.rehearsal.chaos.verdict import judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked for on the command line."""

    attempts: int
    kills: int
    seed: int
    layouts: tuple[Layout, ...]
    rate: float
    speech: str = "scripted"
    report: Path | None = None
    keep: bool = False
    """Keep the folder even when everything held."""


async def chaos(wish: Wish, console: Console) -> int:
    """Run it; returns the exit code. Raises :class:`OutboundError` when something cannot be started."""
    configure_logs("error")  # of what we start ourselves: that Valkey died is no news here
    runs = [await run_layout(wish, place, console) for place in range(len(wish.layouts))]
    show(console, runs)
    if wish.report is not None:
        wish.report.write_text(markdown(runs, _command(wish)), encoding="utf-8")
    return 0 if all(run.verdict.holds for run in runs) else 1


async def run_layout(wish: Wish, place: int, console: Console) -> Run:
    """Run the layout at ``place`` with its share of attempts and kills; its folder stays when something was found."""
    layout, parts = wish.layouts[place], len(wish.layouts)
    attempts, kills = _share(wish.attempts, place, parts), _share(wish.kills, place, parts)
    plan = draw_plan(layout, attempts=attempts, kills=kills, seed=wish.seed, now=datetime.now(UTC))
    folder = _own_folder()

    def report(words: str) -> None:
        console.print(f"{layout}: {words}", style="dim", highlight=False)

    sizes = Sizes(rate=wish.rate, speech=wish.speech)
    try:
        evidence = await Conductor(plan, folder, sizes, report).run()
    except BaseException:
        report(f"broke off; logs and data stay in {folder}")
        raise
    run = Run(evidence=evidence, verdict=judge(evidence))
    if run.verdict.holds and not wish.keep:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        report(f"logs and data stay in {folder}")
    return run


def _own_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    folder.chmod(0o755)  # PostgreSQL may run as a user of its own
    return folder


def _share(total: int, place: int, parts: int) -> int:
    return total // parts + (place < total % parts)


def _command(wish: Wish) -> str:
    layout = wish.layouts[0] if len(wish.layouts) == 1 else "both"
    words: Sequence[str] = (
        f"outbound chaos --attempts {wish.attempts} --kills {wish.kills} --seed {wish.seed}",
        f"--layout {layout} --rate {wish.rate:g}",
    )
    return " ".join(words)
