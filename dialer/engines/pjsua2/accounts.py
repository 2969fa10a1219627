"""Native accounts: one towards each trunk and one of our own for incoming legs. Engine thread only.

An account holds what lasts (credentials, registration, proxy); who calls and with which codecs travels with each call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from dialer.engines import EngineOptions
from dialer.engines import _sip_text as text
from dialer.engines.pjsua2.native import explained, guarded, pj
from dialer.legs import LegError, Trunk

ACCOUNTS_MAX = 8
"""PJSUA_MAX_ACC of the wheel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What a registrar said last."""

    code: int
    """SIP response to REGISTER; 408 and 503 also stand for a registrar out of reach."""
    reason: str = ""
    expires_s: int = 0

    @property
    def active(self) -> bool:
        """Whether we are registered."""
        return self.code // 100 == 2 and self.expires_s > 0


class Account(pj.Account):  # type: ignore[misc]
    """One identity; ``trunk`` is ``None`` for our own."""

    def __init__(
        self,
        trunk: Trunk | None,
        on_registration: Callable[[str, Registration], None],
        on_invite: Callable[[Account, int, str], None],
    ) -> None:
        super().__init__()
        self.trunk = trunk
        self.used_at = 0.0
        self.registered = False
        self._on_registration, self._on_invite = on_registration, on_invite

    @guarded
    def onRegState(self, prm: Any) -> None:  # noqa: N802
        """A registrar answered, or did not."""
        expires_s = prm.expiration if 0 < prm.expiration < 2**31 else 0
        registration = Registration(code=prm.code, reason=prm.reason, expires_s=expires_s)
        self.registered = registration.active
        if self.trunk is not None:
            self._on_registration(self.trunk.name, registration)

    @guarded
    def onIncomingCall(self, prm: Any) -> None:  # noqa: N802
        """Somebody rings."""
        self._on_invite(self, prm.callId, prm.rdata.wholeMsg)


class Accounts:
    """The accounts in use, by what makes them; the one used least recently makes room for a new one."""

    def __init__(self, options: EngineOptions, make: Callable[[Trunk | None], Account]) -> None:
        self._options = options
        self._make = make
        self._own: Account | None = None
        self._by_trunk: dict[tuple[str, ...], Account] = {}

    def open_own(self, address: str) -> None:
        """The account that takes calls nobody else's account takes."""
        config = self._config()
        config.idUri = f"sip:outbound@{address}"
        self._own = self._make(None)
        self._own.create(config)

    def get(self, trunk: Trunk, busy: Iterable[Account]) -> tuple[Account, bool]:
        """The trunk's account, and whether it is new; accounts in ``busy`` are not given up."""
        key = _lasting(trunk)
        account = self._by_trunk.get(key)
        new = account is None
        if account is None:
            self._make_room(key, set(busy))
            account = self._make(trunk)
            with explained(f"set up trunk {trunk.name!r}"):
                account.create(self._trunk_config(trunk))
            self._by_trunk[key] = account
        account.used_at = time.monotonic()
        return account, new

    def _make_room(self, key: tuple[str, ...], busy: set[Account]) -> None:
        idle = [old for old, account in self._by_trunk.items() if account not in busy]
        outdated = [old for old in idle if old[0] == key[0]]
        full = len(self._by_trunk) + 1 >= ACCOUNTS_MAX
        if full and not outdated:
            outdated = sorted(idle, key=lambda old: self._by_trunk[old].used_at)[:1]
        if full and not outdated:
            raise LegError("too many trunks at once on this engine: use another line", code="no_free_leg")
        for old in outdated:
            self._by_trunk.pop(old).shutdown()

    @property
    def registered(self) -> bool:
        """Whether a registrar still counts on us."""
        return any(account.registered for account in self._by_trunk.values())

    def unregister(self) -> None:
        """Take leave of every registrar (RFC 3261 §10.2.2); their words come later."""
        for account in self._by_trunk.values():
            if account.registered:
                account.setRegistration(False)

    def close(self) -> None:
        """Drop all of them."""
        if self._own is not None:
            self._own.shutdown()
            self._own = None
        while self._by_trunk:
            self._by_trunk.popitem()[1].shutdown()

    def _config(self) -> Any:
        options, config = self._options, pj.AccountConfig()
        transport = config.mediaConfig.transportConfig
        transport.boundAddress, transport.publicAddress = options.bind, options.public_address
        transport.port, transport.portRange = options.rtp_port, options.rtp_port_range
        config.mediaConfig.ipv6Use = pj.PJSUA_IPV6_DISABLED  # else each call asks the DNS for our own name, and waits
        config.callConfig.timerUse = pj.PJSUA_SIP_TIMER_OPTIONAL
        return config

    def _trunk_config(self, trunk: Trunk) -> Any:
        config = self._config()
        config.idUri = text.address_of_record(trunk)
        if trunk.username:
            credentials = pj.AuthCredInfo("digest", trunk.realm or "*", trunk.username, 0, trunk.password)
            config.sipConfig.authCreds.append(credentials)
        if trunk.proxy:
            config.sipConfig.proxies.append(text.proxy_uri(trunk))
        if trunk.kind == "registrar":
            registering = config.regConfig
            registering.registrarUri = f"sip:{trunk.host}{text.transport_of(trunk)}"
            registering.retryIntervalSec = 30
        return config


def _lasting(trunk: Trunk) -> tuple[str, ...]:
    return (
        *(trunk.name, trunk.kind, trunk.host, trunk.transport, trunk.proxy),
        *(trunk.username, trunk.password, trunk.realm),
    )
