"""Resolves every dependency into constraint files with hashes; ``make lock`` runs it, ``--upgrade`` takes the newest.

It names no registry: which one is asked is the business of the machine it runs on, and no address reaches the files.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

EXCLUDED = ("comtypes", "docopt", "pyobjc", "pypiwin32", "sounddevice")
"""What pyttsx3 asks for on desktops, for voices that the product does not use, PocketSphinx for a microphone, and
num2words for a command line."""

SOURCE_ONLY = ("jieba", "srt")
"""Pure Python without a wheel; ``setuptools`` in the build file builds it."""

COMPILE = (
    *("pip", "compile", "--quiet", "--universal", "--python-version", "3.11"),
    *("--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
    *("--only-binary", ":all:"),
)


def compile_lock(requirements: list[str], target: Path, *, under: Path | None = None) -> None:
    """Resolve ``requirements`` for Python 3.11 and newer into ``target``; versions in ``under`` are kept."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "requirements.in")
        source.write_text("\n".join(requirements) + "\n", encoding="utf-8")
        excludes = Path(folder, "excludes.txt")
        excludes.write_text("\n".join(EXCLUDED) + "\n", encoding="utf-8")
        command = [str(Path(sys.executable).with_name("uv")), *COMPILE, "--excludes", str(excludes)]
        for name in SOURCE_ONLY:
            command += ["--no-binary", name]
        if under is not None:
            command += ["--constraints", str(under)]
        subprocess.run([*command, *sys.argv[1:], "--output-file", str(target), str(source)], check=True, cwd=folder)  # noqa: S603
    text = target.read_text(encoding="utf-8")
    if "://" in text or "--index" in text:
        raise SystemExit(f"{target.name}: a registry's address is in the lock; remove it from the tool's configuration")


def main() -> None:
    """Write ``constraints.txt`` and those for tests, mutation, building, and for Mandarin."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    runtime: list[str] = project["project"]["dependencies"]
    test: list[str] = project["project"]["optional-dependencies"]["test"]
    build: list[str] = project["build-system"]["requires"]
    mandarin: list[str] = project["project"]["optional-dependencies"]["mandarin"]
    mutation: list[str] = project["project"]["optional-dependencies"]["mutation"]
    compile_lock(runtime, ROOT / "constraints.txt")
    compile_lock([*runtime, *test], ROOT / "constraints-test.txt", under=ROOT / "constraints.txt")
    compile_lock(mandarin, ROOT / "constraints-mandarin.txt", under=ROOT / "constraints-test.txt")
    compile_lock(mutation, ROOT / "constraints-mutation.txt", under=ROOT / "constraints-test.txt")
    compile_lock(
        [*build, "editables", "pip", "setuptools"], ROOT / "constraints-build.txt", under=ROOT / "constraints-test.txt"
    )


if __name__ == "__main__":
    main()
