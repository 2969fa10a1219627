"""A model that may look at words in which nothing was understood: it chooses among answers, and binds nobody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from campaigns.dispositions import Disposition
from campaigns.flow.inputs import Replied
from dialer.messages import EventKind
from tests.dialer.customers import FarEnd
from tests.dialer.world import World, ring

pytestmark = pytest.mark.unit


def says(*sentences: str) -> Any:
    async def customer(end: FarEnd) -> None:
        await end.answer()
        await end.listen()
        for sentence in sentences:
            await end.say(sentence)
            await end.listen()
        await end.stay()

    return customer


def called(tmp_path: Path, reply: Replied, *sentences: str, takes_s: float = 0.1, **changes: Any) -> tuple[Any, World]:
    world = World(tmp_path, customer=says(*sentences))
    world.reply, world.reply_takes_s = reply, takes_s
    return ring(world, **{"interpret": True, **changes}), world


def test_words_that_mean_nothing_are_taken_for_what_it_chose(tmp_path: Path) -> None:
    result, world = called(tmp_path, Replied(result="yes"), "i shall await its arrival")
    assert (result.disposition, result.outcome) == (Disposition.ACCEPTED, "at_home")
    [asked] = world.asked
    assert json.loads(asked.values["choices"]).keys() == {"yes", "no"}
    customer = [turn.text for turn in result.transcript if turn.who == "customer"]
    assert customer == ["i shall await its arrival"], "the transcript keeps what was said"
    assert world.told(EventKind.SYSTEM) == [], "it is no system of the business"


@pytest.mark.parametrize(
    "reply",
    [Replied(result="opt_out"), Replied(result="agent"), Replied(result="nonsense"), Replied(problem="it is away")],
)
def test_it_can_choose_nothing_else(tmp_path: Path, reply: Replied) -> None:
    result, world = called(tmp_path, reply, "i shall await its arrival", "yes")
    assert result.disposition is Disposition.ACCEPTED
    assert world.told(EventKind.OPT_OUT) == []


@pytest.mark.parametrize("words", ["stop calling me", "i would like to speak to a person", "no", "yes"])
def test_what_is_understood_is_never_asked_about(tmp_path: Path, words: str) -> None:
    _, world = called(tmp_path, Replied(result="yes"), words)
    assert world.asked == []


def test_a_model_that_takes_its_time_is_bridged(tmp_path: Path) -> None:
    result, world = called(tmp_path, Replied(result="no"), "i shall await its arrival", takes_s=1.4)
    assert result.outcome == "not_at_home"
    assert "One moment, please." in " ".join(world.customer.heard)


def test_without_a_model_nobody_is_asked(tmp_path: Path) -> None:
    _, world = called(tmp_path, Replied(result="yes"), "i shall await its arrival", "yes", interpret=False)
    assert world.asked == []
