"""Days, amounts and names as people say them; what is not plainly one is none."""

from __future__ import annotations

from typing import Any

import pytest

from campaigns.flow.lint import lint
from campaigns.understanding.values import KINDS, pressed_value, read_value
from tests.campaigns.flows import NOW, flow, talk, told

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("kind", "language", "said", "value"),
    [
        ("money", "en", "forty nine dollars and ninety cents", "49.90 USD"),
        ("money", "en", "forty-nine ninety", "49.90"),
        ("money", "en", "about one hundred and twenty pounds", "120.00 GBP"),
        ("money", "en", "two thousand three hundred", "2300.00"),
        ("money", "en", "$49.90", "49.90 USD"),
        ("money", "en", "1,250 euros", "1250.00 EUR"),
        ("money", "en", "12 dollars 5 cents", "12.05 USD"),
        ("money", "en", "twenty", "20.00"),
        ("money", "zh", "四十九块九", "49.90 CNY"),
        ("money", "zh", "一百二十元", "120.00 CNY"),
        ("money", "zh", "三千零五块", "3005.00 CNY"),
        ("money", "zh", "49元9角5分", "49.95 CNY"),
        ("money", "zh", "两万块钱", "20000.00 CNY"),
        ("date", "en", "next Friday", "2026-12-04"),
        ("date", "en", "tomorrow please", "2026-11-25"),
        ("date", "en", "December fifth", "2026-12-05"),
        ("date", "zh", "明天", "2026-11-25"),
        ("name", "en", "my name is mary jones", "Mary Jones"),
        ("name", "en", "it's O'Brien", "O'Brien"),
        ("name", "en", "Jean-Luc", "Jean-Luc"),
        ("name", "zh", "我叫王小明", "王小明"),
        ("digits", "en", "four two one one", "4211"),
        ("code", "en", "a b twelve", "AB12"),
    ],
)
def test_a_value_is_read(kind: str, language: str, said: str, value: str) -> None:
    assert read_value(kind, said, language, NOW) == value


@pytest.mark.parametrize(
    ("kind", "language", "said"),
    [
        ("money", "en", "a lot of money"),
        ("money", "en", "one two three four five"),
        ("money", "zh", "很多钱"),
        ("date", "en", "when I have time"),
        ("name", "en", "yes"),
        ("name", "en", "no thank you"),
        ("name", "en", "12 Mill Lane"),
        ("name", "en", "well I do not really want to tell you what my name is"),
        ("name", "zh", "不要"),
        ("money", "en", ""),
    ],
)
def test_what_is_none_is_empty(kind: str, language: str, said: str) -> None:
    assert read_value(kind, said, language, NOW) == ""


@pytest.mark.parametrize(
    ("kind", "keys", "value"),
    [
        ("date", "20261205", "2026-12-05"),
        ("date", "20261399", ""),
        ("money", "49*90", "49.90"),
        ("money", "120", "120.00"),
        ("money", "*", ""),
        ("name", "123", ""),
        ("digits", "4211", "4211"),
    ],
)
def test_keys_stand_for_values(kind: str, keys: str, value: str) -> None:
    assert pressed_value(kind, keys, NOW) == value


def collecting(kind: str) -> Any:
    step = {"type": "collect", "say": "What?", "kind": kind, "save_as": "it", "then": "bye", "otherwise": "silent"}
    opening = {"type": "identify", "say": "The robot of {{business}}.", "then": "here"}
    bye = {"type": "hangup", "say": "So {{it}}."}
    return flow(steps={"hello": opening, "here": step, "bye": bye})


@pytest.mark.parametrize(
    ("kind", "said", "back", "kept", "end"),
    [
        ("date", "next Friday", "Friday, December fourth", "2026-12-04", "So Friday, December fourth."),
        (
            "money",
            "forty nine ninety dollars",
            "forty-nine dollars and ninety cents",
            "49.90 USD",
            "So forty-nine dollars",
        ),
        ("name", "my name is mary jones", "Mary Jones", "Mary Jones", "So Mary Jones."),
    ],
)
def test_a_value_is_said_back_as_people_say_it_and_kept_as_it_is(
    kind: str, said: str, back: str, kept: str, end: str
) -> None:
    _, effects = talk(collecting(kind), said)
    assert told(effects)[1].startswith(f"say I understood {back}.")
    _, effects = talk(collecting(kind), said, "yes")
    assert told(effects)[1] == f"set it={kept}"
    assert told(effects)[3].startswith(f"say {end}")


@pytest.mark.parametrize("kind", KINDS)
def test_who_stops_instead_is_heard(kind: str) -> None:
    state, _ = talk(collecting(kind), "stop calling me")
    assert state.opted_out
    assert not [
        finding for finding in lint(collecting(kind)) if finding.step == "here" and kind not in ("digits", "code")
    ]
