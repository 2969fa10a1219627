"""Reads telephone numbers as people write them into E.164 with where they may be; it never dials or stores.

*Possible* numbers (of the right length for their country) are taken, impossible ones are not. Numbers that are possible
but in no assigned range, such as those reserved for fiction (+1 555 01xx, +44 7700 900xxx) or ranges newer than the
number data, are taken only with a zone or an address, because nothing can be said about where they are. Numbers that
cost the callee or reach no customer (premium rate, shared cost, pager, voicemail) and emergency and short numbers are
refused.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumber, ValidationResult, shortnumberinfo

from outbound.errors import Invalid
from outbound.places import place_of

_WRITTEN = re.compile(r"\+?[0-9 ()./\-\u2010-\u2015\u00a0]+")
_EXPONENT = re.compile(r"[0-9][.,]?[0-9]*E\+?[0-9]+", re.IGNORECASE)
_SEPARATORS = re.compile(r"[^0-9+]")
_MEXICAN_MOBILE = re.compile(r"\+521(?=[0-9]{10}$)")
"""As mobiles were dialled from abroad until 2019: the 1 is no part of the number any more."""
_ARGENTINE_MOBILE = re.compile(r"\+54(9?)([1-3][0-9]{9})")
"""Without the 9, as it is shown and dialled at home, or with it, as it is dialled from abroad."""
MAX_DIGITS = 15
"""ITU-T E.164."""
MAX_LENGTH = 64
SHORT = 6
"""Emergency and short numbers have at most so many digits."""
REMEDY = "check it and write it as +, country code, number"
REFUSED_KINDS = {
    "premium_rate": ("number_premium", "it is a premium-rate number"),
    "shared_cost": ("number_premium", "it is a shared-cost number"),
    "pager": ("number_not_a_telephone", "it is a pager"),
    "voicemail": ("number_not_a_telephone", "it is a voicemail service"),
}
"""Kinds of number as the number data calls them -> code and reason."""


class NumberRefused(Invalid):
    """The number cannot be called."""

    code = "number_invalid"
    field = "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Telephone:
    """A number that may be called."""

    number: str
    """E.164."""
    zones: tuple[str, ...]
    """IANA zones its customer may be in; every one of them must allow a call."""
    jurisdictions: tuple[str, ...]
    """Codes of countries and subdivisions whose rules must allow it."""


def resolve(
    text: str,
    *,
    default_region: str | None = None,
    zone: str = "",
    country: str = "",
    region: str = "",
    postcode: str = "",
) -> Telephone:
    """Read a number and where its customer may be.

    Raises :class:`NumberRefused` or :class:`outbound.places.ZoneRefused` naming field and remedy.
    """
    parsed = _parse(text, default_region)
    _refuse_kinds(parsed)
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    place = place_of(parsed, zone=zone, country=country, region=region, postcode=postcode)
    return Telephone(number=number, zones=place.zones, jurisdictions=place.jurisdictions)


def e164(text: str, *, default_region: str | None = None) -> str:
    """Read a number without asking where it is: for opt-outs, which count whatever else is known."""
    parsed = _read(_clean(text), default_region)
    _check_possible(parsed)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def same_mobile(number: str) -> tuple[str, ...]:
    """Return every E.164 number that reaches the same telephone, ``number`` first: in Argentina there may be two."""
    found = _ARGENTINE_MOBILE.fullmatch(number) if number.startswith("+54") else None
    if found is None:
        return (number,)
    return (number, f"+54{'' if found[1] else '9'}{found[2]}")


def written_digits(text: str) -> str:
    """Return ``text`` without what people write between digits; empty for what is no way to write a number."""
    try:
        return _clean(text)
    except NumberRefused:
        return ""


def as_given(text: str) -> str:
    """Return ``+`` and the digits of what is no number of any country. Raises :class:`NumberRefused` without digits.

    Only for who wants to hear no more: that counts for whatever stands there as the sender.
    """
    digits = _clean(text).replace("+", "")
    if not 0 < len(digits) <= MAX_DIGITS:
        raise NumberRefused(f"the number has no digits, or more than {MAX_DIGITS}; {REMEDY}", code="number_impossible")
    return f"+{digits}"


def _parse(text: str, default_region: str | None) -> PhoneNumber:
    digits = _clean(text)
    region = None if digits.startswith("+") else default_region
    if len(digits) <= SHORT and region is not None:
        _refuse_emergency(digits, region)
    parsed = _read(digits, region)
    _refuse_short(parsed)
    _check_possible(parsed)
    return parsed


def _refuse_kinds(parsed: PhoneNumber) -> None:
    national = phonenumbers.national_significant_number(parsed)
    for kind, pattern in _kinds_of(parsed.country_code or 0):
        if pattern.fullmatch(national):
            code, reason = REFUSED_KINDS[kind]
            raise NumberRefused(f"{reason}; give a number the customer can be called at", code=code)


@cache
def _kinds_of(country_code: int) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Patterns of the refused kinds in a country: asking for these alone takes a tenth of asking for the type."""
    region = phonenumbers.region_code_for_country_code(country_code)
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(country_code, region)
    found = ((kind, getattr(metadata, kind, None)) for kind in REFUSED_KINDS)
    return tuple(
        (kind, re.compile(described.national_number_pattern))
        for kind, described in found
        if described is not None and described.national_number_pattern
    )


