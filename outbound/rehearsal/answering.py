"""One call of a simulated customer, from the ring to the tape: it performs a script on a real SIP leg.

It decides nothing that the script does not say, and always ends: at the script's end it stays on the line, bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from dialer.incoming import IncomingLeg
from dialer.legs import Answered, Digit, Ended, LegEvent
from outbound.rehearsal.hearing import Sense
from outbound.rehearsal.script import Act, CallScript, Deed, Reply
from speech.audio import read_wav, samples, silence, write_wav
from speech.seams import SAMPLE_RATE_HZ

BEEP_HZ = 1000.0
KEY_S = 0.26
"""A key held for 160 ms and the pause to the next."""
Tell = Callable[..., None]


class IncomingCall:
    """What a customer does with one INVITE."""

    def __init__(self, leg: IncomingLeg, script: CallScript, *, ordinal: int, tape: Path, tell: Tell) -> None:
        self._leg = leg
        self._script = script
        self._ordinal = ordinal
        self._tape = tape
        self._tell = tell
        self._sense = Sense()
        self._answered = asyncio.Event()
        self._over = asyncio.Event()
        self._ended: Ended | None = None
        self._at = 0.0
        """``time.monotonic()`` of the answer."""

    def on_event(self, event: LegEvent) -> None:
        """Take what the leg reports."""
        if isinstance(event, Answered):
            self._at = time.monotonic()
            self._say_line("answered", codec=event.codec)
            self._answered.set()
        elif isinstance(event, Digit):
            self._say_line("digit_heard", method=event.method)
        elif isinstance(event, Ended):
            self._ended = event
            self._over.set()

    async def run(self) -> None:
        """Live through the call; returns when it is over and taped."""
        self._say_line("rung", caller=self._leg.invitation.caller)
        acting = asyncio.create_task(self._act_out())
        try:
            await self._over.wait()
        finally:
            acting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await acting
        self._keep_tape()
        ended = self._ended
        assert ended is not None
        self._say_line("over", by=str(ended.by), code=ended.code, at_s=self._since_answer(), tape=self._tape.name)

    async def _act_out(self) -> None:
        script = self._script
        await self._leg.answer(180)
        await asyncio.sleep(script.after_s)
        if script.reply is Reply.RING:
            return
        if script.reply is Reply.REJECT:
            await self._leg.reject(script.code)
            return
        self._leg.on_audio(self._sense.take)
        await self._leg.answer(200)
        await self._answered.wait()
        try:
            async with asyncio.timeout(script.stay_s):
                for act in script.acts:
                    await self._perform(act)
                await self._over.wait()
        except TimeoutError:
            self._say_line("stayed_too_long", at_s=self._since_answer())
            await self._leg.hangup()

    async def _perform(self, act: Act) -> None:
        """Do one deed and say so."""
        self._say_line(act.deed, at_s=self._since_answer(), text=act.text)
        sense = self._sense
        if act.deed is Deed.LISTEN:
            await sense.until(
                lambda: sense.sounding_s >= act.at_least_s and sense.quiet_s >= act.quiet_s, at_most_s=act.at_most_s
            )
        elif act.deed is Deed.HEAR:
            await sense.until(lambda: sense.sounding_s >= act.at_least_s, at_most_s=act.at_most_s)
        elif act.deed is Deed.SAY:
            sound, _ = await asyncio.to_thread(read_wav, Path(act.sound))
            await self._leg.play(sound[:, 0].tobytes()).wait()
            sense.forget()
        elif act.deed is Deed.PRESS:
            await self._leg.send_digits(act.text)
            await asyncio.sleep(KEY_S * len(act.text))  # keys take time: hanging up at once would swallow them
            sense.forget()
        elif act.deed is Deed.PAUSE:
            await asyncio.sleep(act.seconds)
        elif act.deed is Deed.BEEP:
            await self._leg.play(beep(act.seconds) + silence(20)).wait()
            self._say_line("beeped", at_s=self._since_answer())
            sense.forget()
        else:
            await self._leg.hangup()
            await self._over.wait()

    def _keep_tape(self) -> None:
        """Write left what the customer said, right what it heard; nothing when it never answered."""
        heard, said = self._leg.tape()
        if heard or said:
            write_wav(self._tape, samples(said), samples(heard))

    def _since_answer(self) -> float:
        return round(time.monotonic() - self._at, 3) if self._at else 0.0

    def _say_line(self, kind: str, **data: object) -> None:
        self._tell(kind, call=self._ordinal, **data)


def beep(seconds: float) -> bytes:
    """Render an answering machine's tone, s16le at 8000 Hz, with soft edges."""
    time_s = np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    edge = np.clip(np.minimum(time_s, time_s[-1] - time_s) / 0.01, 0.0, 1.0)
    return bytes((np.sin(2 * np.pi * BEEP_HZ * time_s) * edge * 9000).astype("<i2").tobytes())
