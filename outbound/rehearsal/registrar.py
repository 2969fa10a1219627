"""Who can be rung at the rehearsal's exchange, and where: a registrar's bindings (RFC 3261 §10.3).

It neither reads nor sends anything: the exchange asks it and answers the network.
"""

from __future__ import annotations

from dataclasses import dataclass

from sipmessage import Address, Request

Endpoint = tuple[str, int]
"""Host and port of a UDP peer."""

DEFAULT_EXPIRES_S = 300
MAX_EXPIRES_S = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """Where one user is reached until it expires."""

    contact: Address
    target: Endpoint
    until: float


class Registrar:
    """The current binding of each user; a newer one replaces the older, as one customer has one telephone."""

    def __init__(self, *, known: frozenset[str] = frozenset()) -> None:
        self._known = set(known)
        self._bindings: dict[str, Binding] = {}

    def provision(self, user: str) -> None:
        """Let a user exist; until it registers a call to it gets 480 rather than 404."""
        self._known.add(user)

    def knows(self, user: str) -> bool:
        """Whether this user exists, registered or not."""
        return user in self._known

    def find(self, user: str, *, now: float) -> Binding | None:
        """Return where a user is reached now, or ``None``."""
        binding = self._bindings.get(user)
        return binding if binding is not None and binding.until > now else None

    def register(self, request: Request, *, source: Endpoint, now: float) -> tuple[int, list[Address]]:
        """Take a REGISTER; returns the status code and the contacts that are now bound (RFC 3261 §10.3).

        The target is the contact's own address and port; for a host that is a name, where the request came from.
        """
        user = request.to_address.uri.user or ""
        if user not in self._known:
            return 404, []
        if request.headers.get("Contact") == "*":
            self._bindings.pop(user, None)
            return 200, []
        for contact in request.contact:
            self._bind(user, contact, _lifetime(request, contact), source, now)
        binding = self.find(user, now=now)
        return 200, [binding.contact] if binding is not None else []

    def _bind(self, user: str, contact: Address, lifetime_s: int, source: Endpoint, now: float) -> None:
        if lifetime_s == 0:
            self._bindings.pop(user, None)
            return
        numeric = contact.uri.host.replace(".", "").isdigit()
        target = (contact.uri.host, contact.uri.port or 5060) if numeric else source
        granted = Address(
            uri=contact.uri, name=contact.name, parameters=contact.parameters.replace(expires=str(lifetime_s))
        )
        self._bindings[user] = Binding(contact=granted, target=target, until=now + lifetime_s)


def _lifetime(request: Request, contact: Address) -> int:
    """Seconds asked for: the contact's parameter, else the Expires header, else ours (RFC 3261 §10.2.1.1)."""
    wish = contact.parameters.get("expires") or request.headers.get("Expires")
    try:
        return max(0, min(int(wish), MAX_EXPIRES_S)) if wish is not None else DEFAULT_EXPIRES_S
    except ValueError:
        return DEFAULT_EXPIRES_S
