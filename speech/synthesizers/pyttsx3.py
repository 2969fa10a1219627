"""eSpeak NG through pyttsx3: the voice that is always there; every language, robotic, at next to no cost.

pyttsx3 runs in a child process of its own, one text at a time: it reports files done before they are written, keeps
only the last of two, swallows bad paths and may crash. This process asks, waits for a whole file, and starts a new
child. It must not be asked from two threads.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from speech import audio
from speech.models import ModelStore
from speech.seams import NothingToSay, Speech, SpeechError

NAME = "pyttsx3"
TIMEOUT_S = 15.0
START_TIMEOUT_S = 30.0
WHOLE_FILE_S = 3.0
ATTEMPTS = 3
WORDS_A_MINUTE = 165
LONGEST_CHARACTERS = 2000

VOICES = {"en": "en-us", "zh": "cmn", "pt": "pt-br", "es": "es-419", "fr": "fr-fr", "nb": "nb", "no": "nb"}
"""Languages whose eSpeak NG voice has another name."""


class Pyttsx3:
    """A child process that speaks; replaced when it crashes or hangs."""

    name = NAME

    def __init__(self, *, command: tuple[str, ...] | None = None, timeout_s: float = TIMEOUT_S) -> None:
        self._command = command or (sys.executable, "-m", "speech.synthesizers.pyttsx3")
        self._timeout_s = timeout_s
        self.child: subprocess.Popen[bytes] | None = None
        """The process that speaks; ``None`` until it is needed."""
        self._version = importlib.metadata.version("pyttsx3")
        self._espeak = importlib.metadata.version("espeakng-loader")

    def identify(self, *, language: str, voice: str | None = None) -> str:
        """Name what would speak; see :class:`speech.seams.Synthesizer`."""
        return f"{NAME}/{self._version}-{self._espeak}/{voice or VOICES.get(language, language)}"

    def render(self, text: str, *, language: str, voice: str | None = None, rate: float = 1.0) -> Speech:
        """Speak; see :class:`speech.seams.Synthesizer`. A child that crashes or hangs gets one successor."""
        if not any(letter.isalnum() for letter in text):
            raise NothingToSay
        if len(text) > LONGEST_CHARACTERS:
            raise SpeechError(
                f"text of {len(text)} characters, at most {LONGEST_CHARACTERS} are spoken at once: split it",
                code="text_too_long",
                retryable=False,
            )
        chosen = voice or VOICES.get(language, language)
        with tempfile.TemporaryDirectory(prefix="outbound-voice-") as scratch:
            wish = {"text": text, "voice": chosen, "words_a_minute": round(WORDS_A_MINUTE * rate), "folder": scratch}
            answer = self._ask(wish) or self._ask(wish)
            if answer is None:
                raise SpeechError("eSpeak NG crashed or hung twice on this text", code="synthesizer_crashed")
            if "error" in answer:
                raise SpeechError(
                    f"eSpeak NG with voice {chosen!r}: {answer['error']}", code="synthesis_failed", retryable=False
                )
            sound, rate_hz = audio.read_wav(Path(scratch) / answer["file"])
        speech = audio.telephone_speech(sound[:, 0], rate_hz, voice=f"{NAME}:{chosen}")
        if not speech.pcm:
            raise NothingToSay
        return speech

    def close(self) -> None:
        """End the child."""
        child, self.child = self.child, None
        if child is not None:
            child.kill()
            child.communicate()

    def _ask(self, wish: dict[str, Any]) -> dict[str, Any] | None:
        """Have the child speak; ``None`` when it died or took too long, and then it is gone."""
        child = self._alive()
        if child is None or child.stdin is None:
            return None
        try:
            child.stdin.write(json.dumps(wish).encode() + b"\n")
            child.stdin.flush()
        except OSError:
            self.close()
            return None
        line = self._line(child, self._timeout_s)
        if line is None:
            self.close()
        return line

    def _alive(self) -> subprocess.Popen[bytes] | None:
        if self.child is not None and self.child.poll() is None:
            return self.child
        self.close()
        self.child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )
        if self._line(self.child, START_TIMEOUT_S) is None:
            self.close()
        return self.child

    @staticmethod
    def _line(child: subprocess.Popen[bytes], timeout_s: float) -> dict[str, Any] | None:
        """One JSON line of the child's, or ``None`` when it closes or takes longer."""
        if child.stdout is None:
            return None
        until, line = time.monotonic() + timeout_s, b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([child.stdout], [], [], max(0.0, until - time.monotonic()))
            piece = os.read(child.stdout.fileno(), 65536) if ready else b""
            if not piece:
                return None
            line += piece
        try:
            answer = json.loads(line)
        except ValueError:
            return None
        return answer if isinstance(answer, dict) else None


