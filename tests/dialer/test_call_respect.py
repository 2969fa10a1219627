"""What the rules of the customer's place want: sentences in every call, and recordings kept only on their terms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from campaigns.flow.disclosing import Told
from dialer.messages import CallResult
from tests.dialer.customers import FarEnd
from tests.dialer.flows import DELIVERY
from tests.dialer.world import World, ring

pytestmark = pytest.mark.unit

NOTICE = Told(when="start", say={"en": "This call is recorded."})


async def agrees(customer: FarEnd) -> None:
    await customer.answer()
    await customer.listen()
    await customer.say("yes")
    await customer.stay()


def called(tmp_path: Path, **changes: Any) -> tuple[CallResult, World]:
    world = World(tmp_path, customer=agrees)
    return ring(world, **changes), world


def kept(tmp_path: Path) -> list[str]:
    return [path.name for path in (tmp_path / "recordings").glob("*")]


def test_the_notice_is_heard_before_anything_is_asked(tmp_path: Path) -> None:
    result, world = called(tmp_path, disclosures=(NOTICE,))
    said = [turn.text for turn in result.transcript if turn.who == "robot"]
    assert said[:2] == ["Robot of Acme.", "This call is recorded."]
    assert "This call is recorded." in world.customer.heard[0]
    assert kept(tmp_path) == [result.recording]


def asking(answer: str) -> dict[str, Any]:
    """The delivery flow, with the question whether it may be recorded."""
    steps = {name: dict(step) for name, step in DELIVERY["steps"].items()}
    question = {
        "type": "ask",
        "say": {"en": "May we record?"},
        "save_as": "recording_consent",
        "answers": {"yes": {"key": "1", "then": "fine"}, "no": {"key": "2", "then": "fine"}},
        "otherwise": "fine",
    }
    steps["question"] = question | ({"answers": {**question["answers"], "yes": {"key": "1", "then": answer}}})  # type: ignore[dict-item]
    return DELIVERY | {"steps": steps}


def test_with_consent_it_is_kept(tmp_path: Path) -> None:
    result, _ = called(tmp_path, flow=asking("fine"), record_on_consent=True)
    assert result.variables["recording_consent"] == "yes"
    assert kept(tmp_path) == [result.recording] != [""]


def test_without_consent_nothing_is_kept_and_it_is_measured_all_the_same(tmp_path: Path) -> None:
    result, _ = called(tmp_path, record_on_consent=True)
    assert (result.recording, kept(tmp_path)) == ("", [])
    assert result.timings.turn_gaps_s


def test_where_nothing_may_be_recorded_nothing_is(tmp_path: Path) -> None:
    result, _ = called(tmp_path, record=False)
    assert (result.recording, kept(tmp_path)) == ("", [])
