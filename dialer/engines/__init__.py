"""Choice of the engine that carries legs: each file here is one, named in configuration by its file name.

An engine's own packages are imported only when that engine is chosen, never from here.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from dialer.incoming import Listener
from dialer.legs import Engine, LegError


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """What an engine is told at start-up; an engine without a network ignores what it has no use for."""

    bind: str = "127.0.0.1"
    """IPv4 address the SIP and RTP sockets are bound to; ``0.0.0.0`` for every interface."""
    port: int = 0
    """SIP port, 0 for any free one."""
    public_address: str = ""
    """IPv4 address put into Contact and SDP when it differs from ``bind`` (behind a NAT)."""
    transports: tuple[str, ...] = ("udp",)
    """Transports listened on from the start; ``tcp`` and ``tls`` are also opened when a trunk first needs them."""
    max_calls: int = 250
    """Legs wanted at most; the engine's build may allow fewer, see ``Engine.capacity``."""
    rtp_port: int = 0
    """First RTP port, 0 for any free ones."""
    rtp_port_range: int = 0
    """How many ports above ``rtp_port`` may be used."""
    codecs: tuple[str, ...] = ("PCMU", "PCMA")
    """Codecs accepted on incoming legs, best first."""
    transaction_timeout_s: float = 6.0
    """A request without any response is given up after this long (RFC 3261 §17.1.1.2, timers B, D and F)."""
    user_agent: str = "Outbound"
    nameservers: tuple[str, ...] = ()
    """DNS servers for SIP: SRV and A records, asked without blocking. Empty for the system's resolver, which halts the
    signalling of the process while it waits: fine for addresses and ``/etc/hosts``, not for a trunk's name."""
    tls_ca_file: str = ""
    """Certificates the far end's is checked against; empty for the system's (needed when ``tls_cert_file`` is set)."""
    tls_cert_file: str = ""
    tls_key_file: str = ""
    tls_verify: bool = True
    """Whether the far end's certificate is checked."""
    native_log_level: int = 0
    """0 (silent) to 6: what the engine's native library writes to standard output."""


Create = Callable[[EngineOptions, Listener | None], Engine]
"""What each engine's file offers under the name ``create``."""


def engine_names() -> tuple[str, ...]:
    """Names of the engines that ship, without loading any."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")))


def create_engine(name: str, options: EngineOptions | None = None, listener: Listener | None = None) -> Engine:
    """The engine ``name``, not yet started; ``listener`` is told of incoming legs, which are refused without one.

    Raises :class:`LegError` (``unknown_engine``) that lists the alternatives, or (``engine_missing``) when the engine's
    package is not installed.
    """
    if name not in engine_names():
        choices = ", ".join(engine_names())
        raise LegError(f"no engine {name!r}: choose one of {choices}", code="unknown_engine", retryable=False)
    try:
        create: Create = import_module(f"{__name__}.{name}").create
    except ImportError as error:
        raise LegError(
            f"engine {name!r} cannot be loaded ({error}): install its package", code="engine_missing", retryable=False
        ) from error
    return create(options or EngineOptions(), listener)
