"""Downloads a recognition model for the command line, with a progress bar."""

from __future__ import annotations

from pathlib import Path

import click

from outbound.errors import NotFound, Unavailable
from speech.download import CATALOGUE, fetch
from speech.models import default_root
from speech.seams import SpeechError


def fetch_model(name: str, models_dir: Path | None) -> Path:
    """Fetch ``name`` into the models directory; return its folder. Raises :class:`OutboundError` with the remedy."""
    download = CATALOGUE.get(name)
    if download is None:
        raise NotFound(f"there is no model {name!r}; there are {', '.join(sorted(CATALOGUE))}")
    with click.progressbar(length=1, label=name) as bar:

        def progress(done: int, total: int) -> None:
            bar.length = max(total, done, 1)
            bar.update(done - bar.pos)

        try:
            return fetch(download, models_dir or default_root(), progress=progress)
        except SpeechError as error:
            raise Unavailable(str(error), code=error.code) from error
