"""The example of a shop's system as a real peer on loopback, with the faults that networks and systems have."""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

EXAMPLE = Path(__file__).parents[2] / "examples" / "parcel_system.py"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("parcel_system", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


parcel_system = _load()


class Shop:
    """A running system: what it got, and how it fails; faults are used up one a question."""

    def __init__(self, secret: str) -> None:
        self.system = parcel_system.ParcelSystem(secret)
        self.faults: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self.raw = b""
        """Sent as the body of a 200 when it is not empty."""
        self.go_on = threading.Event()
        """Set: a question that hangs is let go."""
        self.url = ""
        self.restart: Callable[[Any], None] = lambda system: None


@contextmanager
def a_shop(secret: str) -> Iterator[Shop]:
    shop = Shop(secret)

    class Faulty(parcel_system.Handler):  # type: ignore[name-defined, misc]
        def do_POST(self) -> None:  # noqa: N802 - the name is the library's
            shop.headers.append({name.lower(): value for name, value in self.headers.items()})
            fault = shop.faults.pop(0) if shop.faults else ""
            if fault == "hang":
                shop.go_on.wait(30)
            if fault.isdigit():
                self.rfile.read(int(self.headers["content-length"]))
                self.send_response(int(fault))
                if int(fault) in (301, 302, 307):
                    self.send_header("location", shop.url + "elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()
                return
            self.fault = fault
            super().do_POST()

        def reply(self, status: int, told: Any) -> None:
            if self.fault == "drop":  # it has acted, and nobody hears of it
                self.close_connection = True
                self.connection.close()
                return
            if shop.raw:
                self.send_response(status)
                self.send_header("content-length", str(len(shop.raw)))
                self.end_headers()
                self.wfile.write(shop.raw)
                return
            super().reply(status, told)

    def restart(system: Any) -> None:
        shop.system = serving.RequestHandlerClass.system = system  # type: ignore[attr-defined]

    shop.restart = restart
    serving = parcel_system.server(shop.system, 0, Faulty)
    shop.url = f"http://127.0.0.1:{serving.server_address[1]}/"
    thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield shop
    finally:
        shop.go_on.set()
        serving.shutdown()
        serving.server_close()
        thread.join()
