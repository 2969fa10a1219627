"""Everything is killed while calls are made, by both layouts: nobody is lost, rung twice or rung against the rules."""

from __future__ import annotations

import io
from collections import Counter

import pytest
from rich.console import Console

from outbound.rehearsal.chaos.command import Wish, run_layout
from outbound.rehearsal.chaos.plan import KINDS, Layout
from outbound.rehearsal.chaos.report import markdown, show

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(420)]

PEOPLE = 70


@pytest.mark.parametrize("layout", Layout)
async def test_nobody_is_lost_or_rung_twice_while_everything_is_killed(layout: Layout) -> None:
    kinds = KINDS[layout]
    wish = Wish(attempts=PEOPLE, kills=len(kinds), seed=1, layouts=(layout,), rate=6.0)
    said = io.StringIO()
    console = Console(file=said, width=140)

    run = await run_layout(wish, 0, console)

    show(console, [run])
    evidence, verdict = run.evidence, run.verdict
    assert verdict.lost == (), said.getvalue()
    assert verdict.duplicate == (), said.getvalue()
    assert verdict.unlawful == (), said.getvalue()
    assert verdict.unclean == (), said.getvalue()
    assert Counter(struck.kind for struck in evidence.struck) == Counter(kinds), said.getvalue()
    assert len(evidence.sightings) > PEOPLE / 2
    assert any(ban.number for ban in evidence.bans)
    assert {ban.campaign for ban in evidence.bans} >= {"paused", "cancelled"}
    assert f"| lost | {0} |" in markdown([run], "outbound chaos")
