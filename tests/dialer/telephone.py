"""A SIP telephone in a process of its own (one engine a process): what it does is in the user part it is called by.

``tone-440`` answers and plays 440 Hz; ``early-440`` plays it as early media, then is busy for 5 s; ``press-12`` answers
and presses 1 and 2. One JSON line with its addresses, then one for each call that ended. With a certificate
and its key as arguments it listens on TLS, too.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable

import numpy as np

from dialer.engines import EngineOptions
from dialer.engines.pjsua2 import Pjsua2Engine
from dialer.incoming import IncomingLeg
from dialer.legs import Answered, Digit, Ended, LegEvent

TONES = (440, 880)


def tone(hz: float, seconds: float) -> bytes:
    time_s = np.arange(int(seconds * 8000)) / 8000
    return bytes((np.sin(2 * np.pi * hz * time_s) * 8000).astype("<i2").tobytes())


def loudness(pcm: bytes, hz: float) -> float:
    """Share of the energy that lies at ``hz``, 0 to 1."""
    wave = np.frombuffer(pcm, "<i2").astype(float)
    if not wave.any():
        return 0.0
    spectrum = np.abs(np.fft.rfft(wave)) ** 2
    frequencies = np.fft.rfftfreq(len(wave), 1 / 8000)
    return float(spectrum[np.abs(frequencies - hz) < 25].sum() / spectrum.sum())


class Telephone:
    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[None]] = set()

    def ring(self, leg: IncomingLeg) -> Callable[[LegEvent], None]:
        answered, digits = asyncio.Event(), list[str]()

        def on_event(event: LegEvent) -> None:
            if isinstance(event, Answered):
                answered.set()
            elif isinstance(event, Digit):
                digits.append(event.digit)
            elif isinstance(event, Ended):
                task.cancel()
                self.report(leg, event, "".join(digits))

        task = asyncio.create_task(self.act(leg, answered))
        self.tasks.add(task)
        return on_event

    async def act(self, leg: IncomingLeg, answered: asyncio.Event) -> None:
        deed, _, value = leg.invitation.called.partition("-")
        deed, value = (deed, value) if value else ("tone", "440")
        await leg.answer(180)
        if deed == "early":
            await leg.answer(183)
            await leg.play(tone(float(value), 0.5)).wait()
            await leg.reject(486, reason="Engaged", headers={"Retry-After": "5"})
            return
        await leg.answer(200)
        await answered.wait()
        if deed == "press":
            await leg.send_digits(value)
        else:
            leg.play(tone(float(value), 60))

    def report(self, leg: IncomingLeg, ended: Ended, digits: str) -> None:
        heard = leg.tape()[0]
        loud = {str(hz): loudness(heard, hz) for hz in TONES}
        line = {"called": leg.invitation.called, "caller": leg.invitation.caller, "call_id": leg.call_id, "heard": loud}
        print(json.dumps({**line, "digits": digits, "by": ended.by, "code": ended.code}), flush=True)  # noqa: T201


async def main() -> None:
    telephone = Telephone()
    options = EngineOptions()
    if len(sys.argv) == 3:
        options = EngineOptions(transports=("tls",), tls_cert_file=sys.argv[1], tls_key_file=sys.argv[2])
    engine = Pjsua2Engine(options, telephone.ring)
    await engine.start()
    print(json.dumps(dict(engine.addresses)), flush=True)  # noqa: T201
    await asyncio.to_thread(sys.stdin.read)
    await engine.stop()


if __name__ == "__main__":
    asyncio.run(main())
