"""Scripted customers and agents for the loopback engine: each is a coroutine over the far end of a leg.

They speak and hear through the scripted voice (text in sound), so that what they hear is what was really played.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import numpy as np

from dialer.incoming import IncomingLeg
from dialer.legs import Answered, Ended, LegEvent
from speech import modem
from speech.audio import rms_dbfs, samples

QUIET_FRAMES = 30
"""600 ms of silence end what the robot says."""
TONE_HZ = 1000.0

Script = Callable[["FarEnd"], Awaitable[None]]


def speech(text: str) -> bytes:
    """``text`` as the scripted voice says it."""
    return modem.encode(text).astype("<i2").tobytes()


def tone(seconds: float, hz: float = TONE_HZ, level: float = 0.2) -> bytes:
    """A beep."""
    clock = np.arange(int(8000 * seconds)) / 8000
    return (level * 32767 * np.sin(2 * np.pi * hz * clock)).astype("<i2").tobytes()


class FarEnd:
    """Whoever is rung: what they do and what they hear."""

    def __init__(self, leg: IncomingLeg, script: Script) -> None:
        self.leg = leg
        self.heard: list[str] = []
        """What came, utterance by utterance."""
        self.lasted_s: list[float] = []
        """How long each took, also what could not be read."""
        self.answered_at_s = self.first_sound_at_s = 0.0
        self._sound = bytearray()
        self._quiet = 0
        self._changed = asyncio.Event()
        self.over = asyncio.Event()
        leg.on_audio(self._frame)
        self.task = asyncio.create_task(self._play(script))

    async def _play(self, script: Script) -> None:
        with contextlib.suppress(HungUp):
            await script(self)

    def on_event(self, event: LegEvent) -> None:
        if isinstance(event, Answered):
            self.answered_at_s = asyncio.get_running_loop().time()
        elif isinstance(event, Ended):
            self.over.set()
            self._changed.set()

    async def answer(self) -> None:
        await self.leg.answer()

    async def listen(self) -> str:
        """Everything the robot says until it is silent for 600 ms."""
        while not (self._sound and self._quiet >= QUIET_FRAMES):
            await self._frame_or_end()
        return self.take()

    async def begins(self, ms: int = 0) -> None:
        """Wait until ``ms`` of the robot's speech came."""
        while len(self._sound) < ms * 16 or not self._sound:
            await self._frame_or_end()

    async def wait(self, seconds: float) -> None:
        """Let time pass on the line."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.over.wait()
                raise HungUp

    async def say(self, text: str) -> None:
        """Speak to the end; what the robot said before is forgotten."""
        self.take()
        await self.leg.play(speech(text)).wait()

    async def play(self, pcm: bytes) -> None:
        await self.leg.play(pcm).wait()

    async def press(self, digits: str) -> None:
        self.take()
        await self.leg.send_digits(digits)

    async def hang_up(self) -> None:
        await self.leg.hangup()

    async def stay(self) -> None:
        """Until the other side hangs up."""
        while True:
            await self.listen()

    def take(self) -> str:
        """What was heard since the last time, now heard and done with."""
        text = " ".join(message.text for message in modem.decode(samples(bytes(self._sound))))
        if text:
            self.heard.append(text)
        if self._sound:
            self.lasted_s.append(len(self._sound) / 16000 - self._quiet * 0.02)
        self._sound.clear()
        self._quiet = 0
        return text

    async def _frame_or_end(self) -> None:
        if self.over.is_set():
            self.take()
            raise HungUp
        self._changed.clear()
        await self._changed.wait()

    def _frame(self, pcm: bytes) -> None:
        loud = rms_dbfs(samples(pcm)) > -50.0
        if loud and not self.first_sound_at_s:
            self.first_sound_at_s = asyncio.get_running_loop().time()
        if loud or self._sound:
            self._sound += pcm
        self._quiet = 0 if loud else self._quiet + 1
        self._changed.set()


class HungUp(Exception):
    """The robot hung up."""


class Exchange:
    """Rings the script of whoever is called: by E.164 number, or by the user part of an agent's URI."""

    def __init__(self, scripts: dict[str, Script]) -> None:
        self.scripts = scripts
        self.ends: dict[str, FarEnd] = {}

    def __call__(self, leg: IncomingLeg) -> Callable[[LegEvent], None]:
        name = next(name for name in self.scripts if name in leg.invitation.uri)
        end = self.ends[name] = FarEnd(leg, self.scripts[name])
        return end.on_event

    async def finished(self) -> None:
        """Wait for every script; raises what one raised."""
        await asyncio.gather(*(end.task for end in self.ends.values()))


async def says_yes(customer: FarEnd) -> None:
    await customer.answer()
    await customer.listen()
    await customer.say("yes")
    await customer.stay()
