"""A SIP peer that is always busy and knows exactly when each INVITE reached it: the kernel stamps what it receives.

One socket and one thread; it answers 486 to every INVITE (RFC 3261 §21.4.24) and takes no notice of anything else.
"""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections import defaultdict

SO_TIMESTAMPNS = 35
"""Linux: each datagram comes with the instant (CLOCK_REALTIME) at which the kernel took it."""
_NUMBER = re.compile(rb"^INVITE sips?:(\+\d+)@")
_COPIED = (b"via:", b"from:", b"call-id:", b"cseq:")


class BusyPeer:
    """Listens on a loopback port of its own until it is closed."""

    def __init__(self) -> None:
        self.rung: dict[str, list[float]] = defaultdict(list)
        """By number: epoch seconds at which INVITEs arrived; one that is sent again under the same Call-ID is one."""
        self._seen: set[bytes] = set()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024 * 1024)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            message, ancillary, _, sender = self._socket.recvmsg(65536, 512)
            if not message:
                return
            found = _NUMBER.match(message)
            if found is not None:
                self._note(found[1].decode(), message, ancillary)
                self._socket.sendto(_busy(message), sender)

    def _note(self, number: str, message: bytes, ancillary: list[tuple[int, int, bytes]]) -> None:
        seconds, nanoseconds = struct.unpack("qq", ancillary[0][2][:16])
        (call_id,) = re.findall(rb"(?im)^call-id:\s*(\S+)", message)
        if call_id not in self._seen:
            self._seen.add(call_id)
            self.rung[number].append(seconds + nanoseconds / 1e9)


def _busy(invite: bytes) -> bytes:
    lines = invite.split(b"\r\n\r\n")[0].split(b"\r\n")[1:]
    kept = [line for line in lines if line.lower().startswith(_COPIED)]
    kept += [line + b";tag=busy" for line in lines if line.lower().startswith(b"to:")]
    return b"\r\n".join([b"SIP/2.0 486 Busy Here", *kept, b"Content-Length: 0", b"", b""])
