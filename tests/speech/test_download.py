"""Fetching models from a real HTTP server: resumed, checked, whole or not at all."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import io
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from speech.download import CATALOGUE, Download, fetch
from speech.models import ModelStore
from speech.seams import SpeechError

pytestmark = pytest.mark.integration


def archive(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in names:
            file.writestr(name, name * 20_000)
    return buffer.getvalue()


MODEL = archive("small-0.1/am/final.mdl", "small-0.1/conf/mfcc.conf")


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


class Site:
    """Serves one archive, with ranges or without, and may hang up early."""

    def __init__(self) -> None:
        self.data = MODEL
        self.ranges = True
        self.cut_at: int | None = None
        self.asked: list[str | None] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        asked = request.headers.get("Range")
        self.asked.append(asked)
        begin = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.ranges else 0
        if begin >= len(self.data):
            return web.Response(status=416)
        body = self.data[begin:]
        response = web.StreamResponse(status=206 if begin else 200, headers={"Content-Length": str(len(body))})
        await response.prepare(request)
        if self.cut_at is None:
            await response.write(body)
            return response
        await response.write(body[: self.cut_at])
        assert request.transport is not None
        request.transport.close()
        return response


@pytest.fixture
def site() -> Iterator[Site]:
    return Site()


@pytest.fixture
async def download(site: Site) -> AsyncIterator[Download]:
    app = web.Application()
    app.router.add_get("/model.zip", site.handle)
    async with TestServer(app) as server:
        digest = hashlib.sha256(MODEL).hexdigest()
        yield Download(name="vosk-xx", language="xx", url=str(server.make_url("/model.zip")), sha256=digest)


async def test_a_model_arrives_whole_and_is_found(download: Download, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    folder = await asyncio.to_thread(lambda: fetch(download, tmp_path, progress=lambda *now: seen.append(now)))
    assert ModelStore(root=tmp_path).vosk("xx") == folder
    assert seen[-1] == (len(MODEL), len(MODEL))
    assert not list((tmp_path / "downloads").iterdir())


@pytest.mark.parametrize("ranges", [True, False])
async def test_a_broken_download_goes_on_where_it_ended(
    site: Site, download: Download, tmp_path: Path, ranges: bool
) -> None:
    site.cut_at = 5000
    with pytest.raises(SpeechError, match="try again") as caught:
        await asyncio.to_thread(fetch, download, tmp_path)
    assert (caught.value.code, caught.value.retryable) == ("download_failed", True)
    site.cut_at, site.ranges = None, ranges
    folder = await asyncio.to_thread(fetch, download, tmp_path)
    assert (folder / "am" / "final.mdl").is_file()
    assert site.asked[1] == "bytes=5000-"


async def test_another_file_than_the_pinned_one_is_thrown_away(site: Site, download: Download, tmp_path: Path) -> None:
    site.data = archive("small-0.1/am/final.mdl")
    with pytest.raises(SpeechError, match="SHA-256") as caught:
        await asyncio.to_thread(fetch, download, tmp_path)
    assert caught.value.code == "download_damaged"
    assert files(tmp_path) == []


@pytest.mark.parametrize("names", [("one/a", "two/b"), ("one/../../evil",), ("/etc/evil",)])
async def test_an_archive_that_reaches_outside_is_refused(
    site: Site, download: Download, tmp_path: Path, names: tuple[str, ...]
) -> None:
    site.data = archive(*names)
    trusted = dataclasses.replace(download, sha256=hashlib.sha256(site.data).hexdigest())
    with pytest.raises(SpeechError, match="no model"):
        await asyncio.to_thread(fetch, trusted, tmp_path / "models")
    assert not list((tmp_path / "models" / "vosk").iterdir())


async def test_a_model_that_is_there_is_not_fetched(site: Site, download: Download, tmp_path: Path) -> None:
    (tmp_path / "vosk" / "xx").mkdir(parents=True)
    assert await asyncio.to_thread(fetch, download, tmp_path) == tmp_path / "vosk" / "xx"
    assert site.asked == []


async def test_what_had_come_whole_is_only_unpacked(site: Site, download: Download, tmp_path: Path) -> None:
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / f"{download.sha256}.part").write_bytes(MODEL)
    assert (await asyncio.to_thread(fetch, download, tmp_path)).is_dir()
    assert site.asked == []


def test_only_web_addresses_are_fetched(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match="not an http address"):
        fetch(Download(name="x", language="xx", url="file:///etc/passwd", sha256="0" * 64), tmp_path)


def test_every_model_of_the_catalogue_is_pinned() -> None:
    for download in CATALOGUE.values():
        assert download.url.startswith("https://")
        assert len(bytes.fromhex(download.sha256)) == 32
