"""Reads the numbers of lists, millions of them: the usual writings by their length alone, all others by phonenumbers.

What it takes by length, phonenumbers reads alike (a property test holds it to that); it never guesses a country.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

from outbound.importing.numbers import e164

_DIGITS = re.compile(r"\+?[0-9]{5,15}")
_CODES = frozenset(map(str, COUNTRY_CODE_TO_REGION_CODE))
"""Country calling codes; none begins another (ITU-T E.164)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What is needed of a numbering plan to read plain digits."""

    code: str
    """Country calling code."""
    lengths: frozenset[int]
    """Possible lengths of a number without code and national prefix."""
    general: re.Pattern[str]
    """Every number without code and national prefix."""
    prefix: str
    """National prefix, such as ``0``; empty where there is none, or it does more than stand in front."""
    prefixes: re.Pattern[str] | None
    """All that may stand in front of a number within the country."""
    abroad: re.Pattern[str] | None
    """What is dialled before a country code."""


class NumberReader:
    """Reads numbers of one list; those without ``+`` are of ``default_region``, and without it refused."""

    def __init__(self, default_region: str | None) -> None:
        self._region = default_region
        self._home = _home_plan(default_region) if default_region else None

    def read(self, text: str) -> int:
        """Return a number as the digits of its E.164 form. Raises :class:`NumberRefused` with the remedy."""
        digits = self._fast(text)
        return int(digits if digits is not None else e164(text, default_region=self._region)[1:])

    def _fast(self, text: str) -> str | None:
        if not text.isascii() or _DIGITS.fullmatch(text) is None:
            return None
        if text[0] == "+":
            return _international(text[1:])
        return _national(text, self._home) if self._home is not None else None


def _international(digits: str) -> str | None:
    code = digits[0] if digits[0] in "17" else digits[:2] if digits[:2] in _CODES else digits[:3]
    plan = _plan_of(code)
    if plan is None or len(digits) - len(code) not in plan.lengths:
        return None
    if plan.prefixes is not None and _stands_before(plan.prefixes, digits[len(code) :]):
        return None
    return digits


def _national(digits: str, plan: _Plan) -> str | None:
    if digits.startswith(plan.code) or (plan.abroad is not None and plan.abroad.match(digits)):
        return None
    before = _stands_before(plan.prefixes, digits) if plan.prefixes is not None else ""
    if before:
        # the digits must be no number as they stand, else the prefix may be a part of it
        if before != plan.prefix or plan.general.fullmatch(digits):
            return None
        digits = digits[len(before) :]
    return plan.code + digits if len(digits) in plan.lengths else None


def _stands_before(prefixes: re.Pattern[str], digits: str) -> str:
    found = prefixes.match(digits)
    return found[0] if found is not None else ""


@cache
def _plan_of(code: str) -> _Plan | None:
    """The plan that numbers with ``code`` are read by: that of its main region."""
    if code not in _CODES:
        return None
    region = COUNTRY_CODE_TO_REGION_CODE[int(code)][0]
    return _read_plan(PhoneMetadata.metadata_for_region_or_calling_code(int(code), region))


def _home_plan(region: str) -> _Plan | None:
    """The plan of a region itself; the lengths are possible in the main region of its country code too."""
    plan = _read_plan(PhoneMetadata.metadata_for_region(region, None))
    main = _plan_of(plan.code) if plan is not None else None
    return None if plan is None or main is None else replace(plan, lengths=plan.lengths & main.lengths)


def _read_plan(metadata: PhoneMetadata | None) -> _Plan | None:
    if metadata is None or metadata.general_desc is None:
        return None
    prefixes, abroad = metadata.national_prefix_for_parsing, metadata.international_prefix
    simple = metadata.national_prefix_transform_rule is None
    return _Plan(
        code=str(metadata.country_code),
        lengths=frozenset(metadata.general_desc.possible_length),
        general=re.compile(metadata.general_desc.national_number_pattern or "(?!)"),
        prefix=(metadata.national_prefix or "") if simple else "",
        prefixes=re.compile(prefixes) if prefixes else None,
        abroad=re.compile(abroad) if abroad else None,
    )
