"""Serves the built console and the API browser from the package; nothing on them comes from another address."""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from aiohttp import web

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "media-src 'self' blob:",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"
PAGES = {"/": "index.html", "/docs": "docs.html"}
NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Outbound</title>
<main><h1>The console is not built</h1>
<p>The service runs, but its pages are missing from this installation. Build them in the source tree with
<code>npm ci</code> and <code>npm run build</code> in <code>outbound/console</code>, and start again.</p>
<p>The REST API is there: <a href="/openapi.json">/openapi.json</a>.</p></main></html>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One built file."""

    body: bytes
    content_type: str
    etag: str
    cache: str


class Pages:
    """The built files, read once."""

    def __init__(self, root: Traversable | None = None) -> None:
        self._files: dict[str, Page] = {}
        where = root if root is not None else files("outbound").joinpath("console", "dist")
        if where.is_dir():
            self._take(where, "")

    def _take(self, folder: Traversable, prefix: str) -> None:
        for entry in folder.iterdir():
            name = f"{prefix}{entry.name}"
            if entry.is_dir():
                self._take(entry, f"{name}/")
            else:
                self._files[name] = _page(name, entry.read_bytes())

    async def show(self, request: web.Request) -> web.Response:
        """Answer a page or one of its assets."""
        name = PAGES.get(request.path, request.path.removeprefix("/"))
        page = self._files.get(name)
        if page is not None:
            return _answer(request, page)
        if request.path in PAGES:
            return _answer(request, _page("index.html", NOT_BUILT.encode()))
        raise web.HTTPNotFound


def _page(name: str, body: bytes) -> Page:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if kind.startswith("text/") or kind.endswith(("javascript", "json")):
        kind += "; charset=utf-8"
    cache = IMMUTABLE if name.startswith("assets/") else REVALIDATE
    return Page(body=body, content_type=kind, etag=hashlib.sha256(body).hexdigest()[:32], cache=cache)


def _answer(request: web.Request, page: Page) -> web.Response:
    headers = {"Cache-Control": page.cache, "ETag": f'"{page.etag}"'}
    known = request.if_none_match
    if known is not None and any(tag.value == page.etag for tag in known):
        return web.Response(status=304, headers=headers)
    headers |= {"Content-Type": page.content_type, "Content-Security-Policy": CONTENT_SECURITY_POLICY}
    return web.Response(body=page.body, headers=headers)
