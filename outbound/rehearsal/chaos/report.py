"""What a chaos run shows: a table for the terminal, the same as Markdown for a file. It judges nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from outbound.rehearsal.chaos.evidence import Evidence
from outbound.rehearsal.chaos.plan import KINDS
from outbound.rehearsal.chaos.verdict import BROKEN, Finding, Verdict, attempt_of

HEADINGS = ("lost", "duplicate", "undetermined", "unlawful", "unclean")
SHOWN = 20
"""Findings of one heading on the terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One layout's evidence and what came out."""

    evidence: Evidence
    verdict: Verdict


def show(console: Console, runs: Sequence[Run]) -> None:
    """Print the verdict, the figures behind it and every finding."""
    for title, header, rows in _tables(runs):
        table = Table(title=title, title_justify="left", header_style="bold")
        for place, name in enumerate(header):
            table.add_column(name, justify="left" if place == 0 else "right")
        for row in rows:
            table.add_row(*row)
        console.print(table)
    for run in runs:
        for heading in HEADINGS:
            _show_findings(console, run, heading)


def markdown(runs: Sequence[Run], command: str) -> str:
    """The same as a page."""
    parts = [f"`{command}`"]
    for title, header, rows in _tables(runs):
        lines = [f"| {' | '.join(header)} |", "|" + " --- |" + " ---: |" * (len(header) - 1)]
        lines += [f"| {' | '.join(row)} |" for row in rows]
        parts.append(f"### {title}\n\n" + "\n".join(lines))
    for run in runs:
        for heading in HEADINGS:
            found = getattr(run.verdict, heading)
            if found:
                lines = [f"- {_words(finding)}" for finding in found]
                parts.append(f"### {heading}, {run.evidence.plan.layout}\n\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _show_findings(console: Console, run: Run, heading: str) -> None:
    found: Sequence[Finding] = getattr(run.verdict, heading)
    style = "yellow" if heading == "undetermined" else "bold red"
    for finding in found[:SHOWN]:
        line = f"[{style}]{heading}[/] {run.evidence.plan.layout}: {escape(_words(finding))}"
        console.print(line, soft_wrap=True, highlight=False)
    if len(found) > SHOWN:
        console.print(f"… and {len(found) - SHOWN} more {heading}", style=style)


def _words(finding: Finding) -> str:
    named = " ".join(filter(None, (finding.number, finding.attempt_id)))
    return ": ".join(filter(None, (finding.what, named, finding.detail)))


Rows = list[tuple[str, ...]]


def _tables(runs: Sequence[Run]) -> list[tuple[str, tuple[str, ...], Rows]]:
    layouts = tuple(run.evidence.plan.layout.value for run in runs)
    return [
        ("Verdict", ("", *layouts), _side_by_side([_verdict_rows(run) for run in runs])),
        ("What was rung", ("", *layouts), _side_by_side([_figures(run) for run in runs])),
        ("What was struck", ("Strike", "times", "calls in progress, mean", "at most"), _strikes(runs)),
    ]


def _side_by_side(columns: Sequence[list[tuple[str, str]]]) -> Rows:
    names = list(dict.fromkeys(name for column in columns for name, _ in column))
    found = [dict(column) for column in columns]
    return [(name, *(column.get(name, "") for column in found)) for name in names]


def _verdict_rows(run: Run) -> list[tuple[str, str]]:
    return [(heading, str(len(getattr(run.verdict, heading)))) for heading in HEADINGS]


def _figures(run: Run) -> list[tuple[str, str]]:
    evidence = run.evidence
    seen = {attempt_of(sighting) for sighting in evidence.sightings}
    broken = [attempt for attempt in evidence.attempts if attempt["hangup_cause"] in BROKEN]
    ends = Counter(str(attempt["disposition"] or attempt["state"]) for attempt in evidence.attempts)
    stops = [*(struck.drained_s for struck in evidence.struck), *evidence.stops_s]
    by_themselves = [end for end in evidence.exits if not end.asked]
    rows = [
        ("people", f"{len(evidence.plan.people):,}"),
        ("attempts", f"{len(evidence.attempts):,}"),
        ("INVITEs at the peer", f"{len(evidence.sightings):,}"),
        ("repeated datagrams of them", f"{sum(sighting.again for sighting in evidence.sightings):,}"),
        ("calls broken off by a strike", f"{len(broken):,}"),
        ("of those never seen by the peer", f"{sum(attempt['id'] not in seen for attempt in broken):,}"),
        ("opt-outs, before and during", f"{sum(bool(ban.number) for ban in evidence.bans):,}"),
        ("longest graceful stop", f"{max(filter(None, stops), default=0):.1f} s"),
        ("longest that REST was away", f"{evidence.longest_silence_s:.1f} s"),
        (
            "parts that ended by themselves",
            f"{len(by_themselves)} ({sum(end.ready for end in by_themselves)} while up)",
        ),
        ("took", f"{evidence.took_s:.0f} s"),
        ("seed", str(evidence.plan.seed)),
    ]
    return rows + [(f"ended as {name}", f"{count:,}") for name, count in sorted(ends.items())]


def _strikes(runs: Sequence[Run]) -> Rows:
    rows: Rows = []
    for run in runs:
        for kind in KINDS[run.evidence.plan.layout]:
            calls = [struck.calls for struck in run.evidence.struck if struck.kind is kind]
            mean = sum(calls) / len(calls) if calls else 0.0
            name = f"{kind} ({run.evidence.plan.layout})"
            rows.append((name, str(len(calls)), f"{mean:.1f}", str(max(calls, default=0))))
    return rows