def _refuse_short(parsed: PhoneNumber) -> None:
    national = phonenumbers.national_significant_number(parsed)
    if len(national) > SHORT:
        return
    region = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    _refuse_emergency(national, region)
    if shortnumberinfo.is_possible_short_number_for_region(parsed, region):
        raise NumberRefused("the number is a short number; give a full number", code="number_short")


def _refuse_emergency(digits: str, region: str) -> None:
    if shortnumberinfo.is_emergency_number(digits, region):
        raise NumberRefused("the number is an emergency number; remove it", code="number_emergency")


def _clean(text: str) -> str:
    written = text.strip()
    if not written.isascii() and len(written) <= MAX_LENGTH:
        written = unicodedata.normalize("NFKC", written)
    if not written:
        raise NumberRefused("the number is missing; give one such as +14155550123", code="number_missing")
    if _EXPONENT.fullmatch(written):
        remedy = "make the column text in the spreadsheet and export again"
        raise NumberRefused(f"the spreadsheet has shortened the number, as in 1.41556E+10; {remedy}")
    if len(written) > MAX_LENGTH or not _WRITTEN.fullmatch(written):
        raise NumberRefused("the number has characters that no telephone number has; write it as +14155550123")
    return _SEPARATORS.sub("", written.replace("(0)", ""))


def _read(digits: str, region: str | None) -> PhoneNumber:
    if region is None and not digits.startswith("+"):
        detail = "the number has no country code; write it with + or give the campaign a default_region"
        raise NumberRefused(detail, code="number_without_country")
    try:
        return phonenumbers.parse(_MEXICAN_MOBILE.sub("+52", digits), region)
    except NumberParseException as error:
        unknown = error.error_type == NumberParseException.INVALID_COUNTRY_CODE
        why = "of no country" if unknown else "not a whole number"
        raise NumberRefused(f"the number is {why}; {REMEDY}") from error


def _check_possible(parsed: PhoneNumber) -> None:
    verdict = phonenumbers.is_possible_number_with_reason(parsed)
    if verdict == ValidationResult.IS_POSSIBLE:
        return
    why = {
        ValidationResult.TOO_SHORT: "too short",
        ValidationResult.TOO_LONG: "too long",
        ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "without its area code",
        ValidationResult.INVALID_COUNTRY_CODE: "of no country",
    }.get(verdict, "of a length that its country does not have")
    raise NumberRefused(f"the number is {why}; {REMEDY}", code="number_impossible")
