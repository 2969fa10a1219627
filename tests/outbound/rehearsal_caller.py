"""Rings one number through an exchange with the product's SIP engine, plays a sound, and prints what happened.

``python rehearsal_caller.py EXCHANGE NUMBER SOUND.wav LIMIT_S [linger]``: hangs up after the limit.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from dialer.engines import EngineOptions
from dialer.engines.pjsua2 import Pjsua2Engine
from dialer.legs import Answered, Dial, Digit, Ended, LegEvent, Ringing, Trunk
from speech.audio import read_wav


async def ring(exchange: str, number: str, sound: Path, limit_s: float) -> None:
    engine = Pjsua2Engine(EngineOptions())
    await engine.start()
    events: asyncio.Queue[LegEvent] = asyncio.Queue()
    trunk = Trunk(name="exchange", host=exchange, caller_id="+12025550100")
    leg = await engine.dial(Dial(call_id=f"call-{number[1:]}", target=number, trunk=trunk), events.put_nowait)
    happened: list[dict[str, object]] = []
    try:
        async with asyncio.timeout(limit_s):
            while True:
                event = await events.get()
                if isinstance(event, Ringing):
                    happened.append({"ringing": event.code})
                elif isinstance(event, Answered):
                    happened.append({"answered": event.codec})
                    leg.play(read_wav(sound)[0][:, 0].tobytes())
                elif isinstance(event, Digit):
                    happened.append({"digit": event.digit})
                elif isinstance(event, Ended):
                    happened.append({"ended": event.code})
                    break
    except TimeoutError:
        await leg.hangup()
        happened.append({"gave_up": True})
    received, sent = leg.tape()
    print(json.dumps({"happened": happened, "received": len(received), "sent": len(sent)}))  # noqa: T201
    await engine.stop()


asyncio.run(ring(sys.argv[1], sys.argv[2], Path(sys.argv[3]), float(sys.argv[4])))
