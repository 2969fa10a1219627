"""Digits as they are entered: counted once, and complete by number, terminator or pause."""

from __future__ import annotations

import asyncio

import pytest

from dialer.keypad import PAUSE_S, Keypad
from tests.dialer.virtual import run

pytestmark = pytest.mark.unit


def press(keypad: Keypad, digits: str, method: str = "rfc4733") -> list[bool]:
    return [keypad.press(digit, method) for digit in digits]


@pytest.mark.parametrize(
    ("pressed", "wanted", "entries"),
    [
        ("1", 1, ["1"]),
        ("12", 1, ["1", "2"]),
        ("1234", 4, ["1234"]),
        ("12#", 4, ["12"]),
        ("1234#", 4, ["1234"]),
        ("12#34", 4, ["12", ""]),
        ("#", 1, ["#"]),
        ("12", 4, [""]),
    ],
)
def test_an_entry_is_complete(pressed: str, wanted: int, entries: list[str]) -> None:
    async def enter() -> list[str]:
        keypad = Keypad()
        press(keypad, pressed)
        return [keypad.entered(wanted) for _ in entries]

    assert run(enter()) == entries


def test_a_pause_completes_an_entry() -> None:
    async def enter() -> tuple[str, str]:
        keypad = Keypad()
        press(keypad, "12")
        before = keypad.entered(4)
        await asyncio.sleep(PAUSE_S)
        return before, keypad.entered(4)

    assert run(enter()) == ("", "12")


def test_a_key_heard_two_ways_is_one_press() -> None:
    async def enter() -> list[bool]:
        keypad = Keypad()
        first = [keypad.press("5", "rfc4733"), keypad.press("5", "inband"), keypad.press("5", "rfc4733")]
        await asyncio.sleep(2.0)
        return [*first, keypad.press("5", "inband")]

    assert run(enter()) == [True, False, True, True]
