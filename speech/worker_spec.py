"""Which speech process to start, and its command line both ways.

It starts nothing and imports no engine: the host builds the command line with it, the process reads it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from speech.engines import AUTO
from speech.models import default_root

LONGEST_SOCKET_PATH = 104
"""sun_path holds 108 bytes on Linux and 104 elsewhere (unix(7))."""


class Kind(StrEnum):
    """What a speech process does."""

    RECOGNIZER = "recognizer"
    SYNTHESIZER = "synthesizer"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSpec:
    """Which speech process to start."""

    kind: Kind
    socket: Path
    """Where it listens; at most 104 bytes long, in a folder that only its user may enter."""
    engine: str = AUTO
    languages: tuple[str, ...] = ("en",)
    """BCP 47 primary tags it is to serve; a recogniser refuses others."""
    models: Path = field(default_factory=default_root)
    own_models: Mapping[str, Path] = field(default_factory=dict)
    """Language -> model or voice folder of the operator's."""
    threads: int = 1
    """Cores the model may use at once."""

    def argv(self) -> list[str]:
        """Command line; give the child a pipe as stdin: closing it ends the child."""
        return [
            *(sys.executable, "-m", "speech.worker", self.kind.value),
            *("--engine", self.engine, "--socket", str(self.socket)),
            *(word for language in self.languages for word in ("--language", language)),
            *("--models", str(self.models), "--threads", str(self.threads)),
            *(word for language, path in self.own_models.items() for word in ("--model", f"{language}={path}")),
        ]

    @classmethod
    def parse(cls, argv: Sequence[str] | None = None) -> WorkerSpec:
        """Read a command line; exits with code 2 and a usage message when it is wrong."""
        parser = argparse.ArgumentParser(prog="python -m speech.worker", description="Serve one speech engine.")
        parser.add_argument("kind", type=Kind, choices=list(Kind))
        parser.add_argument("--engine", default=AUTO)
        parser.add_argument("--socket", type=Path, required=True)
        parser.add_argument("--language", action="append", dest="languages")
        parser.add_argument("--models", type=Path, default=default_root())
        parser.add_argument("--model", action="append", type=_own_model, default=[], metavar="LANGUAGE=FOLDER")
        parser.add_argument("--threads", type=int, default=1)
        given = parser.parse_args(argv)
        if len(os.fsencode(given.socket)) > LONGEST_SOCKET_PATH:
            parser.error(f"--socket: path longer than {LONGEST_SOCKET_PATH} bytes: use a shorter run directory")
        return cls(
            kind=given.kind,
            socket=given.socket,
            engine=given.engine,
            languages=tuple(given.languages or ("en",)),
            models=given.models,
            own_models=dict(given.model),
            threads=given.threads,
        )


def _own_model(value: str) -> tuple[str, Path]:
    language, equals, folder = value.partition("=")
    if not (language and equals and folder):
        raise argparse.ArgumentTypeError(f"{value!r} is not LANGUAGE=FOLDER")
    return language, Path(folder)
