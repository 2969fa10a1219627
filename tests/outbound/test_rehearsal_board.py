"""The board of a rehearsal: live events become progress, calls and lines."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from outbound.rehearsal.board import Board
from outbound.rehearsal.live import LiveView

pytestmark = pytest.mark.unit
ADA = "+12025550101"


def event(kind: str, *, attempt_id: str | None = "a1", campaign_id: str = "c1", **data: Any) -> dict[str, Any]:
    return {"id": 1, "kind": kind, "campaign_id": campaign_id, "attempt_id": attempt_id, "data": data}


def board() -> Board:
    made = Board({ADA: "Ada Bell"})
    made.add("c1", "Parcels", 2)
    return made


def test_a_call_is_followed_from_the_ring_to_its_end() -> None:
    seen = board()
    lines = [
        seen.take(event("campaign.started", attempt_id=None)),
        seen.take(event("attempt.due", number=ADA, name="", ordinal=1)),
        seen.take(event("attempt.dialing", number=ADA, name="", ordinal=1)),
        seen.take(event("call.answered", codec="PCMU")),
        seen.take(event("call.step", step="ask", type="ask")),
        seen.take(event("call.said", text="Hello.", language="en")),
        seen.take(event("call.hearing", text="ye")),
    ]
    assert lines == [
        "Parcels: started",
        "",
        "Ada Bell: rung by Parcels",
        "Ada Bell: answered",
        "",
        "Ada Bell ‹ Hello.",
        "",
    ]
    call = seen.calls["a1"]
    assert (call.state, call.step, call.robot, call.customer) == ("answered", "ask", "Hello.", "ye")
    assert seen.take(event("call.heard", text="Yes.", intent="yes")) == "Ada Bell › Yes."
    assert seen.take(event("call.heard", text="", intent=None)) == "Ada Bell › (not understood)"
    assert seen.take(event("call.digits", digits="1")) == "Ada Bell › pressed 1"
    assert seen.take(event("call.handoff", state="connected")) == "Ada Bell: handoff connected"
    done = event("attempt.done", number=ADA, disposition="handed_off", outcome="talked")
    assert seen.take(done) == "Ada Bell: handed_off (talked)"
    assert (seen.calls, seen.settled("c1", ADA), seen.campaigns["c1"].tally["handed_off"]) == ({}, True, 1)
    assert not seen.over("c1")
    seen.take(event("campaign.completed", attempt_id=None))
    assert seen.over("c1")


def test_a_customer_to_be_tried_again_is_not_settled() -> None:
    seen = board()
    seen.take(event("attempt.dialing", number=ADA))
    seen.take(event("attempt.done", number=ADA, disposition="busy"))
    assert seen.take(event("attempt.due", number=ADA, ordinal=2)) == "Ada Bell: to be tried again"
    assert not seen.settled("c1", ADA)


def test_a_refusal_settles_and_keeps_its_code() -> None:
    seen = board()
    line = seen.take(event("contact.refused", attempt_id=None, number=ADA, code="opted_out", reason="asked not to"))
    assert line == "Ada Bell: not rung by Parcels: asked not to"
    assert (seen.settled("c1", ADA), seen.refusals["c1", ADA]) == (True, "opted_out")


def test_other_campaigns_and_unknown_calls_are_not_looked_at() -> None:
    seen = board()
    assert seen.take(event("campaign.started", campaign_id="other")) == ""
    assert seen.take(event("call.said", attempt_id="unknown", text="Hello.")) == ""
    assert seen.take(event("import.done", attempt_id=None)) == ""


def test_the_live_view_draws_progress_and_calls_in_a_terminal() -> None:
    seen = board()
    seen.take(event("attempt.dialing", number=ADA, ordinal=2))
    seen.take(event("call.said", text="This is the robot of [Northwind]."))
    out = io.StringIO()
    with LiveView(seen, Console(file=out, force_terminal=True, width=120)) as view:
        view.tell("a line")
    drawn = out.getvalue()
    assert "Ada Bell" in drawn
    assert "dialing (try 2)" in drawn
    assert "robot of [Northwind]" in drawn
    assert "0/2" in drawn
    assert "a line" not in drawn


def test_without_a_terminal_it_prints_plain_lines() -> None:
    out = io.StringIO()
    with LiveView(board(), Console(file=out, width=40)) as view:
        view.tell("Ada Bell ‹ " + "word " * 20 + "[bold]end[/bold]")
        view.tell("")
    assert out.getvalue() == "Ada Bell ‹ " + "word " * 20 + "[bold]end[/bold]\n"
