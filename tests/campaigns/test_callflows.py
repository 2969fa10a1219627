"""The call flows that come with the product: clean, short, and right with every kind of customer."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml

from campaigns.dispositions import Disposition
from campaigns.flow.ahead import spoken_ahead
from campaigns.flow.document import Flow
from campaigns.flow.lint import accept_flow, lint
from campaigns.flow.registry import step_types
from campaigns.flow.simulate import Who, simulate
from tests.campaigns.flows import NOW, context
from tests.campaigns.test_lint import REFUSED, WARNED

pytestmark = pytest.mark.unit

FOLDER = resources.files("campaigns").joinpath("callflows")
NAMES = sorted(path.name.removesuffix(".yaml") for path in FOLDER.iterdir() if path.name.endswith(".yaml"))
CAMPAIGN = {"business": "Northwind", "callback_number": "+12025550100"}
CONTACT: dict[str, dict[str, str]] = {
    "appointment_reminder": {"day": "2026-11-25", "time": "15:30"},
    "membership_renewal": {"plan": "yearly membership", "price": "49 USD", "renewal_date": "2026-12-31"},
    "shipping_alert": {"parcel": "coffee machine", "delivery_day": "2026-11-25", "delivery_window": "9:00-12:00"},
}


@cache
def load(name: str) -> Flow:
    document = yaml.safe_load(FOLDER.joinpath(f"{name}.yaml").read_text(encoding="utf-8"))
    return accept_flow(document, source=f"{name}.yaml")


def went(name: str, language: str, *inputs: str, **changes: Any) -> tuple[Disposition | None, str]:
    values = {**CAMPAIGN, **CONTACT[name]}
    result = simulate(load(name), context(variables=values, language=language, **changes), inputs)
    return result.disposition, result.outcome


@pytest.mark.parametrize("name", NAMES)
def test_the_lint_finds_nothing(name: str) -> None:
    assert lint(load(name)) == ()
    assert load(name).name == name


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", NAMES)
def test_the_opening_is_the_same_for_everybody_and_can_be_rendered_ahead(name: str, language: str) -> None:
    ahead = spoken_ahead(load(name), language, CAMPAIGN, NOW)
    values = {**CAMPAIGN, **CONTACT[name]}
    said = simulate(load(name), context(variables=values, language=language), []).turns
    assert said[0].text == ahead[0]
    assert "Northwind" in ahead[0]
    assert not any("between" in text or "coffee" in text or "{{" in text for text in ahead)
    assert any("Goodbye" in text or "再见" in text for text in ahead)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", NAMES)
def test_the_customer_is_told_of_both_keys(name: str, language: str) -> None:
    values = {**CAMPAIGN, **CONTACT[name]}
    turns = simulate(load(name), context(variables=values, language=language), []).turns
    question = next(turn.text for turn in reversed(turns) if turn.who is Who.ROBOT)
    assert "0" in question
    assert "9" in question


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("inputs", "disposition"),
    [
        (["Yes, please."], "accepted"),
        (["#1"], "accepted"),
        (["Press one."], "accepted"),
        (["Can you repeat that, please?", "yeah"], "accepted"),
        (["Hello?", "Who is this?", "Are you a robot?", "okay"], "accepted"),
        (["Stop calling me."], "opted_out"),
        (["#9"], "opted_out"),
        (["(silence)"] * 3, "no_response"),
        (["mumble", "#7", "(noise)"], "no_response"),
        (["I would like to speak to a real person, please."], "handed_off"),
        (["#0", "(no agent)", "tomorrow at three"], "callback_booked"),
        (["I'm busy right now, call me later.", "after six"], "callback_booked"),
        (["call me tomorrow at three"], "callback_booked"),
        (["You have the wrong number."], "wrong_person"),
        (["Hello", "you have reached Ella Novak. Please leave a message after the tone."], None),
        (["(hangup)"], "hung_up"),
        (["yes", "(hangup)"], "accepted"),
    ],
)
def test_english_customers(name: str, inputs: list[str], disposition: str | None) -> None:
    voicemail = load(name).voicemail
    machine = "message_left" if voicemail and voicemail.leave else "machine"
    assert went(name, "en", *inputs)[0] == (disposition or machine)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("inputs", "disposition"),
    [
        (["好的"], "accepted"),
        (["喂，你好", "可以"], "accepted"),
        (["你是谁", "你是机器人吗", "请再说一遍", "#1"], "accepted"),
        (["不要再打电话给我了"], "opted_out"),
        (["转人工"], "handed_off"),
        (["明天下午三点再打给我"], "callback_booked"),
        (["我在开会", "周五下午"], "callback_booked"),
        (["你打错了"], "wrong_person"),
        (["(silence)"] * 3, "no_response"),
    ],
)
def test_mandarin_customers(name: str, inputs: list[str], disposition: str) -> None:
    assert went(name, "zh", *inputs)[0] == disposition


@pytest.mark.parametrize(
    ("name", "inputs", "end"),
    [
        ("shipping_alert", ["no", "yes"], ("informed", "leave_at_neighbour")),
        ("shipping_alert", ["Nobody will be there.", "#2"], ("handed_off", "another_day")),
        ("shipping_alert", ["I'll be in."], ("accepted", "will_be_there")),
        ("shipping_alert", ["no", "(silence)", "(silence)", "(silence)"], ("informed", "nobody_there")),
        ("membership_renewal", ["no thank you"], ("declined", "not_renewed")),
        ("membership_renewal", ["not interested"], ("declined", "not_renewed")),
        ("membership_renewal", ["how much does it cost", "okay"], ("accepted", "renewed")),
        ("membership_renewal", ["I already renewed it."], ("informed", "already_renewed")),
        ("membership_renewal", ["#3"], ("informed", "already_renewed")),
        ("appointment_reminder", ["I can't make it"], ("handed_off", "cannot_come")),
        ("appointment_reminder", ["cancel"], ("handed_off", "cannot_come")),
    ],
)
def test_each_flows_own_ends(name: str, inputs: list[str], end: tuple[str, str]) -> None:
    assert went(name, "en", *inputs) == end


def test_the_example_of_the_documentation_is_a_good_flow() -> None:
    page = (Path(__file__).parents[2] / "docs" / "callflows.md").read_text(encoding="utf-8")
    document = yaml.safe_load(page.split("```yaml\n")[1].split("```")[0])
    assert lint(accept_flow(document, source="callflows.md")) == ()
    assert {step["type"] for step in document["steps"].values()} == set(step_types())
    assert {*re.findall(r"`([a-z_]+)`", page.split("## The lint")[1])} == {*REFUSED, *WARNED}
