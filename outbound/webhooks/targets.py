"""Where webhooks may be posted: public addresses over https, private ones where the operator allows; it sends nothing.

The same rule is asked twice: when a webhook is made, to say what is wrong with its field, and when a connection is
opened, of the very address it goes to: a name may have been given another address since (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from yarl import URL

from outbound.errors import Invalid

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
RESOLVE_S = 5.0
NAT64 = IPv6Network("64:ff9b::/96")
"""Where a network without IPv4 puts public IPv4 addresses (RFC 6052)."""
GLOBAL_UNICAST = IPv6Network("2000::/3")
SPECIAL = tuple(
    map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
)
"""What versions of Python disagree on."""
_NUMERIC = re.compile(r"(0x[0-9a-f]*|[0-9]+)", re.IGNORECASE)
REMEDY = "give a public address, or have the operator allow its network with OUTBOUND_WEBHOOK_PRIVATE_TARGETS"


class TargetRefused(Invalid):
    """Nothing may be posted there."""

    code = "target_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateTargets:
    """Which private addresses the operator allows."""

    everything: bool = False
    networks: tuple[Network, ...] = ()

    @classmethod
    def read(cls, text: str) -> PrivateTargets:
        """Read ``true``, ``false`` or networks with commas between them. Raises ValueError."""
        given = text.strip().lower()
        if given in ("", "false", "no", "0"):
            return cls()
        if given in ("true", "yes", "1"):
            return cls(everything=True)
        try:
            networks = tuple(ip_network(part.strip()) for part in given.split(","))
        except ValueError as error:
            raise ValueError(f"{error}; give true, false, or networks such as 10.1.0.0/16,fd00::/8") from error
        return cls(networks=networks)

    def allow(self, address: Address) -> bool:
        """Whether this private address is among them."""
        return self.everything or any(address in network for network in self.networks)


def plain(text: str) -> Address:
    """Read an address; one that stands for an IPv4 address (mapped, 6to4, NAT64) is that one."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def is_public(address: Address) -> bool:
    """Whether an address is one of the open internet (IANA special-purpose registries, RFC 6890)."""
    if isinstance(address, IPv6Address) and address not in GLOBAL_UNICAST:
        return False
    special = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_link_local
    return address.is_global and not special and not any(address in network for network in SPECIAL)


def check_addresses(addresses: Sequence[str], allowed: PrivateTargets | None, *, secure: bool) -> bool:
    """Whether any of the addresses of one name is private. Raises :class:`TargetRefused` unless all may be posted to.

    ``allowed``: ``None`` where this webhook was not made for a private target. ``secure``: over https.
    """
    private = [address for address in map(plain, addresses) if not is_public(address)]
    if any(allowed is None or not allowed.allow(address) for address in private):
        raise TargetRefused(f"it leads to a private address; {REMEDY}", code="private_target")
    if not secure and len(private) < len(addresses):
        raise TargetRefused("http is only for private networks; use https", code="https_required")
    return bool(private)


def read_target(text: str) -> URL:
    """Read a webhook's URL. Raises :class:`TargetRefused` for what is no plain http or https URL."""
    try:
        url = URL(text)
        port = url.port
    except ValueError as error:
        raise TargetRefused("it is no URL; give one such as https://shop.example/hooks", code="no_url") from error
    if url.scheme not in ("https", "http") or not url.raw_host or not port:
        raise TargetRefused("it is no https URL; give one such as https://shop.example/hooks", code="no_url")
    if "@" in url.raw_authority or url.user is not None or url.password is not None:
        reason = "it has a user or password in it; leave them out: the signature says who sends"
        raise TargetRefused(reason, code="credentials_in_url")
    if url.raw_fragment:
        raise TargetRefused("it has a fragment (#), which is never sent; leave it out", code="no_url")
    if "%" in url.raw_host:
        raise TargetRefused("it names an interface of this machine (%); give a public address", code="private_target")
    if literal(url) is None and _NUMERIC.fullmatch(url.raw_host.rstrip(".").rpartition(".")[2]):
        raise TargetRefused("its address is written unusually; write four decimal numbers", code="no_url")
    return url


def literal(url: URL) -> str | None:
    """The host of a URL where it is an address and not a name."""
    try:
        return str(ip_address(url.raw_host or ""))
    except ValueError:
        return None


async def resolve(host: str, port: int) -> list[str]:
    """Look a name up in the system's way. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def examine(text: str, allowed: PrivateTargets, look_up: Resolve = resolve) -> bool:
    """Whether a webhook's URL leads to a private address. Raises :class:`TargetRefused` unless it may be posted to."""
    url = read_target(text)
    if (address := literal(url)) is not None:
        return check_addresses([address], allowed, secure=url.scheme == "https")
    assert url.raw_host is not None
    assert url.port is not None
    try:
        async with asyncio.timeout(RESOLVE_S):
            addresses = await look_up(url.raw_host, url.port)
    except (OSError, UnicodeError) as error:  # a timeout is an OSError too
        raise TargetRefused("its name cannot be resolved; check it, or ask again", code="unresolved") from error
    return check_addresses(addresses, allowed, secure=url.scheme == "https")
