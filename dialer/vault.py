"""Recordings at rest: each a file of its own, sealed with AES-256-GCM (NIST SP 800-38D) under one key of the house.

A sealed file is ``OBR1``, 12 random bytes and the sealed WAV; its name is sealed in, so files cannot be exchanged.
It blocks, so it is used in threads.
"""

from __future__ import annotations

import base64
import contextlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dialer.errors import DialerError

SUFFIX = ".sealed"
KEY_BYTES = 32
_MAGIC, _NONCE_BYTES = b"OBR1", 12


class VaultError(DialerError):
    """A recording cannot be opened: another key, or it was tampered with."""

    code = "recording_sealed"
    retryable = False


class Vault:
    """The recordings below one directory; the key is made when it is first needed, readable by us alone."""

    def __init__(self, directory: Path, key_file: Path | None = None) -> None:
        self.directory = directory
        self._key_file = key_file or directory.parent / "recordings.key"
        self._cipher: AESGCM | None = None

    def keep(self, name: str, wav: bytes) -> str:
        """Write a recording, whole or not at all; returns its file's name. Raises ``OSError``."""
        file = f"{name}{SUFFIX}"
        nonce = os.urandom(_NONCE_BYTES)
        sealed = _MAGIC + nonce + self._key().encrypt(nonce, wav, file.encode())
        self.directory.mkdir(parents=True, exist_ok=True)
        draft = self.directory / f"{name}.part"
        try:
            draft.touch(mode=0o600)
            draft.write_bytes(sealed)
            draft.replace(self.directory / file)
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
            raise
        return file

    def read(self, file: str) -> bytes:
        """Open a recording; returns the WAV. Raises ``OSError`` where there is none, or :class:`VaultError`."""
        sealed = (self.directory / file).read_bytes()
        if not sealed.startswith(_MAGIC):
            raise VaultError(f"{file} is no sealed recording")
        body = sealed[len(_MAGIC) :]
        try:
            return self._key().decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], file.encode())
        except InvalidTag:
            raise VaultError(f"{file} was sealed under another key than {self._key_file.name}, or changed") from None

    def _key(self) -> AESGCM:
        if self._cipher is None:
            self._cipher = AESGCM(_load(self._key_file))
        return self._cipher


def _load(path: Path) -> bytes:
    """Read the key, or make it: base64, a line. Raises :class:`VaultError` for a file that holds none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(os.urandom(KEY_BYTES)) + b"\n")
    try:
        key = base64.b64decode(path.read_bytes().strip(), validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise VaultError(f"{path} holds no key of {KEY_BYTES} bytes in base64; put the right one back")
    return key
