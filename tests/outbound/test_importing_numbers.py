"""Numbers as people write them: what becomes of them, in which zones, and why others are refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outbound.importing.numbers import NumberRefused, as_given, e164, resolve, same_mobile
from outbound.places import ZoneRefused

pytestmark = pytest.mark.unit
LONDON = "Europe/London"


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("+14155550123", None, "+14155550123"),
        ("+1 (415) 555-0123", None, "+14155550123"),
        ("415.555.0123", "US", "+14155550123"),
        ("+44 (0)20 7946 0018", None, "+442079460018"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("011 44 20 7946 0018", "US", "+442079460018"),
        ("\uff0b44 20\u00a07946\u20110018", None, "+442079460018"),
        ("\uff11\uff14\uff11\uff15\uff15\uff15\uff15\uff10\uff11\uff12\uff13", "US", "+14155550123"),
        ("+8613912345678", None, "+8613912345678"),
        ("+52 1 55 1234 5678", None, "+525512345678"),
        ("+52 55 1234 5678", None, "+525512345678"),
        ("+54 11 15 2345 6789", None, "+5491123456789"),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, region: str | None, number: str) -> None:
    assert resolve(text, default_region=region).number == number


@pytest.mark.parametrize(
    ("text", "region", "code"),
    [
        ("", None, "number_missing"),
        ("  ", None, "number_missing"),
        ("415 555 0123", None, "number_without_country"),
        ("00442079460018", None, "number_without_country"),
        ("1-800-FLOWERS", "US", "number_invalid"),
        ("+14155550123 ext 5", None, "number_invalid"),
        ("tel:+14155550123", None, "number_invalid"),
        ("4.477E+11", "GB", "number_invalid"),
        ("4,477E+11", "GB", "number_invalid"),
        ("+", None, "number_invalid"),
        ("+9" * 40, None, "number_invalid"),
        ("+99912345678", None, "number_invalid"),
        ("0", "US", "number_invalid"),
        ("5550123", "US", "number_impossible"),
        ("+1415555012345", None, "number_impossible"),
        ("+4930", None, "number_impossible"),
        ("911", "US", "number_emergency"),
        ("112", "GB", "number_emergency"),
        ("+44999", None, "number_emergency"),
        ("87222", "US", "number_short"),
        ("+19005551234", None, "number_premium"),
        ("+449012345678", None, "number_premium"),
        ("=1+1", None, "number_invalid"),
        ("+1415\x005550123", None, "number_invalid"),
    ],
)
def test_what_cannot_be_called_is_refused_by_name(text: str, region: str | None, code: str) -> None:
    with pytest.raises(NumberRefused) as refused:
        resolve(text, default_region=region, zone=LONDON)
    assert refused.value.code == code
    assert refused.value.field == "number"


def test_the_old_mexican_mobiles_have_ten_digits() -> None:
    with pytest.raises(NumberRefused):
        e164("+52 1 55 1234 56789")


def test_an_argentine_mobile_has_two_numbers() -> None:
    assert same_mobile("+541123456789") == ("+541123456789", "+5491123456789")
    assert same_mobile("+5491123456789") == ("+5491123456789", "+541123456789")
    for number in ("+14155550123", "+54911234567", "+549112345678901", "+5411", "~ABCDEFGHIJKLMNO", "+525512345678"):
        assert same_mobile(number) == (number,)


@pytest.mark.parametrize(("text", "number"), [("60777", "+60777"), ("+1 (2) 3", "+123"), ("0" * 15, "+" + "0" * 15)])
def test_digits_that_are_no_number_can_still_be_kept(text: str, number: str) -> None:
    assert as_given(text) == number


@pytest.mark.parametrize("text", ["", "+", "0" * 16, "Acme", "12a"])
def test_without_digits_there_is_nothing_to_keep(text: str) -> None:
    with pytest.raises(NumberRefused):
        as_given(text)


def test_the_zone_the_contact_gives_wins() -> None:
    assert resolve("+14155550123", zone="Asia/Tokyo").zones == ("Asia/Tokyo",)


def test_without_a_zone_every_zone_of_the_number_counts() -> None:
    assert resolve("+14155550123").zones == ("America/Los_Angeles",)
    assert len(resolve("+61491570006").zones) == 11


@pytest.mark.parametrize("text", ["+447700900123", "+18005551234", "+88212345678"])
def test_a_number_that_tells_no_zone_needs_one(text: str) -> None:
    """Reserved for fiction, toll-free, a global network: possible, but nobody knows where."""
    with pytest.raises(ZoneRefused) as refused:
        resolve(text)
    assert (refused.value.code, refused.value.field) == ("zone_needed", "zone")
    assert resolve(text, zone=LONDON).zones == (LONDON,)


@pytest.mark.parametrize("name", ["europe/london", "Mars/Base", "../../etc/passwd", "Europe", "Etc/Unknown", "a\0b"])
def test_an_unknown_zone_is_refused_with_the_nearest(name: str) -> None:
    with pytest.raises(ZoneRefused) as refused:
        resolve("+14155550123", zone=name)
    assert (refused.value.code, refused.value.field) == ("zone_unknown", "zone")
    assert "IANA" in refused.value.detail


def test_an_address_tells_more_than_the_number() -> None:
    found = resolve("+12125550123", country="US", region="Florida", postcode="32401")
    assert (found.zones, found.jurisdictions) == (("America/Chicago",), ("US", "US-FL", "US-NY"))


@pytest.mark.parametrize(
    ("said", "field"),
    [({"country": "Atlantis"}, "country"), ({"region": "FL"}, "country"), ({"country": "US", "region": "X"}, "region")],
)
def test_an_address_that_there_is_not_is_refused_by_its_field(said: dict[str, str], field: str) -> None:
    with pytest.raises(ZoneRefused) as refused:
        resolve("+12125550123", **said)
    assert refused.value.field == field


def test_an_opt_out_needs_no_zone() -> None:
    assert e164("+447700900123") == "+447700900123"
    assert e164("+1 800 555 1234") == "+18005551234"


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80), st.sampled_from([None, "US", "GB", "DE"]), st.sampled_from(["", LONDON]))
def test_whatever_is_written_is_a_number_or_a_refusal(text: str, region: str | None, zone_name: str) -> None:
    try:
        found = resolve(text, default_region=region, zone=zone_name)
    except (NumberRefused, ZoneRefused):
        return
    assert found.number.startswith("+")
    assert found.number[1:].isdigit()
    assert found.zones
