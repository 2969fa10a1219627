"""The operator's first key: made once, kept readable by its owner alone in the data directory, printed at start-up."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from outbound.store import Store, apikeys


async def operator_key(store: Store, data_dir: Path, *, now: float) -> str:
    """Return the operator's key; make another when the file is gone or the key in it was revoked."""
    path = data_dir / "operator.key"
    secret = await asyncio.to_thread(_read, path)
    if secret and await store.read(lambda connection: apikeys.find(connection, secret)) is not None:
        return secret
    _, secret = await store.write(lambda connection: apikeys.make(connection, name="operator", now=now))
    await asyncio.to_thread(_write, path, secret)
    return secret


def _read(path: Path) -> str:
    return path.read_text(encoding="ascii").strip() if path.exists() else ""


def _write(path: Path, secret: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secret + "\n")
