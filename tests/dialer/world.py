"""A line's equipment with scripted speech and the loopback engine, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from campaigns.flow.effects import Request
from campaigns.flow.inputs import Replied
from dialer.call import Call
from dialer.engines import EngineOptions
from dialer.engines.loopback import LoopbackEngine
from dialer.equipment import Equipment, Understanding
from dialer.journal import Entry, Journal, read_journals
from dialer.messages import CallEvent, CallResult, EventKind, Released
from dialer.vault import Vault
from dialer.voices import Voices
from speech.recognizers.scripted import ScriptedHearing
from speech.seams import Speech, SpeechError, Transcript
from speech.synthesizers.scripted import Scripted
from tests.dialer.customers import Exchange, FarEnd, Script
from tests.dialer.flows import DELIVERY, VARIABLES
from tests.dialer.requests import call_request
from tests.dialer.virtual import run

CUSTOMER = "+14155550123"
AGENT = "agent"
NOON = datetime(2026, 3, 2, 20, tzinfo=UTC)


class HearingNearby:
    """The scripted recogniser in this process; ``takes_s`` long, or dead."""

    def __init__(self, recognition: RecognitionNearby, on_partial: Callable[[str], None] | None) -> None:
        self._recognition, self._on_partial = recognition, on_partial
        self._hearing = ScriptedHearing()

    def feed(self, pcm: bytes) -> None:
        partial = self._hearing.feed(pcm)
        if partial and self._on_partial is not None:
            self._on_partial(partial)

    async def result(self, deadline_s: float = 2.0) -> Transcript:
        if self._recognition.dead:
            raise SpeechError("no speech process answers", code="recognizer_unavailable")
        await asyncio.sleep(self._recognition.takes_s)
        return self._hearing.result()

    def close(self) -> None:
        self._recognition.open -= 1


@dataclass
class RecognitionNearby:
    takes_s: float = 0.1
    dead: bool = False
    open: int = 0

    def hear(
        self,
        language: str,
        phrases: tuple[str, ...] = (),
        *,
        expects_digits: bool = False,
        on_partial: Callable[[str], None] | None = None,
    ) -> Understanding:
        self.open += 1
        return HearingNearby(self, on_partial)


@dataclass
class VoiceNearby:
    """The scripted voice in this process."""

    takes_s: float = 0.05
    broken: bool = False
    rendered: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    async def synthesize(
        self, text: str, language: str, voice: str | None = None, *, deadline_s: float = 10.0, keep: bool = True
    ) -> Speech:
        if self.broken:
            raise SpeechError("nobody speaks", code="synthesizer_unavailable")
        await asyncio.sleep(self.takes_s)
        self.rendered.append(text)
        self.kept += [text] if keep else []
        return Scripted().render(text, language=language)

    async def warm(self, texts: Iterable[str], language: str) -> int:
        self.rendered += texts
        return len(self.rendered)


class World:
    """One line and whoever it rings; :meth:`ring` runs one call to its end."""

    def __init__(
        self, folder: Path, *, customer: Script | None = None, agent: Script | None = None, legs: int = 4
    ) -> None:
        scripts = {CUSTOMER: customer, AGENT: agent}
        self.folder = folder
        self.exchange = Exchange({name: script for name, script in scripts.items() if script is not None})
        self.engine = LoopbackEngine(EngineOptions(max_calls=legs), self.exchange)
        self.recognition, self.voice = RecognitionNearby(), VoiceNearby()
        self.equipment = Equipment(
            engine=self.engine,
            recognition=self.recognition,
            voice=Voices({"en": [self.voice]}),
            journal=Journal(folder / "journal", "line-1"),
            recordings=Vault(folder / "recordings"),
            now=self.now,
        )
        self.events: list[CallEvent] = []
        self.asked: list[Request] = []
        self.was_asked = asyncio.Event()
        self.reply, self.reply_takes_s = Replied(result="ok"), 0.3
        self.request = call_request()

    @property
    def customer(self) -> FarEnd:
        return self.exchange.ends[CUSTOMER]

    @property
    def agent(self) -> FarEnd:
        return self.exchange.ends[AGENT]

    def now(self) -> datetime:
        """Noon when the loop's clock says 1000 s."""
        return NOON + timedelta(seconds=asyncio.get_running_loop().time() - 1000.0)

    def call(self, **changes: Any) -> Call:
        """A call that was not begun."""
        fields = {"flow": DELIVERY, "variables": VARIABLES, "number": CUSTOMER, **changes}
        self.request = call_request(**fields)
        return Call(self.request, equipment=self.equipment, emit=self.events.append, ask=self.ask)

    async def ask(self, request: Request) -> Replied:
        """Answer as the business's system does."""
        self.asked.append(request)
        self.was_asked.set()
        await asyncio.sleep(self.reply_takes_s)
        return self.reply

    async def ring(
        self, during: Callable[[Call], Coroutine[Any, Any, None]] | None = None, **changes: Any
    ) -> CallResult | Released:
        """Run one call, ``during`` beside it, and wait for everybody."""
        await self.engine.start()
        call = self.call(**changes)
        beside = asyncio.create_task(during(call)) if during is not None else None
        try:
            end = await call.run()
            if beside is not None:
                await beside
            await self.exchange.finished()
            assert self.engine.free == self.engine.capacity, "a leg was left behind"
            assert self.recognition.open == 0, "an utterance was left open"
            return end
        finally:
            await self.engine.stop()
            self.equipment.journal.close()

    def told(self, kind: EventKind) -> list[dict[str, Any]]:
        """Data of the events of one kind."""
        return [event.data for event in self.events if event.kind is kind]

    def journal(self) -> Entry | None:
        """What the journal says last of the call."""
        return read_journals(self.folder / "journal", [self.request.call_id]).get(self.request.call_id)


def ring(world: World, during: Callable[[Call], Coroutine[Any, Any, None]] | None = None, **changes: Any) -> CallResult:
    """Ring in virtual time; the call was sent."""
    end = run(world.ring(during, **changes))
    assert isinstance(end, CallResult)
    return end
