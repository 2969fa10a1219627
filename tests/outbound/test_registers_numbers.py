"""Numbers of lists: what is read by its length alone is what phonenumbers reads, in every country."""

from __future__ import annotations

import random

import phonenumbers
import pytest
from phonenumbers import PhoneMetadata

from outbound.importing.numbers import NumberRefused, e164
from outbound.registers.numbers import NumberReader

pytestmark = pytest.mark.unit


def slowly(text: str, region: str | None) -> int | None:
    try:
        return int(e164(text, default_region=region)[1:])
    except NumberRefused:
        return None


def quickly(text: str, region: str | None) -> int | None:
    try:
        return NumberReader(region).read(text)
    except NumberRefused:
        return None


def digits(rng: random.Random, length: int) -> str:
    return "".join(rng.choice("0123456789") for _ in range(length))


def test_international_numbers_are_read_like_phonenumbers_reads_them() -> None:
    rng = random.Random(1)
    read = 0
    for code in [*phonenumbers.COUNTRY_CODE_TO_REGION_CODE, 210, 999, 0]:
        for _ in range(60):
            text = f"+{code}{digits(rng, rng.randint(4, 12))}"
            expected = slowly(text, None)
            assert quickly(text, None) == expected, text
            read += expected is not None
    assert read > 3000


def test_national_numbers_are_read_like_phonenumbers_reads_them() -> None:
    rng = random.Random(2)
    read = 0
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        metadata = PhoneMetadata.metadata_for_region(region)
        for _ in range(60):
            length = rng.choice([*metadata.general_desc.possible_length, rng.randint(5, 14)])
            text = rng.choice(["", metadata.national_prefix or ""]) + digits(rng, length)
            expected = slowly(text, region)
            assert quickly(text, region) == expected, (region, text)
            read += expected is not None
    assert read > 5000


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("+447700900001", None, 447700900001),
        ("+44 7700 900001", None, 447700900001),
        ("+44 (0)7700 900001", None, 447700900001),
        ("+4407700900001", None, 447700900001),
        ("07700900001", "GB", 447700900001),
        ("7700900001", "GB", 447700900001),
        ("447700900001", "GB", 447700900001),
        ("00447700900001", "DE", 447700900001),
        ("4155550123", "US", 14155550123),
        ("14155550123", "US", 14155550123),
        ("(415) 555-0123", "US", 14155550123),
        ("4165550123", "CA", 14165550123),
        ("0301234567", "DE", 49301234567),
        ("+393331234567", None, 393331234567),
        ("13800138000", "CN", 8613800138000),
        ("\uff0b\uff14\uff14\uff17\uff17\uff10\uff10\uff19\uff10\uff10\uff10\uff10\uff11", None, 447700900001),
    ],
)
def test_usual_writings(text: str, region: str | None, number: int) -> None:
    assert NumberReader(region).read(text) == number


@pytest.mark.parametrize(
    "text",
    ["447700900001", "07700900001", "+", "+0", "+4477", "+99912345678", "4.4E+11", "Smith", "+44770090000123456"],
)
def test_nothing_is_guessed(text: str) -> None:
    with pytest.raises(NumberRefused):
        NumberReader(None).read(text)
