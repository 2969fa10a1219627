"""Fetches recognition models that no package registry holds: resumable, checked by a pinned hash, whole or not at all.

Blocking; for the command line. It asks nobody whether to: the caller did.
"""

from __future__ import annotations

import hashlib
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from speech.seams import SpeechError

TIMEOUT_S = 30.0
_PIECE_BYTES = 1 << 18
_LARGEST_UNPACKED_BYTES = 4 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """One model archive: a ZIP file with one folder in it."""

    name: str
    language: str
    url: str
    sha256: str


CATALOGUE: Mapping[str, Download] = {
    download.name: download
    for download in (
        Download(
            name="vosk-en",
            language="en",
            url="https://alphacephei.com/vosk/models/vosk-model-small-en-us-0.15.zip",
            sha256="30f26242c4eb449f948e42cb302dd7a686cb29a3423a8367f99ff41780942498",
        ),
        Download(
            name="vosk-zh",
            language="zh",
            url="https://alphacephei.com/vosk/models/vosk-model-small-cn-0.22.zip",
            sha256="3af8b0e7e0f835ae9d414ce5df580237a3cfb08d586c9fbbb0f7ff29ad5b14ba",
        ),
    )
}
"""About 40 MB each, Apache-2.0."""


def fetch(download: Download, root: Path, *, progress: Callable[[int, int], None] | None = None) -> Path:
    """Fetch and unpack a model below ``root`` (see :class:`speech.models.ModelStore`); returns its folder.

    ``progress`` is called with (bytes so far, bytes in all; 0 when unknown). What came is kept for the next try.
    Raises :class:`SpeechError`: ``download_failed`` (try again), ``download_damaged`` (not the pinned hash).
    """
    target = root / "vosk" / download.language
    if target.is_dir():
        return target
    part = root / "downloads" / f"{download.sha256}.part"
    part.parent.mkdir(parents=True, exist_ok=True)
    if not (part.is_file() and _sha256(part) == download.sha256):
        try:
            _receive(download.url, part, progress or (lambda done, total: None))
        except (OSError, urllib.error.URLError) as error:
            raise SpeechError(
                f"{download.name}: {download.url} could not be fetched ({error}): try again, what came is kept; "
                f"or unpack the archive yourself into {target}",
                code="download_failed",
            ) from error
        _check(download, part)
    _unpack(download, part, target)
    part.unlink()
    return target


def _receive(url: str, part: Path, progress: Callable[[int, int], None]) -> None:
    """Append to ``part`` what it lacks (RFC 9110 §14), or begin again where the server knows no ranges."""
    if not url.startswith(("https://", "http://")):
        raise OSError(f"not an http address: {url}")
    have = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310 - checked above
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310 - checked above
            resumed = response.status == 206
            done = have if resumed else 0
            total = done + int(response.headers.get("Content-Length") or 0)
            with part.open("ab" if resumed else "wb") as file:
                while piece := response.read(_PIECE_BYTES):
                    file.write(piece)
                    done += len(piece)
                    progress(done, total)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != 416:  # range not satisfiable: everything is here already
            raise
        return
    if total and done < total:
        raise OSError(f"the connection ended after {done} of {total} bytes")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check(download: Download, part: Path) -> None:
    found = _sha256(part)
    if found != download.sha256:
        part.unlink()
        raise SpeechError(
            f"{download.name}: what came has SHA-256 {found}, expected {download.sha256}: it was thrown away",
            code="download_damaged",
            retryable=False,
        )


def _unpack(download: Download, part: Path, target: Path) -> None:
    """Unpack beside ``target`` and rename: there is never half a model."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=target.parent, prefix=".unpacking-") as scratch,
        zipfile.ZipFile(part) as archive,
    ):
        folders = {Path(entry.filename).parts[0] for entry in archive.infolist()}
        outside = any(".." in Path(entry.filename).parts or entry.filename[0] == "/" for entry in archive.infolist())
        large = sum(entry.file_size for entry in archive.infolist()) > _LARGEST_UNPACKED_BYTES
        if len(folders) != 1 or outside or large:
            raise SpeechError(f"{download.name}: the archive is no model", code="download_damaged", retryable=False)
        archive.extractall(scratch)
        (Path(scratch) / folders.pop()).rename(target)
