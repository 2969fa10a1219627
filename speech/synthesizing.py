"""A synthesiser behind a socket: text in, 8 kHz audio out.

Messages: ``identify {seq, language, voice}`` answered by ``{re, identity}``; ``render {seq, text, language, voice,
rate, before, background}`` answered by ``{re, voice, rate_hz}`` + PCM. It caches nothing: that is its clients' part.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from speech import wire
from speech.seams import SpeechError, Synthesizer
from speech.service import Connection, Service, in_time

_Key = tuple[str, str, str | None, float]


@dataclass(slots=True)
class _Rendering:
    """A text being rendered, for as many as asked for it."""

    before: float
    future: asyncio.Future[wire.Message] = field(init=False)


class SynthesizerService(Service):
    """Serves one synthesiser; the same text asked for twice at once is rendered once."""

    def __init__(self, engine: Synthesizer, *, limit: int = 256) -> None:
        super().__init__(limit=limit)
        self._engine = engine
        self._renderings: dict[_Key, _Rendering] = {}

    def hello(self) -> dict[str, Any]:
        """Name the engine."""
        return {"kind": "synthesizer", "engine": self._engine.name}

    @property
    def load(self) -> int:
        """Texts being rendered."""
        return len(self._renderings)

    def handle(self, connection: Connection, header: dict[str, Any], payload: bytes) -> None:
        """Act on one message."""
        match header.get("op"):
            case "identify":
                name = self._engine.identify(language=str(header["language"]), voice=header.get("voice"))
                connection.send({"re": header["seq"], "identity": name})
            case "render":
                self.admit()
                self.answer(connection, header, self._join(header))
            case other:
                raise SpeechError(f"a synthesiser does not know the operation {other!r}", code="unknown_operation")

    def forget(self, connection: Connection) -> None:
        """Nothing is kept for a client."""

    def _join(self, header: dict[str, Any]) -> asyncio.Future[wire.Message]:
        """Join the rendering of this text, or begin it; taking one wish back leaves the others."""
        key = (str(header["text"]), str(header["language"]), header.get("voice"), float(header.get("rate", 1.0)))
        before = float(header["before"])
        rendering = self._renderings.get(key)
        if rendering is None:
            rendering = self._renderings[key] = _Rendering(before)
            rendering.future = self.thread.submit(
                lambda: self._render(key, rendering), background=bool(header.get("background", False))
            )
            rendering.future.add_done_callback(lambda _: self._renderings.pop(key, None))
        rendering.before = max(rendering.before, before)
        return asyncio.shield(rendering.future)

    def _render(self, key: _Key, rendering: _Rendering) -> wire.Message:
        """In the engine's thread."""
        in_time(rendering.before)
        text, language, voice, rate = key
        speech = self._engine.render(text, language=language, voice=voice, rate=rate)
        return {"voice": speech.voice, "rate_hz": speech.sample_rate_hz}, speech.pcm
