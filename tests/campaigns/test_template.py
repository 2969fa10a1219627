"""Templates: what is filled in is said naturally, and nothing in a value is taken for more than words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.flow.filters import FILTERS, Manner
from campaigns.flow.template import VALUE_MAX, TemplateError, compile_template, speakable
from tests.campaigns.flows import NOW

pytestmark = pytest.mark.unit

EN = Manner(language="en", now=NOW)
ZH = Manner(language="zh", now=NOW)


def render(source: str, value: str, manner: Manner = EN) -> str:
    return compile_template(source).render({"x": value}, manner)


SAID = [
    # filter, value, English, Mandarin
    ("money", "49 USD", "forty-nine dollars", "四十九美元"),
    ("money", "$1,249.05", "one thousand two hundred forty-nine dollars and five cents", "一千二百四十九点零五美元"),
    ("money", "0.99 EUR", "ninety-nine cents", "零点九九欧元"),
    ("money", "1 GBP", "one pound", "一英镑"),
    ("money", "49.90", "forty-nine dollars and ninety cents", "四十九元九角"),
    ("money: EUR", "12", "twelve euros", "十二欧元"),
    ("money", "a lot", "a lot", "a lot"),
    ("money", "5 XDR", "five XDR", "五XDR"),
    ("number", "1234", "one thousand two hundred thirty-four", "一千二百三十四"),
    ("number", "-20", "minus twenty", "负二十"),
    ("number", "100010", "one hundred thousand ten", "十万零一十"),
    ("number", "12.5", "12.5", "12.5"),
    ("digits", "4211", "four two one one", "四二幺幺"),
    ("phone", "+12025550123", "two zero two, five five five, zero one two three", "二零二，五五五，零幺二三"),
    ("phone: 44", "+442079460000", "two zero seven, nine four six, zero zero zero zero", "二零七，九四六，零零零零"),
    ("spell", "AB12", "A, B, one, two", "A，B，一，二"),
    ("date", "2026-12-05", "December fifth", "十二月五号"),
    ("date", "2028-05-21", "May twenty-first, twenty twenty-eight", "二零二八年五月二十一号"),
    ("date", "soon", "soon", "soon"),
    ("day", "2026-11-24", "today", "今天"),
    ("day", "2026-11-25", "tomorrow", "明天"),
    ("day", "2026-11-27", "Friday", "星期五"),
    ("day", "2026-12-12", "Saturday, December twelfth", "十二月十二号星期六"),
    ("weekday", "2026-12-12", "Saturday", "星期六"),
    ("weekday: 周", "2026-12-12", "Saturday", "周六"),
    ("weekday", "soon", "soon", "soon"),
    ("time", "15:30", "three thirty PM", "下午三点半"),
    ("time", "09:05", "nine oh five AM", "上午九点零五分"),
    ("time", "12:00", "noon", "中午十二点"),
    ("time", "0", "midnight", "凌晨零点"),
    ("window", "9:00-12:00", "nine AM and noon", "上午九点到中午十二点"),
    ("window", "14:00-16:30", "two and four thirty PM", "下午两点到四点半"),
    ("moment", "2026-11-25T20:00:00+00:00", "tomorrow at three PM", "明天下午三点"),
    ("moment", "2026-12-03T10:00:00-05:00", "on Thursday, December third at ten AM", "十二月三号星期四上午十点"),
    ("default: there", "", "there", "there"),
    ("default: there", "Ann", "Ann", "Ann"),
    ("text", "Ann", "Ann", "Ann"),
]


@pytest.mark.parametrize(("name", "value", "english", "mandarin"), SAID)
def test_values_are_said_naturally(name: str, value: str, english: str, mandarin: str) -> None:
    assert render(f"{{{{x | {name}}}}}", value) == english
    assert render(f"{{{{x | {name}}}}}", value, ZH) == mandarin


def test_every_filter_has_a_case() -> None:
    assert {name.partition(":")[0] for name, *_ in SAID} == set(FILTERS)


def test_a_variable_is_said_as_its_kind_unless_the_prompt_says_otherwise() -> None:
    template = compile_template("{{price}} or {{ price | digits }}")
    assert template.render({"price": "49"}, EN, {"price": "money"}) == "forty-nine dollars or four nine"
    assert template.names == {"price"}


def test_space_left_by_an_empty_value_is_closed() -> None:
    assert render("Hello {{x}}, good  day {{x}}.", "") == "Hello, good day."


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("Mary\x00\x1b[31m Jones\u202e", "Mary[31m Jones"),
        ("<speak><break time='9s'/>Mary</speak>", "Mary"),
        ("{{price}} <", "price"),
        ("a\n\tb", "a b"),
        ("x" * 1000, "x" * VALUE_MAX),
    ],
)
def test_markup_and_control_characters_are_never_spoken(value: str, words: str) -> None:
    assert render("{{x}}", value) == words


def test_a_value_is_not_a_template() -> None:
    assert compile_template("{{x}}").render({"x": "{{y}}", "y": "secret"}, EN) == "y"


def test_a_missing_variable_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(TemplateError) as caught:
        compile_template("{{prise}}").render({"price": "1"}, EN)
    assert caught.value.code == "unknown_variable"
    assert "Did you mean 'price'?" in str(caught.value)


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("{{x", "template"),
        ("x}}", "template"),
        ("{{X Y}}", "template"),
        ("{{x | upside_down}}", "unknown_filter"),
        ("Hello <b>you</b>", "markup"),
    ],
)
def test_what_cannot_be_read_is_refused(source: str, code: str) -> None:
    with pytest.raises(TemplateError) as caught:
        compile_template(source)
    assert caught.value.code == code


@given(st.sampled_from(sorted(FILTERS)), st.text(max_size=60), st.sampled_from([EN, ZH]))
def test_no_value_makes_a_filter_fail(name: str, value: str, manner: Manner) -> None:
    words = render(f"{{{{x | {name}}}}}", value, manner)
    assert not set(words) & set("<>{}\n\x00")


@given(st.from_regex(r"[0-9T:+.\-/ ]{0,25}", fullmatch=True), st.sampled_from(sorted(FILTERS)))
def test_no_figures_make_a_filter_fail(value: str, name: str) -> None:
    assert render(f"{{{{x | {name}}}}}", value) or not speakable(value) or name == "default"
