"""What is read at once is what the number data says by the long way, for every country."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneMetadata, PhoneNumberType
from phonenumbers.phonenumberutil import COUNTRY_CODE_TO_REGION_CODE

from outbound.importing.numbers import NumberRefused, resolve
from outbound.importing.plain_numbers import plain_number
from outbound.places import ZoneRefused, deciding_digits, place_of_ordinary

pytestmark = pytest.mark.unit
REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
KINDS = (
    *(PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.VOIP, PhoneNumberType.TOLL_FREE),
    *(PhoneNumberType.PREMIUM_RATE, PhoneNumberType.PERSONAL_NUMBER, PhoneNumberType.UAN, PhoneNumberType.PAGER),
)
ZONES = st.sampled_from(["", "", "Europe/London", "America/Phoenix", "Mars/Base"])
DIGITS = st.text("0123456789", min_size=4, max_size=13)


@st.composite
def near_examples(draw: st.DrawFn) -> tuple[str, str]:
    """The national digits of a number that begins like an example of some kind, and its region."""
    region = draw(st.sampled_from(REGIONS))
    example_number = phonenumbers.example_number_for_type(region, draw(st.sampled_from(KINDS)))
    assume(example_number is not None)
    digits = phonenumbers.national_significant_number(example_number)
    kept = draw(st.integers(0, len(digits)))
    size = len(digits) - kept + draw(st.sampled_from([0, 0, 0, 0, -1, 1]))
    end = draw(st.text("0123456789", min_size=max(size, 0), max_size=max(size, 0)))
    return digits[:kept] + end, region


def the_long_way(text: str, region: str | None, zone: str) -> tuple[object, ...]:
    """What numbers.py says by phonenumbers alone."""
    try:
        found = resolve(text, default_region=region, zone=zone)
    except (NumberRefused, ZoneRefused) as error:
        return (error.code,)
    return found.number, found.zones, found.jurisdictions


def at_once(text: str, region: str | None, zone: str) -> tuple[object, ...] | None:
    """The same from what is read at once; ``None`` where it does not know."""
    found = plain_number(text, region)
    if found is None:
        return None
    deciding = deciding_digits(found.calling_code, found.digits)
    try:
        place = place_of_ordinary(found.country, found.calling_code, deciding, zone=zone)
    except ZoneRefused as error:
        return (error.code,)
    return found.number, place.zones, place.jurisdictions


def agree(text: str, region: str | None, zone: str) -> None:
    known = at_once(text, region, zone)
    assert known is None or known == the_long_way(text, region, zone)


@settings(max_examples=1500, deadline=None)
@given(near_examples(), ZONES)
@example(("2079460018", "GB"), "")
@example(("5512345678", "MX"), "")
@example(("15512345678", "MX"), "")
@example(("91123456789", "AR"), "")
@example(("8123456789", "RU"), "")
@example(("0612345678", "IT"), "")
def test_numbers_with_their_country_agree(number: tuple[str, str], zone: str) -> None:
    digits, region = number
    agree(f"+{phonenumbers.country_code_for_region(region)}{digits}", None, zone)


@settings(max_examples=1500, deadline=None)
@given(near_examples(), st.sampled_from(["prefix", "none", "none", "calling code", "abroad"]), st.sampled_from(REGIONS))
def test_numbers_as_they_are_dialled_at_home_agree(number: tuple[str, str], begin: str, elsewhere: str) -> None:
    digits, region = number
    metadata = PhoneMetadata.metadata_for_region(region)
    begins = {
        "prefix": metadata.national_prefix or "",
        "none": "",
        "calling code": str(metadata.country_code),
        "abroad": "00" + str(metadata.country_code),
    }
    agree(begins[begin] + digits, region, "Europe/London")
    agree(begins[begin] + digits, elsewhere, "Europe/London")


@settings(max_examples=1000, deadline=None)
@given(st.sampled_from(sorted(COUNTRY_CODE_TO_REGION_CODE)), DIGITS, ZONES)
def test_any_digits_agree(calling_code: int, digits: str, zone: str) -> None:
    agree(f"+{calling_code}{digits}", None, zone)


@settings(max_examples=1000, deadline=None)
@given(st.text(max_size=20), st.sampled_from([None, "US", "GB", "XX"]))
def test_whatever_is_written_agrees(text: str, region: str | None) -> None:
    agree(text, region, "Europe/London")


@pytest.mark.parametrize("region", REGIONS)
def test_the_example_of_every_country_is_read_at_once(region: str) -> None:
    for kind in (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE):
        number = phonenumbers.example_number_for_type(region, kind)
        if number is None:
            continue
        text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        if len(phonenumbers.national_significant_number(number)) <= 6 or phonenumbers.number_type(number) not in (
            *(PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE),
        ):
            continue
        found = plain_number(text)
        assert found is not None, text
        assert found.number == text


@pytest.mark.parametrize(
    "text",
    ["+19005551234", "+448081570192", "+447700900123", "+88212345678", "+14151550123", "+4999", "+0123456789", "", "+"],
)
def test_what_is_not_ordinary_is_left_alone(text: str) -> None:
    assert plain_number(text, "US") is None
