"""What the product's own recogniser makes of a recording, in a process of its own: proof that words were really heard.

It judges nothing; the process that serves REST loads no engine.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from outbound.errors import Unavailable
from speech.audio import Samples, read_wav
from speech.seams import SAMPLE_RATE_HZ

LEFT, RIGHT = 0, 1
PIECE_S = 7.0
"""Longest piece given to the recogniser: it looks at eight seconds at once."""
QUIET_RMS = 200.0
_FRAME = SAMPLE_RATE_HZ // 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A part of one channel of a recording."""

    path: str
    channel: int = RIGHT
    from_s: float = 0.0
    to_s: float | None = None

    def sound(self) -> Samples:
        """Read its samples."""
        samples, rate_hz = read_wav(Path(self.path))
        end = len(samples) if self.to_s is None else int(self.to_s * rate_hz)
        return np.ascontiguousarray(samples[int(self.from_s * rate_hz) : end, self.channel])


async def transcribe(
    clips: Sequence[Clip], *, recognizer: str, language: str = "en", within_s: float = 90
) -> list[str]:
    """Recognise each clip. Raises :class:`Unavailable` when the recogniser could not."""
    if not clips:
        return []
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, recognizer, language),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        wishes = json.dumps([asdict(clip) for clip in clips]).encode()
        answer, errors = await asyncio.wait_for(process.communicate(wishes), within_s)
    except TimeoutError:
        answer, errors = b"", f"not done within {within_s:g} s".encode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        reason = errors.decode(errors="replace").strip().rpartition("\n")[2]
        raise Unavailable(f"the recordings could not be transcribed: {reason}", code="transcribing_failed")
    texts: list[str] = json.loads(answer)
    return texts


def pieces(sound: Samples, *, longest_s: float = PIECE_S) -> list[Samples]:
    """Cut sound at its quietest places into pieces no longer than ``longest_s``; silence around them is dropped."""
    frames = sound[: len(sound) // _FRAME * _FRAME].reshape(-1, _FRAME).astype(np.float64)
    levels = np.sqrt(np.mean(frames**2, axis=1)) if len(frames) else np.zeros(0)
    loud = np.flatnonzero(levels > QUIET_RMS)
    if not len(loud):
        return []
    found, start, end = [], int(loud[0]), int(loud[-1]) + 1
    longest = int(longest_s * 50)
    while end - start > longest:
        half = start + longest // 2
        cut = half + int(np.argmin(np.convolve(levels[half : start + longest], np.ones(15), "same")))
        found.append(sound[start * _FRAME : cut * _FRAME])
        start = cut
    found.append(sound[start * _FRAME : end * _FRAME])
    return found


def _main(name: str, language: str) -> None:
    """Transcribe the clips given on standard input; prints a JSON list of texts."""
    from speech.engines import load_recognizer
    from speech.models import ModelStore

    recognizer = load_recognizer(name, ModelStore(), (language,))
    texts = []
    for clip in (Clip(**wish) for wish in json.load(sys.stdin)):
        words = []
        for piece in pieces(clip.sound()):
            hearing = recognizer.open(language=language)
            hearing.feed(piece.astype("<i2").tobytes())
            words.append(hearing.result().text)
        texts.append(" ".join(words).strip())
    sys.stdout.write(json.dumps(texts))


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2])
