"""SIP as text: URIs and identities to send, headers of what came, and their checks. Sends and receives nothing."""

from __future__ import annotations

import re
from collections import defaultdict

from dialer.incoming import Invitation
from dialer.legs import Dial, LegError, Trunk

_E164 = re.compile(r"\+[1-9]\d{1,14}\Z")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?\Z")
_URI = re.compile(r"sips?:[^\s<>\"]+\Z", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+\Z")
_CALL_ID = re.compile(r"[A-Za-z0-9\-.!%*_+`'~()<>:\\\"/\[\]?{}]+(@[A-Za-z0-9\-.!%*_+`'~()<>:\\\"/\[\]?{}]+)?\Z")
_USER = re.compile(r"(?:sips?:|tel:)([^@;>\s]+)", re.IGNORECASE)
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"')

_LONG_NAMES = {
    "c": "content-type",
    "f": "from",
    "i": "call-id",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "s": "subject",
    "t": "to",
    "v": "via",
}
"""Compact forms (RFC 3261 §7.3.3)."""

_STATUS = re.compile(r"SIP/2\.0 (\d{3})([^\r\n]*)")
_DIGITS = re.compile(r"[0-9*#A-D]+\Z")

DIGIT_METHODS = ("rfc4733", "info")
TRANSPORTS = ("udp", "tcp", "tls")


def headers_of(message: str) -> dict[str, list[str]]:
    """Headers of a SIP message: lower-case long names, values in order, folded lines joined (RFC 3261 §7.3.1)."""
    headers: defaultdict[str, list[str]] = defaultdict(list)
    name = ""
    for line in message.replace("\r\n", "\n").split("\n\n", 1)[0].split("\n")[1:]:
        if line[:1] in (" ", "\t") and name:
            headers[name][-1] += " " + line.strip()
            continue
        key, colon, value = line.partition(":")
        if colon:
            name = _LONG_NAMES.get(key.strip().lower(), key.strip().lower())
            headers[name].append(value.strip())
    return dict(headers)


def status_of(message: str) -> tuple[int, str] | None:
    """(code, reason phrase) of a response, ``None`` for a request."""
    found = _STATUS.match(message)
    return (int(found.group(1)), found.group(2).strip()) if found else None


def has_sdp(message: str) -> bool:
    """Whether a session description comes along."""
    kind = headers_of(message).get("content-type", [""])[0]
    return kind.lower().startswith("application/sdp") and "m=audio" in message


def invitation_of(message: str) -> Invitation:
    """An INVITE as plain data; what cannot be read is empty."""
    headers = headers_of(message)
    words = message.split("\n", 1)[0].split()
    return Invitation(
        uri=words[1] if len(words) > 1 else "",
        caller=_user(headers.get("from", [""])[0]),
        called=_user(headers.get("to", [""])[0]),
        headers=headers,
    )


def _user(address: str) -> str:
    found = _USER.search(_QUOTED.sub("", address))
    return found.group(1) if found else ""


def check_trunk(trunk: Trunk) -> None:
    """Raises :class:`LegError` (``bad_trunk``) that names the field."""
    if not _HOST.match(trunk.host):
        raise _bad(trunk, "host", "must be 'host' or 'host:port', without scheme or blanks")
    if trunk.kind not in ("ip", "registrar"):
        raise _bad(trunk, "kind", "must be 'ip' or 'registrar'")
    if trunk.transport not in TRANSPORTS:
        raise _bad(trunk, "transport", f"must be one of {', '.join(TRANSPORTS)}")
    if trunk.kind == "registrar" and not trunk.username:
        raise _bad(trunk, "username", "is needed to register: set it, or make the trunk an IP trunk")
    if trunk.proxy and not _HOST.match(trunk.proxy):
        raise _bad(trunk, "proxy", "must be 'host' or 'host:port', or empty")
    if trunk.caller_id and not _E164.match(trunk.caller_id):
        raise _bad(trunk, "caller_id", "must be an E.164 number such as +442079460000, or empty")
    if _unprintable(trunk.display_name):
        raise _bad(trunk, "display_name", "holds a control character")


def _bad(trunk: Trunk, field: str, remedy: str) -> LegError:
    return LegError(f"trunk {trunk.name!r}: {field} {remedy}", code="bad_trunk", retryable=False)


def target_uri(dial: Dial) -> str:
    """Request-URI of a call: the number at the trunk's host (RFC 3261 §19.1.6), or the URI as it is."""
    trunk = dial.trunk
    if _E164.match(dial.target):
        phone = ";user=phone" if trunk.user_phone else ""
        return f"sip:{dial.target}@{trunk.host}{transport_of(trunk)}{phone}"
    if _URI.match(dial.target):
        if trunk.transport == "udp" or ";transport=" in dial.target.lower():
            return dial.target
        return dial.target + transport_of(trunk)
    raise LegError(
        "the target is neither an E.164 number (+442079460000) nor a sip: URI: correct it",
        code="bad_target",
        retryable=False,
    )


def transport_of(trunk: Trunk) -> str:
    """The URI parameter that chooses the trunk's transport; UDP is the default and needs none."""
    return "" if trunk.transport == "udp" else f";transport={trunk.transport}"


def proxy_uri(trunk: Trunk) -> str:
    """The outbound proxy as a loose route (RFC 3261 §16.12)."""
    return f"sip:{trunk.proxy}{transport_of(trunk)};lr"


def address_of_record(trunk: Trunk) -> str:
    """What REGISTER puts into To: the account at the registrar's domain."""
    return f"sip:{trunk.username or trunk.caller_id or 'anonymous'}@{_domain(trunk)}"


def identity(trunk: Trunk) -> str:
    """Who calls, as From (and P-Asserted-Identity) shows it: display name and caller number."""
    name = trunk.display_name.replace("\\", "\\\\").replace('"', '\\"')
    address = f"<sip:{trunk.caller_id or trunk.username or 'anonymous'}@{_domain(trunk)}>"
    return f'"{name}" {address}' if name else address


def _domain(trunk: Trunk) -> str:
    return trunk.host if trunk.host.startswith("[") else trunk.host.partition(":")[0]


def headers_to_send(dial: Dial) -> dict[str, str]:
    """Extra headers of the INVITE: the trunk's, then the call's, then the asserted identity (RFC 3325 §9.1)."""
    headers = {**dial.trunk.headers, **dial.headers}
    if dial.trunk.asserted_identity:
        headers["P-Asserted-Identity"] = identity(dial.trunk)
    check_headers(headers)
    if not _CALL_ID.match(dial.call_id):
        raise LegError("call_id is not a Call-ID (RFC 3261 §25.1): use letters, digits and dashes", retryable=False)
    return headers


def check_headers(headers: dict[str, str]) -> None:
    """Raises :class:`LegError` (``bad_header``) on a name or value that would break the message."""
    for name, value in headers.items():
        if not _TOKEN.match(name) or _unprintable(value):
            raise LegError(f"header {name!r} cannot be sent: check name and value", code="bad_header", retryable=False)


def check_digits(digits: str, method: str) -> None:
    """Raises :class:`LegError` (``bad_digits``)."""
    if not _DIGITS.match(digits) or method not in DIGIT_METHODS:
        ways = " or ".join(DIGIT_METHODS)
        raise LegError(f"keys are 0-9, *, #, A-D and go by {ways}", code="bad_digits", retryable=False)


def _unprintable(text: str) -> bool:
    return any(ord(character) < 32 or ord(character) == 127 for character in text)
