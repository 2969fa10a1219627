"""The final table of a rehearsal and the verdict below it, for people; it judges nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from outbound.rehearsal.verdict import Finding, Story

SHORTEST, LONGEST = 12, 80
OTHER_COLUMNS = 68


def show(console: Console, stories: Sequence[Story], findings: Sequence[Finding]) -> None:
    """Print the table, then one line for each expectation."""
    console.print(table(stories, width=console.width))
    for finding in sorted(findings, key=lambda finding: not finding.holds):
        console.print(verdict(finding), soft_wrap=True)
    wrong = sum(not finding.holds for finding in findings)
    if wrong:
        console.print(Text(f"\n{wrong} of {len(findings)} expectations did not hold.", style="bold red"))
    else:
        console.print(Text(f"\nAll {len(findings)} expectations held.", style="bold green"))


def table(stories: Sequence[Story], *, width: int) -> Table:
    """One row for each customer of each campaign; what was said takes what the other columns leave of ``width``."""
    longest = max(SHORTEST, min(LONGEST, width - OTHER_COLUMNS))
    built = Table(title="How it went", title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1))
    built.add_column("Customer", no_wrap=True)
    built.add_column("Ended as", no_wrap=True)
    built.add_column("Tries", justify="right", no_wrap=True)
    built.add_column("Said ‹\nheard ›", no_wrap=True, overflow="ellipsis")
    built.add_column("First\nword", justify="right", no_wrap=True)
    built.add_column("Turn\ngaps", justify="right", no_wrap=True)
    for story in stories:
        first = story.answer_to_audio_s
        built.add_row(
            f"{escape(story.name)}\n[dim]{escape(story.campaign)}[/dim]",
            _ending(story),
            str(len(story.attempts)),
            escape("\n".join(talk(story.attempts, longest))),
            "" if first is None else f"{first:.2f} s",
            "\n".join(f"{gap:.2f} s" for gap in story.turn_gaps_s),
            end_section=True,
        )
    return built


def talk(attempts: Sequence[dict[str, Any]], longest: int) -> list[str]:
    """What was said first and last by the robot, and everything it heard, each in at most ``longest`` characters."""
    turns = [turn for attempt in attempts for turn in attempt.get("transcript", [])]
    robot = [turn["text"] for turn in turns if turn["who"] == "robot"]
    lines = [f"‹ {_short(robot[0], longest - 2)}"] if robot else []
    lines += [f"› {_short(turn['text'], longest - 2)}" for turn in turns if turn["who"] == "customer"]
    if len(robot) > 1:
        lines.append(f"‹ {_short(robot[-1], longest - 2)}")
    return lines


def verdict(finding: Finding) -> Text:
    """One line: who, what was expected, and what happened if that was something else."""
    if finding.holds:
        line = Text.assemble(("✓ ", "green"), f"{finding.who}: {finding.expected}")
        return line.append(f": {finding.note}", style="dim") if finding.note else line
    text = Text.assemble(("✗ ", "bold red"), f"{finding.who}: expected {finding.expected}, but {finding.happened}")
    for place in finding.evidence:
        text.append(f"\n    see {place}", style="dim")
    return text


def _ending(story: Story) -> str:
    outcome = next((attempt["outcome"] for attempt in reversed(story.attempts) if attempt.get("outcome")), "")
    note = story.refusal or (outcome if outcome != story.disposition else "")
    return escape(story.disposition or "—") + (f"\n[dim]{escape(note)}[/dim]" if note else "")


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
