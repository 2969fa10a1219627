"""Recordings at rest: unreadable without the key, bound to their names, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.vault import Vault, VaultError

pytestmark = pytest.mark.integration

WAV = b"RIFF" + b"what was said" * 1000


def test_what_was_said_is_not_on_the_disk(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "recordings")
    file = vault.keep("att-1-1", WAV)
    stored = (tmp_path / "recordings" / file).read_bytes()
    assert b"what was said" not in stored
    assert vault.read(file) == WAV
    assert Vault(tmp_path / "recordings").read(file) == WAV, "the key outlives the process"


def test_key_and_recordings_are_ours_alone(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "recordings")
    file = vault.keep("att-1-1", WAV)
    for path in (tmp_path / "recordings.key", tmp_path / "recordings" / file):
        assert path.stat().st_mode & 0o077 == 0


def test_the_same_sound_is_never_sealed_the_same_way(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "recordings")
    one, two = (tmp_path / "recordings" / vault.keep(name, WAV) for name in ("a", "b"))
    assert one.read_bytes()[4:40] != two.read_bytes()[4:40]


def test_a_changed_or_exchanged_file_is_not_opened(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "recordings")
    one, two = vault.keep("a", WAV), vault.keep("b", WAV)
    path = tmp_path / "recordings" / one
    sealed = bytearray(path.read_bytes())
    sealed[-1] ^= 1
    path.write_bytes(sealed)
    with pytest.raises(VaultError, match=r"a\.sealed was sealed under another key"):
        vault.read(one)
    (tmp_path / "recordings" / two).rename(path)
    with pytest.raises(VaultError):
        vault.read(one)
    path.write_bytes(b"RIFF")
    with pytest.raises(VaultError, match="no sealed recording"):
        vault.read(one)


def test_another_key_opens_nothing(tmp_path: Path) -> None:
    file = Vault(tmp_path / "recordings", tmp_path / "one.key").keep("a", WAV)
    with pytest.raises(VaultError):
        Vault(tmp_path / "recordings", tmp_path / "two.key").read(file)
    (tmp_path / "bad.key").write_text("no key")
    with pytest.raises(VaultError, match="put the right one back"):
        Vault(tmp_path / "recordings", tmp_path / "bad.key").read(file)


def test_what_could_not_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "recordings")
    vault.keep("a", WAV)
    (tmp_path / "recordings" / "b.sealed").mkdir()
    with pytest.raises(OSError):  # noqa: PT011 - whatever the disk says
        vault.keep("b", WAV)
    assert not (tmp_path / "recordings" / "b.part").exists()
