"""A recogniser behind a socket: open an utterance, send audio, ask for the result as often as wanted.

Messages: ``open {hearing, language, phrases, expects_digits}``, ``audio {hearing}`` + PCM, ``close {hearing}`` and
``result {hearing, seq, before}``, answered by ``{re, text, alternatives, confidence, engine, cpu_s}``. A streaming
engine also tells ``{event: partial, hearing, text}``. It keeps no audio after an utterance is closed.
"""

from __future__ import annotations

import asyncio
from typing import Any

from speech import wire
from speech.seams import Hearing, Recognizer, SpeechError
from speech.service import Connection, Service, in_time

_Key = tuple[int, int]


class RecognizerService(Service):
    """Serves one recogniser."""

    def __init__(self, engine: Recognizer, languages: tuple[str, ...], *, limit: int = 32) -> None:
        super().__init__(limit=limit)
        self._engine = engine
        self._languages = languages
        self._open: set[_Key] = set()
        self._hearings: dict[_Key, Hearing | SpeechError] = {}  # touched by the engine's thread only

    def hello(self) -> dict[str, Any]:
        """Name the engine and its languages."""
        return {"kind": "recognizer", "engine": self._engine.name, "languages": list(self._languages)}

    @property
    def load(self) -> int:
        """Utterances in progress."""
        return len(self._open)

    def handle(self, connection: Connection, header: dict[str, Any], payload: bytes) -> None:
        """Act on one message."""
        key = (connection.number, int(header.get("hearing", 0)))
        match header.get("op"):
            case "open":
                self._open.add(key)
                self.announce()
                self.thread.submit(lambda: self._begin(key, header))
            case "audio":
                if key in self._open:
                    self._feed(connection, key, payload)
            case "result":
                self.admit()
                before = float(header["before"])
                self.answer(connection, header, self.thread.submit(lambda: self._result(key, before)))
            case "close":
                self._drop(key)
                self.announce()
            case other:
                raise SpeechError(f"a recogniser does not know the operation {other!r}", code="unknown_operation")

    def forget(self, connection: Connection) -> None:
        """Close the utterances of a client that went away."""
        for key in [key for key in self._open if key[0] == connection.number]:
            self._drop(key)
        self.announce()

    def _drop(self, key: _Key) -> None:
        self._open.discard(key)
        self.thread.submit(lambda: self._hearings.pop(key, None))

    def _feed(self, connection: Connection, key: _Key, pcm: bytes) -> None:
        def tell(partial: asyncio.Future[str | None]) -> None:
            text = None if partial.cancelled() or partial.exception() else partial.result()
            if text is not None:
                connection.send({"event": "partial", "hearing": key[1], "text": text})

        self.thread.submit(lambda: self._take(key, pcm)).add_done_callback(tell)

    # In the engine's thread:

    def _begin(self, key: _Key, header: dict[str, Any]) -> None:
        try:
            self._hearings[key] = self._engine.open(
                language=str(header["language"]),
                phrases=tuple(str(phrase) for phrase in header.get("phrases", ())),
                expects_digits=bool(header.get("expects_digits", False)),
            )
        except SpeechError as error:  # told when the result is asked for
            self._hearings[key] = error

    def _take(self, key: _Key, pcm: bytes) -> str | None:
        hearing = self._hearings.get(key)
        return None if hearing is None or isinstance(hearing, SpeechError) else hearing.feed(pcm)

    def _result(self, key: _Key, before: float) -> wire.Message:
        in_time(before)
        hearing = self._hearings.get(key)
        if hearing is None:
            raise SpeechError("this utterance is not open", code="unknown_hearing")
        if isinstance(hearing, SpeechError):
            raise hearing
        found = hearing.result()
        return {
            "text": found.text,
            "alternatives": list(found.alternatives),
            "confidence": found.confidence,
            "engine": found.engine,
            "cpu_s": round(found.cpu_s, 4),
        }, b""
