"""Sentences that people spoke, used instead of synthesis: WAV files beside text files that say what is spoken in them.

``FOLDER/LANGUAGE/NAME.wav`` (16-bit, any rate, mono or the first channel) and ``NAME.txt`` (the sentence). It reads
them once; a sentence is found whatever its case, spaces and punctuation.
"""

from __future__ import annotations

import re
import wave
from pathlib import Path

from speech import audio
from speech.seams import Speech, SpeechError

_PLAIN = re.compile(r"[\W_]+")
VOICE = "recorded"


class RecordingUnreadable(SpeechError):
    """A recording, or the text beside it, cannot be used; the message names the file and the remedy."""

    code = "recording_unreadable"
    retryable = False


class Recorded:
    """The recordings below one folder; none without a folder."""

    def __init__(self, folder: Path | None) -> None:
        """Read them. Raises :class:`RecordingUnreadable`."""
        self._spoken: dict[tuple[str, str], Speech] = {}
        if folder is None:
            return
        if not folder.is_dir():
            raise RecordingUnreadable(f"{folder} is no folder; make it, or leave OUTBOUND_SPOKEN_DIR out")
        for path in sorted(folder.glob("*/*.wav")):
            self._spoken[path.parent.name, _plain(_text_of(path))] = _speech(path)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._spoken)

    def find(self, text: str, language: str) -> Speech | None:
        """The recording of a sentence, as loud as every voice; ``None`` when nobody spoke it."""
        return self._spoken.get((language, _plain(text)))


def _text_of(path: Path) -> str:
    beside = path.with_suffix(".txt")
    try:
        text = beside.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise RecordingUnreadable(
            f"{beside} cannot be read ({error}); write the sentence in {path.name} there"
        ) from error
    if not _plain(text):
        raise RecordingUnreadable(f"{beside} is empty; write the sentence that is spoken in {path.name}")
    return text


def _speech(path: Path) -> Speech:
    try:
        sound, rate_hz = audio.read_wav(path)
    except (OSError, EOFError, ValueError, wave.Error) as error:
        raise RecordingUnreadable(f"{path} is no 16-bit WAV file ({error}); save it as one") from error
    speech = audio.telephone_speech(sound[:, 0], rate_hz, voice=f"{VOICE}:{path.stem}")
    if not speech.pcm:
        raise RecordingUnreadable(f"{path} is silent; record it again")
    return speech


def _plain(text: str) -> str:
    return _PLAIN.sub(" ", text).strip().casefold()
