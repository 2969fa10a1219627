"""Reads at once the numbers that most files are full of: whole ones of a fixed line or a mobile, in an assigned range.

It says what numbers.py would say, by the same number data compiled for each calling code and length, or that it does
not know; it never refuses a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneMetadata
from phonenumbers.phonenumberutil import COUNTRY_CODE_TO_REGION_CODE

from outbound.places import NANP, WORLD, iso_country

_E164 = re.compile(r"\+[1-9][0-9]{7,14}")
_NATIONAL = re.compile(r"[0-9]{7,15}")
SHORTEST = 7
"""National digits; what has fewer may be an emergency or a short number."""
REFUSED_KINDS = ("premium_rate", "shared_cost", "pager", "voicemail")
ORDINARY = ("fixed_line", "mobile")
OTHER_KINDS = (*REFUSED_KINDS, "toll_free", "voip", "personal_number", "uan")
"""Kinds that the number data asks for before it asks for the ordinary ones."""
NOTHING = re.compile(r"(?!)")


class PlainNumber(NamedTuple):
    """A number of which everything is known."""

    number: str
    """E.164."""
    country: str
    """ISO 3166-1; empty in North America, where the area code tells."""
    calling_code: int
    digits: str
    """The national ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Region:
    """What numbers of one calling code and length are in one of its regions."""

    country: str
    begins: re.Pattern[str] | None
    """First digits that alone say that a number is of this region."""
    assigned: re.Pattern[str]
    """Numbers of any kind."""
    ordinary: re.Pattern[str]
    """Numbers of a fixed line or a mobile, and of no other kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prefix:
    """The national prefix of a region: what is dialled at home before a number and is no part of it."""

    pattern: re.Pattern[str]
    general: re.Pattern[str]
    rewrites: bool
    """Whether it may stand for other digits rather than for none."""

    def left_of(self, digits: str) -> str | None:
        """Return the number without the prefix, or ``None`` where that takes more than leaving it out."""
        found = self.pattern.match(digits)
        if found is None:
            return digits
        if self.rewrites and found.groups()[-1] is not None:
            return None
        rest = digits[found.end() :]
        if not self.general.fullmatch(rest):
            return digits if self.general.fullmatch(digits) else None
        return rest


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """The numbers of one calling code and one length."""

    calling_code: int
    at: int
    """Where in an E.164 number the national digits begin."""
    prefix: _Prefix
    regions: tuple[_Region, ...]
    alone: bool
    """Whether the calling code has one region, so that nobody asks which."""


def plain_number(text: str, default_region: str | None = None) -> PlainNumber | None:
    """Read what consists of digits and perhaps a ``+``; ``None`` says no more than that numbers.py has to be asked."""
    if _E164.fullmatch(text):
        plan = _plan(text[1:4], len(text))
        if plan is None:
            return None
        digits = text[plan.at :]
        return _read(plan, text, digits) if plan.prefix.left_of(digits) == digits else None
    if default_region is None or not _NATIONAL.fullmatch(text):
        return None
    return _read_national(text, default_region)


def _read(plan: _Plan, number: str, digits: str) -> PlainNumber | None:
    for region in plan.regions:
        if region.begins is not None and not region.begins.match(digits):
            continue
        if region.ordinary.fullmatch(digits):
            return PlainNumber(number, region.country, plan.calling_code, digits)
        if plan.alone or region.begins is not None or region.assigned.fullmatch(digits):
            return None
    return None


def _read_national(text: str, region: str) -> PlainNumber | None:
    """Read digits as they are dialled within ``region``, unless they might begin with a calling code."""
    home = _home(region)
    if home is None or home.abroad.match(text) or text.startswith(home.calling_code):
        return None
    digits = home.prefix.left_of(text)
    if digits is None or not home.prefix.general.fullmatch(digits) or len(digits) not in home.lengths:
        return None
    number = f"+{home.calling_code}{digits}"
    plan = _plan(number[1:4], len(number))
    return _read(plan, number, digits) if plan else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Home:
    """How numbers are dialled within a region."""

    calling_code: str
    abroad: re.Pattern[str]
    """What is dialled before a calling code."""
    prefix: _Prefix
    lengths: frozenset[int]


@cache
def _home(region: str) -> _Home | None:
    metadata = PhoneMetadata.metadata_for_region(region.upper(), None)
    if metadata is None:
        return None
    abroad = metadata.international_prefix
    return _Home(
        calling_code=str(metadata.country_code),
        abroad=re.compile(abroad) if abroad else NOTHING,
        prefix=_prefix(metadata),
        lengths=_lengths(metadata),
    )


@cache
def _plan(first: str, length: int) -> _Plan | None:
    """Compile for E.164 numbers of ``length`` characters by their ``first`` three digits, the calling code's."""
    code = next((first[:size] for size in (1, 2, 3) if int(first[:size]) in COUNTRY_CODE_TO_REGION_CODE), None)
    if code is None:
        return None
    calling_code, national = int(code), length - 1 - len(code)
    regions = COUNTRY_CODE_TO_REGION_CODE[calling_code]
    main = PhoneMetadata.metadata_for_region_or_calling_code(
        calling_code, phonenumbers.region_code_for_country_code(calling_code)
    )
    if WORLD in regions or main is None or national < SHORTEST or national not in _lengths(main):
        return None
    refused = [pattern for kind in REFUSED_KINDS if (pattern := _pattern(getattr(main, kind, None)))]
    if calling_code == NANP:
        ordinary = re.compile(f"{_none_of(refused)}[2-9][0-9]{{2}}[2-9][0-9]{{6}}")
        compiled: tuple[_Region, ...] = (_Region(country="", begins=None, assigned=ordinary, ordinary=ordinary),)
    else:
        known = (PhoneMetadata.metadata_for_region(region, None) for region in regions)
        compiled = tuple(_region(metadata, national, refused) for metadata in known if metadata is not None)
    return _Plan(
        calling_code=calling_code,
        at=1 + len(code),
        prefix=_prefix(main),
        regions=compiled,
        alone=len(regions) == 1 or calling_code == NANP,
    )


