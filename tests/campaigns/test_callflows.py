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
    "data_confirmation": {"customer": "Mary Jones", "field": "delivery address", "value": "12 Mill Lane"},
    "delivery_reschedule": {"parcel": "coffee machine", "order": "A-1042", "delivery_day": "2026-11-25"},
    "membership_renewal": {"plan": "yearly membership", "price": "49 USD", "renewal_date": "2026-12-31"},
    "payment_reminder": {
        "customer": "Mary Jones",
        "invoice": "water bill",
        "amount": "82.40 USD",
        "due_date": "2026-11-20",
        "pay_by": "2026-12-05",
    },
    "price_drop": {"product": "coffee machine", "price": "49 USD", "old_price": "65 USD", "until": "2026-12-12"},
    "satisfaction_survey": {"topic": "last visit"},
    "shipping_alert": {"parcel": "coffee machine", "delivery_day": "2026-11-25", "delivery_window": "9:00-12:00"},
}

PRIVATE = {"data_confirmation", "payment_reminder"}
"""Flows that first make sure whom they speak with; a first yes is no more than that."""
DAYS = "(reply two first=2026-11-27; second=2026-11-30)"
"""A Friday and a Monday are free."""
GO_ON = {"satisfaction_survey"}
"""Flows that ask more after the first yes."""


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
    first = ["Speaking."] if name in PRIVATE and disposition == "accepted" else []
    last = ["(hangup)"] if name in GO_ON and disposition == "accepted" else []
    assert went(name, "en", *first, *inputs, *last)[0] == (disposition or machine)


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
    first = ["我就是"] if name in PRIVATE and disposition == "accepted" else []
    last = ["(hangup)"] if name in GO_ON and disposition == "accepted" else []
    assert went(name, "zh", *first, *inputs, *last)[0] == disposition


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
        ("price_drop", ["how much is it", "yes please"], ("accepted", "keep_one")),
        ("price_drop", ["no thanks"], ("declined", "not_wanted")),
        ("price_drop", ["I already bought it"], ("informed", "already_bought")),
        ("payment_reminder", ["yes", "I will pay it today"], ("accepted", "will_pay")),
        ("payment_reminder", ["#1", "I already paid it"], ("informed", "says_paid")),
        ("payment_reminder", ["yes", "I can't pay"], ("handed_off", "cannot_pay")),
        ("payment_reminder", ["no", "no"], ("wrong_person", "unknown_here")),
        ("payment_reminder", ["no, she is out", "yes", "tomorrow at three"], ("callback_booked", "not_in")),
        ("satisfaction_survey", ["go ahead", "four", "five", "very likely, a five"], ("accepted", "completed")),
        ("satisfaction_survey", ["yes", "#2", "#1", "#1", "yes please"], ("handed_off", "wants_to_talk")),
        ("satisfaction_survey", ["yes", "very easy", "two", "three", "no thank you"], ("accepted", "completed")),
        ("satisfaction_survey", ["yes", "four", "(silence)", "(silence)", "(silence)"], ("accepted", "begun")),
        ("satisfaction_survey", ["no, thanks"], ("declined", "not_willing")),
        ("data_confirmation", ["that's me", "that's right"], ("accepted", "confirmed")),
        ("data_confirmation", ["yes", "no, we moved"], ("handed_off", "to_be_changed")),
        ("data_confirmation", ["#2", "#2"], ("wrong_person", "unknown_here")),
        ("delivery_reschedule", ["that suits me"], ("accepted", "day_kept")),
        ("delivery_reschedule", ["no", DAYS, "Friday please", "(reply ok)"], ("accepted", "day_changed")),
        ("delivery_reschedule", ["another day", DAYS, "the second one", "(reply ok)"], ("accepted", "day_changed")),
        (
            "delivery_reschedule",
            ["#2", DAYS, "#1", "(reply taken)", DAYS, "#2", "(reply ok)"],
            ("accepted", "day_changed"),
        ),
        (
            "delivery_reschedule",
            ["no", "(reply one first=2026-11-27)", "yes", "(reply ok)"],
            ("accepted", "day_changed"),
        ),
        ("delivery_reschedule", ["no", "(reply none)"], ("handed_off", "another_day_wanted")),
        ("delivery_reschedule", ["no", "(no reply)"], ("handed_off", "another_day_wanted")),
        ("delivery_reschedule", ["no", DAYS, "neither"], ("handed_off", "another_day_wanted")),
        ("delivery_reschedule", ["no", DAYS, "no"], ("handed_off", "another_day_wanted")),
        ("delivery_reschedule", ["no", DAYS, "#1", "(no reply)"], ("handed_off", "another_day_wanted")),
        ("delivery_reschedule", ["no", DAYS, "stop calling me"], ("opted_out", "opted_out")),
        ("delivery_reschedule", ["no", "hello?", DAYS, "#1", "(hangup)"], ("informed", "another_day_wanted")),
        ("appointment_reminder", ["I can't make it"], ("handed_off", "cannot_come")),
        ("appointment_reminder", ["cancel"], ("handed_off", "cannot_come")),
    ],
)
def test_each_flows_own_ends(name: str, inputs: list[str], end: tuple[str, str]) -> None:
    assert went(name, "en", *inputs) == end


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", sorted(PRIVATE))
def test_private_matters_are_told_to_nobody_else_and_to_no_machine(name: str, language: str) -> None:
    values = {**CAMPAIGN, **CONTACT[name]}
    private = ("82", "八十二", "12 Mill", "water bill")
    for inputs in ([], ["#2", "#1"], ["#2", "#2"], ["(silence)"] * 3, ["(machine)"]):
        said = " ".join(
            turn.text for turn in simulate(load(name), context(variables=values, language=language), inputs).turns
        )
        assert not any(word in said for word in private)
    told = simulate(load(name), context(variables=values, language=language), ["#1"]).turns
    assert any(word in turn.text for turn in told for word in private)


