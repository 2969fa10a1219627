"""One simulated customer: a process with a real SIP telephone, registered at the exchange, that follows its script.

It holds nothing of the product but its SIP engine and its audio; it ends with its parent, its calls or its time.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
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
from outbound.rehearsal.troupe import play

ENGAGED = CallScript(reply=Reply.REJECT)


class Customer:
    """Takes calls one after the other; a second call at the same time finds the line engaged."""

    def __init__(self, script: CustomerScript, say: Callable[..., None]) -> None:
        self._script = script
        self._say = say
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
            tell=self._say,
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
    say = functools.partial(tell, user=script.user)
    customer = Customer(script, say)
    host = script.exchange.rsplit(":", 1)[0]
    engine = Pjsua2Engine(EngineOptions(bind=host, user_agent="Rehearsal"), customer.on_incoming)
    trunk = Trunk(name="exchange", kind="registrar", host=script.exchange, username=script.user)
    try:
        await engine.start()
        registration = await engine.register(trunk)
    except LegError as error:
        say("failed", reason=str(error))
        await engine.stop()
        return
    if registration.active:
        say("ready", pid=os.getpid())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(until_told_to_end(), script.max_life_s)
    else:
        say("failed", reason=f"the exchange at {script.exchange} did not register it ({registration.code})")
    await engine.stop()
    await customer.finish()


def become(script: CustomerScript) -> None:
    """Turn this process into the customer."""
    if script.log:
        log = os.open(script.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 2)
        os.close(log)
    run(live(script))


def main(arguments: list[str]) -> None:
    """``python -m outbound.rehearsal.customer --script FILE [--script FILE…]``: one process for each script."""
    if len(arguments) < 2 or set(arguments[::2]) != {"--script"} or len(arguments) % 2:
        sys.exit("usage: python -m outbound.rehearsal.customer --script FILE [--script FILE…]")
    scripts = [load_script(Path(path)) for path in arguments[1::2]]
    if len(scripts) == 1:
        become(scripts[0])
    else:
        play({script.user: functools.partial(become, script) for script in scripts})


if __name__ == "__main__":
    main(sys.argv[1:])