def _region(metadata: PhoneMetadata, length: int, refused: list[str]) -> _Region:
    def patterns(kinds: Iterable[str]) -> list[str]:
        described = (getattr(metadata, kind, None) for kind in kinds)
        return [found for one in described if one and (found := _pattern(one, length))]

    general = _pattern(metadata.general_desc, length)
    here = f"(?=(?:{general})\\Z)" if general else NOTHING.pattern
    others, ordinary = patterns(OTHER_KINDS), patterns(ORDINARY)
    any_kind = "|".join([*others, *ordinary]) or NOTHING.pattern
    return _Region(
        country=iso_country(metadata.id),
        begins=re.compile(metadata.leading_digits) if metadata.leading_digits is not None else None,
        assigned=re.compile(f"{here}(?:{any_kind})"),
        ordinary=re.compile(f"{here}{_none_of([*refused, *others])}(?:{'|'.join(ordinary) or NOTHING.pattern})"),
    )


def _prefix(metadata: PhoneMetadata) -> _Prefix:
    return _Prefix(
        pattern=re.compile(metadata.national_prefix_for_parsing or NOTHING.pattern),
        general=re.compile(_pattern(metadata.general_desc) or NOTHING.pattern),
        rewrites=bool(metadata.national_prefix_transform_rule),
    )


def _lengths(metadata: PhoneMetadata) -> frozenset[int]:
    general = metadata.general_desc
    return (
        frozenset(general.possible_length) - frozenset(general.possible_length_local_only) if general else frozenset()
    )


def _pattern(described: object, length: int | None = None) -> str:
    """Return the pattern of one kind of number, empty where it has none of ``length``."""
    lengths = getattr(described, "possible_length", ())
    if length is not None and lengths and length not in lengths:
        return ""
    return getattr(described, "national_number_pattern", None) or ""


def _none_of(patterns: list[str]) -> str:
    return f"(?!(?:{'|'.join(patterns)})\\Z)" if patterns else ""