def load(store: ModelStore, languages: tuple[str, ...], *, threads: int = 1) -> Pyttsx3:
    """Load the engine; every synthesiser file offers this."""
    return Pyttsx3()


# What follows runs in the child.


def _start() -> Any:
    """Load eSpeak NG from its package and pyttsx3 over it (the system need not have either)."""
    import espeakng_loader

    ctypes.CDLL(espeakng_loader.get_library_path(), mode=ctypes.RTLD_GLOBAL)
    os.environ["ESPEAK_DATA_PATH"] = espeakng_loader.get_data_path()
    import pyttsx3

    engine = pyttsx3.init("espeak")
    engine.proxy.setBusy(False)  # it begins busy, and would keep the first properties waiting
    return engine


def _settle() -> None:
    """Wait until eSpeak NG has done what was asked: what is asked meanwhile it may lose, or do in another order."""
    from pyttsx3.drivers import _espeak

    _espeak.Synchronize()


def _voices(engine: Any) -> dict[str, str]:
    """Every name a voice may be called by -> its identifier; eSpeak NG takes an unknown name for its last voice."""
    known: dict[str, str] = {}
    for voice in engine.getProperty("voices"):
        for alias in (voice.id, voice.id.rpartition("/")[2], *voice.languages):
            known.setdefault(alias, voice.id)
    return known


def _frames_bytes(path: Path) -> int | None:
    """Bytes of sound in a WAV file, or ``None`` while it is not whole: header, and as much as the header says."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    said = int.from_bytes(data[40:44], "little")
    whole = data[:4] == b"RIFF" and data[36:40] == b"data" and len(data) == 44 + said
    return said if whole else None


def _speak(engine: Any, voices: dict[str, str], wish: dict[str, Any]) -> dict[str, Any]:
    """Speak one text into a new file and name it, once it is whole."""
    name, plus, variant = wish["voice"].partition("+")
    if name not in voices:
        return {"error": "no such voice"}
    for setting, value in (("voice", voices[name] + plus + variant), ("rate", int(wish["words_a_minute"]))):
        engine.setProperty(setting, value)
        _settle()
    for attempt in range(ATTEMPTS):
        unfinished = Path(wish["folder"]) / f"unfinished-{attempt}.wav"
        if _save(engine, wish["text"], unfinished):  # once in some hundred times eSpeak NG ends without a sound
            unfinished.rename(unfinished.with_name("speech.wav"))
            return {"file": "speech.wav"}
    return {"error": "no sound came"}


def _save(engine: Any, text: str, path: Path) -> bool:
    """Have one text written to ``path``; whether there is any sound in it."""
    engine.save_to_file(text, str(path))
    engine.runAndWait()
    until = time.monotonic() + WHOLE_FILE_S
    while (size := _frames_bytes(path)) is None:  # runAndWait returns before the file is written
        if time.monotonic() > until:
            os._exit(1)  # this engine is stuck: the parent starts another
        time.sleep(0.002)
    _settle()  # the callback goes on after the file is whole
    return size > 0


def _serve() -> None:
    """Answer one JSON line with another until stdin closes; pyttsx3's own prints go nowhere."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device, not a path
        os.dup2(nowhere.fileno(), 1)
    engine = _start()
    voices = _voices(engine)
    answers.write(b"{}\n")
    for line in sys.stdin.buffer:
        answers.write(json.dumps(_speak(engine, voices, json.loads(line))).encode() + b"\n")
    os._exit(0)  # espeak asserts when it is torn down


if __name__ == "__main__":
    _serve()
