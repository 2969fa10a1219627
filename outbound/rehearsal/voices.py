"""Renders what the cast will say before any call starts, into WAV files kept by content, in a process of its own.

The process that serves REST loads no engine; nothing is rendered twice, so a second rehearsal starts at once.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from outbound.errors import Unavailable
from speech.audio import samples, write_wav

FORMAT = 1
"""Changes when the same line would sound otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Something that is said, and by whom."""

    engine: str
    """A synthesiser's file name."""
    voice: str
    """As the engine names it; empty for its usual one."""
    rate: float
    text: str
    language: str = "en"

    def path(self, folder: Path) -> Path:
        """Where its sound lies below ``folder``."""
        key = json.dumps([FORMAT, *asdict(self).values()]).encode()
        return folder / f"{hashlib.sha256(key).hexdigest()[:32]}.wav"


async def render(lines: Iterable[Line], folder: Path, *, within_s: float = 120.0) -> int:
    """Render what is not there yet; returns how many were. Raises :class:`Unavailable` that names the line."""
    missing = [line for line in dict.fromkeys(lines) if not line.path(folder).is_file()]
    if not missing:
        return 0
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, str(folder)), stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    wishes = json.dumps([asdict(line) for line in missing]).encode()
    try:
        _, errors = await asyncio.wait_for(process.communicate(wishes), within_s)
    except TimeoutError:
        errors = f"not done within {within_s:g} s".encode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        reason = errors.decode(errors="replace").strip().rpartition("\n")[2]
        raise Unavailable(f"the cast's voices could not be rendered: {reason}", code="voices_failed")
    return len(missing)


def _main(folder: Path) -> None:
    """Render the lines given on standard input, each whole or not at all."""
    from speech.engines import load_synthesizer
    from speech.models import ModelStore
    from speech.seams import SpeechError

    lines = [Line(**wish) for wish in json.load(sys.stdin)]
    languages = tuple(sorted({line.language for line in lines}))
    folder.mkdir(parents=True, exist_ok=True)
    engines = {name: load_synthesizer(name, ModelStore(), languages) for name in {line.engine for line in lines}}
    for line in lines:
        try:
            speech = engines[line.engine].render(
                line.text, language=line.language, voice=line.voice or None, rate=line.rate
            )
        except SpeechError as error:
            sys.exit(f"voice {line.voice or 'default'!r} of {line.engine}: {error}")
        unfinished = line.path(folder).with_suffix(".part")
        write_wav(unfinished, samples(speech.pcm))
        unfinished.rename(line.path(folder))


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
