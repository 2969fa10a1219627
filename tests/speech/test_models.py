"""Where models are looked for, and that a changed one is refused."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from speech import models
from speech.models import ModelStore
from speech.seams import ModelMissing

pytestmark = pytest.mark.integration


def whisper_folder(folder: Path, *, multilingual: bool) -> Path:
    folder.mkdir(parents=True)
    end = {"id": 50257 if multilingual else 50256, "content": "<|endoftext|>"}
    (folder / "tokenizer.json").write_text(json.dumps({"added_tokens": [end]}))
    for name in ("model.bin", "config.json"):
        (folder / name).write_text("{}")
    return folder


def test_the_operators_folder_goes_before_everything(tmp_path: Path) -> None:
    whisper_folder(tmp_path / "whisper" / "en", multilingual=False)
    own = whisper_folder(tmp_path / "own", multilingual=True)
    assert ModelStore(root=tmp_path, own={"en": own}).whisper("en") == (own, True)
    assert ModelStore(root=tmp_path).whisper("en") == (tmp_path / "whisper" / "en", False)


def test_an_operators_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="'en' does not exist: /nowhere"):
        ModelStore(root=tmp_path, own={"en": Path("/nowhere")}).vosk("en")


@pytest.mark.parametrize(
    ("find", "remedy"),
    [("vosk", r"outbound models get vosk-xx"), ("whisper", r"outbound\[mandarin\]"), ("piper", r"NAME\.onnx\.json")],
)
def test_what_is_missing_is_said_with_the_remedy(tmp_path: Path, find: str, remedy: str) -> None:
    with pytest.raises(ModelMissing, match=remedy) as caught:
        getattr(ModelStore(root=tmp_path), find)("xx")
    assert str(tmp_path) in str(caught.value)
    assert not caught.value.retryable


def test_packaged_models_are_what_their_hashes_say(tmp_path: Path) -> None:
    store = ModelStore(root=tmp_path)
    folder, multilingual = store.whisper("en")
    assert (folder / "model.bin").is_file()
    assert not multilingual
    assert store.piper("en").name == "en_US-joe-medium.onnx"
    assert len(json.loads((tmp_path / "verified.json").read_text())) == 4


def test_a_changed_model_is_refused_and_the_verdict_lasts_as_long_as_the_file(tmp_path: Path) -> None:
    model = tmp_path / "model.bin"
    model.write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    store = ModelStore(root=tmp_path / "store")
    store.verify(model, digest)
    times = model.stat()
    model.write_bytes(b"wEights")
    os.utime(model, ns=(times.st_atime_ns, times.st_mtime_ns))
    store.verify(model, digest)  # same size and time: not hashed again
    os.utime(model, ns=(times.st_atime_ns, times.st_mtime_ns + 1))
    with pytest.raises(ModelMissing, match="expected " + digest):
        store.verify(model, digest)


def test_a_memory_that_cannot_be_read_costs_hashing_only(tmp_path: Path) -> None:
    model = tmp_path / "model.bin"
    model.write_bytes(b"weights")
    (tmp_path / "verified.json").write_text("not json")
    ModelStore(root=tmp_path).verify(model, hashlib.sha256(b"weights").hexdigest())
    assert str(model) in json.loads((tmp_path / "verified.json").read_text())


TOKENS = json.dumps({"added_tokens": [{"content": "<|zh|>", "id": 1}, {"content": "<|de|>", "id": 2}]})


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two small packages in the shape of Whisper base's parts."""
    packages = tmp_path / "packages"
    for number in (1, 2):
        data = packages / f"base_part{number}" / "data"
        data.mkdir(parents=True)
        (data.parent / "__init__.py").touch()
        (data / f"model.bin.part{number}").write_bytes(bytes([number]) * 1000)
    for name in ("tokenizer.json", "config.json", "vocabulary.txt"):
        (packages / "base_part1" / "data" / name).write_text(TOKENS)
    joined = hashlib.sha256(bytes([1]) * 1000 + bytes([2]) * 1000).hexdigest()
    monkeypatch.syspath_prepend(packages)
    monkeypatch.setattr(models, "BASE_PARTS", ("base_part1", "base_part2"))
    monkeypatch.setattr(
        models, "BASE_FILES", {"model.bin": joined, "tokenizer.json": hashlib.sha256(TOKENS.encode()).hexdigest()}
    )
    return packages


def test_whisper_base_is_joined_once(tmp_path: Path, parts: Path) -> None:
    folder, multilingual = ModelStore(root=tmp_path / "store").whisper("zh")
    assert multilingual
    assert (folder / "model.bin").stat().st_size == 2000
    joined_at = (folder / "model.bin").stat().st_mtime_ns
    assert ModelStore(root=tmp_path / "store").whisper("de") == (folder, True)
    assert (folder / "model.bin").stat().st_mtime_ns == joined_at


def test_a_language_that_whisper_does_not_know_is_not_promised(tmp_path: Path, parts: Path) -> None:
    with pytest.raises(ModelMissing, match="no Whisper model for 'xx'"):
        ModelStore(root=tmp_path / "store").whisper("xx")
    assert not (tmp_path / "store" / "joined").exists()


def test_damaged_parts_are_not_joined(tmp_path: Path, parts: Path) -> None:
    (parts / "base_part2" / "data" / "model.bin.part2").write_bytes(b"?")
    with pytest.raises(ModelMissing, match="SHA-256"):
        ModelStore(root=tmp_path / "store").whisper("zh")
    assert not list((tmp_path / "store" / "joined").iterdir())
