"""One simulated customer: a process with a real SIP telephone, registered at the exchange, that follows its script.

It holds nothing of the product but its SIP engine and its audio; it ends with its parent, its calls or its time.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable
from pathlib import Path

from dialer.engines import EngineOptions
from dialer.engines.pjsua2 import Pjsua2Engine
from dialer.incoming import IncomingLeg
from dialer.legs import LegError, LegEvent, Trunk
from outbound.rehearsal.answering import IncomingCall
from outbound.rehearsal.child import run, tell, until_told_to_end
from outbound.rehearsal.script import CallScript, CustomerScript, Reply, load_script

ENGAGED = CallScript(reply=Reply.REJECT)


class Customer:
    """Takes calls one after the other; a second call at the same time finds the line engaged."""

    def __init__(self, script: CustomerScript) -> None:
        self._script = script
        self._calls: set[asyncio.Task[None]] = set()
        self._taken = 0

    def on_incoming(self, leg: IncomingLeg) -> Callable[[LegEvent], None]:
        """Take an INVITE (asyncio thread)."""
        self._taken += 1
        engaged = bool(self._calls) or self._taken > self._script.max_calls
        call = IncomingCall(
            leg,
            ENGAGED if engaged else self._script.call(self._taken),
            ordinal=self._taken,
            tape=Path(self._script.tapes) / f"{self._script.user.lstrip('+')}-{self._taken}.wav",
            tell=tell,
        )
        task = asyncio.create_task(call.run(), name=f"call-{self._taken}")
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        return call.on_event

    async def finish(self) -> None:
        """Wait for the calls that are being hung up."""
        await asyncio.gather(*self._calls)


async def live(script: CustomerScript) -> None:
    """Be this customer until the parent ends or the time is over."""
    customer = Customer(script)
    host = script.exchange.rsplit(":", 1)[0]
    engine = Pjsua2Engine(EngineOptions(bind=host, user_agent="Rehearsal"), customer.on_incoming)
    trunk = Trunk(name="exchange", kind="registrar", host=script.exchange, username=script.user)
    try:
        await engine.start()
        registration = await engine.register(trunk)
    except LegError as error:
        tell("failed", reason=str(error))
        await engine.stop()
        return
    if registration.active:
        tell("ready", address=engine.addresses["udp"])
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(until_told_to_end(), script.max_life_s)
    else:
        tell("failed", reason=f"the exchange at {script.exchange} did not register it ({registration.code})")
    await engine.stop()
    await customer.finish()


def main(arguments: list[str]) -> None:
    """``python -m outbound.rehearsal.customer --script FILE``."""
    if len(arguments) != 2 or arguments[0] != "--script":
        sys.exit("usage: python -m outbound.rehearsal.customer --script FILE")
    run(live(load_script(Path(arguments[1]))))


if __name__ == "__main__":
    main(sys.argv[1:])
