"""Prompts on disk: what was rendered once is never rendered again; and texts cut into sentences.

It renders nothing itself, and what may be kept is its callers' part: no sentence with a contact's own values. Its
folder may be deleted at any time, for what is missing is rendered again. Blocking file access: call it from a thread
where an event loop runs.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import tempfile
import threading
import unicodedata
from pathlib import Path

from speech import audio
from speech.seams import SAMPLE_RATE_HZ, Speech

MAGIC = b"outbound prompt 1\n"
MAX_BYTES = 512 * 1024 * 1024
"""About 18 hours of speech."""

_END = re.compile(r"[.!?…]+[\"'”’)]*(?=\s)|[。！？；]+[”’」）]*")
_PAUSE = re.compile("\u23f8([0-9]{1,4})")
_ABBREVIATIONS = frozenset(
    {"mr", "mrs", "ms", "dr", "prof", "st", "nr", "vs", "etc", "e.g", "i.e", "approx", "dept", "inc", "ltd", "co"}
    | {"jr", "sr", "tel", "ext", "a.m", "p.m", "u.s"}
)


def normalise(text: str) -> str:
    """One form for texts that sound the same: NFC, single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def sentences(text: str) -> tuple[str, ...]:
    """Cut a text where a speaker would pause, so that the first part can sound while the next is rendered."""
    return tuple(sentence for sentence, _ in paused(text))


def paused(text: str) -> tuple[tuple[str, int], ...]:
    """The same with the milliseconds of the pause that was written behind each (``⏸500``), 0 where none was."""
    found: list[tuple[str, int]] = []
    pieces = _PAUSE.split(text)
    for piece, pause_ms in zip(pieces[::2], [*pieces[1::2], "0"], strict=True):
        found += [(sentence, 0) for sentence in _sentences(piece)]
        if found:
            found[-1] = (found[-1][0], found[-1][1] + int(pause_ms))
    return tuple(found)


def _sentences(text: str) -> tuple[str, ...]:
    plain, begin, parts = normalise(text), 0, []
    for end in _END.finditer(plain):
        part = plain[begin : end.end()]
        if not _goes_on(part):
            parts.append(part)
            begin = end.end()
    return tuple(stripped for part in (*parts, plain[begin:]) if (stripped := part.strip()))


def _goes_on(part: str) -> bool:
    """Whether the last word is an abbreviation or an initial, which end no sentence."""
    last = part.rsplit(" ", 1)[-1].strip("\"'“”‘’(").lower()
    if not last.endswith("."):
        return False
    word = last[:-1]
    return word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha() and word != "i")


def key(identity: str, *, language: str, rate: float, text: str) -> str:
    """Name of a prompt: SHA-256 of everything that changes its sound."""
    named = json.dumps([identity, language, round(rate, 3), normalise(text)], ensure_ascii=False)
    return hashlib.sha256(named.encode()).hexdigest()


class PromptCache:
    """Rendered speech by key, as checked mu-law files; shared by any number of processes."""

    def __init__(self, root: Path, *, max_bytes: int = MAX_BYTES) -> None:
        self._root = root
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._size: int | None = None

    def path(self, name: str) -> Path:
        """Where the prompt called ``name`` lies."""
        return self._root / name[:2] / f"{name}.ulaw"

    def get(self, name: str) -> Speech | None:
        """The prompt, marked as used now; ``None`` when it is not there, or damaged (and then it is gone)."""
        path = self.path(name)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        speech = _unpack(data)
        with contextlib.suppress(OSError):
            if speech is None:
                path.unlink()
            else:
                os.utime(path)
        return speech

    def put(self, name: str, speech: Speech) -> None:
        """Keep a prompt; whole or not at all. Raises ``OSError`` when the disk does not take it."""
        path, data = self.path(name), _pack(speech)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, fresh = tempfile.mkstemp(dir=path.parent, suffix=".fresh")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            Path(fresh).replace(path)
        except OSError:
            Path(fresh).unlink(missing_ok=True)
            raise
        self._grew(len(data))

    def _grew(self, size: int) -> None:
        with self._lock:
            if self._size is None:
                self._size = sum(found for _, found, _ in self._files())
            else:
                self._size += size
            if self._size > self._max_bytes:
                self._size = self._shrink()

    def _shrink(self) -> int:
        """Drop what was not used for longest until a tenth is free; returns what is left, in bytes."""
        files = sorted(self._files())
        left = sum(size for _, size, _ in files)
        for _, size, path in files:
            if left <= self._max_bytes * 0.9:
                break
            path.unlink(missing_ok=True)
            left -= size
        return left

    def _files(self) -> list[tuple[float, int, Path]]:
        """(last used, bytes, path) of every prompt."""
        found = []
        for path in self._root.glob("*/*.ulaw"):
            with contextlib.suppress(OSError):  # another process removed it
                stat = path.stat()
                found.append((stat.st_mtime, stat.st_size, path))
        return found


def _pack(speech: Speech) -> bytes:
    codes = audio.to_mulaw(audio.samples(speech.pcm))
    head = {"voice": speech.voice, "bytes": len(codes), "sha256": hashlib.sha256(codes).hexdigest()}
    return MAGIC + json.dumps(head).encode() + b"\n" + codes


def _unpack(data: bytes) -> Speech | None:
    if not data.startswith(MAGIC):
        return None
    line, _, codes = data[len(MAGIC) :].partition(b"\n")
    try:
        head = json.loads(line)
        whole = head["bytes"] == len(codes) and head["sha256"] == hashlib.sha256(codes).hexdigest()
        voice = str(head["voice"])
    except (ValueError, KeyError, TypeError):
        return None
    if not whole or not codes:
        return None
    pcm = audio.from_mulaw(codes).astype("<i2").tobytes()
    return Speech(pcm=pcm, sample_rate_hz=SAMPLE_RATE_HZ, voice=voice)
