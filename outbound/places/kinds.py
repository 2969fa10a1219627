"""What kind of number an E.164 number is: some kinds are dear to call, and a fraudster's favourite destination."""

from __future__ import annotations

from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType

_KINDS = {
    PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "mobile",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.PREMIUM_RATE: "premium_rate",
    PhoneNumberType.SHARED_COST: "shared_cost",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.PERSONAL_NUMBER: "personal",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.UAN: "uan",
    PhoneNumberType.VOICEMAIL: "voicemail",
}
NO_COUNTRY = frozenset({870, 878, 881, 882, 883, 888, 979})
"""Calling codes of satellites, international networks and services (ITU-T E.164, list of assigned codes)."""


@lru_cache(maxsize=65536)
def kind_of(number: str) -> str:
    """``fixed``, ``mobile``, ``toll_free``, ``premium_rate``, ``shared_cost``, ``voip``, ``personal``, ``pager``,
    ``uan``, ``voicemail``, ``satellite`` (and other ranges of no country), ``unassigned`` (possible, in a range newer
    than the number data or reserved for fiction) or ``unknown``.
    """
    try:
        parsed = phonenumbers.parse(number, None)
    except NumberParseException:
        return "unknown"
    if parsed.country_code in NO_COUNTRY:
        return "satellite"
    kind = _KINDS.get(phonenumbers.number_type(parsed), "unknown")
    return "unassigned" if kind == "unknown" and phonenumbers.is_possible_number(parsed) else kind
