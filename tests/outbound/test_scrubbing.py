"""What counts as naming a number, and what stays of an event that does."""

from __future__ import annotations

from typing import Any

import pytest

from outbound.erasing.scrubbing import names, scrub, without

pytestmark = pytest.mark.unit
NUMBER, LONGER, TOKEN = "+4930123456", "+49301234567", "~AAAAAAAAAAAAAAA"


@pytest.mark.parametrize(
    "value",
    [NUMBER, "call +4930123456.", "4930123456", 4930123456, "004930123456", "0114930123456", "10–4930123456"],
)
def test_a_number_is_found_however_it_is_dialled(value: Any) -> None:
    assert names(value, NUMBER)
    assert names([{"a": {f"at {value}": 1}}], NUMBER)


@pytest.mark.parametrize("value", [LONGER, "+149301234560", 49301234567, "4930 123456", "+14930123456", None, ""])
def test_a_number_that_holds_its_digits_is_anothers(value: Any) -> None:
    assert not names(value, NUMBER)


def test_of_an_event_about_them_only_what_is_listed_stays() -> None:
    data = {"number": NUMBER, "name": "Ann", "code": "busy", "reason": f"{NUMBER} is busy", "at": 1.5}
    assert scrub(data, NUMBER, TOKEN) == {"number": TOKEN, "code": "busy", "at": 1.5}
    assert scrub({"text": "hello"}, NUMBER, TOKEN) == {}


def test_of_an_event_about_another_only_what_names_them_goes() -> None:
    data = {"number": LONGER, "name": "Ben", "text": f"ask {NUMBER}", NUMBER: True}
    assert without(data, NUMBER) == {"number": LONGER, "name": "Ben"}