@pytest.mark.parametrize(
    ("language", "said", "day", "told"),
    [
        ("en", "Friday would be great", "2026-11-27", "now comes Friday"),
        ("en", "let's take Monday", "2026-11-30", "now comes Monday"),
        ("en", "November twenty-seventh", "2026-11-27", "now comes Friday"),
        ("zh", "周五吧", "2026-11-27", "改为星期五送达"),
        ("zh", "星期一可以", "2026-11-30", "改为十一月三十号星期一送达"),
        ("zh", "第二个", "2026-11-30", "改为十一月三十号星期一送达"),
    ],
)
def test_a_delivery_is_changed_to_the_day_that_was_said(language: str, said: str, day: str, told: str) -> None:
    values = {**CAMPAIGN, **CONTACT["delivery_reschedule"]}
    no = "no" if language == "en" else "不方便"
    told_by = simulate(
        load("delivery_reschedule"),
        context(variables=values, language=language),
        [no, DAYS, said, f"(reply ok day={day})"],
    )
    assert (told_by.variables["new_day"], told_by.outcome) == (day, "day_changed")
    assert told in [turn.text for turn in told_by.turns if turn.who is Who.ROBOT][-1]


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "call me another day"), ("en", "another day, I'm driving"), ("zh", "现在不方便"), ("zh", "改天再打")],
)
def test_who_wants_to_be_called_another_day_is_not_taken_to_speak_of_the_delivery(language: str, words: str) -> None:
    values = {**CAMPAIGN, **CONTACT["delivery_reschedule"]}
    result = simulate(load("delivery_reschedule"), context(variables=values, language=language), [words, "(hangup)"])
    assert (result.disposition, result.outcome) == (Disposition.CALLBACK_BOOKED, "")


def test_two_days_of_one_name_are_asked_back() -> None:
    values = {**CAMPAIGN, **CONTACT["delivery_reschedule"]}
    week = "(reply two first=2026-11-27; second=2026-12-04)"
    result = simulate(load("delivery_reschedule"), context(variables=values), ["no", week, "Friday", "the second"])
    assert (result.ended, result.variables["new_day"]) == (False, "2026-12-04")


def test_a_survey_keeps_every_rating() -> None:
    values = {**CAMPAIGN, **CONTACT["satisfaction_survey"]}
    result = simulate(
        load("satisfaction_survey"), context(variables=values), ["yes", "four", "five out of five", "I'd say three"]
    )
    kept = {name: result.variables[name] for name in ("effort", "satisfaction", "recommendation")}
    assert kept == {"effort": "4", "satisfaction": "5", "recommendation": "3"}


def test_the_example_of_the_documentation_is_a_good_flow() -> None:
    page = (Path(__file__).parents[2] / "docs" / "callflows.md").read_text(encoding="utf-8")
    document = yaml.safe_load(page.split("```yaml\n")[1].split("```")[0])
    assert lint(accept_flow(document, source="callflows.md")) == ()
    assert {step["type"] for step in document["steps"].values()} == set(step_types())
    assert {*re.findall(r"`([a-z_]+)`", page.split("## The lint")[1])} == {*REFUSED, *WARNED}
