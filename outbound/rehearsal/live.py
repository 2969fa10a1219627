"""The live view of a rehearsal in the terminal: progress, calls in progress, last words; plain lines without one."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from outbound.rehearsal.board import Board, CallOnBoard

SHOWN_CALLS = 12
FRAMES_A_SECOND = 6.0


class LiveView:
    """Shows a board while the block is open."""

    def __init__(self, board: Board, console: Console) -> None:
        self._board = board
        self._console = console
        self._live = Live(
            console=console, get_renderable=self._draw, refresh_per_second=FRAMES_A_SECOND, transient=True
        )

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def tell(self, line: str) -> None:
        """Show one event; in a terminal the board shows it already."""
        if line and not self._console.is_terminal:
            self._console.print(Text(line), soft_wrap=True)

    def _draw(self) -> Group:
        return Group(self._progress(), Text(), self._calls())

    def _progress(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for campaign in self._board.campaigns.values():
            tally = ", ".join(f"{count} {name}" for name, count in sorted(campaign.tally.items()))
            table.add_row(
                Text(campaign.name, style="bold"),
                ProgressBar(total=max(1, campaign.contacts), completed=len(campaign.settled), width=24),
                f"{len(campaign.settled)}/{campaign.contacts}",
                Text(tally, style="dim"),
            )
        return table

    def _calls(self) -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0), expand=True)
        table.add_column("Customer", no_wrap=True)
        table.add_column("Call", no_wrap=True)
        table.add_column("Step", no_wrap=True, style="cyan")
        table.add_column("Robot", ratio=3, no_wrap=True, overflow="ellipsis")
        table.add_column("Customer says", ratio=2, no_wrap=True, overflow="ellipsis", style="green")
        for call in list(self._board.calls.values())[:SHOWN_CALLS]:
            table.add_row(call.name, _state(call), call.step, call.robot, call.customer)
        return table


def _state(call: CallOnBoard) -> Text:
    style = {"dialing": "yellow", "ringing": "yellow", "answered": "green"}.get(call.state, "magenta")
    again = f" (try {call.ordinal})" if call.ordinal > 1 else ""
    return Text(call.state + again, style=style)
