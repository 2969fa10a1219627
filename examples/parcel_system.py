"""A shop's system that Outbound may ask, for the call flow delivery_reschedule; copy it and put your own data behind.

    python examples/parcel_system.py --secret whsec_… [--port 8099]

It shows the three things that every such system does: check the signature (Standard Webhooks), act once for each
``webhook-id`` however often it is asked, and answer ``{"result": word, "values": {…}}``. Standard library only.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOLERANCE_S = 300
"""A question older than this is a copy that somebody kept."""


class ParcelSystem:
    """Deliveries and their days; every question is answered once and remembered."""

    def __init__(self, secret: str, *, clock: Callable[[], float] = time.time) -> None:
        self._key = base64.b64decode(secret.removeprefix("whsec_"))
        self._clock = clock
        self._answers: dict[str, dict[str, Any]] = {}
        self._at_work = threading.Lock()
        self.days: dict[str, str] = {}
        """Order -> the day it was changed to."""
        self.changes = 0
        """How often a day was really changed."""

    def is_genuine(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether the service that has our secret sent this, and lately."""
        name, sent_at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not (name and sent_at.isdigit()) or abs(self._clock() - int(sent_at)) > TOLERANCE_S:
            return False
        digest = hmac.new(self._key, f"{name}.{sent_at}.".encode() + body, hashlib.sha256).digest()
        wanted = b"v1," + base64.b64encode(digest)
        given = headers.get("webhook-signature", "").encode("utf-8", "replace").split()
        return any(hmac.compare_digest(wanted, one) for one in given)

    def answer(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Act, or say again what came of it when we acted before."""
        with self._at_work:
            if question["id"] not in self._answers:
                self._answers[question["id"]] = self._act(question["operation"], question["values"])
            return self._answers[question["id"]]

    def _act(self, operation: str, values: Mapping[str, str]) -> dict[str, Any]:
        if operation == "offer_days":
            today = date.fromtimestamp(self._clock())
            first, second = (today + timedelta(days=ahead) for ahead in (2, 3))
            return {"result": "two", "values": {"first": first.isoformat(), "second": second.isoformat()}}
        if operation == "change_day":
            self.days[values["order"]] = values["day"]
            self.changes += 1
            return {"result": "ok", "values": {"day": values["day"]}}
        return {"result": "unknown"}


class Handler(BaseHTTPRequestHandler):
    """HTTP in front of the system, which the server carries."""

    system: ParcelSystem

    def do_POST(self) -> None:
        """Answer one question."""
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        if not self.system.is_genuine({name.lower(): value for name, value in self.headers.items()}, body):
            self.reply(401, {"error": "the signature is not ours, or too old"})
            return
        self.reply(200, self.system.answer(json.loads(body)))

    def reply(self, status: int, told: Mapping[str, Any]) -> None:
        """Send JSON."""
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the name is the library's
        """Say nothing: what is asked is about customers."""


def server(system: ParcelSystem, port: int, handler: type[Handler] = Handler) -> ThreadingHTTPServer:
    """An HTTP server on this machine; the caller runs and closes it."""
    bound = type("Bound", (handler,), {"system": system})
    return ThreadingHTTPServer(("127.0.0.1", port), bound)


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--secret", required=True, help="what PUT /v1/systems/parcels showed")
    parser.add_argument("--port", type=int, default=8099)
    chosen = parser.parse_args()
    with server(ParcelSystem(chosen.secret), chosen.port) as serving:
        serving.serve_forever()


if __name__ == "__main__":
    main()
